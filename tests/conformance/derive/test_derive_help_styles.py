"""Help pages in several styles, with their pages of types: read as a person reads them, with nothing lost in silence."""

from __future__ import annotations

import re
import shutil
from functools import cache
from pathlib import Path

import pytest
import yaml
from derive_support import LINE, PAGES, conformance, without_each_fact
from test_derive_facts import body_text

from conformance.contract.load import load_contract
from conformance.derive.documentation import Documentation, read_documentation
from conformance.derive.draft.files import draft_of, write_draft
from conformance.derive.drift import check_page, open_points
from conformance.derive.page import Field, Page
from conformance.errors import PageError

HELP, AMEND = PAGES / "help", PAGES / "amend"
OF_TYPES = ("Sailor.txt", "enSide.html", "enOrderPriceType.html")
FILES = [(folder, one.name) for folder in (HELP, AMEND) for one in sorted(folder.iterdir())]


@cache
def documentation() -> Documentation:
    return read_documentation([HELP, AMEND])


def expected() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for block in re.split(r"\n(?=\w)", (PAGES / "help.facts").read_text(encoding="utf-8")):
        call, *lines = block.splitlines()
        if not call.startswith("#"):
            found[call] = {
                words[0]: words[1] if len(words) > 1 else "" for words in (one.split(None, 1) for one in lines)
            }
    return found


def with_values(text: str, fields: tuple[Field, ...]) -> str:
    """The text of fields, the values of an enumeration behind its type."""
    for one in fields:
        if one.values:
            values = ",".join(f"{value.number}={value.name}" for value in one.values)
            text = re.sub(rf"\b({one.name}:\w+[!?]?)", rf"\1({values})", text)
    return text


def read(page: Page) -> dict[str, str]:
    return {
        "route": f"{page.method} {page.path}",
        "request": with_values(body_text(page.request, request=True), page.request.fields),
        "response": with_values(body_text(page.response, request=False), page.response.fields),
    }


@pytest.mark.parametrize("call", list(expected()))
def test_every_fact_of_a_help_page_is_read_as_a_person_reads_it(call: str) -> None:
    page = next(one.page for one in documentation().calls if one.page.name == call)
    wanted = dict(expected()[call])
    asked = set(wanted.pop("asked", "").split())
    assert read(page) == wanted
    assert asked <= {one.at for one in open_points(page, ())}


def test_pages_of_types_are_no_calls_and_none_is_refused() -> None:
    assert {one.page.name for one in documentation().calls} == set(expected())
    assert documentation().refused == ()
    assert [Path(one.rpartition(":")[0]).name for one in documentation().shared.places] == list(OF_TYPES)


@pytest.mark.parametrize("call", list(expected()))
def test_no_fresh_draft_of_a_help_page_drifts(call: str, tmp_path: Path) -> None:
    page = next(one.page for one in documentation().calls if one.page.name == call)
    write_draft(draft_of(page, "draft", ()).files, tmp_path / "draft")
    assert check_page(page, tmp_path / "draft").drift == ()


def said(folder: Path) -> object:
    """All that the drafts and the report of a documentation say, line numbers and digests of sentences left aside."""
    try:
        found = read_documentation([folder])
    except PageError as error:
        return error.message
    drafts = {}
    for call in found.calls:
        files = draft_of(call.page, "draft", ()).files
        kept = {name: LINE.sub(r"\1", " ".join(data.split())) for name, data in files.items() if name != "page.yaml"}
        drafts[call.page.name] = kept
    unread = [(one.text, one.why) for _, one in found.unread]
    return drafts, [one.message for one in found.refused], unread


_OF_THE_TEMPLATE = re.compile(r"<title>|Possible enumeration values:|^<b>Sample:</b>$", re.MULTILINE)
"""Words that stand on every such page and say nothing of the call."""


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("folder", "name"), FILES, ids=[name for _, name in FILES])
def test_a_fact_that_is_deleted_from_a_help_page_is_missed(folder: Path, name: str, tmp_path: Path) -> None:
    for one in folder.iterdir():
        if name in OF_TYPES or one.name in (*OF_TYPES, name):
            shutil.copy(one, tmp_path / one.name)
    whole, text = said(tmp_path), (folder / name).read_text(encoding="utf-8")
    unseen = []
    for fact, rest in without_each_fact(text):
        (tmp_path / name).write_text(rest, encoding="utf-8")
        if said(tmp_path) == whole and not _OF_THE_TEMPLATE.search(fact):
            unseen.append(fact)
    assert unseen == []


def test_a_help_page_becomes_a_service_that_holds(tmp_path: Path) -> None:
    assert conformance("derive", HELP, "--into", tmp_path / "specs" / "ships").exit_code == 0
    report = yaml.safe_load((tmp_path / "specs" / "ships" / "report.yaml").read_text(encoding="utf-8"))
    calls = [one.page.name for one in read_documentation([HELP]).calls]
    assert {one["page"]: one.get("lacks", "") for one in report["calls"]} == dict.fromkeys(calls, "")
    operations = load_contract(tmp_path / "specs").operations
    assert sorted(operations) == [one["operation"] for one in sorted(report["calls"], key=lambda one: one["operation"])]
    done = conformance("specs", "check", "--specs", tmp_path / "specs")
    wrong = [line for line in done.output.splitlines() if line.startswith("FAILED")]
    assert [line.split()[1] for line in wrong] in ([], ["coverage"])


def test_types_that_come_back_to_themselves_end_in_a_question(tmp_path: Path) -> None:
    shutil.copytree(HELP, tmp_path / "help")
    sailor = tmp_path / "help" / "Sailor.txt"
    row = "Mate\n\nWho stands beside.\n\nSailor\n\nNone.\n"
    sailor.write_text(f"{sailor.read_text(encoding='utf-8')}\n{row}", encoding="utf-8")
    page = next(one.page for one in read_documentation([tmp_path / "help"]).calls if "legs" in one.page.name)
    asked = [(one.kind, one.at) for one in open_points(page, ()) if one.kind == "type-unknown"]
    assert asked == [("type-unknown", "response/Crew/Mate")]


def test_one_bad_page_of_many_is_reported_and_the_others_are_derived(tmp_path: Path) -> None:
    shutil.copytree(HELP, tmp_path / "help")
    damaged = tmp_path / "help" / "steer.html"
    damaged.write_text(damaged.read_text(encoding="utf-8").replace("</html>", ""), encoding="utf-8")
    done = conformance("derive", tmp_path / "help", "--into", tmp_path / "ships")
    assert (done.exit_code, "the HTML is cut off" in done.output, "3 derived, 1 refused" in done.output) == (
        0,
        True,
        True,
    )
