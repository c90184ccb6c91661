"""Addresses, request bytes and frames: the parts of the transport that need no socket."""

from __future__ import annotations

from typing import get_args

import pytest

from conformance import DISTRIBUTION, tool_version
from conformance.wire import (
    Address,
    AddressError,
    HttpRequest,
    ProblemKind,
    WireProblem,
    header_values,
    parse_address,
    parse_proxy,
    render,
)
from conformance.wire.ws.session import FrameCutter, Piece, text_frame


@pytest.mark.parametrize(
    ("text", "address", "authority"),
    [
        ("http://h", Address("http", "h", 80), "h"),
        (
            "HTTPS://Host.Example:8443/a/b/",
            Address("https", "host.example", 8443, "/a/b"),
            "host.example:8443",
        ),
        ("ws://127.0.0.1:80/WSGateway", Address("ws", "127.0.0.1", 80, "/WSGateway"), "127.0.0.1"),
        ("wss://[::1]/", Address("wss", "::1", 443), "[::1]"),
        ("https://[::1]:9", Address("https", "::1", 9), "[::1]:9"),
        ("http://b\u00fccher.example", Address("http", "xn--bcher-kva.example", 80), "xn--bcher-kva.example"),
    ],
)
def test_an_address_is_parsed(text: str, address: Address, authority: str) -> None:
    assert parse_address(text) == address
    assert parse_address(text).authority == authority
    assert parse_address(str(address)) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "host:80",
        "ftp://h",
        "http://",
        "http://h:port",
        "http://h:70000",
        "http://h:0",
        "http://h/a b",
        "http://h\r\n",
        "http://h\\x",
        "http://h?q",
        "http://h/#",
        "http://[::1",
        "http://a..b\u00fc",
        "http://h/\u00fc",
        "http://<h>",
    ],
)
def test_an_address_that_cannot_be_used_is_an_error(text: str) -> None:
    with pytest.raises(AddressError):
        parse_address(text)


@pytest.mark.parametrize("text", ["http://u:hunter2@h", "http://u:hunter2@h:x", "http://u:hunter2@h y", "u:hunter2@h"])
def test_a_password_in_an_address_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(AddressError) as caught:
        parse_address(text)
    assert "hunter2" not in str(caught.value)


def test_a_proxy_keeps_its_password_out_of_sight() -> None:
    proxy = parse_proxy("http://user:hunter2@proxy:3128")
    assert proxy.host_and_port == "proxy:3128"
    assert proxy.authorization == "Basic dXNlcjpodW50ZXIy"
    assert "dXNl" not in repr(proxy)


@pytest.mark.parametrize("text", ["https://proxy:1", "http://proxy:1/path", "socks5://proxy:1", "proxy:1"])
def test_a_proxy_that_cannot_be_used_is_an_error(text: str) -> None:
    with pytest.raises(AddressError):
        parse_proxy(text)


ADDRESS = Address("http", "h", 81, "/base")
AGENT = f"User-Agent: {DISTRIBUTION}/{tool_version()}\r\n".encode()


def test_the_order_and_the_spelling_of_headers_are_kept() -> None:
    own = (("b", "1"), ("CONTENT-length", "9"), ("hOsT", "other"), ("user-AGENT", "mine"), ("B", ""))
    request = HttpRequest("POST", "/x", own, b"{}")
    expected = b"POST /base/x HTTP/1.1\r\nb: 1\r\nCONTENT-length: 9\r\nhOsT: other\r\nuser-AGENT: mine\r\nB: \r\n\r\n{}"
    assert render(request, ADDRESS) == expected


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (HttpRequest("GET", ""), b"GET /base HTTP/1.1\r\nHost: h:81\r\n%b\r\n" % AGENT),
        (HttpRequest("POST", "/"), b"POST /base/ HTTP/1.1\r\nHost: h:81\r\n%bContent-Length: 0\r\n\r\n" % AGENT),
        (
            HttpRequest("GET", "/", body=b"a"),
            b"GET /base/ HTTP/1.1\r\nHost: h:81\r\n%bContent-Length: 1\r\n\r\na" % AGENT,
        ),
        (
            HttpRequest("PUT", "/", (("Transfer-Encoding", "chunked"),), b"0\r\n\r\n"),
            b"PUT /base/ HTTP/1.1\r\nHost: h:81\r\n%bTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" % AGENT,
        ),
    ],
)
def test_host_agent_and_content_length_are_added_where_they_are_missing(request_: HttpRequest, expected: bytes) -> None:
    assert render(request_, ADDRESS) == expected


def test_a_proxy_password_goes_only_with_absolute_targets() -> None:
    proxy = parse_proxy("http://u:p@proxy:1")
    assert render(HttpRequest("GET", "/x"), ADDRESS, proxy) == (
        b"GET http://h:81/base/x HTTP/1.1\r\nHost: h:81\r\nProxy-Authorization: Basic dTpw\r\n%b\r\n" % AGENT
    )
    assert b"Proxy" not in render(HttpRequest("GET", "/x"), Address("https", "h", 443), proxy)


@pytest.mark.parametrize(
    "request_",
    [
        HttpRequest("GET", "x"),
        HttpRequest("GET", "/x HTTP/1.1"),
        HttpRequest("G T", "/"),
        HttpRequest("GET", "/\r\nX: y"),
        HttpRequest("GET", "/", (("X\nY", "z"),)),
        HttpRequest("GET", "/", (("X", "y\rz"),)),
        HttpRequest("GET", "/", (("X", "\u20ac"),)),
    ],
)
def test_a_request_that_is_not_one_message_is_refused(request_: HttpRequest) -> None:
    with pytest.raises(ValueError, match=r"cannot|codec"):
        render(request_, ADDRESS)


def test_only_what_keeps_from_the_target_is_unreachable() -> None:
    kinds: tuple[ProblemKind, ...] = get_args(ProblemKind)
    unreachable = {kind for kind in kinds if WireProblem(kind, "", "connect").unreachable}
    assert unreachable == {"connect-refused", "name-resolution", "connect-timeout", "tls", "proxy"}


def test_header_values_are_found_in_any_case_and_in_order() -> None:
    assert header_values((("A", "1"), ("b", "2"), ("a", "3")), "a") == ("1", "3")


def test_a_text_frame_is_masked_with_the_given_bytes() -> None:
    assert text_frame(b"\x01\x02\x03\x04\x05", lambda size: bytes(range(size))) == (
        b"\x81\x85\x00\x01\x02\x03\x01\x03\x01\x07\x05"
    )


@pytest.mark.parametrize("step", [1, 2, 3, 7, 1000])
def test_frames_are_cut_at_their_borders_however_they_arrive(step: int) -> None:
    frames = [
        b"\x81\x05hello",
        b"\x89\x00",
        b"\x81\x7e\x00\xc8" + b"a" * 200,
        b"\x82\x7f" + (70000).to_bytes(8, "big") + b"b" * 70000,
        b"\x81\x82mask12",
    ]
    stream = b"".join(frames)
    cutter = FrameCutter()
    cut: list[bytes] = []
    pieces: list[Piece] = []
    for at in range(0, len(stream), step):
        for piece in cutter.feed(stream[at : at + step]):
            pieces.append(piece)
            if piece.header:
                cut.append(b"")
            cut[-1] += piece.data
    assert cut == frames
    assert [piece.declared_bytes for piece in pieces if piece.header] == [5, 0, 200, 70000, 2]
    assert [piece.control for piece in pieces if piece.header] == [False, True, False, False, False]
    assert not cutter.within_frame
