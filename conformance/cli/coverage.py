"""`conformance coverage`: how many combinations the cases of a run cover, and which ones none of them covers."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from conformance.cli.main import suggestion
from conformance.cli.options import json_option, printing, specs_option
from conformance.errors import UsageError

if TYPE_CHECKING:
    from conformance.cases.combinations.arrays import Counted
    from conformance.model.case import Case
    from conformance.model.spec import Contract

_SHOWN = 20
_MOST_STRENGTH = 4


@click.command("coverage")
@click.option("--operation", "operations", multiple=True, metavar="ID", help="Only of this operation; repeatable.")
@click.option(
    "--target",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Count what this target's scope, roles and states permit. Nothing is sent.",
)
@click.option(
    "--strength",
    type=click.IntRange(2, _MOST_STRENGTH),
    metavar="N",
    help="Of N factors, 2 to 4 (default: 2 and 3).",
)
@json_option
@specs_option
@printing
def command(
    operations: tuple[str, ...],
    target: Path | None,
    strength: int | None,
    as_json: bool,
    specs: Path | None,
    quiet: bool,
    verbose: bool,
) -> None:
    """Count the combinations of levels that the named cases cover.

    The factors of an operation stand in its factors.yaml, with the levels that cannot meet. Prints for each
    operation how many combinations are possible, how many the cases cover that would be carried out, how many stand
    only in cases that the target cannot be sent, and some of those that no case has; -v prints all of them.
    """
    from conformance.cases.combinations.arrays import SHOWN_STRENGTHS, counted
    from conformance.contract.load import load_contract

    contract = load_contract(specs)
    for name in operations:
        if name not in contract.operations:
            raise UsageError(f"no operation {name!r}.{suggestion(name, contract.operations)}")
    chosen = [name for name in sorted(contract.operations) if not operations or name in operations]
    found = {name: one for name in chosen if (one := counted(contract.operations[name])) is not None}
    rows = _rows(contract, found, target)
    counts = [
        _Count(one, rows[name], number)
        for name, one in found.items()
        if rows[name] or target is None  # a target may lack the service
        for number in ((strength,) if strength else SHOWN_STRENGTHS)
    ]
    if as_json:
        click.echo(json.dumps({"schema_version": 1, "coverage": [one.object() for one in counts]}, indent=2))
        return
    _print(counts, quiet=quiet, verbose=verbose)


@dataclass(frozen=True, slots=True)
class _Count:
    found: Counted
    rows: Mapping[str, str]
    strength: int

    def object(self) -> dict[str, Any]:
        """For programs: the counts, every rule of what cannot meet, and all that no case has."""
        from conformance.cases.combinations.arrays import coverage
        from conformance.report.summary import coverage_object

        counts = coverage_object(coverage(self.found, self.rows, self.strength))
        rules = [{"reason": one.reason, "when": one.when} for one in self.found.grid.factors.impossible]
        return {**counts, "rules": rules, "no_case_has": list(self.missing())}

    def missing(self) -> Iterator[str]:
        """The possible combinations that no case has, in words."""
        from conformance.cases.combinations.arrays import coverage, covering

        if coverage(self.found, self.rows, self.strength).uncovered:
            *_, every = covering(self.found, self.rows, self.strength)
            for one in sorted(self.found.grid.possible(self.strength) - every):
                yield self.found.grid.words(one)


def _rows(contract: Contract, found: Mapping[str, Counted], target: Path | None) -> dict[str, dict[str, str]]:
    """Operation to the rows of its named cases, each with why the target cannot be sent such a case."""
    from conformance.cases.fixtures import load_cases

    rows: dict[str, dict[str, str]] = defaultdict(dict)
    cases = [case for case in load_cases(contract, tuple(found)) if case.rows]

    def note(case: Case, why: str) -> None:
        for row in case.rows:
            rows[case.operation][row] = why and rows[case.operation].get(row, why)

    if target is None:
        for case in cases:
            note(case, "")
        return rows
    from conformance.run.loop import run_loop
    from conformance.run.plan import hindrances

    async def plan() -> None:
        async for case, why in hindrances(contract, str(target), cases, found):
            note(case, why)

    run_loop(plan())
    return rows


def _print(counts: list[_Count], *, quiet: bool, verbose: bool) -> None:
    from conformance.cases.combinations.arrays import coverage
    from conformance.report.formats.text import coverage_section, plain_lines
    from conformance.report.safe_text import writable

    section = coverage_section([coverage(one.found, one.rows, one.strength) for one in counts])
    lines = list(plain_lines(section))
    for one in () if quiet else counts:
        missing = list(one.missing())
        if missing:
            lines += ["", f"In no case of {one.found.operation.id}, of {one.strength} factors:"]
            lines += [f"  {words}" for words in (missing if verbose else missing[:_SHOWN])]
        if len(missing) > _SHOWN and not verbose:
            lines.append(f"  and {len(missing) - _SHOWN} more (-v shows them)")
    for line in lines:
        click.echo(writable(line, sys.stdout.encoding))
