"""Half a surrogate pair in an answer: the JSON reports stay readable by every reader, and say what was there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import orjson
import pytest
from lxml import etree
from report_support import INFO, contract, finding, result

from conformance.model.verdict import CaseResult, Verdict
from conformance.report.formats.junit import to_junit
from conformance.report.formats.registry import summary_of
from conformance.report.journal import Header, JournalWriter, read_journal
from conformance.report.run_info import Ending
from conformance.report.safe_text import json_safe
from conformance.report.summary import to_json


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("\ud800", "\\ud800"), ("a\udfffb", "a\\udfffb"), ("\ud800\ud800\udc00", "\\ud800\U00010000"), ("\udc00\ud800", "\\udc00\\ud800"),
        ("\U0001f600", "\U0001f600"), ("\\ud800", "\\ud800"), ("\\\ud800", "\\\\ud800"), ("\\\\\ud800\\", "\\\\\\ud800\\"), ("é\n\"", "é\n\""),
    ],
)  # fmt: skip
def test_every_half_is_written_as_text(value: str, read: str) -> None:
    assert orjson.loads(json_safe(json.dumps([value, {value: 1}]))) == [read, {read: 1}]
    if "\ud800\udc00" not in value:  # two halves side by side are no character in a text that is not escaped
        assert orjson.loads(json_safe(json.dumps([value, {value: 1}], ensure_ascii=False))) == [read, {read: 1}]


def halves() -> CaseResult:
    wrong = finding("G-OK", "said \ud800", expected="a\udc00", actual="\ud800\udfff", at="/\udbff")
    return result("a", "G-OK", verdict=Verdict.FAIL, reason="\udfff", findings=(wrong,))


def test_journal_results_and_junit_can_be_read_by_anybody(tmp_path: Path) -> None:
    with JournalWriter(tmp_path / "journal.jsonl", Header(INFO)) as writer:
        writer.write(halves())
        writer.finish(Ending())
    summary = summary_of(read_journal(tmp_path), contract())
    (tmp_path / "results.json").write_text(to_json(summary), "ascii")
    lines = (tmp_path / "journal.jsonl").read_bytes().splitlines()
    (found,) = orjson.loads(lines[1])["findings"]
    assert (found["message"], found["expected"], found["at"]) == ("said \\ud800", "a\\udc00", "/\\udbff")
    assert (
        orjson.loads((tmp_path / "results.json").read_bytes())["cases"][0]["findings"][0]["message"] == "said \\ud800"
    )
    (failure,) = etree.fromstring(to_junit(summary, contract())).iter("failure")
    assert "said \\ud800" in (failure.text or "")


@pytest.mark.skipif(shutil.which("jq") is None and not os.environ.get("CI"), reason="needs jq")
def test_jq_reads_them_too(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(json_safe(json.dumps({"a": "\ud800 half", "\udc00": 1})), "ascii")
    done = subprocess.run(["jq", "-c", ".", str(tmp_path / "x.json")], capture_output=True, check=True, timeout=10)
    assert json.loads(done.stdout) == {"a": "\\ud800 half", "\\udc00": 1}


def test_the_same_run_gives_the_same_results_from_memory_and_from_its_journal(tmp_path: Path) -> None:
    with JournalWriter(tmp_path / "journal.jsonl", Header(INFO)) as writer:
        writer.write(halves())
        writer.finish(Ending())
    read = summary_of(read_journal(tmp_path), contract())
    journal = read_journal(tmp_path)
    live = summary_of(
        type(journal)(**{**{n: getattr(journal, n) for n in journal.__dataclass_fields__}, "results": (halves(),)}),
        contract(),
    )
    assert to_json(read) == to_json(live)
