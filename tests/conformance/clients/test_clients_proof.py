"""Every wrong client is caught by a check that speaks of what is wrong with it, and no right one is blamed.

A sample in the usual run; `CLIENTS=all` tries every client, and the right ones with every trial.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import sys
from pathlib import Path

import pytest

from conformance.clients.session import ClientOptions, judge_client
from conformance.contract.load import load_contract
from conformance.model.verdict import CaseResult, Verdict

from .other_clients import RIGHT, WRONG, Other

HERE = Path(__file__).parent
ALL = os.environ.get("CLIENTS") == "all"
CONTRACT = load_contract()
TIMEOUT_S = 0.5
_SAMPLE = 5
"""In the usual run every so many wrong clients one is tried."""
_TRIALS = ("*/scene/*", "*/client/code/*", "*/fails/*", "*/late/*", "*/reading/*/done@*")
"""Of a right client, in the usual run, of a few."""
_USUAL_RIGHT = ("plain-list-xml", "plain-quote-socket", "looks-and-retries", "keeps-alive")


def judged(name: str, *trials: str) -> tuple[CaseResult, ...]:
    command = shlex.join([sys.executable, str(HERE / "other_clients.py"), name])
    options = ClientOptions(command, TIMEOUT_S, trials)
    return asyncio.run(judge_client(CONTRACT, options)).journal.results


_TRIED = list(WRONG) if ALL else list(WRONG)[::_SAMPLE]


@pytest.mark.parametrize("name", _TRIED)
def test_wrong_client_is_caught(name: str) -> None:
    other: Other = WRONG[name]
    found = {finding.check for result in judged(name, *other.tried) for finding in result.findings}
    assert found & set(other.found_by), found


@pytest.mark.parametrize("name", list(RIGHT) if ALL else _USUAL_RIGHT)
def test_right_client_is_not_blamed(name: str) -> None:
    results = judged(name) if ALL else judged(name, *_TRIALS)
    blamed = {one.id: [finding.message for finding in one.findings] for one in results if one.findings}
    assert blamed == {}
    verdicts = [one.verdict for one in results]
    assert set(verdicts) <= {Verdict.PASS, Verdict.NOT_VERIFIED}  # a slow machine: the client's own time-out passed
    assert verdicts.count(Verdict.PASS) > max(20, 0.9 * len(verdicts))


def test_enough_clients_are_known() -> None:
    assert len(WRONG) >= 40
    assert len(RIGHT) >= 20
    assert all(other.found_by and other.tried for other in WRONG.values())
