"""Finds the message that changed what it may not: repeats the cases that were there, with nothing else under way.

What is open again was cancelled by a message that is known. What has gone may have gone by any message since the look
before, and at any time after it: the cases are repeated one by one beside a thing like it, with a look behind each, and,
where the change comes late, half by half. What no repeating shows is blamed on nobody: the last case that was there says so.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from conformance.checks.outcome import moved, undone
from conformance.dialects.base import CANCELLED, OPEN
from conformance.errors import Hindrance, NotCarriedOut
from conformance.model.spec import Operation
from conformance.model.verdict import CaseResult, Finding, Verdict
from conformance.run.books import Entry, Suspicion, Turn, bait_of, may_change
from conformance.run.evidence import Level, recorded, redacted_finding
from conformance.run.execute import Judged, execute_judged
from conformance.run.reconcile import look, look_at_these
from conformance.run.session import Session
from conformance.run.setting import Service, Setting, clean, observe, set_up

MOST_SUSPICIONS, _MOST_OF_A_KIND = 6, 2
"""Of one service, those first of which it is known best when they came about; what is wrong there shows in few of them."""
_OWN, _OTHERS = 32, 40
"""How many of the latest cases are repeated: those at the desk of the thing, and those at other desks."""
_NAME = "standing"
_BUDGET_S = 60.0
"""For how long cases are repeated, at the end of a run in which something was wrong."""
_MARGIN = 1.5
_LONGEST_S, _OLD_S = 2.5, 1.0
"""How long a repeated case is given to change something: as long as it took before, and no longer than this. How old a thing is before."""


async def balance(session: Session, patience_s: float | None = None) -> None:
    """The end of the books: a look at everything, once more when its time is over, and a finding for what is wrong.

    `patience_s` is that time where it is not the target's. Afterwards each case takes back what it sets up.
    """
    for name, service in session.services.items():
        books, desks = service.books, session.desks[name]
        if not books.open:
            continue
        wait_s = service.settle_s if patience_s is None else min(patience_s, service.settle_s)
        if session.stopped is None and any(page.standing or page.known for page in books.pages.values()):
            await look_at_all(session, name)
            await asyncio.sleep(wait_s * _MARGIN)
        for desk in desks:
            await look(service, desk, everything=True)
        books.open = False
        if session.stopped is None:
            await _explain(session, service, wait_s * _MARGIN)


async def look_at_all(session: Session, name: str, *, everything: bool = False) -> None:
    """One look at each desk of a service."""
    for desk in session.desks[name]:
        if desk.index in session.services[name].books.pages:
            await look(session.services[name], desk, everything=everything)


async def _explain(session: Session, service: Service, wait_s: float) -> None:
    """A result for each kind of thing that is wrong."""
    loop = asyncio.get_running_loop()
    until_s = loop.time() + _BUDGET_S
    books, tried, told = service.books, Counter[tuple[object, ...]](), set[tuple[object, ...]]()
    for suspicion in sorted(books.suspicions, key=lambda one: one.until_s - one.since_s):
        kind = (suspicion.entry.case.operation, suspicion.entry.need.state, suspicion.undone)
        if kind in told or tried[kind] >= _MOST_OF_A_KIND or tried.total() >= MOST_SUSPICIONS:
            continue
        if session.stopped is not None or loop.time() > until_s:
            break
        tried[kind] += 1
        try:
            result = await _Trial(session, service, suspicion, wait_s, until_s).result()
        except NotCarriedOut:
            continue
        if result is not None:
            session.on_result(result)
            if result.verdict is Verdict.FAIL:
                told.add(kind)
    opened = [one.entry for one in books.suspicions if one.undone]
    for entry in opened:
        await clean(service, _holding(entry), {})
    books.suspicions.clear()


def _holding(entry: Entry) -> Setting:
    return Setting(entry.desk, entry.case.role, handles=(entry.handle,))


class _Trial:
    """One suspicion, and the cases that are repeated for it."""

    def __init__(self, session: Session, service: Service, suspicion: Suspicion, wait_s: float, until_s: float) -> None:
        self.session, self.service, self.suspicion = session, service, suspicion
        self.wait_s = min(max(wait_s, _MARGIN * suspicion.stood_s), max(wait_s, _LONGEST_S))
        self.entry, self.until_s = suspicion.entry, until_s
        self.judged: dict[str, Judged] = {}

    async def result(self) -> CaseResult | None:
        """The finding on the case whose message did it; None where the thing stands as it must after all."""
        if not await self._still_wrong():
            return None
        own = Turn(self.entry.case, self.entry.desk, 0.0, 0.0, passed=True)
        if self.suspicion.undone:
            await self._repeat(own)
            return self._failed(own, undone(self._operation(own), own.case.expect, self.entry.words))
        turns = self._candidates()
        if await self._own_changes_later(own):
            return self._failed(own, self._moved(own, own=True))
        found, tidied = await self._at_once(turns)
        again, by_tidying = (None, False) if found is None else await self._at_once([found])
        # what does not show again may have come of any message beside it
        tidied = tidied or by_tidying or again is None
        if again is None:  # what comes late shows behind another case
            behind = turns if found is None else turns[: turns.index(found) + 1]
            late = await self._later(behind)
            if late is not None and await self._gone_behind([late]):  # it is this case alone, and not so many
                found, tidied = late, self.service.books.overflowed
        if found is not None:
            return self._failed(found, self._moved(found, tidied=tidied))
        return self._unexplained(turns[-1] if turns else own)

    def _moved(self, turn: Turn, *, own: bool = False, tidied: bool = False) -> Finding:
        """`tidied`: the thing was otherwise behind the calls that take back what the case has set up."""
        case = turn.case
        success = tidied or (not own and (case.cancels or bool(case.before)))
        return moved(
            self._operation(turn), case.expect, self.entry.words, self.suspicion.seen, own=own, success=success
        )

    def _operation(self, turn: Turn) -> Operation:
        return self.session.contract.operations[turn.case.operation]

    async def _still_wrong(self) -> bool:
        seen = await observe(self.service, _holding(self.entry))
        return (
            bool(seen)
            and set(seen.values()) <= {OPEN, CANCELLED}
            and set(seen.values()) != set(self.entry.expected.values())
        )

    def _candidates(self) -> list[Turn]:
        there = [turn for turn in self.service.books.there_since(self.suspicion) if not self._by_right(turn)]
        here = [turn for turn in there if turn.desk.index == self.entry.desk.index][-_OWN:]
        others = [turn for turn in there if turn.desk.index != self.entry.desk.index][-_OTHERS:]
        return sorted((*here, *others), key=lambda turn: turn.ended_s)

    def _by_right(self, turn: Turn) -> bool:
        """Whether a case may change a thing such as this, or what it sets up takes its place: repeating it says nothing."""
        return may_change(turn.case, self._operation(turn), turn.desk, self.entry)

    async def _repeat(self, turn: Turn) -> None:
        case, kit = turn.case, self.session.kits[turn.case.operation]
        self.judged[case.id] = await execute_judged(case, kit, self.service, turn.desk, self.session.judge)

    async def _own_changes_later(self, own: Turn) -> bool:
        """Whether what the case itself has set up changes when it is over."""
        books = self.service.books
        before, books.open = len(books.suspicions), True
        try:
            await self._repeat(own)
            await asyncio.sleep(self.wait_s)
        finally:
            await look_at_these(self.service, own.desk)
            books.open = False
        later = [one for one in books.suspicions[before:] if one.entry.case is own.case and not one.undone]
        del books.suspicions[before:]
        return bool(later)

    async def _at_once(self, turns: Sequence[Turn]) -> tuple[Turn | None, bool]:
        """The case behind which the thing is otherwise at once, and whether only behind its clean-up."""
        books = self.service.books
        bait = await self._bait()
        try:
            await asyncio.sleep(min(self.suspicion.stood_s, _OLD_S))
            for turn in turns:
                if self._too_late():
                    break
                books.holds_all, books.overflowed = True, False
                await self._repeat(turn)
                books.holds_all = False
                if await self._gone(bait):
                    return turn, books.overflowed
                await look_at_these(self.service, turn.desk, blind=True)
                if await self._gone(bait):
                    return turn, True
            return None, False
        finally:
            books.holds_all, books.apart = False, 0
            await clean(self.service, bait, {})

    async def _later(self, turns: Sequence[Turn]) -> Turn | None:
        """The case some time behind which the thing is otherwise: half by half."""
        if not turns or self._too_late() or not await self._gone_behind(turns):
            return None
        while len(turns) > 1 and not self._too_late():
            first, second = turns[: len(turns) // 2], turns[len(turns) // 2 :]
            turns = first if await self._gone_behind(first) else second
        return turns[0]

    async def _gone_behind(self, turns: Sequence[Turn]) -> bool:
        bait, books = await self._bait(), self.service.books
        try:
            books.holds_all, books.overflowed = True, False
            for turn in turns:
                await self._repeat(turn)
            await asyncio.sleep(self.wait_s)
            return await self._gone(bait)
        finally:
            books.holds_all, books.apart = False, 0
            for desk in {turn.desk.index: turn.desk for turn in turns}.values():
                await look_at_these(self.service, desk, blind=True)
            await clean(self.service, bait, {})

    def _too_late(self) -> bool:
        return self.session.stopped is not None or asyncio.get_running_loop().time() > self.until_s

    async def _bait(self) -> Setting:
        setting = Setting(self.entry.desk, self.entry.case.role)
        await set_up({_NAME: bait_of(self.entry)}, 0, self.service, setting)
        self.service.books.apart = sum(len(handle.before) for handle in setting.handles)
        return setting

    async def _gone(self, bait: Setting) -> bool:
        seen = await observe(self.service, bait)
        return bool(seen) and CANCELLED in seen.values()

    def _failed(self, turn: Turn, finding: Finding) -> CaseResult | None:
        """The result of a case with a finding; None of one that was a failure already."""
        judged = self.judged[turn.case.id]
        if not turn.passed or judged.result.verdict is not Verdict.PASS:
            return None
        known = self.service.sessions.vault.known
        exchanges = recorded(judged.traced, judged.secrets, known, level=Level.FULL)
        finding = redacted_finding(finding, (*judged.secrets, *known))
        return replace(judged.result, verdict=Verdict.FAIL, findings=(finding,), exchanges=exchanges, revised=True)

    def _unexplained(self, turn: Turn) -> CaseResult | None:
        """Nobody is blamed: who sees what happened there must be told, and there may be others who trade there."""
        judged = self.judged.get(turn.case.id)
        if judged is None or not turn.passed or judged.result.verdict is not Verdict.PASS:
            return None
        reason = f"{self.entry.words} changed while this or an earlier case was carried out, and repeating them did not show why"
        return replace(
            judged.result, verdict=Verdict.NOT_VERIFIED, reason=reason, hindrance=Hindrance.OTHER, revised=True
        )
