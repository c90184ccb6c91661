"""Reads, checks and begins target files; every complaint names the file and the key.

The JSON Schema of target files, for editors, is published beside this module and made from the model. Commented target
files come with the bundled services; for any other service one is made of what its cases ask for.
"""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from conformance.cases.fixtures import load_cases
from conformance.cases.message import case_places, is_text
from conformance.endpoint.complaints import complaints, places_of
from conformance.endpoint.fit import refuse_unfit, tables_of
from conformance.endpoint.model import COMMON_KEYS, Role, ServiceTarget, TargetFile, is_pin
from conformance.endpoint.secrets import read_text
from conformance.errors import ConfigurationError
from conformance.model.case import Case
from conformance.model.spec import Contract
from conformance.plugins import LOGINS, find_dialect, find_login


def load_target(path: Path, contract: Contract) -> TargetFile:
    """The target in a TOML file. Raises `ConfigurationError` naming the file, the key and what was expected."""
    text, data = read_toml(path, "target file", hint="`conformance target init` writes a commented one.")
    try:
        target = check_target(data, contract, str(path))
        _refuse_written_pins(target, str(path))
        spoken = contract.in_editions(editions_of(contract, target))
        _refuse_misspelt(target, spoken, str(path))
        refuse_unfit(target, spoken, str(path))
        _refuse_shared_accounts(target, contract, str(path))
    except ConfigurationError as error:
        raise with_places(error, path, text) from error
    return target


def read_toml(path: Path, what: str, *, hint: str) -> tuple[str, dict[str, Any]]:
    """The text of a TOML file and what it says. `hint` tells where one comes from. Raises `ConfigurationError`."""
    try:
        text = read_text(path)
        return text, tomllib.loads(text)
    except FileNotFoundError as error:
        raise ConfigurationError(f"no such {what}", where=str(path), hint=hint) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"not TOML: {error}", where=str(path)) from error
    except RecursionError:
        raise ConfigurationError("lists or tables are nested too deeply", where=str(path)) from None
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"the {what} cannot be read: {error}", where=str(path)) from error


def with_places(error: ConfigurationError, path: Path, text: str, what: str = "target file") -> ConfigurationError:
    """The same complaints with line and column, for an editor to jump to."""
    places = places_of(text)
    lines = error.message.split("\n")
    found = [places.of(line.partition(": ")[0]) for line in lines]
    if len(lines) == 1:
        where = f"{path}:{found[0][0]}:{found[0][1]}" if found[0] else str(path)
        return ConfigurationError(error.message, where=where, hint=error.hint)
    shown = sorted(zip(found, lines, strict=True), key=lambda pair: pair[0] or (0, 0))
    told = [f"  {path}:{place[0]}:{place[1]}: {line}" if place else f"  {path}: {line}" for place, line in shown]
    message = "\n".join([f"{len(lines)} complaints about the {what}", *told])
    return ConfigurationError(message, where=str(path), hint=error.hint)


def check_target(data: Mapping[str, Any], contract: Contract, where: str) -> TargetFile:
    """The target that a mapping describes, with its names checked against the contract."""
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


def _refuse_written_pins(target: TargetFile, where: str) -> None:
    for service_id, service in target.services.items():
        written = ((place, name, value) for place, _, table in tables_of(service) for name, value in table.items())
        for place, name, value in written:
            if is_pin(name) and isinstance(value, int | str):
                raise ConfigurationError(
                    f"services.{service_id}.{place}.{name}: a PIN does not stand in this file",
                    where=where, hint='Give { env = "NAME" } or { file = "PATH" }.',
                )  # fmt: skip


def _refuse_misspelt(target: TargetFile, contract: Contract, where: str) -> None:
    """A role or a binding that no case asks for, with a name close to one that is asked for and not there."""
    for service_id, service in target.services.items():
        operations = contract.services[service_id].operations
        cases = load_cases(contract, operations)
        _check_lacks(service, operations, cases, f"services.{service_id}", where)
        roles: list[tuple[str, Iterable[str]]] = [("roles", service.roles)]
        bound: list[tuple[str, Iterable[str]]] = [("bindings", service.bindings)]
        for number, desk in enumerate(service.desks):
            roles.append((f"desks.{number}.roles", desk.roles))
            bound.append((f"desks.{number}.bindings", desk.bindings))
        for operation, codes in service.errors.items():
            bound.extend((f"errors.{operation}.{code}.bindings", one.bindings) for code, one in codes.items())
        asked = (
            ("role", roles, {role for case in cases for role in case.roles}),
            ("binding", bound, binding_names(cases)),
        )
        for what, tables, known in asked:
            lacking = known.difference(*(table for _, table in tables))
            for place, table in tables:
                for name in set(table).difference(known):
                    if close := difflib.get_close_matches(name, sorted(lacking), n=3, cutoff=0.8):
                        raise ConfigurationError(
                            f"services.{service_id}.{place}.{name}: no case asks for a {what} of this name",
                            where=where, hint=f"Did you mean {', '.join(close)}?",
                        )  # fmt: skip


def _refuse_shared_accounts(target: TargetFile, contract: Contract, where: str) -> None:
    """An account at two desks: a case has its desk to itself, so the cases of these two would disturb each other."""
    for service_id, service in target.services.items():
        rules = [contract.operations[name].explore for name in contract.services[service_id].operations]
        names = {name for one in rules if one is not None for several in one.accounts.values() for name in several}
        desk_of: dict[str, int] = {}
        for number, desk in enumerate(service.desks):
            bound = {**service.bindings, **desk.bindings}
            for name in sorted(names.intersection(bound)):
                other = desk_of.setdefault(str(bound[name]), number)
                if other != number:
                    at = f"desks.{number}.bindings" if name in desk.bindings else "bindings"
                    raise ConfigurationError(
                        f"services.{service_id}.{at}.{name}: account {bound[name]} is at desk {other} as well", where=where,
                        hint="Give each desk accounts of its own, or have one desk alone.",
                    )  # fmt: skip


def _check_lacks(
    service: ServiceTarget, operations: Iterable[str], cases: Sequence[Case], place: str, where: str
) -> None:
    """Whether each lack is of something that cases ask for, and that the file does not give all the same."""
    states, bound = service.states, {*service.bindings, *(name for desk in service.desks for name in desk.bindings)}
    has = {
        "state": {*states.pool, *(name for name, one in states.by_state.items() if one.provider != "none")},
        "role": _role_names(service),
        "binding": bound,
        "transport": {name for name in ("http", "websocket") if getattr(service, name) is not None},
        "operation": set(service.errors).difference(("any",)),
    }
    asked = {
        "state": set(_states(cases)),
        "role": {role for case in cases for role in case.roles}.difference(_ALWAYS),
        "binding": binding_names(cases),
        "transport": {"http", "websocket"},
        "operation": set(operations),
    }
    for kind, table in service.lacks.tables.items():
        for pattern in table:
            key = f"{place}.lacks.{kind}.{pattern}"
            names = [name for name in asked[kind] if fnmatchcase(name, pattern)]
            if not names:
                _known(key, pattern, asked[kind], kind, where)
            for name in sorted(has[kind].intersection(names)):
                raise ConfigurationError(
                    f"{key}: the file gives the {kind} {name!r}, so it is not lacking", where=where,
                    hint="Take one of the two out.",
                )  # fmt: skip


def _check_services(target: TargetFile, contract: Contract, where: str) -> None:
    for service_id, service in target.services.items():
        place = f"services.{service_id}"
        _known(place, service_id, contract.services, "service", where)
        operations = contract.services[service_id].operations
        if service.edition is not None:
            editions = {one for name in operations for one in contract.operations[name].editions}
            _known(f"{place}.edition", service.edition, editions, "edition", where)
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
        _check_dialect(service, find_dialect(contract.services[service_id].dialect)(), place, where)


def _role_names(service: ServiceTarget) -> set[str]:
    return {*service.roles, *(name for desk in service.desks for name in desk.roles)}


def _check_dialect(service: ServiceTarget, dialect: Any, place: str, where: str) -> None:
    """Hold the logins and the states of a service against what its dialect can do."""
    for path, role in _roles(service):
        if find_login(role.sign_in).through_dialect and not dialect.signs_in:
            raise ConfigurationError(
                f"{place}.{path}.login: this service has no sign-in", where=where,
                hint='Use login = "each-message" for HTTP Basic with every message, or give headers.',
            )  # fmt: skip
    sources = [("states", service.states), *((f"states.by_state.{n}", s) for n, s in service.states.by_state.items())]
    for path, source in sources:
        if source.provider == "calls" and not dialect.states:
            raise ConfigurationError(
                f"{place}.{path}.provider: this service has no calls that set up states", where=where,
                hint='Use "hook", "command" or "pool".',
            )  # fmt: skip


def _roles(service: ServiceTarget) -> Iterable[tuple[str, Role]]:
    for name, role in service.roles.items():
        yield f"roles.{name}", role
    for number, desk in enumerate(service.desks):
        for name, role in desk.roles.items():
            yield f"desks.{number}.roles.{name}", role


def editions_of(contract: Contract, target: TargetFile) -> dict[str, str]:
    """The edition that the target file pins of each operation that has it."""
    return {
        name: service.edition
        for service_id, service in target.services.items()
        for name in contract.services[service_id].operations
        if service.edition is not None and service.edition in contract.operations[name].editions
    }


def _check_readings(target: TargetFile, contract: Contract, where: str) -> None:
    for reading, alternative in target.readings.items():
        _known(f"readings.{reading}", reading, contract.readings, "reading", where)
        alternatives = contract.readings[reading].alternatives
        _known(f"readings.{reading}", alternative, alternatives, "alternative", where)
    for name, edition in editions_of(contract, target).items():
        for reading, settled in contract.operations[name].editions[edition].settles.items():
            if target.readings.get(reading, settled) != settled:
                raise ConfigurationError(
                    f"readings.{reading}: the edition {edition} of {name} has {settled!r}", where=where,
                    hint="Take the reading out, or pin another edition.",
                )  # fmt: skip


def _check_cases(target: TargetFile, contract: Contract, where: str) -> None:
    if not target.waivers and not target.flaky:
        return
    from conformance.cases.combinations.arrays import strength_of
    from conformance.cases.fixtures import load_cases

    strength = max(map(strength_of, (*(one.case for one in target.waivers), *target.flaky)))
    ids = {case.id for case in load_cases(contract, strength=strength, every_edition=True)}
    for number, waiver in enumerate(target.waivers):
        if not any(waiver.is_about(case) for case in ids) and "/generated/" not in waiver.case:
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


_LISTED = {
    "binding": "cases",
    "case": "cases",
    "requirement": "requirements",
    "reading": "readings",
    "error code": "errors",
    "edition": "editions",
}


SCHEMA_FILE = Path(__file__).with_name("target.schema.json")


def schema_text() -> str:
    """The schema as it stands in `target.schema.json`: keys sorted, two spaces of indent."""
    schema: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **TargetFile.model_json_schema(),
    }
    _add_logins(schema["$defs"])
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _add_logins(definitions: dict[str, Any]) -> None:
    """A role has the keys of any login; one that names its login has the keys of that, and those that it needs."""
    role = definitions["Role"]
    common = {name: part for name, part in role["properties"].items() if name in COMMON_KEYS}
    common["login"] = {"description": "How the role signs in.", "enum": list(LOGINS), "title": "Login"}
    every: dict[str, Any] = {}
    rules: list[dict[str, Any]] = []
    for name in LOGINS:
        keys = find_login(name).keys.model_json_schema()
        definitions.update(keys.pop("$defs", {}))
        own = keys.get("properties", {})
        every.update(own)
        then = {"additionalProperties": False, "properties": dict.fromkeys((*own, *COMMON_KEYS), True)}
        then["required"] = keys.get("required", [])
        rules.append({"if": {"properties": {"login": {"const": name}}, "required": ["login"]}, "then": then})
    role.update(properties={**every, **common}, allOf=rules)
    definitions.pop("LoginKeys", None)


BUNDLED = ("alphapoint", "tpp")
_ALWAYS = ("anonymous", "invented")
_FRAME = ("i", "o", "o_escaped", "body")
_HEAD = """\
# A target file for `conformance run --target FILE`: {title}.
# `conformance target check FILE` says what is still missing; docs/staging.md explains every key.
schema_version = 1
name = "{service} staging"

# ---- What may be touched. Things that the state provider below hands out are always in scope. ----
[scope]
destructive = true                      # without it nothing but reading calls is sent
unknown = []                            # ids that you vouch do not exist, such as the unknown ones below
# everything = true                     # only for a sandbox that is all yours: lifts every limit

# ---- Where it is. ----
[services.{service}]
http = "https://{service}.staging.example.com"
# case_header = "X-Case-Id"             # sent with every HTTP request of a case, to search the server's log by
"""


def bundled_sample(service: str) -> str:
    """The commented file of a bundled service."""
    return resources.files("conformance.endpoint").joinpath("samples", f"{service}.toml").read_text("utf-8")


def sample_of(contract: Contract, service: str) -> str:
    """A target file with every binding, role, state and error code that the cases of a service ask for."""
    cases = load_cases(contract, contract.services[service].operations)
    lines = [_HEAD.format(title=contract.services[service].title, service=service)]
    if any(case.transport.framed for case in cases):
        lines[0] += f'websocket = "wss://{service}.staging.example.com"\n'
    lines.append("# ---- The values that the messages are filled with. ----")
    lines.append(f"[services.{service}.bindings]")
    lines.extend(_bindings(cases))
    lines.append("\n# ---- Who calls. ----")
    for role in sorted({role for case in cases for role in case.roles}.difference(_ALWAYS)):
        lines.append(f'[services.{service}.roles.{role}]\nlogin = "none"')
        lines.append('# headers = { Authorization = { env = "STAGING_AUTHORIZATION" } }')
    lines.append("\n# ---- Who sets up " + ", ".join(_states(cases)) + ". ----")
    lines.append(f'[services.{service}.states]\nprovider = "hook"\nurl = "http://127.0.0.1:8099/states"')
    for code in sorted({case.provoke for case in cases if case.provoke is not None}):
        lines.append(
            f'\n[services.{service}.errors.any."{code}"]\nunreachable = "nobody has said yet how it is provoked"'
        )
    lines.append(_LACKS.format(service=service))
    return "\n".join(lines) + "\n"


_LACKS = """
# ---- What this service does not have, with the reason: what hangs on it alone is an accepted gap. ----
# [services.{service}.lacks]
# state.NAME = "why nobody can set it up"           # any state, role, binding, transport (http, websocket) or operation; * is a pattern
# observer = "why nobody can see whether an order was cancelled\""""


def _states(cases: Sequence[Case]) -> list[str]:
    return sorted({need.state for case in cases for need in case.states.values()})


def binding_names(cases: Sequence[Case]) -> set[str]:
    """The bindings that the cases ask for."""
    made = {state for case in cases for state in case.states}
    names = {name for case in cases for name in case_places(case) if name.partition(".")[0] not in made}
    return names.difference(_FRAME)


def _bindings(cases: Sequence[Case]) -> Iterator[str]:
    names = binding_names(cases)
    for number, name in enumerate(sorted(names.difference(_FRAME)), 1):
        key = f'"{name}"' if "." in name else name
        if is_pin(name):
            yield f'{key} = {{ env = "STAGING_{name.replace(".", "_").upper()}" }}'
        else:
            value = f'"00000000-dead-4bad-8bad-{number:012}"' if is_text(name) else str(1_987_654_000 + number)
            yield f"{key} = {value}"
