"""What a run sets up on a target, written down before it is sent for: a run that is killed loses sight of nothing.

Three kinds of lines go into the journal. `set-up` names what is about to be asked for: where, as which role, under which
number of the client's. `made` has the ids that were answered. `over` says that nothing of it stands any more, or ever
did. What has a `set-up` and no `over` may still be open, and `conformance target clean` looks for it.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from conformance.endpoint.redact import redact

SET_UP, MADE, OVER = "set-up", "made", "over"
KINDS = (SET_UP, MADE, OVER)
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
    unseen: int = 0
    """Of how many the service would not show whether they stand open."""
    lost: list[str] = field(default_factory=list)
    """What may be open and has no id that could be trusted, in words."""
    _open: set[str] = field(default_factory=set)
    _prefix: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    _count: int = 0

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
            self._open.add(key)
        self.write(lines, True)
        return tuple(str(line["key"]) for line in lines)

    def made(self, key: str, ids: Iterable[Any]) -> None:
        """Write down the ids that were answered."""
        self.write([{"type": MADE, "key": key, "ids": [self._bare(one) for one in ids]}], True)

    def stands(self, key: str) -> bool:
        """Whether nobody has said that it is over."""
        return key in self._open

    def over(self, keys: Iterable[str]) -> None:
        """Write down, in no hurry, that nothing of these stands any more."""
        ended = [key for key in dict.fromkeys(keys) if key in self._open]
        self._open.difference_update(ended)
        if ended:
            self.write([{"type": OVER, "keys": ended}], False)

    def _bare(self, value: Any) -> Any:
        """The value without anything that is a secret of the run, whoever put it there."""
        if isinstance(value, Mapping):
            return {str(name): self._bare(one) for name, one in value.items()}
        if isinstance(value, str):
            return redact(value, self.secrets)
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
        if before.ids is not None or not isinstance(ids, list):
            raise ValueError("no ids, or a second time")
        self.set_ups[key] = SetUp(key, before.service, before.desk, before.role, before.state, before.what, tuple(ids))


def lines_of(one: SetUp) -> tuple[Line, ...]:
    """The lines of a set-up, as a journal has them."""
    begun = {"service": one.service, "desk": one.desk, "role": one.role, "state": one.state, "what": one.what}
    made = () if one.ids is None else ({"type": MADE, "key": one.key, "ids": list(one.ids)},)
    return ({"type": SET_UP, "key": one.key, **begun}, *made)
