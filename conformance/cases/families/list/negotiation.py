"""Which media type is read, which is answered, and what the framework says to what it does not serve."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from conformance.cases import expect, make, message
from conformance.cases.expect import Ruling
from conformance.cases.kinds import OTHER, first_kind, naming_member, other_state
from conformance.cases.make import Channel, channels
from conformance.model.case import Alternative, Body, Case, Expectation, Message
from conformance.model.spec import Operation


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
_UNSUPPORTED = (
    "text/plain",
    "application/x-www-form-urlencoded",
    "image/png",
    "multipart/form-data; boundary=x",
    "application/soap+xml",
    "application/octet-stream",
    "application/vnd.example.v1+json",
    "garbage",
)


def negotiation_cases(operation: Operation) -> Iterator[Case]:
    """Content types against Accept headers, charsets, unsupported types, methods and paths."""
    for channel in channels(operation):
        for answer in operation.media_types:
            yield _accept_case(operation, channel, Accept(f"answer-{answer.replace('/', '-')}", answer, answer))
        for accept in _ACCEPTS:
            if accept.answer is not None and accept.answer not in operation.media_types:
                continue  # asked for what the operation does not speak
            yield _accept_case(operation, channel, accept)
        yield from _charset_cases(operation, channel)
        yield from _framework_cases(operation, channel)
        yield from _path_cases(operation, channel)


def described_negotiation_cases(operation: Operation) -> Iterator[Case]:
    """Of a call that a schema describes: Accept headers where it has several media types, and types that it does not name."""
    for channel in channels(operation):
        if channel.transport.framed:
            continue
        answers = tuple(operation.response_media or operation.media_types)
        if len(answers) > 1:
            for answer in answers:
                yield _accept_case(operation, channel, Accept(f"answer-{answer.replace('/', '-')}", answer, answer))
            yield from (
                _accept_case(operation, channel, one) for one in _ACCEPTS if one.answer is None or one.answer in answers
            )
        if operation.has_body and "unsupported-media" in operation.attribution:
            yield from _unsupported_cases(operation, channel, operation.attribution["unsupported-media"])


def _sent(operation: Operation, channel: Channel, headers: tuple[tuple[str, str], ...]) -> Message:
    """The legal request under these headers; a call without a body says nothing of one's type."""
    plain = message.request_of(operation, channel, operation.valid)
    assert plain is not None
    kept = headers if operation.has_body else tuple(one for one in headers if one[0] != "Content-Type")
    return Message(plain.body, operation.method, plain.path, kept)


def _accept_case(operation: Operation, channel: Channel, accept: Accept) -> Case:
    headers = [("Content-Type", channel.media_type)]
    if accept.header is not None:
        headers.append(("Accept", accept.header))
    requirement = operation.attribution["media-type"]
    named = ((operation.request_media, channel.media_type), (operation.response_media, accept.answer or ""))
    also = [by_type[media_type] for by_type, media_type in named if media_type in by_type]
    sent = _sent(operation, channel, tuple(headers))
    names = _names(operation)
    done = expect.done(operation, requirement, names)
    served = accept.header is None or accept.answer is not None or _asks_for_one(operation, accept.header)
    refusal = "framework" if operation.shape.instructs else "http-refusal"
    right = done.any_of if served else (*_allowed(done.any_of), _negotiated(refusal, names))
    expectation = Expectation(requirement, right, effect=done.effect)
    return make.case(
        operation, channel, f"negotiation/accept-{accept.name}", f"Accept: {accept.header or 'no header'}", also, sent,
        expectation, accept=accept.answer,
    )  # fmt: skip


def _allowed(right: tuple[Alternative, ...]) -> tuple[Alternative, ...]:
    return tuple(replace(one, because=(Ruling.NEGOTIATION,)) for one in right)


def _negotiated(form: str, names: tuple[str, ...]) -> Alternative:
    return Alternative({"form": form}, untouched=names, because=(Ruling.NEGOTIATION,))


def _asks_for_one(operation: Operation, header: str) -> bool:
    """Whether a plain pattern such as `text/*` takes one of the operation's media types."""
    return any(fnmatchcase(media_type, header) for media_type in operation.response_media or operation.media_types)


def _charset_cases(operation: Operation, channel: Channel) -> Iterator[Case]:
    requirement = operation.request_media[channel.media_type]
    named = [
        (f"charset-{number}", f"{channel.media_type}; charset={charset}") for number, charset in enumerate(_CHARSETS, 1)
    ]
    for name, content_type in (*named, ("content-type-capitals", channel.media_type.upper())):
        headers = (("Content-Type", content_type), ("Accept", channel.media_type))
        sent = make.message(operation, channel, message.body(operation, channel, operation.valid), headers=headers)
        done = expect.done(operation, requirement, _names(operation))
        yield make.case(
            operation, channel, f"negotiation/{name}", f"Content-Type: {content_type}", (), sent, done,
            accept=channel.media_type,
        )  # fmt: skip

    asked = (("Content-Type", channel.media_type), ("Accept", channel.media_type))
    plain = message.body(operation, channel, operation.valid)
    names = _names(operation)
    served = expect.done(operation, requirement, names)
    for name, header, refusal in (
        ("accept-charset-utf-16", ("Accept-Charset", "utf-16"), "framework"),
        ("chunked", ("Transfer-Encoding", "chunked"), "length-required"),
    ):
        sent = make.message(operation, channel, plain, headers=(*asked, header))
        right = (*_allowed(served.any_of), _negotiated(refusal, names))
        expectation = Expectation(requirement, right, effect=served.effect)
        title = f"{header[0]}: {header[1]}"
        yield make.case(
            operation, channel, f"negotiation/{name}", title, (), sent, expectation, accept=channel.media_type
        )


def _framework_cases(operation: Operation, channel: Channel) -> Iterator[Case]:
    """What the documents exclude: other content types and other methods; refused, and without effect."""
    body = message.body(operation, channel, operation.valid)
    media, method_rule = (operation.attribution.get(check) for check in ("unsupported-media", "method"))
    asked = ("Accept", channel.media_type)
    if media is not None:
        yield from _unsupported_cases(operation, channel, media)
    if method_rule is not None:
        for method in ("GET", "PUT", "DELETE", "PATCH"):
            headers = (("Content-Type", channel.media_type), asked)
            sent = Message(body if method != "GET" else Body(""), method, operation.path, headers)
            yield _framework_case(operation, channel, f"method-{method.lower()}", f"Method {method}", method_rule, sent)
        for method in ("GET", "HEAD", "OPTIONS"):
            sent = Message(body, method, operation.path, (("Content-Type", channel.media_type), asked))
            name = f"method-{method.lower()}-with-body"
            yield _framework_case(
                operation, channel, name, f"Method {method}, with a body", method_rule, sent, served=True
            )
        yield from _override_cases(operation, channel, method_rule, body)


def _unsupported_cases(operation: Operation, channel: Channel, requirement: str) -> Iterator[Case]:
    """The legal body under a media type that the document does not name, or under none."""
    asked = ("Accept", channel.media_type)
    refusals = ("framework", "refused", "http-refusal") if operation.shape.instructs else ("error", "http-refusal")
    for content_type in _UNSUPPORTED:
        if content_type.partition(";")[0] in operation.media_types:
            continue
        slug = content_type.partition(";")[0].replace("/", "-").replace("+", "-")
        sent = _sent(operation, channel, (("Content-Type", content_type), asked))
        name, title = f"content-type-{slug}", f"Content-Type: {content_type}"
        yield _framework_case(operation, channel, name, title, requirement, sent, refusals=refusals)
    sent = _sent(operation, channel, (asked,))
    yield _framework_case(
        operation, channel, "content-type-none", "no Content-Type", requirement, sent, lenient=True,
        refusals=("framework", "refused") if operation.shape.instructs else refusals,
    )  # fmt: skip


def _override_cases(operation: Operation, channel: Channel, requirement: str, body: Body) -> Iterator[Case]:
    """Headers that some frameworks take for the method: a GET stays one, and what is refused is not carried out."""
    asked = (("Content-Type", channel.media_type), ("Accept", channel.media_type))
    for header in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        sent = Message(body, "GET", operation.path, (*asked, (header, operation.method)))
        name, title = f"get-with-{header.lower()}", f"Method GET, with {header}: {operation.method}"
        yield _framework_case(operation, channel, name, title, requirement, sent, served=True)
    sent = Message(body, operation.method, operation.path, (*asked, ("X-HTTP-Method-Override", "GET")))
    name, title = "overridden-by-get", f"Method {operation.method}, with X-HTTP-Method-Override: GET"
    yield _framework_case(operation, channel, name, title, requirement, sent, lenient=True)


def _framework_case(
    operation: Operation,
    channel: Channel,
    name: str,
    title: str,
    requirement: str,
    sent: Message,
    lenient: bool = False,
    served: bool = False,
    refusals: tuple[str, ...] = ("framework", "refused"),
) -> Case:
    """`lenient`: it may be carried out; `served`: it may be answered in any way, as a method that only reads."""
    names = _names(operation)
    right = [Alternative({"form": form}, untouched=names, because=(Ruling.UNSERVED,)) for form in refusals]
    if served:
        right.append(Alternative({"form": "served"}, untouched=names, because=(Ruling.SAFE_METHOD,)))
    if lenient:
        right += _allowed(expect.done(operation, requirement, names).any_of)
    expectation = Expectation(requirement, tuple(right), effect=operation.attribution["effect"])
    also = [operation.attribution["framework-error"]] if operation.shape.instructs else []
    return make.case(operation, channel, f"negotiation/{name}", title, also, sent, expectation)


def _path_cases(operation: Operation, channel: Channel) -> Iterator[Case]:
    """The path is fixed; its letter case and a slash at the end are the framework's affair."""
    body = message.body(operation, channel, operation.valid)
    headers = (("Content-Type", channel.media_type), ("Accept", channel.media_type))
    requirement = operation.attribution["route"]
    names = _names(operation)
    done = expect.done(operation, requirement, names)
    missing = Alternative({"form": "framework"}, untouched=names, because=(Ruling.PATH_AND_QUERY,))
    for name, path, breaks in (
        ("upper-case", operation.path.upper(), requirement),
        ("trailing-slash", operation.path + "/", requirement),
        ("query", operation.path + "?dryRun=true", operation.attribution.get("parameters")),
    ):
        if breaks is None:
            continue
        sent = Message(body, operation.method, path, headers)
        effect = done.effect if breaks == requirement else breaks
        right = (*(replace(one, because=missing.because) for one in done.any_of), missing)
        expectation = Expectation(breaks, right, effect=effect, outside=operation.attribution["effect"])
        yield make.case(operation, channel, f"negotiation/path-{name}", f"Path: {name}", (), sent, expectation)
    if "parameters" in operation.attribution:
        yield from _id_query_cases(operation, channel, headers)
    sent = Message(body, operation.method, operation.path + "/all", headers)
    refusals = (missing, Alternative({"form": "refused"}, untouched=names, because=(Ruling.UNSERVED,)))
    nothing = Expectation(requirement, refusals, effect=operation.attribution["effect"])
    yield make.case(operation, channel, "negotiation/path-unknown", "A path that is not the call's", (), sent, nothing)


def _id_query_cases(operation: Operation, channel: Channel, headers: tuple[tuple[str, str], ...]) -> Iterator[Case]:
    """Ids of other things in the query, beside a request and beside an empty one: only what the body names is meant."""
    kind, requirement = first_kind(operation), operation.attribution["parameters"]
    member = naming_member(kind, operation)
    path = f"{operation.path}?{member}={kind.named(OTHER)[member]}"
    states = {kind.thing: kind.need, **other_state(operation)}
    both = (kind.thing, OTHER)
    because = (Ruling.PATH_AND_QUERY,)
    refusals = tuple(Alternative({"form": form}, untouched=both, because=because) for form in ("framework", "refused"))
    done = Alternative({"results": [True]}, (kind.thing,), (OTHER,), because=because)
    listed = operation.shape.listed
    nothing = Alternative({"results": [] if listed else [False]}, untouched=both, because=because)
    for name, title, value, right in (
        ("query-id", "the id of another thing in the query", operation.valid, (done, refusals[0])),
        (
            "query-id-alone",
            f"an empty {'list' if listed else 'object'}, and an id in the query",
            [] if listed else {},
            (nothing, *refusals),
        ),
    ):
        sent = Message(message.body(operation, channel, value), operation.method, path, headers)
        expectation = Expectation(requirement, right, effect=requirement, outside=requirement)
        yield make.case(
            operation, channel, f"negotiation/path-{name}", f"Path: {title}", (), sent, expectation, states=states
        )


def _names(operation: Operation) -> tuple[str, ...]:
    """What the legal request acts on."""
    return operation.acted_on
