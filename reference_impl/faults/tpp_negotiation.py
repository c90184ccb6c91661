"""Violations of POST api/orders/cancellations: media types, charsets, methods and paths."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from reference_impl.parts import Parts, with_tpp
from reference_impl.recorder import Recorder
from reference_impl.tpp import http
from reference_impl.tpp.changes import label, on_media, on_request_format, on_response, page, tpp_fault
from reference_impl.tpp.values import Format, Instruction, Media
from reference_impl.variants import Change, Variant
from reference_impl.wire import HttpRequest, HttpResponse

_LONG = 250
_TYPES: tuple[tuple[str, Format], ...] = (
    ("application/json", "json"),
    ("text/json", "json"),
    ("application/xml", "xml"),
    ("text/xml", "xml"),
)


def _header(request: HttpRequest, name: str) -> str:
    return (request.header(name) or "").strip().lower()


def _first_named(request: HttpRequest, media: Media) -> Media:
    """The first type in Accept that is known, whatever its weight."""
    names = [piece.partition(";")[0].strip() for piece in _header(request, "accept").split(",")]
    known = dict(_TYPES)
    return next((Media(known[name], name, media.charset) for name in names if name in known), media)


def _case_counts(request: HttpRequest, media: Media) -> Media:
    accept = request.header("accept") or ""
    return media if accept == accept.lower() else Media("json", "application/json", media.charset)


def _own_type(request: HttpRequest, media: Media) -> Media:
    name = _header(request, "content-type").partition(";")[0]
    known = dict(_TYPES)
    return Media(known[name], name, media.charset) if name in known else media


def _refuse(unwanted: Callable[[str], object]) -> Change:
    """Refuses a body by its content type, in lower case."""
    return on_request_format(lambda request, form: None if unwanted(_header(request, "content-type")) else form)


def _take(wanted: Callable[[HttpRequest], object]) -> Change:
    """Takes a body of another content type for JSON or XML, as it begins."""

    def change(request: HttpRequest, form: Format | None) -> Format | None:
        if form is not None or not wanted(request):
            return form
        return "xml" if request.body.lstrip().startswith(b"<") else "json"

    return on_request_format(change)


def _relabel(old: str, new: str) -> Change:
    return on_response(
        lambda _, response: (
            label(response, response.content_type.replace(old, new))
            if response.content_type.startswith(old)
            else response
        )
    )


def _acts(wanted: Callable[[HttpRequest], bool], *, on_any_path: bool = False) -> Change:
    """Carries a request out that should not reach the operation."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        inner = parts.http_filter

        def http_filter(request: HttpRequest, response: HttpResponse) -> HttpResponse:
            response = inner(request, response)
            reached = request.path.startswith(http.PATH) if on_any_path else request.path == http.PATH
            if not reached or not wanted(request):
                return response
            recorder.hit()
            return http.handle(parts, replace(request, method="POST", path=http.PATH))

        return replace(parts, http_filter=http_filter)

    return apply


def _acts_and_refuses(method: str) -> Change:
    """Carries a method out and then says that it does not take it."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        inner = parts.http_filter

        def http_filter(request: HttpRequest, response: HttpResponse) -> HttpResponse:
            response = inner(request, response)
            if request.path == http.PATH and request.method == method and request.body:
                recorder.hit()
                http.handle(parts, replace(request, method="POST"))
            return response

        return replace(parts, http_filter=http_filter)

    return apply


def _acts_on_type_and_refuses(wanted: Callable[[str], bool]) -> Change:
    """Carries a body out for what it looks like, and then says that it does not take its type."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        inner = parts.http_filter

        def http_filter(request: HttpRequest, response: HttpResponse) -> HttpResponse:
            response = inner(request, response)
            if request.path == http.PATH and response.status == 415 and wanted(_header(request, "content-type")):
                recorder.hit()
                form = "xml" if request.body.lstrip().startswith(b"<") else "json"
                others = tuple(pair for pair in request.headers if pair[0].lower() != "content-type")
                http.handle(parts, replace(request, headers=(*others, ("content-type", f"application/{form}"))))
            return response

        return replace(parts, http_filter=http_filter)

    return apply


def _dry_run(parts: Parts, recorder: Recorder) -> Parts:
    """Answers a call with a query as if it had been carried out, and does nothing."""
    inner_hold, inner_effect = parts.hold, parts.tpp.effect
    dry = False

    async def hold(request: HttpRequest) -> None:
        nonlocal dry
        await inner_hold(request)
        dry = bool(request.query)

    def effect(p: Parts, instruction: Instruction) -> None:
        if dry:
            recorder.hit()
        else:
            inner_effect(p, instruction)

    return replace(with_tpp(parts, effect=effect), hold=hold)


def _status(status: int, when: Callable[[HttpRequest, HttpResponse], bool]) -> Change:
    return on_response(lambda request, response: page(response, status) if when(request, response) else response)


def _swapped_bodies(_request: HttpRequest, response: HttpResponse) -> HttpResponse:
    if response.content_type.startswith("application/xml"):
        return label(response, "application/json; charset=utf-8")
    return response


def _trace(_request: HttpRequest, response: HttpResponse) -> HttpResponse:
    if response.status != 405:
        return response
    trace = (
        b'{"Message":"An error has occurred.","StackTrace":"   at Tpp.Orders.Handle(Request r) in Orders.cs:line 12"}'
    )
    return replace(response, body=trace, content_type="application/json; charset=utf-8")


def _misframed(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Announces chunks beside a length, and sends none."""
    if request.body.count(b"98765") < _LONG:
        return response
    return replace(response, headers=(*response.headers, ("transfer-encoding", "identity, chunked")))


FAULTS: tuple[Variant, ...] = (
    tpp_fault(
        "tpp-text-xml-as-json",
        "Answers text/xml in JSON",
        on_media(lambda _, media: Media("json", "application/json") if media.media_type == "text/xml" else media),
        "RESP-XML-TEXT",
        "NEGOTIATION",
    ),
    tpp_fault(
        "tpp-text-xml-as-application-xml",
        "Answers text/xml as application/xml",
        on_media(lambda _, media: replace(media, media_type="application/xml") if media.format == "xml" else media),
        "RESP-XML-TEXT",
    ),
    tpp_fault(
        "tpp-text-json-as-application-json",
        "Answers text/json as application/json",
        on_media(lambda _, media: replace(media, media_type="application/json") if media.format == "json" else media),
        "RESP-JSON-TEXT",
    ),
    tpp_fault(
        "tpp-application-json-as-text-json",
        "Answers application/json as text/json",
        on_media(lambda _, media: replace(media, media_type="text/json") if media.format == "json" else media),
        "RESP-JSON-APPLICATION",
    ),
    tpp_fault(
        "tpp-xml-labelled-json", "Writes XML and calls it JSON", on_response(_swapped_bodies), "RESP-XML-APPLICATION"
    ),
    tpp_fault(
        "tpp-answer-without-type",
        "Answers without a content type",
        on_response(lambda _, response: label(response, "")),
        "RESP-JSON-APPLICATION",
        "RESP-XML-APPLICATION",
        "NEGOTIATION",
    ),
    tpp_fault(
        "tpp-answer-plain-text",
        "Calls JSON plain text",
        _relabel("application/json", "text/plain"),
        "RESP-JSON-APPLICATION",
    ),
    tpp_fault(
        "tpp-always-json",
        "Answers everything in JSON",
        on_media(lambda _request, _media: Media("json", "application/json")),
        "RESP-XML-APPLICATION",
        "RESP-XML-TEXT",
        "NEGOTIATION",
    ),
    tpp_fault(
        "tpp-always-xml",
        "Answers everything in XML",
        on_media(lambda _request, _media: Media("xml", "application/xml")),
        "RESP-JSON-APPLICATION",
        "RESP-JSON-TEXT",
        "NEGOTIATION",
    ),
    tpp_fault(
        "tpp-accept-ignored",
        "Answers in the type of the request",
        on_media(_own_type),
        "NEGOTIATION",
        "RESP-JSON-APPLICATION",
    ),
    tpp_fault(
        "tpp-accept-weights-ignored",
        "Answers in the first type that Accept names",
        on_media(_first_named),
        "NEGOTIATION",
        "RESP-JSON-APPLICATION",
        "RESP-XML-APPLICATION",
    ),
    tpp_fault(
        "tpp-accept-case-counts",
        "Does not understand Accept in capitals",
        on_media(_case_counts),
        "NEGOTIATION",
        "RESP-XML-APPLICATION",
    ),
    tpp_fault(
        "tpp-accept-parameters-500",
        "Fails on weights in Accept",
        _status(500, lambda request, _: "q=" in _header(request, "accept")),
        "MALFORMED",
        "NEGOTIATION",
    ),
    tpp_fault(
        "tpp-accept-unknown-page",
        "Answers a page to who accepts nothing that is known",
        _status(406, lambda request, _: _header(request, "accept") in ("image/png", "garbage")),
        "MALFORMED",
    ),
    tpp_fault(
        "tpp-text-json-refused",
        "Does not read text/json",
        _refuse(lambda name: name.startswith("text/json")),
        "REQ-JSON-TEXT",
    ),
    tpp_fault(
        "tpp-text-xml-refused",
        "Does not read text/xml",
        _refuse(lambda name: name.startswith("text/xml")),
        "REQ-XML-TEXT",
    ),
    tpp_fault(
        "tpp-application-xml-refused",
        "Does not read application/xml",
        _refuse(lambda name: name.startswith("application/xml")),
        "REQ-XML-APPLICATION",
    ),
    tpp_fault(
        "tpp-application-json-refused",
        "Does not read application/json",
        _refuse(lambda name: name.startswith("application/json")),
        "REQ-JSON-APPLICATION",
    ),
    tpp_fault(
        "tpp-charset-refused",
        "Does not read a content type with a charset",
        _refuse(lambda name: "charset" in name),
        "REQ-JSON-APPLICATION",
        "REQ-JSON-TEXT",
        "REQ-XML-APPLICATION",
        "REQ-XML-TEXT",
    ),
    tpp_fault(
        "tpp-charset-in-quotes-refused",
        "Does not read a charset in quotes",
        _refuse(lambda name: '"' in name),
        "REQ-JSON-APPLICATION",
        "REQ-XML-APPLICATION",
    ),
    tpp_fault(
        "tpp-plain-text-acts",
        "Carries plain text out",
        _take(lambda request: _header(request, "content-type") == "text/plain"),
        "UNSUPPORTED-MEDIA",
    ),
    tpp_fault(
        "tpp-form-acts",
        "Carries a form out",
        _take(lambda request: "form" in _header(request, "content-type")),
        "UNSUPPORTED-MEDIA",
    ),
    tpp_fault(
        "tpp-soap-acts",
        "Carries application/soap+xml out",
        _take(lambda request: "+xml" in _header(request, "content-type")),
        "UNSUPPORTED-MEDIA",
    ),
    tpp_fault(
        "tpp-unsupported-media-500",
        "Fails on a media type that it does not know",
        _status(500, lambda _, response: response.status == 415),
        "MALFORMED",
        "UNSUPPORTED-MEDIA",
    ),
    tpp_fault(
        "tpp-unsupported-media-page",
        "Answers a page to a media type that it does not know",
        _status(415, lambda _, response: response.status == 415),
        "MALFORMED",
    ),
    tpp_fault("tpp-put-acts", "Carries a PUT out", _acts(lambda request: request.method == "PUT"), "METHOD"),
    tpp_fault("tpp-delete-acts", "Carries a DELETE out", _acts(lambda request: request.method == "DELETE"), "METHOD"),
    tpp_fault(
        "tpp-patch-acts-and-refuses",
        "Carries a PATCH out and answers 405",
        _acts_and_refuses("PATCH"),
        "METHOD",
        "FAILED-NO-EFFECT",
    ),
    tpp_fault(
        "tpp-get-acts-and-refuses",
        "Carries a GET with a body out and answers 405",
        _acts_and_refuses("GET"),
        "METHOD",
        "FAILED-NO-EFFECT",
    ),
    tpp_fault(
        "tpp-head-acts-and-refuses",
        "Carries a HEAD with a body out and answers 405",
        _acts_and_refuses("HEAD"),
        "METHOD",
        "FAILED-NO-EFFECT",
    ),
    tpp_fault(
        "tpp-options-acts-and-refuses",
        "Carries an OPTIONS with a body out and answers 405",
        _acts_and_refuses("OPTIONS"),
        "METHOD",
        "FAILED-NO-EFFECT",
    ),
    tpp_fault(
        "tpp-octets-act-and-are-refused",
        "Carries application/octet-stream out and answers 415",
        _acts_on_type_and_refuses(lambda name: name == "application/octet-stream"),
        "UNSUPPORTED-MEDIA",
        "FAILED-NO-EFFECT",
    ),
    tpp_fault(
        "tpp-vendor-type-acts-and-is-refused",
        "Carries a media type of a vendor's own out and answers 415",
        _acts_on_type_and_refuses(lambda name: name.startswith("application/vnd.")),
        "UNSUPPORTED-MEDIA",
        "FAILED-NO-EFFECT",
    ),
    tpp_fault(
        "tpp-get-500", "Fails on a GET", _status(500, lambda request, _: request.method == "GET"), "MALFORMED", "METHOD"
    ),
    tpp_fault("tpp-method-trace", "Shows where it failed on another method", on_response(_trace), "MALFORMED"),
    tpp_fault(
        "tpp-longer-path-acts",
        "Carries out what is sent to a path below its own",
        _acts(lambda request: request.path != http.PATH, on_any_path=True),
        "ROUTE",
    ),
    tpp_fault(
        "tpp-query-is-dry-run",
        "Reports success and does nothing, when there is a query",
        _dry_run,
        "URI-PARAMS",
        "EFFECT",
    ),
    tpp_fault(
        "tpp-long-answer-misframed",
        "Announces the answer to a long list in chunks and sends it in one piece",
        on_response(_misframed),
        "ANSWERED",
    ),
)
