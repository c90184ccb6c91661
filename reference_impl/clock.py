"""The clock of a server, which a test may set: sessions end by it, and what has arrived is dated by it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

LONGEST_STEP_S = 100 * 365 * 24 * 3600.0


class Clock:
    """Seconds since 1970 that go on at the pace of `steady`, whatever becomes of the machine's own time."""

    def __init__(self, steady: Callable[[], float] = time.monotonic, wall: Callable[[], float] = time.time) -> None:
        self._steady = steady
        self._ahead_of_steady_s = wall() - steady()
        self._told_s = 0.0

    def now(self) -> float:
        """Seconds since 1970 as this clock has them."""
        return self._steady() + self._ahead_of_steady_s + self._told_s

    def restore(self) -> None:
        """Show the right time again."""
        self._told_s = 0.0

    def tell(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Set it (`set`, ISO 8601 with a zone) or move it (`advance_s`). Raises `ValueError`."""
        if sorted(body) not in (["set"], ["advance_s"]):
            raise ValueError("give either set or advance_s")
        step_s = body.get("advance_s")
        if step_s is None:
            step_s = _moment(body["set"]) - self.now()
        elif type(step_s) not in (int, float) or not math.isfinite(step_s):
            raise ValueError("advance_s must be a number of seconds")
        if abs(self._told_s + step_s) > LONGEST_STEP_S:
            raise ValueError("that is more than a hundred years from the right time")
        self._told_s += step_s
        return self.shown()

    def shown(self) -> Mapping[str, Any]:
        """What time it is, and how far from the right time."""
        moment = datetime.fromtimestamp(self.now(), UTC).isoformat(timespec="milliseconds")
        return {"now": moment.replace("+00:00", "Z"), "ahead_s": round(self._told_s, 3)}


def _moment(text: Any) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise ValueError("set must be a time such as 2030-01-31T12:00:00Z") from None
    if moment.tzinfo is None:
        raise ValueError("set needs a zone, such as the Z of 2030-01-31T12:00:00Z")
    return moment.timestamp()
