"""What is told of a run: causes that are new, readings that flipped, waivers that are stale, endpoints out of reach.

An event holds what the store has of it, which is without secrets; its id is the same however often it is told.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime

from conformance.fleet.file import Event
from conformance.history.questions import Place, differences, document_at, find_run
from conformance.history.record import CAUSE, READING
from conformance.history.store import Store
from conformance.report.safe_text import shortened, visible

SCHEMA_VERSION = 1
_STALE = re.compile(r"waiver (?:expired|matched nothing): ")
_NOT_SEEN = "no case"


@dataclass(frozen=True, slots=True)
class Told:
    """One event; `subject` is the id of the cause, reading or waiver, and empty where it is about the endpoint."""

    event: Event
    endpoint: str
    owner: str
    subject: str
    words: str
    run: Mapping[str, str] = field(default_factory=dict)
    """Id, release and beginning of the run that shows it."""
    at: str = ""

    @property
    def id(self) -> str:
        """The same for the same event; a receiver may drop what it has seen."""
        parts = (self.event, self.endpoint, self.subject, self.run.get("id", self.at))
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]

    def body(self) -> bytes:
        """The JSON that hooks get."""
        document = {"schema_version": SCHEMA_VERSION, "id": self.id, **asdict(self)}
        del document["at"]
        return json.dumps(document, sort_keys=True).encode()


def events_of(store: Store, run: str, endpoint: str, owner: str) -> tuple[Told, ...]:
    """The events of a run in the store, against the run before."""
    with store.reading() as connection:
        place = find_run(connection, run)
        document = document_at(connection, place)
        changes = () if place.before is None else differences(connection, find_run(connection, place.before), place)
    named = {"id": run, "release": str(place.row["release"]), "started_at": str(place.row["started_at"])}
    found: list[tuple[Event, str, str]] = [
        *_causes(place, document, [one.id for one in changes if one.kind == CAUSE and one.before == _NOT_SEEN]),
        *(
            ("flipped-reading", one.id, f"{one.before} -> {one.after}")
            for one in changes
            if one.kind == READING and one.before != "not observed" and one.after != "not observed"
        ),
        *(
            ("stale-waiver", _STALE.sub("", str(reason)), str(reason))
            for reason in document["summary"]["reasons"]
            if _STALE.match(str(reason))
        ),
    ]
    return tuple(Told(event, endpoint, owner, subject, words, named) for event, subject, words in found)


def _causes(place: Place, document: Mapping[str, object], new: list[str]) -> Iterator[tuple[Event, str, str]]:
    """The causes that the run before did not have; all of the first run."""
    rows = document["causes"]
    assert isinstance(rows, list)
    for row in rows:
        if place.before is None or row["id"] in new:
            yield "new-cause", str(row["id"]), f"{row['message']} ({row['cases']} of {row['of']} cases)"


def unreachable(endpoint: str, owner: str, said: str, at: datetime) -> Told:
    """That an endpoint cannot be reached; there may be no run that shows it."""
    words = shortened(visible(" ".join(said.split())), 500)
    return Told("unreachable", endpoint, owner, "", words, {}, at.isoformat(timespec="seconds"))
