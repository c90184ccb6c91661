"""What came of a self-test as JSON: a trial as one line between processes, and the report of all."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from conformance.engine.selftest import Suspect, Trial


def suspect_to_json(suspect: Suspect) -> str:
    """One line that `suspect_from_json` reads."""
    return json.dumps(asdict(suspect))


def suspect_from_json(text: str) -> Suspect:
    """The suspect that a line of `suspect_to_json` stands for."""
    return _suspect(json.loads(text))


def _suspect(members: Mapping[str, Any]) -> Suspect:
    return Suspect(**{**members, "requirements": tuple(members["requirements"])})


def trial_to_json(trial: Trial) -> str:
    """One line that `trial_from_json` reads."""
    return json.dumps(asdict(trial))


def trial_from_json(text: str) -> Trial:
    """The trial that a line of `trial_to_json` stands for."""
    members = json.loads(text)
    return Trial(
        suspect=_suspect(members["suspect"]),
        executed=bool(members["executed"]),
        by=tuple(members["by"]),
        findings_on=tuple(members["findings_on"]),
        alarms=tuple(members["alarms"]),
        stopped=str(members["stopped"]),
        findings=tuple((case, check, requirement) for case, check, requirement in members["findings"]),
    )


def family_of(case_id: str) -> str:
    """The family of a named case: the second part of its id."""
    return case_id.split("/")[1]


def _own(trial: Trial, what: Callable[[str, str], str]) -> list[str]:
    """Something of each case and check that found what the fault breaks, sorted."""
    broken = frozenset(trial.suspect.requirements)
    return sorted({what(case, check) for case, check, requirement in trial.findings if requirement in broken})


def summary_of(trials: Sequence[Trial]) -> Mapping[str, Any]:
    """The report of a self-test as JSON values: a summary, every fault, every equivalent, each sorted by id."""
    ordered = sorted(trials, key=lambda trial: trial.suspect.id)
    faults = [trial for trial in ordered if trial.suspect.kind == "fault"]
    equivalents = [trial for trial in ordered if trial.suspect.kind == "equivalent"]
    return {
        "summary": {
            "faults": len(faults),
            "caught": sum(trial.caught for trial in faults),
            "equivalents": len(equivalents),
            "false_alarms": sum(len(trial.alarms) for trial in equivalents),
        },
        "faults": [
            {
                "id": trial.suspect.id,
                "operation": trial.suspect.operation,
                "requirements": sorted(trial.suspect.requirements),
                "executed": trial.executed,
                "caught": trial.caught,
                "by": list(trial.by),
                "findings_on": list(trial.findings_on),
                "checks": _own(trial, lambda _case, check: check),
                "families": _own(trial, lambda case, _check: family_of(case)),
            }
            for trial in faults
        ],
        "equivalents": [
            {
                "id": trial.suspect.id,
                "operation": trial.suspect.operation,
                "executed": trial.executed,
                "false_alarms": list(trial.alarms),
            }
            for trial in equivalents
        ],
    }
