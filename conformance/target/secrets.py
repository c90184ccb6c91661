"""Fetches secrets from where the target file says they are, and knows them all so that none gets out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from conformance.errors import ConfigurationError
from conformance.target.model import Secret


@dataclass(slots=True)
class Vault:
    """Secrets by their source; everything that was ever fetched or learnt is known to `known`."""

    environment: Mapping[str, str]
    known: set[str] = field(default_factory=set)

    def get(self, secret: Secret, where: str) -> str:
        """The secret's text. Raises `ConfigurationError` that names the place and the source, never the secret."""
        if secret.env is not None:
            value = self.environment.get(secret.env)
            if value is None:
                raise ConfigurationError(
                    f"the environment variable {secret.env} is not set", where=where, hint="Set it, or name another."
                )
        else:
            assert secret.file is not None
            try:
                value = secret.file.read_text(encoding="utf-8").rstrip("\r\n")
            except (OSError, UnicodeDecodeError) as error:
                raise ConfigurationError(
                    f"the secret file {secret.file} cannot be read: {type(error).__name__}", where=where
                ) from error
        self.learn(value)
        return value

    def learn(self, value: str) -> None:
        """Remember a secret that came up on the way, such as a session token."""
        if value:
            self.known.add(value)

    def text(self, value: str | Secret, where: str) -> str:
        """A plain text as it stands, or a secret fetched."""
        return self.get(value, where) if isinstance(value, Secret) else value
