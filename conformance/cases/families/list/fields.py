"""Every member of an instruction: of wrong type, at its edges, in odd forms; in JSON and in XML."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.cases import expect, make, message
from conformance.cases.expect import Ruling
from conformance.cases.kinds import (
    OTHER,
    InstructionKind,
    first_kind,
    identifies,
    kind_for,
    members_of_type,
    naming_member,
    other_state,
    undocumented,
    unknown_place,
)
from conformance.cases.make import Channel, channels
from conformance.formats.base import Format
from conformance.formats.errors import Raw
from conformance.formats.xml.format import XML
from conformance.model.case import Body, Case, Expectation
from conformance.model.spec import Operation

INT32_MAX, INT64_MAX = 2**31 - 1, 2**63 - 1


@dataclass(frozen=True, slots=True)
class Odd:
    """One odd value; `json` or `xml` is None without such a form.

    `kind` is "legal", "lenient", "free" (of the member's type, and it names nothing), "unknown" or "broken".

    Formats other than XML write the value that JSON has, where they have words for it.
    """

    name: str
    kind: str
    title: str
    json: Any = None
    xml: str | None = None

    def content(self, written_in: Format) -> Any:
        """What stands in the member in this format; NOTHING where it has no such form."""
        if written_in is XML:
            return NOTHING if self.xml is None else written_in.raw(self.xml)
        return NOTHING if self.json is None and self.name != _NULL else self.json


NOTHING = object()
_WIDE = ("over-int32", "wrapped-int32", "int64-max", "over-int64", "wrapped-int64", "thirty-digits")
"""What a reader of 32 bits cannot use, and may drop."""
_NULL = "null"


def _integers(here: str, *, identifies: bool) -> tuple[Odd, ...]:
    """Odd values for an integer; where it `identifies`, another number means another thing."""
    other = "unknown" if identifies else "free"
    return (
        Odd("word", "broken", "a word", "abc", "abc"),
        Odd("markup", "broken", "markup", None, "&lt;b&gt;&amp;amp;&lt;/b&gt;"),
        Odd("empty", "broken", "empty", "", ""),
        Odd("object", "broken", "an object", {}, "<a/>"),
        Odd("array", "broken", "an array", [], "<a/><a/>"),
        Odd("true", "broken", "true", True, "true"),
        Odd("fraction", "broken", "with a fraction", Raw(here + ".5"), here + ".5"),
        Odd("hexadecimal", "broken", "hexadecimal", "0xFFFFFFF", "0xFFFFFFF"),
        Odd("as-text", "lenient", "as text", {"text": here}, None),
        Odd("with-decimals", "lenient", "written with decimals", Raw(here + ".0"), here + ".0"),
        Odd("exponent", "lenient", "written with an exponent", Raw(here + "e0"), here + "e0"),
        Odd("padded", "legal", "between white space", None, f" \n{here}\t "),
        Odd("plus-sign", "legal", "with a plus sign", None, "+" + here),
        Odd("leading-zeros", "legal", "with leading zeros", None, "000" + here),
        Odd("zero", other, "0", 0, "0"),
        Odd("minus-one", other, "-1", -1, "-1"),
        *_signed(here, other),
        Odd("int32-max", other, "the largest 32-bit integer", INT32_MAX, str(INT32_MAX)),
        Odd("int32-min", other, "the smallest 32-bit integer", -INT32_MAX - 1, str(-INT32_MAX - 1)),
        Odd("over-int32", other, "one more than 32 bits hold", INT32_MAX + 1, str(INT32_MAX + 1)),
        Odd("wrapped-int32", other, "the right number plus 2 to the power of 32", Raw(_plus(here, 2**32)), _plus(here, 2**32)),
        Odd("int64-max", other, "the largest 64-bit integer", INT64_MAX, str(INT64_MAX)),
        Odd("over-int64", other, "one more than 64 bits hold", INT64_MAX + 1, str(INT64_MAX + 1)),
        Odd("wrapped-int64", other, "the right number plus 2 to the power of 64", Raw(_plus(here, 2**64)), _plus(here, 2**64)),
        Odd("thirty-digits", other, "of thirty digits", Raw("9" * 30), "9" * 30),
    )  # fmt: skip


def _signed(here: str, other: str) -> tuple[Odd, ...]:
    """The right number with a sign before it, which makes another number of it."""
    return (
        Odd("negated", other, "the right number with a minus sign", Raw("-" + here), "-" + here),
        Odd("negated-as-text", other, "the right number with a minus sign, as text", {"text": "-" + here}, None),
    )


def _plus(place: str, offset: int) -> str:
    return f"{place[:-1]}+{offset}}}"


_BOOLEANS = (
    Odd("word", "lenient", "a word", "abc", "abc"),
    Odd("empty", "lenient", "empty", "", ""),
    Odd("object", "lenient", "an object", {}, "<a/>"),
    Odd("array", "lenient", "an array", [], None),
    Odd("two", "lenient", "2", 2, "2"),
    Odd(_NULL, "lenient", "null", None, None),
    Odd("capital", "lenient", "False in capitals, as text", "False", "False"),
    Odd("as-text", "lenient", "false as text", "false", None),
    Odd("zero", "lenient", "0", 0, None),
    Odd("digit", "legal", "0, which XML Schema allows", None, "0"),
    Odd("padded", "legal", "between white space", None, " false\n"),
)


def _guids(here: str, unknown: str) -> tuple[Odd, ...]:
    return (
        Odd("word", "broken", "a word", "abc", "abc"),
        Odd("empty", "broken", "empty", "", ""),
        Odd("object", "broken", "an object", {}, "<a/>"),
        Odd("number", "broken", "a number", 12345, "12345"),
        Odd("too-short", "broken", "a digit short", "6269c403-5b9f-47dd-b8c3-7ecbef8f686", "6269c403-5b9f-47dd-b8c3-7ecbef8f686"),
        Odd("too-long", "broken", "a digit too long", "6269c403-5b9f-47dd-b8c3-7ecbef8f686d0", "6269c403-5b9f-47dd-b8c3-7ecbef8f686d0"),
        Odd("not-hex", "broken", "with a letter that is no digit", "6269c403-5b9f-47dd-b8c3-7ecbef8f686g", "6269c403-5b9f-47dd-b8c3-7ecbef8f686g"),
        Odd("zero", "unknown", "all zeros", "00000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-000000000000"),
        Odd("unknown", "unknown", "of no order", unknown, unknown),
        Odd("capitals", "legal", "in capitals", here[:-1] + "^}", here[:-1] + "^}"),
        Odd("braced", "lenient", "in braces", "{" + here + "}", "{" + here + "}"),
        Odd("parenthesised", "lenient", "in parentheses", f"({here})", f"({here})"),
        Odd("padded", "lenient", "between spaces", f" {here} ", f" {here} "),
        Odd("urn", "lenient", "as a URN", "urn:uuid:" + here, "urn:uuid:" + here),
    )  # fmt: skip


_TEXTS = (
    Odd("number", "lenient", "a number", 1234, None),
    Odd("object", "lenient", "an object", {}, None),
    Odd("long", "lenient", "of 10,000 characters", "1" * 10_000, "1" * 10_000),
    Odd("letters", "lenient", "letters", "abcd", "abcd"),
    Odd("beyond-ascii", "lenient", "characters beyond ASCII", "пин-код", "пин-код"),
    Odd("beyond-bmp", "lenient", "a character beyond 16 bits", "\U0001f511", "\U0001f511"),
    Odd("quotes", "lenient", "quotes and a backslash", 'a"b\\c', 'a"b\\c'),
    Odd("markup", "lenient", "markup", "<b>&amp;</b>", "&lt;b&gt;&amp;amp;&lt;/b&gt;"),
    Odd("injection", "lenient", "a fragment of SQL", "' OR 1=1 --", "' OR 1=1 --"),
    Odd("white-space", "lenient", "white space", " \t ", " \t "),
    Odd("escaped-control", "lenient", "a control character", "\u0001", None),
)


def _names(here: str, unknown: str) -> tuple[Odd, ...]:
    """Odd values for a text that says which thing is meant."""
    return (
        Odd("empty", "broken", "empty", "", ""),
        Odd("object", "broken", "an object", {}, "<a/>"),
        Odd("array", "broken", "an array", [], "<a/><a/>"),
        Odd("unknown", "unknown", "of nothing", unknown, unknown),
        Odd("longer", "unknown", "with a character behind it", here + "x", here + "x"),
        Odd("long", "unknown", "of 10,000 characters", "1" * 10_000, "1" * 10_000),
        Odd("markup", "unknown", "markup", "<b>&amp;</b>", "&lt;b&gt;&amp;amp;&lt;/b&gt;"),
        Odd("injection", "unknown", "a fragment of SQL", "' OR 1=1 --", "' OR 1=1 --"),
        Odd("padded", "lenient", "between white space", f" {here} ", f" {here} "),
        Odd("number", "lenient", "a number", 1234, None),
    )


def instruction_field_cases(operation: Operation) -> Iterator[Case]:
    """Each odd value in the instruction that it matters for, beside a bystander that nobody names."""
    for channel in channels(operation):
        for member, odds in _plan(operation):
            kind = kind_for(operation, member)
            for odd in odds:
                yield from _cases(operation, channel, member, kind, odd)
        yield from _repeated_members(operation, channel)


def _plan(operation: Operation) -> Iterator[tuple[str, Sequence[Odd]]]:
    for member, field in operation.fields.items():
        kind = field.type
        if kind == "integer":
            yield member, _integers(f"${{{field.binding}}}", identifies=identifies(operation, member))
        elif kind == "boolean":
            yield member, _BOOLEANS
        elif kind == "guid":
            yield member, _guids(f"${{{field.binding}}}", unknown_place(field))
        elif identifies(operation, member):
            yield member, _names(f"${{{field.binding}}}", unknown_place(field))
        else:
            yield member, _TEXTS


def _cases(operation: Operation, channel: Channel, member: str, kind: InstructionKind, odd: Odd) -> Iterator[Case]:
    content = odd.content(channel.format)
    if content is NOTHING:
        return
    body = message.writable(operation, channel, operation.shape.request([{**kind.item, member: content}]))
    if body is not None:
        yield _case(operation, channel, member, kind, odd, body)


def _case(operation: Operation, channel: Channel, member: str, kind: InstructionKind, odd: Odd, body: Body) -> Case:
    field = operation.fields[member]
    width = [field.width] if field.width and "int" in odd.name else []
    sent = make.message(operation, channel, body)
    right = _expectation(operation, field.requirement.type, odd, kind.thing)
    return make.case(
        operation,
        channel,
        f"fields/{member.lower()}-{odd.name}",
        f"{member}: {odd.title}",
        width,
        sent,
        expect.or_too_long(right, body, (kind.thing, OTHER)),
        states={kind.thing: kind.need, **other_state(operation)},
        accept=channel.media_type,
    )


def _expectation(operation: Operation, requirement: str, odd: Odd, thing: str) -> Expectation:
    if odd.kind == "legal":
        return expect.done(operation, requirement, (thing,))
    if odd.kind == "unknown" and "int" in odd.name:  # a reader of 32 bits cannot use such a number, and may drop it
        return expect.unusable_instruction(operation, requirement, (thing, OTHER), sure=False)
    if odd.kind == "unknown":
        return expect.failed_or_refused(operation, requirement, (thing, OTHER))
    if odd.kind == "broken":  # some readers take an empty text for a null
        return expect.unusable_instruction(operation, requirement, (thing, OTHER), sure=odd.name != "empty")
    because = (Ruling.ADMITTED_VALUE,)
    if odd.kind == "free" and odd.name not in _WIDE:
        failures = ({"results": [False]}, {"form": "refused"})
        return expect.nothing_else(operation, requirement, (thing,), (OTHER,), because, failures)
    return expect.nothing_else(operation, requirement, (thing,), (OTHER,), because)


def _repeated_members(operation: Operation, channel: Channel) -> Iterator[Case]:
    """A member that stands twice, and one that the document does not name."""
    kind = first_kind(operation)
    member = naming_member(kind, operation)
    right, unknown = kind.item[member], unknown_place(operation.fields[member])
    for name, title, first, last in (
        ("twice-same", "twice with the same value", right, right),
        ("twice-unknown-first", "twice, an unknown one first", unknown, right),
        ("twice-unknown-last", "twice, an unknown one last", right, unknown),
    ):
        value = channel.format.twice(kind.item, member, first, last)
        yield _odd_item(operation, channel, kind, f"{member.lower()}-{name}", f"{member} {title}", value)
    beside = next(members_of_type(operation, "string"), member)
    spare = channel.format.beside(kind.item, beside, undocumented(operation, "Reason"))
    yield _odd_item(operation, channel, kind, "unknown-member", "a member that the document does not name", spare)


def _odd_item(operation: Operation, channel: Channel, kind: InstructionKind, name: str, title: str, item: Any) -> Case:
    requirement = operation.attribution["malformed"]
    sent = make.message(operation, channel, message.body(operation, channel, operation.shape.request([item])))
    return make.case(
        operation,
        channel,
        f"fields/{name}",
        title,
        (),
        sent,
        expect.nothing_else(operation, requirement, (kind.thing,), (OTHER,), (Ruling.REPEATED_MEMBER,)),
        states={kind.thing: kind.need, **other_state(operation)},
        accept=channel.media_type,
    )
