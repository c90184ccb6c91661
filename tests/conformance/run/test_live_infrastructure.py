"""What stands between the harness and a server: pages of a balancer, sockets that say goodbye, late answers, nobody there."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import trustme
from hostile_support import GOOD, JSON_CASE, WS_CASE, answer, read_request, scripted, shake_hands, write_target
from hostile_support import run as run_scripted
from live_support import command, live, pointed, run, sample

from conformance.guard.gate import is_hiccup, wait_s, was_throttled
from conformance.wire.messages import Exchange, HttpReply, WireProblem

PAGE = b"<html><body><h1>503 Service Unavailable</h1></body></html>"
CAO = ("--generated", "0", "--case", "cao/effects/*", "--case", "cao/roles/*@http", "--case", "cao/malformed/*@http")


class Balancer:
    """Answers some HTTP requests itself: those that `due` picks, by their number and path; nothing is passed on."""

    def __init__(self, app: Any, due: Any, status: int = 503, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
        self.app, self.due, self.status, self.headers = app, due, status, headers
        self.count = self.pages = 0
        self.paths: Counter[str] = Counter()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and not scope["path"].startswith("/_world"):
            self.count += 1
            self.paths[scope["path"]] += 1
            if self.due(self.count, scope["path"]):
                self.pages += 1
                await send({"type": "http.response.start", "status": self.status, "headers": list(self.headers)})
                await send({"type": "http.response.body", "body": PAGE})
                return
        await self.app(scope, receive, send)


def _alphapoint(url: str, **limits: Any) -> str:
    given = "\n".join(f"{key} = {value}" for key, value in limits.items())
    return pointed(sample("alphapoint"), url).replace("[limits]\n", f"[limits]\n{given}\n")


def test_one_page_in_twelve_of_a_balancer_fails_nothing_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with live(wrap=lambda app: Balancer(app, lambda count, _path: count % 12 == 0)) as server:
        came = run(tmp_path, _alphapoint(server.url), *CAO)
        assert server.app.pages > 10
    assert set(came.verdicts().values()) == {"pass"}, came.reasons()
    assert "left" not in came.output


def test_a_call_that_gets_the_page_every_time_is_a_finding_that_no_answer_came(tmp_path: Path) -> None:
    def due(_count: int, path: str) -> bool:
        return path == "/AP/CancelQuote"

    with live(wrap=lambda app: Balancer(app, due)) as server:
        came = run(
            tmp_path, _alphapoint(server.url), "--generated", "0", "--case", "cao/effects/nothing-open@http",
            "--case", "cq/codes/104@http", "--case", "cq/malformed/bare-word@http", "--case", "cq/malformed/blank@http",
        )  # fmt: skip
    failed = {name: case for name, case in ((c["id"], c) for c in came.results["cases"]) if case["verdict"] == "fail"}
    assert failed
    assert all(name.startswith("cq/") for name in failed)
    found = {(one["requirement"], one["check"]) for case in failed.values() for one in case["findings"]}
    assert found == {("CQ-SYNC", "answered")}
    assert came.exit_code == 1


def test_a_target_that_gives_nothing_but_pages_is_exit_3(tmp_path: Path) -> None:
    with live(wrap=lambda app: Balancer(app, lambda *_: True)) as server:
        began = time.monotonic()
        came = run(tmp_path, pointed(sample("tpp"), server.url), "--generated", "0")
        assert time.monotonic() - began < 20
        checked = command(tmp_path, "target", "check", str(tmp_path / "target.toml"))
    assert came.exit_code == 3
    assert "fail" not in came.verdicts().values()
    assert "HTTP 503 with a page of the infrastructure" in " ".join(came.results["summary"]["reasons"])
    assert checked.exit_code == 3


def test_a_page_that_says_when_to_come_back_is_waited_out(tmp_path: Path) -> None:
    def wrap(app: Any) -> Balancer:
        return Balancer(app, lambda count, _path: count % 5 == 0, headers=((b"retry-after", b"0"),))

    with live(wrap=wrap) as server:
        came = run(tmp_path, _alphapoint(server.url), "--generated", "0", "--case", "cao/effects/*@http")
        assert server.app.pages
    assert set(came.verdicts().values()) == {"pass"}, came.reasons()


def _http(status: int, body: bytes) -> Exchange:
    return Exchange(b"x", b"x", HttpReply(status, "", (), body, "1.1"), None, 0.0, 0.0)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (503, PAGE, True), (502, b"", True), (504, b"upstream request timeout", True),
        (503, b'{"message":"Service Unavailable"}', True), (503, b"<?xml version='1.0'?><Error><Code>x</Code></Error>", True),
        (500, PAGE, False), (200, PAGE, False), (503, b'"the service is overloaded"', False), (503, b"[]", False),
        (503, b'{"result":false,"errormsg":"Server Error","errorcode":102,"detail":null}', False),
        (503, b'<string xmlns="http://schemas.microsoft.com/2003/10/Serialization/">busy</string>', False),
    ],
)  # fmt: skip
def test_what_is_a_page_of_the_infrastructure(status: int, body: bytes, *, expected: bool) -> None:
    assert is_hiccup(_http(status, body)) is expected


@pytest.mark.parametrize(("value", "expected"), [(b"7", 7.0), (b"Wed, 01 Jan 2020 00:00:00 GMT", 0.0)])
def test_a_refused_handshake_says_how_long_to_wait(value: bytes, expected: float) -> None:
    for status in (b"429 Too Many Requests", b"503 Service Unavailable"):
        raw = b"HTTP/1.1 " + status + b"\r\nRetry-After: " + value + b"\r\nContent-Length: 0\r\n\r\n"
        refused = Exchange(b"", raw, None, WireProblem("handshake-refused", "no", "handshake"), 0.0, 0.0)
        assert was_throttled(refused)
        assert wait_s(refused, 0, 30.0) == expected


# Nobody there.


async def _closes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def _reads_and_closes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(65536)


async def _silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    await asyncio.sleep(60)


@pytest.mark.parametrize("script", [_closes, _reads_and_closes, _silent], ids=["closes", "reads-and-closes", "silent"])
def test_a_port_that_nobody_answers_at_is_exit_3_soon_and_target_check_sees_it(tmp_path: Path, script: Any) -> None:
    with scripted(script) as server:
        outcome = run_scripted(tmp_path, server.port, "tpp/response/*", WS_CASE)
        checked = command(tmp_path, "target", "check", str(tmp_path / "target.toml"))
    assert outcome.exit_code == 3
    assert outcome.elapsed_s < 15
    assert {case["verdict"] for case in outcome.results["cases"]} == {"target-error"}
    assert checked.exit_code == 3
    assert "answers nothing" in checked.output


def test_a_port_mapping_whose_server_died_in_mid_run_is_exit_3_and_what_was_judged_stays(tmp_path: Path) -> None:
    served = 0

    async def dies(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal served
        while served < 12:
            await read_request(reader)
            served += 1
            writer.write(answer(GOOD))
            await writer.drain()

    with scripted(dies) as server:
        outcome = run_scripted(tmp_path, server.port, "cao/malformed/*@http", JSON_CASE)
    assert outcome.exit_code in (1, 3)  # the script answers most of them wrongly
    assert outcome.results["run"]["messages_sent"] < 40
    assert outcome.journal[-1]["stopped"]
    assert not any(one["check"] == "answered" for case in outcome.results["cases"] for one in case["findings"])
    assert outcome.case(JSON_CASE)["verdict"] in ("pass", "target-error")


def test_http_on_a_tls_port_is_exit_3_with_a_hint_at_https(tmp_path: Path) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(tls)

    async def serves(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(answer(GOOD))

    with scripted(serves, tls) as server:
        outcome = run_scripted(tmp_path, server.port, JSON_CASE)
        checked = command(tmp_path, "target", "check", str(tmp_path / "target.toml"))
    assert outcome.exit_code == checked.exit_code == 3
    assert "write https://" in outcome.case(JSON_CASE)["reason"]
    assert "https://" in checked.output.replace("\n", "")


def test_https_on_a_plain_port_is_exit_3_with_a_hint_at_http(tmp_path: Path) -> None:
    async def serves(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(answer(GOOD))

    with scripted(serves) as server:
        outcome = run_scripted(tmp_path, server.port, JSON_CASE, scheme="https")
    assert outcome.exit_code == 3
    assert "write http://" in " ".join(outcome.results["summary"]["reasons"])


@pytest.mark.parametrize(("written", "speaks", "hint"), [("ws", "TLS", "wss://"), ("wss", "plain text", "ws://")])
def test_a_websocket_address_of_the_wrong_scheme_is_exit_3_with_a_hint_at_the_other(
    tmp_path: Path, written: str, speaks: str, hint: str
) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(tls)

    async def serves(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await shake_hands(reader, writer)
        await reader.read()

    with scripted(serves, tls if written == "ws" else None) as server:
        write_target(tmp_path, server.port)
        file = tmp_path / "target.toml"
        lines = file.read_text("utf-8").splitlines()
        address = f"{written}://127.0.0.1:{server.port}/WSGateway"
        begin = lines.index("[services.alphapoint]")
        rest = [line for line in lines[begin:] if not line.startswith("http =")]
        rest = [f'websocket = "{address}"' if line.startswith("websocket =") else line for line in rest]
        head = lines[: lines.index("[services.tpp]")]
        file.write_text("\n".join((*head, *rest)), "utf-8")
        came = command(tmp_path, "run", "--target", str(file), "--report", str(tmp_path / "out"), "--case", WS_CASE)
        checked = command(tmp_path, "target", "check", str(file))
    assert (came.exit_code, checked.exit_code) == (3, 3), came.output
    for told in (came.output, checked.output):
        assert f"{address} is a port that speaks {speaks}: write {hint} in the target file" in told.replace("\n", "")


# WebSockets that say goodbye, that throttle, that are slow.


class Sockets:
    """Changes what passes over WebSocket; `talk` gets the connection's number, receive and send, and the application."""

    def __init__(self, app: Any, talk: Any) -> None:
        self.app, self.talk, self.count = app, talk, 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "websocket":
            await self.app(scope, receive, send)
            return
        self.count += 1
        await self.talk(self.count, self.app, scope, receive, send)


FRAMES = ("--generated", "0", "--case", "cao/effects/*@ws", "--case", "cao/codes/*@ws")


def test_a_goodbye_right_behind_the_answer_to_the_sign_in_connects_again(tmp_path: Path) -> None:
    async def talk(number: int, app: Any, scope: Any, receive: Any, send: Any) -> None:
        async def sending(message: Any) -> None:
            await send(message)
            if number <= 2 and message["type"] == "websocket.send":
                await send({"type": "websocket.close", "code": 1001, "reason": "draining"})

        await app(scope, receive, sending)

    with live(wrap=lambda app: Sockets(app, talk)) as server:
        came = run(tmp_path, _alphapoint(server.url), *FRAMES, "--concurrency", "1")
        assert server.app.count > 2
    assert set(came.verdicts().values()) == {"pass"}, came.reasons()


@pytest.mark.parametrize("code", [1001, 1012])
def test_a_goodbye_that_crosses_a_message_is_tried_again_or_not_verified(tmp_path: Path, code: int) -> None:
    async def talk(_number: int, app: Any, scope: Any, receive: Any, send: Any) -> None:
        taken = 0

        async def receiving() -> Any:
            nonlocal taken
            message = await receive()
            taken += message["type"] == "websocket.receive"
            if taken > 6:  # it is not read any more
                await send({"type": "websocket.close", "code": code, "reason": "recycled"})
                return {"type": "websocket.disconnect", "code": code}
            return message

        async def sending(message: Any) -> None:
            if taken <= 6:
                await send(message)

        await app(scope, receiving, sending)

    with live(wrap=lambda app: Sockets(app, talk)) as server:
        came = run(tmp_path, _alphapoint(server.url), *FRAMES, "--concurrency", "1")
        assert server.app.count > 3
    assert set(came.verdicts().values()) <= {"pass", "not-verified"}, came.reasons()
    assert came.exit_code in (0, 4)


@pytest.mark.parametrize("status", [429, 503])
def test_a_handshake_that_is_throttled_is_waited_out(tmp_path: Path, status: int) -> None:
    async def talk(number: int, app: Any, scope: Any, receive: Any, send: Any) -> None:
        if number % 2:
            headers = [(b"retry-after", b"0")]
            await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
            await send({"type": "websocket.http.response.body", "body": b"TOO MANY REQUESTS"})
            return
        await app(scope, receive, send)

    with live(wrap=lambda app: Sockets(app, talk)) as server:
        came = run(tmp_path, _alphapoint(server.url), *FRAMES)
        assert server.app.count > 2
    assert set(came.verdicts().values()) == {"pass"}, came.reasons()


@pytest.mark.parametrize("only_calls", [False, True], ids=["everything", "the-calls-alone"])
def test_answers_that_come_after_quiet_s_are_late_and_not_silent(tmp_path: Path, *, only_calls: bool) -> None:
    async def talk(_number: int, app: Any, scope: Any, receive: Any, send: Any) -> None:
        later: set[asyncio.Task[None]] = set()

        async def sending(message: Any) -> None:
            slow = message["type"] == "websocket.send" and (
                not only_calls or "CancelAllOrders" in message.get("text", "")
            )
            if not slow:
                await send(message)
                return

            async def late() -> None:
                await asyncio.sleep(0.25)
                await send(message)

            later.add(asyncio.create_task(late()))

        await app(scope, receive, sending)

    with live(wrap=lambda app: Sockets(app, talk)) as server:
        came = run(tmp_path, _alphapoint(server.url), "--generated", "0", "--case", "cao/frames/*@ws")
    failed = [(case["id"], case["findings"]) for case in came.results["cases"] if case["verdict"] != "pass"]
    assert not failed


def test_an_unreadable_frame_on_every_message_ends_the_wait_and_is_the_evidence(tmp_path: Path) -> None:
    async def talk(_number: int, app: Any, scope: Any, receive: Any, send: Any) -> None:
        async def sending(message: Any) -> None:
            if "CancelAllOrders" in message.get("text", ""):
                message = {"type": "websocket.send", "text": '{"m":1,"i":'}
            await send(message)

        await app(scope, receive, sending)

    with live(wrap=lambda app: Sockets(app, talk)) as server:
        began = time.monotonic()
        came = run(tmp_path, _alphapoint(server.url), "--generated", "0", "--case", "cao/effects/*@ws")
        assert time.monotonic() - began < 15, "the time-out is ten seconds for each of them"
    assert set(came.verdicts().values()) == {"fail"}
    lines = [json.loads(line) for line in (came.folder / "journal.jsonl").read_text("utf-8").splitlines()]
    judged = [one for line in lines for one in line.get("exchanges", ()) if one["purpose"] == "judged"]
    assert judged
    assert all('{"m":1,"i":' in one["evidence"]["received"] for one in judged)


def test_after_a_few_time_outs_of_a_kind_the_rest_is_not_sent(tmp_path: Path) -> None:
    async def hangs(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            if not (await read_request(reader)).startswith(b"OPTIONS"):
                await reader.read()
            writer.write(answer(b""))
            await writer.drain()

    with scripted(hangs) as server:
        outcome = run_scripted(tmp_path, server.port, "cao/malformed/*@http")
    verdicts = Counter(case["verdict"] for case in outcome.results["cases"])
    assert verdicts["fail"] == 3
    assert verdicts["not-verified"] == len(outcome.results["cases"]) - 3
    assert "ended by time-out" in outcome.results["cases"][-1]["reason"]
    assert outcome.elapsed_s < 15


def test_target_check_measures_round_trips_and_says_which_limits_to_set(tmp_path: Path) -> None:
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        await asyncio.sleep(0.2)
        writer.write(answer(GOOD))
        await writer.drain()

    with scripted(slow) as server:
        path = write_target(tmp_path, server.port)
        path.write_text(path.read_text("utf-8").partition("[services.alphapoint]")[0], "utf-8")
        checked = command(tmp_path, "target", "check", str(path))
    words = " ".join(checked.output.split())
    assert "answers took up to 0.2" in words
    assert "total_timeout_s" in words
