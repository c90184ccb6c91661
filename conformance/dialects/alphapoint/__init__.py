"""AlphaPoint's protocol: sessions on two transports, and states made by its own calls.

Its frame envelope is here: an object of m (kind), i (sequence number), n (call) and o (the payload as text). And so is
what its answers say: ids, refusals, successes, what is open.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from conformance.formats.json.pointer import load_json
from conformance.wire.messages import Exchange, HttpReply, WsReply

REQUEST, REPLY = 0, 1
_LEGS = ("bidresult", "askresult")


def frame(number: int, call: str, payload: Mapping[str, Any]) -> str:
    """A request in a frame."""
    return json.dumps({"m": REQUEST, "i": number, "n": call, "o": json.dumps(payload)})


def reply_frame(number: int, call: str, payload: str) -> str:
    """The reply to the request of this number."""
    return json.dumps({"m": REPLY, "i": number, "n": call, "o": payload})


def opened(text: str | bytes) -> tuple[str, Any] | None:
    """Call and payload of a frame; None when the text is no frame whose payload is JSON."""
    try:
        members = load_json(text)
        return str(members["n"]), load_json(members["o"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def number_of(text: str | bytes) -> int | None:
    """The `i` of a frame; None when the text is no frame or has none."""
    try:
        members = load_json(text)
    except ValueError:
        return None
    number = members.get("i") if isinstance(members, dict) else None
    return number if isinstance(number, int) and not isinstance(number, bool) else None


def reply_value(exchange: Exchange) -> Any:
    """The JSON value of an answer, of a frame's payload over WebSocket; None when there is none."""
    try:
        if isinstance(exchange.reply, HttpReply):
            return load_json(exchange.reply.body)
        if isinstance(exchange.reply, WsReply):
            return load_json(load_json(exchange.reply.text)["o"])
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    return None


def members_of(value: Any) -> Mapping[str, Any]:
    """The members of an object by their names in lower case: the case of keys is declared unimportant."""
    return {str(name).lower(): content for name, content in value.items()} if isinstance(value, dict) else {}


NUMBER = "clientorderid"
Listing = Mapping[int, Mapping[str, Any]]
"""What is open in a place: by id, the members of each entry by their names in lower case."""


def listing_of(entries: Iterable[Any]) -> Listing | None:
    """The entries of a list of open orders by their ids, numbers or texts of digits; None if one of them has none."""
    found: dict[int, Mapping[str, Any]] = {}
    for entry in map(members_of, entries):
        number = entry.get("orderid")
        if isinstance(number, str) and number.isdecimal() and len(number) <= _DIGITS:
            number = int(number)
        if type(number) is not int:
            return None
        found[number] = entry
    return found


_DIGITS = 19


def under(number: int, listing: Listing) -> list[int]:
    """The ids of what is open under a number of the client's."""
    return [one for one, members in listing.items() if members.get(NUMBER) == number]


def shows_numbers(listing: Listing) -> bool:
    """Whether every entry tells its client's number, so that one that is not there is not open."""
    return all(NUMBER in members for members in listing.values())


def id_in(answer: Any, member: str) -> int | None:
    """The id in an answer; None where there is none that could be one."""
    number = members_of(answer).get(member.lower())
    return number if isinstance(number, int) and not isinstance(number, bool) and number > 0 else None


def is_refusal(answer: Any) -> bool:
    """Whether an answer to a set-up says that nothing was made."""
    members = members_of(answer)
    if members.get("result") is False or str(members.get("status")).lower() == "rejected":
        return True
    legs = [members_of(_opened(members[leg])) for leg in _LEGS if leg in members]
    return len(legs) == len(_LEGS) and all(leg.get("result") is False for leg in legs)


def is_success(answer: Any, names: tuple[str, ...] = _LEGS) -> bool:
    """Whether a standard response, or both of a pair, say that all went well."""
    members = members_of(_opened(answer))
    if "result" in members:
        return members["result"] is True
    legs = [members[leg] for leg in names if leg in members]
    return len(legs) == 2 and all(is_success(leg, ()) for leg in legs)


def _opened(value: Any) -> Any:
    """The value in a text of JSON: the legs of a pair may be texts."""
    try:
        return load_json(value) if isinstance(value, str) else value
    except ValueError:
        return None
