"""Takes secrets out of everything that leaves the process: evidence, findings, plans, errors.

Two nets lie one behind the other. Known secrets are hidden wherever they stand and however they are written; and
whatever stands where credentials stand (headers, JSON members, XML elements and attributes, parameters) is hidden
although nobody knew of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from conformance.target.secret_forms import SHORTEST, forms_of, unescaped

HIDDEN = "[redacted]"
_CUT_MARKS = ("…", "...")
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
_SCHEME = re.compile(r"(\b(?i:basic|bearer)\s+)((?=[^\s\"']*[0-9A-Z=])[A-Za-z0-9+/._~-]{8,}={0,2})")
_GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
Span = tuple[int, int]


def redact(text: str, secrets: Iterable[str] = (), others: Iterable[str] = ()) -> str:
    """The text with every credential hidden.

    `secrets` are searched for in every form that a wire may give them; `others`, of which there may be hundreds, only as
    they are.
    """
    if "\x00" in text:
        return _wide(text, secrets, others)
    return _cut_out(text, _spans(text, secrets, others))


def redact_excerpt(text: str, secrets: Iterable[str]) -> str:
    """The same for a text that somebody has shortened: also a secret of which only the beginning is left."""
    known = tuple(secrets)
    text = redact(text, known)
    for secret in known:
        start = secret[: max(6, len(secret) // 4)]
        place = text.find(start) if len(secret) > len(start) else -1
        while place >= 0:
            end = place + len(start)
            while end < len(text) and end - place < len(secret) and text[end] == secret[end - place]:
                end += 1
            if end == len(text) or text.startswith(_CUT_MARKS, end):
                text = text[:place] + HIDDEN + text[end:]
            place = text.find(start, place + 1)
    return text


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
        for name in ("message", "where", "hint", "reason", "object", "doc"):
            value = getattr(one, name, None)
            if isinstance(value, str) and (hidden := redact_excerpt(value, known)) != value:
                setattr(one, name, hidden)
        queue.extend((one.__cause__, one.__context__))
        if isinstance(one, BaseExceptionGroup):
            queue.extend(one.exceptions)


def known_places(text: str, secrets: Iterable[str]) -> list[tuple[int, int, str]]:
    """Start, end and secret of every place where one of these secrets stands in some form, in the order of the text."""
    plain = unescaped(text)
    return sorted(
        (start, end, secret)
        for secret in secrets
        if len(secret) >= SHORTEST
        for start, end in _proper(text, forms_of(secret).find(text, plain), secret)
    )


def _spans(text: str, secrets: Iterable[str], others: Iterable[str]) -> list[Span]:
    """Where credentials stand, in no order."""
    spans: list[Span] = []
    plain = unescaped(text)
    for secret in secrets:
        if len(secret) >= SHORTEST:
            spans.extend(_proper(text, forms_of(secret).find(text, plain), secret))
    for other in [one for one in others if one in text]:
        if len(other) >= SHORTEST:
            spans.extend(_proper(text, forms_of(other).find(text, plain), other))
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


def _proper(text: str, spans: list[Span], secret: str) -> list[Span]:
    """A short secret counts as a word of its own, and is not one of the groups of a GUID."""
    if not spans or len(secret) >= 8:
        return spans
    beside = any("-" in (text[start - 1 : start], text[end : end + 1]) for start, end in spans)
    guids = [match.span() for match in _GUID.finditer(text)] if beside else []
    return [
        (start, end)
        for start, end in spans
        if not (_is_word(text[start - 1 : start]) or _is_word(text[end : end + 1]))
        and not any(first <= start and end <= last for first, last in guids)
    ]


def _is_word(character: str) -> bool:
    return character.isascii() and character.isalnum()


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


def _wide(text: str, secrets: Iterable[str], others: Iterable[str]) -> str:
    """UTF-16 read as UTF-8 has a null beside each letter: search without them, hide with them."""
    places = [place for place, character in enumerate(text) if character != "\x00"]
    narrow = "".join(text[place] for place in places)
    spans = [(places[start], places[stop - 1] + 1) for start, stop in _spans(narrow, secrets, others) if stop > start]
    return _cut_out(text, spans)

