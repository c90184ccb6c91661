"""The kinds of instruction in an operation's data, and the role that each of its members can have in a case."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from conformance.model.case import StateNeed
from conformance.model.spec import Field, Operation

OTHER, GONE = "other", "gone"
"""Names of what stands beside the thing acted on: a bystander, and a thing on which the call can no longer act."""


@dataclass(frozen=True, slots=True)
class InstructionKind:
    """One kind of legal instruction: the item, what it acts on, and the name of that beside a thing of another kind."""

    item: Mapping[str, Any]
    thing: str
    states: Mapping[str, StateNeed]
    alias: str

    @property
    def need(self) -> StateNeed:
        """The state that the instruction acts on."""
        return self.states[self.thing]

    def named(self, thing: str) -> dict[str, Any]:
        """The instruction for a thing of this name."""
        return {member: renamed(value, self.thing, thing) for member, value in self.item.items()}


def renamed(value: Any, before: str, after: str) -> Any:
    """A value with the places of one state made those of another."""
    if not isinstance(value, str):
        return value
    return value.replace(f"${{{before}.", f"${{{after}.").replace(f"${{{before}}}", f"${{{after}}}")


def first_kind(operation: Operation) -> InstructionKind:
    """The kind of the base request."""
    return _kind(operation, operation.valid, operation.states, "")


def second_kind(operation: Operation) -> InstructionKind | None:
    """The kind that `second` names; None for an operation with one kind alone."""
    second = operation.second
    if second is None:
        return None
    base = operation.bases[second.base]
    return _kind(operation, base.value, base.states, second.thing)


def _kind(operation: Operation, value: Any, states: Mapping[str, StateNeed], alias: str) -> InstructionKind:
    thing = next(iter(states))
    return InstructionKind(first_of(operation, value), thing, states, alias or thing)


def first_of(operation: Operation, value: Any) -> Mapping[str, Any]:
    """The first instruction of a legal request: no contract is loaded with one that has none."""
    entries = operation.shape.entries(value)
    assert entries
    first: Mapping[str, Any] = entries[0]
    return first


def other_state(operation: Operation) -> dict[str, StateNeed]:
    """A bystander: a thing of the first kind that no message names."""
    return {OTHER: first_kind(operation).need}


def gone_state(operation: Operation) -> dict[str, StateNeed]:
    """A thing on which the call can no longer act, as `gone` says; empty where it says nothing."""
    return {} if operation.gone is None else {GONE: operation.gone}


def kind_for(operation: Operation, member: str) -> InstructionKind:
    """The kind in which a member decides something: the condition needs it, or the base gives it a value."""
    first, second = first_kind(operation), second_kind(operation)
    if second is None:
        return first
    condition = operation.condition
    if condition is not None:
        needed_by_second = member in condition.when_true.needs and member not in condition.when_false.needs
        return second if needed_by_second else first
    return first if first.item.get(member) is not None else second


def identifies(operation: Operation, member: str) -> bool:
    """Whether the member says which thing is meant."""
    return member in operation.identity


def naming_member(kind: InstructionKind, operation: Operation) -> str:
    """The member by which an instruction of this kind names its thing."""
    return next(name for name in operation.identity if kind.item.get(name) is not None)


def members_of_type(operation: Operation, *types: str) -> Iterator[str]:
    """The members of these types that the base request gives a value, in the order of `fields`."""
    item = first_kind(operation).item
    for name, field in operation.fields.items():
        if field.type in types and item.get(name) is not None:
            yield name


def unknown_place(field: Field) -> str:
    """A value of this member that names nothing."""
    return field.unknown or "${unknown_uid}"


def undocumented(operation: Operation, name: str) -> str:
    """This name for a member, or a longer one where the document has it."""
    documented = {member.lower() for member in operation.fields}
    while name.lower() in documented:
        name = f"Odd{name}"
    return name
