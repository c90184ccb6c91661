"""Messages as people read them: start line, headers and body apart, bodies indented, the place of a finding marked.

The text of a body is never written anew: only line breaks and indentation are added between its parts, so that a wrong
number, a doubled member or a missing brace is still seen. What is no JSON and no XML stays as it came.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from conformance.model.case import Transport
from conformance.report.safe_text import visible

_INDENT = "  "
_MOST_DEPTH = 40
"""Behind this depth nothing is indented further, so that nesting costs no space."""
_HEAD = re.compile(r"(?:[A-Z]{1,20} \S{1,4000} HTTP/\d\.\d|HTTP/\d\.\d \d{3}[^\r\n]{0,200})\r\n")
_JSON = re.compile(r'"(?:[^"\\]|\\.)*"?|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)
_XML = re.compile(r"<!--.*?(?:-->|\Z)|<!\[CDATA\[.*?(?:\]\]>|\Z)|<[^>]*>?|[^<]+", re.DOTALL)
_TAG = re.compile(r"<(/?)(?:[\w.-]+:)?([\w.-]+)[^>]*?(/?)>?\Z", re.DOTALL)
_STEP = re.compile(r"(?:[\w.-]+:)?([\w.-]+)(?:\[(\d+)\])?\Z")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_SHORTEST = 2
_LINE = re.compile(r" \(line \d+\)\Z")
_FRAME = re.compile(
    r"\\x(?:01|02|81|82)(?:\\x[0-9a-f]{2}|~(?:\\x[0-9a-f]{2}|.){2}|\x7f(?:\\x[0-9a-f]{2}|.){8}|[^\\])", re.DOTALL
)
"""The head of a server's frame, as evidence writes bytes that are no text."""
_BETWEEN = re.compile(r"\n(?=\{|\\x8[12])")


class Span(NamedTuple):
    """A piece of a body; marked where a finding points at it."""

    text: str
    marked: bool = False
    blank: bool = False
    """White space at the edge of a text, or all of it: nobody sees it unless it is shown."""


@dataclass(frozen=True, slots=True)
class Part:
    """One message, or one frame of several: what stands on lines of its own."""

    start: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: tuple[Span, ...] = ()
    payload: tuple[Span, ...] = ()
    """What the member `o` of a frame says, which is JSON in a text."""
    call: str = ""
    """The call that a frame names."""

    @property
    def marked(self) -> bool:
        """Whether a finding points into it."""
        return any(span.marked for span in (*self.body, *self.payload))


def parts_of(text: str, transport: str, at: str = "") -> tuple[Part, ...]:
    """The messages in the text of an evidence; `at` is the place of a finding: a JSON Pointer or an XPath."""
    if not text:
        return ()
    head = _HEAD.match(text)
    if head is not None:
        return (_http(text, at),)
    if not Transport(transport).framed:
        return (Part(body=body_of(text, at)),)
    return tuple(_frame(_FRAME.sub("", one, count=1), at) for one in _BETWEEN.split(text))


def _http(text: str, at: str) -> Part:
    head, _, body = text.partition("\r\n\r\n")
    start, *lines = head.split("\r\n")
    headers = tuple((name, value.strip()) for name, _, value in (line.partition(":") for line in lines))
    return Part(start, headers, body_of(body, at))


def _frame(text: str, at: str) -> Part:
    """The frame, and its payload where that is a text that holds JSON; what the payload says need not stand out twice."""
    try:
        members = json.loads(text)
    except (ValueError, RecursionError):
        members = None
    known = members if isinstance(members, dict) else {}
    inner, call = known.get("o"), known.get("n")
    payload = body_of(inner, at) if isinstance(inner, str) else ()
    if any(span.marked for span in payload):
        at = ""
    frame = body_of(text, at)
    if payload and not any(span.marked for span in frame):
        frame = (Span(visible(text)),)
    return Part(body=frame, payload=payload, call=call if isinstance(call, str) else "")


def body_of(text: str, at: str = "") -> tuple[Span, ...]:
    """The body with line breaks and indentation, as far as it is JSON or XML."""
    start = text.lstrip("\ufeff \t\r\n")[:1]
    if start == "<":
        return _joined(_xml(text, at))
    if start in ("{", "["):
        return _joined(_json(text, at))
    return (Span(_lines(text)),) if text else ()


def _joined(spans: Iterator[Span]) -> tuple[Span, ...]:
    """Neighbours that are shown alike as one."""
    joined: list[Span] = []
    for span in spans:
        if joined and joined[-1][1:] == span[1:]:
            joined[-1] = span._replace(text=joined[-1].text + span.text)
        elif span.text:
            joined.append(span)
    return tuple(joined)


def quoted(text: str) -> tuple[Span, ...]:
    """Words of a finding, with the blanks at the edges of each text in quotes apart."""

    def spans() -> Iterator[Span]:
        end = 0
        for match in _QUOTED.finditer(text):
            yield Span(text[end : match.start()])
            yield from _edged(match.group(), False)
            end = match.end()
        yield Span(text[end:])

    return _joined(spans())


def _edged(token: str, marked: bool) -> Iterator[Span]:
    """A token of JSON; of a text in quotes the blanks at its edges apart."""
    if len(token) < _SHORTEST or token[0] != '"' or token[-1] != '"':
        yield Span(visible(token), marked)
        return
    yield Span('"', marked)
    yield from _with_edges(token[1:-1], marked)
    yield Span('"', marked)


def _with_edges(text: str, marked: bool) -> Iterator[Span]:
    inner = text.strip()
    begin = text.index(inner) if inner else len(text)
    yield Span(visible(text[:begin]), marked, True)
    yield Span(_lines(inner), marked)
    yield Span(visible(text[begin + len(inner) :]), marked, True)


def _lines(text: str) -> str:
    """The text with what is invisible written out, and its lines kept."""
    return "\n".join(visible(line) for line in text.replace("\r\n", "\n").split("\n"))


@dataclass(slots=True)
class _Level:
    """An object, list or element that is open."""

    step: str
    """The part of the place for what stands in it now."""
    named: bool = False
    """Whether it is an object, which has names before its values."""
    awaits_name: bool = False
    number: int = 0
    empty: bool = True
    children: Counter[str] = field(default_factory=Counter)


def _break(depth: int) -> str:
    return "\n" + _INDENT * min(depth, _MOST_DEPTH)


def _json(text: str, at: str) -> Iterator[Span]:
    levels: list[_Level] = []
    marking = 0
    """The depth at which marking began; 0 for not marking."""
    sought = at if at.startswith("/") else None
    depth = at.count("/")
    for match in _JSON.finditer(text):
        token = match.group()
        top = levels[-1] if levels else None
        if token in "}]":
            if levels:
                levels.pop()
            yield Span(("" if top is None or top.empty else _break(len(levels))) + token, marking > 0)
            marking = 0 if marking > len(levels) else marking
            continue
        if token == ",":
            if top is not None:
                top.number, top.awaits_name = top.number + 1, top.named
            yield Span(token, marking > 0)
            continue
        if token == ":":
            yield Span(": ", marking > 0)
            continue
        starts = top is not None and (top.awaits_name or not top.named)
        if starts and top is not None:
            top.empty = False
            yield Span(_break(len(levels)), marking > 0)
        if top is not None and top.awaits_name:
            top.step, top.awaits_name = _name(token), False
            yield from _edged(token, marking > 0)
            continue
        if top is not None and not top.named:
            top.step = str(top.number)
        here = sought is not None and not marking and len(levels) == depth and _pointer(levels) == sought
        yield from _edged(token, marking > 0 or here)
        if token in "{[":
            levels.append(_Level("", token == "{", token == "{"))
            marking = len(levels) if here else marking


def _pointer(levels: list[_Level]) -> str:
    return "".join(f"/{level.step}" for level in levels)


def _name(token: str) -> str:
    """The name as a JSON Pointer has it."""
    try:
        name = str(json.loads(token))
    except ValueError:
        name = token.strip('"')
    return name.replace("~", "~0").replace("/", "~1")


def _xml(text: str, at: str) -> Iterator[Span]:
    path: list[str] = []
    levels = [_Level("")]
    marking, inline, begun = 0, False, False
    sought = _steps(at)
    tokens = _XML.findall(text)
    for token, following in zip(tokens, [*tokens[1:], ""], strict=True):
        tag = _TAG.match(token) if not token.startswith(("<!", "<?")) else None
        if tag is None:
            if inline and following.startswith("</") and not token.startswith("<"):
                yield from _with_edges(token, marking > 0)
            elif token.startswith("<") or token.strip():
                yield Span(
                    ("" if inline or not begun else _break(len(path))) + _lines(token.strip("\r\n")), marking > 0
                )
                begun = True
            continue
        closing, name, empty = tag.groups()
        if closing:
            if path:
                path.pop()
                levels.pop()
            yield Span(("" if inline else _break(len(path))) + visible(token), marking > 0)
            marking = 0 if marking > len(path) else marking
            inline = False
            continue
        levels[-1].children[name] += 1
        step = f"{name}[{levels[-1].children[name]}]"
        here = not marking and sought is not None and [*path, step] == sought
        yield Span(_break(len(path)) if begun else "", marking > 0)
        yield Span(visible(token), marking > 0 or here)
        begun, inline = True, not empty
        if not empty:
            path.append(step)
            levels.append(_Level(""))
            marking = len(path) if here else marking


def _steps(at: str) -> list[str] | None:
    """The steps of an XPath of local names, each with its number; None for what is none."""
    if not at.startswith("/"):
        return None
    found = [_STEP.match(step) for step in _LINE.sub("", at)[1:].split("/")]
    return [f"{step.group(1)}[{step.group(2) or 1}]" for step in found if step is not None] if all(found) else None
