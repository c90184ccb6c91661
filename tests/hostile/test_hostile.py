"""A run against a server that answers one kind of message with a hostile behaviour: the right verdict, in time, in bounds.

Some behaviours of each kind; `HOSTILE=all` (`tox -e hostile`) for all of them.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from behaviour import CASES, STRUCK, Behaviour
from http_behaviours import HTTP
from live_support import live
from rude_server import RudeServer, rude_server
from runs import Outcome, Runner, runner
from ws_behaviours import WEBSOCKET

WHOLE = os.environ.get("HOSTILE") == "all"
pytestmark = pytest.mark.timeout(120)
MOST_KIB = 300 * 1024
TIMEOUT_S, PATIENT_S, GRACE_S = 2.0, 8.0, 2.0
"""The time-outs where a behaviour makes the run wait for it, and where it must not, for the sake of a busy machine;
how much longer than its time-outs a behaviour may hold a run up."""
MOST_BUSY_S, USUAL_S = 2.0, 0.5
"""Work on one behaviour; how long the run without rudeness takes where nothing else is going on."""
ENVIRONMENT = {"HOSTILE_TRADER": "trader01-password", "HOSTILE_MAKER": "maker01-password", "HOSTILE_PIN": "1234"}
SHORT = frozenset((Path(__file__).parent / "short.txt").read_text("utf-8").split())
"""What the usual suite tries: some of each kind, and those that once took too long or too much memory."""
BEHAVIOURS = (*HTTP, *WEBSOCKET)


@dataclass(slots=True)
class Stage:
    """A rude server, a process for the runs, and what a run without any rudeness came to."""

    server: RudeServer
    runner: Runner
    folder: Path
    plain: Outcome = field(init=False)
    number: int = 0

    def run(self, behaviour: Behaviour | None) -> Outcome:
        """A run while the server behaves like that."""
        self.server.behaviour, self.server.hits = behaviour, 0
        self.number += 1
        address = f"127.0.0.1:{self.server.port}"
        patience_s = TIMEOUT_S if behaviour is not None and behaviour.timeouts else PATIENT_S
        places = {"HTTP": f"http://{address}", "SOCKET": f"ws://{address}", "PATIENCE": str(patience_s)}
        text = (Path(__file__).parent / "target.toml").read_text("utf-8")
        for place, value in places.items():
            text = text.replace(place, value)
        target = self.folder / "target.toml"
        target.write_text(text, "utf-8")
        return self.runner.run(target, self.folder / str(self.number), CASES)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One server and one process for all behaviours."""
    folder = tmp_path_factory.mktemp("hostile")
    with live(None) as reference, rude_server(reference.port) as server, runner(ENVIRONMENT) as process:
        made = Stage(server, process, folder)
        made.run(None)  # the first one reads the contract
        made.plain = made.run(None)
        yield made


def test_run_without_rudeness_passes(stage: Stage) -> None:
    assert stage.plain.exit_code == 0, stage.plain.output
    assert stage.plain.verdicts == dict.fromkeys(sorted(CASES), "pass")


@pytest.mark.parametrize(
    "behaviour", [one for one in BEHAVIOURS if WHOLE or one.name in SHORT], ids=lambda one: one.name
)
def test_behaviour_spoils_its_own_cases_alone(stage: Stage, behaviour: Behaviour) -> None:
    outcome = stage.run(behaviour)
    struck = STRUCK[behaviour.place]
    assert stage.server.hits > 0
    assert outcome.exit_code == behaviour.exit_code, outcome.output
    seen = outcome.verdicts
    assert {seen[name] for name in struck if name in seen} == {behaviour.verdict}, outcome.output
    assert {one for name in struck if name in seen for one in outcome.findings(name)} == behaviour.checks
    others = {name: verdict for name, verdict in stage.plain.verdicts.items() if name not in struck}
    if behaviour.stops_run:
        assert {name: seen[name] for name in others if name in seen}.items() <= others.items()
    else:
        assert {name: seen.get(name) for name in others} == others
    assert "Traceback" not in outcome.output
    assert behaviour.place != "sign-in" or "left behind" not in outcome.output, "nobody was signed in to make anything"
    assert outcome.ended
    assert outcome.peak_kib < MOST_KIB
    flooded_s = TIMEOUT_S if behaviour.timeouts else 0.0  # who floods until the time is over keeps a run busy so long
    assert outcome.busy_s - stage.plain.busy_s < MOST_BUSY_S + flooded_s
    if WHOLE:  # the usual suite shares its processors with other tests
        slowness = max(1.0, stage.plain.elapsed_s / USUAL_S)
        assert outcome.elapsed_s - stage.plain.elapsed_s < behaviour.timeouts * TIMEOUT_S + GRACE_S * slowness


def test_there_are_enough_behaviours_each_with_a_name_and_a_reason() -> None:
    names = [one.name for one in BEHAVIOURS]
    assert len(HTTP) >= 60
    assert len(WEBSOCKET) >= 30
    assert [name for name, count in Counter(names).items() if count > 1] == []
    assert sorted(SHORT - set(names)) == []
    assert [one.name for one in BEHAVIOURS if not one.why or bool(one.checks) != (one.verdict == "fail")] == []
    assert {one.place for one in BEHAVIOURS if one.name in SHORT} == set(STRUCK)
