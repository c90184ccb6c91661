"""Reconciles the books with what the service shows: before a case what is in its way, after many cases the whole desk."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from conformance.checks.answer import Judgement
from conformance.endpoint.desks import Desk
from conformance.errors import NotCarriedOut
from conformance.model.case import Case
from conformance.model.spec import Operation
from conformance.model.verdict import Verdict
from conformance.run.books import SOME, Entry, Turn
from conformance.run.judgement import came_to
from conformance.run.setting import Service, Setting, clean

_AT_ONCE = 1024
"""How many things one question names, where it has to name them."""


async def make_way(case: Case, operation: Operation, service: Service, desk: Desk) -> None:
    """Take back what a case may change by right: afterwards nobody could tell. What stood for a while is looked at first."""
    found = service.books.in_the_way(case, operation, desk)
    if not found:
        return
    loop, seen = asyncio.get_running_loop(), dict[str, str]()
    page = service.books.page(desk)
    if page.fresh >= SOME and found[0].looked_s + service.settle_s <= loop.time():
        page.fresh = 0
        seen.update(await _seen(service, found))
        service.books.compare(found, seen, loop.time())
    await _take_back(service, found, seen)


async def hand_over(
    case: Case, operation: Operation, service: Service, setting: Setting, judgement: Judgement | None,
    after: Mapping[str, str], began_s: float,
) -> None:  # fmt: skip
    """What a case set up: into the books as far as it came out right, and the rest is taken back."""
    books, now_s = service.books, asyncio.get_running_loop().time()
    if books.open and (setting.exchanges or setting.beside):
        right = judgement is not None and came_to(case, judgement).verdict is Verdict.PASS
        books.turns.append(Turn(case, setting.origin, began_s, now_s, right and not setting.disturbed))
    certain = judgement is not None and not (judgement.findings or setting.disturbed or judgement.unsettled)
    if certain or books.holds_all:
        setting.handles = books.keep(case, operation, setting.origin, setting.handles, after, now_s)
    await clean(service, setting, after)
    if books.is_due(setting.origin, now_s, service.settle_s):
        await look(service, setting.origin)


async def look_at_these(service: Service, desk: Desk, *, blind: bool = False) -> None:
    """The same for what stands there alone, all of which is taken back; `blind`: without a look."""
    loop, standing = asyncio.get_running_loop(), service.books.page(desk).standing
    service.books.page(desk).standing = []
    seen = {} if blind or not standing else await _seen(service, standing)
    service.books.compare(standing, seen, loop.time())
    await _take_back(service, standing, seen)


async def look(service: Service, desk: Desk, *, everything: bool = False) -> None:
    """Look at all that the books have of a desk, with one message for each place; take back what stood long enough, or is too much.

    What could not be looked at is taken back and forgotten.
    """
    books, loop = service.books, asyncio.get_running_loop()
    page = books.page(desk)
    standing, known = page.take(everything=everything)
    if not standing and not (known and everything):
        page.known.extend(known)
        return
    looked_s, page.fresh = loop.time(), 0
    seen = await _seen(service, (*standing, *known))
    page.known.extend(books.compare(known, seen, loop.time()))
    right = books.compare(standing, seen, loop.time())
    ripe = [one for one in right if everything or not seen or one.kept_s + service.settle_s <= looked_s]
    young = [one for one in right if one not in ripe]
    too_many = sum(one.orders for one in young) - max(0, books.most - SOME)
    while young and too_many > 0:
        too_many -= young[0].orders
        ripe.append(young.pop(0))
    page.standing = [*young, *page.standing]
    await _take_back(service, ripe, seen)
    page.known.extend(one for one in ripe if not _takes_back(service, one))


def _takes_back(service: Service, entry: Entry) -> bool:
    """Whether what a case has set up is taken back when nobody needs it any more; else it stands as it stood."""
    provider = entry.handle.provider or service.states
    return bool(getattr(provider, "takes_back", True))


async def _seen(service: Service, entries: Sequence[Entry]) -> dict[str, str]:
    """How these things stand; nothing where the service does not show it now."""
    seen: dict[str, str] = {}
    for first in range(0, len(entries), _AT_ONCE):
        handles = tuple(entry.handle for entry in entries[first : first + _AT_ONCE])
        try:
            seen.update(await service.states.observe(handles, entries[0].desk))
        except NotCarriedOut:
            return seen
    return seen


async def _take_back(service: Service, entries: Iterable[Entry], seen: Mapping[str, str]) -> None:
    """Cancel what is open of these, each in the name of the case that has set it up."""
    held = (Setting(entry.desk.for_case(entry.case.id), entry.case.role, handles=(entry.handle,)) for entry in entries)
    await asyncio.gather(*(clean(service, one, seen) for one in held))
