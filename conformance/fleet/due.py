"""Which endpoints of a fleet are due, by its schedules and the store; the orders that judge them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from conformance.fleet.file import Fleet
from conformance.fleet.judge import Order, begun_parts, last_judged, missing_parts, trouble_of


def orders_due(
    fleet: Fleet, store: str, now: datetime, *, names: Sequence[str] = (), everything: bool = False, release: str = ""
) -> tuple[Order, ...]:
    """An order for each endpoint that is due; with `names` or `everything` for those, whenever they were judged.

    Never judged, and a schedule: due. One that could not be judged is due at its next time. Raises `StoreError`.
    """
    judged = last_judged(store)
    found = []
    for name, endpoint in fleet.endpoints.items():
        forced = everything or name in names
        since = now if forced else None if names else endpoint.due_since(now)
        last, trouble = judged.get(name), trouble_of(fleet.folder / name)
        if trouble is not None and trouble.given_up:  # it has had its turn
            tried = datetime.fromisoformat(trouble.at)
            last = max(last or tried, tried)
        if since is not None and (last is None or last < since):
            found.append(Order(name, since.astimezone(UTC), release))
    return tuple(found)


def table(fleet: Fleet, store: str, now: datetime, orders: Sequence[Order]) -> list[dict[str, Any]]:
    """Each endpoint with when it was judged and is due, and the shards that its run still misses."""
    judged, due = last_judged(store), {order.endpoint for order in orders}
    rows = []
    for name, endpoint in fleet.endpoints.items():
        last, since = judged.get(name), endpoint.due_since(now)
        after = endpoint.due_next(now, last)
        rows.append(
            {
                "endpoint": name, "owner": endpoint.owner, "due": name in due,
                "last_judged": None if last is None else last.isoformat(timespec="seconds"),
                "due_next": None if after is None else after.isoformat(timespec="seconds"),
                "missing": _missing(fleet, Order(name, since or now, parts=endpoint.shards)),
            }
        )  # fmt: skip
    return rows


def parts_of(fleet: Fleet, whole: Order) -> list[Order]:
    """The orders for the shards of a run that have no verdict yet; for the first, who joins them, when all have one."""
    parts = fleet.endpoints[whole.endpoint].shards
    orders = [replace(whole, part=number, parts=parts) for number in range(1, parts + 1)]
    if parts == 1:
        return orders
    missing = missing_parts(fleet.folder / whole.endpoint, orders[0])
    return [one for one in orders if one.shard in missing] or orders[:1]


def _missing(fleet: Fleet, order: Order) -> list[str]:
    """The shards that are missing of a run of which some are there."""
    home = fleet.folder / order.endpoint
    begun = begun_parts(home, order) if order.parts > 1 else None
    missing = [] if begun is None else missing_parts(home, begun)
    return missing if len(missing) < order.parts else []
