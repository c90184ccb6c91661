"""Careless servers in miniature: what each would act on, given the bytes of a body."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from xml.etree import ElementTree

from lxml import etree

EVERY = "every account"
Acts = set[object]


class _Pairs(list[tuple[str, Any]]):
    """An object's members in order."""


def texts(body: bytes) -> Iterator[str]:
    """The body in each charset that it may be in."""
    for codec in ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"):
        try:
            yield body.decode(codec)
        except ValueError:
            continue


# How a value becomes an id.


def strict_int(value: object) -> int | None:
    """A number with an integral value; text and everything else is no id."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return int(value) if int(value) == value else None
    except (ValueError, OverflowError):
        return None


def python_int(value: object) -> int | None:
    """What `int` makes of it: padded text, other digits, underscores, truncated fractions, true as 1."""
    try:
        return int(value)  # type: ignore[call-overload,no-any-return]
    except (TypeError, ValueError, OverflowError):
        return None


def int32(value: object) -> int | None:
    """The lower 32 bits, signed."""
    number = python_int(value)
    return None if number is None else (number + 2**31) % 2**32 - 2**31


def uint64(value: object) -> int | None:
    """The lower 64 bits, unsigned."""
    number = python_int(value)
    return None if number is None else number % 2**64


def script_int(value: object) -> int | None:
    """The digits at the beginning of the text, through a double, hexadecimal ones as well."""
    match = re.match(r"\s*([+-]?)(0[xX][0-9a-fA-F]+|\d+)", str(value))
    if match is None or isinstance(value, bool):
        return None
    number = int(float(int(match.group(2), 16 if match.group(2)[:2] in ("0x", "0X") else 10)))
    return -number if match.group(1) == "-" else number


def c_int(value: object) -> int | None:
    """As `strtol` with base 0: octal behind a zero."""
    match = re.match(r"\s*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9]\d*)", str(value))
    if match is None:
        return None
    text = match.group(2)
    number = int(text, 16) if text[:2] in ("0x", "0X") else int(text, 8) if text[0] == "0" else int(text)
    return -number if match.group(1) == "-" else number


INTS: tuple[Callable[[object], int | None], ...] = (strict_int, python_int, int32, uint64, script_int, c_int)


# How a text becomes a value.


def last_wins(text: str) -> Any:
    """Python's own reader."""
    return json.loads(text)


def first_wins(text: str) -> Any:
    """The first of several members counts."""
    return json.loads(text, object_pairs_hook=lambda pairs: dict(reversed(pairs)))


def any_case(text: str) -> Any:
    """Members in any case, the last one counts."""
    return json.loads(text, object_pairs_hook=lambda pairs: {key.strip().lower(): value for key, value in pairs})


def twice_encoded(text: str) -> Any:
    """Text inside the body is read again."""
    value = any_case(text)
    return any_case(value) if isinstance(value, str) else value


_TOKEN = re.compile(
    r"""\s+|/\*.*?\*/|//[^\n]*|(?P<mark>[\[\]{}:,])|"(?P<double>(?:[^"\\]|\\.)*)"|'(?P<single>(?:[^'\\]|\\.)*)'"""
    r"""|(?P<word>[^\s\[\]{}:,"'/]+)""",
    re.DOTALL,
)


def tolerant(text: str) -> Any:
    """Comments, either quote, bare keys, trailing commas, missing commas and ends, octal and hexadecimal numbers."""
    tokens = [match for match in _TOKEN.finditer(text) if match.lastgroup]
    return _value(tokens)


def _value(tokens: list[re.Match[str]]) -> Any:
    if not tokens:
        raise ValueError("nothing is left")
    token = tokens.pop(0)
    if token["mark"] == "[":
        items = []
        while tokens and tokens[0]["mark"] not in ("]", "}"):
            items.append(_value(tokens))
            _skip(tokens, ",")
        _skip(tokens, "]")
        return items
    if token["mark"] == "{":
        members: dict[str, Any] = {}
        while tokens and tokens[0]["mark"] not in ("]", "}"):
            key = str(_value(tokens)).lower()
            _skip(tokens, ":")
            members[key] = _value(tokens) if tokens else None
            _skip(tokens, ",")
        _skip(tokens, "}")
        return members
    if token["mark"]:
        return _value(tokens)
    quoted = token["double"] if token["double"] is not None else token["single"]
    if quoted is not None:
        return re.sub(r"\\(?:u([0-9a-fA-F]{4})|(.))", _unescaped, quoted)
    word = token["word"]
    number = c_int(word) if re.fullmatch(r"[+-]?(0[xX][0-9a-fA-F]+|\d+)", word) else None
    return {"null": None, "true": True, "false": False}.get(word, word) if number is None else number


def _unescaped(match: re.Match[str]) -> str:
    if match[1]:
        return chr(int(match[1], 16))
    return {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}.get(match[2], match[2])


def _skip(tokens: list[re.Match[str]], mark: str) -> None:
    if tokens and tokens[0]["mark"] == mark:
        tokens.pop(0)


JSON_READERS: tuple[Callable[[str], Any], ...] = (last_wins, first_wins, any_case, twice_encoded, tolerant)


def members_of(value: Any, name: str) -> Iterator[Any]:
    """The member of an object, as documented or in lower case."""
    if isinstance(value, dict):
        for key in (name, name.lower()):
            if key in value:
                yield value[key]


def accounts_cancelled(body: bytes, read: Callable[[str], Any], to_int: Callable[[object], int | None]) -> Acts:
    """CancelAllOrders: what cannot be read is no account, and no account is every account."""
    try:
        value = read(next(texts(body)))
    except (ValueError, RecursionError):
        return {EVERY}
    found = list(members_of(value, "AccountId"))
    return {to_int(one) or EVERY for one in found} or {EVERY}


def orders_cancelled(body: bytes, read: Callable[[str], Any], to_int: Callable[[object], int | None]) -> Acts:
    """The cancellation of instructions in JSON: orders at any depth, every GUID in lower case with dashes."""
    acts: Acts = set()
    for text in texts(body):
        try:
            _collect(read(text), to_int, acts)
        except (ValueError, RecursionError):
            continue
    return acts - {0, None}


def _collect(value: Any, to_int: Callable[[object], int | None], acts: Acts) -> None:
    if isinstance(value, list):
        for item in value:
            _collect(item, to_int, acts)
    elif isinstance(value, dict):
        acts.update(to_int(one) for one in members_of(value, "OrderID"))
        acts.update(_guid(one) for one in members_of(value, "InternationalOrderUID"))
        for item in value.values():
            _collect(item, to_int, acts)


def _guid(value: object) -> str | None:
    digits = re.sub(r"[^0-9a-f]", "", str(value).lower().replace("urn:uuid:", ""))
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}" if len(digits) == 32 else None


def xml_by_local_name(text: str) -> list[tuple[str, str]]:
    """A tree reader that ignores order and namespaces, and joins the text of an element."""
    root = ElementTree.fromstring(re.sub(r"^<\?xml[^>]*\?>", "", text))
    return [
        (node.tag.rpartition("}")[2], "".join(node.itertext())) for node in root.iter() if isinstance(node.tag, str)
    ]


def xml_first_node(text: str) -> list[tuple[str, str]]:
    """A tree reader that takes the first text node alone, and mends what is broken."""
    root = etree.fromstring(text.encode(), etree.XMLParser(recover=True, resolve_entities=True, strip_cdata=False))
    nodes = [] if root is None else root.iter(etree.Element)
    return [(etree.QName(node).localname, node.text or "") for node in nodes]


def xml_by_tags(text: str) -> list[tuple[str, str]]:
    """No parser at all: whatever stands behind a tag."""
    return re.findall(r"<(?:\w+:)?(\w+)[^<>]*>([^<]*)", text)


XML_READERS: tuple[Callable[[str], list[tuple[str, str]]], ...] = (xml_by_local_name, xml_first_node, xml_by_tags)


def xml_orders_cancelled(
    body: bytes, read: Callable[[str], list[tuple[str, str]]], to_int: Callable[[object], int | None]
) -> Acts:
    """The cancellation of instructions in XML, element names in any case."""
    acts: Acts = set()
    for text in texts(body):
        try:
            elements = read(text)
        except (ElementTree.ParseError, etree.XMLSyntaxError, ValueError, LookupError):
            continue
        acts.update(to_int(content) for name, content in elements if name.lower() == "orderid")
        acts.update(_guid(content) for name, content in elements if name.lower() == "internationalorderuid")
    return acts - {0, None}
