"""docs/trust.md says what was recorded, and every check and family of cases is there for a fault or with a reason."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import trust
from benchmarks.trust_detection import KEPT, alone_by, detection_text, kept_reasons, unknown
from benchmarks.trust_page import page_of
from benchmarks.trust_record import Finders, Record, equivalent_groups, fault_groups, read_record, write_record
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
        {"b": Finders(True, ("x",), ("y", "z")), "a": Finders(False, (), ())},
        {"e": 0},
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
