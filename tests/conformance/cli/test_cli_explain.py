"""`conformance explain`: every kind of id, and close matches for unknown ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from conformance.cases.case_data import to_data
from conformance.cases.fixtures import load_cases
from conformance.checks.registry import bundled
from conformance.cli.explain import _known
from conformance.cli.main import main
from conformance.contract.load import load_contract
from conformance.model.case import Alternative, Body, Case, Expectation, Message, Repeat, StateNeed
from conformance.report.wording import (
    alternative_words,
    answer_words,
    case_facts,
    expectation_lines,
    message_lines,
)
from reference_impl.faults import FAULTS

CONTRACT = load_contract()


def explain(*arguments: str) -> str:
    done = CliRunner().invoke(main, ["explain", *arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_a_requirement_shows_words_place_and_cases() -> None:
    text = explain("CAO-CODE-104")
    assert text.startswith("CAO-CODE-104: requirement (must) of alphapoint.cancel_all_orders\n")
    assert f"place: {CONTRACT.requirements['CAO-CODE-104'].place}" in text
    assert "error code: 104" in text
    assert "cao/codes/104@http" in text


def test_an_untested_requirement_says_why() -> None:
    untested = next(one for one in CONTRACT.requirements.values() if one.untested)
    assert f"untested: {untested.untested}" in explain(untested.id)


def test_a_check_shows_what_it_looks_at_its_requirements_faults_and_what_it_blocks() -> None:
    text = explain("one-each")
    assert text.startswith(
        "one-each: check of the stage results\n  Looks whether each instruction of a list has one result.\n"
    )
    assert "tpp.create_cancellations, one-each: TPP-RESP-ONE-EACH\n" in text
    assert "tpp.create_cancellations, faults that break it: " in text
    assert "tpp-drops-last-result" in text
    assert text.endswith("  blocks: outcome, effect\n")


def test_every_check_is_explained() -> None:
    known = _known(None, verbose=False)
    for check in bundled():
        assert next(iter(known[check.id]())) == f"{check.id}: check of the stage {check.stage.name.lower()}"


def test_an_id_of_a_check_and_of_a_reading_is_explained_as_both() -> None:
    text = explain("leg-form")
    assert "leg-form: check of the stage reading\n" in text
    assert "leg-form: reading of alphapoint.cancel_quote\n" in text


def test_ids_are_found_in_any_letter_case() -> None:
    assert explain("cao-code-104") == explain("CAO-CODE-104")


def test_a_generated_case_is_explained() -> None:
    text = explain("cq/generated/000199@http")
    assert text.startswith("cq/generated/000199@http: case (generated)\n")
    assert text.endswith("  replay: conformance replay cq/generated/000199@http\n")


def test_a_generated_case_that_this_seed_does_not_have_is_asked_for_its_seed() -> None:
    done = CliRunner().invoke(main, ["explain", "cq/generated/000199@elsewhere"])
    assert done.exit_code == 2
    assert "Give the --seed of the run that made it." in done.output


def test_a_case_for_four_factors_is_explained() -> None:
    four = load_cases(CONTRACT, ("tpp.create_cancellation",), strength=4)
    case = next(case for case in four if "/combinations-4/" in case.id)
    assert explain(case.id).startswith(f"{case.id}: case (named)\n")


def test_a_case_in_a_file_is_explained(tmp_path: Path) -> None:
    case = next(case for case in load_cases(CONTRACT) if case.id == "cao/codes/104@http")
    file = tmp_path / "case.json"
    file.write_text(json.dumps(to_data(case)), encoding="utf-8")
    assert explain(str(file)).endswith(f"  replay: conformance replay {file}\n")


def test_quiet_prints_the_first_line() -> None:
    assert explain("CAO-CODE-104", "-q").count("\n") == 1


def test_a_reading_shows_question_and_alternatives() -> None:
    reading = CONTRACT.readings["unknown-id"]
    text = explain("unknown-id")
    assert reading.question in text
    for name, meaning in reading.alternatives.items():
        assert f"  {name}: {meaning}" in text


def test_an_operation_shows_how_it_is_sent_and_its_codes() -> None:
    text = explain("alphapoint.cancel_quote")
    assert "sent as: POST /AP/CancelQuote" in text
    assert "code: 20: Not Authorized (CQ-CODE-20)" in text


def test_a_fault_shows_how_to_serve_it() -> None:
    name = next(iter(FAULTS))
    assert f"serve it: conformance serve --fault {name}" in explain(name)


@pytest.mark.parametrize("transport", ["http", "ws"])
def test_a_case_shows_message_and_expectation(transport: str) -> None:
    case = next(case for case in load_cases(CONTRACT) if case.transport == transport)
    text = explain(case.id)
    assert text.startswith(f"{case.id}: case (named)\n")
    for shown in ("  sent:", "  expected:", f"replay: conformance replay {case.id}", case.requirements[0]):
        assert shown in text


def test_every_case_can_be_put_in_words() -> None:
    for case in load_cases(CONTRACT):
        lines = [
            *message_lines(case.message),
            *expectation_lines(case.expect, CONTRACT.operations[case.operation]),
            *(name for name, _ in case_facts(case)),
        ]
        assert all("\n" not in line for line in lines)


def test_an_unknown_id_suggests_close_ones() -> None:
    done = CliRunner().invoke(main, ["explain", "CAO-CODE-14"])
    assert done.exit_code == 2
    assert "nothing is called 'CAO-CODE-14'. Did you mean CAO-CODE-1" in done.stderr


def test_an_http_message_in_words() -> None:
    message = Message(Body("{}", "utf-16"), path="/a", headers=(("Accept", "x/y"),))
    assert list(message_lines(message)) == ["POST /a", "Accept: x/y", "", "{}  [utf-16]"]
    assert list(message_lines(Message(Body(""), method="GET", path="/a"))) == ["GET /a", "", "(no body)"]


def test_a_frame_in_words() -> None:
    message = Message(Body('{"a":1}'), frame='{"i":${i},"o":${o}}')
    assert list(message_lines(message)) == ['{"i":${i},"o":${o}}', 'o = {"a":1}']


def test_a_long_list_is_told_not_printed() -> None:
    message = Message(Body("{#}", repeat=Repeat("[", ",", "]", 5000)), path="/")
    assert list(message_lines(message))[-1] == "[{#},… 5000 items …]"


def test_an_expectation_in_words() -> None:
    expect = Expectation(
        "R-1",
        (
            Alternative({"code": [0]}, ("mine",), ("other",)),
            Alternative({"form": "flat", "code": [100, 104]}, readings=("r=a",)),
        ),
        effect="R-2",
        outside="R-3",
    )
    operation = CONTRACT.operations["alphapoint.cancel_order"]
    assert list(expectation_lines(expect, operation)) == [
        "one of:",
        "- code 0; cancels mine; leaves other alone",
        "- form flat, code 100 or 104 (reading r=a)",
        "else a finding on R-1",
        "not cancelled although the answer says so: a finding on R-2",
        "touched although the answer says otherwise: a finding on R-3",
    ]


def test_answers_in_words() -> None:
    assert answer_words({"results": [True, False, "any"]}) == "results [success, failure, any]"
    assert answer_words({"status": "4xx", "novel": 1}) == "status 4xx, novel 1"
    assert alternative_words(Alternative({})) == "any answer of the right form"


def test_the_facts_of_a_case() -> None:
    case = Case(
        "i", "o", "t", ("R",), "r", "http", "x/y", Message(Body("")), Expectation("R", ()),
        states={"mine": StateNeed("open-order", {"account": 1})}, before=(Message(Body("")),), together=2,
        code="104", provoke="104",
    )  # fmt: skip
    assert list(case_facts(case)) == [
        ("operation", "o"),
        ("requirements", "R"),
        ("role", "r"),
        ("transport", "http, x/y"),
        ("verifies code", "104"),
        ("provokes code", "104, in the way that the target file gives"),
        ("state", "mine: open-order (account=1)"),
        ("sent before", "1 message"),
        ("sent together", "2 copies at the same moment; at most one may take effect"),
    ]
