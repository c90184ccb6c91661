"""Breaches of the WebSocket protocol and floods of every kind end an exchange by name, within bounds."""

from __future__ import annotations

import resource
from dataclasses import replace
from typing import Any

import pytest
from ws_support import LIMITS, answer, asking, frame, one, problem_of, reply_of, writing

from conformance.wire import Exchange, Limits, ReplyMatch, WsTransport
from conformance.wire.ws import connection

pytestmark = pytest.mark.timeout(120)


@pytest.mark.parametrize(
    "wire",
    [
        bytes([0x81, 0x82]) + b"\1\2\3\4" + b"{}",
        bytes([0xC1, 2]) + b"{}",
        bytes([0x83, 2]) + b"{}",
        bytes([0x80, 2]) + b"{}",
        bytes([0x09, 0]),
        bytes([0x89, 126, 0, 126]) + b"x" * 126,
        bytes([0x81, 126, 0, 2]) + b"{}",
        frame(b"\xff\xfe"),
        frame(b"{", 0x01) + frame(b"}", 0x81),
        bytes([0x88, 1, 3]),
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
    ],
    ids=[
        "masked",
        "reserved-bit",
        "unknown-opcode",
        "continuation-of-nothing",
        "fragmented-ping",
        "long-ping",
        "overlong-length",
        "invalid-utf8",
        "message-inside-message",
        "one-byte-close",
        "http",
    ],
)
def test_a_breach_of_the_protocol_is_malformed(talk: Any, wire: bytes) -> None:
    assert problem_of(talk(writing(wire), one())) == ("malformed", "wait")


@pytest.mark.parametrize("first", [0x89, 0x8A], ids=["pings", "pongs"])
def test_a_flood_of_control_frames_is_malformed(talk: Any, first: int) -> None:
    exchange = talk(writing(frame(b"", first) * 5000), one())
    assert problem_of(exchange) == ("malformed", "wait")
    assert exchange.elapsed_s < 1.5


def test_many_pings_with_requests_between_them_are_no_flood(talk: Any) -> None:
    async def script(peer: Any) -> None:
        for i in range(4):
            while (await peer.read())[0] != 1:
                pass
            await peer.write(frame(b"", 0x89) * 60, frame(answer(i)))
        await peer.linger()

    async def scenario(transport: WsTransport) -> list[Exchange]:
        return [await transport.send(asking(i), limits=LIMITS) for i in range(4)]

    assert [reply_of(exchange).text for exchange in talk(script, scenario)] == [answer(i) for i in range(4)]


def test_a_frame_that_announces_a_gigabyte_is_too_large_at_once(talk: Any) -> None:
    exchange = talk(writing(b"\x81\x7f" + (1 << 30).to_bytes(8, "big")), one())
    assert problem_of(exchange) == ("too-large", "wait")
    assert exchange.elapsed_s < 1.0


@pytest.mark.parametrize("piece", [b"x" * 60000, b""], ids=["large", "empty"])
def test_fragments_without_end_are_too_large(talk: Any, piece: bytes) -> None:
    async def script(peer: Any) -> None:
        await peer.read()
        await peer.write(peer.frame(b"", 1, fin=False))
        while True:
            await peer.write(peer.frame(piece, 0, fin=False) * (1 if piece else 1000))

    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    exchange = talk(script, one(limits=Limits(total_timeout_s=5.0, max_body_bytes=1024 * 1024)))
    assert problem_of(exchange) == ("too-large", "wait")
    assert len(exchange.received) <= 256 * 1024
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib < 64 * 1024


@pytest.mark.parametrize("payload", [answer(9, m=3), b""], ids=["events", "empty"])
def test_unsolicited_messages_without_end_are_bounded_by_the_deadline(
    talk: Any, monkeypatch: pytest.MonkeyPatch, payload: bytes
) -> None:
    monkeypatch.setattr(connection, "_CLOSE_TIMEOUT_S", 0.1)

    async def script(peer: Any) -> None:
        await peer.read()
        flood = peer.frame(payload) * 5000
        while True:
            await peer.write(flood)

    limits = Limits(total_timeout_s=0.2, max_received_evidence_bytes=2000)
    exchange = talk(script, one(limits=limits))
    assert exchange.problem is not None
    assert exchange.problem.kind == "no-reply"
    assert 0 < len(exchange.others) < 40
    assert exchange.truncated
    assert exchange.elapsed_s < 1.5


@pytest.mark.parametrize("expected", [True, False])
def test_no_later_message_is_sent_into_a_flood(talk: Any, expected: bool) -> None:
    async def script(peer: Any) -> None:
        _, text = await peer.read()
        if b'"i": 1' in text:
            while True:
                await peer.write(peer.frame(answer(9, m=3)) * 1000)
        await peer.write(frame(answer(2)))
        await peer.linger()

    async def scenario(transport: WsTransport) -> list[Exchange]:
        first = replace(asking(1), reply_to=ReplyMatch(1, expected=expected, quiet_s=0.3))
        return [await transport.send(first, limits=Limits(total_timeout_s=0.3)), await one(2)(transport)]

    flooded, later = talk(script, scenario)
    assert flooded.reply is None
    assert reply_of(later).text == answer(2)


def test_a_hundred_thousand_messages_end_a_wait_at_once(talk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_MOST_MESSAGES", 3_000)
    exchange = talk(writing(frame(answer(9, m=3)) * 4_000), one())
    assert problem_of(exchange) == ("too-large", "wait")


@pytest.mark.parametrize(("frames", "phase"), [(1, "body"), (2_000, "wait")])
def test_where_a_flood_is_cut_says_nothing_of_a_message(talk: Any, frames: int, phase: str) -> None:
    async def script(peer: Any) -> None:
        await peer.read()
        await peer.write(frame(answer(9, m=3)) * frames + frame(b"half of a message")[:7])
        await peer.linger()

    assert problem_of(talk(script, one())) == ("no-reply", phase)


def test_a_reply_behind_a_flood_is_found_even_when_the_server_hangs_up(talk: Any) -> None:
    async def script(peer: Any) -> None:
        await peer.read()
        await peer.write(frame(b"") * 20_000, frame(answer(1)))

    assert reply_of(talk(script, one())).text == answer(1)
