"""A run on a dry wire: transports without a network, and a state hook that is not asked.

A plan is the same session as a run. What differs stands here: the dialect and the logins say what their own messages
would be answered with, every other message gets an empty answer, and nothing is judged.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from conformance.cases.message import is_text, places_of
from conformance.checks.answer import Judgement, Observation
from conformance.checks.kit import Kit
from conformance.dialects.base import Dialect, Reply, login_named
from conformance.endpoint.model import Binding, ServiceTarget, is_pin
from conformance.guard.gate import OF_A_CASE, Decision, Gate, Label, Message
from conformance.guard.opening import Wire
from conformance.model.case import Case, Transport
from conformance.run.states import AskedStates
from conformance.wire.address import Address
from conformance.wire.messages import Exchange, HttpReply, HttpRequest, Limits, WireProblem, WsReply, WsRequest
from conformance.wire.ws.client import OnConnect

Answer = Callable[[Message], Reply | None]
FIRST_ID = 2_050_000_000
"""Every id of a dry run is greater than this and has 31 bits, so the scope guard judges it like a real one."""
_AS_IF = b"(as if sent)"
_UID = "00000000-0000-4000-8000-{:012d}"


@dataclass(frozen=True, slots=True)
class Record:
    """A message at the gate, and what the guard said."""

    message: Message
    label: Label
    decision: Decision
    elsewhere: bool = False
    """At the gate before the other addresses of a login."""

    @property
    def transport(self) -> Transport:
        """How it travels."""
        return Transport.HTTP if isinstance(self.message, HttpRequest) else Transport.WS


@dataclass(frozen=True, slots=True)
class DryHttp:
    """`Transport[HttpRequest]` that answers by itself."""

    answer: Answer

    async def send(self, request: HttpRequest, *, limits: Limits) -> Exchange:
        """What the answer says, at once."""
        return _exchange(self.answer(request) or HttpReply(200, "OK", (), b"", "1.1"))

    async def connect(self, *, limits: Limits) -> None:
        """Nothing is there to connect to."""

    async def aclose(self) -> None:
        """Nothing is open."""


@dataclass(slots=True)
class DryWs:
    """`Transport[WsRequest]` that answers by itself; it connects, and so signs in, before the first frame."""

    answer: Answer
    on_connect: OnConnect | None
    connected: bool = False

    async def send(self, request: WsRequest, *, limits: Limits) -> Exchange:
        """What the answer says, at once."""
        problem = await self._problem()
        return await self._answered(request) if problem is None else Exchange(b"", b"", None, problem, 0.0, 0.0)

    async def connect(self, *, limits: Limits) -> None:
        """Sign in, as before a first frame."""
        await self._problem()

    async def _problem(self) -> WireProblem | None:
        if self.connected or self.on_connect is None:
            return None
        problem = await self.on_connect(self._answered)
        self.connected = problem is None
        return problem

    async def _answered(self, request: WsRequest) -> Exchange:
        return _exchange(self.answer(request) or WsReply(b"{}"))

    async def aclose(self) -> None:
        """Nothing is open."""


def _exchange(reply: Reply) -> Exchange:
    return Exchange(_AS_IF, b"", reply, None, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class DryWire:
    """The transports of one service."""

    answer: Answer

    def http(self, to: Address) -> DryHttp:
        """For the service, and for the other addresses of its logins."""
        return DryHttp(self.answer)

    def ws(self, to: Address, on_connect: OnConnect | None) -> DryWs:
        """A WebSocket of one user."""
        return DryWs(self.answer, on_connect)


@dataclass(slots=True)
class DryOracle:
    """Answers instead of a hook or a command: everything exists, with the ids that the case names, and stays open."""

    what: str = "the dry hook"
    members: tuple[str, ...] = ()
    """The names of the ids that the present case fills in."""
    ids: Iterator[int] = field(default_factory=lambda: itertools.count(FIRST_ID + 40_000_001))

    async def ask(self, action: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """New things, or those asked about as they were."""
        if action == "state":
            return {"orders": [dict(self._thing()) for _ in range(body["count"])]}
        return {"orders": [{**order, "state": "open"} for order in body["orders"]]}

    def _thing(self) -> Iterator[tuple[str, Binding]]:
        for name in self.members:
            number = next(self.ids)
            yield (
                name,
                f"{number % 10_000:04d}" if is_pin(name) else _UID.format(number % 10**12) if is_text(name) else number,
            )

    async def aclose(self) -> None:
        """Nothing is open."""


class DryClock:
    """Time for logins that nobody waits for."""

    def now_s(self) -> float:
        """No time passes, and so no session runs out."""
        return 0.0

    def epoch_s(self) -> float:
        """The same; a code of a second factor is worth nothing here."""
        return 0.0

    async def sleep(self, seconds: float) -> None:
        """Nothing is waited for."""


@dataclass(slots=True)
class DryRun:
    """What a session needs to be one that sends nothing."""

    oracle: DryOracle = field(default_factory=DryOracle)
    records: list[Record] = field(default_factory=list)
    """Every message of the present case at a gate, in order."""

    clock: DryClock = field(default_factory=DryClock)

    def begin(self, case: Case) -> None:
        """Take the next case: what it names is what a hook would have to give ids for."""
        self.oracle.members = members_of(case)
        self.records.clear()

    def listen(self, gate: Gate, *, elsewhere: bool = False) -> None:
        """Record what comes to a gate."""

        def witness(message: Message, label: Label, decision: Decision) -> None:
            self.records.append(Record(message, label, decision, elsewhere))

        gate.witness = witness

    @property
    def asked(self) -> AskedStates:
        """The provider in place of hooks and commands."""
        return AskedStates(self.oracle)

    def wire(self, dialect: Dialect, service: ServiceTarget) -> Wire:
        """The transports in place of a service's."""
        answers: list[Answer] = [
            partial(login_named(role.sign_in).dry_answer, role.login_keys) for role in service.every_role()
        ]
        answers.append(partial(dialect.dry_answer, still_open=True))

        def answer(request: Message) -> Reply | None:
            # the operation itself may be one of the calls that a dialect cleans up with: it must cancel nothing here
            if any(one.message is request and one.label.purpose in OF_A_CASE for one in self.records):
                return None
            return next((reply for one in answers if (reply := one(request)) is not None), None)

        return DryWire(answer)

    def judge(self, kit: Kit, case: Case, observation: Observation) -> Judgement:
        """Nothing to judge."""
        return Judgement()


def members_of(case: Case) -> tuple[str, ...]:
    """The ids of its states that a case fills in, without the names of the states: `OrderID` of `${order.OrderID}`."""
    if not case.states:
        return ()
    found: dict[str, None] = {}
    for name in (name for one in case.messages for name in places_of(one)):
        state, _, member = name.partition(".")
        if state in case.states:
            found[member.rpartition(".")[2] or "id"] = None
    return tuple(found)
