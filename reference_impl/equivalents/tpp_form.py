"""Permitted differences of POST api/orders/cancellations in the form of an answer: JSON, XML and HTTP."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from reference_impl.tpp.changes import both, label, on_items, on_json, on_response, on_text, on_xml, tpp_equivalent
from reference_impl.tpp.write_xml import ARRAYS, INSTANCE
from reference_impl.variants import Change, Variant
from reference_impl.wire import HttpRequest, HttpResponse

_NIL = re.compile(r'<(\w+)((?: xmlns:d3p1="[^"]*")?) i:nil="true" />')
_DECLARED = '<?xml version="1.0" encoding="utf-8"?>'
_LAST_TAG = "</ArrayOfCancellationCreationResult>"


def _swap(old: str, new: str) -> Change:
    return on_xml(lambda text: text.replace(old, new))


def _dumped(**how: Any) -> Change:
    """JSON written in another way."""
    return on_text("json", lambda text: json.dumps(json.loads(text), **how))


def _prefixed(text: str) -> str:
    """Every element of the results under a prefix in place of the default namespace."""
    named = re.sub(r"<(/?)(?!d3p1:)(\w+)", r"<\1r:\2", text)
    return named.replace(' xmlns="', ' xmlns:r="')


def _indented(text: str) -> str:
    return text.replace("><", ">\r\n  <")


def _single_quotes(text: str) -> str:
    return text.replace('"', "'")


def _arrays_declared_once(text: str) -> str:
    return text.replace(f' xmlns:d3p1="{ARRAYS}"', "").replace(" xmlns:i=", f' xmlns:d3p1="{ARRAYS}" xmlns:i=', 1)


def _comments(text: str) -> str:
    return "<!-- results -->" + text.replace("<Success>", "<!-- how it went --><Success>")


def _cdata(text: str) -> str:
    return re.sub(r"<d3p1:string>([^<&]*)</d3p1:string>", r"<d3p1:string><![CDATA[\1]]></d3p1:string>", text)


def _references(text: str) -> str:
    return re.sub(r"(<d3p1:string>)O", r"\g<1>&#x4F;", text)


def _digits(text: str) -> str:
    return text.replace("<Success>true<", "<Success>1<").replace("<Success>false<", "<Success>0<")


def _marked(request_format: str) -> Change:
    """A byte order mark before the body."""

    def change(_request: HttpRequest, response: HttpResponse) -> HttpResponse:
        written = request_format in response.content_type and "utf-16" not in response.content_type
        marked = written and response.body
        return replace(response, body=codecs.BOM_UTF8 + response.body) if marked else response

    return on_response(change)


def _utf_16(_request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """XML in UTF-16, as its content type says."""
    if "xml" not in response.content_type or "utf-8" not in response.content_type or not response.body:
        return response  # another charset was asked for, or there is nothing to write
    body = codecs.BOM_UTF16_LE + response.body.decode().encode("utf-16-le")
    return label(replace(response, body=body), response.content_type.replace("utf-8", "utf-16"))


def _encoded(encoding: str) -> Change:
    """XML in this encoding, named in the declaration and in the media type; other characters as references."""

    def change(_request: HttpRequest, response: HttpResponse) -> HttpResponse:
        xml = response.content_type.startswith(("application/xml", "text/xml"))
        if not xml or "utf-8" not in response.content_type:  # another charset was asked for
            return response
        text = f'<?xml version="1.0" encoding="{encoding}"?>{response.body.decode()}'
        body = text.encode(encoding, "xmlcharrefreplace")
        return label(replace(response, body=body), response.content_type.replace("utf-8", encoding))

    return on_response(change)


def _type(change: Callable[[str], str]) -> Change:
    return on_response(lambda _, response: label(response, change(response.content_type)))


def _headers(*headers: tuple[str, str]) -> Change:
    return on_response(lambda _, response: replace(response, headers=(*response.headers, *headers)))


def _without_nulls(item: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in item.items() if value is not None}


def _more_members(item: dict[str, Any]) -> dict[str, Any]:
    return {**item, "Message": None, "ProcessedAt": "2024-05-01T10:00:00Z", "Links": [{"rel": "order"}]}


def _without_nil(text: str) -> str:
    return _NIL.sub("", text)


_LEFT_OUT_IN_JSON = on_items(_without_nulls)
_LEFT_OUT_IN_XML = on_xml(_without_nil)

EQUIVALENTS: tuple[Variant, ...] = (
    tpp_equivalent("tpp-nulls-left-out", "Leaves null members out", both(_LEFT_OUT_IN_JSON, _LEFT_OUT_IN_XML)),
    tpp_equivalent("tpp-nulls-left-out-in-json", "Leaves null members out in JSON alone", _LEFT_OUT_IN_JSON),
    tpp_equivalent("tpp-nulls-left-out-in-xml", "Leaves null members out in XML alone", _LEFT_OUT_IN_XML),
    tpp_equivalent(
        "tpp-json-members-sorted", "Writes the members of a result in alphabetical order", _dumped(sort_keys=True)
    ),
    tpp_equivalent("tpp-json-indented", "Writes JSON over several lines", _dumped(indent=2)),
    tpp_equivalent(
        "tpp-json-tabs-and-breaks",
        "Writes JSON with tabs, and a line break at its end",
        on_text("json", lambda text: json.dumps(json.loads(text), indent="\t") + "\r\n"),
    ),
    tpp_equivalent(
        "tpp-json-beyond-ascii",
        "Writes characters beyond ASCII as they are",
        both(
            on_text("json", lambda text: text.replace("Order is", "Der Auftrag \\u2013 \\ud83d\\udd12 \\u2013 ist")),
            _dumped(ensure_ascii=False),
        ),
    ),
    tpp_equivalent(
        "tpp-json-keys-escaped",
        "Writes letters of the keys as escapes",
        on_text("json", lambda text: text.replace('"Success"', '"\\u0053uccess"')),
    ),
    tpp_equivalent("tpp-json-more-members", "Writes members that the document does not name", on_items(_more_members)),
    tpp_equivalent("tpp-json-byte-order-mark", "Writes a byte order mark before JSON", _marked("json")),
    tpp_equivalent(
        "tpp-json-integral-fraction",
        "Writes OrderID as a number with a fraction of zero",
        on_json(lambda items: [{**i, "OrderID": None if i["OrderID"] is None else float(i["OrderID"])} for i in items]),
    ),
    tpp_equivalent(
        "tpp-xml-other-prefix",
        "Binds the namespace of arrays to another prefix",
        on_xml(lambda text: text.replace("d3p1:", "a:").replace(":d3p1", ":a")),
    ),
    tpp_equivalent("tpp-xml-results-prefixed", "Binds the namespace of the results to a prefix", on_xml(_prefixed)),
    tpp_equivalent(
        "tpp-xml-nil-prefix",
        "Binds the namespace of nil to another prefix",
        on_xml(lambda text: text.replace(" i:nil", " xsi:nil").replace("xmlns:i=", "xmlns:xsi=")),
    ),
    tpp_equivalent(
        "tpp-xml-arrays-declared-once", "Declares the namespace of arrays at the root", on_xml(_arrays_declared_once)
    ),
    tpp_equivalent("tpp-xml-line-breaks", "Writes each result on a line of its own", _swap("><Canc", ">\n  <Canc")),
    tpp_equivalent("tpp-xml-indented", "Writes each element on a line of its own", on_xml(_indented)),
    tpp_equivalent(
        "tpp-xml-declaration",
        "Writes an XML declaration",
        both(on_xml(lambda text: _DECLARED + text), on_text("xml", lambda text: _DECLARED + text, "error")),
    ),
    tpp_equivalent("tpp-xml-byte-order-mark", "Writes a byte order mark before XML", _marked("xml")),
    tpp_equivalent("tpp-xml-windows-1252", "Writes XML in windows-1252 and says so", _encoded("windows-1252")),
    tpp_equivalent("tpp-xml-iso-8859-15", "Writes XML in ISO-8859-15 and says so", _encoded("iso-8859-15")),
    tpp_equivalent("tpp-xml-utf-16", "Writes XML in UTF-16 and says so", on_response(_utf_16)),
    tpp_equivalent("tpp-xml-nil-one", "Writes nil as 1", _swap('nil="true"', 'nil="1"')),
    tpp_equivalent(
        "tpp-xml-nil-pair-of-tags",
        "Writes nil elements as a pair of tags",
        on_xml(lambda text: _NIL.sub(r'<\1\2 i:nil="true"></\1>', text)),
    ),
    tpp_equivalent(
        "tpp-xml-nil-before-namespace",
        "Writes the attributes of Errors in another order",
        _swap(f'<Errors xmlns:d3p1="{ARRAYS}" i:nil="true" />', f'<Errors i:nil="true" xmlns:d3p1="{ARRAYS}"/>'),
    ),
    tpp_equivalent(
        "tpp-xml-nil-false",
        "Says of values that they are not nil",
        on_xml(lambda text: re.sub(r"<(OrderID|InternationalOrderUID)>", r'<\1 i:nil="false">', text)),
    ),
    tpp_equivalent("tpp-xml-single-quotes", "Writes attributes in single quotes", on_xml(_single_quotes)),
    tpp_equivalent("tpp-xml-comments", "Writes comments", on_xml(_comments)),
    tpp_equivalent("tpp-xml-cdata", "Writes errors as CDATA", on_xml(_cdata)),
    tpp_equivalent("tpp-xml-references", "Writes a letter of each error as a character reference", on_xml(_references)),
    tpp_equivalent("tpp-xml-success-digits", "Writes Success as 1 or 0, which XML Schema allows", on_xml(_digits)),
    tpp_equivalent(
        "tpp-xml-padded-numbers",
        "Writes white space around OrderID",
        on_xml(lambda text: re.sub(r"<OrderID>(\d+)", r"<OrderID> \1 ", text)),
    ),
    tpp_equivalent(
        "tpp-xml-more-elements",
        "Writes elements that the document does not name",
        _swap(
            "</CancellationCreationResult>", "<Timestamp>2024-05-01T10:00:00Z</Timestamp></CancellationCreationResult>"
        ),
    ),
    tpp_equivalent(
        "tpp-xml-schema-location",
        "Says where a schema can be found",
        _swap(
            "<ArrayOfCancellationCreationResult",
            f'<ArrayOfCancellationCreationResult xmlns:x="{INSTANCE}" x:schemaLocation="urn:a a.xsd"',
        ),
    ),
    tpp_equivalent(
        "tpp-xml-ends-with-break", "Writes a line break behind the last tag", _swap(_LAST_TAG, _LAST_TAG + "\n")
    ),
    tpp_equivalent("tpp-type-without-charset", "Names no charset", _type(lambda name: name.partition(";")[0])),
    tpp_equivalent(
        "tpp-type-charset-capitals",
        "Names the charset in quotes and capitals",
        _type(lambda name: name.replace("charset=utf-8", 'charset="UTF-8"')),
    ),
    tpp_equivalent(
        "tpp-type-without-space", "Writes no space before the charset", _type(lambda name: name.replace("; ", ";"))
    ),
    tpp_equivalent(
        "tpp-type-capitals",
        "Writes the content type in capitals",
        _type(lambda name: name.replace("application/", "Application/").replace("text/", "Text/")),
    ),
    tpp_equivalent(
        "tpp-type-more-parameters",
        "Adds a parameter to the content type",
        _type(lambda name: name + "; odata=minimal" if name else name),
    ),
    tpp_equivalent(
        "tpp-more-headers",
        "Sends headers of its own",
        _headers(
            ("x-request-id", "8f"),
            ("cache-control", "no-cache"),
            ("x-aspnet-version", "4.0.30319"),
            ("set-cookie", "a=b; path=/"),
        ),
    ),
    tpp_equivalent(
        "tpp-connection-close", "Closes each connection behind its answer", _headers(("connection", "close"))
    ),
    tpp_equivalent(
        "tpp-content-encoding-identity", "Says that the body is not encoded", _headers(("content-encoding", "identity"))
    ),
    tpp_equivalent(
        "tpp-chunked", "Sends bodies in chunks", on_response(lambda _, response: replace(response, chunked=True))
    ),
)
