"""A case survives the way into a fixture file and back, whatever stands in it."""

from __future__ import annotations

import json
from dataclasses import MISSING, fields, replace
from typing import Any

import pytest

from conformance.cases.build import build_all
from conformance.cases.case_data import canonical_text, fixture_text, text_data, text_of
from conformance.cases.fixtures import from_data, parse_json, to_data
from conformance.contract.load import load_contract
from conformance.errors import SpecError
from conformance.model.case import (
    Alternative,
    Beside,
    Body,
    Case,
    Expectation,
    Message,
    OwnSession,
    RaceSession,
    RaceStep,
    Repeat,
    StateNeed,
    Transport,
    Twin,
)

PLAIN = Case(
    id="op/family/name@http",
    operation="service.op",
    title="A title",
    requirements=("OP-1",),
    role="user",
    transport=Transport.HTTP,
    media_type="application/json",
    message=Message(Body("{}")),
    expect=Expectation("OP-1", (Alternative({"code": [0]}),)),
)
RICH = replace(
    PLAIN,
    message=Message(
        Body("a${x#}", "utf-16-le", Repeat("[", ",", "]", 3)),
        "PUT",
        "/p",
        (("A", "1"), ("A", "2")),
        "upper",
        '{"o":${o}}',
    ),
    expect=Expectation(
        "OP-1",
        (Alternative({"results": [True, "any"]}, ("one",), ("two",), ("reading=a",), ("a-ruling",)),),
        "OP-2",
        "OP-3",
    ),
    states={"one": StateNeed("open-order", {"account": "${account}", "price": 1.5}), "two": StateNeed("open-quote")},
    before=(Message(Body("")), Message(Body("x"))),
    before_role="other",
    together=4,
    later=True,
    lane="alone",
    edition="later",
    code="20",
    provoke="101",
    tier="generated",
    accept="text/xml",
    session=OwnSession(Transport.WS, "first", "shorter", "longer", ended=True),
    beside=(Beside(Message(Body("3")), Expectation("OP-5", (Alternative({"code": [20]}, untouched=("one",)),))),),
    race=(
        RaceSession("third", Transport.WS, "text/xml", (RaceStep("place", ("one",)), RaceStep("look", ("two",)))),
        RaceSession(
            "fourth",
            Transport.HTTP,
            "text/json",
            (RaceStep("cancel", ("one",), Message(Body("4")), Expectation("OP-6", (Alternative({"code": [0]}),))),),
        ),
    ),
    twin=Twin(
        "media-type",
        "OP-4",
        Transport.WS,
        "text/json",
        (Message(Body("1")), Message(Body("2"))),
        "other",
        "text/json",
        (1, 0),
    ),
    rows=("0110", "0121"),
)
BYTES = Body(data=b"\x00\xff${oms}")
PARTS = (
    RICH,
    RICH.message,
    RICH.message.body,
    RICH.message.body.repeat,
    RICH.expect,
    *RICH.expect.any_of,
    RICH.twin,
    RICH.race[1],
    RICH.race[1].steps[0],
)


def through_a_file(case: Case) -> Case:
    return from_data(parse_json(fixture_text(to_data(case)).encode("utf-8")))


def test_every_named_case_survives() -> None:
    cases = build_all(load_contract())
    assert [case.id for case in cases if through_a_file(case) != case] == []


@pytest.mark.parametrize("case", [PLAIN, RICH], ids=["defaults", "everything"])
def test_every_member_survives(case: Case) -> None:
    assert through_a_file(case) == case


@pytest.mark.parametrize("part", PARTS, ids=[type(part).__name__ for part in PARTS])
def test_no_member_is_forgotten_here(part: Any) -> None:
    """A new field of a case must stand in RICH at another value than its default, or its loss would go unseen."""
    for field in fields(part):
        if field.name == "data":
            continue  # takes the place of the others; survives apart, below
        default = field.default_factory() if field.default_factory is not MISSING else field.default
        assert getattr(part, field.name) != default, field.name


def test_a_body_of_bytes_is_written_in_base64_and_survives() -> None:
    case = replace(PLAIN, message=Message(BYTES))
    assert to_data(case)["message"] == {"body": {"base64": "AP8ke29tc30="}}
    assert through_a_file(case) == case


def test_a_body_that_is_no_base64_is_refused() -> None:
    data = {**to_data(PLAIN), "message": {"body": {"base64": "AP8*"}}}
    with pytest.raises(SpecError, match="op/family/name@http"):
        from_data(data)


def test_members_at_their_default_are_left_out() -> None:
    assert set(to_data(PLAIN)) == {
        "id", "operation", "title", "requirements", "role", "transport", "media_type", "message", "expect"
    }  # fmt: skip
    assert to_data(PLAIN)["message"] == {"body": "{}"}
    assert to_data(PLAIN)["expect"] == {"requirement": "OP-1", "any_of": [{"answer": {"code": [0]}}]}


def test_the_order_of_states_survives() -> None:
    turned = replace(RICH, states=dict(reversed(list(RICH.states.items()))))
    assert list(through_a_file(turned).states) == ["two", "one"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plain",
        "\ud800 alone",
        "\udfff\ud800 the wrong way round",
        "\ud83d\ude00 two halves side by side",
        "\U0001f600 one character",
        "\x00\x07\x7f\x80\xa0\xad\ufeff\u2028\u202e\u200b",
        'line\nbreak\r\n\ttab \\ "quote" / </script>',
        "[" * 2000 + "]" * 2000,
        '{"a":' * 2000 + "1" + "}" * 2000,
        "x" * 100_000,
        "ab" * 50 + "c" * 399,
        "<a>" * 2000 + "\ud83d\ude00" * 300,
        "\ud83d" * 500 + "\ude00" * 500,
    ],
    ids=range(14),
)
def test_any_text_survives(text: str) -> None:
    case = replace(PLAIN, message=Message(Body(text), frame=text))
    assert through_a_file(case) == case


def test_a_long_repetition_is_kept_short() -> None:
    assert text_data("[" * 2000 + "1" + "]" * 2000) == [{"run": ["[", 2000]}, "1", {"run": ["]", 2000]}]


def test_ordinary_text_stays_readable() -> None:
    assert text_data('{"OMSId":${oms}}') == '{"OMSId":${oms}}'


@pytest.mark.parametrize("data", [5, None, {"run": ["x", 2]}, [{"run": [1, 2]}], [{"run": ["x"]}]])
def test_text_of_another_form_is_refused(data: Any) -> None:
    with pytest.raises(ValueError):
        text_of(data)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"id": None}, "'id' is missing"),
        ({"expect": None}, "'expect' is missing"),
        ({"extra": 1}, "unknown member 'extra'"),
        ({"message": {"body": 5}}, "text must be a string"),
        ({"message": 5}, "op/family/name@http"),
    ],
)
def test_data_that_is_no_case_is_refused(change: dict[str, Any], message: str) -> None:
    data = {key: value for key, value in {**to_data(PLAIN), **change}.items() if value is not None}
    with pytest.raises(SpecError, match=message):
        from_data(data)


def test_a_file_holds_no_invisible_character() -> None:
    text = fixture_text({"a": "\u202e\ufeff\x7f\ud800"})
    assert text == '{\n "a": "\\u202e\\ufeff\\x7f\\ud800"\n}\n'.replace("\\x7f", "\\u007f")


def test_short_values_share_a_line_and_long_ones_do_not() -> None:
    text = fixture_text({"cases": [{"short": [1, 2], "long": ["x" * 80, "y" * 80]}]})
    assert '"short": [1, 2],' in text
    assert f'"long": [\n    "{"x" * 80}",\n    "{"y" * 80}"\n   ]' in text
    assert json.loads(text) == {"cases": [{"short": [1, 2], "long": ["x" * 80, "y" * 80]}]}


def test_the_canonical_text_is_ascii_on_one_line() -> None:
    assert canonical_text({"b": "é\ud800", "a": [1, None]}) == '{"b":"\\u00e9\\ud800","a":[1,null]}'
