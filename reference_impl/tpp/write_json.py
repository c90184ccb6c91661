"""Writing results and errors as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from reference_impl.parts import Writer
from reference_impl.tpp.values import Result


def result_object(result: Result) -> dict[str, Any]:
    """One result, its members in the order of the document's table."""
    return {
        "OrderID": result.order_id,
        "InternationalOrderUID": result.uid,
        "Success": result.success,
        "Errors": None if result.errors is None else list(result.errors),
    }


def dump(value: Any) -> str:
    """Compact JSON in ASCII."""
    return json.dumps(value, separators=(",", ":"))


def write_results(results: Sequence[Result]) -> str:
    """The list of results."""
    return dump([result_object(result) for result in results])


def write_error(message: str) -> str:
    """The operation's own error: a string."""
    return dump(message)


def write_framework(message: str) -> str:
    """The framework's error: an object with a Message."""
    return dump({"Message": message})


WRITER = Writer(write_results, write_error, write_framework)
