"""A page that lacks a part which such pages have derives with a question; what stands for the part is drafted, and does not drift."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from derive_support import GITBOOK, SLATE, page, points, text_of

from conformance.derive.draft.files import draft_of, write_draft
from conformance.derive.drift import check_page
from conformance.derive.page import Page
from conformance.derive.read.dialects import page_of_text

REQUEST_TABLE = text_of(SLATE)[text_of(SLATE).index("| Key ") : text_of(SLATE).index("### Response")]
SAMPLE = '```\n{\n    "left_box": 4,\n    "right_box": 5\n}\n```\n'
PING = """## Ping

Says that the gateway is there.

### Reply

```json
{ "msg": "PONG", "parts": [{ "share": 0.5, "of": null }], "nodes": [1, 2], "odd": [1, "a"] }
```
"""
LACKING = {
    "no request table": ((SLATE, (REQUEST_TABLE, "")), ["request/table"]),
    "no request": ((SLATE, ("### Request\n", "### Requirements\n")), ["request"]),
    "no sample": ((GITBOOK, (SAMPLE, "")), ["request/sample"]),
    "no call type": ((SLATE, ("**Call Type:** Synchronous\n", "")), ["operation/call_type"]),
    "no permissions": ((SLATE, ("**Permissions:** Steward, Keeper<br />\n", "")), ["operation/permissions"]),
}


def checked(found: Page, folder: Path) -> None:
    """Its draft, written and held against the page it comes from."""
    write_draft(draft_of(found, folder.name, ()).files, folder)
    assert check_page(found, folder).drift == ()


@pytest.mark.parametrize("lacking", LACKING)
def test_what_a_page_lacks_is_a_question(lacking: str, tmp_path: Path) -> None:
    (name, change), places = LACKING[lacking]
    assert [at for kind, at in points(name, change) if kind == "part-missing"] == places
    checked(page(name, change), tmp_path / "draft")


def test_a_whole_page_lacks_nothing() -> None:
    assert [at for kind, at in points(SLATE) if kind == "part-missing"] == []


@pytest.mark.parametrize("heading", ["Reply", "Result", "Returns", "Answer", "Response body"])
def test_a_call_without_request_and_tables_has_the_members_of_its_sample(heading: str, tmp_path: Path) -> None:
    found = page_of_text(PING.replace("Reply", heading), "ping.md")
    assert [one.at for one in found.lacks] == [
        "operation/category", "operation/permissions", "operation/call_type", "request", "response/table",
    ]  # fmt: skip
    checked(found, tmp_path / "draft")
    schema = json.loads((tmp_path / "draft" / "response.schema.json").read_text(encoding="utf-8"))
    members = schema["properties"]
    assert members["msg"]["type"] == "string"
    assert members["parts"]["items"]["properties"].keys() == {"share", "of"}
    assert members["parts"]["items"]["properties"]["share"]["type"] == "number"
    assert members["nodes"]["items"]["type"] == "integer"
    asked = {(one.kind, one.at) for one in draft_of(found, "draft", ()).points}
    assert {("type-unknown", "response/odd"), ("type-unknown", "response/parts/of")} <= asked


def test_a_heading_below_its_section_begins_no_second_one() -> None:
    found = page(SLATE, ("| Key          | Value |", "#### Parameters\n\n| Key          | Value |"))
    assert [one.name for one in found.request.fields] == [one.name for one in page(SLATE).request.fields]
    assert found.lacks == ()
