"""What a message would touch: ids as careless servers make them of the members of a call, whatever reader found these.

Nothing here comes from the harness: what shared its formats or its guard would share their mistakes.
"""

from __future__ import annotations

import re
import urllib.parse
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from scope_readers import EVERY, INTS

Thing = tuple[str, object]
"""A kind, and a number, a GUID or `EVERY`."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A message as a server gets it: an HTTP request, or a frame, whose text is the body and which has no path."""

    body: bytes
    path: str = ""
    method: str = "POST"
    headers: tuple[tuple[str, str], ...] = ()

    def header(self, name: str) -> str:
        """The first header of this name."""
        return next((value for key, value in self.headers if key.lower() == name), "")


@dataclass(frozen=True, slots=True)
class Heard:
    """What a reader takes a message for: one call with these members."""

    call: str
    members: tuple[tuple[str, Any], ...]


# What a call touches.

INSTRUCTED = ("cancellation", "cancellations")
CANCELS = ("cancelallorders", "cancelorder", "cancelquote")
MAKES = ("sendorder", "createquote")
READS = re.compile(r"get\w*|authenticate\w*|webauthenticateuser|ping|logout")
_ORDER = ["OMSId", "AccountId", "InstrumentId"]
POSITIONS = {"cancelallorders": _ORDER, "cancelorder": ["OMSId", "AccountId", "OrderId"], "cancelquote": _ORDER}
KINDS = {
    "accountid": "account", "account": "account", "omsid": "oms", "instrumentid": "instrument",
    "intrumentid": "instrument", "orderid": "order", "bidquoteid": "order", "askquoteid": "order", "quoteid": "order",
    "clientorderid": "client", "internationalorderuid": "uid", "orderuid": "uid", "uid": "uid",
}  # fmt: skip
_GUID = re.compile(r"[0-9a-f]{32}")


@lru_cache(maxsize=10_000)
def folded(name: object) -> str:
    """A name as careless servers compare it: letters alone, in lower case."""
    return re.sub(r"[^a-z]", "", str(name).lower())


@lru_cache(maxsize=100_000)
def _numbers(_type: type, value: str | float) -> tuple[int | None, ...]:
    """What each way to make a number of a value gives; None where there is none, and 0 counts as none."""
    return tuple([to_int(value) or None for to_int in INTS])


_NO_NUMBER = (None,) * len(INTS)


def _uid(value: object) -> str | None:
    found = _GUID.search(re.sub(r"[^0-9a-z]", "", str(value).lower().replace("urn:uuid:", "")))
    return found[0] if found and found[0].strip("0") else None


def things(heard: Heard) -> frozenset[Thing]:
    """What the call would touch, for each way to make an id of a value.

    A cancellation touches what it names; if that is no order, all orders of the account, or of every account. A call
    that nobody knows may be any of them.
    """
    call = folded(heard.call)
    if READS.fullmatch(call):
        return frozenset()
    named = [
        (KINDS[name], value) for name, value in ((folded(key), value) for key, value in heard.members) if name in KINDS
    ]
    known = tuple((kind, type(value), value if isinstance(value, (str, int, float)) else None) for kind, value in named)
    calls = (call,) if call in (*CANCELS, *MAKES, *INSTRUCTED) else CANCELS
    return frozenset().union(*(_touched_by(one, known) for one in calls))


@lru_cache(maxsize=10_000)
def _touched_by(call: str, known: tuple[tuple[str, type, str | float | None], ...]) -> frozenset[Thing]:
    touched: set[Thing] = {("uid", uid) for kind, _, value in known if kind == "uid" and (uid := _uid(value))}
    numbers = [
        (kind, _NO_NUMBER if value is None else _numbers(like, value)) for kind, like, value in known if kind != "uid"
    ]
    for way in range(len(INTS)):
        seen = {(kind, ways[way]) for kind, ways in numbers if ways[way] is not None}
        if call in MAKES:
            touched |= {one for one in seen if one[0] != "client"}
            continue
        touched |= seen
        names_some = any(kind == "account" or _narrow(call, kind) for kind, _ in seen)
        # the first way is a strict one: it refuses what is there and is no number
        refused = way == 0 and any(
            kind in ("account", "order", "client") and value is not None for kind, _, value in known
        )
        if call in CANCELS and not names_some and not refused:
            touched.add(("account", EVERY))
    return frozenset(touched)


def _narrow(call: str, kind: str) -> bool:
    return call != "cancelallorders" and kind in ("order", "client")


# How a message becomes calls with members.


def call_of(path: str) -> str:
    """The call that a careless router finds in a path: escapes, parameters, letter case and slashes do not matter."""
    plain = urllib.parse.unquote(urllib.parse.unquote(path))
    segments = [folded(one) for one in re.split(r"[/\\]", re.split(r"[?;#]", plain)[0]) if folded(one)]
    found = [one for one in segments if one in (*CANCELS, *MAKES, *INSTRUCTED)]
    return found[-1] if found else (segments[-1] if segments else "")
