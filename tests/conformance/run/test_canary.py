"""Canaries: who is told of them, that a run finds who opens one, and that nothing of them stays."""

from __future__ import annotations

import asyncio
import json
import tomllib
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner
from live_support import ENVIRONMENT, judge_all, live, pointed, sample

from conformance.cases.families.list.forms import CANARY_ADDRESS, CANARY_FILE
from conformance.cases.fixtures import load_cases
from conformance.cli.main import main
from conformance.contract.load import load_contract
from conformance.dialects.base import Handle
from conformance.endpoint.desks import Desk
from conformance.errors import StateUnavailable
from conformance.model.case import StateNeed
from conformance.model.spec import Contract
from conformance.model.verdict import Verdict
from conformance.run.canary import OPENED, UNOPENED, CanaryStates, quoted
from conformance.wire.messages import Exchange

pytestmark = pytest.mark.timeout(120)

DESK = Desk(0, {"order.OrderID": 61001}, {})
FORMS = ("external-", "schema-location")


@pytest.fixture(scope="module")
def contract() -> Contract:
    return load_contract(None)


def with_states(states: CanaryStates, scenario: Callable[[CanaryStates], Awaitable[None]]) -> None:
    async def tried() -> None:
        try:
            await scenario(states)
        finally:
            await states.aclose()

    asyncio.run(asyncio.wait_for(tried(), 10))


async def ask(url: str) -> None:
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(f"GET {parts.path} HTTP/1.0\r\n\r\n".encode())
    await reader.read()
    writer.close()


def test_each_address_is_one_of_its_own_and_is_opened_by_who_asks_for_it() -> None:
    async def scenario(states: CanaryStates) -> None:
        one, other = [await states.prepare("canary", StateNeed(CANARY_ADDRESS), DESK) for _ in range(2)]
        assert one.bindings != other.bindings
        assert urlsplit(str(one.bindings["canary"])).hostname == "127.0.0.1"
        assert await states.observe((one,), DESK) == {"canary": UNOPENED} == one.before
        await ask(str(one.bindings["canary"]))
        assert await states.observe((one,), DESK) == {"canary": OPENED}
        assert await states.observe((other,), DESK) == {"canary": UNOPENED}

    with_states(CanaryStates(loopback=True), scenario)


def test_file_holds_a_word_or_what_the_case_says_and_goes_away() -> None:
    places: list[Path] = []

    async def scenario(states: CanaryStates) -> None:
        word = await states.prepare("canary", StateNeed(CANARY_FILE), DESK)
        value = await states.prepare("canary", StateNeed(CANARY_FILE, {"holds": "${order.OrderID}"}), DESK)
        places.extend(Path(urlsplit(str(one.bindings["canary"])).path) for one in (word, value))
        text, held = (place.read_text("utf-8") for place in places)
        assert held == "61001"
        assert text not in str(word.bindings), "an answer that quotes the place quotes no word"
        assert quoted((word, value), [answer(b"61001")]) == {}
        for body in (text.encode(), text.encode("utf-16")):
            assert quoted((word,), [answer(b"x" + body)]) == {"canary": OPENED}
        assert await states.observe((word,), DESK) == {"canary": UNOPENED}
        await states.clean((word,), {}, DESK)
        assert [place.exists() for place in places] == [False, True]

    with_states(CanaryStates(loopback=True), scenario)
    assert not places[1].parent.exists()


def answer(body: bytes) -> Exchange:
    return Exchange(b"", body, None, None, 0.0, 0.0)


@pytest.mark.parametrize("state", [CANARY_ADDRESS, CANARY_FILE])
def test_service_elsewhere_is_told_of_nothing(state: str) -> None:
    async def scenario(states: CanaryStates) -> None:
        with pytest.raises(StateUnavailable, match="only a service on loopback"):
            await states.prepare("canary", StateNeed(state), DESK)
        assert (states.listener, states.folder) == (None, None)

    with_states(CanaryStates(loopback=False), scenario)


def test_address_that_the_target_file_allows_is_told_and_a_file_is_not() -> None:
    async def scenario(states: CanaryStates) -> None:
        probe = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
        port = probe.sockets[0].getsockname()[1]
        states.allowed = f"http://127.0.0.1:{port}"
        with pytest.raises(StateUnavailable, match="cannot listen on"):
            await states.prepare("canary", StateNeed(CANARY_ADDRESS), DESK)
        probe.close()
        await probe.wait_closed()
        told: Handle = await states.prepare("canary", StateNeed(CANARY_ADDRESS), DESK)
        assert str(told.bindings["canary"]).startswith(f"{states.allowed}/")
        with pytest.raises(StateUnavailable, match="pointed at a file"):
            await states.prepare("canary", StateNeed(CANARY_FILE), DESK)

    with_states(CanaryStates(loopback=False), scenario)


def test_dry_run_opens_nothing() -> None:
    async def scenario(states: CanaryStates) -> None:
        for state in (CANARY_ADDRESS, CANARY_FILE):
            await states.prepare("canary", StateNeed(state), DESK)
        assert (states.listener, states.folder) == (None, None)

    with_states(CanaryStates(loopback=True, dry=True), scenario)


@pytest.mark.parametrize(
    ("fault", "broken"),
    [
        (None, set()),
        ("tpp-entity-address-opened", {"external-entity-address"}),
        ("tpp-parameter-entity-opened", {"external-parameter-entity"}),
        ("tpp-external-subset-opened", {"external-subset"}),
        ("tpp-schema-location-opened", {"schema-location"}),
        ("tpp-entity-file-read", {"external-entity-id"}),
        ("tpp-entity-file-quoted", {"external-entity"}),
    ],
)
def test_server_that_opens_a_place_is_found_on_the_cases_that_name_it_so(
    fault: str | None, broken: set[str], contract: Contract
) -> None:
    some = [
        case
        for case in load_cases(contract)
        if case.id.startswith(tuple(f"tpp/forms/{form}" for form in FORMS)) and case.id.endswith("@application-xml")
    ]
    with live(faults=() if fault is None else (fault,)) as server:
        results = judge_all(contract, some, pointed(sample("tpp"), server.url), ENVIRONMENT)
    assert len(results) == len(some) == 6
    failed = {one.id: one for one in results.values() if one.verdict is not Verdict.PASS}
    assert {name.removeprefix("tpp/forms/").partition("@")[0] for name in failed} == broken
    for result in failed.values():
        assert {one.requirement for one in result.findings} == {"TPP-NOTHING-OPENED"}


def test_plan_for_a_service_elsewhere_says_why_it_is_pointed_at_nothing(contract: Contract, tmp_path: Path) -> None:
    text = pointed(sample("tpp"), "http://127.0.0.1:9").replace(
        'http = "http://127.0.0.1:9"', 'http = "http://192.0.2.7"'
    )
    assert tomllib.loads(text)["services"]["tpp"]["http"] == "http://192.0.2.7"
    file = tmp_path / "target.toml"
    arguments = ["plan", "--json", "--target", str(file), "--generated", "0"]
    arguments += ["--operation", "tpp.create_cancellations", "--case", "tpp/forms/external-entity*@application-xml"]

    def unsent() -> list[str]:
        done = CliRunner().invoke(main, arguments, env=dict(ENVIRONMENT))
        assert done.exit_code == 0, done.output
        return [str(one.get("hindrance")) for one in json.loads(done.stdout)["messages"] if one["purpose"] == "judged"]

    file.write_text(text, encoding="utf-8")
    elsewhere = unsent()
    assert len(elsewhere) == 3
    assert all("only a service on loopback" in one for one in elsewhere)
    file.write_text(text.replace("[services.tpp]\n", '[services.tpp]\ncanary = "http://192.0.2.1:8765"\n'), "utf-8")
    assert {"only a service on loopback" in one for one in unsent()} == {True, False}, (
        "a file is not named all the same"
    )
