"""From a case's message to bytes: bindings, frames, chunks."""

from __future__ import annotations

import json

import pytest

from conformance.errors import HarnessError
from conformance.model.case import Body, Message, Repeat
from conformance.run.setting import frame_text, http_request


def test_bindings_are_filled_in_and_role_headers_follow_those_of_the_message() -> None:
    message = Message(Body('{"a":${oms}}'), path="/x", headers=(("Accept", "*/*"),))
    request = http_request(message, {"oms": 1}, "application/json", (("aptoken", "t"),))
    assert (request.method, request.path, request.body) == ("POST", "/x", b'{"a":1}')
    assert request.headers == (("Accept", "*/*"), ("aptoken", "t"))


@pytest.mark.parametrize(("media", "expected"), [("text/xml", b"<a>&lt;&amp;</a>"), ("text/json", b"<a><&</a>")])
def test_text_is_escaped_as_the_media_type_asks(media: str, expected: bytes) -> None:
    assert http_request(Message(Body("<a>${pin}</a>")), {"pin": "<&"}, media, ()).body == expected


def test_a_chunked_body_is_framed_in_chunks() -> None:
    message = Message(Body("," * 100), headers=(("Transfer-Encoding", "chunked"),))
    body = http_request(message, {}, "application/json", ()).body
    assert body == b"40\r\n" + b"," * 64 + b"\r\n24\r\n" + b"," * 36 + b"\r\n0\r\n\r\n"


def test_the_border_of_a_chunk_cuts_no_word() -> None:
    message = Message(Body("x" * 100), headers=(("Transfer-Encoding", "chunked"),))
    body = http_request(message, {}, "application/json", ()).body
    assert body == b"64\r\n" + b"x" * 100 + b"\r\n0\r\n\r\n"


def test_a_missing_binding_is_never_sent_half_filled() -> None:
    with pytest.raises(HarnessError, match="missing"):
        http_request(Message(Body("${missing}")), {}, "application/json", ())


def test_a_repeated_body_is_filled_once_for_each_index() -> None:
    body = Body("${one.#.OrderID}", repeat=Repeat("[", ",", "]", 3))
    bindings = {f"one.{index}.OrderID": index + 7 for index in range(3)}
    assert http_request(Message(body), bindings, "application/json", ()).body == b"[7,8,9]"


def test_a_frame_carries_number_and_payload_as_a_json_string() -> None:
    message = Message(Body('{"a":"${uid}"}'), frame='{"m":0,"i":${i},"o":${o}}')
    text, body = frame_text(message, {"uid": 'q"'}, 8)
    assert json.loads(text) == {"m": 0, "i": 8, "o": body.decode()}
    assert json.loads(body) == {"a": 'q"'}


def test_a_body_of_bytes_is_sent_as_it_is_but_for_its_places() -> None:
    body = Body(data=b"\x00\xff${oms}\x80$\xc3")
    assert http_request(Message(body), {"oms": 7}, "application/json", ()).body == b"\x00\xff7\x80$\xc3"
    assert http_request(Message(Body(data=b"${pin}")), {"pin": "\xe9<"}, "text/xml", ()).body == b"\xc3\xa9&lt;"


def test_a_body_of_bytes_cannot_stand_in_a_frame() -> None:
    with pytest.raises(HarnessError, match="WebSocket"):
        frame_text(Message(Body(data=b"\xff"), frame="${o}"), {}, 1)
