"""How careless servers read an integer member, for the faults of both operations."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from reference_impl.alphapoint.values import Call, Refused
from reference_impl.changes import Operation, step
from reference_impl.parts import Parts, with_alphapoint
from reference_impl.recorder import Recorder
from reference_impl.variants import Change

Reading = Callable[[Any], Any]
"""What becomes of a member's JSON value, None when it is absent; the value itself where the reader is right."""


def misread(operation: Operation, member: str, reading: Reading) -> Change:
    """One member is read wrongly before the operation sees it."""

    def read(inner: Any, parts: Any, call: Call) -> Any:
        name = member.lower()
        value = reading(call.members.get(name))
        return inner(parts, replace(call, members={**call.members, name: value}))

    return step(operation, "read", read)


def wrapped(bits: int) -> Reading:
    """Keeps the lower bits of a number, as a cast does."""

    def read(value: Any) -> Any:
        if not isinstance(value, int) or isinstance(value, bool):
            return value
        low = value & (2**bits - 1)
        return low - 2**bits if low >= 2 ** (bits - 1) else low

    return read


def unsigned(value: Any) -> Any:
    """Drops the sign."""
    return abs(value) if isinstance(value, int) and not isinstance(value, bool) else value


def leading_digits(value: Any) -> Any:
    """Takes the number that a text starts with, and leaves the rest of it."""
    found = re.match(r"\s*\d+", value) if isinstance(value, str) else None
    return int(found.group()) if found else value


def instead_of_absent(default: int) -> Reading:
    """Takes a default for what is absent, null or empty."""
    return lambda value: default if value in (None, "") else value


def instead_of_unusable(default: int | None) -> Reading:
    """Takes a default for what is neither a number nor a number as text."""
    return lambda value: (
        default if isinstance(value, dict | list) or (isinstance(value, str) and not value.strip().isdigit()) else value
    )


def instead_of_huge(default: int) -> Reading:
    """Takes a default for a number that 64 bits do not hold."""
    return lambda value: default if isinstance(value, int | float) and not -(2**63) <= value < 2**63 else value


def reads_unreadable(parse: Callable[[str], Any]) -> Callable[[Operation], Change]:
    """Reads a payload that is no JSON in a way of its own."""

    def make(operation: Operation) -> Change:
        def apply(parts: Parts, recorder: Recorder) -> Parts:
            inner = parts.alphapoint.read_members

            def read_members(p: Parts, call: Call) -> Any:
                text = call.payload.decode("utf-8", "replace") if isinstance(call.payload, bytes) else call.payload
                try:
                    return inner(p, call)
                except Refused:
                    members = parse(text) if operation.is_of(call) else None
                    if not isinstance(members, dict) or not members:
                        raise
                    recorder.hit()
                    return {name.lower(): value for name, value in members.items()}

            return with_alphapoint(parts, read_members=read_members)

        return apply

    return make
