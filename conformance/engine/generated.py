"""Runs generated cases at wire speed: made one by one, judged like any other, and compared across wire forms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from conformance.cases.corpus.source import Source
from conformance.cases.corpus.stream import generated_case, relation_key
from conformance.checks.relations import forms_differ
from conformance.engine.evidence import evidence_of
from conformance.engine.execute import Judged, execute_judged
from conformance.engine.run import Run, side_by_side
from conformance.model.verdict import CaseResult, Verdict

Numbered = tuple[Source, int]


@dataclass(slots=True)
class FormMemory:
    """How each value was answered: for each different gist the lowest case that gave it."""

    gists: dict[tuple[str, int], dict[tuple[object, ...], tuple[int, Judged]]] = field(default_factory=dict)

    def note(self, key: tuple[str, int], number: int, judged: Judged) -> None:
        """Remember an answer; the first one's exchange is kept only when another gist turns up."""
        found = self.gists.setdefault(key, {})
        known = found.get(judged.gist)
        if known is not None and known[0] <= number:
            return
        found[judged.gist] = (number, judged)

    def broken(self, secrets: tuple[str, ...]) -> Iterator[CaseResult]:
        """For each value that was answered in two ways: the later case, with a finding, and both exchanges."""
        for _, found in sorted(self.gists.items()):
            (_, first), *others = sorted(found.values(), key=lambda entry: entry[0])
            for _, other in others:
                result = other.result
                if result.verdict is Verdict.PASS and first.result.verdict is Verdict.PASS:
                    finding = forms_differ(result.requirements[0], first.result.id, first.summary, other.summary)
                    evidence = evidence_of((*first.exchanges, *other.exchanges), secrets, full=True)
                    yield replace(result, verdict=Verdict.FAIL, findings=(finding,), evidence=evidence, revised=True)


async def run_generated(run: Run, numbered: Iterator[Numbered], concurrency: int, done: frozenset[str] = frozenset()) -> None:
    """Run the numbered cases, at most `concurrency` at a time; `done` ones are left out.

    Live cases take a desk where their operation needs one: worker and desk have the same number there, and the
    workers beyond the desks leave live cases to them.
    """
    memory = FormMemory()
    workers = [_work(run, numbered, number, memory, done) for number in range(concurrency)]
    await side_by_side(workers)
    for result in memory.broken(tuple(run.vault.known)):
        run.on_result(result)


async def _work(run: Run, numbered: Iterator[Numbered], worker: int, memory: FormMemory, done: frozenset[str]) -> None:
    for source, number in numbered:
        if run.stopped is not None:
            return
        case = generated_case(source, number)
        if case.id in done:
            continue
        service = run.services[source.operation.service]
        seats = run.seats[source.operation.service]
        seat = seats[worker % len(seats)]
        if case.lane == "desk":
            async with run.desk_lock(source.operation.service, seat.index):
                judged = await execute_judged(case, run.kits[case.operation], service, seat, run.pins)
        else:
            judged = await execute_judged(case, run.kits[case.operation], service, seat, run.pins)
        run.note(judged.result)
        key = relation_key(source, number, case)
        if key is not None and judged.gist:
            memory.note(key, number, judged)

