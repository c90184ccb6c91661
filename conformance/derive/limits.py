"""Lengths, ranges and patterns that a help page states of a value, as the keywords of JSON Schema that say the same."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from conformance.derive.page import Body, Field, Limits, Page, Type, Unread
from conformance.derive.samples import flat, values_in

_LENGTHS = re.compile(r"String length: inclusive between (\d{1,9}) and (\d{1,9})")
_LENGTH = re.compile(r"(Max|Min) length: (\d{1,9})")
_AMOUNT = r"(-?\d{1,15}(?:\.\d{1,9})?)"
_RANGE = re.compile(rf"Range: inclusive between {_AMOUNT} and {_AMOUNT}")
_PATTERN = re.compile(r"Matching regular expression pattern: (.+)")
_PORTABLE = re.compile(r"(?:[^\\(]|\\[.dwsDWS\-\[\](){}+*?^$|/\\]|\((?!\?)|\(\?:)+")
"""A pattern that .NET, JSON Schema and Python read alike: no look-around, named group, option or other escape."""
_ONE_CHARACTER = re.compile(r"\\.|\[(?:\\.|[^\\\]])*\]")
_REPEATS = re.compile(r"[*+]|\{\d+,\d*\}")
_REPEATED_GROUP = re.compile(r"\)(?:[*+{])")
_MOST_CHOICES, _LONGEST_PATTERN = 4, 200
_MADE_UP = {"string": "1001"} | dict.fromkeys(("integer", "int64", "number"), 1001)
"""What stands for a value that no sample shows while cases are made."""


def limits_in(notes: Sequence[str], kind: Type) -> Limits:
    """The limits that notes of a row state of a value of this type; what is not plain is none of them.

    Lengths and patterns are of a string, ranges of a number. The framework of help pages holds a whole text to the
    pattern, and lets an empty one pass.
    """
    found: dict[str, int | float | str] = {}
    for note in notes if kind.kind == "string" else ():
        if (both := _LENGTHS.fullmatch(note)) and int(both[1]) <= int(both[2]):
            found |= {"minLength": int(both[1]), "maxLength": int(both[2])}
        elif one := _LENGTH.fullmatch(note):
            found[f"{one[1].lower()}Length"] = int(one[2])
        elif (told := _PATTERN.fullmatch(note)) and _can_be_read(told[1]):
            found["pattern"] = f"^(?:{told[1]})?(?!\\n)$"
    for note in notes if kind.kind in ("integer", "int64", "number") else ():
        if (ends := _RANGE.fullmatch(note)) and float(ends[1]) <= float(ends[2]):
            found |= {"minimum": _amount(ends[1]), "maximum": _amount(ends[2])}
    return tuple(found.items())


def _amount(text: str) -> int | float:
    return float(text) if "." in text else int(text)


def _can_be_read(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except (re.error, OverflowError):
        return False
    return _PORTABLE.fullmatch(pattern) is not None and _ends_soon(pattern)


def _ends_soon(pattern: str) -> bool:
    """Whether no text can keep a reader that tries every way busy: one repeated character, and few other choices."""
    plain = _ONE_CHARACTER.sub("x", pattern)
    repeats = _REPEATS.findall(plain)
    choices = plain.count("?") + plain.count("|")
    few = len(repeats) <= 1 and choices <= _MOST_CHOICES and len(pattern) <= _LONGEST_PATTERN
    return few and _REPEATED_GROUP.search(plain) is None


def limit_words(field: Field) -> str:
    """What a value of the type is held to besides, for the requirement of a field: ", maxLength 20"; mostly nothing."""
    limits = "".join(f", {name} {value}" for name, value in field.limits)
    listed = ", ".join(one.name if one.number is None else f"{one.number} ({one.name})" for one in field.values)
    return limits + (f", one of {listed}" if listed else "")


def told_by(piece: str, field: Field) -> bool:
    """Whether a piece of a row's text is a limit that the field is held to."""
    found = limits_in((piece,), field.type)
    return bool(found) and set(found) <= set(field.limits)


def with_limits_shown(page: Page) -> Page:
    """The page without the limits that its own sample breaks, and those that no XSD of a draft has where it shows XML.

    Such a limit stays a sentence to be worded; `read_as` tells why.
    """
    told: list[Unread] = []

    def held(body: Body) -> Body:
        xml = any(sample.form == "xml" for sample in body.samples)
        return replace(body, fields=tuple(_held(body.fields, tuple(values_in(body)), told, xml=xml)))

    request, response = held(page.request), held(page.response)
    return replace(page, request=request, response=response, read_as=(*page.read_as, *told))


def _held(fields: Sequence[Field], values: Sequence[Any], told: list[Unread], *, xml: bool) -> Iterator[Field]:
    for one in fields:
        shown = [value[one.name] for value in flat(values) if isinstance(value, dict) and one.name in value]
        tried, kept = shown or [_MADE_UP.get(one.type.kind)], []
        for limit in one.limits:
            if not all(_holds(limit, value) for value in tried):
                why = "its sample breaks it" if shown else "what stands for it while cases are made would break it"
            elif xml and not one.in_uri and (limit[0] == "pattern" or one.type.kind == "number"):
                why = "the XSD of a draft cannot say it"
            else:
                kept.append(limit)
                continue
            what = f"{one.name}: {limit[0]} {limit[1]}"
            told.append(Unread(one.place.line, what, f"not put into the schema, since {why}"))
        yield replace(one, limits=tuple(kept), members=tuple(_held(one.members, shown, told, xml=xml)))


def _holds(limit: tuple[str, int | float | str], value: Any) -> bool:
    """Whether a value keeps a limit; one of another type has none to keep."""
    name, bound = limit
    if isinstance(value, str):
        if name == "pattern":
            return re.search(str(bound), value) is not None
        return not ((name == "minLength" and len(value) < bound) or (name == "maxLength" and len(value) > bound))  # type: ignore[operator]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return not ((name == "minimum" and value < bound) or (name == "maximum" and value > bound))  # type: ignore[operator]
    return True
