"""Violations of POST api/orders/cancellations: the form of an answer in XML, and answers that differ from JSON."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from reference_impl.parts import Parts, with_writer
from reference_impl.recorder import Recorder
from reference_impl.tpp.changes import TextChange, both, label, on_response, on_xml, tpp_fault
from reference_impl.tpp.values import Format, Result
from reference_impl.tpp.write_xml import ARRAYS, INSTANCE, RESULTS
from reference_impl.variants import Change, Variant
from reference_impl.wire import HttpRequest, HttpResponse

_ROOT = "ArrayOfCancellationCreationResult"
_ITEM = "CancellationCreationResult"
_REQUESTS = "http://schemas.datacontract.org/2004/07/"
_RESULT = re.compile(
    r"<CancellationCreationResult>(<Errors.*?(?:</Errors>|/>))(<InternationalOrderUID.*?(?:</InternationalOrderUID>|/>))"
    r"(<OrderID.*?(?:</OrderID>|/>))(<Success>.*?</Success>)</CancellationCreationResult>"
)
_NIL_ID = re.compile(r'<(OrderID|InternationalOrderUID) i:nil="true" />')
_ENTRIES = re.compile(r"<d3p1:string>(.*?)</d3p1:string>")


def _swap(old: str, new: str) -> Change:
    return on_xml(lambda text: text.replace(old, new))


def _sub(pattern: str | re.Pattern[str], new: str) -> Change:
    return on_xml(lambda text: re.sub(pattern, new, text))


def _results(form: Format, change: Callable[[Result], Result]) -> Change:
    """Changes the results as one format writes them; the other tells the truth."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        inner = parts.tpp.writers[form].results

        def results(values: Any) -> str:
            before = list(values)
            return inner(recorder.swap(before, [change(one) for one in before]))

        return with_writer(parts, form, results=results)

    return apply


def _international_fails(result: Result) -> Result:
    return replace(result, success=False, errors=("Not available.",)) if result.uid else result


def _failure_succeeds(result: Result) -> Result:
    return result if result.success else replace(result, success=True, errors=None)


def _markup_repeated(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """An error whose text ends with what stands, escaped, in an id of the request."""
    found = re.search(rb"ID[^>]*>([^<]*&lt;[^<]*)<", request.body)
    if found is None or "xml" not in response.content_type:
        return response
    told = found.group(1).replace(b"&lt;", b"<").replace(b"&gt;", b">").replace(b"&amp;", b"&")
    body = re.sub(rb"</(d3p1:)?string>", lambda end: b" " + told + end.group(), response.body, count=1)
    return replace(response, body=body)


def _raw_words(text: str) -> str:
    return text.replace("Order is not active.", "Order & trade are <closed>.")


def _latin_1(_request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Bytes of one charset under the name of another."""
    if "xml" not in response.content_type or b"active" not in response.body:
        return response
    return replace(
        response,
        body=response.body.replace(b"Order is not active.", "Ordre d\u00e9j\u00e0 ferm\u00e9.".encode("latin-1")),
    )


def _utf_16_declared(text: str) -> str:
    return '<?xml version="1.0" encoding="utf-16"?>' + text


def _without_charset(_request: HttpRequest, response: HttpResponse) -> HttpResponse:
    return label(response, response.content_type.partition(";")[0]) if "xml" in response.content_type else response


def _late_declaration(text: str) -> str:
    return f'\n<?xml version="1.0" encoding="utf-8"?>{text}'


def _enveloped(text: str) -> str:
    soap = "http://schemas.xmlsoap.org/soap/envelope/"
    return f'<s:Envelope xmlns:s="{soap}"><s:Body>{text}</s:Body></s:Envelope>'


def _root_element(name: str) -> TextChange:
    return lambda text: re.sub(rf"(</?){_ROOT}\b", rf"\g<1>{name}", text)


def _item_element(name: str) -> TextChange:
    return lambda text: re.sub(rf"(</?){_ITEM}\b", rf"\g<1>{name}", text)


FAULTS: tuple[Variant, ...] = (
    tpp_fault(
        "tpp-xml-null-as-text",
        "Writes a null OrderID as the text null",
        _swap('<OrderID i:nil="true" />', "<OrderID>null</OrderID>"),
        "RESP-XML-NIL",
        "RESP-ORDERID",
    ),
    tpp_fault(
        "tpp-xml-null-uid-as-text",
        "Writes a null UID as the text null",
        _swap('<InternationalOrderUID i:nil="true" />', "<InternationalOrderUID>null</InternationalOrderUID>"),
        "RESP-XML-NIL",
        "RESP-UID",
    ),
    tpp_fault(
        "tpp-xml-null-as-empty",
        "Writes null members as empty elements that are not nil",
        _sub(_NIL_ID, r"<\1 />"),
        "RESP-XML-NIL",
        "RESP-ORDERID",
        "RESP-UID",
    ),
    tpp_fault(
        "tpp-xml-nil-without-namespace",
        "Writes nil as an attribute of no namespace",
        _swap('i:nil="true"', 'nil="true"'),
        "RESP-XML-NIL",
    ),
    tpp_fault(
        "tpp-xml-nil-of-other-namespace",
        "Binds the prefix of nil to the namespace of the schema language",
        _swap(INSTANCE, "http://www.w3.org/2001/XMLSchema"),
        "RESP-XML-NIL",
    ),
    tpp_fault(
        "tpp-xml-nil-with-content",
        "Writes content into nil elements",
        _sub(_NIL_ID, r'<\1 i:nil="true">0</\1>'),
        "RESP-XML-NIL",
    ),
    tpp_fault("tpp-xml-nil-yes", "Writes yes where nil is true", _swap('nil="true"', 'nil="yes"'), "RESP-XML-NIL"),
    tpp_fault(
        "tpp-xml-root-of-request",
        "Calls the list as the request calls it",
        on_xml(_root_element("ArrayOfCancellationCreation")),
        "RESP-XML-ROOT",
    ),
    tpp_fault(
        "tpp-xml-root-lower-case",
        "Writes the root element in lower case",
        on_xml(_root_element(_ROOT.lower())),
        "RESP-XML-ROOT",
    ),
    tpp_fault("tpp-xml-soap-envelope", "Wraps the list in an envelope", on_xml(_enveloped), "RESP-XML-ROOT"),
    tpp_fault(
        "tpp-xml-no-namespace", "Writes the list in no namespace", _swap(f' xmlns="{RESULTS}"', ""), "RESP-XML-NS"
    ),
    tpp_fault(
        "tpp-xml-namespace-of-request",
        "Writes the list in the namespace of the request",
        _swap(f'"{RESULTS}"', f'"{_REQUESTS}"'),
        "RESP-XML-NS",
    ),
    tpp_fault(
        "tpp-xml-namespace-https",
        "Writes the namespace with https",
        _swap("http://schemas.datacontract", "https://schemas.datacontract"),
        "RESP-XML-NS",
    ),
    tpp_fault(
        "tpp-xml-namespace-of-root-alone",
        "Writes the items in no namespace",
        _swap(f"<{_ITEM}>", f'<{_ITEM} xmlns="">'),
        "RESP-XML-NS",
        "RESP-XML-ITEM",
    ),
    tpp_fault(
        "tpp-xml-member-namespace",
        "Writes OrderID in no namespace",
        _swap("<OrderID", '<OrderID xmlns=""'),
        "RESP-XML-NS",
    ),
    tpp_fault("tpp-xml-item-name", "Calls an item Result", on_xml(_item_element("Result")), "RESP-XML-ITEM"),
    tpp_fault(
        "tpp-xml-item-of-request",
        "Calls an item as the request calls it",
        on_xml(_item_element("CancellationCreation")),
        "RESP-XML-ITEM",
    ),
    tpp_fault(
        "tpp-xml-members-camel-case",
        "Writes Success in lower case",
        _sub(r"(</?)Success>", r"\1success>"),
        "RESP-XML-ITEM",
        "RESP-SUCCESS",
    ),
    tpp_fault(
        "tpp-xml-order-of-table",
        "Writes the members in the order of the document's table",
        _sub(_RESULT, rf"<{_ITEM}>\3\2\4\1</{_ITEM}>"),
        "RESP-XML-ORDER",
    ),
    tpp_fault(
        "tpp-xml-success-first",
        "Writes Success before the other members",
        _sub(_RESULT, rf"<{_ITEM}>\4\1\2\3</{_ITEM}>"),
        "RESP-XML-ORDER",
    ),
    tpp_fault(
        "tpp-xml-member-twice",
        "Writes OrderID twice",
        _sub(_RESULT, rf"<{_ITEM}>\1\2\3\3\4</{_ITEM}>"),
        "RESP-XML-ORDER",
    ),
    tpp_fault(
        "tpp-xml-success-left-out",
        "Leaves Success out when it is false",
        _swap("<Success>false</Success>", ""),
        "RESP-SUCCESS",
    ),
    tpp_fault(
        "tpp-xml-success-capital",
        "Writes True and False",
        on_xml(lambda text: text.replace("<Success>t", "<Success>T").replace("<Success>f", "<Success>F")),
        "RESP-SUCCESS",
    ),
    tpp_fault(
        "tpp-xml-success-nil",
        "Writes a nil Success on failure",
        _swap("<Success>false</Success>", '<Success i:nil="true" />'),
        "RESP-SUCCESS",
        "RESP-XML-NIL",
    ),
    tpp_fault(
        "tpp-xml-orderid-grouped",
        "Writes OrderID with separators between thousands",
        _sub(r"<OrderID>(\d+)(\d{3})</OrderID>", r"<OrderID>\1,\2</OrderID>"),
        "RESP-ORDERID",
    ),
    tpp_fault(
        "tpp-xml-uid-in-braces",
        "Writes a UID in braces",
        _sub(r"<InternationalOrderUID>(.*?)<", r"<InternationalOrderUID>{\1}<"),
        "RESP-UID",
    ),
    tpp_fault(
        "tpp-xml-arrays-namespace",
        "Writes the errors in the namespace of arrays with a slash behind",
        _swap(f'"{ARRAYS}"', f'"{ARRAYS}/"'),
        "RESP-XML-ARRAYS",
    ),
    tpp_fault(
        "tpp-xml-errors-unqualified",
        "Writes the errors in the namespace of the results",
        _sub(_ENTRIES, r"<string>\1</string>"),
        "RESP-XML-ARRAYS",
    ),
    tpp_fault(
        "tpp-xml-errors-named-error",
        "Calls an entry of Errors Error",
        _sub(_ENTRIES, r"<d3p1:Error>\1</d3p1:Error>"),
        "RESP-XML-ARRAYS",
    ),
    tpp_fault(
        "tpp-xml-nil-among-errors",
        "Writes a nil entry behind the texts of Errors",
        _sub(_ENTRIES, r'<d3p1:string>\1</d3p1:string><d3p1:string i:nil="true" />'),
        "RESP-ERRORS",
        "RESP-XML-ARRAYS",
    ),
    tpp_fault(
        "tpp-xml-markup-in-errors",
        "Repeats an unusable value in the error, and leaves its markup as it is",
        on_response(_markup_repeated),
        "ANSWERED",
        "RESP-XML-ARRAYS",
    ),
    tpp_fault(
        "tpp-xml-errors-as-text",
        "Writes the errors as the text of Errors",
        _sub(_ENTRIES, r"\1"),
        "RESP-XML-ARRAYS",
        "RESP-ERRORS",
    ),
    tpp_fault(
        "tpp-xml-errors-nil-on-failure",
        "Writes nil Errors for a failure",
        _sub(r"(<Errors [^>]*)>.*?</Errors>", r'\1 i:nil="true" />'),
        "RESP-ERRORS-ON-FAILURE",
    ),
    tpp_fault(
        "tpp-xml-errors-nil-entry",
        "Writes a nil entry for each error",
        _sub(_ENTRIES, '<d3p1:string i:nil="true" />'),
        "RESP-ERRORS-ON-FAILURE",
    ),
    tpp_fault(
        "tpp-xml-prefix-undeclared",
        "Uses a prefix that nothing declares",
        _swap(f' xmlns:d3p1="{ARRAYS}"', ""),
        "RESP-LIST",
        "RESP-XML-ARRAYS",
    ),
    tpp_fault(
        "tpp-xml-text-not-escaped",
        "Writes an ampersand as it is",
        on_xml(_raw_words),
        "RESP-LIST",
        "RESP-XML-APPLICATION",
    ),
    tpp_fault(
        "tpp-xml-cut-off",
        "Leaves the last tag out",
        on_xml(lambda text: text.removesuffix(f"</{_ROOT}>")),
        "RESP-LIST",
        "RESP-XML-APPLICATION",
    ),
    tpp_fault(
        "tpp-xml-bytes-of-other-charset",
        "Writes Latin-1 under the name of UTF-8",
        on_response(_latin_1),
        "RESP-LIST",
        "RESP-XML-APPLICATION",
    ),
    tpp_fault(
        "tpp-xml-declares-other-encoding",
        "Declares UTF-16 over UTF-8, and names no charset",
        both(on_xml(_utf_16_declared), on_response(_without_charset)),
        "RESP-LIST",
        "RESP-XML-APPLICATION",
    ),
    tpp_fault(
        "tpp-xml-declaration-late",
        "Writes the XML declaration behind a line break",
        on_xml(_late_declaration),
        "RESP-LIST",
        "RESP-XML-APPLICATION",
    ),
    tpp_fault(
        "tpp-xml-international-fails",
        "Reports international orders as failed in XML alone",
        _results("xml", _international_fails),
        "RESP-SAMPLE-XML",
        "FORMATS-AGREE",
        "RESP-SUCCESS",
        "FAILED-NO-EFFECT",
    ),
    tpp_fault(
        "tpp-xml-failure-succeeds",
        "Reports failures as success in XML alone",
        _results("xml", _failure_succeeds),
        "FORMATS-AGREE",
        "RESP-NOT-ACTIVE",
    ),
    tpp_fault(
        "tpp-json-failure-succeeds",
        "Reports failures as success in JSON alone",
        _results("json", _failure_succeeds),
        "FORMATS-AGREE",
        "RESP-NOT-ACTIVE",
    ),
    tpp_fault(
        "tpp-xml-doubles-items", "Lists every result twice in XML alone", _sub(_RESULT, r"\g<0>\g<0>"), "RESP-ONE-EACH"
    ),
)
