"""What a client made of one trial: were its requests legal, did they touch what was meant, does it believe what it was told?

What it was told is read from the answers by the same checks that judge a server. Where no whole answer came, the client may
say that it does not know, or what is true: it may have looked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from conformance.checks import answer as forms
from conformance.checks.judge import Pins
from conformance.checks.kit import Kit, build_kit
from conformance.checks.registry import Check, Stage
from conformance.clients.driver import CANCELLED, REFUSED, UNKNOWN, Belief, Believed, Failed, Reply, Unsupported
from conformance.clients.trials import Trial
from conformance.formats.errors import Number
from conformance.model.case import Transport
from conformance.model.spec import Operation
from conformance.model.verdict import Finding
from conformance.passive.judging import read_answer
from conformance.passive.ledger import second_call
from conformance.passive.requests import Request, RequestJudge
from conformance.passive.tapped import Framed, Tapped, frames_tapped
from conformance.wire.messages import HttpReply
from reference_impl.stage import Key, Scene, looks
from reference_impl.wire import Passage


def _check(name: str, looks_at: str) -> Check:
    return Check(f"client-{name}", looks_at, Stage.CASE, speaks_for="the requirement on what the client was told")


SURVIVES = _check("survives", "a client lives through every answer, and says in time what it believes")
BELIEF = _check("belief", "what a client believes is what it was told, of each leg and each result")
TOUCH = _check("touch", "a client touches what it was asked to cancel, and nothing else")
NAMES = _check("names", "a request names what the client was asked to cancel")
RETRY = _check("retry", "a client does not ask again for what may have been carried out")
CLIENT_CHECKS = (SURVIVES, BELIEF, TOUCH, NAMES, RETRY)
_TURNED_AWAY = (429, 503)
"""Statuses of a server that has not taken the call on."""
_UNSURE, _NOT_DONE = Belief(UNKNOWN), Belief("turned away")
"""The second: an answer that no document has, and that says plainly that the call was not taken on."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One call as the server heard it, and what its answer said of each part of the trial that it names."""

    tapped: Tapped
    request: Request | None = None
    told: Mapping[int, Belief] = field(default_factory=dict)
    status: int = 0
    looks: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a trial."""

    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    requirements: tuple[str, ...]
    heard: tuple[Heard, ...]
    unsupported: str = ""
    late: bool = False
    """Whether the client did not wait for an answer that came, so that nothing is known of what it makes of it."""


class ClientJudge:
    """Judges the trials of one operation."""

    def __init__(self, operation: Operation) -> None:
        self.operation = operation
        self._kit: Kit = build_kit(operation)
        self._requests = RequestJudge(operation)

    def judge(
        self, trial: Trial, scene: Scene, passages: Sequence[Passage], reply: Reply, before: frozenset[Key],
        after: frozenset[Key], *, late: bool = False,
    ) -> Outcome:  # fmt: skip
        """`before` and `after` are the things that were open; `late`: the client's own time-out may have passed."""
        operation = self.operation
        heard = tuple(self._heard(f"{trial.id}#{number}", one, scene) for number, one in enumerate(passages, 1))
        calls = [one for one in heard if one.request is not None]
        findings = [finding for one in calls if one.request is not None for finding in one.request.findings]
        notes = [note for one in calls if one.request is not None for note in one.request.notes]
        findings.extend(_misnamed(operation, scene, calls))
        findings.extend(_touched(operation, scene, before - after))
        findings.extend(_retried(operation, heard))
        unsupported, unheard = "", False
        if isinstance(reply, Unsupported):
            unsupported = reply.reason if not calls else ""
        elif isinstance(reply, Failed):
            findings.append(SURVIVES.finding_on(self._spoken(trial), reply.what, "what the client believes", "none"))
        else:
            found = list(self._disbelieved(trial, scene, calls, reply, after))
            unheard = late and bool(found) and all(one.actual == UNKNOWN for one in found)
            findings.extend([] if unheard else found)
            notes.extend(_codes_untold(calls, reply))
        held = [one for call in calls if call.request is not None for one in call.request.requirements]
        named = (*held, self._spoken(trial), *([operation.effect_beyond] if operation.effect_beyond else []))
        return Outcome(
            tuple(dict.fromkeys(findings)), tuple(dict.fromkeys(notes)), tuple(dict.fromkeys(named)), heard, unsupported,
            late=unheard,
        )  # fmt: skip

    def _spoken(self, trial: Trial) -> str:
        """The requirement on the answer that is played: that of its code, else that of the documented form."""
        found = next((one.requirement for one in self.operation.codes if one.code == trial.code), "")
        return found or self.operation.attribution["readable"]

    # What the server heard and said.

    def _heard(self, source: str, passage: Passage, scene: Scene) -> Heard:
        tapped = _tapped(source, passage)
        if passage.operation != self.operation.id:
            return Heard(tapped, looks=looks(passage))
        request = self._requests.judge(tapped)
        status = passage.response.status if passage.response is not None else 0
        return Heard(tapped, request, self._told(tapped, request, scene, whole=passage.whole), status)

    def _told(self, tapped: Tapped, request: Request, scene: Scene, *, whole: bool) -> Mapping[int, Belief]:
        """What an answer says of each part that the request names."""
        places = self._named(request, scene)
        if not whole or tapped.reply is None:
            return dict.fromkeys(places, _UNSURE)
        judgement = read_answer(self._kit, tapped, request, {}, Pins())
        form, *parts = judgement.gist or ("other",)
        if form in (forms.REFUSED, forms.SESSION_MISSING, forms.FRAMEWORK):
            return dict.fromkeys(places, Belief(REFUSED) if form == forms.REFUSED else _NOT_DONE)
        if form == forms.RESULTS:
            told = [Belief(CANCELLED if one is True else REFUSED) for one in parts]
        elif form in (forms.STANDARD, forms.FLAT, forms.PAIR):
            told = [Belief(CANCELLED) if one == 0 else Belief(REFUSED, one) for one in parts]
        else:
            told = []
        if len(told) == 1:
            return dict.fromkeys(places, told[0])
        return dict(zip(places, told, strict=True)) if len(told) == len(places) else dict.fromkeys(places, _UNSURE)

    def _named(self, request: Request, scene: Scene) -> tuple[int, ...]:
        """The places of the parts that a request names, in its order; all of them where it cannot be said."""
        whole = tuple(range(len(scene.parts)))
        items = self.operation.shape.entries(request.value) if self.operation.shape.instructs else None
        if items is None:
            return whole
        places = {key: place for place, keys in enumerate(scene.parts) for key in keys}
        found = [places.get(_identity(self.operation, item)) for item in items]
        return tuple(one for one in found if one is not None) if None not in found else whole

    # What the client believes.

    def _disbelieved(
        self, trial: Trial, scene: Scene, calls: Sequence[Heard], reply: Believed, after: frozenset[Key]
    ) -> Iterator[Finding]:
        operation = self.operation
        for place, (keys, belief) in enumerate(zip(scene.parts, reply.parts, strict=True)):
            at = operation.shape.legs[place] if operation.shape.legs else f"/{place}" if len(scene.parts) > 1 else ""
            told = [one.told[place] for one in calls if place in one.told]
            if not told:
                yield BELIEF.finding_on(
                    operation.effect_of_success or operation.attribution["readable"],
                    "a client that is asked to cancel sends no request for it", "a request", str(belief), at, way="unsent",
                )  # fmt: skip
                continue
            right = _right(told, gone=not any(key in after for key in keys))
            if any(_agree(belief, one) for one in right):
                continue
            yield BELIEF.finding_on(
                self._requirement(trial, told[-1]), "the client does not believe what it was told",
                " or ".join(map(str, right)), str(belief), at, way=f"{told[-1].outcome}-{belief.outcome}",
            )  # fmt: skip

    def _requirement(self, trial: Trial, told: Belief) -> str:
        """The requirement that says what the client was told."""
        code = "0" if told.outcome == CANCELLED and not self.operation.shape.instructs else str(told.code)
        found = next((one.requirement for one in self.operation.codes if one.code == code), "")
        return found or self._spoken(trial)


def _right(told: Sequence[Belief], *, gone: bool) -> tuple[Belief, ...]:
    """What a client may believe that was told this, one call after the other; `gone`: nothing of it is open any more."""
    last = told[-1]
    if last.outcome == CANCELLED:
        return (last,)
    if last == _NOT_DONE:
        return (Belief(REFUSED), _UNSURE, *([Belief(CANCELLED)] if gone else []))
    if last.outcome == REFUSED:
        unsure = any(one.outcome == UNKNOWN for one in told)
        return (last, *([_UNSURE, *([Belief(CANCELLED)] if gone else [])] if unsure else []))
    return (_UNSURE, Belief(CANCELLED if gone else REFUSED))


def _agree(belief: Belief, right: Belief) -> bool:
    if belief.outcome != right.outcome:
        return False
    return belief.code is None or right.code is None or str(belief.code) == str(right.code)


def _codes_untold(calls: Sequence[Heard], reply: Believed) -> Iterator[str]:
    told = calls[-1].told if calls else {}
    for place, belief in enumerate(reply.parts):
        right = told.get(place)
        if right is not None and right.code is not None and belief.outcome == REFUSED and belief.code is None:
            yield "the client says that it was refused, and not with which code"


def _misnamed(operation: Operation, scene: Scene, calls: Sequence[Heard]) -> Iterator[Finding]:
    """Requests that name something else than the client was asked for; members that name nothing are left out."""
    requirement = operation.effect_beyond or operation.attribution["readable"]
    wanted = scene.members if isinstance(scene.members, list) else [scene.members]
    asked = {_identity(operation, one): one for one in wanted}
    for call in calls:
        value = call.request.value if call.request is not None else None
        for item in value if isinstance(value, list) else [value]:
            if not isinstance(item, dict):
                continue
            meant = asked.get(_identity(operation, item))
            if meant is None:
                message = "an instruction names what the client was not asked to cancel"
                yield NAMES.finding_on(
                    requirement, message, "an order that it was asked for", str(_identity(operation, item))
                )
                continue
            for name, content in item.items():
                if name in meant and not _is_nothing(content) and not _same(content, meant[name]):
                    message = f"{name} is another one than the client was asked for"
                    yield NAMES.finding_on(requirement, message, f'"{meant[name]}"', f'"{content}"', name)


def _identity(operation: Operation, item: Any) -> Any:
    """What an instruction names; None for a call that takes no instructions."""
    if not operation.identity or not isinstance(item, Mapping):
        return None
    for name in operation.identity:
        content = item.get(name)
        if not _is_nothing(content):
            return content.lower() if isinstance(content, str) else content
    return ""


def _is_nothing(content: Any) -> bool:
    return (
        content is None or content == "" or (type(content) is int and content == 0) or isinstance(content, (list, dict))
    )


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, Number):
        return bool(one == other)
    return str(one).strip().lower() == str(other).lower()


def _touched(operation: Operation, scene: Scene, closed: frozenset[Key]) -> Iterator[Finding]:
    meant = {key for keys in scene.parts for key in keys} | scene.may
    for key in sorted(closed - meant, key=str):
        yield TOUCH.finding_on(
            operation.effect_beyond or operation.attribution["effect"],
            "the client has cancelled what it was not asked to cancel", "open", f"{key} cancelled",
        )  # fmt: skip


def _retried(operation: Operation, heard: Sequence[Heard]) -> Iterator[Finding]:
    """Calls for what an earlier one may have done; a look at how things stand in between makes a call a new decision."""
    requirement = second_call(operation) or operation.effect_of_success or operation.attribution["readable"]
    open_questions: dict[int, str] = {}
    for one in heard:
        if one.looks:
            open_questions.clear()
        for place, told in one.told.items():
            if place in open_questions:
                message = f"the client asks again for what {open_questions[place]}"
                yield RETRY.finding_on(requirement, message, "no second request", "one", f"/{place}")
                return
            if told.outcome == CANCELLED:
                open_questions[place] = "was cancelled already"
            elif told.outcome == UNKNOWN and one.status not in _TURNED_AWAY:
                open_questions[place] = "may have been carried out"


def _tapped(source: str, passage: Passage) -> Tapped:
    """A call that has passed, as a recorded one."""
    if passage.request is None:
        messages = [Framed(True, 0.0, passage.frame.encode("utf-8", "surrogatepass"))]
        if passage.whole:
            messages += [Framed(False, 0.0, one.encode("utf-8", "surrogatepass")) for one in passage.replies]
        return next(frames_tapped(source, "ws://mock/", (), messages))
    request, response = passage.request, passage.response
    reply = None
    if response is not None and passage.whole:
        kind = (("Content-Type", response.content_type),) if response.content_type else ()
        reply = HttpReply(response.status, "", (*kind, *response.headers), response.body, "1.1")
    query = f"?{request.query}" if request.query else ""
    return Tapped(
        source, Transport.HTTP, request.method, f"http://mock{request.sent_path}{query}", request.headers, request.body,
        reply=reply, answer_gap="" if reply is not None else "no whole answer was sent",
    )  # fmt: skip
