"""Passwords that are words of right answers: nobody is accused of giving them away, and `target check` says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from live_support import ENVIRONMENT, WORLD, command, live, pointed, run, sample

CASES = ("--generated", "0", "--operation", "alphapoint.cancel_all_orders", "--transport", "http")


def _world(folder: Path, word: str) -> tuple[Path, dict[str, str]]:
    """The staging world and its environment, with this word as password of the first trader and of the operator."""
    text = WORLD.read_text("utf-8")
    environment = dict(ENVIRONMENT)
    for name in ("STAGING_TRADER_1_PASSWORD", "STAGING_OPERATOR_PASSWORD"):
        text = text.replace(ENVIRONMENT[name], word)
        environment[name] = word
    (folder / "world.toml").write_text(text, "utf-8")
    return folder / "world.toml", environment


@pytest.mark.parametrize("word", ["Operation", "errorcode", "Not Authorized", "application/json"])
def test_a_right_server_passes_whose_users_have_such_a_password(tmp_path: Path, word: str) -> None:
    world, environment = _world(tmp_path, word)
    with live(world) as server:
        text = pointed(sample("alphapoint"), server.url)
        came = run(tmp_path, text, *CASES, "--case", "cao/codes/*", "--case", "cao/response/*", env=environment)
    assert [case["findings"] for case in came.results["cases"] if case["findings"]] == []
    assert set(came.verdicts().values()) == {"pass"}


class _Telling:
    """Puts an ordinary password into the detail of every answer to CancelAllOrders."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def changed(message: Any) -> None:
            if "CancelAllOrders" in scope.get("path", ""):
                if message["type"] == "http.response.body":
                    message = {**message, "body": message["body"].replace(b'"detail":null', b'"detail":"Operation-77"')}
                else:
                    headers = [(name, value) for name, value in message["headers"] if name != b"content-length"]
                    message = {**message, "headers": headers}
            await send(message)

        await self.app(scope, receive, changed)


def test_a_wrong_server_is_caught_that_gives_away_one_which_only_begins_like_a_word(tmp_path: Path) -> None:
    world, environment = _world(tmp_path, "Operation-77")
    with live(world, wrap=_Telling) as server:
        text = pointed(sample("alphapoint"), server.url)
        came = run(tmp_path, text, *CASES, "--case", "cao/response/sample@http", "--concurrency", "1", env=environment)
    assert [one["requirement"] for case in came.results["cases"] for one in case["findings"]] == ["CAO-SECRETS"]


@pytest.mark.parametrize(("word", "warned"), [("Operation", True), ("Operation-77", False)])
def test_the_check_of_a_target_warns_of_it_without_the_word(tmp_path: Path, word: str, warned: bool) -> None:
    world, environment = _world(tmp_path, word)
    with live(world) as server:
        (tmp_path / "target.toml").write_text(pointed(sample("alphapoint"), server.url), "utf-8")
        came = command(tmp_path, "target", "check", str(tmp_path / "target.toml"), "-v", env=environment)
    assert came.exit_code == 0, came.output
    said = [line for line in came.output.splitlines() if "a word that right answers hold" in line]
    assert [line.split(" signs in ")[0] for line in said] == (
        ["- services.alphapoint: operator", "- services.alphapoint: trading#0"] if warned else []
    )
    assert not any(word in line for line in said)
