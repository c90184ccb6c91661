"""The models of CancelAllOrders and CancelQuote: which orders and quotes of which accounts are gone after a call.

Both take only what they are sure of: where a request has several faults at once, the code of any of them is right.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.cases.generated.rules import CANCELLED, OPEN, Foreseen, Rules, Standing, Way, foreseen

OMS = "oms"
_ANY_REFUSAL = [20, 100, 104]
_NOT_THERE = [100, 104]


@dataclass(frozen=True, slots=True)
class Thing:
    """An order, or a quote with its two legs; `account` and `instrument` are names of bindings.

    `client`: the order is placed under a number of its client's own, bound as `NAME.client`.
    """

    name: str
    quote: bool
    account: str
    instrument: str
    client: bool = False

    @property
    def watched(self) -> tuple[str, ...]:
        """The names under which it is observed."""
        return (f"{self.name}.bid", f"{self.name}.ask") if self.quote else (self.name,)


@dataclass(frozen=True, slots=True)
class Request:
    """One call by the names of what it names; an empty name is a member that is left out."""

    role: str
    oms: str = OMS
    account: str = ""
    instrument: str = ""
    bid: str = ""
    ask: str = ""
    order: str = ""
    client: str = ""


def is_known(name: str) -> bool:
    """Whether a binding of this name is something that exists."""
    return not name.startswith("unknown")


def own_accounts(rules: Rules, role: str) -> tuple[str, ...]:
    """The accounts that a role may touch, the default one first."""
    if role in rules.every:
        return tuple(name for names in rules.accounts.values() for name in names)
    return tuple(rules.accounts.get(role, ()))


def put(standing: Standing, names: Iterable[str]) -> dict[str, str]:
    """The standing with these names cancelled."""
    return {**standing, **dict.fromkeys(names, CANCELLED)}


def refused_early(
    rules: Rules, allowed: Sequence[str], request: Request, standing: Standing
) -> tuple[str, tuple[Way, ...]] | None:
    """The requirement and the answers where role, system or account alone refuse the call; None where they do not."""
    lost = request.oms != OMS or not is_known(request.account)
    own = request.account in own_accounts(rules, request.role) or not request.account
    if request.role not in allowed:
        codes = _ANY_REFUSAL if lost else [20] if own else [20, 104]
        return rules.requirement["role"], (Way({"code": codes}, standing),)
    if lost:
        return rules.requirement["unknown"], (Way({"code": _ANY_REFUSAL}, standing),)
    if not own:
        return rules.requirement["foreign"], (Way({"code": [20, 104]}, standing),)
    return None


def foresee_cancel_all(
    rules: Rules, allowed: Sequence[str], request: Request, things: Sequence[Thing], standing: Standing
) -> Foreseen | None:
    """What must hold of CancelAllOrders. None for a call that no single account is named in by someone who may touch all."""
    if not request.account and (request.role in rules.every or request.role not in allowed):
        return None
    named = rules.requirement
    early = refused_early(rules, allowed, request, standing)
    if early is not None:
        return foreseen(*early, named["cancelled"], named["refused"])
    if request.account:
        ways = tuple(_emptied([request.account], things, standing))
    else:
        own = own_accounts(rules, request.role)
        ways = (*_emptied(own[:1], things, standing), *_emptied(own, things, standing), Way({"code": [100]}, standing))
    nothing = all(one.after == standing for one in ways)
    requirement = named["omitted"] if not request.account else named["again"] if nothing else named["done"]
    return foreseen(
        requirement, tuple({str(one): one for one in ways}.values()), named["cancelled"], named["untouched"]
    )


def _emptied(accounts: Sequence[str], things: Sequence[Thing], standing: Standing) -> Iterable[Way]:
    """The orders of these accounts go; whether quotes go with them is nowhere said."""
    here = [one for one in things if one.account in accounts]
    orders = [name for one in here if not one.quote for name in one.watched if standing.get(name) == OPEN]
    quotes = [name for one in here if one.quote for name in one.watched if standing.get(name) == OPEN]
    done = put(standing, orders)
    yield Way({"code": [0]}, done)
    if quotes:
        yield Way({"code": [0]}, put(done, quotes))
    if not orders:
        yield Way({"code": [101, 104]}, standing)


def foresee_cancel_quote(
    rules: Rules, allowed: Sequence[str], request: Request, things: Sequence[Thing], standing: Standing
) -> Foreseen | None:
    """What must hold of CancelQuote. None where a leg each of two quotes would be right."""
    named = rules.requirement
    early = refused_early(rules, allowed, request, standing)
    if early is not None:
        requirement, ways = early
        if not (request.bid and request.ask):
            ways = (*ways, Way({"code": [100]}, standing))
        elif request.oms != OMS and is_known(request.oms) and request.role in allowed:
            ways = (*ways, Way({"code": [0]}, standing))  # receipt of a call for quotes that are not there
        return foreseen(requirement, ways, named["cancelled"], named["refused"])
    if not request.account and request.role in rules.every:
        return None
    place = request.account or own_accounts(rules, request.role)[0]
    by_name = {name: one for one in things for name in one.watched}
    own = own_accounts(rules, request.role)
    bid, ask = (_leg(request, place, leg, own, by_name, standing) for leg in ("bid", "ask"))
    if bid.right and ask.right:
        if by_name[request.bid] is not by_name[request.ask]:
            return None
        done = Way({"code": [0]}, put(standing, (request.bid, request.ask)))
        return foreseen(named["done"], (done,), named["cancelled"], named["untouched"])
    if bid.right or ask.right:
        ways = _one_right(request, bid, ask, standing)
    else:
        ways = _none_right(request, bid, ask, by_name, standing)
    gone = bid.gone and ask.gone
    part = "again" if gone else "legs" if request.bid and request.ask else "ask" if request.bid else "bid"
    return foreseen(named[part], ways, named["cancelled"], named["refused"])


@dataclass(frozen=True, slots=True)
class _Leg:
    """Whether a leg's id is the right one, or names nothing that is open; `misplaced`: right but for the place named.

    A leg that is left out is neither: it is never received.
    """

    right: bool
    gone: bool
    misplaced: bool
    codes: list[int]


def _leg(
    request: Request, place: str, leg: str, own: Sequence[str], things: Mapping[str, Thing], standing: Standing
) -> _Leg:
    name = request.bid if leg == "bid" else request.ask
    thing = things.get(name)
    if not name:
        return _Leg(right=False, gone=False, misplaced=False, codes=_NOT_THERE)
    if thing is None:
        return _Leg(right=False, gone=True, misplaced=False, codes=_NOT_THERE)
    hidden = not request.account and thing.account != place
    codes = _NOT_THERE if thing.account in own and not hidden else _ANY_REFUSAL
    if standing.get(name) != OPEN:
        return _Leg(right=False, gone=True, misplaced=False, codes=codes)
    fitting = thing.quote and name.endswith(f".{leg}")
    here = thing.account == place and request.instrument in ("", thing.instrument)
    return _Leg(right=fitting and here, gone=False, misplaced=fitting and not here, codes=codes)


def _one_right(request: Request, bid: _Leg, ask: _Leg, standing: Standing) -> tuple[Way, ...]:
    right = request.bid if bid.right else request.ask
    wrong_name, right_name, wrong = ("ask", "bid", ask) if bid.right else ("bid", "ask", bid)
    return (
        Way({wrong_name: wrong.codes, right_name: wrong.codes}, standing),
        Way({wrong_name: wrong.codes, right_name: [0]}, put(standing, (right,))),
        Way({"form": "flat", "code": wrong.codes}, standing),
    )


def _none_right(
    request: Request, bid: _Leg, ask: _Leg, things: Mapping[str, Thing], standing: Standing
) -> tuple[Way, ...]:
    """Refused; a success that means receipt for what is gone, or for a quote that does not stand where it is said to."""
    codes = sorted({*bid.codes, *ask.codes})
    ways = [Way({"code": codes}, standing)]
    received: dict[str, Any] = {
        name: sorted({*codes, 0}) if leg.gone or leg.misplaced else codes for name, leg in (("bid", bid), ("ask", ask))
    }
    ways.append(Way(received, standing))
    own = bid.misplaced and ask.misplaced and things[request.bid] is things[request.ask]
    if own and request.account and 20 not in codes:
        ways.append(Way({"code": [0]}, put(standing, (request.bid, request.ask))))
    return tuple(ways)
