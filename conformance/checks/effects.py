"""Holds what became of orders and quotes against what the answer said would."""

from __future__ import annotations

from dataclasses import dataclass

from conformance.checks.observation import Observation
from conformance.model.case import Alternative, Expectation
from conformance.model.verdict import Finding

CANCELLED, EXECUTED = "cancelled", "executed"


@dataclass(frozen=True, slots=True)
class Effects:
    """The findings of one alternative, and the requirements whose effect nobody could observe."""

    findings: tuple[Finding, ...]
    unverified: tuple[str, ...]


_NOTHING = Effects((), ())


def judge_effects(expect: Expectation, alternative: Alternative, observation: Observation) -> Effects:
    """One finding for each watched thing that is not as this alternative has it."""
    if not alternative.cancelled and not alternative.untouched:
        return _NOTHING
    inside = expect.effect or expect.requirement
    outside = expect.outside or inside
    findings: list[Finding] = []
    unverified: list[str] = []
    for name in alternative.cancelled:
        seen = observation.after.get(name)
        if seen is None:
            unverified.append(inside)
        elif seen != CANCELLED:
            message = f"{name} should have been cancelled and was not"
            findings.append(Finding(inside, "effect", message, CANCELLED, seen, name))
    for name in alternative.untouched:
        seen, before = observation.after.get(name), observation.before.get(name)
        if seen is None or before is None or (seen == EXECUTED != before):  # a cancellation executes nothing
            unverified.append(outside)
        elif seen != before:
            message = f"{name} should not have been touched and was"
            findings.append(Finding(outside, "effect", message, before, seen, name))
    return Effects(tuple(findings), tuple(dict.fromkeys(unverified)))
