"""The kind `result`: a made-up call with one instruction and one result, from its page to runs in JSON and in XML."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from parcel_office import served

from conformance.cases.build import build_cases
from conformance.cases.families.list.forms import malformed_list_cases
from conformance.cli.main import main
from conformance.contract.load import load_contract
from conformance.contract.operation import NEEDED_CHECKS
from conformance.errors import SpecError
from conformance.model.case import Case
from conformance.model.spec import Operation, Shape

HERE = Path(__file__).parent
SPECS = HERE / "specs"
TARGET = """schema_version = 1
name = "parcels"
[scope]
destructive = true
everything = true
[limits]
settle_s = 0.1
[services.parcels]
http = "{0}"
[services.parcels.bindings]
unknown_parcel = 1987654321
unknown_uid = "6269c403-5b9f-47dd-b8c3-7ecbef8f686d"
agent = 4711
"parcel.ParcelID" = 1987654320
"parcel.TrackingUID" = "6269c403-5b9f-47dd-b8c3-7ecbef8f686e"
[services.parcels.roles.client]
login = "none"
[services.parcels.states]
provider = "hook"
url = "{0}/states"
"""


def conformance(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(one) for one in arguments])


@cache
def operation() -> Operation:
    return load_contract(SPECS).operations["parcels.recall"]


@cache
def cases() -> tuple[Case, ...]:
    return build_cases(operation())


def judged(folder: Path, *options: str, wrong: str = "") -> tuple[int, dict[str, Any]]:
    """The exit code and the results of a run against the office that is wrong in this way."""
    with served(*([wrong] if wrong else [])) as address:
        (folder / "target.toml").write_text(TARGET.format(address), encoding="utf-8")
        done = conformance(
            "run", "--specs", SPECS, "--target", folder / "target.toml", "--report", folder / "report", "--no-html", "-q", *options
        )  # fmt: skip
    assert done.exit_code in (0, 1), done.output
    return done.exit_code, json.loads((folder / "report" / "results.json").read_text(encoding="utf-8"))


def test_page_with_one_instruction_and_one_result_derives_as_that_kind(tmp_path: Path) -> None:
    draft = tmp_path / "specs" / "parcels" / "recall"
    assert conformance("derive", HERE / "recall.txt", "--into", draft).exit_code == 0
    found = yaml.safe_load((draft / "operation.yaml").read_text(encoding="utf-8"))
    assert found["answer"] == "result"
    assert found["identity"] == ["ParcelID", "TrackingUID"]
    assert (found["success"], found["errors"]) == ("Recalled", "Reasons")
    assert isinstance(found["base"], dict)
    assert json.loads((draft / "request.schema.json").read_text(encoding="utf-8"))["type"] == "object"
    assert '<xs:element name="Recall"' in (draft / "request.xsd").read_text(encoding="utf-8")


def test_contract_holds_without_a_requirement_for_lists() -> None:
    done = conformance("specs", "check", "--specs", SPECS)
    assert done.exit_code == 0, done.output
    assert set(NEEDED_CHECKS[Shape.RESULTS]) - set(NEEDED_CHECKS[Shape.RESULT]) == {"one-each"}


def test_no_case_sends_or_expects_a_list() -> None:
    assert {name.split("/")[1] for name in (one.id for one in cases())} >= {
        "conditions", "fields", "forms", "negotiation", "relations", "carried", "lasting", "races", "spelled",
    }  # fmt: skip
    for case in cases():
        for right in case.expect.any_of:
            wanted = right.wanted.get("results")
            assert wanted in (None, "none", "all") or len(wanted) == 1, case.id
        assert case.message.body.repeat is None


def test_value_is_read_as_the_one_instruction_and_a_list_is_none() -> None:
    one = {"ParcelID": 5}
    assert (Shape.RESULT.entries(one), Shape.RESULT.entries([one]), Shape.RESULT.entries(None)) == ([one], None, None)
    assert (Shape.RESULTS.entries([one]), Shape.RESULTS.entries(one)) == ([one], None)
    assert (Shape.RESULT.request([one]), Shape.RESULTS.request([one])) == (one, [one])


def test_instruction_before_is_a_call_before() -> None:
    carried = {one.id: one for one in cases() if "/carried/" in one.id}
    case = carried["rec/carried/agent-to-far@application-json"]
    assert len(case.before) == 1
    assert '"Abroad":true' in case.message.body.text
    assert [right.cancelled for right in case.expect.any_of] == [("one",), ("one",)]


def test_right_office_passes_in_both_formats(tmp_path: Path) -> None:
    code, results = judged(tmp_path, "--generated", "60")
    assert code == 0
    assert {one["verdict"] for one in results["requirements"]} == {"pass"}
    assert results["summary"]["carried_out"]["cases"] == len(cases()) + 60


@pytest.mark.parametrize(
    ("wrong", "requirement", "chosen"),
    [
        ("list-answered", "REC-RESP-OBJECT", "rec/response/*@application-json"),
        ("list-answered", "REC-RESP-XML-ROOT", "rec/response/*@application-xml"),
        ("namespace-of-request", "REC-RESP-XML-NS", "rec/response/*@application-xml"),
        ("list-taken", "REC-REQ-OBJECT", "rec/forms/in-list@*"),
        ("any-root", "REC-REQ-XML", "rec/forms/root-of-list@*"),
        ("nobody-named", "REC-RESP-IDENTITY", "rec/response/*"),
        ("nothing-done", "REC-EFFECT", "rec/response/*"),
        ("recalled-again", "REC-TWICE", "rec/lasting/again-*"),
        ("agent-kept", "REC-REQ-AGENTID-REQUIRED", "rec/carried/*"),
    ],
)
def test_wrong_office_is_found_on_the_requirement_that_it_breaks(
    wrong: str, requirement: str, chosen: str, tmp_path: Path
) -> None:
    code, results = judged(tmp_path, "--case", chosen, wrong=wrong)
    assert code == 1
    assert requirement in {one["id"] for one in results["requirements"] if one["verdict"] == "fail"}


def test_root_of_another_form_is_named(tmp_path: Path) -> None:
    listed = load_contract().operations["tpp.create_cancellations"]

    folder = tmp_path / "recall"
    folder.mkdir()
    for path in (SPECS / "parcels" / "recall").iterdir():
        if path.is_file():
            (folder / path.name).write_bytes(path.read_bytes())
    for name in ("request.xsd", "serialization.xsd"):
        (folder / name).write_bytes((listed.folder / name).read_bytes())
    with pytest.raises(SpecError, match="the XSD of the request is no instruction"):
        list(malformed_list_cases(replace(operation(), folder=folder)))
