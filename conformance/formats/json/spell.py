"""Other spellings of one JSON text (RFC 8259): every reader must find the same value in each of them.

A spelling is made of the text that is about to be sent, its ids filled in, and gives the text that is sent instead.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import partial

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}:,]|[^\s\[\]{}:,"]+')
_LONG = 9000
"""More white space than the usual buffers hold."""


def _spaced(text: str, space: str) -> str:
    """The white space before and behind each token (RFC 8259, 2)."""
    return space + space.join(_TOKEN.findall(text)) + space


def _before_colons(text: str, space: str) -> str:
    return _changed(text, lambda token, _key: space + token if token == ":" else token)


def _one_run(text: str) -> str:
    """A long run of white space behind the first comma, or in front of all where there is none."""
    head, comma, rest = text.partition(",")
    return f"{head},{' ' * _LONG}{rest}" if comma else " " * _LONG + text


def _changed(text: str, change: Callable[[str, bool], str]) -> str:
    """Each token changed; the function is told whether it is the name of a member."""
    tokens = _TOKEN.findall(text)
    following = [*tokens[1:], ""]
    return "".join(
        change(token, token[0] == '"' and after == ":") for token, after in zip(tokens, following, strict=True)
    )


def _escaped(text: str, *, names: bool, which: Callable[[int, int], bool] = lambda _at, _size: True, style: str) -> str:
    """Characters of names, or of values, as `\\u` escapes (RFC 8259, 7); `which` is asked by place and length."""

    def change(token: str, is_name: bool) -> str:
        if token[0] != '"' or is_name != names:
            return token
        content = json.loads(token)
        size = len(content)
        written = (
            f"\\u{ord(one):{style}}" if which(at, size) else json.dumps(one)[1:-1] for at, one in enumerate(content)
        )
        return f'"{"".join(written)}"'

    return _changed(text, change)


def _last(at: int, size: int) -> bool:
    return at == size - 1


def _turned(text: str) -> str:
    """The last member of each object in front of the others (RFC 8259, 4: the order says nothing)."""

    def turn(value: object) -> object:
        if isinstance(value, dict):
            pairs = [(name, turn(one)) for name, one in value.items()]
            return dict(pairs[-1:] + pairs[:-1])
        return [turn(one) for one in value] if isinstance(value, list) else value

    return json.dumps(turn(json.loads(text)), separators=(",", ":"), ensure_ascii=False)


SPELLINGS: Mapping[str, Callable[[str], str]] = {
    "json-blanks": partial(_spaced, space=" "),
    "json-tabs": partial(_spaced, space="\t"),
    "json-line-feeds": partial(_spaced, space="\n"),
    "json-carriage-returns": partial(_spaced, space="\r"),
    "json-lines-with-both": partial(_spaced, space="\r\n"),
    "json-white-space-mixed": partial(_spaced, space=" \t\r\n"),
    "json-white-space-before": lambda text: "\n\r\t " + text,
    "json-white-space-behind": lambda text: text + " \t\r\n",
    "json-blank-before-colons": partial(_before_colons, space=" "),
    "json-line-before-colons": partial(_before_colons, space="\n"),
    "json-white-space-long": _one_run,
    "json-members-turned": _turned,
    "json-names-escaped": partial(_escaped, names=True, style="04x"),
    "json-names-escaped-in-capitals": partial(_escaped, names=True, style="04X"),
    "json-last-letters-escaped": partial(_escaped, names=True, which=_last, style="04x"),
    "json-texts-escaped": partial(_escaped, names=False, style="04x"),
    "json-last-characters-escaped": partial(_escaped, names=False, which=_last, style="04X"),
}
"""By the id of their row in the table of spellings."""
