"""What the checks need of an operation, compiled once: validators, XML contracts, attributions.

Remembers how bodies were read: the same bytes under the same status and media type are the same answer.

The words that right answers are made of: a credential that is one of them cannot be told from a text of the contract.

Answers that no input excuses: a server error, an HTML page, a stack trace.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from http import HTTPMethod, HTTPStatus
from typing import Any

from conformance.checks.answer import Answer, Seen
from conformance.checks.registry import BEHIND_READING, Check, Registry, Stage, bundled, requirement_of
from conformance.contract.operation import AppliesTo, RequirementKey, demand_keys
from conformance.contract.schemas import SchemaValidator, load_validator
from conformance.formats.base import Codec, Format
from conformance.formats.errors import Note
from conformance.formats.xml.contract import XmlContract
from conformance.formats.xml.format import XML, xml_codec
from conformance.model.spec import Document, Operation, Shape
from conformance.model.verdict import Finding

LISTS = AppliesTo((Shape.RESULTS,))
INSTRUCTED = AppliesTo((Shape.RESULTS, Shape.RESULT))
PAIRS = AppliesTo((Shape.PAIR,))
XML_INSTRUCTED = AppliesTo((Shape.RESULTS, Shape.RESULT), format=XML)
XML_DESCRIBED = AppliesTo((Shape.RESULTS, Shape.RESULT, Shape.DATA), format=XML)

READABLE = Check(
    "readable",
    "the answer can be read, and is the documented object or list",
    Stage.READING,
    (RequirementKey("readable"), RequirementKey("framework-error", INSTRUCTED)),
    blocks=BEHIND_READING,
)
MEDIA_TYPE = Check(
    "media-type",
    "the answer is in the media type that was asked for",
    Stage.READING,
    (RequirementKey("media-type"),),
    speaks_for="the requirement under `response_media`, where the operation has one",
    blocks=BEHIND_READING,
)
STATUS = Check(
    "status",
    "the HTTP status agrees with what the answer says",
    Stage.READING,
    (RequirementKey("status"), RequirementKey("route", INSTRUCTED), RequirementKey("error-string", INSTRUCTED)),
    blocks=BEHIND_READING,
)
STATUS_OF_REFUSAL = "a status of 4xx"
"""What is expected where the body is the documented error."""
SCHEMA = Check(
    "schema",
    "the answer is valid under its JSON Schema",
    Stage.READING,
    (RequirementKey("schema"), RequirementKey("early-error", PAIRS)),
    speaks_for="the `x-requirement` of the schema, where it has one",
)
MEMBERS = Check(
    "members",
    "no member of the answer stands twice",
    Stage.READING,
    (RequirementKey("schema"), RequirementKey("leg", PAIRS)),
)
BAD_INPUT = Check(
    "bad-input",
    "the answer is no server failure, HTML page or stack trace",
    Stage.READING,
    (RequirementKey("bad-input"),),
    blocks=BEHIND_READING,
)
_ENTRIES = 1024
_LONGEST_BYTES = 2048
"""Longer bodies seldom come twice, and would be a burden."""


@dataclass(slots=True)
class AnswerMemory:
    """The answers used last, at most 1,024 of bodies of at most 2,048 bytes; nobody changes an answer that was read."""

    answers: dict[Hashable, Answer] = field(default_factory=dict)

    def recall(self, status: int, media: Hashable, body: bytes, read: Callable[[], Answer]) -> Answer:
        """The answer that `read` gives for this body; it is asked only when the body is not remembered."""
        if len(body) > _LONGEST_BYTES:
            return read()
        key = (status, media, body)
        answer = self.answers.pop(key, None)
        if answer is None:
            answer = read()
            if len(self.answers) >= _ENTRIES:
                del self.answers[next(iter(self.answers))]
        self.answers[key] = answer
        return answer


_FILES = ("operation.yaml", "requirements.yaml", "*.schema.json", "*.xsd", "samples/*")
_SHARED = ("readings.yaml", "*.json", "*.xsd")
"""What the operations of a service have in common stands beside their folders."""
_LONG = 8
_LETTER = re.compile(r"[^\W\d_]")
_HTTP = """
    accept accept-encoding accept-ranges access-control-allow-credentials access-control-allow-headers
    access-control-allow-methods access-control-allow-origin access-control-expose-headers age allow alt-svc
    application/json application/octet-stream application/problem+json application/xml attachment authorization basic
    bearer brotli bytes cache-control charset=utf-8 chunked close connection content-disposition content-encoding
    content-language content-length content-security-policy content-type cookie cross-origin date deflate etag expires
    frame-ancestors gzip identity immutable inline keep-alive last-modified location max-age must-revalidate negotiate
    no-cache no-referrer no-sniff no-store no-transform nosniff origin pragma private proxy-revalidate public realm
    referrer-policy retry-after same-origin sameorigin server strict-transport-security text/html text/plain timeout
    trailers transfer-encoding upgrade user-agent vary via websocket www-authenticate x-content-type-options
    x-frame-options x-powered-by x-request-id x-requested-with x-xss-protection
    detail error errors exceptionmessage exceptiontype instance message messagedetail modelstate stacktrace status
    title traceid type
"""
"""What gateways and frameworks write into headers and errors of their own."""


def vocabulary_of(operation: Operation) -> str:
    """All that the contract of an operation says, and HTTP itself, in lower case with single spaces."""
    documents = [path for name in _FILES for path in sorted(operation.folder.glob(name))]
    documents += [path for name in _SHARED for path in sorted(operation.folder.parent.glob(name))]
    texts = [path.read_bytes().decode(errors="replace") for path in documents]
    phrases = (text for status in HTTPStatus for text in (status.phrase, status.description))
    return " ".join(" ".join((*texts, *HTTPMethod, *phrases, _HTTP)).lower().split())


@lru_cache(maxsize=1024)
def telling(vocabulary: str, secrets: tuple[str, ...]) -> tuple[str, ...]:
    """The secrets whose presence in an answer tells something: not those that the vocabulary says as well.

    A secret without a letter is no word, whatever numbers a contract names.
    """
    return tuple(secret for secret in secrets if not _said(vocabulary, secret))


def _said(vocabulary: str, secret: str) -> bool:
    word = secret.lower()
    if word not in vocabulary or not _LETTER.search(word):
        return False
    return len(word) >= _LONG or re.search(rf"(?<![0-9a-z]){re.escape(word)}(?![0-9a-z])", vocabulary) is not None


@dataclass(frozen=True, slots=True)
class Kit:
    """One operation with compiled documents. `members` maps response members in lower case to their documented form."""

    operation: Operation
    response: SchemaValidator
    flat: SchemaValidator | None
    error: SchemaValidator | None
    xml_response: XmlContract | None
    xml_error: XmlContract | None
    members: Mapping[str, str]
    widths: frozenset[str] = frozenset()
    """Requirements on the width of ids, which is a reading and no violation."""
    vocabulary: str = ""
    """What right answers may say in any case, for the search after credentials."""
    checks: Registry = field(default_factory=bundled, compare=False)
    looks: tuple[Callable[[Seen], Iterable[Finding]], ...] = field(default=(), compare=False)
    """What the checks do that look at a whole answer."""
    memory: AnswerMemory = field(default_factory=AnswerMemory, compare=False)
    codecs: dict[tuple[Format, str], Codec] = field(default_factory=dict, compare=False)
    """What reads bodies, by format and document, as far as it was needed."""

    def codec(self, written_in: Format, document: Document = "request") -> Codec:
        """What reads one of the operation's documents in a format; compiled when it is first asked for."""
        key = (written_in, document)
        found = self.codecs.get(key)
        if found is None:
            found = self.codecs[key] = written_in.codec(self.operation, document)
        return found

    def requirement(self, key: str) -> str:
        """The requirement that the operation names for a requirement key. Raises `SpecError` if it names none."""
        return requirement_of(self.operation, key)

    def place_of(self, index: int, member: str) -> str:
        """Where a member of the result of this number stands, as findings point to it."""
        return f"/{index}/{member}" if self.operation.shape.listed else f"/{member}"


def build_kit(operation: Operation, checks: Registry | None = None) -> Kit:
    """Compile what the checks of this operation need; `checks` are those to make (default: the bundled ones)."""
    checks = checks or bundled()
    demand_keys(operation, checks.keys)
    folder = operation.folder
    response_file = folder / "response.schema.json"
    error_file = folder / "error.schema.json"
    response = load_validator(response_file)
    return Kit(
        operation=operation,
        response=response,
        flat=load_validator(response_file, "#/$defs/flat") if operation.shape.legs else None,
        error=load_validator(error_file) if error_file.exists() else None,
        xml_response=xml_codec(operation, "response").contract if "response" in operation.xsd else None,
        xml_error=xml_codec(operation, "error").contract if "error" in operation.xsd else None,
        members=_documented_members(list(response.files.documents.values())),
        widths=frozenset(field.width for field in operation.fields.values() if field.width),
        vocabulary=vocabulary_of(operation),
        checks=checks,
        looks=checks.looking(operation),
    )


def repeated_members(kit: Kit, notes: Iterable[Note], at: str = "") -> Iterator[Finding]:
    """A finding for each repeated member: readers differ on which one counts. `at` is the place of a leg."""
    for note in notes:  # the reader keeps the first of them
        if note.kind == "duplicate-key":
            at_note = f"{at}{note.pointer}"
            yield MEMBERS.finding(kit.operation, note.text, "each member once", "a repeated member", at_note)


def _documented_members(schema: Any) -> dict[str, str]:
    """Every property name anywhere in schemas, keyed by its lower-case form."""
    found: dict[str, str] = {}
    if isinstance(schema, dict):
        for name in schema.get("properties", {}):
            found[name.lower()] = name
        for part in schema.values():
            found.update(_documented_members(part))
    elif isinstance(schema, list):
        for part in schema:
            found.update(_documented_members(part))
    return found


_TRACE = re.compile(
    r"Traceback \(most recent call last\)"
    r"|^[^\S\n]{1,200}+at [\w.$<>`\[\],]{1,300}+\([^)\n]{0,300}+\)"
    r"|^[^\S\n]{1,200}+at (?:async |new )?[\w.$<> \[\]]{1,300} \([^)\n]{0,300}:\d{1,9}:\d{1,9}\)"
    r"|\bat [\w.`\[\],<>]{1,300}+\([^)\n]{0,300}+\) in [^\n]{1,300}?:line \d"
    r"|\bSystem\.[\w.]{0,100}Exception:|\b(?:java|javax)\.[\w.]{1,100}(?:Exception|Error)\b",
    re.MULTILINE,
)
"""Each part is bounded, so that no text takes longer than its length says."""
_HTML = re.compile(
    r"(?:[\s\ufeff]++|<\?xml[^>]*+>|(?><!--.*?-->))*+(?:<!doctype html|<html[\s>])", re.IGNORECASE | re.DOTALL
)
_SHOWN = 120
_LOOKED_AT = 512 * 1024
_GLANCE = 4 * 1024


def page_or_trace(kit: Kit, text: str, at: str = "body") -> Iterator[Finding]:
    """A finding when the text is an HTML page or shows a stack trace, as far as one looks: its first half a megabyte."""
    text = text[:_LOOKED_AT]
    if _HTML.match(text):
        message = "the answer is an HTML page"
        yield BAD_INPUT.finding(kit.operation, message, "a documented answer", shorten(text), at)
        return
    trace = _TRACE.search(text)
    if trace:
        shown = shorten(text[trace.start() :].lstrip())
        message = "the answer shows a stack trace"
        yield BAD_INPUT.finding(kit.operation, message, "a message for the caller", shown, at)


def server_error(kit: Kit, status: int, excused: bool) -> Iterator[Finding]:
    """A finding for a status of 500 or above that no documented code excuses."""
    if status >= 500 and not excused:
        message, shown = "the server failed instead of answering", f"HTTP status {status}"
        yield BAD_INPUT.finding(kit.operation, message, "a documented answer", shown, "status")


def shorten(text: str, limit: int = _SHOWN) -> str:
    """At most `limit` characters of a text on one line."""
    line = " ".join(text[:_GLANCE].split())
    return line if len(line) <= limit and len(text) <= _GLANCE else f"{line[:limit]}… ({len(text)} characters)"
