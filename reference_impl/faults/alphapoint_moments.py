"""Violations that show only sometimes: at the n-th call, with certain numbers, during another call."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

from reference_impl.alphapoint.values import (
    NOT_AUTHORIZED,
    OPERATION_FAILED,
    RESOURCE_NOT_FOUND,
    SERVER_ERROR,
    Answer,
    Call,
    Pair,
    Refused,
    Standard,
)
from reference_impl.changes import (
    CAO,
    CO,
    CQ,
    Make,
    Members,
    Operation,
    fault_of,
    faults_of_both,
    handler,
    standards,
    step,
)
from reference_impl.parts import Leg, Parts
from reference_impl.recorder import Recorder
from reference_impl.variants import Change, Variant

_LATER_S = 0.1


def _every(count: int, change: Callable[[Recorder, Callable[[Parts, Call], Answer], Parts, Call], Answer]) -> Make:
    """Every so many calls of the operation."""

    def make(operation: Operation) -> Change:
        def apply(parts: Parts, recorder: Recorder) -> Parts:
            numbers = itertools.count(1)

            def run(told: Recorder, inner: Callable[[Parts, Call], Answer], p: Parts, call: Call) -> Answer:
                return change(told, inner, p, call) if next(numbers) % count == 0 else inner(p, call)

            return handler(operation, run)(parts, recorder)

        return apply

    return make


def _does_nothing(recorder: Recorder, _inner: Any, _parts: Parts, call: Call) -> Answer:
    recorder.hit()
    return Pair(Standard(), Standard()) if CQ.is_of(call) else Standard()


def _fails(recorder: Recorder, _inner: Any, _parts: Parts, _call: Call) -> Answer:
    recorder.hit()
    raise Refused(SERVER_ERROR, "condition", "Try again")


def _first_call_refused(operation: Operation) -> Change:
    """The first call of each user is refused, as if his session were not known yet."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        seen: set[tuple[str, str]] = set()

        def run(told: Recorder, inner: Callable[[Parts, Call], Answer], p: Parts, call: Call) -> Answer:
            who = (call.user.name, call.transport)
            if who not in seen:
                seen.add(who)
                told.hit()
                raise Refused(NOT_AUTHORIZED, "session", "Not signed in")
            return inner(p, call)

        return handler(operation, run)(parts, recorder)

    return apply


def _after(count: int, change: Callable[[Members], Members]) -> Make:
    """From one answer on."""

    def make(operation: Operation) -> Change:
        def apply(parts: Parts, recorder: Recorder) -> Parts:
            numbers = itertools.count(1)

            def changed(members: Members, _call: Call) -> Members:
                return change(members) if next(numbers) > count else members

            return standards(operation, changed)(parts, recorder)

        return apply

    return make


def _unless(condition: Callable[[Any], bool]) -> Change:
    """Leaves some orders open."""

    def select(inner: Any, parts: Parts, call: Call, *rest: Any) -> Any:
        return tuple(order for order in inner(parts, call, *rest) if not condition(order))

    return step(CAO, "select", select)


def _gone_if_executed(inner: Any, *arguments: Any) -> Any:
    order = inner(*arguments)
    if order.executed:
        raise Refused(RESOURCE_NOT_FOUND, "order", "Order not found")
    return order


def _kept_if_executed(told: Recorder, inner: Callable[[Parts, Call], Answer], parts: Parts, call: Call) -> Answer:
    """What was executed in part works on behind a success."""
    partly = [order for order in parts.alphapoint.book.every_open() if order.executed]
    answer = inner(parts, call)
    for order in partly:
        parts.alphapoint.book.reopen(order.order_id)
    if partly and answer == Standard():
        told.hit()
    return answer


def _accounts_above(bound: int) -> Change:
    def accounts(inner: Any, parts: Parts, call: Call, request: Any) -> Any:
        if request.account_id and bound < request.account_id < 500:
            raise Refused(RESOURCE_NOT_FOUND, "account", "Account not found")
        return inner(parts, call, request)

    return step(CAO, "accounts", accounts)


def _ids_ending_in(digit: int) -> Change:
    """Does not find quotes whose bid has such an id."""

    def judge(inner: Any, parts: Parts, call: Call, request: Any, account: Any) -> Any:
        legs = inner(parts, call, request, account)
        if request.bid_quote_id % 10 == digit and all(leg.order for leg in legs):
            raise Refused(RESOURCE_NOT_FOUND, "quote", "Quote not found")
        return legs

    return step(CQ, "judge", judge)


def _second_instrument_left(inner: Any, parts: Parts, call: Call, legs: Any) -> Any:
    """Reports success on instruments above the first, and cancels nothing there."""
    combined = inner(parts, call, legs)
    return tuple(Leg() if leg.order and not leg.refusal and leg.order.instrument_id > 1 else leg for leg in combined)


def _crossed(operation: Operation) -> Change:
    """Gives each caller the outcome of the call before, whoever made it, now and then."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        last: list[tuple[int, Answer]] = []

        def run(told: Recorder, inner: Callable[[Parts, Call], Answer], p: Parts, call: Call) -> Answer:
            try:
                result = inner(p, call)
            except Refused as refused:
                error = Standard(refused.refusal.code, refused.refusal.detail)
                result = Pair(error, error) if CQ.is_of(call) else error
            number, previous = last.pop() if last else (0, result)
            last.append((number + 1, result))
            return told.swap(result, previous) if number % 5 == 4 else result

        return handler(operation, run)(parts, recorder)

    return apply


def _remembers_refusals(*members: str) -> Make:
    """What was once refused to somebody is later refused to everybody, its owner as well: the ids are what it is kept by."""

    def make(operation: Operation) -> Change:
        def apply(parts: Parts, recorder: Recorder) -> Parts:
            refused: dict[tuple[object, ...], tuple[str, Refused]] = {}

            def run(told: Recorder, inner: Callable[[Parts, Call], Answer], p: Parts, call: Call) -> Answer:
                ids = tuple(call.members.get(name) for name in members)
                who, kept = refused.get(ids, (call.user.name, None))
                if kept is not None and who != call.user.name:
                    told.hit()
                    raise kept
                try:
                    return inner(p, call)
                except Refused as error:
                    known = all(p.alphapoint.book.find(one or 0) for one in ids[1:])
                    if known and error.refusal.code in (NOT_AUTHORIZED, RESOURCE_NOT_FOUND):
                        refused[ids] = (call.user.name, error)
                    raise

            return handler(operation, run)(parts, recorder)

        return apply

    return make


def _refused_and_done_later(*members: str) -> Make:
    """What was refused with 101 or 102 is cancelled a moment later all the same."""

    def make(operation: Operation) -> Change:
        def apply(parts: Parts, recorder: Recorder) -> Parts:
            def run(told: Recorder, inner: Callable[[Parts, Call], Answer], p: Parts, call: Call) -> Answer:
                try:
                    return inner(p, call)
                except Refused as error:
                    ids = [one for name in members if isinstance(one := call.members.get(name), int)]
                    if ids and error.refusal.code in (OPERATION_FAILED, SERVER_ERROR):
                        told.hit()
                        asyncio.get_running_loop().call_later(_LATER_S, p.alphapoint.book.cancel, ids)
                    raise

            return handler(operation, run)(parts, recorder)

        return apply

    return make


FAULTS: tuple[Variant, ...] = (
    fault_of(
        CO,
        "condition-acts-later",
        "Cancels a moment after it answered 101 or 102",
        "REFUSED-NO-EFFECT",
        _refused_and_done_later("orderid")(CO),
    ),
    fault_of(
        CQ,
        "condition-acts-later",
        "Cancels both legs a moment after it answered 101 or 102",
        "REFUSED-NO-EFFECT",
        _refused_and_done_later("bidquoteid", "askquoteid")(CQ),
    ),
    fault_of(
        CO,
        "refused-before",
        "Refuses everybody an order that was once refused to somebody else",
        "PERM-TRADING SCOPE-OPERATOR RESP-RESULT-TRUE",
        _remembers_refusals("accountid", "orderid")(CO),
    ),
    fault_of(
        CQ,
        "refused-before",
        "Refuses everybody a quote that was once refused to somebody else",
        "PERM-MARKETMAKER SCOPE-OPERATOR RESP-RESULT-TRUE",
        _remembers_refusals("accountid", "bidquoteid", "askquoteid")(CQ),
    ),
    fault_of(
        CAO,
        "every-7th-nothing",
        "Does nothing at every seventh call",
        "EFFECT-ACCOUNT RESP-RESULT-TRUE SCOPE-TRADING CODE-100",
        _every(7, _does_nothing)(CAO),
    ),
    fault_of(
        CQ,
        "every-7th-nothing",
        "Does nothing at every seventh call",
        "EFFECT-PAIR RESP-RESULT-TRUE REQ-BIDQUOTEID-TYPE REQ-ASKQUOTEID-TYPE CODE-100",
        _every(7, _does_nothing)(CQ),
    ),
    *faults_of_both(
        "every-11th-102",
        "Fails at every eleventh call",
        "RESP-RESULT-TRUE REQ-OMSID-TYPE REQ-ACCOUNTID-TYPE REQ-FORM KEY-CASE CODE-100 CODE-104 CODE-20",
        _every(11, _fails),
    ),
    *faults_of_both(
        "first-call-20",
        "Refuses the first call of each user",
        "RESP-RESULT-TRUE cq:REQ-ACCOUNTID-DEFAULT cao:REQ-ACCOUNTID-OPTIONAL CODE-101 CODE-102 PERM-OPERATOR",
        _first_call_refused,
    ),
    *faults_of_both(
        "after-100-text",
        "Writes errorcode as text from the hundredth answer on",
        "RESP-ERRORCODE",
        _after(100, lambda members: {**members, "errorcode": str(members["errorcode"])}),
    ),
    *faults_of_both(
        "after-200-message",
        "Says Success in errormsg of each success from the two hundredth answer on",
        "RESP-ERRORMSG-SUCCESS",
        _after(200, lambda members: members if members["errorcode"] else {**members, "errormsg": "Success"}),
    ),
    *faults_of_both(
        "crossed",
        "Gives every fifth caller the outcome of the call before",
        "RESP-RESULT-TRUE CODE-20 CODE-100 CODE-104 REQ-OMSID-TYPE REQ-ACCOUNTID-TYPE REQ-FORM",
        _crossed,
    ),
    fault_of(
        CAO,
        "ids-of-16",
        "Leaves orders open whose id is a multiple of 16",
        "EFFECT-ACCOUNT",
        _unless(lambda order: order.order_id % 16 == 0),
    ),
    fault_of(
        CAO,
        "accounts-above-300",
        "Does not know accounts from 300 to 500",
        "EFFECT-ACCOUNT RESP-RESULT-TRUE PERM-OPERATOR",
        _accounts_above(300),
    ),
    fault_of(
        CAO,
        "partly-executed-left",
        "Leaves orders open of which a part was executed",
        "EFFECT-ACCOUNT",
        _unless(lambda order: order.executed),
    ),
    fault_of(
        CO,
        "partly-executed-gone",
        "Takes an order of which a part was executed for one that is gone",
        "RESP-RESULT-TRUE",
        step(CO, "select", _gone_if_executed),
    ),
    fault_of(
        CO,
        "partly-executed-kept",
        "Reports success for an order of which a part was executed, and leaves it open",
        "EFFECT",
        handler(CO, _kept_if_executed),
    ),
    fault_of(
        CAO,
        "dear-orders",
        "Leaves orders with a high price open",
        "EFFECT-ACCOUNT",
        _unless(lambda order: order.price > 100_000),
    ),
    fault_of(
        CQ,
        "ids-ending-in-7",
        "Does not find quotes whose bid has an id that ends in 7",
        "RESP-RESULT-TRUE RECEIVED",
        _ids_ending_in(7),
    ),
    fault_of(
        CQ,
        "second-instrument",
        "Cancels nothing on instruments above the first",
        "EFFECT-PAIR REQ-INSTRUMENTID-DEFAULT",
        step(CQ, "combine", _second_instrument_left),
    ),
)
