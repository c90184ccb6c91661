"""Violations of POST api/orders/cancellation: lists where one belongs, what was meant for another call, and the form."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from reference_impl.depth import load_json
from reference_impl.faults import tpp
from reference_impl.parts import Parts, with_tpp
from reference_impl.pipelined import first_for_all, joined, on_pipelined
from reference_impl.recorder import Recorder
from reference_impl.tpp import http
from reference_impl.tpp.changes import fresh
from reference_impl.tpp.changes_of_one import for_one, on_answer, on_body, on_object, on_unreadable, one_fault, refusing
from reference_impl.tpp.read_xml import NAMESPACE
from reference_impl.tpp.values import Instruction, Result
from reference_impl.tpp.write_xml import RESULTS
from reference_impl.variants import Change, Variant, registry
from reference_impl.wire import TPP_ONE, HttpRequest, HttpResponse

_ROOT = "CancellationCreationResult"


def _json_list(text: str) -> str | None:
    """The text of a list that has an instruction in it."""
    try:
        value = load_json(text)
    except ValueError:
        return None
    return text if isinstance(value, list) and value and isinstance(value[0], dict) else None


def _unwrapped(text: str) -> str:
    """The member `instruction` of an object that has one, else the text as it is."""
    try:
        value = load_json(text)
    except ValueError:
        return text
    inner = value.get("instruction") if isinstance(value, dict) else None
    return json.dumps(inner) if isinstance(inner, dict) else text


def _xml_list(text: str) -> str | None:
    return text if "ArrayOfCancellationCreation" in text else None


def _bare(text: str) -> str:
    return text.replace(f' xmlns="{RESULTS}"', "")


def _request_namespace(text: str) -> str:
    return text.replace(RESULTS, NAMESPACE)


def _table_order(text: str) -> str:
    """OrderID first, as the table has it."""
    return re.sub(r"(<Errors.*?)(<OrderID(?: i:nil=\"true\" />|>.*?</OrderID>))", r"\2\1", text, flags=re.DOTALL)


def _enclosed(text: str) -> str:
    head, _, rest = text.partition(">")
    whole = f"{head}><{_ROOT}>{rest.removesuffix(f'</{_ROOT}>')}</{_ROOT}></{_ROOT}>"
    return whole.replace(f"<{_ROOT} ", f"<ArrayOf{_ROOT} ", 1).removesuffix(f"</{_ROOT}>") + f"</ArrayOf{_ROOT}>"


def _any_namespace(text: str) -> str:
    return re.sub(r' xmlns="[^"]*"', f' xmlns="{NAMESPACE}"', text, count=1)


def _kept(change: Callable[[Instruction, Instruction], Instruction]) -> Change:
    """Each instruction of the call for one order as it is behind the one of the call before."""

    def make() -> Change:
        def apply(parts: Parts, recorder: Recorder) -> Parts:
            before: list[Instruction] = []
            inner = parts.tpp.carry_out

            def carry_out(p: Parts, instruction: Instruction) -> Result:
                seen = change(before[-1], instruction) if before else instruction
                before[:] = [instruction]
                return inner(p, recorder.swap(instruction, seen))

            return with_tpp(parts, carry_out=carry_out)

        return apply

    return fresh(make)


def _creator_kept(before: Instruction, one: Instruction) -> Instruction:
    return replace(one, creator_id=before.creator_id) if one.creator_id is None else one


def _on_this_call(wanted: Callable[[HttpRequest], bool]) -> Change:
    """Carries a request at the path of the call out that should not reach the operation."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        inner = parts.http_filter

        def http_filter(request: HttpRequest, response: HttpResponse) -> HttpResponse:
            response = inner(request, response)
            if request.operation != TPP_ONE or not wanted(request):
                return response
            recorder.hit()
            return http.handle(parts, replace(request, method="POST"))

        return replace(parts, http_filter=http_filter)

    return apply


def _status(status: int, words: tuple[bytes, ...]) -> Change:
    """The result under another status where it holds one of these words."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        inner = parts.http_filter

        def http_filter(request: HttpRequest, response: HttpResponse) -> HttpResponse:
            response = inner(request, response)
            if request.operation != TPP_ONE or not any(word in response.body for word in words):
                return response
            return recorder.swap(response, replace(response, status=status))

        return replace(parts, http_filter=http_filter)

    return apply


def _longer_path(parts: Parts, recorder: Recorder) -> Parts:
    """Carries a request out whose path goes on behind that of the call."""
    inner = parts.http_filter

    def http_filter(request: HttpRequest, response: HttpResponse) -> HttpResponse:
        if request.method != "POST" or not request.path.startswith(f"{http.PATH_OF_ONE}/"):
            return inner(request, response)
        recorder.hit()
        return http.handle(parts, replace(request, path=http.PATH_OF_ONE, operation=TPP_ONE))

    return replace(parts, http_filter=http_filter)


def _misframed(parts: Parts, recorder: Recorder) -> Parts:
    """Announces a failure in chunks, and sends it in one piece."""
    inner = parts.http_filter

    def http_filter(request: HttpRequest, response: HttpResponse) -> HttpResponse:
        response = inner(request, response)
        if request.operation != TPP_ONE or not re.search(rb'"Success":false|<Success>false', response.body):
            return response
        return recorder.swap(response, replace(response, headers=(("transfer-encoding", "chunked"),)))

    return replace(parts, http_filter=http_filter)


def _failures_as_strings(parts: Parts, recorder: Recorder) -> Parts:
    """Says why an instruction failed as an error of the call, under a status of success."""
    inner = parts.tpp.of_one["json"]

    def write(text: str) -> str:
        said = inner(text)
        errors: Any = json.loads(said).get("Errors")
        return recorder.swap(said, json.dumps(errors[0]) if errors else said)

    return with_tpp(parts, of_one={**parts.tpp.of_one, "json": write})


def _empty_as_failure_500(request: HttpRequest) -> bool:
    return request.method == "POST" and not request.body.strip()


def _fails(unwanted: Callable[[HttpRequest], bool]) -> Change:
    def apply(parts: Parts, recorder: Recorder) -> Parts:
        inner = parts.http_filter

        def http_filter(request: HttpRequest, response: HttpResponse) -> HttpResponse:
            response = inner(request, response)
            if request.operation != TPP_ONE or not unwanted(request):
                return response
            return recorder.swap(response, HttpResponse(500, b'"Server Error"', "application/json; charset=utf-8"))

        return replace(parts, http_filter=http_filter)

    return apply


FAULTS: tuple[Variant, ...] = (
    one_fault(
        "tpp1-json-list-of-one", "Answers with a list of the one result", on_object(lambda one: [one]), "RESP-OBJECT"
    ),
    one_fault(
        "tpp1-json-result-in-object",
        "Puts the result into another object",
        on_object(lambda one: {"Result": one}),
        "RESP-OBJECT",
        "RESP-SUCCESS",
    ),
    one_fault(
        "tpp1-json-flag-alone", "Answers with the flag alone", on_object(lambda one: one["Success"]), "RESP-OBJECT"
    ),
    one_fault(
        "tpp1-json-null-on-success",
        "Answers null where all went well",
        on_object(lambda one: None if one["Success"] else one),
        "RESP-OBJECT",
    ),
    one_fault(
        "tpp1-xml-list-of-one",
        "Answers with a list of the one result in XML",
        on_answer("xml", _enclosed),
        "RESP-XML-ROOT",
    ),
    one_fault("tpp1-xml-no-namespace", "Writes the result in no namespace", on_answer("xml", _bare), "RESP-XML-NS"),
    one_fault(
        "tpp1-xml-request-namespace",
        "Writes the result in the namespace of the request",
        on_answer("xml", _request_namespace),
        "RESP-XML-NS",
    ),
    one_fault(
        "tpp1-xml-order-of-table",
        "Writes the members of the result in the order of the table",
        on_answer("xml", _table_order),
        "RESP-XML-ORDER",
    ),
    one_fault(
        "tpp1-xml-arrays-undeclared",
        "Writes the errors in the namespace of the result",
        on_answer("xml", lambda text: text.replace("d2p1:string>", "string>")),
        "RESP-XML-ARRAYS",
    ),
    one_fault(
        "tpp1-json-list-taken",
        "Carries the first instruction of a list out",
        on_unreadable("json", _json_list),
        "REQ-OBJECT",
    ),
    one_fault(
        "tpp1-json-instruction-unwrapped",
        "Carries an instruction out that stands inside another object",
        on_body("json", _unwrapped),
        "REQ-OBJECT",
    ),
    one_fault(
        "tpp1-xml-list-taken",
        "Carries the instruction of an XML list out",
        on_unreadable("xml", _xml_list),
        "REQ-XML-ROOT",
    ),
    one_fault(
        "tpp1-xml-any-namespace",
        "Carries an instruction out in another namespace",
        on_body("xml", _any_namespace),
        "REQ-XML-NS",
    ),
    one_fault(
        "tpp1-creator-kept",
        "Takes the person of the call before for an instruction without",
        _kept(_creator_kept),
        "REQ-CREATORID-REQUIRED",
    ),
    one_fault(
        "tpp1-failure-as-string",
        "Says why an instruction failed as a string, under 200",
        _failures_as_strings,
        "ERR-STRING",
        "RESP-NOT-ACTIVE",
    ),
    one_fault(
        "tpp1-failure-500",
        "Gives a failure the status 500",
        _status(500, (b'"Success":false', b"<Success>false")),
        "MALFORMED",
    ),
    one_fault(
        "tpp1-success-206",
        "Gives a success the status 206",
        _status(206, (b'"Success":true', b"<Success>true")),
        "RESP-STATUS",
    ),
    one_fault("tpp1-nothing-500", "Fails on a body that is empty", _fails(_empty_as_failure_500), "MALFORMED"),
    one_fault("tpp1-put-acts", "Carries a PUT out", _on_this_call(lambda request: request.method == "PUT"), "METHOD"),
    one_fault(
        "tpp1-spelled-attributes-single",
        "Refuses attributes in single quotes",
        refusing("xml", r"xmlns='"),
        "SPELLED-XML",
    ),
    one_fault(
        "tpp1-json-null-refused",
        "Refuses a null that is written out",
        refusing("json", r'"InternationalOrderUID"\s*:\s*null'),
        "REQ-SAMPLE-JSON",
    ),
    one_fault(
        "tpp1-xml-nil-refused", "Refuses a nil that is written out", refusing("xml", r"nil=['\"]true"), "REQ-SAMPLE-XML"
    ),
    one_fault(
        "tpp1-xml-alphabet-refused",
        "Refuses members in alphabetical order",
        refusing("xml", r"(?s)CreatorID>.*<(?:\w+:)?OrderID"),
        "REQ-XML-ORDER",
    ),
    one_fault("tpp1-longer-path-acts", "Carries out what is sent to a longer path", _longer_path, "ROUTE"),
    one_fault("tpp1-failure-misframed", "Announces a failure in chunks and sends it whole", _misframed, "ANSWERED"),
    one_fault(
        "tpp1-pipelined-joined",
        "Joins the answers to two requests that came in one go",
        on_pipelined(TPP_ONE, joined),
        "SPELLED-HTTP",
        "RESP-OBJECT",
    ),
    one_fault(
        "tpp1-pipelined-first-for-all",
        "Gives the answer of the first of two requests that came in one go to both",
        on_pipelined(TPP_ONE, first_for_all),
        "SPELLED-HTTP",
        "RESP-IDENTITY",
    ),
    one_fault(
        "tpp1-spelled-json-names",
        "Refuses names of members with escapes",
        refusing("json", r'"\w*\\u[0-9a-fA-F]{4}\w*"\s*:'),
        "SPELLED-JSON",
    ),
    *for_one(
        registry(tpp.FAULTS),
        "success-without-effect",
        "cancels-next-order",
        "cancels-both-ids",
        "international-without-creator-succeeds",
        "domestic-without-orderid-succeeds",
        "flag-always-false",
        "cancelled-order-succeeds",
        "race-succeeds-twice",
        "answers-remembered",
        "identity-missing",
        "outcome-inverted",
        "errors-null-on-failure",
        "json-success-as-text",
        "json-errors-as-text",
        "json-error-as-object",
        "xml-error-without-namespace",
        "xml-null-as-text",
        "xml-nil-one-not-understood",
        "pin-ignored",
        "pin-echoed",
        "pin-not-read-in-xml",
        "number-wraps-at-32-bits",
        "upper-case-uid-not-found",
        "opens-again",
        "accept-ignored",
        "text-xml-refused",
        "deep-document-500",
        "domestic-needs-creator",
        "flag-ignored-orderid-wins",
        "uid-but-its-last-digit",
        "unknown-order-succeeds",
        "executed-order-succeeds",
        "executed-order-changed",
        "spelled-accept-list",
        "json-failure-succeeds",
        "framework-error-cut-off",
        "application-json-refused",
        "text-json-refused",
        "application-xml-refused",
        "text-json-as-application-json",
        "text-xml-as-application-xml",
        "always-json",
        "plain-text-acts",
        "query-is-dry-run",
        "json-camel-case",
        "xml-cut-off",
        "xml-comment-not-understood",
        "xml-members-camel-case",
        "xml-international-fails",
    ),
)
