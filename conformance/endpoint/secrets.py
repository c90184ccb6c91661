"""Fetches secrets from where the target file says they are, and knows them all so that none gets out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from conformance.endpoint.model import Binding, Role, Secret, ServiceTarget, TargetFile
from conformance.errors import ConfigurationError
from conformance.formats.text import bom_of

_STAND_IN = "STANDINFORASECRETTHATNOBODYREADS"
"""Good Base32, since a login may compute with it."""


@dataclass(slots=True)
class Vault:
    """Secrets by their source; everything that was ever fetched or learnt is known to `known`."""

    environment: Mapping[str, str]
    known: set[str] = field(default_factory=set)
    files: dict[Path, str] = field(default_factory=dict)
    """What stood in each secret file when it was last read."""
    dry: bool = False
    """Nothing is fetched: a plan has the same stand-in for every secret."""

    def get(self, secret: Secret, where: str) -> str:
        """The secret's text. Raises `ConfigurationError` that names the place and the source, never the secret."""
        if self.dry:
            self.learn(_STAND_IN)
            return _STAND_IN
        if secret.env is not None:
            value = self.environment.get(secret.env)
            source = f"the environment variable {secret.env}"
            if value is None:
                raise ConfigurationError(f"{source} is not set", where=where, hint="Set it, or name another.")
        else:
            assert secret.file is not None
            source = f"the secret file {secret.file}"
            try:
                value = read_text(secret.file).rstrip("\n")
            except OSError as error:
                raise ConfigurationError(f"{source} cannot be read: {type(error).__name__}", where=where) from error
            except ValueError:  # its words could show a part of the secret
                hint = "Save it as UTF-8."
                raise ConfigurationError(f"{source} is not UTF-8 text", where=where, hint=hint) from None
            self.files[secret.file] = value
        if not value:
            raise ConfigurationError(f"{source} is empty", where=where, hint="It should hold the secret itself.")
        self.learn(value)
        return value

    def learn(self, value: str) -> None:
        """Remember a secret that came up on the way, such as a session token."""
        if value:
            self.known.add(value)

    def of_role(self, role: Role) -> tuple[str, ...]:
        """The fetched secrets of a role's sign-in, which must not come back; no file is read twice for them."""
        return tuple(self.named(role).values())

    def named(self, role: Role) -> dict[str, str]:
        """The same by their keys."""
        keys = role.login_keys
        secrets = {name: one for name, one in keys.secrets().items() if name not in keys.shown}
        return {
            name: (one.file and self.files.get(one.file)) or self.get(one, "roles") for name, one in secrets.items()
        }

    def text(self, value: str | Secret, where: str) -> str:
        """A plain text as it stands, or a secret fetched."""
        return self.get(value, where) if isinstance(value, Secret) else value


def with_secrets(target: TargetFile, vault: Vault) -> TargetFile:
    """The target with the bindings that are secrets filled in, every other secret having been fetched once.

    Secrets that are missing stop the run here, before anything is connected to. Raises one `ConfigurationError` that
    names them all.
    """
    fetch = _Fetch(vault)
    services = {name: _service(service, fetch, f"services.{name}") for name, service in target.services.items()}
    fetch.complain()
    return target.model_copy(update={"services": services})


_FIELD_VALUE = re.compile(r"(?:[!-~\x80-\xff]+(?:[ \t]+[!-~\x80-\xff]+)*)?")


@dataclass(slots=True)
class _Fetch:
    """Fetches secrets and goes on past those that are missing, so that one message can name them all."""

    vault: Vault
    missing: list[ConfigurationError] = field(default_factory=list)

    def get(self, secret: Secret, where: str) -> str:
        try:
            return self.vault.get(secret, where)
        except ConfigurationError as error:
            self.missing.append(error)
            return ""

    def complain(self) -> None:
        if len(self.missing) == 1:
            raise self.missing[0]
        if self.missing:
            lines = [f"  {error.where}: {error.message}" for error in self.missing]
            message = "\n".join([f"{len(lines)} secrets are missing or cannot be used", *lines])
            raise ConfigurationError(message, hint="Set or mend them all, or name other places in the target file.")


def read_text(path: Path) -> str:
    """The text of a file that people write by hand: UTF-8, or UTF-16 and UTF-32 with a byte order mark.

    Raises `ValueError` for anything else.
    """
    data = path.read_bytes()
    mark = bom_of(data)
    text = data[mark[1] :].decode(mark[0]) if mark else data.decode("utf-8")
    if "\0" in text:
        raise ValueError("it holds zero bytes, as UTF-16 without a byte order mark does; save it as UTF-8")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def plain(bindings: Mapping[str, Binding | Secret]) -> dict[str, Binding]:
    """The bindings that are no secrets; a plan shows the others as places."""
    return {name: value for name, value in bindings.items() if not isinstance(value, Secret)}


def _service(service: ServiceTarget, fetch: _Fetch, where: str) -> ServiceTarget:
    if service.proxy is not None and service.proxy.authorization is not None:
        fetch.get(service.proxy.authorization, f"{where}.proxy.authorization")
    if service.tls.client_key_password is not None:
        fetch.get(service.tls.client_key_password, f"{where}.tls.client_key_password")
    _fetch_headers(service.headers, fetch, where)
    _fetch_roles(service.roles, fetch, where)
    desks = []
    for number, desk in enumerate(service.desks):
        place = f"{where}.desks.{number}"
        _fetch_roles(desk.roles, fetch, place)
        desks.append(desk.model_copy(update={"bindings": _filled(desk.bindings, fetch, f"{place}.bindings")}))
    pool = {
        state: tuple(_filled(ids, fetch, f"{where}.states.pool.{state}.{number}") for number, ids in enumerate(entries))
        for state, entries in service.states.pool.items()
    }
    filled = {
        "bindings": _filled(service.bindings, fetch, f"{where}.bindings"),
        "desks": tuple(desks),
        "states": service.states.model_copy(update={"pool": pool}),
    }
    return service.model_copy(update=filled)


def _filled(bindings: Mapping[str, Binding | Secret], fetch: _Fetch, where: str) -> dict[str, Binding]:
    return {
        name: fetch.get(value, f"{where}.{name}") if isinstance(value, Secret) else value
        for name, value in bindings.items()
    }


def _fetch_headers(headers: Mapping[str, str | Secret], fetch: _Fetch, where: str) -> None:
    for name, value in headers.items():
        text = fetch.get(value, f"{where}.headers.{name}") if isinstance(value, Secret) else value
        if not _FIELD_VALUE.fullmatch(text):
            hint = "A header is one line of Latin-1, without a blank at either end (RFC 9110, 5.5)."
            message = "the value cannot be sent as a header"
            fetch.missing.append(ConfigurationError(message, where=f"{where}.headers.{name}", hint=hint))


def _fetch_roles(roles: Mapping[str, Role], fetch: _Fetch, where: str) -> None:
    for name, role in roles.items():
        place = f"{where}.roles.{name}"
        _fetch_headers(role.headers, fetch, place)
        for key, secret in role.login_keys.secrets().items():
            fetch.get(secret, f"{place}.{key}")
