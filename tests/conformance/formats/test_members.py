"""The members of a message as every reader may see them: JSON at every depth, XML piece by piece, query strings."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.formats.members import (
    CONTAINER,
    MAX_DEPTH,
    Content,
    Found,
    Literal,
    View,
    as_written,
    content_of,
    json_content,
    keys,
    merged,
    query_members,
    read_json,
    together,
    walk,
    xml_content,
)


def found(*pairs: tuple[str, Any]) -> tuple[Found, ...]:
    return tuple(Found(name, value) for name, value in pairs)


@pytest.mark.parametrize(
    ("text", "top", "below", "names"),
    [
        ('{"a":1,"a":"x"}', (("a", Literal("1")), ("a", "x")), (("a", Literal("1")), ("a", "x")), ("a", "a")),
        (
            '{"a":{"b":[null,2.5]}}',
            (("a", CONTAINER),),
            (("a", CONTAINER), ("b", CONTAINER), ("b", None), ("b", Literal("2.5"))),
            ("a", "b"),
        ),
        ("[1,{\"c\":true}]", (), (("", Literal("1")), ("c", True)), ("c",)),
        ("7", (), (("", Literal("7")),), ()),
        ('{"a":[{"b":[]}]}', (("a", CONTAINER),), (("a", CONTAINER), ("a", CONTAINER), ("b", CONTAINER)), ("a", "b")),
    ],
)  # fmt: skip
def test_json_is_seen_at_every_depth(text: str, top: Any, below: Any, names: tuple[str, ...]) -> None:
    assert json_content(text) == Content((View(found(*top), found(*below)),), names=names)


def test_names_with_escapes_are_seen_as_they_are_written_as_well() -> None:
    content = json_content('{"\\u0061":1,"b":{"\\u0063":2,"d\\"":[3]}}')
    assert content.views == (
        View(
            found(("a", Literal("1")), ("b", CONTAINER)),
            found(("a", Literal("1")), ("b", CONTAINER), ("c", Literal("2")), ('d"', CONTAINER), ('d"', Literal("3"))),
        ),
        View(found(("\\u0061", Literal("1")), ("b", CONTAINER)), found(("b", CONTAINER))),
    )
    assert as_written('{"a":"\\u0061"}') == '{"a":"\\u0061"}'
    assert as_written('{"ä\\n" : 1}') == '{"ä\\\\n" : 1}'


def test_a_list_of_objects_whose_names_have_escapes_has_no_members_of_its_own() -> None:
    _, written = json_content('[{"\\u0061":1,"b":2}]').views
    assert written == View((), found(("b", Literal("2"))))


def test_json_in_a_json_string_is_seen_as_well() -> None:
    content = json_content('"{\\"a\\":1}"')
    assert content.views == (
        View((), found(("", '{"a":1}'))),
        View(found(("a", Literal("1"))), found(("a", Literal("1")))),
    )
    assert content.unreadable == ()
    broken = content_of("{nope")
    assert (broken.views, broken.unreadable) == ((View((), found(("", "{nope"))),), ("{nope",))


def test_json_that_is_encoded_often_is_followed_five_times() -> None:
    text = "1"
    for _ in range(6):
        text = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    assert len(json_content(text).views) == 6


def test_json_beyond_the_grammar_or_too_deep_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="NaN is not JSON"):
        read_json("[NaN]")
    with pytest.raises(ValueError, match=r"nested too deeply|too many nested"):
        read_json("[" * 100_000)


def test_items_of_a_list_have_the_name_of_the_list() -> None:
    value = read_json('{"a":[1,[2]],"b":{"c":[{"d":null}]}}')
    assert [(one.name, one.value) for one in walk(value, "r")] == [
        ("r", CONTAINER), ("a", CONTAINER), ("a", Literal("1")), ("a", CONTAINER), ("a", Literal("2")),
        ("b", CONTAINER), ("c", CONTAINER), ("c", CONTAINER), ("d", None),
    ]  # fmt: skip
    assert list(keys(value)) == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("text", "values", "names"),
    [
        ("<a>5</a>", (("a", "5"),), ("a",)),
        ("<a/>", (("a", None),), ("a",)),
        ("<a> \n</a>", (("a", None),), ("a",)),
        ("<p:a xmlns:p='urn:x'><p:b>5</p:b></p:a>", (("b", "5"), ("a", CONTAINER)), ("a", "b")),
        ("<a x='1' i:nil='true' xmlns='u' xmlns:i='v' p:y='2'/>", (("x", "1"), ("y", "2"), ("a", None)), ("a",)),
        ("<a nil='3'/>", (("a", None),), ("a",)),
        ("<a>1<b/>2</a>", (("b", None), ("a", CONTAINER), ("a", "12"), ("a", "1"), ("a", "2")), ("a", "b")),
        ("<a>1<!-- c 9 -->2</a>", (("", " c 9 "), ("a", "12"), ("a", "1"), ("a", "2")), ("a",)),
        ("<a>1&amp;2</a>", (("a", "1&2"), ("a", "1"), ("a", "&"), ("a", "2")), ("a",)),
        ("<a>1 <![CDATA[ ]]>2</a>", (("a", "1  2"), ("a", "1 2"), ("a", "1 "), ("a", "2")), ("a",)),
        ("<?p q 5?><a/>", (("", "p q 5"), ("a", None)), ("a",)),
        ("<a><b/><b/></a>", (("b", None), ("b", None), ("a", CONTAINER)), ("a", "b", "b")),
        ("<a>é</a>", (("a", "é"),), ("a",)),
        ('<?xml version="1.0" encoding="iso-8859-1"?><a>é</a>', (("a", "é"),), ("a",)),
    ],
)
def test_xml_is_seen_by_local_name_and_in_pieces(text: str, values: Any, names: tuple[str, ...]) -> None:
    assert xml_content(text) == Content((View((), found(*values)),), names=names)


def test_xml_that_is_broken_too_deep_or_not_text_is_a_value_error() -> None:
    for text in ("<a", "", "<a/><b/>", "\ud800", "<a>\ud800</a>"):
        with pytest.raises(ValueError, match="not well-formed XML"):
            xml_content(text)
    assert len(xml_content("<a>" * MAX_DEPTH + "</a>" * MAX_DEPTH).names) == MAX_DEPTH
    with pytest.raises(ValueError, match="nested too deeply"):
        xml_content("<a>" * (MAX_DEPTH + 1) + "</a>" * (MAX_DEPTH + 1))


@pytest.mark.parametrize("text", ["<!DOCTYPE a><a/>", "<!doctype a><a/>", "nothing <!docTYPE"])
def test_xml_with_a_doctype_is_refused_whatever_it_says(text: str) -> None:
    assert xml_content(text) == Content(refusal="the body has a DOCTYPE, whose entities may stand for any id")


@pytest.mark.parametrize(
    ("query", "pairs"),
    [
        ("", ()),
        ("a=1&b=", (("a", "1"), ("b", ""))),
        ("a=1&a=1", (("a", "1"), ("a", "1"))),
        ("a=%31", (("a", "1"),)),
        ("a=%2531", (("a", "%31"), ("a", "1"))),
        ("a=1;b=2", (("a", "1;b=2"), ("a", "1"), ("b", "2"))),
        ("a%3D1", (("a=1", ""), ("a", "1"))),
    ],
)
def test_a_query_is_decoded_once_and_twice_with_either_separator(query: str, pairs: Any) -> None:
    assert query_members(query) == found(*pairs)


def test_members_beside_the_body_are_seen_by_every_reader_of_it() -> None:
    views = (View(found(("a", "1")), found(("a", "1"))), View())
    assert merged(views, found(("q", "2"))) == (
        View(found(("a", "1")), found(("a", "1"), ("q", "2"))),
        View((), found(("q", "2"))),
    )


def test_what_several_readers_see_is_all_of_it_and_the_first_refusal() -> None:
    one = Content((View(),), ("x",), "", ("a", "b"))
    other = Content((View(found(("q", "2"))),), ("y", "z"), "why", ("c",))
    last = Content(refusal="another")
    assert together([one, other, last]) == Content(
        (View(), View(found(("q", "2")))), ("x", "y", "z"), "why", ("a", "b", "c")
    )
