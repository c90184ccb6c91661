"""All named cases together: their ids, what they verify, and that what must succeed is legal by the schemas."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from cases_support import CAO, CQ, TPP, cases, contract, filled, folded, request_schema, succeeds, value_of

import conformance.checks
from conformance.cases import make
from conformance.cases.build import build_cases
from conformance.cases.make import Channel, channels
from conformance.cases.scenario import scenario_cases
from conformance.errors import SpecError
from conformance.model.case import StateNeed, Transport, state_names


def test_ids_are_unique_and_can_be_typed() -> None:
    ids = [one.id for one in cases()]
    assert len(ids) == len(set(ids))
    assert [name for name in ids if not re.fullmatch(r"[a-z0-9./@-]+", name)] == []


def test_every_requirement_has_a_case_or_a_reason() -> None:
    verified = {name for one in cases() for name in one.requirements}
    known = contract().requirements
    assert verified <= set(known)
    assert {name for name, requirement in known.items() if requirement.untested is None} == verified


def test_every_case_has_a_title_and_something_right() -> None:
    assert [one.id for one in cases() if not one.title or not one.expect.any_of] == []


def test_no_alternative_lets_everything_pass() -> None:
    assert [one.id for one in cases() for right in one.expect.any_of if not right.wanted] == []


def test_expectations_name_requirements_of_the_operation() -> None:
    known = contract().requirements
    for one in cases():
        for name in filter(None, (one.expect.requirement, one.expect.effect, one.expect.outside)):
            assert known[name].operation == one.operation, one.id


def test_every_code_has_a_case_in_every_cell() -> None:
    cells = Counter((one.operation, one.code, one.transport, one.media_type) for one in cases() if one.code)
    wanted = {
        (name, code.code, way.transport, way.media_type)
        for name, operation in contract().operations.items()
        for code in operation.codes
        for way in channels(operation)
    }
    assert set(cells) == wanted
    # 20 is also asked for where no stranger's account may be hidden behind 104, and 104 by ids of several kinds, for a
    # service may tell some of them apart with 100: the cell passes once one of them was answered 104
    assert {code for (_, code, _, _), count in cells.items() if count > 1} == {"20", "104"}


@pytest.mark.parametrize("operation", [CAO, CQ, TPP])
def test_what_must_succeed_is_legal_by_the_request_schema(operation: str) -> None:
    checked = 0
    for one in cases():
        if one.operation == operation and succeeds(one) and one.message.body.encoding == "utf-8":
            value = folded(operation, value_of(operation, one.message.body, one.media_type))
            assert request_schema(operation).problems(value) == (), one.id
            checked += 1
    assert checked > 50


def test_every_alternative_of_every_reading_can_be_observed() -> None:
    named = {reading for one in cases() for right in one.expect.any_of for reading in right.readings}
    folder = Path(conformance.checks.__file__).parent
    shown = {
        found for path in folder.glob("*.py") for found in re.findall(r'"([a-z-]+)=', path.read_text(encoding="utf-8"))
    }
    by_text = {name for one in contract().operations.values() for name in one.reading_texts}
    left = {
        f"{reading.id}={alternative}"
        for reading in contract().readings.values()
        for alternative in reading.alternatives  # an answer shows it, or the alternative of a case
        if reading.id not in shown | by_text and f"{reading.id}={alternative}" not in named
    }
    assert left == set()


def test_a_message_never_holds_what_is_expected_of_the_answer() -> None:
    for one in cases():
        assert b"expect" not in filled(one.message.body, one.media_type)[:10_000], one.id


def test_two_cases_with_one_id_are_an_error_of_the_contract(tmp_path: Path) -> None:
    source = contract().operations[CAO]
    (tmp_path / "scenarios.yaml").write_text(
        "- &one {name: a/b, title: A, requirements: [], expect: {requirement: CAO-SYNC, any_of: [{code: 0}]}}\n- *one\n",
        encoding="utf-8",
    )
    with pytest.raises(SpecError, match=r"cao/a/b@http"):
        build_cases(replace(source, folder=tmp_path))


@pytest.mark.parametrize(
    ("scenario", "message"),
    [
        ("{title: A}", r"scenarios\.yaml:1: 0: key 'name' is missing"),
        ("{name: a/b, titel: A}", r"unknown key 'a/b\.titel'\nDid you mean 'title'"),
        ("{name: a/b, title: A, requirements: [], expect: {requirement: X, any_of: [{cod: 0}]}}", r"0\.cod'\nDid you"),
    ],
)
def test_a_scenario_that_cannot_be_meant_is_refused(tmp_path: Path, scenario: str, message: str) -> None:
    (tmp_path / "scenarios.yaml").write_text(f"- {scenario}\n", encoding="utf-8")
    with pytest.raises(SpecError, match=message):
        list(scenario_cases(replace(contract().operations[CAO], folder=tmp_path)))


def test_without_scenarios_there_are_none(tmp_path: Path) -> None:
    assert list(scenario_cases(replace(contract().operations[CAO], folder=tmp_path))) == []


def test_an_id_names_the_transport_and_media_type_where_there_is_a_choice() -> None:
    operations = contract().operations
    assert make.suffix(operations[CAO], Channel(Transport.WS, "application/json")) == "ws"
    assert make.suffix(operations[TPP], Channel(Transport.HTTP, "text/xml")) == "text-xml"
    both = replace(operations[TPP], transports=tuple(Transport))
    assert make.suffix(both, Channel(Transport.HTTP, "text/xml")) == "http-text-xml"


def test_frames_carry_json_only() -> None:
    both = replace(contract().operations[TPP], transports=tuple(Transport))
    assert [way for way in channels(both) if way.transport == "ws"] == [Channel(Transport.WS, "application/json")]


def test_a_quote_is_watched_by_its_legs() -> None:
    states = {"quote": StateNeed("open-quote"), "order": StateNeed("open-order")}
    assert state_names(states) == ("quote.bid", "quote.ask", "order")
