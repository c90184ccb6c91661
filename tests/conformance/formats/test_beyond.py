"""What holds more than is read is told apart from what is wrong, before anything is parsed."""

from __future__ import annotations

import json

import pytest

from conformance.formats.errors import BeyondError, CodecError, Position
from conformance.formats.frames import decode_frame
from conformance.formats.json import pointer
from conformance.formats.json import read as json_read
from conformance.formats.json.pointer import holds_more, join_pointer, load_json, load_top
from conformance.formats.json.read import decode_json
from conformance.formats.xml import read as xml_read
from conformance.formats.xml.read import parse_xml

TAGS, VALUES = 600, 150


@pytest.fixture(autouse=True)
def low_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Low enough for short texts."""
    monkeypatch.setattr(xml_read, "MAX_MARKUP", TAGS)
    monkeypatch.setattr(json_read, "MAX_VALUES", VALUES)
    monkeypatch.setattr(pointer, "MAX_VALUES_READ", VALUES)


def refused(text: str) -> CodecError:
    with pytest.raises(CodecError) as caught:
        parse_xml(text.encode())
    return caught.value


def test_a_document_with_as_many_tags_as_are_read_is_read() -> None:
    assert len(parse_xml(f"<a>{'<b/>' * (TAGS - 2)}</a>".encode()).root) == TAGS - 2


@pytest.mark.parametrize(
    "content",
    [
        "<b/>" * (TAGS - 1), "<b></b>" * TAGS, '<b c="/"/>' * TAGS,
        "<!-- <c> -->" * TAGS, "<![CDATA[<c>]]>" * TAGS, "<?c <c>?>" * TAGS, "x<" * (TAGS + 1),
    ],
    ids=["empty", "pairs", "slash in a value", "comments", "cdata", "instructions", "bare"],
)  # fmt: skip
def test_one_with_more_is_not_read_whether_it_is_right_or_wrong(content: str) -> None:
    error = refused(f"<a>{content}</a>")
    assert isinstance(error, BeyondError)
    assert error.kind == "beyond"
    assert error.message == "the XML holds more than 600 tags, comments and instructions"
    assert error.position is None


@pytest.mark.parametrize("before", ["", "<!-- <x> --></x>", '<e f=">"/>' * 20, "<e></e>" * 20])
def test_one_with_more_that_nests_too_deep_already_is_wrong(before: str) -> None:
    for depth, kind in ((257, "too-deep"), (256, "beyond")):
        text = f"{'<a>' * (depth - 1)}{before}<a>{'<b/>' * TAGS}".replace("</x>", "")
        assert refused(text).kind == kind
    error = refused("<a>" * 257 + "<b/>" * TAGS)
    assert (error.message, error.position) == ("elements nest more than 256 deep", Position(1, 1, 0))


def test_only_the_first_tags_are_counted_for_the_depth() -> None:
    assert refused("<b/>" * TAGS + "<a>" * 300).kind == "beyond"
    assert refused("<b/>" * (TAGS - 257) + "<a>" * 300).kind == "too-deep"


def test_closed_elements_do_not_nest() -> None:
    assert refused("<a>" + "<b></b>" * 400).kind == "beyond"
    assert refused("<a>" * 255 + "<b></b>" * 20 + "<a>" * 2 + "<b/>" * TAGS).kind == "too-deep"


def test_a_hundred_attributes_are_read_and_one_more_is_refused() -> None:
    some = "".join(f" a{number}='>'" for number in range(100))
    declared = "".join(f" xmlns:n{number}='urn:{number}'" for number in range(50))
    assert len(parse_xml(f"<a{declared}{some}/>".encode()).root.attrib) == 100
    assert parse_xml(f"<a><!-- <b{some} c=''/> --><![CDATA[<b{some} c=''>]]></a>".encode()).notes == ()
    (note,) = parse_xml(f"<a><?p <b{some} c=''>?></a>".encode()).notes
    assert note.kind == "processing-instruction"
    error = refused(f"<a><b{declared}{some} c=''/></a>")
    assert error.kind == "attributes"
    assert error.message == "an element has more than 100 attributes, and no document names that many"
    assert error.position is not None
    assert (error.position.line, error.position.column, error.position.offset) == (1, 1, 0)


def test_all_attributes_together_have_a_bound_as_well() -> None:
    def of(count: int) -> str:
        full, rest = divmod(count, 60)
        elements = ["".join(f" a{number}=''" for number in range(many)) for many in (*[60] * full, rest)]
        return f"<a>{''.join(f'<b{attributes}/>' for attributes in elements)}</a>"

    assert parse_xml(of(TAGS).encode()).root.tag == "a"
    error = refused(of(TAGS + 1))
    assert error.kind == "beyond"
    assert error.message == "the XML holds more than 600 attributes"


def test_a_hundred_notes_are_kept_and_long_ones_are_cut() -> None:
    instruction = f"<?{'i' * 300} ?>"
    instructions = parse_xml(f"<a>{instruction * 101}</a>".encode()).notes
    assert len(instructions) == 100
    assert instructions[0].text == f"the document holds the instruction {'i' * 200}"
    hint = f'<b i:schemaLocation="{"h" * 300}"/>'
    hints = parse_xml(f'<a xmlns:i="http://www.w3.org/2001/XMLSchema-instance">{hint * 101}</a>'.encode())
    assert len(hints.notes) == 100
    assert "h" * 200 in hints.notes[0].text
    assert "h" * 201 not in hints.notes[0].text
    assert all(not element.attrib for element in hints.root)


def test_json_with_as_many_values_as_are_read_is_read_and_one_more_is_not() -> None:
    most = "[" + ",".join(["1"] * VALUES) + "]"
    assert decode_json(most.encode()).value == [1] * VALUES
    assert load_json(most) == [1] * VALUES
    more = most.replace("[", "[1,")
    with pytest.raises(BeyondError) as caught:
        decode_json(more.encode())
    assert (caught.value.kind, caught.value.message) == ("beyond", "the JSON holds more than 150 values")
    with pytest.raises(ValueError, match=r"^holds more than 150 values, or is nested more than 100 levels deep$"):
        load_json(more)
    with pytest.raises(ValueError, match=r"^holds more than 150 values$"):
        load_top(more)
    assert load_top(most) == [1] * VALUES


def test_json_that_is_too_deep_at_once_is_wrong_however_much_it_holds() -> None:
    for start, kind in (("[" * 101, "too-deep"), ("[" * 100, "beyond"), ('"[" , ' * VALUES + "[" * 101, "beyond")):
        with pytest.raises(CodecError) as caught:
            decode_json((start + "1," * VALUES).encode())
        assert caught.value.kind == kind


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ("[" + "1," * 9 + "1]", False),
        ("[" + "1," * 10 + "1]", True),
        ("{" + '"a":1,' * 9 + '"b":1}', False),
        ("{" + '"a":1,' * 10 + '"b":1}', True),
        ("[" * 10, False),
        ("{" * 11, True),
        ('["' + ",[{" * 20 + '"]', False),
        ('["' + ',\\"' * 60 + '"]', False),
        ('",," ' * 21, True),
        ('",," ' * 20, False),
        ("," * 10 + '""' * 21, False),
        ("[" + '",",' * 9 + "1]", False),
        ("[" + '",",' * 10 + "1]", True),
    ],
)
def test_values_are_counted_by_commas_and_brackets_outside_strings(text: str, more: bool) -> None:
    assert holds_more(text, 10) is more


def test_notes_on_json_are_kept_a_hundred_times_of_each_kind() -> None:
    found = decode_json(json.dumps(["\ud800"] * 20).encode()).notes
    assert len(found) == 20
    pairs = "{" + ",".join(['"a":1'] * 13) + "}"
    (note,) = decode_json(pairs.encode()).notes
    assert note.text == f"member 'a' is given 13 times; the last is used, before it: {', '.join('1' * 10)} and 2 more"
    (note,) = decode_json(("{" + ",".join(['"a":1'] * 11) + "}").encode()).notes
    assert note.text == f"member 'a' is given 11 times; the last is used, before it: {', '.join('1' * 10)}"
    (note,) = decode_json(b'{"a":"' + b"x" * 118 + b'","a":1}').notes
    assert note.text.endswith('before it: "' + "x" * 118 + '"')
    (note,) = decode_json(b'{"a":"' + b"x" * 200 + b'","a":1}').notes
    assert note.text.endswith('before it: "' + "x" * 119 + "… (202 characters)")
    cut, whole = ("\ud800" + "y" * count for count in (120, 119))
    (note,) = decode_json(json.dumps(cut).encode()).notes
    assert note.text == ascii(whole) + "… (121 characters)"
    (note,) = decode_json(json.dumps(whole).encode()).notes
    assert note.text == ascii(whole)


def test_kinds_of_notes_are_counted_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_read, "MAX_NOTES", 3)
    notes = decode_json(b'["\\ud800",1.5,"\\ud800",1.5,"\\ud800",1.5,"\\ud800",1.5]').notes
    assert [note.kind for note in notes] == ["lone-surrogate", "non-integer-literal"] * 3


def test_a_long_member_name_is_cut_in_a_pointer() -> None:
    assert join_pointer(["a" * 200, 3, "b/c"]) == f"/{'a' * 200}/3/b~1c"
    assert join_pointer(["a" * 201]) == f"/{'a' * 200}…"


def test_a_frame_and_its_payload_that_hold_too_much_say_so() -> None:
    whole = decode_frame("[" + "1," * VALUES + "1]")
    assert [(problem.member, problem.kind, problem.message) for problem in whole.problems] == [
        ("", "beyond", "the JSON holds more than 150 values")
    ]
    frame = {"m": 1, "i": 2, "n": "CancelAllOrders", "o": json.dumps([1] * (VALUES + 1))}
    (problem,) = decode_frame(json.dumps(frame)).problems
    assert (problem.member, problem.kind) == ("o", "beyond")
