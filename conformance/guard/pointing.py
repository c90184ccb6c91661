"""Which places a document type in a body names, the run's own or others (a module of its own: no scope lifts it)."""

from __future__ import annotations

import re
from collections.abc import Collection

_BEGINS = (b"<!DOCTYPE", b"<!ENTITY")
_PLACE = re.compile(rb"\b(?:SYSTEM|PUBLIC)\b(?:\s*(?:\"([^\"]*)\"|'([^']*)'))?", re.IGNORECASE)
_PARAMETER = re.compile(rb"<!ENTITY\s+%", re.IGNORECASE)


def points_elsewhere(body: bytes, allowed: Collection[str]) -> str:
    """Why a body must not go out: its document type may point the server at something that is not of this run; "" if not.

    What stands in wide characters is read as well. References to characters may hide a place in a parameter entity, whose
    text is read as declarations; nothing else is (XML 1.0, 4.4).
    """
    if b"!" not in body:
        return ""
    text = body.replace(b"\0", b"")
    whole = text.upper()
    start = min((place for place in map(whole.find, _BEGINS) if place >= 0), default=-1)
    if start < 0:
        return ""
    for found in _PLACE.finditer(text, start):
        place = (found[1] or found[2] or b"").decode("latin-1")
        if place not in allowed or whole[found.start() : found.start() + 6] != b"SYSTEM":
            return f"the document type in the body names {place[:60]!a}, which the server might open"
    if _PARAMETER.search(text, start) and text.find(b"&#", start) >= 0:
        return "the document type in the body holds references to characters, which may hide a place"
    return ""
