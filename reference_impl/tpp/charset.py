"""Bodies to text and back: utf-8 and utf-16, told by parameter, byte order mark or XML declaration."""

from __future__ import annotations

import codecs
import re

from reference_impl.tpp.negotiation import parse_media_type
from reference_impl.tpp.values import Charset, Format, UnreadableList
from reference_impl.wire import HttpRequest

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_DECLARED = {
    "utf-8": ("utf-8",),
    "utf-16": ("utf-16-le", "utf-16-be"),
    "utf-16le": ("utf-16-le",),
    "utf-16be": ("utf-16-be",),
}
_DECLARATION = re.compile(
    r"<\?xml\s+version\s*=\s*([\"'])(?P<version>[^\"']*)\1"
    r"(?:\s+encoding\s*=\s*([\"'])(?P<encoding>[^\"']*)\3)?"
    r"(?:\s+standalone\s*=\s*([\"'])(?:yes|no)\5)?\s*\?>"
)


def decode(request: HttpRequest, body_format: Format) -> str:
    """The body as text, without mark and XML declaration; raises `UnreadableList`."""
    body = request.body
    encoding = next((name for mark, name in _BOMS if body.startswith(mark)), None)
    encoding = encoding or _by_parameter(request) or _by_first_bytes(body)
    try:
        text = body.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise UnreadableList(f"The body is not valid {encoding}.") from error
    return _without_declaration(text, encoding) if body_format == "xml" else text


def _by_parameter(request: HttpRequest) -> str | None:
    media = parse_media_type(request.header("content-type") or "")
    named = media.parameters.get("charset", "").lower() if media else ""
    return {"utf-8": "utf-8", "utf-16": "utf-16-le", "utf-16le": "utf-16-le", "utf-16be": "utf-16-be"}.get(named)


def _by_first_bytes(body: bytes) -> str:
    """The width that a body's first characters, always ASCII in JSON and XML, show."""
    if len(body) >= 2 and body[1] == 0 != body[0]:
        return "utf-16-le"
    if len(body) >= 2 and body[0] == 0 != body[1]:
        return "utf-16-be"
    return "utf-8"


def _without_declaration(text: str, encoding: str) -> str:
    if not text.startswith("<?xml") or text[5:6] not in tuple(" \t\r\n"):
        return text
    match = _DECLARATION.match(text)
    if match is None or match["version"] != "1.0":
        raise UnreadableList("The XML declaration is not valid.")
    declared = match["encoding"]
    if declared is not None and encoding not in _DECLARED.get(declared.lower(), ()):
        raise UnreadableList("The XML declaration names another encoding than the body has.")
    return text[match.end() :]


def encode(text: str, charset: Charset) -> bytes:
    """Text to bytes: UTF-8 without a byte order mark, UTF-16 in little endian with one."""
    if charset == "utf-16":
        return codecs.BOM_UTF16_LE + text.encode("utf-16-le", "replace")
    return text.encode("utf-8", "replace")
