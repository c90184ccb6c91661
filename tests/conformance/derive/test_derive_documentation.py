"""A whole documentation: one service of many calls, what they share, a report, and what an edition has changed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from derive_support import HELP, HELP_HTML, PAGES, SLATE, conformance, text_of

from conformance.derive.documentation import read_documentation
from conformance.errors import PageError

WHOLE = PAGES / "whole"
FERRY = (WHOLE / "ferry.md").read_text(encoding="utf-8")


def test_one_file_with_many_calls_becomes_a_service(tmp_path: Path) -> None:
    done = conformance("derive", WHOLE / "ferry.md", "--into", tmp_path / "ferry")
    assert done.exit_code == 0
    assert "25 derived, 0 refused" in done.stdout
    folder = tmp_path / "ferry"
    service = yaml.safe_load((folder / "service.yaml").read_text(encoding="utf-8"))
    assert len(service["operations"]) == 25
    paths = yaml.safe_load((folder / "openapi.yaml").read_text(encoding="utf-8"))["paths"]
    assert set(paths["/bookings/{booking_id}"]) == {"get", "delete"}
    assert sum(len(one) for one in paths.values()) == 25
    assert len(list(folder.glob("*/operation.yaml"))) == 25
    assert not list(folder.glob("*/openapi-path.yaml"))
    report = yaml.safe_load((folder / "report.yaml").read_text(encoding="utf-8"))
    assert (report["derived"], report["refused"]) == (25, [])
    assert [one["page"] for one in report["calls"]] == [one for one in service["documents"] if one != "ruling"]
    assert conformance("derive", "--check", WHOLE / "ferry.md", folder).exit_code == 0


def test_a_folder_of_pages_in_three_dialects_becomes_a_service(tmp_path: Path) -> None:
    (tmp_path / "pages" / "deep").mkdir(parents=True)
    for name, place in ((SLATE, "a.md"), (HELP, "deep/b.txt"), ("swap_pair.md", "c.md")):
        (tmp_path / "pages" / place).write_text(text_of(name), encoding="utf-8")
    (tmp_path / "pages" / "logo.svg").write_text("<svg/>", encoding="utf-8")
    done = conformance("derive", tmp_path / "pages", "--into", tmp_path / "all", "--json")
    report = json.loads(done.stdout)
    assert [one["page"] for one in report["calls"]] == ["PauseBasket", "SwapPair", "PUT api/parcels/holds"]
    assert conformance("derive", "--check", tmp_path / "pages", tmp_path / "all").exit_code == 0


def test_what_is_shared_is_found_once_and_what_is_in_no_call_is_listed() -> None:
    found = read_documentation([WHOLE / "greenhouse.md"])
    assert [one.rpartition(":")[2] for one in found.shared.places] == ["678", "687"]
    drain = next(one.page for one in found.calls if one.page.name == "DrainBed")
    assert [one.text for one in drain.read_as] == ["Returns a standard response object."]
    listed = [(one.line, one.text) for _, one in found.unread if one.shown]
    assert listed[0] == (7, "Greenhouses are run by calls. Each call has a name, a request and an answer.")
    assert (689, "remedy: Ask a keeper.") in listed


def test_objects_that_are_described_by_name_give_their_members_to_the_calls(tmp_path: Path) -> None:
    parcel = "## Parcel object\n\n| Key | Value |\n| --- | --- |\n| weight | **real.** In kilograms. |\n\n"
    call = (
        "## GetBox\n\n### Response\n\n| Key | Value |\n| --- | --- |\n"
        "| first | **Parcel.** The first. |\n| all | **array of Parcel objects.** All. |\n"
    )
    (tmp_path / "box.md").write_text(f"# Boxes\n\n{call}\n{parcel}", encoding="utf-8")
    (page,) = [one.page for one in read_documentation([tmp_path / "box.md"]).calls]
    assert [(str(one.type), [inner.name for inner in one.members]) for one in page.response.fields] == [
        ("object", ["weight"]),
        ("list of object", ["weight"]),
    ]


def test_one_bad_page_of_many_is_reported_and_the_others_are_derived(tmp_path: Path) -> None:
    pages = tmp_path / "pages"
    pages.mkdir()
    (pages / "a.md").write_text(FERRY.replace("| crossing\\_id | **integer.** The crossing. _Required_. |", "| x |", 1))
    (pages / "b.md").write_bytes(b"\x00\x01")
    (pages / "c.md").write_text("# News\n\nNothing.\n")
    (pages / "d.txt").write_text(text_of(HELP))
    (pages / "e.html").write_text(text_of(HELP_HTML))
    done = conformance("derive", pages, "--into", tmp_path / "all")
    assert done.exit_code == 0
    refused = [line for line in done.stdout.splitlines() if line.startswith("  refused")]
    assert [line.split("pages/")[1].split(":")[0] for line in refused] == ["a.md", "b.md", "c.md", "e.html"]
    assert "25 derived, 4 refused" in done.stdout
    assert "stands at" in refused[-1]


@pytest.mark.parametrize(
    ("text", "message"),
    [("# News\n\nNothing.\n", "no call found"), ("", "no call found"), (None, "no page in the folder")],
)
def test_a_documentation_without_a_call_is_refused_and_nothing_is_written(
    text: str | None, message: str, tmp_path: Path
) -> None:
    (tmp_path / "pages").mkdir()
    if text is not None:
        (tmp_path / "pages" / "a.md").write_text(text)
    done = conformance("derive", tmp_path / "pages", "--into", tmp_path / "all")
    assert (done.exit_code, message in done.stderr) == (2, True)
    assert not (tmp_path / "all").exists()


def test_a_folder_that_is_not_empty_takes_no_service(tmp_path: Path) -> None:
    (tmp_path / "all").mkdir()
    (tmp_path / "all" / "mine").write_text("mine")
    assert conformance("derive", WHOLE, "--into", tmp_path / "all").exit_code == 2
    assert [one.name for one in (tmp_path / "all").iterdir()] == ["mine"]


def test_an_edition_is_told_by_calls_added_removed_and_changed(tmp_path: Path) -> None:
    assert conformance("derive", WHOLE / "ferry.md", "--into", tmp_path / "ferry").exit_code == 0
    later = FERRY.replace("Not Enough (13)", "Not Enough (17)").replace("# StopAll", "# StopEverything")
    (tmp_path / "later.md").write_text(later, encoding="utf-8")
    done = conformance("derive", "--check", tmp_path / "later.md", tmp_path / "ferry")
    assert done.exit_code == 1
    lines = done.stdout.splitlines()
    assert lines[0].startswith("added    StopEverything, ")
    assert lines[1] == "removed  ferry.stop_all: no page of its call"
    assert lines[2].startswith("changed  ferry.pay_booking, ")
    assert "  drift    codes/17: added, Response table, row fault (line 265): Not Enough against nothing" in lines
    assert lines[-1] == "drift: 1 added, 1 removed, 1 changed, 23 as before, 0 refused"
    told = json.loads(conformance("derive", "--check", tmp_path / "later.md", tmp_path / "ferry", "--json").stdout)
    assert (told["ok"], told["removed"], told["same"]) == (False, ["ferry.stop_all"], 23)


def test_a_page_of_an_edition_that_cannot_be_read_is_no_edition_as_before(tmp_path: Path) -> None:
    assert conformance("derive", WHOLE / "ferry.md", "--into", tmp_path / "ferry").exit_code == 0
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "ferry.md").write_text(FERRY, encoding="utf-8")
    (tmp_path / "pages" / "new.md").write_bytes(b"\x00")
    done = conformance("derive", "--check", tmp_path / "pages", tmp_path / "ferry", "-q")
    assert (done.exit_code, "0 changed, 25 as before, 1 refused" in done.stdout) == (1, True)


def test_many_pages_do_not_go_with_the_folder_of_one_operation(tmp_path: Path) -> None:
    assert conformance("derive", PAGES / SLATE, "--into", tmp_path / "one").exit_code == 0
    done = conformance("derive", "--check", PAGES / SLATE, PAGES / HELP, tmp_path / "one")
    assert (done.exit_code, "no folder of a service" in done.stderr) == (2, True)


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = conformance("derive", PAGES / SLATE, tmp_path / "nowhere.md", "--into", tmp_path / "all")
    assert (done.exit_code, "nowhere.md" in done.stderr) == (2, True)
    with pytest.raises(PageError, match="no call found"):
        read_documentation([tmp_path / "nowhere.md"])


def test_help_pages_one_below_the_other_are_as_many_calls(tmp_path: Path) -> None:
    first = text_of(HELP)
    second = first.replace("PUT api/parcels/holds", "PUT api/parcels/later")
    (tmp_path / "help.txt").write_text(first + "\n" + second)
    found = read_documentation([tmp_path / "help.txt"])
    assert [one.page.name for one in found.calls] == ["PUT api/parcels/holds", "PUT api/parcels/later"]
    assert found.refused == ()
