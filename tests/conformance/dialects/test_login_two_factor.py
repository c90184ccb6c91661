"""AlphaPoint's second factor on real sockets, over HTTP and over WebSocket: a gateway that asks for a code of RFC 6238."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import re
import struct
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from live_support import ENVIRONMENT, command, live, pointed, sample
from login_support import JSON, Answer, Asked, HandClock, calling, serving

from conformance.errors import RoleUnavailable

SEED = "JBSWY3DPEHPK3PXP"
ROLE = {
    "login": "two-factor",
    "user": "qa",
    "password": {"env": "SECRET"},
    "totp_seed": {"env": "SEED"},
}
ENV = {"SECRET": "s3cret-Zq8", "SEED": SEED}
TOKEN = "6f5c4e66-f3ee-493e-9227-31cc0583b55f"


def totp(seed: str, at_s: float) -> str:
    """RFC 6238 once more, by hand: what a server computes."""
    digest = hmac.new(base64.b32decode(seed), struct.pack(">Q", int(at_s) // 30), hashlib.sha1).digest()
    place = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[place : place + 4])[0] & 0x7FFFFFFF) % 1_000_000:06d}"


def test_code_is_that_of_the_rfc() -> None:
    seed = base64.b32encode(b"12345678901234567890").decode()
    assert totp(seed, 59) == "287082"  # RFC 6238, appendix B, the last six of eight digits


class Gateway:
    """Takes a code that is right at its clock, once; a session is one that a code has opened."""

    def __init__(self, clock: HandClock, *, pending: str = "Pending2FaToken", factor: bool = True) -> None:
        self.clock, self.pending, self.factor = clock, pending, factor
        self.codes: list[str] = []

    def __call__(self, asked: Asked) -> Answer:
        parts = urlsplit(asked.path)
        body: dict[str, Any]
        if parts.path == "/AP/Authenticate":
            body = {"Authenticated": True, "Requires2FA": True, "AuthType": "Google", self.pending: "pending-Zq8-token"}
            if not self.factor:
                body = {"Authenticated": True, "Requires2FA": False, "SessionToken": TOKEN}
        elif parts.path == "/AP/Authenticate2FA":
            (code,) = parse_qs(parts.query)["Code"]
            right = code == totp(SEED, self.clock.seconds) and code not in self.codes
            self.codes.append(code)
            known = asked.headers.get("pending2fatoken") == "pending-Zq8-token"
            body = {"Authenticated": right and known, **({"SessionToken": TOKEN} if right and known else {})}
        else:
            return 200, JSON, json.dumps({"caller": asked.headers.get("aptoken")})
        return 200, JSON, json.dumps(body)


def called(gateway: Gateway, *times: int, **role: Any) -> tuple[list[Any], list[Asked], Any]:
    """What the service says to a message, once for each of the times that are waited before it, newly signed in."""

    async def go(url: str) -> tuple[list[Any], Any]:
        said = []
        merged = {name: value for name, value in {**ROLE, **role}.items() if value is not None}
        async with calling(merged, url, service="alphapoint", environment=ENV, clock=gateway.clock) as caller:
            for seconds in times:
                gateway.clock.seconds += seconds
                caller.sessions.held.clear()
                said.append(json.loads((await caller.get("/AP/GetUserInfo")).body)["caller"])
            return said, caller.sessions.vault.known

    with serving(gateway) as box:
        said, known = asyncio.run(go(box.url))
        return said, box.asked, known


@pytest.mark.parametrize("pending", ["Pending2FaToken", "TwoFAToken", "pending2fatoken"])
def test_code_opens_the_session(pending: str) -> None:
    gateway = Gateway(HandClock(), pending=pending)
    said, asked, known = called(gateway, 0)
    assert said == [TOKEN]
    assert [urlsplit(one.path).path for one in asked] == ["/AP/Authenticate", "/AP/Authenticate2FA", "/AP/GetUserInfo"]
    assert {TOKEN, "pending-Zq8-token", SEED} <= known


def test_service_that_asks_for_no_code_is_sent_none() -> None:
    said, asked, _ = called(Gateway(HandClock(), factor=False), 0)
    assert said == [TOKEN]
    assert len(asked) == 2


def test_code_is_not_used_twice_within_its_30_seconds() -> None:
    gateway = Gateway(HandClock(seconds=1_000_020.0))
    said, _, _ = called(gateway, 0, 5, 60)
    assert said == [TOKEN] * 3
    assert len(set(gateway.codes)) == 3
    assert gateway.clock.slept == [25.0]  # 1,000,025 s is in the step that began at 1,000,020 s


def test_wrong_code_is_told_with_what_to_check() -> None:
    gateway = Gateway(HandClock(seconds=5_000.0))
    with pytest.raises(
        RoleUnavailable, match="the code of the second factor; check totp_seed and this machine's clock"
    ):
        _with_seed(gateway, "JBSWY3DPEHPK3PXQ")


def test_seed_that_is_not_base32_is_told_and_not_shown() -> None:
    with pytest.raises(RoleUnavailable, match="totp_seed is not the Base32 text") as caught:
        _with_seed(Gateway(HandClock()), "not-a-seed-189")
    assert "not-a-seed" not in caught.value.reason


def _with_seed(gateway: Gateway, seed: str) -> None:
    async def go(url: str) -> None:
        env = {**ENV, "SEED": seed}
        async with calling(ROLE, url, service="alphapoint", environment=env, clock=gateway.clock) as caller:
            await caller.get("/AP/GetUserInfo")

    with serving(gateway) as box:
        asyncio.run(go(box.url))


def test_another_login_says_that_a_second_factor_is_asked_for() -> None:
    with pytest.raises(RoleUnavailable, match='asks for a second factor; use login = "two-factor"'):
        called(Gateway(HandClock()), 0, login="basic", totp_seed=None)


class _Factor:
    """Asks every user of the reference for a code, over both transports; a code is good for its step, once."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.codes: list[str] = []
        self.pending: dict[str, dict[str, Any]] = {}

    def _right(self, code: object) -> bool:
        right = code == totp(SEED, time.time()) and code not in self.codes
        self.codes.append(str(code))
        return right

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/AP/Authenticate"):
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._frames(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _http(self, scope: Any, receive: Any, send: Any) -> None:
        headers = dict(scope["headers"])
        if scope["path"] == "/AP/Authenticate2FA":
            (code,) = parse_qs(scope["query_string"].decode())["Code"]
            kept = self.pending.pop(headers.get(b"pending2fatoken", b"").decode(), None)
            answer = kept if kept and self._right(code) else {"Authenticated": False}
        else:
            got: list[bytes] = []

            async def keep(message: Any) -> None:
                got.append(message.get("body", b""))

            await self.app(scope, receive, keep)
            answer = self._held(json.loads(b"".join(got)))
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": json.dumps(answer).encode()})

    def _held(self, answer: dict[str, Any]) -> dict[str, Any]:
        if not answer.get("Authenticated"):
            return answer
        name = f"pending-{len(self.pending)}-Zq8"
        self.pending[name] = answer
        return {"Authenticated": True, "Requires2FA": True, "Pending2FaToken": name}

    async def _frames(self, scope: Any, receive: Any, send: Any) -> None:
        held: dict[str, Any] = {}
        second: list[int] = []

        async def ask() -> Any:
            message = await receive()
            text = message.get("text")
            frame = json.loads(text) if text else {}
            if frame.get("n") == "Authenticate2FA":
                answer = held if self._right(json.loads(frame["o"])["Code"]) else {"Authenticated": False}
                reply = {"m": 1, "i": frame["i"], "n": frame["n"], "o": json.dumps(answer)}
                second.append(frame["i"])
                await send({"type": "websocket.send", "text": json.dumps(reply)})
                return await ask()
            return message

        async def tell(message: Any) -> None:
            text = message.get("text")
            frame = json.loads(text) if text else {}
            if frame.get("n") == "WebAuthenticateUser":
                answer = json.loads(frame["o"])
                held.update(answer)
                frame["o"] = json.dumps(
                    {"Authenticated": True, "Requires2FA": True} if answer["Authenticated"] else answer
                )
                message = {**message, "text": json.dumps(frame)}
            await send(message)

        await self.app(scope, ask, tell)


def _file(url: str, seed: bool = True) -> str:
    """The operator alone, with a second factor."""
    text = pointed(sample("alphapoint"), url)
    head = text[: text.index("# ---- Users that all cases share")]
    role = (
        '[services.alphapoint.roles.operator]\nuser = "qa-operator"\npassword = { env = "STAGING_OPERATOR_PASSWORD" }\n'
    )
    return head + role + ('totp_seed = { env = "SEED" }\n' if seed else "")


@pytest.mark.timeout(120)
def test_target_check_signs_in_over_both_transports(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    started = time.time()
    shift = [0.0]
    monkeypatch.setattr("conformance.dialects.base.SystemClock.epoch_s", lambda _self: started + shift[0])

    async def sleep(_self: object, seconds: float) -> None:
        shift[0] += seconds

    monkeypatch.setattr("conformance.dialects.base.SystemClock.sleep", sleep)
    monkeypatch.setattr(_Factor, "_right", lambda self, code: _right_at(self, code, started + shift[0]))
    with live(wrap=_Factor) as server:
        (tmp_path / "target.toml").write_text(_file(server.url), "utf-8")
        came = command(
            tmp_path, "target", "check", str(tmp_path / "target.toml"), "-v", env={**ENVIRONMENT, "SEED": SEED}
        )
    assert "operator signs in over HTTP" in came.output
    assert "operator signs in over WebSocket" in came.output
    assert "wrong" not in came.output, came.output
    assert len(set(server.app.codes)) == 2
    assert 0 < shift[0] <= 30
    assert SEED not in came.output


def _right_at(factor: _Factor, code: object, now_s: float) -> bool:
    right = code == totp(SEED, now_s) and code not in factor.codes
    factor.codes.append(str(code))
    return right


def test_target_check_tells_who_has_no_second_factor(tmp_path: Any) -> None:
    with live(wrap=_Factor) as server:
        (tmp_path / "target.toml").write_text(_file(server.url, seed=False), "utf-8")
        came = command(tmp_path, "target", "check", str(tmp_path / "target.toml"))
    assert came.exit_code == 4
    assert came.output.count('use login = "two-factor" with totp_seed') == 2  # HTTP and WebSocket


def test_wrong_code_over_either_transport_lets_nobody_in(tmp_path: Any) -> None:
    with live(wrap=_Factor) as server:
        (tmp_path / "target.toml").write_text(_file(server.url), "utf-8")
        text = (tmp_path / "target.toml").read_text("utf-8")
        over_http = re.sub(r"\nwebsocket = [^\n]*", "", text)
        over_ws = re.sub(r"\nhttp = [^\n]*", "", text)
        said = []
        for one in (over_http, over_ws):
            (tmp_path / "target.toml").write_text(one, "utf-8")
            env = {**ENVIRONMENT, "SEED": "JBSWY3DPEHPK3PXQ"}
            said.append(command(tmp_path, "target", "check", str(tmp_path / "target.toml"), env=env).output)
    assert "the service refused the code of the second factor" in said[0]
    assert "operator signs in over WebSocket" in said[1]
    assert "was not signed in over WebSocket: the service refused its credentials" in said[1]
    assert len(server.app.codes) == 2
