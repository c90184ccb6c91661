"""Permitted leniencies of AlphaPoint's reader: requests that no document allows or forbids."""

from __future__ import annotations

from typing import Any

from reference_impl.changes import equivalents_of_each
from reference_impl.depth import first_value, load_json
from reference_impl.faults.alphapoint_ways import WAYS, served_by
from reference_impl.faults.misreading import reads_unreadable
from reference_impl.variants import Variant


def _first_value(text: str) -> Any:
    try:
        return first_value(text.lstrip())
    except ValueError:
        return None


def _quoted_anyhow(text: str) -> Any:
    try:
        return load_json(text.replace("'", '"'))
    except ValueError:
        return None


EQUIVALENTS: tuple[Variant, ...] = (
    *equivalents_of_each(
        "first-value", "Reads the first JSON value of a body and leaves the rest", reads_unreadable(_first_value)
    ),
    *equivalents_of_each("any-quotes", "Reads apostrophes as quotes", reads_unreadable(_quoted_anyhow)),
    *(
        variant
        for way in ("get-query", "head-query", "form")
        for variant in equivalents_of_each(
            f"{way}-served",
            f"Serves {WAYS[way][0]}, and asks what it always asks",
            served_by(WAYS[way][1], lambda parts, user: (parts, user)),
        )
    ),
)
