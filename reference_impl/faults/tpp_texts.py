"""Violations of POST api/orders/cancellations: bodies that are not JSON or XML, are missing, or say too much."""

from __future__ import annotations

import re
from dataclasses import replace

from reference_impl.parts import Parts, with_tpp
from reference_impl.recorder import Recorder
from reference_impl.tpp.changes import on_request_format, on_response, on_text, on_xml, tpp_fault
from reference_impl.tpp.values import Instruction, Result
from reference_impl.tpp.write_xml import text as xml_text
from reference_impl.variants import Change, Variant
from reference_impl.wire import HttpRequest, HttpResponse

_CLOSED = "</CancellationCreationResult>"


def _latin_1(_request: HttpRequest, response: HttpResponse) -> HttpResponse:
    if "json" not in response.content_type:
        return response
    return replace(
        response, body=response.body.replace(b"Order is not active.", "Auftrag ung\u00fcltig.".encode("latin-1"))
    )


def _utf_16(_request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """UTF-16 under the name of UTF-8."""
    if "json" not in response.content_type or response.status != 200:
        return response
    return replace(response, body=response.body.decode().encode("utf-16-le"))


def _no_content(_request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Nothing to say when everything went well."""
    done = response.status == 200 and b"alse" not in response.body and b"rue" in response.body
    return HttpResponse(204, b"", "") if done else response


def _empty_list(status: int, body: bytes) -> Change:
    def change(request: HttpRequest, response: HttpResponse) -> HttpResponse:
        asked = request.method == "POST" and request.body.strip() == b"[]" and response.status == 200
        return replace(response, status=status, body=body) if asked else response

    return on_response(change)


def _moved(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    if request.method != "POST" or request.path != request.path.rstrip("/"):
        return response
    return HttpResponse(307, b"", "", (("location", "/api/v2/orders/cancellations"),))


def _pin_beside_result(parts: Parts, recorder: Recorder) -> Parts:
    """Repeats each instruction's PIN in an element of its own, in XML."""
    inner = parts.tpp.carry_out
    pins: list[str | None] = []

    def carry_out(p: Parts, instruction: Instruction) -> Result:
        pins.append(instruction.pin)
        return inner(p, instruction)

    def said(text: str) -> str:
        told = [pins.pop(0) for _ in range(text.count(_CLOSED)) if pins]
        pins.clear()
        return re.sub(
            _CLOSED, lambda _: f"<Pin>{xml_text(told.pop(0) or '')}</Pin>{_CLOSED}" if told else _CLOSED, text
        )

    return on_xml(said)(with_tpp(parts, carry_out=carry_out), recorder)


FAULTS: tuple[Variant, ...] = (
    tpp_fault(
        "tpp-json-trailing-comma",
        "Writes a comma behind the last result",
        on_text("json", lambda text: text.replace("}]", "},]")),
        "RESP-LIST",
    ),
    tpp_fault(
        "tpp-json-single-quotes",
        "Writes JSON with single quotes",
        on_text("json", lambda text: text.replace('"', "'")),
        "RESP-LIST",
    ),
    tpp_fault("tpp-json-cut-off", "Leaves the last bracket out", on_text("json", lambda text: text[:-1]), "RESP-LIST"),
    tpp_fault(
        "tpp-json-guarded",
        "Writes a guard against scripts before JSON",
        on_text("json", lambda text: ")]}',\n" + text),
        "RESP-LIST",
    ),
    tpp_fault(
        "tpp-json-encoded-twice",
        "Writes the list as a JSON string",
        on_text("json", lambda text: '"' + text.replace('"', '\\"') + '"'),
        "RESP-LIST",
        "ERR-STRING",
    ),
    tpp_fault(
        "tpp-json-not-a-number",
        "Writes NaN in place of an OrderID that is null",
        on_text("json", lambda text: text.replace('"OrderID":null', '"OrderID":NaN')),
        "RESP-LIST",
    ),
    tpp_fault(
        "tpp-json-member-twice",
        "Writes Success twice",
        on_text("json", lambda text: text.replace('"Success":', '"Success":true,"Success":')),
        "RESP-LIST",
        "RESP-SUCCESS",
    ),
    tpp_fault(
        "tpp-json-bytes-of-other-charset", "Writes Latin-1 under the name of UTF-8", on_response(_latin_1), "RESP-LIST"
    ),
    tpp_fault(
        "tpp-json-in-utf-16",
        "Writes UTF-16 under the name of UTF-8",
        on_response(_utf_16),
        "RESP-LIST",
        "RESP-JSON-APPLICATION",
        "RESP-JSON-TEXT",
    ),
    tpp_fault(
        "tpp-xml-control-character",
        "Writes a character that XML 1.0 does not have",
        on_xml(lambda text: text.replace("not active", "not&#x1; active")),
        "RESP-LIST",
    ),
    tpp_fault(
        "tpp-xml-two-roots",
        "Writes the list twice, one document behind the other",
        on_xml(lambda text: text + text),
        "RESP-LIST",
    ),
    tpp_fault("tpp-xml-pin-beside-result", "Repeats the PIN in an element of its own", _pin_beside_result, "SECRETS"),
    tpp_fault(
        "tpp-success-204",
        "Gives no body when everything went well",
        on_response(_no_content),
        "RESP-LIST",
        "RESP-STATUS",
        "RESP-JSON-APPLICATION",
        "RESP-XML-APPLICATION",
    ),
    tpp_fault(
        "tpp-moved",
        "Sends every caller to another address",
        on_response(_moved),
        "ROUTE",
        "RESP-SUCCESS",
        "RESP-JSON-APPLICATION",
    ),
    tpp_fault(
        "tpp-empty-list-null",
        "Answers an empty list with null",
        _empty_list(200, b"null"),
        "REQ-EMPTY-LIST",
        "RESP-LIST",
    ),
    tpp_fault(
        "tpp-empty-list-no-body",
        "Answers an empty list with nothing",
        _empty_list(200, b""),
        "REQ-EMPTY-LIST",
        "RESP-LIST",
    ),
    tpp_fault(
        "tpp-content-type-case-counts",
        "Does not read a content type in capitals",
        on_request_format(
            lambda request, form: form if (request.header("content-type") or "").partition(";")[0].islower() else None
        ),
        "REQ-JSON-APPLICATION",
        "REQ-XML-APPLICATION",
    ),
)
