"""Follows what the traffic itself shows of orders and quotes: opened, listed, cancelled.

A call that was told a success has cancelled what it names; a list that was asked for later must not show it. An order is not
cancelled twice. What was listed before and after a call cannot have been unknown to it. All else stays unknown: others may
have acted, unless the reader is told that nobody did (`alone`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from conformance.checks.outcome import CANCELLED, EFFECT, OUTCOME, TOUCHED, UNDONE
from conformance.checks.registry import Check, Stage
from conformance.model.spec import Operation
from conformance.model.verdict import Finding

Key = tuple[str, Any, Any]
"""Host, Order Management System or service, and the id of a thing."""
MOST_EVENTS = 200_000
"""So much of a recording is followed; what comes later is judged by itself."""
NOT_FOUND = 104
AGAIN = Check(
    "again",
    "of what was cancelled with success, no later call is told a success",
    Stage.CASE,
    speaks_for="the requirement on a second call",
)


@dataclass(slots=True)
class Deed:
    """One call that cancels, as it was answered, and what came to light about it later."""

    result: str
    """The id of its result."""
    operation: Operation
    origin: str
    session: str
    started_s: float
    ended_s: float
    oms: Any = None
    account: Any = None
    named: tuple[tuple[Key, bool | None], ...] = ()
    """The things that it names, each with whether it was told a success; None where that cannot be said."""
    sweeps: bool = False
    """Whether it was told that all of an account was cancelled."""
    refused: bool = False
    """Whether no part of its answer is a success."""
    code: Any = None
    findings: list[Finding] = field(default_factory=list)
    shown: set[Key] = field(default_factory=set)
    """Of what it was to cancel, what a later list does not show; of what it was refused, what one does."""
    missed: set[Key] = field(default_factory=set)

    @property
    def effect_seen(self) -> bool:
        """Whether all that it names was looked at afterwards."""
        if self.missed:
            return True
        wanted = {key for key, _ in self.named}
        return bool(self.shown) and wanted <= self.shown


@dataclass(frozen=True, slots=True)
class Opened:
    """A thing that was made, in an account."""

    at_s: float
    keys: tuple[Key, ...]
    account: Any
    session: str
    quote: bool = False


@dataclass(frozen=True, slots=True)
class Listed:
    """What an account had open: the ids, when it was asked, and whether what is not there is not open."""

    asked_s: float
    at_s: float
    origin: str
    oms: Any
    account: Any
    ids: tuple[Any, ...]
    session: str
    whole: bool


Event = Deed | Opened | Listed


@dataclass(slots=True)
class _Known:
    """What is known of one thing."""

    account: Any
    session: str
    quote: bool = False
    open_at_s: float = 0.0
    told: Deed | None = None
    """The call that was told that it is cancelled."""
    refused: list[Deed] = field(default_factory=list)
    since: list[Deed] = field(default_factory=list)
    """Every call since it was last seen open."""


def follow(events: Sequence[Event], settle_s: float, *, alone: bool) -> None:
    """Take the events in their order and write into the deeds what they show; `settle_s` is how long an effect may take."""
    ledger = _Ledger(settle_s, alone)
    for event in sorted(events, key=_when):
        if isinstance(event, Opened):
            ledger.opened(event)
        elif isinstance(event, Deed):
            ledger.done(event)
        else:
            ledger.listed(event)


def _when(event: Event) -> float:
    return event.ended_s if isinstance(event, Deed) else event.at_s


class _Ledger:
    def __init__(self, settle_s: float, alone: bool) -> None:
        self._settle_s, self._alone = settle_s, alone
        self._things: dict[Key, _Known] = {}
        self._places: dict[tuple[str, Any, Any], set[Key]] = {}

    def opened(self, event: Opened) -> None:
        for key in event.keys:
            self._things[key] = _Known(event.account, event.session, event.quote, event.at_s)
            self._places.setdefault((key[0], key[1], event.account), set()).add(key)

    def done(self, deed: Deed) -> None:
        if self._alone:
            for one in self._things.values():
                one.since.append(deed)
        for key, success in deed.named:
            known = self._things.setdefault(key, _Known(deed.account, ""))
            if success:
                self._again(deed, key, known)
                known.told = known.told or deed
            elif success is False:
                known.refused.append(deed)
        if deed.sweeps:
            for key in self._places.get((deed.origin, deed.oms, deed.account), ()):
                known = self._things[key]
                if not known.quote and known.open_at_s < deed.started_s:
                    known.told = known.told or deed

    def _again(self, deed: Deed, key: Key, known: _Known) -> None:
        requirement = second_call(deed.operation)
        first = known.told
        if first is None or first.sweeps or not requirement or first.operation is not deed.operation:
            return
        message = "what was cancelled with success is cancelled with success once more"
        deed.findings.append(
            AGAIN.finding_on(requirement, message, "no second success", f"a success, as in {first.result}", f"{key[2]}")
        )

    def listed(self, event: Listed) -> None:
        shown = {(event.origin, event.oms, one) for one in event.ids}
        place = self._places.setdefault((event.origin, event.oms, event.account), set())
        for key in sorted(shown, key=str):
            known = self._things.setdefault(key, _Known(event.account, event.session))
            place.add(key)
            self._still_open(key, known, event)
        for key in sorted(place - shown, key=str) if event.whole else ():
            self._gone(key, self._things[key], event)

    def _still_open(self, key: Key, known: _Known, event: Listed) -> None:
        told = known.told
        if told is not None and told.ended_s + self._settle_s <= event.asked_s:
            known.told = None
            told.missed.add(key)
            operation = told.operation
            message = "what was reported cancelled is listed as open afterwards"
            requirement = operation.effect_of_success
            if requirement:
                told.findings.append(
                    EFFECT.finding_on(requirement, message, CANCELLED, "open", f"{key[2]}", way=UNDONE)
                )
        if told is None:
            self._as_if_unknown(key, known, event)
            known.refused.clear()
            known.since.clear()
        known.account, known.open_at_s, known.session = event.account, event.at_s, event.session

    def _as_if_unknown(self, key: Key, known: _Known, event: Listed) -> None:
        """Calls that were refused: the thing stayed, and where it stood open before and after, it was there."""
        for deed in known.refused:
            if deed.ended_s > event.asked_s:
                continue
            deed.shown.add(key)
            one_caller = deed.session and deed.session == known.session == event.session
            there = 0 < known.open_at_s < deed.started_s and deed.account == known.account == event.account
            requirement = _not_found(deed.operation)
            if deed.code == NOT_FOUND and one_caller and there and requirement and not known.quote:
                message = "an order is not found that the same caller has open before and after"
                deed.findings.append(
                    OUTCOME.finding_on(requirement, message, "another answer than code 104", "code 104", f"{key[2]}")
                )

    def _gone(self, key: Key, known: _Known, event: Listed) -> None:
        if known.told is not None:
            known.told.shown.add(key)
        elif self._alone and 0 < known.open_at_s < event.asked_s:
            calls = [one for one in known.since if one.ended_s <= event.asked_s]
            if len(calls) == 1 and not known.quote:
                self._taken(key, calls[0])
        known.open_at_s = 0.0
        known.since.clear()
        known.refused.clear()

    def _taken(self, key: Key, deed: Deed) -> None:
        """Nobody else acted, so this call has cancelled what it does not name, or what it was refused."""
        operation = deed.operation
        of_refusal = operation.attribution.get("effect", "")
        requirement = of_refusal if deed.refused else operation.effect_beyond
        deed.missed.add(key)
        if requirement:
            message = "what should not have been touched is no longer open"
            deed.findings.append(
                EFFECT.finding_on(requirement, message, "open", "not listed", f"{key[2]}", way=TOUCHED)
            )


def second_call(operation: Operation) -> str:
    """The requirement that a second success breaks; empty where the document allows one."""
    told = operation.explore
    if told is None:
        return ""
    return {"cancel-one": told.requirement.get("again", ""), "cancel-list": told.requirement.get("twice", "")}.get(
        told.model, ""
    )


def _not_found(operation: Operation) -> str:
    return next((one.requirement for one in operation.codes if one.code == str(NOT_FOUND)), "")


def twice_in_one(deed: Deed) -> Iterator[Finding]:
    """One list that names a thing twice: at most one of the two succeeds."""
    requirement = second_call(deed.operation)
    seen: set[Key] = set()
    for key, success in deed.named if requirement else ():
        if success and key in seen:
            message = "one thing is cancelled with success twice in one list"
            yield AGAIN.finding_on(requirement, message, "one success", "two", f"{key[2]}")
        if success:
            seen.add(key)


def deeds_of(events: Iterable[Event]) -> Iterator[Deed]:
    """The calls among the events."""
    return (one for one in events if isinstance(one, Deed))
