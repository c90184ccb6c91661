"""What is printed to send a message by hand holds no secret, also where one is escaped or stands among other bytes."""

from __future__ import annotations

import base64
import re

import pytest

from conformance.endpoint.model import Tls
from conformance.report.curl import Endpoint, by_hand, by_hand_again
from conformance.wire.address import parse_address
from conformance.wire.ws.session import text_frame

PIN = 'Süper-"Geheim"-99'
ENDPOINT = Endpoint(parse_address("http://127.0.0.1:9"), "ws://127.0.0.1:9", Tls(), "", 5.0)
HEAD = b"POST /api/orders/cancellations HTTP/1.1\r\nHost: 127.0.0.1:9\r\nContent-Length: %d\r\n\r\n"


def _shown(sent: bytes) -> str:
    text = by_hand(sent, ENDPOINT, [PIN], [], [], "utf-8")
    for part in re.findall(r"[A-Za-z0-9+/]{16,}={0,2}", text):
        text += base64.b64decode(part + "=" * (-len(part) % 4)).decode("utf-8", "replace")
    return text


@pytest.mark.parametrize(
    "body",
    [
        b'{"x":"S\\u00fcper-\\"Geheim\\"-99"}',
        "<x>Süper-&quot;Geheim&quot;-99</x>".encode(),
        b'\xff{"x":"S\\u00fcper-\\"Geheim\\"-99"}',
        b'\xff{"x":"' + PIN.encode() + b'"}',
        b"\xff<x>S&#252;per-&#34;Geheim&#34;-99</x>",
        b"\xff" + base64.b64encode(PIN.encode()),
    ],
)
def test_a_message_to_paste_holds_no_secret(body: bytes) -> None:
    for sent in (HEAD % len(body) + body, text_frame(body, lambda count: b"\x01\x02\x03\x04"[:count])):
        shown = _shown(sent)
        assert "127.0.0.1:9" in shown
        assert "Geheim" not in shown, shown
        assert base64.b64encode(PIN.encode()).decode()[:12] not in shown


def test_what_an_evidence_says_can_be_sent_again_with_variables_for_what_it_hides() -> None:
    head = "POST /x HTTP/1.1\r\nHost: 127.0.0.1:9\r\naptoken: [redacted]\r\nAuthorization: [redacted]\r\n\r\n"
    shown = by_hand_again(head + '{"PIN":"[redacted]","a":1}', "http", ENDPOINT)
    assert shown.startswith("curl ")
    assert "-H 'aptoken: '\"$SECRET\"" in shown
    assert "-H 'Authorization: '\"$AUTHORIZATION\"" in shown
    assert """--data-binary '{"PIN":"'"$SECRET"'","a":1}'""" in shown
    assert by_hand_again('{"m":0,"i":2}', "ws", ENDPOINT).splitlines()[1:] == ['{"m":0,"i":2}']


@pytest.mark.parametrize("sent", ["", "POST /x HTTP/1.1\r\nHost: h\r\n\r\n\\xff{}"])
def test_what_does_not_say_every_byte_is_not_offered_to_be_sent_again(sent: str) -> None:
    assert by_hand_again(sent, "http", ENDPOINT) == ""


_CHUNKED = b"POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (HEAD % 2 + b"{}", False),
        (b"GET /x HTTP/1.1\r\nHost: h\r\nAccept:\r\n\r\n", False),
        (_CHUNKED + b"2\r\n{}\r\n0\r\n\r\n", False),
        (_CHUNKED + b"2\r\n{}\r\n0\r\nX-Trailer: 1\r\n\r\n", True),
        (_CHUNKED + b"2;name=value\r\n{}\r\n0\r\n\r\n", True),
        (_CHUNKED + b"002\r\n{}\r\n000\r\n\r\n", True),
        (b"\r\n" + HEAD % 2 + b"{}", True),
        (HEAD.replace(b"Host: ", b"Host:") % 2 + b"{}", True),
        (HEAD.replace(b"HTTP/1.1", b"HTTP/1.0") % 2 + b"{}", True),
    ],
)
def test_a_request_that_curl_writes_in_another_way_is_said_to_be_one(sent: bytes, *, said: bool) -> None:
    for shown in (by_hand(sent, ENDPOINT, [], [], [], "utf-8"), by_hand_again(sent.decode(), "http", ENDPOINT)):
        assert shown.startswith("# the request as curl writes it") is said
        assert f"-X {'GET' if b'GET' in sent else 'POST'} http://127.0.0.1:9/" in shown
