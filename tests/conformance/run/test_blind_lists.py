"""A service whose lists of what is open are always empty: nothing is concluded from what they do not show."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from live_support import command, live, pointed, run, sample

QUOTES = ("--case", "cq/effects/*@http", "--generated", "0")
ORDERS = ("--case", "co/effects/lasting@http", "--case", "co/effects/sell-order@http", "--generated", "0")
EMPTY = {"GetOpenQuotes": {"Bid": None, "Ask": None}, "GetOpenOrders": []}


class Blind:
    """The reference, but for some lists, which show nothing."""

    def __init__(self, app: Any, calls: frozenset[str]) -> None:
        self.app, self.calls = app, calls

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        call = scope.get("path", "").rpartition("/")[2]
        if call not in self.calls:
            await self.app(scope, receive, send)
            return
        await receive()
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(EMPTY[call]).encode()})


@contextmanager
def _server(*calls: str, everything: bool) -> Iterator[str]:
    """A target file for a reference that is blind there."""
    with live(wrap=lambda app: Blind(app, frozenset(calls))) as server:
        text = pointed(sample("alphapoint"), server.url, everything=everything)
        yield text.replace("settle_s = 0.3", "settle_s = 0.02")


@pytest.mark.parametrize("everything", [True, False], ids=["everything", "limited"])
@pytest.mark.parametrize(("calls", "words", "effects"), [
    (("GetOpenQuotes",), QUOTES, ("CQ-EFFECT-PAIR", "CQ-EFFECT-LASTS")),
    (("GetOpenOrders",), ORDERS, ("CO-EFFECT",)),
    (("GetOpenQuotes", "GetOpenOrders"), QUOTES, ("CQ-EFFECT-PAIR", "CQ-EFFECT-LASTS", "CQ-EFFECT-ONLY")),
], ids=["quotes", "orders", "both"])  # fmt: skip
def test_what_no_list_shows_is_neither_open_nor_cancelled(
    tmp_path: Path, calls: tuple[str, ...], words: tuple[str, ...], effects: tuple[str, ...], everything: bool
) -> None:
    with _server(*calls, everything=everything) as target:
        came = run(tmp_path, target, *words)
    assert came.exit_code == 4, came.output
    assert "fail" not in came.verdicts().values()
    seen = {row["id"]: row["verdict"] for row in came.results["requirements"] if row["id"].startswith(effects)}
    assert seen
    assert set(seen.values()) == {"not-verified"}, seen


@pytest.mark.parametrize("everything", [True, False], ids=["everything", "limited"])
def test_what_may_be_open_and_is_not_shown_is_named_at_the_end_and_after_it(tmp_path: Path, everything: bool) -> None:
    with _server("GetOpenOrders", everything=everything) as target:
        came = run(tmp_path, target, *ORDERS)
        journal = came.folder / "journal.jsonl"
        *lines, last = journal.read_text("utf-8").splitlines()
        left = json.loads(last)["left_behind"]
        assert left
        assert all("the service did not show it as open when it was new" in words for words in left), left
        journal.write_text("\n".join([*lines, ""]), "utf-8")  # as a run that was killed leaves it
        done = command(came.folder, "target", "clean", "--report", str(came.folder), "--json")
    assert done.exit_code == 4, done.output
    assert json.loads(done.output)["summary"]["not known"] == len(left)


def test_one_look_at_each_place_shows_that_a_sandbox_has_lists(tmp_path: Path) -> None:
    with _server(everything=True) as target:
        came = run(tmp_path, target, *ORDERS, *QUOTES[:2])
    assert (came.exit_code, set(came.verdicts().values())) == (0, {"pass"}), came.output
    assert json.loads((came.folder / "journal.jsonl").read_text("utf-8").splitlines()[-1])["left_behind"] == []
