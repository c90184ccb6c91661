"""The arguments in the path of a message: written from a request's members, kept apart from its body and its query."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from conformance.formats.base import PLACE
from conformance.model.paths import ARGUMENT
from conformance.model.spec import Operation

NO_SEGMENT = "cannot be an argument in a path: readers take it for another path"
_NO_SEGMENT = re.compile(r"[/\\\x00-\x1f\x7f]")


def is_segment(text: str) -> bool:
    """Whether a text can stand in a path: who reads it removes nothing and dots, and may take a slash for two segments."""
    return text not in ("", ".", "..") and not _NO_SEGMENT.search(text)


def quoted(text: str) -> str:
    """A text percent-encoded, letters, digits and `-._~` apart (RFC 3986, 2.3)."""
    return quote(text, safe="")


def path_of(operation: Operation, value: Any) -> str | None:
    """The path with the request's arguments in it, places left as they are; None for what no path can say."""
    texts: dict[str, str] = {}
    for name in operation.in_path:
        one = value.get(name) if isinstance(value, Mapping) else None
        text = one if isinstance(one, str) else json.dumps(one)
        if one is None or isinstance(one, Mapping | list) or not is_segment(text):
            return None
        texts[name] = text if PLACE.fullmatch(text) else quoted(text)
    return ARGUMENT.sub(lambda match: texts[match.group(1)], operation.path) if texts else operation.path


def legal_path(operation: Operation) -> str:
    """The path of the legal request. Errors: ValueError where that has no argument which the path needs."""
    path = path_of(operation, operation.valid)
    if path is None:
        raise ValueError(f"the base request has nothing that could stand in {operation.path}")
    return path


def beside_path(operation: Operation, value: Any) -> Any:
    """The members of a request that do not stand in the path: what is in the body, or in the query."""
    if not operation.in_path or not isinstance(value, Mapping):
        return value
    return {name: one for name, one in value.items() if name not in operation.in_path}
