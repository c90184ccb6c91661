"""How one known secret may be written: plainly, escaped in any mixture, percent-encoded, or inside Base64."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from functools import lru_cache
from html.entities import codepoint2name

SHORTEST = 4
"""Shorter secrets are hidden only where credentials stand: as free text they would be found everywhere."""
_LEAST_BASE64 = 6
_PLAIN_RUN = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPES = ("\\u", "&#", "%", "\\x")
_ESCAPE = re.compile(r"\\+u([0-9A-Fa-f]{4})|\\+x([0-9A-Fa-f]{2})|%([0-9A-Fa-f]{2})|&#[xX]0*([0-9A-Fa-f]{1,6});|&#0*([0-9]{1,7});")
_MOST_KEPT = 4096


@dataclass(frozen=True, slots=True)
class Forms:
    """One secret: `needle` is a part of it that no usual escape changes, `loose` knows the escapes of all its characters."""

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
    """The text with every letter and digit that is escaped by its number written plainly; the text itself without any."""
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
    return Forms(secret, max(runs, key=len) if runs else "", tuple(sorted(_base64_forms(secret.encode("utf-8", "surrogatepass")))))


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
        forms.extend({"'": ["&apos;"], " ": [r"\+"], "\n": [r"\\+n"], "\t": [r"\\+t"], "\\": [r"\\+"]}.get(character, []))
    return f"(?:{'|'.join(forms)})"


def _base64_forms(content: bytes) -> set[str]:
    """What of its Base64 form is the same whatever stands before and after it, for each of the three places it can begin."""
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
