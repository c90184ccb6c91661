"""The harness against TPP on the real serializers of .NET: no alarm on what is permitted, and the faults are caught.

Permitted modes that change different things are those of one server, which gets all named cases but the combinations.
Every second fault gets those that caught it when that was last recorded, and all of them where these do not.
`WORLDS=all` runs all named cases for each mode alone, and generated ones for every permitted one.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tpp_mono.world import FEW, FOLDER, NOT_CAUGHT, PROGRAMS, TOGETHER, built, modes
from world_support import ALL, EACH, World, caught, companies, judged, need, of_permitted

pytestmark = pytest.mark.timeout(180)

PERMITTED, FAULTS = modes("permitted"), modes("fault")
LEAST_CARRIED_OUT = 0.95
NOT_ALWAYS_IN_ORDER = ("results-reversed", "failures-first")
"""Permitted modes that give the results of some lists in another order, and those of others in the same."""
LIMITED = dict.fromkeys(("slow", "throttles"), FEW)
"""Permitted modes that take their time: a part of the cases will do."""


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The server, built once for each process of the tests."""
    need(*PROGRAMS)
    return built(tmp_path_factory.mktemp("tpp_mono"))


def test_the_default_server_is_conformant(world: World, tmp_path: Path) -> None:
    told = judged(world, tmp_path, (), "--generated", "1000")
    assert told.findings == []
    assert told.exit_code == 0, told.output
    assert told.carried_out >= LEAST_CARRIED_OUT
    assert told.mixed == []


@pytest.mark.parametrize("modes", companies(PERMITTED, TOGETHER), ids=" ".join)
def test_a_permitted_mode_raises_no_alarm(modes: tuple[str, ...], world: World, tmp_path: Path) -> None:
    told = judged(world, tmp_path, modes, *of_permitted(world.operations), *LIMITED.get(modes[0], ()))
    assert told.findings == []
    assert told.mixed == (["result-order"] if any(mode in NOT_ALWAYS_IN_ORDER for mode in modes) else [])
    assert told.carried_out == 1
    assert told.exit_code == 0, told.output


@pytest.mark.parametrize("fault", [one for one in FAULTS if one not in NOT_CAUGHT][::EACH])
def test_a_fault_is_caught(fault: str, world: World, tmp_path: Path) -> None:
    if ALL:
        assert judged(world, tmp_path, (fault,), "--generated", "0").findings
    else:
        assert caught(world, tmp_path, fault, (fault,))


@pytest.mark.parametrize("fault", NOT_CAUGHT)
def test_what_is_said_to_be_missed_is_missed(fault: str, world: World, tmp_path: Path) -> None:
    """So that the list of what is not caught stays true; of the call that has most cases, unless all is asked."""
    one = world if ALL else replace(world, operations=world.operations[-1:])
    assert judged(one, tmp_path, (fault,), "--generated", "0").findings == []


def test_nearly_all_faults_are_caught() -> None:
    assert set(NOT_CAUGHT) <= set(FAULTS)
    assert len(NOT_CAUGHT) <= 0.05 * len(FAULTS)
    assert len(PERMITTED) >= 15
    assert len(FAULTS) >= 30


def test_what_is_recorded_names_faults(world: World) -> None:
    assert set(world.recorded) == set(FAULTS) - set(NOT_CAUGHT)


def test_the_world_names_what_it_needs() -> None:
    packages = (FOLDER / "debian-packages.txt").read_text(encoding="utf-8").split()
    assert {"mono-mcs", "mono-runtime"} <= set(packages)
