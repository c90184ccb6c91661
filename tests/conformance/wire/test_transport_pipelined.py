"""Requests written in one go: each gets its own answer however the bytes come, and what does not come is told."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from conformance.wire import Exchange, HttpRequest, HttpTransport, Limits, parse_address
from conformance.wire.http.pipeline import Pipeline
from conformance.wire.messages import Place

LIMITS = Limits(total_timeout_s=2.0)
FIRST, SECOND = (HttpRequest("POST", f"/{name}", body=name.encode()) for name in ("first", "second"))
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b"
ONE, TWO = (ANSWER % (len(body), body) for body in (b"one", b"and two"))
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\non\r\n1\r\ne\r\n0\r\n\r\n"
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\n"
CLOSING = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\none"
UNTIL_CLOSED = b"HTTP/1.1 200 OK\r\n\r\none"


@contextlib.asynccontextmanager
async def sending(serve: Any, script: Any) -> AsyncIterator[Any]:
    """The server of a script, and a transport to it."""
    async with serve(script) as server:
        transport = HttpTransport(parse_address(f"http://127.0.0.1:{server.port}"))
        try:
            yield server, transport
        finally:
            await transport.aclose()


@pytest.fixture
def ask_both(run: Any, serve: Any) -> Callable[..., list[Exchange]]:
    """What comes of two requests in one go, to a server that says these bytes piece by piece and then closes, or waits."""

    def ask(*pieces: bytes, close: bool = True, limits: Limits = LIMITS) -> list[Exchange]:
        async def script(server: Any, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            for _ in range(2):
                await server.read_request(reader)
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
            if not close:
                await reader.read()

        async def scenario() -> list[Exchange]:
            async with sending(serve, script) as (server, transport):
                pipeline = Pipeline(2)
                sends = [
                    transport.send(replace(one, place=Place(pipeline, number)), limits=limits)
                    for number, one in reversed(list(enumerate((FIRST, SECOND))))
                ]
                found = list(reversed(await asyncio.gather(*sends)))
                assert server.connections == 1
                assert [one[-5:] for one in server.requests] == [b"first", b"econd"], "in their order, whoever is first"
                assert [one.sent for one in found] == server.requests
            return found

        exchanges: list[Exchange] = run(scenario())
        return exchanges

    return ask


def bodies(exchanges: Sequence[Exchange]) -> list[bytes | None]:
    return [getattr(one.reply, "body", None) for one in exchanges]


def problems(exchanges: Sequence[Exchange]) -> list[str]:
    return ["" if one.problem is None else one.problem.kind for one in exchanges]


@pytest.mark.parametrize(
    "pieces",
    [
        (ONE + TWO,),
        (ONE, TWO),
        (ONE[:10], ONE[10:] + TWO[:10], TWO[10:]),
        tuple((ONE + TWO)[place : place + 1] for place in range(len(ONE + TWO))),
        (CHUNKED + TWO,),
        (INTERIM + ONE + INTERIM + TWO,),
    ],
    ids=["at once", "apart", "cut", "byte by byte", "chunked", "interim"],
)
def test_each_request_gets_its_own_answer(ask_both: Any, pieces: tuple[bytes, ...]) -> None:
    found = ask_both(*pieces, close=False)
    assert bodies(found) == [b"one", b"and two"]
    assert problems(found) == ["", ""]
    assert b"".join(one.received for one in found) == b"".join(pieces)
    assert not any(one.reply.trailing_data for one in found)


@pytest.mark.parametrize(
    ("pieces", "kept", "told"),
    [
        ((CLOSING,), [b"one", None], ["", "closed-early"]),
        ((UNTIL_CLOSED,), [b"one", None], ["", "closed-early"]),
        ((ONE,), [b"one", None], ["", "closed-early"]),
        ((ONE, TWO[:-2]), [b"one", None], ["", "closed-early"]),
        ((), [None, None], ["closed-early", "closed-early"]),
        ((b"nonsense" + TWO,), [None, None], ["malformed", "closed-early"]),
        ((ONE, b"nonsense"), [b"one", None], ["", "malformed"]),
    ],
    ids=["closing", "until closed", "one alone", "half", "nothing", "nonsense", "nonsense behind"],
)
def test_answer_that_does_not_come_is_told(
    ask_both: Any, pieces: tuple[bytes, ...], kept: list[bytes | None], told: list[str]
) -> None:
    found = ask_both(*pieces)
    assert bodies(found) == kept
    assert problems(found) == told
    assert found[1].closed_unread is (told[1] == "closed-early" and TWO[:-2] not in pieces)


def test_what_comes_behind_a_closing_answer_belongs_to_nobody(ask_both: Any) -> None:
    found = ask_both(CLOSING + TWO)
    assert bodies(found) == [b"one", None]
    assert found[0].reply.trailing_data


def test_what_comes_behind_the_last_answer_is_told(ask_both: Any) -> None:
    found = ask_both(ONE + TWO + ONE, close=False)
    assert bodies(found) == [b"one", b"and two"]
    assert [one.reply.trailing_data for one in found] == [False, True]


def test_silence_behind_the_first_answer_ends_in_time(ask_both: Any) -> None:
    found = ask_both(ONE, close=False, limits=replace(LIMITS, total_timeout_s=0.2))
    assert bodies(found) == [b"one", None]
    assert problems(found) == ["", "timeout"]


def test_request_that_does_not_come_keeps_the_other_from_being_sent(run: Any, serve: Any) -> None:
    async def script(server: Any, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await server.read_request(reader)
        writer.write(ONE)

    async def scenario() -> None:
        async with sending(serve, script) as (server, transport):
            pipeline = Pipeline(2)
            held = replace(FIRST, place=Place(pipeline, 0))
            waiting = asyncio.ensure_future(transport.send(held, limits=LIMITS))
            await asyncio.sleep(0.01)
            assert not waiting.done()
            pipeline.give_up()
            lost = await waiting
            assert (lost.sent, lost.problem.kind, server.requests) == (b"", "interrupted", [])
            again = await transport.send(held, limits=LIMITS)
            assert again.reply.body == b"one", "what is sent again goes out by itself"

    run(scenario())


def test_server_that_is_not_there_is_told_to_all(run: Any, serve: Any) -> None:
    async def scenario() -> None:
        async with sending(serve, None) as (server, _):
            port = server.port
        transport = HttpTransport(parse_address(f"http://127.0.0.1:{port}"))
        pipeline = Pipeline(2)
        places = (replace(one, place=Place(pipeline, number)) for number, one in enumerate((FIRST, SECOND)))
        found = await asyncio.gather(*(transport.send(one, limits=LIMITS) for one in places))
        assert problems(found) == ["connect-refused"] * 2
        assert [one.sent for one in found] == [b"", b""]

    run(scenario())
