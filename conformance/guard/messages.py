"""What an HTTP request may be taken for: its call, and the members in its query, headers and body.

What a WebSocket text frame may be taken for: its calls, and the members of its payload and of its own.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

from conformance.formats.base import Format
from conformance.formats.errors import CodecError
from conformance.formats.members import (
    NO_CONTENT,
    Content,
    Found,
    Members,
    View,
    as_written,
    content_of,
    merged,
    query_members,
    read_json,
    together,
    walk,
)
from conformance.formats.registry import format_of, formats
from conformance.formats.text import parse_media_type
from conformance.guard.judge import argument_reason, judge
from conformance.guard.rules import Catalogue, Rule
from conformance.guard.texts import fold, texts_of
from conformance.guard.values import Bounds
from conformance.wire.messages import HttpRequest, header_values

_ODD_PATH = re.compile(r"\.\.|//|[\\;#%\x00-\x20\x7f]|[^\x00-\x7f]")
_ODD_ARGUMENT = re.compile(r"\.\.|^\.?$|[/\\;?#\x00-\x1f\x7f]")
"""In an argument of a path, at any number of decodings: some reader takes it for another path, or for a query."""
_LINE_BREAK = re.compile(r"[\r\n\x00]")
_REROUTING = frozenset(
    {
        "xoriginalurl", "xrewriteurl", "xoriginalmethod", "xforwardeduri", "xforwardedpath", "xforwardedprefix", "upgrade",
    }
)  # fmt: skip
_OVERRIDING = frozenset({"httpmethodoverride", "xhttpmethodoverride", "xhttpmethod", "xmethodoverride"})
"""Headers that some servers take for the method; no more may come of one than of a message with that method."""
_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
_BODY_METHODS = ("POST", "PUT", "PATCH")
_READING_METHODS = ("GET", "POST")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})(?:;[^\r\n]*)?\r\n")


def http_reason(bounds: Bounds, catalogue: Catalogue, request: HttpRequest) -> str:
    """Why this request must not be sent, "" when it may."""
    if reason := _framing(request):
        return reason
    sent, _, query = request.path.partition("?")
    path, overridden = sent, _overridden(request)
    for _ in range(3):
        path = unquote(path)
    plain = path.lower().rstrip("/")
    at = catalogue.rules_at(sent, plain, "" if overridden else request.method)
    in_path = [text for _, arguments in at for one in arguments.values() for text in _readings_of(one)]
    odd = any(map(_ODD_ARGUMENT.search, in_path)) if in_path else _ODD_PATH.search(path) is not None
    if odd:
        return f"the path {request.path[:80]!a} may be read in more than one way"
    if not at:
        reads = request.method.upper() in _READING_METHODS and not overridden
        if catalogue.reads_path(plain) and reads:
            return ""
        if (request.method, request.path) in catalogue.sign_ins:  # as it was named, not as a reader may take it
            return ""
        return f"{request.method} {request.path[:80]!a} is no call that the scope guard knows"
    if not bounds.scope.destructive:
        return "scope.destructive is not set, so only reading calls may be sent"
    data = _dechunked(request)
    if data is None:
        return "the chunks of the body cannot be read"
    reasons = (_reason_at(bounds, rule, request, data, query, arguments) for rule, arguments in at)
    return next((reason for reason in reasons if reason), "")


def _reason_at(
    bounds: Bounds, rule: Rule, request: HttpRequest, data: bytes, query: str, arguments: Mapping[str, str]
) -> str:
    """Why the request must not be sent to the call of this rule, "" when it may."""
    named = (argument_reason(bounds, rule, name, _readings_of(text)) for name, text in arguments.items())
    found = next((reason for reason in named if reason), "")
    return found or judge(bounds, rule, _content(rule, request, data, query, arguments))


def _readings_of(text: str) -> Iterator[str]:
    """What an argument may be read as: once decoded, as it must be, or more often, or not at all."""
    yield text
    while (plain := unquote(text)) != text:
        yield (text := plain)


def _framing(request: HttpRequest) -> str:
    """Refuses a message that may be taken for two, or that its headers route or pack, whatever it says."""
    for name, value in (*request.headers, (request.method, request.path)):
        if _LINE_BREAK.search(name) or _LINE_BREAK.search(value):
            return "a header, the method or the path holds a line break"
    for name, value in request.headers:
        if fold(name) in _REROUTING:
            return f"the header {name} may turn the request into another one"
        if fold(name) in _OVERRIDING and value not in _METHODS:
            return f"the header {name} names no method that the scope guard knows"
        if fold(name) == "contentencoding" and value.strip().lower() not in ("", "identity"):
            return f"a body in the encoding {value!a} cannot be judged"
    lengths = header_values(request.headers, "content-length")
    encodings = header_values(request.headers, "transfer-encoding")
    if any(value.strip() != str(len(request.body)) for value in lengths) or (lengths and encodings):
        return "Content-Length does not agree with the body, so its rest may be read as another request"
    if len(encodings) > 1 or any(value.strip().lower() != "chunked" for value in encodings):
        return "Transfer-Encoding is something else than chunked, so the body cannot be judged"
    return ""


def _dechunked(request: HttpRequest) -> bytes | None:
    """The body without its chunk framing; None when it is not framed so, or does not end there."""
    if not header_values(request.headers, "transfer-encoding"):
        return request.body
    parts, rest = [], request.body
    while match := _CHUNK.match(rest):
        size = int(match.group(1), 16)
        parts.append(rest[match.end() : match.end() + size])
        rest = rest[match.end() + size :]
        if not rest.startswith(b"\r\n") or len(parts[-1]) != size:
            return None
        rest = rest[2:]
        if size == 0:
            return b"".join(parts) if not rest else None
    return None


def _content(rule: Rule, request: HttpRequest, data: bytes, query: str, arguments: Mapping[str, str]) -> Content:
    """Every view of body, query and headers; a body that a reader may pass over leaves a view without it.

    Who passes the body over may pass the query over as well, and then finds no member at all but those in the path. A
    call whose members are documented in the query has them there.
    """
    in_path = tuple(Found(name, one) for name, text in arguments.items() for one in _readings_of(text))
    named = tuple(Found(name, unquote(text)) for name, text in arguments.items())
    asked = query_members(query)
    if rule.in_query and request.method == rule.method:
        named += asked
    beside = in_path + asked + tuple(_header_members(rule, request))
    without_body = View(named, beside)
    if not data.strip():
        return Content((without_body,))
    body = body_content(data, header_values(request.headers, "content-type"), rule.media_types)
    views = tuple(View(one.top + named, one.found) for one in merged(body.views, beside))
    if not body.views or _passed_over(rule, request):
        views += (without_body,)
    return Content(views, body.unreadable, body.refusal, body.names)


def _header_members(rule: Rule, request: HttpRequest) -> Iterator[Found]:
    """Members that a reader may take from headers; a user in a header is who calls, as sign-ins have it."""
    members = [(folded, one) for folded, one in rule.by_fold.items() if one.kind != "user"]
    for name, value in request.headers:
        folded_name = fold(name)
        yield from (Found(member.name, value) for folded, member in members if folded_name.endswith(folded))


def _passed_over(rule: Rule, request: HttpRequest) -> bool:
    """Whether a reader may ignore the body: an unusual method, one in a header, or another content type."""
    types = header_values(request.headers, "content-type")
    if request.method.upper() not in _BODY_METHODS or _overridden(request) or len(types) != 1:
        return True
    try:
        return parse_media_type(types[0]).essence not in rule.media_types
    except CodecError:
        return True


def _overridden(request: HttpRequest) -> bool:
    return any(fold(name) in _OVERRIDING for name, _ in request.headers)


def body_content(data: bytes, content_types: tuple[str, ...], media_types: Collection[str] = ()) -> Content:
    """What the bytes of a body may say, under every charset and format that a reader may choose.

    A format that a body does not show by itself is only looked for where a content type names it and the call takes it.
    """
    named = tuple(dict.fromkeys(_named(content_types, media_types)))
    texts = texts_of(data, content_types)
    if not texts.texts:
        return Content(refusal="the body is too large to be judged")
    contents = [text_content(text, named) for text in texts.texts] + ([] if texts.sure else [NO_CONTENT])
    return together(contents)


def _named(content_types: Iterable[str], media_types: Collection[str]) -> Iterator[Format]:
    for value in content_types:
        with suppress(CodecError):
            media = parse_media_type(value)
            found = format_of(media)
            if found is not None and not found.evident and media.essence in media_types:
                yield found


def text_content(text: str, named: Iterable[Format] = ()) -> Content:
    """A text in the first format that it shows, and in those that are `named`; else as text that cannot be read."""
    found = []
    for one in formats():
        if one.evident:
            with suppress(ValueError):
                found.append(one.members(text))
                break
    for one in named:
        with suppress(ValueError):
            found.append(one.members(text))
    return together(found) if found else Content(unreadable=(text,))


_ENVELOPE = ("m", "i", "n", "o")
_BROKEN_AT_COLON = re.compile(r"[\t\n\r]\s*:|:\s*[\t\n\r]")
"""In a frame such white space is an escape: who looks for a name and a colon in the frame's own text sees neither."""
_NEEDLESS_ESCAPE = re.compile(r"\\u00[2-7][0-9A-Fa-f]")
"""A printable character of ASCII as an escape: who looks for a name in the frame's own text does not see it."""


def frame_reason(bounds: Bounds, catalogue: Catalogue, sent: str | bytes) -> str:
    """Why this text must not be sent, "" when it may."""
    try:
        text = sent if isinstance(sent, str) else sent.decode()
        values = [read_json(one) for one in dict.fromkeys((text, as_written(text)))]
    except ValueError:
        return _no_frame(sent)
    for value in values:
        for frame in value if isinstance(value, list) and not isinstance(value, Members) else [value]:
            if not isinstance(frame, Members):
                return _no_frame(sent)
            if reason := _frame(bounds, catalogue, frame, hidden=_NEEDLESS_ESCAPE.search(text) is not None):
                return reason
    return ""


def _no_frame(sent: str | bytes) -> str:
    """Text without a letter or a digit names no call; any other may be taken for one."""
    shown = sent if isinstance(sent, str) else sent.decode("latin-1")
    return "text that is no frame may be taken for any call" if any(one.isalnum() for one in shown) else ""


def _frame(bounds: Bounds, catalogue: Catalogue, frame: Members, *, hidden: bool) -> str:
    """Why one frame must not be sent, "" when it may; `hidden`: some reader may find no member in its payload."""
    for key, value in frame:
        if _may_hold_a_call(fold(key), value):
            return f"the frame's member {key[:60]!a} may hold a call"
    calls = _calls_of(frame, catalogue)
    if calls.unknown is not None:
        return f"{calls.unknown[:60]!a} is no call that the scope guard knows"
    if (calls.named or calls.guessed) and not bounds.scope.destructive:
        return "scope.destructive is not set, so only reading calls may be sent"
    beside = tuple(found for key, value in frame if fold(key) not in _ENVELOPE for found in walk(value, key))
    for content in _payloads(frame, beside):
        content = replace(content, views=content.views + NO_CONTENT.views) if hidden else content
        readings = [(rule, content) for rule in calls.named]
        readings += [(rule, _respelled(content, rule)) for rule in calls.guessed]
        for rule, read in readings:
            if reason := judge(bounds, rule, read):
                return reason
    return ""


@dataclass(frozen=True, slots=True)
class _Calls:
    """The rules of the calls that a frame names, or may be read as naming, and a call without a rule."""

    named: tuple[Rule, ...]
    guessed: tuple[Rule, ...]
    unknown: str | None


def _calls_of(frame: Members, catalogue: Catalogue) -> _Calls:
    names = [value for key, value in frame if fold(key) == "n"]
    calls = [value for value in names if isinstance(value, str) and value.strip()]
    untold = len(calls) < len(names) or not any(key == "n" for key, _ in frame)
    rules = [(call, catalogue.by_call.get(call.lower())) for call in calls]
    return _Calls(
        tuple(rule for _, rule in rules if rule is not None),
        tuple(rule for rule in catalogue.operations if untold and rule.call.lower() in catalogue.by_call),
        next((call for call, rule in rules if rule is None and not catalogue.reads_call(call)), None),
    )


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
    if not content.views:
        return replace(content, views=NO_CONTENT.views)
    if _BROKEN_AT_COLON.search(value):
        return replace(content, views=content.views + NO_CONTENT.views)
    return content
