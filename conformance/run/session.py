"""One session: a run is opened here and nowhere else, whoever asks for it, and closed again.

`run`, `replay`, `target check`, `selftest`, exploring and the pytest plugin all get the same things in the same order:
the target, its secrets, the scope guard and the gate, a link for each service, desks, checks, pins and waivers.

Waivers: narrow, owned, with an expiry; one that matched nothing, or expired, fails the run.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import partial

from conformance.cases.families.list.forms import CANARY_ADDRESS, CANARY_FILE, NOTHING_OPENED
from conformance.checks.judge import Pins, judge
from conformance.checks.kit import Kit, build_kit
from conformance.dialects.base import StateProvider, SystemClock
from conformance.dialects.sessions import Sessions
from conformance.dialects.set_ups import SetUps
from conformance.endpoint.choose import ChosenTarget, chosen_target, is_reference, off_loopback
from conformance.endpoint.desks import Desk, desks_of
from conformance.endpoint.file import editions_of
from conformance.endpoint.model import States, StateSource, TargetFile, Waiver
from conformance.endpoint.redact import redact_error
from conformance.endpoint.secrets import Vault, plain, with_secrets
from conformance.errors import ConfigurationError, TargetUnreachable
from conformance.guard.gate import Gate, paces_of
from conformance.guard.guard import Guard, guard_for
from conformance.guard.link import Link
from conformance.guard.opening import open_link
from conformance.model.case import Case
from conformance.model.spec import Contract
from conformance.model.spec import Service as ServiceSpec
from conformance.model.verdict import CaseResult, Finding, Verdict
from conformance.plugins import find_dialect
from conformance.run.books import Books
from conformance.run.canary import CanaryStates
from conformance.run.dry import DryRun
from conformance.run.execute import Judged
from conformance.run.judgement import Judge
from conformance.run.recording import Recorder
from conformance.run.setting import Service, look_back
from conformance.run.states import AskedStates, Command, Hook, Ledger, NoStates, PoolStates, SharedStates
from conformance.wire.address import AddressError, parse_address
from conformance.wire.http.client import HttpTransport

OnResult = Callable[[CaseResult], None]
_PATIENCE = 3
"""Target errors in a row after which the run stops."""
_MOST_DISTURBED, _DISTURBED_FROM_THE_START = 100, 10
"""Cases in a row that only the infrastructure answered, after which the run stops."""
_MOST_OF_A_FAMILY, _MOST_OF_AN_OPERATION = 3, 8
"""Cases in a row that ended by time-out, after which no more of the kind are sent."""
_JUDGED = (Verdict.PASS, Verdict.FAIL, Verdict.WAIVED)
"""A case that could not be carried out says nothing about the waivers on it."""


@dataclass(slots=True)
class Waivers:
    """The waivers of a target file, which of them have matched, and which of their cases were judged."""

    waivers: Sequence[Waiver]
    today: date
    matched: dict[int, set[str]] = field(default_factory=dict)
    """Number of a waiver to the cases that it matched."""
    judged: set[int] = field(default_factory=set)
    """Numbers of waivers of which a case was judged."""

    def apply(self, result: CaseResult) -> CaseResult:
        """The result, waived when every one of its findings is covered by a waiver that has not expired."""
        self._judge(result)
        if result.verdict is not Verdict.FAIL:
            return result
        covered = [self._covers(result.id, finding) for finding in result.findings]
        if any(number is None for number in covered):
            return result
        reasons = dict.fromkeys(self.waivers[number].reason for number in covered if number is not None)
        return replace(result, verdict=Verdict.WAIVED, reason="; ".join(reasons))

    def note(self, result: CaseResult) -> None:
        """Take a result of an earlier part of the run into account: what it matched is matched."""
        self._judge(result)
        for finding in result.findings:
            self._covers(result.id, finding)

    def _judge(self, result: CaseResult) -> None:
        """Note the waivers that a case could show to be stale; for one of any case, it must name the requirement."""
        if result.verdict not in _JUDGED:
            return
        for number, waiver in enumerate(self.waivers):
            speaks = waiver.case != "*" or waiver.requirement in result.requirements
            if speaks and number not in self.judged and waiver.is_about(result.id):
                self.judged.add(number)

    def _covers(self, case: str, finding: Finding) -> int | None:
        found = None
        for number, waiver in enumerate(self.waivers):
            if waiver.covers(case, finding.requirement, finding.message, finding.actual):
                self.matched.setdefault(number, set()).add(case)
                if waiver.expires >= self.today:
                    found = number if found is None else found
        return found

    def unmatched(self, *, narrowed: bool = False) -> tuple[str, ...]:
        """Waivers of cases that were judged without showing what was waived; of a part of the cases no pattern can tell."""
        return tuple(
            f"{waiver.label}: matched nothing (owner {waiver.owner})"
            for number, waiver in enumerate(self.waivers)
            if number not in self.matched and number in self.judged and not (narrowed and "*" in waiver.case)
        )

    def counts(self) -> dict[str, int]:
        """How many cases each waiver matched, by what reports call it."""
        return {self.waivers[number].label: len(cases) for number, cases in sorted(self.matched.items())}

    def beyond(self) -> tuple[str, ...]:
        """Waivers that match more cases than when they were written."""
        return tuple(
            f"{waiver.label}: matches {len(self.matched[number])} cases, {waiver.cases} when it was written "
            f"(owner {waiver.owner})"
            for number, waiver in enumerate(self.waivers)
            if waiver.cases is not None and len(self.matched.get(number, ())) > waiver.cases
        )

    def expired(self) -> tuple[str, ...]:
        """Waivers whose day has passed."""
        return tuple(
            f"{waiver.label}: expired on {waiver.expires} (owner {waiver.owner})"
            for waiver in self.waivers
            if waiver.expires < self.today
        )


def _kinds(case: Case) -> tuple[tuple[tuple[str, ...], int], ...]:
    """The kinds that a case is of, each with the number of time-outs in a row that are put up with."""
    family = (case.operation, f"over {case.transport}", f"({[*case.id.split('/'), ''][1]})")
    return (family, _MOST_OF_A_FAMILY), (family[:2], _MOST_OF_AN_OPERATION)


def ignore(_result: CaseResult) -> None:
    """What becomes of results that nobody asks for."""


@dataclass(slots=True)
class Session:
    """A run in progress: everything that its cases share."""

    contract: Contract
    """In the editions that the target file pins."""
    chosen: ChosenTarget
    target: TargetFile
    """The chosen one with its secrets, or this worker's share of it."""
    gate: Gate
    services: Mapping[str, Service]
    desks: Mapping[str, tuple[Desk, ...]]
    kits: Mapping[str, Kit]
    """By operation: those of this run that the target offers."""
    judge: Judge
    """With the readings that the target file pins."""
    vault: Vault
    waivers: Waivers
    on_result: OnResult = ignore
    stopped: str | None = None
    """Why nothing more is begun."""
    sated: bool = False
    """Nothing more is begun because enough was seen; the target is as it was."""
    misses: int = 0
    put_off: dict[str, tuple[Case, Desk, Judged]] = field(default_factory=dict)
    """Cases that the infrastructure disturbed; they are tried again at the end."""
    answered: int = 0
    """How many cases the service itself has answered."""
    disturbed: int = 0
    """How many cases in a row it has not."""
    timeouts: dict[tuple[str, ...], int] = field(default_factory=dict)
    """By kind of case: how many in a row have ended by time-out."""
    locks: dict[tuple[str, int], asyncio.Lock] = field(default_factory=dict)

    def desk_lock(self, service: str, index: int) -> asyncio.Lock:
        """Who holds it has a desk to himself, among cases that are not in the lane of desks."""
        return self.locks.setdefault((service, index), asyncio.Lock())

    def service_of(self, operation: str) -> Service:
        """The service that an operation belongs to."""
        return self.services[self.contract.operations[operation].service]

    @property
    def left_behind(self) -> tuple[str, ...]:
        """What was set up on the target and could not be taken back, in words."""
        return tuple(sorted({one for service in self.services.values() for one in service.left_behind}))

    async def look_back(self) -> None:
        """At the end: look for everything that was set up and is not known to be over, take it back, say what is left.

        The bundled reference ends with its run, and all that is in it.
        """
        if not is_reference(self.chosen.name):
            for name, service in self.services.items():
                await look_back(service, self.desks[name])

    @property
    def unseen(self) -> int:
        """Of how many things that were set up the target would not show whether they stand open."""
        return sum(len(service.sessions.set_ups.unseen) for service in self.services.values())

    @property
    def untrue_lacks(self) -> tuple[str, ...]:
        """What the target file says is lacking and was there all the same, by its key."""
        found = ((name, thing) for name, service in self.services.items() for thing in service.untrue_lacks)
        return tuple(sorted(f"services.{name}.lacks.{thing}" for name, thing in found))

    @property
    def messages(self) -> dict[str, int]:
        """How many messages passed the gate so far, by purpose."""
        return {purpose.value: count for purpose, count in self.gate.passed.items() if count}

    def note(self, result: CaseResult) -> None:
        """Hand a result on; several target errors in a row stop the run."""
        if result.verdict is Verdict.TARGET_ERROR:
            self.misses += 1
            lost = any(service.link.gone for service in self.services.values())
            if lost or self.misses >= _PATIENCE:
                self.stopped = self.stopped or result.reason
        else:
            self.misses = 0
        self.on_result(result)

    def given_up(self, case: Case) -> str:
        """Why a case is not to be sent: those of its kind end by time-out, one after the other; "" when it is."""
        if self.timeouts:
            for kind, most in _kinds(case):
                if self.timeouts.get(kind, 0) >= most:
                    return f"not sent: {most} cases of {' '.join(kind)} in a row have ended by time-out"
        return ""

    def take(self, case: Case, desk: Desk, judged: Judged) -> None:
        """Hand on the result of a case, or put the case off to the end when the infrastructure has disturbed it."""
        if judged.timed_out:
            for kind, _ in _kinds(case):
                self.timeouts[kind] = self.timeouts.get(kind, 0) + 1
        elif self.timeouts and judged.exchanges:
            for kind, _ in _kinds(case):
                self.timeouts.pop(kind, None)
        if not judged.disturbed:
            if judged.exchanges:
                self.answered, self.disturbed = self.answered + 1, 0
            self.note(judged.result)
            return
        self.disturbed += 1
        if self.disturbed >= (_MOST_DISTURBED if self.answered else _DISTURBED_FROM_THE_START):
            self.stopped = self.stopped or f"the target gives nothing else any more: {judged.disturbed}"
        if judged.undone and len(self.put_off) < _MOST_DISTURBED:
            self.put_off[case.id] = (case, desk, judged)
        else:
            self.note(judged.result)

    async def reach(self, wait_s: float = 0.0) -> None:
        """Connect to every service once, before the first case; `wait_s` is for one that is still coming up.

        Raises `TargetUnreachable`.
        """
        until = time.monotonic() + wait_s
        for name, service in self.services.items():
            problem = await service.link.reach()
            while problem is not None and time.monotonic() < until:
                await asyncio.sleep(min(_AGAIN_S, max(0.0, until - time.monotonic())))
                problem = await service.link.reach()
            if problem is not None:
                raise TargetUnreachable(
                    problem.message,
                    where=f"services.{name}",
                    hint="Nothing was verified. Check the address, and that the endpoint is up.",
                )


_AGAIN_S = 0.25


def as_it_is(target: TargetFile) -> TargetFile:
    """The whole target, where one process has it for itself."""
    return target


@contextlib.asynccontextmanager
async def session(
    contract: Contract,
    target: str | ChosenTarget,
    operations: Iterable[str],
    *,
    today: date | None = None,
    ledger: Ledger | None = None,
    share: Callable[[TargetFile], TargetFile] = as_it_is,
    dry: DryRun | None = None,
    recorder: Recorder | None = None,
) -> AsyncIterator[Session]:
    """Open a run of these operations against a target (its name, or one already chosen); nothing is sent yet.

    Operations of services that the target does not name are left out. `share` takes the part of the target that is this
    process's own. With `dry` nothing is started, fetched, asked or connected to: what would be sent goes to a wire
    without a network, and no cap or pace holds it up. A `recorder` notes what is judged. Raises `ConfigurationError` for a target, a secret or a certificate
    that cannot be used. No secret stands in an exception that comes out of it.
    """
    async with contextlib.AsyncExitStack() as opened:
        chosen = (
            target
            if isinstance(target, ChosenTarget)
            else await opened.enter_async_context(chosen_target(target, contract, start=dry is None))
        )
        vault = Vault(chosen.environment, dry=dry is not None)
        mine = share(with_secrets(chosen.file, vault))
        run = _put_together(contract, chosen, mine, vault, operations, today, ledger or Ledger(), dry, recorder)
        opened.push_async_callback(_close, run)
        if dry is None:
            opened.push_async_callback(run.look_back)
        try:
            yield run
        except Exception as error:
            redact_error(error, vault.known)
            raise


def _put_together(
    contract: Contract, chosen: ChosenTarget, target: TargetFile, vault: Vault,
    operations: Iterable[str], today: date | None, ledger: Ledger, dry: DryRun | None, recorder: Recorder | None,
) -> Session:  # fmt: skip
    contract = contract.in_editions(editions_of(contract, target))
    offered = [name for name in sorted(operations) if contract.operations[name].service in target.services]
    needed = {contract.operations[name].service for name in offered}
    pointed = {
        one.service for one in map(contract.operations.get, offered) if one and NOTHING_OPENED in one.attribution
    }
    guard = guard_for(target, contract)
    gate = Gate(guard, target.scope.max_requests, paces_of(target.limits)) if dry is None else Gate(guard)
    if recorder is not None:
        recorder.known = vault.known
    services = {
        name: replace(
            _open_service(
                contract.services[name], target, gate, guard.afresh(), vault, ledger, dry, places=name in pointed
            ),
            recorder=recorder,
        )
        for name in target.services
        if name in needed
    }
    requirements = {
        (operation, reading.id): reading.requirements[operation]
        for reading in contract.readings.values()
        for operation in reading.operations
    }
    return Session(
        contract=contract,
        chosen=chosen,
        target=target,
        gate=gate,
        services=services,
        desks={name: desks_of(target.services[name]) for name in services},
        kits={name: build_kit(contract.operations[name]) for name in offered},
        judge=partial(judge, pins=Pins(target.readings, requirements)) if dry is None else dry.judge,
        vault=vault,
        waivers=Waivers(target.waivers, today or datetime.now(UTC).date()),
    )


def _open_service(
    spec: ServiceSpec, target: TargetFile, gate: Gate, guard: Guard, vault: Vault, ledger: Ledger, dry: DryRun | None,
    *, places: bool,
) -> Service:  # fmt: skip
    """`places`: some call has cases whose body names a place."""
    name, service, limits = spec.id, target.services[spec.id], target.limits
    dialect = find_dialect(spec.dialect)()
    link = open_link(
        name, service, limits, gate, vault, dialect.number_of, None if dry is None else dry.wire(dialect, service),
        guard,
    )  # fmt: skip
    sessions = Sessions(
        link, vault, dialect, SystemClock() if dry is None else dry.clock, limits.settle_s if dry is None else 0.0,
        set_ups=SetUps(name, lambda lines, now: ledger.on_set_up(lines, now), vault.known),
        tries_wrong=target.scope.wrong_credentials or not any(off_loopback(service, f"services.{name}")),
    )  # fmt: skip
    canaries = CanaryStates(not any(off_loopback(service, f"services.{name}")), service.canary or "", dry is not None)
    states = _states(
        service.states, f"services.{name}.states", link, sessions, ledger, None if dry is None else dry.asked,
        dict.fromkeys((CANARY_ADDRESS, CANARY_FILE), canaries) if places else {},
    )  # fmt: skip
    return Service(link, sessions, states, limits.settle_s, limits.clean_timeout_s, books=Books(most=limits.max_bait))


def _states(
    states: States, where: str, link: Link, sessions: Sessions, ledger: Ledger, asked: AskedStates | None,
    canaries: Mapping[str, CanaryStates],
) -> StateProvider:  # fmt: skip
    """The provider; `where` is the path of the table, for complaints. `asked` stands in for hooks and commands.

    Raises `ConfigurationError`.
    """
    default = _provider(states, where, link, sessions, asked)
    pool = PoolStates(
        {name: tuple(plain(ids) for ids in entries) for name, entries in states.pool.items()},
        ledger,
        _asked(states, where, link, sessions, asked),
    )
    own: dict[str, StateProvider] = dict.fromkeys(states.pool, pool)
    for name, source in states.by_state.items():
        own[name] = _provider(source, f"{where}.by_state.{name}", link, sessions, asked)
    own.update(canaries)
    return SharedStates(default, own) if own else default


def _provider(
    source: StateSource, where: str, link: Link, sessions: Sessions, stand_in: AskedStates | None
) -> StateProvider:
    if source.provider == "calls":
        return sessions.dialect.provider(sessions) or NoStates()
    if source.provider in ("hook", "command"):
        asked = _asked(source, where, link, sessions, stand_in)
        if asked is not None:
            return asked
    return NoStates()


def _asked(
    source: StateSource, where: str, link: Link, sessions: Sessions, stand_in: AskedStates | None
) -> AskedStates | None:
    """Hook or command, as far as one is given; beside a pool it only observes."""
    if stand_in is not None and (source.command is not None or source.url is not None):
        return replace(stand_in, takes_back=source.clean)
    if source.command is not None and source.provider != "hook":
        return AskedStates(Command(source.command, source.timeout_s), source.clean, sessions.set_ups)
    if source.url is None:
        return None
    try:
        address = parse_address(source.url)
    except AddressError as error:
        raise ConfigurationError(str(error), where=f"{where}.url") from error
    if address.scheme not in ("http", "https"):
        raise ConfigurationError(
            f"{address.scheme}:// does not fit here", where=f"{where}.url", hint="Use http:// or https://."
        )
    limits = replace(link.limits, total_timeout_s=source.timeout_s)
    return AskedStates(
        Hook(HttpTransport(address), limits, f"the state hook at {address}"), source.clean, sessions.set_ups
    )


async def _close(run: Session) -> None:
    """Close every connection."""
    for service in run.services.values():
        await service.link.aclose()
        await service.states.aclose()
