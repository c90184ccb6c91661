"""Histories of overlapping calls: the search agrees with trying every order, and what it shows as wrong is the least."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conformance.checks.history import Call, GaveUp, Search
from conformance.checks.races import (
    ABSENT,
    DONE,
    END,
    FAILED,
    OPEN,
    REFUSED,
    Parts,
    ThingModel,
)

FOREVER = float("inf")
Asked = tuple[str, int]
QUICK = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])


@dataclass(frozen=True)
class Register:
    """The register of every paper on the subject: `write N` and `read`, which tells what was written last."""

    first: int = 0

    def after(self, state: int, what: str, told: int | None) -> Iterator[int]:
        if what.startswith("write"):
            yield int(what.partition(" ")[2])
        elif told in (None, state):
            yield state


def allowed(calls: Sequence[Call[str, int]], order: Sequence[int]) -> bool:
    """Whether no call stands behind one that was sent after its answer."""
    places = {number: place for place, number in enumerate(order)}
    return all(
        not (calls[one].told is not None and calls[one].end_s < calls[other].start_s) or places[one] < places[other]
        for one, other in itertools.permutations(places, 2)
    )


def by_trying(model: object, calls: Sequence[Call[object, object]]) -> bool:
    """Every order of the answered calls with any of the others, as the definition has it."""
    answered = [number for number, one in enumerate(calls) if one.told is not None]
    others = [number for number, one in enumerate(calls) if one.told is None]
    chosen = itertools.chain.from_iterable(itertools.combinations(others, size) for size in range(len(others) + 1))
    for some in chosen:
        for order in itertools.permutations((*answered, *some)):
            if not allowed(calls, order):  # type: ignore[arg-type]
                continue
            states = {model.first}  # type: ignore[attr-defined]
            for number in order:
                one = calls[number]
                states = {after for state in states for after in model.after(state, one.what, one.told)}  # type: ignore[attr-defined]
            if states:
                return True
    return False


def intervals(count: int) -> st.SearchStrategy[list[tuple[int, int]]]:
    """So many starts and ends, which overlap in every way."""
    moments = st.integers(0, 2 * count)
    return st.lists(
        st.tuples(moments, st.integers(0, 4)).map(lambda one: (one[0], one[0] + one[1])), min_size=count, max_size=count
    )


@st.composite
def registers(draw: st.DrawFn) -> list[Call[str, int]]:
    """Any answers at all, right or wrong."""
    count = draw(st.integers(1, 5))
    what = st.sampled_from(["write 1", "write 2", "read"])
    found = []
    for start, end in draw(intervals(count)):
        asked = draw(what)
        told = draw(st.sampled_from([0, 1, 2])) if asked == "read" else 0
        unanswered = draw(st.integers(0, 4)) == 0
        found.append(Call(asked, None if unanswered else told, start, FOREVER if unanswered else end))
    return found


@QUICK
@given(registers())
def test_search_agrees_with_trying_every_order(calls: list[Call[str, int]]) -> None:
    assert Search(Register()).explains(calls) is by_trying(Register(), calls)


FIRST = st.sampled_from([(OPEN,), (ABSENT,), (OPEN, OPEN)])
KINDS = ("cancel", "cancel-all", "look", "place")
TOLD = {
    "cancel": (DONE, REFUSED, FAILED),
    "cancel-all": (DONE, REFUSED, FAILED),
    "look": (OPEN, "cancelled"),
    "place": ("placed",),
}


def model_of(first: Parts) -> ThingModel:
    return ThingModel(first, quote=len(first) > 1, once=len(first) == 1)


@st.composite
def wild(draw: st.DrawFn) -> tuple[ThingModel, list[Call[Asked, str]]]:
    """A thing, and any calls for it with any answers."""
    first = draw(FIRST)
    found: list[Call[Asked, str]] = []
    for start, end in draw(intervals(draw(st.integers(1, 4)))):
        does = draw(st.sampled_from(KINDS))
        told = draw(st.sampled_from((*TOLD[does], None)))
        what = (does, draw(st.integers(0, len(first) - 1)))
        found.append(Call(what, told, start, FOREVER if told is None else end))
    if draw(st.booleans()):
        found.append(Call((END, 0), draw(st.sampled_from([OPEN, "cancelled"])), FOREVER, FOREVER))
    return model_of(first), found


@QUICK
@given(wild())
def test_model_of_a_thing_agrees_with_trying_every_order(given: tuple[ThingModel, list[Call[Asked, str]]]) -> None:
    model, calls = given
    assert Search(model).explains(calls) is by_trying(model, calls)


@st.composite
def legal(draw: st.DrawFn) -> tuple[ThingModel, list[Call[Asked, str]]]:
    """A history that an order explains, by its making: each call takes effect at a moment between its start and end."""
    first = draw(FIRST)
    model = model_of(first)
    states, found = [first], list[Call[Asked, str]]()
    moment = 0.0
    for _ in range(draw(st.integers(1, 7))):
        moment += 1.0
        does = draw(st.sampled_from(KINDS))
        what = (does, draw(st.integers(0, len(first) - 1)))
        right = [
            (told, after) for told in TOLD[does] for state in states[-1:] for after in model.after(state, what, told)
        ]
        if not right:
            continue
        told, after = draw(st.sampled_from(right))
        states.append(after)
        early, late = draw(st.floats(0, 3)), draw(st.floats(0, 3))
        found.append(Call(what, told, moment - early, moment + late))
    end = OPEN if states[-1][0] == OPEN else "cancelled"
    if states[-1][0] != ABSENT:
        found.append(Call((END, 0), end, FOREVER, FOREVER))
    return model, draw(st.permutations(found))


@QUICK
@given(legal())
def test_history_that_happened_is_explained(given: tuple[ThingModel, list[Call[Asked, str]]]) -> None:
    model, calls = given
    assert Search(model).explains(calls)


@QUICK
@given(legal(), st.data())
def test_changed_answer_is_judged_as_by_trying(
    given: tuple[ThingModel, list[Call[Asked, str]]], data: st.DataObject
) -> None:
    model, calls = given[0], given[1][:5]
    if not calls:
        return
    place = data.draw(st.integers(0, len(calls) - 1))
    does = calls[place].what[0]
    told = data.draw(st.sampled_from(TOLD.get(does, (OPEN, "cancelled"))))
    calls[place] = replace(calls[place], told=told)
    assert Search(model).explains(calls) is by_trying(model, calls)


@QUICK
@given(wild())
def test_what_is_shown_is_wrong_and_nothing_less_of_it_is(given: tuple[ThingModel, list[Call[Asked, str]]]) -> None:
    model, calls = given
    search = Search(model)
    if search.explains(calls):
        return
    small = search.smallest(calls, [[number] for number in range(len(calls))])
    forgotten = [one if number in small else one.forgotten for number, one in enumerate(calls)]
    assert not by_trying(model, forgotten)
    for fewer in itertools.combinations(small, len(small) - 1):
        assert by_trying(model, [one if number in fewer else one.forgotten for number, one in enumerate(calls)])


def cancel(told: str | None, start: float, end: float = FOREVER) -> Call[Asked, str]:
    return Call(("cancel", 0), told, start, end)


def end(word: str) -> Call[Asked, str]:
    return Call((END, 0), word, FOREVER, FOREVER)


ORDER = ThingModel((OPEN,))


def each(calls: Sequence[object]) -> list[list[int]]:
    return [[number] for number in range(len(calls))]


def test_smallest_part_leaves_out_what_does_not_matter() -> None:
    calls = [cancel(DONE, 0, 5), cancel(REFUSED, 1, 6), cancel(FAILED, 0, 4), cancel(DONE, 2, 7), end("cancelled")]
    assert Search(ORDER).smallest(calls, each(calls)) == (0, 3)


def test_answers_that_were_given_at_once_are_left_out_at_once() -> None:
    quote = ThingModel((OPEN, OPEN), quote=True, once=False)
    calls = [Call(("cancel", part), REFUSED, start, 3) for start in (0, 1) for part in (0, 1)]
    assert not Search(quote).explains(calls)
    assert Search(quote).smallest(calls, [[0, 1], [2, 3]]) == (0, 1)


def test_long_history_is_made_smaller_one_call_at_a_time() -> None:
    calls = [cancel(REFUSED, 10, 11) for _ in range(14)] + [cancel(DONE, 0, 5), cancel(DONE, 0, 5)]
    assert Search(ORDER).smallest(calls, each(calls)) == (14, 15)


def test_search_that_costs_too_much_is_given_up_and_passes_nothing() -> None:
    calls = [cancel(REFUSED, 0, 9) for _ in range(12)]
    with pytest.raises(GaveUp):
        Search(ORDER, most_steps=5).explains(calls)
    assert Search(ORDER, most_steps=5).smallest(calls, each(calls)) == tuple(range(12))


def test_what_a_search_costs_is_counted_over_all_its_looks() -> None:
    calls = [cancel(DONE, 0, 1), end("cancelled")]
    assert Search(ORDER, most_steps=4).explains(calls), "two looks at two calls"
    with pytest.raises(GaveUp):
        Search(ORDER, most_steps=3).explains(calls)


def test_the_smallest_part_has_the_whole_of_what_may_be_spent() -> None:
    calls = [cancel(DONE, 0, 5), cancel(FAILED, 0, 4), cancel(DONE, 2, 7)]
    assert Search(ORDER, most_steps=42).smallest(calls, each(calls)) == (0, 2), "fourteen looks at three calls"
    assert Search(ORDER, most_steps=41).smallest(calls, each(calls)) == (0, 1, 2)


def test_a_call_without_an_answer_keeps_no_other_waiting() -> None:
    calls = [Call("write 5", None, 0, 1), Call("read", 0, 2, 3)]
    assert Search(Register()).explains(calls), "it may never have taken effect, whenever it was given up"


@pytest.mark.parametrize(("others", "least"), [(8, (11,)), (9, (0, 1, 2))])
def test_of_twelve_answers_the_fewest_are_found_and_of_more_the_last_are_forgotten_first(
    others: int, least: tuple[int, ...]
) -> None:
    lost = [Call("write 1", 0, 0, 1), Call("write 2", 0, 2, 3), Call("read", 1, 4, 5)]
    fine = [Call("write 9", 0, 100 + place, 100.5 + place) for place in range(others)]
    calls = [*lost, *fine, Call("read", 8, 200, 201)]
    assert Search(Register()).smallest(calls, each(calls)) == least


def test_many_calls_cost_little_since_states_are_remembered() -> None:
    search = Search(ORDER)
    assert search.explains([*(cancel(REFUSED, 0, 9) for _ in range(12)), cancel(DONE, 0, 9), end("cancelled")])
    assert search.steps < 100_000


@pytest.mark.parametrize(
    ("calls", "right"),
    [
        ([cancel(DONE, 0, 2), cancel(REFUSED, 1, 3), end("cancelled")], True),
        ([cancel(REFUSED, 0, 1), cancel(DONE, 2, 3), end("cancelled")], False),
        ([cancel(DONE, 0, 1), end(OPEN)], False),
        ([cancel(None, 0), end(OPEN)], True),
        ([cancel(None, 0), end("cancelled")], True),
        ([cancel(FAILED, 0, 1), end("cancelled")], False),
        ([cancel(None, 5), cancel(REFUSED, 0, 1)], False),
        ([Call(("cancel-all", 0), DONE, 0, 1), cancel(DONE, 2, 3), end("cancelled")], True),
        ([Call(("cancel-all", 0), DONE, 0, 1), end(OPEN)], False),
        ([Call(("cancel-all", 0), REFUSED, 0, 1), end(OPEN)], False),
        ([cancel(DONE, 0, 1), Call(("look", 0), OPEN, 2, 3), end("cancelled")], True),
        ([cancel(DONE, 0, 1), Call(("look", 0), "cancelled", 2, 3), Call(("look", 0), OPEN, 4, 5)], False),
    ],
)
def test_one_order_and_its_calls(calls: list[Call[Asked, str]], right: bool) -> None:
    assert Search(ORDER).explains(calls) is right


def test_quote_may_be_received_twice_and_left_by_a_call_for_the_account() -> None:
    quote = ThingModel((OPEN, OPEN), quote=True, once=False)
    twice = [Call(("cancel", part), DONE, start, 9) for start in (0, 1) for part in (0, 1)]
    assert Search(quote).explains([*twice, Call((END, 0), "cancelled", FOREVER, FOREVER)])
    account = Call(("cancel-all", 0), DONE, 0, 1)
    assert Search(quote).explains([account, Call((END, 0), OPEN, FOREVER, FOREVER)])
    assert Search(quote).explains([account, Call((END, 0), "cancelled", FOREVER, FOREVER)])
