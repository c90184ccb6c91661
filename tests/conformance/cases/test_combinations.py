"""Combinations of levels: what is possible, what rows cover, what a case says of itself, and the arrays that are carried."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import combinations, product
from pathlib import Path

import pytest

from conformance.cases.combinations.arrays import (
    FAMILY,
    STRENGTH,
    STRONGEST,
    array_file,
    combination_cases,
    counted,
    coverage,
    read_array,
    row_of,
    row_text,
    stale_arrays,
)
from conformance.cases.combinations.count import Grid, covering_rows, worthwhile
from conformance.cases.fixtures import load_cases
from conformance.contract.load import load_contract, read_factors
from conformance.errors import SpecError
from conformance.model.case import Transport
from conformance.model.scenario import Factor, Factors, Meeting

CONTRACT = load_contract()
OPERATIONS = sorted(CONTRACT.operations)
SOURCE = CONTRACT.operations["alphapoint.cancel_all_orders"]
NAMED = {name: load_cases(CONTRACT, (name,)) for name in OPERATIONS}


def _factor(name: str, *levels: str) -> Factor:
    return Factor(name, "role", dict.fromkeys(levels, ""))


SMALL = Grid(
    Factors(
        (_factor("a", "1", "2", "3"), _factor("b", "1", "2"), _factor("c", "1", "2", "3"), _factor("d", "1", "2")),
        (
            Meeting("never", {"a": ("1",), "b": ("1",)}),
            Meeting("never", {"b": ("2",), "c": ("1", "2"), "d": ("1",)}),
        ),
        (Meeting("refused", {"d": ("2",)}),),
    )
)


def _rows() -> list[tuple[int, ...]]:
    """Every row of the small grid, by its rules as a person reads them."""
    every = product("123", "12", "123", "12")
    fits = [row for row in every if row[:2] != ("1", "1") and not (row[1] == "2" and row[2] in "12" and row[3] == "1")]
    found = [SMALL.row(dict(zip("abcd", row, strict=True))) for row in fits]
    return [row for row in found if row is not None]


@pytest.mark.parametrize("strength", [2, 3])
def test_possible_is_what_some_row_covers(strength: int) -> None:
    rows = _rows()
    assert len(rows) == 24
    expected = set()
    for row in rows:
        refused = SMALL.named(row)["d"] == "2"
        for one in combinations(row, strength):
            if not refused or SMALL.named(one).get("d") == "2":
                expected.add(one)
    assert SMALL.possible(strength) == expected


def test_rules_leave_no_row_and_no_combination_that_breaks_them() -> None:
    assert SMALL.row({"a": "1", "b": "1", "c": "3", "d": "1"}) is None
    assert SMALL.row({"a": "4", "b": "1", "c": "3", "d": "1"}) is None
    assert {SMALL.words(one) for one in SMALL.every(2)} - {SMALL.words(one) for one in SMALL.possible(2)} == {
        "a=1, b=1", "b=2, c=1", "b=2, c=2", "a=1, c=1", "a=1, c=2",
    }  # fmt: skip  # of the last two, only rows for which a call is refused have them: b must be 2, so d must be 2


def test_array_covers_everything_and_is_the_same_each_time() -> None:
    rows = covering_rows(SMALL, 3)
    assert SMALL.covered(rows, 3) == SMALL.possible(3)
    assert rows == covering_rows(SMALL, 3)
    kept = worthwhile(SMALL, rows, 3, 0.8)
    assert len(kept) < len(rows)
    assert SMALL.covered(kept, 2) == SMALL.possible(2)
    assert len(SMALL.covered(kept, 3)) >= 0.8 * len(SMALL.possible(3))


def test_row_for_which_a_call_is_refused_covers_its_reason_alone() -> None:
    row = SMALL.row({"a": "2", "b": "1", "c": "3", "d": "2"})
    assert row is not None
    assert {SMALL.words(one) for one in SMALL.covered((row,), 2)} == {"a=2, d=2", "b=1, d=2", "c=3, d=2"}


@pytest.mark.parametrize("name", OPERATIONS)
def test_case_of_a_row_has_that_row(name: str) -> None:
    found = counted(CONTRACT.operations[name])
    assert found is not None
    rows = read_array(array_file(found.operation, STRENGTH), found.grid)
    cases = {case.id.split("@")[0].split("/")[2]: case for case in NAMED[name] if f"/{FAMILY}/" in case.id}
    assert len(cases) == len(rows) > 200
    for row in rows:
        text = row_text(found.grid, row)
        assert text in cases[text].rows
        assert row in found.rows(cases[text])
        assert row_of(found.grid, text) == row


@pytest.mark.parametrize("name", OPERATIONS)
def test_named_cases_cover_all_pairs_and_99_of_100_triples(name: str) -> None:
    found = counted(CONTRACT.operations[name])
    assert found is not None
    rows = {text: "" for case in NAMED[name] for text in case.rows}
    pairs, triples = (coverage(found, rows, strength) for strength in (2, 3))
    assert pairs.possible == len(found.grid.possible(2))
    assert (pairs.share, pairs.uncovered) == (1.0, 0)
    assert triples.share >= 0.99
    assert triples.uncovered == triples.possible - triples.covered


def test_combination_only_in_cases_that_were_not_carried_out_is_listed_with_the_reason() -> None:
    found = counted(CONTRACT.operations["alphapoint.cancel_all_orders"])
    assert found is not None
    case = next(case for case in NAMED[found.operation.id] if case.id == "cao/response/sample@http")
    (text,) = found.texts(case)
    assert found.grid.named(row_of(found.grid, text) or ()) == {
        "role": "trading", "transport": "http", "session": "run", "keys": "documented", "oms": "right",
        "account": "first", "stands": "order", "beside": "nothing", "earlier": "none",
    }  # fmt: skip
    seen = coverage(found, {text: "no-role"}, 2)
    assert (seen.covered, dict(seen.hindered)) == (0, {"no-role": 36})
    assert seen.uncovered == seen.possible - 36


SKEWED = {
    "a body that nobody reads": lambda case: replace(
        case, message=replace(case.message, body=replace(case.message.body, text="{"))
    ),
    "another method": lambda case: replace(case, message=replace(case.message, method="PUT")),
    "another path": lambda case: replace(case, message=replace(case.message, path="/other")),
    "a header of another kind": lambda case: replace(
        case, message=replace(case.message, headers=(*case.message.headers, ("X-HTTP-Method-Override", "GET")))
    ),
    "several copies": lambda case: replace(case, together=2),
}


@pytest.mark.parametrize("skew", SKEWED)
@pytest.mark.parametrize("name", OPERATIONS)
def test_case_about_something_else_covers_nothing(name: str, skew: str) -> None:
    found = counted(CONTRACT.operations[name])
    assert found is not None
    case = next(case for case in NAMED[name] if f"/{FAMILY}/" in case.id and not case.transport.framed)
    assert found.texts(case)
    assert found.texts(SKEWED[skew](case)) == ()


def test_lists_are_seen_from_each_instruction() -> None:
    found = counted(CONTRACT.operations["tpp.create_cancellations"])
    assert found is not None
    case = next(case for case in NAMED[found.operation.id] if case.id == "tpp/response/three-kinds@text-xml")
    seen = [found.grid.named(row) for row in found.rows(case)]
    assert sorted((one["thing"], one["behind"], one["ahead"]) for one in seen) == [
        ("cancelled-order", "other-kind", "last"),
        ("open-international-order", "other-kind", "failing"),
        ("open-order", "first", "other-kind"),
    ]
    assert {(one["media"], one["accept"], one["count"]) for one in seen} == {("text/xml", "text/xml", "3")}


def test_level_that_the_call_has_no_channel_for_is_possible_in_no_row() -> None:
    over_http = replace(SOURCE, transports=(Transport.HTTP,))
    cases = list(combination_cases(over_http))
    assert {case.transport for case in cases} == {Transport.HTTP}
    assert 0 < len(cases) < sum(f"/{FAMILY}/" in case.id for case in NAMED[SOURCE.id])
    found, whole = counted(over_http), counted(SOURCE)
    assert found is not None
    assert whole is not None
    lost = {words for one in whole.grid.possible(2) - found.grid.possible(2) if (words := whole.grid.words(one))}
    assert lost
    assert all("transport=ws" in words or "session=after-another" in words for words in lost)
    assert coverage(found, {}, 2).possible == len(found.grid.possible(2))


def _copied(folder: Path, change: tuple[str, str]) -> Path:
    """An operation's folder with a change in its factors."""
    source = SOURCE.folder
    for path in (*source.glob("*.json"), array_file(SOURCE, STRENGTH)):
        target = folder / path.relative_to(source)
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(path.read_bytes())
    text = (source / "factors.yaml").read_text("utf-8")
    assert change[0] in text
    (folder / "factors.yaml").write_text(text.replace(*change, 1), "utf-8")
    return folder


def _in(folder: Path):
    return replace(CONTRACT.operations["alphapoint.cancel_all_orders"], folder=folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("trading: may touch", "trader: may touch"), "role has no level 'trading'"),
        (("when: {session: [", "when: {sesion: ["), "sesion"),
        (("name: keys", "name: role"), "factor role is defined twice"),
        (("of: keys", "of: kees"), "'kees' is none of"),
    ],
)
def test_mistake_in_factors_names_file_and_line(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    with pytest.raises(SpecError) as raised:
        read_factors(_in(_copied(tmp_path, change)))
    told = [raised.value, *raised.value.others]
    assert any(message in one.message and re.search(r"factors\.yaml:\d+", one.where or "") for one in told)


def test_array_of_other_factors_is_stale_and_one_of_other_levels_is_refused(tmp_path: Path) -> None:
    assert list(stale_arrays(CONTRACT.operations.values())) == []
    operation = _in(_copied(tmp_path, ("{http: a request, ws: a frame on a socket}", "{http: a request}")))
    assert list(stale_arrays((operation,))) == [(operation, STRENGTH), (operation, STRONGEST)]
    with pytest.raises(SpecError, match="not one of the factors"):
        list(combination_cases(operation))


def test_row_that_no_model_predicts_names_the_row(tmp_path: Path) -> None:
    """Of a call without an account by an operator the model says nothing; here the rule that says so is missing."""
    rule = "when: {role: [operator, marketmaker, none], account: [absent]}"
    operation = _in(_copied(tmp_path, (rule, "when: {role: [marketmaker, none], account: [absent]}")))
    found = counted(operation)
    assert found is not None
    row = found.grid.row(
        {**found.grid.named(read_array(array_file(operation, STRENGTH), found.grid)[0]), **OF_OPERATOR}
    )
    assert row is not None
    array_file(operation, STRENGTH).write_text(f"{{}}\n{row_text(found.grid, row)}\n", "ascii")
    with pytest.raises(SpecError, match="is no case"):
        list(combination_cases(operation))


OF_OPERATOR = {
    "role": "operator", "oms": "right", "account": "absent", "stands": "order", "beside": "nothing", "earlier": "none",
}  # fmt: skip
