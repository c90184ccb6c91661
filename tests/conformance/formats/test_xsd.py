"""Which schemas serve as contracts, and which are refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.formats.errors import XsdError
from conformance.formats.xml.contract import XmlContract
from conformance.formats.xml.xsd import ListOf, Record, Scalar, load_schemas

XSD = Path(__file__).parent / "xsd"
HEAD = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:t" xmlns="urn:t">'

RECURSIVE = (
    '<xs:element name="A" type="T"/><xs:complexType name="T"><xs:sequence><xs:element name="x" type="T"/>'
    "</xs:sequence></xs:complexType>"
)
ANYTHING = '<xs:element name="A"><xs:complexType><xs:sequence><xs:any/></xs:sequence></xs:complexType></xs:element>'
SUBTRACTION = (
    '<xs:element name="A"><xs:simpleType><xs:restriction base="xs:string"><xs:pattern value="[a-z-[aeiou]]"/>'
    "</xs:restriction></xs:simpleType></xs:element>"
)


def write(folder: Path, inside: str, name: str = "t.xsd") -> Path:
    path = folder / name
    path.write_text(f"{HEAD}{inside}</xs:schema>", encoding="utf-8")
    return path


def test_the_shape_of_a_list_of_records_is_derived() -> None:
    root = XmlContract.load(XSD / "result.xsd").root
    assert (root.tag, root.nillable) == ("{urn:example:result}ArrayOfResult", True)
    assert isinstance(root.content, ListOf)
    record = root.content.item.content
    assert isinstance(record, Record)
    assert [member.name for member in record.members] == ["Errors", "Number", "Success"]
    errors = record.members[0].content
    assert isinstance(errors, ListOf)
    assert errors.item.tag == "{urn:example:arrays}string"


def test_restrictions_of_strings_and_integers_hold(tmp_path: Path) -> None:
    inside = (
        '<xs:element name="R"><xs:complexType><xs:sequence>'
        '<xs:element name="A"><xs:simpleType><xs:restriction base="xs:string"><xs:enumeration value="x"/>'
        '<xs:enumeration value="yy"/></xs:restriction></xs:simpleType></xs:element>'
        '<xs:element name="B" minOccurs="0"><xs:simpleType><xs:restriction base="xs:int">'
        '<xs:minInclusive value="1"/>'
        '<xs:maxInclusive value="9"/></xs:restriction></xs:simpleType></xs:element>'
        '<xs:element name="C" minOccurs="0"><xs:simpleType><xs:restriction base="xs:string">'
        '<xs:minLength value="2"/>'
        '<xs:maxLength value="3"/></xs:restriction></xs:simpleType></xs:element>'
        "</xs:sequence></xs:complexType></xs:element>"
    )
    contract = XmlContract.load(write(tmp_path, inside))
    assert contract.validate(contract.encode({"A": "yy", "B": 9, "C": "abc"})) == ()
    for value, kind in [
        ({"A": "z"}, "type"),
        ({"A": "x", "B": 10}, "type"),
        ({"A": "x", "C": "a"}, "type"),
        ({"A": "x", "C": "abcd"}, "type"),
        ({}, "missing"),
    ]:
        assert [problem.kind for problem in contract.validate(contract.encode(value))] == [kind]


def test_a_bounded_list_counts_its_items(tmp_path: Path) -> None:
    inside = (
        '<xs:element name="L"><xs:complexType><xs:sequence>'
        '<xs:element name="n" type="xs:short" maxOccurs="2"/>'
        "</xs:sequence></xs:complexType></xs:element>"
    )
    contract = XmlContract.load(write(tmp_path, inside))
    found = [[problem.kind for problem in contract.validate(contract.encode([1] * count))] for count in range(4)]
    assert found == [["missing"], [], [], ["unexpected"]]


def test_the_root_must_be_named_when_there_are_several(tmp_path: Path) -> None:
    path = write(tmp_path, '<xs:element name="A" type="xs:int"/><xs:element name="B" type="xs:string"/>')
    with pytest.raises(XsdError, match=r"name the root, one of \['A', 'B'\]"):
        XmlContract.load(path)
    with pytest.raises(XsdError, match="no global element 'C'"):
        XmlContract.load(path, "C")
    assert XmlContract.load(path, "B").root.content == Scalar("string")


def test_a_schema_of_types_alone_has_no_root() -> None:
    with pytest.raises(XsdError, match="no global element"):
        XmlContract.load(XSD / "arrays.xsd")


def test_another_global_element_is_not_the_root(tmp_path: Path) -> None:
    path = write(tmp_path, '<xs:element name="A" type="xs:int"/><xs:element name="B" type="xs:string"/>')
    problems = XmlContract.load(path, "B").validate(b'<A xmlns="urn:t">5</A>')
    assert [problem.kind for problem in problems] == ["root"]


@pytest.mark.parametrize(
    "location",
    [
        "http://example.org/a.xsd",
        "//example.org/a.xsd",
        "file:///etc/a.xsd",
        "/etc/a.xsd",
        "../a.xsd",
        "sub/../../a.xsd",
        "..\\a.xsd",
        "%2e%2e/a.xsd",
        "missing.xsd",
    ],
)
def test_an_import_from_elsewhere_is_refused(tmp_path: Path, location: str) -> None:
    inside = f'<xs:import namespace="urn:a" schemaLocation="{location}"/><xs:element name="A" type="xs:int"/>'
    with pytest.raises(XsdError, match=r"missing\.xsd" if location == "missing.xsd" else "same folder"):
        XmlContract.load(write(tmp_path, inside))


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.xsd").symlink_to(write(tmp_path, "", "outside.xsd"))
    inside = '<xs:include schemaLocation="a.xsd"/><xs:element name="A" type="xs:int"/>'
    with pytest.raises(XsdError, match="same folder"):
        XmlContract.load(write(folder, inside))


@pytest.mark.parametrize(
    ("inside", "named"),
    [
        ('<xs:element name="A" type="xs:duration"/>', "xs:duration"),
        ('<xs:element name="A" type="xs:int" default="1"/>', "default"),
        ('<xs:element name="A" type="B"/>', "unknown type B"),
        ('<xs:element name="A"><xs:complexType><xs:choice/></xs:complexType></xs:element>', "xs:choice"),
        ('<xs:element name="A"><xs:complexType mixed="true"/></xs:element>', "mixed"),
        (ANYTHING, "xs:any"),
        (
            RECURSIVE,
            "contains itself",
        ),
        (
            SUBTRACTION,
            "pattern",
        ),
        ('<xs:import namespace="urn:a"/><xs:element name="A" type="xs:int"/>', "without a schemaLocation"),
    ],
)
def test_a_construct_outside_the_subset_is_refused_by_name(tmp_path: Path, inside: str, named: str) -> None:
    with pytest.raises(XsdError, match=named):
        XmlContract.load(write(tmp_path, inside))


@pytest.mark.parametrize("text", ["<a", "<a/>", "<!DOCTYPE a><a/>"])
def test_a_file_that_is_no_schema_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.xsd"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(XsdError, match=r"a\.xsd"):
        XmlContract.load(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(XsdError, match="cannot be read"):
        XmlContract.load(tmp_path / "none.xsd")


def test_a_schema_without_a_namespace_refers_to_its_types_by_bare_names(tmp_path: Path) -> None:
    path = tmp_path / "t.xsd"
    path.write_text(
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="A" type="T"/>'
        '<xs:simpleType name="T"><xs:restriction base="xs:int"/></xs:simpleType></xs:schema>',
        encoding="utf-8",
    )
    assert XmlContract.load(path).decode(b"<A>5</A>").value == 5


def test_an_import_from_elsewhere_is_refused_wherever_it_stands(tmp_path: Path) -> None:
    remote = '<xs:import namespace="urn:a" schemaLocation="http://example.org/a.xsd"/>'
    with pytest.raises(XsdError, match="same folder"):
        XmlContract.load(write(tmp_path, f'<xs:element name="A" type="xs:int"/>{remote}'))


def test_a_schema_that_is_imported_twice_does_not_hide_another(tmp_path: Path) -> None:
    def importing(*names: str) -> str:
        return "".join(f'<xs:import namespace="urn:{name}" schemaLocation="{name}.xsd"/>' for name in names)

    for name, inside in (("a", importing("c")), ("b", ""), ("c", "")):
        (tmp_path / f"{name}.xsd").write_text(
            f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:{name}">{inside}'
            '<xs:element name="E" type="xs:int"/></xs:schema>',
            encoding="utf-8",
        )
    path = write(tmp_path, importing("b", "a", "c") + '<xs:element name="A" type="xs:int"/>')
    assert sorted(file.name for file in load_schemas(path).documents) == ["a.xsd", "b.xsd", "c.xsd", "t.xsd"]
