"""Violations of POST api/orders/cancellations: values from the previous instruction or beside the body, undone effects."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import parse_qsl

from reference_impl.parts import Parts, with_tpp
from reference_impl.recorder import Recorder
from reference_impl.tpp import http, service
from reference_impl.tpp.changes import both, fresh, on_errors, on_list, on_response, tpp_fault
from reference_impl.tpp.service import key_of
from reference_impl.tpp.values import Format, Instruction, Result, UnreadableList
from reference_impl.variants import Change, Variant
from reference_impl.wire import HttpRequest, HttpResponse

_WRONG_PIN = "PIN validation failed."
_PATIENCE = 3
_REOPENS_S = 0.1
_LETTERED_PIN = "a7Qx"
Errors = tuple[str, ...]


def _near_enough(alike: Callable[[str, str], bool]) -> Change:
    """Takes a PIN for the right one when it is alike."""

    def errors(parts: Parts, instruction: Instruction, found: Errors) -> Errors:
        wanted = parts.world.tpp.pin
        if found == (_WRONG_PIN,) and instruction.pin is not None and alike(instruction.pin, wanted):
            return service.judge(parts, replace(instruction, pin=wanted))
        return found

    return on_errors(errors)


def _lettered_pin(parts: Parts, _recorder: Recorder) -> Parts:
    world = parts.world
    return replace(parts, world=replace(world, tpp=replace(world.tpp, pin=_LETTERED_PIN)))


def _out_of_patience() -> Change:
    """Counts the wrong PINs for an order, and asks for none once there were three."""
    wrong: Counter[int | str | None] = Counter()

    def errors(_parts: Parts, instruction: Instruction, found: Errors) -> Errors:
        if found != (_WRONG_PIN,):
            return found
        wrong[key_of(instruction)] += 1
        return () if wrong[key_of(instruction)] > _PATIENCE else found

    return on_errors(errors)


def _carried(change: Callable[[Instruction, Instruction], Instruction]) -> Change:
    """Each instruction as it is behind the one before, which is itself as it was behind the one before that."""

    def carry(found: list[Instruction]) -> list[Instruction]:
        carried = found[:1]
        for one in found[1:]:
            carried.append(change(carried[-1], one))
        return carried

    return on_list(carry)


def _pin_kept(before: Instruction, one: Instruction) -> Instruction:
    return replace(one, pin=before.pin) if one.pin is None else one


def _creator_kept(before: Instruction, one: Instruction) -> Instruction:
    return replace(one, creator_id=before.creator_id) if one.creator_id is None else one


def _creator_kept_abroad(before: Instruction, one: Instruction) -> Instruction:
    crossed = one.is_international and not before.is_international
    return _creator_kept(before, one) if crossed else one


def _flag_kept(before: Instruction, one: Instruction) -> Instruction:
    return replace(one, is_international=True) if before.is_international and one.uid is not None else one


def _success_kept(parts: Parts, recorder: Recorder) -> Parts:
    """An instruction that names nothing gets the outcome of the one before."""
    inner = parts.tpp.carry_out
    before: list[Result] = []

    def carry_out(p: Parts, instruction: Instruction) -> Result:
        result = inner(p, instruction)
        if key_of(instruction) is None and before[-1:] and before[-1].success:
            recorder.hit()
            result = replace(result, success=True, errors=None)
        before[:] = [result]
        return result

    def read(inner_read: Callable[[str], list[Instruction]]) -> Callable[[str], list[Instruction]]:
        def started(text: str) -> list[Instruction]:
            before.clear()
            return inner_read(text)

        return started

    readers = {form: read(one) for form, one in parts.tpp.readers.items()}
    return with_tpp(parts, carry_out=carry_out, readers=readers)


def _opens_again(parts: Parts, recorder: Recorder) -> Parts:
    """A batch that was under way writes the order back as it had read it."""
    inner = parts.tpp.effect

    def effect(p: Parts, instruction: Instruction) -> None:
        key = key_of(instruction)
        order = None if key is None else p.tpp.orders.find(key)
        inner(p, instruction)
        if order is not None:
            recorder.hit()
            asyncio.get_running_loop().call_later(_REOPENS_S, p.tpp.orders.put, order)

    return with_tpp(parts, effect=effect)


def _sign_ignored(parts: Parts, recorder: Recorder) -> Parts:
    inner = parts.tpp.carry_out

    def carry_out(p: Parts, instruction: Instruction) -> Result:
        if instruction.is_international or instruction.order_id is None or instruction.order_id >= 0:
            return inner(p, instruction)
        recorder.hit()
        result = inner(p, replace(instruction, order_id=-instruction.order_id))
        return replace(result, order_id=instruction.order_id)

    return with_tpp(parts, carry_out=carry_out)


def _query_cancels(parts: Parts, recorder: Recorder) -> Parts:
    """An OrderID in the query is taken for one more instruction."""
    inner = parts.http_filter

    def http_filter(request: HttpRequest, response: HttpResponse) -> HttpResponse:
        if request.path == http.PATH and response.status == 200:
            for name, value in parse_qsl(request.query):
                if name.lower() == "orderid" and value.isdecimal() and parts.tpp.orders.cancel(int(value)):
                    recorder.hit()
        return inner(request, response)

    return replace(parts, http_filter=http_filter)


def _charset_lies(_request: HttpRequest, response: HttpResponse) -> HttpResponse:
    return replace(response, content_type=response.content_type.replace("utf-16", "utf-8"))


def _chunks_not_read(parts: Parts, recorder: Recorder) -> Parts:
    inner = parts.tpp.decode

    def decode(request: HttpRequest, form: Format) -> str:
        if request.header("transfer-encoding") is None:
            return inner(request, form)
        recorder.hit()
        raise UnreadableList("The body is not a list of cancellation instructions.")

    return with_tpp(parts, decode=decode)


def _override(request: HttpRequest) -> str:
    names = ("x-http-method-override", "x-http-method", "x-method-override")
    return next((value.upper() for name in names if (value := request.header(name))), "")


def _override_acts(parts: Parts, recorder: Recorder) -> Parts:
    """A GET that says it is a POST is one."""
    inner = parts.http_filter

    def http_filter(request: HttpRequest, response: HttpResponse) -> HttpResponse:
        if request.path == http.PATH and request.method == "GET" and _override(request) == "POST":
            recorder.hit()
            response = http.handle(parts, replace(request, method="POST"))
        return inner(request, response)

    return replace(parts, http_filter=http_filter)


def _overridden_acts(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """A POST that says it is a GET is refused, once it was carried out."""
    if request.method != "POST" or _override(request) != "GET":
        return response
    return HttpResponse(405, b"", "", (("allow", "POST"),))


FAULTS: tuple[Variant, ...] = (
    tpp_fault(
        "tpp-pin-trimmed",
        "Leaves out white space around a PIN",
        _near_enough(lambda given, wanted: given.strip() == wanted),
        "REQ-PIN-TYPE",
    ),
    tpp_fault(
        "tpp-pin-last-character-ignored",
        "Does not look at the last character of a PIN",
        _near_enough(lambda given, wanted: len(given) == len(wanted) and given[:-1] == wanted[:-1]),
        "REQ-PIN-TYPE",
    ),
    tpp_fault(
        "tpp-pin-first-character-ignored",
        "Does not look at the first character of a PIN",
        _near_enough(lambda given, wanted: len(given) == len(wanted) and given[1:] == wanted[1:]),
        "REQ-PIN-TYPE",
    ),
    tpp_fault(
        "tpp-pin-case-ignored",
        "Compares the letters of a PIN without regard to their case",
        both(_lettered_pin, _near_enough(lambda given, wanted: given.lower() == wanted.lower())),
        "REQ-PIN-TYPE",
    ),
    tpp_fault("tpp-pin-fourth-try", "Takes any PIN once three were wrong", fresh(_out_of_patience), "REQ-PIN-USE"),
    tpp_fault(
        "tpp-pin-kept", "Takes the PIN of the instruction before for one without", _carried(_pin_kept), "REQ-PIN-USE"
    ),
    tpp_fault(
        "tpp-creator-kept",
        "Takes the person of the instruction before for one without",
        _carried(_creator_kept),
        "REQ-CREATORID-REQUIRED",
    ),
    tpp_fault(
        "tpp-creator-kept-abroad",
        "Takes the person of the domestic instruction before for an international one without",
        _carried(_creator_kept_abroad),
        "REQ-CREATORID-REQUIRED",
    ),
    tpp_fault(
        "tpp-flag-kept",
        "Takes what has a UID behind an international instruction for international",
        _carried(_flag_kept),
        "REQ-ISINTL-TYPE",
        "RESP-IDENTITY",
    ),
    tpp_fault(
        "tpp-success-kept",
        "Reports an instruction that names nothing done when the one before was",
        _success_kept,
        "REQ-UID-REQUIRED",
        "REQ-ORDERID-REQUIRED",
    ),
    tpp_fault("tpp-opens-again", "Opens a cancelled order again 100 ms later", _opens_again, "EFFECT", "TWICE"),
    tpp_fault("tpp-sign-ignored", "Leaves out the minus sign of an OrderID", _sign_ignored, "REQ-ORDERID-TYPE"),
    tpp_fault("tpp-query-cancels", "Cancels the order in the query as well", _query_cancels, "URI-PARAMS"),
    tpp_fault("tpp-charset-lies", "Answers in UTF-16 and calls it UTF-8", on_response(_charset_lies), "RESP-LIST"),
    tpp_fault(
        "tpp-chunks-not-read",
        "Refuses a list that comes in chunks",
        _chunks_not_read,
        "REQ-JSON-APPLICATION",
        "REQ-JSON-TEXT",
        "REQ-XML-APPLICATION",
        "REQ-XML-TEXT",
    ),
    tpp_fault(
        "tpp-method-override-acts",
        "Carries out a GET that calls itself a POST",
        _override_acts,
        "METHOD",
        "FAILED-NO-EFFECT",
    ),
    tpp_fault(
        "tpp-overridden-post-acts",
        "Carries out a POST that calls itself a GET, and refuses it",
        on_response(_overridden_acts),
        "METHOD",
        "FAILED-NO-EFFECT",
    ),
)
