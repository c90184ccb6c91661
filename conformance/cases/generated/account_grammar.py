"""Makes random trials of calls on accounts: who calls, what stands in the book, which ids the call names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from random import Random

from conformance.cases.generated.account_model import CLIENT, OMS, OrderOrQuote, Request, own_accounts
from conformance.cases.generated.accounts import KEYS, AccountTrial, CancelOne, PlannedState, Step
from conformance.cases.generated.rules import Rules, SearchSpace, random_wire

INSTRUMENTS = ("instrument", "instrument2")
_SPREAD = 1000
_MANY = (21, 30)
"""More orders than a page of twenty holds."""
_UNKNOWN = ("unknown_order", "unknown_order2")


def random_account_trial(space: SearchSpace, random: Random) -> AccountTrial:
    """A trial of the operation's model."""
    rules = space.rules
    role = random.choices(list(rules.roles), list(rules.roles.values()))[0]
    wire = random_wire(space, random)
    steps, placed = _MAKERS[rules.model](space, role, random)
    return AccountTrial(
        space,
        wire,
        role,
        steps,
        placed,
        keys="documented" if random.random() < 0.7 else random.choice(sorted(KEYS)),
        offset=random.randrange(_SPREAD) if random.random() < 0.5 else 0,
        twin=random_wire(space, random) if len(steps) == 1 and random.random() < 0.1 else None,
    )


def _cancel_all(space: SearchSpace, role: str, random: Random) -> tuple[tuple[Step, ...], tuple[PlannedState, ...]]:
    rules = space.rules
    calls = 1 if random.random() < 0.6 else random.randint(2, 4)
    placed = [_order(f"o{number}", _account(rules, role, random), random) for number in range(random.randint(0, 4))]
    placed += _beside(rules, role, random, quote=0.2, many=0.12)
    crowded = [one.thing.account for one in placed if one.count > 1]
    steps: list[Step] = []
    for turn in range(calls):
        for _ in range(random.choice((0, 1, 2)) if turn else 0):
            placed.append(_order(f"o{len(placed)}", _account(rules, role, random), random, turn))
        own = [
            one.thing.name for one in placed if _is_one_order(one) and one.thing.account in own_accounts(rules, role)
        ]
        if (
            own
            and rules.cancel
            and role in space.operation.roles_allowed
            and turn < calls - 1
            and random.random() < 0.4
        ):
            steps.append(CancelOne(random.choice(own)))
        else:
            chosen = crowded or [one.thing.account for one in placed]
            account = (
                random.choice(chosen)
                if chosen and random.random() < (0.8 if crowded else 0.6)
                else _any_account(rules, role, random)
            )
            steps.append(Request(role, _oms(random) if account else OMS, account))
    return tuple(steps), tuple(placed)


def _cancel_one(space: SearchSpace, role: str, random: Random) -> tuple[tuple[Step, ...], tuple[PlannedState, ...]]:
    """Calls for one of several orders each; sometimes for one again, for two, or for none."""
    rules = space.rules
    calls = 1 if random.random() < 0.7 else random.randint(2, 3)
    placed = [_numbered(f"o{number}", rules, role, random) for number in range(random.randint(1, 3))]
    placed += _beside(rules, role, random, quote=0.15, many=0.02)
    steps: list[Step] = []
    for turn in range(calls):
        if turn and random.random() < 0.4:
            placed.append(_numbered(f"o{len(placed)}", rules, role, random, turn))
        steps.append(_one_order(rules, role, [one.thing for one in placed if _is_one_order(one)], random))
    return tuple(steps), tuple(placed)


def _one_order(rules: Rules, role: str, orders: list[OrderOrQuote], random: Random) -> Request:
    """Mostly an order by one of its numbers and in its account; seldom two numbers, a wrong one, or none."""
    thing, other = random.choice(orders), random.choice(orders)
    number = f"{thing.name}{CLIENT}"
    named = {"client": number} if thing.client and random.random() < 0.6 else {"order": thing.name}
    chance = random.random()
    if chance < 0.08:
        named = {"order": thing.name, "client": f"{other.name}{CLIENT}" if other.client else "unknown_order2"}
    elif chance < 0.12:
        named = {"order": number} if thing.client else {"client": thing.name}
    elif chance < 0.2:
        named = {random.choice(("order", "client")): random.choice(_UNKNOWN)}
    elif chance < 0.24:
        named = {}
    accounts = [thing.account] if random.random() < 0.65 else ["", _any_account(rules, role, random)]
    account = random.choice(accounts)
    return Request(role, _oms(random), thing.account if not account and role in rules.every else account, **named)


def _cancel_quote(space: SearchSpace, role: str, random: Random) -> tuple[tuple[Step, ...], tuple[PlannedState, ...]]:
    """At most one open quote on a place at a time: a gateway shows no more than that."""
    rules = space.rules
    places = [(account, instrument) for account in rules.quoting for instrument in INSTRUMENTS]
    chosen = random.sample(places, random.randint(1, 3))
    placed = [_quote(f"q{number}", *place, gone=random.random() < 0.1) for number, place in enumerate(chosen)]
    if random.random() < 0.25:
        placed.append(_order(f"o{len(placed)}", _account(rules, space.operation.role, random), random))
    calls = 1 if random.random() < 0.6 else random.randint(2, 3)
    steps: list[Step] = []
    for turn in range(calls):
        request = _quote_request(rules, role, placed, random)
        steps.append(request)
        if (
            turn < calls - 1
            and request.bid.partition(".")[0] == request.ask.partition(".")[0]
            and random.random() < 0.4
        ):
            replaced = next((one for one in placed if one.thing.name == request.bid.partition(".")[0]), None)
            if replaced is not None and replaced.thing.quote:
                placed.append(_quote(f"q{len(placed)}", replaced.thing.account, replaced.thing.instrument, turn + 1))
    return tuple(steps), tuple(placed)


def _quote_request(rules: Rules, role: str, placed: list[PlannedState], random: Random) -> Request:
    """Mostly one quote as it stands; now and then a leg, a place or an account of something else, or a leg left out."""
    main = random.choice([one.thing for one in placed if one.thing.quote])
    legs = [f"{main.name}.bid", f"{main.name}.ask"]
    chance = random.random()
    if chance < 0.3:
        others = [name for one in placed for name in one.thing.watched]
        legs[random.randrange(2)] = random.choice([*others, *_UNKNOWN])
    elif chance < 0.36:
        legs.reverse()
    elif chance < 0.42:
        legs = list(_UNKNOWN)
    elif chance < 0.54:
        legs[random.randrange(2)] = ""
    account = main.account if random.random() < 0.75 else random.choice(("", _any_account(rules, role, random)))
    instrument = main.instrument if random.random() < 0.6 else random.choice(("", *INSTRUMENTS))
    return Request(role, _oms(random), account, instrument, *legs)


def _account(rules: Rules, role: str, random: Random) -> str:
    """An account in which something stands: often one that the role may touch."""
    own = own_accounts(rules, role)
    every = [name for names in rules.accounts.values() for name in names]
    return random.choice(own) if own and random.random() < 0.7 else random.choice(every)


def _any_account(rules: Rules, role: str, random: Random) -> str:
    """An account to name, an unknown one or none at all among them."""
    chance = random.random()
    if chance < 0.1:
        return "unknown_account"
    return "" if chance < 0.25 else _account(rules, role, random)


def _oms(random: Random) -> str:
    chance = random.random()
    return OMS if chance < 0.92 else "other_oms" if chance < 0.96 else "unknown_oms"


def _order(name: str, account: str, random: Random, after: int = 0) -> PlannedState:
    thing = OrderOrQuote(name, quote=False, account=account, instrument=random.choice(INSTRUMENTS))
    return PlannedState(thing, after, side=random.choice(("", "sell")))


def _numbered(name: str, rules: Rules, role: str, random: Random, after: int = 0) -> PlannedState:
    """An order, often one that its client gave a number."""
    one = _order(name, _account(rules, role, random), random, after)
    return replace(one, thing=replace(one.thing, client=random.random() < 0.5))


def _beside(rules: Rules, role: str, random: Random, *, quote: float, many: float) -> list[PlannedState]:
    """Now and then a quote, and now and then very many orders, so often each."""
    found = [_quote("q0", random.choice(rules.quoting), random.choice(INSTRUMENTS))] if random.random() < quote else []
    if random.random() < many:
        found.append(replace(_order("many", _account(rules, role, random), random), count=random.choice(_MANY)))
    return found


def _is_one_order(one: PlannedState) -> bool:
    return not one.thing.quote and one.count == 1


def _quote(name: str, account: str, instrument: str, after: int = 0, *, gone: bool = False) -> PlannedState:
    return PlannedState(OrderOrQuote(name, quote=True, account=account, instrument=instrument), after, gone=gone)


_MAKERS: Mapping[str, Callable[[SearchSpace, str, Random], tuple[tuple[Step, ...], tuple[PlannedState, ...]]]] = {
    "cancel-all": _cancel_all,
    "cancel-one": _cancel_one,
    "cancel-quote": _cancel_quote,
}
