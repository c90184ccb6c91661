"""Whatever goes wrong inside one case, it ends in a result, and the others keep theirs."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from hostile_support import GOOD, JSON_CASE, XML_CASE, answer, read_request, run, scripted, write_target

from conformance.run.schedule import side_by_side


async def _answers_well(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        await read_request(reader)
        writer.write(answer(GOOD))
        await writer.drain()


def test_a_case_that_breaks_the_harness_is_a_harness_error_and_the_others_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from conformance.run import session

    right = session.judge

    def breaks(kit, case, observation, pins):  # type: ignore[no-untyped-def]
        if case.id == XML_CASE:
            raise KeyError("a defect with 48213 in it")
        return right(kit, case, observation, pins)

    monkeypatch.setattr(session, "judge", breaks)
    with scripted(_answers_well) as server:
        outcome = run(tmp_path, server.port, JSON_CASE, XML_CASE)
    assert outcome.exit_code == 5
    assert outcome.case(XML_CASE)["verdict"] == "harness-error"
    assert outcome.case(XML_CASE)["reason"] == "KeyError: 'a defect with [redacted] in it'"
    assert outcome.case(JSON_CASE)["verdict"] != "harness-error"
    line = next(line for line in outcome.journal if line.get("id") == XML_CASE)
    assert "Traceback" in line["notes"][0]
    assert "48213" not in json.dumps(outcome.journal)


@pytest.mark.parametrize("token", ["a\r\nX-Injected: 1", "with space", "caf\u00e9", "", "\u0000"])
def test_a_session_token_that_no_header_can_carry_is_not_used(tmp_path: Path, token: str) -> None:
    asked: list[bytes] = []

    async def signs_in(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            asked.append(await read_request(reader))
            writer.write(answer(json.dumps({"Authenticated": True, "SessionToken": token}).encode()))
            await writer.drain()

    with scripted(signs_in) as server:
        target = write_target(tmp_path, server.port)
        basic = f'user = "u"\npassword = {{ file = "{tmp_path}/pin" }}\nlogin = "basic"'
        text = target.read_text().replace('roles.trading]\nlogin = "none"', f"roles.trading]\n{basic}")
        (tmp_path / "signed.toml").write_text(text)
        from click.testing import CliRunner

        from conformance.cli.main import main

        words = ["--target", str(tmp_path / "signed.toml"), "--case", "cao/effects/nothing-open@http"]
        done = CliRunner().invoke(main, ["run", *words, "--report", str(tmp_path / "report")])
    assert done.exit_code == 4, done.output
    assert "could not sign in" in json.loads((tmp_path / "report" / "results.json").read_text())["cases"][0]["reason"]
    assert not any(b"Injected" in request for request in asked)


def test_when_one_worker_fails_the_others_clean_up_before_the_error_goes_on() -> None:
    cleaned = []

    async def fails() -> None:
        await asyncio.sleep(0)
        raise ValueError("one of them")

    async def works() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.01)
            cleaned.append("yes")

    with pytest.raises(ValueError, match="one of them"):
        asyncio.run(side_by_side([fails(), works(), works()]))
    assert cleaned == ["yes", "yes"]


def test_an_interruption_waits_for_cleaning_up_that_is_under_way() -> None:
    cleaned = []

    async def works() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.05)
            cleaned.append("yes")

    async def interrupted() -> None:
        task = asyncio.ensure_future(side_by_side([works(), works()]))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(interrupted())
    assert cleaned == ["yes", "yes"]
