"""What never left is never judged: for each family of cases, provider, transport and failure."""

from __future__ import annotations

import asyncio
import json
import tomllib
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, cast, get_args

import pytest
from hostile_support import WS_CASE, Script, frame, read_frame, scripted, shake_hands, write_target
from live_support import ENVIRONMENT, Came, pointed, run, sample

from conformance.cases.fixtures import load_cases
from conformance.checks.answer import Judgement, Observation
from conformance.checks.kit import Kit
from conformance.contract.load import load_contract
from conformance.dialects.base import Dialect
from conformance.endpoint.choose import ChosenTarget
from conformance.endpoint.file import check_target
from conformance.endpoint.model import ServiceTarget
from conformance.guard import link
from conformance.guard.gate import OF_A_CASE, Guard, Purpose
from conformance.guard.opening import Wire
from conformance.model.case import Case
from conformance.model.spec import Contract
from conformance.model.verdict import Verdict
from conformance.run.dry import DryRun
from conformance.run.execute import execute_judged
from conformance.run.session import Session, session
from conformance.wire.address import Address, parse_address
from conformance.wire.http.client import HttpConnection, HttpTransport
from conformance.wire.messages import Exchange, HttpRequest, Limits, ProblemKind, WireProblem, WsRequest
from conformance.wire.ws.client import OnConnect

pytestmark = pytest.mark.timeout(120)
KINDS: tuple[ProblemKind, ...] = get_args(ProblemKind)
NOT_JUDGED = (Verdict.NOT_VERIFIED, Verdict.TARGET_ERROR)
PROVIDERS: dict[str, dict[str, Any]] = {
    "none": {"provider": "none"},
    "hook": {"provider": "hook", "url": "http://127.0.0.1:9/orders", "clean": True},
    "command": {"provider": "command", "command": ["/bin/true"]},
    "calls": {"provider": "calls"},
}


@cache
def contract() -> Contract:
    return load_contract()


@cache
def of_each_family(service: str) -> tuple[Case, ...]:
    """The first case of each operation, family, role kind and transport, with those that have a twin or a message before."""
    chosen: dict[tuple[Any, ...], Case] = {}
    for case in load_cases(contract(), contract().services[service].operations):
        key = (case.operation, case.id.split("/")[1], case.transport, bool(case.before), bool(case.twin), case.together)
        chosen.setdefault(key, case)
    return tuple(chosen.values())


@dataclass(slots=True)
class Breaking(DryRun):
    """A wire on which everything is answered but the messages of the case: of these nothing is written."""

    kind: ProblemKind | None = "no-reply"
    """None for a wire that gives no reason."""
    within: Collection[Purpose] = OF_A_CASE
    """What a message must be for to be kept."""
    judged: list[Exchange] = field(default_factory=list)

    def wire(self, dialect: Dialect, service: ServiceTarget) -> Wire:
        """The dry wire, with breaks."""
        dry = DryRun.wire(self, dialect, service)
        return _Broken(self, dry)

    def judge(self, kit: Kit, case: Case, observation: Observation) -> Judgement:
        """What there is to judge, remembered."""
        self.judged.extend(observation.exchanges)
        return Judgement()

    def keeps(self, request: HttpRequest | WsRequest) -> Exchange | None:
        """The exchange of a message that was kept."""
        if not any(one.message is request and one.label.purpose in self.within for one in self.records):
            return None
        problem = None if self.kind is None else WireProblem(self.kind, f"kept: {self.kind}", "connect")
        return Exchange(b"", b"", None, problem, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class _Broken:
    run: Breaking
    dry: Wire

    def http(self, to: Address) -> _Http:
        return _Http(self.run, self.dry.http(to))

    def ws(self, to: Address, on_connect: OnConnect | None) -> _Ws:
        return _Ws(self.run, self.dry.ws(to, on_connect))


@dataclass(frozen=True, slots=True)
class _Http:
    run: Breaking
    dry: Any

    async def send(self, request: HttpRequest, *, limits: Limits) -> Exchange:
        kept = self.run.keeps(request)
        return await self.dry.send(request, limits=limits) if kept is None else kept

    async def connect(self, *, limits: Limits) -> None:
        await self.dry.connect(limits=limits)

    async def aclose(self) -> None:
        """Nothing is open."""


@dataclass(frozen=True, slots=True)
class _Ws:
    run: Breaking
    dry: Any

    async def send(self, request: WsRequest, *, limits: Limits) -> Exchange:
        kept = self.run.keeps(request)
        return await self.dry.send(request, limits=limits) if kept is None else kept

    async def connect(self, *, limits: Limits) -> None:
        await self.dry.connect(limits=limits)

    async def aclose(self) -> None:
        """Nothing is open."""


def _target(service: str, provider: str) -> ChosenTarget:
    data = tomllib.loads(pointed(sample(service), "http://127.0.0.1:9"))
    data["services"][service]["states"] = PROVIDERS[provider]
    return ChosenTarget(check_target(data, contract(), "target.toml"), ENVIRONMENT, "target.toml")


@pytest.fixture
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody is always there, and nobody waits before he tries again."""

    async def there(*_: Any, **__: Any) -> None:
        return None

    monkeypatch.setattr(link.Link, "reach", there)
    monkeypatch.setattr(link.Link, "answers", there)
    monkeypatch.setattr(link, "_PAUSE_S", 0.0)
    monkeypatch.setattr(link, "_REPEAT_PAUSES_S", (0.0,))


def _as_it_is(_run: Session) -> None:
    """Nothing is spoilt at the gate."""


async def _broken(
    service: str,
    provider: str,
    kind: ProblemKind | None,
    within: Collection[Purpose],
    spoil: Callable[[Session], None] = _as_it_is,
) -> None:
    dry = Breaking(kind=kind, within=within)
    operations = contract().services[service].operations
    async with session(contract(), _target(service, provider), operations, dry=dry) as run:
        dry.listen(run.gate)
        for one in run.services.values():
            one.link.connect_retries = 0
        spoil(run)
        for case in of_each_family(service):
            if case.operation not in run.kits:
                continue
            dry.begin(case)
            dry.judged.clear()
            judged = await execute_judged(
                case, run.kits[case.operation], run.service_of(case.operation), run.desks[service][0], run.judge
            )
            assert all(one.sent for one in dry.judged), (case.id, kind)
            if within == OF_A_CASE:
                assert not dry.judged, (case.id, kind)
                assert judged.result.verdict in NOT_JUDGED, (case.id, kind, judged.result)
                assert judged.result.reason, (case.id, kind)
                assert judged.result.requests == 0, (case.id, kind)


@pytest.mark.usefixtures("_at_once")
@pytest.mark.parametrize("kind", [*KINDS, None])
@pytest.mark.parametrize(
    ("service", "provider"),
    [(service, one) for service in ("alphapoint", "tpp") for one in PROVIDERS if (service, one) != ("tpp", "calls")],
)
def test_no_case_is_judged_of_which_nothing_was_sent(service: str, provider: str, kind: ProblemKind | None) -> None:
    asyncio.run(_broken(service, provider, kind, OF_A_CASE))


@pytest.mark.usefixtures("_at_once")
@pytest.mark.parametrize("within", [(Purpose.EARLIER,), (Purpose.TWIN,), (Purpose.SIGN_IN,), (Purpose.SET_UP,)])
@pytest.mark.parametrize("service", ["alphapoint", "tpp"])
def test_what_is_judged_was_sent_whatever_else_was_kept(service: str, within: Collection[Purpose]) -> None:
    for kind in ("no-reply", "ws-closed", "closed-early", None):
        asyncio.run(_broken(service, "hook", kind, within))


def _refuses(_sent: object) -> _Refused:
    return _Refused()


@dataclass(frozen=True, slots=True)
class _Refused:
    allowed: bool = False
    reason: str = "nothing may be sent"


def _no_budget(run: Session) -> None:
    run.gate.max_requests = 0


def _no_scope(run: Session) -> None:
    for service in run.services.values():
        service.link.guard = cast(Guard, _refuses)


@pytest.mark.usefixtures("_at_once")
@pytest.mark.parametrize("spoil", [_no_budget, _no_scope])
@pytest.mark.parametrize("service", ["alphapoint", "tpp"])
def test_no_case_is_judged_that_the_gate_keeps(service: str, spoil: Callable[[Session], None]) -> None:
    asyncio.run(_broken(service, "none", None, OF_A_CASE, spoil))


def test_every_family_and_transport_is_tried() -> None:
    assert len(of_each_family("alphapoint")) > 60
    assert {case.transport.value for case in of_each_family("alphapoint")} == {"http", "ws"}
    assert len(of_each_family("tpp")) > 12


async def _mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await shake_hands(reader, writer)
    await reader.read()


async def _refuses_sign_in(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await shake_hands(reader, writer)
    number = json.loads(await read_frame(reader))["i"]
    answer = {"m": 1, "i": number, "n": "AuthenticateUser", "o": json.dumps({"Authenticated": False})}
    writer.write(frame(json.dumps(answer).encode()))
    await reader.read()


async def _no_socket(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
    await writer.drain()


async def _garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"220 mail.example ESMTP\r\n\r\n")
    await writer.drain()


async def _closes_at_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await shake_hands(reader, writer)
    writer.transport.abort()


async def _no_handshake(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


def _went(folder: Path, script: Script, *cases: str, sign_in: bool = True, scope: str = "") -> Came:
    with scripted(script) as server:
        text = write_target(folder, server.port).read_text()
        if sign_in:
            head, _, tail = text.rpartition('login = "none"')
            text = f'{head}user = "t"\npassword = {{ env = "STAGING_PIN" }}\naccount = 101{tail}'
        return run(folder, text.replace("everything = true", f"everything = true\n{scope}"), *cases)


@pytest.mark.parametrize(
    "script", [_mute, _refuses_sign_in, _no_socket, _garbage, _closes_at_once, _no_handshake],
    ids=lambda one: one.__name__.strip("_").replace("_", "-"),
)  # fmt: skip
def test_a_websocket_that_cannot_be_signed_in_on_gives_no_verdict_on_any_case(tmp_path: Path, script: Script) -> None:
    came = _went(tmp_path, script, "--case", "cao/malformed/*@ws", "--case", WS_CASE)
    assert came.exit_code in (3, 4), came.output
    assert {case["verdict"] for case in came.results["cases"]} <= {"not-verified", "target-error"}
    assert all(case["reason"] for case in came.results["cases"])
    assert not any(one["verdict"] in ("pass", "fail") for one in came.results["requirements"])


def test_an_http_connection_that_is_over_before_it_is_written_on_gets_no_message(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connect = HttpTransport._connect

    async def closed(transport: HttpTransport, limits: Limits) -> HttpConnection | Exchange:
        opened = await connect(transport, limits)
        assert isinstance(opened, HttpConnection)
        opened.eof_received()
        return opened

    async def ask(port: int) -> Exchange:
        http = HttpTransport(parse_address(f"http://127.0.0.1:{port}"))
        try:
            return await http.send(HttpRequest("POST", "/", (), b"{}"), limits=Limits(total_timeout_s=10))
        finally:
            await http.aclose()

    monkeypatch.setattr(HttpTransport, "_connect", closed)
    with scripted(_no_handshake) as server:
        exchange = asyncio.run(ask(server.port))
    assert exchange.sent == b""
    assert exchange.problem is not None
    assert exchange.problem.kind == "closed-early"
    assert exchange.elapsed_s < 5, "not waited for"


def test_the_reason_names_the_sign_in_that_was_not_answered(tmp_path: Path) -> None:
    came = _went(tmp_path, _mute, "--case", WS_CASE)
    (reason,) = came.reasons().values()
    assert "role 'trading' was not signed in over WebSocket: no reply within 0.6 s" in reason
