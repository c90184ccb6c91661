"""What a run sets up on a target, written down before it is sent for: a run that is killed loses sight of nothing.

Five kinds of lines go into the journal. `set-up` names what is about to be asked for: where, as which role, under which
number of the client's. `made` has the ids that were answered; a second one without ids says that those were worth
nothing. `refused` says that the service claims to have made nothing, `not-shown` that it was not seen to stand open when it
was new. `over` says that nothing of it was seen to stand any more. What has a `set-up` and no `over` may still be open: the
run looks for it at its end, and `conformance target clean` after a run that was killed.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from conformance.endpoint.redact import redact

SET_UP, MADE, REFUSED, NOT_SHOWN, OVER = "set-up", "made", "refused", "not-shown", "over"
KINDS = (SET_UP, MADE, REFUSED, NOT_SHOWN, OVER)
Line = Mapping[str, Any]
Write = Callable[[Sequence[Line], bool], None]
"""Keeps lines; with true they have to be out of this process when it returns."""


def forget(_lines: Sequence[Line], _now: bool) -> None:
    """What becomes of lines where nobody keeps a journal."""


@dataclass(frozen=True, slots=True)
class SetUp:
    """One thing that a run has asked a service for."""

    key: str
    service: str
    desk: int
    role: str
    """Who asked; "" where it was no role but a hook or a command."""
    state: str
    what: Mapping[str, Any]
    """Where, and what it was asked for with; the provider that asked knows the members."""
    ids: tuple[Any, ...] | None = None
    """As they were answered; None when no answer is known."""
    refused: bool = False
    """Whether the service says that it made nothing."""
    not_shown: bool = False
    """Whether it was looked for when it was new, and not shown as open."""


SHOWN = 200
"""How much of an answer reasons show."""


def words_of(one: SetUp) -> str:
    """What was asked for, in words: its ids, or the number that it was asked for under."""
    thing, number = str(one.what.get("thing", one.state)), one.what.get("client")
    ids = " and ".join(f"{each}"[:SHOWN] for each in one.ids or () if each is not None)
    ids = ids or (f"under the number {number}"[:SHOWN] if number else "without a known id")
    account = one.what.get("account")
    return f"{thing} {ids}" + ("" if account is None else f" of account {account}"[:SHOWN])


class Fate(StrEnum):
    """What became of a thing that may have been left open."""

    TAKEN_BACK = "taken back"
    CLOSED = "not open"
    OPEN = "still open"
    UNKNOWN = "not known"

    @property
    def good(self) -> bool:
        """Whether nothing is left open."""
        return self in (Fate.TAKEN_BACK, Fate.CLOSED)


@dataclass(frozen=True, slots=True)
class Found:
    """What was found out about one set-up, and done about it, in words."""

    key: str
    fate: Fate
    words: str


@dataclass(slots=True)
class SetUps:
    """The set-ups of one service in this run."""

    service: str = ""
    write: Write = forget
    secrets: Collection[str] = ()
    """What no line may hold; it grows as the run goes."""
    unseen: set[str] = field(default_factory=set)
    """Keys of those of which the service would not show whether they stand open."""
    said: set[str] = field(default_factory=set)
    """Keys of what the service says is open no more; what it shows may differ."""
    named: set[str] = field(default_factory=set)
    """Keys of what was seen to stand open, would not be cancelled, and was named: nobody need look for it again."""
    _open: dict[str, SetUp] = field(default_factory=dict)
    _taken: set[str] = field(default_factory=set)
    _prefix: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    _count: int = 0
    _texts: dict[str, str] = field(default_factory=dict)
    """Few words stand in many lines: what became of each, of as many secrets as were known then."""
    _looked_for: int = 0

    def begin(self, state: str, desk: int, role: str, whats: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
        """Write down what is about to be asked for; the key of each, in order.

        Raises `StateUnavailable` where it cannot be written down: then nothing is asked for.
        """
        lines = []
        for what in whats:
            self._count += 1
            key = f"{self._prefix}.{self._count}"
            told = {"service": self.service, "desk": desk, "role": role, "state": state, "what": self._bare(what)}
            lines.append({"type": SET_UP, "key": key, **told})
            self._open[key] = SetUp(key, self.service, desk, role, state, told["what"])
        self.write(lines, True)
        return tuple(str(line["key"]) for line in lines)

    def made(self, key: str, ids: Iterable[Any]) -> None:
        """Write down the ids that were answered; none when those that were answered turn out to be worth nothing."""
        bare = [self._bare(one) for one in ids]
        if key in self._open:
            self._open[key] = replace(self._open[key], ids=tuple(bare))
        self.write([{"type": MADE, "key": key, "ids": bare}], True)

    def refused(self, key: str) -> None:
        """Write down, in no hurry, that the service claims to have made nothing."""
        if key in self._open:
            self._open[key] = replace(self._open[key], refused=True)
        self.write([{"type": REFUSED, "keys": [key]}], False)

    def not_shown(self, keys: Iterable[str]) -> None:
        """Write down, in no hurry, that the service did not show these as open when they were new."""
        named = list(keys)
        self.unseen.update(named)
        self._open.update({key: replace(self._open[key], not_shown=True) for key in named if key in self._open})
        self.write([{"type": NOT_SHOWN, "keys": named}], False)

    def standing(self, keys: Iterable[str]) -> tuple[SetUp, ...]:
        """Those of which nobody has said that they are over."""
        return tuple(self._open[key] for key in dict.fromkeys(keys) if key in self._open)

    def take(self) -> tuple[SetUp, ...]:
        """All of which nobody knows whether they are over, once: who takes them looks for them."""
        left = tuple(one for key, one in self._open.items() if key not in self._taken | self.named)
        self._taken.update(one.key for one in left)
        return left

    def over(self, keys: Iterable[str]) -> None:
        """Write down, in no hurry, that nothing of these stands any more."""
        ended = [key for key in dict.fromkeys(keys) if self._open.pop(key, None) is not None]
        if ended:
            self.write([{"type": OVER, "keys": ended}], False)

    def _bare(self, value: Any) -> Any:
        """The value without anything that is a secret of the run, whoever put it there."""
        if isinstance(value, Mapping):
            return {str(name): self._bare(one) for name, one in value.items()}
        if isinstance(value, str):
            if len(self.secrets) > self._looked_for:
                self._texts, self._looked_for = {}, len(self.secrets)
            if value not in self._texts:
                self._texts[value] = redact(value, self.secrets)
            return self._texts[value]
        return None if str(value) in self.secrets else value


@dataclass(slots=True)
class LeftOpen:
    """Reads the lines of a journal: what may still be open, and how many lines cannot be understood."""

    set_ups: dict[str, SetUp] = field(default_factory=dict)
    broken: int = 0
    _over: set[str] = field(default_factory=set)

    def take(self, raw: Any) -> None:
        """One line as it was read; what is no such line is passed over."""
        kind = raw.get("type") if isinstance(raw, dict) else None
        if kind not in KINDS:
            return
        try:
            if kind == SET_UP:
                self._begin(raw)
            elif kind == MADE:
                self._made(raw["key"], raw["ids"])
            elif kind in (REFUSED, NOT_SHOWN):
                for key in raw["keys"]:
                    before = self.set_ups[key]
                    refused, not_shown = before.refused or kind == REFUSED, before.not_shown or kind == NOT_SHOWN
                    self.set_ups[key] = replace(before, refused=refused, not_shown=not_shown)
            else:
                for key in raw["keys"]:
                    self._over.add(key)
                    self.set_ups.pop(key, None)
        except (AttributeError, KeyError, TypeError, ValueError):
            self.broken += 1

    def _begin(self, raw: Mapping[str, Any]) -> None:
        texts = [raw[name] for name in ("key", "service", "role", "state")]
        if not all(isinstance(text, str) for text in texts) or type(raw["desk"]) is not int or raw["desk"] < 0:
            raise ValueError("no set-up")
        if raw["key"] in self.set_ups or raw["key"] in self._over:
            raise ValueError("two of one key")
        key, service, role, state = texts
        self.set_ups[key] = SetUp(key, service, raw["desk"], role, state, dict(raw["what"].items()))

    def _made(self, key: str, ids: Any) -> None:
        before = self.set_ups[key]
        if not isinstance(ids, list) or (before.ids is not None and ids):
            raise ValueError("no ids, or a second time")
        self.set_ups[key] = replace(before, ids=tuple(ids))


def lines_of(one: SetUp) -> tuple[Line, ...]:
    """The lines of a set-up, as a journal has them."""
    begun = {"service": one.service, "desk": one.desk, "role": one.role, "state": one.state, "what": one.what}
    made = () if one.ids is None else ({"type": MADE, "key": one.key, "ids": list(one.ids)},)
    refused = ({"type": REFUSED, "keys": [one.key]},) if one.refused else ()
    not_shown = ({"type": NOT_SHOWN, "keys": [one.key]},) if one.not_shown else ()
    return ({"type": SET_UP, "key": one.key, **begun}, *made, *refused, *not_shown)
