"""Recordings of every kind and in every state: read as far as they go, each gap said, in bounded memory, no secret shown."""

from __future__ import annotations

import base64
import gzip
import json
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from conformance.cli.main import main
from conformance.contract.load import load_contract
from conformance.errors import UsageError
from conformance.model.verdict import Verdict
from conformance.passive.har import Lost
from conformance.passive.session import Recording, judge_files
from conformance.passive.sources import exchanges_of
from conformance.report.journal import write_journal

CONTRACT = load_contract(None)
FLOWS = Path(__file__).parent / "recordings" / "shop.flows"
GOOD = {"result": True, "errormsg": None, "errorcode": 0, "detail": None}
URL = "http://shop.example/AP/CancelAllOrders"


def entry(answer: Any = GOOD, **changes: Any) -> dict[str, Any]:
    """One call of CancelAllOrders and its answer."""
    text = answer if isinstance(answer, str) else json.dumps(answer)
    return {
        "startedDateTime": "2026-03-01T10:00:00.000Z",
        "time": 5,
        "request": {
            "method": "POST", "url": URL, "httpVersion": "HTTP/1.1", "headers": [], "bodySize": 5,
            "postData": {"mimeType": "application/json", "text": '{"OMSId":1,"AccountId":7}'},
        },
        "response": {
            "status": 200, "statusText": "OK", "httpVersion": "HTTP/1.1", "bodySize": len(text),
            "headers": [{"name": "Content-Type", "value": "application/json"}],
            "content": {"size": len(text), "mimeType": "application/json", "text": text},
        },
        **changes,
    }  # fmt: skip


def text_of(*entries: Any) -> str:
    return json.dumps({"log": {"version": "1.2", "creator": {"name": "x", "entries": []}, "entries": entries}})


def judged(tmp_path: Path, text: str | bytes, name: str = "shop.har") -> Recording:
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return judge_files(CONTRACT, [path])


def verdict_of(recording: Recording, name: str) -> Verdict:
    return next(one.verdict for one in recording.journal.results if one.id == name)


def reason_of(recording: Recording, name: str) -> str:
    return next(one.reason for one in recording.journal.results if one.id == name)


def test_request_and_answer_are_judged_apart(tmp_path: Path) -> None:
    recording = judged(tmp_path, text_of(entry()))
    assert verdict_of(recording, "shop.har#1/request") is Verdict.PASS
    assert verdict_of(recording, "shop.har#1/answer") is Verdict.PASS
    assert verdict_of(recording, "shop.har#1/effect") is Verdict.NOT_VERIFIED


def test_an_error_inside_a_200_is_judged(tmp_path: Path) -> None:
    wrong = {"result": True, "errormsg": "Not Authorized", "errorcode": 20, "detail": None}
    recording = judged(tmp_path, text_of(entry(wrong)))
    assert verdict_of(recording, "shop.har#1/answer") is Verdict.FAIL
    assert verdict_of(recording, "shop.har#1/request") is Verdict.PASS


def _without_body(one: dict[str, Any]) -> None:
    del one["response"]["content"]["text"]


def _unanswered(one: dict[str, Any]) -> None:
    one["response"] = {"status": 0, "headers": [], "content": {}, "_error": "net::ERR_ABORTED"}


def _balancer(one: dict[str, Any]) -> None:
    one["response"].update(status=503, content={"text": "<html>Service Unavailable</html>", "size": 32})


def _throttled(one: dict[str, Any]) -> None:
    one["response"].update(status=429, content={"text": "TOO MANY REQUESTS", "size": 17})


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_without_body, "the body of the answer is missing in the recording"),
        (_unanswered, "the recording has no answer: net::ERR_ABORTED"),
        (_balancer, "HTTP 503 with a page of the infrastructure"),
        (_throttled, "the message was turned away with TOO MANY REQUESTS"),
    ],
)
def test_an_answer_that_nobody_has_is_no_pass_and_no_blame(
    tmp_path: Path, change: Callable[[dict[str, Any]], None], reason: str
) -> None:
    one = entry()
    change(one)
    recording = judged(tmp_path, text_of(one))
    assert verdict_of(recording, "shop.har#1/answer") is Verdict.NOT_VERIFIED
    assert reason_of(recording, "shop.har#1/answer") == reason


def test_a_request_without_its_body_is_not_judged_and_its_answer_is(tmp_path: Path) -> None:
    one = entry()
    del one["request"]["postData"]
    recording = judged(tmp_path, text_of(one))
    assert reason_of(recording, "shop.har#1/request") == "the body is missing in the recording"
    assert verdict_of(recording, "shop.har#1/answer") is Verdict.PASS


@pytest.mark.parametrize("packed", [False, True])
def test_a_body_in_base64_is_read_also_where_it_is_packed(tmp_path: Path, packed: bool) -> None:
    one, body = entry(), json.dumps(GOOD).encode()
    data = gzip.compress(body) if packed else body
    one["response"]["content"] = {"size": len(body), "text": base64.b64encode(data).decode(), "encoding": "base64"}
    one["response"]["headers"].append({"name": "Content-Encoding", "value": "gzip"})
    assert verdict_of(judged(tmp_path, text_of(one)), "shop.har#1/answer") is Verdict.PASS


def test_a_file_that_was_cut_off_is_judged_up_to_there_and_the_gap_is_said(tmp_path: Path) -> None:
    text = text_of(entry(), entry(), entry())
    recording = judged(tmp_path, text[: text.rindex('"response"')])
    assert recording.judged == 2
    assert recording.gaps == ("shop.har#3: the file ends in the middle; what follows is lost",)


@pytest.mark.parametrize("length", range(0, 1100, 37))
def test_a_file_that_is_cut_anywhere_gives_words_and_no_traceback(tmp_path: Path, length: int) -> None:
    try:
        recording = judged(tmp_path, text_of(entry(), entry())[:length])
    except UsageError:
        return
    assert recording.gaps


def test_other_calls_and_entries_that_are_none_do_not_disturb(tmp_path: Path) -> None:
    other = entry()
    other["request"] = {**other["request"], "url": "http://shop.example/index.html"}
    preflight = entry()
    preflight["request"] = {**preflight["request"], "method": "OPTIONS"}
    recording = judged(tmp_path, text_of(other, preflight, {"a": 1}, None, 5, entry()))
    assert (recording.judged, recording.others) == (1, 2)
    assert recording.gaps == ("shop.har#3: the entry is not as HAR 1.2 has it",)


def test_a_file_of_another_kind_is_named(tmp_path: Path) -> None:
    for text in (b"", b"<html>", b"GIF89a", b"[1, 2]"):
        with pytest.raises(UsageError, match="recording that is known"):
            judged(tmp_path, text)
    with pytest.raises(UsageError, match="no HAR"):
        judged(tmp_path, '{"x": ')


def test_a_clock_that_jumps_back_blames_nobody(tmp_path: Path) -> None:
    late, early = entry(), entry()
    early["startedDateTime"], early["time"] = "2020-01-01T00:00:00Z", -5000
    recording = judged(tmp_path, text_of(late, early, entry(startedDateTime="not a date")))
    assert not [finding for one in recording.journal.results for finding in one.findings]


def _peak(path: Path, fillers: int) -> int:
    filler = json.dumps(
        entry("x" * 2_000_000, request={"method": "GET", "url": "http://shop.example/big", "headers": []})
    )
    with path.open("w") as file:
        file.write('{"log": {"version": "1.2", "entries": [')
        for _ in range(fillers):
            file.write(filler + ",")
        file.write(json.dumps(entry()) + "]}}")
    tracemalloc.start()
    recording = judge_files(CONTRACT, [path])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert recording.judged == 1
    return peak


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    judge_files(CONTRACT, [FLOWS])
    short, long = _peak(tmp_path / "short.har", 2), _peak(tmp_path / "long.har", 20)
    assert (tmp_path / "long.har").stat().st_size > 40_000_000
    assert long < short + 2_000_000


def test_an_entry_beyond_the_bound_is_passed_over_and_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.passive.har.MOST_ENTRY_BYTES", 5_000)
    recording = judged(tmp_path, text_of(entry("y" * 20_000), entry()))
    assert recording.judged == 1
    assert recording.gaps == ("shop.har#1: the entry is longer than 5,000 bytes",)


def test_secrets_are_in_nothing_that_is_written(tmp_path: Path) -> None:
    one = entry()
    one["request"]["url"] = "http://bob:hunter2hunter2@shop.example/AP/CancelAllOrders?token=t0psecret-77"
    one["request"]["headers"] = [
        {"name": "aptoken", "value": "5e551011-aaaa-bbbb"},
        {"name": "Cookie", "value": "sid=c00kie-value-1"},
        {"name": "Authorization", "value": "Basic " + base64.b64encode(b"bob:pa55phrase!").decode()},
    ]
    one["response"]["content"]["text"] = json.dumps({**GOOD, "detail": "5e551011-aaaa-bbbb c00kie-value-1"})
    recording = judged(tmp_path, text_of(one))
    write_journal(tmp_path / "out" / "journal.jsonl", recording.journal)
    written = (tmp_path / "out" / "journal.jsonl").read_text()
    found = {one.check for result in recording.journal.results for one in result.findings}
    assert "secrets" in found
    for secret in ("hunter2hunter2", "t0psecret-77", "5e551011-aaaa-bbbb", "c00kie-value-1", "pa55phrase!"):
        assert secret not in written


def test_frames_are_paired_by_number_and_events_are_left_out(tmp_path: Path) -> None:
    payload = json.dumps({"OMSId": 1, "AccountId": 7})
    ask = json.dumps({"m": 0, "i": 4, "n": "CancelAllOrders", "o": payload})
    event = json.dumps({"m": 3, "i": 4, "n": "OrderStateEvent", "o": "{}"})
    reply = json.dumps({"m": 1, "i": 4, "n": "CancelAllOrders", "o": json.dumps(GOOD)})
    other = json.dumps({"m": 1, "i": 9, "n": "CancelAllOrders", "o": json.dumps(GOOD)})

    def socket(*received: str) -> str:
        messages = [{"type": "send", "time": 1.0, "opcode": 1, "data": ask}]
        messages += [{"type": "receive", "time": 1.5, "opcode": 1, "data": one} for one in received]
        return text_of(entry(_webSocketMessages=messages))

    assert verdict_of(judged(tmp_path, socket(event, reply)), "shop.har#1.1/answer") is Verdict.PASS
    assert verdict_of(judged(tmp_path, socket(event)), "shop.har#1.1/answer") is Verdict.NOT_VERIFIED
    assert verdict_of(judged(tmp_path, socket(other)), "shop.har#1.1/answer") is Verdict.FAIL
    assert verdict_of(judged(tmp_path, socket(reply, reply)), "shop.har#1.1/answer") is Verdict.FAIL


def test_flows_that_mitmproxy_wrote_are_judged() -> None:
    recording = judge_files(CONTRACT, [FLOWS])
    assert (recording.judged, recording.others, recording.gaps) == (7, 8, ())
    assert not [finding for one in recording.journal.results for finding in one.findings]
    assert {one.transport for one in recording.journal.results} == {"http", "ws"}


@pytest.mark.parametrize("length", [1, 3, 900, 5_000, 22_000])
def test_flows_that_were_cut_off_are_read_up_to_there(tmp_path: Path, length: int) -> None:
    path = tmp_path / "cut.flows"
    path.write_bytes(FLOWS.read_bytes()[:length])
    try:
        found = list(exchanges_of(path))
    except UsageError:
        assert length < 10
        return
    assert isinstance(found[-1], Lost)
    assert "cannot be read from here on" in found[-1].why


@pytest.mark.parametrize(
    "text", [b"7:3:abc,}", b"3:1:]]", b"999999999999999:x", b"5:12345,", b"20:" + b"2:" * 9 + b"~]]"]
)
def test_bytes_that_are_no_flow_give_words(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "odd.flows"
    path.write_bytes(text)
    assert all(isinstance(one, Lost) for one in exchanges_of(path))


@pytest.mark.parametrize(
    ("words", "lost"),
    [
        (["--case", "tpp/forms/keys-*", "--case", "co/spelled/http-expect-continue*"], 0),
        (
            [
                "--case",
                "tpp/resp*",
                "--case",
                "co/resp*",
                "--equivalent",
                "tpp-chunked",
                "--equivalent",
                "co-chunked-answer",
            ],
            0,
        ),
        (["--case", "co/resp*", "--equivalent", "co-gzip"], 1),
    ],
    ids=["case-of-keys-and-interim-answers", "chunks", "packed"],
)
def test_answers_of_a_run_that_passes_are_right_in_its_journal_too(words: list[str], lost: int, tmp_path: Path) -> None:
    ran = CliRunner().invoke(main, ["run", *words, "--report", str(tmp_path / "run"), "--no-html", "--quiet"])
    assert ran.exit_code == 0, ran.output
    words = ["judge", str(tmp_path / "run"), "--only", "answers", "--report", str(tmp_path / "out"), "--no-html"]
    CliRunner().invoke(main, words)
    cases = json.loads((tmp_path / "out" / "results.json").read_text("utf-8"))["cases"]
    answers = [one for one in cases if one["id"].endswith("/answer")]
    assert answers
    assert [one["findings"] for one in answers if one["verdict"] == "fail"] == []
    assert {one["verdict"] for one in answers} == ({"pass", "not-verified"} if lost else {"pass"})


def jumping(*started: int) -> list[dict[str, Any]]:
    """The order is listed, cancelled, and no longer listed; each entry with the time that the clock shows."""
    place = {"OMSId": 1, "AccountId": 101}
    done = {"result": True, "errormsg": None, "errorcode": 0, "detail": None}
    shown = [{"OrderId": 5, "OMSId": 1, "Account": 101, "OrderState": "Working", "IsQuote": False}]
    calls = [
        ("GetOpenOrders", place, shown),
        ("CancelOrder", {**place, "OrderId": 5}, done),
        ("GetOpenOrders", place, []),
    ]
    return [
        {
            "startedDateTime": datetime.fromtimestamp(moment, UTC).isoformat(), "time": 5,
            "request": {
                "method": "POST", "url": f"https://shop.test/AP/{name}", "headers": [],
                "postData": {"mimeType": "application/json", "text": json.dumps(asked)},
            },
            "response": {"status": 200, "headers": [], "content": {"size": 1, "text": json.dumps(answer)}},
        }
        for moment, (name, asked, answer) in zip(started, calls, strict=True)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("started", "effect", "gaps"),
    [
        ((1000, 1010, 1020), "pass", 0),
        ((1000, 1001, 1010), "pass", 0),
        ((9000, 1000, 1010), "not-verified", 1),
        ((9000, 9010, 1000), "not-verified", 1),
        ((9000, 5000, 1000), "not-verified", 2),
    ],
)
def test_clock_that_goes_back_is_told_and_blames_nobody(
    started: tuple[int, ...], effect: str, gaps: int, tmp_path: Path
) -> None:
    path = tmp_path / "shop.har"
    path.write_text(json.dumps({"log": {"version": "1.2", "entries": jumping(*started)}}), encoding="utf-8")
    recording = judge_files(load_contract(None), [path])
    verdicts = {one.id: one.verdict.value for one in recording.journal.results}
    assert verdicts == {"shop.har#2/request": "pass", "shop.har#2/answer": "pass", "shop.har#2/effect": effect}
    assert len([gap for gap in recording.gaps if "the clock goes back by" in gap]) == gaps
