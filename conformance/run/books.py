"""The books of a run: what it has set up and left standing, how that must stand by the contract, and who was there since.

A case that came out right does not take back at once what must stand as it stood: it is bait for the cases that follow,
of the same desk and of others. What was seen to be cancelled is remembered, too. A look at a desk asks once for each
place, however much stands there. What no message may have changed and is otherwise is a suspicion; `blame` finds the
message. This module only keeps account; `reconcile` looks.
"""

from __future__ import annotations

import itertools
from collections import Counter, deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from conformance.cases.message import fill
from conformance.dialects.base import CANCELLED, EXECUTED, OPEN, Handle
from conformance.endpoint.desks import Desk
from conformance.endpoint.model import MAX_BAIT, Binding
from conformance.errors import HarnessError
from conformance.model.case import Case, StateNeed
from conformance.model.spec import Operation
from conformance.values import value_class

SOME, ENOUGH = 12, 24
"""How many new things at a desk are worth a look before some of them make way; how many that stand there are worth one,
once the oldest had time to change."""
_REMEMBERED, _LOGGED, _PART = 2048, 2048, 128
_ALL, _QUOTE = "cancel-all", "-quote"
_SETTLED = (OPEN, CANCELLED, EXECUTED)
_NO_NEED = StateNeed("")
_PLACE = ("account", "instrument", "role", "side", "client")


@value_class(frozen=True, slots=True)
class Entry:
    """One thing that was set up, under a name of its own, and how each part of it must stand."""

    handle: Handle
    expected: Mapping[str, str]
    case: Case
    need: StateNeed
    account: Binding | None
    """None where things are in no account."""
    desk: Desk
    kept_s: float
    """When its case was done with it, on the clock of the event loop."""
    looked_s: float
    """When somebody saw it last to stand as it must."""

    @property
    def stands(self) -> bool:
        """Whether it must be open, and so has to be taken back."""
        return OPEN in self.expected.values()

    @property
    def orders(self) -> int:
        """How many open orders it is: a quote is two."""
        return len(self.expected)

    @property
    def is_quote(self) -> bool:
        """Whether it is a quote."""
        return self.need.state.endswith(_QUOTE)

    @property
    def words(self) -> str:
        """What it is and where, without its ids."""
        account = self.need.params.get("account", "")
        return f"{self.need.state} in {str(account).strip('${}')}" if account else self.need.state


@value_class(frozen=True, slots=True)
class Suspicion:
    """Something that is not as it must be, and when that has come about."""

    entry: Entry
    seen: str
    since_s: float
    until_s: float

    @property
    def undone(self) -> bool:
        """Whether it is open again."""
        return self.seen == OPEN

    @property
    def stood_s(self) -> float:
        """How long it stood at the most before it changed."""
        return self.until_s - self.entry.kept_s


@value_class(frozen=True, slots=True)
class Turn:
    """A case that was carried out, where and when."""

    case: Case
    desk: Desk
    began_s: float
    ended_s: float
    passed: bool


@dataclass(slots=True)
class Page:
    """What is known of one desk."""

    standing: list[Entry] = field(default_factory=list)
    known: deque[Entry] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    """What need not be taken back: it is cancelled, or stands there for good. The next to be looked at comes first."""
    fresh: int = 0
    """How many things have come since the last look."""

    @property
    def orders(self) -> int:
        """How many orders stand there."""
        return sum(entry.orders for entry in self.standing)

    def take(self, *, everything: bool) -> tuple[list[Entry], list[Entry]]:
        """All that stands there, and a part of what is known; who takes it has to look at it, and to put it back."""
        standing, self.standing = self.standing, []
        count = len(self.known) if everything else min(len(self.known), _PART)
        return standing, [self.known.popleft() for _ in range(count)]


@dataclass(slots=True)
class Books:
    """The books of one service."""

    open: bool = False
    """Whether anything is kept; else each case takes back at once what it set up."""
    holds_all: bool = False
    """Whether everything stays that cases set up, as long as one case is repeated: what takes back is a message as well."""
    most: int = MAX_BAIT
    """How many orders may stand at a desk when no case needs them any more."""
    apart: int = 0
    """How many orders of these stand there beside what is in the books, for cases that are repeated."""
    overflowed: bool = False
    """Whether something had to be taken back that should have stayed as long as one case is repeated."""
    pages: dict[int, Page] = field(default_factory=dict)
    suspicions: list[Suspicion] = field(default_factory=list)
    turns: deque[Turn] = field(default_factory=lambda: deque(maxlen=_LOGGED))
    common: frozenset[Binding] = frozenset()
    """Accounts that several desks have: nobody knows who changes what stands there."""
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def begin(self, desks: Sequence[Desk]) -> None:
        """Keep from now on what cases set up at these desks; nothing where nothing may stand there."""
        bound = Counter(number for desk in desks for number in set(desk.bindings.values()))
        self.common = frozenset(number for number, count in bound.items() if count > 1)
        self.open = self.most > 0

    def page(self, desk: Desk) -> Page:
        """The page of a desk."""
        return self.pages.setdefault(desk.index, Page())

    def keep(
        self, case: Case, operation: Operation, desk: Desk, handles: Sequence[Handle], after: Mapping[str, str],
        now_s: float,
    ) -> tuple[Handle, ...]:  # fmt: skip
        """Take into the books what must stay as it was seen last; those of the handles that do not stay standing."""
        page, done = self.page(desk), []
        if self.holds_all:
            return self._hold(case, desk, handles, now_s)
        if not self.open or case.race or case.provoke is not None or case.lane == "alone":
            return tuple(handles)
        for handle in handles:
            entry = self._entry(case, operation, desk, handle, after, now_s)
            stays = entry is not None and entry.stands and page.orders + entry.orders <= self.most
            if not stays:
                done.append(handle)
            if entry is not None:
                page.fresh += 1
                if stays or not entry.stands:
                    (page.standing if stays else page.known).append(entry)
        return tuple(done)

    def _hold(self, case: Case, desk: Desk, handles: Sequence[Handle], now_s: float) -> tuple[Handle, ...]:
        """Keep everything, whatever became of it, as far as it may stand there; the rest of the handles."""
        page, done = self.page(desk), []
        for handle in handles:
            entry = Entry(handle, dict(handle.before), case, _NO_NEED, None, desk.for_case(""), now_s, now_s)
            if self.apart + page.orders + entry.orders <= self.most:
                page.standing.append(entry)
            else:
                done.append(handle)
        self.overflowed = self.overflowed or bool(done)
        return tuple(done)

    def _entry(
        self, case: Case, operation: Operation, desk: Desk, handle: Handle, after: Mapping[str, str], now_s: float
    ) -> Entry | None:
        need, expected = case.states.get(handle.name), expected_of(case, handle, after)
        if need is None or not expected or len(set(expected.values())) > 1:
            return None
        if case.twin is not None and need.state.endswith(_QUOTE):
            return None  # that of the twin, which was set up behind it, may have taken its place
        account = account_of(need, operation, desk)
        if account is None and _accounts(operation):
            return None
        if account in self.common:
            return None
        prefix = f"{next(self._numbers)}:"
        return Entry(
            handle.renamed(prefix), {prefix + name: word for name, word in expected.items()}, case, need, account,
            desk.for_case(""), now_s, now_s,
        )  # fmt: skip

    def in_the_way(self, case: Case, operation: Operation, desk: Desk) -> list[Entry]:
        """What stands at a desk and this case may change, taken out of the books."""
        page = self.pages.get(desk.index)
        if page is None or not page.standing or case.lane == "shared":
            return []
        reached = _Reach(case, operation, desk)
        found = [entry for entry in page.standing if reached.includes(entry)]
        page.standing = [entry for entry in page.standing if entry not in found]
        return found

    def is_due(self, desk: Desk, now_s: float, settle_s: float) -> bool:
        """Whether a look at a desk is worth its messages."""
        page = self.pages.get(desk.index)
        if page is None or page.fresh < SOME:
            return False
        ripe = len(page.standing) >= ENOUGH and page.standing[0].kept_s + settle_s <= now_s
        return ripe or page.orders >= self.most - 1  # where only one more has room, a quote has none

    def compare(self, entries: Iterable[Entry], seen: Mapping[str, str], now_s: float) -> list[Entry]:
        """Note what is otherwise than it must be; the others, as they were seen. What nobody shows says nothing."""
        right: list[Entry] = []
        for entry in entries:
            words = {seen[name] for name in entry.expected if name in seen}
            expected = set(entry.expected.values())
            if words and words <= {OPEN, CANCELLED} and words != expected and EXECUTED not in expected:
                word = next(iter(words - expected))
                self.suspicions.append(Suspicion(entry, word, entry.looked_s, now_s))
            else:
                right.append(replace(entry, looked_s=now_s) if words else entry)
        return right

    def there_since(self, suspicion: Suspicion) -> list[Turn]:
        """The cases that were under way when it came about, those of other desks as well, in the order of their ends."""
        return [turn for turn in self.turns if turn.ended_s >= suspicion.since_s and turn.began_s <= suspicion.until_s]


def expected_of(case: Case, handle: Handle, after: Mapping[str, str]) -> dict[str, str]:
    """How the parts of a thing must stand from now on: as no right answer changes them, or cancelled as they were seen.

    Empty where that is not certain of each of them.
    """
    alternatives = [one for expect in case.expectations for one in expect.any_of]
    expected = {}
    for name, before in handle.before.items():
        now = after.get(name)
        untouched = now == before and all(name in one.untouched for one in alternatives)
        if now not in _SETTLED or not (untouched or now == CANCELLED != before):
            return {}
        expected[name] = now
    return expected


def _accounts(operation: Operation) -> Mapping[str, tuple[str, ...]]:
    return operation.explore.accounts if operation.explore is not None else {}


def account_of(need: StateNeed, operation: Operation, desk: Desk) -> Binding | None:
    """The account that a state is in; None where the operation knows none, or the target does not bind it."""
    if not _accounts(operation):
        return None
    return _filled(need, "account", desk)


def _filled(need: StateNeed, param: str, desk: Desk) -> str | int | None:
    try:
        text = fill(str(need.params.get(param, f"${{{param}}}")), desk.bindings)
    except HarnessError:
        return None
    return int(text) if text.isdecimal() else text


@dataclass(slots=True)
class _Reach:
    """What a case may change beyond that which it sets up itself."""

    case: Case
    operation: Operation
    desk: Desk
    _quotes: Collection[tuple[Binding | None, ...]] | None = None

    def includes(self, entry: Entry) -> bool:
        """Whether the thing is in an account that the case may empty, or is a quote that one of its own may replace."""
        if entry.account is None:
            return False
        if self.case.race or self.case.provoke is not None:
            return True
        return self._may_empty(entry.account) or (entry.is_quote and _place(entry.need, entry.desk) in self._places())

    def _may_empty(self, account: Binding) -> bool:
        explored = self.operation.explore
        if explored is None or explored.model != _ALL:
            return explored is None
        roles = {self.case.role, *((self.case.twin.role,) if self.case.twin is not None else ())}
        if roles & set(explored.every):
            return True
        return any(
            account == self.desk.bindings.get(name) for role in roles for name in explored.accounts.get(role, ())
        )

    def _places(self) -> Collection[tuple[Binding | None, ...]]:
        if self._quotes is None:
            self._quotes = {
                _place(need, self.desk) for need in self.case.states.values() if need.state.endswith(_QUOTE)
            }
        return self._quotes


def _place(need: StateNeed, desk: Desk) -> tuple[Binding | None, ...]:
    return _filled(need, "account", desk), _filled(need, "instrument", desk)


def may_change(case: Case, operation: Operation, desk: Desk, entry: Entry) -> bool:
    """Whether a case may change the thing of an entry by right: in an account that it may empty, or by a quote in its place."""
    return _Reach(case, operation, desk).includes(entry)


def bait_of(entry: Entry) -> StateNeed:
    """A state like that of an entry, for another case to find in its way."""
    kept = {name: value for name, value in entry.need.params.items() if name in _PLACE and name != "client"}
    return StateNeed(entry.need.state, kept)
