"""The HTTP transport shares connections, bounds them, and never sends a message twice."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from conformance.wire import Exchange, HttpReply, HttpRequest, HttpTransport, Limits, parse_address

pytestmark = pytest.mark.timeout(120)
LIMITS = Limits(total_timeout_s=3.0, connect_timeout_s=3.0)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


def post(number: int = 0, *headers: tuple[str, str]) -> HttpRequest:
    return HttpRequest("POST", "/x", headers, str(number).encode())


def transport_to(server: Any, **options: Any) -> HttpTransport:
    return HttpTransport(parse_address(f"http://127.0.0.1:{server.port}"), **options)


async def keep_answering(server: Any, reader: Any, writer: Any) -> None:
    while True:
        request = await server.read_request(reader)
        body = request.split(b"\r\n\r\n", 1)[1]
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


def converse(run: Any, serve: Any, script: Any, scenario: Any, **options: Any) -> tuple[Any, Any]:
    async def whole() -> tuple[Any, Any]:
        async with serve(script) as server:
            transport = transport_to(server, **options)
            try:
                return await scenario(transport), server
            finally:
                await transport.aclose()

    outcome: tuple[Any, Any] = run(whole())
    return outcome


async def in_turn(transport: HttpTransport) -> list[Exchange]:
    exchanges = []
    for number in range(3):
        exchanges.append(await transport.send(post(number), limits=LIMITS))
        await asyncio.sleep(0.02)
    return exchanges


def bodies(exchanges: list[Exchange]) -> list[bytes]:
    return [exchange.reply.body for exchange in exchanges if isinstance(exchange.reply, HttpReply)]


def test_requests_in_turn_share_one_connection(run: Any, serve: Any) -> None:
    exchanges, server = converse(run, serve, keep_answering, in_turn)
    assert bodies(exchanges) == [b"0", b"1", b"2"]
    assert [exchange.reused_connection for exchange in exchanges] == [False, True, True]
    assert server.connections == 1


def test_requests_at_once_are_bounded_and_each_gets_its_own_reply(run: Any, serve: Any) -> None:
    async def scenario(transport: HttpTransport) -> list[Exchange]:
        return list(await asyncio.gather(*(transport.send(post(n), limits=LIMITS) for n in range(200))))

    exchanges, server = converse(run, serve, keep_answering, scenario, max_connections=4)
    assert bodies(exchanges) == [str(n).encode() for n in range(200)]
    assert server.connections <= 4


def test_waiting_for_a_connection_counts_against_no_time_out(run: Any, serve: Any) -> None:
    async def script(server: Any, reader: Any, writer: Any) -> None:
        while True:
            await server.read_request(reader)
            await asyncio.sleep(0.06)
            writer.write(OK)

    async def scenario(transport: HttpTransport) -> list[Exchange]:
        limits = Limits(total_timeout_s=0.2)
        return list(await asyncio.gather(*(transport.send(post(n), limits=limits) for n in range(5))))

    exchanges, _ = converse(run, serve, script, scenario, max_connections=1)
    assert [exchange.problem for exchange in exchanges] == [None] * 5


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        OK + b"junk",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
    ids=["close", "http-1.0", "trailing", "malformed"],
)
def test_a_connection_in_doubt_is_not_used_again(run: Any, serve: Any, reply: bytes) -> None:
    async def script(server: Any, reader: Any, writer: Any) -> None:
        while True:
            await server.read_request(reader)
            writer.write(reply)

    _, server = converse(run, serve, script, in_turn)
    assert server.connections == 3


def test_a_request_that_asks_to_close_ends_its_connection(run: Any, serve: Any) -> None:
    async def scenario(transport: HttpTransport) -> None:
        for _ in range(2):
            await transport.send(post(0, ("connection", "Close")), limits=LIMITS)

    _, server = converse(run, serve, keep_answering, scenario)
    assert server.connections == 2


def test_a_connection_closed_while_idle_is_replaced_before_anything_is_written(run: Any, serve: Any) -> None:
    async def script(server: Any, reader: Any, writer: Any) -> None:
        await server.read_request(reader)
        writer.write(OK)

    exchanges, server = converse(run, serve, script, in_turn)
    assert bodies(exchanges) == [b"{}"] * 3
    assert len(server.requests) == 3


def test_a_connection_that_was_idle_for_long_is_not_used_again(run: Any, serve: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("conformance.wire.http.client.MAX_IDLE_S", 0.0)
    exchanges, server = converse(run, serve, keep_answering, in_turn)
    assert [exchange.reused_connection for exchange in exchanges] == [False] * 3
    assert server.connections == 3


def test_bytes_sent_while_idle_end_the_connection(run: Any, serve: Any) -> None:
    async def script(server: Any, reader: Any, writer: Any) -> None:
        while True:
            await server.read_request(reader)
            writer.write(OK)
            await asyncio.sleep(0.005)
            writer.write(b"HTTP/1.1 500 Late\r\nContent-Length: 0\r\n\r\n")

    exchanges, server = converse(run, serve, script, in_turn)
    assert bodies(exchanges) == [b"{}"] * 3
    assert server.connections == 3


def test_a_message_that_may_have_been_carried_out_is_never_sent_twice(run: Any, serve: Any) -> None:
    async def script(server: Any, reader: Any, writer: Any) -> None:
        await server.read_request(reader)
        writer.write(OK)
        await server.read_request(reader)

    exchanges, server = converse(run, serve, script, in_turn)
    first, second, third = exchanges
    assert first.problem is None
    assert second.problem is not None
    assert (second.problem.kind, second.problem.phase) == ("closed-early", "wait")
    assert second.reused_connection
    assert third.problem is None
    assert not third.reused_connection
    assert [request[-1:] for request in server.requests] == [b"0", b"1", b"2"]


def test_without_keep_alive_every_request_has_its_own_connection(run: Any, serve: Any) -> None:
    _, server = converse(run, serve, keep_answering, in_turn, keep_alive=False)
    assert server.connections == 3


def test_a_short_time_out_counts_after_a_long_one(run: Any, serve: Any) -> None:
    async def script(server: Any, reader: Any, writer: Any) -> None:
        await server.read_request(reader)
        writer.write(OK)
        await server.read_request(reader)
        await reader.read()

    async def scenario(transport: HttpTransport) -> Exchange:
        await transport.send(post(), limits=Limits(total_timeout_s=60.0))
        return await transport.send(post(), limits=Limits(total_timeout_s=0.1))

    exchange, _ = converse(run, serve, script, scenario)
    assert exchange.problem.kind == "timeout"
    assert exchange.elapsed_s < 1.0


def test_a_long_time_out_counts_after_a_short_one(run: Any, serve: Any) -> None:
    async def script(server: Any, reader: Any, writer: Any) -> None:
        for delay_s in (0.0, 0.15):
            await server.read_request(reader)
            await asyncio.sleep(delay_s)
            writer.write(OK)

    async def scenario(transport: HttpTransport) -> Exchange:
        await transport.send(post(), limits=Limits(total_timeout_s=0.05))
        return await transport.send(post(), limits=Limits(total_timeout_s=2.0))

    exchange, _ = converse(run, serve, script, scenario)
    assert exchange.problem is None


def test_a_request_that_is_not_taken_in_times_out_while_sending(run: Any, serve: Any) -> None:
    async def script(server: Any, reader: Any, writer: Any) -> None:
        await asyncio.sleep(5)

    async def scenario(transport: HttpTransport) -> Exchange:
        request = HttpRequest("POST", "/x", body=bytes(8 * 1024 * 1024))
        return await transport.send(request, limits=Limits(total_timeout_s=0.15))

    exchange, _ = converse(run, serve, script, scenario)
    assert (exchange.problem.kind, exchange.problem.phase) == ("timeout", "send")


def test_closing_interrupts_what_waits_and_what_comes_later(run: Any, serve: Any) -> None:
    async def script(server: Any, reader: Any, writer: Any) -> None:
        await reader.read()

    async def scenario(transport: HttpTransport) -> tuple[Exchange, Exchange]:
        waiting = asyncio.create_task(transport.send(post(), limits=LIMITS))
        await asyncio.sleep(0.1)
        await transport.aclose()
        return await waiting, await transport.send(post(), limits=LIMITS)

    (first, second), _ = converse(run, serve, script, scenario)
    assert first.problem.kind == second.problem.kind == "interrupted"
    assert first.sent
    assert second.sent == b""


def test_a_cancelled_request_frees_its_place(run: Any, serve: Any) -> None:
    async def script(server: Any, reader: Any, writer: Any) -> None:
        if server.connections == 1:
            await reader.read()
        await keep_answering(server, reader, writer)

    async def scenario(transport: HttpTransport) -> Exchange:
        given_up = asyncio.create_task(transport.send(post(), limits=LIMITS))
        await asyncio.sleep(0.1)
        given_up.cancel()
        await asyncio.wait([given_up])
        return await transport.send(post(5), limits=LIMITS)

    exchange, server = converse(run, serve, script, scenario, max_connections=1)
    assert bodies([exchange]) == [b"5"]
    assert server.connections == 2


def test_a_request_that_cannot_be_written_is_refused_before_connecting(run: Any, serve: Any) -> None:
    async def scenario(transport: HttpTransport) -> None:
        with pytest.raises(ValueError, match="line break"):
            await transport.send(post(0, ("X", "a\r\nY: b")), limits=LIMITS)

    _, server = converse(run, serve, keep_answering, scenario)
    assert server.connections == 0


def test_a_ws_address_is_refused(run: Any) -> None:
    async def scenario() -> None:
        with pytest.raises(ValueError, match="http or https"):
            HttpTransport(parse_address("ws://127.0.0.1"))

    run(scenario())
