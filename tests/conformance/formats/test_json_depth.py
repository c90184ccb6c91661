"""Depth is bounded before anything is parsed, so that each Python refuses the same texts, and none recurses without end."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from conformance.cli.replay import from_file
from conformance.contract.load import load_contract
from conformance.contract.schemas import read_schema
from conformance.derive.drift import _lines
from conformance.dialects.alphapoint import is_success, number_of, reply_value
from conformance.dialects.alphapoint.session import _has_code
from conformance.errors import JournalError, SpecError, UsageError
from conformance.formats.errors import CodecError
from conformance.formats.frames import decode_frame
from conformance.formats.json.pointer import MAX_DEPTH, load_json, load_top, locate, too_deep_at
from conformance.formats.json.write import MAX_LEVELS, encode_json
from conformance.formats.members import json_content, read_json
from conformance.report.several import read_results
from conformance.wire.messages import Exchange, HttpReply, WsReply
from conformance.wire.ws.connection import sequence_number as sequence_of_reply

PAIRS = [("[", "]"), ('{"a":', "}")]


def nested(pair: tuple[str, str], depth: int, inner: str = "1") -> str:
    return pair[0] * depth + inner + pair[1] * depth


@pytest.fixture
def high_limit() -> Iterator[None]:
    """As on a Python whose parser and stack would go far deeper."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(20_000)
    yield
    sys.setrecursionlimit(before)


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("read", [load_json, read_json, json_content])
def test_the_deepest_level_is_read_and_the_next_refused(
    pair: tuple[str, str], read: Callable[[str], Any], high_limit: None
) -> None:
    assert read(nested(pair, MAX_DEPTH)) is not None
    with pytest.raises(ValueError, match=r"nested (?:too deeply|more than 100 levels deep)"):
        read(nested(pair, MAX_DEPTH + 1))


def test_brackets_in_strings_and_side_by_side_are_not_deep() -> None:
    for text in ('"' + "[" * 500 + '"', '["' + r"\"[" * 500 + '"]', "[" + ",".join(["[]"] * 500) + "]"):
        assert too_deep_at(text) is None
        assert load_json(text)
    assert too_deep_at('["["' + "[" * 200) == 4 + MAX_DEPTH - 1


@pytest.mark.parametrize("charset", ["utf-8", "utf-16-le", "utf-8-sig"])
def test_bytes_are_measured_in_their_own_charset(charset: str) -> None:
    assert load_json('{"é":[1]}'.encode(charset)) == {"é": [1]}
    with pytest.raises(ValueError, match="nested"):
        load_json(nested(PAIRS[0], 300).encode(charset))


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 2_000, 100_000])
def test_no_reader_of_an_answer_follows_it_without_end(depth: int, tmp_path: Path, high_limit: None) -> None:
    text = nested(PAIRS[1], depth)
    frame = '{"m":1,"i":7,"n":"X","o":' + text + "}"
    assert sequence_of_reply(frame.encode()) == (7, 1)  # so that the checks see the answer, and say what it is
    assert decode_frame(frame).problems[0].message.startswith("the frame is no JSON: the JSON is nested more than 100")
    assert number_of(frame.encode()) is None
    for reply in (HttpReply(200, "OK", (), text.encode(), "1.1"), WsReply(frame.encode())):
        assert reply_value(Exchange(b"x", b"x", reply, None, 0.0, 0.0)) is None
    assert locate(text.encode(), "/a") is None
    assert not _has_code(text)
    assert not is_success(text)
    assert _lines(text)
    file = tmp_path / "results.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(JournalError, match="nested"):
        read_results(file)
    with pytest.raises(UsageError, match="nested"):
        from_file(str(file), load_contract(None))
    with pytest.raises(SpecError, match="nested too deeply"):
        read_schema(file)


@pytest.mark.parametrize(
    ("text", "top"),
    [
        ('{"a":%s,"i":3}', {"a": None, "i": 3}), ('[1,%s,"[",%s]', [1, None, "[", None]), ("%s", [None]),
        ('{"a":"%s]]"}', None),
    ],
)  # fmt: skip
def test_of_what_is_too_deep_the_top_is_still_seen(text: str, top: Any) -> None:
    deep = text.replace("%s", nested(PAIRS[0], 200))
    assert load_top(deep) == (top or {"a": nested(PAIRS[0], 200) + "]]"})


def test_of_what_is_not_too_deep_everything_is_seen() -> None:
    assert load_top('{"a":[1,{"b":[]}]}') == {"a": [1, {"b": []}]}


@pytest.mark.parametrize("text", ['{"a":[],"b":[%s', '{"a":[],"b":%s', "[%s,1"])
def test_what_is_too_deep_and_never_closed_is_refused_and_not_followed(text: str) -> None:
    with pytest.raises(ValueError, match="Expecting"):
        load_top(text.replace("%s", nested(PAIRS[0], 100_000)))


@pytest.mark.parametrize("load", [load_json, load_top])
def test_half_a_surrogate_pair_in_bytes_is_read(load: Callable[[bytes], Any]) -> None:
    assert load(b'["\xed\xa0\x80"]') == ["\ud800"]


def test_legs_within_legs_are_not_followed() -> None:
    inner: Any = {"errorcode": 20}
    assert _has_code({"bidresult": inner})
    assert not _has_code({"bidresult": {"bidresult": inner}})
    good: Any = {"result": True}
    assert is_success({"bidresult": good, "askresult": good})
    assert not is_success({"bidresult": {"bidresult": good, "askresult": good}, "askresult": good})


def test_a_value_is_written_as_deep_as_stated_and_no_deeper(high_limit: None) -> None:
    value: Any = 1
    for _ in range(MAX_LEVELS):
        value = [value]
    assert encode_json(value) == b"[" * MAX_LEVELS + b"1" + b"]" * MAX_LEVELS
    with pytest.raises(CodecError, match="nested in itself, or more than 200 levels deep") as caught:
        encode_json([value])
    assert caught.value.kind == "too-deep"
