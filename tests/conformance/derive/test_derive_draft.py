"""A draft says what its page says: the same facts, sound schemas and XSDs, a place for each requirement, nothing lost."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from derive_support import GITBOOK, HELP, HELP_HTML, SLATE, drafted, page, sibling, text_of

from conformance.contract.load import load_contract, read_operation, read_page_record, read_requirements, specs_root
from conformance.contract.schemas import load_validator
from conformance.derive.draft.files import Draft, draft_of, write_draft
from conformance.derive.draft.operation import RULING, own_binding
from conformance.derive.facts import Fact, Key, facts_of_folder, facts_of_page
from conformance.derive.page import Field, Page, Place, type_of
from conformance.derive.read.dialects import page_of_text
from conformance.derive.siblings import Sibling, siblings_in
from conformance.errors import SpecError
from conformance.formats.base import is_text
from conformance.formats.xml.contract import XmlContract

ALL = [SLATE, GITBOOK, HELP, HELP_HTML]
SERVICE = specs_root() / "alphapoint"


def values(facts: dict[Key, Fact]) -> dict[Key, str]:
    return {key: fact.value for key, fact in facts.items()}


@pytest.mark.parametrize("name", ALL)
def test_the_facts_of_a_draft_are_those_of_its_page(name: str, tmp_path: Path) -> None:
    ours, theirs = values(facts_of_folder(drafted(name, tmp_path / "draft"))), values(facts_of_page(page(name)))
    assert {key: value for key, value in ours.items() if key in theirs} == theirs
    assert {key.kind for key in ours.keys() - theirs.keys()} <= {"method", "path", "permissions"}


def test_html_and_text_of_one_page_say_the_same() -> None:
    assert values(facts_of_page(page(HELP_HTML))) == values(facts_of_page(page(HELP)))


@pytest.mark.parametrize("name", ALL)
def test_the_schemas_of_a_draft_are_sound_and_take_the_samples(name: str, tmp_path: Path) -> None:
    folder = drafted(name, tmp_path / "draft")
    for path in folder.glob("*.schema.json"):
        jsonschema.Draft202012Validator.check_schema(json.loads(path.read_text(encoding="utf-8")))
        for sample in (folder / "samples").glob(f"{path.name.partition('.')[0]}-*.json"):
            assert load_validator(path).problems(json.loads(sample.read_text(encoding="utf-8"))) == ()


@pytest.mark.parametrize("part", ["request", "response", "error"])
def test_the_xsds_of_a_draft_compile_and_take_the_samples(part: str, tmp_path: Path) -> None:
    folder = drafted(HELP, tmp_path / "draft")
    sample = (folder / "samples" / f"{part}-2.xml").read_bytes()
    assert XmlContract.load(folder / f"{part}.xsd").validate(sample) == ()


def loaded(draft: Draft, name: str) -> Any:
    return yaml.safe_load(draft.files[name])


@pytest.mark.parametrize("name", ALL)
def test_every_requirement_has_a_document_and_a_place(name: str) -> None:
    requirements = loaded(draft_of(page(name), "draft", ()), "requirements.yaml")
    assert requirements
    assert all(one["place"] and one["text"] for one in requirements)
    assert {one["document"] for one in requirements} <= {page(name).name, RULING}
    general = [one["id"] for one in requirements if one["document"] == RULING]
    assert all("-GENERAL-" in one for one in general)
    assert len({one["id"] for one in requirements}) == len(requirements)


@pytest.mark.parametrize("name", ALL)
def test_every_requirement_that_a_draft_names_is_in_its_list(name: str) -> None:
    draft = draft_of(page(name), "draft", ())
    listed = {one["id"] for one in loaded(draft, "requirements.yaml")}
    named: set[str] = set()

    def gather(value: Any, key: str = "") -> None:
        if isinstance(value, dict):
            for inner, child in value.items():
                gather(child, f"{key}/{inner}")
        elif isinstance(value, list):
            for child in value:
                gather(child, key)
        elif isinstance(value, str) and ("requirement" in key or "_media" in key or "/attribution" in key):
            named.add(value)

    for file in draft.files:
        if file.endswith(".schema.json"):
            gather(json.loads(draft.files[file]))
    gather(loaded(draft, "operation.yaml"))
    assert named - listed == set()
    assert named


def test_every_sentence_of_the_page_is_a_requirement_to_be_worded() -> None:
    draft = draft_of(page(SLATE), "draft", ())
    lines = {one["line"] for one in loaded(draft, "questions.yaml")["to_word"]}
    assert {statement.place.line for statement in page(SLATE).statements} <= lines
    texts = [one["text"] for one in loaded(draft, "requirements.yaml") if "-TEXT-" in one["id"]]
    assert texts[:2] == [
        "Line 11 of the page, to be put in our own words.",
        "Line 13 of the page, to be put in our own words.",
    ]


def test_no_sentence_of_the_page_stands_in_a_draft() -> None:
    draft = draft_of(page(SLATE), "draft", ())
    everything = "\n".join(draft.files.values())
    assert [one.text for one in page(SLATE).statements if one.text in everything] == []


def test_what_was_not_read_is_listed_with_its_line() -> None:
    found = loaded(draft_of(page(SLATE), "draft", ()), "questions.yaml")["not_read"]
    assert [(one["line"], one["begins"]) for one in found] == [(2, "title: Basket service")]


def test_a_draft_takes_from_its_service_what_the_page_does_not_say() -> None:
    siblings = siblings_in(SERVICE, besides="PauseBasket")
    asked = read_as(SLATE)
    fields = tuple(replace(one, name=one.name.replace("BasketNumber", "OMSId")) for one in asked.request.fields)
    changed = replace(asked, request=replace(asked.request, fields=fields))
    draft = draft_of(changed, "pause_basket", siblings, "alphapoint")
    operation, requirements = loaded(draft, "operation.yaml"), loaded(draft, "requirements.yaml")
    assert (operation["id"], operation["short"], operation["path"]) == (
        "alphapoint.pause_basket",
        "pb",
        "/AP/PauseBasket",
    )
    assert (operation["transports"], operation["base"]["OMSId"]) == (["http", "ws"], "${oms}")
    assert operation["attribution"]["frame-m"] == "PB-WS-M"
    assert next(one["document"] for one in requirements if one["id"] == "PB-WS-M") == "AlphaPoint protocol"


def test_a_reading_is_proposed_in_the_form_of_the_readings_file() -> None:
    draft = draft_of(page(SLATE, ('"problem": null', '"problem": ""')), "draft", ())
    (reading,) = loaded(draft, "questions.yaml")["readings"]
    assert (reading["id"], reading["operations"], list(reading["alternatives"])) == (
        "problem-on-success",
        ["draft.draft"],
        ["null", "empty"],
    )
    assert reading["covers"] == {
        "draft.draft": [{"kind": "null-against-empty", "at": "response/problem", "says": '""', "against": "null"}]
    }
    assert reading["requirement"] in {one["id"] for one in loaded(draft, "requirements.yaml")}


def test_a_code_with_another_message_elsewhere_is_drafted_with_both() -> None:
    draft = draft_of(page(SLATE), "draft", (sibling("No Such Basket"),))
    codes = {one["code"]: one["messages"] for one in loaded(draft, "operation.yaml")["codes"]}
    assert codes["8"] == ["Unknown Basket", "No Such Basket"]
    (reading,) = loaded(draft, "questions.yaml")["readings"]
    assert [one["kind"] for one in reading["covers"]["draft.draft"]] == ["code-elsewhere", "message"]


def read_as(name: str) -> Page:
    """A page whose members have the names that the readers of standard objects know, and whose arguments are ids."""
    text = text_of(name).replace("(errorcode 7)", "(errorcode 100)")
    for old, new in (("faultcode", "errorcode"), ("problemcode", "errorcode"), ("fault", "errormsg")):
        text = text.replace(old, new)
    for old, new in (("problem", "errormsg"), ("moved", "result"), ("accepted", "result")):
        text = text.replace(old, new)
    return page_of_text(text.replace('"inventory"', "5").replace("**string.** Why", "**integer.** Why"), name)


def test_two_members_with_standard_answers_make_a_pair() -> None:
    operation = loaded(draft_of(read_as(GITBOOK), "draft", ()), "operation.yaml")
    assert (operation["answer"], operation["legs"]) == ("pair", {"left": "LeftOutcome", "right": "RightOutcome"})
    assert loaded(draft_of(read_as(SLATE), "draft", ()), "operation.yaml")["answer"] == "standard"


def test_an_answer_whose_members_have_other_names_is_described_by_its_schema_alone() -> None:
    operation = loaded(draft_of(page(SLATE), "draft", ()), "operation.yaml")
    assert (operation["answer"], operation["success"]) == ("data", "accepted")
    assert "success" not in loaded(draft_of(page(GITBOOK), "draft", ()), "operation.yaml")


def test_the_condition_of_a_help_page_becomes_a_rule() -> None:
    draft = draft_of(page(HELP), "draft", ())
    operation = loaded(draft, "operation.yaml")
    assert (operation["condition"]["flag"], operation["condition"]["when_true"]["needs"]) == ("Fragile", ["Phrase"])
    rules = json.loads(draft.files["request.schema.json"])["$defs"]["item"]["allOf"]
    assert rules[1]["if"] == {"properties": {"Fragile": {"const": True}}, "required": ["Fragile"]}


def test_codes_and_messages_are_held_together_by_the_schema(tmp_path: Path) -> None:
    validator = load_validator(drafted(SLATE, tmp_path / "draft") / "response.schema.json")
    assert validator.problems({"accepted": False, "problem": "Unknown Basket", "problemcode": 8}) == ()
    assert validator.problems({"accepted": False, "problem": "Shelf Closed", "problemcode": 8}) != ()
    assert validator.problems({"accepted": True, "problem": "Unknown Basket", "problemcode": 8}) != ()
    assert validator.problems({"accepted": False, "problem": "Lost", "problemcode": 77}) != ()


def test_the_openapi_fragment_names_the_schemas_and_media_types() -> None:
    (path,) = loaded(draft_of(page(HELP), "holds", ()), "openapi-path.yaml").values()
    content = path["put"]["requestBody"]["content"]
    assert list(content) == ["application/json", "text/json", "application/xml", "text/xml"]
    assert content["text/xml"] == {"x-xsd": "holds/request.xsd", "schema": {"$ref": "holds/request.schema.json"}}


@pytest.mark.parametrize("name", ALL)
def test_draft_is_read_through_the_models_of_a_contract(name: str, tmp_path: Path) -> None:
    folder = drafted(name, tmp_path / "draft")
    operation = read_operation(folder, partial=True)
    assert operation.fields.keys() == {one.name for one in page(name).request.fields}
    assert {one.operation for one in read_requirements(folder, operation.id)} == {operation.id}
    assert read_page_record(folder) is not None


@pytest.mark.parametrize("service", ["", "alphapoint"])
@pytest.mark.parametrize("name", ALL)
def test_whatever_a_draft_lacks_is_asked(name: str, service: str, tmp_path: Path) -> None:
    siblings = siblings_in(SERVICE, besides="") if service else ()
    found = read_as(name) if name in (SLATE, GITBOOK) else page(name)
    draft = draft_of(found, "draft", siblings, service or "draft")
    write_draft(draft.files, tmp_path / "draft")
    with pytest.raises(SpecError) as caught:
        read_operation(tmp_path / "draft")
    lacking = {one.message.partition(":")[0] for one in (caught.value, *caught.value.others)}
    assert "states" in lacking
    assert lacking <= {key.partition(".")[0] for key in draft.to_fill}


def test_draft_with_a_wrong_word_is_refused_with_its_line(tmp_path: Path) -> None:
    folder = drafted(SLATE, tmp_path / "draft")
    path = folder / "operation.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("method:", "metod:"), encoding="utf-8")
    with pytest.raises(SpecError, match=r"operation\.yaml:\d+: unknown key 'metod'\nDid you mean 'method'"):
        read_operation(folder, partial=True)


def test_a_member_that_is_a_text_never_gets_the_binding_of_a_number() -> None:
    """A binding's name says whether its value is a text; a sibling's is taken over for a member of the same kind alone."""
    one, other = (Field(name, type_of("string"), "required", "", Place("table", 1)) for name in ("Reason", "Note_text"))
    assert [is_text(own_binding(field)) for field in (one, other)] == [True, True]
    assert not is_text(own_binding(replace(one, type=type_of("integer"))))
    fields_there = load_contract().operations["alphapoint.cancel_order"].fields
    like = Sibling(replace(sibling("No Such Basket").operation, fields=fields_there))
    worded = page(SLATE, ("| Reason       |", "| AccountId    |"), ('"Reason": "inventory"', '"AccountId": "main"'))
    assert like.operation.fields["AccountId"].binding == "account"
    drafted_too = loaded(draft_of(worded, "draft", (like,)), "operation.yaml")
    assert "binding" not in drafted_too["fields"]["AccountId"]
    assert "${account}" not in str(drafted_too["base"])
