"""What a case does on the target: states before, its messages, a look afterwards, and always the clean-up."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace

from conformance.cases.message import Bindings, fill, fill_body, fill_path, places, places_of
from conformance.checks.answer import Observation
from conformance.dialects.base import CANCELLED, OPEN, Handle, StateProvider, speaker_at
from conformance.dialects.own import Own, open_own, send_own_http, send_own_ws
from conformance.dialects.sessions import Sessions
from conformance.dialects.set_ups import Fate, words_of
from conformance.endpoint.desks import Desk
from conformance.endpoint.model import is_pin
from conformance.errors import HarnessError, NotCarriedOut, RoleUnavailable, StateUnavailable
from conformance.formats.json.format import JSON
from conformance.formats.registry import format_for
from conformance.guard.gate import Purpose, is_hiccup
from conformance.guard.link import Link
from conformance.model.case import PIPELINED, Case, Message, StateNeed
from conformance.run.books import Books
from conformance.run.canary import quoted
from conformance.run.judgement import cases_beside
from conformance.run.recording import Recorder
from conformance.wire.http.pipeline import Pipeline
from conformance.wire.http.spell import SPELLINGS as REQUEST_SPELLINGS
from conformance.wire.http.spell import cut_between_words
from conformance.wire.messages import TIMED_OUT, Exchange, Headers, HttpRequest, Place
from conformance.wire.ws.spell import SPELLINGS as FRAMINGS

_GRACE_S = 5.0
"""How long an interrupted case waits for the states that are under way."""
_CHUNK_BYTES = 64
_REMEMBERED, _ENOUGH, _FACTOR, _AT_ONCE_S = 64, 3, 3.0, 0.1
_PIN_NAMES = ("pin", "wrong_pin")


@dataclass(frozen=True, slots=True)
class Service:
    """One service of the target, ready to be used."""

    link: Link
    sessions: Sessions
    states: StateProvider
    settle_s: float
    clean_timeout_s: float = 5.0
    left_behind: list[str] = field(default_factory=list)
    """What was set up on the target and could not be taken back, in words."""
    doubtful: list[str] = field(default_factory=list)
    """The same where the taking back broke off, and nobody may have written down what was set up."""
    settled: deque[float] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    """How long after the answer the latest cancellations were seen."""
    untrue_lacks: set[str] = field(default_factory=set)
    """What the target file says the service lacks, and what was there all the same."""
    judging: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Who holds it judges a long answer."""
    secrets: dict[tuple[object, ...], tuple[str, ...]] = field(default_factory=dict)
    """What cases without states must not see again, by who sends and what he has; most cases have the same."""
    recorder: Recorder | None = None
    """Writes down what judgements rest on, in a run that keeps it."""
    books: Books = field(default_factory=Books)
    """What cases have left standing."""

    def note_settled(self, seconds: float) -> None:
        """Remember how long a cancellation took to show."""
        self.settled.append(seconds)

    @property
    def settles_slowly(self) -> bool:
        """Whether cancellations were seen to take their time on this service."""
        return len(self.settled) >= _ENOUGH and max(self.settled) > _AT_ONCE_S

    @property
    def settling_s(self) -> float:
        """How long to wait before a thing that is still open counts as left alone, where both would be right.

        As long as it may take, until it is known how long it takes here.
        """
        if len(self.settled) < _ENOUGH:
            return self.settle_s
        slowest_s = max(self.settled)
        return min(self.settle_s, _FACTOR * slowest_s) if slowest_s > _AT_ONCE_S else 0.0


@dataclass(slots=True)
class Setting:
    """What a case has come to so far."""

    origin: Desk
    """The desk as it was given, before states bound their ids."""
    role: str
    parked: Callable[[], None] = lambda: None
    """Told when all that is left is a second look, some time later."""
    purpose: Purpose = Purpose.JUDGED
    """What its own message is sent for: to be judged, or to be compared with another."""
    handles: tuple[Handle, ...] = ()
    exchanges: tuple[Exchange, ...] = ()
    earlier: tuple[Exchange, ...] = ()
    """What came of the messages before the judged one."""
    disturbed: str = ""
    """What the infrastructure did to a message, in words."""
    undone: bool = True
    """Nothing that it disturbed can have been carried out, as far as anybody can tell."""
    body: bytes = b""
    frame: bytes = b""
    pipeline: Pipeline | None = None
    place: Place | None = None
    """What goes out in one go with its message, and where that stands among it."""
    own: Own | None = None
    """The session that the case has to itself."""
    beside: tuple[tuple[Case, Setting], ...] = ()
    """What else was under way, each as a case with what came of it."""
    start_s: float = 0.0
    end_s: float = 0.0
    """When a step of a race began and ended, on one clock; without an answer it never did."""
    shown: Mapping[str, str] = field(default_factory=dict)
    """How things stood when a step of a race looked; of any other case, what was seen cancelled so far."""
    secrets: tuple[str, ...] | None = None
    """What must not come back, once it was asked for."""
    observations: tuple[Observation, ...] = ()
    """What was looked at last: of its message, and of those beside it."""
    seen: tuple[bytes, ...] = ()
    """The same of each of its messages, as it is recorded."""
    desk: Desk = field(init=False)

    def __post_init__(self) -> None:
        self.desk = self.origin


async def set_up(
    states: Mapping[str, StateNeed], turn: int | str, service: Service, setting: Setting, spare: Collection[str] = ()
) -> None:
    """Set up what is due after so many of the messages before the judged one, or in a race, and bind its ids.

    A `spare` state that this target cannot set up is left out; its effect is then not observed.
    """
    due = {name: need for name, need in states.items() if need.params.get("after", 0) == turn}
    for wave in _waves(due):
        for handle in await _prepare(wave, service, setting, spare):
            if service.link.service.lacks.reason(f"state.{wave[handle.name].state}"):
                service.untrue_lacks.add(f"state.{wave[handle.name].state}")
            setting.desk = setting.desk.with_bindings(handle.bindings)
            service.link.guard.grant(handle.bindings)


def _waves(states: Mapping[str, StateNeed]) -> list[dict[str, StateNeed]]:
    """What is set up side by side, and what behind that: a state that names another one, or is of its kind and account.

    So what is the older of two, and what the newer, is the same in each run.
    """
    waves: list[dict[str, StateNeed]] = []
    turns: dict[str, int] = {}
    for name, need in sorted(states.items(), key=lambda one: _names_another(one[1], states)):
        behind = [turn for other, turn in turns.items() if _is_behind(need, other, states[other])]
        turns[name] = max(behind, default=-1) + 1
        if turns[name] == len(waves):
            waves.append({})
        waves[turns[name]][name] = need
    return waves


def _is_behind(need: StateNeed, other: str, its: StateNeed) -> bool:
    alike = need.state == its.state and need.params.get("account") == its.params.get("account")
    return alike or _names_another(need, (other,))


def _names_another(need: StateNeed, others: Collection[str]) -> bool:
    """Whether a parameter stands for an id that another state binds."""
    texts = [value for value in need.params.values() if isinstance(value, str)]
    return any(name.partition(".")[0] in others for text in texts for name in places(text))


def spare_states(case: Case) -> frozenset[str]:
    """States that are only looked at, in a case that must cancel nothing: the answer can be judged without them."""
    if case.cancels:
        return frozenset()
    used = {name.partition(".")[0] for one in case.messages for name in places_of(one)}
    return frozenset(case.states) - used


async def _prepare(
    states: Mapping[str, StateNeed], service: Service, setting: Setting, spare: Collection[str]
) -> tuple[Handle, ...]:
    """Bring all states about side by side; what came about is known to `setting`, whatever becomes of the others."""
    tasks = [asyncio.ensure_future(service.states.prepare(name, need, setting.desk)) for name, need in states.items()]
    try:
        await asyncio.shield(asyncio.wait(tasks))
    except asyncio.CancelledError:
        await asyncio.wait(tasks, timeout=_GRACE_S)  # an order that is under way could not be taken back otherwise
        for task in tasks:
            task.cancel()
        raise
    finally:
        made = tuple(
            task.result() for task in tasks if task.done() and not task.cancelled() and task.exception() is None
        )
        setting.handles = (*setting.handles, *made)
    for need, task in zip(states.values(), tasks, strict=True):
        error = task.exception()
        if isinstance(error, StateUnavailable) and not error.thing:
            error.thing = f"state.{need.state}"
    return tuple(
        task.result()
        for name, task in zip(states, tasks, strict=True)
        if name not in spare or not isinstance(task.exception(), StateUnavailable)
    )


async def send_messages(
    case: Case, states: Mapping[str, StateNeed], service: Service, setting: Setting, spare: Collection[str]
) -> None:
    """The messages of a case in their order, each with the states that are due after it."""
    if case.session is not None:
        speaker, first = speaker_at(setting.desk, setting.role), case.session.first
        other = speaker_at(setting.desk, first) if first else None
        setting.own = await open_own(service.sessions, case.session, case.transport, speaker, other)
    for number, message in enumerate(case.before, 1):
        who = _speaking_as(setting, case.before_role) if case.before_role else setting
        setting.earlier = (*setting.earlier, await send_one(case, message, service, who, Purpose.EARLIER))
        if not setting.earlier[-1].sent:  # nothing is judged behind it
            return
        await set_up(states, number, service, setting, spare)
    if case.later and case.before:
        await asyncio.sleep(service.settle_s)
    if case.beside:
        await _send_side_by_side(case, service, setting)
    elif case.together == 1:
        setting.exchanges = (await send_one(case, case.message, service, setting, setting.purpose),)
    else:
        copies = (send_one(case, case.message, service, setting, setting.purpose) for _ in range(case.together))
        setting.exchanges = await all_ended(copies)


def _speaking_as(setting: Setting, role: str) -> Setting:
    """The same setting with another role, in the run's own session of that one."""
    other = copy(setting)
    other.role, other.own = role, None
    return other


async def _send_side_by_side(case: Case, service: Service, setting: Setting) -> None:
    """The judged message and those beside it, at the same moment and in the order in which they stand."""
    setting.beside = tuple((other, copy(setting)) for other in cases_beside(case))
    ways = ((case, setting), *setting.beside)
    if case.message.spelling == PIPELINED:
        pipeline = Pipeline(len(ways))
        for number, (_, its) in enumerate(ways):
            its.pipeline, its.place = pipeline, Place(pipeline, number)
    sent = (_send_in_its_place(one, service, its, setting.purpose) for one, its in ways)
    for (_, its), exchange in zip(ways, await all_ended(sent), strict=True):
        its.exchanges = (exchange,)


async def _send_in_its_place(case: Case, service: Service, setting: Setting, purpose: Purpose) -> Exchange:
    try:
        return await send_one(case, case.message, service, setting, purpose)
    finally:
        if setting.pipeline is not None:
            setting.pipeline.give_up()


async def all_ended(sends: Iterable[Awaitable[Exchange]]) -> tuple[Exchange, ...]:
    """What came of messages that are under way together; when one raises, all have ended before anything is taken back."""
    outcomes = await asyncio.gather(*sends, return_exceptions=True)
    for one in outcomes:
        if isinstance(one, BaseException):
            raise one
    return tuple(one for one in outcomes if isinstance(one, Exchange))


def all_under_way(setting: Setting) -> tuple[Setting, ...]:
    """The judged message, and those that were sent beside it, each with what came of it."""
    return (setting, *(its for _, its in setting.beside))


async def send_one(case: Case, message: Message, service: Service, setting: Setting, purpose: Purpose) -> Exchange:
    """One message of a case in the session that it is for. Raises `NotCarriedOut` where there is none."""
    desk, key = setting.desk, setting.desk.key(setting.role)
    speaker, own = speaker_at(desk, setting.role), setting.own
    if not case.transport.framed:

        def request_of(headers: Headers) -> HttpRequest:
            setting.body = body_bytes(message, desk.bindings, case.media_type)
            request = http_request(message, desk.bindings, case.media_type, headers)
            return request if setting.place is None else replace(request, place=setting.place)

        if own is not None:
            return await send_own_http(service.sessions, own, speaker, request_of, purpose)
        return await service.sessions.send_http(speaker, request_of, purpose)

    def text_of(number: int) -> bytes:
        text, setting.body = frame_text(message, desk.bindings, number)
        setting.frame = text
        return text

    quiet = any(one.wanted.get("form") == "silence" for one in case.expect.any_of)
    if own is not None:
        exchange = await send_own_ws(service.sessions, own, speaker, text_of, purpose, quiet=quiet)
    else:
        spelling = message.spelling if message.spelling in FRAMINGS else ""
        exchange = await service.sessions.send_ws(
            speaker, f"{key}#{desk.index}", text_of, purpose, quiet=quiet, spelling=spelling
        )
    problem = exchange.problem
    unanswered = problem is not None and problem.kind in TIMED_OUT and not exchange.sent  # it was the sign-in
    if problem is not None and (unanswered or (problem.kind == "handshake-refused" and not is_hiccup(exchange))):
        not_in = RoleUnavailable(problem.message)
        not_in.timed_out = unanswered
        raise not_in
    return exchange


def http_request(message: Message, bindings: Bindings, media_type: str, headers: Headers) -> HttpRequest:
    """The HTTP request of a message; a `Transfer-Encoding: chunked` header puts the body into chunks."""
    body = body_bytes(message, bindings, media_type)
    if any(name.lower() == "transfer-encoding" and "chunked" in value for name, value in message.headers):
        body = _chunked(body)
    spelling = message.spelling if message.spelling in REQUEST_SPELLINGS else ""
    return HttpRequest(message.method, fill_path(message.path, bindings), (*message.headers, *headers), body, spelling)


def body_bytes(message: Message, bindings: Bindings, media_type: str) -> bytes:
    """The body of a message as it is meant, whatever framing it goes out in."""
    into = format_for(media_type)
    body = fill_body(message.body, bindings, into)
    spell = into.spellings.get(message.spelling)
    return body if spell is None else spell(body.decode()).encode()


def _chunked(body: bytes) -> bytes:
    pieces = cut_between_words(body, _CHUNK_BYTES)
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def frame_text(message: Message, bindings: Bindings, number: int) -> tuple[bytes, bytes]:
    """The bytes of a frame, and of the payload in it."""
    assert message.frame is not None
    if message.body.data is not None:
        raise HarnessError("a frame carries its body as text; a body of bytes cannot be sent over a WebSocket")
    body = body_bytes(message, bindings, JSON.media_types[0])
    text = body.decode(message.body.encoding, "surrogatepass" if message.body.encoding.startswith("utf") else "strict")
    escaped = _escaped(text) if "${o_escaped}" in message.frame else ""
    inserts: Bindings = {"i": number, "o": json.dumps(text, ensure_ascii=False), "body": text, "o_escaped": escaped}
    return fill(message.frame, inserts).encode("utf-8", "surrogatepass"), body


def _escaped(text: str) -> str:
    """Every character of a JSON string as an escape (RFC 8259, 7)."""
    units = text.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[place : place + 2].hex()}" for place in range(0, len(units), 2))


async def observe(service: Service, setting: Setting) -> Mapping[str, str]:
    """How the watched things stand now; nothing where nobody can tell."""
    if not setting.handles:
        return {}
    try:
        seen = await service.states.observe(setting.handles, setting.desk)
        return {**seen, **quoted(setting.handles, setting.exchanges)}
    except (StateUnavailable, RoleUnavailable):
        return {}


async def clean(service: Service, setting: Setting, after: Mapping[str, str]) -> None:
    """Take back what the case set up, in bounded time, also when Ctrl-C comes while that is under way."""
    if not setting.handles:
        return
    cleaning = asyncio.ensure_future(_take_back(service, setting, after))
    try:
        await asyncio.shield(cleaning)
    except asyncio.CancelledError:
        await asyncio.wait((cleaning,))
        raise


async def _take_back(service: Service, setting: Setting, after: Mapping[str, str]) -> None:
    """What stays open is remembered for the end of the run. Time that the gate holds messages back does not count."""
    left = await _cleaned(service, setting, after)
    if left and service.settles_slowly:  # a cancellation that was accepted may only need time
        await asyncio.sleep(service.settling_s)
        left = await _cleaned(service, setting, after)
    service.left_behind.extend(left)


async def _cleaned(service: Service, setting: Setting, after: Mapping[str, str]) -> tuple[str, ...]:
    """Take back what is open; what could not be taken back in the time for it, in words."""
    gate, loop, case = service.link.gate, asyncio.get_running_loop(), setting.desk.case
    cleaning = asyncio.ensure_future(service.states.clean(setting.handles, after, setting.desk))
    until_s = loop.time() + service.clean_timeout_s - gate.waited.get(case, 0.0)
    while not cleaning.done() and (rest_s := until_s + gate.waited.get(case, 0.0) - loop.time()) > 0:
        await asyncio.wait((cleaning,), timeout=rest_s)
    if not cleaning.done():
        cleaning.cancel()
        await asyncio.wait((cleaning,))
    try:
        return cleaning.result()
    except (NotCarriedOut, asyncio.CancelledError):
        service.doubtful.extend(
            f"{name} {value}"
            for handle in setting.handles
            if OPEN in handle.before.values() and any(after.get(name) != CANCELLED for name in handle.before)
            for name, value in handle.bindings.items()
            if not is_pin(name)
        )
        return ()


async def look_back(service: Service, desks: Sequence[Desk]) -> None:
    """At the end of a run: take back what stands open of everything that was set up there, and say what is left.

    Ctrl-C, or the time for it, ends that: then all is named that may be left.
    """
    set_ups, gate, loop = service.sessions.set_ups, service.link.gate, asyncio.get_running_loop()
    due = set_ups.take()
    if not due:
        service.left_behind.extend(service.doubtful)
        return
    looking = asyncio.ensure_future(service.states.reclaim(due, desks))
    waited_s = gate.waited.get("", 0.0)
    until_s = loop.time() + service.clean_timeout_s + 2 * service.settle_s
    try:
        while not looking.done() and (rest_s := until_s + gate.waited.get("", 0.0) - waited_s - loop.time()) > 0:
            await asyncio.wait((looking,), timeout=rest_s)
        looking.cancel()
        await asyncio.wait((looking,))
        found = looking.result()
    except (NotCarriedOut, asyncio.CancelledError):
        looking.cancel()
        service.left_behind.extend(words_of(one) for one in due if one.key not in set_ups.said)
        return
    unanswered = {one.key for one in due if one.ids is None and not one.refused}
    set_ups.over(
        one.key for one in found if one.fate.good and (one.fate is Fate.TAKEN_BACK or one.key not in unanswered)
    )
    service.left_behind.extend(one.words for one in found if not one.fate.good)


def secret_name(service: Service, setting: Setting, secret: str) -> str:
    """What a secret of the case is, as the target file calls it: a key of the role, its session, a PIN."""
    role = setting.desk.roles.get(setting.role)
    named = {} if role is None else service.sessions.vault.named(role)
    for key, value in named.items():
        if value == secret:
            return f"{key} of role {setting.role}"
    own = () if setting.own is None else setting.own.secrets
    if secret in (*own, *service.sessions.secrets_of(setting.desk.key(setting.role))):
        return f"session of role {setting.role}"
    for name in (*_PIN_NAMES, *(f"{handle.name}.PIN" for handle in setting.handles)):
        if str(setting.desk.bindings.get(name, "")) == secret:
            return f"binding {name}"
    return ""


def secrets_of(service: Service, setting: Setting) -> tuple[str, ...]:
    """What the message carried, or its caller signed in with, that must not come back."""
    if setting.own is not None:
        return (*setting.own.secrets, *_secrets_of_caller(service, setting))
    return _secrets_of_caller(service, setting)


def _secrets_of_caller(service: Service, setting: Setting) -> tuple[str, ...]:
    if setting.secrets is None:
        key, bindings = setting.desk.key(setting.role), setting.desk.bindings
        tokens = service.sessions.secrets_of(key)
        own = (key, tokens, *[bindings.get(name) for name in _PIN_NAMES])
        if not setting.handles:
            setting.secrets = service.secrets.get(own)
        if setting.secrets is None:
            role = setting.desk.roles.get(setting.role)
            signed = () if role is None else service.sessions.vault.of_role(role)
            placed = [bindings.get(f"{handle.name}.PIN") for handle in setting.handles]
            setting.secrets = tuple(dict.fromkeys([str(one) for one in (*tokens, *signed, *own[2:], *placed) if one]))
            if not setting.handles:
                service.secrets[own] = setting.secrets
    return setting.secrets
