"""The reader of target files: its published schema takes what it takes, and a complaint shows no secret."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import jsonschema_rs
from fuzz_kit import ROOT, Look, bounded

from conformance.cases import fixtures
from conformance.contract.load import load_contract
from conformance.endpoint import file as target_file
from conformance.endpoint.model import TargetFile
from conformance.errors import ConfigurationError
from conformance.model.case import Case
from conformance.model.spec import Contract

_CONTRACT = load_contract()
_SCHEMA = jsonschema_rs.validator_for(json.loads(target_file.SCHEMA_FILE.read_text(encoding="utf-8")))
_SMALL_TARGET = b"""\
schema_version = 1
name = "t"
[scope]
accounts = [9]
[services.tpp]
http = "http://127.0.0.1:9"
[services.tpp.roles.client]
headers = { X-Token = { env = "A" } }
[[waivers]]
case = "tpp/*"
requirement = "TPP-TWICE"
finding = "x"
reason = "y"
owner = "z"
expires = 2999-01-01
"""


@cache
def _cases(operations: tuple[str, ...]) -> tuple[Case, ...]:
    return fixtures.load_cases(_CONTRACT, operations or None)


def _kept_cases(_contract: Contract, operations: Iterable[str] = ()) -> tuple[Case, ...]:
    """The named cases, read once: their files, of eighty milliseconds, are no part of the target file."""
    return _cases(tuple(operations))


def _load(path: Path) -> TargetFile:
    with patch.object(target_file, "load_cases", _kept_cases):
        return target_file.load_target(path, _CONTRACT)


def _refused(path: Path, error: ConfigurationError) -> None:
    assert str(path) in str(error.where), "the complaint does not name the file"
    assert error.message
    assert len(error.message) <= 200_000
    body = path.read_bytes()
    try:
        data = tomllib.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return
    keys = set(_keys(data))
    for secret in _written_secrets(data):
        unique = len(secret) >= 8 and not any(secret in key for key in keys) and body.count(secret.encode()) == 1
        assert not unique or secret not in error.message, "a complaint shows what stands where a secret belongs"


def _accepted(path: Path, target: TargetFile) -> None:
    data = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    fault = next(iter(_SCHEMA.iter_errors(json.loads(json.dumps(data, default=str)))), None)
    assert fault is None, f"the published schema refuses it: {fault and fault.message[:300]}"
    json.dumps(target.redacted())
    assert _load(path) == target


def _look(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    try:
        target = _load(path)
    except ConfigurationError as error:
        _refused(path, error)
        return
    _accepted(path, target)


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield from map(str, value)
    for item in value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ():
        yield from _keys(item)


def _written_secrets(value: Any, name: str = "") -> Iterator[str]:
    """Texts that stand where a secret belongs."""
    if isinstance(value, str) and name in ("password", "secret", "token", "client_secret", "api_key", "pin", "PIN"):
        yield value
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _written_secrets(item, key)
    elif isinstance(value, list):
        for item in value:
            yield from _written_secrets(item, name)


def harness(folder: Path) -> Look:
    """The reader, in bounded time, of a file in this folder."""
    return bounded(partial(_look, folder / "target.toml"))


def seeds() -> Iterator[bytes]:
    yield _SMALL_TARGET
    for path in sorted((ROOT / "conformance/endpoint/samples").glob("*.toml")):
        yield path.read_bytes()
    yield (ROOT / "tests/conformance/run/staging_world.toml").read_bytes()
    for login in ("basic", "oauth2", "cookies", "each-message", "signature"):
        yield _SMALL_TARGET + f'[services.tpp.roles.other]\nlogin = "{login}"\npassword = "hunter2hunter2"\n'.encode()
