"""Bodies that are no JSON object, or only to a lenient reader: refused with the documented error, never a crash."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from conformance.cases import expect, make, message
from conformance.cases.expect import Ruling
from conformance.cases.make import Channel, channels
from conformance.cases.paths import beside_path
from conformance.formats.base import Writing
from conformance.formats.json.format import JSON, json_text
from conformance.model.case import Alternative, Body, Case, Expectation
from conformance.model.spec import Operation, Shape

_UNPARSABLE = ("silence", "error-frame", "standard-100")


@dataclass(frozen=True, slots=True)
class Broken:
    """One named way to break a JSON text; `lenient` where some readers still see the right request in it."""

    name: str
    title: str
    text: str
    lenient: bool = False
    encoding: str = "utf-8"
    http_only: bool = False


def _as_form(good: str) -> str:
    """The members of a compact JSON object as a form; those of its first object for a list of one."""
    good = good.strip("[]")
    return good[1:-1].replace('":', "=").replace('"', "").replace(",", "&")


def broken_texts(good: str) -> tuple[Broken, ...]:
    """Every kind, made from a good compact JSON text (an object or a list)."""
    opening, closing = good[0], good[-1]
    inner = good[1:-1]
    return (
        Broken("empty", "nothing at all", ""),
        Broken("blank", "white space alone", " \n\t "),
        Broken("null", "null", "null"),
        Broken("number", "a number", "42"),
        Broken("word", "a string", '"cancel"'),
        Broken("true", "true", "true"),
        Broken("bare-word", "a word that is no JSON", "cancel everything"),
        Broken("html", "an HTML page", "<html><body>hello</body></html>"),
        Broken("form", "a URL-encoded form", _as_form(good)),
        Broken("cut-off", "cut off before its end", good[:-1]),
        Broken("cut-in-member", "cut off in the middle", good[: len(good) // 2].rpartition(",")[0] or opening),
        Broken("not-opened", "without its first character", good[1:]),
        Broken("wrong-bracket", "closed by the wrong bracket", opening + inner + ("]" if closing == "}" else "}")),
        Broken("missing-comma", "without commas", good.replace(",", " ")),
        Broken("missing-colon", "without colons", good.replace(":", " ")),
        Broken("deep", "nested two thousand levels deep", "[" * 2000 + "]" * 2000),
        Broken("deep-objects", "objects nested two thousand levels deep", '{"a":' * 2000 + "1" + "}" * 2000),
        Broken("nan", "a member that is NaN", _with_member(good, '"Note":NaN'), lenient=True),
        Broken("infinity", "a member that is Infinity", _with_member(good, '"Note":Infinity'), lenient=True),
        Broken("trailing-comma", "a comma behind the last member", opening + inner + "," + closing, lenient=True),
        Broken("comment", "with a comment", "/* now */" + good, lenient=True),
        Broken("line-comment", "with a line comment behind it", good + "\n// now", lenient=True),
        Broken("single-quotes", "with single quotes", good.replace('"', "'"), lenient=True),
        Broken("unquoted-keys", "with keys that have no quotes", good.replace('"', ""), lenient=True),
        Broken("trailing-junk", "followed by a word", good + " junk", lenient=True),
        Broken("twice", "the same text twice", good + good, lenient=True),
        Broken("raw-newline", "with a raw line break in a string", _with_member(good, '"Note":"a\nb"'), lenient=True),
        Broken("bad-escape", "with an escape that JSON does not have", _with_member(good, '"Note":"\\x41"'), lenient=True),
        Broken("lone-surrogate", "with half a surrogate pair", _with_member(good, '"Note":"\\ud800"'), lenient=True),
        Broken("nul-escape", "with an escaped NUL character", _with_member(good, '"Note":"\\u0000"'), lenient=True),
        Broken("nul-byte", "with a raw NUL character in a string", _with_member(good, '"Note":"a\x00b"'), lenient=True),
        Broken("long-member", "with a member of 100,000 characters", _with_member(good, f'"Note":"{"x" * 100_000}"'), lenient=True),
        Broken("bom", "behind a byte order mark", "\ufeff" + good, lenient=True),
        Broken("white-space", "with white space wherever JSON allows it", good.replace(",", " ,\r\n\t").replace(":", " : "), lenient=True),
        Broken("bad-utf8", "with a byte that UTF-8 does not have", _with_member(good, '"Note":"\xff\xfe"'), True, "latin-1", True),
        Broken("overlong-utf8", "with an overlong UTF-8 form", _with_member(good, '"Note":"\xc0\xaf"'), True, "latin-1", True),
        Broken("utf-16", "in UTF-16 with its charset named", good, True, "utf-16", True),
        Broken("utf-16-unnamed", "in UTF-16 little endian without saying so", good, True, "utf-16-le", True),
    )  # fmt: skip


def malformed_object_cases(operation: Operation) -> Iterator[Case]:
    """Each broken text as the body of a call whose request is an object, or a list of records that a schema describes."""
    for channel in channels(operation):
        value = operation.valid if channel.transport.framed else beside_path(operation, operation.valid)
        if channel.format is JSON:
            good = json_text(value)
            alone = () if isinstance(operation.valid, list) else _of_object(good)
            for kind in (*_where_members_must_come(operation, broken_texts(good)), *alone):
                if kind.text == good and kind.encoding == "utf-8":
                    continue  # a request of one member has no comma to leave out
                if not (channel.transport.framed and kind.http_only):
                    yield _case(operation, channel, kind, Body(kind.text, kind.encoding))
        else:
            yield from _of_wire_forms(operation, channel, value)


def _where_members_must_come(operation: Operation, kinds: Iterable[Broken]) -> Iterator[Broken]:
    """The kinds, and an object without members, which is right where none must come; there no body may be taken for it."""
    must = operation.shape is Shape.DATA or make.required_member(operation) is not None
    for kind in kinds:
        yield kind if must or kind.name not in _NO_MEMBERS else replace(kind, lenient=True)
    if must:
        yield Broken("empty-object", "an object without members", "{}")


_NO_MEMBERS = ("empty", "blank", "null")


def _of_object(good: str) -> tuple[Broken, ...]:
    return (
        Broken("empty-list", "an empty list", "[]"),
        Broken("in-list", "the request inside a list", f"[{good}]"),
        Broken("as-text", "the request as a JSON string", '"' + good.replace('"', '\\"') + '"', lenient=True),
    )


def _of_wire_forms(operation: Operation, channel: Channel, value: Any) -> Iterator[Case]:
    """The forms in which the format itself writes the legal request and every reader need not take it."""
    writing = Writing(value, message.codec_of(operation, channel.format))
    for form in channel.format.forms:
        body = form.write(writing) if form.standing != "legal" else None
        if body is not None:
            kind = Broken(form.name, form.title, "", lenient=form.standing == "lenient" or not form.sure)
            yield _case(operation, channel, kind, body, form.charset)


def _case(operation: Operation, channel: Channel, kind: Broken, body: Body, charset: str = "") -> Case:
    names = operation.acted_on
    requirement = operation.attribution["malformed"]
    expectation = (
        expect.either(operation, requirement, names, (100,), (Ruling.LENIENT_READER,))
        if kind.lenient
        else expect.refused(operation, requirement, names, (100,))
    )
    if channel.transport.may_be_silent:
        expectation = or_unanswered(expectation, names)
    if not channel.transport.framed:
        expectation = expect.or_too_long(expectation, body, names)
    sent = make.message(operation, channel, body, headers=make.headers_of(channel, charset) if charset else None)
    also = (operation.attribution["bad-input"],)
    name, title = f"malformed/{kind.name}", f"Body: {kind.title}"
    return make.case(operation, channel, name, title, also, sent, expectation)


def or_unanswered(expectation: Expectation, names: tuple[str, ...], *, unparsable: bool = False) -> Expectation:
    """Live gateways stay silent, or send an error frame, on text that they cannot read.

    Only where the whole frame is no JSON (`unparsable`) does the answer show the reading of that name.
    """
    silence, error_frame, standard = ((f"unparsable-frame={name}",) if unparsable else () for name in _UNPARSABLE)
    answered = tuple(replace(one, readings=(*one.readings, *standard)) for one in expectation.any_of)
    because = () if unparsable else (Ruling.UNANSWERED_FRAME,)
    return Expectation(
        expectation.requirement,
        (
            *answered,
            Alternative({"form": "silence"}, untouched=names, readings=silence, because=because),
            Alternative({"form": "error-frame"}, untouched=names, readings=error_frame, because=because),
        ),
        effect=expectation.effect,
        outside=expectation.outside,
    )


def _with_member(good: str, member: str) -> str:
    """The text with one more member in its (first) object."""
    place = good.index("{") + 1
    return f"{good[:place]}{member},{good[place:]}"
