"""The model of an operation that cancels the orders in a list: for each instruction, whether it may succeed.

An instruction succeeds exactly when it is complete, its order is open at that moment, and its secret is right. What
the documents leave open is left open here: one order named twice, a broken instruction among others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from conformance.cases.trials.foreseen import Foreseen, Standing, Way, foreseen
from conformance.cases.trials.rules import CANCELLED, OPEN, Rules

Sort = Literal["whole", "refused", "broken", "unusable"]
MOST_WAYS = 32
_REFUSED = {"form": "refused"}


@dataclass(frozen=True, slots=True)
class Judged:
    """One instruction as the model sees it.

    whole: complete and legal; refused: complete, but its secret is wrong; broken: it lacks a member that it needs;
    unusable: a member has no value of its type. `thing` is the order it is for, empty for one that does not exist;
    `breaks` is the requirement that a broken or unusable one breaks.
    """

    sort: Sort
    thing: str = ""
    breaks: str = ""


@dataclass(slots=True)
class _Branch:
    after: dict[str, str]
    flags: list[bool] = field(default_factory=list)


def foresee_list(rules: Rules, fallback: str, effect: str, standing: Standing, listed: Sequence[Judged]) -> Foreseen | None:
    """What must hold of one list; None when there are too many right answers to tell them from wrong ones.

    `fallback` is the requirement where the rules name none, `effect` that of a failure which changes nothing.
    """
    requirement = _requirement(rules, standing, listed) or fallback
    harm = any(one.sort != "whole" and standing.get(one.thing) == OPEN for one in listed)
    inside = rules.requirement.get("cancelled", requirement)
    outside = effect if harm else rules.requirement.get("untouched", effect)
    if any(one.sort == "unusable" for one in listed):
        ways: tuple[Way, ...] = (Way({"results": "none"}, standing), Way(_REFUSED, standing))
        return foreseen(requirement, ways, inside, outside)
    twice = {name for name, count in Counter(one.thing for one in listed).items() if name and count > 1}
    whole = {one.thing for one in listed if one.sort == "whole"}
    branches = [_Branch(dict(standing))]
    for one in listed:
        branches = [grown for branch in branches for grown in _grown(branch, one, one.thing in twice & whole)]
        if len(branches) > MOST_WAYS:
            return None
    sure = any(all(branch.flags[place] for branch in branches) for place in range(len(listed)))
    refusable = not sure or any(one.sort == "broken" for one in listed) or bool(twice)
    found = [Way({"results": branch.flags}, branch.after) for branch in branches]
    if refusable:
        found.append(Way(_REFUSED, standing))
    return foreseen(requirement, tuple(found), inside, outside)


def _grown(branch: _Branch, one: Judged, twice: bool) -> list[_Branch]:
    """The branches behind one more instruction; results for one order named twice may change places."""
    failed = _Branch(branch.after, [*branch.flags, False])
    if (one.sort != "whole" and not twice) or branch.after.get(one.thing) != OPEN:
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
