"""Violations of POST api/orders/cancellations: what the PIN decides, and where it must not appear."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from reference_impl.parts import Parts
from reference_impl.tpp import service
from reference_impl.tpp.changes import on_errors, on_instruction, on_list, on_response, on_result, tpp_fault
from reference_impl.tpp.values import Instruction, Result
from reference_impl.variants import Change, Variant
from reference_impl.wire import HttpRequest, HttpResponse

_SENT = re.compile(rb'PIN"?\s*[:>]\s*"?(\d+)')
_REFUSED = "PIN validation failed."


def _accept(right: Callable[[str | None, str], bool]) -> Change:
    """Takes the PIN for right also where `right(given, wanted)` says so."""

    def errors(parts: Parts, instruction: Instruction, found: tuple[str, ...]) -> tuple[str, ...]:
        if found and right(instruction.pin, parts.world.tpp.pin):
            return service.judge(parts, replace(instruction, pin=parts.world.tpp.pin))
        return found

    return on_errors(errors)


def _same_number(given: str | None, wanted: str) -> bool:
    return given is not None and given.isdecimal() and int(given) == int(wanted)


def _always_required(_parts: Parts, instruction: Instruction, found: tuple[str, ...]) -> tuple[str, ...]:
    return found or (() if instruction.pin else ("PIN is required.",))


def _never_right(parts: Parts, instruction: Instruction, found: tuple[str, ...]) -> tuple[str, ...]:
    order = None if instruction.order_id is None else parts.tpp.orders.find(instruction.order_id)
    return found or ((_REFUSED,) if order and order.pin_required else ())


def _cancelled_anyway(parts: Parts, instruction: Instruction, found: tuple[str, ...]) -> tuple[str, ...]:
    if found == (_REFUSED,) and instruction.order_id is not None:
        parts.tpp.orders.cancel(instruction.order_id)
        return (_REFUSED, "Cancelled without validation.")
    return found


def _said(_parts: Parts, instruction: Instruction, found: tuple[str, ...]) -> tuple[str, ...]:
    return (*found, f"Instruction was: PIN={instruction.pin}") if found and instruction.pin else found


def _said_when_wrong(_parts: Parts, instruction: Instruction, found: tuple[str, ...]) -> tuple[str, ...]:
    return (f"{instruction.pin} is not the PIN.",) if found == (_REFUSED,) and instruction.pin else found


def _right_one_told(parts: Parts, _instruction: Instruction, found: tuple[str, ...]) -> tuple[str, ...]:
    return (f"The PIN is {parts.world.tpp.pin}.",) if found == (_REFUSED,) else found


def _beyond_ascii(_parts: Parts, instruction: Instruction, result: Result) -> Result:
    return (
        result
        if not instruction.pin or instruction.pin.isascii()
        else replace(result, success=True, errors=(instruction.pin,))
    )


def _unchecked_abroad(_parts: Parts, instruction: Instruction, found: tuple[str, ...]) -> tuple[str, ...]:
    return () if found == (_REFUSED,) and instruction.is_international else found


def _borrowed(instructions: list[Instruction]) -> list[Instruction]:
    """An instruction without a PIN, or with a wrong one, is believed because of the first in the list."""
    return [replace(one, pin=instructions[0].pin or one.pin) for one in instructions]


def _in_a_header(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    found = _SENT.search(request.body)
    return (
        replace(response, headers=(*response.headers, ("x-debug", f"pin={found[1].decode()}"))) if found else response
    )


FAULTS: tuple[Variant, ...] = (
    tpp_fault(
        "tpp-pin-ignored",
        "Cancels a protected order with any PIN",
        _accept(lambda _given, _wanted: True),
        "REQ-PIN-USE",
    ),
    tpp_fault(
        "tpp-pin-null-accepted",
        "Cancels a protected order without a PIN",
        _accept(lambda given, _: given is None),
        "REQ-PIN-USE",
    ),
    tpp_fault(
        "tpp-pin-empty-accepted",
        "Cancels a protected order with an empty PIN",
        _accept(lambda given, _: given == ""),
        "REQ-PIN-USE",
    ),
    tpp_fault(
        "tpp-pin-compared-as-number",
        "Compares PINs as numbers, so that leading zeros are lost",
        _accept(_same_number),
        "REQ-PIN-TYPE",
        "REQ-PIN-USE",
    ),
    tpp_fault(
        "tpp-pin-prefix-accepted",
        "Compares as many characters as the PIN has and no more",
        _accept(lambda given, wanted: bool(given) and str(given).startswith(wanted)),
        "REQ-PIN-TYPE",
        "REQ-PIN-USE",
    ),
    tpp_fault(
        "tpp-pin-always-required", "Demands a PIN where none is asked for", on_errors(_always_required), "REQ-PIN-USE"
    ),
    tpp_fault("tpp-pin-never-right", "Refuses the right PIN", on_errors(_never_right), "REQ-PIN-USE"),
    tpp_fault(
        "tpp-pin-not-read-in-xml",
        "Does not read the PIN in XML",
        on_instruction(lambda i: replace(i, pin=None), "xml"),
        "REQ-PIN-USE",
        "REQ-PIN-TYPE",
    ),
    tpp_fault(
        "tpp-pin-wrong-cancels-anyway",
        "Refuses a wrong PIN and cancels all the same",
        on_errors(_cancelled_anyway),
        "FAILED-NO-EFFECT",
    ),
    tpp_fault("tpp-pin-echoed", "Repeats the PIN in the errors of any failure", on_errors(_said), "SECRETS"),
    tpp_fault("tpp-pin-echoed-when-wrong", "Repeats a wrong PIN in the error", on_errors(_said_when_wrong), "SECRETS"),
    tpp_fault("tpp-pin-told", "Names the right PIN to who gives a wrong one", on_errors(_right_one_told), "SECRETS"),
    tpp_fault(
        "tpp-pin-beyond-ascii-echoed",
        "Reports success and an error that holds the PIN, when it has characters beyond ASCII",
        on_result(_beyond_ascii),
        "RESP-ERRORS-ON-FAILURE",
        "SECRETS",
    ),
    tpp_fault(
        "tpp-pin-unchecked-abroad",
        "Looks at no PIN where the order is international",
        on_errors(_unchecked_abroad),
        "REQ-PIN-USE",
    ),
    tpp_fault(
        "tpp-pin-borrowed",
        "Takes the PIN of the first instruction for every one in the list",
        on_list(_borrowed),
        "REQ-PIN-USE",
    ),
    tpp_fault("tpp-pin-in-a-header", "Repeats the PIN in a header of the answer", on_response(_in_a_header), "SECRETS"),
)
