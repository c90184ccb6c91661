"""Lengths, ranges and patterns of a help page: held to where they are plain and their own sample keeps them, else to word."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from derive_support import PAGES, conformance

from conformance.derive.documentation import read_documentation
from conformance.derive.draft.files import draft_of, write_draft
from conformance.derive.drift import check_page
from conformance.derive.limits import limits_in
from conformance.derive.page import Page, type_of

PLAIN = [
    ("string", "Max length: 20", {"maxLength": 20}),
    ("string", "Min length: 3", {"minLength": 3}),
    ("string", "String length: inclusive between 2 and 20", {"minLength": 2, "maxLength": 20}),
    ("integer", "Range: inclusive between 1 and 10", {"minimum": 1, "maximum": 10}),
    ("decimal number", "Range: inclusive between -0.5 and 10", {"minimum": -0.5, "maximum": 10}),
    ("string", "Matching regular expression pattern: [A-Z]{2}[0-9]+", {"pattern": r"^(?:[A-Z]{2}[0-9]+)?(?!\n)$"}),
]
NOT_PLAIN = [
    ("integer", "Max length: 20"),
    ("string", "Range: inclusive between 1 and 10"),
    ("integer", "Range: inclusive between 10 and 1"),
    ("integer", "Range: inclusive between 1 and 1E+300"),
    ("string", "String length: inclusive between 9 and 2"),
    ("string", "Max length: many"),
    ("string", "Data type: Password"),
    ("date", "Range: inclusive between 2020-01-01 and 2020-02-01"),
    ("string", "Matching regular expression pattern: (a+)+b"),
    ("string", "Matching regular expression pattern: a*a*a*b"),
    ("string", "Matching regular expression pattern: a?a?a?a?a?aaaaa"),
    ("string", "Matching regular expression pattern: (?<year>[0-9]{4})"),
    ("string", r"Matching regular expression pattern: \p{Lu}x"),
    ("string", "Matching regular expression pattern: [a-"),
    ("string", f"Matching regular expression pattern: {'a' * 201}"),
]


@pytest.mark.parametrize(("stated", "note", "limits"), PLAIN)
def test_plain_limit_is_read(stated: str, note: str, limits: dict[str, object]) -> None:
    assert dict(limits_in([note], type_of(stated))) == limits


@pytest.mark.parametrize(("stated", "note"), NOT_PLAIN)
def test_limit_that_is_not_plain_stays_to_be_worded(stated: str, note: str) -> None:
    assert limits_in([note], type_of(stated)) == ()


def page_with(folder: Path, note: str, sample: str = "abc", *, xml: bool = True) -> Page:
    """The page of a change whose PIN has this note and this value in its sample."""
    text = (PAGES / "amend" / "amendment.txt").read_text(encoding="utf-8")
    head, _, rest = text.partition(
        "String length: inclusive between 4 and 8\n\nMatching regular expression pattern: [0-9]+\n"
    )
    text = head + note + "\n" + rest.replace('"1234"', json.dumps(sample)).replace("<PIN>1234<", f"<PIN>{sample}<")
    if not xml:
        kept, _, after = text.partition("application/xml, text/xml\n\nSample:\n<AmendmentCreation ")
        text = kept + after.partition("</AmendmentCreation>\n")[2]
    folder.mkdir(exist_ok=True)
    (folder / "page.txt").write_text(text, encoding="utf-8")
    return read_documentation([folder]).calls[0].page


def pin(page: Page) -> dict[str, object]:
    return dict(next(one for one in page.request.fields if one.name == "PIN").limits)


def test_limit_that_its_sample_breaks_is_left_to_word_and_told(tmp_path: Path) -> None:
    page = page_with(tmp_path / "pages", "Max length: 2")
    assert pin(page) == {}
    assert [one.text for one in page.read_as if "since its sample breaks it" in one.why] == ["PIN: maxLength 2"]
    questions = yaml.safe_load(draft_of(page, "draft", ()).files["questions.yaml"])
    assert "Max length: 2" in [one["begins"] for one in questions["to_word"]]


def test_pattern_is_held_to_where_no_xsd_stands_beside_it(tmp_path: Path) -> None:
    note = "Matching regular expression pattern: [a-z]+"
    assert pin(page_with(tmp_path / "with", note)) == {}
    page = page_with(tmp_path / "without", note, xml=False)
    assert pin(page) == {"pattern": r"^(?:[a-z]+)?(?!\n)$"}
    write_draft(draft_of(page, "draft", ()).files, tmp_path / "draft")
    schema = json.loads((tmp_path / "draft" / "request.schema.json").read_text(encoding="utf-8"))
    assert schema["properties"]["PIN"]["pattern"] == r"^(?:[a-z]+)?(?!\n)$"


def test_limit_is_no_longer_to_word_and_its_change_is_drift(tmp_path: Path) -> None:
    page = page_with(tmp_path / "pages", "Max length: 8")
    files = draft_of(page, "draft", ()).files
    write_draft(files, tmp_path / "draft")
    assert not [one for one in yaml.safe_load(files["questions.yaml"])["to_word"] if "Max length" in one["begins"]]
    assert check_page(page, tmp_path / "draft").drift == ()
    later = page_with(tmp_path / "later", "Max length: 9")
    drift = [(one.at, one.kind, one.says, one.against) for one in check_page(later, tmp_path / "draft").drift]
    assert ("request/PIN", "limits", "maxLength 9", "maxLength 8") in drift


def test_request_beyond_a_limit_is_a_case(tmp_path: Path) -> None:
    page_with(tmp_path / "pages", "String length: inclusive between 3 and 8")
    types = PAGES / "amend" / "enOrderPriceType.html"
    done = conformance("derive", tmp_path / "pages", types, "--into", tmp_path / "specs" / "orders")
    assert done.exit_code == 0
    ids = conformance("list", "cases", "--specs", tmp_path / "specs", "-q").output.split()
    found = {re.sub(r".*/|@.*", "", one) for one in ids if "/fields/" in one}
    assert {"pin-too-short", "pin-too-long", "quantity-below-range", "quantity-above-range"} <= found
    assert not {one for one in found if one.startswith("orderid-") and one.endswith("-range")}
