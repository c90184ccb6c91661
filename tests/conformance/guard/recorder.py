"""Records the bytes of every message that sessions with a limited target file send, and what lenient readers hear in them."""

from __future__ import annotations

import asyncio
import itertools
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from lenient_readers import READERS, Read, touched
from lenient_things import Sent, Thing
from scope_readers import INTS

from conformance.cases.fixtures import load_cases
from conformance.cases.generated.rules import search_space
from conformance.cases.generated.source import sources
from conformance.cases.generated.stream import generated_case
from conformance.contract.load import load_contract
from conformance.endpoint.choose import ChosenTarget
from conformance.endpoint.file import check_target
from conformance.endpoint.model import Binding, is_client_number, is_pin
from conformance.explore.search import streams_of, trial_of
from conformance.guard.gate import Decision, Message
from conformance.guard.guard import Guard, guard_for
from conformance.model.case import Case
from conformance.model.spec import Contract
from conformance.model.verdict import Verdict
from conformance.run.dry import FIRST_ID, DryRun
from conformance.run.execute import execute_judged
from conformance.run.session import Session, session
from conformance.wire.messages import HttpRequest

SERVICES = ("alphapoint", "tpp")
ENVIRONMENT = {name: f"pass-word-{number}-Zq" for number, name in enumerate(
    ("STAGING_OPERATOR_PASSWORD", "STAGING_NOBODY_PASSWORD", "STAGING_TRADER_1_PASSWORD", "STAGING_MAKER_1_PASSWORD",
     "STAGING_BYSTANDER_1_PASSWORD", "STAGING_TRADER_2_PASSWORD", "STAGING_MAKER_2_PASSWORD", "STAGING_BYSTANDER_2_PASSWORD",
     "STAGING_PIN", "STAGING_WRONG_PIN"))}  # fmt: skip
ROUND = 50
"""After so many cases the ids that were made before are foreign again."""


@cache
def contract() -> Contract:
    """The contract of this repository."""
    return load_contract()


def sample(service: str) -> dict[str, Any]:
    """The target file that `conformance target init` writes, whose scope is limited."""
    text = resources.files("conformance.endpoint").joinpath("samples", f"{service}.toml").read_text("utf-8")
    return {**tomllib.loads(text), "limits": {"settle_s": 0, "quiet_s": 0.01}}


@cache
def chosen(service: str) -> ChosenTarget:
    """The sample as a run takes it."""
    return ChosenTarget(check_target(sample(service), contract(), "target.toml"), ENVIRONMENT, "target.toml")


def guard(service: str) -> Guard:
    """The guard of a run that has set nothing up yet."""
    return guard_for(chosen(service).file, contract())


@dataclass(slots=True)
class Allowed:
    """What may be touched: what the target file names, and what was made for the run since."""

    scope: Mapping[str, Any]
    made: set[Thing] = field(default_factory=set)

    def foreign(self, found: Iterable[Thing]) -> set[Thing]:
        """Those that may not be touched."""
        return {one for one in found if one not in self.made and not self._named(*one)}

    def _named(self, kind: str, value: object) -> bool:
        if kind == "uid":
            listed = (*self.scope.get("uids", ()), *self.scope["unknown"])
            return value in {str(one).replace("-", "") for one in listed}
        return value in self.scope["unknown"] or value in self.scope.get("oms" if kind == "oms" else f"{kind}s", ())

    def make(self, bindings: Mapping[str, Binding]) -> None:
        """Take what a state provider made; it must come from the dry run, which gives no id that is anybody's."""
        for name, value in bindings.items():
            if is_pin(name) or name.rpartition(".")[2] == "CreatorID":
                continue
            if isinstance(value, str):
                assert value.startswith("00000000-0000-4000-8000-"), (name, value)
                self.made.add(("uid", value.replace("-", "")))
                continue
            kind = "client" if is_client_number(name) else "order"
            assert kind == "client" or FIRST_ID < value < 2**31, (name, value)
            # a server that cuts the number of a client short has done so when the order was made
            self.made.update((kind, to_int(value)) for to_int in INTS)


@dataclass(slots=True)
class Listening:
    """The guard of a session, overheard: what it is granted may be touched from then on."""

    guard: Guard
    allowed: Allowed
    open: bool = False
    """Lets everything through, to show what the readers hear then."""

    def __call__(self, sent: Message) -> Decision:
        """What the guard says."""
        return _Let() if self.open else self.guard(sent)

    def grant(self, bindings: Mapping[str, Binding]) -> None:
        """Passed on, and remembered."""
        self.allowed.make(bindings)
        self.guard.grant(bindings)

    @property
    def bounded(self) -> bool:
        """What the guard says."""
        return self.guard.bounded

    def known_as(self, number: int) -> str:
        """What the guard says."""
        return self.guard.known_as(number)


@dataclass(frozen=True, slots=True)
class _Let:
    allowed: bool = True
    reason: str = ""


@dataclass(slots=True)
class Heard:
    """How many messages were sent and how many of them differ, and what was foreign to whom."""

    sent: int = 0
    different: int = 0
    refused: int = 0
    foreign: dict[str, list[tuple[str, Sent, set[Thing]]]] = field(default_factory=dict)
    """By reader: the case, the message, and what of it was foreign."""
    touched: Counter[str] = field(default_factory=Counter)
    """By reader: in how many messages it heard of anything."""


def sent_of(message: Message) -> Sent:
    """The bytes of a message."""
    if isinstance(message, HttpRequest):
        headers = tuple(message.headers)
        chunked = any(name.lower() == "transfer-encoding" and "chunked" in value.lower() for name, value in headers)
        return Sent(unchunked(message.body) if chunked else message.body, message.path, message.method, headers)
    return Sent(message.text.encode() if isinstance(message.text, str) else message.text)


def unchunked(body: bytes) -> bytes:
    """What the chunks of a body hold."""
    whole, rest = b"", body
    while rest:
        line, _, rest = rest.partition(b"\r\n")
        size = int(line.split(b";")[0] or b"0", 16)
        if not size:
            break
        whole, rest = whole + rest[:size], rest[size + 2 :]
    return whole


def listen(heard: Heard, case: str, sent: Sent, allowed: Allowed, readers: Mapping[str, Read] = READERS) -> None:
    """Have each reader read a message."""
    for name, read in readers.items():
        found = touched(sent, read)
        heard.touched[name] += bool(found)
        if found and (foreign := allowed.foreign(found)):
            heard.foreign.setdefault(name, []).append((case, sent, foreign))


Cases = Callable[[Contract, str], Iterator[Case]]


def named(step: int = 1) -> Cases:
    """The named cases of a service, or every so many of them."""

    def cases(known: Contract, service: str) -> Iterator[Case]:
        yield from itertools.islice(load_cases(known, known.services[service].operations), 0, None, step)

    return cases


def generated(first: int, count: int) -> Cases:
    """Generated cases of each operation, from this number on, in turn."""

    def cases(known: Contract, service: str) -> Iterator[Case]:
        found = sources(known, known.services[service].operations, 0)
        for number in range(first, first + count):
            yield from (generated_case(source, number) for source in found)

    return cases


def explored(count: int, seed: int) -> Cases:
    """So many trials of an exploring run, mutated values among them."""

    def cases(known: Contract, service: str) -> Iterator[Case]:
        spaces = [search_space(one, (), ()) for one in sources(known, known.services[service].operations, 0)]
        streams = streams_of([one for one in spaces if one is not None])
        for number in range(count):
            for name, makers in streams.items():
                case = trial_of(makers, seed, name, number)[1].case()
                if case is not None:
                    yield case

    return cases


@dataclass(slots=True)
class Recording:
    """What is recorded at one gate, and what may be touched there."""

    run: Session
    dry: DryRun
    heard: Heard
    allowed: Allowed
    seen: set[Sent] = field(default_factory=set)

    async def carry_out(self, case: Case) -> None:
        """One case; each of its messages that may be sent is read, once."""
        run, service = self.run, self.run.contract.operations[case.operation].service
        self.dry.begin(case)
        desk = run.desks[service][0]
        judged = await execute_judged(case, run.kits[case.operation], run.services[service], desk, run.judge)
        assert judged.result.verdict is not Verdict.HARNESS_ERROR, (case.id, judged.result.reason)
        for one in self.dry.records:
            if not one.decision.allowed:
                self.heard.refused += 1
                continue
            self.heard.sent += 1
            sent = sent_of(one.message)
            if sent not in self.seen:
                self.seen.add(sent)
                self.heard.different += 1
                listen(self.heard, case.id, sent, self.allowed)


def record(
    cases: Cases, services: Iterable[str] = SERVICES, *, everything: bool = False, most: int | None = None
) -> Heard:
    """Carry cases out on a dry wire, and have every reader read each message that may be sent.

    `everything` lets through what the guard refuses; `most` ends it after so many messages.
    """
    heard = Heard()
    for service in services:
        asyncio.run(_of_service(heard, service, cases, everything, most))
    return heard


async def _of_service(heard: Heard, service: str, cases: Cases, everything: bool, most: int | None) -> None:
    dry, operations = DryRun(), contract().services[service].operations
    async with session(contract(), chosen(service), operations, dry=dry) as run:
        dry.listen(run.gate)
        for number, case in enumerate(cases(contract(), service)):
            if number % ROUND == 0:
                recording = Recording(run, dry, heard, Allowed(sample(service)["scope"]))
                run.services[service].link.guard = Listening(guard(service), recording.allowed, everything)
            await recording.carry_out(case)
            if most is not None and heard.sent >= most:
                return
