"""docs/fleet.md is followed literally, and names every key."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from conformance.cli.main import main
from conformance.fleet.file import Endpoint, FleetFile, Hook

TEXT = (Path(__file__).parents[3] / "docs" / "fleet.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


@pytest.mark.timeout(240)
def test_page_can_be_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CONFORMANCE_HISTORY", raising=False)
    (tmp_path / "fleet.toml").write_text(next(text for kind, text in BLOCKS if kind == "toml"), "utf-8")
    commands = [line for kind, text in BLOCKS if kind == "sh" for line in text.splitlines()]
    done = [CliRunner().invoke(main, shlex.split(line)[1:]) for line in commands]
    due, first, again, listed, demanded = ((one.exit_code, one.output) for one in done)
    assert due[0] == 0
    assert [line.partition(",")[0] for line in due[1].splitlines()] == ["acme: due", "broken: due"]
    assert first == (1, "acme: pass (exit 0)\nbroken: fail (exit 1)\n")
    assert again == (0, "nothing is due\n")
    assert re.findall(r"^\w+$", listed[1], re.MULTILINE) == ["acme", "broken"]
    assert demanded == (0, "acme: pass (exit 0)\n")
    (event,) = map(json.loads, (tmp_path / "events.jsonl").read_text("utf-8").splitlines())
    assert (event["event"], event["endpoint"], event["owner"]) == ("new-cause", "broken", "vendor-team@example.org")
    for word in event.keys() - {"schema_version"}:
        assert f"`{word}`" in TEXT


def test_every_key_and_event_is_explained() -> None:
    keys = {*FleetFile.model_fields, *Endpoint.model_fields, *Hook.model_fields} - {"hooks", "editions", "endpoints"}
    assert [key for key in sorted(keys) if f"`{key}`" not in TEXT and f"{key} =" not in TEXT] == []
    assert "`new-cause` | " in TEXT
