"""Violations of POST api/orders/cancellations: which members an instruction needs, and what each of them means."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from reference_impl.depth import load_json
from reference_impl.parts import Parts, with_tpp
from reference_impl.recorder import Recorder
from reference_impl.tpp import service
from reference_impl.tpp.changes import as_if, on_errors, on_instruction, on_request_text, refuse_text, tpp_fault
from reference_impl.tpp.values import Instruction, UnreadableList
from reference_impl.variants import Change, Variant

_PERSON = 98765
Needs = Callable[[Instruction], bool]


def _demand(lacks: Needs, message: str) -> Change:
    """Refuses an instruction that lacks what it need not have."""

    def errors(_parts: Parts, instruction: Instruction, found: tuple[str, ...]) -> tuple[str, ...]:
        return found or ((message,) if lacks(instruction) else ())

    return on_errors(errors)


def _forgive(lacks: Needs) -> Change:
    """Reports success for an instruction that lacks what it needs."""

    def errors(_parts: Parts, instruction: Instruction, found: tuple[str, ...]) -> tuple[str, ...]:
        return () if instruction.problem is None and lacks(instruction) else found

    return on_errors(errors)


def _judged_as(change: Callable[[Instruction], Instruction]) -> Change:
    """Judges another instruction than the one that is carried out."""
    return on_errors(lambda parts, instruction, _: service.judge(parts, change(instruction)))


def _late_check(parts: Parts, instruction: Instruction, found: tuple[str, ...]) -> tuple[str, ...]:
    """Cancels before it looks whether the person is given and known."""
    if instruction.is_international and instruction.uid and found and parts.tpp.orders.cancel(instruction.uid):
        return (*found, "Cancelled already.")
    return found


def _by_number_without_uid(instruction: Instruction) -> Instruction:
    return replace(instruction, is_international=False) if instruction.uid is None else instruction


def _by_uid_without_number(instruction: Instruction) -> Instruction:
    lacks = not instruction.is_international and instruction.order_id is None and instruction.uid is not None
    return (
        replace(instruction, is_international=True, creator_id=instruction.creator_id or _PERSON)
        if lacks
        else instruction
    )


def _uid_wins(instruction: Instruction) -> Instruction:
    return replace(instruction, is_international=instruction.uid is not None)


def _number_wins(instruction: Instruction) -> Instruction:
    return replace(instruction, is_international=instruction.order_id is None)


def _json_items(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[str], str]:
    """A change of the text of a JSON list that changes each of its objects, and nothing else."""

    def changed(text: str) -> str:
        try:
            value = load_json(text)
        except ValueError:
            return text
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            return text
        items = [change(item) for item in value]
        return text if items == value else json.dumps(items)

    return changed


def _uid_left_out(text: str) -> bool:
    return '"OrderID"' in text and "InternationalOrderUID" not in text


def _partly_done(parts: Parts, recorder: Recorder) -> Parts:
    """Refuses a list for a broken instruction, after it carried out what stands before that one."""
    inner = parts.tpp.admit

    def admit(p: Parts, instructions: Sequence[Instruction]) -> None:
        inner(p, instructions)
        broken = next((place for place, one in enumerate(instructions) if p.tpp.problem(one)), 0)
        for instruction in instructions[:broken]:
            p.tpp.carry_out(p, instruction)
        if broken:
            recorder.hit()
            raise UnreadableList("The list holds an instruction that is not complete.")

    return with_tpp(parts, admit=admit)


FAULTS: tuple[Variant, ...] = (
    tpp_fault(
        "tpp-domestic-without-orderid-succeeds",
        "Reports success for a domestic instruction without OrderID",
        _forgive(lambda i: not i.is_international and i.order_id is None),
        "REQ-ORDERID-REQUIRED",
    ),
    tpp_fault(
        "tpp-domestic-without-orderid-takes-uid",
        "Cancels by the UID when a domestic instruction has no OrderID",
        as_if(_by_uid_without_number),
        "REQ-ORDERID-REQUIRED",
    ),
    tpp_fault(
        "tpp-international-without-uid-succeeds",
        "Reports success for an international instruction without UID",
        _forgive(lambda i: i.is_international and i.uid is None),
        "REQ-UID-REQUIRED",
    ),
    tpp_fault(
        "tpp-international-without-uid-takes-orderid",
        "Cancels by the number when an international instruction has no UID",
        as_if(_by_number_without_uid),
        "REQ-UID-REQUIRED",
    ),
    tpp_fault(
        "tpp-international-without-creator-succeeds",
        "Cancels an international order for nobody",
        _judged_as(lambda i: replace(i, creator_id=i.creator_id or _PERSON)),
        "REQ-CREATORID-REQUIRED",
    ),
    tpp_fault(
        "tpp-creator-checked-late",
        "Cancels an international order and then finds that the person is missing",
        on_errors(_late_check),
        "FAILED-NO-EFFECT",
    ),
    tpp_fault(
        "tpp-domestic-needs-creator",
        "Demands a CreatorID of domestic instructions too",
        _demand(lambda i: not i.is_international and i.creator_id is None, "CreatorID is required."),
        "REQ-CREATORID-REQUIRED",
        "REQ-CREATORID-TYPE",
        "REQ-ORDERID-REQUIRED",
    ),
    tpp_fault(
        "tpp-international-needs-orderid",
        "Demands an OrderID of international instructions too",
        _demand(lambda i: i.is_international and i.order_id is None, "OrderID is required."),
        "REQ-ORDERID-REQUIRED",
        "REQ-ORDERID-TYPE",
        "REQ-UID-REQUIRED",
    ),
    tpp_fault(
        "tpp-domestic-needs-uid",
        "Demands a UID of domestic instructions too",
        _demand(lambda i: not i.is_international and i.uid is None, "InternationalOrderUID is required."),
        "REQ-UID-REQUIRED",
        "REQ-UID-TYPE",
        "REQ-ORDERID-REQUIRED",
    ),
    tpp_fault(
        "tpp-flag-ignored-uid-wins",
        "Takes any instruction with a UID for an international one",
        on_instruction(_uid_wins),
        "REQ-ISINTL-TYPE",
        "REQ-ORDERID-REQUIRED",
    ),
    tpp_fault(
        "tpp-flag-ignored-orderid-wins",
        "Takes any instruction with an OrderID for a domestic one",
        on_instruction(_number_wins),
        "REQ-ISINTL-TYPE",
        "REQ-UID-REQUIRED",
    ),
    tpp_fault(
        "tpp-flag-always-false",
        "Takes every instruction for a domestic one",
        on_instruction(lambda i: replace(i, is_international=False)),
        "REQ-ISINTL-TYPE",
        "REQ-UID-REQUIRED",
    ),
    tpp_fault(
        "tpp-flag-inverted",
        "Takes true for domestic and false for international",
        on_instruction(lambda i: replace(i, is_international=not i.is_international)),
        "REQ-ISINTL-TYPE",
        "REQ-ORDERID-REQUIRED",
        "REQ-UID-REQUIRED",
    ),
    tpp_fault(
        "tpp-xml-flag-not-read",
        "Does not read IsInternationalOrder in XML",
        on_instruction(lambda i: replace(i, is_international=False), "xml"),
        "REQ-ISINTL-TYPE",
        "REQ-UID-REQUIRED",
        "FORMATS-AGREE",
    ),
    tpp_fault(
        "tpp-json-flag-default-true",
        "Takes a flag that is left out for true",
        on_request_text("json", _json_items(lambda item: {"IsInternationalOrder": True, **item})),
        "REQ-ISINTL-TYPE",
        "REQ-ORDERID-REQUIRED",
    ),
    tpp_fault(
        "tpp-json-absent-is-not-null",
        "Refuses a list in which a UID is left out and not null",
        refuse_text("json", _uid_left_out),
        "REQ-ORDERID-REQUIRED",
        "REQ-UID-TYPE",
        "REQ-LIST",
    ),
    tpp_fault(
        "tpp-creator-not-read-in-xml",
        "Does not read the CreatorID in XML",
        on_instruction(lambda i: replace(i, creator_id=None), "xml"),
        "REQ-CREATORID-REQUIRED",
        "REQ-CREATORID-TYPE",
        "REQ-UID-REQUIRED",
    ),
    tpp_fault(
        "tpp-uid-not-read-in-xml",
        "Does not read the UID in XML",
        on_instruction(lambda i: replace(i, uid=None), "xml"),
        "REQ-UID-TYPE",
        "REQ-UID-REQUIRED",
        "FORMATS-AGREE",
    ),
    tpp_fault(
        "tpp-broken-partly-done",
        "Carries out what stands before a broken instruction and then refuses the list",
        _partly_done,
        "MULTIPLE",
        "FAILED-NO-EFFECT",
    ),
)
