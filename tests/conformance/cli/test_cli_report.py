"""`conformance report`: render, merge and compare from files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from conformance.cli.main import main
from conformance.contract.load import load_contract
from conformance.model.verdict import CaseResult, Finding, RunInfo, Verdict
from conformance.report.journal import Header, JournalWriter, read_journal
from conformance.report.run_info import Ending, Settings
from conformance.run.selection import Selection

OPERATION, REQUIREMENT = "alphapoint.cancel_all_orders", "CAO-AGREE"
CONTRACT = load_contract()
CASES = tuple(f"cao/agree/{number}@http" for number in range(4))

Written = Callable[..., Path]


def result(name: str, verdict: Verdict) -> CaseResult:
    found = (Finding(REQUIREMENT, "agree", "they differ", "true", "false"),) if verdict is Verdict.FAIL else ()
    return CaseResult(
        name,
        OPERATION,
        (REQUIREMENT,),
        "named",
        "http",
        "application/json",
        "trading",
        verdict,
        found,
        requests=1,
    )


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """Writes a journal into a folder and returns the folder."""

    def write(
        name: str,
        *,
        shard: str = "",
        cases: tuple[str, ...] = CASES,
        verdict: Verdict = Verdict.PASS,
        digest: str = CONTRACT.digest,
    ) -> Path:
        info = RunInfo("run", "1.0", digest, 1, "2026-01-01T00:00:00Z", {"url": "http://127.0.0.1"})
        settings = Settings(Selection(cases=CASES), shard=shard, planned=len(cases))
        with JournalWriter(tmp_path / name / "journal.jsonl", Header(info, settings)) as writer:
            for case in cases:
                writer.write(result(case, verdict))
            writer.finish(Ending(duration_s=1.0, messages={"judged": len(cases), "set-up": 2 * len(cases)}))
        return tmp_path / name

    return write


def report(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["report", *map(str, arguments)])


def test_render_writes_every_format_beside_the_journal(written: Written) -> None:
    folder = written("a")
    done = report("render", folder)
    assert (done.exit_code, done.stderr) == (0, "")
    names = ["results.json", "junit.xml", "report.md", "report.html"]
    names += ["ctrf.json", "results.sarif", "failures.har", "badge.json", "annotations.txt", "summary.md"]
    assert done.stdout.split() == [str(folder / name) for name in names]
    empty = [name for name in names if not (folder / name).stat().st_size]
    assert empty == ["annotations.txt"]  # nothing is wrong


def test_render_writes_chosen_formats_into_another_folder(written: Written, tmp_path: Path) -> None:
    done = report("render", written("a") / "journal.jsonl", "--format", "md", "--out", tmp_path / "out", "-q")
    assert (done.exit_code, done.stdout) == (0, "")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["report.md"]


def test_render_exits_0_whatever_the_verdict(written: Written) -> None:
    done = report("render", written("a", verdict=Verdict.FAIL), "-v")
    assert done.exit_code == 0
    assert "verdict: fail (exit 1)" in done.stdout


def test_render_refuses_a_journal_of_another_contract(written: Written) -> None:
    done = report("render", written("a", digest="0" * 64))
    assert done.exit_code == 2
    assert "hint: Give the specs folder of that run with --specs DIR" in done.stderr


def test_render_of_nothing_says_what_is_missing(tmp_path: Path) -> None:
    done = report("render", tmp_path)
    assert done.exit_code == 2
    assert done.stderr.startswith("error: cannot be read: No such file or directory\n")


def test_merge_gives_the_report_of_the_whole_run(written: Written, tmp_path: Path) -> None:
    whole = written("whole")
    report("render", whole, "--format", "json")
    shards = [written(f"s{n}", shard=f"{n}/2", cases=CASES[n - 1 :: 2]) for n in (1, 2)]
    done = report("merge", *shards, "--out", tmp_path / "out")
    assert (done.exit_code, done.stderr) == (0, "")
    assert (
        done.stdout.splitlines()[-1]
        == "verdict: pass (exit 0) · 4 of 4 cases carried out · 4 judged messages of 12 sent · 1.0 s"
    )
    assert (tmp_path / "out" / "results.json").read_bytes() == (whole / "results.json").read_bytes()
    assert len(read_journal(tmp_path / "out").results) == 4


def test_merge_exits_as_the_whole_run_would(written: Written, tmp_path: Path) -> None:
    good = written("s1", shard="1/2", cases=CASES[:2])
    bad = written("s2", shard="2/2", cases=CASES[2:], verdict=Verdict.FAIL)
    assert report("merge", good, bad, "--out", tmp_path / "out", "-q").exit_code == 1


def test_merge_refuses_a_missing_shard(written: Written, tmp_path: Path) -> None:
    done = report("merge", written("s1", shard="1/2"), "--out", tmp_path / "out")
    assert done.exit_code == 2
    assert "missing: shard 2/2" in done.stderr
    assert not (tmp_path / "out").exists()


def test_merge_never_overwrites_a_shard(written: Written) -> None:
    folder = written("s1", shard="1/1")
    done = report("merge", folder, "--out", folder)
    assert done.exit_code == 2
    assert "would overwrite a shard" in done.stderr


def test_compare_of_equal_runs_exits_0(written: Written) -> None:
    folder = written("a")
    report("render", folder, "--format", "json")
    done = report("compare", folder, folder / "results.json")
    assert (done.exit_code, done.stdout) == (0, "nothing changed\n")


def test_compare_shows_what_got_worse_and_exits_1(written: Written) -> None:
    good, bad = written("good"), written("bad", verdict=Verdict.FAIL)
    for folder in (good, bad):
        report("render", folder, "--format", "json")
    done = report("compare", good, bad)
    assert done.exit_code == 1
    lines = done.stdout.splitlines()
    assert lines[0] == "worse"
    assert f"  cause {REQUIREMENT}/agree: no case -> 4 cases; wrong form: they differ" in lines
    assert f"  1 requirement pass -> fail: {REQUIREMENT}" in lines
    assert "  4 cases pass -> fail: cao/agree/0@http, cao/agree/1@http, cao/agree/2@http, …" in lines
    assert lines[-1] == "7 changed, 7 worse, 0 legal"
    assert "case cao/agree/3@http: pass -> fail" in report("compare", good, bad, "--verbose").stdout
    assert report("compare", bad, good).stdout.startswith("better, or no worse\n")
    (bad / "journal.jsonl").unlink()
    assert "answers were not compared: a journal is missing" in report("compare", good, bad).stdout
    assert report("compare", bad, good).exit_code == 0
    document = json.loads(report("compare", good, bad, "--json").stdout)
    assert document["worse"] is True
    assert document["changes"][0] == {
        "kind": "run",
        "id": "verdict",
        "before": "pass",
        "after": "fail",
        "worse": True,
        "words": "",
    }


def test_compare_runs_the_same_cases_against_two_endpoints(tmp_path: Path) -> None:
    case = "cao/response/sample@http"
    sides = ("reference", "reference+equivalent:cao-charset-none+reading:detail-on-success=empty")
    done = report("compare", "--live", *sides, "--case", case, "--report", tmp_path)
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[0] == "legal, but changed"
    assert "  reading detail-on-success: null -> empty" in lines
    charset = "answer header content-type: application/json; charset=utf-8 -> application/json; 1 case, such as"
    assert charset in " ".join(done.stdout.split())
    assert (tmp_path / "new" / "results.json").exists()
    assert (
        report("compare", "--live", "reference", "http://127.0.0.1:9", "--case", case, "--report", tmp_path).exit_code
        == 3
    )


def test_what_one_fault_changes_is_told_in_forty_lines(tmp_path: Path) -> None:
    """Of all faults that were tried this one changes most answers."""
    sides, cases = ("reference", "reference+fault:tpp-flag-inverted"), ("tpp/response/*", "tpp/forms/*", "tpp/batch/*")
    chosen = [word for case in cases for word in ("--case", case)]
    done = report("compare", "--live", *sides, *chosen, "--report", tmp_path)
    assert done.exit_code == 1, done.output
    assert "more of this kind; --verbose shows them" in " ".join(done.stdout.split())
    assert len(done.stdout.splitlines()) <= 40
