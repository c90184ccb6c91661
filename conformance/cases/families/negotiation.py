"""Which media type is read, which is answered, and what the framework says to what it does not serve."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from conformance.cases import expect, make, render
from conformance.cases.make import Channel, channels
from conformance.model.case import Alternative, Body, Case, Expectation, Message, StateNeed
from conformance.model.spec import Operation

_STATES = {"order": StateNeed("open-order")}
_NAMES = ("order",)


@dataclass(frozen=True, slots=True)
class Accept:
    """One Accept header (None: none) and the media type that must answer; None where the documents leave it open."""

    name: str
    header: str | None
    answer: str | None


_ACCEPTS = (
    Accept("none", None, None),
    Accept("anything", "*/*", None),
    Accept("application-anything", "application/*", None),
    Accept("text-anything", "text/*", None),
    Accept("json-preferred", "application/xml;q=0.5, application/json", "application/json"),
    Accept("xml-preferred", "application/json;q=0.5, application/xml", "application/xml"),
    Accept("text-xml-preferred", "text/xml, application/json;q=0.1", "text/xml"),
    Accept("json-refused", "application/json;q=0, application/xml", "application/xml"),
    Accept("parameters", "application/json; charset=utf-8", "application/json"),
    Accept("capitals", "APPLICATION/XML", "application/xml"),
    Accept("spaces", " application/xml ; q=1.0 , text/html;q=0.2 ", "application/xml"),
    Accept("unknown-and-known", "image/png, text/json", "text/json"),
    Accept("unknown", "image/png", None),
    Accept("garbage", "garbage", None),
)
_CHARSETS = ("utf-8", "UTF-8", '"utf-8"')
_UNSUPPORTED = ("text/plain", "application/x-www-form-urlencoded", "image/png", "multipart/form-data; boundary=x", "application/soap+xml", "garbage")


def negotiation_cases(operation: Operation) -> Iterator[Case]:
    """Content types against Accept headers, charsets, unsupported types, methods and paths."""
    every = tuple(channels(operation))
    for channel in every:
        for answer in operation.media_types:
            yield _accept_case(operation, channel, Accept(f"answer-{answer.replace('/', '-')}", answer, answer))
        for accept in _ACCEPTS:
            yield _accept_case(operation, channel, accept)
        yield from _charset_cases(operation, channel)
        yield from _framework_cases(operation, channel)
        yield from _path_cases(operation, channel)


def _accept_case(operation: Operation, channel: Channel, accept: Accept) -> Case:
    headers = [("Content-Type", channel.media_type)]
    if accept.header is not None:
        headers.append(("Accept", accept.header))
    requirement = operation.attribution["media-type"]
    also = [operation.raw["request_media"][channel.media_type]]
    if accept.answer:
        also.append(operation.raw["response_media"][accept.answer])
    sent = make.message(operation, channel, render.body(operation, channel, operation.valid), headers=tuple(headers))
    done = expect.done(operation, requirement, _NAMES)
    open_choice = Alternative({"form": "framework"}, untouched=_NAMES)
    expectation = Expectation(requirement, (*done.any_of, open_choice), effect="TPP-EFFECT") if accept.name in (
        "unknown", "garbage"
    ) else Expectation(requirement, done.any_of, effect="TPP-EFFECT")  # fmt: skip
    return make.case(
        operation, channel, f"negotiation/accept-{accept.name}", f"Accept: {accept.header or 'no header'}", also, sent,
        expectation, states=_STATES, accept=accept.answer,
    )  # fmt: skip


def _charset_cases(operation: Operation, channel: Channel) -> Iterator[Case]:
    requirement = operation.raw["request_media"][channel.media_type]
    named = [(f"charset-{number}", f"{channel.media_type}; charset={charset}") for number, charset in enumerate(_CHARSETS, 1)]
    for name, content_type in (*named, ("content-type-capitals", channel.media_type.upper())):
        headers = (("Content-Type", content_type), ("Accept", channel.media_type))
        sent = make.message(operation, channel, render.body(operation, channel, operation.valid), headers=headers)
        done = expect.done(operation, requirement, _NAMES)
        yield make.case(
            operation, channel, f"negotiation/{name}", f"Content-Type: {content_type}", (), sent, done,
            states=_STATES, accept=channel.media_type,
        )  # fmt: skip


def _framework_cases(operation: Operation, channel: Channel) -> Iterator[Case]:
    """What the documents exclude: other content types and other methods; refused, and without effect."""
    body = render.body(operation, channel, operation.valid)
    for content_type in _UNSUPPORTED:
        slug = content_type.partition(";")[0].replace("/", "-").replace("+", "-")
        headers: tuple[tuple[str, str], ...] = (("Content-Type", content_type), ("Accept", channel.media_type))
        yield _framework_case(operation, channel, f"content-type-{slug}", f"Content-Type: {content_type}", "TPP-UNSUPPORTED-MEDIA", Message(body, operation.method, operation.path, headers))
    headers = (("Accept", channel.media_type),)
    yield _framework_case(operation, channel, "content-type-none", "no Content-Type", "TPP-UNSUPPORTED-MEDIA", Message(body, operation.method, operation.path, headers), lenient=True)
    headers = (("Content-Type", channel.media_type), ("Accept", channel.media_type))
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        sent = Message(body if method != "GET" else Body(""), method, operation.path, headers)
        yield _framework_case(operation, channel, f"method-{method.lower()}", f"Method {method}", "TPP-METHOD", sent)


def _framework_case(
    operation: Operation, channel: Channel, name: str, title: str, requirement: str, sent: Message, lenient: bool = False
) -> Case:
    right = [Alternative({"form": "framework"}, untouched=_NAMES), Alternative({"form": "refused"}, untouched=_NAMES)]
    if lenient:
        right.append(Alternative({"results": [True]}, cancelled=_NAMES))
    expectation = Expectation(requirement, tuple(right), effect=operation.attribution["effect"])
    also = [operation.attribution["framework-error"]]
    return make.case(operation, channel, f"negotiation/{name}", title, also, sent, expectation, states=_STATES)


def _path_cases(operation: Operation, channel: Channel) -> Iterator[Case]:
    """The path is fixed; its letter case and a slash at the end are the framework's affair."""
    body = render.body(operation, channel, operation.valid)
    headers = (("Content-Type", channel.media_type), ("Accept", channel.media_type))
    requirement = operation.attribution["route"]
    done = expect.done(operation, requirement, _NAMES).any_of
    missing = Alternative({"form": "framework"}, untouched=_NAMES)
    parameters = "TPP-URI-PARAMS"
    for name, path, breaks in (
        ("upper-case", operation.path.upper(), requirement),
        ("trailing-slash", operation.path + "/", requirement),
        ("query", operation.path + "?dryRun=true", parameters),
    ):
        sent = Message(body, operation.method, path, headers)
        expectation = Expectation(breaks, (*done, missing), effect=breaks, outside=operation.attribution["effect"])
        yield make.case(operation, channel, f"negotiation/path-{name}", f"Path: {name}", (), sent, expectation, states=_STATES)
    sent = Message(body, operation.method, operation.path + "/all", headers)
    nothing = Expectation(requirement, (missing, Alternative({"form": "refused"}, untouched=_NAMES)), effect=operation.attribution["effect"])
    yield make.case(operation, channel, "negotiation/path-unknown", "A path that is not the call's", (), sent, nothing, states=_STATES)
