"""XSDs of a draft: the form that the XML samples of a page show, as DataContract and plain serializers write it.

Elements stand in the order of the sample, each optional, nil where null is; members of members are types of their own
element, and an enumeration is its names, each with the number that JSON has for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import quoteattr

from lxml import etree

from conformance.derive.facts import members_in_order
from conformance.derive.page import Body, Field, Page, Type
from conformance.derive.samples import read_sample

_ARRAYS = "http://schemas.microsoft.com/2003/10/Serialization/Arrays"
_SERIALIZATION = "http://schemas.microsoft.com/2003/10/Serialization/"
_XS = 'xmlns:xs="http://www.w3.org/2001/XMLSchema"'
_GUID = "ser:guid"
_BUILTIN: Mapping[str, str] = {
    "integer": "xs:int",
    "int64": "xs:long",
    "boolean": "xs:boolean",
    "string": "xs:string",
    "number": "xs:double",
    "date-time": "xs:dateTime",
    "guid": _GUID,
}
_ITEMS: Mapping[str, str] = {
    "string": "string", "integer": "int", "int64": "long", "boolean": "boolean", "number": "double", "guid": "guid",
    "date-time": "dateTime",
}  # fmt: skip
"""The element of an item in the Arrays namespace, by its kind."""
_HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'


class _UnwritableError(Exception):
    """A type or a namespace that no XSD of a draft has; the questions name it."""


@dataclass(slots=True)
class _Writing:
    """One XSD while it is written: the namespace of its root, its lines, and what it imports."""

    namespace: str
    lines: list[str] = field(default_factory=list)
    guid: bool = False
    arrays: dict[str, str] = field(default_factory=dict)
    """Of the Arrays namespace: the element of an item, and its type."""

    def add(self, depth: int, text: str) -> None:
        self.lines.append("  " * depth + text)


def xsd_files(page: Page) -> dict[str, str]:
    """The XSDs of every part that the page shows in XML, by file name, and those that they import."""
    files: dict[str, str] = {}
    arrays: dict[str, str] = {}
    guid = False
    for part, body in page.bodies():
        trees = [tree for sample in body.samples if (tree := read_sample(sample.text).tree) is not None]
        if not trees or body.shape == "nothing":
            continue
        writing = _Writing(str(etree.QName(trees[0]).namespace or ""))
        try:
            _root(writing, body, trees)
        except _UnwritableError:
            continue
        files[f"{part}.xsd"] = _whole(writing)
        arrays |= writing.arrays
        guid = guid or writing.guid or _GUID in writing.arrays.values()
    if guid:
        files["serialization.xsd"] = _SERIALIZATION_XSD
    if arrays:
        files["arrays.xsd"] = _arrays(arrays)
    return files


def _whole(writing: _Writing) -> str:
    target = f" targetNamespace={quoteattr(writing.namespace)}" if writing.namespace else ""
    head = [
        f'<xs:schema xmlns:ser="{_SERIALIZATION}" xmlns:arr="{_ARRAYS}" elementFormDefault="qualified"{target} {_XS}>'
    ]
    if writing.guid:
        head.append(f'  <xs:import schemaLocation="serialization.xsd" namespace="{_SERIALIZATION}" />')
    if writing.arrays:
        head.append(f'  <xs:import schemaLocation="arrays.xsd" namespace="{_ARRAYS}" />')
    return _HEAD + "\n".join((*head, *writing.lines, "</xs:schema>")) + "\n"


def _root(writing: _Writing, body: Body, trees: Sequence[etree._Element]) -> None:
    name = etree.QName(trees[0]).localname
    if body.shape in ("string", "value"):
        kind = "string" if body.shape == "string" else body.item
        writing.add(1, f'<xs:element name="{name}" nillable="true" type="{_scalar(writing, kind)}" />')
        return
    writing.add(1, f'<xs:element name="{name}" nillable="true">')
    if body.shape == "list":
        _list(writing, _row(body), list(trees), 2)
    else:
        _record(writing, [one for one in body.fields if not one.in_uri], list(trees), 2)
    writing.add(1, "</xs:element>")


def _row(body: Body) -> Field:
    """A list that is the whole body, as a row that holds it would have it."""
    return Field(
        body.record or "Item", Type("list", body.item or "object", ""), "unsaid", "", body.place, members=body.fields
    )


def _record(writing: _Writing, fields: Sequence[Field], shown: list[etree._Element], depth: int) -> None:
    """The sequence of an object's members, each as the elements of that name show it."""
    writing.add(depth, "<xs:complexType>")
    writing.add(depth + 1, "<xs:sequence>")
    for one in _in_order(fields, shown):
        mine = [child for parent in shown for child in _children(parent) if etree.QName(child).localname == one.name]
        if any(str(etree.QName(child).namespace or "") != writing.namespace for child in mine):
            raise _UnwritableError
        _member(writing, one, mine, depth + 2)
    writing.add(depth + 1, "</xs:sequence>")
    writing.add(depth, "</xs:complexType>")


def _member(writing: _Writing, one: Field, shown: list[etree._Element], depth: int) -> None:
    start = f'<xs:element minOccurs="0" name="{one.name}"' + (' nillable="true"' if one.null else "")
    if one.type.kind == "list":
        reference = _of_arrays(writing, one, shown)
        if reference:
            writing.add(depth, f'{start} type="{reference}" />')
            return
        writing.add(depth, f"{start}>")
        _list(writing, one, shown, depth + 1)
    elif one.values and one.type.kind in ("integer", "string"):
        writing.add(depth, f"{start}>")
        _enumeration(writing, one, depth + 1)
    elif one.type.kind == "object" and one.members:
        writing.add(depth, f"{start}>")
        _record(writing, one.members, shown, depth + 1)
    else:
        kind = "xs:decimal" if "decimal" in one.type.stated.casefold() else _scalar(writing, one.type.kind)
        if not one.limits:
            writing.add(depth, f'{start} type="{kind}" />')
            return
        writing.add(depth, f"{start}>")
        _limited(writing, one, kind, depth + 1)
    writing.add(depth, "</xs:element>")


def _of_arrays(writing: _Writing, one: Field, shown: list[etree._Element]) -> str:
    """The type of the Arrays namespace that a list of scalars has; "" for a list of another form."""
    items = [child for parent in shown for child in _children(parent)]
    names = {etree.QName(child).namespace for child in items}
    local = etree.QName(items[0]).localname if items else _ITEMS.get(one.type.item, "")
    if one.members or one.values or not local or writing.namespace in ("", _ARRAYS) or names - {_ARRAYS}:
        return ""
    kind = "xs:decimal" if local == "decimal" else _BUILTIN.get(one.type.item, "")
    if not kind:
        raise _UnwritableError
    writing.arrays[local] = kind
    return f"arr:ArrayOf{local}"


def _list(writing: _Writing, one: Field, shown: list[etree._Element], depth: int) -> None:
    items = [child for parent in shown for child in _children(parent)]
    if any(str(etree.QName(child).namespace or "") != writing.namespace for child in items):
        raise _UnwritableError
    name = etree.QName(items[0]).localname if items else ""
    if not name:
        stated = one.type.stated.rpartition(" ")[2] if one.members else _ITEMS.get(one.type.item, "")
        name = stated or one.name
    if not name.isidentifier():
        raise _UnwritableError
    nil = "" if one.values else ' nillable="true"'
    start = f'<xs:element minOccurs="0" maxOccurs="unbounded" name="{name}"{nil}'
    writing.add(depth, "<xs:complexType>")
    writing.add(depth + 1, "<xs:sequence>")
    if one.members:
        writing.add(depth + 2, f"{start}>")
        _record(writing, one.members, items, depth + 3)
        writing.add(depth + 2, "</xs:element>")
    elif one.values:
        writing.add(depth + 2, f"{start}>")
        _enumeration(writing, one, depth + 3)
        writing.add(depth + 2, "</xs:element>")
    else:
        writing.add(depth + 2, f'{start} type="{_scalar(writing, one.type.item)}" />')
    writing.add(depth + 1, "</xs:sequence>")
    writing.add(depth, "</xs:complexType>")


def _limited(writing: _Writing, one: Field, kind: str, depth: int) -> None:
    writing.add(depth, "<xs:simpleType>")
    writing.add(depth + 1, f'<xs:restriction base="{kind}">')
    for name, bound in one.limits:
        writing.add(depth + 2, f'<xs:{_FACETS.get(name, name)} value="{bound}" />')
    writing.add(depth + 1, "</xs:restriction>")
    writing.add(depth, "</xs:simpleType>")


_FACETS: Mapping[str, str] = {"minimum": "minInclusive", "maximum": "maxInclusive"}


def _enumeration(writing: _Writing, one: Field, depth: int) -> None:
    numbered = "string" not in (one.type.kind, one.type.item) and all(value.number is not None for value in one.values)
    writing.add(depth, "<xs:simpleType>")
    writing.add(depth + 1, '<xs:restriction base="xs:string">')
    for value in one.values:
        if not numbered:
            writing.add(depth + 2, f"<xs:enumeration value={quoteattr(value.name)} />")
            continue
        told = f'<EnumerationValue xmlns="{_SERIALIZATION}">{value.number}</EnumerationValue>'
        writing.add(depth + 2, f"<xs:enumeration value={quoteattr(value.name)}>")
        writing.add(depth + 3, f"<xs:annotation><xs:appinfo>{told}</xs:appinfo></xs:annotation>")
        writing.add(depth + 2, "</xs:enumeration>")
    writing.add(depth + 1, "</xs:restriction>")
    writing.add(depth, "</xs:simpleType>")


def _scalar(writing: _Writing, kind: str) -> str:
    found = _BUILTIN.get(kind)
    if found is None or (found == _GUID and writing.namespace == _SERIALIZATION):
        raise _UnwritableError  # an XSD cannot import its own namespace
    writing.guid = writing.guid or found == _GUID
    return found


def _children(parent: etree._Element) -> Iterator[etree._Element]:
    return (child for child in parent if isinstance(child.tag, str))


def _in_order(fields: Sequence[Field], shown: list[etree._Element]) -> list[Field]:
    """The fields in the order of the sample; those that it lacks go where the alphabet puts them."""
    known = {one.name: one for one in fields}
    names = [name for name in (str(etree.QName(tag).localname) for tag in members_in_order(shown)) if name in known]
    for name in sorted(set(known) - set(names)):
        names.insert(next((place for place, other in enumerate(names) if other > name), len(names)), name)
    return [known[name] for name in names]


def _arrays(items: Mapping[str, str]) -> str:
    ser = f' xmlns:ser="{_SERIALIZATION}"' if _GUID in items.values() else ""
    lines = [f'<xs:schema elementFormDefault="qualified" targetNamespace="{_ARRAYS}"{ser} {_XS}>']
    if ser:
        lines.append(f'  <xs:import schemaLocation="serialization.xsd" namespace="{_SERIALIZATION}" />')
    for name, kind in sorted(items.items()):
        lines += [
            f'  <xs:complexType name="ArrayOf{name}">',
            "    <xs:sequence>",
            f'      <xs:element minOccurs="0" maxOccurs="unbounded" name="{name}" nillable="true" type="{kind}" />',
            "    </xs:sequence>",
            "  </xs:complexType>",
        ]
    return _HEAD + "\n".join([*lines, "</xs:schema>", ""])


_SERIALIZATION_XSD = f"""{_HEAD}<xs:schema elementFormDefault="qualified" attributeFormDefault="qualified" targetNamespace="{_SERIALIZATION}" {_XS}>
  <xs:simpleType name="guid">
    <xs:restriction base="xs:string">
      <xs:pattern value="[0-9a-fA-F]{{8}}-[0-9a-fA-F]{{4}}-[0-9a-fA-F]{{4}}-[0-9a-fA-F]{{4}}-[0-9a-fA-F]{{12}}" />
    </xs:restriction>
  </xs:simpleType>
</xs:schema>
"""
