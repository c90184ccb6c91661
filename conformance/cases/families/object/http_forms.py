"""The HTTP form of a call whose request is an object: content types, headers, methods, the path."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from conformance.cases import expect, make, message
from conformance.cases.make import Channel, channels
from conformance.model.case import Alternative, Case, Expectation, Message
from conformance.model.spec import Operation

TYPED = ("Content-Type", "{}")
"""`{}` stands for the media type of the channel."""


@dataclass(frozen=True, slots=True)
class Form:
    """One HTTP form; `legal` means that it must be carried out, else it may be, or be refused in any way.

    A `safe` method (RFC 9110, 9.2.1) changes nothing, whatever it is answered.
    """

    name: str
    title: str
    headers: tuple[tuple[str, str], ...] = (TYPED,)
    legal: bool = False
    method: str = "POST"
    query: str = ""
    safe: bool = False


FORMS = (
    Form("charset", "the content type with its charset", (("Content-Type", "{}; charset=utf-8"),), True),
    Form("charset-quoted", "the charset in quotes and capitals", (("Content-Type", '{}; charset="UTF-8"'),), True),
    Form("lower-case-headers", "header names in lower case", (("content-type", "{}"), ("accept", "{}")), True),
    Form("upper-case-headers", "header names in upper case", (("CONTENT-TYPE", "{}"), ("ACCEPT", "{}")), True),
    Form("accept-anything", "any answer is taken", (TYPED, ("Accept", "*/*")), True),
    Form("no-accept", "no Accept header", (TYPED,), True),
    Form("accept-language", "headers that have nothing to do with it", (TYPED, ("Accept-Language", "de"), ("X-Trace", "1")), True),
    Form("chunked", "the body in chunks", (TYPED, ("Transfer-Encoding", "chunked")), True),
    Form("no-content-type", "no content type", ()),
    Form("text-plain", "the content type of plain text", (("Content-Type", "text/plain"),)),
    Form("content-type-xml", "the content type of XML", (("Content-Type", "application/xml"),)),
    Form("content-type-garbage", "a content type that is none", (("Content-Type", "garbage"),)),
    Form("accept-xml", "only XML is taken as answer", (TYPED, ("Accept", "application/xml"))),
    Form("query", "a query string that the call does not have", query="?x=1"),
    Form("get", "the method GET", method="GET", safe=True),
    Form("head", "the method HEAD", method="HEAD", safe=True),
    Form("options", "the method OPTIONS", method="OPTIONS", safe=True),
    Form("put", "the method PUT", method="PUT"),
    Form("patch", "the method PATCH", method="PATCH"),
    Form("delete", "the method DELETE", method="DELETE"),
)  # fmt: skip


def http_form_cases(operation: Operation) -> Iterator[Case]:
    """Each form with the operation's legal request as body."""
    for channel in channels(operation):
        if not channel.transport.framed:
            for form in FORMS:
                yield _case(operation, channel, form)


def _case(operation: Operation, channel: Channel, form: Form) -> Case:
    names = operation.acted_on
    requirement = operation.attribution["media-type" if form.method == "POST" else "route"]
    body = message.body(operation, channel, operation.valid)
    headers = tuple((name, text.replace("{}", channel.media_type)) for name, text in form.headers)
    sent = Message(body, form.method, operation.path + form.query, headers)
    expectation = _expectation(operation, form, requirement, names)
    return make.case(operation, channel, f"http/{form.name}", f"HTTP: {form.title}", (), sent, expectation)


def _expectation(operation: Operation, form: Form, requirement: str, names: tuple[str, ...]) -> Expectation:
    if form.legal:
        return expect.done(operation, requirement, names)
    any_refusal = Alternative({"form": "http-refusal"}, untouched=names)
    if form.safe:
        right = (any_refusal, Alternative({"form": "served"}, untouched=names))
        return Expectation(requirement, right, effect=operation.attribution["effect"])
    either = expect.either(operation, requirement, names, (20, 100, 104, 106))
    return Expectation(requirement, (*either.any_of, any_refusal), effect=either.effect)
