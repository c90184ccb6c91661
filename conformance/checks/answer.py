"""An answer as the outcome checks see it, whatever the transport and the format it came in.

What the checks look at: the exchanges of one case, and what became of the states that it set up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Any

from conformance.model.case import Case, RaceStep
from conformance.model.spec import Operation
from conformance.model.verdict import Finding
from conformance.values import value_class
from conformance.wire.messages import Exchange

# The forms that an expectation may name.
STANDARD, PAIR, FLAT = "standard", "pair", "flat"
RESULTS, REFUSED, FRAMEWORK = "results", "refused", "framework"
SESSION_MISSING, HTTP_REFUSAL = "session-missing", "http-refusal"
SERVED = "served"
LENGTH_REQUIRED = "length-required"
"""Status 411: a server need not take a body whose length is not told before (RFC 9112, 6.3)."""
TOO_LONG = "too-long"
"""A body, a target or headers longer than the server takes (RFC 9110, 15.5.14 and 15.5.15; RFC 6585, 5)."""
DATA, FAILURE = "data", "error"
"""For answers that a schema describes: what was asked for, or an error instead of it."""
SILENCE, ERROR_FRAME = "silence", "error-frame"
CLOSED = "closed"
"""The connection ends behind the answer to a request in front of this one (RFC 9112, 9.3.2)."""
STRUCTURED = frozenset({STANDARD, PAIR, FLAT, RESULTS, REFUSED, DATA})
"""The forms that carry an outcome of the operation."""
FRAMEWORK_STATUSES = (404, 405, 406, 411, 413, 414, 415, 417, 431)
"""With these a framework refuses a request before the operation sees it, in a form of its own."""
TOO_LONG_STATUSES = (413, 414, 431)


def refusal_forms(status: int) -> frozenset[str]:
    """The forms that a status alone shows, whatever the body holds."""
    refusal = frozenset({HTTP_REFUSAL}) if 400 <= status < 500 else frozenset()
    return refusal | {TOO_LONG} if status in TOO_LONG_STATUSES else refusal


def statuses_in_words(statuses: Sequence[int]) -> str:
    """`200, 201 or 207`."""
    *others, last = (str(one) for one in statuses)
    return f"{', '.join(others)} or {last}"


@value_class(frozen=True, slots=True)
class Leg:
    """One standard response object: its code as far as it can be told, and whether it says success."""

    code: int | None
    result: bool | None
    has_detail: bool = False

    @property
    def says(self) -> str:
        """In words, for the side by side of expected and actual."""
        return f"code {self.code}, result {_word(self.result)}"


@value_class(frozen=True, slots=True)
class Answer:
    """What came back, read as far as it could be.

    `forms` are all forms that fit. `legs` are the standard objects in it, `results` the entries of a result list.
    `findings` belong to the answer however it is judged; `unreadable` is the one finding that stands for an answer
    nobody can read, and counts only when no expected form fits.
    """

    forms: frozenset[str]
    status: int | None = None
    legs: tuple[Leg, ...] = ()
    results: tuple[dict[str, Any], ...] = ()
    lost: bool = False
    """Whether the list holds what is no result, so that nobody can tell what the results would have been."""
    value: Any = None
    beside: tuple[str, ...] = ()
    """Texts of the body that are no part of the value, such as comments."""
    findings: tuple[Finding, ...] = ()
    unreadable: Finding | None = None
    readings: tuple[str, ...] = ()
    summary: str = ""
    beyond: str = ""
    """Why it was not read, where it holds more than is read; what is known without reading it stands in `findings`."""


def _word(value: bool | None) -> str:
    return "missing" if value is None else str(value).lower()


@value_class(frozen=True, slots=True)
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
    name_of: Callable[[str], str] = field(default=lambda _secret: "", compare=False)
    """How a finding calls a secret, which it must not show; asked only when one came back."""
    start_s: float = 0.0
    end_s: float = 0.0
    """When a step of a race began and ended, on one clock; infinite where no answer came."""
    shown: Mapping[str, str] = field(default_factory=dict)
    """How things stood when a step of a race looked; of any other case, what was seen cancelled before the last look."""
    earlier: tuple[Exchange, ...] = ()
    """The messages before the judged one."""
    raced: tuple[Raced, ...] = ()
    """The steps of a race; each answer is also judged by itself, in an observation of its own."""


@value_class(frozen=True, slots=True)
class Raced:
    """One step of a race: the case that its message is by itself, and what was seen of it."""

    case: Case
    step: RaceStep
    seen: Observation

    @property
    def exchange(self) -> Exchange | None:
        """Its exchange; None for what is no message of a case."""
        return next(iter(self.seen.exchanges), None)


@value_class(frozen=True, slots=True)
class Seen:
    """What a check may look at once an answer was read; `secrets` are those whose presence in it would tell something."""

    operation: Operation
    case: Case
    observation: Observation
    exchange: Exchange
    answer: Answer
    secrets: tuple[str, ...] = ()


@value_class(frozen=True, slots=True)
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
    beyond: str = ""
    """Why an answer was not read."""
    unsettled: bool = False
    """Another alternative with this answer has things cancelled that are still open: they may only need time."""
    history: str = ""
    """The calls of a race that no order explains, one a line."""
    undecided: str = ""
    """Why a race was not judged to its end."""
