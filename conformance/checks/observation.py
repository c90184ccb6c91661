"""What the checks look at: the exchanges of one case, and what became of the states it brought about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from conformance.model.verdict import Finding
from conformance.transport.messages import Exchange


@dataclass(frozen=True, slots=True)
class Observation:
    """One case as it was seen from outside.

    `exchanges` holds the judged message, as many times as it was sent side by side. `body` is the request's payload,
    `frame` the whole text sent over WebSocket. `before` and `after` map watched names to "open", "cancelled", "executed" or
    "mixed"; a name that nobody could observe is missing from `after`. `secrets` must not come back.
    """

    exchanges: tuple[Exchange, ...]
    body: bytes = b""
    frame: bytes = b""
    before: Mapping[str, str] = field(default_factory=dict)
    after: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the checks made of an observation."""

    findings: tuple[Finding, ...] = ()
    blocked: tuple[str, ...] = ()
    readings: tuple[str, ...] = ()
    code_seen: str | None = None
    unverified: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    gist: tuple[Any, ...] = ()
    """What a metamorphic relation compares: the form of the answer and the outcome of each part, wording left out."""
    summary: str = ""
