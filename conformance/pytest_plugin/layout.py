"""Which items there are: one for each requirement, operation and format, and one for each format's generated cases."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from conformance.cases.make import Channel, channels, suffix
from conformance.model.case import Case
from conformance.model.spec import Contract, Operation
from conformance.suite import SUITE

GENERATED = "generated"


@dataclass(frozen=True, slots=True)
class Entry:
    """One item: what it is about, and the cases that tell."""

    operation: str
    subject: str
    """A requirement's id, or `generated`."""
    format: str = ""
    """The format as case ids have it behind the `@`; empty for a requirement without cases."""
    channel: Channel | None = None
    cases: tuple[Case, ...] = ()

    @property
    def name(self) -> str:
        """The last part of the item's id."""
        return f"{self.subject}[{self.format}]" if self.format else self.subject

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells the item from every other: operation, subject, format."""
        return (self.operation, self.subject, self.format)

    @property
    def generated(self) -> bool:
        """Whether the item stands for generated cases."""
        return self.subject == GENERATED

    @property
    def scope(self) -> str:
        """Items of one scope share cases, and are best run by one worker."""
        return f"{self.operation}::{GENERATED}" if self.generated else f"{self.operation}[{self.format}]"


def entries(contract: Contract, cases: Iterable[Case], operations: Sequence[str], generated: int) -> tuple[Entry, ...]:
    """The items of the chosen operations (none: all) in their order.

    In each format the requirements stand in the order of their ids, but those last that any case may break, and of these
    those without a case of their own: by then all cases of the format have run, and what they found is known.
    """
    by_operation: defaultdict[str, list[Case]] = defaultdict(list)
    for case in sorted(cases, key=lambda one: one.id):
        by_operation[case.operation].append(case)
    found: list[Entry] = []
    for name in sorted(contract.operations):
        if not operations or name in operations:
            found.extend(_of_operation(contract, contract.operations[name], by_operation[name], generated))
    return tuple(found)


def _of_operation(contract: Contract, operation: Operation, cases: Sequence[Case], generated: int) -> Iterator[Entry]:
    groups: defaultdict[tuple[Channel, str], list[Case]] = defaultdict(list)
    for case in cases:
        for requirement in dict.fromkeys(case.requirements):
            groups[Channel(case.transport, case.media_type), requirement].append(case)
    anywhere = broken_anywhere(contract, operation)
    alone = {name for case in cases if anywhere.issuperset(case.requirements) for name in case.requirements}
    named = {requirement for _, requirement in groups}
    for one in contract.requirements.values():
        if one.operation == operation.id and one.id not in named and operation.has_edition(one.edition):
            yield Entry(operation.id, one.id)
    formats = tuple(channels(operation))
    for channel in formats:
        ids = [requirement for where, requirement in groups if where == channel]
        for requirement in sorted(ids, key=lambda name: (name in anywhere, name not in alone, name)):
            found = tuple(groups[channel, requirement])
            yield Entry(operation.id, requirement, suffix(operation, channel), channel, found)
    if generated:
        for channel in formats:
            yield Entry(operation.id, GENERATED, suffix(operation, channel), channel)


def broken_anywhere(contract: Contract, operation: Operation) -> frozenset[str]:
    """The requirements that general checks and pinned readings attribute findings to, whatever the case is about."""
    pinned = {
        reading.requirements[operation.id]
        for reading in contract.readings.values()
        if operation.id in reading.operations
    }
    return frozenset(operation.attribution.values()) | pinned


def scope_of(nodeid: str) -> str:
    """Items that pytest-xdist gives to one worker, so that no case is sent twice, have the same scope.

    One operation in one format is one piece of work, its generated cases in all formats another; other tests are dealt
    singly.
    """
    head, _, tail = nodeid.partition("[")
    if not head.startswith(f"{SUITE}::"):
        return nodeid
    if head.endswith(f"::{GENERATED}"):
        return head
    return f"{head.rpartition('::')[0]}[{tail}"
