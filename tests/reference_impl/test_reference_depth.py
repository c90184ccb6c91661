"""The reference refuses what is nested too deeply, at the same depth on every Python."""

from __future__ import annotations

import pytest

from reference_impl.alphapoint.frames import decode, is_refusal
from reference_impl.depth import MAX_DEPTH, first_value, load_json
from reference_impl.tpp.read_json import read_json
from reference_impl.tpp.values import UnreadableList


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 500, 2_000, 100_000])
def test_beyond_the_depth_nothing_is_read(depth: int) -> None:
    text = '{"n":"CancelOrder","a":' + "[" * (depth - 1) + "]" * (depth - 1) + "}"
    for read in (load_json, first_value):
        with pytest.raises(ValueError, match="nested more than 64 levels deep"):
            read(text)
    with pytest.raises(ValueError, match="nested"):
        load_json(text.encode("utf-16-le"))
    assert decode(text) is None
    with pytest.raises(UnreadableList):
        read_json(f"[{text}]")


def test_up_to_the_depth_everything_is() -> None:
    text = '{"n":"CancelOrder","a":' + "[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1) + ',"b":"' + "[" * 99 + '"}'
    assert load_json(text)["n"] == "CancelOrder"
    assert first_value(text + " and more")["n"] == "CancelOrder"
    frame = decode(text)
    assert frame is not None
    assert frame.n == "CancelOrder"


def test_what_is_no_response_is_no_refusal_and_is_not_followed() -> None:
    assert is_refusal('{"BidResult":{"errorcode":104},"AskResult":"{\\"errorcode\\":20}"}')
    for text in (
        "null",
        "[]",
        "{}",
        '{"bidresult":null}',
        '{"bidresult":null,"askresult":null}',
        '{"errorcode":0}',
        "[" * 500,
    ):
        assert not is_refusal(text)
