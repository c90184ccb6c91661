"""What a vendor's document says, as values: operations, requirements, readings, error codes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Level = Literal["must", "should", "open"]


@dataclass(frozen=True, slots=True)
class Requirement:
    """One testable statement of a document."""

    id: str
    operation: str
    level: Level
    document: str
    place: str
    text: str
    untested: str | None = None
    """Why no case verifies it; None when cases do."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A question that the documents leave open, and the answers that are accepted unless a target pins one."""

    id: str
    service: str
    operations: tuple[str, ...]
    requirement: str
    question: str
    alternatives: Mapping[str, str]
    also: tuple[str, ...] = ()
    """The requirements of the operations behind the first, in their order."""

    @property
    def requirements(self) -> Mapping[str, str]:
        """For each operation, the requirement that an alternative other than a pinned one breaks."""
        names = (self.requirement, *self.also)
        return {name: names[min(place, len(names) - 1)] for place, name in enumerate(self.operations)}


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """One row of a document's error table: the code, its legal messages, and how a case provokes it by default."""

    code: str
    requirement: str
    messages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    """One call of one vendor; a folder under `specs/<service>/` and nothing else."""

    id: str
    short: str
    service: str
    folder: Path
    call: str
    answer: str
    """The kind of answer: `standard`, `pair` or `results`; it selects the outcome check."""
    method: str
    path: str
    transports: tuple[str, ...]
    media_types: tuple[str, ...]
    valid: Mapping[str, Any] | list[Any]
    """A request value that is legal and safe to vary, with `${binding}` placeholders."""
    roles_allowed: tuple[str, ...]
    roles_refused: tuple[str, ...]
    codes: tuple[ErrorCode, ...]
    attribution: Mapping[str, str]
    """Name of a general check to the requirement that its findings belong to."""
    readings: frozenset[str] = frozenset()
    """The ids of the readings that its documents leave open."""
    raw: Mapping[str, Any] = field(default_factory=dict)
    """The whole `operation.yaml`, for the families of cases that read more of it."""


@dataclass(frozen=True, slots=True)
class Service:
    """One vendor's service: its operations and the readings they share."""

    id: str
    title: str
    operations: tuple[str, ...]
    readings: tuple[Reading, ...]


@dataclass(frozen=True, slots=True)
class Contract:
    """Everything under one `specs/` folder, and the digest of its files."""

    root: Path
    digest: str
    services: Mapping[str, Service]
    operations: Mapping[str, Operation]
    requirements: Mapping[str, Requirement]
    readings: Mapping[str, Reading]
