"""Reads an answer that its schema describes: a record, a list of records, a value, nothing, or an error instead."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from conformance.checks import answer as forms
from conformance.checks.answer import Answer
from conformance.checks.kit import READABLE, SCHEMA, STATUS, Kit, page_or_trace, repeated_members, shorten
from conformance.checks.xml_results import has_markup, said_beyond, xml_findings
from conformance.contract.problem_text import kind_of, shown
from conformance.formats.base import Format
from conformance.formats.errors import BeyondError, CodecError
from conformance.formats.text import MediaType, lenient_text
from conformance.formats.xml.contract import XmlContract, XmlProblem
from conformance.formats.xml.format import XML
from conformance.formats.xml.read import parse_xml
from conformance.model.spec import Document
from conformance.model.verdict import Finding

_NO_CONTENT = 204


def read_data(kit: Kit, value: Any, status: int | None) -> Answer:
    """The answer in a value, under a status of success or in a frame.

    An error may come so, too: the flag of the operation is false in it, or it fits error.schema.json and not
    response.schema.json. In a list of records the flag is false in each; where it is in some, the list is neither an
    answer nor an error. Anything else is taken for the answer, with what the schema does not allow.
    """
    flag = kit.operation.success
    problems = [] if kit.response.is_valid(value) else kit.response.problems(value)
    documented_error = kit.error is not None and kit.error.is_valid(value)
    flags = [one.get(flag) for one in _records(value)] if flag else []
    told = flags[0] if flags and flags.count(flags[0]) == len(flags) else None
    mixed = told is None and False in flags
    failed = told is False or (told is None and bool(problems) and documented_error)
    if failed and documented_error:
        problems = []
    findings = tuple(
        SCHEMA.finding_on(
            one.requirement or kit.requirement("schema"), one.message, one.expected, one.actual, one.pointer
        )
        for one in problems
    )
    return Answer(
        frozenset() if mixed else frozenset({forms.FAILURE if failed else forms.DATA}),
        status,
        value=value,
        findings=(*findings, *_traces(kit, value)),
        summary=f"an error, {_described(value)}" if failed else _described(value),
    )


def _records(value: Any) -> list[dict[str, Any]]:
    """The record that a value is, or those that are the items of its list."""
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict)]


def read_data_http(kit: Kit, status: int, written_in: Format, media: MediaType | None, body: bytes) -> Answer:
    """The answer in an HTTP reply. A 4xx is an error whatever its body, but that error.schema.json describes it."""
    charset = media.charset if media is not None else None
    text = lenient_text(body, charset)
    pages = tuple(page_or_trace(kit, text))
    summary = f"HTTP {status}"
    if 300 <= status < 400:
        message, expected = "the caller is sent elsewhere", "an answer at this path"
        finding = STATUS.finding(kit.operation, message, expected, summary, "status")
        return Answer(frozenset(), status, unreadable=finding, summary=summary)
    if status >= 400 and (kit.error is None or pages):
        return Answer(_refusal(status), status, value=text, findings=pages, summary=f"{summary} with an error")
    if not body.strip() and (status == _NO_CONTENT or kit.response.is_valid(None)) and status < 300:
        return replace(read_data(kit, None, status), summary=f"{summary} without a body")
    part: Document = "error" if status >= 400 else "response"
    if written_in is XML and part not in kit.operation.xsd:
        return _without_form(kit, status, text, pages)
    try:
        document = kit.codec(written_in, part).decode(body, charset)
    except BeyondError:
        raise
    except CodecError as error:
        message, seen = f"the answer is no {written_in.label}: {error}", shorten(text) or "nothing"
        finding = READABLE.finding(kit.operation, message, f"{written_in.label} as documented", seen, "body")
        if pages:
            return Answer(_refusal(status), status, value=text, findings=pages, summary=f"{summary} with a page")
        return _unreadable(status, finding, f"{summary} with text that is no {written_in.label}")
    of_form: tuple[Finding, ...] = ()
    beside: tuple[str, ...] = ()
    if written_in is XML:
        problems = tuple(one for one in document.problems if isinstance(one, XmlProblem))
        of_form = tuple(xml_findings(kit, xml_contract_of(kit, part), problems))
        beside = tuple(said_beyond(kit, parse_xml(body, charset).root)) if has_markup(body) or problems else ()
        if of_form and any(one.kind == "root" for one in document.problems):
            return _unreadable(status, of_form[0], f"{summary}, XML with another root")
    repeated = tuple(repeated_members(kit, document.notes))
    if status >= 400:
        return replace(_documented_error(kit, status, document.value, (*of_form, *repeated)), beside=beside)
    found = read_data(kit, document.value, status)
    findings = (*of_form, *repeated, *found.findings)
    return replace(found, findings=findings, beside=beside, summary=f"{summary}; {found.summary}")


def _refusal(status: int) -> frozenset[str]:
    return frozenset({forms.HTTP_REFUSAL, forms.FAILURE}) if 400 <= status < 500 else frozenset()


def _unreadable(status: int, finding: Finding, summary: str) -> Answer:
    return Answer(_refusal(status), status, unreadable=finding, summary=summary)


def _without_form(kit: Kit, status: int, text: str, pages: tuple[Finding, ...]) -> Answer:
    """XML where the contract has no XSD: no value can be read from it."""
    if pages:
        return Answer(_refusal(status), status, value=text, findings=pages, summary=f"HTTP {status} with a page")
    message = "the answer is XML, and no document gives it a form"
    finding = READABLE.finding(kit.operation, message, "no body", shorten(text) or "nothing", "body")
    return _unreadable(status, finding, f"HTTP {status} with XML of no documented form")


def xml_contract_of(kit: Kit, part: Document) -> XmlContract:
    """The compiled XSD of the answer, or of its error."""
    found = kit.xml_error if part == "error" else kit.xml_response
    assert found is not None
    return found


def _documented_error(kit: Kit, status: int, value: Any, findings: tuple[Finding, ...]) -> Answer:
    """An error under a status of one, held against error.schema.json; one of the framework has a form of its own."""
    assert kit.error is not None
    named = {name for one in kit.error.files.documents.values() for name in one.get("properties", {})}
    if status in forms.FRAMEWORK_STATUSES and isinstance(value, dict) and value and not named & value.keys():
        found = frozenset({forms.FAILURE, forms.HTTP_REFUSAL, forms.FRAMEWORK})
        traces = tuple(_traces(kit, value))
        return Answer(found, status, value=value, findings=traces, summary=f"HTTP {status} with a framework's error")
    wrong = [
        SCHEMA.finding_on(
            one.requirement or kit.requirement("schema"), one.message, one.expected, one.actual, one.pointer
        )
        for one in ([] if kit.error.is_valid(value) else kit.error.problems(value))
    ]
    refusal = frozenset({forms.FAILURE}) | (frozenset({forms.HTTP_REFUSAL}) if status < 500 else frozenset())
    return Answer(
        refusal,
        status,
        value=value,
        findings=(*findings, *wrong, *_traces(kit, value)),
        summary=f"HTTP {status} with an error, {_described(value)}",
    )


def _traces(kit: Kit, value: Any, at: str = "") -> Iterator[Finding]:
    """A page or a stack trace in any text of the value."""
    if isinstance(value, str):
        yield from page_or_trace(kit, value, at or "body")
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _traces(kit, inner, f"{at}/{name}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _traces(kit, inner, f"{at}/{index}")


def _described(value: Any) -> str:
    if value is None:
        return "no value"
    if isinstance(value, dict):
        return f"an object with {shorten(', '.join(value), 60)}" if value else "an empty object"
    return f"a list of {len(value)}" if isinstance(value, list) else f"{kind_of(value)} {shown(value)}"
