"""The life of a WebSocket connection: login, close, and connecting again."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from ws_support import LIMITS, answer, answering, asking, frame, one, problem_of, reply_of

from conformance.wire import Exchange, WireProblem, WsReply, WsTransport
from conformance.wire.ws import connection

pytestmark = pytest.mark.timeout(120)


@pytest.mark.parametrize(
    ("ending", "kind", "words"),
    [
        (frame(b"\x03\xe9bye", 0x88), "ws-goodbye", "code 1001 'bye'"),
        (frame(b"\x03\xf4", 0x88), "ws-goodbye", "code 1012"),
        (frame(b"\x03\xeano", 0x88), "ws-closed", "code 1002 'no'"),
        (frame(b"", 0x88), "ws-closed", "code 1005"),
        (b"", "ws-closed", "without a close frame"),
        (frame(b"{", 0x01), "ws-closed", "without a close frame"),
    ],
    ids=["going-away", "restart", "close", "bare-close", "eof", "half-a-message"],
)
def test_a_close_ends_every_wait_and_the_next_request_connects_again(
    talk: Any, ending: bytes, kind: str, words: str
) -> None:
    async def script(peer: Any) -> None:
        await peer.read()
        if peer.number == 1:
            await peer.read()
            await peer.write(ending)
            return
        await peer.reply(answer(3))
        await peer.linger()

    async def scenario(transport: WsTransport) -> Any:
        lost = await asyncio.gather(*(transport.send(asking(i), limits=LIMITS) for i in (1, 2)))
        return lost, await transport.send(asking(3), limits=LIMITS)

    lost, third = talk(script, scenario)
    for exchange in lost:
        assert problem_of(exchange) == (kind, "wait")
        assert words in exchange.problem.message
        assert exchange.received == ending
    assert reply_of(third).text == answer(3)


def test_a_close_is_answered_with_a_close(talk: Any) -> None:
    answers = []
    answered = asyncio.Event()

    async def script(peer: Any) -> None:
        await peer.read()
        await peer.write(frame(b"\x03\xe8", 0x88))
        answers.append(await peer.read())
        answered.set()

    async def scenario(transport: WsTransport) -> None:
        await transport.send(asking(1), limits=LIMITS)
        await answered.wait()

    talk(script, scenario)
    assert answers == [(8, b"\x03\xe8")]


def test_closing_says_goodbye_and_does_not_wait_for_ever(talk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_CLOSE_TIMEOUT_S", 0.1)
    goodbyes = []

    async def script(peer: Any) -> None:
        await peer.read()
        await peer.reply(answer(1))
        goodbyes.append(await peer.read())
        await asyncio.sleep(5)

    async def scenario(transport: WsTransport) -> float:
        await transport.send(asking(1), limits=LIMITS)
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        await transport.aclose()
        return loop.time() - began_s

    assert talk(script, scenario) < 3.0
    assert goodbyes == [(8, b"\x03\xe8")]


@pytest.mark.parametrize(
    "last",
    [b"", frame(b"hi", 0x89), frame(b"late"), frame(b"{}", 0xF1)],
    ids=["none", "ping", "text", "junk"],
)
def test_closing_ends_with_the_answer_to_the_goodbye(talk: Any, monkeypatch: pytest.MonkeyPatch, last: bytes) -> None:
    monkeypatch.setattr(connection, "_CLOSE_TIMEOUT_S", 30.0)

    async def script(peer: Any) -> None:
        await peer.read()
        await peer.reply(answer(1))
        await peer.read()
        await peer.write(last, frame(b"\x03\xe8", 0x88))
        await asyncio.sleep(5)

    async def scenario(transport: WsTransport) -> float:
        await transport.send(asking(1), limits=LIMITS)
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        await transport.aclose()
        return loop.time() - began_s

    assert talk(script, scenario) < 3.0


def test_closing_interrupts_what_waits_and_what_comes_later(talk: Any) -> None:
    async def scenario(transport: WsTransport) -> Any:
        waiting = asyncio.create_task(transport.send(asking(1), limits=LIMITS))
        await asyncio.sleep(0.1)
        await transport.aclose()
        return await waiting, await transport.send(asking(2), limits=LIMITS)

    async def script(peer: Any) -> None:
        await peer.read()
        await peer.read()

    first, second = talk(script, scenario)
    assert problem_of(first) == ("interrupted", "wait")
    assert first.sent
    assert problem_of(second) == ("interrupted", "connect")
    assert second.sent == b""


def test_each_new_connection_logs_in_before_any_request(talk: Any) -> None:
    seen: list[tuple[int, int]] = []

    async def script(peer: Any) -> None:
        while True:
            i = json.loads((await peer.read())[1])["i"]
            seen.append((peer.number, i))
            await peer.reply(answer(i))
            if i == 1:
                return

    async def log_in(send: Any) -> None:
        reply_of(await send(asking(1000)))

    async def scenario(transport: WsTransport) -> None:
        await asyncio.gather(*(transport.send(asking(i), limits=LIMITS) for i in (2, 3)))
        reply_of(await transport.send(asking(1), limits=LIMITS))
        await asyncio.sleep(0.1)
        reply_of(await transport.send(asking(4), limits=LIMITS))

    talk(script, scenario, on_connect=log_in)
    assert seen == [(1, 1000), (1, 2), (1, 3), (1, 1), (2, 1000), (2, 4)]


def test_a_failed_login_is_the_outcome_of_requests_that_were_never_sent(talk: Any) -> None:
    refused = WireProblem("handshake-refused", "the login was refused", "handshake")

    async def refuse(send: Any) -> WireProblem:
        return refused

    async def script(peer: Any) -> None:
        await peer.linger()

    exchange = talk(script, one(), on_connect=refuse)
    assert (exchange.problem, exchange.sent) == (refused, b"")


def test_a_cancelled_wait_leaves_the_connection_to_the_others(talk: Any) -> None:
    async def script(peer: Any) -> None:
        await peer.read()
        await peer.read()
        await peer.reply(answer(1), answer(2))
        await peer.linger()

    async def scenario(transport: WsTransport) -> Exchange:
        given_up = asyncio.create_task(transport.send(asking(1), limits=LIMITS))
        await asyncio.sleep(0.1)
        given_up.cancel()
        await asyncio.wait([given_up])
        return await transport.send(asking(2), limits=LIMITS)

    assert reply_of(talk(script, scenario)) == WsReply(answer(2), (answer(1),))


def test_an_error_of_the_login_itself_reaches_the_sender_and_the_next_request_tries_again(talk: Any) -> None:
    attempts = []

    async def script(peer: Any) -> None:
        if peer.number == 1:
            await peer.linger()
        else:
            await answering(answer(2))(peer)

    async def log_in(send: Any) -> None:
        attempts.append(send)
        if len(attempts) == 1:
            raise LookupError("no credentials")

    async def scenario(transport: WsTransport) -> Exchange:
        with pytest.raises(LookupError):
            await transport.send(asking(1), limits=LIMITS)
        return await transport.send(asking(2), limits=LIMITS)

    assert reply_of(talk(script, scenario, on_connect=log_in)).text == answer(2)


def test_a_connection_lost_during_the_login_takes_no_message(talk: Any) -> None:
    logins: list[Exchange] = []

    async def script(peer: Any) -> None:
        await peer.read()

    async def log_in(send: Any) -> WireProblem | None:
        logins.extend([await send(asking(1000)), await send(asking(1001))])
        return logins[-1].problem

    exchange = talk(script, one(), on_connect=log_in)
    assert [problem_of(login)[0] for login in logins] == ["ws-closed", "ws-closed"]
    assert [bool(login.sent) for login in logins] == [True, False]
    assert problem_of(exchange)[0] == "ws-closed"
    assert exchange.sent == b""
