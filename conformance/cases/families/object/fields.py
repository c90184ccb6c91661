"""Every member of a request object: missing, null, of wrong type, at its edges, unknown, twice, in other case."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from conformance.cases import expect, make, message
from conformance.cases.expect import Ruling
from conformance.cases.make import Channel, channels
from conformance.cases.message import is_text
from conformance.formats.errors import Pairs, Raw
from conformance.model.case import Alternative, Body, Case, Expectation
from conformance.model.spec import Field, Operation

INT32_MAX, INT64_MAX = 2**31 - 1, 2**63 - 1
ABSENT = object()


@dataclass(frozen=True, slots=True)
class Variant:
    """One odd value for a member, and what it amounts to.

    `kind`: "absent" (left out, or as good as), "unusable" (names nothing), "unknown" (names something that does not
    exist), "zero" (a default in many stacks), "lenient" (names the right thing in an unusual form), "no-json" (the same
    in a form that JSON forbids).
    """

    name: str
    kind: str
    title: str
    value: Any


def variants(binding: str) -> tuple[Variant, ...]:
    """The odd values for a member whose right value has this binding: an integer, or a text where its name says so."""
    here = f"${{{binding}}}"
    if is_text(binding):
        return _OF_TEXTS
    return (
        Variant("absent", "absent", "left out", ABSENT),
        Variant("null", "absent", "null", None),
        Variant("empty-text", "absent", "an empty string", ""),
        Variant("text", "unusable", "a word", "abc"),
        Variant("object", "unusable", "an object", {}),
        Variant("array", "unusable", "an array", []),
        Variant("digits-and-letters", "unusable", "a number with letters behind it, as text", {"text": here + "abc"}),
        Variant("hexadecimal", "unusable", "a hexadecimal number as text", "0xFFFFFFF"),
        Variant("true", "unusable", "true", True),
        Variant("in-array", "unusable", "the right number in an array", [here]),
        Variant("fraction", "unusable", "the right number and a half", Raw(here + ".5")),
        Variant("with-decimals", "lenient", "the right number written with decimals", Raw(here + ".0")),
        Variant("exponent", "lenient", "the right number written with an exponent", Raw(here + "e0")),
        Variant("as-text", "lenient", "the right number as text", {"text": here}),
        Variant("padded-text", "lenient", "the right number as text between spaces", {"text": f" {here} "}),
        Variant("leading-zero", "no-json", "the right number behind a zero, which JSON forbids", Raw("0" + here)),
        Variant("plus-sign", "no-json", "the right number behind a plus, which JSON forbids", Raw("+" + here)),
        Variant("zero", "zero", "0", 0),
        Variant("minus-one", "unknown", "-1", -1),
        Variant("negated", "unknown", "the right number negated", Raw("-" + here)),
        Variant("int32-max", "unknown", "the largest 32-bit integer", INT32_MAX),
        Variant("int32-min", "unknown", "the smallest 32-bit integer", -INT32_MAX - 1),
        Variant("over-int32", "unknown", "one more than 32 bits hold", INT32_MAX + 1),
        Variant(
            "wrapped-int32", "unknown", "the right number plus 2 to the power of 32", Raw(f"${{{binding}+{2**32}}}")
        ),
        Variant("int64-max", "unknown", "the largest 64-bit integer", INT64_MAX),
        Variant("int64-min", "unknown", "the smallest 64-bit integer", -INT64_MAX - 1),
        Variant("over-int64", "unknown", "one more than 64 bits hold", INT64_MAX + 1),
        Variant(
            "wrapped-int64", "unknown", "the right number plus 2 to the power of 64", Raw(f"${{{binding}+{2**64}}}")
        ),
        Variant("thirty-digits", "unknown", "a number of thirty digits", Raw("9" * 30)),
        Variant("huge-exponent", "unknown", "a number with a huge exponent", Raw("1e400")),
    )


_OF_TEXTS = (
    Variant("absent", "absent", "left out", ABSENT),
    Variant("null", "absent", "null", None),
    Variant("empty-text", "absent", "an empty string", ""),
    Variant("object", "unusable", "an object", {}),
    Variant("array", "unusable", "an array", []),
)


def object_field_cases(operation: Operation) -> Iterator[Case]:
    """For each declared member and each variant, over every channel."""
    for member, field in operation.fields.items():
        seen = operation.with_base(field.base)
        for channel in channels(seen):
            for variant in variants(field.binding):
                expectation = _expectation(seen, field, member, variant)
                body = _body(seen, channel, member, variant)
                if expectation is not None and body is not None:
                    yield _case(seen, channel, member, variant.name, variant.title, body, expectation)
            if member in seen.valid:
                yield from _repeated_member(seen, channel, member, field)
                yield from _other_case(seen, channel, member, field)


def _case(
    operation: Operation, channel: Channel, member: str, name: str, title: str, body: Body, expectation: Expectation
) -> Case:
    sent = make.message(operation, channel, body)
    full_name = f"fields/{member.lower()}-{name}"
    return make.case(operation, channel, full_name, f"{member}: {title}", (), sent, expectation)


def _body(operation: Operation, channel: Channel, member: str, variant: Variant) -> Body | None:
    assert isinstance(operation.valid, Mapping)
    value = {**operation.valid, member: variant.value}
    if variant.value is ABSENT:
        del value[member]
    return message.writable(operation, channel, value)


def _expectation(operation: Operation, field: Field, member: str, variant: Variant) -> Expectation | None:
    names = _names(operation)
    requirement = field.requirement.absent if variant.kind == "absent" else field.requirement.type
    leg, because = field.own_leg, _BECAUSE[variant.kind]
    codes = _refusal_codes(operation, member)
    if variant.kind in ("lenient", "no-json"):
        return (
            _lenient_leg(operation, requirement, leg, because)
            if leg
            else expect.either(operation, requirement, names, codes, because)
        )
    if variant.kind == "absent" and not field.required:
        return (
            None
            if variant.name != "empty-text" or _empty_text_is_a_scenario(operation)
            else expect.either(operation, requirement, names, codes, because)
        )
    if leg:
        return expect.one_leg_wrong(operation, requirement, leg, _leg_names(operation), because)
    if variant.kind == "zero" and field.binding != "instrument":
        # one operator's gateway takes OMSId 0 for its only system; AccountId 0 is a reading with scenarios of its own
        taken = field.zero is not None
        return expect.either(operation, requirement, names, codes, because) if taken else None
    if variant.kind in ("unknown", "zero"):
        if field.binding == "instrument":
            either = _maybe_ignored(operation, requirement, names, codes, because)
            return either if variant.kind == "zero" else _not_there(either)
        return expect.refused(operation, requirement, names, codes, because)
    return expect.refused(operation, requirement, names, (100,) if variant.name == "absent" else codes, because)


_BECAUSE: Mapping[str, tuple[Ruling, ...]] = {
    "absent": (Ruling.EMPTY_AS_LEFT_OUT,),
    "unusable": (Ruling.CODE_OF_UNUSABLE,),
    "unknown": (Ruling.CODE_OF_UNKNOWN,),
    "zero": (Ruling.ZERO_AS_LEFT_OUT,),
    "lenient": (Ruling.OTHER_SPELLING,),
    "no-json": (Ruling.LENIENT_READER,),
}
"""What allows more than one answer to a variant of each kind."""


def _refusal_codes(operation: Operation, member: str) -> tuple[int, ...]:
    """Invalid or not found; a place may also be hidden from the caller."""
    scope = operation.scope.members.get(member) if operation.scope else None
    return (100, 104) if scope is not None and scope.kind not in ("account", "oms") else (20, 100, 104)


def _empty_text_is_a_scenario(operation: Operation) -> bool:
    return not operation.shape.legs


def _names(operation: Operation) -> tuple[str, ...]:
    return operation.acted_on


def _leg_names(operation: Operation) -> dict[str, str]:
    bid, ask = _names(operation)
    return {"bid": bid, "ask": ask}


def _lenient_leg(operation: Operation, requirement: str, leg: str, because: tuple[Ruling, ...]) -> Expectation:
    """An unusual form of a right id: both legs go, or it counts as a wrong leg."""
    wrong = expect.one_leg_wrong(operation, requirement, leg, _leg_names(operation), because)
    both = Alternative({"code": [0]}, cancelled=_names(operation), because=because)
    return Expectation(requirement, (both, *wrong.any_of), effect=wrong.effect)


def _not_there(either: Expectation) -> Expectation:
    """The instrument identifies the quote, which is on none of this number: whatever is answered, it stays."""
    return replace(either, any_of=tuple(one for one in either.any_of if not one.cancelled))


def _maybe_ignored(
    operation: Operation,
    requirement: str,
    names: tuple[str, ...],
    codes: tuple[int, ...],
    because: tuple[Ruling, ...],
) -> Expectation:
    """Which of two values counts is open: the quote is found by the right one, or not by the wrong one."""
    return Expectation(
        requirement,
        (
            Alternative({"code": list(codes)}, untouched=names, because=because),
            Alternative({"code": [0]}, cancelled=names, because=because),
            Alternative({"code": [0]}, untouched=names, readings=("quote-gone=success",)),
        ),
        effect=operation.attribution["effect"],
    )


def _repeated_member(operation: Operation, channel: Channel, member: str, field: Field) -> Iterator[Case]:
    """A key that stands twice: JSON leaves open which one counts, so the answer and the effect must only agree."""
    assert isinstance(operation.valid, Mapping)
    right, wrong = operation.valid[member], field.unknown
    requirement = operation.attribution["malformed"]
    rest = tuple((key, value) for key, value in operation.valid.items() if key != member)
    leg, codes, because = field.own_leg, _refusal_codes(operation, member), (Ruling.REPEATED_MEMBER,)
    for name, title, pair in (
        ("twice-same", "given twice with the same value", (right, right)),
        ("twice-wrong-first", "given twice, an unknown value first", (wrong, right)),
        ("twice-wrong-last", "given twice, an unknown value last", (right, wrong)),
    ):
        if not wrong and pair != (right, right):
            continue
        body = message.body(operation, channel, Pairs((*((member, value) for value in pair), *rest)))
        expectation = (
            _lenient_leg(operation, requirement, leg, because)
            if leg
            else _maybe_ignored(operation, requirement, _names(operation), codes, because)
            if field.binding == "instrument"
            else expect.either(operation, requirement, _names(operation), codes, because)
        )
        yield _case(operation, channel, member, name, title, body, expectation)


def _other_case(operation: Operation, channel: Channel, member: str, field: Field) -> Iterator[Case]:
    """Published AlphaPoint documents declare the letter case of keys unimportant.

    Where a member may be left out, that another key is read shows by a value that names nothing: it is refused. Without
    the key `key-case` nothing says that of a call.
    """
    assert isinstance(operation.valid, Mapping)
    requirement = operation.attribution.get("key-case")
    if requirement is None:
        return
    for name, key in (("upper-case-key", member.upper()), ("lower-case-key", member.lower())):
        value = {key if given == member else given: content for given, content in operation.valid.items()}
        body = message.body(operation, channel, value)
        expectation = expect.done(operation, requirement, _names(operation))
        yield _case(operation, channel, member, name, f"written {key}", body, expectation)
        if not field.required and field.unknown:
            unknown = Variant(f"{name}-unknown", "unknown", f"written {key}, naming nothing", field.unknown)
            value = {key if given == member else given: content for given, content in operation.valid.items()}
            body = message.body(operation, channel, {**value, key: unknown.value})
            right = _expectation(operation, field, member, unknown)
            assert right is not None
            right = replace(right, requirement=requirement, effect=requirement)
            yield _case(operation, channel, member, unknown.name, unknown.title, body, right)
