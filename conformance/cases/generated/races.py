"""Bursts: sessions that call for the same orders and quotes at the same moment, written as cases.

What each answer may be is known before: a call for a thing that others call for as well finds it, or finds it gone. In
which order the calls happened is looked for behind the run (`conformance.checks.races`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from conformance.cases import make, message
from conformance.cases.expect import Ruling
from conformance.cases.generated.account_model import CLIENT, OMS
from conformance.cases.generated.accounts import single_cancel
from conformance.cases.kinds import first_kind
from conformance.cases.make import FRAME, Channel, channels
from conformance.model.case import PLACED, Alternative, Case, Expectation, RaceSession, RaceStep, StateNeed
from conformance.model.spec import Explored, Operation, Shape

ALL = "cancel-all"
QUOTE = "cancel-quote"
LIST = "cancel-list"
_DONE_OR_GONE, _DONE_OR_FAILED = [0, 101, 104], [0, 101]


@dataclass(frozen=True, slots=True)
class Thing:
    """An order or a quote of a burst; `account` and `instrument` are names of bindings, empty where the call has none.

    `placed`: it is set up by a step of the burst, not before it.
    """

    name: str
    account: str = ""
    instrument: str = "instrument"
    client: bool = False
    placed: bool = False
    state: str = "open-order"

    @property
    def watched(self) -> tuple[str, ...]:
        """The names under which it is observed."""
        return (f"{self.name}.bid", f"{self.name}.ask") if self.state == "open-quote" else (self.name,)

    @property
    def need(self) -> StateNeed:
        """The state, as a case asks for it."""
        params: dict[str, Any] = {}
        if self.account:
            params = {"account": f"${{{self.account}}}", "instrument": f"${{{self.instrument}}}"}
        if self.client:
            params["client"] = True
        if self.placed:
            params["after"] = PLACED
        return StateNeed(self.state, params)


@dataclass(frozen=True, slots=True)
class Act:
    """One step: a call for things by their names, for an account, of another operation, a look, or a new thing.

    A call for "" names what does not exist.
    """

    does: Literal["cancel", "cancel-all", "beside", "look", "place"]
    things: tuple[str, ...] = ()
    by_client: bool = False
    account: str = ""


@dataclass(frozen=True, slots=True)
class Hand:
    """One session: who, whether the other way of the channel is taken, and what he does, one after the other."""

    role: str
    acts: tuple[Act, ...]
    other: bool = False


@dataclass(frozen=True, slots=True)
class Burst:
    """Sessions that are under way together."""

    title: str
    things: tuple[Thing, ...]
    hands: tuple[Hand, ...]

    def called(self) -> Counter[str]:
        """How often each thing is called for, or may be taken by a call for its account."""
        found: Counter[str] = Counter()
        for act in (act for hand in self.hands for act in hand.acts):
            if act.does in ("cancel", "beside"):
                found.update(act.things)
            elif act.does == ALL:
                found.update(one.name for one in self.things if one.account == act.account)
        return found


def stranger_of(operation: Operation) -> str:
    """An account of somebody else than the role that calls."""
    assert operation.explore is not None
    accounts = operation.explore.accounts.items()
    return [name for role, names in accounts if role != operation.role for name in names][-1]


def burst_case(operation: Operation, channel: Channel, name: str, burst: Burst, **more: Any) -> Case:
    """The burst as a case whose sessions go over a channel, the `other` ones over another where there is one."""
    assert operation.explore is not None
    writer = _Writer(operation, operation.explore, burst)
    another = _other(operation, channel)
    sessions = tuple(
        RaceSession(hand.role, way.transport, way.media_type, tuple(writer.step(act, way) for act in hand.acts))
        for hand in burst.hands
        for way in [another if hand.other else channel]
    )
    first = next(step for one in sessions for step in one.steps if step.expect is not None)
    assert first.message is not None
    assert first.expect is not None
    return make.case(
        operation, channel, name, burst.title, writer.requirements(), first.message, first.expect,
        role=sessions[0].role, states={one.name: one.need for one in burst.things}, race=sessions, **more,
    )  # fmt: skip


def _other(operation: Operation, channel: Channel) -> Channel:
    """HTTP beside WebSocket; else the next media type, or the same one; what a filter for HTTP chose stays there."""
    ways = [one for one in channels(operation) if one.transport.framed < channel.transport.framed]
    same = [one for one in channels(operation) if one.transport is channel.transport]
    return ways[0] if ways else same[(same.index(channel) + 1) % len(same)]


@dataclass(frozen=True, slots=True)
class _Writer:
    operation: Operation
    rules: Explored
    burst: Burst

    def requirements(self) -> tuple[str, ...]:
        """What the case speaks for: the sentences that one of its histories can break."""
        named, called = self.rules.requirement, self.burst.called()
        keys = ["done", "cancelled", "refused"]
        once = self.rules.model != QUOTE and any(count > 1 for count in called.values())
        if once and self.rules.model != ALL:
            keys.append("twice" if self.rules.model == LIST else "again")
        if any(one.name not in called for one in self.burst.things):
            keys.append("untouched")
        if any(act.does == "look" for hand in self.burst.hands for act in hand.acts):
            keys.append("shown")
        found = (self._named(key) for key in keys if key == "refused" or key in named)
        return tuple(dict.fromkeys(found))

    def _named(self, key: str) -> str:
        return self.rules.requirement.get(key) or self.operation.attribution["effect"]

    def step(self, act: Act, way: Channel) -> RaceStep:
        """One step over a way, with the right answers to it."""
        things = {one.name: one for one in self.burst.things}
        if act.does in ("look", "place"):
            return RaceStep(act.does, act.things)
        watched = tuple(name for one in act.things if one for name in things[one].watched)
        if act.does == "beside":
            (thing,) = (things[one] for one in act.things)
            value = single_cancel(self.operation, thing.account, thing.name)
            return RaceStep(act.does, watched, self._sent(way, value, self.rules.cancel))
        if act.does == ALL:
            taken = (one for one in self.burst.things if one.account == act.account)
            watched = tuple(name for one in taken for name in one.watched)
        return RaceStep(act.does, watched, self._sent(way, self._value(act, things)), self._expect(act))

    def _sent(self, way: Channel, value: Any, call: str = "") -> Any:
        operation, body = self.operation, message.body(self.operation, way, value)
        if not call:
            return make.message(operation, way, body)
        if way.transport.framed:
            return make.message(operation, way, body, frame=FRAME.replace("CALL", call))
        return make.message(operation, way, body, path=operation.path.replace(operation.call, call))

    def _value(self, act: Act, things: Mapping[str, Thing]) -> Any:
        """The request for these things, by the members that the operation's rules name."""
        if self.operation.shape.instructs:
            return self.operation.shape.request([first_kind(self.operation).named(one) for one in act.things])
        place = {"oms": OMS, "account": act.account}
        for name in act.things:
            thing = things.get(name)
            place["account"] = thing.account if thing else self.rules.accounts[self.operation.role][0]
            if self.rules.model == QUOTE:
                place |= {"bid": f"{name}.bid", "ask": f"{name}.ask", "instrument": thing.instrument if thing else ""}
                place |= {} if thing else {"bid": "unknown_order", "ask": "unknown_order2"}
            elif act.by_client:
                place["client"] = f"{name}{CLIENT}"
            else:
                place["order"] = name or "unknown_order"
        members = self.rules.members
        return {members[part]: f"${{{name}}}" for part, name in place.items() if name and part in members}

    def _expect(self, act: Act) -> Expectation:
        """Success, or, where others call for the same thing, that it is gone; never what is said to another call."""
        called, shape = self.burst.called(), self.operation.shape
        wanted: list[dict[str, Any]]
        because: tuple[str, ...]
        shared = any(called[one] > 1 for one in act.things)
        if act.does == ALL:
            wanted, because = [{"code": _DONE_OR_GONE}], (Ruling.OVERLAPPING,)
        elif shape.instructs:
            wanted = [{"results": ["any"] * len(act.things)}, {"form": "refused"}]
            because = (Ruling.OVERLAPPING, Ruling.LIST_OR_ITEM)
        elif act.things == ("",):
            wanted, because = _unknown(shape), (Ruling.CODE_OF_UNKNOWN,)
        else:
            wanted, because = _known(shape, shared=shared), (Ruling.OVERLAPPING,)
        alternatives = tuple(Alternative(one, because=because) for one in wanted)
        return Expectation(self.rules.requirement["done"], alternatives)


def _known(shape: Shape, *, shared: bool) -> list[dict[str, Any]]:
    codes = sorted({*_DONE_OR_GONE, 100}) if shared else _DONE_OR_FAILED
    if shape.legs:
        return [{"bid": codes, "ask": codes}, {"form": "flat", "code": [101]}]
    return [{"code": codes}]


def _unknown(shape: Shape) -> list[dict[str, Any]]:
    """A quote that does not exist may get a success that means receipt; an order may not."""
    if shape.legs:
        return [{"bid": [0, 100, 104], "ask": [0, 100, 104]}]
    return [{"code": [104]}, {"code": [100], "detail": "given"}]
