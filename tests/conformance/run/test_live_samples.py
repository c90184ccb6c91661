"""The sample target files, run as they stand but for addresses and speed, against a world that is theirs alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from live_support import live, pointed, run, sample

QUICK = ("--generated", "0")


@pytest.mark.parametrize("service", ["alphapoint", "tpp"])
def test_a_sandbox_is_found_conformant_with_no_more_than_the_sample(tmp_path: Path, service: str) -> None:
    with live() as server:
        came = run(tmp_path, pointed(sample(service), server.url), *QUICK)
    assert came.exit_code == 0, came.output
    assert set(came.verdicts().values()) == {"pass"}
    others = came.reasons().keys() - came.verdicts().keys()
    assert {"/effects/partly-executed@" in one for one in others} <= {True}, "the sample says that nobody hands one in"
    assert len(others) == (4 if service == "alphapoint" else 0)


def test_the_service_that_the_file_leaves_out_is_not_selected(tmp_path: Path) -> None:
    with live() as server:
        came = run(tmp_path, pointed(sample("tpp"), server.url), *QUICK, "--case", "tpp/effects/*")
    assert {row["operation"] for row in came.results["requirements"]} == {"tpp.create_cancellations"}


def test_asking_for_an_operation_of_a_service_that_the_file_leaves_out_is_a_usage_error(tmp_path: Path) -> None:
    with live() as server:
        came = run(tmp_path, pointed(sample("tpp"), server.url), "--operation", "alphapoint.cancel_quote")
    assert came.exit_code == 2
    assert "services.alphapoint" in came.output


def test_a_limited_scope_sends_nothing_that_may_touch_anything_else(tmp_path: Path) -> None:
    seen: list[bytes] = []
    with live(wrap=lambda app: _Tap(app, seen)) as server:
        text = pointed(sample("alphapoint"), server.url, everything=False)
        came = run(tmp_path, text, *QUICK, "--operation", "alphapoint.cancel_all_orders")
    assert "fail" not in came.verdicts().values()
    refused = [reason for reason in came.reasons().values() if reason.startswith("outside scope: ")]
    assert refused
    accounts = {int(str(body["AccountId"])) for body in map(_members, seen) if "OMSId" in body and "AccountId" in body}
    assert accounts <= {
        4101,
        4102,
        4111,
        4112,
        4501,
        4511,
        4201,
        4211,
        4202,
        4212,
        4601,
        4901,
        4902,
        4903,
        4904,
        4905,
        987654321,
    }
    assert accounts & {4101, 4111}


def test_the_cap_on_requests_stops_messages_but_not_cleaning_up(tmp_path: Path) -> None:
    with live() as server:
        text = pointed(sample("alphapoint"), server.url).replace("max_requests = 50000", "max_requests = 25")
        arguments = (*QUICK, "--concurrency", "1", "--case", "cao/effects/*", "--case", "cao/account/*")
        came = run(tmp_path, text, *arguments)
    assert "the cap of 25 requests is reached" in came.reasons().values()
    assert not _left_behind(came.folder)


def _members(body: bytes) -> dict[str, object]:
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _left_behind(folder: Path) -> list[str]:
    last = (folder / "journal.jsonl").read_text("utf-8").splitlines()[-1]
    found: list[str] = json.loads(last)["left_behind"]
    return found


class _Tap:
    """Notes the body of every HTTP request on its way to the application."""

    def __init__(self, app: object, seen: list[bytes]) -> None:
        self.app = app
        self.seen = seen

    async def __call__(self, scope: object, receive: object, send: object) -> None:
        async def tapped() -> dict[str, object]:
            message = await receive()  # type: ignore[operator]
            if message.get("type") == "http.request":
                self.seen.append(message.get("body", b""))
            return message

        await self.app(scope, tapped, send)  # type: ignore[operator]
