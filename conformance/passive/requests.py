"""Holds a recorded request against the contract's request side: way, media type, frame, form, values, conditions.

What a document leaves open is no finding. What a careful client should know all the same is a note: a call that may touch
everything, a member that nobody knows, a member that stands twice.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from conformance.checks.registry import Check, Stage
from conformance.contract.schemas import SchemaProblem, SchemaValidator, load_validator, read_schema
from conformance.formats.base import Format, Problem
from conformance.formats.errors import BeyondError, CodecError, Note, Number
from conformance.formats.frames import REQUEST, decode_frame
from conformance.formats.registry import format_for, format_of, formats_for
from conformance.formats.text import MediaType, parse_media_type
from conformance.formats.xml.format import XmlCodec
from conformance.model.paths import arguments_at, is_at
from conformance.model.spec import Condition, Operation
from conformance.model.verdict import Finding
from conformance.passive.tapped import Tapped
from conformance.wire.messages import header_values


def _check(name: str, looks_at: str) -> Check:
    return Check(f"request-{name}", looks_at, Stage.EXCHANGE, speaks_for="the requirement on the part of the request")


WAY = _check("way", "a request is sent with the documented method to the documented path")
MEDIA = _check("media-type", "a request is in a documented media type")
FRAME = _check("frame", "a request over WebSocket is a frame of m 0, a number, the call's name and a payload")
FORM = _check("form", "a request can be read, and has the documented form")
VALUES = _check("values", "the members of a request are those that the document wants")
NAMES = _check("names", "a member that is there is not a misspelt one of those that are missing")
REQUEST_CHECKS = (WAY, MEDIA, FRAME, FORM, VALUES, NAMES)
_XML_PARTS = {
    "root": "request-xml-root",
    "namespace": "request-xml-namespace",
    "order": "request-xml-order",
    "duplicate": "request-xml-order",
    "nil": "request-xml-nil",
}
_MISSING = ("required", "anyOf", "not")
_NUMERIC = re.compile(r"\s*[-+]?[0-9][0-9.eE+-]*\s*")


@dataclass(frozen=True, slots=True)
class Wrong:
    """Why a request cannot succeed: the requirement, and of a list the place of the instruction."""

    requirement: str
    place: int | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it was read: its value with documented names, what is wrong with it, and what follows of that."""

    operation: Operation
    media_type: str
    value: Any = None
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    hopeless: tuple[Wrong, ...] = ()
    """What no reader may take for a success."""
    regular: bool = True
    """Whether it came on the documented way and can be read, so that only documented answers are right."""
    requirements: tuple[str, ...] = ()
    """What it was held against."""


@dataclass(slots=True)
class _Reading:
    """What is being found out about one request."""

    operation: Operation
    tapped: Tapped
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    hopeless: list[Wrong] = field(default_factory=list)
    looked_at: list[str] = field(default_factory=list)
    regular: bool = True

    def held(self, key: str) -> str:
        """The requirement that the operation names for a key, which the request is held against; "" for none."""
        found = self.operation.attribution.get(key, "")
        if found:
            self.looked_at.append(found)
        return found

    def wrong(self, check: Check, requirement: str, message: str, expected: str, actual: str, at: str = "") -> None:
        """Take up a finding, if there is a sentence that is broken."""
        if requirement:
            self.findings.append(check.finding_on(requirement, message, expected, actual, at))


class RequestJudge:
    """Judges the requests of one operation; its documents are compiled once."""

    def __init__(self, operation: Operation) -> None:
        self.operation = operation
        self._schema: SchemaValidator = load_validator(operation.request_schema)
        self._codecs = {one: one.codec(operation, "request") for one in formats_for(operation.media_types)}
        self._open = {one.width for one in operation.fields.values() if one.width}
        self._names = {name.lower(): name for name in (*operation.fields, *_of_the_edition(operation))}

    def judge(self, tapped: Tapped) -> Request:
        """What a request is, and what is wrong with it."""
        found = _Reading(self.operation, tapped)
        if tapped.transport.framed:
            media, written_in = None, format_for(self.operation.media_types[0])
            _look_at_frame(found)
        else:
            _look_at_way(found)
            media, written_in = self._look_at_media(found)
        media_type = self.operation.media_types[0]
        if media is not None and media.essence in self.operation.media_types:
            media_type = media.essence
        value = None
        if tapped.request_gap:
            found.notes.append(tapped.request_gap)
            found.regular = False
        elif not tapped.transport.framed and not self.operation.has_body:
            place = "query" if self.operation.in_query and not self.operation.in_path else "path"
            found.notes.append(f"the arguments stand in the {place}, whose values are not judged")
            found.regular = False
        elif tapped.transport.framed or tapped.method == self.operation.method:
            value = self._value(found, written_in, media)
        return Request(
            self.operation, media_type, value, tuple(found.findings), tuple(dict.fromkeys(found.notes)),
            tuple(found.hopeless), found.regular, tuple(dict.fromkeys(found.looked_at)),
        )  # fmt: skip

    def _look_at_media(self, found: _Reading) -> tuple[MediaType | None, Format]:
        values = header_values(found.tapped.headers, "content-type")
        media = _media_of(values[0]) if values else None
        known = formats_for(self.operation.media_types)
        wanted = found.held("unsupported-media") if self.operation.request_media else ""
        if media is None or media.essence not in self.operation.media_types:
            expected, actual = f"one of {', '.join(self.operation.media_types)}", values[0] if values else "none"
            if wanted:
                found.wrong(
                    MEDIA, wanted, "the body is in no documented media type", expected, actual, "header Content-Type"
                )
                found.hopeless.append(Wrong(wanted))
                found.regular = False
        named = None if media is None else format_of(media)
        return media, named if named in known and named is not None else known[0]

    def _value(self, found: _Reading, written_in: Format, media: MediaType | None) -> Any:
        """The value of the body, judged; None for what cannot be read."""
        operation, body = self.operation, found.tapped.body
        malformed = found.held("malformed")
        try:
            document = self._codecs[written_in].decode(body, media.charset if media is not None else None)
        except BeyondError as error:
            found.notes.append(f"the body was not read: {error.message}")
            found.regular = False
            return None
        except CodecError as error:
            message = f"the body is no {written_in.label}: {error}" if body else "there is no body"
            shown = body[:200].decode(errors="replace") or "nothing"
            found.wrong(FORM, malformed, message, f"a body in {written_in.label}", shown, "body")
            found.regular = False
            return None
        codec = self._codecs[written_in]
        root = codec.contract.root.name if isinstance(codec, XmlCodec) else ""
        _look_at_form(found, document.problems, document.notes, written_in, root)
        if document.value is None and document.problems:  # another document's root
            found.regular = False
            found.hopeless.append(Wrong(found.findings[-1].requirement if found.findings else malformed))
            return None
        value = document.value if operation.shape.instructs else self._folded(found, document.value)
        if operation.in_path and isinstance(value, dict) and not found.tapped.transport.framed:
            value = {**self._in_path(found.tapped.path), **value}
        self._look_at_values(found, value)
        self._look_at_names(found, value)
        found.notes.extend(_reach(operation, value))
        return value

    def _in_path(self, path: str) -> dict[str, Any]:
        """The arguments in the path, as values of the types that the schema gives them."""
        files = self._schema.files
        known = files.documents[files.start].get("properties", {})
        return {
            name: read_as(text, known.get(name, {}).get("type", "string"))
            for name, text in arguments_at(self.operation.path, path).items()
        }

    def _folded(self, found: _Reading, value: Any) -> Any:
        """The members under their documented names, for their letter case is without meaning."""
        if not isinstance(value, dict):
            return value
        folded: dict[str, Any] = {}
        for name, content in value.items():
            documented = self._names.get(str(name).lower(), str(name))
            if documented in folded:
                found.notes.append(f"two members differ from {documented} in letter case alone")
            folded[documented] = content
        return folded

    def _look_at_values(self, found: _Reading, value: Any) -> None:
        for item in value if isinstance(value, list) else [value]:
            given = item if isinstance(item, dict) else {}
            found.looked_at.extend(one.requirement.type for name, one in self.operation.fields.items() if name in given)
        if self._schema.is_valid(value):
            return
        for problem in self._schema.problems(value):
            requirement = problem.requirement or found.held("malformed")
            other = _other_name(self.operation, value) if problem.keyword in _MISSING and not problem.pointer else ""
            if other:
                found.notes.append(f"names what it acts on by {other}, which the page has no row for")
                continue
            if requirement in self._open:
                found.notes.append(f"{problem.pointer}: {problem.message}; the width of an id is left open")
                continue
            found.wrong(VALUES, requirement, problem.message, problem.expected, problem.actual, problem.pointer)
            found.hopeless.extend(_hopeless(self.operation, value, problem, requirement))
        if self.operation.shape.instructs:
            found.hopeless.extend(_broken(self.operation, self.operation.shape.entries(value) or ()))

    def _look_at_names(self, found: _Reading, value: Any) -> None:
        """A member of nobody's that is one letter away from a missing one: what it says is lost without a word."""
        items = value if isinstance(value, list) else [value]
        for place, item in enumerate(items):
            if not isinstance(item, dict):
                continue
            at = f"/{place}" if isinstance(value, list) else ""
            for name in item:
                if name in self._names.values():
                    continue
                near = [one for one in self.operation.fields if one not in item and is_near(name, one)]
                if near:
                    requirement = self.operation.fields[near[0]].requirement.absent
                    message = f"{name} is no member of the call, and may be a misspelt {near[0]}, which is missing"
                    found.wrong(NAMES, requirement, message, near[0], name, f"{at}/{name}")
                elif not _is_scope_member(self.operation, name):
                    found.notes.append(f"{at}/{name}: no document names this member")
                elif item[name] not in (None, "", 0, "0"):
                    found.notes.append(
                        f"{at}/{name}: the page has no row for it; a server may act on more than it names"
                    )


def _of_the_edition(operation: Operation) -> Iterable[str]:
    """The members that the pinned edition has beside those of the contract, if its request has a schema of its own."""
    return read_schema(operation.request_schema).get("properties", {}) if operation.edition else ()


def read_as(text: str, types: str | list[str]) -> Any:
    """A text from a path as a value of one of the types; the text itself where it is none."""
    wanted = {types} if isinstance(types, str) else set(types)
    if wanted & {"integer", "number", "boolean"} and _VALUE.fullmatch(text):
        value = json.loads(text)
        return value if isinstance(value, bool) == ("boolean" in wanted) else text
    return text


_VALUE = re.compile(r"-?(?:0|[1-9]\d{0,18})(?:\.\d{1,18})?|true|false")


def _media_of(text: str) -> MediaType | None:
    try:
        return parse_media_type(text)
    except CodecError:
        return None


def _look_at_way(found: _Reading) -> None:
    operation, tapped = found.operation, found.tapped
    route, method = found.held("route"), found.held("method") or found.held("route")
    if tapped.method != operation.method:
        found.regular = False
        found.wrong(WAY, method, "the call is made with another method", operation.method, tapped.method, "method")
        if operation.attribution.get("method"):
            found.hopeless.append(Wrong(method))
    if not (is_at(operation.path, tapped.path) if operation.in_path else tapped.path.endswith(operation.path)):
        found.regular = False
        found.wrong(WAY, route, "the path is written in another way", operation.path, tapped.path, "path")


def _look_at_frame(found: _Reading) -> None:
    operation = found.operation
    document = decode_frame(found.tapped.frame)
    for problem in document.problems:
        key = f"frame-{problem.member}" if problem.member in ("m", "i", "n", "o") else "frame-malformed"
        if problem.kind in ("extra-member", "payload-not-json"):
            continue
        if problem.kind == "unknown-m":
            continue
        found.wrong(FRAME, found.held(key), problem.message, "a frame of m, i, n and o", problem.kind, problem.member)
        found.regular = False
    kind, name = document.members.get("m"), document.members.get("n")
    if type(kind) is int and kind != REQUEST:
        found.wrong(FRAME, found.held("frame-type"), "a request has message type 0", "m 0", f"m {kind}", "m")
        found.regular = False
    if isinstance(name, str) and name != operation.call:
        found.wrong(FRAME, found.held("frame-n"), "the call is written in another way", operation.call, name, "n")
        found.regular = False
    for key in ("frame-type", "frame-i", "frame-n", "frame-o"):
        found.held(key)


def _look_at_form(
    found: _Reading, problems: tuple[Problem, ...], notes: tuple[Note, ...], written_in: Format, root: str
) -> None:
    for key in written_in.attributions:
        found.held(key)
    for note in notes:
        if note.kind == "duplicate-key":
            found.notes.append(f"{note.pointer}: {note.text}; readers differ on which one counts")
    for problem in problems:
        if problem.kind == "type":
            continue  # the schema judges values
        if problem.kind in ("unexpected", "missing", "attribute", "text"):
            found.notes.append(problem.message)
            continue
        key = _XML_PARTS.get(problem.kind, "request-xml-item")
        if problem.kind == "root" and str(getattr(problem, "path", "")) == f"/{root}":
            key = "request-xml-namespace"
        requirement = found.held(key) or found.held("malformed")
        at = str(getattr(problem, "path", "body"))
        found.wrong(FORM, requirement, problem.message, "as the XSD has it", f"{problem.kind} at {at}", at)


def _hopeless(operation: Operation, value: Any, problem: SchemaProblem, requirement: str) -> Iterator[Wrong]:
    """What of an object nobody may take for a right one: a member that is missing, or one that is no number at all."""
    if operation.shape.instructs:
        if operation.shape.entries(value) is None and problem.pointer in ("", "/"):
            yield Wrong(requirement)
        return
    if not isinstance(value, dict):
        if not isinstance(value, str):
            yield Wrong(requirement)
        return
    name = problem.pointer.removeprefix("/")
    if not name and problem.keyword in _MISSING:
        yield Wrong(requirement)
    elif name in operation.fields and operation.fields[name].required and _is_unusable(value.get(name)):
        others = [one for one, its in operation.fields.items() if its.base or operation.fields[name].base]
        if not any(one != name and type(value.get(one)) is int for one in others):
            yield Wrong(requirement)


def _is_unusable(value: Any) -> bool:
    """Whether no reader may find a number in a value that is not null, empty or zero."""
    if isinstance(value, bool):
        return True
    if isinstance(value, str):
        return bool(value.strip()) and _NUMERIC.fullmatch(value) is None
    if isinstance(value, Number):
        return not value.is_integer()
    return isinstance(value, (list, dict)) and bool(value)


def _broken(operation: Operation, items: Sequence[Any]) -> Iterator[Wrong]:
    """The instructions that lack what their kind needs, whether or not a reader takes letter case for meaning."""
    condition = operation.condition
    if condition is None:
        return
    names = {name.lower(): name for name in operation.fields}
    for place, item in enumerate(items):
        if isinstance(item, dict):
            folded: dict[str, Any] = {names.get(str(name).lower(), str(name)): one for name, one in item.items()}
            lacking = dict.fromkeys(_lacking(condition, item))
            yield from (Wrong(one, place) for one in lacking if one in _lacking(condition, folded))


def _lacking(condition: Condition, item: Mapping[str, Any]) -> list[str]:
    """The requirements that an instruction breaks by what is not in it."""
    flag = item.get(condition.flag, False)
    if not isinstance(flag, bool):
        return []
    half = condition.half(flag)
    return [half.requirement[name] for name in half.needs if item.get(name) is None]


def _reach(operation: Operation, value: Any) -> Iterator[str]:
    """What a request may touch beyond what it names, as the contract's `scope` has it."""
    rules = operation.scope
    if rules is None or not isinstance(value, dict):
        return
    for name, member in rules.members.items():
        if member.absent != "everything" or _names_one(value, name):
            continue
        if member.unless and all(_names_one(value, one) for one in member.unless):
            continue
        yield f"names no {member.kind} ({name}), which may mean every one"


def _names_one(value: Mapping[str, Any], name: str) -> bool:
    return any(
        key.lower() == name.lower() and content not in (None, 0, "", False) and not isinstance(content, (list, dict))
        for key, content in value.items()
    )


def _is_scope_member(operation: Operation, name: str) -> bool:
    """Whether the contract knows the member although the page has no row for it."""
    return operation.scope is not None and name.lower() in {one.lower() for one in operation.scope.members}


def _other_name(operation: Operation, value: Any) -> str:
    """A member without a row on the page by which, as the contract knows, a request may name what it acts on."""
    if operation.scope is None or not isinstance(value, dict):
        return ""
    known = {name.lower() for name, one in operation.scope.members.items() if one.kind in ("order", "client", "uid")}
    documented = {name.lower() for name in operation.fields}
    names = (name for name in value if name.lower() in known - documented and _names_one(value, name))
    return next(names, "")


def is_near(name: str, documented: str) -> bool:
    """Whether one name becomes the other by one letter more, less, changed, or two that change places."""
    one, other = _plain(name), _plain(documented)
    if one == other:
        return True
    if abs(len(one) - len(other)) > 1 or min(len(one), len(other)) < 4:
        return False
    start = next(
        (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
    left, right = one[start:], other[start:]
    return left[1:] == right[1:] or left[1:] == right or left == right[1:] or (
        left[:2] == right[1::-1] and left[2:] == right[2:]
    )  # fmt: skip


def _plain(name: str) -> str:
    """A name without its letter case and the marks that some write between words."""
    return name.lower().replace("_", "").replace("-", "").replace(" ", "")
