"""What a journal and the service say together of an order or quote that a killed run may have left: is it the run's own?

An order is known by the number that the run gave it, a quote by the ids that were answered; account and instrument must be
those of the run, as far as the service shows them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from conformance.dialects.alphapoint import NUMBER, Listing, shows_numbers, under
from conformance.dialects.set_ups import SHOWN, SetUp
from conformance.endpoint.desks import Desk


@dataclass(frozen=True, slots=True)
class PlacedOrders:
    """Orders of one account, or the two legs of a quote, by the name they are watched under."""

    ids: Mapping[str, tuple[int, ...]]
    account: int
    oms: int
    instrument: int
    role: str
    quote: bool
    keys: Mapping[int, str] = field(default_factory=dict)
    """Id to the key of its set-up in the journal."""

    def renamed(self, prefix: str) -> PlacedOrders:
        """The same, watched under other names."""
        return replace(self, ids={prefix + name: ids for name, ids in self.ids.items()})


@dataclass(frozen=True, slots=True)
class Shown:
    """What is open in an account, and of quotes on one instrument of it."""

    orders: Listing
    quotes: Listing

    def __contains__(self, number: int) -> bool:
        return number in self.orders or number in self.quotes


def place_in(one: SetUp, desks: Sequence[Desk]) -> PlacedOrders | str:
    """Where something was set up; in words, why a line of a journal does not say."""
    what = one.what
    numbers: list[Any] = [what.get(name) for name in ("account", "oms", "instrument")]
    numbers += [what["client"]] if what.get("client") is not None else []
    if what.get("thing") not in ("order", "quote") or not all(type(number) is int and number > 0 for number in numbers):
        return f"{one.key[:SHOWN]}: the journal does not say where it was set up"
    if one.desk >= len(desks) or one.role not in desks[one.desk].roles:
        return f"{one.key[:SHOWN]}: the target file has no role {one.role[:SHOWN]!r} at desk {one.desk}"
    account, oms, instrument = numbers[:3]
    return PlacedOrders({}, account, oms, instrument, one.role, quote=what["thing"] == "quote")


def agrees(entry: Mapping[str, Any], place: PlacedOrders) -> bool:
    """Whether an entry is of the account and the instrument that were named, as far as it says so."""
    shown = ((entry.get("account"), place.account), (entry.get("instrument"), place.instrument))
    return all(seen in (None, asked) for seen, asked in shown)


def order_shown(one: SetUp, place: PlacedOrders, listing: Listing) -> tuple[int, ...] | str:
    """The ids under which an order of the run stands open; in words, why that cannot be told."""
    number, answered = one.what.get("client"), [two for two in one.ids or () if type(two) is int]
    if number is not None and (same := [two for two in under(number, listing) if agrees(listing[two], place)]):
        return tuple(same)
    standing = [two for two in answered if two in listing]
    if standing:
        entry = listing[standing[0]]
        if entry.get(NUMBER) in ((None, 0) if number is None else (None,)) and agrees(entry, place):
            return tuple(standing[:1])
        return "stands open, and not as the run asked for it: left alone"
    if answered or one.refused or not listing or (number is not None and shows_numbers(listing)):
        return ()
    return "no id of it was answered, and what is open there does not tell whose it is"


def quote_shown(one: SetUp, place: PlacedOrders, shown: Shown) -> tuple[int, ...] | str:
    """The legs of a quote of the run of which one at least stands open; in words, why that cannot be told."""
    both = {**shown.orders, **shown.quotes}
    legs = [two for two in one.ids or () if type(two) is int]
    standing = [two for two in legs if two in both]
    if standing:
        right = len(legs) == 2 and all(agrees(both[two], place) for two in standing)
        return tuple(legs) if right else "stands open, and not as the run asked for it: left alone"
    if not shown.quotes or (legs and shown.quotes.keys() <= shown.orders.keys()):
        return ()
    return f"GetOpenQuotes shows {' and '.join(map(str, shown.quotes))[:SHOWN]}, and does not tell whose they are"
