"""Trials of an exploring run that are bursts: sessions, steps and things at random, and the smaller bursts within one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

from conformance.cases.generated.lists import without
from conformance.cases.generated.races import ALL, LIST, QUOTE, Act, Burst, Hand, Thing, burst_case, stranger_of
from conformance.cases.generated.rules import SearchSpace, trial_id
from conformance.cases.make import Channel
from conformance.model.case import Case

_MOST_HANDS, _MOST_ACTS, _MOST_THINGS = 6, 4, 4
_CALLS = ("cancel", "cancel-all")


@dataclass(frozen=True, slots=True)
class RaceTrial:
    """A burst over a channel."""

    space: SearchSpace
    channel: Channel
    burst: Burst

    def case(self) -> Case | None:
        """The case; None for a burst without a call, or with one for what is not there."""
        if not _is_sound(self.burst):
            return None
        made = burst_case(self.space.operation, self.channel, "found/trial", self.burst, tier="generated")
        return replace(made, id=trial_id(self.space, self.channel))

    def simpler(self) -> Iterator[RaceTrial]:
        """Fewer sessions, fewer steps, fewer things; then the plain role and the plain way."""
        hands = self.burst.hands
        for place, hand in enumerate(hands):
            yield self._with(without(hands, place))
            for step in reversed(range(len(hand.acts))):
                fewer = replace(hand, acts=without(hand.acts, step))
                yield self._with((*hands[:place], fewer, *hands[place + 1 :]) if fewer.acts else without(hands, place))
        named = {name for hand in hands for act in hand.acts for name in act.things}
        for place, thing in enumerate(self.burst.things):
            if thing.name not in named:
                yield replace(self, burst=replace(self.burst, things=without(self.burst.things, place)))
        for place, hand in enumerate(hands):
            for step, act in enumerate(hand.acts):
                for smaller in _with_fewer_things(act):
                    shorter = replace(hand, acts=(*hand.acts[:step], smaller, *hand.acts[step + 1 :]))
                    yield self._with((*hands[:place], shorter, *hands[place + 1 :]))
            for plainer in (replace(hand, role=self.space.operation.role), replace(hand, other=False)):
                if plainer != hand:
                    yield self._with((*hands[:place], plainer, *hands[place + 1 :]))

    def _with(self, hands: Sequence[Hand]) -> RaceTrial:
        return replace(self, burst=replace(self.burst, hands=tuple(hands)))

    def larger(self) -> None:
        """None: what a burst does not show, more of them may."""


def _with_fewer_things(act: Act) -> Iterator[Act]:
    for place in range(len(act.things) if len(act.things) > 1 else 0):
        yield replace(act, things=without(act.things, place))


def _is_sound(burst: Burst) -> bool:
    """Whether there is a call in it, each thing that is placed is placed by one session, and named by it alone behind that."""
    placed = {one.name for one in burst.things if one.placed}
    known = {one.name for one in burst.things} | {""}
    by: list[str] = []
    for hand in burst.hands:
        there: set[str] = set()
        for act in hand.acts:
            if act.does == "place":
                there.update(act.things)
            elif not set(act.things) <= known or not placed.intersection(act.things) <= there:
                return False
        by += there
    calls = any(act.does in _CALLS for hand in burst.hands for act in hand.acts)
    return calls and len(by) == len(set(by)) and placed == set(by)


def random_race_trial(space: SearchSpace, random: Random) -> RaceTrial:
    """Two to six sessions with one to four steps each, most of them for the same things."""
    channel = random.choice(space.channels)
    things = _THINGS.get(space.rules.model, _orders)(space, random)
    operation, roles = space.operation, (space.operation.role, *space.rules.every[:1])
    standing = [one for one in things if not one.placed]
    emptied = tuple(dict.fromkeys(one.account for one in standing))
    hands = []
    for _ in range(random.randint(2, _MOST_HANDS)):
        acts = tuple(_act(space, random, standing, emptied) for _ in range(random.randint(1, _MOST_ACTS)))
        hands.append(Hand(random.choice(roles), acts, random.random() < 0.5))
    for one in things:
        if one.placed:
            place = random.randrange(len(hands))
            hands[place] = replace(hands[place], acts=(Act("place", (one.name,)), *hands[place].acts))
    return RaceTrial(
        space, channel, Burst(f"found exploring: {len(hands)} sessions of {operation.call}", things, tuple(hands))
    )


def _act(space: SearchSpace, random: Random, things: Sequence[Thing], accounts: Sequence[str]) -> Act:
    model, one = space.rules.model, random.choice(things[:2] if random.random() < 0.7 else things)
    chance = random.random()
    if chance < 0.2:
        return Act("look", (one.name,))
    if model == ALL:
        beside = space.rules.cancel and chance < 0.4
        return Act("beside", (one.name,)) if beside else Act("cancel-all", account=random.choice(accounts))
    if model == LIST:
        names = [thing.name for thing in things]
        most = len(names) if space.operation.shape.listed else 1
        return Act("cancel", tuple(random.sample(names, random.randint(1, most))))
    if chance < 0.25:
        return Act("cancel", ("",))
    return Act("cancel", (one.name,), by_client=one.client and random.random() < 0.5)


def _orders(space: SearchSpace, random: Random) -> tuple[Thing, ...]:
    """Orders in the accounts of who calls, most in the first, and one more that is placed meanwhile where no call is for it."""
    own = space.rules.accounts[space.operation.role]
    things = [
        Thing(f"order{number}", own[0] if random.random() < 0.7 else random.choice(own), client=random.random() < 0.3)
        for number in range(random.randint(1, _MOST_THINGS))
    ]
    if random.random() < 0.4:
        things.append(Thing("new", stranger_of(space.operation), placed=True))
    return tuple(things)


def _quotes(space: SearchSpace, random: Random) -> tuple[Thing, ...]:
    """Quotes, one in each place, for a service shows the newest one of a place alone."""
    own = space.rules.accounts[space.operation.role]
    places = [(account, instrument) for account in own for instrument in ("instrument", "instrument2")]
    random.shuffle(places)
    count = random.randint(1, len(places) - 1)
    things = [Thing(f"quote{number}", *place, state="open-quote") for number, place in enumerate(places[:count])]
    if random.random() < 0.4:
        things.append(Thing("new", *places[-1], placed=True, state="open-quote"))
    return tuple(things)


def _listed(space: SearchSpace, random: Random) -> tuple[Thing, ...]:
    state = next(iter(space.operation.states.values())).state
    return tuple(Thing(f"order{number}", state=state) for number in range(random.randint(1, _MOST_THINGS)))


_THINGS = {QUOTE: _quotes, LIST: _listed}
