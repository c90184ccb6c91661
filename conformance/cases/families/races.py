"""Races: short bursts of sessions that call for the same orders and quotes at the same moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from conformance.cases.generated.races import ALL, LIST, QUOTE, Act, Burst, Hand, Thing, burst_case, stranger_of
from conformance.cases.kinds import first_kind
from conformance.cases.make import channels
from conformance.model.case import Case
from conformance.model.spec import Explored, Operation


def race_cases(operation: Operation) -> Iterator[Case]:
    """The bursts of the operation's model over each channel; none where the contract names no model."""
    rules = operation.explore
    if rules is None or rules.model not in _BURSTS:
        return
    for name, burst in _BURSTS[rules.model](operation, rules).items():
        for channel in channels(operation):
            yield burst_case(operation, channel, f"races/{name}", burst)


def _hands(operation: Operation, rules: Explored, *acts: tuple[Act, ...]) -> tuple[Hand, ...]:
    """Sessions with these steps: the role of the call and, in turn, one that may touch every account; both ways in turn."""
    roles = (operation.role, *rules.every[:1])
    # the pairs of a role and a way alternate, so that four sessions are four different ones
    return tuple(
        Hand(roles[number % len(roles)], steps, other=(number // len(roles)) % 2 == 1)
        for number, steps in enumerate(acts)
    )


def _cancel(*names: str, **more: Any) -> Act:
    return Act("cancel", names, **more)


def _look(*names: str) -> Act:
    return Act("look", names)


def _place(name: str) -> Act:
    return Act("place", (name,))


def _one(operation: Operation, rules: Explored) -> Mapping[str, Burst]:
    """Bursts of a call that cancels one order."""
    own, second, stranger = _accounts(operation, rules)
    mine, other = Thing("mine", own), Thing("other", own)
    named, beyond = Thing("mine", own, client=True), Thing("stranger", stranger)
    new = [Thing(f"new{number}", own, placed=True) for number in range(1, 4)]

    def hands(*acts: tuple[Act, ...]) -> tuple[Hand, ...]:
        return _hands(operation, rules, *acts)

    call, looked = _cancel("mine"), _look("mine", "other")
    return {
        "one-order": Burst(
            "Four sessions cancel one order at the same moment, one of them twice",
            (mine, other, beyond),
            hands((call, call), (call,), (call,), (call,)),
        ),
        "by-two-names": Burst(
            "One order is cancelled by its own number and by its client's at the same moment",
            (named, other),
            hands((call,), (_cancel("mine", by_client=True),), (_cancel("mine", by_client=True),), (call,)),
        ),
        "each-its-own": Burst(
            "Four sessions cancel an order each, and one that does not exist",
            (mine, other, Thing("third", second), Thing("fourth", own, client=True), Thing("left", own), beyond),
            hands(
                (call, _cancel("")), (_cancel("other"),), (_cancel("third"),), (_cancel("fourth", by_client=True),),
            ),
        ),
        "new-orders": Burst(
            "Orders are placed while another one is cancelled, and stay open",
            (mine, other, *new),
            hands((call, looked), (_place("new1"), call), (_place("new2"), _place("new3")), (call,)),
        ),
        "in-turns": Burst(
            "Two orders are cancelled by two sessions in opposite turns",
            (mine, other, beyond),
            hands((call, _cancel("other")), (_cancel("other"), call), (looked, looked, looked)),
        ),
    }  # fmt: skip


def _every(operation: Operation, rules: Explored) -> Mapping[str, Burst]:
    """Bursts of a call that cancels all orders of an account."""
    own, second, stranger = _accounts(operation, rules)
    mine, other, there = Thing("mine", own), Thing("other", own), Thing("there", second)
    beyond = Thing("stranger", stranger)
    later = [Thing(f"later{number}", second, placed=True) for number in range(1, 5)]

    def hands(*acts: tuple[Act, ...]) -> tuple[Hand, ...]:
        return _hands(operation, rules, *acts)

    def every(account: str) -> Act:
        return Act("cancel-all", account=account)

    return {
        "one-account": Burst(
            "Four sessions empty one account at the same moment",
            (mine, other, there, beyond),
            hands((every(own),), (every(own),), (every(own),), (every(own),)),
        ),
        "two-accounts": Burst(
            "Sessions empty two accounts at the same moment, and leave a third alone",
            (mine, other, there, beyond),
            hands((every(own),), (every(second),), (every(second),), (every(own),)),
        ),
        "with-single-calls": Burst(
            "An account is emptied while three of its orders are cancelled one by one",
            (mine, other, Thing("third", own), Thing("rest", own), there, beyond),
            hands(
                (every(own),),
                (Act("beside", ("mine",)),),
                (_look("other"), Act("beside", ("other",))),
                (_look("third"), _look("third"), Act("beside", ("third",))),
                (every(own),),
            ),
        ),
        "new-orders": Burst(
            "Orders are placed in one account before it is emptied, and in another one meanwhile",
            (mine, Thing("new", own, placed=True), *later, beyond),
            hands(
                (_place("new"), every(own)),
                (_place("later1"), _place("later2"), _place("later3")),
                (_look("mine"), _look("mine"), _place("later4")),
            ),
        ),
        "again": Burst(
            "An account is emptied twice by one session while another one looks at it and empties the other account",
            (mine, other, there, beyond),
            hands((every(own), every(own)), (_look("mine"), every(second), _look("mine"))),
        ),
    }


def _quotes(operation: Operation, rules: Explored) -> Mapping[str, Burst]:
    """Bursts of a call that cancels one quote."""
    own, second, _ = _accounts(operation, rules)
    quote, abroad = Thing("quote", own, state="open-quote"), Thing("abroad", own, "instrument2", state="open-quote")
    there = Thing("there", second, state="open-quote")
    new = Thing("new", second, "instrument2", placed=True, state="open-quote")

    def hands(*acts: tuple[Act, ...]) -> tuple[Hand, ...]:
        return _hands(operation, rules, *acts)

    call, looked = _cancel("quote"), _look("quote")
    return {
        "one-quote": Burst(
            "Four sessions cancel one quote at the same moment",
            (quote, abroad, there),
            hands((call,), (call,), (call,), (call,)),
        ),
        "each-its-own": Burst(
            "Three sessions cancel a quote each, and one that does not exist",
            (quote, abroad, there),
            hands((call, _cancel("")), (_cancel("abroad"),), (_cancel("there"),)),
        ),
        "looked-at": Burst(
            "A quote is cancelled by two sessions while others look whether it is gone",
            (quote, abroad),
            hands(
                (call, looked, looked, looked, looked),
                (looked, looked, looked, looked),
                (looked, call, looked, looked),
                (looked, looked),
            ),
        ),
        "new-quotes": Burst(
            "A quote is made while others are cancelled, and stays open",
            (quote, abroad, there, new),
            hands((call,), (_place("new"), looked), (_cancel("there"), looked), (call,)),
        ),
        "in-turns": Burst(
            "Two quotes are cancelled by two sessions in opposite turns",
            (quote, abroad, there),
            hands((call, _cancel("abroad")), (_cancel("abroad"), call), (looked,)),
        ),
    }


def _listed(operation: Operation, _rules: Explored) -> Mapping[str, Burst]:
    """Bursts of a call that takes a list, or one instruction: then what a list would name is called for in turn."""
    state = first_kind(operation).need.state
    things = tuple(Thing(name, state=state) for name in ("first", "second", "third", "left"))

    def hands(*acts: tuple[Act, ...]) -> tuple[Hand, ...]:
        return tuple(Hand(operation.role, steps, other=number % 2 == 1) for number, steps in enumerate(acts))

    one, two, three = (_cancel(name) for name in ("first", "second", "third"))
    whole = operation.shape.listed
    what = "lists" if whole else "calls"

    def each(*names: str) -> tuple[Act, ...]:
        return (_cancel(*names),) if whole else tuple(_cancel(name) for name in names)

    return {
        "one-order": Burst(
            f"Four {what} name one order at the same moment",
            (things[0], things[3]),
            hands((one, one), (one,), (one,), (one,)),
        ),
        "each-its-own": Burst(
            f"Three {what} name an order each at the same moment",
            things,
            hands((one,), (two,), (three,)),
        ),
        "in-turns": Burst(
            f"{what.capitalize()} name the same orders in opposite turns",
            things,
            hands(
                each("first", "second", "third"),
                each("third", "second", "first"),
                (*each("second", "first"), _look("first", "second")),
            ),
        ),
    }


def _accounts(operation: Operation, rules: Explored) -> tuple[str, str, str]:
    """The accounts of the role that calls, and one of somebody else's."""
    own = rules.accounts[operation.role]
    return own[0], own[-1], stranger_of(operation)


_BURSTS: Mapping[str, Callable[[Operation, Explored], Mapping[str, Burst]]] = {
    "cancel-one": _one, ALL: _every, QUOTE: _quotes, LIST: _listed,
}  # fmt: skip
