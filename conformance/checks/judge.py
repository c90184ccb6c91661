"""Judges one case: every check in its order; a check that finds nothing to read blocks the later ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from conformance.cases.message import places_of
from conformance.checks import answer as forms
from conformance.checks.answer import Answer, Judgement, Observation, Seen
from conformance.checks.identity import Matching, instructions_of, match_results
from conformance.checks.kit import BAD_INPUT, READABLE, Kit, telling
from conformance.checks.outcome import (
    CANCELLED,
    OUTCOME,
    UNDONE,
    allowed,
    fits,
    gist_of,
    in_words,
    judge_effects,
    refused_earlier,
    way_of,
)
from conformance.checks.races import judge_race
from conformance.checks.read import read_answer
from conformance.checks.registry import BEHIND_READING, Check, Stage
from conformance.contract.operation import RequirementKey
from conformance.formats.registry import format_for
from conformance.model.case import Alternative, Case
from conformance.model.paths import arguments_of
from conformance.model.spec import Operation
from conformance.model.verdict import Finding
from conformance.values import value_class
from conformance.wire.messages import Exchange

ANSWERED = Check(
    "answered",
    "an answer comes back in time, and the connection holds until it is there",
    Stage.EXCHANGE,
    (RequirementKey("answered"),),
    blocks=BEHIND_READING,
)
TOGETHER = Check(
    "together",
    "of copies sent at the same moment, one succeeds at most",
    Stage.CASE,
    speaks_for="the requirement that the case expects",
)
READING = Check(
    "reading",
    "an open question is answered as the target file pins it",
    Stage.CASE,
    speaks_for="the requirement of the reading",
)
_MOST_ALIKE = 20
"""So many findings of one check on one requirement are kept of a case."""
_LONGEST = 1000
"""Characters of one text of a finding; nobody reads more."""
_CLIENT_ERROR = 400
_UNANSWERED = ("no-reply", "ws-closed")


@value_class(frozen=True, slots=True)
class Pins:
    """Readings that the target file pins: the alternative and, by operation, the requirement that another breaks."""

    alternatives: Mapping[str, str] = field(default_factory=dict)
    requirements: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def of(self, operation: Operation) -> Mapping[str, str]:
        """The alternatives that are left for an operation: its edition, where one is pinned, answers some readings."""
        return {**self.alternatives, **operation.settled}


@dataclass(slots=True)
class _Gathering:
    """What was found so far."""

    kit: Kit
    findings: list[Finding] = field(default_factory=list)
    blocked: list[str] = field(default_factory=list)
    readings: list[str] = field(default_factory=list)
    unverified: list[str] = field(default_factory=list)
    code: str | None = None
    successes: int = 0
    gist: tuple[Any, ...] = ()
    summary: str = ""
    beyond: str = ""
    unsettled: bool = False
    history: str = ""
    undecided: str = ""

    def stop(self, *findings: Finding) -> bool:
        """Take up the findings that end the judgement on an answer, and what they block."""
        self.findings.extend(findings)
        self.block(*(self.kit.checks[finding.check] for finding in findings))
        return True

    def block(self, *checks: Check) -> None:
        """Note that the checks behind these cannot be made."""
        self.blocked.extend(name for check in checks for name in check.blocks)


@value_class(frozen=True, slots=True)
class _Read:
    """One answer with what the case allows: the alternatives, the results in order, the alternatives that fit."""

    seen: Seen
    alternatives: tuple[Alternative, ...]
    matching: Matching
    right: list[Alternative]


def judge(kit: Kit, case: Case, observation: Observation, pins: Pins) -> Judgement:
    """Findings, readings and the code seen, for a case as it was observed."""
    found = _Gathering(kit)
    for exchange in observation.exchanges:
        _judge_exchange(kit, case, observation, exchange, pins, found)
    if case.together > 1 and not found.blocked:
        _judge_together(case, observation, found)
    if observation.raced:
        outcome = judge_race(kit, observation)
        found.findings.extend(outcome.findings)
        found.unverified.extend(outcome.unverified)
        found.history, found.undecided = outcome.history, outcome.undecided
    found.findings.extend(_pinned_otherwise(kit, case, found.readings, pins))
    for finding in found.findings:
        kit.checks[finding.check]  # what made it must be registered
    findings, notes = _kept(found.findings)
    return Judgement(
        findings=findings,
        notes=notes,
        blocked=tuple(dict.fromkeys(found.blocked)),
        readings=tuple(dict.fromkeys(found.readings)),
        code_seen=found.code if case.together == 1 else None,  # which copy is answered first is chance
        unverified=tuple(dict.fromkeys(found.unverified)),
        gist=found.gist,
        summary=found.summary,
        beyond=found.beyond,
        unsettled=found.unsettled,
        history=found.history,
        undecided=found.undecided,
    )


def _kept(findings: list[Finding]) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """The first of many findings that say the same of one requirement, their texts bounded; a note of the others."""
    if not findings:
        return (), ()
    kept: dict[Finding, None] = {}
    counts: Counter[tuple[str, str]] = Counter()
    for finding in dict.fromkeys(findings):
        counts[finding.requirement, finding.check] += 1
        if counts[finding.requirement, finding.check] <= _MOST_ALIKE:
            kept[_cut(finding)] = None
    notes = (
        f"{count - _MOST_ALIKE} more findings of the check {check} on {requirement} are left out"
        for (requirement, check), count in counts.items()
        if count > _MOST_ALIKE
    )
    return tuple(kept), tuple(notes)


def _cut(finding: Finding) -> Finding:
    texts = {name: getattr(finding, name) for name in ("message", "expected", "actual", "at")}
    long = {name: f"{text[:_LONGEST]}…" for name, text in texts.items() if len(text) > _LONGEST}
    return replace(finding, **long)


def _judge_exchange(
    kit: Kit, case: Case, observation: Observation, exchange: Exchange, pins: Pins, found: _Gathering
) -> None:
    """One answer through the stages; the first that cannot go on ends it."""
    alternatives = allowed(case.expect.any_of, pins.of(kit.operation))
    if exchange.problem is not None and not _counts_as_silence(exchange, alternatives):
        problem = exchange.problem
        message = f"no answer: {problem.message}"
        found.stop(ANSWERED.finding(kit.operation, message, "an answer", problem.kind, problem.phase))
        return
    read = _read(kit, case, observation, exchange, alternatives)
    found.gist = gist_of(read.seen.answer, read.matching.ordered, kit.operation, kit.members.values())
    found.summary = read.seen.answer.summary
    before = len(found.findings)
    for step in _IN_ORDER:
        if step(kit, read, found):
            break
    if len(found.findings) > before and len(alternatives) < len(case.expect.any_of):
        _note_unpinned(kit, read, observation, found)


def _note_unpinned(kit: Kit, read: _Read, observation: Observation, found: _Gathering) -> None:
    """The readings of the one alternative that a pin excludes, where answer and effect are what that one says."""
    case, answer = read.seen.case, read.seen.answer
    fitting = [
        one
        for one in case.expect.any_of
        if one not in read.alternatives and fits(one, answer, read.matching.ordered, _success(kit))
    ]
    effects = [(one, judge_effects(case.expect, one, observation, kit.operation)) for one in fitting]
    whole = [one for one, effect in effects if not effect.findings and not effect.unverified]
    if len(whole) == 1:
        found.readings.extend(whole[0].readings)


def _read(
    kit: Kit, case: Case, observation: Observation, exchange: Exchange, alternatives: tuple[Alternative, ...]
) -> _Read:
    answer = read_answer(kit, exchange, observation.frame, case.accept)
    matching = Matching(answer.results)
    if forms.RESULTS in answer.forms and any(one.wanted.get("results", "none") != "none" for one in alternatives):
        codec = kit.codec(format_for(case.media_type))
        instructions = instructions_of(observation.body, codec, kit.operation.fields, kit.operation.shape)
        matching = match_results(kit, instructions, answer.results)
    right = [one for one in alternatives if fits(one, answer, matching.ordered, _success(kit))]
    secrets = telling(kit.vocabulary, observation.secrets)
    seen = Seen(kit.operation, case, observation, exchange, answer, secrets)
    return _Read(seen, alternatives, matching, right)


def _success(kit: Kit) -> str:
    return kit.operation.success


def _by_readers(_kit: Kit, read: _Read, found: _Gathering) -> bool:
    """What the readers found; an answer that nobody can read ends it, unless its form alone is what is expected."""
    answer = read.seen.answer
    found.findings.extend(answer.findings)
    if answer.beyond:
        found.beyond = found.beyond or answer.beyond
        found.block(READABLE)
        return True
    if answer.unreadable is not None and not any("form" in one.wanted for one in read.right):
        found.gist = ()  # what nobody can read is compared with nothing
        return found.stop(answer.unreadable)
    return False


def _on_the_answer(kit: Kit, read: _Read, found: _Gathering) -> bool:
    """The readings that it shows, the checks that look at it as a whole, and the code."""
    case, answer = read.seen.case, read.seen.answer
    readings = (*answer.readings, *read.matching.readings)
    found.readings.extend(one for one in readings if _tells(kit, case, one))
    seen = [finding for look in kit.looks for finding in look(read.seen)]
    _note_code(case, answer, read.matching, _success(kit), found)
    if any(kit.checks[finding.check].blocks for finding in seen):
        return found.stop(*seen)
    found.findings.extend(seen)
    if read.right or answer.forms & forms.STRUCTURED:
        return False
    if any(one.check == BAD_INPUT.id for one in answer.findings):
        found.block(BAD_INPUT)
        return True
    return False


def _by_results(_kit: Kit, read: _Read, found: _Gathering) -> bool:
    """A reader that loses what it cannot read may answer with fewer results, where an alternative says so.

    A list that holds something else in their place does not.
    """
    fewer = read.right and read.right[0].wanted.get("results") in ([], "none") and not read.seen.answer.lost
    if read.matching.findings and not fewer:
        return found.stop(*read.matching.findings)
    return False


def _by_outcome(kit: Kit, read: _Read, found: _Gathering) -> bool:
    if read.right:
        return False
    message = "the answer is not one that the document allows here"
    expected = in_words(read.alternatives) or "an answer that agrees with the pinned readings"
    requirement, actual = read.seen.case.expect.requirement, read.seen.answer.summary
    way = way_of(read.alternatives, read.seen.answer, read.matching.ordered, _success(kit))
    return found.stop(OUTCOME.finding_on(requirement, message, expected, actual, "answer", way=way))


def _by_effect(_kit: Kit, read: _Read, found: _Gathering) -> bool:
    if read.seen.case.together == 1:
        _judge_effect(read.seen.case, read.seen.observation, read.right, found)
    return False


_STEPS: Mapping[Stage, Callable[[Kit, _Read, _Gathering], bool]] = {
    Stage.READING: _by_readers,
    Stage.ANSWER: _on_the_answer,
    Stage.RESULTS: _by_results,
    Stage.OUTCOME: _by_outcome,
    Stage.EFFECT: _by_effect,
}
"""What is done at the stages of one answer; each says whether the judgement on it ends there."""
_IN_ORDER = tuple(_STEPS[stage] for stage in sorted(_STEPS))


def _pinned_otherwise(kit: Kit, case: Case, readings: list[str], pins: Pins) -> list[Finding]:
    """A finding for each reading that was seen and that the target file, or the edition there, pins otherwise."""
    findings, alternatives = [], pins.of(kit.operation)
    for reading in dict.fromkeys(readings):
        name, _, seen = reading.partition("=")
        pinned = alternatives.get(name)
        if pinned is not None and pinned not in seen.split("|"):
            message = f"the reading {name} is pinned to another alternative"
            if name in kit.operation.settled:
                message = f"the edition {kit.operation.edition} has another alternative of the reading {name}"
            requirement = pins.requirements.get((case.operation, name), case.expect.requirement)
            findings.append(READING.finding_on(requirement, message, pinned, seen, name))
    return findings


def _tells(kit: Kit, case: Case, reading: str) -> bool:
    """Whether the documents leave the question open, and the answer shows how it is answered.

    The same error in both legs shows how early errors come only where the error is an early one. What refuses another
    method or another path is the gateway before the operation.
    """
    if reading.partition("=")[0] not in kit.operation.readings or not _reaches_operation(kit, case):
        return False
    return reading != "early-error=pair" or kit.requirement("early-error") in case.requirements


def _reaches_operation(kit: Kit, case: Case) -> bool:
    if kit.operation.shape.instructs or case.transport.framed:  # such a call's error is one of its own readings
        return True
    path = case.message.path.partition("?")[0]
    at = path in ("", kit.operation.path)
    if kit.operation.in_path:
        at = arguments_of(kit.operation.path, path) is not None
    return case.message.method == kit.operation.method and at


def _counts_as_silence(exchange: Exchange, alternatives: tuple[Alternative, ...]) -> bool:
    assert exchange.problem is not None
    if any(one.wanted.get("form") == forms.CLOSED for one in alternatives):
        return exchange.closed_unread
    if exchange.problem.kind not in _UNANSWERED or not exchange.sent:
        return False
    return bool(exchange.others) or any(one.wanted.get("form") == forms.SILENCE for one in alternatives)


def _judge_effect(case: Case, observation: Observation, right: list[Alternative], found: _Gathering) -> None:
    """The alternative whose effect fits as well; if none does, the first one speaks."""
    judged = [(one, judge_effects(case.expect, one, observation, found.kit.operation)) for one in right]
    chosen, effects = min(judged, key=lambda pair: len(pair[1].findings))
    found.unverified.extend(effects.unverified)
    found.unsettled = not effects.findings and any(
        one is not chosen and any(finding.expected == CANCELLED for finding in other.findings) for one, other in judged
    )
    if any(one.way == UNDONE for one in effects.findings):
        effects = replace(effects, findings=tuple(_by_the_earlier(found.kit, case, observation, effects.findings)))
    found.findings.extend(effects.findings)
    if not effects.findings and (not effects.unverified or len(right) == 1):
        found.readings.extend(chosen.readings)


def _by_the_earlier(
    kit: Kit, case: Case, observation: Observation, findings: tuple[Finding, ...]
) -> Iterator[Finding]:  # fmt: skip
    """The findings; on what only earlier messages name, with the answer to these where none reports a success.

    Then no answer promised the effect that is lacking, and it is the refusal that is wrong.
    """
    told = [_no_success(kit, one) for one in observation.earlier]
    named = {place.partition(".")[0] for one in case.before for place in places_of(one)}
    only_earlier = named - {place.partition(".")[0] for place in places_of(case.message)}
    for one in findings:
        about_earlier = one.way == UNDONE and one.at.partition(".")[0] in only_earlier
        yield refused_earlier(kit.operation, case.expect, one, told) if about_earlier and told and all(told) else one


def _no_success(kit: Kit, exchange: Exchange) -> str:
    """What an answer is, in words, if it reports no success; else ""."""
    if exchange.problem is not None:
        return f"no answer ({exchange.problem.kind})"
    answer = read_answer(kit, exchange, b"", None)
    if forms.RESULTS in answer.forms:
        success = any(entry.get(_success(kit)) is True for entry in answer.results)
    elif answer.legs:
        success = any(leg.code == 0 for leg in answer.legs)
    else:
        success = forms.DATA in answer.forms or (answer.status is not None and answer.status < _CLIENT_ERROR)
    return "" if success else answer.summary


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
    elif forms.DATA in answer.forms:
        found.successes += 1
        found.code = _code_in(case, answer) or "success"
    elif forms.FAILURE in answer.forms:
        found.code = _code_in(case, answer)


def _code_in(case: Case, answer: Answer) -> str | None:
    """The code that a described answer shows: the one that the case expects, if any of its values is it."""
    if not case.code or not isinstance(answer.value, dict):
        return None
    inner = [one for one in answer.value.values() if isinstance(one, dict)]
    shown = [str(one) for record in (answer.value, *inner) for one in record.values()]
    return case.code if case.code in shown else None


def _judge_together(case: Case, observation: Observation, found: _Gathering) -> None:
    """Copies sent at the same moment: at most one succeeds, and one does exactly when something was cancelled."""
    if found.findings:
        return
    if found.successes > 1:
        message, seen = "one cancellation succeeded more than once", f"{found.successes} successes of {case.together}"
        requirement = case.expect.requirement
        found.findings.append(TOGETHER.finding_on(requirement, message, "at most one success", seen, "answer"))
        return
    names = case.expect.any_of[0].cancelled
    alternative = Alternative({}, cancelled=names) if found.successes else Alternative({}, untouched=names)
    _judge_effect(case, observation, [alternative], found)
