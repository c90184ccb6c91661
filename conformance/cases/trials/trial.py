"""A trial: structured choices that become a case, and the smaller choices that may still break the same requirement."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from conformance.cases import make
from conformance.cases.make import Channel
from conformance.cases.trials.rules import Ground
from conformance.model.case import Case, Lane

FAMILY = "found"


class Trial(Protocol):
    """What is tried once; frozen, so that the smaller ones can be made of it."""

    @property
    def ground(self) -> Ground:
        """The operation that is tried."""
        ...

    def case(self) -> Case | None:
        """The case to send; None for choices that cannot be written, or whose answer nobody can foretell."""
        ...

    def simpler(self) -> Iterator[Trial]:
        """Trials with less in them, the greatest steps first."""
        ...

    def larger(self) -> Trial | None:
        """A trial with more of what the target gives ids to, for a fault that only some ids show; None for no such trial."""
        ...


def trial_id(ground: Ground, channel: Channel, name: str = "trial") -> str:
    """The id of a case that was made up: `tpp/found/<name>@application-json`."""
    return f"{ground.operation.short}/{FAMILY}/{name}@{make.suffix(ground.operation, channel)}"


def lane_of(ground: Ground) -> Lane:
    """Lists of orders name nothing but their own; calls on accounts need a desk."""
    return "shared" if ground.operation.answer == "results" else "desk"
