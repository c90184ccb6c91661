"""Answers that a schema describes, of calls with arguments in the path, in JSON and in XML, against a right and wrong depots."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from depot_server import SITE, served

from conformance.cases.build import build_cases
from conformance.cases.generated.stream import Dealt
from conformance.cli.main import main
from conformance.contract.load import load_contract
from conformance.model.spec import Contract

SPECS = Path(__file__).parent / "specs"
TARGET = """schema_version = 1
name = "depots"
[scope]
destructive = true
{scope}
[limits]
settle_s = 0.05
[services.depot]
http = "{address}"
[services.depot.bindings]
site_text = "{site}"
bin = 1001
[services.depot.roles.clerk]
login = "each-message"
user = "clerk"
password = {{ env = "MADE_UP_PASSWORD" }}
[services.depot.roles.guest]
login = "each-message"
user = "guest"
password = {{ env = "MADE_UP_PASSWORD" }}
[services.depot.states]
provider = "hook"
url = "{address}/states"
"""


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MADE_UP_PASSWORD", "b9Vd-made-up-word")


def conformance(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(one) for one in arguments])


@cache
def contract() -> Contract:
    return load_contract(SPECS)


def judged(
    folder: Path, *options: str, wrong: str = "", scope: str = "everything = true", codes: tuple[int, ...] = (0, 1)
) -> dict[str, Any]:
    """The results of a run against the depot that is wrong in this way."""
    with served(*([wrong] if wrong else [])) as (address, depot):
        target = folder / "target.toml"
        target.write_text(TARGET.format(address=address, site=SITE, scope=scope), encoding="utf-8")
        done = conformance(
            "run", "--specs", SPECS, "--target", target, "--generated", "0", "--report", folder / "report", "--no-html", "-q", *options
        )  # fmt: skip
    assert done.exit_code in codes, done.output
    found: dict[str, Any] = json.loads((folder / "report" / "results.json").read_text(encoding="utf-8"))
    return {**found, "seen": depot.seen}


def failing(found: dict[str, Any]) -> set[str]:
    return {one["id"] for one in found["requirements"] if one["verdict"] == "fail"}


def test_contract_holds() -> None:
    done = conformance("specs", "check", "--specs", SPECS)
    assert done.exit_code == 0, done.output


def test_right_depot_passes_and_gets_its_site_percent_encoded(tmp_path: Path) -> None:
    found = judged(tmp_path)
    assert failing(found) == set()
    assert {one["verdict"] for one in found["cases"]} == {"pass"}
    assert any(one.startswith("/api/depots/Nord%205%20%26%20S%C3%BCd/bins/") for one in found["seen"])


CHECKED = [
    ("kind-name", {"DB-RESP-KIND"}, "db/answer/*"),
    ("kind-number", {"DB-RESP-KIND"}, "db/answer/*"),
    ("kind-other", {"DB-SAME"}, "db/*"),
    ("kind-unlisted", {"DB-RESP-KIND"}, "db/answer/*"),
    ("part-without-tags", {"DB-RESP-PARTS", "DB-XML-ITEM"}, "db/answer/*"),
    ("order", {"DB-XML-ORDER"}, "db/answer/*"),
    ("namespace", {"DB-XML-NS"}, "db/answer/*"),
    ("root", {"DB-XML-ROOT"}, "db/answer/*"),
    ("always-json", {"DB-MEDIA"}, "db/answer/*"),
    ("any-number", {"DB-BINID", "DM-BINID", "DD-BINID"}, "*/fields/binid-*"),
    ("raw-path", {"DB-FORM", "DM-FORM", "DD-FORM"}, "*/answer/legal@*"),
    ("everybody", {"DB-ROLES"}, "db/roles/*"),
    ("bare-error", {"DB-PROBLEM", "DM-PROBLEM"}, "*/fields/*"),
    ("any-kind", {"DM-KIND"}, "dm/fields/*"),
    ("always-json", {"DM-MEDIA"}, "dm/negotiation/accept-*"),
    ("weightless", {"DB-MEDIA", "DM-MEDIA"}, "*/negotiation/accept-json-refused@*"),
    ("sniffs", {"DM-OTHER-MEDIA"}, "dm/negotiation/content-type-*"),
    ("posts", {"DM-METHOD"}, "dm/http/post@*"),
    ("lenient-Shelf", {"DM-SHELF"}, "dm/fields/shelf-*"),
    ("kept", {"DD-GONE", "DD-UNKNOWN"}, "dd/answer/*"),
    ("all-dropped", {"DD-GONE"}, "dd/answer/gone*"),
    ("again", {"DD-UNKNOWN"}, "dd/answer/again*"),
]


@pytest.mark.parametrize(("wrong", "requirements", "chosen"), CHECKED, ids=[f"{one[0]}-{one[2]}" for one in CHECKED])
def test_wrong_depot_is_found_on_its_own_requirement(
    wrong: str, requirements: set[str], chosen: str, tmp_path: Path
) -> None:
    found = judged(tmp_path, "--case", chosen, wrong=wrong, codes=(1,))
    assert failing(found) == requirements


@pytest.mark.parametrize("permitted", ["no-weight", "null-left-out", "member-more", "comment"])
def test_permitted_difference_is_not_blamed(permitted: str, tmp_path: Path) -> None:
    assert failing(judged(tmp_path, "--operation", "depot.bin", wrong=permitted)) == set()


def test_null_as_text_in_xml_is_found(tmp_path: Path) -> None:
    with served("no-weight", "null-as-text") as (address, _):
        target = tmp_path / "target.toml"
        target.write_text(TARGET.format(address=address, site=SITE, scope="everything = true"), encoding="utf-8")
        words = ("--case", "db/answer/legal@*", "--generated", "0", "--report", tmp_path / "report", "--no-html", "-q")
        assert conformance("run", "--specs", SPECS, "--target", target, *words).exit_code == 1
    found = json.loads((tmp_path / "report" / "results.json").read_text(encoding="utf-8"))
    assert failing(found) == {"DB-RESP-WEIGHT"}


def test_guard_lets_nothing_pass_but_the_bin_in_scope(tmp_path: Path) -> None:
    found = judged(
        tmp_path, "--operation", "depot.bin", "--operation", "depot.move", scope="orders = [1001]", codes=(0, 4)
    )
    assert found["seen"]
    assert all("/bins/1001" in one for one in found["seen"])
    assert failing(found) == set()
    legal = [one for one in found["cases"] if "/answer/legal@" in one["id"]]
    assert {one["verdict"] for one in legal} == {"pass"}


def test_drop_outside_the_scope_is_not_sent(tmp_path: Path) -> None:
    found = judged(tmp_path, "--operation", "depot.bin", scope="orders = [5]", codes=(0, 4))
    assert found["seen"] == []


@pytest.mark.parametrize("site", ["a/b", "..", ".", "", "a\\\\b", "a\\tb"])
def test_binding_that_is_no_segment_of_a_path_is_refused_before_anything_is_sent(site: str, tmp_path: Path) -> None:
    target = tmp_path / "target.toml"
    text = TARGET.format(address="http://127.0.0.1:9", site=site, scope="everything = true")
    target.write_text(text, encoding="utf-8")
    done = conformance("plan", "--specs", SPECS, "--target", target, "-q")
    assert (done.exit_code, "cannot be an argument in a path" in done.output) == (2, True)


def test_contract_of_such_calls_alone_has_no_generated_cases_and_comes_to_an_end() -> None:
    assert (list(Dealt((), 5000)), len(Dealt((), 5000))) == ([], 0)


def test_cases_leave_out_what_no_path_can_say() -> None:
    ids = {one.id for one in build_cases(contract().operations["depot.move"])}
    assert "dm/fields/binid-word@application-json" in ids
    assert not {
        one for one in ids if one.startswith(("dm/fields/binid-absent", "dm/fields/site-", "dm/fields/binid-null"))
    }
    assert {"dm/fields/kind-unlisted@application-json", "dm/malformed/cut-off@application-xml"} <= ids
