"""Violations of POST api/orders/cancellations that show only sometimes: by number, by length, by earlier calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from reference_impl.parts import Parts
from reference_impl.tpp.changes import (
    fresh,
    on_effect,
    on_errors,
    on_list,
    on_response,
    on_result,
    on_results,
    tpp_fault,
)
from reference_impl.tpp.values import Instruction, Result
from reference_impl.variants import Change, Variant
from reference_impl.wire import HttpRequest, HttpResponse

_PAGE = 256
_MANY = 100
_FIRST_LATE_ID = 7_300_300
Errors = tuple[str, ...]


def _counter() -> Callable[[], int]:
    count = 0

    def next_one() -> int:
        nonlocal count
        count += 1
        return count

    return next_one


def _no_effect_later() -> Change:
    """The first hundred cancellations take effect."""
    number = _counter()
    return on_effect(lambda _parts, _instruction: number() <= _MANY)


def _seventh_fails() -> Change:
    number = _counter()

    def errors(_parts: Parts, _instruction: Instruction, found: Errors) -> Errors:
        return found or (() if number() % 7 else ("Please try again.",))

    return on_errors(errors)


def _refused_before() -> Change:
    """What speaks against an order once speaks against it for good, whoever gives the right number of identification."""
    kept: dict[tuple[int | None, str | None], Errors] = {}

    def errors(_parts: Parts, instruction: Instruction, found: Errors) -> Errors:
        ids = (instruction.order_id, instruction.uid)
        return kept.setdefault(ids, found) if found else kept.get(ids, found)

    return on_errors(errors)


def _tenth_answer_500() -> Change:
    number = _counter()
    return on_response(lambda _, response: response if number() % 10 else replace(response, status=500))


def _answer_of_the_one_before() -> Change:
    """Every twentieth caller gets the answer of the caller before."""
    number = _counter()
    before: list[HttpResponse] = []

    def change(_request: HttpRequest, response: HttpResponse) -> HttpResponse:
        if response.status != 200:
            return response
        before.append(response)
        last = before[:-1][-1:]
        del before[:-1]
        same = [old for old in last if old.content_type == response.content_type]
        return same[0] if same and number() % 5 == 0 else response

    return on_response(change)


def _second_international() -> Change:
    """The second international order of a list stays open."""
    seen: set[str] = set()

    def started(instructions: list[Instruction]) -> list[Instruction]:
        seen.clear()
        return instructions

    def effect(_parts: Parts, instruction: Instruction) -> bool:
        if not instruction.is_international or instruction.uid is None:
            return True
        seen.add(instruction.uid)
        return len(seen) != 2

    first, second = on_list(started), on_effect(effect)
    return lambda parts, recorder: second(first(parts, recorder), recorder)


def _late_ids(_parts: Parts, instruction: Instruction, found: Errors) -> Errors:
    late = instruction.order_id is not None and instruction.order_id >= _FIRST_LATE_ID
    return found or (("Order not found.",) if late and not instruction.is_international else ())


def _high_uid(_parts: Parts, _instruction: Instruction, result: Result) -> Result:
    return replace(result, uid=None) if result.uid and result.uid[0] in "89abcdef" else result


def _long_list(results: Sequence[Result]) -> Sequence[Result]:
    return [r if place < _PAGE else replace(r, order_id=None, uid=None) for place, r in enumerate(results)]


def _every_fiftieth() -> Change:
    number = _counter()
    return on_result(
        lambda _p, _i, result: (
            result
            if number() % 50
            else replace(
                result, success=not result.success, errors=None if not result.success else ("Order is not active.",)
            )
        )
    )


def _lost_in_long_lists(instructions: list[Instruction]) -> list[Instruction]:
    """The instruction at the seam of two pages is skipped."""
    return [i for place, i in enumerate(instructions) if place != _PAGE]


def _large_answer_cut(_request: HttpRequest, response: HttpResponse) -> HttpResponse:
    return replace(response, body=response.body[: 16 * 1024])


FAULTS: tuple[Variant, ...] = (
    tpp_fault(
        "tpp-hundred-cancellations",
        "Reports success without effect once a hundred orders were cancelled",
        fresh(_no_effect_later),
        "EFFECT",
    ),
    tpp_fault(
        "tpp-every-seventh-fails",
        "Fails every seventh instruction that could be carried out",
        fresh(_seventh_fails),
        "RESP-SUCCESS",
        "MULTIPLE",
    ),
    tpp_fault(
        "tpp-refused-before",
        "Fails an instruction for an order for which another one failed before",
        fresh(_refused_before),
        "RESP-SUCCESS",
        "EFFECT",
    ),
    tpp_fault("tpp-every-tenth-500", "Gives every tenth answer under 500", fresh(_tenth_answer_500), "MALFORMED"),
    tpp_fault(
        "tpp-every-fiftieth-inverted",
        "Says the opposite in every fiftieth result",
        fresh(_every_fiftieth),
        "RESP-SUCCESS",
        "MULTIPLE",
        "FAILED-NO-EFFECT",
    ),
    tpp_fault(
        "tpp-answer-of-another",
        "Gives some callers the answer of the caller before",
        fresh(_answer_of_the_one_before),
        "RESP-IDENTITY",
        "RESP-ONE-EACH",
    ),
    tpp_fault(
        "tpp-second-international-left-open",
        "Leaves the second international order of a list open",
        fresh(_second_international),
        "EFFECT",
    ),
    tpp_fault(
        "tpp-late-orders-not-found",
        "Does not find orders above some number",
        on_errors(_late_ids),
        "RESP-SUCCESS",
        "MULTIPLE",
    ),
    tpp_fault(
        "tpp-high-uid-not-reported",
        "Leaves UIDs above the middle of their range out of the results",
        on_result(_high_uid),
        "RESP-UID",
        "RESP-IDENTITY",
    ),
    tpp_fault(
        "tpp-long-list-without-identity",
        "Leaves the ids out behind the 256th result",
        on_results(_long_list),
        "RESP-IDENTITY",
        "MULTIPLE",
    ),
    tpp_fault(
        "tpp-long-list-cut",
        "Carries the first 256 instructions of a list out",
        on_list(lambda instructions: instructions[:_PAGE]),
        "RESP-ONE-EACH",
        "MULTIPLE",
    ),
    tpp_fault(
        "tpp-long-list-seam",
        "Skips the 257th instruction of a list",
        on_list(_lost_in_long_lists),
        "RESP-ONE-EACH",
        "MULTIPLE",
    ),
    tpp_fault(
        "tpp-large-answer-cut",
        "Cuts an answer off after 16 KiB",
        on_response(_large_answer_cut),
        "RESP-LIST",
        "RESP-ONE-EACH",
    ),
)
