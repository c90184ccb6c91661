"""A secret that is to go out as a header and cannot be one is a mistake of the target file, before anything is sent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from conformance.cli.main import main
from conformance.contract.load import load_contract
from conformance.endpoint.file import check_target
from conformance.endpoint.secrets import Vault, with_secrets
from conformance.errors import ConfigurationError

KEY = "services.tpp.roles.client.headers.X-Key"


def _fetched(text: str) -> None:
    data: dict[str, Any] = {
        "name": "headers",
        "scope": {"destructive": True, "everything": True},
        "services": {
            "tpp": {
                "http": "http://127.0.0.1:9",
                "roles": {"client": {"login": "none", "headers": {"X-Key": {"env": "KEY"}}}},
            }
        },
    }
    with_secrets(check_target(data, load_contract(), "target.toml"), Vault({"KEY": text}))


@pytest.mark.parametrize(
    "text", ["two\nlines", "two\r\nlines", "nul\x00", "euro \u20ac", "zebra ", "\tzebra", "bell\x07"]
)
def test_what_cannot_be_a_header_is_named_by_its_key_and_not_shown(text: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        _fetched(text)
    assert refused.value.where == KEY
    assert text.strip() not in str(refused.value)


@pytest.mark.parametrize("text", ["plain", "Basic dXNlcjpwYXNz", "two words", "caf\xe9", "tab\tinside"])
def test_what_can_be_a_header_is_taken(text: str) -> None:
    _fetched(text)


TARGET = """
schema_version = 1
name = "headers"
scope = { destructive = true, everything = true }

[services.tpp]
http = "http://127.0.0.1:9"
bindings = { unknown_order = 1987654321 }
roles.client = { login = "none", headers = { X-Key = { env = "HEADER_KEY" } } }
"""
JOURNAL = (
    {
        "type": "header", "schema_version": 1, "selection": {}, "accepted_gaps": [], "pinned": {}, "shard": "", "planned": 0,
        "run": {
            "id": "0f" * 16, "tool_version": "0", "specs_digest": "0", "seed": 0, "started_at": "",
            "target": {"name": "headers", "file": "t.toml", "services": {"tpp": {"http": "http://127.0.0.1:9"}}},
        },
    },
    {"type": "set-up", "key": "a.1", "service": "tpp", "desk": 0, "role": "", "state": "open-order", "what": {}},
)  # fmt: skip
CASE = "tpp/effects/unknown-order@application-json"


@pytest.mark.parametrize(
    "text", ["Zebra-77\nX-More: 1", "Zebra-77 \u20ac", "Zebra-77 "], ids=["lines", "euro", "blank"]
)
@pytest.mark.parametrize("words", [
    ("target", "check", "t.toml"), ("run", "--target", "t.toml", "--report", "r"),
    ("replay", CASE, "--target", "t.toml"), ("target", "clean", "--report", "j.jsonl", "--target", "t.toml"),
    ("run", "--explore", "5", "--target", "t.toml", "--report", "r"),
], ids=["check", "run", "replay", "clean", "explore"])  # fmt: skip
def test_each_command_that_sends_says_so_first_with_exit_code_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], text: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("t.toml").write_text(TARGET, "utf-8")
    Path("j.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in JOURNAL), "utf-8")
    monkeypatch.setenv("HEADER_KEY", text)
    done = CliRunner().invoke(main, words)
    assert (done.exit_code, KEY in done.output) == (2, True), done.output
    assert "cannot be sent as a header" in done.output
    assert "Zebra" not in done.output
    assert [one.name for one in Path().iterdir() if one.name not in ("t.toml", "j.jsonl")] == []
