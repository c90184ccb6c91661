"""Violations of POST api/orders/cancellations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from reference_impl.parts import Parts, with_tpp, with_writer
from reference_impl.recorder import Recorder
from reference_impl.tpp.values import Result
from reference_impl.variants import Variant, fault
from reference_impl.wire import TPP_OPERATION, HttpRequest, HttpResponse

_fault = partial(fault, operation="tpp.create_cancellations")


def _null_as_text(parts: Parts, recorder: Recorder) -> Parts:
    inner = parts.tpp.writers["xml"].results

    def results(values: Sequence[Result]) -> str:
        text = inner(values)
        return recorder.swap(text, text.replace('<OrderID i:nil="true" />', "<OrderID>null</OrderID>"))

    return with_writer(parts, "xml", results=results)


def _drops_last_result(parts: Parts, recorder: Recorder) -> Parts:
    inner = parts.tpp.arrange

    def arrange(results: Sequence[Result]) -> Sequence[Result]:
        arranged = inner(results)
        return recorder.swap(arranged, arranged[:-1]) if len(arranged) > 1 else arranged

    return with_tpp(parts, arrange=arrange)


def _text_xml_as_json(parts: Parts, recorder: Recorder) -> Parts:
    inner = parts.http_filter

    def http_filter(request: HttpRequest, response: HttpResponse) -> HttpResponse:
        response = inner(request, response)
        if request.operation == TPP_OPERATION and response.content_type.startswith("text/xml"):
            recorder.hit()
            return replace(response, content_type="application/json; charset=utf-8", body=b"[]")
        return response

    return replace(parts, http_filter=http_filter)


FAULTS: tuple[Variant, ...] = (
    _fault("tpp-xml-null-as-text", summary="Writes a null OrderID as the text null", apply=_null_as_text),
    _fault(
        "tpp-drops-last-result",
        summary="Leaves the last result of a list of several out",
        apply=_drops_last_result,
    ),
    _fault(
        "tpp-text-xml-as-json",
        summary="Answers text/xml with an empty list in JSON",
        apply=_text_xml_as_json,
    ),
)
