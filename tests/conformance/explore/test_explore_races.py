"""Races at random: sound bursts from a seed, the smallest one that still breaks."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from random import Random

import pytest
from explore_support import search, serving

from conformance.cases.case_data import from_data, to_data
from conformance.cases.generated.race_trials import RaceTrial, random_race_trial
from conformance.cases.generated.races import Act, Burst, Hand, Thing
from conformance.cases.generated.rules import SearchSpace, Trial, search_space
from conformance.cases.generated.source import sources
from conformance.contract.load import load_contract
from conformance.explore.findings import Budget, shrink
from conformance.explore.search import streams_of, trial_of

pytestmark = pytest.mark.timeout(120)

CONTRACT = load_contract()
SPACES = [found for source in sources(CONTRACT, None, 0) if (found := search_space(source, (), ())) is not None]
STREAMS = streams_of(SPACES, races=True)


def space(short: str) -> SearchSpace:
    return next(one for one in SPACES if one.operation.short == short)


def trials(short: str, count: int = 80) -> list[RaceTrial]:
    return [random_race_trial(space(short), Random(number)) for number in range(count)]


def test_each_operation_with_a_model_has_races_and_nothing_else() -> None:
    made = {name: {maker.name for maker in makers} for name, makers in STREAMS.items()}
    assert made == {"free": {"tpp races", "tpp1 races"}, "desk": {"cao races", "co races", "cq races"}}


@pytest.mark.parametrize("stream", sorted(STREAMS))
def test_seed_gives_the_same_races_and_each_survives_its_file(stream: str) -> None:
    def cases(seed: int) -> list[object]:
        found = (trial_of(STREAMS[stream], seed, stream, number)[1].case() for number in range(40))
        return [to_data(case) for case in found if case is not None]

    first = cases(1)
    assert len(first) > 20
    assert first == cases(1)
    assert first != cases(2)
    assert [to_data(from_data(json.loads(json.dumps(one)))) for one in first] == first  # type: ignore[arg-type]


@pytest.mark.parametrize("short", ["cao", "co", "cq", "tpp"])
def test_race_has_sessions_that_meet_and_names_what_it_sets_up(short: str) -> None:
    shared = 0
    for trial in trials(short):
        case = trial.case()
        if case is None:
            continue
        assert 2 <= len(case.race) <= 6
        assert {name.partition(".")[0] for step in case.raced for name in step.things} <= set(case.states)
        shared += max(trial.burst.called().values(), default=0) > 1
    assert shared > 40


def test_operator_never_calls_without_an_account() -> None:
    for trial in trials("cao"):
        case = trial.case()
        for step in () if case is None else case.raced:
            if step.does == "cancel-all":
                assert step.message is not None
                assert "accountid" in step.message.body.text.lower()


@pytest.mark.parametrize("hands", [
    (Hand("trading", (Act("look", ("a",)),)),),
    (Hand("trading", (Act("cancel", ("b",)),)),),
    (Hand("trading", (Act("cancel", ("new",)), Act("place", ("new",)))),),
    (Hand("trading", (Act("cancel", ("a",)), Act("place", ("new",)))), Hand("trading", (Act("place", ("new",)),))),
    (Hand("trading", (Act("cancel", ("a",)),)),),
], ids=["no-call", "unknown-thing", "named-before-it-is-placed", "placed-twice", "never-placed"])  # fmt: skip
def test_burst_that_makes_no_sense_is_no_case(hands: tuple[Hand, ...]) -> None:
    things = (Thing("a", "account"), Thing("new", "account", placed=True))
    place = space("co")
    assert RaceTrial(place, place.channels[0], Burst("t", things, hands)).case() is None


def cancels(trial: Trial, thing: str) -> int:
    assert isinstance(trial, RaceTrial)
    return sum(thing in act.things for hand in trial.burst.hands for act in hand.acts if act.does == "cancel")


@pytest.mark.parametrize("short", ["co", "tpp"])
def test_race_is_shrunk_to_the_two_calls_that_break(short: str) -> None:
    async def breaks(trial: Trial) -> bool:
        return trial.case() is not None and cancels(trial, "order0") >= 2

    large = next(one for one in trials(short) if len(one.burst.hands) > 3 and asyncio.run(breaks(one)))
    small, again = asyncio.run(shrink(large, breaks, Budget(500, 1.0, lambda: 0.0)))
    assert again
    assert isinstance(small, RaceTrial)
    acts = [act for hand in small.burst.hands for act in hand.acts]
    assert [(act.does, act.things) for act in acts] == [("cancel", ("order0",))] * 2
    assert [one.name for one in small.burst.things] == ["order0"]
    assert {hand.role for hand in small.burst.hands} == {space(short).operation.role}


def test_nothing_is_found_in_a_server_that_keeps_the_contract(tmp_path: Path) -> None:
    with serving("none") as address:
        found = search(address, tmp_path / "found", seconds=2, seed=1, races=True)
    assert [(result.id, result.findings) for result in found.results] == []
    assert set(found.search.tallies) == {"cao races", "co races", "cq races", "tpp races", "tpp1 races"}
    assert all(tally.done > 0 for tally in found.search.tallies.values())
