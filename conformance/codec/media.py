"""Media types as they stand in Content-Type (RFC 9110, section 8.3.1), and the format each one means."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from conformance.codec.errors import CodecError, Position

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_TYPE = re.compile(rf"[ \t]*({_TOKEN})/({_TOKEN})[ \t]*")
_PARAMETER = re.compile(
    rf';[ \t]*(?:({_TOKEN})=(?:({_TOKEN})|"((?:[^"\\\x00-\x08\x0a-\x1f\x7f]|\\.)*)"))?[ \t]*'
)


@dataclass(frozen=True, slots=True)
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


def format_of(media_type: MediaType) -> Literal["json", "xml"] | None:
    """The format that a body of this type has, structured suffixes included; None for neither."""
    if media_type.type in ("application", "text"):
        if media_type.subtype == "json" or media_type.subtype.endswith("+json"):
            return "json"
        if media_type.subtype == "xml" or media_type.subtype.endswith("+xml"):
            return "xml"
    return None
