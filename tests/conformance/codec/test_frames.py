"""WebSocket frames, right and wrong."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.codec.frames import Frame, FrameStyle, decode_frame, encode_frame

FRAME = Frame(1, 2, "CancelAllOrders", '{"result":true}')


def test_the_payload_is_a_json_string() -> None:
    assert encode_frame(FRAME) == rb'{"m":1,"i":2,"n":"CancelAllOrders","o":"{\"result\":true}"}'


def test_a_frame_and_its_payload_are_decoded() -> None:
    document = decode_frame(encode_frame(FRAME).decode())
    assert document.frame == FRAME
    assert document.problems == ()
    assert document.payload is not None
    assert document.payload.value == {"result": True}


@settings(derandomize=True, max_examples=60, deadline=None)
@given(
    st.builds(Frame, st.integers(0, 5), st.integers(0), st.text(max_size=9), st.text(max_size=9)),
    st.permutations("mino"),
)
def test_any_frame_survives_in_any_key_order(frame: Frame, order: list[str]) -> None:
    assert decode_frame(encode_frame(frame, FrameStyle(order=tuple(order)))).frame == frame


@pytest.mark.parametrize(
    ("style", "problem"),
    [
        (FrameStyle(payload="object"), ("o", "wrong-type")),
        (FrameStyle(omit=("i",)), ("i", "missing")),
        (FrameStyle(replace=(("m", "1"),)), ("m", "wrong-type")),
        (FrameStyle(replace=(("m", True),)), ("m", "wrong-type")),
        (FrameStyle(replace=(("n", None),)), ("n", "wrong-type")),
        (FrameStyle(replace=(("m", 9),)), ("m", "unknown-m")),
        (FrameStyle(replace=(("o", "Endpoint Not Found"),)), ("o", "payload-not-json")),
        (FrameStyle(extra=(("x", 1),)), ("x", "extra-member")),
        (FrameStyle(extra=(("i", 2),)), ("i", "duplicate")),
    ],
)
def test_a_broken_frame_names_the_member(style: FrameStyle, problem: tuple[str, str]) -> None:
    document = decode_frame(encode_frame(FRAME, style))
    assert [(one.member, one.kind) for one in document.problems] == [problem]
    assert (document.frame is None) == (problem[1] in ("missing", "wrong-type"))


def test_an_error_frame_may_carry_bare_text() -> None:
    document = decode_frame(encode_frame(Frame(5, 2, "Nope", "Endpoint Not Found")))
    assert document.problems == ()
    assert document.frame is not None
    assert document.payload is None


@pytest.mark.parametrize(("text", "kind"), [("hello", "not-json"), ("", "not-json"), ("[1]", "not-object")])
def test_text_that_is_no_frame_is_a_problem_and_not_an_error(text: str, kind: str) -> None:
    document = decode_frame(text)
    assert document.frame is None
    assert [(one.member, one.kind) for one in document.problems] == [("", kind)]
