"""WebSocket endpoints that let nobody in, or are gone; what single answers may do wrong is in tests/hostile."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from hostile_support import WS_CASE, Outcome, Script, read_frame, run, scripted, shake_hands

from conformance.cli.main import main

MOST_S, MOST_WITH_OTHERS_S = 3.0, 9.0
"""Seconds of work, and seconds on the clock of a machine that is busy with other tests as well."""
Talk = Callable[[int, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


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


def _went(tmp_path: Path, script: Script) -> Outcome:
    with scripted(script) as server:
        outcome = run(tmp_path, server.port, WS_CASE)
    assert outcome.busy_s < MOST_S
    assert outcome.elapsed_s < MOST_WITH_OTHERS_S
    assert "Traceback" not in outcome.output
    assert outcome.journal[-1]["type"] == "footer"
    return outcome


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
