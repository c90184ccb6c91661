"""What an instruction means: which are broken, which may be carried out, and what becomes of the order."""

from __future__ import annotations

from collections.abc import Sequence

from reference_impl.parts import Parts
from reference_impl.tpp.values import Instruction, Result


def problem(instruction: Instruction) -> str | None:
    """A member that cannot be read, or one that is required and missing (Body Parameters, "Required if")."""
    if instruction.problem is not None:
        return instruction.problem
    if not instruction.is_international:
        return "OrderID is required." if instruction.order_id is None else None
    if instruction.creator_id is None:
        return "CreatorID is required for an international order."
    if instruction.uid is None:
        return "InternationalOrderUID is required for an international order."
    return None


def admit(_parts: Parts, _instructions: Sequence[Instruction]) -> None:
    """Takes every list on, an empty one and one with broken instructions too."""


def key_of(instruction: Instruction) -> int | str | None:
    """Under what the order is found: the UID of an international order, else the number."""
    return instruction.uid if instruction.is_international else instruction.order_id


def judge(parts: Parts, instruction: Instruction) -> tuple[str, ...]:
    """The errors of one instruction; none when its order is there, active, and the PIN is right."""
    broken = parts.tpp.problem(instruction)
    if broken is not None:
        return (broken,)
    key = key_of(instruction)
    order = None if key is None else parts.tpp.orders.find(key)
    tpp = parts.world.tpp
    if instruction.creator_id is not None and instruction.creator_id not in tpp.persons:
        return ("Creator is not known.",)
    if order is None:
        return ("Order not found.",)
    if order.state != "open":
        return ("Order is not active.",)
    if order.pin_required and instruction.pin != tpp.pin:
        return ("PIN validation failed.",)
    return ()


def effect(parts: Parts, instruction: Instruction) -> None:
    """Cancels the order that the instruction names."""
    key = key_of(instruction)
    if key is not None:
        parts.tpp.orders.cancel(key)


def carry_out(parts: Parts, instruction: Instruction) -> Result:
    """Judges one instruction and, when nothing speaks against it, does it."""
    errors = parts.tpp.judge(parts, instruction)
    if errors:
        return Result(instruction.order_id, instruction.uid, success=False, errors=errors)
    parts.tpp.effect(parts, instruction)
    return Result(instruction.order_id, instruction.uid, success=True, errors=None)


def arrange(results: Sequence[Result]) -> Sequence[Result]:
    """The results in the order of the instructions."""
    return results
