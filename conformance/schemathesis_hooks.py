"""Brings this contract's checks into a run of Schemathesis: `SCHEMATHESIS_HOOKS=conformance.schemathesis_hooks`.

Importing the module registers everything: checks named `contract_…`, XML request bodies written as the XSD has them, XML
answers read as the values that links name, an `Accept` header, and a filter. The filter drops what Schemathesis says of an
answer that the contract permits, or that a check of ours judges: an error inside a 200 is an error.

An operation is found by its operationId, or else by method and path; of any other operation nothing changes.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

import schemathesis
from schemathesis import SerializationContext
from schemathesis.core.failures import Failure, FailureGroup, Severity
from schemathesis.transport.serialization import serialize_xml

from conformance.checks.alone import Alone, Asked, judge_alone
from conformance.checks.kit import Kit, build_kit
from conformance.checks.outcome import OUTCOME
from conformance.checks.registry import Check, Stage, bundled
from conformance.contract.load import load_contract, specs_root
from conformance.formats.errors import CodecError
from conformance.formats.xml.format import XML
from conformance.model.paths import is_at
from conformance.model.spec import Document, Operation
from conformance.model.verdict import Finding
from conformance.run.evidence import redacted_finding
from conformance.wire.messages import HttpReply, HttpRequest

PREFIX = "contract_"
_STAGES = (Stage.READING, Stage.ANSWER, Stage.RESULTS)
_ABOUT_FORM = frozenset(
    {
        "content_type_conformance", "missing_required_header", "negative_data_rejection", "not_a_server_error",
        "response_headers_conformance", "response_schema_conformance", "status_code_conformance",
    }
)  # fmt: skip
"""Checks of Schemathesis on something that a check of ours judges by the documents."""
_LOCK = threading.Lock()


class ContractViolation(Failure):
    """An answer that breaks a sentence of the document."""

    checks = ()
    kind_title = "Contract violation"

    __slots__ = ("requirement",)

    def __init__(self, operation: str, requirement: str, title: str, message: str) -> None:
        super().__init__(operation=operation, title=title, message=message, severity=Severity.HIGH)
        self.requirement = requirement

    @property
    def _unique_key(self) -> str:
        return self.title


class _Contract:
    """The operations of one specs folder, found for those of an OpenAPI document, with what their checks need."""

    def __init__(self, root: Path) -> None:
        contract = load_contract(root)
        self.operations = contract.operations
        self.requirements = contract.requirements
        session = contract.readings.get("session-missing")
        self.sessions = {} if session is None else session.requirements
        """For each operation that knows sessions, what a success without one breaks."""
        self.kits: dict[str, Kit] = {}

    def find(self, identifier: str | None, method: str, path: str) -> Operation | None:
        """The operation of this id, else the one at the end of whose path this one stands."""
        known = self.operations.get(identifier or "")
        if known is not None:
            return known
        at = [one for one in self.operations.values() if one.method == method.upper() and is_at(one.path, path)]
        return min(at, key=lambda one: len(one.in_path), default=None)

    def kit(self, operation: Operation) -> Kit:
        """What its checks need; compiled once."""
        if operation.id not in self.kits:
            self.kits[operation.id] = build_kit(operation)
        return self.kits[operation.id]


@cache
def _contract(location: str) -> _Contract:
    """The contract that a document belongs to: the folder above its own, if that is a specs folder, else the bundled one."""
    parts = urlsplit(location)
    if parts.scheme == "file":
        document = Path(url2pathname(unquote(parts.path))).resolve()
        if (document.parent / "service.yaml").is_file():
            return _Contract(document.parent.parent)
    return _Contract(specs_root())


def _found(case_or_operation: Any) -> tuple[_Contract, Operation] | None:
    """The operation of the contract that an operation of Schemathesis is; None for another."""
    theirs = getattr(case_or_operation, "operation", case_or_operation)
    contract = _contract(theirs.schema.location or "")
    raw = theirs.definition.raw
    identifier = raw.get("operationId") if isinstance(raw, Mapping) else None
    ours = contract.find(identifier, theirs.method, theirs.full_path)
    return None if ours is None else (contract, ours)


class _Last(threading.local):
    """The judgement on the answer that this thread judged last: every check asks for it."""

    response: Any = None
    judged: tuple[Asked, Alone] | None = None


_LAST = _Last()


def judged(case: Any, response: Any) -> tuple[Asked, Alone] | None:
    """The request as it went out, and what the contract says of this answer; None for an operation that it has not."""
    if _LAST.response is not response:
        found = _found(case)
        with _LOCK:
            _LAST.judged = None if found is None else _judge(*found, response)
        _LAST.response = response
    return _LAST.judged


def _judge(contract: _Contract, operation: Operation, response: Any) -> tuple[Asked, Alone]:
    sent = response.request
    parts = urlsplit(sent.url or "")
    body = sent.body.encode() if isinstance(sent.body, str) else sent.body if isinstance(sent.body, bytes) else b""
    headers = tuple((_text(name), _text(value)) for name, value in sent.headers.items())
    request = HttpRequest(sent.method or "", parts.path, headers, body)
    received = tuple((name, value) for name, values in response.headers.items() for value in values)
    unread = max(0, response.content_size - len(response.content))
    reply = HttpReply(
        response.status_code, response.message, received, response.content, response.http_version, unread_bytes=unread
    )
    asked = Asked(contract.kit(operation), request, contract.sessions.get(operation.id, ""))
    return asked, judge_alone(asked, reply)


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _violation(contract: _Contract, case: Any, finding: Finding, secrets: tuple[str, ...]) -> ContractViolation:
    """A finding in the words of a report: what should be, what is, where, and the sentence that it breaks."""
    requirement = contract.requirements[finding.requirement]
    finding = redacted_finding(finding, secrets)
    lines = [
        f"Expected: {finding.expected}",
        f"Actual: {finding.actual}",
        *([f"At: {finding.at}"] if finding.at else ()),
        f"{requirement.id}: {requirement.text} ({requirement.document}, {requirement.place})",
    ]
    title = f"{finding.requirement}: {finding.message}"
    return ContractViolation(case.operation.label, finding.requirement, title, "\n".join(lines))


def _register(check: Check) -> None:
    """One check of ours as one of Schemathesis's, so that each can be chosen and left out."""

    def run(_context: Any, response: Any, case: Any) -> bool | None:
        found, outcome = _found(case), judged(case, response)
        if found is None or outcome is None:
            return True  # skipped
        failures = [
            _violation(found[0], case, one, outcome[0].secrets) for one in outcome[1].findings if one.check == check.id
        ]
        if failures:
            raise FailureGroup(failures) if len(failures) > 1 else failures[0]
        return None

    run.__name__ = PREFIX + check.id.replace("-", "_")
    run.__doc__ = f"{check.looks_at[:1].upper()}{check.looks_at[1:]}."
    schemathesis.check(run)


for _check in bundled():
    if _check.stage in _STAGES or _check is OUTCOME:
        _register(_check)


@schemathesis.serializer("application/xml", "text/xml")
def write_xml(context: SerializationContext, value: Any) -> bytes:
    """A body in the form that its XSD has; what that cannot say is written as Schemathesis does."""
    found = _found(context.case)
    if found is not None and "request" in found[1].xsd and not isinstance(value, (bytes, str)):
        with contextlib.suppress(CodecError):  # a character or a value that XML has no form for: sent to be refused
            written = found[0].kit(found[1]).codec(XML).encode(value)
            return written.encode() if isinstance(written, str) else written
    theirs = serialize_xml(context.case, value)["data"]
    return theirs if isinstance(theirs, bytes) else str(theirs).encode("utf-8", "surrogatepass")


@schemathesis.deserializer("application/xml", "text/xml")
def read_xml(context: Any, response: Any) -> Any:
    """The value that the same answer has in JSON, for links and schemas."""
    found = _found(context.operation)
    if found is None or "response" not in found[1].xsd:
        raise NotImplementedError("no XSD says what this XML means")
    document: Document = "error" if response.status_code >= 400 else "response"
    try:
        return found[0].kit(found[1]).codec(XML, document).decode(response.content).value
    except CodecError as error:
        raise ValueError(f"the answer is no readable XML: {error}") from None


@schemathesis.hook
def before_call(_context: Any, case: Any, kwargs: dict[str, Any]) -> None:  # noqa: ARG001  the hook's signature
    """Ask for the format of the request, unless the case asks for another: so XML is answered in XML."""
    found = _found(case)
    if found is not None and case.media_type in found[1].media_types:
        case.headers.setdefault("Accept", case.media_type)


@schemathesis.hook
def filter_failure(_context: Any, failure: Any, case: Any, response: Any) -> bool:
    """Keep a failure of Schemathesis's own unless the contract permits the answer, or a check of ours judges it."""
    if isinstance(failure, ContractViolation):
        return True
    checks = set(failure.checks)
    if _set_up(case):
        return not checks & (_ABOUT_FORM | {"positive_data_acceptance", "ignored_auth"})
    outcome = judged(case, response)
    if outcome is None:
        return True
    asked, alone = outcome
    if checks & _ABOUT_FORM:
        return False
    if "positive_data_acceptance" in checks:
        return _wrongly_refused(asked, alone)
    return not ("ignored_auth" in checks and asked.session)


def _set_up(case: Any) -> bool:
    """Whether it is another call of a service whose operations the contract has: its errors come in the same way."""
    if _found(case) is not None:
        return False
    folder = case.operation.full_path.rpartition("/")[0].lower()
    contract = _contract(case.operation.schema.location or "")
    return any(folder.endswith(one.path.rpartition("/")[0].lower()) for one in contract.operations.values())


def _wrongly_refused(asked: Asked, alone: Alone) -> bool:
    """Whether a list of legal instructions was refused as a whole; an object may always name what does not exist."""
    if not asked.kit.operation.shape.instructs:
        return False
    return asked.valid and asked.document is not None and bool(asked.document.value) and not alone.answer.results
