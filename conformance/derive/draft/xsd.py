"""XSDs of a draft, in the form that DataContract serializers have: elements in order, each optional, nil where null is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from xml.sax.saxutils import quoteattr

from lxml import etree

from conformance.derive.facts import members_in_order
from conformance.derive.page import Body, Field, Page
from conformance.derive.samples import read_sample

_ARRAYS = "http://schemas.microsoft.com/2003/10/Serialization/Arrays"
_SERIALIZATION = "http://schemas.microsoft.com/2003/10/Serialization/"
_XS = 'xmlns:xs="http://www.w3.org/2001/XMLSchema"'
_BUILTIN: Mapping[str, str] = {
    "integer": "xs:int",
    "int64": "xs:long",
    "boolean": "xs:boolean",
    "string": "xs:string",
    "guid": "ser:guid",
}
_ITEMS: Mapping[str, tuple[str, str]] = {
    "string": ("string", "xs:string"),
    "integer": ("int", "xs:int"),
    "int64": ("long", "xs:long"),
}
_HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'


def xsd_files(page: Page) -> dict[str, str]:
    """The XSDs of every part that the page shows in XML, by file name, and those that they import."""
    files: dict[str, str] = {}
    imported: set[str] = set()
    for part, body in page.bodies():
        tree = next((tree for sample in body.samples if (tree := read_sample(sample.text).tree) is not None), None)
        if tree is None or not etree.QName(tree).namespace or not _writable(body):
            continue
        if body.shape == "string":
            files[f"{part}.xsd"] = _string_root(tree)
            continue
        files[f"{part}.xsd"] = "\n".join(_record_schema(body, tree)) + "\n"
        imported |= {_imported(field) for field in body.fields} - {""}
    if "serialization.xsd" in imported:
        files["serialization.xsd"] = _SERIALIZATION_XSD
    if "arrays.xsd" in imported:
        kinds = {field.type.item for _, body in page.bodies() for field in body.fields if field.type.kind == "list"}
        files["arrays.xsd"] = _arrays(sorted(kinds))
    return files


def _writable(body: Body) -> bool:
    """Whether every type has an XSD form here; the questions name those that have none."""
    return all(
        field.type.item in _ITEMS if field.type.kind == "list" else field.type.kind in _BUILTIN for field in body.fields
    )


def _imported(field: Field) -> str:
    if field.type.kind == "guid":
        return "serialization.xsd"
    return "arrays.xsd" if field.type.kind == "list" else ""


def _record_schema(body: Body, tree: etree._Element) -> Iterator[str]:
    root = etree.QName(tree)
    items = [child for child in tree if isinstance(child.tag, str)] if body.shape == "list" else [tree]
    record = str(etree.QName(items[0]).localname) if items else body.record or "Item"
    namespace = str(root.namespace or "")
    used = {_imported(field) for field in body.fields}
    yield _HEAD.strip()
    yield (
        f"<xs:schema xmlns:tns={quoteattr(namespace)} xmlns:ser={quoteattr(_SERIALIZATION)} xmlns:arr={quoteattr(_ARRAYS)} "
        f'elementFormDefault="qualified" targetNamespace={quoteattr(namespace)} {_XS}>'
    )
    if "serialization.xsd" in used:
        yield f'  <xs:import schemaLocation="serialization.xsd" namespace={quoteattr(_SERIALIZATION)} />'
    if "arrays.xsd" in used:
        yield f'  <xs:import schemaLocation="arrays.xsd" namespace={quoteattr(_ARRAYS)} />'
    yield f'  <xs:complexType name="{record}">'
    yield "    <xs:sequence>"
    for field in _in_order(body, items):
        nil = "" if field.type.kind == "boolean" and not field.null else ' nillable="true"'
        yield f'      <xs:element minOccurs="0" name="{field.name}"{nil} type="{_xs_type(field)}" />'
    yield "    </xs:sequence>"
    yield "  </xs:complexType>"
    if body.shape == "list":
        yield f'  <xs:complexType name="{root.localname}">'
        yield "    <xs:sequence>"
        yield f'      <xs:element minOccurs="0" maxOccurs="unbounded" name="{record}" nillable="true" type="tns:{record}" />'
        yield "    </xs:sequence>"
        yield "  </xs:complexType>"
    yield f'  <xs:element name="{root.localname}" nillable="true" type="tns:{root.localname if body.shape == "list" else record}" />'
    yield "</xs:schema>"


def _in_order(body: Body, items: list[etree._Element]) -> list[Field]:
    """The fields in the order of the sample; those that it lacks go where the alphabet puts them."""
    fields = {field.name: field for field in body.fields}
    names = [name for name in (str(etree.QName(tag).localname) for tag in members_in_order(items)) if name in fields]
    for name in sorted(set(fields) - set(names)):
        names.insert(next((place for place, other in enumerate(names) if other > name), len(names)), name)
    return [fields[name] for name in names]


def _xs_type(field: Field) -> str:
    if field.type.kind == "list":
        return f"arr:ArrayOf{_ITEMS[field.type.item][0]}"
    return _BUILTIN[field.type.kind]


def _string_root(tree: etree._Element) -> str:
    name = etree.QName(tree)
    return (
        f'{_HEAD}<xs:schema elementFormDefault="qualified" targetNamespace={quoteattr(str(name.namespace or ""))} {_XS}>\n'
        f'  <xs:element name="{name.localname}" nillable="true" type="xs:string" />\n</xs:schema>\n'
    )


def _arrays(kinds: list[str]) -> str:
    lines = [f'{_HEAD}<xs:schema elementFormDefault="qualified" targetNamespace="{_ARRAYS}" {_XS}>']
    for name, kind in (_ITEMS[one] for one in kinds):
        lines += [
            f'  <xs:complexType name="ArrayOf{name}">',
            "    <xs:sequence>",
            f'      <xs:element minOccurs="0" maxOccurs="unbounded" name="{name}" nillable="true" type="{kind}" />',
            "    </xs:sequence>",
            "  </xs:complexType>",
        ]
    return "\n".join([*lines, "</xs:schema>", ""])


_SERIALIZATION_XSD = f"""{_HEAD}<xs:schema elementFormDefault="qualified" attributeFormDefault="qualified" targetNamespace="{_SERIALIZATION}" {_XS}>
  <xs:simpleType name="guid">
    <xs:restriction base="xs:string">
      <xs:pattern value="[0-9a-fA-F]{{8}}-[0-9a-fA-F]{{4}}-[0-9a-fA-F]{{4}}-[0-9a-fA-F]{{4}}-[0-9a-fA-F]{{12}}" />
    </xs:restriction>
  </xs:simpleType>
</xs:schema>
"""
