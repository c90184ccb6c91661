"""One walk over a document: the value, and for every departure its words, its line, its path and its pointer."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from conformance.formats.xml.contract import XmlContract, XmlProblem

XSI = "http://www.w3.org/2001/XMLSchema-instance"
ORDER = "the schema's order is Code, Flag, Key, Number, Wide"


@cache
def contract() -> XmlContract:
    return XmlContract.load(Path(__file__).parent / "xsd" / "request.xsd")


def request(inside: str, attributes: str = "") -> bytes:
    return f'<ArrayOfItem xmlns:i="{XSI}" xmlns="urn:example:request"{attributes}>{inside}</ArrayOfItem>'.encode()


@pytest.mark.parametrize(
    ("inside", "value", "kind", "path", "words", "pointer"),
    [
        ("<Code i:nil='true'>x</Code>", {"Code": None}, "nil", "/Code", "Code is nil but has content", "/0/Code"),
        ("<Code i:nil='true'><b/></Code>", {"Code": None}, "nil", "/Code", "Code is nil but has content", "/0/Code"),
        (
            "<Code i:nil='true'><!-- c --> x</Code>",
            {"Code": None},
            "nil",
            "/Code",
            "Code is nil but has content",
            "/0/Code",
        ),
        ("<Flag i:nil='true'/>", {"Flag": None}, "nil", "/Flag", "Flag may not carry xsi:nil", "/0/Flag"),
        (
            "<Code i:nil=' maybe '/>",
            {"Code": None},
            "nil",
            "/Code",
            "xsi:nil is ' maybe ', not true, false, 1 or 0",
            "/0/Code",
        ),
        (
            "<Code i:nil='maybe'>x</Code>",
            {"Code": "x"},
            "nil",
            "/Code",
            "xsi:nil is 'maybe', not true, false, 1 or 0",
            "/0/Code",
        ),
        ("<Flag i:nil='false'>1</Flag>", {"Flag": True}, "nil", "/Flag", "Flag may not carry xsi:nil", "/0/Flag"),
        ("<Code a='1'>c</Code>", {"Code": "c"}, "attribute", "/Code", "Code has no attribute a", "/0/Code"),
        (
            "<Code>a<b/>c</Code>",
            {"Code": "ac"},
            "unexpected",
            "/Code",
            "Code holds text, but the element b is in it",
            "/0/Code",
        ),
        ("<Number> 5x </Number>", {"Number": " 5x "}, "type", "/Number", "Number: '5x' is not an xs:int", "/0/Number"),
        ("x<Code/>", {"Code": ""}, "text", "", "text 'x' stands between elements", "/0"),
        ("<Code/> y ", {"Code": ""}, "text", "", "text 'y' stands between elements", "/0"),
        ("<Code/><!--c--> z ", {"Code": ""}, "text", "", "text 'z' stands between elements", "/0"),
        (
            "<Number>1</Number><Flag>1</Flag>",
            {"Number": 1, "Flag": True},
            "order",
            "/Flag",
            f"Flag stands after Number; {ORDER}",
            "/0/Flag",
        ),
        (
            "<Wide>1</Wide><Number>1</Number>",
            {"Wide": 1, "Number": 1},
            "order",
            "/Number",
            f"Number stands after Wide; {ORDER}",
            "/0/Number",
        ),
        (
            "<Code>a</Code><Code>b</Code>",
            {"Code": "a"},
            "duplicate",
            "/Code[2]",
            "Code is given more than once; the first is kept",
            "/0/Code",
        ),
        (
            "<Number>1</Number><Number>x</Number>",
            {"Number": 1},
            "duplicate",
            "/Number[2]",
            "Number is given more than once; the first is kept",
            "/0/Number",
        ),
        (
            "<code/>",
            {},
            "unexpected",
            "/code",
            "element code is not known here; names are case-sensitive, expected Code",
            "/0",
        ),
        (
            "<Nope/>",
            {},
            "unexpected",
            "/Nope",
            "element Nope is not known here; expected Code, Flag, Key, Number, Wide",
            "/0",
        ),
        (
            "<Code xmlns='urn:x'/>",
            {},
            "namespace",
            "/Code",
            "Code is in namespace 'urn:x', expected 'urn:example:request'",
            "/0",
        ),
        ("<Code xmlns=''/>", {}, "namespace", "/Code", "Code is in namespace '', expected 'urn:example:request'", "/0"),
        ("<Key>x</Key>", {"Key": "x"}, "type", "/Key", "Key: 'x' does not have the form of guid", "/0/Key"),
    ],
)
def test_a_departure_is_named_and_the_rest_is_still_read(
    inside: str, value: dict[str, Any], kind: str, path: str, words: str, pointer: str
) -> None:
    reading = contract().read(request(f"<Item>{inside}</Item>"))
    assert reading.value == [value]
    assert reading.problems == (XmlProblem(1, f"/ArrayOfItem/Item[1]{path}", words, kind),)
    assert [(note.kind, note.pointer, note.text) for note in reading.notes] == [(kind, pointer, words)]


@pytest.mark.parametrize(
    ("inside", "value"),
    [
        ("<Code i:nil='true'><!-- c --></Code>", {"Code": None}),
        ("<Code i:nil=' 1 \t'/>", {"Code": None}),
        ("<Code i:nil='false'/>", {"Code": ""}),
        ("<Code i:nil='0'>a</Code>", {"Code": "a"}),
        (" \r\n\t<Code>a<!--x-->b<!--y--></Code> <!--c--> <Flag> 1 </Flag>", {"Code": "ab", "Flag": True}),
        ("<!--c--><Code/>", {"Code": ""}),
    ],
)
def test_what_the_schema_permits_is_read_without_a_word(inside: str, value: dict[str, Any]) -> None:
    reading = contract().read(request(f" <Item>{inside}</Item>\n"))
    assert (reading.value, reading.problems, reading.notes) == ([value], (), ())


@pytest.mark.parametrize(
    ("inside", "value", "problems"),
    [
        (
            "<item/>",
            [],
            [(1, "item", "element item is not known here; names are case-sensitive, expected Item", "unexpected")],
        ),
        ("<x/>", [], [(1, "x", "element x is not known here; expected Item", "unexpected")]),
        (
            "\n<Item xmlns='urn:z'/>",
            [],
            [(2, "Item", "Item is in namespace 'urn:z', expected 'urn:example:request'", "namespace")],
        ),
        (
            "t<Item/>u",
            [{}],
            [(1, "", "text 't' stands between elements", "text"), (1, "", "text 'u' stands between elements", "text")],
        ),
        ("<Item/><Item i:nil='1'>x</Item>", [{}, None], [(1, "Item[2]", "Item is nil but has content", "nil")]),
        (
            "<Item/><x/><Item><Number>y</Number></Item>",
            [{}, {"Number": "y"}],
            [
                (1, "x", "element x is not known here; expected Item", "unexpected"),
                (1, "Item[2]/Number", "Number: 'y' is not an xs:int", "type"),
            ],
        ),
    ],
)
def test_items_are_counted_among_their_own(inside: str, value: Any, problems: list[tuple[int, str, str, str]]) -> None:
    reading = contract().read(request(inside))
    assert reading.value == value
    assert [
        (one.line, one.path.removeprefix("/ArrayOfItem").lstrip("/"), one.message, one.kind) for one in reading.problems
    ] == problems


def test_several_departures_come_in_the_order_of_the_document() -> None:
    reading = contract().read(request("<Item a='1' b='2'><Number>1</Number><Code/><Flag>1</Flag>s</Item>"))
    assert reading.value == [{"Number": 1, "Code": "", "Flag": True}]
    assert [(one.kind, one.message) for one in reading.problems] == [
        ("attribute", "Item has no attribute a"),
        ("attribute", "Item has no attribute b"),
        ("order", f"Code stands after Number; {ORDER}"),
        ("order", f"Flag stands after Number; {ORDER}"),
        ("text", "text 's' stands between elements"),
    ]


def test_stray_text_is_quoted_up_to_sixty_characters() -> None:
    problems = contract().validate(request("x" * 70))
    assert problems[0].message == f"text '{'x' * 60}' stands between elements"


def test_as_many_problems_as_notes_are_kept() -> None:
    reading = contract().read(request("<bad/>" * 101))
    assert (len(reading.problems), len(reading.notes)) == (100, 100)


def test_another_root_is_one_problem_with_its_name_and_line() -> None:
    problem = XmlProblem(
        2, "/ArrayOfItem", "the root is {urn:q}ArrayOfItem, expected {urn:example:request}ArrayOfItem", "root"
    )
    data = b'\n<a:ArrayOfItem xmlns:a="urn:q"/>'
    assert contract().validate(data) == (problem,)
    reading = contract().read(data)
    assert (reading.value, reading.problems) == (None, (problem,))


def test_a_type_that_only_the_engine_judges_is_noted_where_it_stands() -> None:
    reading = contract().read(request("<Item/><Item><Code i:type='x'>a</Code></Item>"))
    assert reading.value == [{}, {"Code": "a"}]
    assert [one.kind for one in reading.problems] == ["schema"]
    assert [(note.kind, note.pointer, note.text) for note in reading.notes] == [
        ("xsi-type", "/1/Code", "Code carries xsi:type 'x'")
    ]
    assert contract().validate(request("<Item><Code i:type='x'>a</Code></Item>"))[0].line == 1


def test_of_many_problems_and_notes_the_first_hundred_are_kept() -> None:
    reading = contract().read(request("<Item><Code i:type='x'>a</Code></Item>" * 101))
    assert [len(reading.problems), len(reading.notes)] == [100, 100]
    assert reading.notes[-1].pointer == "/99/Code"
    wrong = contract().read(request("<Item><Number>x</Number></Item>" * 101))
    assert [len(wrong.problems), len(wrong.notes)] == [100, 100]
    assert wrong.problems[-1].path == "/ArrayOfItem/Item[100]/Number"


def test_a_message_is_cut_after_a_thousand_characters() -> None:
    def message(letters: int) -> str:
        (problem,) = contract().validate(request(f"<Item><{'b' * letters}/></Item>"))
        return problem.message

    most = 1000 - (len(message(1)) - 1)
    assert message(most) == message(1).replace("b", "b" * most, 1)
    assert message(most + 1) == message(1).replace("b", "b" * (most + 1), 1)[:1000] + "…"


def test_a_list_out_of_bounds_and_a_missing_element_are_named_where_they_stand(tmp_path: Path) -> None:
    path = tmp_path / "a.xsd"
    inside = (
        '<xs:element name="A"><xs:complexType><xs:sequence><xs:element name="L"><xs:complexType><xs:sequence>'
        '<xs:element name="x" type="xs:int" minOccurs="2" maxOccurs="3"/></xs:sequence></xs:complexType></xs:element>'
        '<xs:element name="y" type="xs:int"/></xs:sequence></xs:complexType></xs:element>'
    )
    path.write_text(f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">{inside}</xs:schema>', encoding="utf-8")
    bounded = XmlContract.load(path)

    def problems(count: int) -> list[tuple[str, str, str]]:
        found = bounded.validate(f"<A><L>{'<x>1</x>' * count}</L></A>".encode())
        return [(one.path, one.kind, one.message) for one in found]

    missing = ("/A", "missing", "the required element y is missing")
    assert problems(1) == [("/A/L", "missing", "1 x given, at least 2 expected"), missing]
    assert problems(3) == [missing]
    assert problems(4) == [("/A/L", "unexpected", "4 x given, at most 3 allowed"), missing]


def test_a_space_that_xml_does_not_know_is_no_space() -> None:
    reading = contract().read(request("\u00a0<Item>\u2003<Code i:nil='\u00a0true'>x</Code></Item>\u00a0"))
    assert reading.value == [{"Code": "x"}]
    assert [(one.kind, one.path) for one in reading.problems] == [
        ("text", "/ArrayOfItem"),
        ("text", "/ArrayOfItem/Item[1]"),
        ("nil", "/ArrayOfItem/Item[1]/Code"),
        ("text", "/ArrayOfItem"),
    ]


def test_text_between_items_stands_in_the_list() -> None:
    reading = contract().read(request("t<Item/>u"))
    assert [(one.kind, one.path) for one in reading.problems] == [("text", "/ArrayOfItem"), ("text", "/ArrayOfItem")]
