"""Shared vocabulary: error codes of AlphaPoint's standard response, media types, names of binding kinds."""

from __future__ import annotations

JSON = "application/json"
TEXT_JSON = "text/json"
XML = "application/xml"
TEXT_XML = "text/xml"
JSON_TYPES = (JSON, TEXT_JSON)
XML_TYPES = (XML, TEXT_XML)


def media_slug(media_type: str) -> str:
    """`application/json` as it stands in a case id: `application-json`."""
    return media_type.replace("/", "-")
