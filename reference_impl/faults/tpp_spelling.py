"""Violations of POST api/orders/cancellations by readers who know one spelling of XML, JSON or a header alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from reference_impl.parts import Parts
from reference_impl.pipelined import first_again, on_pipelined, swapped, unanswered
from reference_impl.recorder import Recorder
from reference_impl.tpp.changes import on_request_text, on_response, refuse_text, tpp_fault
from reference_impl.variants import Change, Variant
from reference_impl.wire import TPP_OPERATION, TPP_OPERATIONS, HttpRequest, HttpResponse

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_VALUE = re.compile(r"<(OrderID|PIN|CreatorID|InternationalOrderUID)>(.*?)</\1>", re.DOTALL)
_PREFIX = re.compile(r"<(\w[\w.-]*):")
_NIL_FALSE = re.compile(r' i:nil="(?:false|0)">[^<]*<')


def _xml(pattern: str) -> Change:
    """Refuses a document in which the pattern is found."""
    return refuse_text("xml", re.compile(pattern, re.DOTALL).search)


def _json(pattern: str) -> Change:
    return refuse_text("json", re.compile(pattern).search)


def _values(change: Callable[[str], str]) -> Change:
    """The content of each element that holds a value, before anything else is made of it."""
    return on_request_text("xml", lambda text: _VALUE.sub(lambda v: f"<{v[1]}>{change(v[2])}</{v[1]}>", text))


def _marked_alone(value: str) -> str:
    """What stands in sections of CDATA, where there is any."""
    found = re.findall(r"<!\[CDATA\[(.*?)\]\]>", value)
    return "".join(found) if found else value


def _octal(value: str) -> str:
    """A number with a zero in front is one of the base eight, up to the first digit that this does not have."""
    found = re.match(r"0[0-7]+", value)
    return str(int(found[0], 8)) if found else value


def _outside_alone(value: str) -> str:
    return re.sub(r"<!\[CDATA\[.*?\]\]>", "", value) or value


def _several_prefixes(text: str) -> bool:
    return len(set(_PREFIX.findall(text))) > 1


def _refuses(unwanted: Callable[[HttpRequest], object], status: int = 400) -> Change:
    """Refuses a request for the way in which it is written."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        inner = parts.refuse

        def refuse(request: HttpRequest) -> HttpResponse | None:
            if request.operation not in TPP_OPERATIONS or request.method != "POST" or not unwanted(request):
                return inner(request)
            recorder.hit()
            return _answer(request, status)

        return replace(parts, refuse=refuse)

    return apply


def _answer(request: HttpRequest, status: int) -> HttpResponse:
    """The error string in the format that the request asks for."""
    if "xml" in (request.header("accept") or ""):
        body = b'<string xmlns="http://schemas.microsoft.com/2003/10/Serialization/">The request is invalid.</string>'
        return HttpResponse(status, body, "application/xml; charset=utf-8")
    return HttpResponse(status, b'"The request is invalid."', "application/json; charset=utf-8")


def _header(name: str, pattern: str) -> Callable[[HttpRequest], object]:
    found = re.compile(pattern).search
    return lambda request: found(request.header(name) or "")


def _body(pattern: bytes) -> Callable[[HttpRequest], object]:
    found = re.compile(pattern).search
    return lambda request: found(request.body)


def _fault(name: str, summary: str, change: Change, *requirements: str) -> Variant:
    return tpp_fault(f"tpp-spelled-{name}", summary, change, *(requirements or ("SPELLED-XML",)))


def _refused_once_done(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Asks for a length when it has carried the chunks out."""
    chunked = request.header("transfer-encoding") is not None and response.status == 200
    return _answer(request, 411) if chunked else response


_OTHER_ORDER = ("SPELLED-XML", "RESP-IDENTITY")
"""An instruction that is read as another one also gets a result that names no order of the request."""

FAULTS: tuple[Variant, ...] = (
    _fault("standalone", "Refuses a declaration that says standalone", _refuses(_body(rb"standalone="))),
    _fault("single-declaration", "Refuses a declaration in single quotes", _refuses(_body(rb"version='"))),
    _fault("declaration-spaced", "Refuses white space around the equals signs of a declaration",
           _refuses(_body(rb"<\?xml[^>]* ="))),
    _fault("mark", "Refuses a byte order mark in front of XML", _refuses(_body(rb"\A\xef\xbb\xbf\s*<"))),
    _fault("comment-before", "Refuses a comment in front of the root", _xml(r"\A\s*<!--")),
    _fault("comment-behind", "Refuses a comment behind the root", _xml(r"-->\s*\Z")),
    _fault("comment-cuts", "Reads a value up to a comment in it",
           _values(lambda value: value.partition("<!--")[0] or _COMMENT.sub("", value)), *_OTHER_ORDER),
    _fault("comment-read", "Reads what stands in a comment",
           on_request_text("xml", lambda text: text.replace("<!-- <", "<").replace("> -->", ">"))),
    _fault("references-between", "Refuses white space between elements that is written as references",
           _xml(r">&#x20;")),
    _fault("cdata-alone", "Reads of a value what stands in CDATA alone", _values(_marked_alone), *_OTHER_ORDER),
    _fault("cdata-lost", "Reads of a value what stands beside CDATA alone", _values(_outside_alone), *_OTHER_ORDER),
    _fault("cdata-twice", "Refuses two sections of CDATA in one value", _xml(r"\]\]><!\[CDATA")),
    _fault("references-hexadecimal", "Refuses hexadecimal references", _xml(r"&#x3")),
    _fault("references-zeros", "Refuses references with zeros in front", _xml(r"&#0")),
    _fault("attributes-single", "Refuses attributes in single quotes", _xml(r"xmlns='")),
    _fault("attributes-spaced", "Refuses blanks around the equals sign of attributes", _xml(r'xmlns = "')),
    _fault("attributes-order", "Wants the default namespace in front of the others", _xml(r"nil='none'|<\w+ xmlns=\"[^\"]*\" xmlns:i=")),
    _fault("end-tags", "Refuses white space in end tags", _xml(r"</[\w:]+\s")),
    _fault("start-tags", "Refuses white space at the end of start tags", _xml(r'<[\w:]+\s+>')),
    _fault("tabs", "Refuses tabs between elements", _xml(r">\t")),
    _fault("prefixes", "Knows one prefix for the elements alone",
           refuse_text("xml", _several_prefixes)),
    _fault("prefix-unusual", "Knows prefixes of letters alone", _xml(r"<[\w]*[.-][\w.-]*:")),
    _fault("root-prefix", "Refuses a root with a prefix above elements without one",
           _xml(r"\A<\w+:.*<CancellationCreation")),
    _fault("declared-again", "Refuses a namespace declared again", _xml(r"<OrderID xmlns=")),
    _fault("unused-namespace", "Refuses a namespace that nothing is in", _xml("urn:unused")),
    _fault("namespace-reference", "Compares the name of the namespace before its references are read",
           _xml(r'xmlns="[^"]*&#')),
    _fault("prefix-bound-again", "Refuses a prefix that is bound again", _xml("urn:other\">")),
    _fault("nil-spaced", "Takes nil with white space around it for no nil",
           on_request_text("xml", lambda text: re.sub(r' i:nil=" true&#x9;" ?/>', "></x>", text))),
    _fault("nil-prefix", "Knows nil by the prefix i alone", _xml(r" n:nil=")),
    _fault("nil-false", "Takes nil for a null whatever it says",
           on_request_text("xml", lambda text: _NIL_FALSE.sub(' i:nil="true"><', text)), *_OTHER_ORDER),
    _fault("nil-comment", "Refuses a comment in a nil element", _xml(r'nil="true"><!--')),
    _fault("location", "Refuses a hint at the schema", _xml("schemaLocation")),
    _fault("type", "Refuses the type of an integer on its element", _xml(r"i:type=")),
    _fault("sign", "Refuses a plus sign", _xml(r">\+\d")),
    _fault("zeros", "Reads a number with zeros in front in the base eight", _values(_octal), *_OTHER_ORDER),
    _fault("digit-true", "Takes 1 for no true",
           on_request_text("xml", lambda text: re.sub(r"(<IsInternationalOrder>)1<", r"\g<1>0<", text))),
    _fault("boolean-lines", "Refuses white space around booleans", _xml(r"\s(?:true|false)\s")),
    _fault("json-returns", "Refuses carriage returns between tokens", _json("\r"), "SPELLED-JSON"),
    _fault("json-text-escapes", "Compares texts before their escapes are read",
           on_request_text("json", lambda text: re.sub(r'("PIN":")([^"]*\\u[^"]*)"', r'\g<1>?"', text)), "SPELLED-JSON"),
    _fault("json-names", "Does not find members whose names have escapes",
           on_request_text("json", lambda text: re.sub(r'"\\u00[^"]*":', '"?":', text)),
           "SPELLED-JSON", "RESP-IDENTITY"),
    _fault("accept-list", "Refuses empty elements in Accept", _refuses(_header("accept", r",\s*,"), 406), "SPELLED-HTTP"),
    _fault("accept-weight", "Knows the weight in lower case alone", _refuses(_header("accept", "Q="), 406), "SPELLED-HTTP"),
    _fault("parameter", "Refuses a parameter of the media type that it does not know",
           _refuses(_header("content-type", "profile"), 415), "SPELLED-HTTP"),
    _fault("parameter-name", "Refuses the name of the charset in capitals",
           _refuses(_header("content-type", "CHARSET"), 415), "SPELLED-HTTP"),
    _fault("pieces", "Reads what comes of the body first",
           _refuses(lambda request: 0 < request.first_bytes < len(request.body)), "SPELLED-HTTP"),
    tpp_fault("tpp-pipelined-swapped", "Answers the second of two requests that came in one go first",
              on_pipelined(TPP_OPERATION, swapped), "SPELLED-HTTP", "RESP-IDENTITY"),
    tpp_fault("tpp-pipelined-first-again", "Reads the first of two requests that came in one go twice",
              on_pipelined(TPP_OPERATION, first_again), "SPELLED-HTTP", "RESP-IDENTITY"),
    tpp_fault("tpp-pipelined-unanswered", "Carries out both of two requests that came in one go, and answers one",
              on_pipelined(TPP_OPERATION, unanswered), "SPELLED-HTTP"),
    _fault("chunks-done", "Asks for a length when it has carried out what came in chunks",
           on_response(_refused_once_done), "SPELLED-HTTP", "FAILED-NO-EFFECT"),
)  # fmt: skip
