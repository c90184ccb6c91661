"""Marks: no secret is left in a recorded text, and what a reader makes of it stays what it was."""

from __future__ import annotations

import base64
import json

import pytest

from conformance.endpoint.marks import Marks, marked_texts, shape_of, stand_ins, unhidden

PASSWORD, PIN, TOKEN = "Tr4der-pass!", "1234", "0f8fad5b-d9cb-469f-a165-70867728950e"
SECRETS = (PASSWORD, PIN, TOKEN)


def hidden(text: str, *, own: bool = False) -> tuple[str, Marks]:
    marks = Marks()
    return (marks.hidden_in_own(text, SECRETS) if own else marks.hidden(text, SECRETS, "an operation")), marks


@pytest.mark.parametrize("text", [
    '{"PIN":"1234","OrderID":12345}',
    '{"PIN":1234}',
    "<PIN>1234</PIN><OrderID>91234</OrderID>",
    "<PIN><![CDATA[1234]]></PIN>",
    f'{{"errormsg":"{PASSWORD} and {TOKEN}","PIN":""}}',
    f"aptoken: {TOKEN}",
    f"00001234-0000-4000-8000-000000000000 {TOKEN}",
    '{"PIN":"1234"}'.encode("utf-16-le").decode("latin-1"),
    "\ufdd0 is no mark, nor is \ufdd00\ufdd1, 1234 is",
    "",
    '{"result":true}',
])  # fmt: skip
def test_with_the_secrets_themselves_a_text_is_what_it_was(text: str) -> None:
    for own in (False, True):
        there, marks = hidden(text, own=own)
        assert unhidden(there, tuple(marks.numbers)) == text
        assert PASSWORD not in there
        assert TOKEN not in there


@pytest.mark.parametrize("text", [
    f'{{"said":"{base64.b64encode(PASSWORD.encode()).decode()}"}}',
    f'{{"said":"{PASSWORD.encode().hex()}"}}',
    '{"password":"of somebody else","token":"\\u0041bc"}',
    '{"PIN":4711}',
    "Set-Cookie: session=Zq8Zq8Zq8",
    "<Password at='1'>of somebody else<!-- and more --></Password>",
])  # fmt: skip
def test_what_no_reader_would_undo_is_made_unreadable_and_keeps_its_form(text: str) -> None:
    there, marks = hidden(text)
    assert there != text
    assert not marks.numbers
    assert len(there) == len(text)
    for word in (
        "somebody",
        "4711",
        "Zq8",
        base64.b64encode(PASSWORD.encode()).decode(),
        PASSWORD.encode().hex(),
        "Abc",
    ):
        assert word not in there
    if text.startswith("{"):
        assert json.loads(there).keys() == json.loads(text).keys()
    if text.startswith("<"):
        assert (there.startswith("<Password at="), there.endswith("</Password>")) == (True, True)


def test_an_escaped_secret_is_still_one() -> None:
    there, marks = hidden('{"errormsg":"\\u0054r4der\\u002dpass!"}')
    assert list(marks.numbers) == [PASSWORD]
    assert json.loads(unhidden(there, ("abc",))) == {"errormsg": "abc"}


def test_stand_ins_have_the_shape_of_the_secret_and_stand_nowhere_else() -> None:
    assert [shape_of(one) for one in SECRETS] == ["Aa0aaa-aaaa-", "1000", "of0fff0f-f0ff-000f-f000-00000000000f"]
    shapes = [shape_of(one) for one in (*SECRETS, "4321")]
    first = stand_ins(shapes, ("nothing",))
    assert first == stand_ins(shapes, ("nothing",))
    assert [shape_of(one) for one in first] == shapes
    assert len(set(first)) == 4
    lines = [json.dumps({"body": " ".join(first)}).encode()]
    assert not set(stand_ins(shapes, marked_texts(lines))) & set(first)


def test_a_mark_that_nobody_gave_is_no_text() -> None:
    with pytest.raises(IndexError):
        unhidden("\ufdd07\ufdd1", ("one",))
