"""Says what a run would send: the same session on a dry wire, case by case, and how often each message may go out.

A target decides some of the numbers: how long an effect takes, whether it throttles, whether it ends sessions. So each
message has three: at least, undisturbed (no throttling, no lost session or connection), and at most.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from conformance.cases.message import body_text, fill
from conformance.dialects.base import login_of, pauses_s, speaker_at
from conformance.dialects.own import MOST_OWN, AtMost
from conformance.dialects.sessions import MOST_ATTEMPTS, MOST_PROBES, MOST_SIGN_INS
from conformance.endpoint.choose import ChosenTarget, is_reference
from conformance.endpoint.desks import Desk
from conformance.endpoint.model import Binding, is_pin
from conformance.endpoint.redact import HIDDEN, redact
from conformance.errors import Hindrance
from conformance.formats.registry import format_for
from conformance.guard.gate import OF_A_CASE, Decision, Guard, Label, Message, Purpose
from conformance.guard.guard import Guard as ScopeGuard
from conformance.model.case import Body, Case, Transport
from conformance.model.case import Message as CaseMessage
from conformance.model.spec import Contract
from conformance.model.verdict import Verdict
from conformance.run.books import SOME
from conformance.run.dry import FIRST_ID, DryRun, Record
from conformance.run.execute import execute_judged
from conformance.run.schedule import FLAKY_ATTEMPTS
from conformance.run.session import Session, session
from conformance.run.setting import Service
from conformance.wire.messages import Headers, HttpRequest, ReplyMatch, WsRequest, with_agent

_LONG = 8
"""A shorter text of a pool could stand anywhere in a message."""
_NUMBERS = re.compile(r"\d+")
_SEQUENCE = re.compile(r'"i": *[0-9]+')


@dataclass(frozen=True, slots=True)
class Bounds:
    """How often: at least; with a target that neither throttles nor loses sessions or connections; and at most."""

    at_least: int = 0
    undisturbed: int = 0
    at_most: int = 0

    def __add__(self, other: Bounds) -> Bounds:
        return Bounds(
            self.at_least + other.at_least, self.undisturbed + other.undisturbed, self.at_most + other.at_most
        )


@dataclass(frozen=True, slots=True)
class Planned:
    """One message that a run would send, or several that differ in nothing but ids; every text is redacted.

    Ids made at run time stand as `${places}`. `hindrance` says why the message would not be sent, if it would not.
    """

    case: str
    operation: str
    purpose: Purpose
    role: str
    transport: Transport
    media_type: str
    count: Bounds
    method: str = ""
    path: str = ""
    headers: Headers = ()
    frame: str | None = None
    body: str = ""
    encoding: str = "utf-8"
    states: tuple[str, ...] = ()
    allowed: bool = True
    reason: str = ""
    hindrance: str = ""
    elsewhere: bool = False
    """It goes to an address of a login beside the service's own, and is not counted as sent to the target."""


async def undisturbed(
    contract: Contract, chosen: ChosenTarget, cases: Iterable[Case], operations: Iterable[str]
) -> int:
    """How many messages these cases take when nothing disturbs them."""
    dry = DryRun()
    async with session(contract, chosen, operations, dry=dry) as run:
        planner = Planner(run, dry)
        async for _ in planner.plan(cases):
            pass
    return sum(planner.totals.values(), Bounds()).undisturbed


async def outside_scope(contract: Contract, chosen: ChosenTarget, cases: Iterable[Case]) -> frozenset[str]:
    """The ids of these cases that the scope guard would not let through."""
    dry = DryRun()
    async with session(contract, chosen, {case.operation for case in cases}, dry=dry) as run:
        planned = Planner(run, dry).plan(cases)
        return frozenset([messages[0].case async for messages in planned if not all(one.allowed for one in messages)])


async def hindrances(
    contract: Contract, target: str | ChosenTarget, cases: Iterable[Case], operations: Iterable[str]
) -> AsyncIterator[tuple[Case, str]]:
    """Each case with the word for why this target cannot be sent it, "" where it can; operations that it lacks apart."""
    dry = DryRun()
    async with session(contract, target, operations, dry=dry) as run:
        planner = Planner(run, dry)
        for case in cases:
            if case.operation in run.kits:
                yield case, await planner.hindrance(case)


@dataclass(slots=True)
class _Granting:
    """The guard of one case: nothing is granted to it before, and it remembers which ids were made under which name."""

    guard: Guard
    names: dict[str, str] = field(default_factory=dict)

    def __call__(self, sent: Message) -> Decision:
        return self.guard(sent)

    def grant(self, bindings: Mapping[str, Binding]) -> None:
        """Pass them on, and remember those that only a dry run gives."""
        self.guard.grant(bindings)
        for name, value in bindings.items():
            if not is_pin(name) and (len(value) >= _LONG if isinstance(value, str) else value >= FIRST_ID):
                self.names[str(value)] = name

    @property
    def bounded(self) -> bool:
        """Always: each case may be the first at its place, and then it looks whether what it set up is shown there."""
        return True

    def known_as(self, number: int) -> str:
        return self.guard.known_as(number)


def _kind(planned: Planned) -> tuple[str, ...]:
    """Messages that differ in numbers alone are of one kind."""
    return planned.role, planned.transport.value, _NUMBERS.sub("#", planned.frame or planned.path)


@dataclass(slots=True)
class Planner:
    """Plans the cases of a dry session, one after the other, and adds up by purpose what they would send."""

    run: Session
    dry: DryRun
    totals: dict[Purpose, Bounds] = field(default_factory=lambda: dict.fromkeys(Purpose, Bounds()))
    _guard: Guard = field(init=False)
    _signed_in: dict[tuple[str, str, Transport], list[Record]] = field(default_factory=dict)
    """By service, role and transport: the messages of a sign-in."""
    _roaming: set[tuple[str, str, Transport]] = field(default_factory=set)
    """Who has been at work in a case that may run at any desk."""
    _elsewhere: Counter[tuple[str, str, Transport]] = field(default_factory=Counter)
    """How many sign-ins at other desks are planned: each case may be the first at one of them."""
    _told: dict[str, _Telling] = field(default_factory=dict)
    """By service: one of its cases."""
    _cancelling: dict[tuple[str, ...], Planned] = field(default_factory=dict)
    """What cases take back with, one of each kind, with how often that may be tried again at the end."""
    _looking: dict[tuple[str, ...], tuple[Planned, set[str]]] = field(default_factory=dict)
    """What cases look at their things with, one of each kind, and the places it asks for: so it is looked at what they
    leave standing."""
    _things: int = 0
    """How many things cases set up."""

    def __post_init__(self) -> None:
        self._guard = self.run.gate.guard
        self.dry.listen(self.run.gate)
        for service in self.run.services.values():
            self.dry.listen(service.link.elsewhere, elsewhere=True)

    async def plan(self, cases: Iterable[Case]) -> AsyncIterator[tuple[Planned, ...]]:
        """The messages of each case whose operation the target offers, in the order of sending; then those of the end."""
        for case in cases:
            if case.operation in self.run.kits:
                planned = self._counted(await self._planned(case))
                self._things += len(case.states)
                for one in planned:
                    self._remember(one)
                yield planned
        yield self._counted([one async for one in self._at_the_end()])

    def _counted(self, messages: Iterable[Planned]) -> tuple[Planned, ...]:
        planned = tuple(messages)
        for one in planned:
            if not one.elsewhere:
                self.totals[one.purpose] += one.count
        return planned

    def _remember(self, cleaning: Planned) -> None:
        """What takes something back may be sent once more at the end, if it is still open then; a look is taken again."""
        if cleaning.purpose is Purpose.OBSERVATION and cleaning.allowed:
            looking = self._looking.setdefault(_kind(cleaning), (replace(cleaning, case="", operation=""), set()))
            looking[1].add(cleaning.body or _SEQUENCE.sub("", cleaning.frame or ""))
        if cleaning.purpose is not Purpose.CLEAN_UP or not cleaning.allowed:
            return
        kind = _kind(cleaning)
        before = self._cancelling.setdefault(kind, replace(cleaning, case="", operation="", count=Bounds()))
        again = before.count + Bounds(0, 0, cleaning.count.at_most)
        self._cancelling[kind] = replace(before, count=again)

    async def _at_the_end(self) -> AsyncIterator[Planned]:
        """The look for what is still open then, at each place at each desk, and what takes it back."""
        run, limits = self.run, self.run.target.limits
        desks = max((len(desks) for desks in run.desks.values()), default=1)
        for one, places in self._looking.values():
            looks = (2 * desks + self._things // SOME) * len(places)
            most = (2 * desks + self._things) * len(places) * (limits.throttle_waits + 1) * MOST_ATTEMPTS
            yield replace(one, count=Bounds(0, looks if self._things else 0, most if self._things else 0))
        if is_reference(run.chosen.name):
            return
        for name, service in run.services.items():
            service.link.guard = _fresh(self._guard)
            self.dry.records.clear()
            await service.states.reclaim(service.sessions.set_ups.take(), run.desks[name])
            for record, count in _grouped(tuple(self.dry.records)):
                if record.label.purpose is Purpose.CLEAN_UP:
                    looks = count * len(run.desks[name])
                    most = looks * (2 + len(pauses_s(limits.settle_s))) * (limits.throttle_waits + 1) * MOST_ATTEMPTS
                    told = replace(self._told[name], names={})
                    yield replace(told.message(record, Bounds(0, looks, most)), case="", operation="")
        for one in tuple(self._cancelling.values()):
            yield one

    async def hindrance(self, case: Case) -> str:
        """The word for why a case would not be carried out; empty when it would."""
        run, name = self.run, self.run.contract.operations[case.operation].service
        run.gate.guard = _Granting(_fresh(self._guard))
        self.dry.begin(case)
        service = replace(run.services[name], settle_s=0)
        judged = await execute_judged(case, run.kits[case.operation], service, run.desks[name][0], run.judge)
        return str(judged.result.hindrance) or ("" if judged.result.verdict is Verdict.PASS else Hindrance.OTHER.value)

    async def _planned(self, case: Case) -> Iterator[Planned]:
        run, name = self.run, self.run.contract.operations[case.operation].service
        service, desk = replace(run.services[name], settle_s=0), run.desks[name][0]  # a plan waits for nothing
        guard = service.link.guard = _Granting(_fresh(self._guard))
        self.dry.begin(case)
        result = (await execute_judged(case, run.kits[case.operation], service, desk, run.judge)).result
        hindrance = "" if result.verdict is Verdict.PASS else result.reason
        told = _Telling(case, desk, result.role, service, guard.names, frozenset(run.vault.known))
        self._told[name] = told
        return self._lines(told, name, tuple(self.dry.records), guard, hindrance)

    def _lines(
        self, told: _Telling, name: str, records: tuple[Record, ...], guard: Guard, hindrance: str
    ) -> Iterator[Planned]:
        case, limits = told.case, self.run.target.limits
        times = FLAKY_ATTEMPTS if case.id in self.run.target.flaky else 1
        throttled = limits.throttle_waits + 1
        all_looks = 1 + len(pauses_s(limits.settle_s))
        looks = all_looks if case.cancels else 1
        in_session: dict[tuple[str, Transport], list[Purpose]] = {}
        signing_in: dict[tuple[str, Transport], list[Record]] = {}
        lasting = MOST_OWN if case.session is not None and case.session.lasts else AtMost()
        signed_in = 1 + lasting.new_sign_ins * len(case.messages)
        acted = cleaning = False
        for record, count in _grouped(records):
            purpose, role = record.label.purpose, record.label.role
            acted, cleaning = acted or purpose in OF_A_CASE, cleaning or purpose is Purpose.CLEAN_UP
            if not record.decision.allowed:
                yield told.message(record, Bounds())
                continue
            if purpose is Purpose.SIGN_IN:
                signing_in.setdefault((role, record.transport), []).append(record)
                yield told.message(record, Bounds(count, count, count * throttled * signed_in))
                continue
            # a case in a session of its own sends once, or once more in another one where that session is to last; only
            # a token that it changes comes from a session of the run
            own = case.session is not None and case.session.token == "whole" and purpose in OF_A_CASE
            keeps = not own and login_of(speaker_at(told.desk, role)) is not None
            if keeps:
                in_session.setdefault((role, record.transport), []).extend([purpose] * count)
            count *= times
            each = throttled * (MOST_ATTEMPTS if keeps else lasting.attempts if own else 1)
            least, usual = count // times, count
            if purpose is Purpose.OBSERVATION and not acted:  # whether what was set up stands there
                each *= all_looks
            elif purpose is Purpose.OBSERVATION:
                least, usual = (0, count) if cleaning else (least, count * looks)
            elif purpose is Purpose.CLEAN_UP and case.cancels:
                least = 0
            if purpose is Purpose.OBSERVATION and not self._guard.bounded:  # the looks at set-up are among them
                least = 0
            most = usual * each * (2 if cleaning else 1)
            yield told.message(record, Bounds(least, usual, most))
        yield from self._probes_of_own(told, records, guard, lasting.probes * times * throttled)
        for (role, transport), sign_in in signing_in.items():
            self._signed_in[name, role, transport] = sign_in
        for (role, transport), purposes in in_session.items():
            new = (role, transport) in signing_in
            yield from self._around(told, name, role, transport, purposes * times, guard, new=new)
        if hindrance and all(record.decision.allowed for record in records):
            yield told.unsent(
                Purpose.TWIN if Purpose.JUDGED in {one.label.purpose for one in records} else Purpose.JUDGED, hindrance
            )

    def _probes_of_own(
        self, told: _Telling, records: tuple[Record, ...], guard: Guard, most: int
    ) -> Iterator[Planned]:  # fmt: skip
        """The probes of a session that a case has to itself, at `most` so many for each message."""
        sent = Counter((one.label.role, one.transport) for one in records if one.label.purpose in OF_A_CASE)
        for (role, transport), count in sent.items() if most else ():
            probe = told.probe(role, transport, guard)
            if probe is not None and probe.decision.allowed:
                yield told.message(probe, Bounds(0, count, count * most))

    def _around(
        self,
        told: _Telling,
        name: str,
        role: str,
        transport: Transport,
        purposes: list[Purpose],
        guard: Guard,
        *,
        new: bool,
    ) -> Iterator[Planned]:
        """What the session may need beside the messages themselves: probes, sign-ins at other desks, and new ones."""
        throttled = self.run.target.limits.throttle_waits + 1
        messages = len(purposes)
        judged = sum(purpose in OF_A_CASE for purpose in purposes)
        probe = told.probe(role, transport, guard)
        if probe is not None:
            most = Bounds(0, judged, messages * MOST_PROBES * throttled) if probe.decision.allowed else Bounds()
            yield told.message(probe, most)
        sign_in = self._signed_in.get((name, role, transport), [])
        if self._may_be_new(told, (name, role, transport), new=new):
            for record in sign_in:
                yield told.message(record, Bounds(0, 1, throttled))
        again = messages * MOST_SIGN_INS
        if transport.framed:  # each attempt, and each probe, may find that the connection was closed
            again += messages * (MOST_ATTEMPTS + MOST_PROBES) * throttled
        for record in sign_in:
            yield told.message(record, Bounds(0, 0, again * throttled))

    def _may_be_new(self, told: _Telling, who: tuple[str, str, Transport], *, new: bool) -> bool:
        """Whether the case may be the first that needs a session at its desk, beside the case that signed in here."""
        name, role, transport = who
        roams = told.wanders or who in self._roaming
        if told.wanders:
            self._roaming.add(who)
        by_desk = transport.framed or role not in told.desk.common
        if new or not roams or not by_desk or self._elsewhere[who] >= len(self.run.desks[name]) - 1:
            return False
        self._elsewhere[who] += 1
        return True


def _fresh(guard: Guard) -> Guard:
    """The guard of the target file, to which nothing is granted yet."""
    if isinstance(guard, ScopeGuard) and not guard.scope.unlimited:
        return guard.afresh()
    return guard


def _grouped(records: Iterable[Record]) -> Iterator[tuple[Record, int]]:
    """Messages for one purpose that differ in numbers alone, as the first of them and how many there are."""
    groups: dict[tuple[object, ...], list[Record]] = {}
    acted = cleaning = False
    for record in records:
        message, label = record.message, record.label
        acted, cleaning = acted or label.purpose in OF_A_CASE, cleaning or label.purpose is Purpose.CLEAN_UP
        what: object = message
        if label.purpose not in OF_A_CASE:
            text = _text(message.text) if isinstance(message, WsRequest) else f"{message.path} {_text(message.body)}"
            what = _NUMBERS.sub("#", text)
        elif isinstance(message, WsRequest):
            what = _NUMBERS.sub("#", _text(message.text))
        when = (cleaning, acted or label.purpose is not Purpose.OBSERVATION)
        groups.setdefault((label, record.transport, what, record.decision, when), []).append(record)
    for group in groups.values():
        yield group[0], len(group)


def _encoding(body: Body) -> str:
    """How the bytes of a body are shown: those of a format that is no text as the characters of the same numbers."""
    return body.encoding if body.data is None else "latin-1"


def _text(content: str | bytes, encoding: str = "utf-8") -> str:
    return content if isinstance(content, str) else content.decode(encoding, "backslashreplace")


@dataclass(frozen=True, slots=True)
class _Telling:
    """One case, and what is needed to show its messages."""

    case: Case
    desk: Desk
    role: str
    service: Service
    names: Mapping[str, str]
    secrets: frozenset[str]

    @property
    def wanders(self) -> bool:
        """Whether the case may run at any desk."""
        return self.case.lane == "desk" or self.case.tier == "generated"

    def message(self, record: Record, count: Bounds) -> Planned:
        """A message as it stood at the gate."""
        message, label, case = record.message, record.label, self.case
        own = label.purpose in OF_A_CASE
        source = self._source(label.purpose)
        encoding = _encoding(source.body) if own else "utf-8"
        shared = Planned(
            case.id,
            case.operation,
            label.purpose,
            label.role,
            record.transport,
            self._media_type(record, own),
            count,
            encoding=encoding,
            states=self._states() if label.purpose is Purpose.JUDGED else (),
            allowed=record.decision.allowed,
            reason=self._hidden(record.decision.reason),
            elsewhere=record.elsewhere,
        )
        if isinstance(message, WsRequest):
            return replace(shared, frame=self._hidden(_text(message.text)))
        return replace(
            shared,
            method=message.method,
            path=self._hidden(message.path),
            headers=tuple(_hidden_header(name, value, self.secrets) for name, value in with_agent(message.headers)),
            body=self._hidden(_text(message.body, encoding)),
        )

    def unsent(self, purpose: Purpose, hindrance: str) -> Planned:
        """The message that the case does not come to, as far as it is known."""
        case, source = self.case, self._source(purpose)
        twin = case.twin if purpose is Purpose.TWIN else None
        transport, media_type = (twin or case).transport, (twin or case).media_type
        shown = body_text(source.body, self.desk.bindings, format_for(media_type), keep=True)
        return Planned(
            case.id,
            case.operation,
            purpose,
            self.role,
            transport,
            media_type,
            Bounds(),
            method="" if source.frame else source.method,
            path="" if source.frame else source.path,
            headers=source.headers,
            frame=None
            if source.frame is None
            else fill(source.frame, {"o": json.dumps(shown, ensure_ascii=False), "body": shown}, keep=True),
            body=self._hidden(shown),
            encoding=_encoding(source.body),
            states=self._states(),
            hindrance=self._hidden(hindrance),
        )

    def probe(self, role: str, transport: Transport, guard: Guard) -> Record | None:
        """The harmless call that tells whether a session still holds; None where there is none."""
        dialect = self.service.sessions.dialect
        found = dialect.probe(self.desk.bindings)
        if found is None:
            return None
        message: Message = (
            WsRequest(dialect.call_frame(0, *found), ReplyMatch(0))
            if transport.framed
            else dialect.call_request(*found, ((dialect.session_header, HIDDEN),))
        )
        return Record(message, Label(Purpose.PROBE, role, self.case.id), guard(message))

    def _source(self, purpose: Purpose) -> CaseMessage:
        case = self.case
        if purpose is Purpose.EARLIER and case.before:
            return case.before[0]
        return case.twin.messages[0] if purpose is Purpose.TWIN and case.twin else case.message

    def _media_type(self, record: Record, own: bool) -> str:
        if own:
            twin = self.case.twin
            return twin.media_type if record.label.purpose is Purpose.TWIN and twin else self.case.media_type
        headers = record.message.headers if isinstance(record.message, HttpRequest) else ()
        return next((value for name, value in headers if name.lower() == "content-type"), "application/json")

    def _states(self) -> tuple[str, ...]:
        """The states that are set up first, in words."""
        case, known = self.case, self.desk.bindings
        if case.provoke is not None:
            provocation = self.service.link.service.provocation(case.operation, case.provoke)
            if provocation is not None and provocation.without_states:
                return ()
        return tuple(
            self._hidden(f"{name}: {need.state}" + (f" ({params})" if params else ""))
            for name, need in case.states.items()
            for params in [
                ", ".join(f"{key}={fill(str(value), known, keep=True)}" for key, value in need.params.items())
            ]
        )

    def _hidden(self, text: str) -> str:
        """The text without secrets, and with the ids that the dry run made as places."""
        for value, name in self.names.items():
            if value in text:
                text = text.replace(value, f"${{{name}}}")
        return redact(text, (), self.secrets)


@lru_cache(maxsize=4096)
def _hidden_header(name: str, value: str, secrets: frozenset[str]) -> tuple[str, str]:
    return name, redact(f"{name}: {value}", (), secrets)[len(name) + 2 :]
