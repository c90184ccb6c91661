"""`conformance judge`: the same report, the same exit codes, and one command for each finding."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from conformance.cli.main import main

GOOD = '{"result":true,"errormsg":null,"errorcode":0,"detail":null}'
FLOWS = Path(__file__).parents[1] / "passive" / "recordings" / "shop.flows"


def recording(path: Path, answer: str = GOOD, body: str = '{"OMSId":1,"AccountId":7}', **more: Any) -> Path:
    entry = {
        "startedDateTime": "2026-03-01T10:00:00Z", "time": 5,
        "request": {
            "method": "POST", "url": "http://shop.example/AP/CancelAllOrders", "headers": [],
            "postData": {"mimeType": "application/json", "text": body},
        },
        "response": {"status": 200, "statusText": "OK", "headers": [], "content": {"size": 1, "text": answer}},
        **more,
    }  # fmt: skip
    path.write_text(json.dumps({"log": {"version": "1.2", "entries": [entry]}}))
    return path


def judge(tmp_path: Path, *words: str | Path) -> Result:
    return CliRunner().invoke(main, ["judge", *map(str, words), "--report", str(tmp_path / "out"), "--no-html"])


def test_conformant_traffic_exits_0_and_writes_the_reports_of_a_run(tmp_path: Path) -> None:
    ended = judge(tmp_path, recording(tmp_path / "a.har"))
    assert ended.exit_code == 0, ended.output
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert results["summary"]["verdict"] == "pass"
    assert [one["id"] for one in results["cases"]] == ["a.har#1/answer", "a.har#1/effect", "a.har#1/request"]
    assert (tmp_path / "out" / "junit.xml").exists()


@pytest.mark.parametrize(
    ("answer", "body", "failing"),
    [
        ('{"result":true,"errormsg":"Not Authorized","errorcode":20,"detail":null}', '{"OMSId":1}', "a.har#1/answer"),
        (GOOD, '{"OMSId":"x"}', "a.har#1/request"),
    ],
)
def test_a_violation_exits_1_on_the_side_that_made_it(tmp_path: Path, answer: str, body: str, failing: str) -> None:
    ended = judge(tmp_path, recording(tmp_path / "a.har", answer, body))
    assert ended.exit_code == 1
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert failing in [one["id"] for one in results["cases"] if one["verdict"] == "fail"]


def test_a_success_for_a_request_that_lacks_a_member_is_the_servers_violation_as_well(tmp_path: Path) -> None:
    assert judge(tmp_path, recording(tmp_path / "a.har", GOOD, '{"AccountId":7}'), "--only", "answers").exit_code == 1


def test_a_recording_without_a_call_is_incomplete(tmp_path: Path) -> None:
    path = recording(tmp_path / "a.har")
    path.write_text(path.read_text().replace("CancelAllOrders", "index.html"))
    ended = judge(tmp_path, path)
    assert ended.exit_code == 4
    assert "no case ran" in ended.output


def test_an_answer_that_is_missing_is_incomplete_and_its_reason_is_said(tmp_path: Path) -> None:
    ended = judge(tmp_path, recording(tmp_path / "a.har", response={"status": 0}))
    assert ended.exit_code == 4
    assert "the recording has no answer" in " ".join(ended.output.split())


def test_a_file_of_another_kind_exits_2_with_words(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("nothing of the kind")
    ended = judge(tmp_path, path)
    assert ended.exit_code == 2
    assert "is no recording that is known" in ended.output
    assert "Traceback" not in ended.output


def test_the_command_beside_a_cause_shows_the_finding_again(tmp_path: Path) -> None:
    path = recording(tmp_path / "a.har", GOOD, '{"OMSId":[1]}')
    ended = judge(tmp_path, path)
    shown = next(line.strip() for line in ended.output.splitlines() if line.strip().startswith("conformance judge "))
    words = [*shlex.split(shown)[1:], "--report", str(tmp_path / "again"), "--no-html"]
    again = CliRunner().invoke(main, words)
    assert again.exit_code == 1
    assert "CAO-REQ-OMSID-TYPE" in again.output


def test_an_exchange_that_is_not_there_is_named(tmp_path: Path) -> None:
    ended = judge(tmp_path, recording(tmp_path / "a.har"), "--exchange", "a.har#7")
    assert ended.exit_code == 2
    assert "'a.har#7'" in ended.output


def test_the_journal_that_it_writes_can_be_judged(tmp_path: Path) -> None:
    assert judge(tmp_path, FLOWS).exit_code == 0
    folder = tmp_path / "out"
    again = CliRunner().invoke(main, ["judge", str(folder), "--report", str(tmp_path / "again"), "--no-html"])
    assert again.exit_code == 0, again.output
    assert "7 calls judged" in again.output


def test_the_journal_of_a_run_is_judged_by_its_answers(tmp_path: Path) -> None:
    run = ["run", "--case", "tpp/response/*", "--generated", "0", "--quiet", "--report", str(tmp_path / "run")]
    fault = [*run, "--fault", "tpp-drops-last-result"]
    assert CliRunner().invoke(main, fault).exit_code == 1
    ended = judge(tmp_path, tmp_path / "run", "--only", "answers")
    assert ended.exit_code == 1
    assert "TPP-RESP-ONE-EACH" in ended.output


def test_a_request_outside_the_scope_of_the_target_file_is_noted(tmp_path: Path) -> None:
    target = tmp_path / "target.toml"
    target.write_text(
        'schema_version = 1\nname = "shop"\n[scope]\ndestructive = true\naccounts = [8]\noms = [1]\n'
        '[services.alphapoint]\nhttp = "http://127.0.0.1:9"\n'
    )
    path = recording(tmp_path / "a.har")
    ended = judge(tmp_path, path, "--target", target)
    assert ended.exit_code == 0, ended.output
    assert "outside the scope of the target file" in ended.output


def test_what_was_reported_cancelled_and_is_listed_later_is_a_finding(tmp_path: Path) -> None:
    def entry(at: str, call: str, body: str, answer: str) -> dict[str, Any]:
        one = json.loads(recording(tmp_path / "x.har", answer, body).read_text())["log"]["entries"][0]
        one["startedDateTime"] = f"2026-03-01T10:00:{at}Z"
        one["request"]["url"] = f"http://shop.example/AP/{call}"
        return dict(one)

    place = '"OMSId":1,"AccountId":7'
    entries = [
        entry("01", "SendOrder", f'{{{place},"InstrumentId":1}}', '{"status":"Accepted","errormsg":"","OrderId":55}'),
        entry("02", "CancelOrder", f'{{{place},"OrderId":55}}', GOOD),
        entry("09", "GetOpenOrders", f"{{{place}}}", '[{"OrderId":55,"Account":7}]'),
    ]
    path = tmp_path / "b.har"
    path.write_text(json.dumps({"log": {"version": "1.2", "entries": entries}}))
    ended = judge(tmp_path, path)
    assert ended.exit_code == 1
    assert "CO-EFFECT" in ended.output
    entries[2]["startedDateTime"] = "2026-03-01T10:00:03Z"  # the effect may still be under way
    path.write_text(json.dumps({"log": {"version": "1.2", "entries": entries}}))
    assert judge(tmp_path, path).exit_code == 0
