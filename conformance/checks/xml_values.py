"""What an XML answer says that its XSD has no word for: ids of 64 bits, nulls written as text, text in the wrong place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lxml import etree

from conformance.checks.kit import Kit
from conformance.checks.secrets import texts_beyond
from conformance.model.verdict import Finding

_INTEGER = re.compile(r"[ \t\r\n]*[+-]?[0-9]{1,40}[ \t\r\n]*")


def widened(kit: Kit, value: Any) -> Any:
    """Ids of 64 bits as the numbers that JSON has for them: the XSD's type holds 32, and the width is a reading."""
    if not isinstance(value, list):
        return value
    names = [name for name in kit.operation.raw["identity"] if "width" in kit.operation.raw["fields"][name]]
    return [
        {**entry, **{name: int(entry[name]) for name in names if _is_wide(entry.get(name))}} if isinstance(entry, dict) else entry
        for entry in value
    ]


def _is_wide(value: Any) -> bool:
    return isinstance(value, str) and _INTEGER.fullmatch(value) is not None and -(2**63) <= int(value) < 2**63


def nulls_as_text(kit: Kit, value: Any) -> Iterator[Finding]:
    """A null member that is an empty element without nil, or the word null."""
    for index, entry in enumerate(value if isinstance(value, list) else ()):
        for name in kit.operation.raw["identity"]:
            text = entry.get(name) if isinstance(entry, dict) else None
            if isinstance(text, str) and text.strip().lower() in ("", "null"):
                yield Finding(
                    kit.requirement("xml-nil"), "xml-nil", "a null member is written as text", 'an empty element with i:nil="true"',
                    repr(text), f"/{index}/{name}",
                )  # fmt: skip


def has_markup(body: bytes) -> bool:
    """Whether a comment or an instruction may stand in the bytes; any text in wide characters may hold one."""
    return b"<!--" in body or b"\0" in body or b"<?" in body.removeprefix(b"<?xml ")


def said_beyond(kit: Kit, root: etree._Element) -> list[str]:
    """What stands in no documented element, in an attribute, or in a comment, those around the root included."""
    around = (*root.itersiblings(preceding=True), root, *root.itersiblings())
    return [text for node in around for text in texts_beyond(kit, node)]
