"""Values to XML along a shape, under exact control of form: prefixes, order, and named wrongness.

Scalars to XML text: the lexical forms of integers, booleans and GUIDs, and the ways to escape text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Literal

from conformance.formats.errors import CodecError, Number, Pairs, Raw
from conformance.formats.text import encode_text
from conformance.formats.xml.xsd import XSI, Content, Element, ListOf, Record, Scalar
from conformance.values import value_class

_GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SPECIAL = re.compile("[&<>\r]")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#xD;"}  # a bare CR would be read as LF


@value_class(frozen=True, slots=True)
class LexicalStyle:
    """Which of the permitted spellings to use.

    `integer`: 5, +5 (not for negative numbers), 005 or " 5 "; `boolean`: true, 1 or " true "; `guid` letters
    as given, upper or lower; `text` with escapes where needed, in CDATA, or each character as a reference.
    """

    integer: Literal["plain", "plus", "zeros", "spaces"] = "plain"
    boolean: Literal["word", "digit", "spaces"] = "word"
    guid: Literal["given", "upper", "lower"] = "given"
    text: Literal["plain", "cdata", "decimal", "hex"] = "plain"


PLAIN = LexicalStyle()


def scalar_text(value: str | float | Raw, content: Content, style: LexicalStyle) -> str:
    """The text of a scalar before escaping. Errors: `CodecError` (kind "value") for an integer too long."""
    if isinstance(value, bool):
        word = ("1" if value else "0") if style.boolean == "digit" else "true" if value else "false"
        return f" {word} " if style.boolean == "spaces" else word
    if isinstance(value, int):
        names = content.numbers if isinstance(content, Scalar) else {}
        return next((name for name, number in names.items() if number == value), "") or _integer(value, style)
    if isinstance(value, Raw):
        return value.text
    if isinstance(value, float) and isinstance(content, Scalar) and content.base == "decimal":
        return format(Decimal(value.literal if isinstance(value, Number) else repr(value)), "f")
    if isinstance(value, float):
        return value.literal if isinstance(value, Number) else float.__repr__(value)
    restricted = isinstance(content, Scalar) and bool(content.patterns)
    if restricted and style.guid != "given" and _GUID.fullmatch(value):
        return value.upper() if style.guid == "upper" else value.lower()
    return value


def _integer(value: int, style: LexicalStyle) -> str:
    try:
        digits = int.__repr__(abs(value))
    except ValueError:
        raise CodecError("an integer has too many digits to write; give it as text", kind="value") from None
    sign = "-" if value < 0 else "+" if style.integer == "plus" else ""
    zeros = "00" if style.integer == "zeros" else ""
    return f" {sign}{digits} " if style.integer == "spaces" else f"{sign}{zeros}{digits}"


def text_markup(text: str, style: LexicalStyle) -> str:
    """Text as markup. Errors: `CodecError` (kind "character") for a character that XML 1.0 cannot carry."""
    illegal = _ILLEGAL.search(text)
    if illegal is not None:
        shown = f"U+{ord(illegal.group()):04X}"
        raise CodecError(f"{shown} cannot stand in an XML 1.0 document; send this value as JSON only", kind="character")
    if style.text == "cdata":
        whole = text.replace("]]>", "]]]]><![CDATA[>").replace("\r", "]]>&#xD;<![CDATA[")
        return f"<![CDATA[{whole}]]>"
    if style.text == "decimal":
        return "".join(f"&#{ord(character)};" for character in text)
    if style.text == "hex":
        return "".join(f"&#x{ord(character):X};" for character in text)
    return _SPECIAL.sub(lambda match: _ENTITIES[match.group()], text) if _SPECIAL.search(text) else text


_NAME = re.compile(r"[A-Za-z_][\w.-]*")


@value_class(frozen=True, slots=True)
class RawXml:
    """Markup written as it stands as the content of an element."""

    markup: str


@value_class(frozen=True, slots=True)
class RawElement:
    """Markup written as it stands in the place of an element."""

    markup: str


@value_class(frozen=True, slots=True)
class XmlStyle:
    """How to write a document. The default is what a DataContract server writes.

    Names: `prefix` is that of the root's namespace ("" for the default namespace), `nil_prefix` that of
    xsi:nil, `foreign_prefix` that of other namespaces (a number is added from the second on), declared on
    the `list`, the `root` or where `used`.
    Members: `order` is the schema's, the `given` one of the dict, `reversed`, or names that go first;
    `nulls` writes None as nil or leaves the element out (list items stay nil).
    Wrongness: `rename` maps element names to others, `renamespace` maps an element name or a namespace to
    another namespace; `before` and `after` are put around the root as they stand (a DOCTYPE, a comment).
    `bom` None means: with UTF-16 and UTF-32 only. `declared_encoding` None means the true one.
    """

    prefix: str = ""
    nil_prefix: str = "i"
    foreign_prefix: str = "d3p1"
    foreign_declared: Literal["list", "root", "used"] = "list"
    declaration: bool = False
    version: str = "1.0"
    declared_encoding: str | None = None
    encoding: str = "utf-8"
    bom: bool | None = None
    indent: str | None = None
    newline: str = "\n"
    comment: str | None = None
    empty: Literal["self-closing", "pair"] = "self-closing"
    nil: str = "true"
    nulls: Literal["nil", "absent"] = "nil"
    order: Literal["schema", "given", "reversed"] | tuple[str, ...] = "schema"
    lexical: LexicalStyle = PLAIN
    rename: tuple[tuple[str, str], ...] = ()
    renamespace: tuple[tuple[str, str], ...] = ()
    before: str = ""
    after: str = ""


@value_class(frozen=True, slots=True)
class Plan:
    """What a shape and a style fix for every document: the prefixes, and the start of each element of the shape."""

    root: Element
    style: XmlStyle
    rename: Mapping[str, str]
    renamespace: Mapping[str, str]
    prefixes: Mapping[str, str]
    starts: Mapping[tuple[str, str], tuple[str, str, str]]
    """By namespace and name: the prefix, its namespace, the tag with the prefix."""


@value_class(frozen=True, slots=True)
class _Writer:
    plan: Plan
    style: XmlStyle
    parts: list[str]


_Start = tuple[str, str, str]
_Scope = Mapping[str, str]  # prefix to namespace


def plan_of(root: Element, style: XmlStyle) -> Plan:
    """The plan for a root element in a style. Errors: `CodecError` (kind "value") for clashing prefixes."""
    if not style.nil_prefix or style.nil_prefix == style.prefix:
        raise CodecError("nil_prefix must not be empty or equal to prefix; choose another", kind="value")
    elements = list(_elements(root))
    prefixes = {root.namespace: style.prefix, "": ""}
    others = dict.fromkeys(one.namespace for one in elements if one.namespace not in prefixes)
    for number, namespace in enumerate(others, start=1):
        suffix = str(number) if number > 1 and style.foreign_prefix else ""
        prefixes[namespace] = style.foreign_prefix + suffix
    plan = Plan(root, style, dict(style.rename), dict(style.renamespace), prefixes, {})
    return replace(plan, starts={(one.namespace, one.name): _start(plan, one) for one in elements})


def encode_xml(value: Any, plan: Plan) -> bytes:
    """Write a value: dicts and `Pairs` for records, lists, scalars, None for nil, `RawXml` and `RawElement`.

    A str may stand for any content and is written as text; members that the shape does not have are written
    after the others. Wrong values are written as they come: only what has no XML form at all is refused.
    Errors: `CodecError` of kind "value" (no XML form), "character" (one that XML 1.0
    cannot carry, U+0001 for instance), "charset" or "encoding".
    """
    style, root = plan.style, plan.root
    writer = _Writer(plan, style, [])
    parts = writer.parts
    if style.declaration:
        parts.append(f'<?xml version="{style.version}" encoding="{style.declared_encoding or style.encoding}"?>')
        parts.append(style.newline if style.indent is not None else "")
    parts.append(style.before)
    scope, declarations = _root_scope(plan, value)
    _write(writer, root, value, scope, 0, declarations)
    parts.append(style.after)
    bom = style.encoding.lower().startswith(("utf-16", "utf-32")) if style.bom is None else style.bom
    return encode_text("".join(parts), style.encoding, bom)


def _elements(element: Element) -> Iterator[Element]:
    """The element and all below it."""
    yield element
    content = element.content
    if isinstance(content, Record):
        for member in content.members:
            yield from _elements(member)
    elif isinstance(content, ListOf):
        yield from _elements(content.item)


def _start(plan: Plan, element: Element) -> _Start:
    name, namespace = element.name, element.namespace
    target = plan.renamespace.get(name, plan.renamespace.get(namespace, namespace))
    prefix = plan.prefixes.get(namespace, plan.style.prefix) if target else ""
    tag = plan.rename.get(name, name)
    return prefix, target, f"{prefix}:{tag}" if prefix else tag


def _root_scope(plan: Plan, value: Any) -> tuple[_Scope, str]:
    style = plan.style
    scope: dict[str, str] = {}
    if value is None or not isinstance(plan.root.content, Scalar):
        scope[style.nil_prefix] = XSI
    if style.foreign_declared == "root":
        for namespace, prefix in plan.prefixes.items():
            if prefix not in ("", style.prefix, style.nil_prefix):
                scope[prefix] = plan.renamespace.get(namespace, namespace)
    return scope, "".join(_declare(prefix, namespace) for prefix, namespace in scope.items())


def _declare(prefix: str, namespace: str) -> str:
    return f' xmlns:{prefix}="{_attribute(namespace)}"' if prefix else f' xmlns="{_attribute(namespace)}"'


def _attribute(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")


def _write(writer: _Writer, element: Element, value: Any, scope: _Scope, level: int, attributes: str = "") -> None:
    parts, style = writer.parts, writer.style
    if isinstance(value, RawElement):
        parts.append(value.markup)
        return
    prefix, target, tag = writer.plan.starts.get((element.namespace, element.name)) or _start(writer.plan, element)
    if scope.get(prefix, "") != target:
        attributes += _declare(prefix, target)
        scope = {**scope, prefix: target}
    content = element.content
    if isinstance(content, ListOf) and style.foreign_declared == "list":
        attributes, scope = _declare_items(writer, content, prefix, scope, attributes)
    if value is None:
        if scope.get(style.nil_prefix) != XSI:
            attributes += _declare(style.nil_prefix, XSI)
        attributes += f' {style.nil_prefix}:nil="{_attribute(style.nil)}"'
    parts.append(f"<{tag}{attributes}")
    mark = len(parts)
    parts.append(">")
    if value is not None:
        _write_content(writer, element, value, scope, level)
    if len(parts) > mark + 1 or style.empty == "pair":
        parts.append(f"</{tag}>")
    else:
        parts[mark] = " />"


def _declare_items(writer: _Writer, content: ListOf, own: str, scope: _Scope, attributes: str) -> tuple[str, _Scope]:
    """Declare the items' namespace on the list, where a DataContract server does, nil or not."""
    item, plan = content.item, writer.plan
    target = plan.renamespace.get(item.name, plan.renamespace.get(item.namespace, item.namespace))
    prefix = plan.prefixes[item.namespace]
    if prefix not in ("", own) and scope.get(prefix) != target:
        return attributes + _declare(prefix, target), {**scope, prefix: target}
    return attributes, scope


def _write_content(writer: _Writer, element: Element, value: Any, scope: _Scope, level: int) -> None:
    content = element.content
    if isinstance(value, (str, bool, int, float, Raw)):
        text = text_markup(scalar_text(value, content, writer.style.lexical), writer.style.lexical)
        if text:
            writer.parts.append(text)
    elif isinstance(value, RawXml):
        if value.markup:
            writer.parts.append(value.markup)
    elif isinstance(value, (dict, Pairs)) and not isinstance(content, ListOf):
        children = _members(element, content, value, writer.style)
        _write_children(writer, children, scope, level)
    elif isinstance(value, (list, tuple)) and isinstance(content, ListOf):
        _write_children(writer, [(content.item, item) for item in value], scope, level)
    else:
        message = f"a {type(value).__name__} cannot be the content of {element.name}; use RawXml"
        raise CodecError(message, kind="value")


def _write_children(writer: _Writer, children: list[tuple[Element, Any]], scope: _Scope, level: int) -> None:
    style = writer.style
    if style.indent is None and style.comment is None:
        for child, value in children:
            _write(writer, child, value, scope, level)  # the level is for indenting alone
        return
    gap = "" if style.indent is None else style.newline + style.indent * (level + 1)
    before = gap if style.comment is None else f"{gap}<!--{style.comment}-->{gap}"
    for child, value in children:
        writer.parts.append(before)
        _write(writer, child, value, scope, level + 1)
    if children and style.indent is not None:
        writer.parts.append(style.newline + style.indent * level)


def _members(
    element: Element, content: Scalar | Record | ListOf, value: dict[str, Any] | Pairs, style: XmlStyle
) -> list[tuple[Element, Any]]:
    known = content.by_name if isinstance(content, Record) else {}
    namespace = next(iter(known.values()), element).namespace
    if isinstance(value, Pairs):
        return [(_member(known, str(getattr(key, "text", key)), namespace), one) for key, one in value.members]
    present = value if style.nulls == "nil" else {key: one for key, one in value.items() if one is not None}
    return [(_member(known, key, namespace), present[key]) for key in _ordered(present, known, style)]


def _member(known: Mapping[str, Element], name: str, namespace: str) -> Element:
    found = known.get(name)
    if found is not None:
        return found
    if _NAME.fullmatch(name) is None:
        raise CodecError(f"{name!a} is no XML element name; use RawElement to send it", kind="value")
    return Element(namespace, name, Scalar("string"), nillable=True, required=False)


def _ordered(present: Mapping[str, Any], known: Mapping[str, Element], style: XmlStyle) -> Iterable[str]:
    if style.order == "given":
        return list(present)
    by_schema = [name for name in known if name in present]
    by_schema += [name for name in present if name not in known]
    if style.order == "schema":
        return by_schema
    if style.order == "reversed":
        return by_schema[::-1]
    first = [name for name in style.order if name in present]
    return first + [name for name in by_schema if name not in first]
