"""What the judgements of a case's messages come to, in a run and whenever its recording is judged again; no I/O."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from conformance.checks.answer import Judgement, Observation, Raced
from conformance.checks.kit import Kit
from conformance.checks.outcome import compare
from conformance.errors import Hindrance
from conformance.model.case import Alternative, Case, Expectation, Twin
from conformance.model.verdict import Verdict
from conformance.values import value_class

Judge = Callable[[Kit, Case, Observation], Judgement]
"""What makes a judgement of an observation; a plan has one that looks at nothing."""
_ANY_RESULT = Alternative({"results": ["any"]})


def cases_beside(case: Case) -> tuple[Case, ...]:
    """What goes out at the same moment as the judged message, each as a case."""
    return tuple(replace(case, message=one.message, expect=one.expect, beside=(), code=None) for one in case.beside)


def cases_of_race(case: Case) -> tuple[Case, ...]:
    """Each step of a race as a case by itself; one that sends nothing has the message of the race."""
    return tuple(
        replace(
            case, role=session.role, transport=session.transport, media_type=session.media_type,
            message=step.message or case.message, expect=step.expect or case.expect, race=(), code=None,
            accept=session.transport.accept(session.media_type),
        )
        for session in case.race
        for step in session.steps
    )  # fmt: skip


def to_judge(case: Case, observations: Sequence[Observation]) -> list[tuple[Case, Observation]]:
    """What is judged of messages that were under way together: each by itself, and of a race the history as well.

    Raises `ValueError` where these are not the observations of all of them.
    """
    ways = cases_of_race(case) if case.race else (case, *cases_beside(case))
    if len(ways) != len(observations):
        raise ValueError(f"{len(observations)} messages side by side were seen, and the case has {len(ways)}")
    if not case.race:
        return list(zip(ways, observations, strict=True))
    raced = tuple(Raced(*one) for one in zip(ways, case.raced, observations, strict=True))
    last = observations[-1]
    whole = Observation((), before=last.before, after=last.after, raced=raced)
    return [*((one.case, one.seen) for one in raced if one.step.expect is not None), (case, whole)]


def cases_of_twin(case: Case, twin: Twin) -> tuple[Case, ...]:
    """The same request said in the other way, a case for each message; the first sets up the states."""
    origin = replace(
        case, twin=None, role=twin.role or case.role, transport=twin.transport, media_type=twin.media_type, accept=twin.accept
    )  # fmt: skip
    cases = []
    for number, message in enumerate(twin.messages):
        again = replace(origin, message=message, states=case.states if number == 0 else {})
        if len(twin.messages) > 1:
            again = replace(again, expect=replace(case.expect, any_of=(_ANY_RESULT,)))
        elif twin.order:
            again = replace(again, expect=_permuted(case.expect, twin.order))
        cases.append(again)
    return tuple(cases)


def _permuted(expect: Expectation, order: tuple[int, ...]) -> Expectation:
    """The same expectation for the instructions in another order; `order` gives the new place of each."""
    places = sorted(range(len(order)), key=order.__getitem__)
    moved = (
        replace(one, wanted={**one.wanted, "results": [one.wanted["results"][place] for place in places]})
        if isinstance(one.wanted.get("results"), list) and len(one.wanted["results"]) == len(order)
        else one
        for one in expect.any_of
    )
    return replace(expect, any_of=tuple(moved))


def side_by_side(case: Case, judgements: Sequence[Judgement]) -> Judgement:
    """The judgement on a message and those beside it; the gist and the code are those of the first.

    Which of the calls of a race is told which outcome is up to the moment, so a race has neither code nor readings: equal
    runs give equal results.
    """
    first, *others = judgements
    if case.race:
        judgements = [replace(one, code_seen=None, readings=()) for one in judgements]
        first = judgements[0]
    if not others:
        return first

    def joined(part: Callable[[Judgement], tuple[Any, ...]]) -> tuple[Any, ...]:
        return tuple(dict.fromkeys(one for judgement in judgements for one in part(judgement)))

    return replace(
        first,
        findings=joined(lambda one: one.findings),
        blocked=joined(lambda one: one.blocked),
        readings=joined(lambda one: one.readings),
        unverified=joined(lambda one: one.unverified),
        notes=joined(lambda one: one.notes),
        beyond=next((one.beyond for one in judgements if one.beyond), ""),
        history=judgements[-1].history,
        undecided=judgements[-1].undecided,
        unsettled=any(one.unsettled for one in judgements),
    )


def with_twin(twin: Twin, first: Judgement, seconds: Sequence[Judgement]) -> Judgement:
    """The judgement on a case with those on its twin's messages, and on whether the two answers agree."""
    findings = [finding for judgement in (first, *seconds) for finding in judgement.findings]
    beyond = next((judgement.beyond for judgement in (first, *seconds) if judgement.beyond), "")
    apart = () if beyond else compare(twin, first, seconds)
    return replace(first, findings=tuple(dict.fromkeys((*findings, *apart))), beyond=beyond)


@value_class(frozen=True, slots=True)
class Came:
    """What a case came to: its verdict, and why it has no other."""

    verdict: Verdict
    reason: str = ""
    hindrance: str = ""


def came_to(case: Case, judgement: Judgement) -> Came:
    """A finding fails a case; what could not be read or seen leaves it unverified."""
    if judgement.findings:
        return Came(Verdict.FAIL)
    if judgement.beyond:
        return Came(Verdict.NOT_VERIFIED, f"the answer was not read: {judgement.beyond}", Hindrance.BEYOND)
    if judgement.undecided:
        return Came(Verdict.NOT_VERIFIED, judgement.undecided, Hindrance.BEYOND)
    if judgement.unverified and set(case.requirements) <= set(judgement.unverified):
        return Came(Verdict.NOT_VERIFIED, "the effect could not be observed", Hindrance.UNSEEN)
    return Came(Verdict.PASS)
