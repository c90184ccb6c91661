"""Connecting: TLS with a private authority and client certificates, and targets that are not there."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import trustme
from dialing_support import GET, OK, WS_REPLY, answering, answering_ws, get, ping, served, unreachable

from conformance.wire import (
    Exchange,
    HttpTransport,
    Limits,
    WsReply,
    parse_address,
)

pytestmark = pytest.mark.timeout(120)


def test_a_private_authority_is_accepted_when_it_is_given(
    run: Any, serve: Any, server_tls: Any, client_tls: Any
) -> None:
    async def scenario() -> tuple[Exchange, int]:
        async with serve(answering, server_tls()) as server:
            exchange = await get(f"https://127.0.0.1:{server.port}", tls=client_tls)
            return exchange, server.connections

    exchange, connections = run(scenario())
    assert served(exchange)
    assert connections == 1


def test_an_untrusted_certificate_is_refused_by_default(run: Any, serve: Any, server_tls: Any) -> None:
    async def scenario() -> Exchange:
        async with serve(answering, server_tls()) as server:
            return await get(f"https://127.0.0.1:{server.port}")

    exchange = run(scenario())
    assert unreachable(exchange) == "tls"
    assert "certificate" in exchange.problem.message
    assert exchange.sent == b""


def test_a_certificate_for_another_host_is_refused(run: Any, serve: Any, server_tls: Any, client_tls: Any) -> None:
    async def scenario() -> Exchange:
        async with serve(answering, server_tls("other.example")) as server:
            return await get(f"https://127.0.0.1:{server.port}", tls=client_tls)

    assert unreachable(run(scenario())) == "tls"


@contextlib.contextmanager
def blocking_tls_server(context: ssl.SSLContext) -> Iterator[int]:
    """Answers on blocking sockets: asyncio's own TLS server drops the alert that tells a client why."""

    def serve_one(plain: socket.socket) -> None:
        plain.settimeout(5)
        with context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False) as secure:
            try:
                secure.do_handshake()
            except ssl.SSLError:
                secure.shutdown(socket.SHUT_WR)  # a close with bytes unread would be a reset and lose the alert
                while secure.recv(65536):
                    pass
                return
            while secure.recv(65536):
                secure.sendall(OK)

    def serve_all(listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                plain, _ = listener.accept()
                with contextlib.suppress(OSError):
                    serve_one(plain)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve_all, args=(listener,))
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(timeout=5)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("shown", [True, False])
def test_a_client_certificate_opens_a_server_that_demands_one(
    run: Any, server_tls: Any, client_tls: Any, authority: trustme.CA, version: ssl.TLSVersion, shown: bool
) -> None:
    demanding, trusting = server_tls(), client_tls
    demanding.verify_mode = ssl.CERT_REQUIRED
    demanding.maximum_version = version
    authority.configure_trust(demanding)
    if shown:
        authority.issue_cert("client@example.org").configure_cert(trusting)
    with blocking_tls_server(demanding) as port:
        exchange = run(get(f"https://127.0.0.1:{port}", tls=trusting))
    if shown:
        assert served(exchange)
    else:
        assert unreachable(exchange) == "tls"


def test_a_plain_server_behind_an_https_address_is_a_tls_problem(run: Any, serve: Any) -> None:
    async def script(server: Any, reader: Any, writer: Any) -> None:
        await reader.read(10)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async def scenario() -> Exchange:
        async with serve(script) as server:
            return await get(f"https://127.0.0.1:{server.port}")

    assert unreachable(run(scenario())) == "tls"


def test_a_server_that_hangs_up_in_the_handshake_is_a_tls_problem(run: Any, serve: Any) -> None:
    async def script(server: Any, reader: Any, writer: Any) -> None:
        await reader.read(10)

    async def scenario() -> Exchange:
        async with serve(script) as server:
            return await get(f"https://127.0.0.1:{server.port}")

    assert unreachable(run(scenario())) == "tls"


def test_a_handshake_without_an_answer_is_a_connect_time_out(run: Any, serve: Any) -> None:
    async def script(server: Any, reader: Any, writer: Any) -> None:
        await reader.read()
        await asyncio.sleep(5)

    async def scenario() -> Exchange:
        async with serve(script) as server:
            transport = HttpTransport(parse_address(f"https://127.0.0.1:{server.port}"))
            exchange = await transport.send(GET, limits=Limits(connect_timeout_s=0.2))
            await transport.aclose()
            return exchange

    exchange = run(scenario())
    assert unreachable(exchange) == "connect-timeout"
    assert exchange.elapsed_s < 2.0


def test_a_port_that_nobody_listens_on_is_refused(run: Any, unused_port: int) -> None:
    assert unreachable(run(get(f"http://127.0.0.1:{unused_port}"))) == "connect-refused"


def test_a_name_that_does_not_exist_is_told_from_a_refusal(run: Any) -> None:
    assert unreachable(run(get("http://no-such-host.invalid"))) == "name-resolution"


def test_websocket_over_tls(run: Any, serve_ws: Any, server_tls: Any, client_tls: Any) -> None:
    async def scenario() -> Exchange:
        async with serve_ws(answering_ws, server_tls()) as server:
            return await ping(f"wss://127.0.0.1:{server.port}", tls=client_tls)

    exchange = run(scenario())
    assert exchange.problem is None
    assert exchange.reply == WsReply(WS_REPLY)


def test_websocket_with_an_untrusted_certificate_is_refused(run: Any, serve_ws: Any, server_tls: Any) -> None:
    async def scenario() -> Exchange:
        async with serve_ws(answering_ws, server_tls()) as server:
            return await ping(f"wss://127.0.0.1:{server.port}")

    assert unreachable(run(scenario())) == "tls"
