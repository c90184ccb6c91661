"""The models of calls on accounts: which orders and quotes are gone after CancelAllOrders, CancelQuote or CancelOrder.

Each takes only what it is sure of: where a request has several faults at once, the code of any of them is right.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.cases.expect import Ruling
from conformance.cases.generated.rules import CANCELLED, OPEN, PossibleAnswer, Predicted, Rules, Standing, prediction

OMS = "oms"
_MIXED, _RECEIVED, _EARLY = "mixed-legs", "received-is-not-cancelled", "early-error"
_LEFT_OUT, _QUOTES, _NOTHING_LEFT = "account-left-out", "quotes-and-members", "nothing-left"
"""Rulings that these models alone rest on."""
_ANY_REFUSAL = [20, 100, 104]
_NOT_THERE = [100, 104]
_FOUND_IN_A_LEG = 104
"""That an id names nothing is found by looking at the legs, and told of both."""


@dataclass(frozen=True, slots=True)
class OrderOrQuote:
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
) -> tuple[str, tuple[PossibleAnswer, ...]] | None:
    """The requirement and the answers where role, system or account alone refuse the call; None where they do not."""
    lost = request.oms != OMS or not is_known(request.account)
    own = request.account in own_accounts(rules, request.role) or not request.account
    if request.role not in allowed:
        codes = _ANY_REFUSAL if lost else [20] if own else [20, 104]
        because = (Ruling.ORDER_OF_ERRORS if lost else Ruling.HIDDEN_PLACE,)
        return rules.requirement["role"], (PossibleAnswer({"code": codes}, standing, because),)
    if lost:
        unknown = PossibleAnswer({"code": _ANY_REFUSAL}, standing, (Ruling.CODE_OF_UNKNOWN,))
        return rules.requirement["unknown"], (unknown,)
    if not own:
        foreign = PossibleAnswer({"code": [20, 104]}, standing, (Ruling.HIDDEN_PLACE,))
        return rules.requirement["foreign"], (foreign,)
    return None


def predict_cancel_all(
    rules: Rules, allowed: Sequence[str], request: Request, things: Sequence[OrderOrQuote], standing: Standing
) -> Predicted | None:
    """What must hold of CancelAllOrders. None if the caller may touch every account and names none."""
    if not request.account and (request.role in rules.every or request.role not in allowed):
        return None
    named = rules.requirement
    early = refused_early(rules, allowed, request, standing)
    if early is not None:
        return prediction(*early, named["cancelled"], named["refused"])
    if request.account:
        answers = tuple(_emptied([request.account], things, standing))
    else:
        own = own_accounts(rules, request.role)
        answers = (
            *_emptied(own[:1], things, standing),
            *_emptied(own, things, standing),
            PossibleAnswer({"code": [20, 100]}, standing, (_LEFT_OUT,)),
        )
    nothing = all(one.after == standing for one in answers)
    requirement = named["omitted"] if not request.account else named["again"] if nothing else named["done"]
    return prediction(
        requirement, tuple({str(one): one for one in answers}.values()), named["cancelled"], named["untouched"]
    )


def _emptied(accounts: Sequence[str], things: Sequence[OrderOrQuote], standing: Standing) -> Iterable[PossibleAnswer]:
    """The orders of these accounts go; whether quotes go with them is nowhere said."""
    here = [one for one in things if one.account in accounts]
    orders = [name for one in here if not one.quote for name in one.watched if standing.get(name) == OPEN]
    quotes = [name for one in here if one.quote for name in one.watched if standing.get(name) == OPEN]
    done = put(standing, orders)
    because = (_QUOTES, _LEFT_OUT)
    yield PossibleAnswer({"code": [0]}, done, because)
    if quotes:
        yield PossibleAnswer({"code": [0]}, put(done, quotes), because)
    if not orders:
        yield PossibleAnswer({"code": [101, 104]}, standing, (_NOTHING_LEFT,))


def predict_cancel_quote(
    rules: Rules, allowed: Sequence[str], request: Request, things: Sequence[OrderOrQuote], standing: Standing
) -> Predicted | None:
    """What must hold of CancelQuote. None where a leg each of two quotes would be right."""
    named = rules.requirement
    early = refused_early(rules, allowed, request, standing)
    if early is not None:
        requirement, answers = early
        answers = (*answers, *_also_when_refused(allowed, request, standing))
        return prediction(requirement, answers, named["cancelled"], named["refused"])
    if not request.account and request.role in rules.every:
        return None
    place = request.account or own_accounts(rules, request.role)[0]
    by_name = {name: one for one in things for name in one.watched}
    own = own_accounts(rules, request.role)
    bid, ask = (_leg(request, place, leg, own, by_name, standing) for leg in ("bid", "ask"))
    if bid.right and ask.right:
        if by_name[request.bid] is not by_name[request.ask]:
            return None
        done = PossibleAnswer({"code": [0]}, put(standing, (request.bid, request.ask)))
        return prediction(named["done"], (done,), named["cancelled"], named["untouched"])
    answers = _one_right(request, bid, ask, standing) if bid.right or ask.right else _none_right(bid, ask, standing)
    return prediction(named[_part_of(request, bid, ask)], answers, named["cancelled"], named["refused"])


def _also_when_refused(allowed: Sequence[str], request: Request, standing: Standing) -> Iterator[PossibleAnswer]:
    """Other right answers to an early refusal: for a leg left out, or receipt for quotes that do not exist."""
    if not (request.bid and request.ask):
        yield PossibleAnswer({"code": [100]}, standing, (Ruling.ORDER_OF_ERRORS,))
    elif request.oms != OMS and is_known(request.oms) and request.role in allowed:
        yield PossibleAnswer({"code": [0]}, standing, (_RECEIVED,))


def _part_of(request: Request, bid: _Leg, ask: _Leg) -> str:
    """The rule that a call speaks for whose legs are not both right."""
    if bid.gone and ask.gone:
        return "again"
    if request.bid and request.ask:
        return "legs"
    return "ask" if request.bid else "bid"


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
    request: Request, place: str, leg: str, own: Sequence[str], things: Mapping[str, OrderOrQuote], standing: Standing
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


def _one_right(request: Request, bid: _Leg, ask: _Leg, standing: Standing) -> tuple[PossibleAnswer, ...]:
    right = request.bid if bid.right else request.ask
    wrong_name, right_name, wrong = ("ask", "bid", ask) if bid.right else ("bid", "ask", bid)
    before = [code for code in wrong.codes if code != _FOUND_IN_A_LEG]
    because = (_MIXED, Ruling.CODE_OF_UNKNOWN)
    return (
        PossibleAnswer({wrong_name: wrong.codes, right_name: wrong.codes}, standing, because),
        PossibleAnswer({wrong_name: wrong.codes, right_name: [0]}, put(standing, (right,)), because),
        PossibleAnswer({"form": "flat", "code": before}, standing, (*because, _EARLY)),
    )


def _none_right(bid: _Leg, ask: _Leg, standing: Standing) -> tuple[PossibleAnswer, ...]:
    """Refused, or a success that only means receipt: for a gone quote, or for one that is not where the call says."""
    codes = sorted({*bid.codes, *ask.codes})
    because = (_RECEIVED, Ruling.CODE_OF_UNKNOWN)
    answers = [PossibleAnswer({"code": codes}, standing, because)]
    received: dict[str, Any] = {
        name: sorted({*codes, 0}) if leg.gone or leg.misplaced else codes for name, leg in (("bid", bid), ("ask", ask))
    }
    answers.append(PossibleAnswer(received, standing, because))
    return tuple(answers)


CLIENT = ".client"
"""Behind the name of an order: the number that its client gave it."""
_GONE = [100, 101, 104]


def predict_cancel_one(
    rules: Rules, allowed: Sequence[str], request: Request, things: Sequence[OrderOrQuote], standing: Standing
) -> Predicted | None:
    """What must hold of one call. None for a call that no account is named in by someone who may touch all."""
    if not request.account and request.role in rules.every:
        return None
    named = rules.requirement
    meant = [_meant(name, part, things) for part, name in _names(request)]
    early = refused_early(rules, allowed, request, standing)
    if early is not None:
        requirement, answers = early
        sound = len(meant) == 1 and meant[0] is not None and meant[0].account == request.account
        return prediction(requirement, answers if sound else _widened(answers), named["cancelled"], named["refused"])
    if not meant:
        return prediction(
            named["neither"], (PossibleAnswer({"code": [100]}, standing),), named["cancelled"], named["neither"]
        )
    place = request.account or own_accounts(rules, request.role)[0]
    own = own_accounts(rules, request.role)
    answers = tuple(
        possible
        for one in meant
        for possible in _possible(one, place, own, standing, named_place=bool(request.account))
    )
    if len(meant) > 1:
        same = all(one is not None and one is meant[0] for one in meant)
        refusal = PossibleAnswer({"code": [100] if same else _NOT_THERE}, standing, (named["both"],))
        answers = (*answers, refusal)
    refused = all(0 not in possible.wanted["code"] for possible in answers)
    requirement = named[_departure(request, meant, place, own, standing)]
    kept = {str(possible): possible for possible in answers}
    return prediction(
        requirement, tuple(kept.values()), named["cancelled"], named["refused" if refused else "untouched"]
    )


def _names(request: Request) -> list[tuple[str, str]]:
    return [(part, name) for part, name in (("order", request.order), ("client", request.client)) if name]


def _meant(name: str, part: str, things: Sequence[OrderOrQuote]) -> OrderOrQuote | None:
    """The order that a number names as what it is sent as: each kind of number is good for its own member alone."""
    by_client = name.endswith(CLIENT)
    if by_client is not (part == "client"):
        return None
    return next((one for one in things if one.name == name.removesuffix(CLIENT)), None)


def _possible(
    one: OrderOrQuote | None, place: str, own: Sequence[str], standing: Standing, *, named_place: bool
) -> tuple[PossibleAnswer, ...]:
    """The right answers to a call for this order alone; an account that the call names must hold the order."""
    if one is None:
        return (PossibleAnswer({"code": _NOT_THERE}, standing, (Ruling.CODE_OF_UNKNOWN,)),)
    if one.account not in own:
        return (PossibleAnswer({"code": _ANY_REFUSAL}, standing, (Ruling.HIDDEN_PLACE,)),)
    if standing.get(one.name) != OPEN:
        return (PossibleAnswer({"code": _GONE}, standing, (_NOTHING_LEFT,)),)
    done, absent = (
        PossibleAnswer({"code": [0]}, put(standing, (one.name,))),
        PossibleAnswer({"code": _NOT_THERE}, standing, (Ruling.CODE_OF_UNKNOWN,)),
    )
    if one.account == place:
        return (done,)
    return (absent,) if named_place else (done, absent)


def _widened(answers: Sequence[PossibleAnswer]) -> tuple[PossibleAnswer, ...]:
    """With the codes for an order that is not there."""
    return tuple(
        PossibleAnswer(
            {"code": sorted({*possible.wanted["code"], *_NOT_THERE})}, possible.after, (Ruling.ORDER_OF_ERRORS,)
        )
        for possible in answers
    )


def _departure(
    request: Request, meant: Sequence[OrderOrQuote | None], place: str, own: Sequence[str], standing: Mapping[str, str]
) -> str:
    """What the request is about, as the rules name their requirements."""
    one = meant[0]
    if len(meant) > 1:
        return "both"
    if one is None:
        return "unknown"
    if one.account not in own:
        return "foreign"
    if standing.get(one.name) != OPEN:
        return "again"
    if not request.account:
        return "omitted"
    return "unknown" if one.account != place else "client" if request.client else "done"
