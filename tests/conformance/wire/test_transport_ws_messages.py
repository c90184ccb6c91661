"""The WebSocket transport gives every request its own reply, whatever else comes."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from ws_support import LIMITS, answer, answering, asking, frame, one, problem_of, reply_of, writing

from conformance.wire import Exchange, Limits, ReplyMatch, WsReply, WsRequest, WsTransport

pytestmark = pytest.mark.timeout(120)
SHORT = Limits(total_timeout_s=0.15, connect_timeout_s=0.15)


def test_a_request_gets_its_reply_and_the_exact_bytes_are_kept(talk: Any) -> None:
    exchange = talk(answering(answer(7)), one(7), random_bytes=lambda size: b"\0" * size)
    assert reply_of(exchange) == WsReply(answer(7))
    assert exchange.received == frame(answer(7))
    assert exchange.sent == b"\x81" + bytes([0x80 | len(exchange.sent[6:])]) + b"\0\0\0\0" + exchange.sent[6:]
    assert json.loads(exchange.sent[6:])["i"] == 7


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536, 100_001])
def test_a_payload_of_any_size_arrives_as_it_was(talk: Any, size: int) -> None:
    seen: list[tuple[int, bytes]] = []
    payload = bytes(at % 251 for at in range(size))

    async def script(peer: Any) -> None:
        seen.append(await peer.read())
        await peer.reply(answer(1))
        await peer.linger()

    async def scenario(transport: WsTransport) -> Exchange:
        return await transport.send(WsRequest(payload, ReplyMatch(1)), limits=LIMITS)

    reply_of(talk(script, scenario))
    assert seen == [(1, payload)]


def test_the_handshake_carries_the_path_and_the_extra_headers(talk: Any) -> None:
    upgrades = []

    async def script(peer: Any) -> None:
        upgrades.append(peer.upgrade)
        await answering(answer(1))(peer)

    reply_of(talk(script, one(), headers=(("aptoken", "abc"),)))
    assert upgrades[0].startswith(b"GET /WSGateway HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"aptoken: abc\r\n" in upgrades[0]
    assert b"\r\nUser-Agent: order-cancellation-conformance/" in upgrades[0]


def test_replies_out_of_order_find_their_requests(talk: Any) -> None:
    async def script(peer: Any) -> None:
        numbers = [json.loads((await peer.read())[1])["i"] for _ in range(5)]
        await peer.reply(*(answer(i, o=str(i)) for i in reversed(numbers)))
        await peer.linger()

    async def scenario(transport: WsTransport) -> list[Exchange]:
        return list(await asyncio.gather(*(transport.send(asking(i), limits=LIMITS) for i in range(5))))

    assert [json.loads(reply_of(e).text)["o"] for e in talk(script, scenario)] == ["0", "1", "2", "3", "4"]


def test_replies_for_other_requests_and_bad_sequence_numbers_are_kept_beside(talk: Any) -> None:
    noise = (
        answer(99),
        answer("1"),
        answer(True),
        answer(1.0),
        b"not json",
        b"[1]",
        b"[" * 50_000,
        answer(None),
    )
    reply = reply_of(talk(answering(*noise, answer(1)), one()))
    assert reply == WsReply(answer(1), noise)


def test_an_event_is_no_reply_even_with_the_same_sequence_number(talk: Any) -> None:
    assert reply_of(talk(answering(answer(1, m=3), answer(1)), one())) == WsReply(answer(1), (answer(1, m=3),))


def test_an_error_frame_with_bare_text_is_a_reply(talk: Any) -> None:
    error = answer(1, m=5, o="Endpoint Not Found")
    assert reply_of(talk(answering(error), one())).text == error


def test_the_key_case_of_the_frame_does_not_matter(talk: Any) -> None:
    payload = b'{"M":1,"I":1,"N":"Ping","O":"{}"}'
    assert reply_of(talk(answering(payload), one())).text == payload


def test_a_duplicate_is_stray_or_belongs_to_its_own_message_and_never_to_the_next(talk: Any) -> None:
    async def script(peer: Any) -> None:
        await peer.read()
        await peer.reply(answer(1), answer(1))
        await peer.read()
        await peer.reply(answer(1), answer(2))
        await peer.linger()

    async def scenario(transport: WsTransport) -> Any:
        first = await transport.send(asking(1), limits=LIMITS)
        second = await transport.send(asking(2), limits=LIMITS)
        return first, second, transport.stray

    first, second, stray = talk(script, scenario)
    assert reply_of(first) == WsReply(answer(1))
    assert reply_of(second) == WsReply(answer(2))
    assert first.again == [answer(1)]
    assert stray == (answer(1),)


def test_a_second_answer_to_one_message_is_shown_with_the_first_also_when_it_comes_later(talk: Any) -> None:
    async def script(peer: Any) -> None:
        await peer.read()
        await peer.reply(answer(1), answer(1, m=3), answer(7))
        await peer.read()
        await peer.reply(answer(1, o="late"), answer(1, o="later"), answer(2))
        await peer.linger()

    async def scenario(transport: WsTransport) -> Any:
        first = await transport.send(asking(1), limits=LIMITS)
        before = list(first.again)
        second = await transport.send(asking(2), limits=LIMITS)
        return before, first.again, second.again

    assert talk(script, scenario) == ([], [answer(1, o="late")], [])


def test_a_third_answer_to_one_number_may_be_that_to_another_if_no_other_comes(talk: Any) -> None:
    async def script(peer: Any) -> None:
        for _ in range(3):
            await peer.read()
            await peer.reply(answer(1))
        await peer.linger()

    async def scenario(transport: WsTransport) -> Any:
        return [await transport.send(asking(number), limits=LIMITS) for number in (1, 2, 3)]

    first, second, third = talk(script, scenario)
    assert reply_of(first) == WsReply(answer(1))
    assert (first.again, second.others, second.problem.kind) == ([answer(1)], (), "no-reply")
    assert (third.reply, third.others, third.problem.kind) == (None, (answer(1),), "no-reply")


def test_only_the_last_sixty_four_answers_are_watched_for_a_second(talk: Any) -> None:
    async def script(peer: Any) -> None:
        for number in range(66):
            await peer.read()
            await peer.reply(*((answer(0), answer(1)) if number == 65 else ()), answer(number))
        await peer.linger()

    async def scenario(transport: WsTransport) -> Any:
        exchanges = [await transport.send(asking(number), limits=LIMITS) for number in range(66)]
        return [len(exchange.again) for exchange in exchanges[:3]]

    assert talk(script, scenario) == [0, 1, 0]


def test_a_fragmented_message_is_joined_around_a_ping(talk: Any) -> None:
    text = answer(1, o="\N{EURO SIGN}").replace(b"\\u20ac", "\N{EURO SIGN}".encode())
    cut = text.index(b"\xe2") + 1
    parts = (frame(text[:cut], 0x01), frame(b"hi", 0x89), frame(text[cut:-1], 0x00), frame(text[-1:], 0x80))
    pongs = []

    async def script(peer: Any) -> None:
        await peer.read()
        await peer.write(*parts)
        pongs.append(await peer.read())
        await peer.linger()

    exchange = talk(script, one())
    assert reply_of(exchange).text == text
    assert exchange.received == parts[0] + parts[2] + parts[3]
    assert pongs == [(10, b"hi")]


def test_frames_that_arrive_byte_by_byte_are_read(talk: Any) -> None:
    async def script(peer: Any) -> None:
        await peer.read()
        for byte in frame(answer(1)):
            await peer.write(bytes([byte]))
            await asyncio.sleep(0.001)
        await peer.linger()

    exchange = talk(script, one())
    assert (reply_of(exchange).text, exchange.received) == (answer(1), frame(answer(1)))


def test_a_binary_reply_is_marked(talk: Any) -> None:
    assert reply_of(talk(writing(frame(answer(1), 0x82)), one())) == WsReply(answer(1), binary=True)


def test_no_reply_is_said_after_the_deadline_and_the_connection_lives_on(talk: Any) -> None:
    async def script(peer: Any) -> None:
        await peer.read()
        await peer.read()
        await peer.reply(answer(1), answer(2))
        await peer.linger()

    async def scenario(transport: WsTransport) -> Any:
        return await transport.send(asking(1), limits=SHORT), await transport.send(asking(2), limits=LIMITS)

    first, second = talk(script, scenario)
    assert problem_of(first) == ("no-reply", "wait")
    assert first.again == [answer(1)], "a late reply is that of the message that it answers"
    assert reply_of(second) == WsReply(answer(2))


def test_half_a_frame_then_silence_is_no_reply_and_needs_a_new_connection(talk: Any) -> None:
    async def script(peer: Any) -> None:
        await peer.read()
        if peer.number == 1:
            await peer.write(frame(answer(1))[:9])
            await peer.linger()
            return
        await peer.reply(answer(2))
        await peer.linger()

    async def scenario(transport: WsTransport) -> Any:
        return await transport.send(asking(1), limits=SHORT), await transport.send(asking(2), limits=LIMITS)

    first, second = talk(script, scenario)
    assert problem_of(first) == ("no-reply", "body")
    assert first.received == frame(answer(1))[:9]
    assert reply_of(second).text == answer(2)
