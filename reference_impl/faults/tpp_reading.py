"""Violations of POST api/orders/cancellations: how a body is read, well formed or not."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from reference_impl.depth import load_json
from reference_impl.parts import Parts, with_tpp
from reference_impl.recorder import Recorder
from reference_impl.tpp.changes import on_list, on_request_text, on_response, refuse_text, tpp_fault
from reference_impl.tpp.read_json import read_json
from reference_impl.tpp.read_xml import NAMESPACE, read_xml
from reference_impl.tpp.values import Instruction, UnreadableList
from reference_impl.variants import Change, Variant
from reference_impl.wire import HttpRequest, HttpResponse

_LIST = "ArrayOfCancellationCreation"
_ITEM = "CancellationCreation"
_NIL = re.compile(r'<(\w+) i:nil="(?:true|1)" ?/>')
_NUMBER = re.compile(r'OrderID"?\s*[:>]\s*(\d+)')
_TABLE = re.compile(r"(<OrderID.*?(?:</OrderID>|/>))(<PIN.*?(?:</PIN>|/>))?(?=</CancellationCreation>)", re.DOTALL)


def _xml(change: Callable[[str], str]) -> Change:
    return on_request_text("xml", change)


def _refuses(pattern: str) -> Change:
    return refuse_text("xml", re.compile(pattern, re.DOTALL).search)


def _any_root(text: str) -> str:
    name = re.match(r"\s*(?:<\?.*?\?>)?<([A-Za-z]+)[\s>]", text)
    return text if name is None or name[1] in (_LIST, _ITEM) else re.sub(rf"(</?){name[1]}\b", rf"\g<1>{_LIST}", text)


def _any_namespace(text: str) -> str:
    if NAMESPACE + '"' in text or _LIST not in text:
        return text
    named = re.sub(r'xmlns="[^"]*"', f'xmlns="{NAMESPACE}"', text)
    return named if named != text else text.replace(f"<{_LIST}", f'<{_LIST} xmlns="{NAMESPACE}"', 1)


def _any_item(text: str) -> str:
    return re.sub(r"(</?)Cancellation\b", rf"\g<1>{_ITEM}", text)


def _nil_not_read(text: str) -> str:
    return _NIL.sub(r"<\1></\1>", text)


def _alphabet_refused(text: str) -> str:
    """Members are wanted in the order of the table, so that those in alphabetical order are lost."""
    if re.search(r"<CreatorID.*<OrderID", text, re.DOTALL):
        raise UnreadableList("OrderID was expected.")
    return text


def _wrapped(bits: int) -> Callable[[Parts, Recorder], Parts]:
    """Keeps the lower bits of an OrderID that is too wide."""

    def cut(value: int) -> int:
        half = 1 << (bits - 1)
        return (value + half) % (2 * half) - half

    def change(instructions: list[Instruction]) -> list[Instruction]:
        return [i if i.order_id is None else replace(i, order_id=cut(i.order_id)) for i in instructions]

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        wide = 2**120
        readers = {"json": partial(read_json, bound=wide), "xml": partial(read_xml, bound=wide)}
        return on_list(change)(with_tpp(parts, readers=readers), recorder)

    return apply


def _fraction_cut(text: str) -> str:
    return re.sub(r'("OrderID":|<OrderID>)(\d+)\.\d+', r"\1\2", text)


def _without_its_object(text: str) -> str:
    """The list that stands in an object by itself."""
    found = re.fullmatch(r'\s*\{\s*"\w+"\s*:\s*(\[.*\])\s*\}\s*', text, re.DOTALL)
    return found.group(1) if found else text


def _strange_creators_dropped(instructions: list[Instruction]) -> list[Instruction]:
    """A creator whose number is not positive is nobody, and his instruction is passed over."""
    return [i for i in instructions if i.creator_id is None or i.creator_id > 0]


def _capitals_lost(parts: Parts, recorder: Recorder) -> Parts:
    """A UID counts only in the letter case in which it was given out."""

    def lost(text: str, instruction: Instruction) -> bool:
        return instruction.uid is not None and instruction.uid.upper() in text and instruction.uid not in text

    readers = {}
    for form, inner in parts.tpp.readers.items():

        def read(text: str, inner: Callable[[str], list[Instruction]] = inner) -> list[Instruction]:
            found = inner(text)
            return recorder.swap(found, [replace(i, problem="Order not found.") if lost(text, i) else i for i in found])

        readers[form] = read
    return with_tpp(parts, readers=readers)


def _acts_on_what_it_can_read(parts: Parts, recorder: Recorder) -> Parts:
    """Reads a body as it comes in, and cancels before it knows that the rest makes no sense."""
    readers = {}
    for form, inner in parts.tpp.readers.items():

        def read(text: str, inner: Callable[[str], list[Instruction]] = inner) -> list[Instruction]:
            try:
                return inner(text)
            except UnreadableList:
                for number in _NUMBER.findall(text[:2000]):
                    if parts.tpp.orders.cancel(int(number[:18])):
                        recorder.hit()
                raise

        readers[form] = read
    return with_tpp(parts, readers=readers)


def _unreadable(answer: Callable[[str], list[Instruction]]) -> Change:
    """Takes what cannot be read for something else."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        readers = {}
        for form, inner in parts.tpp.readers.items():

            def read(text: str, inner: Callable[[str], list[Instruction]] = inner) -> list[Instruction]:
                try:
                    return inner(text)
                except UnreadableList:
                    recorder.hit()
                    return answer(text)

            readers[form] = read
        return with_tpp(parts, readers=readers)

    return apply


def _one_as_list(text: str) -> str:
    try:
        value: Any = load_json(text)
    except ValueError:
        return text
    return json.dumps([value]) if isinstance(value, dict) and "OrderID" in value else text


def _empty_list_cancels_all(parts: Parts, recorder: Recorder) -> Parts:
    inner = parts.tpp.admit

    def admit(p: Parts, instructions: Any) -> None:
        inner(p, instructions)
        for key in () if instructions else p.tpp.orders.open_keys():
            if p.tpp.orders.cancel(key):
                recorder.hit()

    return with_tpp(parts, admit=admit)


def _fails(when: Callable[[HttpRequest, HttpResponse], object]) -> Change:
    """Answers with a server error where `when` says so."""

    def change(request: HttpRequest, response: HttpResponse) -> HttpResponse:
        if request.method != "POST" or not when(request, response):
            return response
        return replace(
            response, status=500, body=b'"An error has occurred."', content_type="application/json; charset=utf-8"
        )

    return on_response(change)


def _is_empty(request: HttpRequest, _response: HttpResponse) -> bool:
    return request.body.strip() in (b"[]", b"null", b"")


FAULTS: tuple[Variant, ...] = (
    tpp_fault("tpp-xml-prefix-not-understood", "Refuses elements with a prefix", _refuses(r"<\w+:\w+"), "REQ-XML-NS"),
    tpp_fault("tpp-xml-comment-not-understood", "Refuses comments", _refuses("<!--"), "REQ-LIST", "REQ-XML-ITEM"),
    tpp_fault("tpp-xml-cdata-not-understood", "Refuses CDATA", _refuses(r"<!\[CDATA"), "REQ-LIST", "REQ-PIN-TYPE"),
    tpp_fault("tpp-xml-reference-not-understood", "Refuses character references", _refuses(r"&#\d+;"), "REQ-LIST"),
    tpp_fault(
        "tpp-xml-white-space-not-understood",
        "Refuses white space between elements",
        _refuses(r">\s+<"),
        "REQ-LIST",
        "REQ-XML-ITEM",
    ),
    tpp_fault("tpp-xml-nil-one-not-understood", "Refuses nil that is written as 1", _refuses('nil="1"'), "REQ-XML-NIL"),
    tpp_fault(
        "tpp-xml-nil-pair-not-understood",
        "Refuses a nil element that is a pair of tags",
        _refuses(r'nil="true"\s*>\s*</'),
        "REQ-XML-NIL",
    ),
    tpp_fault(
        "tpp-xml-nil-prefix-fixed",
        "Refuses another prefix than i for nil",
        _refuses(r"\b(?!i:)\w+:nil="),
        "REQ-XML-NIL",
    ),
    tpp_fault(
        "tpp-xml-nil-not-read",
        "Reads a nil element as an empty one",
        _xml(_nil_not_read),
        "REQ-XML-NIL",
        "REQ-SAMPLE-XML",
        "REQ-UID-REQUIRED",
    ),
    tpp_fault(
        "tpp-json-null-not-understood",
        "Refuses an OrderID that is null",
        refuse_text("json", re.compile(r'"OrderID"\s*:\s*null').search),
        "REQ-SAMPLE-JSON",
        "REQ-ORDERID-TYPE",
    ),
    tpp_fault(
        "tpp-xml-null-must-be-written",
        "Refuses an instruction that leaves the null UID out",
        refuse_text("xml", lambda text: _ITEM in text and "InternationalOrderUID" not in text),
        "REQ-XML-NIL",
        "REQ-UID-TYPE",
    ),
    tpp_fault(
        "tpp-xml-alphabet-refused",
        "Refuses the alphabetical order",
        _xml(_alphabet_refused),
        "REQ-XML-ORDER",
        "REQ-SAMPLE-XML",
    ),
    tpp_fault("tpp-xml-any-root", "Carries a list out under another root", _xml(_any_root), "REQ-XML-ROOT"),
    tpp_fault("tpp-xml-any-namespace", "Carries a list out in another namespace", _xml(_any_namespace), "REQ-XML-NS"),
    tpp_fault("tpp-xml-any-item", "Carries items of another name out", _xml(_any_item), "REQ-XML-ITEM"),
    tpp_fault("tpp-number-wraps-at-32-bits", "Keeps the lower 32 bits of an OrderID", _wrapped(32), "REQ-ORDERID-TYPE"),
    tpp_fault("tpp-number-wraps-at-64-bits", "Keeps the lower 64 bits of an OrderID", _wrapped(64), "REQ-ORDERID-TYPE"),
    tpp_fault(
        "tpp-fraction-cut",
        "Cuts the fraction of an OrderID off",
        on_request_text("json", _fraction_cut),
        "REQ-ORDERID-TYPE",
    ),
    tpp_fault(
        "tpp-json-list-out-of-object",
        "Takes a list out of an object",
        on_request_text("json", _without_its_object),
        "REQ-LIST",
    ),
    tpp_fault(
        "tpp-strange-creator-dropped",
        "Gives an instruction no result whose creator's number is not positive",
        on_list(_strange_creators_dropped),
        "REQ-CREATORID-TYPE",
        "RESP-ONE-EACH",
    ),
    tpp_fault(
        "tpp-upper-case-uid-not-found", "Does not find an order under a UID in capitals", _capitals_lost, "REQ-UID-TYPE"
    ),
    tpp_fault(
        "tpp-unreadable-list-acts",
        "Cancels what it reads before the body turns out to be broken",
        _acts_on_what_it_can_read,
        "REQ-LIST",
        "FAILED-NO-EFFECT",
        "MALFORMED",
    ),
    tpp_fault(
        "tpp-unreadable-as-empty",
        "Takes a body that cannot be read for an empty list",
        _unreadable(lambda _text: []),
        "REQ-LIST",
    ),
    tpp_fault(
        "tpp-unreadable-as-instruction",
        "Takes a body that cannot be read for an instruction that failed",
        _unreadable(lambda _text: [Instruction()]),
        "REQ-LIST",
    ),
    tpp_fault(
        "tpp-one-instruction-for-list",
        "Takes an instruction without its list",
        on_request_text("json", _one_as_list),
        "REQ-LIST",
    ),
    tpp_fault(
        "tpp-empty-list-cancels-all",
        "Takes an empty list for all orders",
        _empty_list_cancels_all,
        "EFFECT-ONLY",
        "FAILED-NO-EFFECT",
    ),
    tpp_fault("tpp-empty-list-500", "Fails on an empty list", _fails(_is_empty), "MALFORMED", "REQ-EMPTY-LIST"),
    tpp_fault(
        "tpp-unreadable-500",
        "Fails on a body that cannot be read",
        _fails(lambda _, response: response.status == 400),
        "MALFORMED",
    ),
    tpp_fault(
        "tpp-entity-bomb-500",
        "Fails on a document type declaration",
        _fails(lambda request, _: b"<!DOCTYPE" in request.body),
        "MALFORMED",
    ),
    tpp_fault(
        "tpp-parameter-entity-500",
        "Fails on a parameter entity",
        _fails(lambda request, _: b"<!ENTITY %" in request.body),
        "MALFORMED",
    ),
    tpp_fault(
        "tpp-deep-document-500",
        "Fails on a document of great depth",
        _fails(lambda request, _: request.body.count(b"[") > 500 or request.body.count(b"<a>") > 500),
        "MALFORMED",
    ),
    tpp_fault(
        "tpp-broken-utf-8-500",
        "Fails on bytes that are no UTF-8",
        _fails(lambda request, _: b"\xff" in request.body),
        "MALFORMED",
    ),
    tpp_fault(
        "tpp-pin-beyond-ascii-500",
        "Fails on a PIN with characters beyond ASCII",
        _fails(lambda request, _: b"\xd0" in request.body),
        "MALFORMED",
    ),
    tpp_fault(
        "tpp-wide-number-500",
        "Fails on a number beyond 32 bits",
        _fails(
            lambda request, _: (
                re.search(rb"\d{11}", re.sub(rb"[0-9a-f]+-[0-9a-f-]+", b"", request.body)) is not None
                and len(request.body) < 2000
            )
        ),
        "MALFORMED",
    ),
    tpp_fault(
        "tpp-word-for-number-500",
        "Fails on a word where a number belongs",
        _fails(lambda request, _: b"abc" in request.body),
        "MALFORMED",
    ),
)
