"""Permitted differences of POST api/orders/cancellations in what is done, said and refused: the readings, and more."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from lxml import etree

from reference_impl.depth import load_json
from reference_impl.parts import Parts, with_tpp
from reference_impl.recorder import Recorder
from reference_impl.tpp.changes import (
    both,
    on_errors,
    on_instruction,
    on_media,
    on_request_text,
    on_response,
    on_result,
    on_results,
    on_text,
    refuse_text,
    tpp_equivalent,
)
from reference_impl.tpp.document_type import internal_entities, without_document_type
from reference_impl.tpp.read_json import read_json
from reference_impl.tpp.read_xml import MEMBERS, read_xml
from reference_impl.tpp.service import key_of
from reference_impl.tpp.values import Format, Instruction, Items, Media, Result, UnreadableList
from reference_impl.tpp.write_xml import SERIALIZATION
from reference_impl.variants import Change, Variant
from reference_impl.wire import TPP_OPERATION, HttpRequest, HttpResponse

_SLOW_S = 0.05
_UNDER_WAY_S = 0.03
_WORDS = {
    "Order is not active.": "ERR-17: l\u2019ordre n\u2019est plus actif \u2013 d\u00e9j\u00e0 trait\u00e9 <cl\u00f4tur\u00e9> & archiv\u00e9",
    "Order not found.": "Unknown order",
    "PIN validation failed.": "Not authorised",
}
Errors = tuple[str, ...]


def _status(old: int, new: int) -> Change:
    return on_response(lambda _, response: replace(response, status=new) if response.status == old else response)


def _mixed_status(_request: HttpRequest, response: HttpResponse) -> HttpResponse:
    mixed = response.status == 200 and all(word in response.body for word in (b"true", b"false"))
    return replace(response, status=207) if mixed else response


def _refuse_list(unwanted: str) -> Change:
    """Refuses a whole list, before anything is done, for what `unwanted` names."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        inner = parts.tpp.admit

        def admit(p: Parts, instructions: Sequence[Instruction]) -> None:
            inner(p, instructions)
            problems = {
                "empty": "The list is empty." if not instructions else None,
                "broken": next((problem for i in instructions if (problem := p.tpp.problem(i))), None),
                "twice": "An order is named twice." if _named_twice(instructions) else None,
            }
            problem = problems[unwanted]
            if problem is not None:
                recorder.hit()
                raise UnreadableList(problem)

        return with_tpp(parts, admit=admit)

    return apply


def _named_twice(instructions: Sequence[Instruction]) -> bool:
    keys = [key_of(instruction) for instruction in instructions]
    return len(set(keys)) < len(keys)


def _upper(_parts: Parts, _instruction: Instruction, result: Result) -> Result:
    return replace(result, uid=result.uid.upper() if result.uid else None)


def _deciding_id(_parts: Parts, instruction: Instruction, result: Result) -> Result:
    """The id of the other kind is not repeated."""
    return replace(result, order_id=None) if instruction.is_international else replace(result, uid=None)


def _empty_errors(_parts: Parts, _instruction: Instruction, result: Result) -> Result:
    return replace(result, errors=()) if result.success else result


def _both_ids_refused(_parts: Parts, instruction: Instruction, found: Errors) -> Errors:
    both = instruction.order_id is not None and instruction.uid is not None
    return found or (("Name one order.",) if both else ())


def _sorted(results: Sequence[Result]) -> Sequence[Result]:
    return sorted(results, key=lambda result: (result.uid or "", -(result.order_id or 0)))


def _domestic_last(results: Sequence[Result]) -> Sequence[Result]:
    return sorted(results, key=lambda result: result.uid is None)


def _items(items: Items) -> Change:
    """What becomes of items that are no instructions; counted where a list has one."""
    readers = {"json": partial(read_json, items=items, nulls=items), "xml": partial(read_xml, nulls=items)}

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        def counted(form: Format) -> Callable[[str], list[Instruction]]:
            plain, lenient = parts.tpp.readers[form], readers[form]

            def read(text: str) -> list[Instruction]:
                try:
                    return plain(text)
                except UnreadableList:
                    found = lenient(text)
                    recorder.hit()
                    return found

            return read

        return with_tpp(parts, readers={"json": counted("json"), "xml": counted("xml")})

    return apply


def _wide(bound: int, beyond: int) -> Change:
    """Numbers up to a bound; counted where one is beyond what narrower numbers hold."""
    readers = {"json": partial(read_json, bound=bound), "xml": partial(read_xml, bound=bound)}

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        def seen(instruction: Instruction) -> Instruction:
            numbers = (instruction.order_id, instruction.creator_id)
            if any(value is not None and abs(value) > beyond for value in numbers):
                recorder.hit()
            return instruction

        return on_instruction(seen)(with_tpp(parts, readers=readers), recorder)

    return apply


def _without_undeclared(text: str) -> str:
    """A reader that goes by what has a prefix that nothing declares, as libxml2 does when it may recover."""
    if "xmlns:q=" in text:
        return text
    return re.sub(r"<q:(\w+)>.*?</q:\1>", "", text, flags=re.DOTALL)


def _parts_unreadable(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """A framework that reads the parts of a form before it asks whom the request is for."""
    media = request.header("content-type") or ""
    if response.status != 415 or not media.startswith("multipart/"):
        return response
    return HttpResponse(400, b"Invalid multipart/form-data: no part found", "text/html", response.headers)


def _framework_string(parts: Parts, recorder: Recorder) -> Parts:
    def answer_framework(p: Parts, media: Media, status: int, message: str) -> HttpResponse:
        recorder.hit()
        return p.tpp.answer_error(p, media, status, message)

    return with_tpp(parts, answer_framework=answer_framework)


def _framework_bare(_request: HttpRequest, response: HttpResponse) -> HttpResponse:
    return HttpResponse(response.status, b"", "", response.headers) if response.status in (404, 405, 415) else response


def _not_acceptable(parts: Parts, recorder: Recorder) -> Parts:
    inner = parts.refuse

    def refuse(request: HttpRequest) -> HttpResponse | None:
        accept = (request.header("accept") or "*/*").lower()
        if request.operation != TPP_OPERATION or any(word in accept for word in ("json", "xml", "*")):
            return inner(request)
        recorder.hit()
        return parts.tpp.answer_framework(parts, parts.tpp.negotiate(request), 406, "Nothing acceptable.")

    return replace(parts, refuse=refuse)


def _refused_before(status: int, unwanted: Callable[[HttpRequest], bool]) -> Change:
    """Gives a framework error to some requests, before anything is done."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        inner = parts.refuse

        def refuse(request: HttpRequest) -> HttpResponse | None:
            if request.operation != TPP_OPERATION or not unwanted(request):
                return inner(request)
            recorder.hit()
            return parts.tpp.answer_framework(parts, parts.tpp.negotiate(request), status, "Not so.")

        return replace(parts, refuse=refuse)

    return apply


_length_required = _refused_before(411, lambda request: request.header("transfer-encoding") is not None)
_too_long = _refused_before(413, lambda request: re.search(rb"\w{8192}", request.body) is not None)
_charset_not_acceptable = _refused_before(
    406, lambda request: "utf-8" not in (request.header("accept-charset") or "utf-8")
)
_override_honoured = _refused_before(
    405, lambda request: request.method == "POST" and request.header("x-http-method-override") == "GET"
)


def _lost_out_of_order(text: str) -> str:
    """Members out of the alphabetical order become null, as the vendor's serializer has it."""
    try:
        root = etree.fromstring(text.encode(), etree.XMLParser(resolve_entities=False, no_network=True))
    except (etree.XMLSyntaxError, ValueError):
        return text
    lost = []
    for item in root.iterchildren(etree.Element):
        last = -1
        for child in item.iterchildren(etree.Element):
            name = etree.QName(child).localname
            rank = MEMBERS.index(name) if name in MEMBERS else last
            if rank < last:
                lost.append(child)
            last = max(rank, last)
    for child in lost:
        child.getparent().remove(child)  # type: ignore[union-attr]  # it was found below its item
    return etree.tostring(root, encoding="unicode") if lost else text


def _numbers_as_text(text: str) -> str:
    return re.sub(r'("(?:OrderID|CreatorID)":)"(\d+)"', r"\1\2", text)


def _has_unknown_member(text: str) -> bool:
    try:
        value = load_json(text)
    except ValueError:
        return False
    known = {name.lower() for name in MEMBERS}
    items = value if isinstance(value, list) else []
    return any(isinstance(item, dict) and not {name.lower() for name in item} <= known for item in items)


def _slow(parts: Parts, recorder: Recorder) -> Parts:
    inner = parts.hold

    async def hold(request: HttpRequest) -> None:
        await inner(request)
        if request.operation == TPP_OPERATION:
            recorder.hit()
            await asyncio.sleep(_SLOW_S)

    return replace(parts, hold=hold)


def _under_way(parts: Parts, recorder: Recorder) -> Parts:
    """Accepts a cancellation at once and completes it a little later."""
    inner_judge, inner_effect = parts.tpp.judge, parts.tpp.effect
    pending: set[int | str | None] = set()

    def judge(p: Parts, instruction: Instruction) -> Errors:
        return inner_judge(p, instruction) or (("Order is not active.",) if key_of(instruction) in pending else ())

    def effect(p: Parts, instruction: Instruction) -> None:
        recorder.hit()
        pending.add(key_of(instruction))
        asyncio.get_running_loop().call_later(_UNDER_WAY_S, inner_effect, p, instruction)

    return with_tpp(parts, judge=judge, effect=effect)


def _every_order_asks(parts: Parts, recorder: Recorder) -> Parts:
    """Each order that the service may decide about asks for the PIN; counted where a PIN is right."""
    inner = parts.tpp.judge

    def judge(p: Parts, instruction: Instruction) -> Errors:
        found = inner(p, instruction)
        if not found:
            recorder.hit()
        return found

    return with_tpp(parts, orders=parts.tpp.orders.asking(), judge=judge)


def _empty_text_is_no_list(text: str) -> str:
    return "[]" if text.lstrip().startswith('""') else text


def _worded(_parts: Parts, _instruction: Instruction, found: Errors) -> Errors:
    return tuple(_WORDS.get(error, error) for error in found)


def _answered_without_body(method: str, status: int) -> Callable[[HttpRequest, HttpResponse], HttpResponse]:
    """A method that only asks is answered, and nothing is done."""
    answer = HttpResponse(status, b"", "", (("allow", "POST, OPTIONS"),))
    return lambda request, response: answer if request.method == method else response


def _error_text(text: str) -> str:
    return (
        '"Ung\\u00fcltige Anfrage"'
        if text.startswith('"')
        else f'<string xmlns="{SERIALIZATION}">Ung\u00fcltige Anfrage &lt;400&gt;</string>'
    )


EQUIVALENTS: tuple[Variant, ...] = (
    tpp_equivalent("tpp-status-201", "Answers a list under 201", _status(200, 201)),
    tpp_equivalent("tpp-status-202", "Answers a list under 202", _status(200, 202)),
    tpp_equivalent("tpp-status-207", "Answers a list under 207", _status(200, 207)),
    tpp_equivalent(
        "tpp-status-207-when-mixed", "Answers a list under 207 when its results differ", on_response(_mixed_status)
    ),
    tpp_equivalent("tpp-status-422", "Refuses a list that cannot be read under 422", _status(400, 422)),
    tpp_equivalent("tpp-empty-list-refused", "Refuses an empty list", _refuse_list("empty")),
    tpp_equivalent("tpp-broken-refuses-list", "Refuses a list for one broken instruction", _refuse_list("broken")),
    tpp_equivalent("tpp-order-twice-refuses-list", "Refuses a list that names an order twice", _refuse_list("twice")),
    tpp_equivalent(
        "tpp-results-reversed",
        "Lists the results from last to first",
        on_results(lambda results: list(reversed(results))),
    ),
    tpp_equivalent("tpp-results-sorted", "Lists the results by their ids", on_results(_sorted)),
    tpp_equivalent(
        "tpp-results-grouped", "Lists the results of international orders first", on_results(_domestic_last)
    ),
    tpp_equivalent("tpp-uids-upper-case", "Writes UIDs in capitals", on_result(_upper)),
    tpp_equivalent("tpp-deciding-id-alone", "Repeats the id that decides and no other", on_result(_deciding_id)),
    tpp_equivalent(
        "tpp-errors-empty-on-success", "Writes an empty list of errors for a success", on_result(_empty_errors)
    ),
    tpp_equivalent(
        "tpp-several-errors",
        "Gives several errors for a failure",
        on_errors(lambda _p, _i, found: (*found, "Contact the desk.") if found else found),
    ),
    tpp_equivalent(
        "tpp-errors-worded-otherwise",
        "Words its errors in other ways, beyond ASCII and with markup",
        on_errors(_worded),
    ),
    tpp_equivalent(
        "tpp-error-string-in-json-worded-otherwise",
        "Words the error string of JSON otherwise",
        on_text("json", _error_text, "error"),
    ),
    tpp_equivalent(
        "tpp-error-string-in-xml-worded-otherwise",
        "Words the error string of XML otherwise",
        on_text("xml", _error_text, "error"),
    ),
    tpp_equivalent("tpp-both-ids-refused", "Refuses an instruction with both ids", on_errors(_both_ids_refused)),
    tpp_equivalent(
        "tpp-item-own-result", "Gives an item that is no instruction a failed result of its own", _items("broken")
    ),
    tpp_equivalent("tpp-item-dropped", "Drops an item that is no instruction", _items("dropped")),
    tpp_equivalent(
        "tpp-forbidden-reference-read",
        "Reads a character reference that XML forbids",
        on_request_text("xml", lambda text: text.replace("&#1;", "\ufffd")),
    ),
    tpp_equivalent("tpp-pin-of-every-order", "Asks for the PIN of every order that may have one", _every_order_asks),
    tpp_equivalent(
        "tpp-flag-two-is-true",
        "Reads 2 as true, and repeats the id that decides and no other",
        both(
            on_result(_deciding_id),
            on_request_text(
                "json", lambda text: text.replace('"IsInternationalOrder":2', '"IsInternationalOrder":true')
            ),
        ),
    ),
    tpp_equivalent(
        "tpp-json-empty-text-is-no-list",
        "Takes an empty text for a list without instructions, whatever stands behind it",
        on_request_text("json", _empty_text_is_no_list),
    ),
    tpp_equivalent("tpp-chunked-411", "Wants the length of a body told before", _length_required),
    tpp_equivalent("tpp-long-text-413", "Gives 413 for a text of 8 KB", _too_long),
    tpp_equivalent(
        "tpp-accept-charset-ignored",
        "Answers in UTF-8 whatever Accept-Charset says",
        on_media(lambda _, media: replace(media, charset="utf-8")),
    ),
    tpp_equivalent(
        "tpp-accept-charset-406", "Gives 406 where Accept-Charset does not name UTF-8", _charset_not_acceptable
    ),
    tpp_equivalent("tpp-method-override-honoured", "Takes a POST that calls itself a GET for one", _override_honoured),
    tpp_equivalent("tpp-int64", "Reads numbers of 64 bits", _wide(2**63, 2**31)),
    tpp_equivalent("tpp-numbers-of-any-length", "Reads numbers of any length", _wide(10**4000, 2**63)),
    tpp_equivalent(
        "tpp-xml-undeclared-prefix-passed-over",
        "Passes over an element whose prefix nothing declares",
        on_request_text("xml", _without_undeclared),
    ),
    tpp_equivalent(
        "tpp-multipart-is-a-400", "Refuses a form of several parts before anything else", on_response(_parts_unreadable)
    ),
    tpp_equivalent(
        "tpp-framework-errors-as-string", "Writes the errors of the framework as the string", _framework_string
    ),
    tpp_equivalent(
        "tpp-framework-errors-bare", "Gives the errors of the framework without a body", on_response(_framework_bare)
    ),
    tpp_equivalent("tpp-accept-unknown-406", "Gives 406 where Accept names nothing that is known", _not_acceptable),
    tpp_equivalent(
        "tpp-options-204",
        "Says to an OPTIONS which methods there are",
        on_response(_answered_without_body("OPTIONS", 204)),
    ),
    tpp_equivalent(
        "tpp-head-200", "Answers a HEAD with 200 and no body", on_response(_answered_without_body("HEAD", 200))
    ),
    tpp_equivalent(
        "tpp-xml-out-of-order-lost",
        "Loses elements that stand against the alphabet",
        on_request_text("xml", _lost_out_of_order),
    ),
    tpp_equivalent(
        "tpp-json-numbers-as-text", "Reads numbers that are written as text", on_request_text("json", _numbers_as_text)
    ),
    tpp_equivalent(
        "tpp-json-unknown-member-refused",
        "Refuses a list with a member that the document does not name",
        refuse_text("json", _has_unknown_member),
    ),
    tpp_equivalent(
        "tpp-json-braced-uid-refused", "Refuses a UID in braces", refuse_text("json", lambda text: '"{' in text)
    ),
    tpp_equivalent(
        "tpp-document-type-passed-over",
        "Passes over a document type, opens nothing, and reads an entity as nothing",
        on_request_text("xml", without_document_type),
    ),
    tpp_equivalent(
        "tpp-internal-entities-read",
        "Reads entities that the document itself declares, and refuses any other",
        on_request_text("xml", internal_entities),
    ),
    tpp_equivalent("tpp-slow", "Takes 50 ms for an answer", _slow),
    tpp_equivalent("tpp-under-way", "Reports success and completes the cancellation 40 ms later", _under_way),
)
