"""What an operation must have beyond the types of its keys, for its kind of answer: every fault with its line.

The tables here are also those of the JSON Schema that is published for editors.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.contract.source import HINT, Source, Steps, suggestion
from conformance.errors import SpecError
from conformance.formats.base import Format, is_text
from conformance.formats.registry import formats, formats_for, known_format
from conformance.formats.xml.format import XML
from conformance.model.case import Transport
from conformance.model.paths import ARGUMENT
from conformance.model.spec import Field, Operation, ScopeMember, Shape

ATTRIBUTED: Mapping[str, str] = {
    "answered": "there is an answer at all",
    "readable": "the answer can be read",
    "media-type": "the answer is in the media type that was asked for",
    "schema": "the answer follows its schema",
    "status": "the HTTP status fits the outcome",
    "bad-input": "bad input gives no server error, HTML page or stack trace",
    "secrets": "no credential is repeated",
    "effect": "what was refused, or not named, stays as it was",
    "malformed": "a request in another form than the documented one",
    "route": "method and path",
    "ways": "other ways to the call, which obey as well",
    "refusal": "the form of a refusal",
    "key-case": "the letter case of keys",
    "operator": "what the role that may touch every account may do",
    "roles": "who may not call",
    "leg": "the form of a leg",
    "leg-form": "a leg as an object or as text",
    "early-error": "an error before the legs are looked at",
    "frame-m": "member m of a frame",
    "frame-i": "member i of a frame",
    "frame-n": "member n of a frame",
    "frame-o": "member o of a frame",
    "frame-type": "frames of another message type",
    "frame-malformed": "frames in another form",
    "same-transport": "HTTP and WebSocket agree",
    "one-each": "one result for each instruction",
    "identity": "a result names what it is for",
    "error-string": "the text of an error",
    "error-status": "the HTTP status of an error",
    "framework-error": "an error of the framework",
    "method": "other methods than the documented one",
    "parameters": "parameters in the address",
    "nothing-opened": "no address and no file that a body names is opened",
    "unsupported-media": "media types that the document does not name",
    "formats-agree": "JSON and XML carry the same",
    "multiple": "several instructions in one list",
    "twice": "what is done is not done a second time",
    "broken": "an instruction that lacks what it needs",
    "spelled-json": "another spelling of JSON",
    "spelled-xml": "another spelling of XML",
    "spelled-http": "another spelling of HTTP",
    "spelled-ws": "another spelling of WebSocket",
    "request-xml-root": "the root element of a request",
    "request-xml-namespace": "the namespace of a request",
    "request-xml-item": "the element of an instruction",
    "request-xml-order": "the order of elements in a request",
    "request-xml-nil": "nil in a request",
    "xml-root": "the root element of an answer",
    "xml-namespace": "the namespace of an answer",
    "xml-item": "the element of a result",
    "xml-order": "the order of elements in an answer",
    "xml-nil": "nil in an answer",
    "xml-arrays": "lists inside a result",
}
"""Requirement keys of the bundled checks and cases, and what each speaks for: what a misspelt one is taken for."""
NEEDED_KEYS: Mapping[Shape, tuple[str, ...]] = {
    Shape.STANDARD: (),
    Shape.PAIR: ("legs",),
    Shape.RESULTS: ("identity", "success", "errors", "request_media", "response_media", "error_media"),
    Shape.RESULT: ("identity", "success", "errors", "request_media", "response_media", "error_media"),
    Shape.DATA: (),
}
"""Kind of answer to the keys that it cannot do without."""
_EVERY = ("answered", "readable", "media-type", "schema", "status", "bad-input", "secrets", "effect", "malformed")
_RESULT = ("identity", "error-string", "framework-error", "route")
_OBJECT = (*_EVERY, "refusal", "route")
NEEDED_CHECKS: Mapping[Shape, tuple[str, ...]] = {
    Shape.STANDARD: _OBJECT,
    Shape.PAIR: (*_OBJECT, "leg", "leg-form", "early-error"),
    Shape.RESULTS: (*_EVERY, "one-each", *_RESULT),
    Shape.RESULT: (*_EVERY, *_RESULT),
    Shape.DATA: (*_EVERY, "route"),
}
"""Kind of answer to the general checks that must be attributed."""
FRAME_CHECKS = ("frame-m", "frame-i", "frame-n", "frame-o", "frame-malformed", "same-transport")
DOCUMENTS = ("request", "response", "error")
_ON_ACCOUNTS = ("role", "unknown", "foreign", "done", "again", "cancelled", "untouched", "refused")
NEEDED_DEPARTURES: Mapping[str, tuple[str, ...]] = {
    "cancel-all": (*_ON_ACCOUNTS, "omitted"),
    "cancel-one": (*_ON_ACCOUNTS, "omitted", "neither", "both", "client"),
    "cancel-quote": (*_ON_ACCOUNTS, "legs", "bid", "ask"),
    "cancel-list": ("several", "cancelled", "untouched"),
}
"""Model of an exploring run to the departures for which it must have a requirement."""


@dataclass(frozen=True, slots=True)
class AppliesTo:
    """Which operations something is for: by their kind of answer, and by a transport or a format that they need."""

    shapes: tuple[Shape, ...] = tuple(Shape)
    transport: Transport | None = None
    format: Format | None = None

    def includes(self, operation: Operation) -> bool:
        """Whether the operation answers so, and speaks the transport and the format where one is named."""
        return (
            operation.shape in self.shapes
            and (self.transport is None or self.transport in operation.transports)
            and (self.format is None or self.format in formats_for(operation.media_types))
        )


EVERY_OPERATION = AppliesTo()


@dataclass(frozen=True, slots=True)
class RequirementKey:
    """A name under `attribution` of `operation.yaml`, and the operations that must give it a requirement.

    Checks and families of cases find by it the requirement that they speak for. What is not `needed` may be left out.
    """

    name: str
    of: AppliesTo = EVERY_OPERATION
    needed: bool = True


Fault = tuple[Steps, str, str]
"""A place in the file, what is wrong there, what to do."""


def check_operation(operation: Operation, source: Source) -> None:
    """Note every fault of an operation that its types cannot tell."""
    for steps, message, hint in _faults(operation):
        source.fault_at(steps, message, hint)


def names_in(operation: Operation) -> dict[str, Any]:
    """Kind of name to the names that the operation's own file and folder give."""
    return {
        "field": operation.fields,
        "base": operation.bases,
        "any base": ("base", *operation.bases),
        "leg": operation.legs,
        "media type": operation.media_types,
        "general check": (*ATTRIBUTED, *_keys_of_other_checks(operation)),
        "format": [one.name for one in formats()],
        "transport or format": (*Transport, *(one.name for one in formats())),
        "file": sorted(one.name for one in operation.folder.iterdir()),
    }


def _keys_of_other_checks(operation: Operation) -> list[str]:
    """Keys unlike the bundled ones: an added check has a key of its own; a similar key is a misspelt one."""
    return [one for one in operation.attribution if not difflib.get_close_matches(one, ATTRIBUTED, n=1, cutoff=0.8)]


def _faults(operation: Operation) -> Iterator[Fault]:
    unknown = next((one for one in operation.media_types if known_format(one) is None), None)
    if unknown is not None:
        known = ", ".join(name for one in formats() for name in one.media_types)
        hint = f"Known are {known}; docs/architecture.md says how a wire format is added."
        yield ("media_types",), f"media_types: no format is known for the media type {unknown!r}", hint
        return
    if operation.shape is Shape.DATA:
        yield from _data_faults(operation)
    for key in NEEDED_KEYS[operation.shape]:
        if not getattr(operation, key):
            yield (), f"key {key!r} is missing", f"An answer of {str(operation.shape)!r} needs it. {HINT}"
    may_lack = ("states", "fields") if operation.shape is Shape.DATA else ()
    for key in ("states", "fields", "attribution", "transports", "media_types", "roles_allowed"):
        if not getattr(operation, key) and key not in may_lack:
            yield (key,), f"{key}: nothing stands there", HINT
    yield from _request_faults(operation, operation.valid, ("base",))
    for name, base in operation.bases.items():
        yield from _request_faults(operation, base.value, ("bases", name, "value"))
        if not base.states and operation.shape is not Shape.DATA:
            yield ("bases", name), f"bases.{name}.states: nothing stands there", HINT
    yield from _document_faults(operation)
    for name, field in operation.fields.items():
        yield from _field_faults(operation, name, field)
    for name in operation.identity:
        yield from _identity_faults(operation, name)
    if operation.shape.legs and operation.legs and len(operation.legs) != 2:
        yield ("legs",), "legs: a pair has two", HINT
    yield from _condition_faults(operation)
    yield from _attribution_faults(operation)
    yield from _scope_faults(operation)
    yield from _explore_faults(operation)


def _data_faults(operation: Operation) -> Iterator[Fault]:
    """What the cases of an answer of `data` cannot do."""
    error = (operation.folder / "error.schema.json").is_file()
    if any(one.framed for one in operation.transports) and not (error or operation.success):
        hint = "Give error.schema.json, or `success`: a frame has no status that says so."
        yield ("transports",), "transports: nothing tells an error in a frame from an answer", hint
    for name in operation.in_path:
        if name not in operation.fields:
            yield ("path",), f"path: {name!r} is none of the fields", suggestion(name, operation.fields)
        elif not isinstance(operation.valid, Mapping) or operation.valid.get(name) in (None, ""):
            yield ("base",), f"base: {name!r} is missing, which stands in the path", HINT
    if len(set(operation.in_path)) < len(operation.in_path) or "{" in ARGUMENT.sub("", operation.path):
        hint = "Each argument is the name of a member in braces, once: /things/{ThingId}."
        yield ("path",), f"path: an argument in {operation.path} cannot be filled", hint
    if "request" not in (one for one in DOCUMENTS if (operation.folder / f"{one}.schema.json").is_file()):
        yield ("answer",), "request.schema.json: file is missing", "Its rules say which requests are refused."


def _request_faults(operation: Operation, value: Any, steps: Steps) -> Iterator[Fault]:
    listed = operation.shape.listed
    place = ".".join(map(str, steps))
    items = value if isinstance(value, list) else [value]
    if isinstance(value, list) and operation.shape is Shape.DATA:
        listed = True
    if isinstance(value, list) is not listed or not items or not all(isinstance(item, Mapping) for item in items):
        wanted = "a list of instructions" if listed else "a mapping of members"
        yield steps, f"{place}: expected {wanted}", HINT
        return
    for index, item in enumerate(items):
        for name in item:
            if name not in operation.fields:
                where: Steps = (*steps, index, name) if listed else (*steps, name)
                yield where, f"{place}: {name!r} is none of the fields", suggestion(str(name), operation.fields)


def _document_faults(operation: Operation) -> Iterator[Fault]:
    """Instructions have errors of their own; what is written in XML has an XSD and a schema for each document."""
    instructs = operation.shape.instructs
    if instructs and not (operation.folder / "error.schema.json").is_file():
        hint = (
            f"An answer of {str(operation.shape)!r} has an error of its own: {operation.folder / 'error.schema.json'}."
        )
        yield ("answer",), "error.schema.json: file is missing", hint
    for document in DOCUMENTS:
        needed = _speaks_xml(operation) and (instructs or _has_form(operation, document))
        if document not in operation.xsd and needed:
            yield ("xsd",), f"xsd: key {document!r} is missing", "Each document that is written in XML has an XSD."
        elif document in operation.xsd and not (operation.folder / f"{document}.schema.json").is_file():
            what = f"xsd.{document}: {document}.schema.json: file is missing"
            yield ("xsd", document), what, "What has an XSD has a JSON Schema for its values."


def _has_form(operation: Operation, document: str) -> bool:
    """Whether a call that takes no instructions has this document in a body: an error and an answer it may lack."""
    if operation.shape is not Shape.DATA:
        return document != "error"
    if document == "request":
        return operation.has_body
    path = operation.folder / f"{document}.schema.json"
    return path.is_file() and _type_in(path) != "null"


def _type_in(path: Path) -> Any:
    """The type of a schema; None where it has none, or cannot be read, which another rule reports."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return found.get("type") if isinstance(found, dict) else None


def _field_faults(operation: Operation, name: str, field: Field) -> Iterator[Fault]:
    needed: tuple[str, ...] = ("binding", "required")
    if not is_text(field.binding):
        needed += ("unknown",)
    if operation.shape is Shape.DATA:
        needed = ()
    elif operation.shape.instructs:
        needed = ("type", "binding") if field.type in ("integer", "guid") else ("type",)
    for key in needed:
        if getattr(field, key) in ("", None):
            yield ("fields", name), f"fields.{name}: key {key!r} is missing", HINT


def _identity_faults(operation: Operation, name: str) -> Iterator[Fault]:
    field = operation.fields.get(name)
    if field is not None and field.type == "string" and not field.binding:
        yield (
            ("fields", name),
            f"fields.{name}: key 'binding' is missing",
            "It names a thing, so its place must have one.",
        )
    if field is not None and field.type != "guid" and not field.unknown:
        hint = "A place such as ${unknown_order}, to which targets bind an id that names nothing."
        yield ("fields", name), f"fields.{name}: key 'unknown' is missing", hint


def _condition_faults(operation: Operation) -> Iterator[Fault]:
    """Each member that a half needs has the requirement that its absence breaks."""
    if operation.condition is None:
        return
    for key, half in (("when_true", operation.condition.when_true), ("when_false", operation.condition.when_false)):
        for name in half.needs:
            if name not in half.requirement:
                what = f"condition.{key}.requirement: key {name!r} is missing"
                yield ("condition", key, "requirement"), what, "Say which requirement an instruction without it breaks."


def _attribution_faults(operation: Operation) -> Iterator[Fault]:
    needed = [*NEEDED_CHECKS[operation.shape], *(["operator"] if operation.elevated and _is_object(operation) else [])]
    needed += FRAME_CHECKS if any(one.framed for one in operation.transports) else ()
    needed += [check for one in formats_for(operation.media_types) for check in one.attributions]
    for check in needed:
        if check not in operation.attribution:
            hint = f"Say which requirement speaks for this: {ATTRIBUTED[check]}."
            yield ("attribution",), f"attribution: key {check!r} is missing", hint
    if not operation.shape.instructs and operation.shape is not Shape.DATA:
        return
    for key in ("request_media", "response_media"):
        for media_type in operation.media_types:
            if getattr(operation, key) and media_type not in getattr(operation, key):
                yield (key,), f"{key}: no requirement for {media_type}", HINT
    for one in formats_for(operation.media_types):
        if operation.error_media and one.name not in operation.error_media:
            yield ("error_media",), f"error_media: no requirement for {one.name}", HINT


def _is_object(operation: Operation) -> bool:
    return operation.shape in (Shape.STANDARD, Shape.PAIR)


def _scope_faults(operation: Operation) -> Iterator[Fault]:
    """`unless` names members of the same table."""
    if operation.scope is None:
        return
    tables: list[tuple[Steps, Mapping[str, ScopeMember]]] = [(("scope",), operation.scope.members)]
    tables += [(("scope", "calls", call), one.members) for call, one in operation.scope.calls.items()]
    for steps, members in tables:
        for name, member in members.items():
            for other in member.unless:
                if other not in members:
                    place = ".".join(map(str, (*steps, "members", name, "unless")))
                    where = (*steps, "members", name, "unless")
                    yield where, f"{place}: {other!r} is none of the members", suggestion(other, members)


def _explore_faults(operation: Operation) -> Iterator[Fault]:
    """The model has what it predicts with."""
    told = operation.explore
    if told is None:
        return
    for name in NEEDED_DEPARTURES[told.model]:
        alone = name == "several" and not operation.shape.listed
        if name not in told.requirement and not alone:
            what = f"explore.requirement: key {name!r} is missing"
            yield ("explore", "requirement"), what, f"The model {told.model} predicts answers that it speaks for."
    if told.cancel and told.cancel not in (operation.scope.calls if operation.scope else ()):
        what = f"explore.cancel: {told.cancel!r} is none of the calls under scope"
        yield ("explore", "cancel"), what, "Add it to `scope.calls`, with its members."
    if told.model == "cancel-list" and operation.condition is None:
        what = "explore.model: 'cancel-list' needs a condition"
        yield ("explore", "model"), what, "Add the key `condition`: it says which instructions are complete."


def _speaks_xml(operation: Operation) -> bool:
    return XML in formats_for(operation.media_types)


def missing_keys(operation: Operation, keys: Iterable[RequirementKey]) -> Iterator[SpecError]:
    """For each requirement key that the operation needs and does not have, what is wrong and what to do."""
    for name in dict.fromkeys(key.name for key in keys if key.needed and key.of.includes(operation)):
        if name not in operation.attribution:
            hint = f"Say which requirement {name!r} speaks for; `conformance list checks` shows what looks at it."
            where = str(operation.folder / "operation.yaml")
            yield SpecError(f"attribution: key {name!r} is missing", where=where, hint=hint)


def demand_keys(operation: Operation, keys: Iterable[RequirementKey]) -> None:
    """Raises `SpecError` for the first requirement key that the operation needs and does not have."""
    for error in missing_keys(operation, keys):
        raise error
