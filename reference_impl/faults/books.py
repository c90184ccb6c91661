"""Violations that the case whose message did it does not see: later, elsewhere, or undone again behind its look."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence

from reference_impl.alphapoint.book import Order
from reference_impl.alphapoint.values import Answer, Call, Pair, Refused, Standard
from reference_impl.changes import CAO, CO, CQ, Operation, fault_of, handler
from reference_impl.parts import Handler, Parts, with_call, with_tpp
from reference_impl.recorder import Recorder
from reference_impl.tpp.changes import tpp_fault
from reference_impl.tpp.service import key_of
from reference_impl.tpp.values import Instruction, Result
from reference_impl.variants import Change, Variant
from reference_impl.world.model import TppOrder

LATER_S = 0.3
"""Longer than a target file of a fast service lets an effect take."""
FIRST = 30
"""So many successes pass first: until then what has stood longest may be what somebody is looking at."""
_Chosen = Callable[[Parts, Call, Sequence[Order]], Iterable[Order]]
"""From the call and what it cancelled, the orders that are hit as well."""
_Act = Callable[[Recorder, Parts, Call, list[Order]], None]
"""What is done behind a success, given what it cancelled."""


def _succeeds(answer: Answer) -> bool:
    legs = (answer.bid, answer.ask) if isinstance(answer, Pair) else (answer,)
    return all(isinstance(leg, Standard) and leg.code == 0 for leg in legs)


def _behind(operation: Operation, act: _Act, every: int = 1, *, first: bool = False) -> Change:
    """Does more behind every so many successes, from the `first` one or from the `FIRST` on."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        count = 0

        def run(told: Recorder, inner: Handler, p: Parts, call: Call) -> Answer:
            nonlocal count
            before = p.alphapoint.book.every_open()
            answer = inner(p, call)
            still = {order.order_id for order in p.alphapoint.book.every_open()}
            gone = [order for order in before if order.order_id not in still]
            if gone and _succeeds(answer):
                count += 1
                if count % every == 0 and (first or count >= FIRST):
                    act(told, p, call, gone)
            return answer

        return handler(operation, run)(parts, recorder)

    return apply


def _cancels(chosen: _Chosen, *, later: bool = False) -> _Act:
    """Cancels one order more, at once or later: the first of those that are chosen."""

    def act(recorder: Recorder, parts: Parts, call: Call, gone: list[Order]) -> None:
        def cancel() -> None:
            for order in chosen(parts, call, gone):
                if parts.alphapoint.book.cancel([order.order_id]):
                    recorder.hit()
                    return

        if later:
            asyncio.get_running_loop().call_later(LATER_S, cancel)
        else:
            cancel()

    return act


def _opens_again(recorder: Recorder, parts: Parts, _call: Call, gone: list[Order]) -> None:
    def again() -> None:
        for order in gone:
            recorder.hit()
            parts.alphapoint.book.reopen(order.order_id)

    asyncio.get_running_loop().call_later(LATER_S, again)


def _elsewhere(parts: Parts, gone: Sequence[Order], *, quotes: bool | None = None) -> list[Order]:
    """What is open in other accounts than those of what was cancelled, the oldest first; not where nothing is cancelled."""
    accounts, known = {order.account_id for order in gone}, parts.world.accounts
    accounts |= {one for one, it in known.items() if (it.on_cancel, it.on_cancel_order) != ("succeed", "succeed")}
    found = [order for order in parts.alphapoint.book.every_open() if order.account_id not in accounts]
    return sorted((order for order in found if quotes in (None, order.is_quote)), key=lambda order: order.order_id)


def _same_account(parts: Parts, gone: Sequence[Order], *, quotes: bool) -> list[Order]:
    place = gone[0].oms_id, gone[0].account_id
    return [order for order in parts.alphapoint.book.open_orders(*place) if order.is_quote is quotes]


def _other_account(parts: Parts, _call: Call, gone: Sequence[Order]) -> Iterable[Order]:
    return _elsewhere(parts, gone)


def _order_elsewhere(parts: Parts, _call: Call, gone: Sequence[Order]) -> Iterable[Order]:
    return _elsewhere(parts, gone, quotes=False)


def _quote_elsewhere(parts: Parts, _call: Call, gone: Sequence[Order]) -> Iterable[Order]:
    return _elsewhere(parts, gone, quotes=True)


def _other_order(parts: Parts, _call: Call, gone: Sequence[Order]) -> Iterable[Order]:
    return _same_account(parts, gone, quotes=False)


def _other_quote(parts: Parts, _call: Call, gone: Sequence[Order]) -> Iterable[Order]:
    return _same_account(parts, gone, quotes=True)


def _quote_of_other_instrument(parts: Parts, _call: Call, gone: Sequence[Order]) -> Iterable[Order]:
    mine = {order.instrument_id for order in gone}
    return [order for order in _elsewhere(parts, gone, quotes=True) if order.instrument_id not in mine] + [
        order for order in _same_account(parts, gone, quotes=True) if order.instrument_id not in mine
    ]


def _named(parts: Parts, call: Call) -> list[Order]:
    """The open orders that a call names, or, of a call that names none, those of the account that it names."""
    named = {value for value in call.members.values() if isinstance(value, int)}
    standing = parts.alphapoint.book.every_open()
    if CAO.is_of(call):
        return [order for order in standing if order.account_id == call.members.get("accountid")]
    return [order for order in standing if order.order_id in named]


def _refused_later(operation: Operation, *codes: int) -> Change:
    """What a refused call named is cancelled later all the same; with any code, or one of these."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        def run(told: Recorder, inner: Handler, p: Parts, call: Call) -> Answer:
            try:
                return inner(p, call)
            except Refused as error:
                orders = _named(p, call) if not codes or error.refusal.code in codes else []

                def cancel() -> None:
                    if p.alphapoint.book.cancel(order.order_id for order in orders):
                        told.hit()

                if orders:
                    asyncio.get_running_loop().call_later(LATER_S, cancel)
                raise

        return handler(operation, run)(parts, recorder)

    return apply


def _undone_at_log_out(operation: Operation) -> Change:
    """What a user has cancelled is open again once he signs out."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        cancelled: dict[str, list[Order]] = {}

        def note(_recorder: Recorder, _parts: Parts, call: Call, gone: list[Order]) -> None:
            cancelled.setdefault(call.user.name, []).extend(gone)

        parts = _behind(operation, note, first=True)(parts, recorder)
        inner = parts.alphapoint.calls["LogOut"]

        def log_out(p: Parts, call: Call) -> Answer:
            for order in cancelled.pop(call.user.name, []):
                recorder.hit()
                p.alphapoint.book.reopen(order.order_id)
            return inner(p, call)

        return with_call(parts, "LogOut", log_out)

    return apply


def _tpp_behind(act: Callable[[Recorder, Parts, Instruction], None], *, success: bool = True) -> Change:
    """Does more behind every result that is a success, or none."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        inner = parts.tpp.carry_out

        def carry_out(p: Parts, instruction: Instruction) -> Result:
            result = inner(p, instruction)
            if result.success is success and key_of(instruction) is not None:
                act(recorder, p, instruction)
            return result

        return with_tpp(parts, carry_out=carry_out)

    return apply


def _tpp_again(recorder: Recorder, parts: Parts, instruction: Instruction) -> None:
    """The order is open again later."""
    key = key_of(instruction)
    order = None if key is None else parts.tpp.orders.find(key)

    def again() -> None:
        if order is not None and order.state == "cancelled":
            recorder.hit()
            parts.tpp.orders.put(TppOrder(order.order_id, order.uid, "open", order.pin_required))

    asyncio.get_running_loop().call_later(LATER_S, again)


def _tpp_cancels(recorder: Recorder, parts: Parts, key: int | str | None) -> None:
    if key is not None and parts.tpp.orders.cancel(key):
        recorder.hit()


def _tpp_anyway(recorder: Recorder, parts: Parts, instruction: Instruction) -> None:
    """The order is cancelled later all the same."""
    asyncio.get_running_loop().call_later(LATER_S, _tpp_cancels, recorder, parts, key_of(instruction))


FAULTS: tuple[Variant, ...] = (
    *(
        fault_of(operation, "open-again-later", "Opens again what it cancelled, some time later", breaks, change)
        for operation, breaks, change in (
            (CAO, "EFFECT-ACCOUNT", _behind(CAO, _opens_again, 4, first=True)),
            (CO, "EFFECT", _behind(CO, _opens_again, 4, first=True)),
            (CQ, "EFFECT-PAIR", _behind(CQ, _opens_again, 4, first=True)),
        )
    ),
    *(
        fault_of(operation, "undone-at-logout", "Opens again what a user cancelled when he signs out", breaks, change)
        for operation, breaks, change in (
            (CAO, "EFFECT-ACCOUNT SESSION-ENDED", _undone_at_log_out(CAO)),
            (CO, "EFFECT SESSION-ENDED", _undone_at_log_out(CO)),
            (CQ, "EFFECT-PAIR SESSION-ENDED", _undone_at_log_out(CQ)),
        )
    ),
    *(
        fault_of(
            operation,
            "refused-done-later",
            "Cancels later what a refused call named",
            "REFUSED-NO-EFFECT",
            _refused_later(operation),
        )
        for operation in (CO, CQ)
    ),
    *(
        fault_of(
            operation,
            f"{code}-done-later",
            f"Cancels later what a call named that it refused with code {code}",
            "REFUSED-NO-EFFECT",
            _refused_later(operation, code),
        )
        for operation, code in ((CAO, 20), (CAO, 100), (CO, 20), (CO, 100), (CO, 104), (CQ, 104))
    ),
    *(
        fault_of(
            operation,
            "every-7th-other-account",
            "Takes something of another account at every seventh success",
            "EFFECT-ONLY",
            _behind(operation, _cancels(_other_account), 7),
        )
        for operation in (CAO, CO, CQ)
    ),
    fault_of(
        CO,
        "other-order-later",
        "Cancels another order of the account as well, some time later",
        "EFFECT-ONLY",
        _behind(CO, _cancels(_other_order, later=True)),
    ),
    fault_of(
        CO,
        "every-6th-quote",
        "Takes a quote of another account at every sixth success",
        "EFFECT-ONLY",
        _behind(CO, _cancels(_quote_elsewhere), 6),
    ),
    fault_of(
        CQ,
        "every-6th-order",
        "Takes an order of another account at every sixth success",
        "EFFECT-ONLY",
        _behind(CQ, _cancels(_order_elsewhere), 6),
    ),
    fault_of(
        CQ,
        "third-other-instrument",
        "Takes a quote on another instrument at every third success",
        "EFFECT-ONLY",
        _behind(CQ, _cancels(_quote_of_other_instrument), 3),
    ),
    fault_of(
        CAO,
        "elsewhere-later",
        "Cancels an order of another account as well, some time later",
        "EFFECT-ONLY",
        _behind(CAO, _cancels(_order_elsewhere, later=True)),
    ),
    tpp_fault(
        "tpp-open-again-later", "Opens again what it cancelled, some time later", _tpp_behind(_tpp_again), "EFFECT"
    ),
    tpp_fault(
        "tpp-failed-done-later",
        "Cancels later what a failed instruction named",
        _tpp_behind(_tpp_anyway, success=False),
        "FAILED-NO-EFFECT",
    ),
)
