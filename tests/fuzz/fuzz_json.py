"""The JSON reader, held against what it writes, the standard library, orjson and the reader of the scope guard."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import second_readers as second
from fuzz_kit import CHARSETS, Look, answers, bounded, chosen, picked, requests, shown, texts_in

from conformance.formats.errors import CodecError
from conformance.formats.frames import decode_frame
from conformance.formats.json.read import MAX_NOTES, JsonDocument, JsonStyle, decode_json, encode_json, locate
from conformance.formats.members import json_content, read_json

_LIMITS = {"too-deep", "beyond", "number-too-long", "too-large"}
_STYLES = (JsonStyle(), JsonStyle(ascii_only=True), JsonStyle(escape_all=True), JsonStyle(indent=" ", bom=True))


def _same(one: Any, other: Any) -> bool:
    """Equal with types: 1 is not 1.0 and not true, and a number that is no plain integer keeps its text."""
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return type(one) is type(other) and getattr(one, "literal", one) == getattr(other, "literal", other)


def _plain_json(body: bytes) -> Any:
    """What the standard library makes of strict JSON in UTF-8. Errors: ValueError, RecursionError."""

    def refuse(name: str) -> Any:
        raise ValueError(name)

    return json.loads(body.decode(), parse_constant=refuse)


def _refused(body: bytes, charset: str | None, error: CodecError) -> None:
    shown(error)
    if charset is None and error.kind not in _LIMITS:
        try:
            _plain_json(body)
        except (ValueError, RecursionError):
            return
        assert body.startswith(b"\xef\xbb\xbf"), f"the standard library reads it: {error}"


def _accepted(body: bytes, charset: str | None, document: JsonDocument) -> None:
    counts: dict[str, int] = {}
    for note in document.notes:
        counts[note.kind] = counts.get(note.kind, 0) + 1
        assert len(note.text) <= 2_000
        if note.kind != "bom" and "…" not in note.pointer:
            assert locate(body, note.pointer, charset) is not None, f"{note.pointer} is nowhere"
    assert all(count <= MAX_NOTES for count in counts.values())
    for style in _STYLES:
        again = decode_json(encode_json(document.value, style)).value
        assert _same(again, document.value), f"{document.value!r} is read as {again!r} in {style}"
    text = body.decode("utf-8-sig") if charset is None and "bom" not in counts else None
    if text is None:
        return
    floats = second.as_floats(document.value)
    assert second.last_of_pairs(read_json(text)) == floats, "the guard's reader sees another value"
    seen = {found.value for found in json_content(text).views[0].found if isinstance(found.value, str)}
    assert set(texts_in(document.value)) <= seen, "the guard does not see every text"
    if not counts.keys() & {"lone-surrogate", "duplicate-key"}:  # orjson also looks at members that are given again
        assert _as_orjson(body, document.value) == floats, "orjson reads another value"


def _as_orjson(body: bytes, value: Any) -> Any:
    """What orjson reads; what was read where it refuses numbers that are infinite or long."""
    floats = second.as_floats(value)
    try:
        return second.as_floats(orjson.loads(body))
    except orjson.JSONDecodeError:
        if _all_finite(floats) and not _has_long_number(value):
            raise
        return floats


def look(data: bytes) -> None:
    charset, body = picked(data, CHARSETS)
    decode_frame(body)
    try:
        document = decode_json(body, charset)
    except CodecError as error:
        _refused(body, charset, error)
        return
    _accepted(body, charset, document)


def _all_finite(value: Any) -> bool:
    if isinstance(value, dict | list):
        return all(map(_all_finite, value.values() if isinstance(value, dict) else value))
    return not isinstance(value, float) or abs(value) != float("inf")


def _has_long_number(value: Any) -> bool:
    if isinstance(value, dict | list):
        return any(map(_has_long_number, value.values() if isinstance(value, dict) else value))
    return (
        not isinstance(value, bool)
        and isinstance(value, int | float)
        and len(getattr(value, "literal", str(value))) > 15
    )


def harness(_folder: Path) -> Look:
    """The reader, in bounded time."""
    return bounded(look)


def seeds() -> Iterator[bytes]:
    for media, body in answers():
        if "json" in media:
            yield chosen(0, body)
    for _, media, body in requests():
        if "json" in media:
            yield chosen(0, body)
    yield chosen(4, '{"a": 1}'.encode("utf-16"))
    yield chosen(0, b'\xef\xbb\xbf{"a": [1.0, -0, "\\ud800"], "a": 1e400}')
    yield chosen(0, b'{"m": 1, "i": 2, "n": "CancelQuote", "o": "{\\"result\\": true}"}')
