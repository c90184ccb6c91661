"""Reads a specs folder into a `Contract`; every complaint names the file and the key.

Which keys an `operation.yaml` may and must have, for each kind of answer; every complaint names file and key.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from conformance.errors import SpecError
from conformance.model.spec import Contract, ErrorCode, Operation, Reading, Requirement, Service

ANSWERS = ("standard", "pair", "results")
FIELD_TYPES = ("integer", "boolean", "string", "guid")
_REQUIRED = (
    "id", "short", "document", "call", "answer", "method", "path", "transports", "media_types", "role", "base", "states",
    "fields", "roles_allowed", "roles_refused", "codes", "attribution",
)  # fmt: skip
_OPTIONAL = (
    "legs", "xsd", "second", "gone", "identity", "success", "errors", "condition", "request_media", "response_media",
    "error_media", "readings", "scope", "explore", "effect_of_success",
)  # fmt: skip
_BY_ANSWER: Mapping[str, tuple[str, ...]] = {
    "standard": (),
    "pair": ("legs",),
    "results": ("identity", "success", "errors", "request_media", "response_media", "error_media"),
}
_EVERY_ANSWER = (
    "answered",
    "readable",
    "media-type",
    "schema",
    "status",
    "bad-input",
    "secrets",
    "effect",
    "malformed",
)
_OBJECT = (*_EVERY_ANSWER, "refusal", "key-case", "session", "route", "operator")
_FRAMES = ("frame-m", "frame-i", "frame-n", "frame-o", "frame-session", "frame-malformed", "same-transport")
_LIST = (*_EVERY_ANSWER, "one-each", "identity", "error-string", "framework-error", "route")
_XML = ("xml-root", "xml-namespace", "xml-item", "xml-order", "xml-nil", "xml-arrays")
_KEYS_OF: Mapping[str, tuple[str, ...]] = {
    "second": ("base", "thing"),
    "condition": ("flag", "when_true", "when_false", "names"),
}
_FIELD_KEYS = ("binding", "type", "nullable", "unknown", "required", "zero", "requirement", "width", "own_leg", "base")
_CODE_KEYS = ("code", "requirement", "messages")
_HINT = "docs/authoring.md lists the keys."


def check_operation(raw: Mapping[str, Any], path: Path) -> None:
    """Hold the keys of an operation against what its kind of answer needs. Raises `SpecError` for the first fault."""
    for key in _REQUIRED:
        _demand(raw, key, path)
    answer = raw["answer"]
    if answer not in ANSWERS:
        hint = f"One of {', '.join(ANSWERS)}."
        raise SpecError(f"answer: {answer!r} is no kind of answer", where=str(path), hint=hint)
    for key in _BY_ANSWER[answer]:
        _demand(raw, key, path)
    _check_lists(raw, path)
    for key in ("states", "fields", "attribution", *(one for one in _KEYS_OF if one in raw)):
        if not isinstance(raw[key], Mapping) or not raw[key]:
            raise SpecError(f"{key}: expected a mapping that is not empty", where=str(path), hint=_HINT)
    named = tuple(_bases(raw, path))
    states_of = tuple(f"{name}_states" for name in named)
    _known(raw, (*_REQUIRED, *_OPTIONAL, *named, *states_of), "", path)
    for key, known in _KEYS_OF.items():
        _known(raw.get(key, {}), known, f"{key}.", path)
    _check_documents(raw, answer, path)
    _check_fields(raw, answer, path)
    _check_codes(raw["codes"], path)
    _check_attribution(raw, answer, path)


def _bases(raw: Mapping[str, Any], path: Path) -> Iterator[str]:
    """Names of further legal requests: that of `second`, and every key beside which `<key>_states` stands."""
    if "second" in raw:
        for key in _KEYS_OF["second"]:
            if key not in raw["second"]:
                raise SpecError(f"second: key {key!r} is missing", where=str(path), hint=_HINT)
        name = str(raw["second"]["base"])
        for key in (name, f"{name}_states"):
            if key not in raw:
                hint = "It names another legal request of this file, and what that one acts on."
                raise SpecError(f"second.base is {name!r}, but there is no key {key!r}", where=str(path), hint=hint)
        yield name
    yield from (str(key) for key in raw if f"{key}_states" in raw)


def _check_lists(raw: Mapping[str, Any], path: Path) -> None:
    for key in ("transports", "media_types", "roles_allowed", "roles_refused", "codes", "identity"):
        if key in raw and not isinstance(raw[key], list):
            raise SpecError(f"{key}: expected a list, found {type(raw[key]).__name__}", where=str(path), hint=_HINT)
    for transport in raw["transports"]:
        if transport not in ("http", "ws"):
            raise SpecError(f"transports: {transport!r} is neither http nor ws", where=str(path))
    base, listed = raw["base"], raw["answer"] == "results"
    items = base if isinstance(base, list) else [base]
    if isinstance(base, list) is not listed or not items or not all(isinstance(item, Mapping) for item in items):
        wanted = "a list of instructions" if listed else "a mapping of members"
        raise SpecError(f"base: expected {wanted}", where=str(path), hint=_HINT)
    for item in items:
        for name in item:
            if name not in raw["fields"]:
                raise SpecError(f"base: {name!r} is none of the fields", where=str(path), hint=_HINT)


def _check_documents(raw: Mapping[str, Any], answer: str, path: Path) -> None:
    """A list has errors of its own; what speaks XML has an XSD for each document."""
    if answer != "results":
        return
    schema = path.parent / "error.schema.json"
    if not schema.is_file():
        raise SpecError("file is missing", where=str(schema), hint="An answer of `results` has an error of its own.")
    if any(str(one).endswith("xml") for one in raw["media_types"]):
        for document in ("request", "response", "error"):
            if document not in raw.get("xsd", {}):
                raise SpecError(f"xsd: key {document!r} is missing", where=str(path), hint=_HINT)


def _check_fields(raw: Mapping[str, Any], answer: str, path: Path) -> None:
    for name, field in raw["fields"].items():
        if not isinstance(field, Mapping):
            raise SpecError(f"fields.{name}: expected a mapping", where=str(path), hint=_HINT)
        _known(field, _FIELD_KEYS, f"fields.{name}.", path)
        if "base" in field and f"{field['base']}_states" not in raw:
            hint = "Name another legal request of this file, beside which its `_states` stand."
            raise SpecError(f"fields.{name}.base: there is no request {field['base']!r}", where=str(path), hint=hint)
        needed = ["requirement"]
        if answer == "results":
            needed += ["type", "binding"] if field.get("type") in ("integer", "guid") else ["type"]
        else:
            needed += ["binding", "required", "unknown"]
        for key in needed:
            if key not in field:
                raise SpecError(f"fields.{name}: key {key!r} is missing", where=str(path), hint=_HINT)
        if field.get("type", FIELD_TYPES[0]) not in FIELD_TYPES:
            hint = f"One of {', '.join(FIELD_TYPES)}."
            raise SpecError(f"fields.{name}.type: {field['type']!r} is no type", where=str(path), hint=hint)
        rule = field["requirement"]
        if not isinstance(rule, Mapping) or not {"type", "absent"} <= rule.keys():
            hint = "It holds `type` and `absent`, each a requirement."
            raise SpecError(f"fields.{name}.requirement: a key is missing", where=str(path), hint=hint)
    for name in raw.get("identity", ()):
        if name not in raw["fields"]:
            raise SpecError(f"identity: {name!r} is none of the fields", where=str(path), hint=_HINT)
        if raw["fields"][name]["type"] != "guid" and "unknown" not in raw["fields"][name]:
            hint = "A place such as ${unknown_order}, to which targets bind an id that names nothing."
            raise SpecError(f"fields.{name}: key 'unknown' is missing", where=str(path), hint=hint)


def _check_codes(codes: Any, path: Path) -> None:
    for index, code in enumerate(codes):
        if not isinstance(code, Mapping) or not {"code", "requirement"} <= code.keys():
            raise SpecError(f"codes.{index}: expected code, requirement and messages", where=str(path), hint=_HINT)
        _known(code, _CODE_KEYS, f"codes.{index}.", path)


def _check_attribution(raw: Mapping[str, Any], answer: str, path: Path) -> None:
    needed: list[str] = list(_LIST if answer == "results" else _OBJECT)
    if "ws" in raw["transports"]:
        needed += _FRAMES
    if any(str(one).endswith("xml") for one in raw["media_types"]):
        needed += _XML
    if answer == "pair":
        needed += ("leg", "leg-form", "early-error")
    for check in needed:
        if check not in raw["attribution"]:
            hint = f"Say which requirement the general check {check!r} speaks for. {_HINT}"
            raise SpecError(f"attribution: key {check!r} is missing", where=str(path), hint=hint)
    if answer != "results":
        return
    for key in ("request_media", "response_media"):
        for media_type in raw["media_types"]:
            if media_type not in raw[key]:
                raise SpecError(f"{key}: no requirement for {media_type}", where=str(path), hint=_HINT)
    for form in {"xml" if str(one).endswith("xml") else "json" for one in raw["media_types"]}:
        if form not in raw["error_media"]:
            raise SpecError(f"error_media: no requirement for {form}", where=str(path), hint=_HINT)


def _demand(raw: Mapping[str, Any], key: str, path: Path) -> None:
    if key not in raw:
        raise SpecError(f"key {key!r} is missing", where=str(path), hint=_HINT)


def refuse_unknown(raw: Mapping[str, Any], known: Iterable[str], path: Path, place: str = "") -> None:
    """Raises `SpecError` for a key that nobody reads, with the one that was probably meant."""
    _known(raw, tuple(known), place, path)


def _known(raw: Mapping[str, Any], known: Collection[str], place: str, path: Path) -> None:
    for key in raw:
        if key not in known:
            close = difflib.get_close_matches(str(key), known, n=1)
            hint = f"Did you mean {close[0]!r}?" if close else _HINT
            raise SpecError(f"unknown key {f'{place}{key}'!r}", where=str(path), hint=hint)


LEVELS = ("must", "should", "open")
_SERVICE_KEYS = ("service", "title", "documents", "operations")
_READING_KEYS = ("id", "operations", "requirement", "also", "question", "alternatives", "source", "covers")
_REQUIREMENT_KEYS = ("id", "level", "document", "place", "text", "verify", "untested")
_NOT_CONTRACT = {"fixtures", "corpus"}


def specs_root() -> Path:
    """The specs folder that belongs to this installation: beside the package in a checkout, inside it in a wheel."""
    package = Path(__file__).resolve().parent.parent
    for candidate in (package / "_specs", package.parent / "specs"):
        if candidate.is_dir():
            return candidate
    raise SpecError(
        "the specs folder is missing", where=str(package), hint="Reinstall the package, or give --specs DIR."
    )


def load_contract(root: Path | None = None, extra: Iterable[Path] = ()) -> Contract:
    """The contract under `root` (default: the bundled one) together with those under `extra` folders.

    Raises `SpecError` when a file is missing, is no YAML, lacks a key or repeats an id.
    """
    base = root or specs_root()
    services: dict[str, Service] = {}
    operations: dict[str, Operation] = {}
    requirements: dict[str, Requirement] = {}
    readings: dict[str, Reading] = {}
    folders = [base, *extra]
    for folder in folders:
        if not folder.is_dir():
            raise SpecError("no such folder", where=str(folder), hint="Give a folder with one sub-folder per service.")
        for service_file in sorted(folder.glob("*/service.yaml")):
            service, found = _load_service(service_file)
            if service.id in services:
                raise SpecError(f"service {service.id!r} is defined twice", where=str(service_file))
            services[service.id] = service
            for reading in service.readings:
                readings[reading.id] = reading
            for operation, its_requirements in found:
                operations[operation.id] = operation
                for requirement in its_requirements:
                    if requirement.id in requirements:
                        raise SpecError(f"requirement {requirement.id} is defined twice", where=str(operation.folder))
                    requirements[requirement.id] = requirement
    if not operations:
        raise SpecError("no operation found", where=str(base), hint="Expected <service>/<operation>/operation.yaml.")
    return Contract(base, digest_of(folders), services, operations, requirements, readings)


def digest_of(folders: Iterable[Path]) -> str:
    """SHA-256 over the names and bytes of every contract file, fixtures left out; the same on every machine."""
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.rglob("*"), key=lambda p: p.relative_to(folder).as_posix()):
            relative = path.relative_to(folder)
            if path.is_file() and not _NOT_CONTRACT.intersection(relative.parts) and not path.name.startswith("."):
                digest.update(relative.as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def read_yaml(path: Path) -> Any:
    """The content of a YAML file; `SpecError` names file and line."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=loader)
    except FileNotFoundError as error:
        raise SpecError("file is missing", where=str(path)) from error
    except UnicodeDecodeError as error:
        raise SpecError("not UTF-8 text", where=str(path), hint=f"Byte {error.start} is the first bad one.") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path}:{mark.line + 1}" if mark else str(path)
        raise SpecError(f"not YAML: {getattr(error, 'problem', error)}", where=place) from error


def _load_service(service_file: Path) -> tuple[Service, list[tuple[Operation, list[Requirement]]]]:
    data = _mapping(read_yaml(service_file), service_file)
    service_id = str(_key(data, "service", service_file))
    refuse_unknown(data, _SERVICE_KEYS, service_file)
    folder = service_file.parent
    readings_file = folder / "readings.yaml"
    readings = _load_readings(readings_file, service_id) if readings_file.exists() else ()
    found = [_load_operation(path, service_id, readings) for path in sorted(folder.glob("*/operation.yaml"))]
    ids = tuple(operation.id for operation, _ in found)
    return Service(service_id, str(data.get("title", service_id)), ids, readings), found


def _load_readings(path: Path, service: str) -> tuple[Reading, ...]:
    readings = []
    for entry in _list(read_yaml(path), path):
        item = _mapping(entry, path)
        refuse_unknown(item, _READING_KEYS, path, f"{item.get('id')}: ")
        alternatives = _mapping(_key(item, "alternatives", path), path)
        readings.append(
            Reading(
                id=str(_key(item, "id", path)),
                service=service,
                operations=tuple(item.get("operations", ())),
                requirement=str(item.get("requirement", "")),
                question=str(_key(item, "question", path)),
                alternatives={str(name): str(text) for name, text in alternatives.items()},
                also=tuple(str(name) for name in item.get("also") or ()),
            )
        )
    return tuple(readings)


def _load_operation(path: Path, service: str, readings: tuple[Reading, ...]) -> tuple[Operation, list[Requirement]]:
    data = _mapping(read_yaml(path), path)
    check_operation(data, path)
    operation = Operation(
        id=str(data["id"]),
        short=str(data["short"]),
        service=service,
        folder=path.parent,
        call=str(data["call"]),
        answer=str(data["answer"]),
        method=str(data["method"]),
        path=str(data["path"]),
        transports=tuple(data["transports"]),
        media_types=tuple(data["media_types"]),
        valid=data["base"],
        roles_allowed=tuple(data["roles_allowed"]),
        roles_refused=tuple(data["roles_refused"]),
        codes=tuple(
            ErrorCode(str(code["code"]), str(code["requirement"]), tuple(code.get("messages", ())))
            for code in data["codes"]
        ),
        attribution={str(check): str(requirement) for check, requirement in data["attribution"].items()},
        readings=frozenset(one.id for one in readings if data["id"] in one.operations),
        raw=data,
    )
    return operation, _load_requirements(path.parent / "requirements.yaml", operation.id)


def _load_requirements(path: Path, operation: str) -> list[Requirement]:
    requirements = []
    for entry in _list(read_yaml(path), path):
        item = _mapping(entry, path)
        identifier = str(_key(item, "id", path))
        refuse_unknown(item, _REQUIREMENT_KEYS, path, f"{identifier}: ")
        level = str(_key(item, "level", path))
        if level not in LEVELS:
            raise SpecError(f"{identifier}: level {level!r} is none of {', '.join(LEVELS)}", where=str(path))
        untested = str(item["untested"]) if item.get("verify") == "untested" else None
        requirements.append(
            Requirement(
                id=identifier,
                operation=operation,
                level=level,  # type: ignore[arg-type]  # checked against LEVELS above
                document=str(_key(item, "document", path)),
                place=str(_key(item, "place", path)),
                text=str(_key(item, "text", path)),
                untested=untested,
            )
        )
    return requirements


def _mapping(value: Any, path: Path) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise SpecError(f"expected a mapping, found {type(value).__name__}", where=str(path))
    return value


def _list(value: Any, path: Path) -> list[Any]:
    if not isinstance(value, list):
        raise SpecError(f"expected a list, found {type(value).__name__}", where=str(path))
    return value


def _key(mapping: Mapping[str, Any], key: str, path: Path) -> Any:
    if key not in mapping:
        raise SpecError(f"key {key!r} is missing", where=str(path), hint="docs/authoring.md lists the keys.")
    return mapping[key]
