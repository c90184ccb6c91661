"""The judgement on one case: every check in its order, the later ones blocked where an earlier one found nothing to read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from conformance.checks import answer as forms
from conformance.checks.answer import Answer, Judgement, Observation
from conformance.checks.identity import Matching, instructions_of, match_results
from conformance.checks.kit import Kit, telling
from conformance.checks.outcome import allowed, fits, in_words, judge_effects
from conformance.checks.read import read_answer
from conformance.checks.relations import gist_of
from conformance.checks.secrets import echoed, in_headers, may_be_echoed
from conformance.model.case import Alternative, Case
from conformance.model.verdict import Finding
from conformance.wire.messages import Exchange

_BEHIND_READING = ("schema", "outcome", "effect")
_UNANSWERED = ("no-reply", "ws-closed")


@dataclass(frozen=True, slots=True)
class Pins:
    """Readings that the target file fixes: the alternative, and by operation the requirement that another one breaks."""

    alternatives: Mapping[str, str] = field(default_factory=dict)
    requirements: Mapping[tuple[str, str], str] = field(default_factory=dict)


@dataclass(slots=True)
class _Gathering:
    findings: list[Finding] = field(default_factory=list)
    blocked: list[str] = field(default_factory=list)
    readings: list[str] = field(default_factory=list)
    unverified: list[str] = field(default_factory=list)
    code: str | None = None
    successes: int = 0
    gist: tuple[Any, ...] = ()
    summary: str = ""


def judge(kit: Kit, case: Case, observation: Observation, pins: Pins) -> Judgement:
    """Findings, readings and the code seen, for a case as it was observed."""
    found = _Gathering()
    for exchange in observation.exchanges:
        _judge_exchange(kit, case, observation, exchange, pins, found)
    if case.together > 1 and not found.blocked:
        _judge_together(case, observation, found)
    for reading in dict.fromkeys(found.readings):
        name, _, seen = reading.partition("=")
        pinned = pins.alternatives.get(name)
        if pinned is not None and pinned != seen:
            message = f"the reading {name} is pinned to another alternative"
            requirement = pins.requirements.get((case.operation, name), case.expect.requirement)
            found.findings.append(Finding(requirement, "reading", message, pinned, seen, name))
    return Judgement(
        findings=tuple(dict.fromkeys(found.findings)),
        blocked=tuple(dict.fromkeys(found.blocked)),
        readings=tuple(dict.fromkeys(found.readings)),
        code_seen=found.code if case.together == 1 else None,  # which copy is answered first is chance
        unverified=tuple(dict.fromkeys(found.unverified)),
        gist=found.gist,
        summary=found.summary,
    )


def _judge_exchange(
    kit: Kit, case: Case, observation: Observation, exchange: Exchange, pins: Pins, found: _Gathering
) -> None:
    alternatives = allowed(case.expect.any_of, pins.alternatives)
    if exchange.problem is not None and not _counts_as_silence(exchange, alternatives):
        problem = exchange.problem
        message = f"no answer: {problem.message}"
        found.findings.append(
            Finding(kit.requirement("answered"), "answered", message, "an answer", problem.kind, problem.phase)
        )
        found.blocked.extend(_BEHIND_READING)
        return
    answer = read_answer(kit, exchange, observation.frame, case.accept)
    matching = Matching(answer.results)
    if forms.RESULTS in answer.forms and any(one.answer.get("results", "none") != "none" for one in alternatives):
        contract = kit.xml_request if case.media_type.endswith("xml") else None
        instructions = instructions_of(observation.body, contract, kit.operation.fields)
        matching = match_results(kit, instructions, answer.results)
    success = kit.operation.success
    right = [one for one in alternatives if fits(one, answer, matching.ordered, success)]
    found.gist, found.summary = gist_of(answer, matching.ordered, success), answer.summary
    found.findings.extend(answer.findings)
    if answer.unreadable is not None and not any("form" in one.answer for one in right):
        found.findings.append(answer.unreadable)
        found.blocked.extend(_BEHIND_READING)
        return
    found.readings.extend(one for one in (*answer.readings, *matching.readings) if _tells(kit, case, one))
    secrets = telling(kit.vocabulary, observation.secrets)
    if may_be_echoed(exchange, secrets):
        found.findings.extend(echoed(kit, answer.value, secrets))
    found.findings.extend(in_headers(kit, exchange, secrets))
    _note_code(case, answer, matching, success, found)
    if not right and not answer.forms & forms.STRUCTURED and any(one.check == "bad-input" for one in answer.findings):
        found.blocked.extend(_BEHIND_READING)
        return
    # a reader that loses what it cannot read may answer with fewer results, where an alternative says so
    if matching.findings and not (right and right[0].answer.get("results") in ([], "none")):
        found.findings.extend(matching.findings)
        found.blocked.extend(("outcome", "effect"))
        return
    if not right:
        found.findings.append(
            Finding(
                case.expect.requirement, "outcome", "the answer is not one that the document allows here",
                in_words(alternatives) or "an answer that agrees with the pinned readings", answer.summary, "answer",
            )
        )  # fmt: skip
        found.blocked.append("effect")
        return
    if case.together == 1:
        _judge_effect(case, observation, right, found)


def _tells(kit: Kit, case: Case, reading: str) -> bool:
    """Whether the documents leave the question open, and the answer shows how it is answered.

    The same error in both legs shows how early errors come only where the error is an early one.
    """
    if reading.partition("=")[0] not in kit.operation.readings:
        return False
    return reading != "early-error=pair" or kit.requirement("early-error") in case.requirements


def _counts_as_silence(exchange: Exchange, alternatives: tuple[Alternative, ...]) -> bool:
    assert exchange.problem is not None
    if exchange.problem.kind not in _UNANSWERED:
        return False
    return bool(exchange.others) or any(one.answer.get("form") == forms.SILENCE for one in alternatives)


def _judge_effect(case: Case, observation: Observation, right: list[Alternative], found: _Gathering) -> None:
    """The alternative whose effect fits as well; if none does, the first one speaks."""
    judged = [(one, judge_effects(case.expect, one, observation)) for one in right]
    chosen, effects = min(judged, key=lambda pair: len(pair[1].findings))
    found.findings.extend(effects.findings)
    found.unverified.extend(effects.unverified)
    if not effects.findings and (not effects.unverified or len(right) == 1):
        found.readings.extend(chosen.readings)


def _note_code(case: Case, answer: Answer, matching: Matching, success: str, found: _Gathering) -> None:
    """The error code that was seen, in the words of the matrix."""
    if answer.legs:
        codes = {leg.code for leg in answer.legs}
        found.code = str(codes.pop()) if len(codes) == 1 else None
    elif forms.RESULTS in answer.forms and matching.ordered:
        flags = [entry.get(success) for entry in matching.ordered]
        found.successes += flags.count(True)
        found.code = "success" if flags[0] is True else case.code if case.code != "success" else "failure"
    elif forms.REFUSED in answer.forms:
        found.code = "error-string"


def _judge_together(case: Case, observation: Observation, found: _Gathering) -> None:
    """Copies sent at the same moment: at most one succeeds, and one does exactly when something was cancelled."""
    if found.findings:
        return
    if found.successes > 1:
        found.findings.append(
            Finding(
                case.expect.requirement, "together", "one cancellation succeeded more than once", "at most one success",
                f"{found.successes} successes of {case.together}", "answer",
            )
        )  # fmt: skip
        return
    names = case.expect.any_of[0].cancelled
    alternative = Alternative({}, cancelled=names) if found.successes else Alternative({}, untouched=names)
    _judge_effect(case, observation, [alternative], found)
