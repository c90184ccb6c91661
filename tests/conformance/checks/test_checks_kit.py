"""What is compiled of an operation's documents, wherever in the service's folder they stand."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

from checks_support import CAO, kit

from conformance.checks.kit import build_kit


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
