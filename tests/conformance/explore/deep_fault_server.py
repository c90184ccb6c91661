"""A reference implementation with a deep fault or one of its own; `python deep_fault_server.py NAME` serves it on a free port."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from dataclasses import replace

from reference_impl.alphapoint.book import Order
from reference_impl.alphapoint.values import Answer, Call
from reference_impl.app import build_app
from reference_impl.control import Control
from reference_impl.defaults import default_parts
from reference_impl.faults import FAULTS as REFERENCE_FAULTS
from reference_impl.parts import Parts, with_cancel_all, with_tpp
from reference_impl.serve import address_of, listen, make_server
from reference_impl.tpp.values import Instruction
from reference_impl.variants import apply_variants
from reference_impl.world.load import load_world

PREFIX, SHORT_PREFIX = "a7", "a"


def _in_xml(parts: Parts) -> tuple[Parts, Callable[[], bool]]:
    """The parts, and whether the list that is being processed came in XML: it is read and done in one turn."""
    last = {"form": ""}

    def noting(form: str) -> Callable[[str], list[Instruction]]:
        inner = parts.tpp.readers[form]

        def read(text: str) -> list[Instruction]:
            last["form"] = form
            return inner(text)

        return read

    return with_tpp(parts, readers={form: noting(form) for form in parts.tpp.readers}), lambda: last["form"] == "xml"


def _is_deep(instruction: Instruction, prefix: str = PREFIX) -> bool:
    return instruction.is_international and (instruction.uid or "").startswith(prefix)


def unknown_succeeds(parts: Parts) -> Parts:
    """Success for an unknown international order, in XML, when its UID begins with the prefix."""
    parts, in_xml = _in_xml(parts)
    inner = parts.tpp.judge

    def judge(p: Parts, instruction: Instruction) -> tuple[str, ...]:
        errors = inner(p, instruction)
        return () if errors == ("Order not found.",) and _is_deep(instruction) and in_xml() else errors

    return with_tpp(parts, judge=judge)


def live_is_kept(parts: Parts) -> Parts:
    """An international order, in XML, whose UID begins with the short prefix, is reported cancelled and is not."""
    parts, in_xml = _in_xml(parts)
    inner = parts.tpp.effect

    def effect(p: Parts, instruction: Instruction) -> None:
        if not (_is_deep(instruction, SHORT_PREFIX) and in_xml()):
            inner(p, instruction)

    return with_tpp(parts, effect=effect)


def third_call_sleeps(parts: Parts) -> Parts:
    """CancelAllOrders of an account whose orders it has cancelled twice before reports success and does nothing."""
    inner = parts.alphapoint.cancel_all.effect
    served: dict[int, int] = {}

    def effect(p: Parts, call: Call, orders: tuple[Order, ...]) -> Answer:
        sleepy = {order.account_id for order in orders if served.get(order.account_id, 0) % 3 == 2}
        for account in {order.account_id for order in orders}:
            served[account] = served.get(account, 0) + 1
        return inner(p, call, tuple(order for order in orders if order.account_id not in sleepy))

    return with_cancel_all(parts, effect=effect)


FAULTS = {
    "none": lambda parts: replace(parts),
    "unknown-succeeds": unknown_succeeds,
    "live-is-kept": live_is_kept,
    "third-call-sleeps": third_call_sleeps,
}


def main(name: str) -> None:
    """Serve until a signal comes."""
    change = FAULTS.get(name) or (lambda given: apply_variants(given, [REFERENCE_FAULTS[name]])[0])
    parts = change(default_parts(load_world(None)))
    with listen("127.0.0.1", 0) as listener:
        server = make_server(build_app(parts, Control(parts, {})), [f"listening on {address_of(listener)}"])
        asyncio.run(server.serve([listener]))


if __name__ == "__main__":
    main(sys.argv[1])
