"""Which cases the run of a bundle has: named ones of the contract, generated ones by number, explored ones with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.cases.case_data import from_data
from conformance.cases.generated.source import Source, sources
from conformance.cases.generated.stream import Dealt, generated_case, relation_key
from conformance.errors import ConformanceError
from conformance.model.case import Case
from conformance.model.spec import Contract
from conformance.model.verdict import CaseResult
from conformance.report.bundle.archive import BundleError
from conformance.report.journal import FILE_NAME as JOURNAL
from conformance.report.journal import Journal
from conformance.run.selection import choose_named, of_editions, parse_shard


@dataclass(slots=True)
class RunCases:
    """The cases of a run: named ones of the contract, generated ones by their numbers, explored ones from the bundle."""

    chosen: Mapping[str, Case]
    sources: tuple[Source, ...]
    generated: Mapping[str, tuple[int, Source]]
    unlisted: Mapping[str, Case]

    @staticmethod
    def of(journal: Journal, contract: Contract, unlisted: Sequence[Any]) -> RunCases:
        """Raises `BundleError` for a selection or a case that this contract cannot have."""
        header = journal.header
        selection, shard = header.settings.selection, parse_shard(header.settings.shard or None)
        try:
            chosen = of_editions(contract, choose_named(contract, selection, shard))
            named = {case.id: case for case in chosen}
            extra = {case.id: case for case in map(from_data, unlisted)}
            dealt = sources(contract, selection.operations, header.info.seed)
        except (ConformanceError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise BundleError(f"its cases are not understood: {error}", where=JOURNAL) from error
        found, made = {source.operation.short: source for source in dealt}, {}
        for result in journal.results:
            short, _, rest = result.id.partition("/generated/")
            number = rest.partition("@")[0]
            if number.isdecimal() and short in found and int(number) < found[short].size:
                made[result.id] = (int(number), found[short])
        return RunCases(named, dealt, made, extra)

    def find(self, result: CaseResult) -> Case | None:
        """The case of a result; None when there is none."""
        name = result.id
        if name in self.generated:
            number, source = self.generated[name]
            case = generated_case(source, number)
            return case if case.id == name and _agrees(case, result) else None
        case_ = self.chosen.get(name) or self.unlisted.get(name)
        return case_ if case_ is not None and (name in self.unlisted or _agrees(case_, result)) else None

    def relation(self, name: str, case: Case) -> tuple[int, tuple[str, int]] | None:
        """Number and key of a generated case that others must agree with."""
        if name not in self.generated:
            return None
        number, source = self.generated[name]
        key = relation_key(source, number, case)
        return None if key is None else (number, key)

    def is_unlisted(self, name: str) -> bool:
        """Whether an exploring run found it."""
        return name in self.unlisted

    def missing(self, journal: Journal) -> Iterator[str]:
        """The cases that a run of this selection has, and the journal has not; a run that was cut short may lack some."""
        ending, settings = journal.options.ending, journal.header.settings
        if ending.cut_off:
            yield "the journal has no end: it was cut off"
        if ending.cut_short:
            return
        have = {result.id for result in journal.results}
        lost = [name for name in self.chosen if name not in have]
        made = settings.planned - len(self.chosen)
        count = made - len(self.generated)
        if count > 0 and not settings.narrowed:
            known = {(source.operation.short, number) for number, source in self.generated.values()}
            lost += [
                generated_case(source, number).id
                for source, number in Dealt(self.sources, made)
                if (source.operation.short, number) not in known
            ]
        yield from (f"{name}: it was removed from the journal" for name in lost)
        if count and not any("/generated/" in name for name in lost):
            yield f"{abs(count):,} cases too {'few' if count > 0 else 'many'} stand in the journal"


def _agrees(case: Case, result: CaseResult) -> bool:
    """Whether the journal says of a case what the contract says of it."""
    return (case.operation, case.tier, case.transport.value, case.media_type, sorted(case.requirements)) == (
        result.operation, result.tier, result.transport, result.media_type, sorted(result.requirements),
    )  # fmt: skip
