"""The dialect of GitBook: the call's name is the page's heading of level 1, its sections are small headings of level 4."""

from __future__ import annotations

from conformance.derive.markdown import Document
from conformance.derive.page import Dialect

GITBOOK: Dialect = "gitbook"


def is_gitbook(document: Document) -> bool:
    """Whether the page begins with a heading of level 1 and has a section Request or Response of level 3 or more."""
    if not document.blocks or document.blocks[0].kind != "heading" or document.blocks[0].level != 1:
        return False
    words = ("request", "response")
    return any(
        block.kind == "heading" and block.level >= 3 and block.text.plain.casefold().startswith(words)
        for block in document.blocks
    )
