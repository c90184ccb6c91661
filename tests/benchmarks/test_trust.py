"""docs/trust.md says what was recorded, and every check and family of cases is there for a fault or with a reason."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import trust
from benchmarks.depth import DEPTHS, depth_of
from benchmarks.detection import OURS
from benchmarks.schemathesis_tool import BEST
from benchmarks.trust_detection import KEPT, alone_by, detection_text, kept_reasons, unknown
from benchmarks.trust_page import page_of
from benchmarks.trust_record import (
    Finders,
    Record,
    equivalent_groups,
    families_of,
    fault_groups,
    read_record,
    write_record,
)
from benchmarks.trust_tools import tools_text
from conformance.cases.fixtures import load_cases
from conformance.checks.registry import bundled
from conformance.contract.load import load_contract
from conformance.selftest.suspects import Attempt, Suspect, family_of, try_suspects
from reference_impl.equivalents import EQUIVALENTS
from reference_impl.faults import FAULTS

RECORD = read_record()
CONTRACT = load_contract()
CASES = load_cases(CONTRACT, every_edition=True)
AGAIN = "record it: python -m benchmarks.trust --record"


def families() -> set[str]:
    return {f"{case.id.partition('/')[0]}/{family_of(case.id)}" for case in CASES}


def test_the_page_and_the_table_are_what_the_record_gives(capsys: pytest.CaptureFixture[str]) -> None:
    assert trust.main(["--check"]) == 0, capsys.readouterr().out[-3000:]


def test_every_variant_is_recorded() -> None:
    assert unknown(RECORD) == [], AGAIN
    assert sorted(EQUIVALENTS) == sorted(RECORD.alarms), AGAIN


def test_every_fault_was_caught_and_no_equivalent_failed() -> None:
    assert [name for name, found in RECORD.faults.items() if not found.caught] == []
    assert [name for name, alarms in RECORD.alarms.items() if alarms] == []


def test_the_groups_hold_every_variant_once() -> None:
    for groups, known in ((fault_groups(), FAULTS), (equivalent_groups(), EQUIVALENTS)):
        assert sorted(one.id for group in groups for one in group.variants) == sorted(known)
        assert all(group.title for group in groups)


@pytest.mark.parametrize(
    ("kind", "known"),
    [("checks", {check.id for check in bundled()}), ("families", families())],
    ids=["checks", "families"],
)
def test_each_check_and_family_alone_finds_a_fault_or_is_kept_with_a_reason(kind: str, known: set[str]) -> None:
    rows = {row.name: row for row in alone_by(RECORD, "checks" if kind == "checks" else "families")}
    needless = {name for name in known if not (rows.get(name) and rows[name].faults)}
    kept = kept_reasons()["checks" if kind == "checks" else "families"]
    assert needless - set(kept) == set(), f"say in {KEPT.name} why they are kept, or take them away"
    assert set(kept) - needless == set(), f"take them out of {KEPT.name}: a fault needs them, or they do not exist"
    assert all(len(reason) > 20 for reason in kept.values())
    assert {row.name for row in rows.values() if row.finds} <= known


def attempt_of(fault: str, without_family: str = "", *, every_case: bool = True) -> Attempt:
    variant = FAULTS[fault]
    cases = [case for case in CASES if case.operation == variant.operation and family_of(case.id) != without_family]
    suspect = Suspect(fault, "fault", variant.operation, variant.requirements)
    (attempt,) = asyncio.run(try_suspects(CONTRACT, cases, [suspect], 1, lambda _attempt: None, every_case=every_case))
    return attempt


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", ["cao/effects", "tpp/pin"])
def test_without_its_family_a_recorded_fault_is_missed(name: str) -> None:
    (row,) = [row for row in alone_by(RECORD, "families") if row.name == name]
    fault = row.faults[0]
    assert attempt_of(fault, every_case=False).caught
    assert attempt_of(fault, name.partition("/")[2]).by == ()


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", ["outcome", "xml-nil"])
def test_without_its_check_a_recorded_fault_is_missed(name: str) -> None:
    (row,) = [row for row in alone_by(RECORD, "checks") if row.name == name]
    fault = row.faults[0]
    own = {check for _, check, requirement in attempt_of(fault).findings if requirement in FAULTS[fault].requirements}
    assert own == {name}


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    record = Record(
        {"b": Finders(True, ("x",), ("y", "z"), ("w",)), "a": Finders(False, (), ())},
        {"e": 0},
        {"o": ["w", "x"]},
        {"wall_s": 1.5},
        {"judged": [{"id": "a"}], "n": 1},
    )
    write_record(record, tmp_path / "record.json")
    assert read_record(tmp_path / "record.json") == record
    assert read_record(tmp_path / "none.json") == Record()


def test_a_missed_fault_shows_on_the_page_and_in_the_table() -> None:
    name = next(iter(sorted(RECORD.faults)))
    worse = replace(RECORD, faults={**RECORD.faults, name: Finders(False, (), ())})
    count = len(RECORD.faults)
    assert f"**{count}** | **{count}**" in page_of(RECORD)
    assert f"**{count}** | **{count - 1}**" in page_of(worse)
    assert name not in detection_text(worse)


def found(by: str, wall_s: float = 1.0) -> dict[str, object]:
    return {"by": by.split(), "wall_s": wall_s, "cases": 7}


def test_the_table_beside_schemathesis_counts_each_depth_apart() -> None:
    ids = {depth: next(name for name, one in RECORD.faults.items() if depth_of(one) == depth) for depth in DEPTHS}
    ways = {way.name: found("JsonSchemaError") for way in BEST}
    judged: list[dict[str, object]] = [
        {"id": ids["simple"], "kind": "fault", "found": {OURS: found("R"), **ways}},
        {"id": ids["medium"], "kind": "fault", "found": {OURS: found("R"), **ways, BEST[0].name: found("")}},
        {"id": ids["complex"], "kind": "fault", "found": {OURS: found(""), **{name: found("") for name in ways}}},
        {"id": "tpp-slow", "kind": "equivalent", "found": {OURS: found(""), **ways, BEST[0].name: found("")}},
    ]
    text = tools_text(replace(RECORD, tools={"schemathesis": "4.9", "budgets_s": {"o.p": 6}, "judged": judged}))
    rows = {
        row.split("|")[1].strip(): [cell.strip() for cell in row.split("|")[3:-1]]
        for row in text.splitlines()
        if row[:1] == "|"
    }
    assert rows["simple faults caught"] == ["1", "1", "1", "1", "1"]
    assert rows["medium faults caught"] == ["1", "1", "0", "1", "1"]
    assert rows["complex faults caught"] == ["1", "0", "0", "0", "0"]
    assert rows["equivalents with a false alarm"] == ["1", "0", "0", "1", "1"]
    assert f"Faults of the sample that the harness missed: `{ids['complex']}`" in text
    total = next(row for name, row in rows.items() if name.startswith("**all"))
    assert total == ["**3**", "", "", "", ""]
    many = [{**one, "id": one["id"]} for one in judged for _ in range(10)]
    text_of_many = tools_text(replace(RECORD, tools={"schemathesis": "4.9", "budgets_s": {}, "judged": many}))
    assert " %" in text_of_many.partition("| **30** | ")[2].splitlines()[0]
    assert "`tpp-slow`" in text
    assert "`o.p` 6 s" in text
    assert tools_text(replace(RECORD, tools={})) == ""


def test_what_is_new_or_went_wrong_is_tried_first_and_then_the_rest_if_it_is_asked_for() -> None:
    missed, gone, *_ = RECORD.faults
    faults = {**RECORD.faults, missed: replace(RECORD.faults[missed], caught=False)}
    del faults[gone]
    record = replace(RECORD, faults=faults, alarms={**RECORD.alarms, "tpp-slow": 2})
    wrong = [one.id for one in trust.to_try(record, everything=False)]
    assert sorted(wrong) == sorted([missed, gone, "tpp-slow"])
    everything = [one.id for one in trust.to_try(record, everything=True)]
    assert everything[:3] == wrong
    assert sorted(everything) == sorted([*FAULTS, *EQUIVALENTS])


def test_a_new_family_is_marked_as_untried_and_what_is_gone_is_taken_out() -> None:
    operation = "tpp.create_cancellation"
    families = {**RECORD.families, operation: [*RECORD.families[operation], "edition-2030", "novel"]}
    before = replace(
        RECORD, faults={**RECORD.faults, "no-such-fault": Finders(True, (), ())}, alarms={**RECORD.alarms, "no-such": 0}
    )
    record = trust.with_families(before, families)
    marked = {name for name, one in record.faults.items() if "novel" in one.untried}
    assert marked == {name for name, one in FAULTS.items() if one.operation == operation}
    assert not any("edition-2030" in one.untried for one in record.faults.values())
    assert record.faults.keys() == RECORD.faults.keys()
    assert record.alarms == RECORD.alarms
    assert trust.with_families(record, RECORD.families).faults == RECORD.faults


def test_the_record_knows_every_family_that_there_is() -> None:
    assert RECORD.families == families_of(CASES), AGAIN


@pytest.mark.timeout(120)
def test_untried_families_add_to_what_is_recorded_of_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "tpp1-identity-missing"
    found = RECORD.faults[name]
    rest = tuple(one for one in found.families if one != "response")
    record = replace(RECORD, faults={name: Finders(True, rest, ("schema",), ("response",))})
    kept: list[Record] = []
    monkeypatch.setattr(trust, "write_record", kept.append)
    monkeypatch.setattr(trust, "to_try", lambda *_args, **_options: iter(()))
    record = trust._recorded(record, "families", ends_at=float("inf"))
    assert record.faults[name] == Finders(True, found.families, tuple(sorted({"schema", *found.checks})))
    assert kept == [record]


def test_a_record_that_is_cut_short_keeps_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[Record] = []

    def selftest(*arguments: str) -> dict[str, object]:
        names = [argument.partition("=")[2] for argument in arguments if argument.startswith("--fault=")]
        return {
            "faults": [{"id": name, "caught": True, "families": ["f"], "checks": ["c"]} for name in names],
            "equivalents": [],
        }

    monkeypatch.setattr(trust, "_selftest", selftest)
    monkeypatch.setattr(trust, "write_record", kept.append)
    monkeypatch.setattr(trust.time, "monotonic", iter([0.0, 0.0, 9.0, 9.0]).__next__)
    record = trust._recorded(RECORD, "all", ends_at=5.0)
    assert len(kept) == 2
    assert sum(one.families == ("f",) for one in record.faults.values()) == 2 * trust._AT_ONCE
    assert kept[-1] == record
    assert record.faults.keys() == RECORD.faults.keys()
