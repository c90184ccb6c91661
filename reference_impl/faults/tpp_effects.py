"""Violations of POST api/orders/cancellations: cancelled orders that differ from the report or the request."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from reference_impl.parts import Parts, with_tpp
from reference_impl.recorder import Recorder
from reference_impl.tpp.changes import (
    also_cancel,
    fresh,
    on_effect,
    on_errors,
    on_list,
    on_response,
    on_results,
    tpp_fault,
)
from reference_impl.tpp.orders import TppOrders
from reference_impl.tpp.service import key_of
from reference_impl.tpp.values import Instruction, Result
from reference_impl.variants import Change, Variant
from reference_impl.wire import TPP_OPERATIONS, HttpRequest, HttpResponse

Errors = tuple[str, ...]
_RACE_S = 0.05


def _forgiven(state: str, *, international: bool | None = None) -> Change:
    """Reports success for an order in a state in which nothing can be cancelled."""

    def errors(parts: Parts, instruction: Instruction, found: Errors) -> Errors:
        key = key_of(instruction)
        order = None if key is None else parts.tpp.orders.find(key)
        kind = international in (None, instruction.is_international)
        return () if order is not None and order.state == state and kind else found

    return on_errors(errors)


def _uid_by_its_start(length: int) -> Change:
    """Takes an international order for the one that is meant when its UID begins alike."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        inner = parts.tpp.carry_out

        def carry_out(p: Parts, instruction: Instruction) -> Result:
            uid = instruction.uid
            if not instruction.is_international or uid is None or p.tpp.orders.find(uid) is not None:
                return inner(p, instruction)
            alike = [key for key in p.tpp.orders.open_keys() if isinstance(key, str) and key[:length] == uid[:length]]
            if not alike:
                return inner(p, instruction)
            recorder.hit()
            return replace(inner(p, replace(instruction, uid=alike[0])), uid=uid)

        return with_tpp(parts, carry_out=carry_out)

    return apply


def _unknown_succeeds(international: bool) -> Change:
    def errors(_parts: Parts, instruction: Instruction, found: Errors) -> Errors:
        return () if found == ("Order not found.",) and instruction.is_international is international else found

    return on_errors(errors)


def _executed_marked_cancelled(parts: Parts, instruction: Instruction, found: Errors) -> Errors:
    key = key_of(instruction)
    order = None if key is None else parts.tpp.orders.find(key)
    if order is not None and order.state == "executed":
        parts.tpp.orders.put(replace(order, state="cancelled"))
        return ("Order was executed.",)
    return found


def _unknown_person_too_late(parts: Parts, instruction: Instruction, found: Errors) -> Errors:
    key = key_of(instruction)
    if found == ("Creator is not known.",) and key is not None and parts.tpp.orders.cancel(key):
        return ("Creator could not be notified.",)
    return found


def _every_other_open(kind: type) -> Callable[[TppOrders, Instruction], Sequence[int | str]]:
    return lambda orders, _: [key for key in orders.open_keys() if isinstance(key, kind)]


def _neighbour(_orders: TppOrders, instruction: Instruction) -> Sequence[int | str]:
    return () if instruction.order_id is None else (instruction.order_id + 1,)


def _twin(_orders: TppOrders, instruction: Instruction) -> Sequence[int | str]:
    return [key for key in (instruction.order_id, instruction.uid) if key is not None]


def _newest(orders: TppOrders, _instruction: Instruction) -> Sequence[int | str]:
    return orders.open_keys()[-1:]


def _stale_within_list(parts: Parts, recorder: Recorder) -> Parts:
    """Every instruction of a list is judged by how the orders stood when the list came."""
    inner_admit, inner_judge = parts.tpp.admit, parts.tpp.judge
    stood = parts.tpp.orders

    def admit(p: Parts, instructions: Sequence[Instruction]) -> None:
        nonlocal stood
        inner_admit(p, instructions)
        stood = p.tpp.orders.snapshot()

    def judge(p: Parts, instruction: Instruction) -> Errors:
        return recorder.swap(inner_judge(p, instruction), inner_judge(with_tpp(p, orders=stood), instruction))

    return with_tpp(parts, admit=admit, judge=judge)


def _race(parts: Parts, recorder: Recorder) -> Parts:
    """Looks an order up, waits as for a database, and then relies on what it saw."""
    inner_hold, inner_judge = parts.hold, parts.tpp.judge
    stood = parts.tpp.orders

    async def hold(request: HttpRequest) -> None:
        nonlocal stood
        await inner_hold(request)
        if request.operation in TPP_OPERATIONS:
            seen = parts.tpp.orders.snapshot()
            await asyncio.sleep(_RACE_S)
            stood = seen

    def judge(p: Parts, instruction: Instruction) -> Errors:
        return recorder.swap(inner_judge(p, instruction), inner_judge(with_tpp(p, orders=stood), instruction))

    return replace(with_tpp(parts, judge=judge), hold=hold)


def _race_between_calls(parts: Parts, recorder: Recorder) -> Parts:
    """The same, but a call knows what it has cancelled itself, so that only another call can be overlooked."""
    inner_hold, inner_judge, inner_effect = parts.hold, parts.tpp.judge, parts.tpp.effect
    stood = parts.tpp.orders
    own: set[int | str | None] = set()

    async def hold(request: HttpRequest) -> None:
        nonlocal stood
        await inner_hold(request)
        if request.operation in TPP_OPERATIONS:
            seen = parts.tpp.orders.snapshot()
            await asyncio.sleep(_RACE_S)
            stood = seen
            own.clear()

    def judge(p: Parts, instruction: Instruction) -> Errors:
        now = inner_judge(p, instruction)
        if key_of(instruction) in own:
            return now
        return recorder.swap(now, inner_judge(with_tpp(p, orders=stood), instruction))

    def effect(p: Parts, instruction: Instruction) -> None:
        own.add(key_of(instruction))
        inner_effect(p, instruction)

    return replace(with_tpp(parts, judge=judge, effect=effect), hold=hold)


def _answers_remembered() -> Change:
    """A cache of answers by body, which was meant for retries."""
    answers: dict[tuple[str | None, str | None, bytes], HttpResponse] = {}

    def change(request: HttpRequest, response: HttpResponse) -> HttpResponse:
        if request.method != "POST" or response.status != 200:
            return response
        return answers.setdefault((request.header("content-type"), request.header("accept"), request.body), response)

    return on_response(change)


def _spoilt(results: Sequence[Result]) -> Sequence[Result]:
    if all(result.success for result in results):
        return results
    return [replace(r, success=False, errors=("Not processed: another instruction failed.",)) for r in results]


def _all_or_nothing(parts: Parts, recorder: Recorder) -> Parts:
    """One instruction that cannot be carried out keeps all the others from being."""
    inner = parts.tpp.judge
    spoilt = False

    def admit(p: Parts, instructions: Sequence[Instruction]) -> None:
        nonlocal spoilt
        parts.tpp.admit(p, instructions)
        spoilt = any(inner(p, instruction) for instruction in instructions)

    def judge(p: Parts, instruction: Instruction) -> Errors:
        errors = inner(p, instruction)
        return recorder.swap(errors, errors or (("Another instruction failed.",) if spoilt else ()))

    return with_tpp(parts, admit=admit, judge=judge)


def _first_only(results: Sequence[Result]) -> Sequence[Result]:
    return [r if place == 0 else replace(r, success=True, errors=None) for place, r in enumerate(results)]


def _cut(keep: Callable[[list[Instruction]], list[Instruction]]) -> Change:
    """Carries out a part of a list."""
    return on_list(keep)


FAULTS: tuple[Variant, ...] = (
    tpp_fault(
        "tpp-uid-by-its-first-group",
        "Finds an international order by the first eight digits of its UID",
        _uid_by_its_start(8),
        "REQ-UID-TYPE",
        "EFFECT-ONLY",
        "RESP-SUCCESS",
    ),
    tpp_fault(
        "tpp-uid-but-its-last-digit",
        "Finds an international order by its UID without the last digit",
        _uid_by_its_start(35),
        "REQ-UID-TYPE",
        "EFFECT-ONLY",
        "RESP-SUCCESS",
    ),
    tpp_fault(
        "tpp-unknown-order-succeeds",
        "Reports success for an order that does not exist",
        _unknown_succeeds(False),
        "RESP-SUCCESS",
    ),
    tpp_fault(
        "tpp-unknown-uid-succeeds",
        "Reports success for an international order that does not exist",
        _unknown_succeeds(True),
        "RESP-SUCCESS",
    ),
    tpp_fault(
        "tpp-cancelled-order-succeeds",
        "Reports success for an order that was cancelled before",
        _forgiven("cancelled"),
        "RESP-NOT-ACTIVE",
        "TWICE",
    ),
    tpp_fault(
        "tpp-cancelled-international-succeeds",
        "Reports success for an international order that was cancelled before",
        _forgiven("cancelled", international=True),
        "RESP-NOT-ACTIVE",
        "TWICE",
    ),
    tpp_fault(
        "tpp-executed-order-succeeds",
        "Reports success for an order that was executed",
        _forgiven("executed"),
        "RESP-NOT-ACTIVE",
    ),
    tpp_fault(
        "tpp-executed-order-changed",
        "Refuses an executed order and marks it as cancelled",
        on_errors(_executed_marked_cancelled),
        "FAILED-NO-EFFECT",
    ),
    tpp_fault(
        "tpp-unknown-person-too-late",
        "Cancels and then reports a failure when the person is not known",
        on_errors(_unknown_person_too_late),
        "FAILED-NO-EFFECT",
        "REQ-CREATORID-TYPE",
    ),
    tpp_fault(
        "tpp-same-order-twice-succeeds",
        "Reports success for both of two instructions of one order in a list",
        _stale_within_list,
        "TWICE",
    ),
    tpp_fault(
        "tpp-race-between-calls",
        "Lets each of several simultaneous calls cancel the same order, each call once",
        _race_between_calls,
        "TWICE",
    ),
    tpp_fault(
        "tpp-race-succeeds-twice", "Lets each of several simultaneous calls cancel the same order", _race, "TWICE"
    ),
    tpp_fault(
        "tpp-answers-remembered",
        "Answers a repeated body with the answer that it had before",
        fresh(_answers_remembered),
        "TWICE",
    ),
    tpp_fault(
        "tpp-success-without-effect",
        "Reports success and cancels nothing",
        on_effect(lambda _parts, _instruction: False),
        "EFFECT",
    ),
    tpp_fault(
        "tpp-success-without-effect-abroad",
        "Reports success and leaves international orders open",
        on_effect(lambda _, instruction: not instruction.is_international),
        "EFFECT",
    ),
    tpp_fault(
        "tpp-cancels-next-order",
        "Cancels the order with the next number as well",
        also_cancel(_neighbour),
        "EFFECT-ONLY",
    ),
    tpp_fault("tpp-cancels-newest-order", "Cancels the newest open order as well", also_cancel(_newest), "EFFECT-ONLY"),
    tpp_fault(
        "tpp-cancels-every-domestic-order",
        "Cancels every domestic order as well",
        also_cancel(_every_other_open(int)),
        "EFFECT-ONLY",
    ),
    tpp_fault(
        "tpp-cancels-every-international-order",
        "Cancels every international order as well",
        also_cancel(_every_other_open(str)),
        "EFFECT-ONLY",
    ),
    tpp_fault(
        "tpp-cancels-both-ids",
        "Cancels the order of either id, whatever the flag says",
        also_cancel(_twin),
        "EFFECT-ONLY",
        "REQ-ISINTL-TYPE",
    ),
    tpp_fault(
        "tpp-all-or-nothing", "Fails every instruction when one cannot be carried out", _all_or_nothing, "MULTIPLE"
    ),
    tpp_fault(
        "tpp-one-bad-spoils-the-report",
        "Reports every instruction as failed when one did",
        on_results(_spoilt),
        "MULTIPLE",
        "FAILED-NO-EFFECT",
    ),
    tpp_fault(
        "tpp-only-first-counts",
        "Reports success for every instruction behind the first",
        on_results(_first_only),
        "MULTIPLE",
        "RESP-NOT-ACTIVE",
    ),
    tpp_fault(
        "tpp-only-first-carried-out",
        "Carries out the first instruction of a list alone",
        _cut(lambda instructions: instructions[:1]),
        "MULTIPLE",
        "RESP-ONE-EACH",
    ),
    tpp_fault(
        "tpp-only-last-carried-out",
        "Carries out the last instruction of a list alone",
        _cut(lambda instructions: instructions[-1:]),
        "MULTIPLE",
        "RESP-ONE-EACH",
    ),
)
