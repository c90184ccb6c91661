"""What a finding of a live run says: the credential that came back, the sentence that was broken, the one red cell."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from live_support import ENVIRONMENT, Came, command, live, pointed, run, sample

from conformance.contract.load import load_contract

CONTRACT = load_contract()
NAMED = ("--generated", "0", "--case")


def came_with(folder: Path, fault: str, *cases: str, service: str = "alphapoint") -> Came:
    """The run of these named cases against a server with a fault."""
    words = [word for case in cases for word in ("--case", case)]
    with live(faults=(fault,)) as server:
        return run(folder, pointed(sample(service), server.url), "--generated", "0", *words)


def findings(came: Came) -> list[dict[str, Any]]:
    return [finding for case in came.results["cases"] for finding in case["findings"]]


def written(came: Came) -> str:
    """Everything that the run has written or printed."""
    reports = command(came.folder, "report", "render", str(came.folder), "--format", "html", "--format", "md")
    assert reports.exit_code == 0, reports.output
    return came.output + came.files


class Telling:
    """Puts a text into the detail of every answer to CancelAllOrders over HTTP, and into a header."""

    def __init__(self, app: Any, text: str) -> None:
        self.app, self.text = app, text.encode()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def changed(message: Any) -> None:
            if "CancelAllOrders" in scope.get("path", ""):
                if message["type"] == "http.response.body":
                    told = b'"detail":"given: %b"' % self.text
                    message = {**message, "body": message["body"].replace(b'"detail":null', told)}
                else:
                    headers = [(name, value) for name, value in message["headers"] if name != b"content-length"]
                    message = {**message, "headers": [*headers, (b"x-debug", self.text)]}
            await send(message)

        await self.app(scope, receive, changed)


def test_a_password_that_comes_back_is_named_with_its_places_and_never_shown(tmp_path: Path) -> None:
    password = ENVIRONMENT["STAGING_TRADER_1_PASSWORD"]
    with live(wrap=lambda app: Telling(app, password)) as server:
        text = pointed(sample("alphapoint"), server.url)
        came = run(tmp_path, text, *NAMED, "cao/response/sample@http", "--concurrency", "1")
    found = [one for one in findings(came) if one["requirement"] == "CAO-SECRETS"]
    assert came.exit_code == 1
    assert {one["at"] for one in found} == {"/detail", "header x-debug"}
    assert {one["actual"] for one in found} == {"password of role trading (hidden)"}
    assert password not in written(came)


@pytest.mark.parametrize(
    ("fault", "cases", "service", "named", "place"),
    [
        ("cao-echoes-token", ("cao/response/sample@*",), "alphapoint", r"session of role \w+ \(hidden\)", "/detail"),
        ("tpp-pin-echoed", ("tpp/pin/*@application-json",), "tpp", r"binding \w*pin\w* \(hidden\)", r"/\d+/Errors/\d+"),
    ],
)  # fmt: skip
def test_a_token_or_pin_that_comes_back_is_named_too(
    tmp_path: Path, fault: str, cases: tuple[str, ...], service: str, named: str, place: str
) -> None:
    came = came_with(tmp_path, fault, *cases, service=service)
    found = [one for one in findings(came) if one["check"] == "secrets"]
    assert found
    for one in found:
        assert re.fullmatch(named, one["actual"]), one
        assert re.fullmatch(place, one["at"])
    text = written(came)
    assert not [secret for secret in ENVIRONMENT.values() if secret in text]


@pytest.mark.parametrize(
    ("fault", "cases", "service", "requirement"),
    [
        ("cao-no-effect", ("cao/effects/*@http", "cao/http/*", "cao/fields/*@http"), "alphapoint", "CAO-EFFECT-ACCOUNT"),
        ("co-no-effect", ("co/effects/*@http", "co/http/*", "co/fields/*@http"), "alphapoint", "CO-EFFECT"),
        ("cq-no-effect", ("cq/effects/*@http", "cq/http/*", "cq/fields/*@http"), "alphapoint", "CQ-EFFECT-PAIR"),
        ("tpp-success-without-effect", ("tpp/conditions/*@*json", "tpp/negotiation/*@*xml"), "tpp", "TPP-EFFECT"),
    ],
)  # fmt: skip
def test_a_success_that_cancelled_nothing_is_told_by_a_sentence_on_successes(
    tmp_path: Path, fault: str, cases: tuple[str, ...], service: str, requirement: str
) -> None:
    found = [one for one in findings(came_with(tmp_path, fault, *cases, service=service)) if one["check"] == "effect"]
    assert sum(one["requirement"] == requirement for one in found) > len(found) / 2 > 5
    for one in found:
        sentence = CONTRACT.requirements[one["requirement"]].text
        assert (one["expected"], one["actual"]) == ("cancelled", "open")
        assert not re.search(r"answered with an error|not reported as a success|No order is cancelled", sentence), one


@pytest.mark.parametrize(
    ("fault", "cases", "requirement"),
    [
        ("cao-malformed-acts", ("cao/malformed/*@http", "cao/fields/*@http"), "CAO-REFUSED-NO-EFFECT"),
        ("cao-everybody", ("cao/effects/*@http",), "CAO-EFFECT-ONLY"),
    ],
)  # fmt: skip
def test_what_was_touched_is_told_by_a_sentence_on_the_answer_that_came(
    tmp_path: Path, fault: str, cases: tuple[str, ...], requirement: str
) -> None:
    found = [one for one in findings(came_with(tmp_path, fault, *cases)) if one["check"] == "effect"]
    assert requirement in {one["requirement"] for one in found}
    if requirement != "CAO-REFUSED-NO-EFFECT":
        assert "CAO-REFUSED-NO-EFFECT" not in {one["requirement"] for one in found}


@pytest.mark.parametrize(
    ("fault", "code", "red"),
    [
        ("cao-text-104", "104", {("104", "http"), ("104", "ws")}),
        ("cao-echoes-token", "100", set()),
        ("cao-media-html", "20", set()),
        ("cao-no-effect", "106", set()),
    ],
)
def test_one_fault_leaves_the_cells_of_other_codes_as_they_were(
    tmp_path: Path, fault: str, code: str, red: set[tuple[str, str]]
) -> None:
    came = came_with(tmp_path, fault, "cao/codes/*", "cao/effects/*")
    cells = {(row["code"], row["transport"]): row["verdict"] for row in came.results["error_codes"]}
    assert came.exit_code == 1
    assert code in {cell for cell, _ in cells}
    assert {cell for cell, verdict in cells.items() if verdict == "fail"} == red
    told = [row for row in came.results["error_codes"] if row["verdict"] == "not-verified"]
    assert all(row["reason"] for row in told)


def test_a_number_that_comes_back_as_text_is_told_from_the_number(tmp_path: Path) -> None:
    came = came_with(tmp_path, "tpp-json-orderid-as-text", "tpp/response/*@application-json", service="tpp")
    found = findings(came)
    assert {"schema", "identity"} >= {one["check"] for one in found} > set()
    assert all(one["expected"] != one["actual"] for one in found)
    identity = [one for one in found if one["check"] == "identity"]
    assert all(re.fullmatch(r"OrderID \d+", one["expected"]) for one in identity)
    assert all(re.fullmatch(r'OrderID "\d+"', one["actual"]) for one in identity)
    assert json.loads((came.folder / "results.json").read_text("utf-8"))["summary"]["verdict"] == "fail"
