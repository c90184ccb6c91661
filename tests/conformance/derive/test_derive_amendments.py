"""Help pages of a change and of many, with a page of types: from the pages to a suite against a right and wrong servers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from amend_server import served
from derive_support import PAGES, conformance

AMEND = PAGES / "amend"
CALLS = {"post_api_orders_amendment": "OA", "post_api_orders_amendments": "OAM"}
TARGET = """schema_version = 1
name = "amendments"
[scope]
destructive = true
everything = true
[services.orders]
http = "{address}"
[services.orders.roles.client]
login = "each-message"
user = "client"
password = {{ env = "MADE_UP_PASSWORD" }}
"""
UNSEEN = "no answer that is right by the page would be wrong by it"
"""Why a draft's open question has no case until the author makes it a reading."""


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MADE_UP_PASSWORD", "b9Vd-made-up-word")


def edited(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def write(path: Path, value: Any) -> None:
    path.write_text(yaml.safe_dump(value, sort_keys=False), encoding="utf-8")


def scenarios(prefix: str, base: Any) -> Iterator[dict[str, Any]]:
    """The three cases that an author writes of each call."""

    def having(change: dict[str, Any], *without: str) -> Any:
        found = [
            {name: one for name, one in {**item, **change}.items() if name not in without}
            for item in (base if isinstance(base, list) else [base])
        ]
        return found if isinstance(base, list) else found[0]

    error = [f"{prefix}-ERR-{one}" for one in ("APPLICATIONJSON", "TEXTJSON", "APPLICATIONXML", "TEXTXML")]
    error += [f"{prefix}-ERR-{one}" for one in ("SAMPLE-JSON", "SAMPLE-XML", "JSON", "XML")]
    yield {
        "name": "answer/sparse",
        "title": "Without the members that may be left out",
        "requirements": [f"{prefix}-REQ-{one}-OPTIONAL" for one in ("PIN", "PRICE")],
        "value": having({"PriceType": 1}, "PIN", "Price"),
        "expect": {"requirement": f"{prefix}-REQ-PIN-OPTIONAL", "any_of": [{"form": "data"}]},
    }
    yield {
        "name": "answer/nothing",
        "title": "A change to no quantity at all",
        "requirements": error,
        "value": having({"Quantity": 0}),
        "expect": {"requirement": f"{prefix}-REQ-QUANTITY-TYPE", "any_of": [{"form": "error"}]},
    }
    yield {
        "name": "answer/unknown",
        "title": "A change of an order that is not there",
        "requirements": [f"{prefix}-RESP-SUCCESS-TEXT", f"{prefix}-RESP-ERRORS-TEXT"],
        "value": having({"OrderID": 99999999}),
        "expect": {"requirement": f"{prefix}-RESP-SUCCESS-TEXT", "any_of": [{"form": "error"}]},
    }


def agreement(prefix: str) -> list[dict[str, Any]]:
    """What an author makes of the row Errors: texts of a failure, and none of a success."""
    texts = {"type": "array", "minItems": 1}
    return [
        {
            "x-requirement": f"{prefix}-RESP-ERRORS-TEXT",
            "if": {"properties": {"Success": {"const": value}}, "required": ["Success"]},
            "then": then,
        }
        for value, then in (
            (False, {"required": ["Errors"], "properties": {"Errors": texts}}),
            (True, {"properties": {"Errors": {"not": texts}}}),
        )
    ]


def filled(service: Path) -> dict[str, int]:
    """Do what an author does of the two calls; how many entries of each kind that takes."""
    counts = {"scope": 0, "scenario": 0, "rule": 0, "worded": 0, "no case": 0}
    for name, prefix in CALLS.items():
        folder = service / name
        operation = edited(folder / "operation.yaml")
        operation["scope"] = {"unreadable": "tokens", "members": {}, "harmless": list(operation["fields"])}
        write(folder / "operation.yaml", operation)
        more = list(scenarios(prefix, operation["base"]))
        write(folder / "scenarios.yaml", [*edited(folder / "scenarios.yaml"), *more])
        path = folder / "response.schema.json"
        schema = json.loads(path.read_text(encoding="utf-8"))
        record = schema["$defs"]["item"] if "$defs" in schema else schema
        record["allOf"] += agreement(prefix)
        path.write_text(json.dumps(schema), encoding="utf-8")
        requirements = edited(folder / "requirements.yaml")
        worded = {
            f"{prefix}-RESP-SUCCESS-TEXT": "Success is false for an order that cannot be changed.",
            f"{prefix}-RESP-ERRORS-TEXT": "Errors has a text for each reason of a failure, and none on success.",
        }
        for one in requirements:
            if one["id"] in worded:
                del one["untested"]
                one |= {"text": worded[one["id"]], "verify": "cases"}
            elif "-OPEN-" in one["id"] or one["id"] == f"{prefix}-REQ-XML-ARRAYS":
                one |= {"verify": "untested", "untested": UNSEEN}
                counts["no case"] += 1
        write(folder / "requirements.yaml", requirements)
        counts["scope"] += 1
        counts["scenario"] += len(more)
        counts["rule"] += len(agreement(prefix))
        counts["worded"] += len(worded)
    return counts


@pytest.fixture(scope="module")
def specs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("amend") / "specs"
    done = conformance("derive", AMEND, "--into", folder / "orders")
    assert (done.exit_code, "2 of 2 can be run when their scope is there" in done.output) == (0, True)
    assert filled(folder / "orders") == {"scope": 2, "scenario": 6, "rule": 4, "worded": 4, "no case": 14}
    return folder


def judged(specs: Path, folder: Path, *options: str, wrong: tuple[str, ...] = ()) -> dict[str, Any]:
    """The results of a run against the server that is wrong in these ways."""
    with served(*wrong) as address:
        target = folder / "target.toml"
        target.write_text(TARGET.format(address=address), encoding="utf-8")
        words = ("run", "--specs", specs, "--target", target, "--report", folder / "report", "--no-html", "-q")
        done = conformance(*words, *(options or ("--generated", "0")))
    assert done.exit_code in (0, 1), done.output
    found: dict[str, Any] = json.loads((folder / "report" / "results.json").read_text(encoding="utf-8"))
    return {**found, "exit": done.exit_code}


def failing(found: dict[str, Any]) -> set[str]:
    return {one["id"] for one in found["requirements"] if one["verdict"] == "fail"}


def test_specs_of_the_amendments_hold(specs: Path) -> None:
    done = conformance("specs", "check", "--specs", specs)
    assert done.exit_code == 0, done.output


def test_right_server_passes_every_case(specs: Path, tmp_path: Path) -> None:
    found = judged(specs, tmp_path, "--generated", "20")
    assert (found["exit"], failing(found)) == (0, set())
    assert {one["verdict"] for one in found["cases"]} == {"pass"}
    assert {one["media_type"].partition("/")[2] for one in found["cases"]} == {"json", "xml"}


WRONG = [
    ("type-name", {"RESP-PRICETYPE"}, "answer/legal@*json"),
    ("type-number", {"RESP-PRICETYPE"}, "answer/legal@*xml"),
    ("name-in-request", {"REQ-SAMPLE-JSON"}, "answer/documented@application-json"),
    ("number-in-request", {"REQ-PRICETYPE-TYPE"}, "fields/pricetype-*@*xml"),
    ("any-type", {"REQ-PRICETYPE-TYPE"}, "fields/pricetype-*"),
    ("without-CreatorID", {"REQ-CREATORID-REQUIRED"}, "fields/creatorid-absent@*"),
    ("any-quantity", {"REQ-QUANTITY-TYPE"}, "fields/quantity-*"),
    ("long-pin", {"REQ-PIN-TYPE"}, "fields/pin-*"),
    ("text-id", {"RESP-ORDERID"}, "answer/legal@*"),
    ("namespace", {"RESP-XML-NS"}, "answer/legal@*xml"),
    ("xml-order", {"RESP-XML-ORDER"}, "answer/legal@*xml"),
    ("always-success", {"RESP-SUCCESS-TEXT"}, "answer/unknown@*"),
    ("errors-on-success", {"RESP-ERRORS-TEXT"}, "answer/legal@*"),
    ("silent-failure", {"RESP-ERRORS-TEXT"}, "answer/unknown@*"),
    ("any-method", {"METHOD"}, "http/put@*"),
    ("always-json", {"RESP-APPLICATIONXML", "RESP-TEXTXML"}, "answer/legal@*xml"),
    ("deaf-to-zero", {"RESP-APPLICATIONXML"}, "negotiation/accept-json-refused@*"),
]


@pytest.mark.parametrize(("wrong", "requirements", "chosen"), WRONG, ids=[one[0] for one in WRONG])
def test_wrong_server_is_found_on_the_requirement_that_speaks_of_it(
    specs: Path, tmp_path: Path, wrong: str, requirements: set[str], chosen: str
) -> None:
    found = judged(specs, tmp_path, "--generated", "0", "--case", f"oa*/{chosen}", wrong=(wrong,))
    assert failing(found) == {f"{prefix}-{one}" for prefix in CALLS.values() for one in requirements}


@pytest.mark.parametrize("permitted", ["member-order", "prefix", "declaration", "no-errors", "empty-errors"])
def test_permitted_difference_of_an_amendment_is_not_blamed(specs: Path, tmp_path: Path, permitted: str) -> None:
    found = judged(specs, tmp_path, "--generated", "0", "--case", "oa*/answer/*", wrong=(permitted,))
    assert (found["exit"], failing(found)) == (0, set())
