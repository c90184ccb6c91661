"""`conformance list`: ids of the bundled contract, as text and JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from conformance.cases.fixtures import load_cases
from conformance.checks.registry import bundled
from conformance.cli.main import main
from conformance.contract.load import load_contract
from reference_impl.equivalents import EQUIVALENTS
from reference_impl.faults import FAULTS

CONTRACT = load_contract()


def invoke(*arguments: str) -> Result:
    done = CliRunner().invoke(main, ["list", *arguments])
    assert done.exit_code == 0, done.output
    return done


def entries(*arguments: str) -> list[dict[str, Any]]:
    loaded: list[dict[str, Any]] = json.loads(invoke(*arguments, "--json").stdout)
    return loaded


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("operations", CONTRACT.operations),
        ("requirements", CONTRACT.requirements),
        ("readings", CONTRACT.readings),
        ("rulings", CONTRACT.rulings),
        ("cases", [case.id for case in load_cases(CONTRACT)]),
        ("faults", FAULTS),
        ("equivalents", EQUIVALENTS),
    ],
)
def test_everything_is_listed_in_order(kind: str, expected: Any) -> None:
    ids = [entry["id"] for entry in entries(kind)]
    assert ids == sorted(expected)
    assert invoke(kind, "-q").stdout.split() == ids


def test_checks_stand_in_the_order_in_which_they_are_made() -> None:
    ids = [entry["id"] for entry in entries("checks")]
    assert ids == [check.id for check in bundled()]
    assert invoke("checks", "-q").stdout.split() == ids


def test_a_check_has_its_keys_its_requirements_and_what_it_blocks() -> None:
    entry = next(one for one in entries("checks") if one["id"] == "identity")
    assert entry == {
        "id": "identity",
        "looks_at": "a result names the order that its instruction was for",
        "stage": "results",
        "answers": ["results", "result"],
        "transport": None,
        "format": None,
        "keys": ["identity"],
        "speaks_for": None,
        "requirements": {
            "tpp.create_cancellation": {"identity": "TPP1-RESP-IDENTITY"},
            "tpp.create_cancellations": {"identity": "TPP-RESP-IDENTITY"},
        },
        "blocks": ["outcome", "effect"],
    }


def test_rulings_of_one_operation_can_be_chosen() -> None:
    of_quotes, of_lists, of_one = (
        {entry["id"] for entry in entries("rulings", "--operation", name)}
        for name in ("alphapoint.cancel_quote", "tpp.create_cancellations", "tpp.create_cancellation")
    )
    assert {"mixed-legs", "early-error", "secrets"} <= of_quotes
    assert not {"account-left-out", "pin-choice", "no-list"} & of_quotes
    assert {"pin-choice", "no-list", "secrets", "tpp-forms-of-answers"} <= of_lists
    assert not {"mixed-legs", "error-frame", "unnamed-method"} & of_lists
    assert {"pin-choice", "secrets", "text-of-an-error", "never-a-page-of-an-error", "tpp-forms-of-answers"} <= of_one
    assert not {"mixed-legs", "error-frame"} & of_one


def test_each_ruling_belongs_to_an_operation() -> None:
    ids = {entry["id"] for name in CONTRACT.operations for entry in entries("rulings", "--operation", name)}
    assert ids == set(CONTRACT.rulings)


def test_checks_of_one_operation_can_be_chosen() -> None:
    ids = [entry["id"] for entry in entries("checks", "--operation", "alphapoint.cancel_quote")]
    assert "leg-form" in ids
    assert not {"identity", "xml-root"} & set(ids)


def test_errors_are_the_rows_of_the_tables() -> None:
    rows = [(entry["operation"], entry["code"]) for entry in entries("errors")]
    assert rows == [(name, one.code) for name in sorted(CONTRACT.operations) for one in CONTRACT.operations[name].codes]


def test_a_requirement_has_its_words_and_place() -> None:
    entry = next(one for one in entries("requirements") if one["id"] == "CAO-CODE-104")
    requirement = CONTRACT.requirements["CAO-CODE-104"]
    assert entry == {
        "id": requirement.id,
        "operation": requirement.operation,
        "level": requirement.level,
        "document": requirement.document,
        "place": requirement.place,
        "text": requirement.text,
        "untested": None,
    }


@pytest.mark.parametrize("kind", ["operations", "requirements", "cases", "errors", "faults", "equivalents"])
def test_one_operation_can_be_chosen(kind: str) -> None:
    name = "tpp.create_cancellations"
    found = entries(kind, "--operation", name)
    assert found
    assert {entry["id" if kind == "operations" else "operation"] for entry in found} == {name}


def test_readings_of_one_operation_can_be_chosen() -> None:
    found = entries("readings", "--operation", "tpp.create_cancellations")
    assert found
    assert all("tpp.create_cancellations" in entry["operations"] for entry in found)


def test_text_has_a_head_and_a_count() -> None:
    lines = invoke("operations").stdout.splitlines()
    assert lines[0].split() == ["id", "method", "path", "transports", "media_types", "codes"]
    assert lines[-1] == f"{len(CONTRACT.operations)} operations"


def test_long_texts_are_cut_unless_verbose() -> None:
    assert "…" in invoke("requirements").stdout
    assert "…" not in invoke("requirements", "-v").stdout


def test_an_unknown_operation_suggests_close_ones() -> None:
    done = CliRunner().invoke(main, ["list", "cases", "--operation", "alphapoint.cancel_quotes"])
    assert done.exit_code == 2
    assert "Did you mean alphapoint.cancel_quote" in done.stderr


def test_an_unknown_kind_is_a_usage_error() -> None:
    assert CliRunner().invoke(main, ["list", "wishes"]).exit_code == 2
