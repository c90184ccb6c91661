"""Compares answer and effects with the alternatives of an expectation, and answers with each other.

What became of orders and quotes is compared with what the answer said would. A metamorphic relation compares the answers
to one request in two forms, wording and format left aside. What was expected is said in words.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.checks import answer as forms
from conformance.checks.answer import Answer, Judgement, Observation, statuses_in_words
from conformance.checks.registry import Check, Stage
from conformance.contract.operation import RequirementKey
from conformance.contract.problem_text import shown
from conformance.model.case import Alternative, Expectation, Twin
from conformance.model.spec import Operation
from conformance.model.verdict import Finding

OUTCOME = Check(
    "outcome",
    "the answer is one that the document allows for this request",
    Stage.OUTCOME,
    speaks_for="the requirement that the case expects",
    blocks=("effect",),
)
EFFECT = Check(
    "effect",
    "what should have been cancelled was, and nothing else",
    Stage.EFFECT,
    (RequirementKey("effect"),),
    speaks_for="the requirement that the case names for its effect",
)
_OF_THE_FRAMEWORK = [one for one in forms.FRAMEWORK_STATUSES if one != 411]
_FORM_WORDS = {
    forms.REFUSED: "a status of 4xx with the error string",
    forms.FRAMEWORK: f"an error of the framework ({statuses_in_words(_OF_THE_FRAMEWORK)})",
    forms.LENGTH_REQUIRED: "status 411",
    forms.TOO_LONG: f"status {statuses_in_words(forms.TOO_LONG_STATUSES)}",
    forms.SESSION_MISSING: "HTTP 404 NOT FOUND",
    forms.HTTP_REFUSAL: "any status of 4xx",
    forms.SERVED: "any answer under a status of 2xx",
    forms.SILENCE: "no reply",
    forms.ERROR_FRAME: "an error frame",
    forms.CLOSED: "a connection that is closed behind the answer before",
    forms.FLAT: "one flat object",
    forms.DATA: "the answer that the schema describes",
    forms.FAILURE: "an error",
}


def allowed(alternatives: Sequence[Alternative], pins: Mapping[str, str]) -> tuple[Alternative, ...]:
    """The alternatives that the pinned readings leave."""
    if not pins:
        return tuple(alternatives)
    return tuple(one for one in alternatives if not any(_unpinned(reading, pins) for reading in one.readings))


def _unpinned(reading: str, pins: Mapping[str, str]) -> bool:
    name, _, alternative = reading.partition("=")
    return name in pins and pins[name] not in alternative.split("|")


def fits(alternative: Alternative, answer: Answer, results: Sequence[Mapping[str, Any]], success: str) -> bool:
    """Whether the answer is the one of this alternative; effects are judged apart."""
    wanted = alternative.wanted
    if wanted.get("form") == forms.SERVED:
        return answer.status is not None and 200 <= answer.status < 300
    if "form" in wanted and wanted["form"] not in answer.forms:
        return False
    if "code" in wanted and not _codes_fit(wanted["code"], answer):
        return False
    if "detail" in wanted and not all(leg.has_detail for leg in answer.legs):
        return False
    if ("bid" in wanted or "ask" in wanted) and not _legs_fit(wanted, answer):
        return False
    if "results" in wanted:
        return forms.RESULTS in answer.forms and _results_fit(wanted["results"], results, success)
    return True


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _codes_fit(wanted: Any, answer: Answer) -> bool:
    """Whether each standard object has one of the codes; of an error that a schema describes, whether a member is one."""
    if forms.FAILURE in answer.forms and isinstance(answer.value, dict):
        codes = {str(one) for one in _as_list(wanted)}
        return any(str(one) in codes for one in answer.value.values() if not isinstance(one, bool))
    return bool(answer.legs) and all(leg.code in _as_list(wanted) for leg in answer.legs)


def _legs_fit(wanted: Mapping[str, Any], answer: Answer) -> bool:
    if forms.PAIR not in answer.forms:
        return False
    bid, ask = answer.legs
    legs = (("bid", bid), ("ask", ask))
    return all(leg.code in _as_list(wanted[name]) for name, leg in legs if name in wanted)


def _results_fit(wanted: Any, results: Sequence[Mapping[str, Any]], success: str) -> bool:
    if wanted == "none":
        return all(entry.get(success) is False for entry in results)
    if wanted == "all":
        return bool(results) and all(entry.get(success) is True for entry in results)
    return len(results) == len(wanted) and all(
        want == "any" or entry.get(success) is want for want, entry in zip(wanted, results, strict=True)
    )


def in_words(alternatives: Sequence[Alternative]) -> str:
    """What would have been right, for the side by side of expected and actual."""
    return ", or ".join(dict.fromkeys(_one(alternative) for alternative in alternatives))


def _one(alternative: Alternative) -> str:
    wanted = alternative.wanted
    parts = []
    if "form" in wanted:
        parts.append(_FORM_WORDS.get(wanted["form"], str(wanted["form"])))
    if "code" in wanted:
        parts.append(_codes(wanted["code"]))
    if "detail" in wanted:
        parts.append("a detail")
    legs = [f"{name} with {_codes(wanted[name])}" for name in ("bid", "ask") if name in wanted]
    if legs:
        parts.append(" and ".join(legs))
    if "results" in wanted:
        flags = wanted["results"]
        parts.append(
            "success for all"
            if flags == "all"
            else "no success"
            if flags == "none"
            else f"results [{', '.join(str(flag).lower() for flag in flags)}]"
        )
    return " with ".join(parts)


def _codes(wanted: Any) -> str:
    codes = [str(code) for code in _as_list(wanted)]
    return f"code {codes[0]}" if len(codes) == 1 else f"code {', '.join(codes[:-1])} or {codes[-1]}"


ACCEPTED, REFUSED, OTHERWISE, SHAPELESS = "accepted", "refused", "otherwise", "shapeless"
"""How an answer is wrong: a success where none is allowed, none where there must be one, another one, or no outcome."""


def way_of(
    alternatives: Sequence[Alternative], answer: Answer, results: Sequence[Mapping[str, Any]], success: str
) -> str:
    """In which way an answer that fits no alternative is wrong."""
    others = {forms.FRAMEWORK, forms.HTTP_REFUSAL, forms.SESSION_MISSING, forms.FAILURE}
    if not answer.forms & (forms.STRUCTURED | others):
        return SHAPELESS
    listed = forms.RESULTS in answer.forms
    said = [entry.get(success) for entry in results] if listed else [leg.code for leg in answer.legs]
    if any(not isinstance(one, int) for one in said) or any(leg.result is (leg.code != 0) for leg in answer.legs):
        return SHAPELESS
    got = [one is True if listed else one == 0 for one in said] or [forms.DATA in answer.forms]
    alike = [one for one in alternatives if listed and "results" in one.wanted] or alternatives
    wanted = [_successes(one, len(got)) for one in alike]
    places = range(len(got))
    columns = [[flags[place] for flags in wanted] for place in places]
    if any(flag and not any(one in column for one in (True, None)) for flag, column in zip(got, columns, strict=True)):
        return ACCEPTED
    if any(not flag and column and all(column) for flag, column in zip(got, columns, strict=True)):
        return REFUSED
    more = all(any(got[place] and flags[place] is False for place in places) for flags in wanted)
    less = all(any(flags[place] and not got[place] for place in places) for flags in wanted)
    return OTHERWISE if more is less else ACCEPTED if more else REFUSED


def _successes(alternative: Alternative, parts: int) -> list[bool | None]:
    """For each part of an answer, whether this alternative has it a success; None where it may be one."""
    wanted = alternative.wanted
    said: list[bool | None]
    if "results" in wanted:
        flags = wanted["results"]
        said = [flags == "all"] if isinstance(flags, str) else [None if flag == "any" else flag for flag in flags]
    elif "bid" in wanted or "ask" in wanted:
        said = [_is_success(wanted.get(name)) for name in ("bid", "ask")]
    elif "code" in wanted:
        said = [_is_success(wanted["code"])]
    else:
        said = [None if wanted.get("form") == forms.SERVED else wanted.get("form") == forms.DATA]
    if len(said) == parts:
        return said
    return [said[0] if len(set(said)) == 1 else None if said else False] * parts


def _is_success(codes: Any) -> bool | None:
    """Whether one of the codes that are right is that of success; None where others are right as well."""
    if codes is None or (0 in _as_list(codes) and len(_as_list(codes)) > 1):
        return None
    return 0 in _as_list(codes)


CANCELLED, EXECUTED, UNKNOWN = "cancelled", "executed", "unknown"
TOUCHED, UNDONE = "touched", "undone"
"""How an effect is wrong: on something that should have stayed as it was, or none where there should have been one."""

CAME_BACK = "was cancelled, and came back"
"""What is said of something that was seen cancelled and is so no longer."""


@dataclass(frozen=True, slots=True)
class Effects:
    """The findings of one alternative, and the requirements whose effect nobody could observe."""

    findings: tuple[Finding, ...]
    unverified: tuple[str, ...]


_NOTHING = Effects((), ())


def judge_effects(
    expect: Expectation, alternative: Alternative, observation: Observation, operation: Operation
) -> Effects:
    """One finding for each watched thing that is not as this alternative has it."""
    if not alternative.cancelled and not alternative.untouched:
        return _NOTHING
    inside = not_done(expect, operation)
    findings: list[Finding] = []
    unverified: list[str] = []
    for name in alternative.cancelled:
        seen = _known(observation.after, name)
        if seen is None:
            unverified.append(inside)
        elif seen != CANCELLED:
            back = observation.shown.get(name) == CANCELLED
            message = f"{name} {CAME_BACK}" if back else f"{name} should have been cancelled and was not"
            findings.append(EFFECT.finding_on(inside, message, CANCELLED, seen, name, way=UNDONE))
    for name in alternative.untouched:
        seen, before = _known(observation.after, name), _known(observation.before, name)
        outside = not_asked(expect, alternative, operation, name)
        if seen is None or before is None or (seen == EXECUTED != before):  # a cancellation executes nothing
            unverified.append(outside)
        elif seen != before:
            message = f"{name} should not have been touched and was"
            findings.append(EFFECT.finding_on(outside, message, before, seen, name, way=TOUCHED))
    return Effects(tuple(findings), tuple(dict.fromkeys(unverified)))


def refused_earlier(operation: Operation, expect: Expectation, lacking: Finding, told: Sequence[str]) -> Finding:
    """The finding on something that only an earlier request names, and that is open since that one was refused.

    `told` is what the earlier requests were answered.
    """
    named = operation.explore.requirement.get("done", "") if operation.explore is not None else ""
    message = f"{lacking.at} was not cancelled: the earlier request, which alone names it, was refused"
    seen = f"{lacking.actual}; the earlier request was answered: {', then '.join(told)}"
    return OUTCOME.finding_on(named or expect.requirement, message, lacking.expected, seen, lacking.at, way=REFUSED)


def not_done(expect: Expectation, operation: Operation) -> str:
    """The requirement that breaks where something is reported cancelled and is not.

    The case names it; but a success without its effect is no error that had one, nor one that did too much.
    """
    named = expect.effect or expect.requirement
    if named in (_of_refusal(operation), operation.effect_beyond):
        return operation.effect_of_success or expect.requirement
    return named


def not_asked(expect: Expectation, alternative: Alternative, operation: Operation, name: str) -> str:
    """The requirement that breaks where a thing is touched that should not have been.

    The case names it; but a rule on errors says nothing of a success that cancelled more, nor of a page that was served,
    and no rule on successes says anything of what an error cancelled.
    """
    named, of_refusal = expect.outside or expect.effect or expect.requirement, _of_refusal(operation)
    if alternative.wanted.get("form") == forms.SERVED:
        return expect.requirement if named == of_refusal else named
    if _says_success(alternative):
        return operation.effect_beyond or named if named in (of_refusal, operation.effect_of_success) else named
    asked = any(name in one.cancelled for one in expect.any_of)
    if named == operation.effect_of_success or (asked and named == operation.effect_beyond):
        return of_refusal or named
    return named


def _of_refusal(operation: Operation) -> str:
    return operation.attribution.get(EFFECT.keys[0].name, "")


def _says_success(alternative: Alternative) -> bool:
    """Whether the answer of this alternative reports nothing but successes, and at least one."""
    wanted = alternative.wanted
    if wanted.get("form") == forms.DATA:
        return True
    flags = wanted.get("results", ())
    codes = [wanted[name] for name in ("code", "bid", "ask") if name in wanted]
    if flags in ("all", "none"):
        return bool(flags == "all")
    return bool(flags or codes) and all(flag is True for flag in flags) and all(_as_list(one) == [0] for one in codes)


def _known(states: Mapping[str, str], name: str) -> str | None:
    """How a thing stands; None where nobody looked, or who looked could not tell."""
    seen = states.get(name)
    return None if seen == UNKNOWN else seen


RELATION = Check(
    "relation",
    "the same request in another form gets the same answer",
    Stage.CASE,
    speaks_for="the requirement of the relation",
)
_COMPARED = (
    forms.RESULTS,
    forms.REFUSED,
    forms.FRAMEWORK,
    forms.PAIR,
    forms.FLAT,
    forms.STANDARD,
    forms.DATA,
    forms.FAILURE,
    forms.SESSION_MISSING,
)


def gist_of(
    answer: Answer, results: Sequence[Mapping[str, Any]], operation: Operation, members: Collection[str] = ()
) -> tuple[Any, ...]:
    """The form of an answer, then one entry for each leg or result; `members` are those that the document names."""
    form = next((name for name in _COMPARED if name in answer.forms), "other")
    if form == forms.RESULTS:
        return (form, *(_result(entry.get(operation.success), entry.get(operation.errors)) for entry in results))
    if form == forms.DATA and operation.method == "GET" and "formats-agree" in operation.attribution:
        return (
            form,
            json.dumps(_plain(answer.value, members), sort_keys=True),
        )  # what only reads answers the same again
    return (form, *(leg.code for leg in answer.legs))


def _plain(value: Any, members: Collection[str]) -> Any:
    """A value as every format says it: documented members that are not null, and a whole number as an integer."""
    if isinstance(value, dict):
        return {name: _plain(one, members) for name, one in value.items() if one is not None and name in members}
    if isinstance(value, list):
        return [_plain(one, members) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _result(flag: Any, errors: Any) -> bool | str | None:
    """A result's flag, and of a failure how many errors; what is no flag is written as JSON, so that it equals none."""
    if flag is False and isinstance(errors, list | tuple):
        return f"false with {len(errors)} {'error' if len(errors) == 1 else 'errors'}"
    return flag if flag is None or isinstance(flag, bool) else shown(flag)


def compare(twin: Twin, first: Judgement, seconds: Sequence[Judgement]) -> tuple[Finding, ...]:
    """A finding when the answers differ; none when either could not be read, for that is a finding of its own."""
    if not first.gist or not all(second.gist for second in seconds):
        return ()
    left = first.gist
    right: tuple[Any, ...] = (seconds[0].gist[0], *(part for second in seconds for part in second.gist[1:]))
    if twin.order and len(right) == len(twin.order) + 1:
        right = (right[0], *(right[1 + place] for place in twin.order))
    if left == right:
        return ()
    one, other = told_apart(first.summary, left, "; ".join(second.summary for second in seconds), right)
    message = f"the relation {twin.relation} does not hold: the same request is answered in two ways"
    return (RELATION.finding_on(twin.requirement, message, one, other, twin.relation),)


def told_apart(one: str, left: tuple[Any, ...], other: str, right: tuple[Any, ...]) -> tuple[str, str]:
    """Two summaries; where they say the same, with what differs behind them."""
    return (one, other) if one != other else (f"{one} ({_gist(left)})", f"{other} ({_gist(right)})")


def _gist(gist: tuple[Any, ...]) -> str:
    return ", ".join("no value" if part is None else part if isinstance(part, str) else shown(part) for part in gist)


def forms_differ(requirement: str, other_case: str, other_summary: str, summary: str) -> Finding:
    """The finding for one value that is answered in two ways, depending on the legal form it was written in."""
    return RELATION.finding_on(
        requirement,
        f"another legal form of the same value is answered differently: {other_case}",
        other_summary,
        summary,
        "wire form",
    )


STANDING = Check(
    "standing",
    "what the run has left standing changes by no message that may not change it, and what was cancelled stays so",
    Stage.CASE,
    speaks_for="the requirement on effects that the answer of the case falls under",
)


def moved(operation: Operation, expect: Expectation, what: str, seen: str, *, own: bool, success: bool) -> Finding:
    """The finding on a message of which something else changed than it may change, or something of its own, later on.

    `what` is the kind of thing and its place, `seen` how it stands; it should be open. `success` says whether one of the
    messages may have been a success.
    """
    requirement = operation.effect_beyond if success else _of_refusal(operation)
    whose = "which the message names, changed after its answer" if own else "which the message may not change, changed"
    return STANDING.finding_on(
        requirement or not_done(expect, operation), f"a thing of the run, {whose}", "open", seen, what, way=TOUCHED
    )


def undone(operation: Operation, expect: Expectation, what: str) -> Finding:
    """The finding on a message that cancelled something which is open again."""
    message = "what the message cancelled is open again"
    return STANDING.finding_on(
        operation.effect_of_success or not_done(expect, operation), message, CANCELLED, "open", what, way=UNDONE
    )
