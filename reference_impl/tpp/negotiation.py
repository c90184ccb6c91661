"""Content negotiation as ASP.NET Web API does it: what the body is, and what the answer shall be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from reference_impl.tpp.values import Charset, Format, Media
from reference_impl.wire import HttpRequest

SUPPORTED: Mapping[Format, tuple[str, ...]] = MappingProxyType(
    {"json": ("application/json", "text/json"), "xml": ("application/xml", "text/xml")}
)
"""The media types of each format, the one for a wildcard first; JSON goes before XML."""

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_MEDIA_TYPE = re.compile(rf"\s*({_TOKEN})/({_TOKEN})\s*((?:;.*)?)", re.DOTALL)
_PIECE = re.compile(r'(?:"[^"]*"|[^";])+')
_PARAMETER = re.compile(rf"\s*({_TOKEN})\s*=\s*(?:\"([^\"]*)\"|({_TOKEN}))\s*")


@dataclass(frozen=True, slots=True)
class MediaRange:
    """A media type or range, in lower case, with its parameters."""

    name: str
    parameters: Mapping[str, str]

    @property
    def quality(self) -> float:
        """The q parameter, 1 when there is none."""
        return float(self.parameters.get("q", "1"))

    @property
    def specificity(self) -> int:
        """2 for a media type, 1 for type/*, 0 for */*."""
        return 0 if self.name == "*/*" else 1 if self.name.endswith("/*") else 2


def parse_media_type(text: str) -> MediaRange | None:
    """The media type in a header's value; None when there is none that makes sense."""
    match = _MEDIA_TYPE.fullmatch(text)
    if match is None:
        return None
    parameters: dict[str, str] = {}
    for piece in _PIECE.findall(match[3]):
        if not piece.strip():
            continue
        parameter = _PARAMETER.fullmatch(piece)
        if parameter is None:
            return None
        parameters[parameter[1].lower()] = parameter[2] if parameter[2] is not None else parameter[3]
    if not re.fullmatch(r"(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)", parameters.get("q", "1")):
        return None
    return MediaRange(f"{match[1]}/{match[2]}".lower(), parameters)


def format_of(media_type: str) -> Format | None:
    """The format that a media type stands for."""
    return next((name for name, types in SUPPORTED.items() if media_type in types), None)


def request_format(request: HttpRequest) -> Format | None:
    """What the Content-Type says the body is; None when it is absent, garbage or not supported."""
    media = parse_media_type(request.header("content-type") or "")
    return format_of(media.name) if media else None


def negotiate(request: HttpRequest) -> Media:
    """Media type and charset of the answer; there is always one.

    Accept decides by q, then by specificity, JSON before XML on a tie; if nothing in it matches, the
    request's own Content-Type; then JSON.
    """
    media_type = _accepted(request) or _own(request) or "application/json"
    return Media(format_of(media_type) or "json", media_type, _charset(request))


def _accepted(request: HttpRequest) -> str | None:
    ranges = [parse_media_type(piece) for piece in (request.header("accept") or "").split(",")]
    usable = [found for found in ranges if found is not None]
    refused = {found.name for found in usable if found.quality == 0}
    usable = [found for found in usable if found.quality > 0]
    usable.sort(key=lambda found: (-found.quality, -found.specificity))
    best: tuple[float, int, str] | None = None
    for types in SUPPORTED.values():
        match = next(
            ((found.quality, found.specificity, t) for found in usable for t in types if _covers(found, t, refused)),
            None,
        )
        if match is not None and (best is None or match[:2] > best[:2]):
            best = match
    return best[2] if best else None


def _covers(found: MediaRange, media_type: str, refused: set[str]) -> bool:
    if found.name == media_type:
        return True
    group = media_type.split("/")[0] + "/*"
    return media_type not in refused and (found.name == group or (found.name == "*/*" and group not in refused))


def _own(request: HttpRequest) -> str | None:
    media = parse_media_type(request.header("content-type") or "")
    return media.name if media and format_of(media.name) else None


def _charset(request: HttpRequest) -> Charset:
    qualities: dict[str, float] = {}
    for piece in (request.header("accept-charset") or "").split(","):
        name, _, rest = piece.partition(";")
        _, _, quality = rest.partition("=")
        try:
            qualities[name.strip().lower()] = float(quality) if rest.strip() else 1.0
        except ValueError:
            continue
    rest_quality = qualities.get("*", 0.0)
    utf8, utf16 = qualities.get("utf-8", rest_quality), qualities.get("utf-16", rest_quality)
    return "utf-16" if utf16 > utf8 else "utf-8"
