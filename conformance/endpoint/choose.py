"""From what `--target` names to a target: a file, a bare URL, or the bundled reference implementation."""

from __future__ import annotations

import contextlib
import ipaddress
import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.endpoint.file import check_target, load_target
from conformance.endpoint.model import ServiceTarget, TargetFile
from conformance.endpoint.reference import reference_environment, reference_target, serve_reference
from conformance.errors import ConfigurationError, UsageError
from conformance.model.spec import Contract
from conformance.wire.address import Address, AddressError, Proxy, parse_address, parse_proxy

REFERENCE = "reference"
"""The bundled server as a target; `reference+fault:ID+equivalent:ID+reading:ID=ALTERNATIVE+edition:NAME` is the same with changes."""
EDITION = "edition"
CHANGES = ("fault", "equivalent", "reading", EDITION)
_STAND_IN = "http://127.0.0.1:9"


@dataclass(frozen=True, slots=True)
class ChosenTarget:
    """A target that is ready to be run against, and where its secrets come from."""

    file: TargetFile
    environment: Mapping[str, str]
    name: str


@contextlib.asynccontextmanager
async def chosen_target(
    name: str, contract: Contract, *arguments: str, start: bool = True
) -> AsyncIterator[ChosenTarget]:
    """The target, its server started and ended where it is the bundled one (`arguments` go to that server).

    With `start` false nothing is started: for a plan. Raises `ConfigurationError` before anything is connected to.
    """
    if not is_reference(name):
        yield ChosenTarget(permitted(_named(name, contract)), os.environ, name)
        return
    changes, edition = _changes(name)
    if not start:
        yield ChosenTarget(_reference(_STAND_IN, contract, edition), reference_environment(), name)
    else:
        async with serve_reference((*changes, *arguments)) as address:
            yield ChosenTarget(_reference(address, contract, edition), reference_environment(), name)


def is_reference(name: str) -> bool:
    """Whether the bundled reference implementation is meant, changed or not."""
    return name.partition("+")[0] == REFERENCE


def _changes(name: str) -> tuple[tuple[str, ...], str]:
    """The options of the bundled server for the changes in its name, and the edition that it speaks then, if any.

    Raises `UsageError` for a change that does not exist.
    """
    parts = name.split("+")[1:]
    if not parts:
        return (), ""
    from reference_impl.errors import ReferenceImplError
    from reference_impl.serve import ServeOptions, edition_of, make_app

    chosen: dict[str, list[str]] = {kind: [] for kind in CHANGES}
    for part in parts:
        kind, _, value = part.partition(":")
        if kind not in chosen:
            what = f"no change of the reference implementation is of the kind {kind!r}"
            hint = f"Write {REFERENCE}+fault:ID, +equivalent:ID, +reading:ID=ALTERNATIVE or +edition:NAME."
            raise UsageError(what, where="--target", hint=hint)
        chosen[kind].append(value)
    faults, equivalents, readings, editions = (tuple(chosen[kind]) for kind in CHANGES)
    edition = editions[-1] if editions else None
    options = ServeOptions(faults=faults, equivalents=equivalents, readings=readings, edition=edition)
    try:
        make_app(options)
    except ReferenceImplError as error:
        raise UsageError(error.message, where=error.where, hint=error.hint) from error
    words = tuple(word for kind, values in chosen.items() for value in values for word in (f"--{kind}", value))
    return words, edition_of(options) or ""


def pinned(data: dict[str, Any], contract: Contract, edition: str) -> dict[str, Any]:
    """The content of a target file that pins an edition, in each service with a call that has it; itself for none."""
    for name, part in data["services"].items() if edition else ():
        operations = contract.services[name].operations if name in contract.services else ()
        if any(edition in contract.operations[one].editions for one in operations):
            part["edition"] = edition
    return data


def _reference(address: str, contract: Contract, edition: str) -> TargetFile:
    """The bundled implementation as the target of a contract, as far as the contract goes."""
    data = pinned(reference_target(address), contract, edition)
    strange = sorted(contract.services.keys() - data["services"].keys())
    if strange:
        what = f"the reference implementation does not serve {', '.join(strange)}"
        raise UsageError(what, where="--target", hint="Give --target FILE; `conformance target init` writes one.")
    data["services"] = {name: part for name, part in data["services"].items() if name in contract.services}
    return check_target(data, contract, REFERENCE)


def _named(name: str, contract: Contract) -> TargetFile:
    if name.startswith(("http://", "https://", "ws://", "wss://")):
        return check_target(_bare(name, contract), contract, name)
    if "://" in name:
        scheme = name.partition("://")[0]
        raise UsageError(
            f"no target is reached by {scheme}",
            where="--target",
            hint="Give http://host:port, ws://host:port, or a target file.",
        )
    return load_target(Path(name), contract)


def _bare(url: str, contract: Contract) -> dict[str, Any]:
    """A URL alone: no credentials, no ids, and a scope that can touch nothing."""
    try:
        address = parse_address(url)
    except AddressError as error:
        raise UsageError(str(error), where="--target") from error
    part = {"websocket" if address.scheme.startswith("ws") else "http": url}
    return {"name": str(address), "services": dict.fromkeys(contract.services, part)}


def permitted(target: TargetFile) -> TargetFile:
    """The target, if a run may use it. Raises `ConfigurationError` for an address off loopback without permission.

    Permission is `scope.destructive`, and the accounts that may be touched where the harness makes orders itself.
    Behind a proxy that is not on loopback no address counts as loopback: it would be the machine of the proxy.
    """
    scope = target.scope
    hint = "Name the accounts that may be touched under [scope], and set destructive = true there."
    for service_id, service in target.services.items():
        where = f"services.{service_id}"
        for key, url in off_loopback(service, where):
            what = f"{url} is not a loopback address, and these calls cancel orders"
            if not scope.destructive:
                raise ConfigurationError(what, where=f"{where}.{key}", hint=hint)
            if service.states.provider == "calls" and not scope.accounts and not scope.everything:
                raise ConfigurationError(f"{what}; [scope] names no accounts", where=f"{where}.{key}", hint=hint)
    return target


def off_loopback(service: ServiceTarget, where: str) -> Iterator[tuple[str, str]]:
    """Key and address of what is not reached on loopback. Raises `ConfigurationError` for what is no address."""
    proxied = service.proxy is not None and not _is_loopback(service.proxy.url, f"{where}.proxy.url", parse_proxy)
    for key, url in (("http", service.http), ("websocket", service.websocket)):
        if url is not None and (proxied or not _is_loopback(url, f"{where}.{key}", parse_address)):
            yield key, url


def _is_loopback(url: str, where: str, parse: Callable[[str], Address | Proxy]) -> bool:
    try:
        host = parse(url).host
    except AddressError as error:
        raise ConfigurationError(str(error), where=where) from error
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False
