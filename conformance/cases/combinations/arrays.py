"""The cases that cover the combinations of the levels of an operation's factors, and the array that they come from.

Covering arrays are rows in which all possible combinations of so many factors stand, made once and carried along.

Each row is a line of a file beside the corpus, a character for each factor: the place of its level. A case is made of
each and called by it, so that a new array gives no id to another case. What must hold of it comes from the model of the
operation.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from conformance.cases.combinations.account_cases import case_of_call
from conformance.cases.combinations.accounts import levels_of_call
from conformance.cases.combinations.count import Combination, Coverage, Grid, Row, covering_rows, worthwhile
from conformance.cases.combinations.lists import Levels, case_of_list, levels_of_list
from conformance.cases.generated.accounts import MODELS
from conformance.cases.generated.rules import SearchSpace, search_space
from conformance.cases.generated.source import Source
from conformance.cases.make import Channel, channels, suffix
from conformance.cases.message import codec_of
from conformance.contract.load import read_factors
from conformance.errors import SpecError
from conformance.formats.registry import formats_for
from conformance.model.case import Case
from conformance.model.scenario import Factor, Factors, Meeting
from conformance.model.spec import Operation

FAMILY = "combinations"
STRENGTH = 3
"""Of the arrays whose cases are among the named ones of every run."""
STRONGEST = 4
"""Of the arrays whose cases a run has that asks for them."""
_SHARE = 0.99
"""Of the combinations, as many as its cases cover. The other cases of a run bring more than the rows that are left out."""
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_READERS: Mapping[str, Callable[[SearchSpace, Sequence[Factor], Case], Iterator[Levels]]] = {
    "cancel-list": levels_of_list,
    **dict.fromkeys(MODELS, levels_of_call),
}
_WRITERS: Mapping[str, Callable[[SearchSpace, Sequence[Factor], Mapping[str, str]], Case | None]] = {
    "cancel-list": case_of_list,
    **dict.fromkeys(MODELS, case_of_call),
}


@dataclass(frozen=True, eq=False)
class Counted:
    """An operation whose combinations are counted: its factors, and what reads and makes cases."""

    space: SearchSpace
    grid: Grid

    @property
    def operation(self) -> Operation:
        """The operation."""
        return self.space.operation

    def rows(self, case: Case) -> frozenset[Row]:
        """The rows that a case has; none for one with a level that is not listed."""
        read = _READERS[self.space.rules.model](self.space, self.grid.factors.factors, case)
        return frozenset(row for levels in read if (row := self.grid.row(levels)) is not None)

    def texts(self, case: Case) -> tuple[str, ...]:
        """The rows that a case has, as fixtures and journals hold them."""
        return tuple(sorted(row_text(self.grid, row) for row in self.rows(case)))

    def case(self, row: Row) -> Case | None:
        """A case that has a row; None where the model predicts nothing."""
        return _WRITERS[self.space.rules.model](self.space, self.grid.factors.factors, self.grid.named(row))


def counted(operation: Operation) -> Counted | None:
    """The operation as its combinations are counted; None where it has no factors, no model, or no schema that is sound."""
    factors = read_factors(operation)
    if factors is None or operation.explore is None or operation.explore.model not in _READERS:
        return None
    codecs = {one: codec_of(operation, one) for one in formats_for(operation.media_types)}
    try:
        space = search_space(Source(operation, (), tuple(channels(operation)), codecs), (), ())
    except SpecError:  # the rules of `specs check` tell of it, and other cases need none
        return None
    return None if space is None else Counted(space, Grid(_with_what_is_missing(operation, factors)))


def _with_what_is_missing(operation: Operation, factors: Factors) -> Factors:
    """The factors, of which no row has a transport or a media type that the operation lacks."""
    known: Mapping[str, Sequence[str]] = {"transport": operation.transports, "media-type": operation.media_types}
    never = tuple(
        Meeting(f"the call has no such {one.of}", {one.name: lacking})
        for one in factors.factors
        if (lacking := tuple(level for level in one.levels if level not in known.get(one.of, one.levels)))
    )
    return replace(factors, impossible=(*factors.impossible, *never))


def combination_cases(operation: Operation, strength: int = STRENGTH) -> Iterator[Case]:
    """The cases of the operation's array, if it has factors and an array. Raises `SpecError` for a row without a case."""
    found, path = counted(operation), array_file(operation, strength)
    if found is None or not path.exists():
        return
    family = FAMILY if strength == STRENGTH else f"{FAMILY}-{strength}"
    for row in read_array(path, found.grid):
        if found.grid.forbids(row):  # of an array that is older than the operation's file
            continue
        case = found.case(row)
        title = ", ".join(f"{name} {level}" for name, level in found.grid.named(row).items())
        if case is None:
            what = f"the row {row_text(found.grid, row)} is no case: the model predicts nothing for {title}"
            hint = "What nobody can predict belongs under `impossible` of factors.yaml."
            raise SpecError(what, where=str(operation.folder / "factors.yaml"), hint=hint)
        way = suffix(operation, Channel(case.transport, case.media_type))
        identifier = f"{operation.short}/{family}/{row_text(found.grid, row)}@{way}"
        yield replace(case, id=identifier, title=title, tier="named", rows=found.texts(case))


def strength_of(case_id: str) -> int:
    """Of which arrays a run must have the cases for it to have this one."""
    return STRONGEST if f"/{FAMILY}-{STRONGEST}/" in case_id else STRENGTH


def array_file(operation: Operation, strength: int) -> Path:
    """Where the array of this strength stands."""
    return operation.folder / "corpus" / f"combinations-{strength}.txt"


def address_of(operation: Operation, strength: int) -> str:
    """What an array depends on: the factors, how strong it is, and which channels there are."""
    factors = (operation.folder / "factors.yaml").read_bytes()
    rest = json.dumps([strength, operation.transports, operation.media_types])
    return hashlib.sha256(factors + rest.encode()).hexdigest()


def row_text(grid: Grid, row: Row) -> str:
    """A row in one character for each factor: the place of its level among those of the factor."""
    return "".join([_DIGITS[number - numbers.start] for number, numbers in zip(row, grid.levels, strict=True)])


def row_of(grid: Grid, text: str) -> Row | None:
    """The row of a text; None where it is none of this grid."""
    places = [_DIGITS.find(character) for character in text]
    if len(places) != len(grid.levels):
        return None
    pairs = list(zip(places, grid.levels, strict=True))
    return tuple(numbers[place] for place, numbers in pairs) if all(0 <= p < len(n) for p, n in pairs) else None


def read_array(path: Path, grid: Grid) -> tuple[Row, ...]:
    """The rows of a file. Raises `SpecError` for one that belongs to other factors."""
    hint = "Run `conformance fixtures build`, which makes it anew."
    try:
        _, *lines = path.read_text("ascii").splitlines()
    except (OSError, ValueError) as error:
        raise SpecError(f"not an array: {error}", where=str(path), hint=hint) from error
    rows = tuple(row for line in lines if (row := row_of(grid, line)) is not None)
    if len(rows) < len(lines):
        raise SpecError("the array is not one of the factors beside it", where=str(path), hint=hint)
    return rows


def stale_arrays(operations: Iterable[Operation]) -> Iterator[tuple[Operation, int]]:
    """Operation and strength of each array that belongs to other factors than those at hand, or is not there."""
    for one in operations:
        if counted(one) is not None:
            yield from ((one, strength) for strength in (STRENGTH, STRONGEST) if not _possible(one, strength))


def _possible(operation: Operation, strength: int) -> Mapping[str, int]:
    """How many combinations of how many factors are possible, as the array has it; empty where it is stale or not there."""
    path = array_file(operation, strength)
    if not path.exists():
        return {}
    try:
        head = json.loads(path.read_text("ascii").partition("\n")[0])
        possible: Mapping[str, int] = head["possible"]
        return possible if head["address"] == address_of(operation, strength) else {}
    except (OSError, ValueError, LookupError, TypeError):
        return {}


def write_array(operation: Operation, strength: int = STRENGTH) -> int:
    """Make the array of this strength anew, and write it; how many rows it has."""
    found = counted(operation)
    assert found is not None
    rows = covering_rows(found.grid, strength)
    if strength == STRENGTH:
        rows = worthwhile(found.grid, rows, strength, _SHARE)
    head: dict[str, Any] = {"address": address_of(operation, strength), "operation": operation.id, "strength": strength}
    head["possible"] = {str(number): len(found.grid.possible(number)) for number in range(2, strength + 1)}
    path = array_file(operation, strength)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([json.dumps(head), *(row_text(found.grid, row) for row in rows)]) + "\n", "ascii")
    return len(rows)


def coverage(found: Counted, rows: Mapping[str, str], strength: int) -> Coverage:
    """What rows cover, as journals hold them; each with why its cases were not carried out, "" where one was."""
    here, hindered, _ = covering(found, rows, strength)
    counts = _possible(found.operation, max(strength, STRENGTH))
    possible = counts.get(str(strength)) or len(found.grid.possible(strength))
    reasons = {why: len(combinations) for why, combinations in sorted(hindered.items()) if combinations}
    return Coverage(found.operation.id, strength, found.grid.size(strength), possible, len(here), reasons)


def covering(
    found: Counted, rows: Mapping[str, str], strength: int
) -> tuple[set[Combination], dict[str, set[Combination]], set[Combination]]:
    """The combinations that are covered; those only in cases that were not carried out, by the reason; both together."""
    by_reason: dict[str, list[Row]] = {}
    for text, why in rows.items():
        row = row_of(found.grid, text)
        if row is not None:
            by_reason.setdefault(why, []).append(row)
    here = found.grid.covered(by_reason.pop("", ()), strength)
    every, hindered = set(here), {}
    for why in sorted(by_reason):
        hindered[why] = found.grid.covered(by_reason[why], strength) - every
        every |= hindered[why]
    return here, hindered, every
