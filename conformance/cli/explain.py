"""`conformance explain ID`: what an id stands for, and why it is tested."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from conformance.cli.main import suggestion
from conformance.cli.options import printing, seed_option, specs_option
from conformance.errors import UsageError

if TYPE_CHECKING:
    from conformance.checks.registry import Check
    from conformance.model.case import Case
    from conformance.model.spec import Contract, Operation, Reading, Requirement, Ruling
    from reference_impl.variants import Variant

_Lines = Iterable[str]
_MOST_CASES = 40


@click.command("explain")
@click.argument("identifier", metavar="ID")
@seed_option("Seed of the run that the generated case comes from.")
@specs_option
@printing
def command(identifier: str, seed: int, specs: Path | None, quiet: bool, verbose: bool) -> None:
    """Explain ID: a requirement, reading, ruling, case, operation, check, fault or equivalent.

    A case may also be a generated one, or stand in a file: whatever `conformance replay` takes.

    With -q the first line only; with -v every case of a requirement.
    """
    from conformance.report.safe_text import writable

    known = _known(specs, verbose=verbose)
    folded = {name.casefold(): name for name in known}
    name = folded.get(identifier.casefold())
    explained = _made(identifier, seed, specs) if name is None else known[name]
    if explained is None:
        ids = "conformance list shows the ids: of operations, requirements, readings, cases, checks, faults, …"
        raise UsageError(
            f"nothing is called {identifier!r}.{suggestion(identifier, known)}",
            hint="Give the --seed of the run that made it." if "/generated/" in identifier else ids,
        )
    encoding = sys.stdout.encoding
    for line in explained():
        click.echo(writable(line.rstrip(), encoding))
        if quiet:
            return


def _made(identifier: str, seed: int, specs: Path | None) -> Callable[[], _Lines] | None:
    """The same of a case that is in no list: a generated one, one for four factors, or one in a file; None for none."""
    from conformance.cases.combinations.arrays import STRENGTH, strength_of
    from conformance.cases.fixtures import load_cases
    from conformance.cases.generated.stream import find_case
    from conformance.cli.replay import from_file, is_file
    from conformance.contract.load import load_contract

    contract = load_contract(specs)
    if is_file(identifier):
        return partial(_case, from_file(identifier, contract), contract, identifier)
    if (strength := strength_of(identifier)) > STRENGTH:
        short = identifier.partition("/")[0]
        operations = [one.id for one in contract.operations.values() if one.short == short]
        every = load_cases(contract, operations, strength=strength, every_edition=True) if operations else ()
        found = next((case for case in every if case.id == identifier), None)
        return None if found is None else partial(_case, found, contract, identifier)
    found = find_case(contract, identifier, seed)
    replay = f"{identifier} --seed {seed}" if seed else identifier
    return None if found is None else partial(_case, found, contract, replay)


def _known(specs: Path | None, *, verbose: bool) -> Mapping[str, Callable[[], _Lines]]:
    """Every id with the function that explains it."""
    from conformance.cases.fixtures import load_cases
    from conformance.checks.registry import bundled
    from conformance.contract.load import load_contract
    from reference_impl.equivalents import EQUIVALENTS
    from reference_impl.faults import FAULTS

    contract = load_contract(specs)
    cases = load_cases(contract, every_edition=True)
    known: dict[str, Callable[[], _Lines]] = {}
    for variant in (*EQUIVALENTS.values(), *FAULTS.values()):
        known[variant.id] = partial(_variant, variant, contract)
    for case in cases:
        known[case.id] = partial(_case, case, contract, case.id)
    for reading in contract.readings.values():
        known[reading.id] = partial(_reading, reading, cases)
    for ruling in contract.rulings.values():
        told, before = partial(_ruling, ruling, cases), known.get(ruling.id)
        known[ruling.id] = told if before is None else partial(_both, before, told)
    for requirement in contract.requirements.values():
        known[requirement.id] = partial(_requirement, requirement, contract, cases, verbose)
    for operation in contract.operations.values():
        known[operation.id] = partial(_operation, operation, contract, cases)
    for check in bundled():
        explained = partial(_check, check, contract, tuple(FAULTS.values()))
        other = known.get(check.id)
        known[check.id] = explained if other is None else partial(_both, explained, other)
    return known


def _requirement(requirement: Requirement, contract: Contract, cases: tuple[Case, ...], verbose: bool) -> _Lines:
    yield f"{requirement.id}: requirement ({requirement.level}) of {requirement.operation}"
    yield from _wrapped(requirement.text)
    yield from _facts([("document", requirement.document), ("place", requirement.place)])
    if requirement.untested is not None:
        yield from _facts([("untested", requirement.untested)])
    codes = contract.operations[requirement.operation].codes
    yield from _facts(("error code", code.code) for code in codes if code.requirement == requirement.id)
    asked = [reading.id for reading in contract.readings.values() if reading.requirement == requirement.id]
    yield from _facts(("open question", name) for name in sorted(asked))
    naming = [case for case in cases if requirement.id in case.requirements]
    yield from _case_list(naming, len(naming) if verbose else _MOST_CASES)


def _reading(reading: Reading, cases: tuple[Case, ...]) -> _Lines:
    yield f"{reading.id}: reading of {', '.join(reading.operations) or reading.service}"
    yield from _wrapped(reading.question)
    yield from _facts(reading.alternatives.items())
    if reading.requirement:
        yield from _facts([("requirement", reading.requirement)])
    start = f"{reading.id}="
    showing = [
        case
        for case in cases
        if any(shown.startswith(start) for option in case.expect.any_of for shown in option.readings)
    ]
    yield "  Any of them is accepted unless the target file pins one."
    yield from _case_list(showing, _MOST_CASES)


def _ruling(ruling: Ruling, cases: tuple[Case, ...]) -> _Lines:
    yield f"{ruling.id}: ruling"
    yield from _wrapped(ruling.text)
    yield from _facts([("source", ruling.source), *(("reading", name) for name in ruling.readings)])
    yield "  These cases fail where it is broken:"
    yield from _case_list(
        [case for case in cases if any(fnmatchcase(case.id, pattern) for pattern in ruling.cases)], _MOST_CASES
    )


def _case(case: Case, contract: Contract, replay: str) -> _Lines:
    """`replay` is what `conformance replay` takes for it."""
    from conformance.report.wording import case_facts, expectation_lines, message_lines

    yield f"{case.id}: case ({case.tier})"
    yield from _wrapped(case.title)
    yield from _facts(case_facts(case))
    for name in case.requirements:
        requirement = contract.requirements.get(name)
        if requirement is not None:
            yield from _wrapped(f"{name}: {requirement.text}")
    for earlier in case.before:
        yield from _block("sent before", message_lines(earlier))
    yield from _block("sent", message_lines(case.message))
    seen = contract.operations[case.operation]
    yield from _block("expected", expectation_lines(case.expect, seen))
    for other in case.beside:
        yield from _block("sent beside", message_lines(other.message))
        yield from _block("expected of that", expectation_lines(other.expect, seen))
    yield f"  replay: conformance replay {replay}"


def _operation(operation: Operation, contract: Contract, cases: tuple[Case, ...]) -> _Lines:
    yield f"{operation.id}: operation {operation.call} of {operation.service}"
    requirements = [one for one in contract.requirements.values() if one.operation == operation.id]
    yield from _facts(
        [
            ("sent as", f"{operation.method} {operation.path}"),
            ("transports", ", ".join(operation.transports)),
            ("media types", ", ".join(operation.media_types)),
            ("roles allowed", ", ".join(operation.roles_allowed)),
            ("roles refused", ", ".join(operation.roles_refused)),
            ("requirements", str(len(requirements))),
            ("cases", str(sum(case.operation == operation.id for case in cases))),
        ]
    )
    for code in operation.codes:
        messages = f": {' or '.join(code.messages)}" if code.messages else ""
        yield from _facts([("code", f"{code.code}{messages} ({code.requirement})")])


def _check(check: Check, contract: Contract, faults: Sequence[Variant]) -> _Lines:
    """The code of the check, its requirement in each operation, and the faults that break one of these."""
    yield f"{check.id}: check of the stage {check.stage.name.lower()}"
    yield from _wrapped(f"Looks whether {check.looks_at}.")
    limits = [("transport", check.of.transport), ("format", check.of.format and check.of.format.name)]
    yield from _facts([("answers", ", ".join(check.of.shapes)), *((name, value) for name, value in limits if value)])
    yield from _facts([("requirement keys", ", ".join(key.name for key in check.keys) or "none")])
    if check.speaks_for:
        yield from _facts([("else speaks for" if check.keys else "speaks for", check.speaks_for)])
    for name in sorted(contract.operations):
        operation = contract.operations[name]
        named = check.requirements(operation) if check.of.includes(operation) else {}
        yield from _facts((f"{name}, {key}", requirement) for key, requirement in named.items())
        broken = [
            one.id for one in faults if one.operation == name and not set(named.values()).isdisjoint(one.requirements)
        ]
        yield from _wrapped(f"{name}, faults that break it: {', '.join(broken)}") if broken else ()
    yield from _facts([("blocks", ", ".join(check.blocks) or "nothing")])


def _both(one: Callable[[], _Lines], other: Callable[[], _Lines]) -> _Lines:
    """A check, a reading and a ruling may have the same id."""
    yield from one()
    yield from other()


def _variant(variant: Variant, contract: Contract) -> _Lines:
    yield f"{variant.id}: {variant.kind} of {variant.operation}"
    yield from _wrapped(variant.summary)
    for name in variant.requirements:
        requirement = contract.requirements.get(name)
        words = "not in this contract" if requirement is None else requirement.text
        yield from _wrapped(f"violates {name}: {words}")
    yield f"  serve it: conformance serve --{variant.kind} {variant.id}"


def _case_list(cases: list[Case], most: int) -> _Lines:
    if cases:
        yield f"  cases: {len(cases)}"
        for case in cases[:most]:
            yield f"    {case.id}"
        if len(cases) > most:
            yield f"    and {len(cases) - most} more (-v shows all)"


def _wrapped(text: str) -> _Lines:
    return textwrap.wrap(text, 100, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)


def _facts(facts: Iterable[tuple[str, str]]) -> _Lines:
    return (f"  {name}: {value}" for name, value in facts)


def _block(title: str, lines: _Lines) -> _Lines:
    yield f"  {title}:"
    for line in lines:
        yield f"    {line}"
