"""What the author of a contract writes of its cases: scenarios, and the factors whose combinations are counted.

A scenario is a case of `scenarios.yaml`, before it is sent over anything. A factor of `factors.yaml` is one thing in
which cases differ, with its levels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeAlias

from conformance.model import Names
from conformance.model.case import Alternative, Lane, OwnSession, StateNeed, Transport
from conformance.model.spec import BaseName, Json, RequirementId

Way: TypeAlias = Annotated[str, Names("transport or format")]
"""A transport, or a format."""
Codes: TypeAlias = int | tuple[int, ...] | None
ThingName: TypeAlias = Annotated[str, Names("thing")]
ANSWER_KEYS = ("form", "code", "bid", "ask", "results", "detail")


@dataclass(frozen=True, slots=True)
class RightAnswer:
    """One answer that is right, the effect that goes with it, and the readings that it stands for."""

    code: Codes = None
    """The code, or one of these; both legs of a pair."""
    bid: Codes = None
    """The codes of this leg."""
    ask: Codes = None
    """The codes of this leg."""
    results: Literal["all", "none"] | tuple[bool | Literal["any"], ...] | None = None
    """The outcomes, one for each instruction."""
    form: (
        Literal[
            "flat",
            "pair",
            "session-missing",
            "refused",
            "framework",
            "http-refusal",
            "silence",
            "error-frame",
            "served",
            "length-required",
            "too-long",
            "data",
            "error",
        ]
        | None
    ) = None
    """The form of the answer."""
    detail: Literal["given"] | None = None
    """Whether each object with a code must have a detail."""
    cancelled: tuple[ThingName, ...] = ()
    """What is gone afterwards."""
    untouched: tuple[ThingName, ...] = ()
    """What is as it was."""
    readings: tuple[Annotated[str, Names("reading")], ...] = ()
    """`reading=alternative`, of each reading that it stands for."""
    because: tuple[Annotated[str, Names("requirement or ruling")], ...] = ()
    """The requirements and rulings that allow it: one at least where several answers are right and no reading says so."""

    @property
    def alternative(self) -> Alternative:
        """The same as checks take it."""
        said = {key: getattr(self, key) for key in ANSWER_KEYS}
        answer: dict[str, Any] = {
            key: list(value) if isinstance(value, tuple) else value for key, value in said.items() if value is not None
        }
        return Alternative(answer, self.cancelled, self.untouched, self.readings, self.because)


@dataclass(frozen=True, slots=True)
class Expected:
    """What must hold of the answer and of its effect."""

    requirement: RequirementId | Mapping[Way, RequirementId]
    """The requirement that another answer breaks; perhaps one for each transport or format."""
    any_of: tuple[RightAnswer, ...]
    """The right answers."""
    effect: RequirementId = ""
    """The requirement that is broken when what should have gone has not."""
    outside: RequirementId = ""
    """The requirement that is broken when what should have stayed has not."""


@dataclass(frozen=True, slots=True)
class RequestBeside:
    """Another request that is under way at the same moment, and what must hold of its answer and its effect."""

    value: Json
    """The request."""
    expect: Expected
    """The right answers to it."""


@dataclass(frozen=True, slots=True)
class RequestEarlier:
    """Another request that is sent before, in the run's own session of a role, and whatever comes of it."""

    role: str = ""
    """Who sends it; without the key, the role of the case."""
    value: Json = ...
    """The request; without the key, that of the case."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A case that only this call can have; it is sent over every transport in every media type."""

    name: str
    """`family/name`, which makes the case's id."""
    title: str
    """One line in words."""
    requirements: tuple[RequirementId, ...]
    """What it verifies."""
    expect: Expected
    add: Mapping[Way, tuple[RequirementId, ...]] = field(default_factory=dict)
    """What it verifies besides over a transport, or in a format."""
    add_media: bool = False
    """Whether it verifies the requirements of its media types as well."""
    code: Annotated[str, Names("code")] | None = None
    """The error code whose cell of the matrix it verifies."""
    states: Mapping[str, StateNeed] | None = None
    """Names of things that are set up before it; without the key, those of its base."""
    base: BaseName = ""
    """Another legal request of `operation.yaml`."""
    value: Json = ...
    """The request itself; without the key, that of its base."""
    each: Json = ...
    """One item of a list, `#` standing for its index."""
    count: int = 0
    """How many of `each` there are."""
    role: str | None = None
    """Who sends it; without the key, the role of `operation.yaml`."""
    lane: Lane | None = None
    """Who else may run beside it."""
    repeat: int = 0
    """How often it is sent before the message that is judged."""
    earlier: RequestEarlier | None = None
    """What is sent before it by somebody else, or of another value."""
    together: int = 1
    """How many copies go out at the same moment."""
    later: bool = False
    """Whether the effect is looked at again after it had time to settle; earlier messages wait too."""
    session: OwnSession | None = None
    """A session that it has to itself, and what has become of that; without the key, the run's own."""
    beside: tuple[RequestBeside, ...] = ()
    """Requests that go out at the same moment; over a WebSocket they are under way on one socket."""
    transports: tuple[Transport, ...] = ()
    """Over these alone."""
    edition: Annotated[str, Names("edition")] = ""
    """The edition that alone has it: it runs where the target file pins that one."""


FactorKind: TypeAlias = Literal[
    "role", "transport", "session", "keys", "oms", "account", "order", "client", "instrument", "bid", "ask", "whose",
    "stands", "beside", "earlier", "media-type", "accept", "thing", "secret", "member", "spare", "flag", "letters",
    "count", "behind", "ahead",
]  # fmt: skip
"""What of a case a factor looks at."""
FactorName: TypeAlias = Annotated[str, Names("factor")]


@dataclass(frozen=True, slots=True)
class Factor:
    """One thing in which the cases of a call differ."""

    name: str
    """Its name in this file, and in reports."""
    of: FactorKind
    """What of a case it looks at."""
    levels: Mapping[str, str]
    """The ways in which cases differ in it, and what each of them is, in words."""
    member: Annotated[str, Names("field")] = ""
    """For `member`: the member of an instruction that it looks at."""


@dataclass(frozen=True, slots=True)
class Meeting:
    """Levels of several factors that meet in a case: any one of those that are listed, of each factor."""

    reason: str
    """What of it, in words."""
    when: Mapping[FactorName, tuple[str, ...]]
    """Factors, and the levels of each."""


@dataclass(frozen=True, slots=True)
class Factors:
    """In what the cases of a call differ, and which levels cannot meet."""

    factors: tuple[Factor, ...]
    """The factors, in the order in which reports name them."""
    impossible: tuple[Meeting, ...] = ()
    """The levels that cannot meet."""
    refused: tuple[Meeting, ...] = ()
    """The levels for which a call is refused whatever else it is: all else counts in a case without them alone."""
