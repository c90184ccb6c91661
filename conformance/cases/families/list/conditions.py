"""The truth table of a conditional rule: every combination of the flag with each member given, null and left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from conformance.cases import expect, make, message
from conformance.cases.expect import Ruling
from conformance.cases.kinds import OTHER, InstructionKind, first_kind, naming_member, other_state, second_kind
from conformance.cases.make import Channel, channels
from conformance.model.case import Alternative, Case, Expectation, StateNeed
from conformance.model.spec import Condition, Operation

GIVEN, NULL, ABSENT = "given", "null", "absent"
_FLAGS: tuple[tuple[str, Any], ...] = (("true", True), ("false", False), ("absent", None))


@dataclass(frozen=True, slots=True)
class Table:
    """A conditional rule with what its rows are made of; without a second kind both halves act on the same thing."""

    rule: Condition
    first: InstructionKind
    second: InstructionKind | None

    @property
    def members(self) -> tuple[str, ...]:
        """The members whose presence is varied, those that the plain half needs first."""
        return tuple(dict.fromkeys((*self.rule.when_false.needs, *self.rule.when_true.needs)))

    def states(self, operation: Operation) -> dict[str, StateNeed]:
        """The thing of each kind, or the thing and a bystander."""
        beside = other_state(operation) if self.second is None else {self.second.alias: self.second.need}
        return {self.first.thing: self.first.need, **beside}

    def things(self, flag: bool) -> tuple[str, str]:
        """The name of the thing that a row with this flag acts on, and of the one that it leaves alone."""
        if self.second is None:
            return self.first.thing, OTHER
        return (self.second.alias, self.first.thing) if flag else (self.first.thing, self.second.alias)

    def given(self, flag: bool) -> dict[str, Any]:
        """A right value for each member: as the kind that the flag means has it, or else the other kind."""
        second = {} if self.second is None else self.second.named(self.second.alias)
        behind, before = (self.first.item, second) if flag else (second, self.first.item)
        return {**behind, **{member: value for member, value in before.items() if value is not None}}

    def spare(self, operation: Operation, flag: bool) -> str | None:
        """The member that names a thing of the kind that is not meant."""
        if self.second is None:
            return None
        return naming_member(self.first if flag else self.second, operation)

    def short(self, member: str) -> str:
        """The member in the id of a case."""
        return self.rule.names.get(member, member.lower())


def condition_cases(operation: Operation) -> Iterator[Case]:
    """One case for each row and media type; none where the operation has no conditional rule."""
    if operation.condition is None:
        return
    table = Table(operation.condition, first_kind(operation), second_kind(operation))
    for channel in channels(operation):
        for (flag_name, flag), presences in product(_FLAGS, product((GIVEN, NULL, ABSENT), repeat=len(table.members))):
            row = dict(zip(table.members, presences, strict=True))
            yield _row_case(operation, channel, table, flag_name, flag, row)


def _row_case(
    operation: Operation, channel: Channel, table: Table, flag_name: str, flag: bool | None, row: Mapping[str, str]
) -> Case:
    given = table.given(bool(flag))
    item = {name: None if presence == NULL else given[name] for name, presence in row.items() if presence != ABSENT}
    condition = table.rule
    item.update((name, value) for name, value in given.items() if name not in row and name != condition.flag)
    if flag is not None:
        item[condition.flag] = flag
    rule = condition.half(flag)
    lacking = [name for name in rule.needs if row[name] != GIVEN]
    requirement = rule.requirement[lacking[0] if lacking else rule.needs[-1]]
    name = "-".join([f"flag-{flag_name}", *(f"{table.short(member)}-{row[member]}" for member in row)])
    sent = make.message(operation, channel, message.body(operation, channel, operation.shape.request([item])))
    broken = [operation.attribution["broken"]] if lacking and "broken" in operation.attribution else []
    return make.case(
        operation,
        channel,
        f"conditions/{name}",
        _title(condition.flag, flag_name, row),
        [*(rule.requirement[member] for member in lacking), *broken],
        sent,
        _expectation(operation, table, requirement, bool(flag), lacking, row),
        states=table.states(operation),
        accept=channel.media_type,
    )


def _title(flag: str, value: str, row: Mapping[str, str]) -> str:
    return ", ".join([f"{flag} {value}", *(f"{name} {presence}" for name, presence in row.items())])


def _expectation(
    operation: Operation, table: Table, requirement: str, flag: bool, lacking: Sequence[str], row: Mapping[str, str]
) -> Expectation:
    named, other = table.things(flag)
    every = table.things(flag=False)
    if lacking:
        return expect.broken_instruction(operation, requirement, every)
    success = Alternative({"results": [True]}, cancelled=(named,), untouched=(other,), because=(requirement,))
    spare = table.spare(operation, flag)
    effect, outside = operation.effect_of_success or requirement, operation.attribution["effect"]
    if spare is None or row.get(spare, GIVEN) != GIVEN:
        return Expectation(requirement, (success,), effect=effect, outside=outside)
    # an id of the other kind stands there too: the document neither forbids it nor says that it is ignored
    broken = expect.broken_instruction(operation, requirement, every).any_of
    failed = (replace(one, because=(Ruling.BOTH_IDS,)) for one in broken)
    return Expectation(requirement, (success, *failed), effect=effect, outside=outside)
