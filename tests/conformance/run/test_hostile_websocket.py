"""WebSocket endpoints that misbehave in every way: one finding on the right requirement, in bounded time, no traceback."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from hostile_support import WS_CASE, Outcome, Script, frame, read_frame, run, scripted, shake_hands

from conformance.cli.main import main

MOST_S, MOST_WITH_OTHERS_S = 3.0, 9.0
"""Seconds of work, and seconds on the clock of a machine that is busy with other tests as well."""
Talk = Callable[[int, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def reply(number: int, *, kind: int = 1, name: str = "CancelAllOrders", payload: str | None = None) -> bytes:
    """A right answer, unless told otherwise."""
    standard = json.dumps({"result": True, "errormsg": None, "errorcode": 0, "detail": None})
    return json.dumps({"m": kind, "i": number, "n": name, "o": standard if payload is None else payload}).encode()


def _talks(talk: Talk) -> Script:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.read(1) != b"G":
            return
        await shake_hands(reader, writer)
        number = json.loads(await read_frame(reader))["i"]
        await talk(number, reader, writer)
        await writer.drain()
        await reader.read()

    return script


def _says(*build: Callable[[int], bytes]) -> Script:
    async def talk(number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for one in build:
            writer.write(one(number))

    return _talks(talk)


def _went(tmp_path: Path, script: Script) -> Outcome:
    with scripted(script) as server:
        outcome = run(tmp_path, server.port, WS_CASE)
    assert outcome.busy_s < MOST_S
    assert outcome.elapsed_s < MOST_WITH_OTHERS_S
    assert "Traceback" not in outcome.output
    assert outcome.journal[-1]["type"] == "footer"
    return outcome


def _event(_number: int) -> bytes:
    return frame(json.dumps({"m": 3, "i": 99, "n": "OrderStateEvent", "o": "{}"}).encode())


@pytest.mark.parametrize(
    "script",
    [
        _says(lambda i: frame(reply(i))),
        _says(_event, lambda i: frame(reply(i)), _event),
        _says(lambda i: frame(reply(i)[:9], 0x01), lambda i: frame(b"", 0x89), lambda i: frame(reply(i)[9:], 0x80)),
        _says(lambda i: frame(b"?", 0x89) * 50, lambda i: frame(reply(i))),
    ],
    ids=["plain", "unsolicited-events", "fragments-around-a-ping", "some-pings"],
)
def test_what_the_protocol_allows_is_not_failed(tmp_path: Path, script: Script) -> None:
    assert not _went(tmp_path, script).case(WS_CASE)["findings"]


def test_a_request_that_is_answered_twice_is_a_finding_of_its_own(tmp_path: Path) -> None:
    findings = _went(tmp_path, _says(lambda i: frame(reply(i)), lambda i: frame(reply(i)))).case(WS_CASE)["findings"]
    assert [(one["requirement"], one["check"]) for one in findings] == [("CAO-SYNC", "frame")]


async def _floods(number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(frame(b"", 0x89) * 1000)
        await writer.drain()


async def _huge(number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"\x81\x7f" + (1 << 30).to_bytes(8, "big"))
    for _ in range(1 << 14):
        writer.write(b" " * 65536)
        await writer.drain()


async def _fragments_for_ever(number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(frame(b"", 0x01))
    while True:
        writer.write(frame(b"", 0x00) * 1000)
        await writer.drain()


async def _hangs_up(number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def _says_nothing(number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


@pytest.mark.parametrize(
    "script",
    [
        _talks(_floods), _talks(_huge), _talks(_fragments_for_ever), _talks(_hangs_up), _talks(_says_nothing),
        _says(lambda i: bytes((0x81, 0x84)) + b"mask" + b"text"), _says(lambda i: frame(b"\xff\xfe")),
        _says(lambda i: frame(b"", 0x83)), _says(lambda i: frame(reply(i))[:20]), _says(lambda i: b"HTTP/1.1 400 Bad\r\n\r\n"),
        _says(lambda i: frame((1000).to_bytes(2, "big"), 0x88)),
    ],
    ids=[
        "ping-flood", "one-gigabyte", "endless-fragments", "no-close", "silence", "masked", "invalid-utf-8",
        "reserved-opcode", "half-a-frame", "http-in-between", "closes",
    ],
)  # fmt: skip
def test_a_broken_connection_is_one_finding_that_no_answer_came(tmp_path: Path, script: Script) -> None:
    outcome = _went(tmp_path, script)
    assert outcome.exit_code == 1
    assert outcome.checks(WS_CASE) == {("CAO-SYNC", "answered")}


@pytest.mark.parametrize(
    "script",
    [
        _says(lambda i: frame(reply(i + 2))), _says(lambda i: frame(reply(i - 2)), lambda i: frame(reply(i + 2))),
        _says(lambda i: frame(reply(i, kind=5, payload="something went wrong"))),
        _says(lambda i: frame(reply(i, payload="no object"))), _says(lambda i: frame(reply(i, name="CancelQuote"))),
        _says(lambda i: frame(b'{"i":%d,"o":' % i + b"[" * 40_000 + b"]" * 15_000)),
        _says(lambda i: frame(reply(i).replace(b'"i": ', b'"i": 1' + b"0" * 4000))),
    ],
    ids=["for-another", "for-two-others", "error-frame-of-bare-text", "bare-text", "another-name", "deep", "huge-number"],
)  # fmt: skip
def test_a_frame_that_is_no_answer_to_this_call_is_a_finding(tmp_path: Path, script: Script) -> None:
    outcome = _went(tmp_path, script)
    assert outcome.exit_code == 1
    assert outcome.case(WS_CASE)["verdict"] == "fail"


def test_a_refused_handshake_says_that_the_role_was_not_let_in(tmp_path: Path) -> None:
    async def refuses(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    outcome = _went(tmp_path, refuses)
    assert outcome.exit_code == 4
    assert outcome.case(WS_CASE)["verdict"] == "not-verified"
    assert "403" in outcome.case(WS_CASE)["reason"]


def test_an_endpoint_that_is_gone_after_the_handshake_stops_the_run(tmp_path: Path) -> None:
    async def dies(number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.stop()

    with scripted(_talks(dies)) as server:
        outcome = run(tmp_path, server.port, WS_CASE)
    assert outcome.exit_code == 3
    assert outcome.case(WS_CASE)["verdict"] == "target-error"


SIGNED_IN = """
name = "signs in"
limits = {{ total_timeout_s = 0.4, quiet_s = 0.1 }}
scope = {{ destructive = true, everything = true }}
[services.alphapoint]
websocket = "ws://127.0.0.1:{port}/WSGateway/"
bindings = {{ oms = 1, account = 101, unknown_account = 987654321 }}
roles = {{ trading = {{ user = "t", password = {{ env = "SILENT_PASSWORD" }}, account = 101 }} }}
"""


def test_a_sign_in_that_is_never_answered_verifies_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also not where silence is a right answer: nothing was sent that could have been answered."""

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await shake_hands(reader, writer)
        await reader.read()

    monkeypatch.setenv("SILENT_PASSWORD", "secret-pass-1")
    with scripted(silent) as server:
        (tmp_path / "signs-in.toml").write_text(SIGNED_IN.format(port=server.port), "utf-8")
        words = (
            "run",
            "--target",
            str(tmp_path / "signs-in.toml"),
            "--report",
            str(tmp_path / "out"),
            "--generated",
            "0",
        )
        done = CliRunner().invoke(main, [*words, "--case", "cao/malformed/*@ws"])
    cases = json.loads((tmp_path / "out" / "results.json").read_text("utf-8"))["cases"]
    assert done.exit_code == 4, done.output
    assert {case["verdict"] for case in cases} == {"not-verified"}
    reasons = [case["reason"] for case in cases if "signed in over WebSocket: no reply within 0.4 s" in case["reason"]]
    assert len(reasons) == 3, "the rest of the kind is not sent"
