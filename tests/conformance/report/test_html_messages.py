"""Messages as people read them: heads apart from bodies, bodies indented and never written anew, one place marked."""

from __future__ import annotations

import re

import pytest

from conformance.report.formats.html.messages import Part, body_of, parts_of, quoted

PAYLOAD = '{\\"result\\":true,\\"errormsg\\":null}'


def text_of(part: Part) -> str:
    return "".join(f"«{span.text}»" if span.marked else span.text for span in part.body)


def test_an_http_message_has_start_line_headers_and_body_apart() -> None:
    (part,) = parts_of('HTTP/1.1 200 OK\r\nContent-Type: text/json\r\nX:\r\n\r\n{"a":[1,{}],"b":[]}', "http")
    assert part.start == "HTTP/1.1 200 OK"
    assert part.headers == (("Content-Type", "text/json"), ("X", ""))
    assert text_of(part) == '{\n  "a": [\n    1,\n    {}\n  ],\n  "b": []\n}'


@pytest.mark.parametrize(
    ("body", "at", "marked"),
    [
        ('{"a":{"b":[1,{"c":null}]}}', "/a/b/1/c", "null"),
        ('{"x/y":{"~":7}}', "/x~1y/~0", "7"),
        ('[{"Errors":["no"]},{"Errors":["gone"]}]', "/1/Errors", '[\n      "gone"\n    ]'),
        ('{"a":1', "/a", "1"),
        ("<L><r><e>1</e></r><r><e>2</e></r></L>", "/L/r[2]/e (line 1)", "<e>2</e>"),
        ('<L xmlns="u"><p:r a="b"/></L>', "/L/r", '<p:r a="b"/>'),
        ("<L><r></L>", "/L/r", "<r></L>"),
    ],
)
def test_the_place_of_a_finding_is_marked(body: str, at: str, marked: str) -> None:
    assert [span.text for span in body_of(body, at) if span.marked] == [marked]


def test_a_member_that_stands_twice_is_marked_twice() -> None:
    assert [span.text for span in body_of('{"a":1,"a":2}', "/a") if span.marked] == ["1", "2"]


@pytest.mark.parametrize("at", ["", "answer", "/nowhere", "/a/b/c", "mine", "/a/[", "/L/r[x]"])
def test_a_place_that_is_not_there_marks_nothing(at: str) -> None:
    for body in ('{"a":{"b":1}}', "<a><b>1</b></a>"):
        assert not any(span.marked for span in body_of(body, at))


@pytest.mark.parametrize(
    "body",
    [
        '{"a":1.0e5,"b":"\\u0041\\"}{","a":[,],}]}}',
        '{"a":tru, nul "open',
        "[" * 3000 + "]" * 2999,
        "<a><b c='>'>text &amp; <![CDATA[<x>]]></b><!-- n --></a></a><",
        "<" * 3000,
        "<a " * 2000,
        '"' + "\\" * 3001,
    ],
)
def test_nothing_of_a_body_is_lost_or_made_up(body: str) -> None:
    shown = "".join(span.text for span in body_of(body, "/a"))
    assert re.sub(r"\s", "", shown) == re.sub(r"\s", "", body)


def test_what_is_neither_json_nor_xml_keeps_its_lines_and_shows_what_is_invisible() -> None:
    assert [span.text for span in body_of("one\r\ntwo\x1b[31m\u202ethree")] == ["one\ntwo\\u001b[31m\\u202ethree"]


def test_a_frame_shows_its_payload_and_the_call() -> None:
    (part,) = parts_of('\\x81m{"m":1,"i":2,"n":"CancelAllOrders","o":"' + PAYLOAD + '"}', "ws", "/errormsg")
    assert part.call == "CancelAllOrders"
    assert text_of(part).startswith('{"m":1,')
    assert [span.text for span in part.payload if span.marked] == ["null"]


def test_frames_that_came_for_one_message_are_shown_one_by_one() -> None:
    parts = parts_of('\\x81\x1b{"m":1,"i":2,"o":"x"}\n{"m":3,"i":0}', "ws", "/m")
    assert [text_of(part) for part in parts] == [
        '{\n  "m": «1»,\n  "i": 2,\n  "o": "x"\n}',
        '{\n  "m": «3»,\n  "i": 0\n}',
    ]


def blanks_of(body: str) -> list[str]:
    return [span.text for span in body_of(body) if span.blank]


@pytest.mark.parametrize(
    ("body", "blanks"),
    [
        ('{"Errors":[" ","no "],"a b":"c d"}', [" ", " "]),
        ('{" a":"\u00a0x"}', [" ", "\u00a0"]),
        ("<L><e> </e><e>no  </e><e> a b</e></L>", [" ", "  ", " "]),
        ("<L>\n  <e>a</e>\n</L>", []),
        ("<L><e>\n</e></L>", ["\\n"]),
        ('{"a":"","b":"x","c": 1}', []),
    ],
)
def test_blanks_at_the_edge_of_a_text_are_shown(body: str, blanks: list[str]) -> None:
    assert blanks_of(body) == blanks


def test_blanks_in_the_words_of_a_finding_are_shown() -> None:
    spans = quoted('["gone", "no \\" "] and "  "')
    assert [span.text for span in spans if span.blank] == [" ", "  "]
    assert "".join(span.text for span in spans) == '["gone", "no \\" "] and "  "'
