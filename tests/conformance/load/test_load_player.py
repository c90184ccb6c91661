"""What a load plays: legal cases alone, at desks of its own, within the scope and the cap, each answer judged as in a run."""

from __future__ import annotations

import asyncio
import json
import re
import tomllib
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fleet_support import served

from conformance.cases.fixtures import load_cases
from conformance.contract.load import load_contract
from conformance.endpoint.file import check_target
from conformance.endpoint.reference import reference_target
from conformance.load.player import LoadOptions, is_legal, player
from conformance.report.journal import read_journal
from conformance.report.remains import read_remains
from conformance.run.sharing import Claims, Room, Share

CONTRACT = load_contract()
USERS, TURNS = 8, 12
ALPHAPOINT = ("alphapoint.cancel_all_orders", "alphapoint.cancel_order", "alphapoint.cancel_quote")


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with served(tmp_path_factory.mktemp("right"), 1) as (path,):
        yield path


def options(target: Path, folder: Path, **more: Any) -> LoadOptions:
    return LoadOptions(
        **{"target": str(target), "room": folder / "room", "report": folder / "load", "desks": 3, **more}
    )


def play(given: LoadOptions, turns: int = TURNS) -> list[dict[str, Any]]:
    """What came of so many cases of each of some users, who play at the same moment."""

    async def all_of_them() -> list[dict[str, Any]]:
        async with player(CONTRACT, given) as one:

            async def user() -> list[dict[str, Any]]:
                return [await one.play() for _ in range(turns)]

            return [said for its in await asyncio.gather(*(user() for _ in range(USERS))) for said in its]

    return asyncio.run(all_of_them())


def received(target: Path) -> list[dict[str, Any]]:
    address = tomllib.loads(target.read_text("utf-8"))["services"]["tpp"]["http"]
    with urllib.request.urlopen(f"{address}/_world/received", timeout=10) as answer:
        calls: list[dict[str, Any]] = json.load(answer)["received"]
    return calls


def test_legal_cases_are_plain_requests_that_must_succeed() -> None:
    cases = [case for case in load_cases(CONTRACT) if is_legal(case)]
    assert {case.operation for case in cases} == set(CONTRACT.operations)
    assert {(case.transport.value, case.media_type) for case in cases} >= {
        ("http", "application/json"),
        ("http", "application/xml"),
        ("ws", "application/json"),
    }
    for case in cases:
        assert case.lane != "alone"
        assert case.provoke is None
        assert not (case.race)
        assert not (case.beside)
        assert not (case.before)
        assert not (case.session)
        for alternative in case.expect.any_of:
            assert alternative.cancelled, case.id
    refused = {"tpp/response/unknown-only@application-json", "co/codes/104@http", "cao/malformed/as-text@http"}
    assert not {case.id for case in cases} & refused


def test_all_pass_and_nothing_is_left_open(target: Path, tmp_path: Path) -> None:
    said = play(options(target, tmp_path))
    assert [one for one in said if one.get("verdict") != "pass"] == []
    assert len(said) == USERS * TURNS
    assert {one["operation"] for one in said} == set(CONTRACT.operations)
    assert {purpose for one in said for purpose, _ in one["messages"]} >= {"judged", "set-up", "observation"}
    journal = read_journal(tmp_path / "load")
    assert journal.footer is not None
    assert journal.footer.left_behind == ()
    assert read_remains(tmp_path / "load").set_ups == ()
    assert {result.verdict.value for result in journal.results} == {"pass"}


def test_only_accounts_of_its_own_desks_are_touched(target: Path, tmp_path: Path) -> None:
    before = len(received(target))
    assert play(options(target, tmp_path, operations=ALPHAPOINT[:1], desks=1), 6)
    calls = [call["text"] for call in received(target)[before:] if call["operation"] == ALPHAPOINT[0]]
    accounts = {int(number) for text in calls for number in re.findall(r"AccountId\W+(\d+)", text, re.IGNORECASE)}
    assert accounts
    assert accounts <= {112, 312, 512, 212, 412}  # the last desk of twelve


def test_what_the_scope_leaves_out_is_not_sent(target: Path, tmp_path: Path) -> None:
    text = target.read_text("utf-8")
    narrow = tmp_path / "narrow.toml"
    narrow.write_text(text.replace("everything = true", "accounts = [101, 201, 301, 401, 501]\noms = [1]"), "utf-8")
    before = len(received(target))
    given = options(narrow, tmp_path, operations=ALPHAPOINT[:1], cases=("cao/response/*",), desks=1)
    *_, last = play(given)
    assert last["code"] == 4
    assert last["over"].startswith("no legal case can be carried out on this target: ")
    assert len(received(target)) == before


def test_the_cap_holds_for_all_processes_together(target: Path, tmp_path: Path) -> None:
    capped = tmp_path / "capped.toml"
    capped.write_text(target.read_text("utf-8").replace("[scope]\n", "[scope]\nmax_requests = 41\n"), "utf-8")
    given = options(capped, tmp_path, worker=1, workers=2, operations=("tpp.create_cancellations",))
    before = len(received(target))
    *_, last = play(given, 10)
    assert (last["code"], last["over"]) == (4, "the cap of 20 requests is reached")
    assert len(received(target)) - before == 20


def test_a_violation_is_told_and_written_down(tmp_path: Path) -> None:
    with served(tmp_path, 1, "--fault", "tpp-drops-last-result") as (wrong,):
        given = options(wrong, tmp_path, cases=("tpp/response/documented-pair@*",))
        said = play(given, 2)
        assert {one["verdict"] for one in said} == {"fail"}
        assert {one["findings"][0][0] for one in said} == {"TPP-RESP-ONE-EACH"}
        failed = [result for result in read_journal(tmp_path / "load").results if result.findings]
        assert {result.id for result in failed} == {one["case"] for one in said}
        assert all(any(one.evidence for one in result.exchanges) for result in failed)
        waiver = (
            '[[waivers]]\nrequirement = "TPP-RESP-ONE-EACH"\nfinding = "*"\nreason = "known"\nowner = "me"\n'
            "expires = 2999-01-01\n"
        )
        wrong.write_text(f"{wrong.read_text('utf-8')}\n{waiver}", "utf-8")
        assert {one["verdict"] for one in play(given, 2)} == {"waived"}


def test_an_endpoint_that_goes_away_ends_it(tmp_path: Path) -> None:
    async def killed() -> dict[str, Any]:
        with served(tmp_path, 1) as (target,):
            manager = player(CONTRACT, options(target, tmp_path, operations=("tpp.create_cancellations",)))
            one = await manager.__aenter__()
            assert (await one.play())["verdict"] == "pass"
        try:
            for _ in range(10):
                said = await one.play()
                if "over" in said:
                    break
            return said
        finally:
            await manager.__aexit__(None, None, None)

    assert asyncio.run(killed())["code"] == 3


def shares() -> Any:
    return check_target(reference_target("http://127.0.0.1:1"), CONTRACT, "reference")


def test_runs_and_loads_have_no_desk_in_common(tmp_path: Path) -> None:
    target = shares()
    every = [desk.bindings["account"] for desk in target.services["alphapoint"].desks]

    def of_run(claims: Claims) -> list[Any]:
        return [desk.bindings["account"] for desk in claims.for_run(target).services["alphapoint"].desks]

    def of_load(claims: Claims, desks: int) -> list[Any]:
        return [desk.bindings["account"] for desk in claims.for_load(target, desks)["alphapoint"].desks]

    share = Share(room=tmp_path)
    with Claims(share) as first, Claims(share) as second, Claims(share) as run:
        assert of_load(first, 2) == every[-2:]
        assert of_load(second, 1) == [every[-3]]
        assert of_run(run) == every[:-3]
        with Claims(share) as another:
            assert of_run(another) == every[:-3]  # runs have them together
        with Claims(share) as late:
            of_load(late, 1)
            assert not late.holds("alphapoint")
    with Claims(share) as greedy, Claims(share) as run:
        assert of_load(greedy, 99) == every[1:]
        assert of_run(run) == every[:1]


def test_a_run_keeps_to_its_first_desks_when_an_earlier_load_has_ended(tmp_path: Path) -> None:
    target, share = shares(), Share(room=tmp_path)
    with Claims(share) as second, Claims(share) as run:
        with Claims(share) as first:
            first.for_load(target, 1)
            second.for_load(target, 1)
        assert len(run.for_run(target).services["alphapoint"].desks) == 10


def test_a_case_for_every_account_waits_for_the_load_and_the_load_for_it(target: Path, tmp_path: Path) -> None:
    async def both() -> list[str]:
        told: list[str] = []
        async with player(CONTRACT, options(target, tmp_path)) as one:
            room = Room(Share(room=tmp_path / "room"), one.run.target)
            async with room.entered(alone=True):
                playing = asyncio.create_task(one.play())
                await asyncio.sleep(0.2)
                assert not playing.done()
                assert one.run.messages == {}
                told.append("alone")
            told.append((await playing)["verdict"])
        return told

    assert asyncio.run(both()) == ["alone", "pass"]


def test_the_same_case_is_never_under_way_twice(target: Path, tmp_path: Path) -> None:
    said = play(options(target, tmp_path, cases=("tpp/response/documented-pair@application-json",)), 4)
    assert [[purpose for purpose, _ in one["messages"]] for one in said] == [["judged"]] * len(said)
