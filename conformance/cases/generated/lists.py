"""Trials of an operation that takes instructions: orders really there beside unknown ones, earlier lists, two wire forms.

The model of an operation that cancels the orders in a list: for each instruction, whether it may succeed.

An instruction succeeds exactly when it is complete, its order is open at that moment, and its secret is right. What
the documents leave open is left open here: one order named twice, a broken instruction among others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from conformance.cases import make
from conformance.cases.expect import Ruling
from conformance.cases.generated.generate import concrete
from conformance.cases.generated.rules import (
    CANCELLED,
    OPEN,
    THING,
    PossibleAnswer,
    Predicted,
    Rules,
    SearchSpace,
    Standing,
    Wire,
    lane_of,
    prediction,
    simpler_wires,
    trial_id,
    written,
)
from conformance.cases.kinds import first_of
from conformance.cases.message import places as places_in
from conformance.model.case import Alternative, Case, Expectation, StateNeed, Twin
from conformance.model.spec import Condition
from conformance.values import value_class

Sort = Literal["whole", "either", "refused", "broken", "unusable"]
_LEGAL: tuple[Sort, ...] = ("whole", "either")
MOST_WAYS = 32
_REFUSED = {"form": "refused"}


@value_class(frozen=True, slots=True)
class Judged:
    """One instruction as the model sees it.

    whole: complete and legal; either: the same, but it may be refused as well; refused: complete, but its secret is
    wrong; broken: it lacks a member that it needs; unusable: a member has no value of its type. `thing` is the order it
    is for, empty for one that does not exist; `breaks` is the requirement that a broken or unusable one breaks.
    """

    sort: Sort
    thing: str = ""
    breaks: str = ""


@dataclass(slots=True)
class _Branch:
    after: dict[str, str]
    flags: list[bool] = field(default_factory=list)


def predict_list(
    rules: Rules, fallback: str, effect: str, standing: Standing, listed: Sequence[Judged]
) -> Predicted | None:
    """What must hold of one list; None when there are too many right answers to tell them from wrong ones.

    `fallback` is the requirement where the rules name none, `effect` that of a failure which changes nothing.
    """
    requirement = _requirement(rules, standing, listed) or fallback
    harm = any(one.sort not in _LEGAL and standing.get(one.thing) == OPEN for one in listed)
    inside = rules.requirement.get("cancelled", requirement)
    outside = effect if harm else rules.requirement.get("untouched", effect)
    if any(one.sort == "unusable" for one in listed):
        answers: tuple[PossibleAnswer, ...] = (
            PossibleAnswer({"results": "none"}, standing, (Ruling.LIST_OR_ITEM,)),
            PossibleAnswer(_REFUSED, standing, (Ruling.LIST_OR_ITEM,)),
        )
        return prediction(requirement, answers, inside, outside)
    twice = {name for name, count in Counter(one.thing for one in listed).items() if name and count > 1}
    branches = _branches(standing, listed, twice)
    if branches is None:
        return None
    found = [PossibleAnswer({"results": branch.flags}, branch.after) for branch in branches]
    if twice or any(one.sort == "broken" for one in listed) or not _is_one_sure(branches, len(listed)):
        found.append(PossibleAnswer(_REFUSED, standing, (Ruling.LIST_OR_ITEM,)))
    return prediction(requirement, tuple(found), inside, outside)


def _branches(standing: Standing, listed: Sequence[Judged], twice: Collection[str]) -> list[_Branch] | None:
    """Every way to carry out the list; None if there are too many. `twice` are things that it names twice."""
    whole = {one.thing for one in listed if one.sort in _LEGAL}
    branches = [_Branch(dict(standing))]
    for one in listed:
        chancy = (one.thing in twice and one.thing in whole) or one.sort == "either"
        branches = [grown for branch in branches for grown in _grown(branch, one, chancy)]
        if len(branches) > MOST_WAYS:
            return None
    return branches


def _is_one_sure(branches: Sequence[_Branch], count: int) -> bool:
    """Whether some instruction succeeds however the list is carried out."""
    return any(all(branch.flags[place] for branch in branches) for place in range(count))


def _grown(branch: _Branch, one: Judged, twice: bool) -> list[_Branch]:
    """The branches behind one more instruction; results for one order named twice may change places."""
    failed = _Branch(branch.after, [*branch.flags, False])
    if (one.sort not in _LEGAL and not twice) or branch.after.get(one.thing) != OPEN:
        return [failed]
    done = _Branch({**branch.after, one.thing: CANCELLED}, [*branch.flags, True])
    return [done, failed] if twice else [done]


def _requirement(rules: Rules, standing: Standing, listed: Sequence[Judged]) -> str:
    named: dict[str, Any] = dict(rules.requirement)
    broken = next((one.breaks for one in listed if one.breaks), "")
    if broken:
        return broken
    things = [one.thing for one in listed if one.thing]
    if len(set(things)) < len(things):
        return str(named.get("twice", ""))
    if any(one.sort == "refused" for one in listed):
        return str(named.get("secret", ""))
    if len(listed) > 1 and things:
        return str(named.get("several", ""))
    gone = any(standing.get(name) != OPEN for name in things)
    return str(named.get("gone" if gone else "done", ""))


MANY, LARGEST = 64, 1024
"""How many orders a fault that only some ids show is looked for among, at first and at most."""


@value_class(frozen=True, slots=True)
class SetUpOrder:
    """An order that is set up: its state, and after how many of the earlier lists."""

    state: str
    after: int = 0


@value_class(frozen=True, slots=True)
class Instruction:
    """One instruction; `thing` is its order, empty if that does not exist; `wrong` means a wrong secret.

    `doubtful`: a service may refuse it, such as one with both ids.
    """

    members: Mapping[str, Any]
    thing: str = ""
    wrong: bool = False
    doubtful: bool = False


Listed = tuple[Instruction, ...]


@value_class(frozen=True, slots=True)
class ListTrial:
    """Lists in the order of sending; the last one is judged, perhaps also in another form or in copies."""

    space: SearchSpace
    wire: Wire
    lists: tuple[Listed, ...]
    things: Mapping[str, SetUpOrder] = field(default_factory=dict)
    twin: Wire | None = None
    copies: int = 1

    def case(self) -> Case | None:
        """The case; None where a form cannot say a value, or an earlier list leaves open what it does."""
        predicted = self._predicted()
        messages = [written(self.space, self.wire, self._request(listed)) for listed in self.lists]
        if predicted is None or not all(messages):
            return None
        twin = self._twin(predicted)
        if self.twin is not None and twin is None:
            return None
        expect = predicted.expect if self.copies == 1 else _any_result(predicted.expect)
        *before, last = [message for message in messages if message is not None]
        return Case(
            id=trial_id(self.space, self.wire.channel),
            operation=self.space.operation.id,
            title=f"found exploring: {self._described()}, {self.wire.legal.name}",
            requirements=tuple(dict.fromkeys((expect.requirement, *((twin.requirement,) if twin else ())))),
            role=self.space.operation.role,
            transport=self.wire.channel.transport,
            media_type=self.wire.channel.media_type,
            accept=self.wire.accept,
            message=last,
            expect=expect,
            states={name: _need(thing) for name, thing in self.things.items()},
            before=tuple(before),
            together=self.copies,
            tier="generated",
            lane=lane_of(self.space),
            twin=twin,
        )

    def _request(self, listed: Listed) -> Any:
        return self.space.operation.shape.request([one.members for one in listed])

    def _predicted(self) -> Predicted | None:
        standing: Standing = {}
        found: Predicted | None = None
        attribution = self.space.operation.attribution
        for turn, listed in enumerate(self.lists):
            if found is not None and found.after is None:
                return None
            fresh = {name: self._stands(thing) for name, thing in self.things.items() if thing.after == turn}
            standing = {**(standing if found is None or found.after is None else found.after), **fresh}
            judged = [judged_instruction(self.space, one) for one in listed]
            found = predict_list(self.space.rules, attribution["malformed"], attribution["effect"], standing, judged)
            if found is None:
                return None
        return found

    def _stands(self, thing: SetUpOrder) -> str:
        return self.space.rules.kinds[thing.state].stands

    def _twin(self, predicted: Predicted) -> Twin | None:
        if self.twin is None or len(self.lists) > 1 or self.copies > 1:
            return None
        other = written(self.space, self.twin, self._request(self.lists[-1]))
        if other is None:
            return None
        here, there = self.wire.channel, self.twin.channel
        agree = "formats-agree" if here.format is not there.format else "malformed"
        requirement = self.space.operation.attribution.get(agree, predicted.expect.requirement)
        return Twin("two-forms", requirement, there.transport, there.media_type, (other,))

    def _described(self) -> str:
        if self.space.operation.shape.listed:
            return f"{len(self.lists[-1])} in the list"
        return "one instruction" if len(self.lists) == 1 else f"instruction {len(self.lists)}"

    def simpler(self) -> Iterator[ListTrial]:
        """Fewer lists, fewer instructions, no twin or copies, the plain form, then plainer members."""
        if self.twin is not None:
            yield replace(self, twin=None)
            yield from (replace(self, twin=wire) for wire in simpler_wires(self.twin))
        if self.copies > 2:
            yield replace(self, copies=2)
        if self.copies > 1:
            yield replace(self, copies=1)
        if len(self.lists) > 1:
            yield tidy(replace(self, lists=self.lists[:-1]))
        for turn in range(len(self.lists) - 1):
            yield tidy(replace(self, lists=without(self.lists, turn), things=_earlier(self.things, turn)))
        for turn, listed in enumerate(self.lists):
            for fewer in _halves(listed):
                yield tidy(replace(self, lists=_put(self.lists, turn, fewer)))
        yield from (replace(self, wire=wire) for wire in simpler_wires(self.wire))
        if any(thing.after for thing in self.things.values()):
            yield replace(self, things={name: replace(thing, after=0) for name, thing in self.things.items()})
        for turn, listed in enumerate(self.lists):
            for place, one in enumerate(listed):
                for plainer in _plainer(self.space, one):
                    yield tidy(replace(self, lists=_put(self.lists, turn, _put(listed, place, plainer))))

    def larger(self) -> ManyTrial | None:
        """Many orders of the first kind that stands open here, in place of this one list."""
        kinds = (self.space.rules.kinds[thing.state] for thing in self.things.values())
        first = next((kind.state for kind in kinds if kind.is_plain), None)
        if not self.space.operation.shape.listed or first is None or len(self.lists) > 1 or self.copies > 1:
            return None
        return ManyTrial(self.space, Wire(self.wire.channel), first, MANY)


def condition_of(space: SearchSpace) -> Condition:
    """The conditional rule that the model needs: no contract is loaded that has this model without one."""
    condition = space.operation.condition
    assert condition is not None
    return condition


def judged_instruction(space: SearchSpace, one: Instruction) -> Judged:
    """What the request schema and the secret make of an instruction."""
    value = concrete(
        space.operation.shape.request([{name: _in_any_case(value) for name, value in one.members.items()}])
    )
    if space.request.is_valid(value):
        return Judged("refused" if one.wrong else "either" if one.doubtful else "whole", one.thing)
    problems = [str(problem.requirement) for problem in space.request.problems(value)]
    condition = condition_of(space)
    lacking = {*condition.when_true.requirement.values(), *condition.when_false.requirement.values()}
    return Judged("broken" if set(problems) <= lacking else "unusable", one.thing, problems[0])


def _in_any_case(value: Any) -> Any:
    """A place of a text, whether it is filled in capitals or not."""
    return value.replace("^}", "}") if isinstance(value, str) else value


def tidy(trial: ListTrial) -> ListTrial:
    """Without the orders that no list names any more."""
    ids = [
        value for listed in trial.lists for one in listed for value in one.members.values() if isinstance(value, str)
    ]
    places = {name.partition(".")[0] for value in ids for name in places_in(value)}
    named = {one.thing for listed in trial.lists for one in listed} | places
    return replace(trial, things={name: thing for name, thing in trial.things.items() if name in named})


def _need(thing: SetUpOrder) -> StateNeed:
    return StateNeed(thing.state, {"after": thing.after} if thing.after else {})


def _any_result(expect: Expectation) -> Expectation:
    """For copies at the same moment, of which at most one may succeed; a refusal of the whole stays what it was."""
    first = expect.any_of[0]
    either = Alternative({"results": ["any"]}, first.cancelled, first.untouched, because=(expect.requirement,))
    return replace(expect, any_of=(either, *(one for one in expect.any_of if "form" in one.wanted)))


def without(items: tuple[Any, ...], place: int) -> tuple[Any, ...]:
    """The items but the one at this place."""
    return items[:place] + items[place + 1 :]


def _put(lists: tuple[Any, ...], place: int, item: Any) -> tuple[Any, ...]:
    return (*lists[:place], item, *lists[place + 1 :])


def _earlier(things: Mapping[str, SetUpOrder], turn: int) -> dict[str, SetUpOrder]:
    return {name: replace(thing, after=thing.after - (thing.after > turn)) for name, thing in things.items()}


def _halves(listed: Listed) -> Iterator[Listed]:
    """Half of a list, then all but one."""
    half = len(listed) // 2
    if half > 1:
        yield listed[:half]
        yield listed[half:]
    if len(listed) > 1:
        yield from (without(listed, place) for place in range(len(listed)))


def _plainer(space: SearchSpace, one: Instruction) -> Iterator[Instruction]:
    """The members of the documented request in place of its own, one at a time; a null where it has none."""
    plain = _plain_members(space, one)
    for name, value in plain.items():
        if one.members.get(name, ...) != value:
            yield replace(one, members={**one.members, name: value})


def _plain_members(space: SearchSpace, one: Instruction) -> dict[str, Any]:
    """What the base request holds, but for the members that say which order is meant, and for a wrong secret."""
    kept = {*space.operation.identity, condition_of(space).flag}
    base = first_of(space.operation, space.operation.valid)
    secret = {kind.secret for kind in space.rules.kinds.values() if kind.secret} if one.thing else set()
    return {name: value for name, value in base.items() if name not in kept | secret}


@value_class(frozen=True, slots=True)
class ManyTrial:
    """A list with very many orders of one kind, all of them open: what depends on the ids that the target gives."""

    space: SearchSpace
    wire: Wire
    state: str
    count: int

    def case(self) -> Case | None:
        """The case, with one order more that the list does not name."""
        from conformance.cases.scenario import repeated

        rules = self.space.rules
        kind = rules.kinds[self.state]
        item = {name: of_thing(value, "many.#") for name, value in kind.instruction.items()}
        body = repeated(self.space.operation, self.wire.channel, item, self.count)
        requirement = rules.requirement["several"]
        right = Alternative({"results": "all"}, cancelled=("many",), untouched=("other",))
        return Case(
            id=trial_id(self.space, self.wire.channel),
            operation=self.space.operation.id,
            title=f"found exploring: {self.count} of the kind {self.state} in one list",
            requirements=(requirement,),
            role=self.space.operation.role,
            transport=self.wire.channel.transport,
            media_type=self.wire.channel.media_type,
            accept=self.wire.accept,
            message=make.message(self.space.operation, self.wire.channel, body),
            expect=Expectation(requirement, (right,), rules.requirement["cancelled"], rules.requirement["untouched"]),
            states={"many": StateNeed(self.state, {"count": self.count}), "other": StateNeed(self.state)},
            tier="generated",
            lane=lane_of(self.space),
        )

    def simpler(self) -> Iterator[ManyTrial]:
        """Fewer orders; no fewer than two, for their ids are numbered."""
        if self.count > 2:
            yield replace(self, count=2)
            yield replace(self, count=max(2, self.count // 2))

    def larger(self) -> ManyTrial | None:
        """Four times as many orders."""
        return replace(self, count=self.count * 4) if self.count < LARGEST else None


def of_thing(value: Any, name: str) -> Any:
    """A value of the documented request with this order in place of the documented one."""
    return value.replace(f"${{{THING}.", f"${{{name}.") if isinstance(value, str) else value
