"""Schemas at the edge of the subset: what is refused names file, line and construct; what is read has its exact shape."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from conformance.formats.errors import XsdError
from conformance.formats.xml.contract import XmlContract
from conformance.formats.xml.xsd import Element, ListOf, Record, Scalar, expanded, load_schemas, root_element

SUBSET = "is outside the DataContract subset this codec reads"


def write(
    folder: Path, inside: str, name: str = "t.xsd", attributes: str = 'targetNamespace="urn:t" xmlns="urn:t"'
) -> Path:
    path = folder / name
    path.write_text(
        f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" {attributes}>\n{inside}\n</xs:schema>',
        encoding="utf-8",
    )
    return path


def shape(folder: Path, inside: str, attributes: str = 'targetNamespace="urn:t" xmlns="urn:t"') -> Element:
    return root_element(load_schemas(write(folder, inside, attributes=attributes)), None)


def element(content: str, attributes: str = "") -> str:
    return f'<xs:element name="A"{attributes}>{content}</xs:element>'


def record(content: str, attributes: str = "") -> str:
    return element(f"<xs:complexType{attributes}>{content}</xs:complexType>")


def sequence(content: str, attributes: str = "") -> str:
    return record(f"<xs:sequence{attributes}>{content}</xs:sequence>")


def simple(base: str, facets: str) -> str:
    return element(f'<xs:simpleType><xs:restriction base="{base}">{facets}</xs:restriction></xs:simpleType>')


@pytest.mark.parametrize(
    ("inside", "what"),
    [
        ('<xs:element name="A" type="xs:duration"/>', "the built-in type xs:duration"),
        ('<xs:element name="A" type="B"/>', "the unknown type B"),
        (element(""), "an element without a type"),
        (sequence('<xs:element ref="B"/>'), "the unknown element B"),
        *(
            (element("", f' type="xs:int" {one}="1"'), f"the attribute {one}")
            for one in ("default", "fixed", "abstract", "block", "final")
        ),
        (record("<xs:choice/>"), "xs:choice in a complex type"),
        (record("<xs:sequence/><xs:attribute/>"), "xs:attribute in a complex type"),
        (record("", ' mixed="true"'), "mixed or abstract content"),
        (record("", ' mixed=" 1 "'), "mixed or abstract content"),
        (record("", ' abstract="false"'), "mixed or abstract content"),
        (sequence("", ' minOccurs="0"'), "a repeated or optional xs:sequence"),
        (sequence("", ' maxOccurs="2"'), "a repeated or optional xs:sequence"),
        (sequence("<xs:any/>"), "xs:any in a sequence"),
        (
            sequence('<xs:element name="x" type="xs:int"/><xs:element name="x" type="xs:int"/>'),
            "a sequence that names an element twice",
        ),
        (
            sequence('<xs:element name="x" type="xs:int"/><xs:element name="y" type="xs:int" maxOccurs="2"/>'),
            "a repeated element beside others, or one that may not occur,",
        ),
        (
            sequence('<xs:element name="x" type="xs:int" minOccurs="0" maxOccurs="0"/>'),
            "a repeated element beside others, or one that may not occur,",
        ),
        (element("<xs:simpleType/>"), "a simple type other than a restriction of a named base"),
        (
            element('<xs:simpleType><xs:list itemType="xs:int"/></xs:simpleType>'),
            "a simple type other than a restriction of a named base",
        ),
        (
            element("<xs:simpleType><xs:restriction/></xs:simpleType>"),
            "a simple type other than a restriction of a named base",
        ),
        (simple("B", ""), "the unknown simpleType B"),
        (simple("xs:date", ""), "the built-in type xs:date"),
        (simple("xs:int", '<xs:totalDigits value="2"/>'), "the facet xs:totalDigits on xs:int"),
        (simple("xs:int", '<xs:pattern value="1"/>'), "the facet xs:pattern on xs:int"),
        (simple("xs:int", '<xs:enumeration value="1"/>'), "the facet xs:enumeration on xs:int"),
        (simple("xs:int", '<xs:maxLength value="1"/>'), "the facet xs:maxLength on xs:int"),
        (simple("xs:string", '<xs:minInclusive value="1"/>'), "the facet xs:minInclusive on xs:string"),
        (simple("xs:boolean", '<xs:maxInclusive value="1"/>'), "the facet xs:maxInclusive on xs:boolean"),
        (simple("xs:string", '<xs:pattern value="a(b"/>'), "the pattern 'a(b'"),
        (simple("xs:string", '<xs:pattern value="\\w"/>'), "the pattern '\\\\w'"),
        ('<xs:redefine schemaLocation="t.xsd"/>' + element("", ' type="xs:int"'), "xs:redefine"),
        ('<xs:override schemaLocation="t.xsd"/>' + element("", ' type="xs:int"'), "xs:override"),
    ],
)
def test_a_construct_outside_the_subset_is_named_with_file_and_line(tmp_path: Path, inside: str, what: str) -> None:
    with pytest.raises(XsdError) as caught:
        shape(tmp_path, inside)
    assert str(caught.value) == f"t.xsd, line 2: {what} {SUBSET}"


def test_a_type_that_contains_itself_is_refused(tmp_path: Path) -> None:
    inside = '<xs:element name="A" type="T"/><xs:complexType name="T"><xs:sequence><xs:element name="x" type="T"/></xs:sequence></xs:complexType>'
    with pytest.raises(XsdError, match=f"a type that contains itself {SUBSET}"):
        shape(tmp_path, inside)
    circle = '<xs:element name="A" type="S"/><xs:simpleType name="S"><xs:restriction base="S"/></xs:simpleType>'
    with pytest.raises(XsdError, match=f"a simple type other than a restriction of a named base {SUBSET}"):
        shape(tmp_path, circle)


@pytest.mark.parametrize(("levels", "read"), [(32, True), (33, False)])
def test_types_nest_up_to_the_limit(tmp_path: Path, levels: int, read: bool) -> None:
    inside = '<xs:element name="A" type="T0"/>' + "".join(
        f'<xs:complexType name="T{level}"><xs:sequence><xs:element name="x" type="{"xs:int" if level == levels - 1 else f"T{level + 1}"}"/>'
        "</xs:sequence></xs:complexType>"
        for level in range(levels)
    )
    if read:
        assert shape(tmp_path, inside).name == "A"
    else:
        with pytest.raises(XsdError, match="contains itself"):
            shape(tmp_path, inside)


NAMED = (
    '<xs:element name="A" type="T"/><xs:complexType name="T"><xs:sequence>'
    '<xs:element name="x" type="S" minOccurs="0"/><xs:element name="y" form="qualified" nillable=" 1 " type="xs:boolean"/>'
    '<xs:element ref="G"/></xs:sequence></xs:complexType>'
    '<xs:simpleType name="S"><xs:restriction base="U"><xs:pattern value="a+"/><xs:pattern value="b+"/></xs:restriction></xs:simpleType>'
    '<xs:simpleType name="U"><xs:restriction base="xs:string"><xs:maxLength value="3"/><xs:pattern value="[ab]+"/></xs:restriction></xs:simpleType>'
    "<!-- G --><xs:annotation/>"
)


def test_a_record_of_named_types_has_its_exact_shape(tmp_path: Path) -> None:
    inside = NAMED + '<xs:element name="G" nillable="false" type="xs:long"/>'
    content = root_element(load_schemas(write(tmp_path, inside)), "A").content
    assert isinstance(content, Record)
    first, second, third = content.members
    assert (first.namespace, first.name, first.nillable, first.required) == ("", "x", False, False)
    scalar = first.content
    assert isinstance(scalar, Scalar)
    assert [pattern.pattern for pattern in scalar.patterns] == ["(?:[ab]+)", "(?:a+)|(?:b+)"]
    assert (scalar.base, scalar.name, scalar.min_length, scalar.max_length) == ("string", "S", 0, 3)
    assert second == Element("urn:t", "y", Scalar("boolean"), nillable=True, required=True)
    assert third == Element("urn:t", "G", Scalar("long"), nillable=False, required=True)


@pytest.mark.parametrize(
    ("attributes", "namespace"),
    [
        ('targetNamespace="urn:t" xmlns="urn:t"', ""),
        ('targetNamespace="urn:t" xmlns="urn:t" elementFormDefault="qualified"', "urn:t"),
        ('elementFormDefault="qualified"', ""),
    ],
)
def test_the_form_of_a_schema_gives_its_local_elements_their_namespace(
    tmp_path: Path, attributes: str, namespace: str
) -> None:
    root = shape(tmp_path, sequence('<xs:element name="x" type="xs:int"/>'), attributes)
    assert isinstance(root.content, Record)
    assert root.content.members == (Element(namespace, "x", Scalar("int"), nillable=False, required=True),)
    assert root.namespace == ("urn:t" if "targetNamespace" in attributes else "")
    assert expanded(root.namespace, root.name) == root.tag


@pytest.mark.parametrize(
    ("occurs", "minimum", "maximum"),
    [('maxOccurs="unbounded"', 1, None), ('minOccurs="0" maxOccurs="5"', 0, 5), ('minOccurs="2" maxOccurs="2"', 2, 2)],
)
def test_one_repeated_element_is_a_list(tmp_path: Path, occurs: str, minimum: int, maximum: int | None) -> None:
    content = shape(tmp_path, sequence(f'<xs:element name="x" type="xs:int" {occurs}/>')).content
    item = Element("", "x", Scalar("int"), nillable=False, required=minimum > 0)
    assert content == ListOf(item, minimum, maximum)


def test_an_empty_type_is_a_record_without_members(tmp_path: Path) -> None:
    assert shape(tmp_path, record("", ' mixed="false"')).content == Record.of(())
    assert shape(tmp_path, sequence("")).content == Record.of(())


@pytest.mark.parametrize(
    ("base", "facets", "facts"),
    [
        ("xs:string", '<xs:length value="4"/>', {"min_length": 4, "max_length": 4}),
        ("xs:string", '<xs:minLength value="2"/><xs:maxLength value="3"/>', {"min_length": 2, "max_length": 3}),
        ("xs:string", '<xs:enumeration value="a"/><xs:enumeration value=""/>', {"enumeration": frozenset({"a", ""})}),
        ("xs:short", '<xs:minInclusive value="-1"/><xs:maxInclusive value="9"/>', {"minimum": -1, "maximum": 9}),
        ("xs:boolean", "<xs:annotation/>", {}),
    ],
)
def test_a_facet_is_kept_as_it_is(tmp_path: Path, base: str, facets: str, facts: dict[str, Any]) -> None:
    content = shape(tmp_path, simple(base, facets)).content
    assert content == Scalar(base.removeprefix("xs:"), **facts)  # type: ignore[arg-type]


def test_a_restriction_inherits_what_it_does_not_say(tmp_path: Path) -> None:
    inside = (
        '<xs:simpleType name="U"><xs:restriction base="xs:string"><xs:enumeration value="ab"/><xs:length value="2"/></xs:restriction></xs:simpleType>'
        '<xs:simpleType name="V"><xs:restriction base="xs:int"><xs:minInclusive value="1"/><xs:maxInclusive value="5"/></xs:restriction></xs:simpleType>'
    )
    string = shape(tmp_path, inside + simple("U", '<xs:pattern value="a[a-c]"/>')).content
    assert isinstance(string, Scalar)
    assert (string.enumeration, string.min_length, string.max_length, string.name) == (frozenset({"ab"}), 2, 2, "U")
    number = shape(tmp_path, inside + simple("V", '<xs:maxInclusive value="4"/>')).content
    assert number == Scalar("int", minimum=1, maximum=4, name="V")


@pytest.mark.parametrize("pattern", ["a|b", "[^a-c]{2,3}", "[\\d.]+", "(x\\.y)?", "[A-Za-z0-9 _:,@/]*"])
def test_a_plain_pattern_is_used_as_it_is(tmp_path: Path, pattern: str) -> None:
    content = shape(tmp_path, simple("xs:string", f'<xs:pattern value="{pattern}"/>')).content
    assert isinstance(content, Scalar)
    assert content.patterns == (re.compile(f"(?:{pattern})"),)


def test_an_import_is_read_from_a_folder_below(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    write(tmp_path / "sub", '<xs:element name="G" type="xs:int"/>', "b.xsd", 'targetNamespace="urn:b"')
    inside = '<xs:import namespace="urn:b" schemaLocation="sub/b.xsd"/>' + sequence(
        '<xs:element xmlns:b="urn:b" ref="b:G"/>'
    )
    write(tmp_path, inside)
    schemas = load_schemas(tmp_path / "t.xsd")
    assert sorted(path.name for path in schemas.documents) == ["b.xsd", "t.xsd"]
    root = root_element(schemas, None)
    assert isinstance(root.content, Record)
    assert root.content.members[0].tag == "{urn:b}G"


def test_schemas_that_include_each_other_are_read_once(tmp_path: Path) -> None:
    write(
        tmp_path,
        '<xs:include schemaLocation="t.xsd"/><xs:simpleType name="U"><xs:restriction base="xs:int"/></xs:simpleType>',
        "b.xsd",
    )
    root = shape(tmp_path, '<xs:include schemaLocation="b.xsd"/><xs:element name="A" type="U"/>')
    assert root.content == Scalar("int", name="U")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<!DOCTYPE a><a/>", "schema t.xsd has a DOCTYPE; remove it"),
        ("<a/>", "t.xsd is not a schema: its root is a, not xs:schema"),
        ('<xs:schema xmlns:xs="urn:x"/>', "t.xsd is not a schema: its root is {urn:x}schema, not xs:schema"),
    ],
)
def test_a_file_that_is_no_schema_says_why(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "t.xsd"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(XsdError, match=f"^{re.escape(message)}$"):
        load_schemas(path)


def test_a_schema_has_a_size_limit(tmp_path: Path) -> None:
    path = write(tmp_path, '<xs:element name="A" type="xs:int"/>')
    text = path.read_text(encoding="utf-8")
    path.write_text(text + " " * (4 * 1024 * 1024 - len(text)), encoding="utf-8")
    assert root_element(load_schemas(path), "A").name == "A"
    path.write_text(text + " " * (4 * 1024 * 1024 - len(text) + 1), encoding="utf-8")
    with pytest.raises(XsdError, match=r"t\.xsd has 4194305 bytes; at most 4194304 are read as a schema"):
        load_schemas(path)


def test_a_schema_that_does_not_compile_is_refused_by_name(tmp_path: Path) -> None:
    inside = simple("xs:int", '<xs:minInclusive value="5"/><xs:maxInclusive value="1"/>')
    with pytest.raises(XsdError, match=r"^schema t\.xsd does not compile: "):
        XmlContract.load(write(tmp_path, inside))


@pytest.mark.parametrize(
    ("inside", "root", "message"),
    [
        ("", None, "the schema has no global element, so no document can be of it; give the one that imports it"),
        (
            '<xs:element name="B" type="xs:int"/><xs:element name="A" type="xs:int"/>',
            None,
            "the schema has 2 global elements; name the root, one of ['A', 'B']",
        ),
        ('<xs:element name="A" type="xs:int"/>', "B", "the schema has no global element 'B', only ['A']"),
    ],
)
def test_the_root_must_be_clear(tmp_path: Path, inside: str, root: str | None, message: str) -> None:
    with pytest.raises(XsdError, match=f"^{re.escape(message)}$"):
        root_element(load_schemas(write(tmp_path, inside)), root)


def test_an_import_without_a_file_names_its_line(tmp_path: Path) -> None:
    with pytest.raises(XsdError, match=r"^t\.xsd, line 2: xs:import without a schemaLocation; name a local file$"):
        shape(tmp_path, '<xs:import namespace="urn:a"/>')


@pytest.mark.parametrize(
    ("declared", "base"),
    [("xs:float", "double"), ("xs:double", "double"), ("xs:decimal", "decimal"), ("xs:dateTime", "dateTime")],
)
def test_numbers_and_moments_are_read(tmp_path: Path, declared: str, base: str) -> None:
    assert shape(tmp_path, f'<xs:element name="A" type="{declared}"/>').content == Scalar(base)  # type: ignore[arg-type]


SERIALIZATION = "http://schemas.microsoft.com/2003/10/Serialization/"


def named(**numbers: str | None) -> str:
    """An enumeration as DataContract exports write it: the number of a name stands in its annotation."""
    told = '<xs:annotation><xs:appinfo><EnumerationValue xmlns="{}">{}</EnumerationValue></xs:appinfo></xs:annotation>'
    return "".join(
        f'<xs:enumeration value="{name}">{"" if number is None else told.format(SERIALIZATION, number)}</xs:enumeration>'
        for name, number in numbers.items()
    )


def test_names_of_an_enumeration_have_the_numbers_of_their_annotations(tmp_path: Path) -> None:
    content = shape(tmp_path, simple("xs:string", named(Box=" 0 ", Crate="-17"))).content
    assert isinstance(content, Scalar)
    assert content.numbers == {"Box": 0, "Crate": -17}
    narrower = (
        f'<xs:simpleType name="K"><xs:restriction base="xs:string">{named(Box="0")}</xs:restriction></xs:simpleType>'
        + simple("K", '<xs:maxLength value="3"/>')
    )
    content = shape(tmp_path, narrower).content
    assert isinstance(content, Scalar)
    assert content.numbers == {"Box": 0}


@pytest.mark.parametrize(
    ("facets", "what"),
    [
        (named(Box="0", Crate=None), "an enumeration in which one name has an EnumerationValue and another none"),
        (named(Box="1.5"), "the EnumerationValue '1.5'"),
        (named(Box=""), "the EnumerationValue ''"),
        (named(Box="1" * 19), "the EnumerationValue"),
    ],
)
def test_numbers_of_an_enumeration_are_whole_and_each_name_has_one(tmp_path: Path, facets: str, what: str) -> None:
    with pytest.raises(XsdError, match=re.escape(what)):
        shape(tmp_path, simple("xs:string", facets))
