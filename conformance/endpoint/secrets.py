"""Fetches secrets from where the target file says they are, and knows them all so that none gets out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from conformance.endpoint.model import Binding, Role, Secret, ServiceTarget, TargetFile
from conformance.errors import ConfigurationError

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
                value = secret.file.read_text(encoding="utf-8").rstrip("\r\n")
            except (OSError, UnicodeDecodeError) as error:
                raise ConfigurationError(f"{source} cannot be read: {type(error).__name__}", where=where) from error
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
        """The secrets that a role signs in with and that must not come back, as fetched; no file is read twice for it."""
        keys = role.login_keys
        secrets = [one for name, one in keys.secrets().items() if name not in keys.shown]
        return tuple((one.file and self.files.get(one.file)) or self.get(one, "roles") for one in secrets)

    def text(self, value: str | Secret, where: str) -> str:
        """A plain text as it stands, or a secret fetched."""
        return self.get(value, where) if isinstance(value, Secret) else value


def with_secrets(target: TargetFile, vault: Vault) -> TargetFile:
    """The target with the bindings that are secrets filled in, every other secret having been fetched once.

    A secret that is missing stops the run here, before anything is connected to. Raises `ConfigurationError`.
    """
    services = {name: _service(service, vault, f"services.{name}") for name, service in target.services.items()}
    return target.model_copy(update={"services": services})


def plain(bindings: Mapping[str, Binding | Secret]) -> dict[str, Binding]:
    """The bindings that are no secrets; a plan shows the others as places."""
    return {name: value for name, value in bindings.items() if not isinstance(value, Secret)}


def _service(service: ServiceTarget, vault: Vault, where: str) -> ServiceTarget:
    if service.proxy is not None and service.proxy.authorization is not None:
        vault.get(service.proxy.authorization, f"{where}.proxy.authorization")
    _fetch_headers(service.headers, vault, where)
    _fetch_roles(service.roles, vault, where)
    desks = []
    for number, desk in enumerate(service.desks):
        place = f"{where}.desks.{number}"
        _fetch_roles(desk.roles, vault, place)
        desks.append(desk.model_copy(update={"bindings": _filled(desk.bindings, vault, f"{place}.bindings")}))
    pool = {
        state: tuple(_filled(ids, vault, f"{where}.states.pool.{state}.{number}") for number, ids in enumerate(entries))
        for state, entries in service.states.pool.items()
    }
    filled = {
        "bindings": _filled(service.bindings, vault, f"{where}.bindings"),
        "desks": tuple(desks),
        "states": service.states.model_copy(update={"pool": pool}),
    }
    return service.model_copy(update=filled)


def _filled(bindings: Mapping[str, Binding | Secret], vault: Vault, where: str) -> dict[str, Binding]:
    return {
        name: vault.get(value, f"{where}.{name}") if isinstance(value, Secret) else value
        for name, value in bindings.items()
    }


def _fetch_headers(headers: Mapping[str, str | Secret], vault: Vault, where: str) -> None:
    for name, value in headers.items():
        vault.text(value, f"{where}.headers.{name}")


def _fetch_roles(roles: Mapping[str, Role], vault: Vault, where: str) -> None:
    for name, role in roles.items():
        place = f"{where}.roles.{name}"
        _fetch_headers(role.headers, vault, place)
        for key, secret in role.login_keys.secrets().items():
            vault.get(secret, f"{place}.{key}")
