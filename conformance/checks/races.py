"""Judges calls that overlapped: for each order and quote, whether some order of the calls explains what was answered.

The model of one thing is wide where the documents are. A success is a receipt: the thing may be shown as open for a
while, and not again once it was shown as gone. A call for a whole account may leave its quotes or take them, and what it
has received and not yet done another call may do first. A second success for a quote means receipt as well; for an order
there is one success. A call without an answer may have taken effect or not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from conformance.checks import answer as forms
from conformance.checks.answer import Observation, Raced
from conformance.checks.history import MOST_STEPS, Call, GaveUp, Search
from conformance.checks.identity import instructions_of, match_results
from conformance.checks.kit import Kit
from conformance.checks.outcome import ACCEPTED, CANCELLED, TOUCHED, UNDONE
from conformance.checks.read import read_answer
from conformance.checks.registry import Check, Stage
from conformance.formats.registry import format_for
from conformance.model.spec import Operation
from conformance.model.verdict import Finding

RACE = Check(
    "race",
    "calls that overlap are answered, and take effect, as in some order one after the other",
    Stage.CASE,
    speaks_for="the requirement that `explore` of the operation names for what no order explains",
)
ABSENT, OPEN, TAKEN, RECEIVED, GONE = "absent", "open", "taken", "received", "gone"
"""How a thing stands: not there yet, open, received by a call for its account or by one for itself, shown as gone."""
DONE, REFUSED, FAILED = "done", "refused", "failed"
"""What a call said of a thing: success, that there is none, or that it could not be carried out."""
_CALLS = ("cancel", "cancel-all")
END = "end"
"""The look behind everything, when effects have had their time."""
_CODES = {0: DONE, 100: REFUSED, 104: REFUSED, 101: FAILED}
_FOREVER = float("inf")
Parts = tuple[str, ...]
Asked = tuple[str, int]
"""What is done, and to which part of the thing; a quote has two."""
_UNSEEN = ("cancelled", "refused", "untouched")
"""What nobody can tell where the thing is not shown at the end."""


@dataclass(frozen=True, slots=True)
class ThingModel:
    """One order, or the two legs of one quote, when calls come one after the other."""

    first: Parts
    quote: bool = False
    once: bool = True
    """Whether one call for it succeeds at most."""

    def after(self, state: Parts, what: Asked, told: str | None) -> Iterator[Parts]:
        """How it may stand behind a call."""
        does, part = what
        now = state[part]
        if does == "place":
            return _moved(state, part, OPEN, now == ABSENT)
        if does in ("look", END):
            return self._looked(state, part, told, last=does == END)
        if told == FAILED:
            return iter((state,))
        if told == REFUSED:
            return iter((state,) if self._refuses(state, part, does) else ())
        return self._done(state, part, does)

    def _looked(self, state: Parts, part: int, told: str | None, *, last: bool) -> Iterator[Parts]:
        now = state[part]
        if told == CANCELLED:
            return _moved(state, part, GONE, now in (TAKEN, RECEIVED, GONE))
        if told is None or now == OPEN or (not last and now in (TAKEN, RECEIVED)):
            return iter((state,))
        return iter(())

    def _refuses(self, state: Parts, part: int, does: str) -> bool:
        """Whether the thing can be said not to be there; of a quote, one leg that is gone speaks for both."""
        if does == "cancel-all":
            return self.quote or state[part] != OPEN
        return any(one != OPEN for one in state)

    def _done(self, state: Parts, part: int, does: str) -> Iterator[Parts]:
        """Behind a success; without an answer, behind what may have been one."""
        now = state[part]
        if does == "cancel-all":
            if self.quote or now != OPEN:
                yield state
            if now == OPEN:
                yield _put(state, part, TAKEN)
        elif now in (OPEN, TAKEN):
            yield _put(state, part, RECEIVED)
        elif not self.once and now != ABSENT:
            yield state


def _put(state: Parts, part: int, word: str) -> Parts:
    return (*state[:part], word, *state[part + 1 :])


def _moved(state: Parts, part: int, word: str, possible: bool) -> Iterator[Parts]:
    return iter((_put(state, part, word),) if possible else ())


@dataclass(frozen=True, slots=True)
class _Line:
    """One entry of the history of a thing: the step that it is of, None for the look at the end."""

    call: Call[Asked, str]
    step: Raced | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the histories of a race come to."""

    findings: tuple[Finding, ...] = ()
    history: str = ""
    """The calls that no order explains, one a line."""
    unverified: tuple[str, ...] = ()
    undecided: str = ""
    """Why nothing is known of a history."""


@dataclass(slots=True)
class _Gathered:
    findings: list[Finding] = field(default_factory=list)
    steps: dict[int, Raced] = field(default_factory=dict)
    unverified: list[str] = field(default_factory=list)
    undecided: str = ""


def judge_race(kit: Kit, observation: Observation, most_steps: int = MOST_STEPS) -> Outcome:
    """One finding for each thing whose history no order explains; the smallest part of it is what is shown."""
    operation, found = kit.operation, _Gathered()
    told = [tuple(_told(kit, one)) for one in observation.raced]
    named = _requirements(operation)
    for names in _things(observation):
        lines = list(_lines(observation, told, names, looks="shown" in named))
        model = _model(operation, observation, names)
        search: Search[Parts, Asked, str] = Search(model, most_steps)
        calls = [one.call for one in lines]
        try:
            if search.explains(calls):
                found.unverified.extend(named[key] for key in _UNSEEN if not _seen(lines) and key in named)
                continue
            at_once = _at_once(lines)
            small = [lines[number] for place in search.smallest(calls, at_once) for number in at_once[place]]
        except GaveUp:
            found.undecided = f"the calls for {_name(names)} are too many to be put in order"
            continue
        found.findings.append(_finding(named, names, small, lines))
        found.steps.update((id(one.step), one.step) for one in small if one.step is not None)
    shown = sorted(found.steps.values(), key=lambda one: one.seen.start_s)
    history = "\n".join(_drawn(shown, observation, told)) if shown else ""
    return Outcome(tuple(found.findings), history, tuple(dict.fromkeys(found.unverified)), found.undecided)


def _requirements(operation: Operation) -> Mapping[str, str]:
    assert operation.explore is not None
    return {"refused": operation.attribution["effect"], **operation.explore.requirement}


def _things(observation: Observation) -> list[tuple[str, ...]]:
    """The watched names of each order, and those of the two legs of each quote."""
    found: dict[str, list[str]] = {}
    for name in observation.before:
        found.setdefault(_name((name,)), []).append(name)
    return [tuple(names) for names in found.values()]


def _name(names: Sequence[str]) -> str:
    return names[0].partition(".")[0]


def _model(operation: Operation, observation: Observation, names: Sequence[str]) -> ThingModel:
    placed = {name for one in observation.raced if one.step.does == "place" for name in one.step.things}
    first = tuple(
        ABSENT if _name(names) in placed else GONE if observation.before[name] == CANCELLED else OPEN for name in names
    )
    return ThingModel(first, quote=len(names) > 1, once=not operation.shape.legs)


def _told(kit: Kit, one: Raced) -> Iterable[str | None]:
    """What a call said of each of its things; None of what cannot be read, or is no call of the operation."""
    things = one.step.things
    exchange = one.exchange
    if one.step.does not in ("cancel", "cancel-all") or exchange is None or exchange.problem is not None:
        return [None] * len(things)
    read = read_answer(kit, exchange, one.seen.frame, one.case.accept)
    if forms.RESULTS in read.forms:
        codec = kit.codec(format_for(one.case.media_type))
        sent = instructions_of(one.seen.body, codec, kit.operation.fields, kit.operation.shape)
        matching = match_results(kit, sent, read.results)
        flags = [_FLAGS.get(entry.get(kit.operation.success)) for entry in matching.ordered]
        return flags if len(flags) == len(things) and not matching.findings else [None] * len(things)
    if forms.REFUSED in read.forms:
        return [FAILED] * len(things)
    if forms.PAIR in read.forms and len(read.legs) == len(things):
        return [_CODES.get(_code(leg.code)) for leg in read.legs]
    codes = {_CODES.get(_code(leg.code)) for leg in read.legs}
    return [codes.pop() if len(codes) == 1 else None] * len(things)


_FLAGS: Mapping[Any, str] = {True: DONE, False: FAILED}


def _code(code: int | None) -> int:
    return -1 if code is None else code


def _lines(
    observation: Observation, told: Sequence[Sequence[str | None]], names: Sequence[str], *, looks: bool
) -> Iterator[_Line]:
    """The history of one thing. A look on the way counts where the document says what it shows."""
    for one, said in zip(observation.raced, told, strict=True):
        does = one.step.does
        if does == "place" and _name(names) in one.step.things:
            for part in range(len(names)):
                yield _Line(Call(("place", part), "placed", one.seen.start_s, one.seen.end_s), one)
        elif does == "look" and looks:
            for part, name in enumerate(names):
                if one.seen.shown.get(name) in (OPEN, CANCELLED):
                    yield _Line(Call(("look", part), one.seen.shown[name], one.seen.start_s, one.seen.end_s), one)
        elif does in ("cancel", "cancel-all", "beside"):
            for name, word in zip(one.step.things, said, strict=True):
                if name in names:
                    what = ("cancel" if does == "beside" else does, names.index(name))
                    yield _Line(Call(what, word, one.seen.start_s, one.seen.end_s if word else _FOREVER), one)
    for part, name in enumerate(names):
        if observation.after.get(name) in (OPEN, CANCELLED):
            yield _Line(Call((END, part), observation.after[name], _FOREVER, _FOREVER), None)


def _at_once(lines: Sequence[_Line]) -> list[list[int]]:
    """The numbers of the lines of each step: an answer says what it says of both legs, or nothing."""
    found: dict[int, list[int]] = {}
    for number, one in enumerate(lines):
        found.setdefault(id(one.step), []).append(number)
    return list(found.values())


def _seen(lines: Sequence[_Line]) -> bool:
    return any(one.call.what[0] == END for one in lines)


def _finding(named: Mapping[str, str], names: Sequence[str], small: Sequence[_Line], lines: Sequence[_Line]) -> Finding:
    """What is broken where no order explains these answers, in the words of the sentence that they break."""
    said = [(one.call.what[0], one.call.told) for one in small]
    done = [does for does, told in said if told == DONE]
    ends = {names[one.call.what[1]]: one.call.told for one in small if one.call.what[0] == END}
    name = _name(names)
    if _refused_and_gone(small, lines):
        message = f"{name} was cancelled, and each call that could have done it was refused"
        return _broken(named["refused"], message, OPEN, CANCELLED, name, TOUCHED)
    if ends and done:
        name = next((one for one, told in ends.items() if told == OPEN), name)
        message = f"{name} should have been cancelled and was not"
        return _broken(named["cancelled"], message, CANCELLED, OPEN, name, UNDONE)
    if ends and not any(does in _CALLS for does, _ in said):
        message = f"{name} should not have been touched and was"
        return _broken(named.get("untouched", named["refused"]), message, OPEN, CANCELLED, name, TOUCHED)
    if any(does == "look" for does, _ in said):
        message = f"{name} was shown as no order of the calls can have left it"
        shown = ", then ".join(dict.fromkeys(str(told) for does, told in said if does == "look"))
        return _broken(named["shown"], message, "what the calls before have left", shown, name)
    if len(done) > 1:
        again = named.get("twice") or named.get("again") or named["done"]
        return _broken(
            again, f"{name} was cancelled more than once", "one success", f"{len(done)} successes", name, ACCEPTED
        )
    message = f"{name} was open, and a call for it was told that it is not there"
    return _broken(named["done"], message, "success", "not found", name)


def _refused_and_gone(small: Sequence[_Line], lines: Sequence[_Line]) -> bool:
    """Whether something has been cancelled by calls none of which says so, these among them."""
    calls = [one.call.told for one in lines if one.call.what[0] in _CALLS]
    gone = any(one.call.what[0] == END and one.call.told == CANCELLED for one in lines)
    meant = any(one.call.what[0] in _CALLS for one in small)
    return meant and gone and all(told in (REFUSED, FAILED) for told in calls)


def _broken(requirement: str, message: str, expected: str, actual: str, at: str, way: str = "") -> Finding:
    return RACE.finding_on(requirement, message, expected, actual, at, way=way)


def _drawn(steps: Iterable[Raced], observation: Observation, told: Sequence[Sequence[str | None]]) -> Iterator[str]:
    """A time line: one line a call with its interval, from the first of the race on; then how things stood."""
    begin_s = min(one.seen.start_s for one in observation.raced)
    words = {id(one): said for one, said in zip(observation.raced, told, strict=True)}
    for one in steps:
        until = f"{(one.seen.end_s - begin_s) * 1000:8.1f}" if one.seen.end_s < _FOREVER else "       …"
        who = f"{one.case.role} over {one.case.transport.label}"
        does = f"{one.step.does} {' '.join(one.step.things) or 'what does not exist'}"
        yield f"{(one.seen.start_s - begin_s) * 1000:8.1f} {until} ms  {who:<26} {does:<32} {_answer(one, words[id(one)])}"
    ends = ", ".join(f"{name} {word}" for name, word in observation.after.items())
    yield f"{'at the end':>20}  {ends or 'nothing was shown'}"


def _answer(one: Raced, said: Sequence[str | None]) -> str:
    if one.seen.shown:
        return ", ".join(f"{name} {word}" for name, word in one.seen.shown.items())
    if one.step.does == "place":
        return "done"
    return ", ".join(dict.fromkeys(word or "no answer that counts" for word in said))
