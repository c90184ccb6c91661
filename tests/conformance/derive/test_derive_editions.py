"""Pages of an edition against an operation that has it as data: its own request counts, and nothing of its page is recorded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from derive_support import SLATE, conformance, drafted, text_of

ROW = "| Reason       | **string.** Why it is paused. *Required.* |\n"
MORE = ROW + "| Colour       | **integer.** The colour of its label. *Optional.* |\n"
SAMPLE = '"Reason": "inventory"'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The draft of a page, with an edition that has one member more."""
    made = drafted(SLATE, tmp_path / "specs" / "pause_basket")
    base = json.loads((made / "request.schema.json").read_text(encoding="utf-8"))
    colour = {"x-requirement": base["x-requirement"], "type": "integer"}
    own = {
        "$schema": base["$schema"], "x-requirement": base["x-requirement"],
        "allOf": [{"$ref": "request.schema.json"}], "properties": {"Colour": colour},
    }  # fmt: skip
    (made / "request-next.schema.json").write_text(json.dumps(own), encoding="utf-8")
    with (made / "operation.yaml").open("a", encoding="utf-8") as file:
        file.write("editions:\n  first: {title: as it is, settles: {}}\n")
        file.write("  next: {title: with a colour, settles: {}, request: request-next.schema.json}\n")
    return made


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "page.md"
    path.write_text(text_of(SLATE, (ROW, MORE), (SAMPLE, f'{SAMPLE},\n  "Colour": 2')), encoding="utf-8")
    return path


def test_a_page_of_an_edition_drifts_from_the_contract_and_not_from_the_edition(folder: Path, page: Path) -> None:
    plain = conformance("derive", "--check", page, folder)
    assert (plain.exit_code, "request/Colour" in plain.stdout) == (1, True)
    came = conformance("derive", "--check", "--edition", "next", page, folder)
    assert (came.exit_code, came.stdout.splitlines()[-1][:9]) == (0, "no drift:"), came.stdout
    assert "not compared  wording, category and call type (no page of the edition next is recorded)" in came.stdout


def test_what_the_edition_has_and_the_page_lacks_is_drift(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text(text_of(SLATE), encoding="utf-8")
    came = conformance("derive", "--check", "--edition", "next", tmp_path / "page.md", folder)
    assert (came.exit_code, "request/Colour" in came.stdout) == (1, True)


def test_a_whole_documentation_of_an_edition_is_compared_alike(folder: Path, page: Path) -> None:
    service = folder.parent
    plain = conformance("derive", "--check", page, service)
    came = conformance("derive", "--check", "--edition", "next", page, service)
    assert (plain.exit_code, came.exit_code) == (1, 0), came.output
    assert came.stdout.splitlines()[-1].startswith("no drift: 0 added, 0 removed, 0 changed, 1 as before")


@pytest.mark.parametrize("whole", [False, True])
def test_an_edition_that_no_operation_has_is_refused(folder: Path, page: Path, whole: bool) -> None:
    came = conformance("derive", "--check", "--edition", "nxt", page, folder.parent if whole else folder)
    assert came.exit_code == 2
    assert "no operation there has an edition 'nxt'" in came.output
    assert "Known: first, next." in came.output


def test_an_edition_goes_with_a_check_alone(page: Path, tmp_path: Path) -> None:
    came = conformance("derive", "--edition", "next", page, "--into", tmp_path / "draft")
    assert (came.exit_code, "--edition goes with --check" in came.output) == (2, True)
    assert not (tmp_path / "draft").exists()
