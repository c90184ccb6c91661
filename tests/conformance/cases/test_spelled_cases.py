"""The family of spellings: its rows, what they send and expect, and what `specs check` and `coverage` say of them."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import pytest
from click.testing import CliRunner

from conformance.cases.families.spellings import GRAMMARS, productions, spelling_cases
from conformance.cli.main import main
from conformance.contract.check import cases as rules
from conformance.contract.check.problems import CaseSet
from conformance.contract.load import bundled_spellings, load_contract
from conformance.formats.json.format import JSON
from conformance.formats.xml.format import XML
from conformance.model.case import PIPELINED
from conformance.model.spec import Spelling
from conformance.wire.http.spell import SPELLINGS as REQUESTS
from conformance.wire.ws.spell import SPELLINGS as FRAMINGS

CONTRACT = load_contract()
ROWS = bundled_spellings()
CASES = {one.id: tuple(spelling_cases(one)) for one in CONTRACT.operations.values()}


def test_each_rendering_has_its_row_and_each_row_its_way_to_be_written() -> None:
    rendered = {*JSON.spellings, *XML.spellings, *XML.template_spellings, *REQUESTS, *FRAMINGS, PIPELINED}
    written = {one.id for one in ROWS if not (one.headers or one.path or one.frame or one.cases or one.unwritten)}
    assert written == rendered
    assert {one.grammar for one in ROWS} == set(GRAMMARS)
    assert all(one.id.startswith(one.grammar) for one in ROWS)


@pytest.mark.parametrize("operation", CONTRACT.operations)
def test_each_row_is_tried_wherever_its_grammar_is_spoken(operation: str) -> None:
    grammars = [one for one in GRAMMARS if f"spelled-{one}" in CONTRACT.operations[operation].attribution]
    tried = Counter(case.id.split("/")[2].partition("-")[0] for case in CASES[operation])
    assert set(tried) == set(grammars)
    assert all(len(case.expect.any_of) == 1 or case.expect.any_of[0].because for case in CASES[operation])


def test_refusal_is_right_only_where_the_table_names_who_refuses() -> None:
    refused = {one.id for one in ROWS if one.refused}
    for case in (case for cases in CASES.values() for case in cases):
        name = case.id.partition("@")[0].split("/")[2]
        lenient = any("refused-spelling" in one.because for one in case.expect.any_of)
        assert lenient is any(name.startswith(one) for one in refused)


def test_case_whose_account_is_unknown_shows_a_reader_who_loses_the_account() -> None:
    cases = {case.id: case for case in CASES["alphapoint.cancel_all_orders"]}
    case = cases["cao/spelled/json-names-escaped-refused@http"]
    assert "${unknown_account}" in case.message.body.text
    assert [one.untouched for one in case.expect.any_of] == [("mine",)]


def test_call_without_requirements_for_grammars_has_no_such_cases() -> None:
    operation = CONTRACT.operations["tpp.create_cancellations"]
    bare = {key: value for key, value in operation.attribution.items() if not key.startswith("spelled-")}
    assert list(spelling_cases(replace(operation, attribution=bare))) == []


def _told(monkeypatch: pytest.MonkeyPatch, *rows: Spelling) -> list[str]:
    monkeypatch.setattr(rules, "bundled_spellings", lambda: rows)
    every = tuple(case for cases in CASES.values() for case in cases)
    return [one.message for one in rules.spellings_held(CONTRACT, CaseSet(every, ())) if one is not None]


def test_specs_check_names_a_production_that_no_case_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    good = Spelling("json-tabs", "json", "RFC 8259 (2)", "tabs")
    assert _told(monkeypatch, good, Spelling("json-x", "json", "a", "b", unwritten="why")) == []
    assert _told(monkeypatch, replace(good, id="json-nothing")) == ["no case matches '*/spelled/json-nothing*'"]
    assert _told(monkeypatch, replace(good, cases=("x/*",))) == ["no case matches 'x/*'"]
    assert _told(monkeypatch, replace(good, clause=" ")) == ["clause or text is empty"]
    assert _told(monkeypatch, good, good) == ["two rows have this id"] * 2
    assert _told(monkeypatch, replace(good, path="escaped-letter", unwritten="why")) == ["it is written in two ways"]


def test_productions_count_what_a_target_cannot_be_sent() -> None:
    operation = CONTRACT.operations["tpp.create_cancellations"]
    why = {case.id: "no state" if "http-chunks@" in case.id else "" for case in CASES[operation.id]}
    found = {one.row.id: one for one in productions(operation, why)}
    assert (found["http-chunks"].cases, found["http-chunks"].carried_out) == (2, 0)
    assert (found["http-chunks"].standing, found["http-chunks"].hindered) == ("hindered", {"no state": 2})
    assert found["http-chunks-apart"].standing == "held"
    assert found["http-pipelined"].standing == "held"
    assert found["http-content-coding"].standing == "unwritten"


def test_coverage_shows_production_by_production() -> None:
    arguments = ["coverage", "--operation", "tpp.create_cancellations"]
    seen = CliRunner().invoke(main, [*arguments, "--json"])
    assert seen.exit_code == 0, seen.output
    told = {one["id"]: one for one in json.loads(seen.output)["spellings"]}
    assert set(told) == {one.id for one in ROWS if one.grammar != "ws"}
    assert told["xml-nil-false"]["standing"] == "held"
    assert told["xml-nil-false"]["clause"] == "XML Schema Part 1 (2.6.2)"
    assert told["http-content-coding"]["unwritten"].startswith("no message leaves")
    lines = CliRunner().invoke(main, arguments).output
    assert "Productions" in lines
    assert "xml-nil-false" in lines
