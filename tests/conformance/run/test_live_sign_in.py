"""Roles: every way to sign in, roles that are missing or refused, and sessions that run out in mid-run."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

from live_support import ENVIRONMENT, WORLD, live, pointed, run, sample

CAO = ("--generated", "0", "--operation", "alphapoint.cancel_all_orders")
FEW = (*CAO, "--case", "cao/effects/*", "--case", "cao/roles/*", "--case", "cao/account/*")


def _signed(text: str) -> str:
    """Each role signs in by signature instead of by user and password."""
    ids = {"operator": (70, "op"), "nobody": (71, "no"), "trader-1": (72, "t1"), "maker-1": (73, "m1"),
           "bystander-1": (74, "b1"), "trader-2": (75, "t2"), "maker-2": (76, "m2"), "bystander-2": (77, "b2")}  # fmt: skip
    for name, (number, short) in ids.items():
        signature = f'login = "signature"\nuser_id = "{number}"\napi_key = {{ env = "K_{short}" }}\napi_secret = {{ env = "S_{short}" }}'
        text = re.sub(rf'user = "qa-{name}"\npassword = [^\n]*', signature, text)
    return text


def _secrets() -> dict[str, str]:
    shorts = ("op", "no", "t1", "m1", "b1", "t2", "m2", "b2")
    return {**{f"K_{one}": f"{one}key-1" for one in shorts}, **{f"S_{one}": f"{one}secret-1" for one in shorts}}


def test_signature_headers_sign_every_role_in(tmp_path: Path) -> None:
    with live() as server:
        came = run(tmp_path, _signed(pointed(sample("alphapoint"), server.url)), *CAO, env=_secrets())
    assert came.exit_code == 0, came.output


def test_a_websocket_login_gives_the_session_for_both_transports(tmp_path: Path) -> None:
    with live() as server:
        text = re.sub(r'(user = "qa-[^\n]*)', r'\1\nlogin = "websocket"', pointed(sample("alphapoint"), server.url))
        came = run(tmp_path, text, *CAO)
    assert came.exit_code == 0, came.output


def test_without_an_http_address_frames_alone_set_up_send_and_observe(tmp_path: Path) -> None:
    with live() as server:
        text = re.sub(r"\nhttp = [^\n]*", "", pointed(sample("alphapoint"), server.url))
        came = run(tmp_path, text, *FEW)
    by_transport: dict[str, set[str]] = {"http": set(), "ws": set()}
    for name, verdict in came.verdicts().items():
        by_transport[came.case(name)["transport"]].add(verdict)
    assert by_transport["ws"] == {"pass"}
    assert by_transport["http"] == {"not-verified"}
    assert "the target file names no HTTP address for this service" in came.reasons().values()


def test_a_role_that_the_target_does_not_offer_is_not_verified_with_the_reason(tmp_path: Path) -> None:
    with live() as server:
        text = re.sub(
            r"\[services\.alphapoint\.roles\.none\][^\n]*\n(?:[a-z][^\n]*\n)+",
            "",
            pointed(sample("alphapoint"), server.url),
        )
        came = run(tmp_path, text, *CAO, "--case", "cao/roles/*")
    assert "the target offers no role 'none'" in came.reasons().values()
    assert "pass" in came.verdicts().values()
    assert "fail" not in came.verdicts().values()


def test_refused_credentials_are_not_verified_and_the_password_stays_out(tmp_path: Path) -> None:
    with live() as server:
        env = {**ENVIRONMENT, "STAGING_NOBODY_PASSWORD": "wr0ng-Zq8"}
        came = run(tmp_path, pointed(sample("alphapoint"), server.url), *CAO, "--case", "cao/roles/*", env=env)
    assert "role 'none' could not sign in: the service refused its credentials" in came.reasons().values()
    assert "wr0ng-Zq8" not in came.output + (came.folder / "journal.jsonl").read_text("utf-8")


def test_a_secret_that_is_not_set_stops_the_run_before_anything_is_sent(tmp_path: Path) -> None:
    env: dict[str, Any] = {**ENVIRONMENT, "STAGING_NOBODY_PASSWORD": None}
    came = run(tmp_path, pointed(sample("alphapoint"), "http://127.0.0.1:9"), *CAO, env=env)
    assert came.exit_code == 2
    assert "STAGING_NOBODY_PASSWORD is not set" in came.output
    assert "roles.none.password" in came.output


class _Expiring:
    """Ends every session before each eleventh message about an account: set-up, judged, observing; HTTP or frame."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.sessions = app.routes[0].endpoint._parts.alphapoint.sessions
        self.count = 0
        self.ended = 0

    def _message(self, place: str, content: bytes) -> None:
        if b"OMSId" in content and b"AccountId" in content:
            self.count += 1
            if self.count % 11 == 0:
                users = {user.name for user, _ in self.sessions._sessions.values()}
                self.ended += sum(self.sessions.expire(user) for user in users)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def watched() -> Any:
            message = await receive()
            self._message(scope.get("path", ""), message.get("body") or (message.get("text") or "").encode())
            return message

        await self.app(scope, watched, send)


def test_sessions_that_run_out_in_mid_run_are_renewed_over_both_transports(tmp_path: Path) -> None:
    kept: list[_Expiring] = []

    def wrap(app: Any) -> _Expiring:
        kept.append(_Expiring(app))
        return kept[0]

    with live(wrap=wrap) as server:
        came = run(tmp_path, pointed(sample("alphapoint"), server.url), *FEW, "--concurrency", "1")
    assert kept[0].ended > 5
    assert set(came.verdicts().values()) == {"pass"}, came.reasons()


def test_renewal_works_where_a_missing_session_is_code_20(tmp_path: Path) -> None:
    kept: list[_Expiring] = []

    def wrap(app: Any) -> _Expiring:
        kept.append(_Expiring(app))
        return kept[0]

    with live(wrap=wrap, readings=("session-missing=standard-20",)) as server:
        came = run(tmp_path, pointed(sample("alphapoint"), server.url), *FEW, "--concurrency", "1")
    assert kept[0].ended > 5
    assert set(came.verdicts().values()) == {"pass"}, came.reasons()


def test_sessions_with_a_short_life_are_renewed(tmp_path: Path) -> None:
    world = tmp_path / "world.toml"
    world.write_text(WORLD.read_text("utf-8").replace("session_lifetime_s = 3600", "session_lifetime_s = 0.2"), "utf-8")
    with live(world) as server:
        text = pointed(sample("alphapoint"), server.url).replace("quiet_s = 0.1", "quiet_s = 0.3")
        came = run(tmp_path, text, *CAO, "--case", "cao/frames/*", "--case", "cao/roles/*")
    assert set(came.verdicts().values()) == {"pass"}, came.reasons()


class _Guarded:
    """Lets through to the TPP resource only requests with one of these header values."""

    def __init__(self, app: Any, name: bytes, value: bytes) -> None:
        self.app, self.name, self.value = app, name, value
        self.refused = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if (
            scope["type"] == "http"
            and scope["path"].startswith("/api/")
            and dict(scope["headers"]).get(self.name) != self.value
        ):
            self.refused += 1
            await send({"type": "http.response.start", "status": 401, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        await self.app(scope, receive, send)


TPP = ("--generated", "0", "--case", "tpp/effects/*@application-json")


def test_a_tpp_role_may_be_a_header_whose_value_is_a_secret(tmp_path: Path) -> None:
    with live(wrap=lambda app: _Guarded(app, b"x-api-key", b"k3y-Zq8")) as server:
        text = pointed(sample("tpp"), server.url).replace(
            '\nlogin = "none"', '\nheaders = { X-Api-Key = { env = "TPP_KEY" } }'
        )
        came = run(tmp_path, text, *TPP, env={**ENVIRONMENT, "TPP_KEY": "k3y-Zq8"})
        assert server.app.refused == 0
    assert set(came.verdicts().values()) == {"pass"}
    assert "k3y-Zq8" not in (came.folder / "journal.jsonl").read_text("utf-8")


def test_a_tpp_role_may_be_basic_with_every_message(tmp_path: Path) -> None:
    wanted = b"Basic " + base64.b64encode(b"tpp-user:pw-Zq8")
    with live(wrap=lambda app: _Guarded(app, b"authorization", wanted)) as server:
        role = 'login = "each-message"\nuser = "tpp-user"\npassword = { env = "TPP_PASSWORD" }'
        came = run(tmp_path, pointed(sample("tpp"), server.url).replace('\nlogin = "none"', '\n' + role), *TPP,
                   env={**ENVIRONMENT, "TPP_PASSWORD": "pw-Zq8"})  # fmt: skip
        assert server.app.refused == 0
    assert set(came.verdicts().values()) == {"pass"}
