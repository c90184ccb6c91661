"""The proxy with real mitmproxy: what goes through is unchanged and judged; what is out of scope does not go on.

mitmproxy pins versions that do not go together with those of the tests, so it has an environment of its own: `tox -e proxy`
makes one and sets MITMPROXY to its Python. Without it, what does not need mitmproxy is tested here.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from conformance.cli.judge import report
from conformance.cli.main import main
from conformance.contract.load import load_contract
from conformance.passive.judging import Options
from conformance.passive.proxy import Tap, refusal_of
from conformance.report.journal import read_journal
from reference_impl.serve import ServeOptions

from .passive_support import Client, Socket, served

PYTHON = os.environ.get("MITMPROXY", "")
NEEDS_MITMPROXY = pytest.mark.skipif(not PYTHON, reason="MITMPROXY names no Python that has it; `tox -e proxy` does")
START_S, END_S = 60.0, 60.0
SCOPE = (
    'schema_version = 1\nname = "shop"\n[scope]\ndestructive = true\naccounts = [101]\noms = [1]\n'
    '[services.alphapoint]\nhttp = "http://127.0.0.1:9"\n'
)


class Proxy:
    """A running proxy; `end` stops it and takes its exit code."""

    def __init__(self, upstream: str, folder: Path, *words: str) -> None:
        command = [
            PYTHON,
            "-m",
            "conformance",
            "proxy",
            "--upstream",
            f"http://{upstream}",
            "--report",
            str(folder),
            *words,
        ]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        assert select.select([self.process.stdout], [], [], START_S)[0], "the proxy did not start"
        line = self.process.stdout.readline()
        assert line.startswith("listening on http://"), self.process.communicate(timeout=END_S)
        self.host = line.removeprefix("listening on http://").strip()

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        self.output, self.errors = self.process.communicate(timeout=END_S)
        return self.process.returncode


@contextlib.contextmanager
def proxied(folder: Path, *words: str, options: ServeOptions = ServeOptions()) -> Iterator[tuple[str, Proxy]]:  # noqa: B008
    with served(options) as host:
        proxy = Proxy(host, folder, "--no-html", *words)
        try:
            yield host, proxy
        finally:
            if proxy.process.poll() is None:
                proxy.process.kill()
                proxy.process.communicate(timeout=END_S)


def over_both(client: Client, account: int = 101) -> list[Any]:
    """A cancellation over HTTP and one over WebSocket; the answers."""
    place = {"OMSId": 1, "AccountId": account}
    answers = [client.http("/AP/CancelAllOrders", place, client.token("trader01"))]
    socket = Socket(client)
    socket.call("AuthenticateUser", {"UserName": "trader01", "Password": "trader01-password"})
    answers.append(socket.call("CancelAllOrders", place))
    socket.close()
    return answers


@NEEDS_MITMPROXY
def test_what_goes_through_is_unchanged_and_judged(tmp_path: Path) -> None:
    with proxied(tmp_path / "out") as (host, proxy):
        through, straight = over_both(Client(proxy.host)), over_both(Client(host))
        assert through == straight
        assert proxy.end() == 0, proxy.errors
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    judged = {(one["id"].rpartition("/")[2], one["transport"], one["verdict"]) for one in results["cases"]}
    assert {("request", "http", "pass"), ("answer", "ws", "pass")} <= judged
    assert "trader01-password" not in (tmp_path / "out" / "journal.jsonl").read_text()


@NEEDS_MITMPROXY
def test_a_fault_of_the_server_behind_is_found(tmp_path: Path) -> None:
    with proxied(tmp_path / "out", options=ServeOptions(faults=("cao-ws-event",))) as (_, proxy):
        over_both(Client(proxy.host))
        assert proxy.end() == 1
    assert "CAO-WS-M" in proxy.output


@NEEDS_MITMPROXY
def test_what_is_out_of_scope_does_not_go_on(tmp_path: Path) -> None:
    target = tmp_path / "target.toml"
    target.write_text(SCOPE)
    with proxied(tmp_path / "out", "--target", str(target), "--block-unsafe") as (host, proxy):
        owner = Client(host)
        session = owner.token("trader01")
        order = {"OMSId": 1, "AccountId": 301, "InstrumentId": 1, "Side": 0, "Quantity": 1, "LimitPrice": 1}
        owner.http("/AP/SendOrder", order, session)
        client = Client(proxy.host)
        assert client.http("/AP/CancelAllOrders", {"OMSId": 1, "AccountId": 301}, session)[0] == 403
        assert client.http("/AP/CancelAllOrders", {"OMSId": 1}, session)[0] == 403
        assert client.http("/AP/CancelAllOrders", {"OMSId": 1, "AccountId": 101}, session)[1]["errorcode"] == 0
        assert len(owner.http("/AP/GetOpenOrders", {"OMSId": 1, "AccountId": 301}, session)[1]) == 1
        proxy.end()
    assert "2 requests were out of scope and did not go on" in proxy.errors


@NEEDS_MITMPROXY
def test_frame_that_is_out_of_scope_does_not_go_on_and_the_client_is_told(tmp_path: Path) -> None:
    target = tmp_path / "target.toml"
    target.write_text(SCOPE)
    with proxied(tmp_path / "out", "--target", str(target), "--block-unsafe") as (host, proxy):
        owner = Client(host)
        session = owner.token("trader01")
        order = {"OMSId": 1, "AccountId": 301, "InstrumentId": 1, "Side": 0, "Quantity": 1, "LimitPrice": 1}
        made = owner.http("/AP/SendOrder", order, session)[1]["OrderId"]
        socket = Socket(Client(proxy.host))
        assert socket.call("AuthenticateUser", {"UserName": "trader01", "Password": "trader01-password"})[
            "Authenticated"
        ]
        outside = [
            ("CancelAllOrders", {"OMSId": 1, "AccountId": 301}), ("CancelAllOrders", {"OMSId": 1}),
            ("cancelallorders", {"omsid": 1, "accountid": "301"}), ("CancelOrder", {"OMSId": 1, "OrderId": made}),
            ("CancelAllOrders", {"OMSId": 1, "AccountId": 101, "accountID": 301}),
        ]  # fmt: skip
        for number, (name, payload) in enumerate(outside):
            told = socket.refused(name, payload, pieces=1 + number % 3, binary=number == 4)
            assert (told["m"], told["n"]) == (5, name)
            assert told["o"].startswith("refused by the proxy: ")
        assert socket.call("CancelAllOrders", {"OMSId": 1, "AccountId": 101})["result"] is True
        socket.close()
        assert len(owner.http("/AP/GetOpenOrders", {"OMSId": 1, "AccountId": 301}, session)[1]) == 1
        received = owner.http("/_world/received", b"", {}, method="GET")[1]["received"]
        assert [json.loads(json.loads(one["text"])["o"])["AccountId"] for one in received] == [101]
        proxy.end()
    assert "5 requests were out of scope and did not go on" in proxy.errors
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert {one["verdict"] for one in results["cases"] if "/effect" not in one["id"]} == {"pass"}
    assert len(results["cases"]) == 3


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        (b'{"m":0,"i":8,"n":"CancelOrder","o":"{}"}', {"m": 5, "i": 8, "n": "CancelOrder", "o": "no"}),
        (b'{"m":0,"i":9007199254740993,"n":"X"}', {"m": 5, "i": 9007199254740993, "n": "X", "o": "no"}),
        (b'{"i":true,"n":5}', {"m": 5, "i": 0, "n": "", "o": "no"}),
        (b"\xff\x00", {"m": 5, "i": 0, "n": "", "o": "no"}),
    ],
)
def test_refusal_of_a_frame_has_its_number_and_its_name(frame: bytes, told: dict[str, Any]) -> None:
    assert json.loads(refusal_of(frame, "no")) == told


class Messages:
    """A flow of a WebSocket as an addon gets it."""

    def __init__(self, tap: Tap, name: str = "socket") -> None:
        self.id = name
        self.metadata: dict[str, Any] = {}
        self.websocket = SimpleNamespace(messages=[])
        headers = SimpleNamespace(items=lambda multi: [("Host", "shop.test")])
        self.request = SimpleNamespace(url="ws://shop.test/WSGateway/", headers=headers)
        self._tap = tap

    def pass_(self, from_client: bool, content: bytes, time_s: float, **marks: bool) -> None:
        given = {"dropped": False, "injected": False, "is_text": True, **marks}
        message = SimpleNamespace(from_client=from_client, content=content, timestamp=time_s, **given)
        self.websocket.messages.append(message)
        self._tap.websocket_message(self)

    def call(self, number: int, time_s: float, answer: bytes | None = None) -> None:
        self.pass_(True, SENT.replace(b'"i":2', b'"i":%d' % number), time_s)
        self.pass_(False, (answer or RIGHT).replace(b'"i":2', b'"i":%d' % number), time_s + 0.1)


SENT = b'{"m":0,"i":2,"n":"CancelAllOrders","o":"{\\"OMSId\\":1,\\"AccountId\\":7}"}'
RIGHT = b'{"m":1,"i":2,"n":"CancelAllOrders","o":"{\\"result\\":true,\\"errormsg\\":null,\\"errorcode\\":0,\\"detail\\":null}"}'
WRONG = RIGHT.replace(b"true", b"false")


def test_frames_that_the_proxy_withheld_or_made_are_no_word_of_the_service() -> None:
    tap = Tap(load_contract(None), Options())
    socket = Messages(tap)
    socket.pass_(True, SENT, 1.0, dropped=True)
    socket.pass_(False, b'{"m":5,"i":2,"n":"CancelAllOrders","o":"no"}', 1.1, injected=True)
    socket.call(4, 2.0)
    tap.websocket_end(socket)
    results = tap.finish({"recording": ["proxy"]}).journal.results
    assert {one.id: one.verdict.value for one in results if "effect" not in one.id} == {
        "proxy#1.1/request": "pass", "proxy#1.1/answer": "pass",
    }  # fmt: skip


def test_frames_are_judged_while_the_socket_is_open_and_none_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "out" / "journal.jsonl"
    tap = Tap(load_contract(None), Options(), journal=path, target={"recording": ["proxy"]})
    one, other = Messages(tap, "one"), Messages(tap, "other")
    one.call(2, 10.0, WRONG)
    other.call(2, 10.1)
    one.pass_(False, b'{"m":1,"i":2,"n":"CancelAllOrders","o":"{}"}', 10.5)  # a second answer
    one.call(4, 20.0)
    deadline = time.monotonic() + 20
    while not path.exists() or "proxy#1.1/answer" not in path.read_text("utf-8"):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert len(one.websocket.messages) == 1
    results = {one.id: one for one in tap.finish({"recording": ["proxy"]}).journal.results}  # both are open still
    assert {name for name in results if "effect" not in name} == {
        f"proxy#{place}/{part}" for place in ("1.1", "1.4", "2.1") for part in ("request", "answer")
    }
    assert len({one.check for one in results["proxy#1.1/answer"].findings}) > 1
    assert not results["proxy#1.4/answer"].findings


@pytest.mark.parametrize("content", [b"", b"\xff", b"[" * 100_000, b'{"n":["CancelAllOrders"],"i":{}}'])
def test_frame_that_cannot_be_judged_costs_no_other_one(content: bytes) -> None:
    tap = Tap(load_contract(None), Options())
    socket = Messages(tap)
    socket.pass_(True, content, 1.0)
    socket.pass_(False, content, 1.1)
    socket.call(4, 2.0)
    assert tap.finish({"recording": ["proxy"]}).judged == 1


def test_blocking_needs_a_scope() -> None:
    ended = CliRunner().invoke(main, ["proxy", "--upstream", "http://127.0.0.1:9", "--block-unsafe"])
    assert ended.exit_code == 2
    assert "needs a scope" in ended.output


def test_without_mitmproxy_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.errors.importlib.util.find_spec", lambda _name: None)
    ended = CliRunner().invoke(main, ["proxy", "--upstream", "http://127.0.0.1:9"])
    assert ended.exit_code == 2
    assert "order-cancellation-conformance[proxy]" in ended.output


class Flow:
    """A flow as an addon gets it, whose state cannot be judged."""

    websocket = None
    metadata: dict[str, Any] = {}  # noqa: RUF012  nobody writes it

    def __init__(self, state: Any) -> None:
        self._state = state

    def get_state(self) -> Any:
        return self._state


def exchange() -> Flow:
    """A right call with a right answer."""
    request = {
        "method": b"POST", "scheme": b"http", "host": "h", "port": 80, "path": b"/AP/CancelAllOrders", "authority": b"",
        "headers": ((b"Content-Type", b"application/json"),), "content": b'{"OMSId":1,"AccountId":7}', "timestamp_start": 1.0,
    }  # fmt: skip
    answer = {
        "status_code": 200, "reason": b"OK", "headers": (), "timestamp_end": 1.1, "http_version": b"HTTP/1.1",
        "content": b'{"result":true,"errormsg":null,"errorcode":0,"detail":null}',
    }  # fmt: skip
    return Flow({"type": "http", "request": request, "response": answer, "websocket": None})


@pytest.mark.parametrize("state", [{}, {"type": "http"}, {"type": "http", "request": 5}, {"type": "tcp"}])
def test_a_flow_that_cannot_be_judged_costs_no_other_one(state: Any) -> None:
    tap = Tap(load_contract(None), Options())
    tap.response(Flow(state))
    tap.response(exchange())
    assert tap.finish({"recording": ["proxy"]}).judged == 1


def test_an_error_of_the_judge_is_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("no")

    monkeypatch.setattr("conformance.passive.judging.Judging.take", broken)
    tap = Tap(load_contract(None), Options())
    tap.response(Flow({"type": "http", "request": {"method": b"GET", "scheme": b"http", "host": "h", "port": 1,
                       "path": b"/", "headers": (), "content": b""}, "response": None, "websocket": None}))  # fmt: skip
    assert tap.finish({"recording": ["proxy"]}).gaps == ("proxy#1: could not be judged: RuntimeError",)


def test_each_result_is_written_as_soon_as_it_is_there(tmp_path: Path) -> None:
    path = tmp_path / "out" / "journal.jsonl"
    tap = Tap(load_contract(None), Options(), journal=path, target={"recording": ["proxy"]})
    tap.response(exchange())
    deadline = time.monotonic() + 20
    while not path.exists() or len(path.read_text("utf-8").splitlines()) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    found = read_journal(path)  # as after a kill: there is no footer yet
    assert found.footer is None
    assert {one.id for one in found.results} == {"proxy#1/request", "proxy#1/answer"}
    assert tap.finish({"recording": ["proxy"]}).judged == 1


def wrong_exchanges(tap: Tap) -> None:
    """A wrong answer over HTTP, and one over WebSocket behind a right one."""
    http = exchange()
    http._state["response"]["content"] = b'{"result":true,"errormsg":null,"errorcode":20,"detail":null}'
    tap.response(http)
    socket = Messages(tap)
    socket.call(2, 5.0)
    socket.call(4, 6.0, WRONG)
    tap.websocket_end(socket)


def test_each_finding_is_reproduced_by_the_command_that_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    folder, contract = Path("conformance-report"), load_contract(None)
    tap = Tap(contract, Options(), journal=folder / "journal.jsonl", target={"recording": [str(folder)]})
    wrong_exchanges(tap)
    recording = tap.finish({"recording": [str(folder)]})
    assert report(contract, recording, folder, no_html=True, as_json=False, quiet=False, verbose=True) == 1
    before = (folder / "journal.jsonl").read_bytes()
    commands = {line.strip() for line in capsys.readouterr().out.splitlines() if "--exchange" in line}
    assert commands
    failing = {one.id for one in recording.journal.results if one.findings}
    assert failing == {"proxy#1/answer", "proxy#2.3/answer"}
    for command in (*commands, "conformance judge conformance-report --exchange 'proxy#2.3'"):
        ended = CliRunner().invoke(main, [*shlex.split(command)[1:], "--no-html"])
        assert ended.exit_code == 1, ended.output
        found = json.loads(Path("conformance-exchange", "results.json").read_text("utf-8"))["cases"]
        (name,) = {one["id"] for one in found if one["findings"]}
        assert name in failing
        assert shlex.split(command)[-1] == name.rpartition("/")[0]
    assert (folder / "journal.jsonl").read_bytes() == before


@pytest.mark.parametrize("given", ["out", "out/journal.jsonl"])
def test_recording_is_not_written_over(tmp_path: Path, given: str) -> None:
    tap = Tap(load_contract(None), Options(), journal=tmp_path / "out" / "journal.jsonl", target={"recording": ["out"]})
    tap.response(exchange())
    tap.finish({"recording": ["out"]})
    before = (tmp_path / "out" / "journal.jsonl").read_bytes()
    ended = CliRunner().invoke(main, ["judge", str(tmp_path / given), "--report", str(tmp_path / "out")])
    assert ended.exit_code == 2
    assert "would take the place of the recording" in ended.output
    assert (tmp_path / "out" / "journal.jsonl").read_bytes() == before


def test_journal_that_cannot_be_written_costs_no_exchange(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    tap = Tap(load_contract(None), Options(), journal=tmp_path / "file" / "journal.jsonl")
    tap.response(exchange())
    recording = tap.finish({"recording": ["proxy"]})
    assert recording.judged == 1
    assert recording.gaps[0].startswith("the journal is written at the end alone")
