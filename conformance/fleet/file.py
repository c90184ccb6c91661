"""The fleet file: endpoints with a target each, when they are judged and by whom, and what is told of changes.

Keys are as strict as in a target file, and complaints name line and column. The JSON Schema is published beside this
module and made from the model.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, StringConstraints, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError

from conformance.endpoint.choose import is_reference
from conformance.endpoint.complaints import complaints, meant
from conformance.endpoint.file import read_toml, with_places
from conformance.endpoint.model import Many, Part, Place, Secret, Text
from conformance.endpoint.secrets import Vault
from conformance.errors import ConfigurationError, need
from conformance.wire.address import Address, AddressError, parse_address

DEFAULT_FILE = "fleet.toml"
Event = Literal["new-cause", "flipped-reading", "stale-waiver", "unreachable"]
_EVENTS: tuple[Event, ...] = ("new-cause", "flipped-reading", "stale-waiver", "unreachable")
_EVERY = re.compile(r"every ([1-9][0-9]{0,4}) ?(min|h|d)")
_UNITS = {"min": "minutes", "h": "hours", "d": "days"}
_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"
_PASSWORD = re.compile(r"^[a-z0-9+]+://[^/@]*:[^/@]*@|[?&](?:password|sslpassword|passfile)=", re.IGNORECASE)
Name = Annotated[str, StringConstraints(pattern=_NAME)]


class Hook(Part):
    """Who is told of changes: an address that gets a signed POST, or a command that reads the same from standard input."""

    url: Text | Secret | None = Field(
        None, description="https address, or http on loopback, that gets a JSON POST; a secret where it holds one."
    )
    secret: Secret | None = Field(None, description="The key of the signature of the POST (HMAC-SHA256).")
    command: Many[Text] = Field((), description="Program and arguments; no shell reads them.")
    events: Many[Event] = Field(_EVENTS, description="What is told; all of it by default.")
    tries: int = Field(4, ge=1, le=10, description="How often it is tried, after 1, 2, 4, … seconds.")
    timeout_s: float = Field(10.0, gt=0, le=300)

    @model_validator(mode="after")
    def _one_of_them(self) -> Hook:
        if (self.url is None) == (not self.command):
            raise PydanticCustomError("hook", "give exactly one of url and command")
        if (self.url is None) != (self.secret is None):
            raise PydanticCustomError("hook", "url needs secret, and command has none")
        return self

    @field_validator("url")
    @classmethod
    def _an_address(cls, url: str | Secret | None) -> str | Secret | None:
        if isinstance(url, str) and (wrong := _split(url)[2]):
            raise PydanticCustomError("hook", "{said}", {"said": wrong})
        return url

    def receiver(self, vault: Vault, where: str) -> tuple[Address, str]:
        """Where it is posted to: address, and path with query. Raises `ConfigurationError` that never shows a secret."""
        assert self.url is not None
        address, path, wrong = _split(vault.text(self.url, f"{where}.url"))
        if address is None:
            raise ConfigurationError(
                "is no https address" if isinstance(self.url, Secret) else wrong, where=f"{where}.url"
            )
        return address, path


def _split(url: str) -> tuple[Address | None, str, str]:
    """Address and path of a receiver, and what is wrong with it."""
    try:
        parts = urlsplit(url)
        address = parse_address(f"{parts.scheme}://{parts.netloc}")
    except (AddressError, ValueError) as error:
        return None, "", str(error)
    if address.scheme not in ("http", "https"):
        return None, "", "give an https or http address"
    if not address.secure and address.host not in ("127.0.0.1", "::1", "localhost"):
        return None, "", "http is for loopback alone; give an https address"
    return address, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), ""


class Endpoint(Part):
    """One endpoint of the fleet."""

    target: Text = Field(description="A target file, seen from the fleet file; also a URL, or reference.")
    schedule: Text | None = Field(
        None, description='Five fields of cron, or "every N min", "every N h", "every N d"; without it, only on demand.'
    )
    zone: Text = Field("UTC", description="IANA name of the time zone of the cron fields.")
    owner: Text = Field(description="Who is asked about it; told in events.")
    edition: str | None = Field(
        None, description="The contract it is judged by: a name of [editions]; else the bundled one."
    )
    operations: Many[Text] = ()
    cases: Many[Text] = Field((), description="Only these named cases; * stands for any text.")
    generated: int | None = Field(None, ge=0, description="How many generated cases; as `conformance run` by default.")
    shards: int = Field(1, ge=1, le=64, description="Into how many parts its run is split among workers.")

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise PydanticCustomError("zone", "this machine knows no time zone of this name") from None
        return zone

    @field_validator("schedule")
    @classmethod
    def _readable(cls, schedule: str | None) -> str | None:
        if schedule is not None and not _EVERY.fullmatch(schedule):
            from cronsim import CronSim, CronSimError

            try:
                if len(schedule.split()) != 5:
                    raise CronSimError("five fields")
                next(CronSim(schedule, datetime(2026, 1, 1)))  # noqa: DTZ001  the zone does not matter here
            except (CronSimError, StopIteration):
                message = 'is no schedule; give five fields of cron such as "0 3 * * 1-5", or "every 6 h"'
                raise PydanticCustomError("schedule", message) from None
        return schedule

    def due_since(self, now: datetime) -> datetime | None:
        """A run that began before this moment is out of date now; None without a schedule."""
        if self.schedule is None:
            return None
        every = _EVERY.fullmatch(self.schedule)
        if every:
            return now - timedelta(**{_UNITS[every[2]]: int(every[1])})
        from cronsim import CronSim

        at: datetime = next(CronSim(self.schedule, now.astimezone(ZoneInfo(self.zone)), reverse=True))
        return at

    def due_next(self, now: datetime, judged: datetime | None) -> datetime | None:
        """When it is due after `now`, last judged at that moment; None without a schedule."""
        if self.schedule is None:
            return None
        every = _EVERY.fullmatch(self.schedule)
        if every:
            return (judged or now) + timedelta(**{_UNITS[every[2]]: int(every[1])})
        from cronsim import CronSim

        at: datetime = next(CronSim(self.schedule, now.astimezone(ZoneInfo(self.zone))))
        return at


class FleetFile(Part):
    """A fleet file. Paths are seen from its folder; on several machines `folder` is one that all of them share."""

    store: Text | None = Field(None, description="URL of the store, without a password; see `conformance history`.")
    folder: Place = Field(Path("fleet"), description="Where reports and journals are kept; shared by all machines.")
    keep_runs: int = Field(10, ge=1, description="How many report folders of each endpoint are kept.")
    resume_within_min: int = Field(60, ge=0, description="For how long a run that was cut off is continued.")
    retries: int = Field(3, ge=0, le=20, description="How often a worker tries an endpoint again that was unreachable.")
    retry_after_s: int = Field(60, ge=0, description="After how long; twice as long each time.")
    editions: dict[Name, Place] = Field(default_factory=dict, description="Folders of contracts by name.")
    hooks: dict[Name, Hook] = Field(default_factory=dict)
    endpoints: dict[Name, Endpoint] = Field(min_length=1)

    @field_validator("store")
    @classmethod
    def _no_password(cls, store: str | None) -> str | None:
        if store is not None and _PASSWORD.search(store):
            message = "a password does not stand in this file; PostgreSQL reads it from ~/.pgpass or PGPASSWORD"
            raise PydanticCustomError("secret_in_file", message)
        return store


class Fleet:
    """A fleet file that was read, with its paths made absolute."""

    def __init__(self, path: Path, file: FleetFile) -> None:
        self.path = path.absolute()
        self.file = file
        self.root = self.path.parent
        self.folder = self.root / file.folder

    @property
    def endpoints(self) -> Mapping[str, Endpoint]:
        """By name, in the order of the names."""
        return dict(sorted(self.file.endpoints.items()))

    def target_of(self, endpoint: Endpoint) -> str:
        """What `--target` gets."""
        named = endpoint.target
        return named if is_reference(named) or "://" in named else str(self.root / named)

    def specs_of(self, endpoint: Endpoint) -> Path | None:
        """The folder of its contract; None for the bundled one."""
        return None if endpoint.edition is None else self.root / self.file.editions[endpoint.edition]

    def store_url(self, given: str | None) -> str:
        """The URL of the store: as given, else that of the file, in which a file of SQLite is seen from its folder."""
        url = given or self.file.store
        if url is None:
            raise ConfigurationError(
                "no store is named",
                where=str(self.path),
                hint='Set store = "sqlite:///history.db", or give --store URL.',
            )
        if given is None and (found := re.fullmatch(r"sqlite:///(?!/|file:)(.+)", url)):
            return f"sqlite:///{self.root / found[1]}"
        return url


def load_fleet(path: Path) -> Fleet:
    """The fleet of a file. Raises `ConfigurationError` naming file, line, key, and what was expected."""
    need("fleet", "`conformance fleet`", "cronsim", "sqlalchemy", "alembic")
    hint = "docs/fleet.md explains every key."
    text, data = read_toml(path, "fleet file", hint=hint)
    where = str(path)
    try:
        file = FleetFile.model_validate(data)
        fleet = Fleet(path, file)
        if wrong := list(_strange(fleet)):
            raise ConfigurationError("\n".join(wrong), where=where, hint=hint)
    except ValidationError as error:
        said = ConfigurationError("\n".join(complaints(error, data, FleetFile)), where=where, hint=hint)
        raise with_places(said, path, text, "fleet file") from None
    except ConfigurationError as error:
        raise with_places(error, path, text, "fleet file") from error
    return fleet


def _strange(fleet: Fleet) -> Iterator[str]:
    """A complaint for each name that leads nowhere, and for each target that two endpoints have."""
    seen: dict[str, str] = {}
    for name, folder in fleet.file.editions.items():
        if not (fleet.root / folder).is_dir():
            yield f"editions.{name}: there is no such folder"
    folded: dict[str, str] = {}
    for name, endpoint in fleet.file.endpoints.items():
        place = f"endpoints.{name}"
        if (other := folded.setdefault(name.casefold(), name)) != name:
            yield f"{place}: differs from {other} in case alone, and both have a folder"
        if endpoint.edition is not None and endpoint.edition not in fleet.file.editions:
            yield f"{place}.edition: no such edition{meant(endpoint.edition, fleet.file.editions)}"
        if is_reference(endpoint.target):
            continue  # each run has a server of its own
        if "://" not in endpoint.target and not (fleet.root / endpoint.target).is_file():
            near = [one.name for one in fleet.root.glob("*.toml") if one != fleet.path]
            yield f"{place}.target: there is no such file{meant(endpoint.target, near)}"
        key = endpoint.target if "://" in endpoint.target else os.path.realpath(fleet.root / endpoint.target)
        if (other := seen.setdefault(key, name)) != name:
            yield f"{place}.target: is that of {other}, too; one endpoint is judged once at a time"


SCHEMA_FILE = Path(__file__).with_name("fleet.schema.json")


def schema_text() -> str:
    """The schema as it stands in `fleet.schema.json`: keys sorted, two spaces of indent."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **FleetFile.model_json_schema()}
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def options_of(fleet: Fleet, endpoint: Endpoint) -> list[str]:
    """The options of `conformance run` that choose target, contract and cases."""
    words = ["--target", fleet.target_of(endpoint)]
    specs: Any = fleet.specs_of(endpoint)
    words += [] if specs is None else ["--specs", str(specs)]
    for option, values in (("--operation", endpoint.operations), ("--case", endpoint.cases)):
        words += [word for value in values for word in (option, value)]
    return words + ([] if endpoint.generated is None else ["--generated", str(endpoint.generated)])
