"""Every member of an instruction: of wrong type, at its edges, in odd forms; in JSON and in XML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.cases import expect, make, render
from conformance.cases.make import Channel, channels
from conformance.codec.values import Pairs, Raw
from conformance.codec.xml_codec import RawXml
from conformance.model.case import Case, Expectation, StateNeed
from conformance.model.spec import Operation

INT32_MAX, INT64_MAX = 2**31 - 1, 2**63 - 1
_STATES = {"order": StateNeed("open-order"), "other": StateNeed("open-order")}
_ABROAD = {"order": StateNeed("open-international-order"), "other": StateNeed("open-order")}


@dataclass(frozen=True, slots=True)
class Odd:
    """One odd value: `kind` is "legal", "lenient", "unknown" or "broken"; `json` or `xml` None where it has no such form."""

    name: str
    kind: str
    title: str
    json: Any = None
    xml: str | None = None


def _integers(here: str, *, identifies: bool) -> tuple[Odd, ...]:
    """Odd values for an integer; where it `identifies`, another number means another thing."""
    other = "unknown" if identifies else "lenient"
    return (
        Odd("word", "broken", "a word", "abc", "abc"),
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
        Odd("int32-max", other, "the largest 32-bit integer", INT32_MAX, str(INT32_MAX)),
        Odd("int32-min", other, "the smallest 32-bit integer", -INT32_MAX - 1, str(-INT32_MAX - 1)),
        Odd("over-int32", other, "one more than 32 bits hold", INT32_MAX + 1, str(INT32_MAX + 1)),
        Odd("wrapped-int32", other, "the right number plus 2 to the power of 32", Raw(_plus(here, 2**32)), _plus(here, 2**32)),
        Odd("int64-max", other, "the largest 64-bit integer", INT64_MAX, str(INT64_MAX)),
        Odd("over-int64", other, "one more than 64 bits hold", INT64_MAX + 1, str(INT64_MAX + 1)),
        Odd("wrapped-int64", other, "the right number plus 2 to the power of 64", Raw(_plus(here, 2**64)), _plus(here, 2**64)),
        Odd("thirty-digits", other, "of thirty digits", Raw("9" * 30), "9" * 30),
    )  # fmt: skip


def _plus(place: str, offset: int) -> str:
    return f"{place[:-1]}+{offset}}}"


_BOOLEANS = (
    Odd("word", "lenient", "a word", "abc", "abc"),
    Odd("empty", "lenient", "empty", "", ""),
    Odd("object", "lenient", "an object", {}, "<a/>"),
    Odd("array", "lenient", "an array", [], None),
    Odd("two", "lenient", "2", 2, "2"),
    Odd("null", "lenient", "null", None, None),
    Odd("capital", "lenient", "False in capitals, as text", "False", "False"),
    Odd("as-text", "lenient", "false as text", "false", None),
    Odd("zero", "lenient", "0", 0, None),
    Odd("digit", "legal", "0, which XML Schema allows", None, "0"),
    Odd("padded", "legal", "between white space", None, " false\n"),
)


def _guids(here: str) -> tuple[Odd, ...]:
    return (
        Odd("word", "broken", "a word", "abc", "abc"),
        Odd("empty", "broken", "empty", "", ""),
        Odd("object", "broken", "an object", {}, "<a/>"),
        Odd("number", "broken", "a number", 12345, "12345"),
        Odd("too-short", "broken", "a digit short", "6269c403-5b9f-47dd-b8c3-7ecbef8f686", "6269c403-5b9f-47dd-b8c3-7ecbef8f686"),
        Odd("too-long", "broken", "a digit too long", "6269c403-5b9f-47dd-b8c3-7ecbef8f686d0", "6269c403-5b9f-47dd-b8c3-7ecbef8f686d0"),
        Odd("not-hex", "broken", "with a letter that is no digit", "6269c403-5b9f-47dd-b8c3-7ecbef8f686g", "6269c403-5b9f-47dd-b8c3-7ecbef8f686g"),
        Odd("zero", "unknown", "all zeros", "00000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-000000000000"),
        Odd("unknown", "unknown", "of no order", "${unknown_uid}", "${unknown_uid}"),
        Odd("capitals", "legal", "in capitals", here[:-1] + "^}", here[:-1] + "^}"),
        Odd("braced", "lenient", "in braces", "{" + here + "}", "{" + here + "}"),
        Odd("parenthesised", "lenient", "in parentheses", f"({here})", f"({here})"),
        Odd("padded", "lenient", "between spaces", f" {here} ", f" {here} "),
        Odd("urn", "lenient", "as a URN", "urn:uuid:" + here, "urn:uuid:" + here),
    )  # fmt: skip


_PINS = (
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


def instruction_field_cases(operation: Operation) -> Iterator[Case]:
    """Each odd value in the instruction that it matters for, beside a bystander order that nobody names."""
    for channel in channels(operation):
        for member, abroad, odds in _plan(operation):
            for odd in odds:
                yield from _cases(operation, channel, member, abroad, odd)
        yield from _repeated_members(operation, channel)


def _plan(operation: Operation) -> Iterator[tuple[str, bool, Sequence[Odd]]]:
    for member, field in operation.raw["fields"].items():
        kind = field["type"]
        if kind == "integer":
            identifies = not str(field["binding"]).startswith("creator")
            yield member, not identifies, _integers(f"${{{field['binding']}}}", identifies=identifies)
        elif kind == "boolean":
            yield member, False, _BOOLEANS
        elif kind == "guid":
            yield member, True, _guids(f"${{{field['binding']}}}")
        else:
            yield member, False, _PINS


def _cases(operation: Operation, channel: Channel, member: str, abroad: bool, odd: Odd) -> Iterator[Case]:
    content = odd.xml if channel.form == "xml" else odd.json
    if content is None and not (channel.form == "json" and odd.name == "null"):
        return
    item: dict[str, Any] = dict(operation.raw["international" if abroad else "base"][0])
    if channel.form == "xml":
        assert content is not None
        item[member] = RawXml(content)
    else:
        item[member] = content
    yield _case(operation, channel, f"{member.lower()}-{odd.name}", f"{member}: {odd.title}", member, abroad, [item], odd.kind)


def _case(
    operation: Operation, channel: Channel, name: str, title: str, member: str, abroad: bool, value: Any, kind: str
) -> Case:
    field = operation.raw["fields"][member]
    requirement = field["requirement"]["type"]
    width = [field["width"]] if "width" in field and "int" in name else []
    sent = make.message(operation, channel, render.body(operation, channel, value))
    return make.case(
        operation,
        channel,
        f"fields/{name}",
        title,
        width,
        sent,
        _expectation(operation, requirement, kind),
        states=_ABROAD if abroad else _STATES,
        accept=channel.media_type,
    )


def _expectation(operation: Operation, requirement: str, kind: str) -> Expectation:
    if kind == "legal":
        return expect.done(operation, requirement, ("order",))
    if kind == "unknown":
        return expect.broken_instruction(operation, requirement, ("order", "other"))
    if kind == "broken":
        return expect.unusable_instruction(operation, requirement, ("order", "other"))
    return expect.nothing_else(operation, requirement, ("order",), ("other",))


def _repeated_members(operation: Operation, channel: Channel) -> Iterator[Case]:
    """A member that stands twice, and one that the document does not name."""
    base = operation.raw["base"][0]
    requirement = operation.attribution["malformed"]
    for name, title, first, last in (
        ("orderid-twice-same", "OrderID twice with the same value", "${order.OrderID}", "${order.OrderID}"),
        ("orderid-twice-unknown-first", "OrderID twice, an unknown one first", "${unknown_order}", "${order.OrderID}"),
        ("orderid-twice-unknown-last", "OrderID twice, an unknown one last", "${order.OrderID}", "${unknown_order}"),
    ):
        yield _odd_list(operation, channel, name, title, requirement, _doubled(channel, base, first, last))
    spare = {**base, "Reason": "test"}
    yield _odd_list(operation, channel, "unknown-member", "a member that the document does not name", requirement, _with_spare(channel, base, spare))


def _doubled(channel: Channel, base: Mapping[str, Any], first: str, last: str) -> list[Any]:
    if channel.form == "json":
        members = tuple((key, value) for key, value in base.items() if key != "OrderID")
        return [Pairs((("OrderID", first), *members, ("OrderID", last)))]
    return [{**base, "OrderID": RawXml(f"{first}</OrderID><OrderID>{last}")}]


def _with_spare(channel: Channel, base: Mapping[str, Any], spare: Mapping[str, Any]) -> list[Any]:
    if channel.form == "json":
        return [dict(spare)]
    return [{**base, "PIN": RawXml("${pin}</PIN><Reason>test</Reason><PIN>${pin}")}]


def _odd_list(operation: Operation, channel: Channel, name: str, title: str, requirement: str, value: Any) -> Case:
    sent = make.message(operation, channel, render.body(operation, channel, value))
    expectation = expect.nothing_else(operation, requirement, ("order",), ("other",))
    return make.case(operation, channel, f"fields/{name}", title, (), sent, expectation, states=_STATES, accept=channel.media_type)
