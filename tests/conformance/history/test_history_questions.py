"""Questions to the store: what broke when, what is due, and the commands that ask."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from history_support import FIRST, cause, document, keep, record, write

from conformance.cli.main import main
from conformance.errors import UsageError
from conformance.history.questions import blame, differences, due, evidence_of, find_run, runs, trend
from conformance.history.store import Store, open_store


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/h.db"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with open_store(url, create=True) as opened:
        yield opened


def called(*words: str, **env: str) -> Result:
    return CliRunner().invoke(main, ["history", *words], env={"NO_COLOR": "1", **env})


def releases(answer: Mapping[str, Any]) -> dict[str, str | None]:
    keys = ("broke_in", "last_good", "last_seen", "mended_in")
    return {key: None if answer[key] is None else answer[key]["release"] for key in keys}


def test_requirement_broke_after_the_last_run_that_passed(store: Store) -> None:
    course = ["pass", "not-verified", "fail", "not-verified", "waived", "pass", "fail"]
    keep(store, *(record(number, {"R-1": one}) for number, one in enumerate(course)))
    with store.reading() as connection:
        first, second = blame(connection, "R-1")
        assert blame(connection) == [second]
    assert releases(first) == {"broke_in": "r002", "last_good": "r000", "last_seen": "r004", "mended_in": "r005"}
    assert releases(second) == {"broke_in": "r006", "last_good": "r005", "last_seen": "r006", "mended_in": None}


def test_requirement_that_was_never_good_has_no_last_good_release(store: Store) -> None:
    keep(store, record(0, {"R-2": "pass"}), record(1, {"R-1": "fail", "R-2": "pass"}))
    with store.reading() as connection:
        (one,) = blame(connection, "R-1")
    assert releases(one) == {"broke_in": "r001", "last_good": None, "last_seen": "r001", "mended_in": None}


def test_cause_has_first_and_last_sight_in_each_endpoint(store: Store) -> None:
    for endpoint, shown in (("a", (1, 2)), ("b", (0,)), ("c", ())):
        for number in range(4):
            keep(store, record(number, endpoint=endpoint, causes=[cause(cases=number + 1)] if number in shown else []))
    with store.reading() as connection:
        found = {one["endpoint"]: releases(one) for one in blame(connection, cause()["id"])}
    assert found == {
        "a": {"broke_in": "r001", "last_good": "r000", "last_seen": "r002", "mended_in": "r003"},
        "b": {"broke_in": "r000", "last_good": None, "last_seen": "r000", "mended_in": "r001"},
    }


def test_blame_of_unknown_name_is_refused(store: Store) -> None:
    keep(store, record(0))
    with store.reading() as connection, pytest.raises(UsageError, match="R-9"):
        blame(connection, "R-9")


def test_requirements_not_verified_for_long_are_due(store: Store) -> None:
    course = {
        "R-1": ["pass", "pass", "not-verified", "not-verified"],
        "R-2": ["not-verified"] * 4,
        "R-3": ["pass", "pass", "pass", "not-verified"],
        "R-4": ["not-applicable"] * 4,
        "R-5": ["fail"] * 4,
    }
    for number in range(4):
        keep(store, record(number * 10, {name: verdicts[number] for name, verdicts in course.items()}))
    with store.reading() as connection:
        found = due(connection, FIRST + timedelta(days=35), 20)
    seen = {one["id"]: one["last_verified"] and one["last_verified"]["release"] for one in found["requirements"]}
    assert seen == {"R-1": "r010", "R-2": None}
    assert found["endpoints"] == []
    with store.reading() as connection:
        assert [one["endpoint"] for one in due(connection, FIRST + timedelta(days=51), 20)["endpoints"]] == ["acme"]


def test_no_more_due_requirements_are_looked_for_than_asked(store: Store) -> None:
    verdicts = {f"R-{number}": "not-verified" for number in range(9)}
    for endpoint in ("c", "a", "b", "d"):
        for number in range(2):
            keep(store, record(number, verdicts | {"R-3": "pass"}, endpoint=endpoint))
    with store.reading() as connection:
        every = due(connection, FIRST + timedelta(days=35), 20)["requirements"]
        some = due(connection, FIRST + timedelta(days=35), 20, most=3)["requirements"]
    assert [(one["endpoint"], one["id"]) for one in every] == [
        (endpoint, name) for endpoint in "abcd" for name in sorted(verdicts) if name != "R-3"
    ]
    assert some == every[:3]


def test_waivers_that_end_soon_are_due_once_they_stand_in_the_latest_run(store: Store) -> None:
    def waiver(requirement: str, expires: str) -> dict[str, str]:
        return {
            "case": "*",
            "requirement": requirement,
            "finding": "x",
            "reason": "known",
            "owner": "ann",
            "expires": expires,
        }

    old, soon, later = waiver("R-1", "2026-01-05"), waiver("R-2", "2026-01-20"), waiver("R-3", "2026-09-01")
    keep(store, record(0, waivers=[old, soon]), record(1, waivers=[soon, later]))
    with store.reading() as connection:
        found = due(connection, FIRST + timedelta(days=2), 30)["waivers"]
    assert [(one["waiver"], one["expires"], one["owner"]) for one in found] == [("* R-2", "2026-01-20", "ann")]


def test_readings_that_flip_are_told_also_across_a_run_that_saw_none(store: Store) -> None:
    course = [["a"], [], ["a"], [], ["b"], ["b"], ["a", "b"]]
    keep(store, *(record(number, readings={"q": seen}) for number, seen in enumerate(course)))
    with store.reading() as connection:
        found = due(connection, FIRST + timedelta(days=7), 30)["readings"]
        late = due(connection, FIRST + timedelta(days=7), 2)["readings"]
    assert [(one["before"], one["after"], one["in"]["release"]) for one in found] == [
        (["a"], ["b"], "r004"),
        (["b"], ["a", "b"], "r006"),
    ]
    assert late == found[1:]


def test_run_is_found_by_id_beginning_endpoint_and_release(store: Store) -> None:
    keep(store, record(0), record(1), record(0, endpoint="b@c"))
    with store.reading() as connection:
        wanted = ("acme-000", "acme", "acme@r000", "b@c", "b@c@r000", "b@")
        assert [find_run(connection, one).row["id"] for one in wanted] == [
            "acme-000", "acme-001", "acme-000", "b@c-000", "b@c-000", "b@c-000",
        ]  # fmt: skip
        for one, words in (("acme-", "several"), ("%", "no run"), ("acme@r9", "no run")):
            with pytest.raises(UsageError, match=words):
                find_run(connection, one)


def test_changes_are_those_of_report_compare(store: Store) -> None:
    keep(store, record(0), record(1, {"R-1": "fail", "R-2": "pass"}, causes=[cause()], readings={"q": ["a"]}))
    with store.reading() as connection:
        new = find_run(connection, "acme")
        assert new.before == "acme-000"
        changes = differences(connection, find_run(connection, new.before), new)
        evidence = evidence_of(connection, new, cause()["id"])
    assert [(one.kind, one.id, one.worse) for one in changes] == [
        ("run", "verdict", True), ("cause", "R-1/check/at", True), ("requirement", "R-1", True), ("reading", "q", False),
    ]  # fmt: skip
    assert evidence is not None
    assert evidence["finding"]["actual"] == "2"


def test_last_runs_of_each_endpoint_are_listed_newest_first(store: Store) -> None:
    keep(store, *(record(number, endpoint=endpoint) for endpoint in "ab" for number in range(3)))
    keep(store, record(-30_000, endpoint="c"))
    with store.reading() as connection:
        assert [(one["endpoint"], one["release"]) for one in runs(connection, last=2)] == [
            ("a", "r002"), ("a", "r001"), ("b", "r002"), ("b", "r001"), ("c", "r30000"),
        ]  # fmt: skip
        assert [one["release"] for one in trend(connection, "b", 2)] == ["r001", "r002"]
        assert [one["endpoint"] for one in runs(connection, search="B", last=1)] == ["b"]
        assert runs(connection, search="%") == []


def test_commands_answer_in_words_and_in_json(tmp_path: Path, url: str) -> None:
    good = write(tmp_path / "1", document(0))
    bad = write(tmp_path / "2", document(1, {"R-1": "fail", "R-2": "not-verified"}, causes=[cause()]))
    for folder, release in ((good, "1.0"), (bad, "1.1")):
        done = called("add", str(folder), "--store", url, "--release", release)
        assert (done.exit_code, done.stdout[:6]) == (0, "added:")
    env = {"CONFORMANCE_HISTORY": url}
    words = {
        ("list",): "1.1  fail  1 cause", ("show", "acme"): "worse requirement R-1: pass -> fail", ("trend", "acme"): "1.0",
        ("blame",): "broke in 1.1, last good 1.0", ("due", "--days", "1"): "waiver|requirement R-2",
    }  # fmt: skip
    for command, said in words.items():
        done = called(*command, **env)
        assert done.exit_code == 0, done.output
        assert any(one in done.stdout for one in said.split("|")), done.stdout
        assert isinstance(json.loads(called(*command, "--json", **env).stdout), list | dict)
    listed = json.loads(called("list", "--json", **env).stdout)
    assert [(one["endpoint"], one["release"], one["verdict"]) for one in listed] == [
        ("acme", "1.1", "fail"), ("acme", "1.0", "pass"),
    ]  # fmt: skip


def test_bad_files_do_not_keep_good_ones_out(tmp_path: Path, url: str) -> None:
    good = write(tmp_path / "good", document(0))
    bad = write(tmp_path / "bad", b"{")
    done = called("add", str(bad), str(tmp_path / "none"), str(good), "--store", url)
    assert done.exit_code == 2
    assert done.stderr.count("not added:") == 2
    assert "added: acme pass" in done.stdout
    assert "Traceback" not in done.stderr


def test_old_runs_are_taken_out_by_command(tmp_path: Path, url: str) -> None:
    folders = [str(write(tmp_path / str(number), document(number))) for number in range(3)]
    called("add", *folders, "--store", url)
    dry = called("keep", "--releases", "1", "--dry-run", "--store", url)
    assert dry.stdout.splitlines() == ["acme-000", "acme-001", "2 runs would be taken out"]
    assert called("keep", "--releases", "1", "--store", url).stdout == "2 runs taken out\n"
    assert len(json.loads(called("list", "--json", "--store", url).stdout)) == 1
    assert called("keep", "--store", url).exit_code == 2


RUN = ["run", "--case", "tpp/response/domestic@application-json", "--no-html", "--quiet"]


def test_run_is_added_at_its_end(tmp_path: Path, url: str) -> None:
    words = [*RUN, "--report", str(tmp_path / "r"), "--history", url, "--release", "7"]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    (one,) = json.loads(called("list", "--json", "--store", url).stdout)
    assert (one["endpoint"], one["release"], one["verdict"]) == ("reference", "7", "pass")
    assert called("add", str(tmp_path / "r"), "--store", url).stdout.startswith("unchanged: ")


@pytest.mark.parametrize(
    "url", ["postgresql://u:p4ssw0rd@127.0.0.1:9/x", "sqlite:////proc/nowhere/h.db"], ids=["refused", "no folder"]
)
def test_store_out_of_reach_costs_no_run(tmp_path: Path, url: str) -> None:
    folder = tmp_path / "a b"
    done = CliRunner().invoke(main, [*RUN, "--report", str(folder), "--history", url, "--release", "7"])
    assert done.exit_code == 0
    assert "verdict: pass" in done.stdout
    assert "the run is not in the store" in done.stderr
    assert f"conformance history add '{folder}' --store" in done.stderr
    assert "p4ssw0rd" not in done.output
    assert json.loads((folder / "results.json").read_text("utf-8"))["summary"]["verdict"] == "pass"


def test_store_that_cannot_be_meant_stops_before_the_run(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, [*RUN, "--report", str(tmp_path / "r"), "--history", "nonsense"])
    assert done.exit_code == 2
    assert not (tmp_path / "r").exists()
