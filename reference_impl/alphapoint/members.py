"""Reading the members of a call: names in any case, integers leniently, all else strictly."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from reference_impl.alphapoint.values import INVALID_REQUEST, Call, Refused
from reference_impl.depth import load_json
from reference_impl.parts import Parts

INT64 = 2**63
_INTEGER = re.compile(r"\s*[+-]?[0-9]{1,19}\s*")


def read_members(_parts: Parts, call: Call) -> Mapping[str, Any]:
    """The members of body and query by lower-case name; raises `Refused` (100) when they cannot be read."""
    pairs: list[tuple[str, Any]] = list(parse_qsl(call.query, keep_blank_values=True))
    if call.payload.strip():
        pairs += _object(call.payload)
    members: dict[str, Any] = {}
    for name, value in pairs:
        folded = name.lower()
        if folded in members and not _same(members[folded], value):
            raise Refused(INVALID_REQUEST, "member", f"{name} is given twice with different values")
        members[folded] = value
    return members


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


class _Pairs(list[tuple[str, Any]]):
    """The members of a JSON object in the order of the text, duplicates included."""


def _object(payload: bytes | str) -> _Pairs:
    if isinstance(payload, bytes):
        payload = payload.removeprefix(b"\xef\xbb\xbf")
    try:
        value = load_json(payload, object_pairs_hook=_Pairs, parse_constant=_no_constant)
    except ValueError as error:
        raise Refused(INVALID_REQUEST, "member", "The request is not JSON") from error
    if value is None:
        return _Pairs()
    if not isinstance(value, _Pairs):
        raise Refused(INVALID_REQUEST, "member", "The request is not a JSON object")
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def optional_integer(call: Call, name: str) -> int | None:
    """An integer member, also as a string; None when absent, null or ""; 100 for all else."""
    value = call.members.get(name.lower())
    if value is None or value == "":
        return None
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refused(INVALID_REQUEST, "member", f"{name} is not an integer")
    if not -INT64 <= value < INT64:
        raise Refused(INVALID_REQUEST, "member", f"{name} is out of range")
    return value


def required_integer(call: Call, name: str) -> int:
    """An integer member that must be there; 100 with the vendor's wording of `detail` when it is not."""
    value = optional_integer(call, name)
    if value is None:
        raise Refused(INVALID_REQUEST, "member", f"{name} is Required")
    return value


def optional_number(call: Call, name: str, default: float) -> float:
    """A number, also as a string; the default when it is absent; 100 when it is anything else."""
    value = call.members.get(name.lower())
    if value is None or value == "":
        return default
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            value = None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e30:
        raise Refused(INVALID_REQUEST, "member", f"{name} is not a number")
    return float(value)


def optional_text(call: Call, name: str) -> str:
    """A member as text, "" when it is absent or null."""
    value = call.members.get(name.lower())
    return "" if value is None else str(value)
