"""A named case and the model of its operation judge the same situation alike: what one allows, the other does not forbid."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from cases_support import contract

from conformance.cases.fixtures import load_cases
from conformance.cases.generated.account_model import OrderOrQuote, Request
from conformance.cases.generated.accounts import MODELS
from conformance.cases.generated.rules import CANCELLED, OPEN, Rules, rules_of
from conformance.cases.make import FRAME
from conformance.model.case import Alternative, Case
from conformance.model.spec import Operation

_BARE = re.compile(r'(?<!")(\$\{[^}]*\})(?!")')
_PLACE = re.compile(r"\$\{([\w.]+)\}")
_STATES = {"open-order": OPEN, "open-quote": OPEN, "cancelled-quote": CANCELLED}

Outcome = tuple[tuple[str, ...], tuple[tuple[str, str], ...]]
"""The code of each part of an answer, and what became of each thing that the case watches."""


@dataclass(frozen=True, slots=True)
class Situation:
    """A call as a model sees it: who asks for what, and what stands where."""

    request: Request
    things: tuple[OrderOrQuote, ...]
    standing: Mapping[str, str]


def situation_of(operation: Operation, case: Case, rules: Rules) -> Situation | None:
    """The situation of a case that is one plain call; None where its form, its history or its values are odd."""
    members = plain_members(operation, case)
    parts = {member: part for part, member in rules.members.items()}
    if members is None or not members.keys() <= parts.keys() or "oms" not in {parts[name] for name in members}:
        return None
    if case.role not in {*rules.every, *rules.accounts}:  # the model does not know what is his own
        return None
    things = []
    for name, need in case.states.items():
        if need.state not in _STATES or "after" in need.params or "count" in need.params:
            return None
        account, instrument = (str(need.params.get(key, f"${{{key}}}"))[2:-1] for key in ("account", "instrument"))
        things.append(
            OrderOrQuote(name, need.state != "open-order", account, instrument, bool(need.params.get("client")))
        )
    standing = {one: _STATES[case.states[thing.name].state] for thing in things for one in thing.watched}
    request = Request(case.role, **{parts[member]: name for member, name in members.items()})
    return Situation(request, tuple(things), standing)


def plain_members(operation: Operation, case: Case) -> Mapping[str, str] | None:
    """Member to the binding that stands in it, of a message in the documented form."""
    sent, body = case.message, case.message.body
    in_form = sent.frame == FRAME.replace("CALL", operation.call) or (sent.method, sent.path) == (
        operation.method,
        operation.path,
    )
    if case.session is not None or case.beside:  # a model knows neither lost sessions nor two calls at once
        return None
    if case.before or case.together > 1 or case.provoke or body.repeat or body.encoding != "utf-8" or not in_form:
        return None
    try:
        pairs = json.loads(_BARE.sub(r'"\1"', body.text), object_pairs_hook=tuple)
    except (ValueError, RecursionError):
        return None
    if not isinstance(pairs, tuple):
        return None
    places = [_PLACE.fullmatch(value) if isinstance(value, str) else None for _, value in pairs]
    members = {name: place.group(1) for (name, _), place in zip(pairs, places, strict=True) if place}
    return members if len(members) == len(pairs) else None  # a member that stands twice is odd


def outcomes(alternatives: Iterable[Alternative], watched: Sequence[str], *, pair: bool) -> set[Outcome]:
    """Each single outcome that the alternatives allow."""
    found: set[Outcome] = set()
    for one in alternatives:
        effect = tuple((name, "gone" if name in one.cancelled else "kept") for name in watched)
        answer = one.wanted
        if "bid" in answer or "ask" in answer:
            codes = [(bid, ask) for bid in as_list(answer["bid"]) for ask in as_list(answer["ask"])]
        elif pair and answer.get("form", "pair") == "pair":
            codes = [(bid, ask) for bid in as_list(answer["code"]) for ask in as_list(answer["code"])]
        else:
            codes = [(code,) for code in as_list(answer.get("code", answer.get("form")))]
        found.update((tuple(map(str, parts)), effect) for parts in codes)
    return found


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def forbidden(case: Case, prediction: Iterable[Alternative], *, pair: bool) -> set[Outcome]:
    """What a model allows and the named case does not.

    The same early error stands in both legs, by ruling: two different refusals are not compared. A flat answer is
    a refusal of the pair.
    """
    watched = sorted({name for one in case.expect.any_of for name in (*one.cancelled, *one.untouched)})
    named = outcomes(case.expect.any_of, watched, pair=pair)
    named |= {((codes[0],), effect) for codes, effect in named if len(set(codes)) == 1}
    model = outcomes(prediction, watched, pair=pair)
    return {one for one in model - named if "0" in one[0] or len(set(one[0])) == 1}


@pytest.mark.parametrize(
    "operation", ["alphapoint.cancel_all_orders", "alphapoint.cancel_order", "alphapoint.cancel_quote"]
)
def test_named_case_and_model_allow_the_same_answers(operation: str) -> None:
    one = contract().operations[operation]
    rules = rules_of(one)
    compared, at_odds = 0, {}
    for case in load_cases(contract(), [operation]):
        situation = situation_of(one, case, rules)
        if situation is None or "/codes/" in case.id:  # the cell of a code asks for that code
            continue
        predicted = MODELS[rules.model](
            rules, one.roles_allowed, situation.request, situation.things, situation.standing
        )
        if predicted is not None:
            compared += 1
            at_odds[case.id] = forbidden(case, predicted.expect.any_of, pair=bool(one.shape.legs))
    assert {case: sorted(found) for case, found in at_odds.items() if found} == {}
    assert compared > 60


def test_two_expectations_of_one_situation_are_seen_to_differ() -> None:
    operation = contract().operations["alphapoint.cancel_all_orders"]
    case = next(one for one in load_cases(contract(), [operation.id]) if one.id == "cao/effects/nothing-open@http")
    received = Alternative({"code": [0]})
    refused = Alternative({"code": [20]})
    assert forbidden(case, [received], pair=False) == set()
    assert forbidden(case, [received, refused], pair=False) == {(("20",), ())}
