"""The core: a recorded exchange in, a result for the request and one for the answer out, and at the end the effects.

The request is held against the contract's request side, the answer against what the contract allows for that request: the
same checks that judge an answer in a run. What a listener cannot know is `not-verified`, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from conformance.checks import answer as forms
from conformance.checks.answer import Judgement, Observation
from conformance.checks.judge import Pins, judge
from conformance.checks.kit import Kit, build_kit
from conformance.checks.outcome import ACCEPTED, OUTCOME
from conformance.dialects.alphapoint import id_in, is_refusal, listing_of, members_of, reply_value
from conformance.dialects.alphapoint.session import PLACED, SHOWN, SIGN_INS
from conformance.errors import Hindrance
from conformance.formats.errors import CodecError
from conformance.formats.frames import decode_frame
from conformance.formats.json.read import decode_json
from conformance.guard.gate import Purpose, hiccup_words, is_hiccup, was_throttled
from conformance.model.case import Alternative, Body, Case, Expectation, Message
from conformance.model.paths import is_at
from conformance.model.spec import Contract, Operation, Shape
from conformance.model.verdict import CaseResult, Finding, Recorded, Verdict
from conformance.passive.credentials import sent_in, shown_in
from conformance.passive.ledger import MOST_EVENTS, Deed, Event, Key, Listed, Opened, deeds_of, follow, twice_in_one
from conformance.passive.overflow import Overflow
from conformance.passive.requests import Request, RequestJudge
from conformance.passive.tapped import Eras, Tapped
from conformance.run.evidence import evidence_of, redacted_finding
from conformance.wire.messages import Exchange, HttpReply, header_values

CLIENT, SERVER = "client", "server"
_IGNORED = ("OPTIONS", "HEAD")
"""Methods that browsers send of their own accord."""
_MOST_SECRETS = 4000
_MOST_SESSIONS = 10_000
MOST_LISTED = 30_000
"""So many results are kept whole; of what comes then, those that pass are counted, and written to a file."""
_MOST_FAILED = 10_000
"""So many more that do not pass are kept."""
_MOST_FULL = 200
"""So many failing exchanges are kept with their whole bytes, of the others the beginning."""
UNSEEN = "a listener does not see what became of orders: the recording has no later list that shows it"


@dataclass(frozen=True, slots=True)
class Options:
    """How recordings are judged. `settle_s`: how long an effect may take to show, in seconds."""

    pins: Pins = field(default_factory=Pins)
    settle_s: float = 2.0
    alone: bool = False
    """Nobody else acts on the accounts: what is gone was cancelled by a call of the recording."""
    requests: bool = True
    answers: bool = True
    exchange: str | None = None
    """The exchange, or the result of one, that alone is reported; None reports all."""

    def wants(self, result: str) -> bool:
        """Whether the result of this id is reported."""
        return self.exchange is None or result == self.exchange or result.startswith(f"{self.exchange}/")


@dataclass(slots=True)
class _Operation:
    kit: Kit
    requests: RequestJudge


class Judging:
    """Takes exchanges one by one; `finish` adds what only the whole recording shows."""

    def __init__(self, contract: Contract, options: Options, scope: Callable[[Tapped], str] | None = None) -> None:
        self._operations = dict(contract.operations)
        self._known: dict[str, _Operation] = {}
        self.options = options
        self._scope = scope
        self._results: dict[str, CaseResult] = {}
        self._far: dict[str, CaseResult] = {}
        """Answers that are counted alone, without their evidence, until their effects are known."""
        self.overflow = Overflow()
        self.eras = Eras()
        self._events: list[Event] = []
        self._secrets: dict[str, dict[str, str]] = {}
        """By session: the credentials that it has shown, with the words for each."""
        self._all_secrets: dict[str, None] = {}
        self._failing = 0
        self.others = 0
        """Exchanges that are no call of the contract."""
        self.overfull = False
        """Whether there was more than is followed."""

    def take(self, tapped: Tapped) -> tuple[CaseResult, ...]:
        """Judge one exchange; its results so far, none for what is no call of the contract."""
        operation = self.operation_of(tapped)
        if operation is None or tapped.method in _IGNORED:
            self.others += 1
            self._listen(tapped)
            return ()
        known = self._of(operation)
        tapped = replace(tapped, era=self.eras.of(tapped))
        request = known.requests.judge(tapped)
        secrets = self._learned(tapped, request.value)
        answer, deed = self._answer(known, tapped, request, secrets)
        made = [self._of_request(tapped, request)] if self.options.requests else []
        if self.options.answers:
            made.append(answer)
        followed = deed is not None and self._note(deed)
        for one in made:
            if not self._keep(one) and one is answer and followed and self.options.wants(one.id):
                self._far[one.id] = replace(one, exchanges=(), notes=(), readings=())
        return tuple(made)

    def _keep(self, result: CaseResult) -> bool:
        """Keep a result whole; False where it was counted alone, or nobody wants it."""
        if not self.options.wants(result.id):
            return False
        most = MOST_LISTED + _MOST_FAILED if result.verdict is Verdict.FAIL else MOST_LISTED
        if len(self._results) < most:
            self._results[result.id] = result
            return True
        self.overflow.take(result)
        return False

    def finish(self) -> tuple[CaseResult, ...]:
        """The results of everything that was taken, with what later traffic showed of earlier calls."""
        follow(self._events, self.options.settle_s, alone=self.options.alone)
        if self.options.answers:
            for deed in deeds_of(self._events):
                self._settle(deed)
        return tuple(self._results.values())

    def operation_of(self, tapped: Tapped) -> Operation | None:
        """The operation that an exchange calls, however its name is spelt."""
        if tapped.transport.framed:
            name = decode_frame(tapped.frame).members.get("n")
            call = name.lower() if isinstance(name, str) else None
            return next((one for one in self._framed() if one.call.lower() == call), None)
        at = [one for one in self._operations.values() if is_at(one.path, tapped.path)]
        # a path without arguments is meant before one with them, and of several calls at a path that of the method
        return min(at, key=lambda one: (len(one.in_path), one.method != tapped.method), default=None)

    def _framed(self) -> Iterable[Operation]:
        return (one for one in self._operations.values() if any(way.framed for way in one.transports))

    def _of(self, operation: Operation) -> _Operation:
        found = self._known.get(operation.id)
        if found is None:
            found = self._known[operation.id] = _Operation(build_kit(operation), RequestJudge(operation))
        return found

    # Credentials.

    def _learned(self, tapped: Tapped, value: Any) -> dict[str, str]:
        """The credentials that must not come back to this request: its own, and those of its session."""
        mine = self._secrets.setdefault(tapped.session, {})
        if len(self._secrets) > _MOST_SESSIONS:
            del self._secrets[next(iter(self._secrets))]
        for secret, words in sent_in(tapped, value):
            mine.setdefault(secret, words)
            if len(self._all_secrets) < _MOST_SECRETS:
                self._all_secrets[secret] = None
        return mine

    # What is no call of the contract may still show how things stand.

    def _listen(self, tapped: Tapped) -> None:
        call = self._call_of(tapped)
        if call not in PLACED and call not in SHOWN and call not in SIGN_INS:
            return
        value, answer = _value_of(tapped.body), reply_value(tapped.exchange)
        mine = self._learned(tapped, value)
        if call in SIGN_INS:
            for secret, words in shown_in(answer):
                self._secrets.setdefault(secret, {**mine})[secret] = words
                mine[secret] = words
                self._all_secrets[secret] = None
            return
        asked = members_of(value)
        if isinstance(answer, (dict, list)) and not is_refusal(answer):
            event = _shown_by(call, replace(tapped, era=self.eras.of(tapped)), asked, answer)
            if event is not None:
                self._note(event)

    def _call_of(self, tapped: Tapped) -> str:
        if not tapped.transport.framed:
            return tapped.path.rstrip("/").rpartition("/")[2].lower()
        name = decode_frame(tapped.frame).members.get("n")
        return name.lower() if isinstance(name, str) else ""

    def _note(self, event: Event) -> bool:
        """Follow what it says; False where there is too much already."""
        if len(self._events) >= MOST_EVENTS:
            self.overfull = True
            return False
        self._events.append(event)
        return True

    # The request.

    def _of_request(self, tapped: Tapped, request: Request) -> CaseResult:
        notes = list(request.notes)
        outside = self._scope(tapped) if self._scope is not None else ""
        if outside:
            notes.append(f"outside the scope of the target file: {outside}")
        if tapped.request_gap:
            verdict, reason, why = Verdict.NOT_VERIFIED, tapped.request_gap, Hindrance.BEYOND.value
        else:
            verdict, reason, why = (Verdict.FAIL if request.findings else Verdict.PASS), "", ""
        return self._result(
            tapped, request, "request", CLIENT, verdict, request.findings, reason=reason, hindrance=why,
            requirements=request.requirements, notes=tuple(notes),
        )  # fmt: skip

    # The answer.

    def _answer(
        self, known: _Operation, tapped: Tapped, request: Request, secrets: Mapping[str, str]
    ) -> tuple[CaseResult, Deed | None]:
        exchange = tapped.exchange
        lost, why = _lost(tapped, exchange)
        operation = known.kit.operation
        if lost:
            result = self._result(
                tapped, request, "answer", SERVER, Verdict.NOT_VERIFIED, reason=lost, hindrance=why,
                requirements=_general(operation, tapped),
            )  # fmt: skip
            return result, None
        judgement = read_answer(known.kit, tapped, request, secrets, self.options.pins)
        deed = _deed(tapped, request, judgement, f"{tapped.source}/answer")
        findings = [*judgement.findings]
        if not judgement.blocked and judgement.gist:
            findings.extend(_contradictions(request, judgement))
            if deed is not None:
                findings.extend(twice_in_one(deed))
        beyond = f"the answer was not read: {judgement.beyond}" if judgement.beyond and not findings else ""
        verdict = Verdict.FAIL if findings else Verdict.NOT_VERIFIED if beyond else Verdict.PASS
        proven = [one.requirement for one in operation.codes if one.code == judgement.code_seen]
        result = self._result(
            tapped, request, "answer", SERVER, verdict, tuple(findings), reason=beyond,
            hindrance=Hindrance.BEYOND.value if beyond else "",
            requirements=(*_general(operation, tapped), *proven),
            notes=judgement.notes,
        )  # fmt: skip
        return replace(
            result, readings=judgement.readings, blocked=judgement.blocked, code_seen=judgement.code_seen
        ), deed

    # The effect.

    def _settle(self, deed: Deed) -> None:
        answer, far = self._results.get(deed.result), self._far.get(deed.result)
        if answer is None and far is None:
            return
        listed = answer is not None
        answer = answer or far
        assert answer is not None
        known = tuple(self._all_secrets)
        found = tuple(redacted_finding(one, known) for one in deed.findings)
        operation = deed.operation
        done = not deed.refused
        named = operation.effect_of_success if done else operation.attribution.get("effect", "")
        effects = [one for one in found if one.check == "effect" or not listed]
        others = tuple(one for one in found if one not in effects)
        if others:
            self._results[answer.id] = replace(answer, verdict=Verdict.FAIL, findings=(*answer.findings, *others))
        effect = replace(
            answer, id=f"{deed.result.removesuffix('/answer')}/effect", findings=tuple(effects), readings=(), notes=(),
            blocked=(), code_seen=None, requests=0, reason="", hindrance="",
        )  # fmt: skip
        if effects:
            effect = replace(effect, verdict=Verdict.FAIL, requirements=tuple({one.requirement for one in effects}))
        elif deed.effect_seen:
            effect = replace(effect, verdict=Verdict.PASS, requirements=(named,) if named else ())
        else:
            wanted = tuple(dict.fromkeys(one for one in (named, operation.effect_beyond) if one))
            effect = replace(
                effect, verdict=Verdict.NOT_VERIFIED, requirements=wanted, reason=UNSEEN, accepted=UNSEEN,
                hindrance=Hindrance.UNSEEN.value, exchanges=(),
            )  # fmt: skip
        if listed:
            self._results[effect.id] = effect
        else:
            self._keep(effect)

    def _result(
        self, tapped: Tapped, request: Request, part: str, role: str, verdict: Verdict,
        findings: tuple[Finding, ...] = (), *, reason: str = "", hindrance: str = "", requirements: tuple[str, ...] = (),
        notes: tuple[str, ...] = (),
    ) -> CaseResult:  # fmt: skip
        known = tuple(self._all_secrets)
        full = bool(findings) and self._failing < _MOST_FULL
        self._failing += full
        exchange = tapped.exchange
        evidence = evidence_of(
            [replace(exchange, sent=sent_of(tapped), received=received_of(tapped))], known, full=full
        )
        recorded = Recorded(
            Purpose.JUDGED.value, role, tapped.transport.value, tapped.started_s, tapped.elapsed_s, reason, evidence
        )
        return CaseResult(
            id=f"{tapped.source}/{part}",
            operation=request.operation.id,
            requirements=tuple(dict.fromkeys(requirements)),
            tier="named",
            transport=tapped.transport.value,
            media_type=request.media_type,
            role=role,
            verdict=verdict,
            findings=tuple(redacted_finding(one, known) for one in findings),
            reason=reason,
            requests=int(part == "request"),
            exchanges=(recorded,),
            notes=notes,
            hindrance=hindrance,
        )


def read_answer(kit: Kit, tapped: Tapped, request: Request, secrets: Mapping[str, str], pins: Pins) -> Judgement:
    """What the checks make of an answer, against what the contract allows for its request."""
    seen = Observation(
        (tapped.exchange,), tapped.body, tapped.frame, secrets=tuple(secrets), name_of=lambda one: secrets.get(one, "")
    )
    return judge(kit, _case_for(tapped, request), seen, pins)


def _lost(tapped: Tapped, exchange: Exchange) -> tuple[str, str]:
    """Why an answer is not judged, in words and in the word that reports count by; both empty when it is."""
    if tapped.answer_gap:
        return tapped.answer_gap, Hindrance.BEYOND.value
    if was_throttled(exchange):
        return "the message was turned away with TOO MANY REQUESTS", Hindrance.INFRASTRUCTURE.value
    if is_hiccup(exchange):
        return hiccup_words(exchange), Hindrance.INFRASTRUCTURE.value
    return "", ""


def _general(operation: Operation, tapped: Tapped) -> tuple[str, ...]:
    """The requirements that every answer shows to be kept or broken."""
    keys = ["readable", "schema", "secrets", "bad-input", "status", "one-each", "identity"]
    if tapped.transport.framed:
        keys = [one for one in keys if one != "status"] + [f"frame-{member}" for member in "mino"]
    return tuple(operation.attribution[one] for one in keys if one in operation.attribution)


def _case_for(tapped: Tapped, request: Request) -> Case:
    operation = request.operation
    expectation = Expectation(operation.attribution["readable"], tuple(_allowed(tapped, request)))
    return Case(
        id=tapped.source, operation=operation.id, title="recorded", requirements=(), role=SERVER,
        transport=tapped.transport, media_type=request.media_type, message=Message(Body()), expect=expectation,
        accept=_accept(tapped, request),
    )  # fmt: skip


def _accept(tapped: Tapped, request: Request) -> str | None:
    """The media type that an answer must have, where the request leaves one alone."""
    operation = request.operation
    if tapped.transport.framed or not request.regular:
        return None
    if not operation.shape.instructs:
        return operation.media_types[0]
    values = header_values(tapped.headers, "accept")
    if len(values) == 1 and values[0].strip() in operation.media_types:
        return values[0].strip()
    return None


def _allowed(tapped: Tapped, request: Request) -> list[Alternative]:
    """What the contract allows for this request, whatever the world behind it is like."""
    operation = request.operation
    wanted: list[dict[str, Any]] = []
    if operation.shape.instructs:
        items = operation.shape.entries(request.value)
        if items is not None and _well_typed(operation, items):
            wanted.append({"results": ["any"] * len(items)})
        else:
            wanted.append({"form": forms.RESULTS})
        wanted += [{"form": forms.REFUSED}, {"form": forms.LENGTH_REQUIRED}, {"form": forms.TOO_LONG}]
    elif operation.shape is Shape.PAIR:
        errors = [int(one.code) for one in operation.codes if one.code.isdecimal() and one.code != "0"]
        wanted += [{"form": forms.PAIR}, {"form": forms.FLAT, "code": errors}]
    elif operation.shape is Shape.DATA:
        wanted += [{"form": forms.DATA}, {"form": forms.FAILURE}]
    else:
        wanted.append({"form": forms.STANDARD})
    if not tapped.transport.framed and not operation.shape.instructs:
        wanted += [{"form": forms.SESSION_MISSING}, {"form": forms.TOO_LONG}]
    if not request.regular:
        wanted += [{"form": one} for one in (forms.FRAMEWORK, forms.HTTP_REFUSAL, forms.ERROR_FRAME, forms.SILENCE)]
    return [Alternative(one) for one in wanted]


def _well_typed(operation: Operation, items: list[Any]) -> bool:
    """Whether each item is an instruction whose values are of their types, so that each has a result."""
    types: dict[str, tuple[type, ...]] = {"integer": (int,), "boolean": (bool,), "string": (str,), "guid": (str,)}
    for item in items:
        if not isinstance(item, dict) or not item.keys() <= operation.fields.keys():
            return False
        for name, value in item.items():
            told = operation.fields[name]
            if value is None:
                if not told.nullable:
                    return False
            elif type(value) not in types.get(told.type or "", (int, str)):
                return False
    return True


def _contradictions(request: Request, judgement: Judgement) -> list[Finding]:
    """Successes of what cannot succeed, by the request alone."""
    form, *parts = judgement.gist
    found = []
    for wrong in request.hopeless:
        told = parts if wrong.place is None else parts[wrong.place : wrong.place + 1]
        success = any(one is True for one in told) if form == forms.RESULTS else any(one == 0 for one in told)
        success = success or form == forms.DATA
        if success:
            at = "answer" if wrong.place is None else f"/{wrong.place}"
            message = "a request succeeds that lacks what the document demands of it"
            found.append(
                OUTCOME.finding_on(wrong.requirement, message, "an error", judgement.summary, at, way=ACCEPTED)
            )
    return list(dict.fromkeys(found))


def _deed(tapped: Tapped, request: Request, judgement: Judgement, result: str) -> Deed | None:
    """What the call did, as far as its answer can be read."""
    if judgement.blocked or not judgement.gist:
        return None
    operation, (form, *parts) = request.operation, judgement.gist
    values = members_of(request.value)
    told = operation.explore.members if operation.explore is not None else {}
    oms, account = (values.get(_member_of(operation, kind)) for kind in ("oms", "account"))
    success = [one is True if form == forms.RESULTS else one == 0 for one in parts]
    deed = Deed(
        result, operation, tapped.world, tapped.session, tapped.started_s, tapped.started_s + tapped.elapsed_s,
        oms if type(oms) is int else None, account if type(account) is int and account > 0 else None,
        refused=not any(success), code=parts[0] if parts and form != forms.RESULTS else None,
    )  # fmt: skip
    if operation.shape.instructs:
        deed.named = _named_by_instructions(tapped, request, success)
    elif operation.shape is Shape.PAIR:
        legs = [values.get(told.get(leg, "").lower()) for leg in ("bid", "ask")]
        flags = success if len(success) == 2 else success * 2
        deed.named = tuple(
            ((tapped.world, deed.oms, one), flag) for one, flag in zip(legs, flags, strict=False) if type(one) is int
        )
    elif "order" in told:
        order, client = values.get(told["order"].lower()), values.get(told.get("client", "").lower())
        if type(order) is int and client is None and success:
            deed.named = (((tapped.world, deed.oms, order), success[0]),)
    else:
        places = [_member_of(operation, kind) for kind in ("oms", "account")]
        narrowed = any(name not in places for name in values)
        sweeping = operation.explore is not None and operation.explore.model == "cancel-all"
        deed.sweeps = bool(sweeping and success and success[0] and deed.account is not None and not narrowed)
    return deed


def _member_of(operation: Operation, kind: Literal["oms", "account"]) -> str:
    """The member that names a thing of this kind, in lower case; "" where the operation has none."""
    told = operation.explore.members if operation.explore is not None else {}
    members = operation.scope.members.items() if operation.scope is not None else ()
    return told.get(kind, next((name for name, one in members if one.kind == kind), "")).lower()


def _named_by_instructions(
    tapped: Tapped, request: Request, success: list[bool]
) -> tuple[tuple[Key, bool | None], ...]:
    operation, items = request.operation, request.operation.shape.entries(request.value)
    if items is None or len(items) != len(success) or not _well_typed(operation, items):
        return ()
    named: list[tuple[Key, bool | None]] = []
    condition = operation.condition
    for item, flag in zip(items, success, strict=True):
        needs = condition.half(item.get(condition.flag, False)).needs if condition is not None else operation.identity
        ids = [item.get(name) for name in operation.identity if name in needs]
        if len(ids) == 1 and ids[0] is not None:
            one = ids[0].lower() if isinstance(ids[0], str) else ids[0]
            named.append(((tapped.world, operation.service, one), flag))
    return tuple(named)


def _shown_by(call: str, tapped: Tapped, asked: Mapping[str, Any], answer: Any) -> Event | None:
    """What a call around the operations says of orders and quotes."""
    oms, account = asked.get("omsid"), asked.get("accountid")
    if type(oms) is not int or type(account) is not int:
        return None
    ended_s = tapped.started_s + tapped.elapsed_s
    if call in PLACED:
        ids = [id_in(answer, name) for name in PLACED[call]]
        keys = tuple((tapped.world, oms, one) for one in ids if one is not None)
        return Opened(ended_s, keys, account, tapped.session, len(PLACED[call]) > 1) if keys else None
    entries = answer if isinstance(answer, list) else [one for one in answer.values() if isinstance(one, dict)]
    found = listing_of(entries)
    if found is None:
        return None
    whole = SHOWN[call] and not set(asked) - {"omsid", "accountid"}
    return Listed(tapped.started_s, ended_s, tapped.world, oms, account, tuple(found), tapped.session, whole)


def _value_of(body: bytes) -> Any:
    try:
        return decode_json(body).value
    except CodecError:
        return None


def sent_of(tapped: Tapped) -> bytes:
    """The message as it would stand on the wire; what a recording has lost of it is missing."""
    if tapped.transport.framed:
        return tapped.frame
    lines = [f"{tapped.method} {tapped.url} HTTP/1.1", *(f"{name}: {text}" for name, text in tapped.headers)]
    return "\r\n".join(lines).encode("utf-8", "replace") + b"\r\n\r\n" + tapped.body


def received_of(tapped: Tapped) -> bytes:
    """The same of what answered it."""
    reply = tapped.reply
    if reply is None:
        return b"\n".join(tapped.others)
    if not isinstance(reply, HttpReply):
        return reply.text
    lines = [f"HTTP/1.1 {reply.status} {reply.reason}", *(f"{name}: {text}" for name, text in reply.headers)]
    return "\r\n".join(lines).encode("utf-8", "replace") + b"\r\n\r\n" + reply.body
