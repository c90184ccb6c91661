"""`conformance coverage`: which combinations and which spellings the cases of a run cover, and what none of them has."""

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
    from conformance.cases.families.spellings import Production
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
    """Count the combinations of levels, and the spellings of requests, that the named cases cover.

    The factors of an operation stand in its factors.yaml, with the levels that cannot meet. Prints for each
    operation how many combinations are possible, how many the cases cover that would be carried out, how many stand
    only in cases that the target cannot be sent, and some of those that no case has; -v prints all of them. Then the table of spellings, production by
    production: which cases hold each, or why no request is written by it.
    """
    from conformance.cases.combinations.arrays import STRENGTH, counted
    from conformance.contract.load import load_contract

    contract = load_contract(specs)
    for name in operations:
        if name not in contract.operations:
            raise UsageError(f"no operation {name!r}.{suggestion(name, contract.operations)}")
    chosen = [name for name in sorted(contract.operations) if not operations or name in operations]
    found = {name: one for name in chosen if (one := counted(contract.operations[name])) is not None}
    why = _hindrances(contract, chosen, target, max(strength or 0, STRENGTH))
    rows = _rows(why, found)
    counts = [
        _Count(one, rows[name], number)
        for name, one in found.items()
        if rows[name] or target is None  # a target may lack the service
        for number in ((strength,) if strength else range(1, STRENGTH + 1))
    ]
    if as_json:
        spelled = [_spelled_object(one) for one in _productions(contract, chosen, why)]
        told = {"schema_version": 1, "coverage": [one.object() for one in counts], "spellings": spelled}
        click.echo(json.dumps(told, indent=2))
        return
    _print(counts, quiet=quiet, verbose=verbose)
    if strength is None:
        _print_spellings(list(_productions(contract, chosen, why)), quiet=quiet)


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


_Why = Mapping[str, tuple["Case", str]]
"""Case id to the case, and why the target cannot be sent it; operations that the target lacks have none."""


def _hindrances(contract: Contract, chosen: list[str], target: Path | None, strength: int) -> _Why:
    from conformance.cases.fixtures import load_cases

    cases = load_cases(contract, tuple(chosen), strength=strength)
    if target is None:
        return {case.id: (case, "") for case in cases}
    from conformance.run.loop import run_loop
    from conformance.run.plan import hindrances

    found: dict[str, tuple[Case, str]] = {}

    async def plan() -> None:
        async for case, why in hindrances(contract, str(target), cases, chosen):
            found[case.id] = case, why

    run_loop(plan())
    return found


def _rows(hindered: _Why, found: Mapping[str, Counted]) -> dict[str, dict[str, str]]:
    """Operation to the rows of its named cases, each with why the target cannot be sent such a case."""
    rows: dict[str, dict[str, str]] = defaultdict(dict)
    for case, why in hindered.values():
        for row in case.rows if case.operation in found else ():
            rows[case.operation][row] = why and rows[case.operation].get(row, why)
    return rows


def _productions(contract: Contract, chosen: list[str], hindered: _Why) -> Iterator[Production]:
    from conformance.cases.families.spellings import productions

    for name in chosen:
        own = {identifier: why for identifier, (case, why) in hindered.items() if case.operation == name}
        if own:
            yield from productions(contract.operations[name], own)


def _spelled_object(one: Production) -> dict[str, Any]:
    """For programs: one production for one operation."""
    row = one.row
    told = {"operation": one.operation, "id": row.id, "grammar": row.grammar, "clause": row.clause, "text": row.text}
    counts = {"cases": one.cases, "carried_out": one.carried_out, "not_carried_out": dict(one.hindered)}
    return {**told, **counts, "standing": one.standing, "unwritten": row.unwritten, "refused_by": row.refused}


def _print_spellings(found: list[Production], *, quiet: bool) -> None:
    from conformance.report.formats.text import plain_lines, spelling_section
    from conformance.report.safe_text import writable

    for line in plain_lines(spelling_section(found, each=not quiet)):
        click.echo(writable(line, sys.stdout.encoding))


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
