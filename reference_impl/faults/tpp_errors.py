"""Violations of POST api/orders/cancellations: the form of an error, and the status of an answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from reference_impl.parts import Parts, with_tpp
from reference_impl.recorder import Recorder
from reference_impl.tpp.changes import on_response, on_text, page, tpp_fault
from reference_impl.tpp.values import Media
from reference_impl.tpp.write_json import dump
from reference_impl.tpp.write_xml import SERIALIZATION
from reference_impl.variants import Change, Variant
from reference_impl.wire import HttpRequest, HttpResponse

_TRACE = (
    "System.FormatException: Input string was not in a correct format.\n   at Tpp.Json.Read(String s) in Json.cs:line 7"
)


def _error(change: Callable[[HttpResponse], HttpResponse]) -> Change:
    """Changes the answer to a list that cannot be read."""
    return on_response(lambda _, response: change(response) if response.status == 400 else response)


def _message(message: str) -> Change:
    """Says something else in every error of the operation."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        inner = parts.tpp.answer_error

        def answer_error(p: Parts, media: Media, status: int, text: str) -> HttpResponse:
            return inner(p, media, status, recorder.swap(text, message))

        return with_tpp(parts, answer_error=answer_error)

    return apply


def _always_json(parts: Parts, recorder: Recorder) -> Parts:
    inner = parts.tpp.answer_error

    def answer_error(p: Parts, media: Media, status: int, text: str) -> HttpResponse:
        return inner(p, recorder.swap(media, Media("json", "application/json")), status, text)

    return with_tpp(parts, answer_error=answer_error)


def _bare_body(parts: Parts, recorder: Recorder) -> Parts:
    """Writes the words of an error without any form, whatever type it names."""

    def answer_error(_p: Parts, media: Media, status: int, text: str) -> HttpResponse:
        recorder.hit()
        return HttpResponse(status, text.encode(), media.content_type)

    return with_tpp(parts, answer_error=answer_error)


def _framework_form(parts: Parts, recorder: Recorder) -> Parts:
    def answer_error(p: Parts, media: Media, status: int, text: str) -> HttpResponse:
        recorder.hit()
        return p.tpp.answer_framework(p, media, status, text)

    return with_tpp(parts, answer_error=answer_error)


def _list_status(status: int, marks: tuple[bytes, ...]) -> Change:
    """Gives a list of results with one of the marks in it another status."""

    def change(_request: HttpRequest, response: HttpResponse) -> HttpResponse:
        marked = response.status == 200 and any(mark in response.body for mark in marks)
        return replace(response, status=status) if marked else response

    return on_response(change)


FAULTS: tuple[Variant, ...] = (
    tpp_fault(
        "tpp-error-in-framework-form",
        "Writes its own errors in the form of the framework",
        _framework_form,
        "ERR-STRING",
    ),
    tpp_fault(
        "tpp-framework-error-cut-off",
        "Leaves the last bracket of the framework's errors out",
        on_text("json", lambda text: text[:-1], "framework"),
        "FRAMEWORK-ERRORS",
    ),
    tpp_fault(
        "tpp-json-error-as-object",
        "Writes an error in JSON as an object",
        on_text("json", lambda text: f'{{"error":{text}}}', "error"),
        "ERR-STRING",
        "ERR-JSON",
    ),
    tpp_fault(
        "tpp-json-error-as-list",
        "Writes an error in JSON as a list of texts",
        on_text("json", lambda text: f"[{text}]", "error"),
        "ERR-STRING",
        "ERR-JSON",
        "RESP-LIST",
    ),
    tpp_fault(
        "tpp-json-error-as-code",
        "Writes an error in JSON as a number",
        on_text("json", lambda _: "17", "error"),
        "ERR-STRING",
        "ERR-JSON",
        "RESP-LIST",
    ),
    tpp_fault(
        "tpp-json-error-null",
        "Writes null in place of an error",
        on_text("json", lambda _: "null", "error"),
        "ERR-STRING",
        "ERR-JSON",
        "RESP-LIST",
    ),
    tpp_fault(
        "tpp-json-error-encoded-twice",
        "Writes an error as JSON within a JSON list",
        on_text("json", lambda text: dump([text]), "error"),
        "ERR-STRING",
        "ERR-JSON",
        "RESP-LIST",
    ),
    tpp_fault(
        "tpp-error-without-form",
        "Writes the bare words of an error",
        _bare_body,
        "ERR-STRING",
        "ERR-JSON",
        "ERR-XML",
        "RESP-LIST",
    ),
    tpp_fault(
        "tpp-xml-error-without-namespace",
        "Writes an error in XML in no namespace",
        on_text("xml", lambda text: text.replace(f' xmlns="{SERIALIZATION}"', ""), "error"),
        "ERR-XML",
    ),
    tpp_fault(
        "tpp-xml-error-in-arrays-namespace",
        "Writes an error in XML in the namespace of arrays",
        on_text("xml", lambda text: text.replace(SERIALIZATION, SERIALIZATION + "Arrays"), "error"),
        "ERR-XML",
    ),
    tpp_fault(
        "tpp-xml-error-other-element",
        "Writes an error in XML as an element Message",
        on_text("xml", lambda text: text.replace("<string", "<Message").replace("</string", "</Message"), "error"),
        "ERR-XML",
        "RESP-XML-ROOT",
    ),
    tpp_fault(
        "tpp-xml-error-with-children",
        "Writes an error in XML as an element with children",
        on_text("xml", lambda text: text.replace("</string>", "<code>17</code></string>"), "error"),
        "ERR-XML",
    ),
    tpp_fault(
        "tpp-error-always-json",
        "Writes errors in JSON for callers of XML too",
        _always_json,
        "RESP-XML-APPLICATION",
        "RESP-XML-TEXT",
        "ERR-XML",
    ),
    tpp_fault("tpp-error-empty", "Says nothing in an error", _message(""), "ERR-STRING"),
    tpp_fault("tpp-error-blank", "Says white space in an error", _message(" \t"), "ERR-STRING"),
    tpp_fault("tpp-error-trace", "Shows in an error where it failed", _message(_TRACE), "MALFORMED"),
    tpp_fault(
        "tpp-error-without-body",
        "Gives a status alone",
        _error(lambda response: HttpResponse(response.status, b"", "")),
        "ERR-STRING",
    ),
    tpp_fault("tpp-error-page", "Answers a page of HTML", _error(page), "MALFORMED"),
    tpp_fault(
        "tpp-error-page-called-json",
        "Answers a page of HTML under the type of JSON",
        _error(lambda response: replace(page(response), content_type="application/json; charset=utf-8")),
        "MALFORMED",
    ),
    tpp_fault(
        "tpp-error-200",
        "Answers an error under the status of success",
        _error(lambda response: replace(response, status=200)),
        "ERR-STRING",
    ),
    tpp_fault(
        "tpp-error-302",
        "Sends who makes an error elsewhere",
        _error(lambda _: HttpResponse(302, b"", "", (("location", "/error"),))),
        "REQ-LIST",
        "ERR-STRING",
        "ROUTE",
    ),
    tpp_fault(
        "tpp-error-500",
        "Answers an error under the status of a failure of its own",
        _error(lambda response: replace(response, status=500)),
        "MALFORMED",
    ),
    tpp_fault(
        "tpp-error-503",
        "Answers an error as if it was overloaded",
        _error(lambda response: replace(response, status=503)),
        "MALFORMED",
    ),
    tpp_fault(
        "tpp-failure-400",
        "Answers a list with a failure under 400",
        _list_status(400, (b'"Success":false', b"<Success>false")),
        "RESP-STATUS",
    ),
    tpp_fault(
        "tpp-failure-500",
        "Answers a list with a failure under 500",
        _list_status(500, (b'"Success":false', b"<Success>false")),
        "MALFORMED",
        "RESP-STATUS",
    ),
    tpp_fault(
        "tpp-success-206",
        "Answers a list of successes under 206",
        _list_status(206, (b'"Success":true', b"<Success>true")),
        "RESP-STATUS",
    ),
)
