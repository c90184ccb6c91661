"""The dialect of Slate: the call's name is a heading of level 2, or of 1 with plain headings of level 2 and 3 below it."""

from __future__ import annotations

from conformance.derive.markdown import Document
from conformance.derive.page import Dialect

SLATE: Dialect = "slate"


def is_slate(document: Document) -> bool:
    """Whether the page begins with a heading and has a section Request or Response at most two levels below it."""
    if not document.blocks or document.blocks[0].kind != "heading":
        return False
    top = document.blocks[0].level
    words = ("request", "response")
    return any(
        block.kind == "heading" and top < block.level <= top + 2 and block.text.plain.casefold().startswith(words)
        for block in document.blocks
    )
