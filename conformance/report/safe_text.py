"""Text of an endpoint made safe to show: control characters visible, length bounded."""

from __future__ import annotations

import re

from conformance.contract.problem_text import from_difference, told_apart

_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
)
_XML_ILLEGAL = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
_JSON_ESCAPE = re.compile(
    r"\\(?:ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}|(ud[89a-f][0-9a-f]{2})|.)"
    "|([\ud800-\udfff])"
)
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def visible(text: str) -> str:
    """The text on one line: controls, bidirectional overrides and lone surrogates as `\\n` or `\\u001b`."""
    return _UNSAFE.sub(lambda match: _SHORT.get(match.group(), _escape(match.group())), text)


def xml_safe(text: str) -> str:
    """The text with every character that XML 1.0 excludes or discourages as `\\u0001`, and what turns the direction of
    writing as `\\u202e`; line ends stay.
    """
    return _XML_ILLEGAL.sub(lambda match: _escape(match.group()), text)


def json_safe(text: str) -> str:
    """JSON text with every half of a surrogate pair, as an escape or as it is, as the text `\\ud800`.

    jq and orjson refuse the escape of half a pair, as RFC 8259 (section 8.2) lets them.
    """
    if "\\ud" not in text and text.isascii():
        return text
    return _JSON_ESCAPE.sub(_half_escaped, text)


def _half_escaped(match: re.Match[str]) -> str:
    escaped, bare = match.groups()
    if bare:
        return f"\\{_escape(bare)}"
    return f"\\\\{escaped}" if escaped else match.group()


def shortened(text: str, most: int) -> str:
    """The first `most` characters, with a note of how many were left out."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text) - most} more characters)"


def beside(expected: str, actual: str, most: int) -> tuple[str, str]:
    """What was expected and what came, made visible and shortened: two texts that nobody takes for the same one."""
    one, other = (visible(text) for text in told_apart(expected, actual))
    if len(one) > most < len(other):
        one, other = from_difference(one, other, most)
    return shortened(one, most), shortened(other, most)


def many(number: int, words: str) -> str:
    """`1 case`, `2 cases`."""
    return f"{number} {words}" if number == 1 else f"{number} {words}s"


def writable(text: str, encoding: str | None) -> str:
    """The text with what the stream's encoding lacks as escapes."""
    name = encoding or "utf-8"
    return text.encode(name, "backslashreplace").decode(name)


def _escape(character: str) -> str:
    return f"\\u{ord(character):04x}"
