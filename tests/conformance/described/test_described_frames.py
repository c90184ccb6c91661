"""An answer that a schema describes, as a frame on a WebSocket: a right market, wrong ones, and permitted differences."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from market_server import served

from conformance.cli.main import main
from conformance.contract.load import load_contract
from conformance.errors import SpecError

SPECS = Path(__file__).parent / "specs"
TARGET = """schema_version = 1
name = "market"
[scope]
destructive = true
everything = true
[limits]
quiet_s = 0.2
[services.market]
http = "http://{0}"
websocket = "ws://{0}/WSGateway"
[services.market.bindings]
instrument = 7
[services.market.roles.trader]
login = "none"
"""


def judged(folder: Path, wrong: str, *options: str) -> dict[str, Any]:
    """The results of a run against the market that is wrong in this way."""
    with served(wrong) as address:
        target = folder / "target.toml"
        target.write_text(TARGET.format(address), encoding="utf-8")
        words = ["run", "--specs", SPECS, "--target", target, "--generated", "0", "--report", folder / "report"]
        done = CliRunner().invoke(main, [str(one) for one in (*words, "--no-html", "-q", *options)])
    assert done.exit_code in (0, 1), done.output
    found: dict[str, Any] = json.loads((folder / "report" / "results.json").read_text(encoding="utf-8"))
    return found


def failing(found: dict[str, Any]) -> set[str]:
    return {one["id"] for one in found["requirements"] if one["verdict"] == "fail"}


def test_right_market_passes_over_both_transports(tmp_path: Path) -> None:
    found = judged(tmp_path, "")
    assert failing(found) == set()
    assert {one["verdict"] for one in found["cases"]} == {"pass"}
    families = {one["id"].split("/")[1] for one in found["cases"] if one["transport"] == "ws"}
    assert families == {"answer", "fields", "frames", "malformed"}


CHECKED = [
    ("ws-text", {"MD-STEP"}, "md/answer/*"),
    ("ws-side", {"MD-SIDE"}, "md/answer/*"),
    ("ws-refuses", {"MD-FORM", "MD-SAME"}, "md/relations/*"),
    ("anything", {"MD-INSTRUMENT"}, "md/fields/*"),
    ("number-lost", {"MD-FRAME-I"}, "md/answer/*"),
    ("name-changed", {"MD-FRAME-N"}, "md/answer/*"),
    ("payload-object", {"MD-FRAME-O"}, "md/answer/*"),
]


@pytest.mark.parametrize(("wrong", "requirements", "chosen"), CHECKED, ids=[one[0] for one in CHECKED])
def test_wrong_market_is_found_on_its_own_requirement(
    wrong: str, requirements: set[str], chosen: str, tmp_path: Path
) -> None:
    assert failing(judged(tmp_path, wrong, "--case", chosen)) == requirements


def test_error_in_an_error_frame_is_not_blamed(tmp_path: Path) -> None:
    assert failing(judged(tmp_path, "error-as-5", "--case", "md/fields/*", "--case", "md/frames/call-*")) == set()


def test_framed_call_needs_something_that_tells_an_error(tmp_path: Path) -> None:
    shutil.copytree(SPECS / "market", tmp_path / "market")
    (tmp_path / "market" / "depth" / "error.schema.json").unlink()
    with pytest.raises(SpecError, match="nothing tells an error in a frame from an answer"):
        load_contract(tmp_path)
