"""What is compiled of an operation's documents, wherever in the service's folder they stand."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from checks_support import CAO, TPP, http, kit, result

from conformance.checks.kit import AnswerMemory, build_kit
from conformance.checks.read import read_answer
from conformance.contract.schemas import load_validator
from conformance.errors import SpecError


def test_members_of_a_file_that_the_response_refers_to_are_documented_too(tmp_path: Path) -> None:
    plain = kit(CAO)
    folder = tmp_path / "alphapoint" / "call"
    shutil.copytree(plain.operation.folder, folder)
    path = folder / "response.schema.json"
    shutil.move(path, tmp_path / "alphapoint" / "standard.schema.json")
    path.write_text(
        json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", "$ref": "../standard.schema.json"}),
        "utf-8",
    )
    shared = build_kit(replace(plain.operation, folder=folder))
    assert dict(shared.members) == dict(plain.members)
    assert set(shared.members) == {"result", "errormsg", "errorcode", "detail"}


def test_the_vocabulary_holds_what_a_service_s_documents_and_http_say() -> None:
    said = kit(CAO).vocabulary
    for text in ("resource not found", "errormsg", "unauthorized", "too many requests", "application/json", "delete"):
        assert text in said
    assert said == " ".join(said.lower().split())


def test_an_xsd_that_cannot_be_used_is_a_fault_of_the_contract(tmp_path: Path) -> None:
    plain = kit(TPP).operation
    folder = tmp_path / "call"
    shutil.copytree(plain.folder, folder)
    path = folder / plain.xsd["response"]
    path.write_text("<x/>", encoding="utf-8")
    with pytest.raises(SpecError, match="is not a schema") as caught:
        build_kit(replace(plain, folder=folder))
    assert caught.value.where == str(path)


def test_a_part_of_the_schema_that_names_no_requirement_speaks_for_the_schema_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "response.schema.json"
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "array", "maxItems": 1}
    path.write_text(json.dumps(schema), encoding="utf-8")
    loose = replace(kit(TPP), response=load_validator(path), memory=AnswerMemory())
    (finding,) = read_answer(loose, http([result(), result()]), b"", None).findings
    assert (finding.check, finding.requirement) == ("schema", loose.operation.attribution["schema"])
