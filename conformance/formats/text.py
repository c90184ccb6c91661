"""Bytes to text and back: charset parameter, byte order mark, strict decoding with the place of a fault.

Media types as they stand in Content-Type (RFC 9110, section 8.3.1).
"""

from __future__ import annotations

import codecs
import re
from functools import lru_cache

from conformance.formats.errors import CodecError, Position
from conformance.values import value_class

MAX_BYTES = 16 * 1024 * 1024

_BOMS = (  # UTF-32 before UTF-16: the one begins with the other
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_BOM_OF = {encoding: bom for bom, encoding in _BOMS}
_BOM_FIRST_BYTES = frozenset(bom[0] for bom, _ in _BOMS)
_CHARSETS = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "us-ascii": "ascii",
    "ascii": "ascii",
    "utf-16": "utf-16",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
    "utf-32": "utf-32",
    "utf-32le": "utf-32-le",
    "utf-32be": "utf-32-be",
    "iso-8859-1": "latin-1",
    **{f"iso-8859-{part}": f"iso8859-{part}" for part in (*range(2, 12), *range(13, 17))},
    **{f"windows-{page}": f"cp{page}" for page in (874, *range(1250, 1259))},
    **{f"ibm{page}": f"cp{page}" for page in (850, 866)},
    **{name: name for name in ("koi8-r", "koi8-u", "gb2312", "gbk", "gb18030", "big5", "euc-jp", "euc-kr")},
    "shift_jis": "shift_jis",
    "iso-2022-jp": "iso2022_jp",
    "macintosh": "mac_roman",
}
"""Charsets by their IANA names: those that every known XML parser reads (XML 1.0, section 4.3.3)."""


@value_class(frozen=True, slots=True)
class Text:
    """Decoded text, the Python codec that was used, and the length in bytes of the mark before it."""

    text: str
    encoding: str
    bom_length: int


def codec_of(charset: str) -> str:
    """The Python codec of a charset name; `CodecError` (kind "charset") for one that no document names."""
    codec = _CHARSETS.get(charset.strip().strip('"').lower())
    if codec is None:
        raise CodecError(f"charset {charset!r} is not supported; use utf-8, utf-16 or utf-32", kind="charset")
    return codec


def bom_of(data: bytes) -> tuple[str, int] | None:
    """The codec that a byte order mark announces and the mark's length, or None without a mark."""
    if not data or data[0] not in _BOM_FIRST_BYTES:
        return None
    return next(((encoding, len(bom)) for bom, encoding in _BOMS if data.startswith(bom)), None)


def _endian(data: bytes, family: str) -> str:
    """The byte order of unmarked UTF-16 or UTF-32: the first character is ASCII in JSON and in XML."""
    return f"{family}-be" if data[:1] == b"\0" else f"{family}-le"


def decode_text(data: bytes, charset: str | None = None) -> Text:
    """Decode strictly: by `charset` if given, else by the mark, else as UTF-8 (RFC 8259, section 8.1).

    Errors: `CodecError` of kind "charset", "too-large", or "encoding" with the offset of the first bad byte.
    """
    if len(data) > MAX_BYTES:
        message = f"the body has {len(data)} bytes; at most {MAX_BYTES} are read"
        raise CodecError(message, Position(1, 1, 0), "too-large")
    mark = bom_of(data)
    if charset is None:
        encoding = mark[0] if mark else "utf-8"
    else:
        encoding = codec_of(charset)
        if encoding in ("utf-16", "utf-32"):
            same_family = mark is not None and mark[0].startswith(encoding)
            encoding = mark[0] if mark and same_family else _endian(data, encoding)
    bom_length = mark[1] if mark and mark[0] == encoding else 0
    try:
        text = data[bom_length:].decode(encoding)
    except UnicodeDecodeError as error:
        raise _bad_bytes(data, encoding, bom_length, error) from None
    return Text(text, encoding, bom_length)


def lenient_text(data: bytes, charset: str | None) -> str:
    """The text as `decode_text` gives it; what that refuses is read as UTF-8, each bad byte as U+FFFD."""
    try:
        return decode_text(data, charset).text
    except CodecError:
        return data.decode(errors="replace")


def _bad_bytes(data: bytes, encoding: str, bom_length: int, error: UnicodeDecodeError) -> CodecError:
    offset = bom_length + error.start
    before = data[bom_length:offset].decode(encoding)
    shown = f"byte 0x{data[offset]:02x}"
    message = f"{shown} at offset {offset} is not valid {encoding}; check the charset against the bytes"
    return CodecError(message, Position(*line_column(before, len(before)), offset), "encoding")


def line_column(text: str, index: int) -> tuple[int, int]:
    """Line and column, both from 1, of the character at `index`."""
    return text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index)


def position_at(source: Text, index: int) -> Position:
    """The position of the character at `index`, with its offset in the bytes that were decoded."""
    before = source.text[:index].encode(source.encoding, "surrogatepass")
    return Position(*line_column(source.text, index), source.bom_length + len(before))


def encode_text(text: str, charset: str, bom: bool) -> bytes:
    """Encode in a named charset; bare utf-16 and utf-32 are little-endian, as .NET writes them.

    Errors: `CodecError` of kind "charset", or "encoding" for a character that the charset cannot write.
    """
    codec = codec_of(charset)
    if codec in ("utf-16", "utf-32"):
        codec = f"{codec}-le"
    try:
        body = text.encode(codec)
    except UnicodeEncodeError as error:
        shown = f"U+{ord(text[error.start]):04X}"
        message = f"character {shown} cannot be written in {charset}; escape it or choose a UTF charset"
        raise CodecError(message, kind="encoding") from None
    return _BOM_OF.get(codec, b"") + body if bom else body


_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_TYPE = re.compile(rf"[ \t]*({_TOKEN})/({_TOKEN})[ \t]*")
_PARAMETER = re.compile(rf';[ \t]*(?:({_TOKEN})=(?:({_TOKEN})|"((?:[^"\\\x00-\x08\x0a-\x1f\x7f]|\\.)*)"))?[ \t]*')


@value_class(frozen=True, slots=True)
class MediaType:
    """Type and subtype in lower case; the parameters in order, names in lower case and values unquoted."""

    type: str
    subtype: str
    params: tuple[tuple[str, str], ...] = ()

    @property
    def essence(self) -> str:
        """`type/subtype`, without the parameters."""
        return f"{self.type}/{self.subtype}"

    def param(self, name: str) -> str | None:
        """The first parameter of this name, or None."""
        return next((value for key, value in self.params if key == name.lower()), None)

    @property
    def charset(self) -> str | None:
        """The charset parameter as it was written, or None."""
        return self.param("charset")


@lru_cache(maxsize=256)
def parse_media_type(text: str) -> MediaType:
    """Parse one media type. Errors: `CodecError` of kind "media-type" with the column of the fault."""
    match = _TYPE.match(text)
    if match is None:
        raise _malformed(text, 0, "type/subtype is expected")
    kind, subtype = match.group(1).lower(), match.group(2).lower()
    params: list[tuple[str, str]] = []
    index = match.end()
    while index < len(text):
        parameter = _PARAMETER.match(text, index)
        if parameter is None:
            raise _malformed(text, index, "a parameter (;name=value) is expected")
        name, token, quoted = parameter.groups()
        if name is not None:  # an empty parameter is allowed
            value = token if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
            params.append((name.lower(), value))
        index = parameter.end()
    return MediaType(kind, subtype, tuple(params))


def _malformed(text: str, index: int, what: str) -> CodecError:
    return CodecError(f"media type {text[:100]!a}: {what}", Position(1, index + 1, index), "media-type")
