"""Every report that other programs read is valid under the schema that its authors publish, and says what happened."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner
from lxml import etree
from referencing import Registry, Resource

from conformance.cli.main import main

SCHEMAS = Path(__file__).parent / "schemas"
ROOT = Path(__file__).resolve().parents[3]
FAULT, CASES = "cao-again-20", ("cao/effects/again@*", "tpp/response/domestic@*")
NO_OTHERS: Registry = Registry()
FORMATS = ("junit", "ctrf", "sarif", "har", "badge", "job-summary")


@dataclass(frozen=True)
class Reports:
    """The folder of a run that failed, and that of one that passed."""

    failed: Path
    passed: Path

    def json(self, name: str, *, passed: bool = False) -> Any:
        return json.loads(((self.passed if passed else self.failed) / name).read_text("utf-8"))


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Reports:
    home = tmp_path_factory.mktemp("reports")
    words = [word for one in CASES for word in ("--case", one)]
    for name, change in (("failed", ["--fault", FAULT]), ("passed", [])):
        folder = str(home / name)
        CliRunner().invoke(main, ["run", "--quiet", "--report", folder, "--generated", "0", *words, *change])
        kinds = [word for kind in FORMATS for word in ("--format", kind)]
        came = CliRunner().invoke(main, ["report", "render", folder, "--quiet", *kinds])
        assert came.exit_code == 0, came.output
    return Reports(home / "failed", home / "passed")


def valid(document: Any, schema: Any, registry: Registry = NO_OTHERS) -> None:
    kind = jsonschema.validators.validator_for(schema)
    checker = kind(schema, registry=registry, format_checker=kind.FORMAT_CHECKER)
    assert [f"{one.json_path}: {one.message}" for one in checker.iter_errors(document)] == []


def schema(name: str) -> Any:
    return json.loads((SCHEMAS / name).read_text("utf-8"))


def test_junit_is_what_jenkins_and_ant_read(reports: Reports) -> None:
    jenkins = etree.XMLSchema(etree.parse(SCHEMAS / "jenkins-junit-10.xsd"))
    for folder in (reports.failed, reports.passed):
        document = etree.parse(folder / "junit.xml")
        jenkins.assertValid(document)
        _assert_ant(document.getroot())


def _assert_ant(root: etree._Element) -> None:
    """What the schema of Ant's task asks for, which is older than `skipped`."""
    assert (root.tag, root.attrib) == ("testsuites", {})
    for number, suite in enumerate(root):
        asked = {"name", "timestamp", "hostname", "tests", "failures", "errors", "time", "package", "id"}
        assert set(suite.attrib) == {*asked, "skipped"}
        assert suite.get("id") == str(number)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.get("timestamp", ""))
        assert all(re.fullmatch(r"\d+", suite.get(name, "")) for name in ("tests", "failures", "errors"))
        first, *cases, out, err = [child.tag for child in suite]
        assert (first, set(cases), out, err) == ("properties", {"testcase"}, "system-out", "system-err")
        for case in suite.iter("testcase"):
            assert set(case.attrib) == {"name", "classname", "time"}
            assert re.fullmatch(r"\d+\.\d+", case.get("time", ""))
            assert [child.tag for child in case] in ([], ["error"], ["failure"], ["skipped"])
            assert all(child.get("type") for child in case if child.tag != "skipped")


def test_ctrf_counts_what_the_run_counts(reports: Reports) -> None:
    ctrf = reports.json("ctrf.json")
    valid(ctrf, schema("ctrf-0.0.json"))
    counts = reports.json("results.json")["summary"]["cases"]
    said = ctrf["results"]["summary"]
    assert (said["tests"], said["passed"], said["failed"]) == (sum(counts.values()), counts["pass"], counts["fail"])
    failed = next(one for one in ctrf["results"]["tests"] if one["status"] == "failed")
    assert failed["name"] in failed["extra"]["replay"]
    valid(reports.json("ctrf.json", passed=True), schema("ctrf-0.0.json"))


def test_sarif_points_at_the_requirement(reports: Reports) -> None:
    sarif = reports.json("results.sarif")
    valid(sarif, schema("sarif-2.1.0.json"))
    causes = reports.json("results.json")["causes"]
    results = sarif["runs"][0]["results"]
    assert [one["ruleId"] for one in results] == [cause["requirement"] for cause in causes]
    assert results
    for one in results:
        place = one["locations"][0]["physicalLocation"]
        line = (
            (ROOT / place["artifactLocation"]["uri"]).read_text("utf-8").split("\n")[place["region"]["startLine"] - 1]
        )
        assert line == f"- id: {one['ruleId']}"
    empty = reports.json("results.sarif", passed=True)
    valid(empty, schema("sarif-2.1.0.json"))
    assert empty["runs"][0]["results"] == []


def test_har_has_the_exchanges_of_what_failed(reports: Reports) -> None:
    parts = {path.name: json.loads(path.read_text("utf-8")) for path in (SCHEMAS / "har").glob("*.json")}
    registry = Registry().with_resources((f"{name}#", Resource.from_contents(part)) for name, part in parts.items())
    registry = registry.with_resources((name, Resource.from_contents(part)) for name, part in parts.items())
    har = reports.json("failures.har")
    valid(har, parts["har.json"], registry)
    entries = har["log"]["entries"]
    judged = [one for one in entries if ": judged" in one["comment"]]
    over_http = [one for one in judged if "@http" in one["comment"]]
    assert {one["request"]["method"] for one in over_http} == {"POST"}
    assert {one["response"]["status"] for one in over_http} <= {200, 400, 404}
    assert over_http[0]["request"]["url"].endswith("/AP/CancelAllOrders")
    assert json.loads(over_http[0]["request"]["postData"]["text"])["AccountId"]
    framed = next(one for one in judged if "@ws" in one["comment"])
    assert [one["type"] for one in framed["_webSocketMessages"]] == ["send", "receive"]
    assert reports.json("failures.har", passed=True)["log"]["entries"] == []
    with pytest.raises(AssertionError):
        valid({"log": {}}, parts["har.json"], registry)


BADGE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["schemaVersion", "label", "message"],
    "properties": {
        "schemaVersion": {"const": 1},
        "label": {"type": "string"},
        "message": {"type": "string", "minLength": 1},
        "color": {"enum": ["brightgreen", "red", "yellow", "orange"]},
        "isError": {"type": "boolean"},
    },
}
"""https://shields.io/badges/endpoint-badge says this in a table, and publishes no schema."""


def test_badge_and_job_summary_say_it_in_a_glance(reports: Reports) -> None:
    for passed, message in ((False, r"fail: \d+ causes?"), (True, "pass")):
        badge = reports.json("badge.json", passed=passed)
        valid(badge, BADGE)
        assert re.fullmatch(message, badge["message"])
    told = (reports.failed / "summary.md").read_text("utf-8")
    assert told.startswith("## ❌ Conformance: fail\n")
    cause = reports.json("results.json")["causes"][0]
    assert f"`conformance replay {cause['example']} --target reference+fault:{FAULT}`" in told
    assert "| cause |" not in (reports.passed / "summary.md").read_text("utf-8")
