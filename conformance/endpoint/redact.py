"""Takes secrets out of everything that leaves the process: evidence, findings, plans, errors.

Two nets lie one behind the other. Known secrets are hidden wherever they stand and however they are written; and
whatever stands where credentials stand (headers, JSON members, XML elements and attributes, parameters) is hidden
although nobody knew of it.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import takewhile

from conformance.endpoint.written import Span, bare, bare_view, caseless, forms_of, found, places

HIDDEN = "[redacted]"
_CUT_MARKS = ("…", "...")
_HALF_AND_CUT = re.compile(
    r"((?:&#?[0-9a-z]{0,8}|%[0-9a-f]{0,3}|u[0-9a-f]{0,3}|x[0-9a-f]?|=[0-9a-f]?|[0-9a-f]{1,2})?)(?:…|\.\.\.)"
)
"""A cut, perhaps in the middle of an escape, which has lost its backslash by then."""
_LEAST_CUT = 7
_LONGEST_KEPT = 4096
_LONGEST_FORM = 12
"""So much text a character of a secret may take in the longest of its forms."""
_NAMES = (
    r"(?:pin|pin[_-]?code|password|passwd|pwd|passphrase|signature|(?:proxy[_-]?)?authorization|cookie|set-cookie"
    r"|[\w-]{0,24}(?:token|secret|api[_-]?key|credentials?))"
)
_WORDS = ("pin", "pass", "pwd", "signature", "authorization", "cookie", "token", "secret", "key", "credential")
_ENDS = (
    "pin", "code", "password", "passwd", "pwd", "passphrase", "signature", "authorization", "cookie", "token", "secret",
    "key", "credential", "credentials",
)  # fmt: skip
_ASSIGNED = tuple(f"{end}{mark}" for end in _ENDS for mark in ("=", " ="))
_HEADER = re.compile(rf"(?im)^((?:x-)?{_NAMES}[ \t]*:[ \t]*)([^\r\n]+)")
_MEMBER = re.compile(
    rf"((?P<quote>(?<!\\)\\*+[\"'])(?i:{_NAMES})(?P=quote)\s*:\s*)"
    r"(\\*\"(?:[^\"\\]|\\++[^\"]|\\++\"(?![\s,}\]\\]|$))*(?:\\*\"|$)|'[^']*(?:'|$)|-?\d[\d.eE+-]*)"
)
_ATTRIBUTE = re.compile(
    rf"(?i)((?<![\w-])(?:[\w.-]+:)?{_NAMES}\s*=\s*)(\\*\"[^\"]*(?:\"|$)|'[^']*(?:'|$)|[^\s&\"'<>;,]+)"
)
_ELEMENT = re.compile(
    rf"(?is)(<(?:[\w.-]+:)?{_NAMES}(?:\s[^<>]*)?(?<!/)>)((?:[^<]+|<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)|<\?.*?(?:\?>|\Z))+)"
)
_HEAD = re.compile(r"HTTP/1\.[01] |[A-Z]{1,20} [^ \r\n]+ HTTP/1\.[01]\r\n")
"""How an HTTP/1 message begins; the first empty line ends its head (RFC 9112, 2.1)."""
_END_OF_HEAD = "\r\n\r\n"
_SCHEME = re.compile(r"(\b(?i:basic|bearer)\s+)((?=[^\s\"']*[0-9A-Z=])[A-Za-z0-9+/._~-]{8,}={0,2})")


def redact(text: str, secrets: Iterable[str] = (), others: Iterable[str] = (), until: int | None = None) -> str:
    """The text with every credential hidden; of a text that was cut in the middle, only what stands before `until`.

    `secrets` are searched for in every form that a wire may give them; `others`, of which there may be hundreds, in all
    but Base64 that has lost its letter case.
    """
    spans = _wide(text, secrets, others) if "\x00" in text else _spans(text, secrets, others)
    if until is not None:
        spans = [(start, min(end, until)) for start, end in spans if start < until]
    return _cut_out(text[:until], spans)


def redact_excerpt(text: str, secrets: Iterable[str]) -> str:
    """The same for a text that somebody has shortened: also a secret of which only the beginning is left."""
    known, whole = tuple(secrets), text
    text = redact(text, known)
    if text != whole:
        text = _without_rest(text, _LONGEST_FORM * max(map(len, known), default=0))
    lowered = bare(text).casefold()
    for form in [form for secret in known if len(secret) >= _LEAST_CUT for form in forms_of(secret).folded]:
        start = form[: _opening(form)]
        if start in lowered and len(start) < len(form):
            text = _without_beginning(text, form, start)
            lowered = bare(text).casefold()
    return _without_encoded_beginning(text, known)


def _without_rest(text: str, most: int) -> str:
    """The text without what stands between a place that was hidden and a cut: another form of a secret may begin there."""
    spans: list[Span] = []
    for place, _ in places(text, _CUT_MARKS[0]):
        hidden = text.rfind(HIDDEN, 0, place)
        if hidden >= 0:
            spans.append((hidden if place - hidden - len(HIDDEN) <= most else place - most, place))
    return _cut_out(text, spans)


def _without_beginning(text: str, form: str, start: str) -> str:
    """The text without this secret where it was cut off behind its first characters."""
    view = caseless(bare_view(text))
    spans: list[Span] = []
    for place, end in places(view.text, start):
        while end < len(view.text) and end - place < len(form) and view.text[end] == form[end - place]:
            end += 1
        cut = _HALF_AND_CUT.match(view.text, end)
        if end == len(view.text):
            spans.append(view.span(place, end))
        elif cut:
            spans.append((view.span(place, end)[0], view.spans[cut.end(1)][0]))
    return _cut_out(text, spans)


def _without_encoded_beginning(text: str, known: Iterable[str]) -> str:
    """The text without what stands between a beginning of a secret, in any form, and a cut so near that it may go on there."""
    if _CUT_MARKS[0] not in text:
        return text
    rests = {secret[: (most := _opening(secret))]: len(secret) - most for secret in known if len(secret) >= _LEAST_CUT}
    spans: list[Span] = []
    for start, end, beginning in found(text, rests, within_words=True):
        cut = text.find(_CUT_MARKS[0], end)
        if 0 <= cut - end <= _LONGEST_FORM * rests[beginning]:
            spans.append((start, cut))
    return _cut_out(text, spans)


def _opening(form: str) -> int:
    """So many of its first characters give a secret away."""
    return max(_LEAST_CUT - 1, len(form) // 4)


def redact_error(error: BaseException, secrets: Iterable[str]) -> None:
    """Hide secrets in the words of an error, and in those of the errors that led to it, before they are printed."""
    known = tuple(secrets)
    seen: set[int] = set()
    queue: list[BaseException | None] = [error]
    while queue:
        one = queue.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        one.args = tuple(redact_excerpt(part, known) if isinstance(part, str) else part for part in one.args)
        if notes := getattr(one, "__notes__", None):
            one.__notes__ = [redact_excerpt(note, known) for note in notes]
        for name in ("message", "where", "hint", "reason", "object", "doc"):
            value = getattr(one, name, None)
            if isinstance(value, str) and (hidden := redact_excerpt(value, known)) != value:
                setattr(one, name, hidden)
        queue.extend((one.__cause__, one.__context__))
        if isinstance(one, BaseExceptionGroup):
            queue.extend(one.exceptions)


def replaced(
    text: str, known: Callable[[str], Iterable[tuple[int, int, str]]], write: Callable[[str, str], str]
) -> str:
    """The text with `write(part, secret)` for each part that has to be hidden; the secret is empty for one nobody knew of.

    `known` finds start, end and secret of those that are known. Of UTF-16 read as UTF-8 a part has the nulls in it.
    """
    places = [place for place, character in enumerate(text) if character != "\x00"] if "\x00" in text else None
    narrow = text if places is None else "".join(text[place] for place in places)
    own = sorted(known(narrow), key=lambda place: (place[0], -place[1]))
    cuts = [*own, *((start, end, "") for start, end in _uncovered(_unknown(narrow), own))]
    if not cuts:
        return text
    pieces: list[str] = []
    reached = 0
    for start, end, secret in sorted(cuts, key=lambda cut: (cut[0], -cut[1])):
        if start < reached or end <= start:
            continue
        first, last = (start, end) if places is None else (places[start], places[end - 1] + 1)
        before = reached if places is None else (places[reached - 1] + 1 if reached else 0)
        pieces += [text[before:first], write(text[first:last], secret)]
        reached = end
    rest = reached if places is None else (places[reached - 1] + 1 if reached else 0)
    return "".join((*pieces, text[rest:]))


def _uncovered(spans: Iterable[Span], own: Iterable[tuple[int, int, str]]) -> Iterator[Span]:
    """What of the spans no known secret covers; `own` are in the order of the text."""
    known = deque(own)
    for start, end in sorted(spans):
        while known and known[0][1] <= start:
            known.popleft()
        for first, last, _ in takewhile(lambda one: one[0] < end, known):  # noqa: B023
            if first > start:
                yield start, first
            start = max(start, last)
        if start < end:
            yield start, end


def known_places(text: str, secrets: Iterable[str]) -> list[tuple[int, int, str]]:
    """Start, end and secret of every place where one of these secrets stands in some form, in the order of the text."""
    return sorted(found(text, secrets))


def _spans(text: str, secrets: Iterable[str], others: Iterable[str]) -> list[Span]:
    """Where credentials stand, in no order.

    The head of an HTTP message and what is behind it are looked at one by one: a run has few heads, and most of its
    answers have the same few bodies, so most of them were looked at before.
    """
    behind = text.find(_END_OF_HEAD) + len(_END_OF_HEAD) if _HEAD.match(text) else 0
    if behind <= len(_END_OF_HEAD):
        return [*(place[:2] for place in found(text, secrets, others)), *_unknown(text)]
    known, rest = tuple(secrets), tuple(others)
    return [
        (start + first, end + first)
        for first, part in ((0, text[:behind]), (behind, text[behind:]))
        for start, end in (*(place[:2] for place in found(part, known, rest)), *_unknown(part))
    ]


def _unknown(text: str) -> Sequence[Span]:
    """What stands where credentials stand, whether or not it is known."""
    return _unknown_of_short(text) if len(text) <= _LONGEST_KEPT else _places_of_credentials(text)


@lru_cache(maxsize=1024)
def _unknown_of_short(text: str) -> Sequence[Span]:
    return tuple(_places_of_credentials(text))


def _places_of_credentials(text: str) -> list[Span]:
    spans: list[Span] = []
    folded = text.lower()
    if any(word in folded for word in _WORDS):
        patterns = [_HEADER, *([_ELEMENT] if "<" in text else ())]
        if "=" in text and any(assigned in folded for assigned in _ASSIGNED):
            patterns.append(_ATTRIBUTE)
        for pattern in patterns:
            spans.extend(match.span(2) for match in pattern.finditer(text) if _says(match.group(2)))
        spans.extend(match.span(3) for match in _MEMBER.finditer(text) if _says(match.group(3)))
    if "basic " in folded or "bearer " in folded:
        spans.extend(match.span(2) for match in _SCHEME.finditer(text))
    return spans


def _says(value: str) -> bool:
    """Whether there is anything to hide; that a credential is empty or blank is evidence."""
    return bool(value.strip("\\\"' \t\r\n")) and HIDDEN not in value


def _cut_out(text: str, spans: list[Span]) -> str:
    """The text with the spans hidden; quotation marks around a value stay, so that its form can still be seen."""
    if not spans:
        return text
    pieces: list[str] = []
    end = 0
    for start, stop in sorted(spans):
        if stop <= end:
            continue
        value = text[start:stop]
        opening = value[: len(value) - len(value.lstrip("\\\"'"))]
        closing = value[len(value.rstrip("\\\"'")) :] if opening else ""
        pieces.append(text[end : max(start, end)])
        if start >= end:
            pieces.append(f"{opening}{HIDDEN}{closing}")
        end = stop
    pieces.append(text[end:])
    return "".join(pieces)


def _wide(text: str, secrets: Iterable[str], others: Iterable[str]) -> list[Span]:
    """UTF-16 read as UTF-8 has a null beside each letter: search without them, hide with them."""
    places = [place for place, character in enumerate(text) if character != "\x00"]
    narrow = "".join(text[place] for place in places)
    return [(places[start], places[stop - 1] + 1) for start, stop in _spans(narrow, secrets, others) if stop > start]
