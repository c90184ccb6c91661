"""Sets up and observes states: by an HTTP hook, a command, a pool, several of these, or not at all.

Several providers for one service: some states have one of their own, all others come from the first.

Whoever is asked gets JSON and answers JSON:
`state`   {"state", "count"}, of what is in an account with "account" and "instrument", answers {"orders": [{...ids...}]} with as many entries as `count` says.
`observe` {"orders": [{...ids...}]} answers the same entries with "state" added: open, cancelled, executed or unknown.
          Another word, or an entry with other ids, says nothing: what was asked about is unknown then.
`clean`   {"orders": [{...ids...}]} takes back what is open, and answers like `observe`; asked only with `clean = true`.
A command is started for each question, without a shell: JSON on its stdin, JSON on its stdout.
A hook gets `POST <url>/state`, `/observe` and `/clean`, and answers with 200.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Protocol

from conformance.cases.message import fill
from conformance.dialects.base import CANCELLED, CLIENT_ID, EXECUTED, OPEN, UNKNOWN, Handle, StateProvider, together
from conformance.dialects.set_ups import Fate, Found, SetUp, SetUps, Write, forget
from conformance.endpoint.desks import Desk
from conformance.endpoint.model import Binding, is_pin
from conformance.errors import (
    DESCRIPTORS,
    MORE_DESCRIPTORS,
    HarnessError,
    Hindrance,
    NotCarriedOut,
    StateUnavailable,
    Unreached,
    out_of_descriptors,
)
from conformance.formats.json.pointer import load_json
from conformance.model.case import StateNeed
from conformance.wire.http.client import HttpTransport
from conformance.wire.messages import HttpReply, HttpRequest, Limits, WireProblem


def unset_names(states: Iterable[str]) -> tuple[str, ...]:
    """Every name under which a message may ask for the ids of states that are not set up."""
    return tuple(f"{name}{part}" for name in states for part in ("", ".bid", ".ask", CLIENT_ID))


def initial(state: str) -> str:
    """How a thing in a state of this name stands before anything is sent."""
    return CANCELLED if state.startswith("cancelled") else EXECUTED if state.startswith("executed") else OPEN


class NoStates:
    """The provider of a target file that names none."""

    async def prepare(self, name: str, need: StateNeed, desk: Desk) -> Handle:
        """Always `StateUnavailable`."""
        raise StateUnavailable(f"the target file does not say how to set up the state {need.state!r}")

    async def observe(self, handles: tuple[Handle, ...], desk: Desk) -> Mapping[str, str]:
        """Nothing to see."""
        return {}

    async def clean(self, handles: tuple[Handle, ...], after: Mapping[str, str], desk: Desk) -> tuple[str, ...]:
        """Nothing to take back."""
        return ()

    async def reclaim(self, set_ups: Sequence[SetUp], desks: Sequence[Desk]) -> tuple[Found, ...]:
        """Nobody to ask."""
        return tuple(
            Found(one.key, Fate.UNKNOWN, f"{one.state}: the target file says no provider of it") for one in set_ups
        )

    async def aclose(self) -> None:
        """Nothing to close."""


@dataclass(frozen=True, slots=True)
class SharedStates:
    """The provider that passes each state on to the one who makes it."""

    default: StateProvider
    by_state: Mapping[str, StateProvider]

    async def prepare(self, name: str, need: StateNeed, desk: Desk) -> Handle:
        """As the state's own provider does it."""
        provider = self.by_state.get(need.state, self.default)
        return replace(await provider.prepare(name, need, desk), provider=provider)

    async def observe(self, handles: tuple[Handle, ...], desk: Desk) -> Mapping[str, str]:
        """What all providers see together."""
        seen: dict[str, str] = {}
        for provider, own in _by_provider(handles):
            seen.update(await provider.observe(own, desk))
        return seen

    async def clean(self, handles: tuple[Handle, ...], after: Mapping[str, str], desk: Desk) -> tuple[str, ...]:
        """Each provider takes back its own."""
        left: list[str] = []
        for provider, own in _by_provider(handles):
            left.extend(await provider.clean(own, after, desk))
        return tuple(left)

    async def reclaim(self, set_ups: Sequence[SetUp], desks: Sequence[Desk]) -> tuple[Found, ...]:
        """Each provider looks for its own."""
        found: list[Found] = []
        for provider in {id(one): one for one in (self.default, *self.by_state.values())}.values():
            own = [one for one in set_ups if self.by_state.get(one.state, self.default) is provider]
            found.extend(await provider.reclaim(own, desks) if own else ())
        return tuple(found)

    async def aclose(self) -> None:
        """Close every provider once."""
        for provider in {id(one): one for one in (self.default, *self.by_state.values())}.values():
            await provider.aclose()


def _by_provider(handles: tuple[Handle, ...]) -> list[tuple[StateProvider, tuple[Handle, ...]]]:
    providers = {id(handle.provider): handle.provider for handle in handles if handle.provider is not None}
    return [
        (provider, tuple(handle for handle in handles if handle.provider is provider))
        for provider in providers.values()
    ]


_LEGS = ("bid", "ask")
_CLOSED = (CANCELLED, EXECUTED)
_SINGLE = "id"
_LONGEST = 200


class NoAnswer(StateUnavailable):
    """Whoever was asked said nothing: it may have done what it was asked for."""


class Oracle(Protocol):
    """Who is asked; `what` names it in messages."""

    @property
    def what(self) -> str: ...

    async def ask(self, action: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """The answer, a JSON object. Raises `StateUnavailable` or `Unreached`."""
        ...

    async def aclose(self) -> None:
        """Close what was opened."""
        ...


@dataclass(frozen=True, slots=True)
class AskedStates:
    """The provider; whom it asks is no part of the target, so its messages pass no scope guard."""

    oracle: Oracle
    takes_back: bool = False
    set_ups: SetUps = field(default_factory=SetUps)
    """Where it is written down what is set up; what is not taken back is the other side's own, and is not."""

    async def prepare(self, name: str, need: StateNeed, desk: Desk) -> Handle:
        """`count` things in a state of the hook or command; one binds `name.Member`, several bind `name.0.Member`."""
        count = int(need.params.get("count", 1))
        keys: tuple[str, ...] = ()
        if self.takes_back and initial(need.state) == OPEN:
            keys = self.set_ups.begin(need.state, desk.index, "", [{"count": count}])
        try:
            return await self._asked_for(name, {"state": need.state, "count": count, **_place(need, desk)}, keys)
        except NoAnswer:
            raise
        except NotCarriedOut:
            self.set_ups.over(keys)
            raise

    async def _asked_for(self, name: str, question: Mapping[str, Any], keys: tuple[str, ...]) -> Handle:
        state, count = question["state"], question["count"]
        answer = await self.oracle.ask("state", question)
        orders = answer.get("orders")
        if not isinstance(orders, list) or len(orders) != count or not all(isinstance(order, dict) for order in orders):
            raise StateUnavailable(f"{self.oracle.what} did not set up {state!r}: {json.dumps(answer)[:_LONGEST]}")
        handle = handle_of(name, state, orders, self)
        for key in keys:
            self.set_ups.made(key, handle.memory)
        return replace(handle, keys=keys)

    async def observe(self, handles: tuple[Handle, ...], desk: Desk) -> Mapping[str, str]:
        """One request for everything that is watched."""
        return await self._seen("observe", handles)

    async def _seen(self, action: str, handles: tuple[Handle, ...]) -> Mapping[str, str]:
        wanted = [ids for handle in handles for ids in handle.memory]
        if not wanted:
            return {}
        answer = await self.oracle.ask(action, {"orders": wanted})
        entries = answer.get("orders")
        if not isinstance(entries, list) or len(entries) != len(wanted):
            raise StateUnavailable(f"{self.oracle.what} did not say how orders stand: {json.dumps(answer)[:_LONGEST]}")
        words = iter([_state_of(ids, entry) for ids, entry in zip(wanted, entries, strict=True)])
        return {handle.name: together(list(islice(words, len(handle.memory)))) for handle in handles if handle.memory}

    async def clean(self, handles: tuple[Handle, ...], after: Mapping[str, str], desk: Desk) -> tuple[str, ...]:
        """With `clean = true` the other side takes back what is open; else what it made is its own to keep."""
        still_open = tuple(one for one in handles if initial_of(one) == OPEN and after.get(one.name) not in _CLOSED)
        self.set_ups.over(key for one in handles if one not in still_open for key in one.keys)
        if not self.takes_back or not still_open:
            return ()
        seen = await self._seen("clean", still_open)
        left = [one for one in still_open if seen.get(one.name, CANCELLED) not in _CLOSED]  # nothing without ids
        self.set_ups.over(key for one in still_open if one not in left for key in one.keys)
        self.set_ups.named.update(key for one in left for key in one.keys)
        return tuple(json.dumps(ids) for one in left for ids in one.memory)

    async def reclaim(self, set_ups: Sequence[SetUp], desks: Sequence[Desk]) -> tuple[Found, ...]:
        """Ask for each to be taken back, by the ids that the other side has given."""
        found = []
        for one in set_ups:
            ids = one.ids or ()
            thing = f"{one.state} {json.dumps(ids)[:_LONGEST]}"
            if not self.takes_back:
                found.append(
                    Found(
                        one.key,
                        Fate.UNKNOWN,
                        f"{thing}: `clean` is not set where the target file names {self.oracle.what}",
                    )
                )
            elif not ids or not all(isinstance(each, dict) and None not in each.values() for each in ids):
                found.append(
                    Found(
                        one.key,
                        Fate.UNKNOWN,
                        f"{one.state}: {self.oracle.what} was asked for it, and its ids are not known",
                    )
                )
            else:
                found.append(await self._reclaimed(one.key, thing, ids))
        return tuple(found)

    async def _reclaimed(self, key: str, thing: str, ids: tuple[Any, ...]) -> Found:
        handle = Handle(key, {}, {key: OPEN}, ids)
        try:
            before = (await self._seen("observe", (handle,))).get(key)
            if before in _CLOSED:
                return Found(key, Fate.CLOSED, f"{thing}: not open")
            after = (await self._seen("clean", (handle,))).get(key)
        except StateUnavailable as error:
            return Found(key, Fate.UNKNOWN, f"{thing}: {error.reason}")
        if after in _CLOSED:
            return Found(key, Fate.TAKEN_BACK, f"{thing}: taken back")
        return Found(key, Fate.OPEN if after == OPEN else Fate.UNKNOWN, f"{thing}: {self.oracle.what} says {after}")

    async def aclose(self) -> None:
        """Close what was opened to ask."""
        await self.oracle.aclose()


def _state_of(ids: Mapping[str, Any], entry: Any) -> str:
    """How a thing stands, as far as an entry says it in a documented word, and of the ids that were asked about."""
    members = entry if isinstance(entry, dict) else {}
    word = members.get("state")
    same = all(name in members and _same(members[name], value) for name, value in ids.items())
    return word if same and word in (OPEN, CANCELLED, EXECUTED) else UNKNOWN


def _same(one: Any, other: Any) -> bool:
    """Whether two ids are one: 1 and true are not, for JSON."""
    return type(one) is type(other) and bool(one == other)


def initial_of(handle: Handle) -> str:
    """How a state that somebody outside made stood at first."""
    return next(iter(handle.before.values()), OPEN)


def handle_of(name: str, state: str, orders: Sequence[Mapping[str, Any]], provider: Any) -> Handle:
    """A handle over entries of ids. `id` of an entry binds the name, `bid` and `ask` bind the legs of a quote."""
    bindings: dict[str, Binding] = {}
    for index, order in enumerate(orders):
        prefix = name if len(orders) == 1 else f"{name}.{index}"
        for key, value in order.items():
            if isinstance(value, int | str) and not isinstance(value, bool):
                bindings[prefix if key == _SINGLE else f"{prefix}.{key}"] = value
    legs = [f"{name}.{leg}" for leg in _LEGS if f"{name}.{leg}" in bindings]
    before = dict.fromkeys(legs or [name], initial(state))
    memory = () if legs else tuple(_ids(order) for order in orders)
    return Handle(name, bindings, before, memory, provider)


def _ids(order: Mapping[str, Any]) -> dict[str, Any]:
    """What the other side is asked about again: everything that it named, but secrets."""
    return {name: value for name, value in order.items() if value is not None and not is_pin(name)}


_SIDE_BY_SIDE = 8
_MOST_BYTES = 8 * 1024 * 1024
_CHUNK_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Command:
    """Whom `AskedStates` asks by starting a program; the question carries `action` beside its own members."""

    arguments: tuple[str, ...]
    timeout_s: float
    what: str = "the state command"
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_SIDE_BY_SIDE))

    async def ask(self, action: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """The command's answer. Raises `StateUnavailable` for anything but exit 0 and one JSON object in time."""
        async with self.slots:
            output, code = await self._output(json.dumps({"action": action, **body}).encode() + b"\n")
        if code != 0:
            raise StateUnavailable(f"{self.what} refused {action!r} with exit code {code}")
        try:
            answer = load_json(output)
        except ValueError as error:
            raise StateUnavailable(f"{self.what} did not answer {action!r} in JSON") from error
        if not isinstance(answer, dict):
            raise StateUnavailable(f"{self.what} did not answer {action!r} with a JSON object")
        return answer

    async def _output(self, question: bytes) -> tuple[bytes, int | None]:
        try:
            process = await asyncio.create_subprocess_exec(
                *self.arguments, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
            )
        except OSError as error:
            if out_of_descriptors(error):
                raise HarnessError(DESCRIPTORS, where=self.what, hint=MORE_DESCRIPTORS) from error
            raise StateUnavailable(f"{self.what} cannot be started: {error.strerror or error}") from error
        try:
            output = await asyncio.wait_for(_talk(process, question), self.timeout_s)
        except TimeoutError as error:
            raise NoAnswer(f"{self.what} gave no answer within {self.timeout_s:g} s") from error
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        return output, process.returncode

    async def aclose(self) -> None:
        """Nothing stays open between two questions."""


async def _talk(process: asyncio.subprocess.Process, question: bytes) -> bytes:
    """Write the question, read all of the answer, wait for the end; a command may well end without having read."""
    assert process.stdin is not None
    assert process.stdout is not None
    with contextlib.suppress(OSError, RuntimeError):  # uvloop's pipes raise the latter when the reader is gone
        process.stdin.write(question)
        process.stdin.close()
    output = bytearray()
    while len(output) < _MOST_BYTES and (data := await process.stdout.read(_CHUNK_BYTES)):
        output += data
    await process.wait()
    return bytes(output)


_HEADERS = (("Content-Type", "application/json"),)


@dataclass(frozen=True, slots=True)
class Hook:
    """Whom `AskedStates` asks over HTTP."""

    transport: HttpTransport
    limits: Limits
    what: str = "the state hook"

    async def ask(self, action: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """The hook's answer. Raises `Unreached` when it is not there, else `StateUnavailable`."""
        request = HttpRequest("POST", f"/{action}", _HEADERS, json.dumps(body).encode())
        exchange = await self.transport.send(request, limits=self.limits)
        if exchange.problem is not None:
            if exchange.problem.unreachable:
                raise Unreached(f"{self.what}: {exchange.problem.message}", why=Hindrance.HOOK)
            raise NoAnswer(f"{self.what} got no answer: {exchange.problem.message}")
        assert isinstance(exchange.reply, HttpReply)
        try:
            answer = load_json(exchange.reply.body)
        except ValueError as error:
            raise StateUnavailable(f"{self.what} did not answer in JSON") from error
        if exchange.reply.status != 200 or not isinstance(answer, dict):
            raise StateUnavailable(f"{self.what} refused {action!r} with status {exchange.reply.status}")
        return answer

    async def reach(self) -> WireProblem | None:
        """Connect and ask nothing; what is wrong when that fails."""
        return await self.transport.reach(limits=self.limits)

    async def aclose(self) -> None:
        """Close its connections."""
        await self.transport.aclose()


_ACCOUNT = "account"


def _forget(_key: str) -> None:
    """What becomes of a used id when nobody keeps account of it."""


@dataclass(slots=True)
class Ledger:
    """Which ids of the pools are used up, in this run and in the one that it goes on with."""

    taken: set[str] = field(default_factory=set)
    on_taken: Callable[[str], None] = _forget
    on_set_up: Write = forget
    """Keeps what is written down of things that the run sets up."""

    def take(self, key: str) -> bool:
        """Whether the ids of this key were still to be had; now they are not."""
        if key in self.taken:
            return False
        self.taken.add(key)
        self.on_taken(key)
        return True


@dataclass(slots=True)
class Queue:
    """Ids with their keys, in the order of the target file; those that were taken through another queue are skipped."""

    entries: deque[tuple[str, Mapping[str, Binding]]]

    def front(self, count: int, taken: Collection[str]) -> list[tuple[str, Mapping[str, Binding]]]:
        """The first so many that are unused, or all that are left; the used ones before them are dropped."""
        while self.entries and self.entries[0][0] in taken:
            self.entries.popleft()
        unused = (entry for entry in self.entries if entry[0] not in taken)
        return list(islice(unused, count))


@dataclass(frozen=True, slots=True)
class PoolStates:
    """The provider. An `account` beside the ids keeps them for states of that account.

    What became of an id is seen by `observer`, if there is one; without it, effects stay unverified.
    """

    pool: Mapping[str, tuple[Mapping[str, Binding], ...]]
    ledger: Ledger
    observer: AskedStates | None = None
    takes_back: bool = field(default=False, init=False)
    """Its ids were there before, and stay."""
    _queues: dict[tuple[str, Binding | None], Queue] = field(default_factory=dict, init=False, compare=False)
    """What is left of a state for one account; None for any. A case takes from its front and looks at no other."""

    async def prepare(self, name: str, need: StateNeed, desk: Desk) -> Handle:
        """The next unused ids. Raises `StateUnavailable` when the pool is used up."""
        count = int(need.params.get("count", 1))
        account = _account(need, desk)
        queue = self._queue(need.state, account)
        unused = queue.front(count, self.ledger.taken)
        if len(unused) < count:
            left = f", {len(unused)} left and {count} wanted" if unused else ""
            raise StateUnavailable(f"pool of {need.state} is used up{left}", why=Hindrance.POOL)
        orders = []
        for key, ids in unused:
            self.ledger.take(key)
            orders.append({key: value for key, value in ids.items() if key != _ACCOUNT})
        return handle_of(name, need.state, orders, self)

    def _queue(self, state: str, account: Binding | None) -> Queue:
        """Built once for each account that asks: the digests of a long pool are not made again for every case."""
        queue = self._queues.get((state, account))
        if queue is None:
            if account is None:
                entries = deque((pool_key(state, ids), ids) for ids in self.pool.get(state, ()))
            else:
                whole = self._queue(state, None).entries
                entries = deque(entry for entry in whole if entry[1].get(_ACCOUNT, account) == account)
            queue = self._queues[state, account] = Queue(entries)
        return queue

    async def observe(self, handles: tuple[Handle, ...], desk: Desk) -> Mapping[str, str]:
        """What the observer sees; nothing without one."""
        return {} if self.observer is None else await self.observer.observe(handles, desk)

    async def clean(self, handles: tuple[Handle, ...], after: Mapping[str, str], desk: Desk) -> tuple[str, ...]:
        """The ids were there before the run, and are left as they are."""
        return ()

    async def reclaim(self, set_ups: Sequence[SetUp], desks: Sequence[Desk]) -> tuple[Found, ...]:
        """The same: no run writes them down, and a journal that does is not one of this target file."""
        return tuple(
            Found(one.key, Fate.UNKNOWN, f"{one.state} comes from a pool, and is not taken back") for one in set_ups
        )

    async def aclose(self) -> None:
        """Close what the observer opened."""
        if self.observer is not None:
            await self.observer.aclose()


def hooks_of(provider: StateProvider) -> Iterator[Hook]:
    """Every hook that a provider asks, in the order of the target file."""
    match provider:
        case SharedStates(default, by_state):
            for one in (default, *by_state.values()):
                yield from hooks_of(one)
        case PoolStates(observer=AskedStates() as observer):
            yield from hooks_of(observer)
        case AskedStates(Hook() as hook):
            yield hook


def pool_key(state: str, ids: Mapping[str, Any]) -> str:
    """What stands for ids in the journal: the state and a digest, for a PIN may be among them."""
    plain = {key: value for key, value in ids.items() if not is_pin(key)}
    digest = hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()
    return f"{state}:{digest[:24]}"


def _place(need: StateNeed, desk: Desk) -> dict[str, int | str]:
    """Account and instrument that the state has to be in, as far as it says so and the target binds them."""
    found = {name: _bound(need, name, desk) for name in (_ACCOUNT, "instrument")}
    return {name: value for name, value in found.items() if value is not None}


def _account(need: StateNeed, desk: Desk) -> int | str | None:
    """The account that the state has to be in; None when it does not say, or the target binds none."""
    return _bound(need, _ACCOUNT, desk)


def _bound(need: StateNeed, param: str, desk: Desk) -> int | str | None:
    place = need.params.get(param)
    if place is None:
        return None
    try:
        text = fill(str(place), desk.bindings)
    except HarnessError:
        return None
    return int(text) if text.isdecimal() else text
