"""`conformance list`: what there is, as aligned text or JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from conformance.cli.main import suggestion
from conformance.cli.options import json_option, printing, specs_option
from conformance.errors import UsageError

if TYPE_CHECKING:
    from conformance.model.spec import Contract, Ruling
    from reference_impl.variants import Variant

_Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Kind:
    """How one kind of thing is listed: its entries, and the members that are columns in the text form."""

    entries: Callable[[Contract, Sequence[str]], Iterable[_Entry]]
    columns: tuple[str, ...]


@click.command("list")
@click.argument(
    "kind",
    type=click.Choice(
        [
            "operations",
            "editions",
            "requirements",
            "readings",
            "rulings",
            "cases",
            "errors",
            "checks",
            "faults",
            "equivalents",
        ],
        case_sensitive=False,
    ),
)
@click.option("--operation", "operations", multiple=True, metavar="ID", help="Only of this operation; repeatable.")
@json_option
@specs_option
@printing
def command(
    kind: str, operations: tuple[str, ...], as_json: bool, specs: Path | None, quiet: bool, verbose: bool
) -> None:
    """List the operations, editions, requirements, readings, rulings, cases, error codes, checks, faults or equivalents.

    With -q only the ids.
    """
    from conformance.contract.load import load_contract
    from conformance.report.formats.text import Grid, Row, plain_lines
    from conformance.report.safe_text import json_safe, visible, writable

    contract = load_contract(specs)
    for operation in operations:
        if operation not in contract.operations:
            known = list(contract.operations)
            raise UsageError(
                f"no operation {operation!r}.{suggestion(operation, known)}",
                hint=f"Known: {', '.join(known)}.",
            )
    chosen = _KINDS[kind]
    entries = list(chosen.entries(contract, operations))
    if as_json:
        click.echo(json_safe(json.dumps(entries, indent=2)))
        return
    columns = chosen.columns[: 2 if kind == "errors" else 1] if quiet else chosen.columns
    rows = tuple(Row(tuple(visible(_cell(entry[name], verbose)) for name in columns)) for entry in entries)
    lines = list(plain_lines([Grid(columns, rows)])) if rows else []
    shown = lines[1:] if quiet else [*lines, f"{len(rows)} {kind}"]
    for line in shown:
        click.echo(writable(line, sys.stdout.encoding))


def _operations(contract: Contract, wanted: Sequence[str]) -> Iterable[_Entry]:
    for operation in sorted(contract.operations.values(), key=lambda operation: operation.id):
        if _is_wanted(operation.id, wanted):
            yield {
                "id": operation.id,
                "short": operation.short,
                "service": operation.service,
                "method": operation.method,
                "path": operation.path,
                "transports": list(operation.transports),
                "media_types": list(operation.media_types),
                "codes": [code.code for code in operation.codes],
            }


def _requirements(contract: Contract, wanted: Sequence[str]) -> Iterable[_Entry]:
    for requirement in sorted(contract.requirements.values(), key=lambda requirement: requirement.id):
        if _is_wanted(requirement.operation, wanted):
            yield {
                "id": requirement.id,
                "operation": requirement.operation,
                "level": requirement.level,
                "document": requirement.document,
                "place": requirement.place,
                "text": requirement.text,
                "untested": requirement.untested,
            }


def _editions(contract: Contract, wanted: Sequence[str]) -> Iterable[_Entry]:
    for operation in sorted(contract.operations.values(), key=lambda operation: operation.id):
        for name, edition in operation.editions.items() if _is_wanted(operation.id, wanted) else ():
            yield {
                "id": name,
                "operation": operation.id,
                "title": edition.title,
                "settles": [f"{reading}={alternative}" for reading, alternative in edition.settles.items()],
                "requirements": [
                    one.id
                    for one in contract.requirements.values()
                    if one.operation == operation.id and one.edition == name
                ],
            }


def _readings(contract: Contract, wanted: Sequence[str]) -> Iterable[_Entry]:
    for reading in sorted(contract.readings.values(), key=lambda reading: reading.id):
        if not wanted or not reading.operations or not set(wanted).isdisjoint(reading.operations):
            yield {
                "id": reading.id,
                "service": reading.service,
                "operations": list(reading.operations),
                "requirement": reading.requirement,
                "question": reading.question,
                "alternatives": dict(reading.alternatives),
            }


def _rulings(contract: Contract, wanted: Sequence[str]) -> Iterable[_Entry]:
    cases = _cases_with_rulings(contract, wanted) if wanted else None
    for ruling in sorted(contract.rulings.values(), key=lambda ruling: ruling.id):
        if cases is None or _is_ruling_of(ruling, contract, wanted, cases):
            yield {
                "id": ruling.id,
                "text": ruling.text,
                "source": ruling.source,
                "readings": list(ruling.readings),
                "cases": list(ruling.cases),
            }


def _cases_with_rulings(contract: Contract, wanted: Sequence[str]) -> Mapping[str, frozenset[str]]:
    """The id of each case of the operations, and what allows its answers."""
    from conformance.cases.fixtures import load_cases

    return {
        case.id: frozenset(name for right in case.expect.any_of for name in right.because)
        for case in load_cases(contract, wanted)
    }


def _is_ruling_of(
    ruling: Ruling, contract: Contract, wanted: Sequence[str], cases: Mapping[str, frozenset[str]]
) -> bool:
    """Whether the ruling speaks of an operation: one of its cases or readings rests on it."""
    readings = [contract.readings[name] for name in ruling.readings if name in contract.readings]
    return any(not set(wanted).isdisjoint(reading.operations) for reading in readings) or any(
        ruling.id in because or any(fnmatchcase(name, pattern) for pattern in ruling.cases)
        for name, because in cases.items()
    )


def _cases(contract: Contract, wanted: Sequence[str]) -> Iterable[_Entry]:
    from conformance.cases.fixtures import load_cases

    for case in sorted(load_cases(contract, wanted or None), key=lambda case: case.id):
        yield {
            "id": case.id,
            "operation": case.operation,
            "title": case.title,
            "requirements": list(case.requirements),
            "role": case.role,
            "transport": case.transport,
            "media_type": case.media_type,
            "code": case.code,
            "tier": case.tier,
        }


def _errors(contract: Contract, wanted: Sequence[str]) -> Iterable[_Entry]:
    for operation in sorted(contract.operations.values(), key=lambda operation: operation.id):
        if _is_wanted(operation.id, wanted):
            for code in operation.codes:
                yield {
                    "operation": operation.id,
                    "code": code.code,
                    "requirement": code.requirement,
                    "messages": list(code.messages),
                }


def _checks(contract: Contract, wanted: Sequence[str]) -> Iterable[_Entry]:
    from conformance.checks.registry import bundled

    chosen = [contract.operations[name] for name in sorted(contract.operations) if _is_wanted(name, wanted)]
    for check in bundled():
        served = [operation for operation in chosen if check.of.includes(operation)]
        if served or not wanted:
            yield {
                "id": check.id,
                "looks_at": check.looks_at,
                "stage": check.stage.name.lower(),
                "answers": list(check.of.shapes),
                "transport": check.of.transport,
                "format": check.of.format.name if check.of.format else None,
                "keys": [key.name for key in check.keys],
                "speaks_for": check.speaks_for or None,
                "requirements": {operation.id: check.requirements(operation) for operation in served if check.keys},
                "blocks": list(check.blocks),
            }


def _faults(_contract: Contract, wanted: Sequence[str]) -> Iterable[_Entry]:
    from reference_impl.faults import FAULTS

    return _variants(FAULTS, wanted)


def _equivalents(_contract: Contract, wanted: Sequence[str]) -> Iterable[_Entry]:
    from reference_impl.equivalents import EQUIVALENTS

    return _variants(EQUIVALENTS, wanted)


def _variants(known: Mapping[str, Variant], wanted: Sequence[str]) -> Iterable[_Entry]:
    for name in sorted(known):
        variant = known[name]
        if _is_wanted(variant.operation, wanted):
            yield {
                "id": variant.id,
                "operation": variant.operation,
                "requirements": list(variant.requirements),
                "summary": variant.summary,
                "edition": variant.edition,
            }


def _is_wanted(operation: str, wanted: Sequence[str]) -> bool:
    return not wanted or operation in wanted


def _cell(value: Any, verbose: bool) -> str:
    """A member as text; long ones are cut unless verbose."""
    if value is None:
        return ""
    text = ", ".join(str(item) for item in value) if isinstance(value, (list, dict)) else str(value)
    return text if verbose or len(text) <= 100 else f"{text[:97]}…"


_KINDS: Mapping[str, _Kind] = {
    "operations": _Kind(_operations, ("id", "method", "path", "transports", "media_types", "codes")),
    "editions": _Kind(_editions, ("id", "operation", "settles", "title")),
    "requirements": _Kind(_requirements, ("id", "level", "place", "text")),
    "readings": _Kind(_readings, ("id", "alternatives", "question")),
    "rulings": _Kind(_rulings, ("id", "text")),
    "cases": _Kind(_cases, ("id", "role", "requirements", "title")),
    "errors": _Kind(_errors, ("operation", "code", "requirement", "messages")),
    "checks": _Kind(_checks, ("id", "stage", "answers", "keys", "blocks", "looks_at")),
    "faults": _Kind(_faults, ("id", "operation", "requirements", "summary")),
    "equivalents": _Kind(_equivalents, ("id", "operation", "summary")),
}
