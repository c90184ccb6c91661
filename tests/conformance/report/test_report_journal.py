"""The journal: what is written reads back, and a damaged one is told from a cut one."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from report_support import GATEWAY, INFO, full_result, result

from conformance.errors import JournalError
from conformance.model.verdict import Verdict
from conformance.report.journal import Header, JournalWriter, read_journal, write_journal
from conformance.report.run_info import Ending, Settings
from conformance.run.selection import Selection

SETTINGS = Settings(
    Selection((GATEWAY,), ("G-OK",), ("g/a@http",), ("application/json",), ("http",)),
    {(GATEWAY, "102"): "needs a broken server"},
    {"empty": "null"},
    "2/3",
    40,
)
ENDING = Ending(1.5, "connection refused", True, False, ("w1",), ("w2",))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "journal.jsonl"


def test_everything_reads_back(path: Path) -> None:
    with JournalWriter(path, Header(INFO, SETTINGS)) as writer:
        writer.write(full_result())
        writer.write(result("plain", "G-OK"))
        writer.finish(ENDING)
    journal = read_journal(path)
    assert journal.header == Header(INFO, SETTINGS)
    message = "né\x00\\ud800"  # half a surrogate pair is told as text: not every reader takes its escape
    written = dataclasses.replace(full_result().findings[0], message=message)
    assert journal.results == (dataclasses.replace(full_result(), findings=(written,)), result("plain", "G-OK"))
    assert journal.footer == ENDING
    assert journal.options.ending == ENDING
    assert journal.options.settings == SETTINGS


def test_every_line_is_one_json_object_that_names_its_type(path: Path) -> None:
    with JournalWriter(path, Header(INFO)) as writer:
        writer.write(full_result())
        writer.finish(Ending())
    lines = path.read_bytes().decode("ascii").splitlines()
    assert [json.loads(line)["type"] for line in lines] == ["header", "case", "footer"]


def test_a_folder_stands_for_its_journal(path: Path) -> None:
    with JournalWriter(path, Header(INFO)):
        pass
    assert read_journal(path.parent) == read_journal(path)


def test_the_later_line_of_a_case_stands(path: Path) -> None:
    with JournalWriter(path, Header(INFO)) as writer:
        writer.write(result("a", "G-OK", verdict=Verdict.TARGET_ERROR))
        writer.write(result("b", "G-OK"))
        writer.write(result("a", "G-OK"))
    assert read_journal(path).results == (result("b", "G-OK"), result("a", "G-OK"))


def test_a_journal_without_footer_is_known_to_be_cut_off(path: Path) -> None:
    with JournalWriter(path, Header(INFO)) as writer:
        writer.write(result("a", "G-OK"))
    journal = read_journal(path)
    assert journal.footer is None
    assert journal.options.ending.cut_off


def test_a_cut_last_line_is_forgiven(path: Path) -> None:
    with JournalWriter(path, Header(INFO)) as writer:
        writer.write(result("a", "G-OK"))
        writer.write(result("b", "G-OK"))
    path.write_bytes(path.read_bytes()[:-9])
    assert read_journal(path).results == (result("a", "G-OK"),)


def test_a_broken_line_before_the_last_is_named(path: Path) -> None:
    with JournalWriter(path, Header(INFO)) as writer:
        writer.write(result("a", "G-OK"))
        writer.finish(Ending())
    lines = path.read_bytes().split(b"\n")
    lines[1] = lines[1][:-5]
    path.write_bytes(b"\n".join(lines))
    with pytest.raises(JournalError, match="not JSON") as caught:
        read_journal(path)
    assert caught.value.where == f"{path}:2"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has no header"),
        (b'{"type":"hea', "has no header"),
        (b'{"type":"case"}\n', "expected a header line"),
        (b"[]\n", "expected a JSON object"),
        (b'{"type":"header","schema_version":99}\n', "schema_version 99"),
        (b'{"type":"header","schema_version":1}\n', "not understood: KeyError"),
    ],
)
def test_what_is_no_journal_is_refused(path: Path, content: bytes, message: str) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(JournalError, match=message):
        read_journal(path)


def test_a_case_line_without_a_verdict_of_ours_is_refused(path: Path) -> None:
    with JournalWriter(path, Header(INFO)) as writer:
        writer.write(result("a", "G-OK"))
    path.write_bytes(path.read_bytes().replace(b'"pass"', b'"splendid"'))
    with pytest.raises(JournalError, match="splendid"):
        read_journal(path)


def test_a_missing_journal_says_so(path: Path) -> None:
    with pytest.raises(JournalError, match="No such file"):
        read_journal(path)


def test_a_folder_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(JournalError, match="cannot be written"),
        JournalWriter(tmp_path / "file" / "journal.jsonl", Header(INFO)),
    ):
        pass


def test_a_writer_that_is_not_open_says_so(path: Path) -> None:
    with pytest.raises(JournalError, match="not open"):
        JournalWriter(path, Header(INFO)).flush()


def test_lines_are_held_back_for_a_fifth_of_a_second_at_most(path: Path) -> None:
    now = [0.0]
    with JournalWriter(path, Header(INFO), clock=lambda: now[0]) as writer:
        writer.write(result("a", "G-OK"))
        now[0] = 0.19
        writer.write(result("b", "G-OK"))
        assert len(read_journal(path).results) == 0
        now[0] = 0.21
        writer.write(result("c", "G-OK"))
        assert len(read_journal(path).results) == 3


def test_at_most_fifty_lines_are_held_back(path: Path) -> None:
    with JournalWriter(path, Header(INFO), clock=lambda: 0.0) as writer:
        for number in range(50):
            writer.write(result(str(number), "G-OK"))
        assert len(read_journal(path).results) == 50


def test_an_interruption_keeps_what_was_written(path: Path) -> None:
    def interrupted() -> None:
        with JournalWriter(path, Header(INFO), clock=lambda: 0.0) as writer:
            writer.write(result("a", "G-OK"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert len(read_journal(path).results) == 1


def test_a_new_run_replaces_an_old_journal(path: Path) -> None:
    for name in ("old", "new"):
        with JournalWriter(path, Header(INFO)) as writer:
            writer.write(result(name, "G-OK"))
    assert read_journal(path).results == (result("new", "G-OK"),)


def test_resuming_keeps_finished_cases_and_drops_the_cut_line(path: Path) -> None:
    with JournalWriter(path, Header(INFO)) as writer:
        writer.write(result("a", "G-OK"))
        writer.write(result("b", "G-OK"))
        writer.finish(Ending(interrupted=True))
    path.write_bytes(path.read_bytes()[:-4])
    with JournalWriter(path, Header(INFO), resume=True) as writer:
        writer.write(result("c", "G-OK"))
        writer.finish(Ending(duration_s=2.0))
    journal = read_journal(path)
    assert journal.results == (result("a", "G-OK"), result("b", "G-OK"), result("c", "G-OK"))
    assert journal.footer == Ending(duration_s=2.0)


def test_a_case_after_a_footer_opens_the_run_again(path: Path) -> None:
    with JournalWriter(path, Header(INFO)) as writer:
        writer.finish(Ending(interrupted=True))
    with JournalWriter(path, Header(INFO), resume=True) as writer:
        writer.write(result("a", "G-OK"))
    assert read_journal(path).footer is None


def test_resuming_without_a_journal_starts_one(path: Path) -> None:
    with JournalWriter(path, Header(INFO), resume=True):
        pass
    assert read_journal(path).header == Header(INFO)


def test_another_run_is_not_resumed(path: Path) -> None:
    with JournalWriter(path, Header(INFO)):
        pass
    other = Header(INFO, Settings(Selection(operations=(GATEWAY,)), shard="1/2"))
    with (
        pytest.raises(JournalError, match="another run: selection, shard differ"),
        JournalWriter(path, other, resume=True),
    ):
        pass


def test_a_whole_journal_is_written_at_once(path: Path) -> None:
    with JournalWriter(path, Header(INFO, SETTINGS)) as writer:
        writer.write(full_result())
        writer.finish(ENDING)
    copy = path.with_name("copy.jsonl")
    write_journal(copy, read_journal(path))
    assert copy.read_bytes() == path.read_bytes()


def test_two_runs_do_not_write_one_journal(path: Path) -> None:
    with JournalWriter(path, Header(INFO)) as writer:
        with pytest.raises(JournalError, match="another run"), JournalWriter(path, Header(INFO)):
            pass
        writer.finish(Ending())
    assert read_journal(path).footer == Ending()


def test_what_was_set_up_and_is_not_over_is_kept_and_a_note_of_its_end_is_no_run(path: Path) -> None:
    begun, made = _set_up("a"), {"type": "made", "key": "a", "ids": [7]}
    with JournalWriter(path, Header(INFO)) as writer:
        writer.note([begun, _set_up("b")], now=True)
        assert path.read_bytes().count(b'"set-up"') == 2
        writer.note([made], now=True)
        writer.note([{"type": "over", "keys": ["b"]}], now=False)
        assert b"over" not in path.read_bytes()
        writer.finish(ENDING)
    with path.open("ab") as file:
        file.write(b'{"type":"over","keys":["c"]}\n')
    journal = read_journal(path)
    assert journal.set_ups == (begun, made)
    assert journal.footer == ENDING
    write_journal(path.with_name("again.jsonl"), journal)
    assert read_journal(path.with_name("again.jsonl")).set_ups == (begun, made)
    with path.open("ab") as file:
        file.write(b'{"type":"made","key":"d","ids":[]}\n')
    assert read_journal(path).footer is None


def _set_up(key: str) -> dict[str, Any]:
    return {
        "type": "set-up",
        "key": key,
        "service": "s",
        "desk": 0,
        "role": "r",
        "state": "open-order",
        "what": {"client": 5},
    }


@pytest.mark.parametrize("replaced", [False, True])
def test_a_journal_that_is_taken_away_is_an_error_once(path: Path, replaced: bool) -> None:
    with JournalWriter(path, Header(INFO)) as writer:
        path.unlink()
        if replaced:
            path.write_bytes(b"")
        with pytest.raises(JournalError, match="removed, or another file put in its place"):
            writer.take("k")
