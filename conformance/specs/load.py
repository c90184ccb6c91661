"""Reads a specs folder into a `Contract`; every complaint names the file and the key."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from conformance.errors import SpecError
from conformance.model.spec import Contract, ErrorCode, Operation, Reading, Requirement, Service
from conformance.specs.operation_keys import check_operation, refuse_unknown

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
