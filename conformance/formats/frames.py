"""AlphaPoint WebSocket frames: an object of m, i, n and o, where o is the payload as text.

The frame is described in AlphaPoint's published API documents, not in those of the single calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from conformance.formats.errors import BeyondError, CodecError, Note
from conformance.formats.json.read import JsonDocument, decode_json

REQUEST, REPLY, SUBSCRIBE, EVENT, UNSUBSCRIBE, ERROR = range(6)

_TYPES = {"m": int, "i": int, "n": str, "o": str}
_TYPE_NAMES = {int: "an integer", str: "a string"}


@dataclass(frozen=True, slots=True)
class Frame:
    """Message type, sequence number, call name, and the payload as text (JSON, or bare text when m is 5)."""

    m: int
    i: int
    n: str
    o: str


@dataclass(frozen=True, slots=True)
class FrameProblem:
    """What is wrong with one member ("" for the frame as a whole).

    `kind`: "not-json", "not-object", "missing", "wrong-type", "unknown-m", "payload-not-json", "beyond",
    "extra-member" or "duplicate".
    """

    member: str
    kind: str
    message: str


@dataclass(frozen=True, slots=True)
class FrameDocument:
    """A decoded frame: None when a member is missing or of a wrong type; the members as they came; problems.

    `payload` is `o` decoded, None when it is not JSON.
    """

    frame: Frame | None
    members: Mapping[str, Any] = field(default_factory=dict)
    problems: tuple[FrameProblem, ...] = ()
    payload: JsonDocument | None = None
    notes: tuple[Note, ...] = ()


def decode_frame(text: str | bytes) -> FrameDocument:
    """Decode a frame; whatever is wrong with it is a problem of the result, and nothing is raised."""
    data = text.encode(errors="surrogatepass") if isinstance(text, str) else text
    try:
        document = decode_json(data)
    except BeyondError as error:
        return FrameDocument(None, problems=(FrameProblem("", "beyond", error.message),))
    except CodecError as error:
        return FrameDocument(None, problems=(FrameProblem("", "not-json", f"the frame is no JSON: {error}"),))
    if not isinstance(document.value, dict):
        found = type(document.value).__name__
        problem = FrameProblem("", "not-object", f"a frame is a JSON object, this is {found}")
        return FrameDocument(None, problems=(problem,), notes=document.notes)
    members: dict[str, Any] = document.value
    problems = _member_problems(members)
    frame = payload = None
    if not problems:
        frame = Frame(members["m"], members["i"], members["n"], members["o"])
        payload = _payload(frame, problems)
    problems.extend(
        FrameProblem(note.pointer[1:], "duplicate", note.text)
        for note in document.notes
        if note.kind == "duplicate-key" and note.pointer.count("/") == 1
    )
    problems.extend(
        FrameProblem(name, "extra-member", f"a frame has no member {name!a}") for name in members if name not in _TYPES
    )
    return FrameDocument(frame, members, tuple(problems), payload, document.notes)


def _member_problems(members: Mapping[str, Any]) -> list[FrameProblem]:
    problems = []
    for name, kind in _TYPES.items():
        if name not in members:
            problems.append(FrameProblem(name, "missing", f"the frame has no member {name!r}"))
        elif type(members[name]) is not kind:  # True is an int to isinstance, not to the wire
            found = type(members[name]).__name__
            message = f"member {name!r} must be {_TYPE_NAMES[kind]}, it is a {found}"
            problems.append(FrameProblem(name, "wrong-type", message))
    return problems


def _payload(frame: Frame, problems: list[FrameProblem]) -> JsonDocument | None:
    if not REQUEST <= frame.m <= ERROR:
        problems.append(FrameProblem("m", "unknown-m", f"message type {frame.m} is not one of 0 to 5"))
    try:
        return decode_json(frame.o.encode(errors="surrogatepass"))
    except BeyondError as error:
        problems.append(FrameProblem("o", "beyond", error.message))
        return None
    except CodecError as error:
        if frame.m != ERROR:
            problems.append(FrameProblem("o", "payload-not-json", f"the payload is no JSON: {error}"))
        return None
