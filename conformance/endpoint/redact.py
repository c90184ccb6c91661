"""Takes secrets out of everything that leaves the process: evidence, findings, plans, errors.

Two nets lie one behind the other. Known secrets are hidden wherever they stand and however they are written; and
whatever stands where credentials stand (headers, JSON members, XML elements and attributes, parameters) is hidden
although nobody knew of it.

How one known secret may be written: plainly, escaped in any mixture, percent-encoded, or inside Base64.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from html.entities import codepoint2name

SHORTEST = 4
"""Shorter secrets are hidden only where credentials stand: as free text they would be found everywhere."""
_LEAST_BASE64 = 6
_PLAIN_RUN = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPES = ("\\u", "&#", "%", "\\x")
_ESCAPE = re.compile(
    r"\\+u([0-9A-Fa-f]{4})|\\+x([0-9A-Fa-f]{2})|%([0-9A-Fa-f]{2})|&#[xX]0*([0-9A-Fa-f]{1,6});|&#0*([0-9]{1,7});"
)
_MOST_KEPT = 4096


@dataclass(frozen=True, slots=True)
class Forms:
    """One secret: `needle` is a part that no usual escape changes, `loose` knows the escapes of all characters."""

    secret: str
    needle: str
    encoded: tuple[str, ...]

    def find(self, text: str, plain: str) -> list[tuple[int, int]]:
        """Every place where the secret stands in some form; `plain` is `unescaped(text)`."""
        spans: list[tuple[int, int]] = []
        place = text.find(self.secret)
        while place >= 0:
            spans.append((place, place + len(self.secret)))
            place = text.find(self.secret, place + len(self.secret))
        if self.needle in plain and (plain is not text or self.needle != self.secret):
            spans.extend(match.span() for match in _loose(self.secret).finditer(text))
        for form in self.encoded:
            place = text.find(form)
            while place >= 0:
                spans.append(_whole_base64(text, (place, place + len(form))))
                place = text.find(form, place + 1)
        return spans


def unescaped(text: str) -> str:
    """The text with every letter and digit that is escaped by number written plainly."""
    if not any(escape in text for escape in _ESCAPES):
        return text
    return _ESCAPE.sub(_letter, text)


def _letter(match: re.Match[str]) -> str:
    *hexadecimal, decimal = match.groups()
    number = int(decimal) if decimal else int(next(one for one in hexadecimal if one), 16)
    return chr(number) if number < 128 else match.group()


@lru_cache(maxsize=_MOST_KEPT)
def forms_of(secret: str) -> Forms:
    """The forms of a secret of at least `SHORTEST` characters."""
    runs = _PLAIN_RUN.findall(secret)
    return Forms(
        secret,
        max(runs, key=len) if runs else "",
        tuple(sorted(_base64_forms(secret.encode("utf-8", "surrogatepass")))),
    )


@lru_cache(maxsize=_MOST_KEPT)
def _loose(secret: str) -> re.Pattern[str]:
    return re.compile("".join(_character(one) for one in secret))


def _character(character: str) -> str:
    """One character, plain or escaped in JSON (also twice), XML, a URL or a Python literal."""
    number = ord(character)
    written = character.encode("utf-8", "surrogatepass")
    forms = [re.escape(character), rf"(?i:&\#x0*{number:x};)", rf"&\#0*{number};"]
    forms.append("".join(rf"(?i:%{byte:02x})" for byte in written))
    units = character.encode("utf-16-be", "surrogatepass")
    forms.append("".join(rf"(?i:\\+u{units[place]:02x}{units[place + 1]:02x})" for place in range(0, len(units), 2)))
    if number < 256:
        forms.append(rf"(?i:\\+x{number:02x})")
    if not character.isalnum():
        forms.append(r"\\+" + re.escape(character))
        if number in codepoint2name:
            forms.append(f"&{codepoint2name[number]};")
        forms.extend(
            {"'": ["&apos;"], " ": [r"\+"], "\n": [r"\\+n"], "\t": [r"\\+t"], "\\": [r"\\+"]}.get(character, [])
        )
    return f"(?:{'|'.join(forms)})"


def _base64_forms(content: bytes) -> set[str]:
    """The part of its Base64 form that does not depend on its context, for each of the three offsets."""
    forms: set[str] = set()
    for shift, first in ((0, 0), (1, 2), (2, 3)):
        text = base64.b64encode(b"\x00" * shift + content).decode("ascii")
        if (shift + len(content)) % 3:
            text = text.rstrip("=")[:-1]
        core = text[first:]
        if len(core) >= _LEAST_BASE64:
            forms.update((core, core.replace("+", "-").replace("/", "_")))
    if len(content) >= SHORTEST:
        forms.add(base64.b64encode(content).decode("ascii"))
    return forms


def _whole_base64(text: str, span: tuple[int, int]) -> tuple[int, int]:
    """The span widened by the characters that still hold bits of the secret, and by its padding."""
    start, end = span
    while start > 0 and span[0] - start < 2 and (text[start - 1].isalnum() or text[start - 1] in "+/-_"):
        start -= 1
    while end < len(text) and end - span[1] < 2 and (text[end].isalnum() or text[end] in "+/-_="):
        end += 1
    return start, end


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
