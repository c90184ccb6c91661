"""`conformance derive` from the command line: both forms, what they print, their exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from derive_support import HELP, PAGES, SLATE, conformance, text_of


def test_a_draft_is_written_and_agrees_with_its_page(tmp_path: Path) -> None:
    made = conformance("derive", PAGES / SLATE, "--into", tmp_path / "pause_basket")
    assert made.exit_code == 0, made.output
    assert sorted(one.name for one in (tmp_path / "pause_basket").iterdir()) == [
        "openapi-path.yaml", "operation.yaml", "page.yaml", "questions.yaml", "request.schema.json", "requirements.yaml",
        "response.schema.json", "samples", "scenarios.yaml",
    ]  # fmt: skip
    checked = conformance("derive", "--check", PAGES / SLATE, tmp_path / "pause_basket")
    assert (checked.exit_code, checked.stdout.splitlines()[-1][:9]) == (0, "no drift:")


def test_what_is_open_is_printed_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text(text_of(SLATE, ('"Reason": "inventory"', '"Reason": 5')), encoding="utf-8")
    made = conformance("derive", tmp_path / "page.md", "--into", tmp_path / "draft")
    assert "request/Reason: integer against string, Request sample (line 23)" in made.stdout
    assert "not read  line 2: title: Basket service" in made.stdout
    assert "to fill  scope" in made.stdout


def test_an_open_question_of_a_draft_is_no_drift_and_is_listed(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text(text_of(SLATE, ('"problem": null', '"problem": ""')), encoding="utf-8")
    assert conformance("derive", tmp_path / "page.md", "--into", tmp_path / "draft").exit_code == 0
    checked = conformance("derive", "--check", tmp_path / "page.md", tmp_path / "draft")
    assert (checked.exit_code, "covered by question Q1" in checked.stdout) == (0, True)


def test_drift_exits_1_and_shows_both_sides(tmp_path: Path) -> None:
    conformance("derive", PAGES / SLATE, "--into", tmp_path / "draft")
    (tmp_path / "page.md").write_text(text_of(SLATE, ("Unknown Basket", "No Such Basket")), encoding="utf-8")
    checked = conformance("derive", "--check", tmp_path / "page.md", tmp_path / "draft")
    assert checked.exit_code == 1
    assert (
        "drift    codes/8: message, Response table, row problem (line 48)\n  - Unknown Basket\n  + No Such Basket\n"
        in checked.stdout
    )


def test_a_long_sample_is_shown_as_a_diff_of_its_parts(tmp_path: Path) -> None:
    conformance("derive", PAGES / HELP, "--into", tmp_path / "draft")
    (tmp_path / "page.txt").write_text(text_of(HELP, ('"gently"', '"slowly"')), encoding="utf-8")
    checked = conformance("derive", "--check", tmp_path / "page.txt", tmp_path / "draft")
    assert '  -  "Phrase": "gently"\n  +  "Phrase": "slowly"\n' in checked.stdout.replace('-  "', '-  "').replace(
        "   ", "  "
    )


def test_quiet_prints_nothing_without_drift(tmp_path: Path) -> None:
    assert conformance("derive", PAGES / SLATE, "--into", tmp_path / "draft", "-q").stdout == ""
    assert conformance("derive", "--check", PAGES / SLATE, tmp_path / "draft", "-q").stdout == ""


@pytest.mark.parametrize(
    ("old", "new", "ok"), [("Synchronous", "Synchronous", True), ("Synchronous", "Asynchronous", False)]
)
def test_json_holds_what_the_text_says(old: str, new: str, ok: bool, tmp_path: Path) -> None:
    made = json.loads(conformance("derive", PAGES / SLATE, "--into", tmp_path / "draft", "--json").stdout)
    assert (made["operation"], made["questions"], made["not_read"]) == ("draft.draft", 0, 1)
    (tmp_path / "page.md").write_text(text_of(SLATE, (old, new)), encoding="utf-8")
    checked = json.loads(conformance("derive", "--check", tmp_path / "page.md", tmp_path / "draft", "--json").stdout)
    assert (checked["ok"], [one["kind"] for one in checked["drift"]]) == (ok, [] if ok else ["call-type"])


def test_the_service_is_the_one_above_the_folder(tmp_path: Path) -> None:
    (tmp_path / "baskets").mkdir()
    (tmp_path / "baskets" / "service.yaml").write_text("service: baskets\n", encoding="utf-8")
    made = conformance("derive", PAGES / SLATE, "--into", tmp_path / "baskets" / "pause_basket")
    assert "service: baskets (the folder above is a service's)" in made.stdout


def test_a_draft_is_the_same_bytes_each_time(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        conformance("derive", PAGES / HELP, "--into", tmp_path / name / "holds")
    files = [
        {
            path.relative_to(tmp_path / name): path.read_bytes()
            for path in (tmp_path / name).rglob("*")
            if path.is_file()
        }
        for name in ("one", "two")
    ]
    assert files[0] == files[1]
