"""The harness against an AlphaPoint gateway on Node: no alarm on what is permitted, and the faults are caught.

Permitted modes that change different things are those of one server, which gets all named cases of the calls that they
change, but no combinations. Of the faults that a few cases catch by themselves, every second gets those that caught it when
that was last recorded, and all of its call where these do not. `WORLDS=all` runs all named cases for each mode alone, and
generated ones for every permitted one.
"""

from __future__ import annotations

import fcntl
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from alphapoint_node.world import FOLDER, NOT_CAUGHT, PROGRAMS, TOGETHER, built, modes, operations_of
from world_support import ALL, EACH, World, caught, companies, judged, need, of_permitted, recorded

pytestmark = pytest.mark.timeout(180)

PERMITTED, FAULTS = modes("permitted"), modes("fault")
RECORDED = recorded(FOLDER)
MOST_MISSED = 0.01
"""Of all faults."""
LEAST_CARRIED_OUT = 0.95
"""Of the default server."""
SLOW = {
    "cancels-settle-later": "co/effects/*",
    "slow-answers": "cao/effects/*",
    "slow-sockets": "cao/frames/*",
    "throttle-429": "co/fields/orderid-*",
    "throttle-text-200": "co/fields/*",
    "handshake-429": "co/session/*",
}
"""Permitted modes that take their time: these cases will do."""
MIXED = {
    "cao-instrument-honoured": ["extra-members"],
    "int32-ids": ["unknown-id"],
    "mixed-legs-alone": ["mixed-legs"],
    "quote-gone-success": ["quote-gone"],
    "unknown-oms-100": ["unknown-id"],
    "unparsable-standard": ["early-error", "error-frame"],
}
"""Readings of which a mode does show two alternatives, by what it is asked."""


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> World:
    """The server, installed once for all processes of the tests."""
    need(*PROGRAMS)
    shared = tmp_path_factory.getbasetemp().parent if worker_id != "master" else tmp_path_factory.getbasetemp()
    with (shared / "alphapoint_node.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return built(shared / "alphapoint_node")


def of_modes(world: World, *modes: str) -> World:
    """The world as far as modes change it."""
    changed = {operation for mode in modes for operation in operations_of(mode)}
    return replace(world, operations=tuple(operation for operation in world.operations if operation in changed))


def test_the_default_server_is_conformant(world: World, tmp_path: Path) -> None:
    told = judged(world, tmp_path, (), "--generated", "1000")
    assert told.findings == []
    assert told.exit_code == 0, told.output
    assert told.carried_out >= LEAST_CARRIED_OUT
    assert told.mixed == []


@pytest.mark.parametrize("modes", companies(PERMITTED, TOGETHER), ids=" ".join)
def test_a_permitted_mode_raises_no_alarm(modes: tuple[str, ...], world: World, tmp_path: Path) -> None:
    changed = of_modes(world, *modes)
    some = ("--case", SLOW[modes[0]]) if modes[0] in SLOW else of_permitted(changed.operations)
    told = judged(changed, tmp_path, modes, *some)
    assert told.findings == []
    assert told.mixed == sorted({reading for mode in modes for reading in MIXED.get(mode, ())})
    assert told.exit_code == 0, told.output


@pytest.mark.parametrize("fault", [one for one in FAULTS if one not in NOT_CAUGHT and (ALL or one in RECORDED)][::EACH])
def test_a_fault_is_caught(fault: str, world: World, tmp_path: Path) -> None:
    if ALL:
        assert judged(of_modes(world, fault), tmp_path, (fault,), "--generated", "0").findings
    else:
        assert caught(of_modes(world, fault), tmp_path, fault, (fault,))


@pytest.mark.skipif(not ALL, reason="takes all named cases for each, in the environment `worlds`")
@pytest.mark.parametrize("fault", NOT_CAUGHT)
def test_what_is_said_to_be_missed_is_missed(fault: str, world: World, tmp_path: Path) -> None:
    """So that the list of what is not caught stays true."""
    assert judged(world, tmp_path, (fault,), "--generated", "0").findings == []


def test_nearly_all_faults_are_caught() -> None:
    assert set(NOT_CAUGHT) <= set(FAULTS)
    assert len(NOT_CAUGHT) <= MOST_MISSED * len(FAULTS)
    assert len(PERMITTED) >= 15
    assert len(FAULTS) >= 30


def test_what_is_recorded_names_faults(world: World) -> None:
    """The others show after many calls, or between cases, and are looked for with all of them."""
    assert set(world.recorded) <= set(FAULTS) - set(NOT_CAUGHT)


def test_the_world_does_what_its_own_check_says(world: World) -> None:
    done = subprocess.run(
        ["node", "smoke.mjs"], cwd=Path(world.start(())[1]).parent, timeout=60, check=False, capture_output=True, text=True
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_its_tables_name_every_mode(world: World) -> None:
    told = subprocess.run([*world.start(()), "--print-table"], timeout=100, check=True, capture_output=True, text=True)
    assert told.stdout.strip() in (FOLDER / "README.md").read_text(encoding="utf-8")
