"""The target file as values: how to reach each service, as whom, with which ids, and what may be touched."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Binding = int | str
Port = Annotated[str, StringConstraints(min_length=1)]


class Part(BaseModel):
    """Base of every table of the file: frozen, and closed to keys that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Secret(Part):
    """Where a secret stands: in an environment variable or in a file of its own, never in the target file."""

    env: str | None = None
    file: Path | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Secret:
        if (self.env is None) == (self.file is None):
            raise ValueError('give exactly one of env = "NAME" and file = "PATH"')
        return self


class Tls(Part):
    """How TLS is checked; `verify = false` is allowed, and noted in every report."""

    ca_bundle: Path | None = None
    client_certificate: Path | None = None
    client_key: Path | None = None
    verify: bool = True


class ProxyPart(Part):
    """A plain HTTP proxy on the way."""

    url: str
    authorization: Secret | None = None


class Limits(Part):
    """What an exchange may cost, and how fast the harness may go; shared by all lanes."""

    connect_timeout_s: float = Field(5.0, gt=0)
    total_timeout_s: float = Field(10.0, gt=0)
    quiet_s: float = Field(0.5, gt=0, description="How long silence is listened to before it counts as no reply.")
    settle_s: float = Field(2.0, ge=0, description="How long an effect may take to show after the answer.")
    max_body_bytes: int = Field(8 * 1024 * 1024, gt=0)
    requests_per_second: float | None = Field(None, gt=0)
    requests_per_minute: float | None = Field(None, gt=0)
    connect_retries: int = Field(1, ge=0, le=10, description="Only for setting up a connection, never for a message.")
    concurrency: int = Field(16, ge=1, le=256)


class Role(Part):
    """Credentials of one role. AlphaPoint: `login` says how a session is got; TPP: headers alone."""

    login: Literal["basic", "signature", "websocket", "none"] = "basic"
    user: str | None = None
    password: Secret | None = None
    user_id: str | None = None
    api_key: Secret | None = None
    api_secret: Secret | None = None
    headers: dict[str, str | Secret] = Field(default_factory=dict)
    account: int | None = Field(None, description="The account that the role's user has by default.")


class Desk(Part):
    """A set of accounts and users that one case at a time has to itself."""

    bindings: dict[str, Binding] = Field(default_factory=dict)
    roles: dict[str, Role] = Field(default_factory=dict)


class Provocation(Part):
    """How one error code is brought about on this target, or why it cannot be."""

    role: str | None = None
    bindings: dict[str, Binding] = Field(default_factory=dict)
    without_states: bool = Field(False, description="The code comes before any order or quote is looked at.")
    unreachable: str | None = None


class States(Part):
    """Where states come from: the service's own calls, an HTTP hook, a command, or a pool of ids."""

    provider: Literal["calls", "hook", "command", "pool", "none"] = "none"
    url: str | None = None
    command: tuple[str, ...] | None = None
    pool: dict[str, tuple[dict[str, Binding], ...]] = Field(default_factory=dict)
    timeout_s: float = Field(10.0, gt=0)


class ServiceTarget(Part):
    """One service of the target."""

    http: str | None = None
    websocket: str | None = None
    tls: Tls = Tls()
    proxy: ProxyPart | None = None
    headers: dict[str, str | Secret] = Field(default_factory=dict)
    bindings: dict[str, Binding] = Field(default_factory=dict)
    roles: dict[str, Role] = Field(default_factory=dict)
    desks: tuple[Desk, ...] = ()
    states: States = States()
    errors: dict[str, dict[str, Provocation]] = Field(
        default_factory=dict, description="Operation id (or `any`) to error code to how it is provoked."
    )


class ScopePart(Part):
    """What may be touched. Absent lists mean nothing; `everything = true` is for sandboxes alone."""

    destructive: bool = False
    everything: bool = False
    accounts: tuple[int, ...] = ()
    oms: tuple[int, ...] = ()
    instruments: tuple[int, ...] = ()
    orders: tuple[int, ...] = ()
    uids: tuple[str, ...] = ()
    unknown: tuple[Binding, ...] = Field((), description="Ids that are vouched not to exist.")
    max_requests: int | None = Field(None, gt=0)


class Waiver(Part):
    """One known violation that does not fail the run until it expires."""

    case: str
    requirement: str
    finding: str = Field(description="A part of the finding's message.")
    reason: str
    owner: str
    expires: date


class TargetFile(Part):
    """A whole target file."""

    schema_version: Literal[1] = 1
    name: str
    limits: Limits = Limits()
    scope: ScopePart = ScopePart()
    services: dict[str, ServiceTarget]
    readings: dict[str, str] = Field(default_factory=dict)
    waivers: tuple[Waiver, ...] = ()
    flaky: tuple[str, ...] = Field((), description="Ids of cases that are run up to three times.")

    def redacted(self) -> dict[str, Any]:
        """The target as reports show it: addresses and names; secrets were never in it."""
        data: dict[str, Any] = self.model_dump(mode="json", exclude_defaults=True)
        for service in data.get("services", {}).values():
            service.pop("desks", None)
        return data
