"""A compiled schema says what is wrong, where, and whose requirement it breaks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from conformance.contract.load import specs_root
from conformance.contract.schemas import SchemaProblem, SchemaValidator, load_validator
from conformance.errors import SpecError
from conformance.formats.errors import Number

TPP = specs_root() / "tpp" / "create_cancellations"
CQ = specs_root() / "alphapoint" / "cancel_quote"


@pytest.fixture(scope="module")
def request_schema() -> SchemaValidator:
    return load_validator(TPP / "request.schema.json")


def schema_at(folder: Path, name: str, content: Any) -> Path:
    path = folder / "service" / "operation" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_a_valid_value_has_no_problems(request_schema: SchemaValidator) -> None:
    assert request_schema.problems([{"OrderID": 1, "PIN": None}]) == ()
    assert request_schema.is_valid([])


def test_a_problem_has_all_that_a_report_needs(request_schema: SchemaValidator) -> None:
    assert request_schema.problems([{"OrderID": "7"}]) == (
        SchemaProblem(
            requirement="TPP-REQ-ORDERID-TYPE",
            pointer="/0/OrderID",
            message='/0/OrderID: expected integer or null, found "7" (string)',
            expected="integer or null",
            actual='"7" (string)',
            keyword="type",
        ),
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"OrderID": 2**31}, ("TPP-REQ-WIDTH", "/0/OrderID", "at most 2147483647", "2147483648")),
        ({"OrderID": None}, ("TPP-REQ-ORDERID-REQUIRED", "/0/OrderID", "anything but null", "null")),
        ({}, ("TPP-REQ-ORDERID-REQUIRED", "/0", "the member OrderID", "no members")),
        (5, ("TPP-REQ-LIST", "/0", "object", "5 (integer)")),
        ({"OrderID": Number("1.50")}, ("TPP-REQ-ORDERID-TYPE", "/0/OrderID", "integer or null", "1.50 (number)")),
        ({"OrderID": Number("1e400")}, ("TPP-REQ-ORDERID-TYPE", "/0/OrderID", "integer or null", "1e400 (number)")),
    ],
)
def test_expected_and_actual_stand_side_by_side(
    request_schema: SchemaValidator, value: Any, expected: tuple[str, ...]
) -> None:
    (problem,) = request_schema.problems([value])
    assert (problem.requirement, problem.pointer, problem.expected, problem.actual) == expected


def test_the_nearest_requirement_wins_over_outer_ones() -> None:
    answer = load_validator(CQ / "response.schema.json")
    leg = {"result": True, "errormsg": None, "errorcode": 5, "detail": None}
    right = {**leg, "errorcode": 0}
    found = {(one.requirement, one.pointer) for one in answer.problems({"BidResult": leg, "AskResult": right})}
    assert found == {("CQ-AGREE", "/BidResult/errorcode"), ("CQ-RESP-ERRORCODE-LISTED", "/BidResult/errorcode")}


def test_a_part_of_a_schema_can_be_chosen() -> None:
    flat = load_validator(CQ / "response.schema.json", "#/$defs/flat")
    assert flat.problems({"result": False, "errormsg": "Not Authorized", "errorcode": 20, "detail": None}) == ()
    assert {one.requirement for one in flat.problems(5)} == {"CQ-EARLY-ERROR"}


def test_a_number_with_a_plain_value_is_an_integer(request_schema: SchemaValidator) -> None:
    assert request_schema.is_valid([{"OrderID": Number("1.0")}])


def test_half_a_surrogate_pair_does_no_harm(request_schema: SchemaValidator) -> None:
    assert request_schema.is_valid([{"OrderID": 1, "PIN": "\ud800", "\udfff": 1}])
    assert [one.keyword for one in request_schema.problems([{"OrderID": "\ud800", "\udfff": 1}])] == ["type"]


def test_long_values_are_cut(request_schema: SchemaValidator) -> None:
    (problem,) = request_schema.problems([{"OrderID": "x" * 5000}])
    assert len(problem.message) < 400
    assert "5002 characters" in problem.actual


def test_problems_come_in_a_stable_order(request_schema: SchemaValidator) -> None:
    value = [{"PIN": 5, "OrderID": "x"}, 7, {"IsInternationalOrder": "no", "OrderID": 1}]
    pointers = [one.pointer for one in request_schema.problems(value)]
    assert pointers == sorted(pointers) != []


@pytest.mark.parametrize(
    ("schema", "value", "expected", "actual"),
    [
        ({"enum": [1, "a"]}, 2, 'one of 1, "a"', "2"),
        ({"const": None}, 2, "null", "2"),
        ({"not": {"enum": [2, 3]}}, 2, "none of 2, 3", "2"),
        ({"not": {"type": "integer"}}, 2, 'nothing that matches {"type": "integer"}', "2"),
        ({"minimum": 3}, 2, "at least 3", "2"),
        ({"exclusiveMinimum": 2}, 2, "more than 2", "2"),
        ({"exclusiveMaximum": 2}, 2, "less than 2", "2"),
        ({"multipleOf": 3}, 2, "a multiple of 3", "2"),
        ({"minLength": 1}, "", "at least 1 characters", '""'),
        ({"maxLength": 1}, "ab", "at most 1 characters", '"ab"'),
        ({"pattern": "^a$"}, "b", "text of the form ^a$", '"b"'),
        ({"maxItems": 0}, [1], "an empty list", "1 item: [1]"),
        ({"maxItems": 1}, [1, 2], "at most 1 items", "2 items: [1, 2]"),
        ({"minItems": 1}, [], "at least 1 items", "an empty list"),
        ({"contains": {"const": 1}}, [2], "a list with an item of the demanded kind", "1 item: [2]"),
        ({"uniqueItems": True}, [2, 2], "items that differ", "[2, 2]"),
        ({"properties": {"b": {}}, "additionalProperties": False}, {"a": 1}, "no members beyond those named", "also a"),
        ({"required": ["b"]}, {"a": 1}, "the member b", "members a"),
        ({"anyOf": [{"const": 1}]}, 2, "one of several forms", "2"),
        ({"type": "null"}, [1], "null", "[1] (list)"),
        ({"properties": {"a": False}}, {"a": 1}, "nothing here", "1"),
        ({"minProperties": 1}, {}, "at least 1 members", "{}"),
        ({"maxProperties": 0}, {"a": 1}, "at most 0 members", '{"a": 1}'),
    ],
)
def test_each_keyword_has_words(tmp_path: Path, schema: Any, value: Any, expected: str, actual: str) -> None:
    (problem,) = load_validator(schema_at(tmp_path, "a.schema.json", schema)).problems(value)
    assert (problem.expected, problem.actual) == (expected, actual)


def test_a_schema_without_requirement_gives_none(tmp_path: Path) -> None:
    (problem,) = load_validator(schema_at(tmp_path, "a.schema.json", {"type": "null"})).problems(1)
    assert problem.requirement is None


def test_references_lead_to_other_files_and_on(tmp_path: Path) -> None:
    schema_at(tmp_path, "../shared.schema.json", {"$defs": {"id": {"$ref": "operation/b.schema.json"}}})
    schema_at(tmp_path, "b.schema.json", {"x-requirement": "B-1", "type": "integer", "$id": "urn:b"})
    first = schema_at(tmp_path, "a.schema.json", {"items": {"$ref": "../shared.schema.json#/$defs/id"}})
    (problem,) = load_validator(first).problems(["x"])
    assert (problem.requirement, problem.pointer) == ("B-1", "/0")


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"$ref": "lost.schema.json"}, "missing"),
        ({"$ref": "#/$defs/lost"}, "names nothing"),
        ({"$ref": "http://127.0.0.1:9/a.json"}, "leaves the service's folder"),
        ({"$ref": "../../../a.json"}, "leaves the service's folder"),
        ({"$defs": {"a": {"$anchor": "b"}}}, "not supported"),
        ({"type": "nothing"}, "does not compile"),
        ([], "must hold an object"),
    ],
)
def test_a_schema_that_cannot_be_used_is_refused(tmp_path: Path, schema: Any, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        load_validator(schema_at(tmp_path, "a.schema.json", schema))


def test_a_part_that_is_not_there_is_refused() -> None:
    with pytest.raises(SpecError, match="names nothing"):
        load_validator(TPP / "request.schema.json", "#/$defs/none")


@pytest.mark.parametrize(("content", "message"), [(b"{", "not JSON"), (b"\xff", "not UTF-8")])
def test_a_file_that_is_no_json_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.schema.json"
    path.write_bytes(content)
    with pytest.raises(SpecError, match=message):
        load_validator(path)
