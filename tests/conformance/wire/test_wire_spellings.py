"""Requests and frames in every spelling, as independent parsers and servers on loopback read them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httptools
import pytest
from wsproto.connection import Connection, ConnectionType
from wsproto.events import Ping, Pong, TextMessage

from conformance.wire.address import parse_address
from conformance.wire.http.client import HttpTransport, render
from conformance.wire.http.spell import SPELLINGS, cut_between_words
from conformance.wire.messages import HttpReply, HttpRequest, Limits
from conformance.wire.ws.spell import SPELLINGS as FRAMINGS

ADDRESS = parse_address("http://127.0.0.1:8080")
BODY = b'[{"OrderID":12345,"PIN":"0419-longer-than-one-chunk"}]'
REQUEST = HttpRequest("POST", "/AP/Call", (("Content-Type", "application/json"), ("APToken", "t-1")), BODY)
FRAME = '{"m":0,"i":2,"n":"CancelAllOrders","o":"{\\"OMSId\\":1,\\"x\\":\\"ä\\"}"}'.encode()


class _Parsed:
    """What the parser of another project makes of the bytes."""

    def __init__(self, data: bytes) -> None:
        self.headers: dict[str, str] = {}
        self.body = b""
        self.done = False
        self.url = b""
        parser = httptools.HttpRequestParser(self)
        parser.feed_data(data)
        self.method = parser.get_method()

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode().lower()] = value.decode("latin-1").strip()

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.done = True


@pytest.mark.parametrize("name", [one for one in SPELLINGS if one != "http-blanks-around-length"])
def test_spelled_request_is_the_same_to_another_parser(name: str) -> None:
    plain = render(REQUEST, ADDRESS)
    pieces = SPELLINGS[name].pieces(plain)
    assert pieces != (plain,)
    parsed = _Parsed(b"".join(pieces))
    assert (parsed.done, parsed.method, parsed.body) == (True, b"POST", BODY)
    assert httptools.parse_url(parsed.url).path == b"/AP/Call"
    assert parsed.headers["content-type"] == "application/json"
    assert parsed.headers["aptoken"] == "t-1"


def test_blanks_around_the_length_are_the_only_change() -> None:
    (spelled,) = SPELLINGS["http-blanks-around-length"].pieces(render(REQUEST, ADDRESS))
    assert spelled.replace(b": \t ", b": ").replace(b" \t\r\n", b"\r\n") == render(REQUEST, ADDRESS)
    assert b"Content-Length: \t %d \t\r\n" % len(BODY) in spelled


def test_chunks_cut_no_word_so_that_secrets_stay_whole() -> None:
    pieces = cut_between_words(BODY, 1)
    assert b"".join(pieces) == BODY
    assert b"0419-longer-than-one-chunk" in pieces
    assert b"12345" in pieces


class _Echo(BaseHTTPRequestHandler):
    """Answers with the body; the server of the standard library reads interim answers and pieces by itself."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Nothing on standard error."""


class _Refusing(_Echo):
    def handle_expect_100(self) -> bool:
        self.send_response(417)
        self.send_header("Content-Length", "0")
        self.end_headers()
        return False


def _served(handler: type[_Echo]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@pytest.fixture
def echo() -> Iterator[str]:
    yield from _served(_Echo)


@pytest.fixture
def refusing() -> Iterator[str]:
    yield from _served(_Refusing)


async def _sent(address: str, *spellings: str) -> list[tuple[int, bytes, bytes]]:
    transport = HttpTransport(parse_address(address))
    found = []
    try:
        for spelling in spellings:
            request = HttpRequest("POST", "/x", (("Content-Type", "text/plain"),), BODY, spelling)
            exchange = await transport.send(request, limits=Limits(total_timeout_s=5))
            assert isinstance(exchange.reply, HttpReply), exchange.problem
            found.append((exchange.reply.status, exchange.reply.body, exchange.sent))
    finally:
        await transport.aclose()
    return found


def test_pieces_arrive_and_the_connection_serves_on(echo: str) -> None:
    found = asyncio.run(_sent(echo, "http-head-in-pieces", "http-body-in-pieces", "http-expect-continue", ""))
    assert [(status, body) for status, body, _ in found] == [(200, BODY)] * 4
    assert all(sent.endswith(BODY) for _, _, sent in found)


def test_body_is_kept_back_from_a_server_that_refuses_to_expect_it(refusing: str) -> None:
    found = asyncio.run(_sent(refusing, "http-expect-continue", ""))
    assert [status for status, _, _ in found] == [417, 200]
    assert not found[0][2].endswith(BODY)
    assert found[1][1] == BODY


@pytest.mark.parametrize("name", FRAMINGS)
def test_spelled_frame_is_the_same_message_to_another_server(name: str) -> None:
    server = Connection(ConnectionType.SERVER)
    text, controls = "", []
    for piece in FRAMINGS[name](FRAME, lambda size: bytes(range(1, size + 1))):
        server.receive_data(piece)
        for event in server.events():
            if isinstance(event, TextMessage):
                text += event.data
                finished = event.message_finished
            else:
                controls.append(type(event))
    assert (text.encode(), finished) == (FRAME, True)
    assert controls == ([Ping] if "ping" in name else [Pong] if "pong" in name else [])


def test_spelled_frame_is_not_the_plain_one() -> None:
    plain = next(iter(FRAMINGS["ws-mask-of-zeros"](FRAME, bytes)))
    assert plain.endswith(FRAME)
    for name, framing in FRAMINGS.items():
        pieces = framing(FRAME, bytes)
        assert name == "ws-mask-of-zeros" or pieces != (plain,)
