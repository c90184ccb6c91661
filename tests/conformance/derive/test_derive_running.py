"""Two made-up vendors of 25 calls: from their pages to a running suite, against a small server that is right or wrong.

What an author fills in is counted. What the server knows comes from the facts that a person read on the pages.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from derive_support import conformance
from made_up_server import Call, Change, served
from test_derive_facts import WHOLE, documentation, expected

from conformance.contract.operation import NEEDED_CHECKS
from conformance.model.spec import Shape

STANDARD = {"result": True, "errormsg": None, "errorcode": 0, "detail": None}
SUCCESS = {"done": True, "fault": None, "faultcode": 0, **STANDARD}


@dataclass(frozen=True)
class Ready:
    """A service that an author has filled in: its folder, its calls by document, and how many entries it took."""

    specs: Path
    calls: Mapping[str, str]
    filled: Mapping[str, int]


def filled_in(name: str, folder: Path) -> Ready:
    """Derive the vendor's pages and do what the report asks for, entry by entry."""
    service = folder / "specs" / name
    assert conformance("derive", WHOLE / f"{name}.md", "--into", service).exit_code == 0
    report = yaml.safe_load((service / "report.yaml").read_text(encoding="utf-8"))
    counts, calls = {"set aside": 0, "scope": 0}, {}
    for one in report["calls"]:
        place = service / one["operation"].partition(".")[2]
        if not one["runs"]:
            shutil.rmtree(place)
            counts["set aside"] += 1
            continue
        path = place / "operation.yaml"
        operation = yaml.safe_load(path.read_text(encoding="utf-8"))
        operation["scope"] = {"unreadable": "tokens", "members": {}, "harmless": list(operation["fields"])}
        path.write_text(yaml.safe_dump(operation, sort_keys=False), encoding="utf-8")
        counts["scope"] += 1
        calls[one["page"]] = f"{operation['method']} {operation['path']}"
    file = service / "service.yaml"
    listed = yaml.safe_load(file.read_text(encoding="utf-8"))
    listed["operations"] = [one for one in listed["operations"] if (service / one.partition(".")[2]).is_dir()]
    file.write_text(yaml.safe_dump(listed, sort_keys=False), encoding="utf-8")
    return Ready(folder / "specs", calls, counts)


def permitted(name: str, document: str) -> frozenset[str] | None:
    """Who may make a call, as its page says; None where it does not say."""
    text = (WHOLE / f"{name}.md").read_text(encoding="utf-8")
    page = re.split(r"^##? ", text[re.search(rf"^##? {document}$", text, re.MULTILINE).end() :], flags=re.MULTILINE)[0]  # type: ignore[union-attr]
    found = re.search(r"\*\*Permissions:\*\* ([\w, ]+)", page)
    return frozenset(found.group(1).lower().split(", ")) if found else None


def answer_of(name: str, document: str) -> Any:
    """The answer that the page shows, as a success."""
    body = next(one.page for one in documentation(name).calls if one.page.name == document).response
    value = json.loads(body.samples[0].text) if body.samples else (None if body.shape == "nothing" else STANDARD)
    if isinstance(value, list):
        return [successful(one) for one in value]
    return successful(value)


def successful(value: Any) -> Any:
    """A record that says success; anything else as it is."""
    if not isinstance(value, dict):
        return value
    done = {"Done": True, "Errors": None} if {"Done", "Errors"} <= value.keys() else {}
    return {key: {**SUCCESS, **done}.get(key, one) for key, one in value.items()}


def bound(ready: Ready) -> set[str]:
    """What the target file has to bind: the things of the service that the legal requests and the scenarios name."""
    texts = [path.read_text(encoding="utf-8") for path in ready.specs.glob("*/*/operation.yaml")]
    texts += [path.read_text(encoding="utf-8") for path in ready.specs.glob("*/*/scenarios.yaml")]
    return {found for text in texts for found in re.findall(r"(?:^    binding: |\$\{)(\w+)", text, re.MULTILINE)}


def run(
    name: str, ready: Ready, folder: Path, faults: Mapping[str, Change | str] | None = None, *options: str
) -> dict[str, Any]:
    """The results of a run against a server that is right but for the calls under `faults`."""
    facts = dict(expected(name))
    calls = {}
    for document, route in ready.calls.items():
        fault = (faults or {}).get(document)
        calls[route] = Call(facts[document]["request"], answer_of(name, document), fault if callable(fault) else None)
        calls[route].lenient = fault == "lenient"
        calls[route].roles = None if fault == "everybody" else permitted(name, document)
    roles = {
        role
        for path in ready.specs.glob("*/*/operation.yaml")
        for role in yaml.safe_load(path.read_text(encoding="utf-8"))["roles_allowed"]
    }
    with served(calls) as address:
        target = folder / "target.toml"
        lines = ["schema_version = 1", f'name = "{name}"', "[scope]", "destructive = true", "everything = true"]
        lines += [f"[services.{name}]", f'http = "{address}"']
        for role in sorted(roles):
            lines += [f"[services.{name}.roles.{role}]", 'login = "each-message"', f'user = "{role}"']
            lines += ['password = { env = "MADE_UP_PASSWORD" }']
        lines += [f"[services.{name}.bindings]", *(f"{one} = 1001" for one in sorted(bound(ready)))]
        target.write_text("\n".join(lines) + "\n", encoding="utf-8")
        done = conformance(
            "run", "--specs", ready.specs, "--target", target, "--generated", "0", "--report", folder / "report", "--no-html", "-q", *options
        )  # fmt: skip
    assert done.exit_code in (0, 1, 4), done.output
    found: dict[str, Any] = json.loads((folder / "report" / "results.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def ferry(tmp_path_factory: pytest.TempPathFactory) -> Ready:
    return filled_in("ferry", tmp_path_factory.mktemp("ferry"))


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MADE_UP_PASSWORD", "b9Vd-made-up-word")


def failing(found: dict[str, Any]) -> dict[str, set[str]]:
    """Each operation with a failed case, and the checks that found something there."""
    checks: dict[str, set[str]] = {}
    for case in found["cases"]:
        if case["verdict"] == "fail":
            name = case["operation"].partition(".")[2]
            checks.setdefault(name, set()).update(one["check"] for one in case["findings"])
    return checks


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("name", "filled", "things"),
    [
        ("ferry", {"set aside": 0, "scope": 25}, {"booking_id"}),
        ("greenhouse", {"set aside": 2, "scope": 23}, {"bedid", "seedid"}),
    ],
)
def test_a_service_of_25_calls_runs_without_python(
    name: str, filled: dict[str, int], things: set[str], tmp_path: Path
) -> None:
    ready = filled_in(name, tmp_path)
    assert (ready.filled, bound(ready)) == (filled, things)
    found = run(name, ready, tmp_path)
    assert failing(found) == {}
    verdicts = [one["verdict"] for one in found["cases"]]
    assert verdicts.count("pass") == len(verdicts) > 1000
    named = {one["operation"] for one in found["cases"]}
    assert len(named) == filled["scope"]
    of_success = [row for row in found["error_codes"] if row["code"] == "0"]
    assert of_success
    assert [(row["operation"], row["reason"]) for row in of_success if row["verdict"] != "pass"] == []


def test_a_call_of_cancellation_beside_described_ones_lacks_only_states_and_scope(tmp_path: Path) -> None:
    assert conformance("derive", WHOLE / "greenhouse.md", "--into", tmp_path / "specs" / "greenhouse").exit_code == 0
    folder = tmp_path / "specs" / "greenhouse" / "drain_bed"
    operation = yaml.safe_load((folder / "operation.yaml").read_text(encoding="utf-8"))
    assert set(NEEDED_CHECKS[Shape(operation["answer"])]) <= set(operation["attribution"])
    asked = yaml.safe_load((folder / "questions.yaml").read_text(encoding="utf-8"))["to_fill"]
    assert not [one for one in asked if "attribution" in str(one)]


def without(*path: str) -> Change:
    """The answer without the member that the path leads to."""

    def change(value: Any) -> Any:
        if len(path) == 1:
            return {name: one for name, one in value.items() if name != path[0]}
        return {**value, path[0]: without(*path[1:])(value[path[0]])}

    return change


def having(**members: Any) -> Change:
    return lambda value: {**value, **members}


FAULTS: dict[str, tuple[Change | str, set[str]]] = {
    "GetCrossing": (without("ship", "crew"), {"schema"}),
    "ListCrossings": (lambda value: value[0], {"schema"}),
    "BookPlace": (having(price="12.5"), {"schema"}),
    "CloseCrossing": (having(faultcode=99), {"schema"}),
    "PayBooking": (having(faultcode=7, fault="Not Yours"), {"schema"}),
    "CancelBooking": (having(done=False, faultcode=12, fault="Too Late"), {"outcome"}),
    "SetBerth": (having(done=False, faultcode=14, fault="Not Yours"), {"schema", "outcome"}),
    "CountPlaces": (str, {"schema"}),
    "ListHarbours": (lambda value: [{**value[0], "berths": [1, "2"]}], {"schema"}),
    "GetTide": (having(high="Traceback (most recent call last):"), {"bad-input"}),
    "GetNotice": (having(text=None), {"schema"}),
    "Login": (having(session=None), {"schema"}),
    "Logout": (lambda _: [], {"schema"}),
    "GetWeather": (having(waves={"height": 1.5, "period": {"seconds": "6"}}), {"schema"}),
    "SendNotice": ("lenient", {"outcome"}),
    "GetFaults": ("everybody", {"outcome"}),
    "GetManifest": (lambda _: None, {"schema"}),
    "GetBooking": (without("booking_id"), {"schema"}),
}
PERMITTED: dict[str, Change | str] = {
    "OpenCrossing": lambda value: dict(reversed(value.items())),
    "GetPrice": without("rebate"),
    "ListPrices": lambda _: [],
    "SwapBookings": having(note="there is more to come"),
}


@pytest.mark.timeout(240)
def test_every_wrong_call_is_found_and_no_other(ferry: Ready, tmp_path: Path) -> None:
    wrong = {name: fault for name, (fault, _) in FAULTS.items()}
    found = failing(run("ferry", ferry, tmp_path, {**PERMITTED, **wrong}))
    folders = {document: re.sub(r"(?<!^)(?=[A-Z])", "_", document).lower() for document in FAULTS}
    assert found == {folders[document]: checks for document, (_, checks) in FAULTS.items()}


@pytest.fixture(scope="module")
def closing(tmp_path_factory: pytest.TempPathFactory) -> Ready:
    """The ferry with a scenario for one of the codes of a call: the target file names a crossing that is closed."""
    ready = filled_in("ferry", tmp_path_factory.mktemp("closing"))
    path = ready.specs / "ferry" / "close_crossing" / "scenarios.yaml"
    scenario = {
        "name": "codes/9",
        "title": "A crossing that is closed already",
        "requirements": ["CC-CODE-9"],
        "code": "9",
        "value": {"crossing_id": "${closed_crossing}"},
        "expect": {"requirement": "CC-CODE-9", "any_of": [{"form": "error", "code": 9}]},
    }
    path.write_text(yaml.safe_dump([*yaml.safe_load(path.read_text(encoding="utf-8")), scenario]), encoding="utf-8")
    return ready


@pytest.mark.parametrize(
    ("number", "text", "verdict", "failed"),
    [(9, "Already Closed", "pass", {}), (7, "Not Yours", "fail", {"close_crossing": {"outcome"}})],
)
def test_a_scenario_proves_the_code_of_a_described_error(
    closing: Ready, tmp_path: Path, number: int, text: str, verdict: str, failed: dict[str, set[str]]
) -> None:
    fault = {"CloseCrossing": having(done=False, faultcode=number, fault=text)}
    found = run("ferry", closing, tmp_path, fault, "--case", "cc/codes/*", "--operation", "ferry.close_crossing")
    cells = {one["code"]: one["verdict"] for one in found["error_codes"]}
    assert (failing(found), cells) == (failed, {"9": verdict})


def test_a_code_that_nobody_provokes_is_not_verified_with_its_reason(ferry: Ready, tmp_path: Path) -> None:
    found = run("ferry", ferry, tmp_path, None, "--operation", "ferry.close_crossing")
    cells = {one["code"]: (one["verdict"], one["reason"]) for one in found["error_codes"]}
    assert cells["9"] == ("not-verified", "no case provokes it")
