"""The expectations that families of cases share, for each kind of answer.

Where several answers are right, each names what allows it: the requirement itself, a reading, or a ruling of the
contract.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import StrEnum

from conformance.model.case import Alternative, Body, Expectation
from conformance.model.spec import Operation


class Ruling(StrEnum):
    """The rulings that the families rest on; `rulings.yaml` says what each allows."""

    ORDER_OF_ERRORS = "order-of-errors"
    CODE_OF_UNKNOWN = "code-of-unknown"
    CODE_OF_UNUSABLE = "code-of-unusable"
    HIDDEN_PLACE = "hidden-place"
    UNSERVED = "unserved"
    OTHER_SPELLING = "other-spelling"
    LENIENT_READER = "lenient-reader"
    REPEATED_MEMBER = "repeated-member"
    EMPTY_AS_LEFT_OUT = "empty-as-left-out"
    ZERO_AS_LEFT_OUT = "zero-as-left-out"
    UNNAMED_MEDIA_TYPE = "unnamed-media-type"
    UNNAMED_METHOD = "unnamed-method"
    SAFE_METHOD = "safe-method"
    PATH_AND_QUERY = "path-and-query"
    ANOTHER_WAY = "another-way"
    ODD_FRAME = "odd-frame"
    UNANSWERED_FRAME = "unanswered-frame"
    NEGOTIATION = "negotiation"
    LIST_OR_ITEM = "list-or-item"
    DROPPED_ITEM = "dropped-item"
    ADMITTED_VALUE = "admitted-value"
    BOTH_IDS = "both-ids"
    NO_LIST = "no-list"
    UNLISTED_READING = "unlisted-reading"
    OVERLAPPING = "overlapping-calls"
    REFUSED_SPELLING = "refused-spelling"
    CLOSED_BEHIND = "closed-behind-an-answer"
    FRAMEWORK_ERROR = "framework-error"


_LONG_BODY_BYTES = 8192


def done(operation: Operation, requirement: str, names: Sequence[str]) -> Expectation:
    """The call succeeds and cancels what it names."""
    return Expectation(requirement, (_success(operation, names),), effect=_effect_of_success(operation, requirement))


def refused(
    operation: Operation,
    requirement: str,
    names: Sequence[str],
    codes: Sequence[int] = (100,),
    because: Sequence[str] = (),
) -> Expectation:
    """The call is refused as a whole with one of the codes, and changes nothing."""
    right = _refusal(operation, names, codes, because or (requirement,))
    return Expectation(requirement, (right,), effect=operation.attribution["effect"])


def either(
    operation: Operation, requirement: str, names: Sequence[str], codes: Sequence[int], because: Sequence[str]
) -> Expectation:
    """A leniency that a ruling allows: taken in full, or refused in full."""
    right = [_success(operation, names, because), _refusal(operation, names, codes, because)]
    if operation.shape.instructs:
        right.append(Alternative({"results": [False]}, untouched=tuple(names), because=tuple(because)))
    return Expectation(requirement, tuple(right), effect=operation.attribution["effect"])


def broken_instruction(operation: Operation, requirement: str, names: Sequence[str]) -> Expectation:
    """An instruction that lacks what it needs: it fails alone, or the list is refused; never a success."""
    return Expectation(
        requirement,
        (
            Alternative({"results": [False]}, untouched=tuple(names), readings=("broken-instruction=only-itself",)),
            Alternative({"form": "refused"}, untouched=tuple(names), readings=("broken-instruction=whole-list",)),
        ),
        effect=operation.attribution["effect"],
    )


def failed_or_refused(operation: Operation, requirement: str, names: Sequence[str]) -> Expectation:
    """An instruction that cannot succeed: it fails, or the list is refused, and nothing is cancelled."""
    right = tuple(
        Alternative(answer, untouched=tuple(names), because=(Ruling.LIST_OR_ITEM,))
        for answer in ({"results": [False]}, {"form": "refused"})
    )
    return Expectation(requirement, right, effect=operation.attribution["effect"])


def unusable_instruction(
    operation: Operation, requirement: str, names: Sequence[str], *, sure: bool = True
) -> Expectation:
    """A value of the wrong type: it fails alone, or the list is refused, or a reader loses what it cannot read.

    What a lenient reader may make a null of is not `sure` to be of the wrong type, and tells nothing of a reading.
    """
    answers: tuple[tuple[str, dict[str, object]], ...] = (
        ("own-result", {"results": [False]}),
        ("list-refused", {"form": "refused"}),
        ("dropped", {"results": []}),
    )
    right = tuple(
        Alternative(
            answer,
            untouched=tuple(names),
            readings=(f"unusable-value={name}",) if sure else (),
            because=() if sure else (Ruling.LIST_OR_ITEM, Ruling.DROPPED_ITEM),
        )
        for name, answer in answers
    )
    return Expectation(requirement, right, effect=operation.attribution["effect"])


def unusable_items(
    operation: Operation, requirement: str, items: Sequence[bool], thing: str, other: str, reading: str
) -> Expectation:
    """A list some of whose items are no instructions: each fails alone, or is dropped, or the list is refused.

    `items` says which of them are instructions, all for `thing`; `reading` is the question that is answered.
    """
    good = [True] * sum(items)
    cancelled, untouched = ((thing,), (other,)) if good else ((), (thing, other))
    effect = operation.attribution["effect"]
    return Expectation(
        requirement,
        (
            Alternative({"results": list(items)}, cancelled, untouched, (f"{reading}=own-result",)),
            Alternative({"results": good}, cancelled, untouched, (f"{reading}=dropped",)),
            Alternative({"form": "refused"}, untouched=(thing, other), readings=(f"{reading}=list-refused",)),
        ),
        effect=effect,
        outside=effect,
    )


def forbidden_reference(operation: Operation, requirement: str, thing: str, other: str) -> Expectation:
    """A character reference that XML 1.0 forbids, in a text: the list is refused, or read and judged by that text."""
    read, effect = ("forbidden-reference=read",), operation.attribution["effect"]
    return Expectation(
        requirement,
        (
            Alternative({"form": "refused"}, untouched=(thing, other), readings=("forbidden-reference=list-refused",)),
            Alternative({"results": [True]}, (thing,), (other,), read),
            Alternative({"results": [False]}, untouched=(thing, other), readings=read),
        ),
        effect=effect,
        outside=effect,
    )


def nothing_else(
    operation: Operation,
    requirement: str,
    cancelled: Sequence[str],
    others: Sequence[str],
    because: Sequence[str],
    failures: Sequence[Mapping[str, object]] = ({"results": [False]}, {"results": []}, {"form": "refused"}),
) -> Expectation:
    """Whatever a reader makes of the message, what it reports is what it did, and nothing unnamed is touched."""
    every, allowed = (*cancelled, *others), tuple(because)
    return Expectation(
        requirement,
        (
            Alternative({"results": [True]}, tuple(cancelled), tuple(others), because=allowed),
            *(Alternative(answer, untouched=every, because=allowed) for answer in failures),
        ),
        effect=operation.attribution["effect"],
        outside=operation.attribution["effect"],
    )


def or_too_long(right: Expectation, body: Body, names: Sequence[str]) -> Expectation:
    """Beside what is right, a server refuses a long body in whichever form; no document says what length it must take."""
    if len(body.text) < _LONG_BODY_BYTES:
        return right
    too_long = Alternative({"form": "too-long"}, untouched=tuple(names), because=(Ruling.FRAMEWORK_ERROR,))
    return replace(right, any_of=(*right.any_of, too_long))


def one_leg_wrong(
    operation: Operation, requirement: str, wrong: str, names: dict[str, str], because: Sequence[str]
) -> Expectation:
    """One leg of a pair is wrong: both are refused, or the right one alone goes; never success on the wrong one.

    Only an error that comes before the legs are looked at is told of both in one object.
    """
    right = "ask" if wrong == "bid" else "bid"
    both, only, refused_both = (names[wrong], names[right]), (names[wrong],), ("mixed-legs=both-refused",)
    each = ("mixed-legs=each-alone",)
    return Expectation(
        requirement,
        (
            Alternative({wrong: [100, 104], right: [100, 104]}, (), both, refused_both, tuple(because)),
            Alternative({wrong: [100, 104], right: [0]}, (names[right],), only, each, tuple(because)),
            Alternative({"form": "flat", "code": [100]}, (), both, refused_both, tuple(because)),
        ),
        effect=operation.attribution["effect"],
    )


def _success(operation: Operation, names: Sequence[str], because: Sequence[str] = ()) -> Alternative:
    return Alternative(operation.shape.success, cancelled=tuple(names), because=tuple(because))


def _refusal(
    operation: Operation, names: Sequence[str], codes: Sequence[int], because: Sequence[str] = ()
) -> Alternative:
    return Alternative(operation.shape.refusal(codes), untouched=tuple(names), because=tuple(because))


def _effect_of_success(operation: Operation, requirement: str) -> str:
    return operation.effect_of_success or requirement
