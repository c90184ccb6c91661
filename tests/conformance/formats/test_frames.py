"""WebSocket frames, right and wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.formats.errors import Pairs, Raw
from conformance.formats.frames import Frame, decode_frame
from conformance.formats.json.write import encode_json


@dataclass(frozen=True, slots=True)
class FrameStyle:
    """How to write a frame; the defaults are the documented form.

    `payload` "object" puts the JSON of `o` into the frame unquoted; `omit` leaves members out; `replace`
    gives members another value of any JSON type; `extra` adds members, duplicates included.
    """

    order: tuple[str, ...] = ("m", "i", "n", "o")
    payload: Literal["string", "object"] = "string"
    omit: tuple[str, ...] = ()
    replace: tuple[tuple[str, Any], ...] = ()
    extra: tuple[tuple[str, Any], ...] = ()


DOCUMENTED = FrameStyle()


def encode_frame(frame: Frame, style: FrameStyle = DOCUMENTED) -> bytes:
    """The text of a frame."""
    members: dict[str, Any] = {"m": frame.m, "i": frame.i, "n": frame.n, "o": frame.o}
    if style.payload == "object":
        members["o"] = Raw(frame.o)
    members.update(style.replace)
    order = (*style.order, *(name for name in members if name not in style.order))
    pairs = tuple((name, members[name]) for name in order if name in members and name not in style.omit)
    return encode_json(Pairs(pairs + style.extra))


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


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("{}", [(name, "missing", f"the frame has no member '{name}'") for name in "mino"]),
        (
            '{"m":"0","i":1.0,"n":1,"o":{}}',
            [
                ("m", "wrong-type", "member 'm' must be an integer, it is a str"),
                ("i", "wrong-type", "member 'i' must be an integer, it is a Number"),
                ("n", "wrong-type", "member 'n' must be a string, it is a int"),
                ("o", "wrong-type", "member 'o' must be a string, it is a dict"),
            ],
        ),
        ('{"m":6,"i":1,"n":"x","o":"{}"}', [("m", "unknown-m", "message type 6 is not one of 0 to 5")]),
        ('{"m":-1,"i":1,"n":"x","o":"{}"}', [("m", "unknown-m", "message type -1 is not one of 0 to 5")]),
        (
            '{"m":1,"i":1,"n":"x","o":"{","z":{"m":1,"m":2},"o":"{}","o":"["}',
            [
                (
                    "o",
                    "payload-not-json",
                    "the payload is no JSON: not valid JSON: a value is expected, found the end (at line 1, column 2)",
                ),
                (
                    "o",
                    "duplicate",
                    'member \'o\' is given 3 times; the last is used, before it: "{", "{}"',
                ),
                ("z", "extra-member", "a frame has no member 'z'"),
            ],
        ),
        ("[1]", [("", "not-object", "a frame is a JSON object, this is list")]),
        (
            "x",
            [
                (
                    "",
                    "not-json",
                    "the frame is no JSON: not valid JSON: a value is expected, found 'x' (at line 1, column 1)",
                )
            ],
        ),
    ],
)
def test_each_problem_of_a_frame_says_what_is_wrong_with_which_member(
    text: str, problems: list[tuple[str, str, str]]
) -> None:
    document = decode_frame(text)
    assert [(one.member, one.kind, one.message) for one in document.problems] == problems


def test_the_members_of_a_broken_frame_and_the_notes_are_kept() -> None:
    document = decode_frame('{"m":1,"i":1.0,"x":"\\ud800"}')
    assert (document.frame, document.payload) == (None, None)
    assert dict(document.members) == {"m": 1, "i": 1.0, "x": "\ud800"}
    assert [note.kind for note in document.notes] == ["non-integer-literal", "lone-surrogate"]
    assert [note.kind for note in decode_frame("\ufeff[1.0]").notes] == ["bom", "non-integer-literal"]


def test_half_a_surrogate_pair_in_a_frame_is_a_problem_of_its_encoding() -> None:
    assert [one.kind for one in decode_frame('{"m":"\ud800"}').problems] == ["not-json"]
    bare = decode_frame('{"m":0,"i":0,"n":"x","o":"\\ud800"}')
    assert [(one.member, one.kind) for one in bare.problems] == [("o", "payload-not-json")]


@pytest.mark.parametrize("m", range(6))
def test_every_documented_message_type_is_known(m: int) -> None:
    assert decode_frame(encode_frame(Frame(m, 0, "x", "{}"))).problems == ()


@pytest.mark.parametrize(
    ("style", "text"),
    [
        (FrameStyle(order=("o", "i")), '{"o":"{}","i":2,"m":0,"n":"x"}'),
        (FrameStyle(payload="object"), '{"m":0,"i":2,"n":"x","o":{}}'),
        (FrameStyle(omit=("n", "o")), '{"m":0,"i":2}'),
        (FrameStyle(replace=(("z", 1), ("m", None))), '{"m":null,"i":2,"n":"x","o":"{}","z":1}'),
        (FrameStyle(extra=(("m", 1), ("y", "")), order=("i", "q")), '{"i":2,"m":0,"n":"x","o":"{}","m":1,"y":""}'),
    ],
)
def test_a_style_moves_omits_replaces_and_adds_members(style: FrameStyle, text: str) -> None:
    assert encode_frame(Frame(0, 2, "x", "{}"), style).decode() == text
