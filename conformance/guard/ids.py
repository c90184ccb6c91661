"""Which ids a value may be taken for by some reader, however careless it is about numbers and text."""

from __future__ import annotations

import math
import re
import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal

from conformance.formats.members import Literal
from conformance.guard.values import dashed

MAX_DIGITS = 400

_CANONICAL = re.compile(r"-?(?:0|[1-9][0-9]{0,39})")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_RADIX = re.compile(r"(?:0|&)([xXhHoObB])([0-9A-Fa-f]+)")
_RUN = re.compile(r"[0-9]+")
_OCTAL = re.compile(r"0[0-7]*")
_BASES = {"x": 16, "h": 16, "o": 8, "b": 2}
_GUID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")
_HEX_RUN = re.compile(r"[0-9a-f]{32,}")
_CANONICAL_GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_ENTROPY_OF_GUID = 16
"""Fewer letters and digits than this hold no 128-bit value in any usual notation."""


@dataclass(frozen=True, slots=True)
class Ids:
    """What one value may be taken for.

    `exact` is the id of a plainly written one. `numbers` and `uids` are all that some reader may see, the
    exact one included. `nothing` says that some reader may see no id at all: null, 0, or a value thrown
    away. `opaque` says that it cannot be told what is seen.
    """

    exact: int | str | None = None
    numbers: frozenset[int] = frozenset()
    uids: frozenset[str] = frozenset()
    nothing: bool = False
    opaque: bool = False


_NOTHING = Ids(nothing=True)


def ids_of(value: object) -> Ids:
    """What a scalar may be taken for: null, a boolean, a `Literal` or text; any other value is opaque."""
    if value is None or value is False:
        return _NOTHING
    if value is True:
        return Ids(numbers=frozenset({1}), nothing=True)
    if isinstance(value, Literal):
        return _of_number(value.text)
    if isinstance(value, str):
        return _of_text(value)
    return Ids(nothing=True, opaque=True)


def _of_number(text: str) -> Ids:
    if _CANONICAL.fullmatch(text):
        number = int(text)
        if number == 0:
            return _NOTHING
        seen = wrapped(number)
        # beyond 31 bits a narrow reader fails and may go on without the value
        return Ids(number, seen - {0}, nothing=0 in seen or not -(2**31) <= number < 2**31)
    if len(text) > MAX_DIGITS:
        return Ids(nothing=True, opaque=True)
    whole = _whole(text) | _in_base(_RUN.findall(text)[0], 10)  # rounded, or cut where the digits end
    signed = {-number if text[0] == "-" and number > 0 else number for number in whole}
    return Ids(numbers=frozenset(one for number in signed for one in wrapped(number)) - {0}, nothing=True)


def _of_text(text: str) -> Ids:
    if _CANONICAL.fullmatch(text):
        return _of_number(text)
    if len(text) > MAX_DIGITS:
        if any(one.isdigit() for one in text):
            return Ids(nothing=True, opaque=True)
        return Ids(uids=uids_in(text), nothing=True)
    if _CANONICAL_GUID.fullmatch(text):
        if not text.strip("0-"):
            return _NOTHING
        return Ids(dashed(text), numbers_in(text), frozenset({dashed(text)}), nothing=True)
    uids = uids_in(text)
    dense = sum(one.isalnum() for one in text) >= _ENTROPY_OF_GUID
    return Ids(numbers=numbers_in(text), uids=uids, nothing=True, opaque=dense and not uids)


def numbers_in(text: str) -> frozenset[int]:
    """Every number other than 0 that a lenient reader may make of a text: a prefix, a part, another radix."""
    plain = ascii_digits(text)
    found: set[int] = set()
    for match in _NUMBER.finditer(plain):
        found |= _whole(match.group())
    for match in _RADIX.finditer(plain):
        found |= _in_base(match.group(2), _BASES[match.group(1).lower()])
    runs = _RUN.findall(plain)
    for run in (*runs, "".join(runs)):
        found |= _in_base(run, 10)
        if octal := _OCTAL.match(run):  # to the first digit that is none, as strtol reads
            found |= _in_base(octal.group(), 8)
    if "-" in plain or "(" in plain or "\u2212" in plain:
        found |= {-number for number in found}
    if "true" in plain.lower():
        found.add(1)
    return frozenset(seen for number in found for seen in wrapped(number)) - {0}


def uids_in(text: str) -> frozenset[str]:
    """Every GUID that a text may hold: with or without dashes, braces, prefixes and padding."""
    plain = ascii_digits(text).lower()
    found = {dashed(match.group()) for match in _GUID.finditer(plain)}
    packed = "".join(one for one in plain.replace("0x", "").replace("urn:uuid:", "") if one.isalnum())
    for run in _HEX_RUN.findall(packed):
        found |= {dashed(run[start : start + 32]) for start in range(len(run) - 31)}
    return frozenset(found)


def ascii_digits(text: str) -> str:
    """The text in compatibility form, with the decimal digits of every script as 0 to 9."""
    if text.isascii():
        return text
    normal = unicodedata.normalize("NFKC", text)
    return "".join(one if one.isascii() else str(unicodedata.decimal(one, one)) for one in normal)


def wrapped(number: int) -> frozenset[int]:
    """The number, and what is left of it in 32 or 64 bits, signed or not, cut, clamped or rounded."""
    seen: set[int] = set()  # a number of more than 64 bits is not among them: no real id is wider
    for bits in (32, 64):
        half = 1 << (bits - 1)
        cut = number & ((1 << bits) - 1)
        seen |= {cut, cut - (1 << bits) if cut >= half else cut, max(-half, min(half - 1, number))}
    with suppress(OverflowError):  # an infinite double is no id
        seen.add(int(float(number)))
    return frozenset(seen)


def _in_base(digits: str, base: int) -> set[int]:
    try:
        return {int(digits, base)}
    except ValueError:
        return set()


def _whole(text: str) -> set[int]:
    """The integers that a decimal number may be rounded to; clamped values for one too large to write out."""
    mantissa, _, exponent = text.lower().partition("e")
    if not Decimal(mantissa):
        return set()
    if len(exponent) > len(str(MAX_DIGITS)) + 1:
        return {2**31 - 1, 2**63 - 1, 1, -1, -(2**31), -(2**63)}
    number = Decimal(text)
    whole = int(number)
    if number == whole:
        return {whole}
    return {math.floor(number), math.ceil(number)}
