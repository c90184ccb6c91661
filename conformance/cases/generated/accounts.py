"""Trials of a call on an account: a book of orders and quotes over several accounts, then a sequence of calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from typing import Any

from conformance.cases.generated.account_model import (
    CLIENT,
    OMS,
    OrderOrQuote,
    Request,
    predict_cancel_all,
    predict_cancel_one,
    predict_cancel_quote,
)
from conformance.cases.generated.lists import without
from conformance.cases.generated.rules import (
    CANCELLED,
    OPEN,
    Predicted,
    Rules,
    SearchSpace,
    Standing,
    Wire,
    lane_of,
    other_call,
    simpler_wires,
    trial_id,
    written,
)
from conformance.model.case import Case, Message, StateNeed, Twin
from conformance.model.spec import Operation
from conformance.values import value_class

Predict = Callable[[Rules, Sequence[str], Request, Sequence[OrderOrQuote], Standing], "Predicted | None"]
MODELS: Mapping[str, Predict] = {
    "cancel-all": predict_cancel_all,
    "cancel-one": predict_cancel_one,
    "cancel-quote": predict_cancel_quote,
}
KEYS: Mapping[str, Callable[[str], str]] = {
    "documented": lambda name: name,
    "pascal": lambda name: name[:1].upper() + name[1:],
    "camel": lambda name: name[:1].lower() + name[1:],
    "lower": str.lower,
}


@value_class(frozen=True, slots=True)
class PlannedState:
    """A thing that is set up: after how many of the earlier calls, on which side, and whether it is cancelled at once.

    With a `count` above one it is so many orders, which are watched as one and cannot be named.
    """

    thing: OrderOrQuote
    after: int = 0
    side: str = ""
    gone: bool = False
    count: int = 1

    @property
    def need(self) -> StateNeed:
        """The state, as a case asks for it."""
        thing = self.thing
        params: dict[str, Any] = {"account": f"${{{thing.account}}}", "instrument": f"${{{thing.instrument}}}"}
        if self.side:
            params["side"] = self.side
        if thing.client:
            params["client"] = True
        if self.count > 1:
            params["count"] = self.count
        if self.after:
            params["after"] = self.after
        return StateNeed(("cancelled-quote" if self.gone else "open-quote") if thing.quote else "open-order", params)


def single_cancel(operation: Operation, account: str, order: str) -> dict[str, str]:
    """The request of the service's call that cancels one order, by the names of account and order."""
    assert operation.scope is not None
    assert operation.explore is not None
    named = {"oms": OMS, "account": account, "order": order}
    members = operation.scope.calls[operation.explore.cancel].members
    return {name: f"${{{named[one.kind]}}}" for name, one in members.items() if one.kind in named}


@value_class(frozen=True, slots=True)
class CancelOne:
    """The service's call that cancels one order, between the calls of the operation."""

    name: str


Step = Request | CancelOne


@value_class(frozen=True, slots=True)
class AccountTrial:
    """The last step is judged; `offset` makes an unknown id another unknown one."""

    space: SearchSpace
    wire: Wire
    role: str
    steps: tuple[Step, ...]
    placed: tuple[PlannedState, ...] = ()
    keys: str = "documented"
    offset: int = 0
    twin: Wire | None = field(default=None)

    def case(self) -> Case | None:
        """The case; None if the model cannot predict the answer."""
        predicted = self._predicted()
        messages = [self._message(step, self.wire) for step in self.steps]
        if predicted is None or not all(messages):
            return None
        *before, last = [message for message in messages if message is not None]
        twin = self._twin()
        if self.twin is not None and twin is None:
            return None
        expect = predicted.expect
        return Case(
            id=trial_id(self.space, self.wire.channel),
            operation=self.space.operation.id,
            title=f"found exploring: as {self.role}, {len(self.placed)} set up, {len(self.steps)} calls",
            requirements=tuple(dict.fromkeys((expect.requirement, *((twin.requirement,) if twin else ())))),
            role=self.role,
            transport=self.wire.channel.transport,
            media_type=self.wire.channel.media_type,
            accept=self.wire.accept,
            message=last,
            expect=expect,
            states={one.thing.name: one.need for one in self.placed},
            before=tuple(before),
            tier="generated",
            lane=lane_of(self.space),
            twin=twin,
        )

    def _predicted(self) -> Predicted | None:
        """The book goes through every step; none may be left open but the last."""
        predict = MODELS[self.space.rules.model]
        standing: dict[str, str] = {}
        found: Predicted | None = None
        for turn, step in enumerate(self.steps):
            things = [one.thing for one in self.placed if one.after <= turn]
            for one in self.placed:
                if one.after == turn:
                    if one.thing.quote and _is_taken(one.thing, things, standing):
                        return None
                    standing.update(dict.fromkeys(one.thing.watched, CANCELLED if one.gone else OPEN))
            if isinstance(step, CancelOne):
                if standing.get(step.name) is None:
                    return None
                standing[step.name] = CANCELLED
                continue
            found = predict(self.space.rules, self.space.operation.roles_allowed, step, things, standing)
            if found is None or (found.after is None and turn < len(self.steps) - 1):
                return None
            standing = dict(found.after or standing)
        return found if isinstance(self.steps[-1], Request) else None

    def _message(self, step: Step, wire: Wire) -> Message | None:
        if isinstance(step, CancelOne):
            account = next(one.thing.account for one in self.placed if one.thing.name == step.name)
            value = single_cancel(self.space.operation, account, step.name)
            return other_call(self.space, wire.channel, self.space.rules.cancel, value)
        members = self.space.rules.members
        named = {member: getattr(step, part) for part, member in members.items()}
        rename = KEYS[self.keys]
        return written(self.space, wire, {rename(member): self._place(name) for member, name in named.items() if name})

    def _place(self, name: str) -> str:
        return f"${{{name}+{self.offset}}}" if self.offset and name.startswith("unknown_order") else f"${{{name}}}"

    def _twin(self) -> Twin | None:
        if self.twin is None or len(self.steps) > 1:
            return None
        other = self._message(self.steps[-1], self.twin)
        here, there = self.wire.channel, self.twin.channel
        agree = "same-transport" if here.transport != there.transport else "malformed"
        attribution = self.space.operation.attribution
        return (
            None
            if other is None
            else Twin("two-forms", attribution[agree], there.transport, there.media_type, (other,))
        )

    def simpler(self) -> Iterator[AccountTrial]:
        """No twin, fewer calls, fewer things, the plain form, the plain request."""
        if self.twin is not None:
            yield replace(self, twin=None)
            yield from (replace(self, twin=wire) for wire in simpler_wires(self.twin))
        yield from self._fewer_calls()
        yield from self._calls_of_fewer_names()
        named = {name for step in self.steps for name in _named(step)}
        for place, one in enumerate(self.placed):
            if not named.intersection((one.thing.name, *one.thing.watched)):
                yield replace(self, placed=without(self.placed, place))
        yield from (replace(self, wire=wire) for wire in simpler_wires(self.wire))
        if self.keys != "documented":
            yield replace(self, keys="documented")
        if self.offset:
            yield replace(self, offset=0)
        yield from self._plainer_things()

    def _fewer_calls(self) -> Iterator[AccountTrial]:
        """Without the last call and what is set up for it, then without each of the earlier ones."""
        if len(self.steps) > 1:
            last = len(self.steps) - 1
            yield replace(self, steps=self.steps[:-1], placed=tuple(one for one in self.placed if one.after < last))
        for turn in range(len(self.steps) - 1):
            placed = tuple(replace(one, after=one.after - (one.after > turn)) for one in self.placed)
            yield replace(self, steps=without(self.steps, turn), placed=placed)

    def _calls_of_fewer_names(self) -> Iterator[AccountTrial]:
        """A call that names an order twice names it once."""
        for turn, step in enumerate(self.steps):
            if isinstance(step, Request) and step.order and step.client:
                for fewer in (replace(step, client=""), replace(step, order="")):
                    yield replace(self, steps=(*self.steps[:turn], fewer, *self.steps[turn + 1 :]))

    def _plainer_things(self) -> Iterator[AccountTrial]:
        """Each thing without its side, set up first, once, or half as often."""
        for place, one in enumerate(self.placed):
            for plainer in (
                replace(one, side=""),
                replace(one, after=0),
                replace(one, count=1),
                replace(one, count=(one.count + 1) // 2),
            ):
                if plainer != one:
                    yield replace(self, placed=(*self.placed[:place], plainer, *self.placed[place + 1 :]))

    def larger(self) -> None:
        """None: a corpus value cannot be enlarged."""


def _is_taken(quote: OrderOrQuote, things: Sequence[OrderOrQuote], standing: Standing) -> bool:
    """Whether another open quote stands at this place: a gateway shows the newest one only."""
    place = (quote.account, quote.instrument)
    others = [one for one in things if one.quote and one != quote and (one.account, one.instrument) == place]
    return any(standing.get(name) == OPEN for one in others for name in one.watched)


def _named(step: Step) -> tuple[str, ...]:
    if isinstance(step, CancelOne):
        return (step.name,)
    return (step.bid, step.ask, step.order.removesuffix(CLIENT), step.client.removesuffix(CLIENT))
