"""The target file as values: how to reach each service, as whom, with which ids, and what may be touched."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializeAsAny,
    SerializerFunctionWrapHandler,
    StringConstraints,
    ValidationError,
    field_validator,
    model_serializer,
    model_validator,
)
from pydantic_core import PydanticCustomError

from conformance.plugins import LOGINS, find_login, login_names

Binding = int | str
Text = Annotated[str, StringConstraints(min_length=1)]
Place = Annotated[Path, Field(strict=False)]
"""A path, written as text."""
_Item = TypeVar("_Item")
Many = Annotated[tuple[_Item, ...], Field(strict=False)]
"""A list of the file; the items are as strict as everything else."""
_CREDENTIAL = re.compile(r"(?i)authorization|cookie|token|secret|password|signature|api-?key")
_TIME_OF_DAY = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
_HEADER_NAME = r"^[A-Za-z0-9_-]+$"
_PIN = re.compile(r"(?i)(?:^|[._])pin$")


class Part(BaseModel):
    """Base of every table of the file: frozen, closed to keys that it does not know, and without conversions."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, hide_input_in_errors=True)


class Secret(Part):
    """Where a secret stands: in an environment variable or in a file of its own, never in the target file."""

    env: Text | None = None
    file: Place | None = None

    @model_validator(mode="before")
    @classmethod
    def _a_place(cls, value: Any) -> Any:
        if not isinstance(value, Mapping | Secret):
            message = 'a secret does not stand in this file; give { env = "NAME" } or { file = "PATH" }'
            raise PydanticCustomError("secret_in_file", message)
        return value

    @model_validator(mode="after")
    def _one_of_them(self) -> Secret:
        if (self.env is None) == (self.file is None):
            raise PydanticCustomError("secret_place", 'give exactly one of env = "NAME" and file = "PATH"')
        return self


Headers = dict[str, str | Secret]


def _no_plain_credentials(headers: Headers) -> Headers:
    for name, value in headers.items():
        if isinstance(value, str) and _CREDENTIAL.search(name):
            message = 'the header {name} carries a credential; give { env = "NAME" } or { file = "PATH" }'
            raise PydanticCustomError("secret_in_file", message.replace("{name}", name))
    return headers


class Tls(Part):
    """How TLS is checked; `verify = false` is allowed, and noted in every report."""

    ca_bundle: Place | None = Field(None, description="PEM file of the authorities to trust instead of the system's.")
    client_certificate: Place | None = Field(None, description="PEM file of the certificate to show to the server.")
    client_key: Place | None = Field(None, description="PEM file of its key, when it is not in the same file.")
    client_key_password: Secret | None = Field(None, description="Of an encrypted key; nobody is ever asked for it.")
    verify: bool = Field(True, description="false trusts anybody; every report warns of it.")

    @model_validator(mode="after")
    def _key_with_certificate(self) -> Tls:
        if self.client_key is not None and self.client_certificate is None:
            raise PydanticCustomError("client_key", "client_key needs client_certificate")
        if self.client_key_password is not None and self.client_certificate is None:
            raise PydanticCustomError("client_key", "client_key_password needs client_certificate")
        return self


class ProxyPart(Part):
    """A plain HTTP proxy on the way; `authorization` is the whole value of Proxy-Authorization."""

    url: Text
    authorization: Secret | None = None

    @field_validator("url")
    @classmethod
    def _no_credentials(cls, url: str) -> str:
        if "@" in url:
            raise PydanticCustomError(
                "secret_in_file", "write http://host:port, and give credentials as `authorization`"
            )
        return url


class RateWindow(Part):
    """Rates that hold at a time of day, beside those that always hold, such as the opening of a market."""

    start: str = Field(pattern=_TIME_OF_DAY, description="HH:MM in `zone`.")
    end: str = Field(pattern=_TIME_OF_DAY, description="HH:MM; earlier than `start`: on the next day.")
    zone: Text = Field(description="A name of the IANA data base, such as Europe/Berlin, or UTC.")
    requests_per_second: float | None = Field(None, gt=0)
    requests_per_minute: float | None = Field(None, gt=0)
    requests_per_hour: float | None = Field(None, gt=0)

    @model_validator(mode="after")
    def _usable(self) -> RateWindow:
        if self.start == self.end:
            raise PydanticCustomError("window", "start and end are the same time")
        if self.requests_per_second is self.requests_per_minute is self.requests_per_hour is None:
            raise PydanticCustomError("window", "give requests_per_second, requests_per_minute or requests_per_hour")
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            message = "this machine knows no time zone of this name; Europe/Berlin is one"
            raise PydanticCustomError("zone", message) from None
        return self

    def holds(self, now: datetime) -> bool:
        """Whether a moment is in the window: from `start` on, before `end`."""
        time = now.astimezone(ZoneInfo(self.zone)).strftime("%H:%M")
        return self.start <= time < self.end if self.start < self.end else time >= self.start or time < self.end


MIN_CARRIED_OUT = 0.9
"""The share of cases that a run must carry out, where nobody says another."""
MAX_BAIT = 48
"""How many orders may stand open at a desk as bait for the cases that follow, where nobody says another number."""


class Limits(Part):
    """What an exchange may cost, and how fast the harness may go; shared by all lanes."""

    connect_timeout_s: float = Field(5.0, gt=0)
    total_timeout_s: float = Field(10.0, gt=0)
    quiet_s: float = Field(0.5, gt=0, description="How long silence is listened to before it counts as no reply.")
    settle_s: float = Field(2.0, ge=0, description="How long an effect may take to show after the answer.")
    clean_timeout_s: float = Field(5.0, gt=0, description="How long taking back what one case set up may take.")
    max_bait: int = Field(
        MAX_BAIT,
        ge=0,
        le=1024,
        description="How many orders may stand open at a desk for later cases to find, a quote as two; 0: none.",
    )
    max_body_bytes: int = Field(8 * 1024 * 1024, gt=0)
    requests_per_second: float | None = Field(None, gt=0)
    requests_per_minute: float | None = Field(None, gt=0)
    requests_per_hour: float | None = Field(None, gt=0)
    requests_per_day: float | None = Field(None, gt=0)
    windows: Many[RateWindow] = ()
    throttle_waits: int = Field(
        8, ge=0, le=100, description="How often TOO MANY REQUESTS is waited out, for one message."
    )
    throttle_wait_s: float = Field(30.0, gt=0, description="The longest single wait, whatever Retry-After asks for.")
    connect_retries: int = Field(1, ge=0, le=10, description="Only for setting up a connection, never for a message.")
    concurrency: int = Field(16, ge=1, le=256)
    min_carried_out: float = Field(
        MIN_CARRIED_OUT, ge=0, le=1, description="Share of the cases below which a run is incomplete (exit code 4)."
    )

    @property
    def paced(self) -> bool:
        """Whether anything limits how many messages go out in a time."""
        rates = (self.requests_per_second, self.requests_per_minute, self.requests_per_hour, self.requests_per_day)
        return bool(self.windows) or any(rate is not None for rate in rates)


class LoginKeys(Part):
    """What a login reads from the table of a role. Each login has a class of its own; `none` reads nothing."""

    implied_by: ClassVar[str] = ""
    """A role without `login` that has this key means this login."""
    shown: ClassVar[frozenset[str]] = frozenset()
    """Secrets that name the caller and may come back in an answer, such as the id of an API key."""

    def secrets(self) -> dict[str, Secret]:
        """Every secret among the keys, by its key."""
        values = ((name, getattr(self, name)) for name in type(self).model_fields)
        return {name: value for name, value in values if isinstance(value, Secret)}

    def addresses(self) -> tuple[str, ...]:
        """Addresses beside those of the service that the login sends to, such as a token endpoint."""
        return ()

    def paths(self) -> tuple[tuple[str, str], ...]:
        """Method and path of each request to the service that the login makes and no contract knows."""
        return ()


COMMON_KEYS = ("login", "headers", "account")
"""The keys that every role may have, whatever its login."""
_NO_LOGIN = "none"


class Role(Part):
    """Credentials of one role. `login` says how they are used; left out, the keys that are given say it."""

    login: str | None = None
    login_keys: SerializeAsAny[LoginKeys] = LoginKeys()
    sign_in: str = Field(_NO_LOGIN, exclude=True)
    """How the role signs in: as `login` says, else as its keys say, else not at all."""
    headers: Headers = Field(default_factory=dict)
    account: int | None = Field(None, description="The account that the role's user has by default.")

    _headers = field_validator("headers")(_no_plain_credentials)

    @model_validator(mode="before")
    @classmethod
    def _keys_of_the_login(cls, value: Any) -> Any:
        """The table with the login's own keys read by the login's own class."""
        if not isinstance(value, Mapping):
            return value
        own = {str(key): item for key, item in value.items() if key not in COMMON_KEYS}
        name = value.get("login")
        if name is None:
            name = _implied_login(own)
        try:
            keys = find_login(name).keys if isinstance(name, str) else None
        except KeyError:
            keys = None
        if keys is None:
            raise _misfit([("login", f"no such login; known are {', '.join(login_names())}")])
        try:
            read = keys.model_validate(own)
        except ValidationError as error:
            raise _misfit(_key_problems(name, keys, error)) from None
        rest = {key: item for key, item in value.items() if key in COMMON_KEYS}
        return {**rest, "login_keys": read, "sign_in": name}

    @model_serializer(mode="wrap")
    def _as_a_table(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """As it stands in the file: the login's keys beside the others."""
        data: dict[str, Any] = dump(self)
        keys = data.pop("login_keys", {})
        return {"login": data.pop("login"), **keys, **data} if "login" in data else {**keys, **data}


def _implied_login(own: Mapping[str, Any]) -> str:
    """The login that the keys of a role without `login` belong to."""
    if own:
        for name in LOGINS:
            if find_login(name).keys.implied_by in own:
                return name
    return _NO_LOGIN


def _misfit(problems: list[tuple[str, str]]) -> PydanticCustomError:
    """Everything that is wrong with the keys of one role, for `file.complaints`."""
    text = "; ".join(f"{key}: {message}" for key, message in problems)
    return PydanticCustomError("login_keys", "{text}", {"text": text, "problems": problems})


def _key_problems(name: str, keys: type[LoginKeys], error: ValidationError) -> list[tuple[str, str]]:
    """Key and complaint, one for each; values are left out, for they may be secrets."""
    needed = [field for field, info in keys.model_fields.items() if info.is_required()]
    listed = " and ".join(filter(None, [", ".join(needed[:-1]), *needed[-1:]]))
    problems: list[tuple[str, str]] = []
    for item in error.errors(include_input=False, include_url=False, include_context=False):
        key = ".".join(str(part) for part in item["loc"])
        message = item["msg"]
        if item["type"] == "missing":
            message = f"login {name!r} needs {listed}"
        elif item["type"] == "extra_forbidden":
            message = f"login {name!r} has no such key"
        problems.append((key, message))
    return problems


class DeskPart(Part):
    """A set of accounts and users that one case at a time has to itself."""

    bindings: dict[str, Binding | Secret] = Field(default_factory=dict)
    roles: dict[str, Role] = Field(default_factory=dict)


class Provocation(Part):
    """How one error code is triggered on this target, or why it cannot be."""

    role: str | None = None
    bindings: dict[str, Binding] = Field(default_factory=dict)
    without_states: bool = Field(False, description="The code comes before any order or quote is looked at.")
    unreachable: Text | None = None


class StateSource(Part):
    """One way to states: the service's own calls, an HTTP hook, a command, a pool of ids, or none."""

    provider: Literal["calls", "hook", "command", "pool", "none"] = "none"
    url: Text | None = Field(None, description="Of the hook.")
    command: Many[Text] | None = Field(None, min_length=1, description="Program and arguments; no shell.")
    clean: bool = Field(False, description="Whether hook or command is asked to take back what is still open.")
    timeout_s: float = Field(10.0, gt=0)

    @model_validator(mode="after")
    def _complete(self) -> StateSource:
        if self.provider == "hook" and self.url is None:
            raise PydanticCustomError("states", 'provider = "hook" needs url')
        if self.provider == "command" and self.command is None:
            raise PydanticCustomError("states", 'provider = "command" needs command')
        return self


class States(StateSource):
    """Where states come from. What `pool` or `by_state` names comes from there, everything else from the provider."""

    pool: dict[str, Many[dict[str, Binding | Secret]]] = Field(default_factory=dict)
    by_state: dict[str, StateSource] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _pool_given(self) -> States:
        if self.provider == "pool" and not self.pool:
            raise PydanticCustomError("states", 'provider = "pool" needs a table `pool` of state to ids')
        return self


class Lacks(Part):
    """What the service does not have, each with the reason; what hangs on it alone is an accepted gap.

    A name may be a pattern with `*`. Error codes have `unreachable` in their own table.
    """

    state: dict[str, Text] = Field(default_factory=dict, description="States that nobody can set up.")
    role: dict[str, Text] = Field(default_factory=dict, description="Roles that there are not.")
    binding: dict[str, Text] = Field(default_factory=dict, description="Ids that there are not, such as a second OMS.")
    transport: dict[Literal["http", "websocket"], Text] = Field(default_factory=dict)
    operation: dict[str, Text] = Field(default_factory=dict, description="Operations that the service does not offer.")
    observer: Text | None = Field(None, description="Why nobody can see whether an order was cancelled.")

    @property
    def tables(self) -> Mapping[str, Mapping[str, str]]:
        """Kind to name or pattern to reason."""
        transports: Mapping[Any, str] = self.transport
        return {
            "state": self.state,
            "role": self.role,
            "binding": self.binding,
            "transport": transports,
            "operation": self.operation,
        }

    def reason(self, thing: str) -> str:
        """Why the service lacks a thing such as `state.pin-order`; empty when the file does not say that it does."""
        kind, _, name = thing.partition(".")
        table = self.tables.get(kind, {})
        found = table.get(name)
        if found is None:
            found = next((why for pattern, why in table.items() if fnmatchcase(name, pattern)), "")
        return found

    def __bool__(self) -> bool:
        return self.observer is not None or any(self.tables.values())


class ServiceTarget(Part):
    """One service of the target."""

    http: Text | None = None
    websocket: Text | None = None
    tls: Tls = Tls()
    proxy: ProxyPart | None = None
    headers: Headers = Field(default_factory=dict)
    case_header: str | None = Field(
        None,
        pattern=_HEADER_NAME,
        description="Header of every HTTP request of a case that gets the case's id, so that the server's log can be searched.",
    )
    canary: Text | None = Field(
        None,
        pattern=r"^http://[A-Za-z0-9.\[\]:-]+:[0-9]{1,5}$",
        description="Address of this machine at which a run may listen, and which bodies sent to a service that is not on loopback may name.",
    )
    edition: Text | None = Field(
        None, description="The edition of the vendor's pages that it speaks; left out, a run says which it is."
    )
    bindings: dict[str, Binding | Secret] = Field(default_factory=dict)
    roles: dict[str, Role] = Field(default_factory=dict)
    desks: Many[DeskPart] = ()
    states: States = States()
    lacks: Lacks = Lacks()
    errors: dict[str, dict[str, Provocation]] = Field(
        default_factory=dict, description="Operation id (or `any`) to error code to how it is provoked."
    )

    _headers = field_validator("headers")(_no_plain_credentials)

    @model_validator(mode="after")
    def _reachable(self) -> ServiceTarget:
        if self.http is None and self.websocket is None:
            raise PydanticCustomError("address", "give http, websocket or both")
        return self

    def every_role(self) -> Iterator[Role]:
        """Its roles, and those of its desks."""
        yield from self.roles.values()
        for desk in self.desks:
            yield from desk.roles.values()

    def provocation(self, operation: str, code: str) -> Provocation | None:
        """How an error code is provoked for an operation: its own entry, else the one for any; None without either."""
        return self.errors.get(operation, {}).get(code) or self.errors.get("any", {}).get(code)


class ScopePart(Part):
    """What may be touched. Absent lists mean nothing; `everything = true` is for sandboxes alone."""

    destructive: bool = False
    everything: bool = False
    accounts: Many[int] = ()
    oms: Many[int] = ()
    instruments: Many[int] = ()
    orders: Many[int] = ()
    uids: Many[str] = ()
    unknown: Many[Binding] = Field((), description="Ids that are vouched not to exist.")
    max_requests: int | None = Field(None, gt=0)
    wrong_credentials: bool = Field(
        False,
        description="Whether a run may sign in wrongly, once for each user and transport; on loopback it does so anyway.",
    )


def _holds(text: str, part: str) -> bool:
    """Whether a text has a part; `*` in it stands for anything."""
    return part in text or ("*" in part and fnmatchcase(text, f"*{part.replace('[', '[[]').replace('?', '[?]')}*"))


class Waiver(Part):
    """One known violation that does not fail the run until it expires."""

    case: Text = Field("*", description="The case's id, or a pattern with `*`; left out, any case.")
    requirement: Text
    finding: Text = Field(description="A part of the finding's message; with `*`, a pattern of a part.")
    seen: Text | None = Field(None, description="A part of what the finding says came, or a pattern of a part.")
    cases: int | None = Field(None, ge=1, description="How many cases it covered when it was written; more are told.")
    reason: Text
    owner: Text
    expires: date

    @property
    def label(self) -> str:
        """How reports call it."""
        seen = "" if self.seen is None else f", seen {self.seen!r}"
        return f"{self.case} {self.requirement}{seen}"

    def is_about(self, case: str) -> bool:
        """Whether its case, or its pattern of cases, is this one."""
        return self.case == case or ("*" in self.case and fnmatchcase(case, self.case.replace("[", "[[]")))

    def covers(self, case: str, requirement: str, message: str, actual: str) -> bool:
        """Whether it speaks of a finding; whether it has expired is not asked."""
        if requirement != self.requirement or not self.is_about(case):
            return False
        return _holds(message, self.finding) and (self.seen is None or _holds(actual, self.seen))

    @field_validator("expires", mode="before")
    @classmethod
    def _as_text(cls, value: Any) -> Any:
        """A date in quotes is one, too."""
        if not isinstance(value, str):
            return value
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise PydanticCustomError("date", "must be a date such as 2999-05-31") from None


class TargetFile(Part):
    """A whole target file."""

    schema_version: Literal[1] = 1
    name: Text
    limits: Limits = Limits()
    scope: ScopePart = ScopePart()
    services: dict[str, ServiceTarget] = Field(min_length=1)
    readings: dict[str, str] = Field(default_factory=dict)
    waivers: Many[Waiver] = ()
    flaky: Many[str] = Field((), description="Ids of cases that are run up to three times.")

    @field_validator("schema_version", mode="before")
    @classmethod
    def _a_number(cls, value: Any) -> Any:
        if isinstance(value, bool):  # true equals 1
            raise PydanticCustomError("schema_version", "must be 1")
        return value

    def redacted(self) -> dict[str, Any]:
        """The target as reports show it: addresses, names, places of secrets; a PIN that stands in it is left out."""
        data: dict[str, Any] = self.model_dump(mode="json", exclude_defaults=True)
        for service in data.get("services", {}).values():
            service.pop("desks", None)
            service.get("states", {}).pop("pool", None)
            for name in [name for name in service.get("bindings", {}) if is_pin(name)]:
                del service["bindings"][name]
        return data


def every_role(target: TargetFile) -> Iterator[Role]:
    """The roles of all services and desks."""
    for service in target.services.values():
        yield from service.every_role()


def is_client_number(binding: str) -> bool:
    """Whether a binding of this name holds the number that a client gave its order, which is no order's id."""
    return binding.rpartition(".")[2] == "client"


def is_pin(binding: str) -> bool:
    """Whether a binding of this name holds a PIN."""
    return _PIN.search(binding) is not None
