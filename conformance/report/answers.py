"""What a client would notice: how the answers to the same cases differ between two runs, although both are right.

An answer is told by what stays the same when a server answers the same request again: its status, its headers, the members of
each object and their order, the kind of each value, and texts. Ids, times and other numbers are left out.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lxml import etree

from conformance.formats.errors import BeyondError, CodecError
from conformance.formats.json.pointer import load_json
from conformance.formats.xml.read import parse_xml
from conformance.model.case import Transport
from conformance.model.verdict import CaseResult, Verdict

_RIGHT = (Verdict.PASS, Verdict.WAIVED)
_OF_THE_MOMENT = frozenset({"date", "content-length", "age", "expires", "etag", "last-modified", "set-cookie"})
"""Headers whose value says nothing of how a server answers."""
_MOST_VALUES = 8
"""A header or a text with more values than so many in one run is one of its own for each answer."""
_LONG_NUMBER = re.compile(r"\d{3,}")
_CHANGING = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|\d+")
_DEEPEST, _SHOWN = 20, 200


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which answers differ, with how many cases show it."""

    about: str
    before: str
    after: str
    cases: int
    example: str


def differences(old: Iterable[CaseResult], new: Iterable[CaseResult]) -> tuple[Difference, ...]:
    """What differs between the answers to named cases that are right in both runs, that of most cases first."""
    before, after = _told(old), _told(new)
    both = sorted(before.keys() & after.keys())
    loose = {*_loose(before), *_loose(after)}
    found: defaultdict[tuple[str, str, str], list[str]] = defaultdict(list)
    for name in both:
        was, now = before[name], after[name]
        for about in sorted(was.keys() | now.keys()):
            one, other = was.get(about, _NONE), now.get(about, _NONE)
            if about in loose:
                one, other = (_NONE if said == _NONE else "given" for said in (one, other))
            if one != other and not (about.startswith(_VALUE) and _NONE in (one, other)):  # the members tell of that
                found[about, one, other].append(name)
    listed = (
        Difference(*key, len(names), min(names, key=lambda name: (len(name), name))) for key, names in found.items()
    )
    return tuple(sorted(listed, key=lambda one: (-one.cases, one.about, one.before, one.after)))


_NONE, _VALUE = "none", "value of "
_Facts = Mapping[str, str]


def _told(results: Iterable[CaseResult]) -> dict[str, _Facts]:
    """The facts of each answer: of named cases that are right, were answered once, and whose answer is kept whole."""
    told: dict[str, _Facts] = {}
    for result in results:
        judged = [one for one in result.exchanges if one.purpose == "judged"]
        evidence = judged[0].evidence if len(judged) == 1 else None
        if result.tier == "named" and result.verdict in _RIGHT and evidence is not None and not evidence.truncated:
            said: defaultdict[str, set[str]] = defaultdict(set)
            for about, value in _facts(evidence.received, result):
                said[about].add(value)
            told[result.id] = {about: " | ".join(sorted(values)) for about, values in said.items()}
    return told


def _loose(told: Mapping[str, _Facts]) -> Iterator[str]:
    """What has a value of its own in each answer."""
    values: defaultdict[str, set[str]] = defaultdict(set)
    for facts in told.values():
        for about, value in facts.items():
            values[about].add(value)
    yield from (about for about, seen in values.items() if about.startswith("header ") and len(seen) > _MOST_VALUES)


def _facts(received: str, result: CaseResult) -> Iterator[tuple[str, str]]:
    """What can be told of one answer, each fact by what it is about."""
    if Transport(result.transport).framed:
        yield from _of_frame(received[received.find("{") :] if "{" in received else "")
        return
    head, _, body = received.partition("\r\n\r\n")
    start, *lines = head.split("\r\n")
    parts = start.split(" ", 2)
    yield "status", parts[1] if len(parts) > 1 else start
    media = ""
    for line in lines:
        name, _, value = line.partition(":")
        name = name.strip().lower()
        media = value.strip().lower() if name == "content-type" else media
        yield f"header {name}", "given" if name in _OF_THE_MOMENT else _LONG_NUMBER.sub("#", value.strip())
    yield from _of_body(body, is_xml="xml" in media)


def _steady(text: str) -> str:
    return _CHANGING.sub("#", text)


def _of_body(body: str, *, is_xml: bool) -> Iterator[tuple[str, str]]:
    if not body:
        return
    try:
        if is_xml:
            yield from _of_element(parse_xml(body.encode()).root, "")
        else:
            yield from _of_value(load_json(body.encode()), "", 0)
    except (ValueError, CodecError, BeyondError):
        yield "body", _steady(body[:_SHOWN])


def _of_frame(text: str) -> Iterator[tuple[str, str]]:
    """The facts of a WebSocket frame; its payload is told like the body of an answer over HTTP."""
    try:
        frame = load_json(text.encode())
    except ValueError:
        frame = None
    if not isinstance(frame, dict):
        yield "frame", _steady(text[:_SHOWN]) or "silence"
        return
    yield "members of the frame", ", ".join(frame)
    for name, member in frame.items():
        if name == "o" and isinstance(member, str):
            yield from _of_body(member, is_xml=False)
        else:
            yield from _of_value(member, f"frame {name}", 0)


def _of_value(value: Any, at: str, depth: int) -> Iterator[tuple[str, str]]:
    """The facts of a JSON value; items of a list share a place, and a text that holds JSON is read."""
    if depth > _DEEPEST:
        return
    about = f"{_VALUE}{at or 'the answer'}"
    if isinstance(value, dict):
        yield f"members of {at or 'the answer'}", ", ".join(value)
        for name, member in value.items():
            yield from _of_value(member, f"{at}/{name}", depth + 1)
    elif isinstance(value, list):
        for item in value:
            yield from _of_value(item, f"{at}/*", depth + 1)
    elif isinstance(value, str) and value[:1] in ("{", "["):
        try:
            yield from _of_value(load_json(value.encode()), at, depth + 1)
        except ValueError:
            yield about, f'"{_steady(value)}"'
    elif isinstance(value, str):
        yield about, f'"{_steady(value)}"'
    else:
        yield about, "null" if value is None else str(value).lower() if isinstance(value, bool) else "a number"


def _of_element(element: etree._Element, at: str) -> Iterator[tuple[str, str]]:
    name = etree.QName(element).localname
    at = f"{at}/{name}"
    children = [child for child in element if isinstance(child.tag, str)]
    yield f"prefix of {at}", str(element.prefix or "none")
    if children:
        yield f"members of {at}", ", ".join(dict.fromkeys(etree.QName(child).localname for child in children))
        for child in children:
            yield from _of_element(child, at)
    else:
        yield f"{_VALUE}{at}", f'"{_steady((element.text or "").strip())}"'
