"""The wire formats that there are, and the one of a media type; adding a format is one line here."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from conformance.errors import SpecError
from conformance.formats.base import Format
from conformance.formats.errors import CodecError
from conformance.formats.json.format import JSON
from conformance.formats.text import MediaType, parse_media_type
from conformance.formats.xml.format import XML

_FORMATS: list[Format] = [JSON, XML]


def formats() -> tuple[Format, ...]:
    """Every format, in the order in which a body is tried for them."""
    return tuple(_FORMATS)


def register(added: Format) -> None:
    """Make a format known to this process, which a program does once before it reads a contract.

    Errors: `ValueError` for a name or a media type that another one has.
    """
    for one in _FORMATS:
        shared = sorted({one.name, *one.media_types} & {added.name, *added.media_types})
        if shared:
            raise ValueError(f"the format {one.name!r} has {shared[0]!r} already; choose another name or media type")
    _FORMATS.append(added)
    format_for.cache_clear()


def unregister(removed: Format) -> None:
    """Take a registered format back, as a test does that has registered it."""
    _FORMATS.remove(removed)
    format_for.cache_clear()


def format_of(media: MediaType) -> Format | None:
    """The format that a body of this type has, structured suffixes included; None where no format owns it."""
    return next((one for one in _FORMATS if one.owns(media)), None)


@lru_cache(maxsize=64)
def format_for(media_type: str) -> Format:
    """The format of a media type that a contract names. Errors: `SpecError` where no format owns it."""
    try:
        found = format_of(parse_media_type(media_type))
    except CodecError as error:
        raise SpecError(str(error)) from error
    if found is None:
        known = ", ".join(name for one in _FORMATS for name in one.media_types)
        hint = f"Known are {known}; docs/architecture.md says how a wire format is added."
        raise SpecError(f"no format is known for the media type {media_type!r}", hint=hint)
    return found


def known_format(media_type: str) -> Format | None:
    """As `format_for`, for a media type that somebody else names; None where no format owns it."""
    try:
        return format_for(media_type)
    except SpecError:
        return None


def formats_for(media_types: Iterable[str]) -> tuple[Format, ...]:
    """The formats of several media types, each once, in their order."""
    return tuple(dict.fromkeys(format_for(one) for one in media_types))
