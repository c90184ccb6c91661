"""HTTP endpoints that are gone, lead elsewhere or lose messages; what single answers may do wrong is in tests/hostile."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import struct
from pathlib import Path

import pytest
import trustme
from hostile_support import GOOD, JSON_CASE, XML_CASE, Outcome, Script, answer, read_request, run, scripted

MOST_S, MOST_WITH_OTHERS_S = 3.0, 9.0
"""Seconds of work, and seconds on the clock of a machine that is busy with other tests as well."""


async def _never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    await reader.read()


async def _resets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def _answers(body: bytes, media: str = "application/json") -> Script:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await read_request(reader)
            writer.write(answer(body, media=media))
            await writer.drain()

    return script


def _went(tmp_path: Path, script: Script, case: str = JSON_CASE) -> Outcome:
    with scripted(script) as server:
        outcome = run(tmp_path, server.port, case)
    assert outcome.busy_s < MOST_S
    assert outcome.elapsed_s < MOST_WITH_OTHERS_S
    assert "Traceback" not in outcome.output
    assert outcome.journal[-1]["type"] == "footer"
    assert outcome.results["summary"]["cases"]["harness-error"] == 0
    return outcome


@pytest.mark.parametrize("script", [_never, _resets], ids=["never-answers", "resets"])
def test_a_server_that_answers_nothing_at_all_is_not_there(tmp_path: Path, script: Script) -> None:
    outcome = _went(tmp_path, script)
    assert outcome.exit_code == 3
    assert outcome.case(JSON_CASE)["verdict"] == "target-error"


_XML = (
    '<ArrayOfCancellationCreationResult xmlns:i="http://www.w3.org/2001/XMLSchema-instance"'
    ' xmlns="http://schemas.datacontract.org/2004/07/TPP.Contracts.Services.Order">%s</ArrayOfCancellationCreationResult>'
)
_OUTSIDE = '<!DOCTYPE x [<!ENTITY out SYSTEM "%s">]>' + _XML % "&out;"


def test_an_external_entity_is_not_fetched(tmp_path: Path) -> None:
    asked = []

    async def secret(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await read_request(reader))

    with scripted(secret) as other:
        body = (_OUTSIDE % f"http://127.0.0.1:{other.port}/leak").encode()
        outcome = _went(tmp_path, _answers(body, media="application/xml"), XML_CASE)
    assert outcome.case(XML_CASE)["verdict"] == "fail"
    assert not asked


def test_a_file_named_by_an_entity_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "private.txt").write_text("do-not-read-me")
    body = (_OUTSIDE % (tmp_path / "private.txt").as_uri()).encode()
    outcome = _went(tmp_path, _answers(body, media="application/xml"), XML_CASE)
    assert outcome.case(XML_CASE)["verdict"] == "fail"
    assert "do-not-read-me" not in json.dumps([outcome.journal, outcome.results]) + outcome.output


def test_a_list_of_seven_megabytes_is_not_read_and_its_case_not_verified(tmp_path: Path) -> None:
    body = b"[" + b",".join([GOOD[1:-1]] * (7_000_000 // len(GOOD))) + b"]"
    outcome = _went(tmp_path, _answers(body))
    assert outcome.exit_code == 4
    case = outcome.case(JSON_CASE)
    assert (case["verdict"], case["hindrance"]) == ("not-verified", "answer not read")
    assert (
        case["reason"] == f"the answer was not read: the answer has {len(body):,} bytes, more than is read of an answer"
    )


def test_a_redirect_is_an_answer_and_is_not_followed(tmp_path: Path) -> None:
    asked = []

    async def elsewhere(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await read_request(reader))

    with scripted(elsewhere) as other:
        whole = (
            f"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:{other.port}/\r\nContent-Length: 0\r\n\r\n"
        )

        async def redirects(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await read_request(reader)
            writer.write(whole.encode())
            await writer.drain()

        outcome = _went(tmp_path, redirects)
    assert outcome.case(JSON_CASE)["verdict"] == "fail"
    assert not asked


def test_self_signed_tls_is_a_target_that_cannot_be_reached(tmp_path: Path) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with scripted(_answers(GOOD), context) as server:
        outcome = run(tmp_path, server.port, JSON_CASE, scheme="https")
    assert outcome.exit_code == 3
    assert "certificate" in json.dumps(outcome.results["summary"]["reasons"])
    assert outcome.busy_s < MOST_S
    assert outcome.elapsed_s < MOST_WITH_OTHERS_S


def test_a_target_that_goes_away_stops_the_run_and_earlier_results_stay(tmp_path: Path) -> None:
    asked = 0

    async def dies(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        while True:
            await read_request(reader)
            asked += 1
            if asked > 1:
                server.stop()
                return
            writer.write(answer(GOOD))
            await writer.drain()

    with scripted(dies) as server:
        text_case = "tpp/effects/unknown-order@text-json"
        outcome = run(tmp_path, server.port, JSON_CASE, text_case, "tpp/effects/unknown-order@text-xml")
    assert outcome.exit_code == 3
    verdicts = {case["id"]: case["verdict"] for case in outcome.results["cases"]}
    assert verdicts[text_case] == "target-error"
    assert verdicts[JSON_CASE] in ("pass", "not-verified")
    assert len(verdicts) == 2
    assert outcome.journal[-1]["stopped"]


def test_one_reset_among_right_answers_fails_that_case_alone(tmp_path: Path) -> None:
    asked = 0

    async def once_rude(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        while True:
            await read_request(reader)
            asked += 1
            if asked == 1:
                return
            writer.write(answer(GOOD, media="application/json" if asked == 1 else "text/json"))
            await writer.drain()

    with scripted(once_rude) as server:
        outcome = run(tmp_path, server.port, JSON_CASE, "tpp/effects/unknown-order@text-json")
    assert outcome.exit_code == 1
    assert outcome.case(JSON_CASE)["verdict"] == "fail"
    assert outcome.case("tpp/effects/unknown-order@text-json")["verdict"] != "fail"


async def _closes_as_the_next_message_comes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = await read_request(reader)
    media = "text/json" if b"text/json" in head else "application/json"
    writer.write(answer(GOOD, media=media))
    await writer.drain()
    await _resets(reader, writer)


def test_a_server_that_closes_kept_connections_as_a_message_comes_is_not_failed(tmp_path: Path) -> None:
    with scripted(_closes_as_the_next_message_comes) as server:
        outcome = run(tmp_path, server.port, "tpp/effects/unknown-order@*json")
    cases = outcome.results["cases"]
    assert {case["verdict"] for case in cases} == {"pass", "not-verified"}, outcome.output
    assert {case["reason"] for case in cases if case["verdict"] == "not-verified"} == {
        "the server closed a kept connection as the message was sent, and no message is sent twice"
    }
