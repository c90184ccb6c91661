"""Says what a run would send, without a socket: each message as far as it can be known, and what the scope guard says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from conformance.cases.message import Bindings, body_text, fill, is_text, places
from conformance.dialects.base import ANONYMOUS, INVENTED, Dialect, login_named
from conformance.endpoint.model import Binding, Role, Secret, ServiceTarget, TargetFile, is_pin
from conformance.endpoint.redact import HIDDEN
from conformance.endpoint.seats import Seat, seats
from conformance.endpoint.secrets import plain
from conformance.errors import HarnessError
from conformance.guard.gate import Guard
from conformance.model.case import Case, Message, StateNeed
from conformance.model.spec import Contract
from conformance.plugins import find_dialect
from conformance.run.message import form_of, frame_text, http_request
from conformance.run.states.provider import unset_names
from conformance.wire.messages import Headers, HttpRequest, ReplyMatch, WsRequest

_STAND_IN = 7_000_000_000_000
_STAND_IN_UID = "00000000-0000-4000-8000-{:012d}"


@dataclass(frozen=True, slots=True)
class Planned:
    """One message that a run would send, in the text form that people read; ids made at run time are still `${places}`.

    `part` is "before", "message" or "twin". `hindrance` says why the case would not get so far, if it would not.
    """

    case: str
    operation: str
    part: str
    copies: int
    role: str
    transport: str
    media_type: str
    states: tuple[str, ...]
    method: str
    path: str
    headers: Headers
    frame: str | None
    body: str
    encoding: str
    allowed: bool
    reason: str
    hindrance: str = ""


@dataclass(frozen=True, slots=True)
class _Stage:
    """A case as it would be played: who acts, from which seat, with which states brought about first."""

    case: Case
    service: ServiceTarget
    seat: Seat
    role: str
    states: Mapping[str, StateNeed]
    dialect: Dialect
    hindrance: str = ""


def plan(
    cases: Iterable[Case], contract: Contract, target: TargetFile, new_guard: Callable[[], Guard]
) -> Iterator[Planned]:
    """Every message of the cases, in their order; `new_guard` gives each case a guard to which nothing is granted yet."""
    places_at = {name: _seat(service) for name, service in target.services.items()}
    for case in cases:
        name = contract.operations[case.operation].service
        service = target.services.get(name)
        if service is None:
            continue
        dialect: Dialect = find_dialect(contract.services[name].dialect)()
        stage = _staged(case, service, places_at[name], dialect)
        guard = new_guard()
        for message in case.before:
            yield _planned(stage, message, "before", 1, guard)
        yield _planned(stage, case.message, "message", case.together, guard)
        if case.twin is not None:
            twin = case.twin
            said = replace(
                case, transport=twin.transport, media_type=twin.media_type, role=twin.role or case.role, twin=None
            )
            other = _staged(said, service, places_at[name], dialect)
            for message in twin.messages:
                yield _planned(other, message, "twin", 1, guard)


def _seat(service: ServiceTarget) -> Seat:
    """The first seat, without the bindings that are secrets: a plan fetches none."""
    desks = tuple(desk.model_copy(update={"bindings": plain(desk.bindings)}) for desk in service.desks)
    return seats(service.model_copy(update={"bindings": plain(service.bindings), "desks": desks}))[0]


def _staged(case: Case, service: ServiceTarget, seat: Seat, dialect: Dialect) -> _Stage:
    stage = _Stage(case, service, seat, case.role, case.states, dialect)
    if case.provoke is not None:
        stage = _provoked(stage, case.provoke)
    return stage if stage.hindrance else replace(stage, hindrance=_hindrance(stage))


def _provoked(stage: _Stage, code: str) -> _Stage:
    errors = stage.service.errors
    way = errors.get(stage.case.operation, {}).get(code) or errors.get("any", {}).get(code)
    if way is None:
        return replace(stage, hindrance=f"the target file does not say how code {code} is brought about")
    if way.unreachable is not None:
        return replace(stage, hindrance=f"unreachable: {way.unreachable}")
    seat = stage.seat.with_bindings(way.bindings)
    states = stage.states
    if way.without_states:
        unknown = seat.bindings.get("unknown_order", 0)
        seat = seat.with_bindings(dict.fromkeys(unset_names(states), unknown))
        states = {}
    return replace(stage, seat=seat, role=way.role or stage.role, states=states)


def _hindrance(stage: _Stage) -> str:
    if (stage.service.http if stage.case.transport == "http" else stage.service.websocket) is None:
        kind = "HTTP" if stage.case.transport == "http" else "WebSocket"
        return f"the target file names no {kind} address for this service"
    if stage.role not in (ANONYMOUS, INVENTED) and stage.role not in stage.seat.roles:
        return f"the target offers no role {stage.role!r}"
    named = {*stage.service.states.pool, *stage.service.states.by_state}
    if stage.service.states.provider == "none":
        for need in stage.states.values():
            if need.state not in named:
                return f"the target file does not say how the state {need.state!r} is brought about"
    return ""


def _planned(stage: _Stage, message: Message, part: str, copies: int, guard: Guard) -> Planned:
    case, known = stage.case, stage.seat.bindings
    form = "json" if case.transport == "ws" else form_of(case.media_type)
    shown = body_text(message.body, known, form, keep=True)
    missing = places(shown)
    headers = _headers(stage) if case.transport == "http" else ()
    request = _request(stage, message, {**known, **_stand_ins(missing, guard)}, headers)
    decision = None if request is None else guard(request)
    unbound = [name for name in missing if not _from_state(name, stage) and not _is_secret(name, stage.service)]
    frame = None
    if message.frame is not None:
        inserts: Bindings = {"o": json.dumps(shown, ensure_ascii=False), "body": shown}
        frame = fill(message.frame, inserts, keep=True)
    hindrance = stage.hindrance or "".join(f"the target binds no value for ${{{name}}}" for name in unbound[:1])
    return Planned(
        case.id, case.operation, part, copies, stage.role, case.transport, case.media_type,
        tuple(_state_words(name, need, known) for name, need in stage.states.items()),
        message.method if frame is None else "", message.path if frame is None else "", (*message.headers, *headers), frame,
        shown, message.body.encoding, decision is None or decision.allowed,
        "" if decision is None else decision.reason, hindrance,
    )  # fmt: skip


def _request(stage: _Stage, message: Message, bindings: Bindings, headers: Headers) -> HttpRequest | WsRequest | None:
    """The message with stand-ins for what a run would bring about; nothing when it cannot be written."""
    try:
        if message.frame is None:
            return http_request(message, bindings, stage.case.media_type, headers)
        return WsRequest(frame_text(message, bindings, 2)[0], ReplyMatch(2))
    except HarnessError:
        return None


def _stand_ins(missing: Iterable[str], guard: Guard) -> dict[str, Binding]:
    """Ids that nothing has, granted to the guard as those of a run are."""
    ids: dict[str, Binding] = {}
    for number, name in enumerate(missing, 1):
        if is_pin(name):
            ids[name] = f"{number:04d}"
            guard.grant({name: ids[name]})
            continue
        ids[name] = _STAND_IN_UID.format(number) if is_text(name) else _STAND_IN + number
        guard.grant({name: ids[name]})
    return ids


def _from_state(name: str, stage: _Stage) -> bool:
    return any(name == state or name.startswith(f"{state}.") for state in stage.states)


def _is_secret(name: str, service: ServiceTarget) -> bool:
    return any(isinstance(table.get(name), Secret) for table in _tables(service))


def _tables(service: ServiceTarget) -> tuple[Mapping[str, Binding | Secret], ...]:
    return (service.bindings, *(desk.bindings for desk in service.desks))


def _headers(stage: _Stage) -> Headers:
    """The headers that the role adds, with credentials hidden."""
    common = _shown_headers(stage.service.headers)
    if stage.role == ANONYMOUS:
        return common
    if stage.role == INVENTED:
        return (*common, *((name, HIDDEN) for name, _ in stage.dialect.invented))
    role = stage.seat.roles.get(stage.role, Role())
    own = (*common, *_shown_headers(role.headers))
    login = login_named(role.sign_in)
    if not login.keeps_session and login.every_message is None:
        return own
    return (*own, (login.header or stage.dialect.session_header, HIDDEN))


def _shown_headers(headers: Mapping[str, str | Secret]) -> Headers:
    return tuple((name, HIDDEN if isinstance(value, Secret) else value) for name, value in headers.items())


def _state_words(name: str, need: StateNeed, known: Bindings) -> str:
    params = ", ".join(f"{key}={fill(str(value), known, keep=True)}" for key, value in need.params.items())
    return f"{name}: {need.state}" + (f" ({params})" if params else "")
