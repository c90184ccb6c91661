"""Small wrongnesses of the reference, of every kind: each fails the run, on a requirement that it breaks.

None of their findings says that one thing was expected and the same thing came.
"""

from __future__ import annotations

import asyncio
import unicodedata

import pytest

from conformance.cases.fixtures import load_cases
from conformance.contract.load import load_contract
from conformance.model.verdict import CaseResult
from conformance.run.schedule import Work
from conformance.run.session import Session
from conformance.selftest import suspects as tried
from conformance.selftest.suspects import Attempt, Suspect, try_suspects
from reference_impl.faults import FAULTS

COUNT = 48
CONTRACT = load_contract()
CASES = load_cases(CONTRACT)
CHOSEN = [FAULTS[name] for name in sorted(FAULTS)][:: max(1, len(FAULTS) // COUNT)][:COUNT]
GROUPS = 4


@pytest.fixture
def results(monkeypatch: pytest.MonkeyPatch) -> list[CaseResult]:
    """Every result of the self-test in this process, as it comes."""
    found: list[CaseResult] = []
    carry_out = tried.carry_out

    async def noted(run: Session, work: Work) -> None:
        keep = run.on_result

        def note(result: CaseResult) -> None:
            found.append(result)
            keep(result)

        run.on_result = note
        await carry_out(run, work)

    monkeypatch.setattr(tried, "carry_out", noted)
    return found


def read(text: str) -> str:
    """What somebody reads who overlooks blanks, accents and characters that cannot be seen."""
    parts = unicodedata.normalize("NFKD", text)
    return "".join("".join(one for one in parts if unicodedata.category(one) not in ("Cc", "Cf", "Mn")).split())


@pytest.mark.timeout(180)
@pytest.mark.parametrize("group", range(GROUPS))
def test_faults_are_caught_on_their_own_requirements(group: int, results: list[CaseResult]) -> None:
    faults = CHOSEN[group::GROUPS]
    suspects = [Suspect(fault.id, "fault", fault.operation, fault.requirements) for fault in faults]
    attempts: list[Attempt] = []

    asyncio.run(try_suspects(CONTRACT, CASES, suspects, 1, attempts.append))

    assert sorted(attempt.suspect.id for attempt in attempts if not attempt.caught) == []
    assert len(attempts) == len(faults) >= 10
    findings = [finding for result in results for finding in result.findings]
    assert len(findings) >= len(faults)
    assert [one for one in findings if read(one.expected) == read(one.actual)] == []
