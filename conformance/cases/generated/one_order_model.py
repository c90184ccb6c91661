"""The model of an operation that cancels one order of an account, named by its own number or by its client's.

It takes only what it is sure of: where a request has several faults at once, the code of any of them is right, and
an order of the caller's own that stands in another account than the one meant may be found or not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from conformance.cases.generated.account_model import Request, Thing, own_accounts, put, refused_early
from conformance.cases.generated.rules import OPEN, Foreseen, Rules, Standing, Way, foreseen

CLIENT = ".client"
"""Behind the name of an order: the number that its client gave it."""
_NOT_THERE = [100, 104]
_ANY_REFUSAL = [20, 100, 104]
_GONE = [0, 100, 101, 104]


def foresee_cancel_one(
    rules: Rules, allowed: Sequence[str], request: Request, things: Sequence[Thing], standing: Standing
) -> Foreseen | None:
    """What must hold of one call. None for a call that no account is named in by someone who may touch all."""
    if not request.account and request.role in rules.every:
        return None
    named = rules.requirement
    meant = [_meant(name, part, things) for part, name in _names(request)]
    early = refused_early(rules, allowed, request, standing)
    if early is not None:
        requirement, ways = early
        sound = meant and all(one is not None and one.account == request.account for one in meant)
        return foreseen(requirement, ways if sound else _widened(ways), named["cancelled"], named["refused"])
    if not meant:
        return foreseen(named["neither"], (Way({"code": [100]}, standing),), named["cancelled"], named["neither"])
    place = request.account or own_accounts(rules, request.role)[0]
    own = own_accounts(rules, request.role)
    ways = tuple(way for one in meant for way in _ways(one, place, own, standing))
    if len(meant) > 1:
        same = all(one is not None and one is meant[0] for one in meant)
        ways = (*ways, Way({"code": [100] if same else _NOT_THERE}, standing))
    refused = all(0 not in way.answer["code"] for way in ways)
    requirement = named[_departure(request, meant, place, own, standing)]
    kept = {str(way): way for way in ways}
    return foreseen(requirement, tuple(kept.values()), named["cancelled"], named["refused" if refused else "untouched"])


def _names(request: Request) -> list[tuple[str, str]]:
    return [(part, name) for part, name in (("order", request.order), ("client", request.client)) if name]


def _meant(name: str, part: str, things: Sequence[Thing]) -> Thing | None:
    """The order that a number names as what it is sent as: each kind of number is good for its own member alone."""
    by_client = name.endswith(CLIENT)
    if by_client is not (part == "client"):
        return None
    return next((one for one in things if one.name == name.removesuffix(CLIENT)), None)


def _ways(one: Thing | None, place: str, own: Sequence[str], standing: Standing) -> tuple[Way, ...]:
    """The right answers to a call that names this order alone."""
    if one is None:
        return (Way({"code": _NOT_THERE}, standing),)
    if one.account not in own:
        return (Way({"code": _ANY_REFUSAL}, standing),)
    if standing.get(one.name) != OPEN:
        return (Way({"code": _GONE}, standing),)
    done = Way({"code": [0]}, put(standing, (one.name,)))
    return (done,) if one.account == place else (done, Way({"code": _NOT_THERE}, standing))


def _widened(ways: Sequence[Way]) -> tuple[Way, ...]:
    """With the codes for an order that is not there."""
    return tuple(Way({"code": sorted({*way.answer["code"], *_NOT_THERE})}, way.after) for way in ways)


def _departure(
    request: Request, meant: Sequence[Thing | None], place: str, own: Sequence[str], standing: Mapping[str, str]
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
