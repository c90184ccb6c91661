"""Hooks with a real receiver: the signature, tries and their bounds, no secret anywhere, and no result lost."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from history_support import cause, document

from conformance.errors import ConfigurationError
from conformance.fleet.events import Told, events_of
from conformance.fleet.file import Hook
from conformance.fleet.hooks import SIGNATURE, Teller
from conformance.history.add import add
from conformance.history.record import record_of
from conformance.history.store import open_store

KEY = "hunter2-and-more-of-it"
EVENT = Told("new-cause", "acme", "o", "R-1", "wrong", {"id": "r"})


class Receiver(ThreadingHTTPServer):
    daemon_threads = True
    answers: list[int]
    got: list[tuple[dict[str, str], bytes]]


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((dict(self.headers), body))
        status = self.server.answers.pop(0) if self.server.answers else 200
        if status == 0:
            time.sleep(3)
        self.send_response(status or 200)
        self.send_header("Content-Length", str(len(KEY)))
        self.end_headers()
        self.wfile.write(KEY.encode())  # a receiver that gives the secret away

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver(("127.0.0.1", 0), _Handler)
    server.answers, server.got = [], []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join(10)


def hook_to(receiver: Receiver, **keys: Any) -> Hook:
    url = f"http://127.0.0.1:{receiver.server_address[1]}/in?a=1"
    return Hook.model_validate({"url": url, "secret": {"env": "KEY"}, **keys})


def tell(hook: Hook, folder: Path, *events: Told) -> tuple[list[str], list[float]]:
    said: list[str] = []
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    teller = Teller({"x": hook}, folder, {"KEY": KEY}, sleep=sleep, say=said.append)
    asyncio.run(teller.tell(events or (EVENT,)))
    return said, waits


def test_receiver_can_check_who_sent_it_and_when(receiver: Receiver, tmp_path: Path) -> None:
    assert tell(hook_to(receiver), tmp_path) == ([], [])
    ((headers, body),) = receiver.got
    fields = dict(part.split("=") for part in headers[SIGNATURE].split(","))
    expected = hmac.new(KEY.encode(), f"{fields['t']}.".encode() + body, hashlib.sha256).hexdigest()
    assert fields["v1"] == expected
    assert abs(int(fields["t"]) - time.time()) < 60
    assert json.loads(body)["id"] == EVENT.id
    assert KEY not in body.decode() + json.dumps(headers)


def test_refused_event_is_told_again_with_growing_waits_and_then_said(receiver: Receiver, tmp_path: Path) -> None:
    receiver.answers = [500, 302, 429]
    assert tell(hook_to(receiver), tmp_path) == ([], [1.0, 2.0, 4.0])
    assert len({body for _, body in receiver.got}) == 1
    receiver.answers = [500] * 9
    said, waits = tell(hook_to(receiver, tries=2), tmp_path)
    assert waits == [1.0]
    assert said == ["hook x was not told of new-cause of acme in 2 tries: HTTP 500"]


def test_receiver_that_hangs_or_is_gone_costs_bounded_time(receiver: Receiver, tmp_path: Path) -> None:
    receiver.answers = [0]
    begun = time.monotonic()
    said, _ = tell(hook_to(receiver, tries=1, timeout_s=0.3), tmp_path)
    assert len(said) == 1
    assert time.monotonic() - begun < 2.5
    gone = Hook.model_validate({"url": "http://127.0.0.1:9/", "secret": {"env": "KEY"}, "tries": 1})
    (line,) = tell(gone, tmp_path)[0]
    assert "was not told" in line
    assert KEY not in line


def test_secret_that_is_missing_is_told_before_anything_is_judged(tmp_path: Path) -> None:
    hook = Hook.model_validate({"url": "https://h", "secret": {"env": "KEY"}})
    with pytest.raises(ConfigurationError, match="the environment variable KEY is not set"):
        Teller({"x": hook}, tmp_path, {})


def test_address_may_be_a_secret_that_nothing_shows(receiver: Receiver, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{receiver.server_address[1]}/token-{KEY}"
    hook = Hook.model_validate({"url": {"env": "URL"}, "secret": {"env": "KEY"}, "tries": 1})
    said: list[str] = []
    receiver.answers = [500]
    teller = Teller({"x": hook}, tmp_path, {"KEY": KEY, "URL": url}, say=said.append)
    asyncio.run(teller.tell((EVENT,)))
    assert len(receiver.got) == len(said) == 1
    assert KEY not in said[0]
    with pytest.raises(ConfigurationError, match="is no https address") as caught:
        Teller({"x": hook}, tmp_path, {"KEY": KEY, "URL": f"ftp://h/{KEY}"})
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    ("command", "said"),
    [(["false"], "exit code 1"), (["/nowhere"], "FileNotFoundError"), (["sleep", "60"], "took longer than 0.3 s")],
)
def test_command_that_fails_is_said(command: list[str], said: str, tmp_path: Path) -> None:
    (line,) = tell(Hook.model_validate({"command": command, "tries": 1, "timeout_s": 0.3}), tmp_path)[0]
    assert said in line


def test_command_reads_the_event_and_knows_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", KEY)
    script = 'cat > event; env > environment; echo "$CONFORMANCE_EVENT $CONFORMANCE_ENDPOINT" > names'
    command = Hook.model_validate({"command": ["sh", "-c", script]})
    url = Hook.model_validate({"url": "http://127.0.0.1:9/", "secret": {"env": "KEY"}, "tries": 1})
    teller = Teller({"a": command, "b": url}, tmp_path, {"KEY": KEY}, say=lambda _: None)
    asyncio.run(teller.tell((EVENT,)))
    assert json.loads((tmp_path / "event").read_bytes())["subject"] == "R-1"
    assert (tmp_path / "names").read_text("utf-8") == "new-cause acme\n"
    assert KEY not in (tmp_path / "environment").read_text("utf-8")


def test_events_are_what_the_run_before_did_not_have(tmp_path: Path) -> None:
    days = [
        document(0, readings={"q": ["a"], "s": []}),
        document(1, {"R-1": "fail"}, causes=[cause()], readings={"q": ["b"], "s": ["a"]}),
        document(2, {"R-1": "fail"}, causes=[cause(cases=9)], readings={"q": ["b"], "s": ["a"]}),
    ]
    days[2]["summary"]["reasons"] = ["waiver expired: op/* R-1", "waiver matched nothing: op/x R-2", "1 cause"]
    told = []
    with open_store(f"sqlite:///{tmp_path}/h.db", create=True) as store:
        for one in days:
            record = record_of(one, "x")
            add(store, record)
            told.append([(event.event, event.subject) for event in events_of(store, record.id, "acme", "o")])
    assert told == [
        [],
        [("new-cause", "R-1/check/at"), ("flipped-reading", "q")],
        [("stale-waiver", "op/* R-1"), ("stale-waiver", "op/x R-2")],
    ]
