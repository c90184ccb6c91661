"""Recordings of any size: memory that does not grow with the file, time that grows as it does, and nothing lost of what is wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from conformance.cli.main import main
from conformance.passive import judging, session
from conformance.passive.har import _Cutter

MOST_MB = 160
OK = {"result": True, "errormsg": None, "errorcode": 0, "detail": None}
CHILD = """
import resource, sys
from conformance.cli.main import main
try:
    main(["judge", sys.argv[1], "--report", sys.argv[2], "--no-html", "-q"])
finally:
    # VmHWM and not ru_maxrss, which is inherited from the process that forked this one
    most = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    print("USED", int(most.split()[1]) // 1024, round(resource.getrusage(resource.RUSAGE_SELF).ru_utime, 2))
"""


def entry(number: int, path: str, asked: Any, answer: str, method: str = "POST") -> dict[str, Any]:
    moment = f"2026-01-01T{number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}.000Z"
    request = {"method": method, "url": f"https://shop.test{path}", "headers": [], "bodySize": 0}
    if asked is not None:
        request["postData"] = {"mimeType": "application/json", "text": json.dumps(asked)}
        request["headers"] = [{"name": "Content-Type", "value": "application/json"}]
    content = {"size": len(answer), "mimeType": "application/json", "text": answer}
    headers = [{"name": "Content-Type", "value": "application/json"}]
    response = {"status": 200, "statusText": "OK", "headers": headers, "content": content}
    return {"startedDateTime": moment, "time": 5, "request": request, "response": response}


def cancelled(number: int, order: int, answer: Any = OK) -> dict[str, Any]:
    return entry(number, "/AP/CancelOrder", {"OMSId": 1, "AccountId": 101, "OrderId": order}, json.dumps(answer))


def listed(number: int, *orders: int) -> dict[str, Any]:
    shown = [{"OrderId": one, "OMSId": 1, "Account": 101, "OrderState": "Working", "IsQuote": False} for one in orders]
    return entry(number, "/AP/GetOpenOrders", {"OMSId": 1, "AccountId": 101}, json.dumps(shown))


def write(path: Path, entries: Iterable[dict[str, Any]]) -> Path:
    with path.open("w", encoding="utf-8") as file:
        file.write('{"log": {"version": "1.2", "creator": {"name": "test", "version": "1"}, "entries": [')
        for number, one in enumerate(entries):
            file.write((",\n" if number else "") + json.dumps(one))
        file.write("]}}")
    return path


def page(megabytes: int) -> Iterator[dict[str, Any]]:
    """What a browser records of a shop: pictures and scripts, and a cancellation now and then."""
    script = "function f() {\n  return \"a\\\\b\" + 'c';\n}\n" * 5000
    written = number = 0
    while written < megabytes * 1_000_000:
        number += 1
        yield entry(number, f"/assets/{number}.js", None, script, "GET")
        if number % 4 == 0:
            yield cancelled(number, number)
        written += len(script) * 11 // 10


def used(path: Path, folder: Path) -> tuple[int, float]:
    """Megabytes at most and seconds of processor time of judging a file in a process of its own."""
    command = [sys.executable, "-c", CHILD, str(path), str(folder)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert ended.returncode == 0, ended.stderr
    megabytes, seconds = ended.stdout.rpartition("USED ")[2].split()
    return int(megabytes), float(seconds)


def test_memory_does_not_grow_with_the_file_and_time_as_it_does(tmp_path: Path) -> None:
    small, large = (write(tmp_path / f"{size}.har", page(size)) for size in (4, 36))
    assert large.stat().st_size > 36_000_000
    (small_mb, small_s), (large_mb, large_s) = used(small, tmp_path / "s"), used(large, tmp_path / "l")
    assert large_mb < MOST_MB
    assert large_mb - small_mb < 20
    assert large_s < 9 * small_s + 3  # start-up is in both, so that less than nine times is expected


def test_entry_of_no_end_is_passed_over_in_bounded_memory(tmp_path: Path) -> None:
    path = write(
        tmp_path / "long.har", [cancelled(1, 1), entry(2, "/x", None, "y" * 60_000_000, "GET"), cancelled(3, 3)]
    )
    ended = CliRunner().invoke(main, ["judge", str(path), "--report", str(tmp_path / "out"), "--no-html"])
    assert ended.exit_code == 0, ended.output
    assert "long.har#2: the entry is longer than" in ended.output
    assert "2 calls judged" in ended.output


def traffic() -> list[dict[str, Any]]:
    """Forty right calls, then five things that are wrong, each of another kind, and right calls again."""
    wrong = [
        cancelled(50, 50, {**OK, "errorcode": 104}),
        listed(60, 61),
        cancelled(61, 61),
        listed(70, 61),
        cancelled(80, 80),
        cancelled(90, 80),
        entry(95, "/AP/CancelOrder", {"AccountId": 101, "OrderId": 9}, json.dumps(OK)),
    ]
    return [*(cancelled(n, n) for n in range(1, 41)), *wrong, *(cancelled(n, n) for n in range(100, 120))]


def results(path: Path, folder: Path, *words: str) -> tuple[int, Any]:
    ended = CliRunner().invoke(main, ["judge", str(path), "--report", str(folder), "--no-html", *words])
    return ended.exit_code, json.loads((folder / "results.json").read_text("utf-8"))


def test_what_is_wrong_beyond_what_is_listed_is_found_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "shop.har", traffic())
    code, whole = results(path, tmp_path / "whole")
    monkeypatch.setattr(judging, "MOST_LISTED", 30)
    monkeypatch.setattr(session, "MOST_LISTED", 30)
    short_code, short = results(path, tmp_path / "short")
    assert code == short_code == 1
    verdicts = {one["id"]: one["verdict"] for one in whole["requirements"]}
    assert {one["id"]: one["verdict"] for one in short["requirements"]} == verdicts
    assert short["summary"]["requests_sent"] == whole["summary"]["requests_sent"] == 65
    assert len(short["cases"]) < len(whole["cases"])
    wrong = {one["id"].partition("/")[0] for one in whole["cases"] if one["verdict"] == "fail"}
    assert {one["id"].partition("/")[0] for one in short["cases"] if one["verdict"] == "fail"} == wrong
    assert len(wrong) >= 4
    lines = (tmp_path / "short" / "journal.jsonl").read_text("utf-8").splitlines()
    kept = {json.loads(line).get("id") for line in lines}
    assert {one["id"] for one in whole["cases"]} - kept == set()


def test_no_room_for_what_is_not_listed_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(judging, "MOST_LISTED", 9)
    monkeypatch.setattr("conformance.passive.overflow.tempfile.TemporaryFile", full)
    path = write(tmp_path / "shop.har", traffic())
    ended = CliRunner().invoke(main, ["judge", str(path), "--report", str(tmp_path / "out")])
    assert ended.exit_code == 2
    assert "No space left on device" in ended.output
    assert "TMPDIR" in ended.output


def test_exchange_beyond_what_is_listed_is_reported_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "shop.har", traffic())
    monkeypatch.setattr(judging, "MOST_LISTED", 9)
    code, found = results(path, tmp_path / "out", "--exchange", "shop.har#43")
    assert code == 1
    parts = {one["id"]: one["verdict"] for one in found["cases"]}
    assert parts == {"shop.har#43/answer": "pass", "shop.har#43/effect": "fail", "shop.har#43/request": "pass"}


def cut(document: bytes, size: int) -> tuple[list[bytes | None], bool]:
    cutter = _Cutter()
    pieces = (document[place : place + size] for place in range(0, len(document), size))
    return [one for piece in pieces for one in cutter.feed(piece)], cutter.whole


def test_entries_are_the_same_however_the_file_is_read() -> None:
    entries = [{"a": 'x\\"', "b": '"{[', "c": {"d": [1, {"e": '\\\\"'}]}}, {"k\\": "\\"}, {}, {"l": "\u2028\n"}]
    before = {'"entries"': [{"no": 1}], "x": {"entries": [{"no": 2}]}}
    document = json.dumps({"log": {**before, "entries": entries, "pages": [{"entries": [{"no": 3}]}]}}).encode()
    for size in range(1, 30):
        found, whole = cut(document, size)
        assert ([json.loads(one or b"") for one in found], whole) == (entries, True), size
