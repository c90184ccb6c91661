"""Permitted leniencies of AlphaPoint's reader: requests that no document allows, and none forbids to understand."""

from __future__ import annotations

import json
from typing import Any

from reference_impl.changes import equivalents_of_each
from reference_impl.faults.misreading import reads_unreadable
from reference_impl.variants import Variant


def _first_value(text: str) -> Any:
    try:
        return json.JSONDecoder().raw_decode(text.lstrip())[0]
    except (ValueError, RecursionError):
        return None


def _quoted_anyhow(text: str) -> Any:
    try:
        return json.loads(text.replace("'", '"'))
    except (ValueError, RecursionError):
        return None


EQUIVALENTS: tuple[Variant, ...] = (
    *equivalents_of_each(
        "first-value", "Reads the first JSON value of a body and leaves the rest", reads_unreadable(_first_value)
    ),
    *equivalents_of_each("any-quotes", "Reads apostrophes as quotes", reads_unreadable(_quoted_anyhow)),
)
