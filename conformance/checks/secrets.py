"""No credential comes back in an answer: PINs, passwords and session tokens that the request carried."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from conformance.checks.kit import Kit
from conformance.model.verdict import Finding

_LONG = 8
_GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def echoed(kit: Kit, value: Any, secrets: tuple[str, ...]) -> Iterator[Finding]:
    """A finding for each text of the answer that holds one of the secrets as a word of its own.

    The groups of digits in a GUID are no PIN, so GUIDs are taken out first.
    """
    for pointer, found in _texts(value, ""):
        text = _GUID.sub("", found)
        for secret in secrets:
            if secret and _holds(text, secret):
                yield Finding(
                    kit.requirement("secrets"), "secrets", "a credential of the request comes back", "no credential", "(hidden)", pointer
                )
                break


def _holds(text: str, secret: str) -> bool:
    if len(secret) >= _LONG:
        return secret in text
    return re.search(rf"(?<![0-9A-Za-z]){re.escape(secret)}(?![0-9A-Za-z])", text) is not None


def _texts(value: Any, pointer: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield pointer, value
    elif isinstance(value, dict):
        for name, content in value.items():
            yield from _texts(content, f"{pointer}/{name}")
    elif isinstance(value, list):
        for index, content in enumerate(value):
            yield from _texts(content, f"{pointer}/{index}")
