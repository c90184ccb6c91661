"""Reads and checks a target file; every complaint names the file and the key."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from conformance.errors import ConfigurationError
from conformance.model.spec import Contract
from conformance.target.model import TargetFile


def load_target(path: Path, contract: Contract) -> TargetFile:
    """The target in a TOML file. Raises `ConfigurationError` naming the file, the key and what was expected."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigurationError(
            "no such target file", where=str(path), hint="`conformance target init` writes a commented one."
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"the target file cannot be read: {error}", where=str(path)) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"not TOML: {error}", where=str(path)) from error
    return check_target(data, contract, str(path))


def check_target(data: Mapping[str, Any], contract: Contract, where: str) -> TargetFile:
    """The target that a mapping describes, with its names held against the contract."""
    try:
        target = TargetFile.model_validate(data)
    except ValidationError as error:
        raise ConfigurationError(_complaints(error), where=where, hint="docs/staging.md explains every key.") from error
    _check_names(target, contract, where)
    return target


def _complaints(error: ValidationError) -> str:
    """Every complaint on a line of its own: the key, what is wrong; values are left out, for they may be secrets."""
    lines = []
    for item in error.errors(include_input=False, include_url=False, include_context=False):
        key = ".".join(str(part) for part in item["loc"]) or "(whole file)"
        lines.append(f"{key}: {item['msg']}")
    return "; ".join(lines)


def _check_names(target: TargetFile, contract: Contract, where: str) -> None:
    for service_id, service in target.services.items():
        if service_id not in contract.services:
            known = ", ".join(sorted(contract.services))
            raise ConfigurationError(f"services.{service_id}: no such service", where=where, hint=f"Known: {known}.")
        for operation_id, codes in service.errors.items():
            if operation_id != "any" and operation_id not in contract.services[service_id].operations:
                raise ConfigurationError(f"services.{service_id}.errors.{operation_id}: no such operation", where=where)
            known_codes = {
                code.code
                for name in contract.services[service_id].operations
                if operation_id in ("any", name)
                for code in contract.operations[name].codes
            }
            for code in codes:
                if code not in known_codes:
                    raise ConfigurationError(
                        f"services.{service_id}.errors.{operation_id}.{code}: no such error code",
                        where=where,
                        hint=f"Known: {', '.join(sorted(known_codes))}.",
                    )
    for reading, alternative in target.readings.items():
        if reading not in contract.readings:
            raise ConfigurationError(
                f"readings.{reading}: no such reading", where=where, hint="`conformance list readings` names them."
            )
        if alternative not in contract.readings[reading].alternatives:
            known = ", ".join(contract.readings[reading].alternatives)
            raise ConfigurationError(
                f"readings.{reading}: {alternative!r} is no alternative", where=where, hint=f"Known: {known}."
            )
