"""Reads the answer to instructions: results or one in JSON or XML, the error string, errors of the framework."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from conformance.checks import answer as forms
from conformance.checks.answer import Answer, refusal_forms, statuses_in_words
from conformance.checks.kit import (
    INSTRUCTED,
    MEDIA_TYPE,
    READABLE,
    SCHEMA,
    STATUS,
    STATUS_OF_REFUSAL,
    Kit,
    page_or_trace,
    repeated_members,
    shorten,
)
from conformance.checks.registry import BEHIND_READING, Check, Stage
from conformance.checks.xml_results import (
    XML_ITEM,
    error_problem,
    has_markup,
    nulls_as_text,
    said_beyond,
    widened,
    xml_findings,
)
from conformance.contract.operation import RequirementKey
from conformance.contract.problem_text import kind_of, shown
from conformance.contract.schemas import SchemaProblem
from conformance.formats.base import Format
from conformance.formats.errors import BeyondError, CodecError
from conformance.formats.registry import format_of, formats_for
from conformance.formats.text import MediaType, lenient_text
from conformance.formats.xml.format import XML
from conformance.formats.xml.read import parse_xml
from conformance.model.verdict import Finding

PROCESSED_STATUSES = (200, 201, 202, 207)
_GUID_LETTERS = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_HEAD_BYTES = 64
ERROR_STRING = Check(
    "error-string",
    "an error of a call that takes instructions is the documented string",
    Stage.READING,
    (RequirementKey("error-string", INSTRUCTED),),
    of=INSTRUCTED,
    speaks_for="the requirement under `error_media`, where the error is another value",
    blocks=BEHIND_READING,
)
FORM = Check(
    "form",
    "an answer in a format other than JSON and XML has its documented form",
    Stage.READING,
    (RequirementKey("schema", INSTRUCTED),),
    of=INSTRUCTED,
)


def read_results(kit: Kit, status: int, media: MediaType | None, body: bytes) -> Answer:
    """The answer to instructions; `media` is the response's content type, None when it names none."""
    written_in = format_of(media) if media is not None else None
    charset = media.charset if media is not None else None
    if status in forms.FRAMEWORK_STATUSES:
        return _framework(kit, status, written_in, charset, body)
    if written_in is not None and written_in in formats_for(kit.operation.media_types):
        if written_in is XML:
            return _read_xml(kit, status, charset, body)
        return _read_decoded(kit, status, written_in, charset, body)
    if not body and status >= 300:
        return _bare_status(kit, status)
    text = body.decode(errors="replace")
    named = "no content type" if media is None else f"content type {media.essence}"
    findings = tuple(page_or_trace(kit, text))
    return Answer(
        forms=refusal_forms(status),
        status=status,
        findings=findings,
        value=text,
        unreadable=None if findings else _no_format(kit, named),
        summary=f"HTTP {status} with {named}",
    )


def _no_format(kit: Kit, named: str) -> Finding:
    message, expected = "the answer is in no documented format", "one of " + ", ".join(kit.operation.media_types)
    return MEDIA_TYPE.finding(kit.operation, message, expected, named, "header Content-Type")


def _bare_status(kit: Kit, status: int) -> Answer:
    """A status alone: an error without its text, or a caller sent away from the path that the document names."""
    shown = f"HTTP status {status} alone"
    if status >= 400:
        finding = ERROR_STRING.finding(kit.operation, "the error has no text", "an error string", shown, "body")
    else:
        message, expected = "the caller is sent elsewhere", "an answer at this path"
        finding = STATUS.finding(kit.operation, message, expected, shown, "status", key="route")
    return Answer(refusal_forms(status), status, unreadable=finding, summary=f"HTTP {status} without a body")


def _read_decoded(kit: Kit, status: int, written_in: Format, charset: str | None, body: bytes) -> Answer:
    """The value that the format's own codec reads, judged by the same schema as any other."""
    try:
        document = kit.codec(written_in, "error" if status >= 400 else "response").decode(body, charset)
    except BeyondError:
        raise
    except CodecError as error:
        return _unreadable(kit, status, body, f"the answer is no {written_in.label}: {error}", written_in.label)
    documented = f"{written_in.label} as documented"
    wrong = (
        FORM.finding(kit.operation, problem.message, documented, problem.kind, "body") for problem in document.problems
    )
    findings = (*repeated_members(kit, document.notes), *wrong)
    return _structured(kit, status, document.value, findings, kit.operation.error_media[written_in.name])


def _read_xml(kit: Kit, status: int, charset: str | None, body: bytes) -> Answer:
    """Results, or else the error string, or else the framework's error: the root decides."""
    assert kit.xml_response is not None
    error_requirement = kit.operation.error_media["xml"]
    try:
        if (
            kit.xml_error is not None and f"<{kit.xml_error.root.name}".encode() in body[:_HEAD_BYTES]
        ):  # most likely the error string: look at that first
            other = _read_other_xml(kit, status, charset, body, error_requirement)
            if other is not None:
                return other
        reading = kit.xml_response.read(body, charset)
        if reading.problems and reading.problems[0].kind == "root":
            other = _read_other_xml(kit, status, charset, body, error_requirement)
            if other is not None:
                return other
    except BeyondError:
        raise
    except CodecError as error:
        return _unreadable(kit, status, body, f"the answer is no readable XML: {error}", "well-formed XML")
    findings = (*xml_findings(kit, kit.xml_response, reading.problems), *nulls_as_text(kit, reading.value))
    if reading.value is None and findings:
        return Answer(frozenset(), status, unreadable=findings[0], summary=f"HTTP {status}, XML with another root")
    answer = _structured(kit, status, widened(kit, reading.value), findings, error_requirement)
    if not has_markup(body) and not any(problem.kind in ("unexpected", "attribute") for problem in reading.problems):
        return answer
    return replace(answer, value={"results": answer.value, "beyond": said_beyond(kit, parse_xml(body, charset).root)})


def _read_other_xml(kit: Kit, status: int, charset: str | None, body: bytes, requirement: str) -> Answer | None:
    """The error string, or the framework's error object; None for a root that is neither."""
    assert kit.xml_error is not None
    reading = kit.xml_error.read(body, charset)
    if not reading.problems and not has_markup(body):
        return _structured(kit, status, reading.value, (), requirement)
    root = parse_xml(body, charset).root
    name, texts = str(root.tag).rpartition("}")[2], [str(part) for part in root.itertext()]
    if name == "Error":
        return _framework_shape(kit, status, texts)
    if name != kit.xml_error.root.name:
        return None
    problems = tuple(error_problem(kit.xml_error, problem, requirement) for problem in reading.problems)
    beyond = said_beyond(kit, root)
    answer = _structured(kit, status, "".join(texts) if problems else reading.value, problems, requirement)
    return replace(answer, value={"error": answer.value, "beyond": beyond}) if beyond else answer


def _structured(kit: Kit, status: int, value: Any, findings: tuple[Finding, ...], error_requirement: str) -> Answer:
    """A decoded body: results, the error string, the framework's object, or something else."""
    if isinstance(value, str):
        return _error_string(kit, status, value, findings, error_requirement)
    of_framework = isinstance(value, dict) and any(key.lower() in ("message", "modelstate") for key in value)
    if of_framework and not _holds_results(kit, value):
        return _framework_shape(kit, status, value)
    if status >= 400 and not _holds_results(kit, value):
        return _no_string(status, value, error_requirement)
    return _results(kit, status, value, findings)


def _error_string(kit: Kit, status: int, value: str, findings: tuple[Finding, ...], error_requirement: str) -> Answer:
    """The documented error: a string that says something, under a status of an error."""
    assert kit.error is not None
    wrong = [
        SCHEMA.finding_on(problem.requirement or error_requirement, problem.message, problem.expected, problem.actual)
        for problem in ([] if kit.error.is_valid(value) else kit.error.problems(value))
    ]
    if value and not value.strip():
        wrong.append(ERROR_STRING.finding(kit.operation, "an error without a text", "a text", repr(value), "body"))
    if not 400 <= status < 600:
        message, shown = "an error string under a status of success", f"HTTP status {status}"
        wrong.append(STATUS.finding(kit.operation, message, STATUS_OF_REFUSAL, shown, "status", key="error-string"))
    return Answer(
        frozenset({forms.REFUSED}) | refusal_forms(status),
        status,
        value=value,
        findings=(*findings, *wrong, *page_or_trace(kit, value)),
        summary=f"HTTP {status} with the error string {shorten(value, 60)!r}",
        readings=(f"refused-status={status}",) if status in (400, 422) else (),
    )


def _no_string(status: int, value: Any, error_requirement: str) -> Answer:
    """An error that is neither the documented string nor a result."""
    message, expected = "an error that is no string", "the documented error string"
    finding = ERROR_STRING.finding_on(error_requirement, message, expected, shown(value), "body")
    summary = f"HTTP {status} with an error that is no string"
    return Answer(refusal_forms(status), status, value=value, unreadable=finding, summary=summary)


def _results(kit: Kit, status: int, value: Any, findings: tuple[Finding, ...]) -> Answer:
    """Results, or a value that should have been some."""
    entries = kit.operation.shape.entries(value)
    results = tuple(entry for entry in entries or () if isinstance(entry, dict))
    problems = [] if kit.response.is_valid(value) else kit.response.problems(value)
    return Answer(
        frozenset({forms.RESULTS}) if entries is not None else frozenset(),
        status,
        results=results,
        lost=entries is not None and (len(results) < len(entries) or any(one.check == XML_ITEM.id for one in findings)),
        value=value,
        findings=(
            *findings,
            *_against_the_schema(kit, problems),
            *(_unexpected_status(kit, status) if entries is not None else ()),
            *_traces(kit, results),
        ),
        readings=tuple(_readings(kit, status, results, problems)) if entries is not None else (),
        summary=f"HTTP {status} with {_described(results, value, kit)}",
    )


def _against_the_schema(kit: Kit, problems: Iterable[SchemaProblem]) -> Iterator[Finding]:
    """What is wrong with the results; the width of an id is a reading and no violation."""
    for problem in problems:
        if problem.requirement not in kit.widths:
            requirement = problem.requirement or kit.requirement("schema")
            yield SCHEMA.finding_on(requirement, problem.message, problem.expected, problem.actual, problem.pointer)


def _unexpected_status(kit: Kit, status: int) -> Iterator[Finding]:
    if status not in PROCESSED_STATUSES:
        what = "a result list" if kit.operation.shape.listed else "a result"
        message, shown = f"{what} under an unexpected status", f"HTTP status {status}"
        yield STATUS.finding(kit.operation, message, statuses_in_words(PROCESSED_STATUSES), shown, "status")


def _readings(
    kit: Kit, status: int, results: tuple[dict[str, Any], ...], problems: Iterable[SchemaProblem]
) -> Iterator[str]:
    """What results show of the open questions."""
    if status in PROCESSED_STATUSES:
        yield f"processed-status={status}"
    yield from _null_readings(kit, results)
    yield from _guid_readings(results)
    if any(problem.requirement in kit.widths for problem in problems):
        yield "id-width=int64"


def _holds_results(kit: Kit, value: Any) -> bool:
    """Whether a body is a list of results, an empty one included, or one result, whatever is wrong with them."""
    if not kit.operation.shape.listed:
        return isinstance(value, dict) and kit.operation.success in value
    return isinstance(value, list) and (not value or any(isinstance(entry, dict) for entry in value))


def _described(results: tuple[dict[str, Any], ...], value: Any, kit: Kit) -> str:
    listed = kit.operation.shape.listed
    if kit.operation.shape.entries(value) is None:
        return f"{kind_of(value)} instead of {'a list' if listed else 'an object'}"
    name = kit.operation.success
    flags = [shown(entry[name]) if name in entry else f"no {name}" for entry in results[:5]]
    more = f" and {len(results) - 5} more" if len(results) > 5 else ""
    if not listed:
        return f"one result ({', '.join(flags)})"
    return f"{len(results)} results ({', '.join(flags)}{more})" if flags else "an empty list"


def _null_readings(kit: Kit, results: tuple[dict[str, Any], ...]) -> Iterator[str]:
    errors = kit.operation.errors
    names = (*kit.operation.identity, errors)
    for entry in results[:1]:
        if any(name not in entry for name in names):
            yield "null-members=omitted"
        elif any(entry[name] is None for name in names):
            yield "null-members=present"
    for entry in results:
        if entry.get(kit.operation.success) is True and entry.get(errors) in (None, []):
            yield f"errors-on-success={'null' if entry.get(errors) is None else 'empty'}"


def _guid_readings(results: tuple[dict[str, Any], ...]) -> Iterator[str]:
    """The letter case of the GUIDs, where they hold letters and all of one case."""
    for entry in results:
        for text in entry.values():
            if isinstance(text, str) and _GUID_LETTERS.fullmatch(text) and text.islower() != text.isupper():
                yield f"guid-case={'lower' if text.islower() else 'upper'}"


def _traces(kit: Kit, results: tuple[dict[str, Any], ...]) -> Iterator[Finding]:
    for index, entry in enumerate(results):
        errors = entry.get(kit.operation.errors)
        for place, text in enumerate(errors if isinstance(errors, list) else ()):
            if isinstance(text, str):
                yield from page_or_trace(kit, text, kit.place_of(index, f"{kit.operation.errors}/{place}"))


def _framework(kit: Kit, status: int, written_in: Format | None, charset: str | None, body: bytes) -> Answer:
    """An error of the framework: in its own form, as the error string, or without a body."""
    text = lenient_text(body, charset)
    findings = tuple(page_or_trace(kit, text))
    reading: tuple[str, ...] = ()
    if body and not findings and written_in is not None:
        try:
            is_string = _is_error_string(kit, written_in, charset, body)
            reading = (f"framework-error-form={'string' if is_string else 'framework'}",)
        except BeyondError:
            raise
        except CodecError as error:
            message, expected = f"the error's body cannot be read: {error}", f"readable {written_in.name}"
            findings = (
                READABLE.finding(kit.operation, message, expected, shorten(text), "body", key="framework-error"),
            )
    string = frozenset({forms.REFUSED}) if "framework-error-form=string" in reading else frozenset()
    return Answer(
        frozenset({forms.LENGTH_REQUIRED if status == 411 else forms.FRAMEWORK}) | string | refusal_forms(status),
        status,
        value=text,
        findings=findings,
        readings=reading,
        summary=f"HTTP {status}",
    )


def _is_error_string(kit: Kit, written_in: Format, charset: str | None, body: bytes) -> bool:
    """Whether a body is the document's error string, however its form departs from it."""
    if written_in is XML:
        name = str(parse_xml(body, charset).root.tag).rpartition("}")[2]
        return kit.xml_error is not None and name == kit.xml_error.root.name
    return isinstance(kit.codec(written_in, "error").decode(body, charset).value, str)


def _framework_shape(kit: Kit, status: int, value: Any) -> Answer:
    """The framework's own error object where the operation's error string belongs."""
    message = "an error of the operation in the framework's form"
    expected, actual = "the documented error string", "an object with a Message"
    finding = ERROR_STRING.finding(kit.operation, message, expected, actual, "body")
    summary = f"HTTP {status} with the framework's error object"
    return Answer(refusal_forms(status), status, value=value, unreadable=finding, summary=summary)


def _unreadable(kit: Kit, status: int, body: bytes, message: str, expected: str) -> Answer:
    if status >= 500:  # that the server failed is the one finding, and the caller makes it
        return Answer(frozenset(), status, summary=f"HTTP {status}")
    text = body.decode(errors="replace")
    pages = tuple(page_or_trace(kit, text))
    finding = pages[0] if pages else READABLE.finding(kit.operation, message, expected, shorten(text), "body")
    return Answer(refusal_forms(status), status, unreadable=finding, summary=f"HTTP {status} with an unreadable body")
