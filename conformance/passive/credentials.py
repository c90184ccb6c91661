"""The credentials that a recording shows, so that none comes out again: in headers, addresses, bodies and answers."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from conformance.passive.tapped import Tapped

_NAME = re.compile(
    r"(?i)(?:^|[_-])?(?:pin|pin[_-]?code|pass(?:word|wd|phrase)?|pwd|signature|(?:proxy-)?authorization|cookie"
    r"|[\w-]*(?:token|secret|api[_-]?key|credentials?))$"
)
_LEAST = 3
_MOST = 4096
_DEEPEST = 24


def is_credential(name: str) -> bool:
    """Whether what stands under this name is a credential."""
    return _NAME.fullmatch(name) is not None


def sent_in(tapped: Tapped, value: Any) -> Iterator[tuple[str, str]]:
    """Each credential of a request with the words that a finding calls it by; `value` is what the body holds."""
    for name, text in tapped.headers:
        if is_credential(name):
            yield from _of_header(name, text)
    address = urlsplit(tapped.url)
    if address.password:
        yield address.password, "the password in the address"
    for name, text in parse_qsl(address.query):
        if is_credential(name) and _is_one(text):
            yield text, f"{name} in the address"
    yield from shown_in(value)


def _of_header(name: str, text: str) -> Iterator[tuple[str, str]]:
    kind, _, rest = text.strip().partition(" ")
    if kind.lower() == "basic" and rest:
        try:
            words = base64.b64decode(rest, validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            words = ("", "", "")
        if _is_one(words[2]):
            yield words[2], "the password"
        text = rest
    elif kind.lower() == "bearer" and rest:
        text = rest
    if name.lower() == "cookie":
        for part in text.split(";"):
            one = part.partition("=")[2].strip()
            if _is_one(one):
                yield one, "a cookie"
    elif _is_one(text.strip()):
        yield text.strip(), f"the header {name}"


def shown_in(value: Any, depth: int = 0) -> Iterator[tuple[str, str]]:
    """The credentials in a value."""
    if depth > _DEEPEST:
        return
    if isinstance(value, dict):
        for name, content in value.items():
            if is_credential(str(name)) and isinstance(content, (str, int)) and not isinstance(content, bool):
                if _is_one(str(content)):
                    yield str(content), str(name)
            else:
                yield from shown_in(content, depth + 1)
    elif isinstance(value, list):
        for content in value:
            yield from shown_in(content, depth + 1)


def _is_one(text: str) -> bool:
    return _LEAST <= len(text.strip()) <= _MOST and "[redacted]" not in text
