"""The parts of the plugin by themselves: names, items, shares, locks, and how items are dealt to workers."""

from __future__ import annotations

import asyncio
import json
import tomllib
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from conformance.cases.fixtures import load_cases
from conformance.cases.make import Channel
from conformance.contract.load import load_contract
from conformance.endpoint.choose import REFERENCE
from conformance.endpoint.model import TargetFile
from conformance.endpoint.reference import reference_target
from conformance.errors import ConformanceError
from conformance.model.case import Case, Transport
from conformance.model.spec import Contract
from conformance.model.verdict import CaseResult, Finding, RunInfo, Verdict
from conformance.pytest_plugin import names_suite
from conformance.pytest_plugin.engine import Bench
from conformance.pytest_plugin.items import Docket, first_words
from conformance.pytest_plugin.layout import Entry, broken_anywhere, entries, scope_of
from conformance.pytest_plugin.reports import packed, record_of
from conformance.report.journal import result_from
from conformance.run.sharing import Room, Share, desks_of, share_of
from conformance.suite import SUITE_FILE

CAO = "alphapoint.cancel_all_orders"
NEVER = date(2020, 1, 1)


@pytest.fixture(scope="module")
def contract() -> Contract:
    return load_contract(None)


@pytest.fixture(scope="module")
def cases(contract: Contract) -> tuple[Case, ...]:
    return load_cases(contract, (CAO,))


@pytest.fixture
def target() -> TargetFile:
    content = reference_target("http://127.0.0.1:9")
    content["limits"].update(requests_per_second=9.0, requests_per_minute=90.0)
    content["scope"]["max_requests"] = 10
    return TargetFile.model_validate(content)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--pyargs", "conformance.suite"], True),
        (["conformance.suite::alphapoint.cancel_quote::CQ-SECRETS[http]"], True),
        ([str(SUITE_FILE)], True),
        ([f"{SUITE_FILE}::{CAO}"], True),
        (["tests", "conformance.suites", "other/suite.py"], False),
        ([], False),
    ],
)
def test_the_suite_is_named_as_a_module_or_as_a_file(words: list[str], expected: bool) -> None:
    assert names_suite(words) is expected


def test_every_requirement_and_every_case_has_an_item_and_no_id_comes_twice(contract: Contract) -> None:
    every = load_cases(contract)
    found = entries(contract, every, (), 1)
    everywhere = {name for name, one in contract.requirements.items() if not one.edition}
    assert {entry.subject for entry in found} == {*everywhere, "generated"}
    assert {case.id for entry in found for case in entry.cases} == {case.id for case in every}
    assert len({entry.key for entry in found}) == len(found)
    assert all(case.operation == entry.operation for entry in found for case in entry.cases)


def test_without_generated_cases_there_is_no_item_for_them(contract: Contract, cases: tuple[Case, ...]) -> None:
    assert not [entry for entry in entries(contract, cases, (CAO,), 0) if entry.generated]


def test_requirements_that_any_case_may_break_come_last_in_their_format(
    contract: Contract, cases: tuple[Case, ...]
) -> None:
    anywhere = broken_anywhere(contract, contract.operations[CAO])
    for name in ("http", "ws"):
        marks = [entry.subject in anywhere for entry in entries(contract, cases, (CAO,), 0) if entry.format == name]
        assert marks == sorted(marks)
        assert True in marks


@pytest.mark.parametrize(
    ("desks", "workers", "expected"),
    [
        (5, 2, [(0, 2, 4), (1, 3)]),
        (1, 3, [(0,), (0,), (0,)]),
        (2, 3, [(0,), (1,), (0,)]),
        (0, 2, [(), ()]),
    ],
)
def test_desks_are_shared_out_and_shared_when_they_are_too_few(
    desks: int, workers: int, expected: list[tuple[int, ...]]
) -> None:
    assert [desks_of(desks, Share(worker, workers)) for worker in range(workers)] == expected


def test_limits_hold_for_all_workers_together(target: TargetFile, tmp_path: Path) -> None:
    shares = [share_of(target, Share(worker, 4, tmp_path)) for worker in range(4)]
    assert sum(share.scope.max_requests or 0 for share in shares) == 10
    assert sum(share.limits.requests_per_second or 0 for share in shares) == pytest.approx(9.0)
    assert sum(share.limits.requests_per_minute or 0 for share in shares) == pytest.approx(90.0)
    assert sum(share.limits.concurrency for share in shares) == target.limits.concurrency
    desks = [desk.bindings["account"] for share in shares for desk in share.services["alphapoint"].desks]
    assert sorted(desks) == [desk.bindings["account"] for desk in target.services["alphapoint"].desks]


def test_who_works_alone_has_the_whole_target(target: TargetFile) -> None:
    assert share_of(target, Share()) is target


def test_nobody_enters_while_one_is_alone_and_he_waits_until_the_others_are_out(
    target: TargetFile, tmp_path: Path
) -> None:
    async def play() -> list[str]:
        story: list[str] = []
        rooms = [Room(Share(worker, 3, tmp_path), target) for worker in range(3)]
        inside = asyncio.Event()

        async def be(number: int, *, alone: bool, wait_for: asyncio.Event | None = None) -> None:
            if wait_for is not None:
                await wait_for.wait()
            async with rooms[number].entered(alone=alone, services_with_desks=("alphapoint",)):
                story.append(f"{number} in")
                inside.set()
                await asyncio.sleep(0.05)
                story.append(f"{number} out")

        async with asyncio.timeout(10):
            await asyncio.gather(
                be(0, alone=False), be(1, alone=True, wait_for=inside), be(2, alone=True, wait_for=inside)
            )
        return story

    story = asyncio.run(play())
    assert story[:2] == ["0 in", "0 out"]
    assert sorted([story[2:4], story[4:]]) == [["1 in", "1 out"], ["2 in", "2 out"]]


def test_two_workers_on_one_desk_take_turns_and_others_go_side_by_side(target: TargetFile, tmp_path: Path) -> None:
    one_desk = target.services["alphapoint"].model_copy(update={"desks": target.services["alphapoint"].desks[:1]})
    target = target.model_copy(update={"services": {**target.services, "alphapoint": one_desk}})

    async def most_inside(services: tuple[str, ...]) -> int:
        inside = most = 0

        async def be(number: int) -> None:
            nonlocal inside, most
            room = Room(Share(number, 2, tmp_path), target)
            async with room.entered(alone=False, services_with_desks=services):
                inside += 1
                most = max(most, inside)
                await asyncio.sleep(0.1)
                inside -= 1

        async with asyncio.timeout(10):
            await asyncio.gather(be(0), be(1))
        return most

    assert asyncio.run(most_inside(("alphapoint",))) == 1
    assert asyncio.run(most_inside(())) == 2


def test_an_id_of_a_pool_that_one_worker_took_is_taken_for_the_others(target: TargetFile, tmp_path: Path) -> None:
    pooled = target.services["tpp"].states.model_copy(update={"pool": {"open-order": ({"OrderID": 7},)}})
    services = {**target.services, "tpp": target.services["tpp"].model_copy(update={"states": pooled})}
    target = target.model_copy(update={"services": services})
    first, second = (Room(Share(worker, 2, tmp_path), target) for worker in range(2))

    async def take(room: Room) -> bool:
        async with room.entered(alone=False):
            return room.ledger.take("open-order:7")

    assert asyncio.run(take(first))
    assert not asyncio.run(take(second))


@pytest.mark.parametrize(
    ("nodeid", "scope"),
    [
        (f"conformance.suite::{CAO}::CAO-AGAIN[http]", f"conformance.suite::{CAO}[http]"),
        (f"conformance.suite::{CAO}::CAO-SECRETS[http]", f"conformance.suite::{CAO}[http]"),
        (f"conformance.suite::{CAO}::generated[ws]", f"conformance.suite::{CAO}::generated"),
        ("tests/test_theirs.py::test_one[a]", "tests/test_theirs.py::test_one[a]"),
    ],
)
def test_items_of_one_operation_and_format_go_to_one_worker(nodeid: str, scope: str) -> None:
    assert scope_of(nodeid) == scope


def test_pytest_finds_the_plugin_by_its_entry_point() -> None:
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["entry-points"]["pytest11"] == {"conformance": "conformance.pytest_plugin"}


def result_of(case: Case, verdict: Verdict, *broken: str, reason: str = "") -> CaseResult:
    findings = tuple(Finding(name, "made-up", f"breaks {name}") for name in broken)
    return CaseResult(
        case.id, case.operation, case.requirements, case.tier, case.transport, case.media_type, case.role, verdict, findings,
        reason=reason,
    )  # fmt: skip


class Told(Bench):
    """A bench whose results are told beforehand."""

    def serves(self, operation: str) -> bool:
        return True

    def run_named(self, cases: object) -> None:
        return

    @property
    def concurrency(self) -> int:
        return 1


def docket(contract: Contract, cases: tuple[Case, ...], *results: CaseResult, share: Share | None = None) -> Docket:
    """A docket of which every case of the operation passed, but for those given."""
    bench = Told(contract, REFERENCE, (CAO,), share or Share(), 0)
    for result in (*(result_of(case, Verdict.PASS) for case in cases), *results):
        bench._keep(result)
    made = Docket(bench, (), NEVER, {})
    made.select(entries(contract, cases, (CAO,), 0))
    return made


def at(made: Docket, subject: str) -> Entry:
    return next(entry for entry in made.selected if entry.subject == subject and entry.format == "http")


def http_case(cases: tuple[Case, ...], requirement: str) -> Case:
    return next(case for case in cases if case.requirements == (requirement,) and case.transport == "http")


def test_a_finding_on_another_requirement_is_left_to_the_item_of_that_one(
    contract: Contract, cases: tuple[Case, ...]
) -> None:
    case = http_case(cases, "CAO-AGAIN")
    made = docket(contract, cases, result_of(case, Verdict.FAIL, "CAO-SECRETS"))
    assert made.run(at(made, "CAO-AGAIN")).verdict is not Verdict.FAIL
    assert made.run(at(made, "CAO-SECRETS")).verdict is Verdict.FAIL


def test_a_finding_whose_item_was_not_selected_fails_an_item_of_its_case(
    contract: Contract, cases: tuple[Case, ...]
) -> None:
    case = http_case(cases, "CAO-AGAIN")
    made = docket(contract, cases, result_of(case, Verdict.FAIL, "CAO-SECRETS"))
    made.select([at(made, "CAO-AGAIN")])
    outcome = made.run(made.selected[0])
    assert outcome.verdict is Verdict.FAIL
    assert first_words(outcome.broken, outcome.complaints) == "CAO-SECRETS: breaks CAO-SECRETS"


def test_a_finding_whose_item_may_be_in_another_worker_fails_an_item_of_its_case(
    contract: Contract, cases: tuple[Case, ...]
) -> None:
    case = http_case(cases, "CAO-AGAIN")
    made = docket(contract, cases, result_of(case, Verdict.FAIL, "CAO-SECRETS"), share=Share(whole_scopes=False))
    assert made.run(at(made, "CAO-AGAIN")).verdict is Verdict.FAIL


@pytest.mark.parametrize("verdict", [Verdict.TARGET_ERROR, Verdict.HARNESS_ERROR])
def test_errors_reach_the_item_with_their_reason(contract: Contract, cases: tuple[Case, ...], verdict: Verdict) -> None:
    case = http_case(cases, "CAO-AGAIN")
    made = docket(contract, cases, result_of(case, verdict, reason="it hung up"))
    outcome = made.run(at(made, "CAO-AGAIN"))
    assert (outcome.verdict, outcome.reason) == (verdict, "it hung up")


def test_a_case_that_did_not_run_because_the_target_stopped_leaves_no_verdict(
    contract: Contract, cases: tuple[Case, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = docket(contract, cases)
    del made.bench.results[http_case(cases, "CAO-AGAIN").id]
    monkeypatch.setattr(Told, "stopped", property(lambda _self: "gone"))
    outcome = made.run(at(made, "CAO-AGAIN"))
    assert (outcome.verdict, outcome.reason) == (Verdict.TARGET_ERROR, "the run stopped: gone")


def test_a_requirement_without_cases_does_not_apply(contract: Contract, cases: tuple[Case, ...]) -> None:
    made = docket(contract, cases)
    untested = next(entry for entry in made.selected if not entry.cases)
    assert made.run(untested).verdict is Verdict.NOT_APPLICABLE


def test_a_case_that_two_workers_ran_is_counted_once_by_its_worse_verdict(
    contract: Contract, cases: tuple[Case, ...], target: TargetFile, tmp_path: Path
) -> None:
    entry = next(one for one in entries(contract, cases, (CAO,), 0) if one.subject == "CAO-AGAIN")
    passed = result_of(entry.cases[0], Verdict.PASS)
    record = record_of(
        tmp_path,
        contract,
        RunInfo("1", "1", contract.digest, 0, "2026-01-02T03:04:05+00:00"),
        target,
        {},
        (CAO,),
        (entry,),
        {"id": entry},
        0,
        NEVER,
    )
    record.begin()
    worse = result_of(entry.cases[0], Verdict.FAIL, "CAO-AGAIN")
    generated = replace(passed, id="cao/generated/000001@http", tier="generated")
    for results in ([passed, generated], [worse], [passed, generated]):
        record.add(packed(results))
    summary = record.finish([])
    assert [(case.id, case.verdict) for case in summary.cases] == [(entry.cases[0].id, Verdict.FAIL)]
    assert summary.folded.verdicts[Verdict.PASS] == 1


def test_results_travel_whole(cases: tuple[Case, ...]) -> None:
    result = result_of(cases[0], Verdict.FAIL, "CAO-SECRETS")
    assert [result_from(json.loads(line)) for line in packed([result])] == [result]


def test_a_bench_that_cannot_begin_says_why_each_time(contract: Contract) -> None:
    bench = Bench(contract, "http://127.0.0.1:9", (CAO,), Share(), 0)
    try:
        for _ in range(2):
            with pytest.raises(ConformanceError, match="no connection"):
                bench.ready()
        assert "no connection" in bench.stopped
    finally:
        bench.close()


def test_a_format_is_the_transport_and_the_media_type(contract: Contract, cases: tuple[Case, ...]) -> None:
    found = {entry.format: entry.channel for entry in entries(contract, cases, (CAO,), 0) if entry.format}
    assert found == {
        "http": Channel(Transport.HTTP, "application/json"),
        "ws": Channel(Transport.WS, "application/json"),
    }
