"""Comparing two runs: what changed, and whether it got worse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from report_support import INFO, contract, everything_passes, failed, result

from conformance.errors import JournalError
from conformance.model.verdict import CaseResult, Evidence, Finding, Recorded, Verdict
from conformance.report.journal import Header, JournalWriter
from conformance.report.several import Change, answered_otherwise, compare, read_results
from conformance.report.summary import summarise, to_json

OK = everything_passes()


def document(results: list[CaseResult]) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(to_json(summarise(contract(), INFO, results)))
    return loaded


def changes(old: list[CaseResult], new: list[CaseResult]) -> tuple[Change, ...]:
    return compare(document(old), document(new))


def test_the_same_run_changes_nothing() -> None:
    assert changes(OK, OK[::-1]) == ()


def test_a_new_failure_is_worse_and_the_way_back_is_not() -> None:
    broken = [*OK[:4], failed("shape", "G-SHAPE"), *OK[5:]]
    expected = [
        ("run", "verdict", "pass", "fail"),
        ("cause", "G-SHAPE/schema/errorcode", "no case", "1 case"),
        ("requirement", "G-SHAPE", "pass", "fail"),
        ("case", "g/family/shape@http", "pass", "fail"),
    ]
    assert [(one.kind, one.id, one.before, one.after) for one in changes(OK, broken)] == expected
    assert all(one.worse for one in changes(OK, broken))
    assert not any(one.worse for one in changes(broken, OK))


def test_a_code_that_is_no_longer_shown_is_worse() -> None:
    unshown = [OK[0], *OK[2:]]
    cells = [one for one in changes(OK, unshown) if one.kind == "code"]
    name = "acme.gateway 0 ws application/json"
    assert cells == [Change("code", name, "pass", "not-verified", True)]


def test_a_case_that_is_gone_is_told_and_no_loss() -> None:
    extra = [*OK, result("extra", "G-SHAPE")]
    assert changes(extra, OK) == (Change("case", "g/family/extra@http", "pass", "absent", False),)


def test_a_requirement_that_is_gone_is_a_loss() -> None:
    old, new = document(OK), document(OK)
    del new["requirements"][0]
    assert compare(old, new) == (Change("requirement", "G-104", "pass", "absent", True),)


@pytest.mark.parametrize(("verdict", "worse"), [(Verdict.NOT_VERIFIED, False), (Verdict.TARGET_ERROR, True)])
def test_something_new_is_worse_only_when_it_fails(verdict: Verdict, worse: bool) -> None:
    found = changes(OK, [*OK, result("new", "G-SHAPE", verdict=verdict)])
    assert next(one for one in found if one.kind == "case").worse is worse


def test_an_endpoint_that_begins_to_mix_readings_is_worse() -> None:
    mixed = [*OK[:4], result("shape", "G-SHAPE", readings=("empty=text",)), *OK[5:]]
    assert changes(OK, mixed) == (Change("reading", "empty", "null", "null, text", True),)
    assert changes(mixed, OK) == (Change("reading", "empty", "null, text", "null", False),)


def test_results_are_read_from_a_file_or_its_folder(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text(json.dumps(document(OK)))
    assert read_results(tmp_path) == read_results(tmp_path / "results.json") == document(OK)


@pytest.mark.parametrize(
    ("content", "message"),
    [("{", "not JSON"), ("[]", "is no results.json"), ('{"schema_version": 2}', "is no results")],
)
def test_what_is_no_results_file_is_refused(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "results.json"
    path.write_text(content)
    with pytest.raises(JournalError, match=message):
        read_results(path)


def test_a_missing_results_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="No such file"):
        read_results(tmp_path)


def test_a_document_that_lacks_a_member_is_refused() -> None:
    with pytest.raises(JournalError, match="lacks a member"):
        compare({"schema_version": 1}, document(OK))


def test_fewer_cases_carried_out_are_worse() -> None:
    scoped = [
        *OK,
        *(result(f"s{n}", "G-SHAPE", verdict=Verdict.NOT_VERIFIED, hindrance="scope") for n in range(7)),
    ]
    (told, back) = (
        next(one for one in found if one.id == "cases carried out")
        for found in (changes(OK, scoped), changes(scoped, OK))
    )
    assert told == Change("run", "cases carried out", "7 of 7", "7 of 14, 7 scope", True)
    assert not back.worse


def test_a_document_of_an_earlier_version_says_nothing_of_cases_carried_out() -> None:
    old = document(OK)
    del old["summary"]["carried_out"]
    assert compare(old, document(OK)) == ()


def test_a_waiver_that_matches_more_than_before_is_worse() -> None:
    old, new = document(OK), document(OK)
    old["waivers"] = [{"waiver": "g/* G-OK", "cases": 2}, {"waiver": "gone", "cases": 1}]
    new["waivers"] = [{"waiver": "g/* G-OK", "cases": 5}]
    assert compare(old, new) == (
        Change("waiver", "g/* G-OK", "2 cases", "5 cases", True),
        Change("waiver", "gone", "1 cases", "0 cases", False),
    )


def causes_changed(old: list[CaseResult], new: list[CaseResult]) -> list[tuple[str, str, str, bool, str]]:
    found = [one for one in changes(old, new) if one.kind == "cause"]
    return [(one.id, one.before, one.after, one.worse, one.words) for one in found]


def test_a_cause_that_more_cases_show_is_worse_and_one_that_is_gone_is_better() -> None:
    one, two = [*OK, failed("a", "G-OK")], [*OK, failed("a", "G-OK"), failed("b", "G-OK")]
    name, words = "G-OK/schema/errorcode", "wrong form: wrong"
    assert causes_changed(one, two) == [(name, "1 case", "2 cases", True, words)]
    assert causes_changed(two, one) == [(name, "2 cases", "1 case", False, words)]
    assert causes_changed(one, OK) == [(name, "1 case", "no case", False, words)]
    assert causes_changed(one, one) == []


def test_a_cause_is_the_same_if_most_of_its_cases_break_another_requirement() -> None:
    def outcome(*requirements: str) -> list[CaseResult]:
        found = [Finding(name, "outcome", "wrong", "code 104", "code 0", "answer", "accepted") for name in requirements]
        return [
            result(f"{number}", one.requirement, verdict=Verdict.FAIL, findings=(one,))
            for number, one in enumerate(found)
        ]

    old, new = outcome("G-OK", "G-OK", "G-104"), outcome("G-OK", "G-104", "G-104", "G-104")
    ((name, before, after, worse, _),) = causes_changed(old, new)
    assert (name, before, after, worse) == ("G-104/outcome/accepted", "3 cases", "4 cases", True)


def test_a_document_of_an_earlier_version_says_nothing_of_causes() -> None:
    old = document(OK)
    del old["causes"]
    assert not [one for one in compare(old, document([*OK, failed("a", "G-OK")])) if one.kind == "cause"]


def test_answers_are_compared_where_both_folders_have_a_journal(tmp_path: Path) -> None:
    for name, text in (("old", '{"a":1}'), ("new", '{"b":1}')):
        kept = Recorded("judged", "client", "http", 1.0, 0.1, "", Evidence("", f"HTTP/1.1 200 OK\r\n\r\n{text}", False))
        with JournalWriter(tmp_path / name / "journal.jsonl", Header(INFO)) as writer:
            writer.write(result("a", "G-OK", exchanges=(kept,)))
    assert answered_otherwise(tmp_path / "old", tmp_path / "new" / "results.json") == (
        Change("answer", "members of the answer", "a", "b", False, "1 case, such as g/family/a@http"),
    )
    assert answered_otherwise(tmp_path / "old", tmp_path) is None
