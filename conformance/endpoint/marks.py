"""Hides secrets in what is recorded, so that it can be judged again: a mark tells which secret stood at a place.

A mark is a number between two characters that Unicode keeps for programs. Whoever judges again puts a stand-in in its
place, a text of the same shape that stands nowhere else: an answer that gave a password away still gives something away
that was in the request, and nobody learns the password.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from random import Random

from conformance.endpoint.redact import replaced
from conformance.endpoint.written import SHORTEST, bare, found

_OPEN, _SHUT, _WIDE = "\ufdd0", "\ufdd1", "w"
_LITERAL = _OPEN + _SHUT
"""What stands for the first of the two where a text has it."""
_MARK = re.compile(f"{_OPEN}(?:([0-9]+)({_WIDE}?))?{_SHUT}")
_LONG = 8
_KEPT, _LONGEST_KEPT = 8192, 4096
_GUID_OR_HEX = re.compile(r"[0-9a-f-]+|[0-9A-F-]+")
_RARE = "bcdfghjkmnpqrtvwxz"
"""No word is made of these letters alone."""
_LETTERS = {"a": _RARE, "A": _RARE.upper(), "f": "abcdef", "F": "ABCDEF", "0": "0123456789", "1": "123456789", "o": "0"}
_UNWRITTEN = re.compile(
    r"<!\[CDATA\[|</?[A-Za-z_][^<>]*>|<\?xml\b|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}|%[0-9A-Fa-f]{2}|&#?[A-Za-z0-9]{1,30};|\\.|[A-Za-z]|[0-9]|[^\W_]",
    re.DOTALL,
)
_WORD = re.compile(rf"(?<![0-9A-Za-z])[0-9A-Za-z_-]{{1,{_LONG}}}(?![0-9A-Za-z])")
_MOST_TRIES = 10_000


@dataclass(slots=True)
class Marks:
    """The marks of one recording: the secrets by number, known to this process alone, and what each looks like."""

    numbers: dict[str, int] = field(default_factory=dict)
    _kept: dict[tuple[str, str], str] = field(default_factory=dict)

    def number(self, secret: str) -> int:
        """The number of a secret, a new one for a new secret."""
        return self.numbers.setdefault(secret, len(self.numbers))

    def hidden(self, text: str, secrets: Sequence[str], of: str) -> str:
        """The text of an answer with a mark for each secret, and what else stands where credentials stand made unreadable.

        The same text `of` the same operation is looked at once: a secret that came up later did not stand in it.
        """
        if not text:
            return text
        key = (of, text)
        kept = self._kept.get(key)
        if kept is None:
            kept = replaced(_escaped(text), lambda one: found(one, (), tuple(secrets)), self._write)
            if len(text) <= _LONGEST_KEPT:
                if len(self._kept) >= _KEPT:
                    del self._kept[next(iter(self._kept))]
                self._kept[key] = kept
        return kept

    def hidden_in_own(self, text: str, secrets: Collection[str]) -> str:
        """The same for a text that this process wrote itself: there a secret stands as it is, or escaped for its format."""
        if not text:
            return text
        return replaced(_escaped(text), lambda one: _plainly(one, secrets), self._write)

    def _write(self, part: str, secret: str) -> str:
        bare_part = part.replace("\x00", "")
        if secret and _is(bare_part, secret):
            wide = _WIDE if "\x00" in part else ""
            return f"{_OPEN}{self.number(secret)}{wide}{_SHUT}"
        return _UNWRITTEN.sub(_blank, part)


def _escaped(text: str) -> str:
    return text if text.isascii() else text.replace(_OPEN, _LITERAL)


def _is(part: str, secret: str) -> bool:
    """Whether a part of a text says the secret in a way that a reader of the format undoes; Base64 is none."""
    if part == secret:
        return True
    return len(secret) >= _LONG and bare(part).casefold() == bare(secret).casefold()


def _plainly(text: str, secrets: Iterable[str]) -> Iterable[tuple[int, int, str]]:
    for secret in secrets:
        if len(secret) < SHORTEST or secret not in text:
            continue
        word = rf"(?<![0-9A-Za-z]){re.escape(secret)}(?![0-9A-Za-z])" if len(secret) < _LONG else re.escape(secret)
        for match in re.finditer(word, text):
            yield (*match.span(), secret)


def _blank(match: re.Match[str]) -> str:
    """Another character of the same kind; markup stays, and an escape stands for a letter."""
    part = match.group()
    if len(part) == 1:
        return "1" if part.isdigit() else "x" if part.islower() or not part.isupper() else "X"
    if part.startswith("<") or (part.startswith("\\") and part[1] not in "ux"):
        return part
    if part.startswith("\\u"):
        return "\\u0078"
    return "\\x78" if part.startswith("\\x") else "%78" if part.startswith("%") else "&#120;"


def shape_of(secret: str) -> str:
    """What a secret looks like: one of its kind for each character, a dash for what is no letter and no digit."""
    hexadecimal = _GUID_OR_HEX.fullmatch(secret) is not None and len(secret) >= _LONG
    kinds = []
    for place, one in enumerate(secret):
        if one.isdigit():
            kinds.append("0" if place else "o" if one == "0" else "1")
        elif one.isalpha():
            kinds.append(("F" if one.isupper() else "f") if hexadecimal else "A" if one.isupper() else "a")
        else:
            kinds.append("-")
    return "".join(kinds)


def stand_ins(shapes: Sequence[str], texts: Iterable[str]) -> tuple[str, ...]:
    """A text of each shape, the same for the same input; each stands in none of the texts, a short one not as a word."""
    whole = "\n".join(texts)
    words, long = set(_WORD.findall(whole)), whole.casefold()
    chosen: list[str] = []
    for number, shape in enumerate(shapes):
        taken = set(chosen)
        for attempt in range(_MOST_TRIES):
            random = Random(f"{number}/{attempt}")
            text = "".join(random.choice(_LETTERS.get(kind, kind)) for kind in shape)
            if text not in taken and not (text.casefold() in long if len(text) >= _LONG else text in words):
                break
        chosen.append(text)
    return tuple(chosen)


def marked_texts(lines: Iterable[bytes]) -> tuple[str, ...]:
    """What of a recording a stand-in could be confused with: the lines without escapes, and without their marks."""
    return tuple(_MARK.sub("", line.decode("utf-8", "replace").replace("\\", "")) for line in lines)


def unhidden(text: str, stand_in: Sequence[str]) -> str:
    """The text with a stand-in for each mark. Raises `IndexError` for a mark that nobody gave."""
    if text.isascii():
        return text

    def written(match: re.Match[str]) -> str:
        number, wide = match.groups()
        if number is None:
            return _OPEN
        return "\x00".join(stand_in[int(number)]) if wide else stand_in[int(number)]

    return _MARK.sub(written, text)
