"""What a WebSocket text frame may be taken for: its calls, and the members of its payload and of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from conformance.target.scope_http import text_content
from conformance.target.scope_json import Members, content_of, read_json, walk
from conformance.target.scope_judge import judge
from conformance.target.scope_members import NO_CONTENT, Content, Found, View, merged
from conformance.target.scope_rules import Catalogue, Rule
from conformance.target.scope_text import fold
from conformance.target.scope_values import Bounds

_ENVELOPE = ("m", "i", "n", "o")


def frame_reason(bounds: Bounds, catalogue: Catalogue, sent: str | bytes) -> str:
    """Why this text must not be sent, "" when it may."""
    try:
        text = sent if isinstance(sent, str) else sent.decode("utf-8")
        value = read_json(text)
    except ValueError:
        return _no_frame(sent)
    frames = value if isinstance(value, list) and not isinstance(value, Members) else [value]
    for frame in frames:
        if not isinstance(frame, Members):
            return _no_frame(sent)
        if reason := _frame(bounds, catalogue, frame):
            return reason
    return ""


def _no_frame(sent: str | bytes) -> str:
    """Text without a letter or a digit names no call; any other may be taken for one."""
    shown = sent if isinstance(sent, str) else sent.decode("latin-1")
    return "text that is no frame may be taken for any call" if any(one.isalnum() for one in shown) else ""


def _frame(bounds: Bounds, catalogue: Catalogue, frame: Members) -> str:
    beside: list[Found] = []
    for key, value in frame:
        if _may_hold_a_call(fold(key), value):
            return f"the frame's member {key[:60]!a} may hold a call"
        if fold(key) not in _ENVELOPE:
            beside.extend(walk(value, key))
    named = [value for key, value in frame if fold(key) == "n"]
    calls = [value for value in named if isinstance(value, str) and value.strip()]
    untold = len(calls) < len(named) or not any(key == "n" for key, _ in frame)
    guessed = [rule for rule in catalogue.operations if untold and rule.call.lower() in catalogue.by_call]
    rules = []
    for call in calls:
        rule = catalogue.by_call.get(call.lower())
        if rule is not None:
            rules.append(rule)
        elif not catalogue.reads_call(call):
            return f"{call[:60]!a} is no call that the scope guard knows"
    if (rules or guessed) and not bounds.scope.destructive:
        return "scope.destructive is not set, so only reading calls may be sent"
    for content in _payloads(frame, tuple(beside)):
        readings = [*((rule, content) for rule in rules), *((rule, _respelled(content, rule)) for rule in guessed)]
        for rule, read in readings:
            if reason := judge(bounds, rule, read):
                return reason
    return ""


def _may_hold_a_call(name: str, value: Any) -> bool:
    """Whether a reader may find a call's name where none belongs: `n` and `o` hold text, `m` and `i` a number."""
    if name == "o":
        return False
    if isinstance(value, str):
        return name != "n" and (name not in _ENVELOPE or any(one.isalpha() for one in value))
    return isinstance(value, list)  # an object is a list of its members


def _respelled(content: Content, rule: Rule) -> Content:
    """The payload of a frame that names no call, read as if it were made for this one."""
    views = []
    for view in content.views:
        known = [(rule.by_fold.get(fold(found.name)), found) for found in view.top]
        views.append(View(tuple(Found(member.name, found.value) for member, found in known if member), view.found))
    return replace(content, views=tuple(views))


def _payloads(frame: Members, beside: tuple[Found, ...]) -> Iterator[Content]:
    """Each payload of the frame, and none at all where some reader would not find it."""
    payloads = [value for key, value in frame if fold(key) == "o"]
    if not any(key == "o" for key, _ in frame):
        payloads.append(None)
    for value in payloads:
        content = _payload(value)
        yield replace(content, views=merged(content.views, beside))


def _payload(value: Any) -> Content:
    if isinstance(value, list):  # the document has text here: a reader may take the object, or see nothing
        content = content_of(value)
        return replace(content, views=content.views + NO_CONTENT.views)
    if not isinstance(value, str) or not value.strip():
        return NO_CONTENT
    content = text_content(value)
    return content if content.views else replace(content, views=NO_CONTENT.views)
