"""Reads and checks a target file; every complaint names the file and the key.

The JSON Schema of target files, for editors; published beside this module, and made from the model.
"""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from conformance.endpoint.complaints import complaints, places_of
from conformance.endpoint.model import Role, ServiceTarget, TargetFile, is_pin
from conformance.endpoint.secrets import read_text
from conformance.errors import ConfigurationError
from conformance.model.spec import Contract

_SIGNING_IN = "Authenticate"
_SESSIONS = ("basic", "signature", "websocket")


def load_target(path: Path, contract: Contract) -> TargetFile:
    """The target in a TOML file. Raises `ConfigurationError` naming the file, the key and what was expected."""
    text = _text_of(path)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"not TOML: {error}", where=str(path)) from error
    except RecursionError:
        raise ConfigurationError("lists or tables are nested too deeply", where=str(path)) from None
    try:
        target = check_target(data, contract, str(path))
        _refuse_written_pins(target, str(path))
        _refuse_misspelt(target, contract, str(path))
    except ConfigurationError as error:
        raise _with_places(error, path, text) from error
    return target


def _text_of(path: Path) -> str:
    try:
        return read_text(path)
    except FileNotFoundError as error:
        raise ConfigurationError(
            "no such target file", where=str(path), hint="`conformance target init` writes a commented one."
        ) from error
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"the target file cannot be read: {error}", where=str(path)) from error


def _with_places(error: ConfigurationError, path: Path, text: str) -> ConfigurationError:
    """The same complaints with line and column, for an editor to jump to."""
    places = places_of(text)
    lines = error.message.split("\n")
    found = [places.of(line.partition(": ")[0]) for line in lines]
    if len(lines) == 1:
        where = f"{path}:{found[0][0]}:{found[0][1]}" if found[0] else str(path)
        return ConfigurationError(error.message, where=where, hint=error.hint)
    shown = sorted(zip(found, lines, strict=True), key=lambda pair: pair[0] or (0, 0))
    told = [f"  {path}:{place[0]}:{place[1]}: {line}" if place else f"  {path}: {line}" for place, line in shown]
    message = "\n".join([f"{len(lines)} complaints about the target file", *told])
    return ConfigurationError(message, where=str(path), hint=error.hint)


def check_target(data: Mapping[str, Any], contract: Contract, where: str) -> TargetFile:
    """The target that a mapping describes, with its names held against the contract."""
    try:
        target = TargetFile.model_validate(data)
    except ValidationError as error:
        lines = complaints(error, data, TargetFile)
        hint = "docs/staging.md explains every key."
        raise ConfigurationError("\n".join(lines), where=where, hint=hint) from error
    _check_services(target, contract, where)
    _check_readings(target, contract, where)
    _check_cases(target, contract, where)
    return target


def has_sessions(contract: Contract, service: str) -> bool:
    """Whether the service has calls to sign in with; the operations' `scope` data names them."""
    calls: list[str] = []
    for name in contract.services[service].operations:
        scope = contract.operations[name].scope
        calls.extend(scope.reads if scope is not None else ())
    return any(call.startswith(_SIGNING_IN) for call in calls)


def _refuse_written_pins(target: TargetFile, where: str) -> None:
    for service_id, service in target.services.items():
        tables = [
            ("bindings", service.bindings),
            *((f"desks.{n}.bindings", desk.bindings) for n, desk in enumerate(service.desks)),
            *(
                (f"states.pool.{s}.{n}", ids)
                for s, entries in service.states.pool.items()
                for n, ids in enumerate(entries)
            ),
        ]
        for place, bindings in tables:
            for name, value in bindings.items():
                if is_pin(name) and isinstance(value, int | str):
                    raise ConfigurationError(
                        f"services.{service_id}.{place}.{name}: a PIN does not stand in this file",
                        where=where, hint='Give { env = "NAME" } or { file = "PATH" }.',
                    )  # fmt: skip


def _refuse_misspelt(target: TargetFile, contract: Contract, where: str) -> None:
    """A role or a binding that no case asks for, with a name close to one that is asked for and not there."""
    from conformance.cases.fixtures import load_cases
    from conformance.endpoint.sample import binding_names

    for service_id, service in target.services.items():
        cases = load_cases(contract, contract.services[service_id].operations)
        roles: list[tuple[str, Iterable[str]]] = [("roles", service.roles)]
        bound: list[tuple[str, Iterable[str]]] = [("bindings", service.bindings)]
        for number, desk in enumerate(service.desks):
            roles.append((f"desks.{number}.roles", desk.roles))
            bound.append((f"desks.{number}.bindings", desk.bindings))
        for operation, codes in service.errors.items():
            bound.extend((f"errors.{operation}.{code}.bindings", one.bindings) for code, one in codes.items())
        asked = (("role", roles, {case.role for case in cases}), ("binding", bound, binding_names(cases)))
        for what, tables, known in asked:
            lacking = known.difference(*(table for _, table in tables))
            for place, table in tables:
                for name in set(table).difference(known):
                    if close := difflib.get_close_matches(name, sorted(lacking), n=3, cutoff=0.8):
                        raise ConfigurationError(
                            f"services.{service_id}.{place}.{name}: no case asks for a {what} of this name",
                            where=where, hint=f"Did you mean {', '.join(close)}?",
                        )  # fmt: skip


def _check_services(target: TargetFile, contract: Contract, where: str) -> None:
    for service_id, service in target.services.items():
        place = f"services.{service_id}"
        _known(place, service_id, contract.services, "service", where)
        operations = contract.services[service_id].operations
        for operation_id, codes in service.errors.items():
            _known(f"{place}.errors.{operation_id}", operation_id, ("any", *operations), "operation", where)
            known = {
                code.code
                for name in operations
                if operation_id in ("any", name)
                for code in contract.operations[name].codes
            }
            for code, provocation in codes.items():
                _known(f"{place}.errors.{operation_id}.{code}", code, known, "error code", where)
                if provocation.role is not None:
                    roles = _role_names(service)
                    _known(f"{place}.errors.{operation_id}.{code}.role", provocation.role, roles, "role", where)
        if not has_sessions(contract, service_id):
            _check_without_sessions(service, place, where)


def _role_names(service: ServiceTarget) -> set[str]:
    return {*service.roles, *(name for desk in service.desks for name in desk.roles)}


def _check_without_sessions(service: ServiceTarget, place: str, where: str) -> None:
    for path, role in _roles(service):
        if role.sign_in in _SESSIONS:
            raise ConfigurationError(
                f"{place}.{path}.login: this service has no sign-in", where=where,
                hint='Use login = "each-message" for HTTP Basic with every message, or give headers.',
            )  # fmt: skip
    sources = [("states", service.states), *((f"states.by_state.{n}", s) for n, s in service.states.by_state.items())]
    for path, source in sources:
        if source.provider == "calls":
            raise ConfigurationError(
                f"{place}.{path}.provider: this service has no calls that bring about states", where=where,
                hint='Use "hook", "command" or "pool".',
            )  # fmt: skip


def _roles(service: ServiceTarget) -> Iterable[tuple[str, Role]]:
    for name, role in service.roles.items():
        yield f"roles.{name}", role
    for number, desk in enumerate(service.desks):
        for name, role in desk.roles.items():
            yield f"desks.{number}.roles.{name}", role


def _check_readings(target: TargetFile, contract: Contract, where: str) -> None:
    for reading, alternative in target.readings.items():
        _known(f"readings.{reading}", reading, contract.readings, "reading", where)
        alternatives = contract.readings[reading].alternatives
        _known(f"readings.{reading}", alternative, alternatives, "alternative", where)


def _check_cases(target: TargetFile, contract: Contract, where: str) -> None:
    if not target.waivers and not target.flaky:
        return
    from conformance.cases.fixtures import load_cases

    ids = {case.id for case in load_cases(contract)}
    for number, waiver in enumerate(target.waivers):
        _known(f"waivers.{number}.case", waiver.case, ids, "case", where)
        _known(f"waivers.{number}.requirement", waiver.requirement, contract.requirements, "requirement", where)
    for number, case in enumerate(target.flaky):
        _known(f"flaky.{number}", case, ids, "case", where)


def _known(key: str, name: str, known: Iterable[str], what: str, where: str) -> None:
    names = sorted(known)
    if name in names:
        return
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    if close:
        hint = f"Did you mean {', '.join(close)}?"
    else:
        hint = f"Known: {', '.join(names)}." if len(names) <= 12 else f"`conformance list {_LISTED[what]}` names them."
    raise ConfigurationError(f"{key}: no such {what}: {name!r}", where=where, hint=hint)


_LISTED = {"case": "cases", "requirement": "requirements", "reading": "readings", "error code": "errors"}


SCHEMA_FILE = Path(__file__).with_name("target.schema.json")


def schema_text() -> str:
    """The schema as it stands in `target.schema.json`: keys sorted, two spaces of indent."""
    schema: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **TargetFile.model_json_schema(),
    }
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
