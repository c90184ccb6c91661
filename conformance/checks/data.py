"""Reads an answer that its schema describes: a record, a list of records, a value, nothing, or an error instead."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from conformance.checks import answer as forms
from conformance.checks.answer import Answer
from conformance.checks.kit import READABLE, SCHEMA, STATUS, Kit, page_or_trace, repeated_members, shorten
from conformance.contract.problem_text import kind_of, shown
from conformance.formats.base import Format
from conformance.formats.errors import BeyondError, CodecError
from conformance.formats.text import MediaType, lenient_text
from conformance.model.verdict import Finding

_NO_CONTENT = 204


def read_data(kit: Kit, value: Any, status: int | None) -> Answer:
    """The answer in a value, under a status of success or in a frame.

    An error may come so, too: the flag of the operation is false in it, or it fits error.schema.json and not
    response.schema.json. Anything else is taken for the answer, with what the schema does not allow.
    """
    flag = kit.operation.success
    problems = [] if kit.response.is_valid(value) else kit.response.problems(value)
    documented_error = kit.error is not None and kit.error.is_valid(value)
    told = value.get(flag) if flag and isinstance(value, dict) else None
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
        frozenset({forms.FAILURE if failed else forms.DATA}),
        status,
        value=value,
        findings=(*findings, *_traces(kit, value)),
        summary=f"an error, {_described(value)}" if failed else _described(value),
    )


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
        refusal = frozenset({forms.HTTP_REFUSAL, forms.FAILURE}) if status < 500 else frozenset[str]()
        return Answer(refusal, status, value=text, findings=pages, summary=f"{summary} with an error")
    if not body.strip() and (status == _NO_CONTENT or kit.response.is_valid(None)) and status < 300:
        return replace(read_data(kit, None, status), summary=f"{summary} without a body")
    try:
        document = kit.codec(written_in, "error" if status >= 400 else "response").decode(body, charset)
    except BeyondError:
        raise
    except CodecError as error:
        refusal = frozenset({forms.HTTP_REFUSAL, forms.FAILURE}) if 400 <= status < 500 else frozenset[str]()
        message, seen = f"the answer is no {written_in.label}: {error}", shorten(text) or "nothing"
        finding = READABLE.finding(kit.operation, message, f"{written_in.label} as documented", seen, "body")
        if pages:
            return Answer(refusal, status, value=text, findings=pages, summary=f"{summary} with a page")
        return Answer(refusal, status, unreadable=finding, summary=f"{summary} with text that is no {written_in.label}")
    repeated = tuple(repeated_members(kit, document.notes))
    if status >= 400:
        return _documented_error(kit, status, document.value, repeated)
    found = read_data(kit, document.value, status)
    return replace(found, findings=(*repeated, *found.findings), summary=f"{summary}; {found.summary}")


def _documented_error(kit: Kit, status: int, value: Any, findings: tuple[Finding, ...]) -> Answer:
    assert kit.error is not None
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
