"""Other spellings of one XML document (XML 1.0, Namespaces, XML Schema): every reader must find the same value in each.

A spelling is made of the document that is about to be sent, its ids filled in. The document has the form that
`encode_xml` writes by default: no declaration, attributes in double quotes, no markup but elements.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial

from conformance.formats.base import PLACE, is_text
from conformance.formats.xml.xsd import XSI

_TAG = re.compile(r"<(/?)([\w:.-]+)([^<>]*?)\s*(/?)>")
_LEAF = re.compile(r"<([\w:.-]+)([^<>]*?)>([^<>]+)</\1>")
_EMPTY = re.compile(r"<([\w:.-]+)([^<>]*?) ?/>")
_ATTRIBUTE = re.compile(r'([\w:.-]+)="([^"]*)"')
_NIL = re.compile(r'i:nil="true"')
_ROOT_END = re.compile(r"(<[^<>]*?)( ?/?>)")
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DECLARED = re.compile(r' xmlns:i="[^"]*"')
_DEFAULT = re.compile(r' xmlns="([^"]*)"')
_XSD = "http://www.w3.org/2001/XMLSchema"


def _before(text: str, what: str) -> str:
    return what + text


def _behind(text: str, what: str) -> str:
    return text + what


def _between(text: str, gap: str) -> str:
    """What stands between two tags that touch."""
    return text.replace("><", f">{gap}<")


def _values(text: str, change: Callable[[str], str], only: Callable[[str], object] = bool) -> str:
    """The text of each element that holds nothing but text."""
    return _LEAF.sub(
        lambda found: f"<{found[1]}{found[2]}>{change(found[3]) if only(found[3]) else found[3]}</{found[1]}>", text
    )


def _is_number(value: str) -> bool:
    """Whether a place is that of an integer."""
    place = PLACE.fullmatch(value)
    return place is not None and not is_text(place.group(1))


def _is_boolean(value: str) -> bool:
    return value in ("true", "false")


def _halves(value: str) -> tuple[str, str]:
    middle = (len(value) + 1) // 2
    return value[:middle], value[middle:]


def _parted(value: str, between: str) -> str:
    first, last = _halves(value)
    return f"{first}{between}{last}"


def _cdata(value: str) -> str:
    return f"<![CDATA[{value}]]>"


def _cdata_halves(value: str, *, first: bool, last: bool) -> str:
    one, other = _halves(value)
    return (_cdata(one) if first else one) + (_cdata(other) if last else other)


def _references(value: str, style: str) -> str:
    return "".join(
        f"&#{format(ord(one), style) if style[0] != 'x' else 'x' + format(ord(one), style[1:])};" for one in value
    )


def _attributes(text: str, change: Callable[[list[tuple[str, str]]], str]) -> str:
    def changed(found: re.Match[str]) -> str:
        pairs = _ATTRIBUTE.findall(found[3])
        return f"<{found[1]}{found[2]}{change(pairs) if pairs else ''}{' /' if found[4] else ''}>"

    return _TAG.sub(changed, text)


def _written(pairs: list[tuple[str, str]], before: str = " ", equals: str = "=", quote: str = '"') -> str:
    return "".join(f"{before}{name}{equals}{quote}{value}{quote}" for name, value in pairs)


def _backwards(pairs: list[tuple[str, str]]) -> str:
    return _written(pairs[::-1])


def _on_root(text: str, attributes: str) -> str:
    return _ROOT_END.sub(rf"\g<1>{attributes}\g<2>", text, count=1)


def _on_values(text: str, attributes: str, only: Callable[[str], object] = bool) -> str:
    return _LEAF.sub(
        lambda found: f"<{found[1]}{found[2]}{attributes if only(found[3]) else ''}>{found[3]}</{found[1]}>", text
    )


def _prefixed(text: str, name: Callable[[str, int], str], declared: str) -> str:
    """Each element with a prefix; `declared` binds the prefixes to the namespace `{}` on the root."""
    namespace = _DEFAULT.search(text)
    if namespace is None:
        return text
    bare = text.replace(namespace[0], "", 1)
    depth = 0

    def changed(found: re.Match[str]) -> str:
        nonlocal depth
        depth -= 1 if found[1] else 0
        level = depth
        depth += 0 if found[1] or found[4] else 1
        return f"<{found[1]}{name(found[2], level)}{found[3]}{' /' if found[4] else ''}>"

    return _on_root(_TAG.sub(changed, bare), declared.replace("{}", namespace[1]))


def _declared_again(text: str) -> str:
    """The namespace declared on each element anew."""
    namespace = _DEFAULT.search(text)
    if namespace is None:
        return text

    def changed(found: re.Match[str]) -> str:
        again = "" if found[1] or "xmlns=" in found[3] else namespace[0]
        return f"<{found[1]}{found[2]}{found[3]}{again}{' /' if found[4] else ''}>"

    return _TAG.sub(changed, text)


def _nil_bound_where_used(text: str) -> str:
    """The namespace of nil declared on each nil element, under a name of its own."""
    return _NIL.sub(f'xmlns:n="{XSI}" n:nil="true"', _DECLARED.sub("", text, count=1))


def _nil_pairs(text: str, content: str) -> str:
    return _EMPTY.sub(lambda found: f"<{found[1]}{found[2]}>{content}</{found[1]}>", text)


def _namespace_by_reference(text: str) -> str:
    return _DEFAULT.sub(lambda found: f' xmlns="{found[1].replace("/", "&#x2F;", 1)}"', text, count=1)


def _end_tags_spaced(text: str) -> str:
    return re.sub(r"</([\w:.-]+)>", "</\\1 \n>", text)


def _empty_tags_tight(text: str) -> str:
    return text.replace(" />", "/>")


def _start_tags_open(text: str) -> str:
    """White space before the end of each start tag."""
    return _TAG.sub(lambda found: found[0] if found[1] or found[4] else f"<{found[2]}{found[3]}\n >", text)


def _upper_ids(text: str) -> str:
    return _GUID.sub(lambda found: found[0].upper(), text)


def _comment_like_an_element(text: str) -> str:
    """In front of each element a comment that holds what looks like the first one with a value."""
    leaf = _LEAF.search(text)
    return text if leaf is None else _between(text, f"<!-- <{leaf[1]}>1</{leaf[1]}> -->")


def _located(text: str) -> str:
    """A hint at where the schema of the root's namespace is (XML Schema 1, 2.6.3)."""
    namespace = _DEFAULT.search(text)
    return text if namespace is None else _on_root(text, f' i:schemaLocation="{namespace[1]} request.xsd"')


def _typed(text: str) -> str:
    """The type of each integer named in its element (XML Schema 1, 2.6.1)."""
    return _on_values(text, f' i:type="s:int" xmlns:s="{_XSD}"', _is_number)


SPELLINGS: Mapping[str, Callable[[str], str]] = {
    "xml-declaration-in-single-quotes": partial(_before, what="<?xml version='1.0' encoding='utf-8'?>"),
    "xml-declaration-in-capitals": partial(_before, what='<?xml version="1.0" encoding="UTF-8"?>'),
    "xml-declaration-without-encoding": partial(_before, what='<?xml version="1.0"?>'),
    "xml-declaration-standalone": partial(_before, what='<?xml version="1.0" encoding="utf-8" standalone="yes"?>'),
    "xml-declaration-not-standalone": partial(_before, what='<?xml version="1.0" standalone="no"?>\n'),
    "xml-declaration-spaced": partial(_before, what='<?xml\tversion = "1.0"\r\n encoding = "utf-8" ?>\r\n'),
    "xml-comment-before": partial(_before, what="<!-- one --><!---->\n"),
    "xml-comment-behind": partial(_behind, what="\n<!-- end -->"),
    "xml-comment-like-an-element": _comment_like_an_element,
    "xml-comment-in-values": partial(_values, change=partial(_parted, between="<!-- - -->")),
    "xml-comment-before-values": partial(_values, change=lambda value: f"<!--0-->{value}"),
    "xml-white-space-before": partial(_before, what="\r\n\t "),
    "xml-white-space-behind": partial(_behind, what=" \t\r\n"),
    "xml-lines-with-both": partial(_between, gap="\r\n  "),
    "xml-carriage-returns": partial(_between, gap="\r"),
    "xml-tabs": partial(_between, gap="\t"),
    "xml-white-space-by-reference": partial(_between, gap="&#x20;&#10;"),
    "xml-end-tags-spaced": _end_tags_spaced,
    "xml-start-tags-spaced": _start_tags_open,
    "xml-empty-tags-tight": _empty_tags_tight,
    "xml-attributes-in-single-quotes": partial(_attributes, change=partial(_written, quote="'")),
    "xml-attributes-on-lines": partial(_attributes, change=partial(_written, before="\r\n\t")),
    "xml-attributes-spaced": partial(_attributes, change=partial(_written, equals=" = ")),
    "xml-attributes-backwards": partial(_attributes, change=_backwards),
    "xml-cdata-everywhere": partial(_values, change=_cdata),
    "xml-cdata-first-half": partial(_values, change=partial(_cdata_halves, first=True, last=False)),
    "xml-cdata-last-half": partial(_values, change=partial(_cdata_halves, first=False, last=True)),
    "xml-cdata-twice": partial(_values, change=partial(_cdata_halves, first=True, last=True)),
    "xml-cdata-empty": partial(_values, change=lambda value: f"<![CDATA[]]>{value}"),
    "xml-references-decimal": partial(_values, change=partial(_references, style="d")),
    "xml-references-hexadecimal": partial(_values, change=partial(_references, style="xx")),
    "xml-references-in-capitals": partial(_values, change=partial(_references, style="xX")),
    "xml-references-with-zeros": partial(_values, change=partial(_references, style="07d")),
    "xml-prefix-of-each-level": partial(
        _prefixed, name=lambda name, level: f"l{min(level, 2)}:{name}",
        declared=' xmlns:l0="{}" xmlns:l1="{}" xmlns:l2="{}"',
    ),
    "xml-prefix-unusual": partial(_prefixed, name=lambda name, _: f"_a.b-1:{name}", declared=' xmlns:_a.b-1="{}"'),
    "xml-prefix-on-root-alone": partial(
        _prefixed, name=lambda name, level: name if level else f"q:{name}", declared=' xmlns:q="{}" xmlns="{}"'
    ),
    "xml-namespace-declared-again": _declared_again,
    "xml-namespace-unused": partial(_on_root, attributes=' xmlns:unused="urn:unused" xmlns:u2="urn:unused:2"'),
    "xml-namespace-by-reference": _namespace_by_reference,
    "xml-namespace-prefix-bound-again": partial(_on_values, attributes=' xmlns:i="urn:other"'),
    "xml-nil-one": lambda text: _NIL.sub('i:nil="1"', text),
    "xml-nil-spaced": lambda text: _NIL.sub('i:nil=" true&#x9;"', text),
    "xml-nil-in-single-quotes": lambda text: _NIL.sub("i:nil='true'", text),
    "xml-nil-bound-where-used": _nil_bound_where_used,
    "xml-nil-pair": partial(_nil_pairs, content=""),
    "xml-nil-around-a-comment": partial(_nil_pairs, content="<!-- none -->"),
    "xml-nil-false": partial(_on_values, attributes=' i:nil="false"', only=lambda value: not _is_boolean(value)),
    "xml-nil-zero": partial(_on_values, attributes=' i:nil="0"', only=lambda value: not _is_boolean(value)),
    "xml-schema-location": _located,
    "xml-booleans-by-digit": partial(_values, change=lambda value: "01"[value == "true"], only=_is_boolean),
    "xml-booleans-on-lines": partial(_values, change=lambda value: f"\n\t{value}\r\n", only=_is_boolean),
    "xml-ids-in-capitals": _upper_ids,
    "xml-byte-order-mark": partial(_before, what="\ufeff"),
}  # fmt: skip
"""By the id of their row in the table of spellings."""

TEMPLATE_SPELLINGS: Mapping[str, Callable[[str], str]] = {
    "xml-type-named": _typed,
    "xml-integers-with-sign": partial(_values, change=lambda value: f"+{value}", only=_is_number),
    "xml-integers-with-zeros": partial(_values, change=lambda value: f"00{value}", only=_is_number),
    "xml-integers-on-lines": partial(_values, change=lambda value: f"\r\n\t{value}\n", only=_is_number),
}
"""As `SPELLINGS`, of a document whose ids still are places, since these tell an integer from a text of digits."""
