"""From a file to the text of a page: bounded, decoded, and refused when it is no text."""

from __future__ import annotations

import codecs
from pathlib import Path

from conformance.errors import PageError

MAX_PAGE_BYTES = 1024 * 1024
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_CONTROLS = frozenset(map(chr, range(32))) - set("\t\n\r\f")


def read_text(path: Path) -> str:
    """The text of the page at `path`, its lines ended by a line feed.

    UTF-8, with or without a byte order mark, or UTF-16 with one; at most `MAX_PAGE_BYTES` bytes.
    Errors: `PageError` for a file that is missing, a folder, too large, empty, binary or in another encoding.
    """
    where = str(path)
    if path.is_dir():
        raise PageError("a folder is no page", where=where, hint="Give the file of one page.")
    try:
        with path.open("rb") as file:
            data = file.read(MAX_PAGE_BYTES + 1)
    except OSError as error:
        raise PageError(
            f"the page cannot be read: {error.strerror or error}", where=where, hint="Give a readable file."
        ) from None
    if len(data) > MAX_PAGE_BYTES:
        hint = "A page has a few thousand bytes: save the one page of the call, not the whole site."
        raise PageError(f"the page has more than {MAX_PAGE_BYTES} bytes, the limit", where=where, hint=hint)
    text = _decoded(data, where)
    if not text.strip():
        raise PageError("the page is empty", where=where, hint="Save it again, with its content.")
    return text


def _decoded(data: bytes, where: str) -> str:
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        hint = "Save the page as UTF-8, or as UTF-16 with a byte order mark."
        raise PageError(
            f"not {encoding} text: byte {error.start} is the first bad one", where=f"{where}:{line}", hint=hint
        ) from None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    bad = next((place for place, one in enumerate(text) if one in _CONTROLS), None)
    if bad is not None:
        line = text.count("\n", 0, bad) + 1
        raise PageError("a binary file is no page", where=f"{where}:{line}", hint="Save the page as text or as HTML.")
    return text
