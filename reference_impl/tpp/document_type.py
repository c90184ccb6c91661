"""Readers of a document type that open nothing: one passes over it, one reads the entities that it declares itself."""

from __future__ import annotations

import re

_DOCTYPE = re.compile(r"<!DOCTYPE[^\[>]*(?:\[(.*?)\]\s*)?>", re.DOTALL)
_INTERNAL = re.compile(r'<!ENTITY\s+(\w+)\s+"([^"&%]*)"\s*>')
_REFERENCE = re.compile(r"&(?!amp;|lt;|gt;|quot;|apos;|#)\w+;")


def without_document_type(text: str) -> str:
    """The document without its document type, and without the entities that this might have declared."""
    found = _DOCTYPE.search(text)
    return text if found is None else _REFERENCE.sub("", text.replace(found[0], "", 1))


def internal_entities(text: str) -> str:
    """The document with each entity that it declares as a text replaced by it; with anything else declared, as it is."""
    found = _DOCTYPE.search(text)
    if found is None or found[1] is None or _INTERNAL.sub("", found[1]).strip():
        return text
    text = text.replace(found[0], "", 1)
    for name, value in _INTERNAL.findall(found[1]):
        text = text.replace(f"&{name};", value)
    return text
