"""Reads the answer of an operation that takes a list: results in JSON or XML, the error string, the framework's errors.

What an XML answer says that its XSD has no word for: ids of 64 bits, nulls written as text, text in the wrong place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from lxml import etree

from conformance.checks import answer as forms
from conformance.checks.answer import Answer
from conformance.checks.kit import Kit, page_or_trace, repeated_members, shorten
from conformance.checks.secrets import texts_beyond
from conformance.formats.errors import CodecError
from conformance.formats.json.read import decode_json
from conformance.formats.text import MediaType, format_of, lenient_text
from conformance.formats.xml.contract import XmlContract, XmlProblem
from conformance.formats.xml.read import parse_xml
from conformance.model.verdict import Finding

_INTEGER = re.compile(r"[ \t\r\n]*[+-]?[0-9]{1,40}[ \t\r\n]*")


def widened(kit: Kit, value: Any) -> Any:
    """Ids of 64 bits as the numbers that JSON has for them: the XSD's type holds 32, and the width is a reading."""
    if not isinstance(value, list):
        return value
    names = [name for name in kit.operation.identity if kit.operation.fields[name].width]
    return [
        {**entry, **{name: int(entry[name]) for name in names if _is_wide(entry.get(name))}}
        if isinstance(entry, dict)
        else entry
        for entry in value
    ]


def _is_wide(value: Any) -> bool:
    return isinstance(value, str) and _INTEGER.fullmatch(value) is not None and -(2**63) <= int(value) < 2**63


def nulls_as_text(kit: Kit, value: Any) -> Iterator[Finding]:
    """A null member that is an empty element without nil, or the word null."""
    for index, entry in enumerate(value if isinstance(value, list) else ()):
        for name in kit.operation.identity:
            text = entry.get(name) if isinstance(entry, dict) else None
            if isinstance(text, str) and text.strip().lower() in ("", "null"):
                yield Finding(
                    kit.requirement("xml-nil"), "xml-nil", "a null member is written as text", 'an empty element with i:nil="true"',
                    repr(text), f"/{index}/{name}",
                )  # fmt: skip


def has_markup(body: bytes) -> bool:
    """Whether a comment or an instruction may stand in the bytes; any text in wide characters may hold one."""
    return b"<!--" in body or b"\0" in body or b"<?" in body.removeprefix(b"<?xml ")


def said_beyond(kit: Kit, root: etree._Element) -> list[str]:
    """What stands in no documented element, in an attribute, or in a comment, those around the root included."""
    around = (*root.itersiblings(preceding=True), root, *root.itersiblings())
    return [text for node in around for text in texts_beyond(kit, node)]


FRAMEWORK_STATUSES = (404, 405, 406, 415)
PROCESSED_STATUSES = (200, 201, 207)
_GUID_LETTERS = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_HEAD_BYTES = 64
_KIND_TO_CHECK = {
    "root": "xml-root",
    "namespace": "xml-namespace",
    "order": "xml-order",
    "duplicate": "xml-order",
    "nil": "xml-nil",
}


def read_results(kit: Kit, status: int, media: MediaType | None, body: bytes) -> Answer:
    """The answer of a list operation; `media` is the response's content type, None when it names none."""
    form = format_of(media) if media is not None else None
    charset = media.charset if media is not None else None
    if status in FRAMEWORK_STATUSES:
        return _framework(kit, status, form, charset, body)
    if form == "json":
        return _read_json(kit, status, charset, body)
    if form == "xml":
        return _read_xml(kit, status, charset, body)
    if not body and status >= 300:
        return _bare_status(kit, status)
    text = body.decode("utf-8", "replace")
    named = "no content type" if media is None else f"content type {media.essence}"
    findings = tuple(page_or_trace(kit, text))
    return Answer(
        forms=_refusal_forms(status),
        status=status,
        findings=findings,
        value=text,
        unreadable=None if findings else Finding(
            kit.requirement("media-type"), "media-type", "the answer is in no documented format",
            "one of " + ", ".join(kit.operation.media_types), named, "header Content-Type",
        ),
        summary=f"HTTP {status} with {named}",
    )  # fmt: skip


def _bare_status(kit: Kit, status: int) -> Answer:
    """A status alone: an error without its text, or a caller sent away from the path that the document names."""
    shown = f"HTTP status {status} alone"
    if status >= 400:
        finding = Finding(
            kit.requirement("error-string"), "error-string", "the error has no text", "an error string", shown, "body"
        )
    else:
        finding = Finding(
            kit.requirement("route"),
            "status",
            "the caller is sent elsewhere",
            "an answer at this path",
            shown,
            "status",
        )
    return Answer(_refusal_forms(status), status, unreadable=finding, summary=f"HTTP {status} without a body")


def _refusal_forms(status: int) -> frozenset[str]:
    return frozenset({forms.HTTP_REFUSAL}) if 400 <= status < 500 else frozenset()


def _read_json(kit: Kit, status: int, charset: str | None, body: bytes) -> Answer:
    try:
        document = decode_json(body, charset)
    except CodecError as error:
        return _unreadable(kit, status, body, f"the answer is no JSON: {error}", "JSON")
    twice = tuple(repeated_members(kit, document.notes))
    return _structured(kit, status, document.value, twice, kit.operation.error_media["json"])


def _read_xml(kit: Kit, status: int, charset: str | None, body: bytes) -> Answer:
    """A result list, or else the error string, or else the framework's error: the root decides."""
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
    except CodecError as error:
        return _unreadable(kit, status, body, f"the answer is no readable XML: {error}", "well-formed XML")
    findings = (*_xml_findings(kit, kit.xml_response, reading.problems), *nulls_as_text(kit, reading.value))
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
    problems = tuple(
        Finding(
            requirement, "xml", problem.message, f"element {kit.xml_error.root.tag}", _shown(problem), _place(problem)
        )
        for problem in reading.problems
    )
    beyond = said_beyond(kit, root)
    answer = _structured(kit, status, "".join(texts) if problems else reading.value, problems, requirement)
    return replace(answer, value={"error": answer.value, "beyond": beyond}) if beyond else answer


def _structured(kit: Kit, status: int, value: Any, findings: tuple[Finding, ...], error_requirement: str) -> Answer:
    """A decoded body: a list of results, the error string, the framework's object, or something else."""
    if isinstance(value, str):
        assert kit.error is not None
        wrong = [] if kit.error.is_valid(value) else [
            Finding(problem.requirement or error_requirement, "schema", problem.message, problem.expected, problem.actual, problem.pointer)
            for problem in kit.error.problems(value)
        ]  # fmt: skip
        traces = tuple(page_or_trace(kit, value))
        if value and not value.strip():
            wrong.append(
                Finding(
                    kit.requirement("error-string"),
                    "error-string",
                    "an error without a text",
                    "a text",
                    repr(value),
                    "body",
                )
            )
        if not 400 <= status < 600:
            wrong.append(
                Finding(
                    kit.requirement("error-string"),
                    "status",
                    "an error string under a status of success",
                    "a status of 4xx",
                    f"HTTP status {status}",
                    "status",
                )
            )
        return Answer(
            frozenset({forms.REFUSED}) | _refusal_forms(status), status, value=value,
            findings=(*findings, *wrong, *traces), summary=f"HTTP {status} with the error string {shorten(value, 60)!r}",
            readings=(f"refused-status={status}",) if status in (400, 422) else (),
        )  # fmt: skip
    if isinstance(value, dict) and any(key.lower() in ("message", "modelstate") for key in value):
        return _framework_shape(kit, status, value)
    if status >= 400 and not _holds_results(value):
        finding = Finding(
            error_requirement,
            "error-string",
            "an error that is no string",
            "the documented error string",
            shorten(repr(value)),
            "body",
        )
        return Answer(
            _refusal_forms(status),
            status,
            value=value,
            unreadable=finding,
            summary=f"HTTP {status} with an error that is no string",
        )
    problems = [] if kit.response.is_valid(value) else kit.response.problems(value)
    widths = kit.widths
    schema = [
        Finding(problem.requirement or kit.requirement("schema"), "schema", problem.message, problem.expected, problem.actual, problem.pointer)
        for problem in problems
        if problem.requirement not in widths
    ]  # fmt: skip
    results = tuple(entry for entry in value if isinstance(entry, dict)) if isinstance(value, list) else ()
    traces = tuple(_traces(kit, results))
    readings: tuple[str, ...] = ()
    if isinstance(value, list):
        wide = ("id-width=int64",) if any(problem.requirement in widths for problem in problems) else ()
        processed = (f"processed-status={status}",) if status in PROCESSED_STATUSES else ()
        readings = (*processed, *_null_readings(kit, results), *_guid_readings(results), *wide)
        if not processed:
            schema.append(
                Finding(
                    kit.requirement("status"),
                    "status",
                    "a result list under an unexpected status",
                    "200, 201 or 207",
                    f"HTTP status {status}",
                    "status",
                )
            )
    return Answer(
        frozenset({forms.RESULTS}) if isinstance(value, list) else frozenset(),
        status,
        results=results,
        value=value,
        findings=(*findings, *schema, *traces),
        readings=readings,
        summary=f"HTTP {status} with {_described(results, value, kit)}",
    )


def _holds_results(value: Any) -> bool:
    """Whether a body is a list of results, an empty one included, whatever is wrong with them."""
    return isinstance(value, list) and (not value or any(isinstance(entry, dict) for entry in value))


def _described(results: tuple[dict[str, Any], ...], value: Any, kit: Kit) -> str:
    if not isinstance(value, list):
        return f"{type(value).__name__} instead of a list"
    flags = [str(entry.get(kit.operation.success)).lower() for entry in results[:5]]
    more = f" and {len(results) - 5} more" if len(results) > 5 else ""
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
                yield from page_or_trace(kit, text, f"/{index}/{kit.operation.errors}/{place}")


def _framework(kit: Kit, status: int, form: str | None, charset: str | None, body: bytes) -> Answer:
    """404, 405, 406 and 415 come from the framework: in its own form, in the document's string, or without a body."""
    text = lenient_text(body, charset)
    findings = tuple(page_or_trace(kit, text))
    reading: tuple[str, ...] = ()
    if body and not findings:
        try:
            if form == "json":
                value = decode_json(body, charset).value
                reading = (f"framework-error-form={'string' if isinstance(value, str) else 'framework'}",)
            elif form == "xml":
                name = str(parse_xml(body, charset).root.tag).rpartition("}")[2]
                reading = (f"framework-error-form={'string' if _is_error_root(kit, name) else 'framework'}",)
        except CodecError as error:
            findings = (
                Finding(
                    kit.requirement("framework-error"),
                    "readable",
                    f"the error's body cannot be read: {error}",
                    f"readable {form}",
                    shorten(text),
                    "body",
                ),
            )
    string = frozenset({forms.REFUSED}) if "framework-error-form=string" in reading else frozenset()
    return Answer(
        frozenset({forms.FRAMEWORK}) | string | _refusal_forms(status), status, value=text, findings=findings, readings=reading,
        summary=f"HTTP {status}",
    )  # fmt: skip


def _is_error_root(kit: Kit, name: str) -> bool:
    return kit.xml_error is not None and name == kit.xml_error.root.name


def _framework_shape(kit: Kit, status: int, value: Any) -> Answer:
    """The framework's own error object where the operation's error string belongs."""
    finding = Finding(
        kit.requirement("error-string"), "error-string", "an error of the operation in the framework's form",
        "the documented error string", "an object with a Message", "body",
    )  # fmt: skip
    summary = f"HTTP {status} with the framework's error object"
    return Answer(_refusal_forms(status), status, value=value, unreadable=finding, summary=summary)


def _unreadable(kit: Kit, status: int, body: bytes, message: str, expected: str) -> Answer:
    text = body.decode("utf-8", "replace")
    pages = tuple(page_or_trace(kit, text))
    if status >= 500:
        return Answer(frozenset(), status, findings=pages, summary=f"HTTP {status}")
    finding = (
        pages[0]
        if pages
        else Finding(kit.requirement("readable"), "readable", message, expected, shorten(text), "body")
    )
    return Answer(_refusal_forms(status), status, unreadable=finding, summary=f"HTTP {status} with an unreadable body")


def _xml_findings(kit: Kit, contract: XmlContract, problems: tuple[XmlProblem, ...]) -> Iterator[Finding]:
    """Departures from the XSD, by requirement; a member that the document does not name is no departure."""
    errors = f"/{kit.operation.errors}"
    for problem in problems:
        check = _KIND_TO_CHECK.get(problem.kind, "xml-item")
        if problem.kind == "root" and problem.path == f"/{contract.root.name}":
            check = "xml-namespace"
        if problem.kind == "type":
            continue  # the JSON Schema judges values, with the requirement of the member
        if problem.kind == "unexpected" and not _misspelt(kit, problem):
            continue
        if f"{errors}/" in problem.path or (problem.kind in ("namespace", "text") and problem.path.endswith(errors)):
            check = "xml-arrays"
        yield Finding(
            kit.requirement(check),
            check,
            problem.message,
            f"as {contract.path.name} has it",
            _shown(problem),
            _place(problem),
        )


def _misspelt(kit: Kit, problem: XmlProblem) -> bool:
    """Whether an unexpected element looks like a documented one, or stands where only results, or only errors, may stand."""
    name = problem.path.rpartition("/")[2].partition("[")[0]
    among_errors = f"/{kit.operation.errors}/" in problem.path
    return name.lower() in kit.members or among_errors or problem.path.count("/") <= 2


def _shown(problem: XmlProblem) -> str:
    return f"{problem.kind} at {problem.path}"


def _place(problem: XmlProblem) -> str:
    return f"{problem.path} (line {problem.line})"
