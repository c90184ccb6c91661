"""Small wrongnesses of the reference, of every kind: each fails the run, on a requirement that it breaks."""

from __future__ import annotations

import asyncio

import pytest

from conformance.cases.fixtures import load_cases
from conformance.contract.load import load_contract
from conformance.selftest.suspects import Attempt, Suspect, try_suspects
from reference_impl.faults import FAULTS

COUNT = 48
CONTRACT = load_contract()
CASES = load_cases(CONTRACT)
CHOSEN = [FAULTS[name] for name in sorted(FAULTS)][:: max(1, len(FAULTS) // COUNT)][:COUNT]
GROUPS = 4


@pytest.mark.timeout(180)
@pytest.mark.parametrize("group", range(GROUPS))
def test_faults_are_caught_on_their_own_requirements(group: int) -> None:
    faults = CHOSEN[group::GROUPS]
    suspects = [Suspect(fault.id, "fault", fault.operation, fault.requirements) for fault in faults]
    attempts: list[Attempt] = []

    asyncio.run(try_suspects(CONTRACT, CASES, suspects, 1, attempts.append))

    assert sorted(attempt.suspect.id for attempt in attempts if not attempt.caught) == []
    assert len(attempts) == len(faults) >= 10
