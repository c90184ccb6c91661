"""Sessions in cookies on real sockets: what sign-in sets is kept and sent, and what is missing is said."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import parse_qs

import pytest
from live_support import ENVIRONMENT, command, live, pointed, run, sample
from login_support import Answer, Asked, Caller, HandClock, calling, load_contract, serving

from conformance.endpoint.file import check_target
from conformance.errors import ConfigurationError, NotCarriedOut, OutsideScope, RoleUnavailable
from conformance.wire.messages import HttpRequest

ROLE = {"login": "cookies", "user": "qa", "password": {"env": "SECRET"}, "sign_in_path": "/login"}
SESSION = "f3ee493e9227-Zq8"
Use = Callable[[Caller], Coroutine[Any, Any, Any]]


def site(*cookies: str, status: int = 200, later: str = "") -> Callable[[Asked], Answer]:
    """Sets cookies at /login; any other path needs SID, and may set a cookie more."""

    def answer(asked: Asked) -> Answer:
        if asked.path == "/login":
            return status, [("Set-Cookie", one) for one in cookies], ""
        known = f"SID={SESSION}" in asked.headers.get("cookie", "")
        return 200 if known else 401, [("Set-Cookie", later)] if later else [], ""

    return answer


def used(use: Use, answers: Callable[[Asked], Answer], **role: Any) -> tuple[Any, list[Asked]]:
    """What a function makes of a caller, and what the service was asked."""
    more = {name: role.pop(name) for name in ("clock", "scope") if name in role}

    async def go(url: str) -> Any:
        async with calling({**ROLE, **role}, url, **more) as caller:
            return await use(caller)

    with serving(answers) as box:
        return asyncio.run(go(box.url)), box.asked


async def twice(caller: Caller) -> list[int]:
    return [(await caller.get()).status, (await caller.get()).status]


def test_cookie_of_sign_in_is_kept_and_sent() -> None:
    statuses, asked = used(twice, site(f"SID={SESSION}; Path=/; HttpOnly"))
    assert statuses == [200, 200]
    assert [one.path for one in asked] == ["/login", "/api/Thing", "/api/Thing"]
    assert parse_qs(asked[0].body) == {"username": ["qa"], "password": ["s3cret-Zq8+/x"]}
    assert asked[1].headers["cookie"] == f"SID={SESSION}"


@pytest.mark.parametrize(
    ("form", "kind", "body"),
    [
        ("json", "application/json", '{"login": "qa", "pass": "s3cret-Zq8+/x"}'),
        ("form", "application/x-www-form-urlencoded", "login=qa&pass=s3cret-Zq8%2B%2Fx"),
        ("basic", None, ""),
    ],
)
def test_credentials_are_sent_as_the_file_says(form: str, kind: str | None, body: str) -> None:
    fields = {"sign_in_form": form, "user_field": "login", "password_field": "pass"}
    _, asked = used(twice, site(f"SID={SESSION}"), **fields)
    assert (asked[0].headers.get("content-type"), asked[0].body) == (kind, body)
    assert ("authorization" in asked[0].headers) is (form == "basic")


def test_cookie_is_sent_only_where_it_belongs() -> None:
    async def elsewhere(caller: Caller) -> None:
        await caller.get()
        await caller.exchange("/other")

    _, asked = used(elsewhere, site(f"SID={SESSION}; Path=/", "theme=dark; Path=/api", "safe=1; Path=/; Secure"))
    assert asked[1].headers["cookie"] == f"theme=dark; SID={SESSION}"  # the longer path first, RFC 6265, 5.4
    assert asked[2].headers["cookie"] == f"SID={SESSION}"


def test_cookie_that_a_later_answer_sets_is_taken_in() -> None:
    _, asked = used(twice, site(f"SID={SESSION}; Path=/", later="csrf=n2; Path=/"))
    assert asked[2].headers["cookie"] == f"SID={SESSION}; csrf=n2"


def test_session_that_is_gone_is_got_again() -> None:
    ended = []

    def answer(asked: Asked) -> Answer:
        if asked.path == "/login":
            return 303, [("Set-Cookie", f"SID={SESSION}-{len(ended)}"), ("Location", "/home")], ""
        right = asked.headers.get("cookie") == f"SID={SESSION}-{len(ended)}"
        return 200 if right else 401, [], ""

    async def across(caller: Caller) -> list[int]:
        first = (await caller.get()).status
        ended.append(1)
        return [first, (await caller.get()).status]

    statuses, asked = used(across, answer)
    assert statuses == [200, 200]
    assert [one.path for one in asked] == ["/login", "/api/Thing", "/api/Thing", "/login", "/api/Thing"]


def test_session_is_got_again_when_its_last_cookie_has_expired() -> None:
    import time

    clock = HandClock(seconds=float(int(time.time())))

    async def over_time(caller: Caller) -> list[int]:
        statuses = []
        for seconds in (0, 50, 70):
            clock.seconds += seconds
            statuses.append((await caller.get()).status)
        return statuses

    statuses, asked = used(over_time, site(f"SID={SESSION}; Max-Age=100"), clock=clock)
    assert statuses == [200, 200, 200]
    assert [one.path for one in asked].count("/login") == 2


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        (site(), "status 200 and no Set-Cookie; check user, password, sign_in_path and sign_in_form, or use the login"),
        (site("SID=x; Domain=other.example.com"), "set the cookie SID, but not for http://127.0.0.1:"),
        (site("SID=x; Max-Age=0"), "set the cookie SID, but not for http://127.0.0.1:"),
        (site("SID=x; Secure"), "set only cookies for https (Secure)"),
        (site(status=403), "status 403; check user, password and sign_in_path"),
    ],
)
def test_missing_cookie_is_told_with_what_to_do(answers: Callable[[Asked], Answer], words: str) -> None:
    async def refused(caller: Caller) -> str:
        for _ in range(2):
            with pytest.raises(RoleUnavailable) as caught:
                await caller.get()
        return caught.value.reason

    reason, asked = used(refused, answers)
    assert reason.startswith("role 'client' could not sign in: POST /login ")
    assert words in reason
    assert len(asked) == 1


def test_server_error_at_sign_in_is_not_remembered() -> None:
    answers = iter([502, 200])

    def answer(asked: Asked) -> Answer:
        return (next(answers), [("Set-Cookie", f"SID={SESSION}")], "") if asked.path == "/login" else (200, [], "")

    async def until_it_works(caller: Caller) -> int:
        with pytest.raises(NotCarriedOut, match="HTTP 502"):
            await caller.get()
        return (await caller.get()).status

    assert used(until_it_works, answer)[0] == 200


def test_scope_guard_lets_the_sign_in_pass_and_nothing_beside_it() -> None:
    async def careful(caller: Caller) -> None:
        sessions, label = caller.sessions, caller.speaker
        await sessions.sign_in(_seat(caller), "client")
        for method, path in (("GET", "/login"), ("POST", "/login/"), ("POST", "/login?x=1"), ("POST", "/LOGIN")):
            with pytest.raises(OutsideScope):
                await sessions.send_http(label, lambda headers, m=method, p=path: HttpRequest(m, p, headers), "judged")

    _, asked = used(careful, site(f"SID={SESSION}"), scope={"destructive": True})
    assert [one.path for one in asked] == ["/login"]


def _seat(caller: Caller) -> Any:
    from conformance.endpoint.desks import Desk

    return Desk(0, {}, {"client": caller.speaker.role}, frozenset({"client"}))


@pytest.mark.parametrize("path", ["login", "/a?b", "/../x", "/a%2f", "//h/x y"])
def test_path_that_may_be_read_in_two_ways_is_refused(path: str) -> None:
    role = {**ROLE, "sign_in_path": path}
    data = {"name": "x", "services": {"tpp": {"http": "http://127.0.0.1:9", "roles": {"client": role}}}}
    with pytest.raises(ConfigurationError, match=r"services\.tpp\.roles\.client\.sign_in_path: "):
        check_target(data, load_contract(), "target.toml")


class _Site:
    """Gives a cookie for the right password, and lets to the order resource only requests that bring it."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.refused = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = dict(scope.get("headers", ()))
        if scope["type"] == "http" and scope["path"] == "/login":
            right = b"password=pw-Zq8-cookie" in (await receive())["body"]
            cookie = [(b"set-cookie", f"SID={SESSION}; Path=/".encode())] if right else []
            await send({"type": "http.response.start", "status": 200, "headers": cookie})
            await send({"type": "http.response.body", "body": b""})
        elif (
            scope["type"] == "http"
            and scope["path"].startswith("/api/")
            and headers.get(b"cookie") != f"SID={SESSION}".encode()
        ):
            self.refused += 1
            await send({"type": "http.response.start", "status": 401, "headers": []})
            await send({"type": "http.response.body", "body": b""})
        else:
            await self.app(scope, receive, send)


def _file(url: str) -> str:
    role = 'login = "cookies"\nuser = "qa"\npassword = { env = "PW" }\nsign_in_path = "/login"'
    return pointed(sample("tpp"), url).replace('\nlogin = "none"', "\n" + role)


def test_a_run_with_cookies_passes_and_shows_none(tmp_path: Any) -> None:
    env = {**ENVIRONMENT, "PW": "pw-Zq8-cookie"}
    with live(wrap=_Site) as server:
        came = run(tmp_path, _file(server.url), "--generated", "0", "--case", "tpp/effects/*@application-json", env=env)
        assert server.app.refused == 0
    assert set(came.verdicts().values()) == {"pass"}
    shown = came.output + came.files
    assert SESSION not in shown
    assert "pw-Zq8" not in shown


def test_a_run_without_the_cookie_is_not_verified_and_says_what_to_do(tmp_path: Any) -> None:
    with live(wrap=_Site) as server:
        arguments = ("--generated", "0", "--case", "tpp/effects/*@application-json")
        came = run(tmp_path, _file(server.url), *arguments, env={**ENVIRONMENT, "PW": "wr0ng"})
    assert set(came.verdicts().values()) == {"not-verified"}
    assert all("no Set-Cookie; check user, password, sign_in_path" in reason for reason in came.reasons().values())


class _Setting:
    """The reference, whose sign-in sets a cookie beside the token."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def more(message: Any) -> None:
            if message["type"] == "http.response.start" and scope["path"] == "/AP/Authenticate":
                message = {**message, "headers": [*message["headers"], (b"set-cookie", b"AWSALB=x1; Path=/")]}
            await send(message)

        await self.app(scope, receive, more)


def test_target_check_tells_of_cookies_that_no_login_keeps(tmp_path: Any) -> None:
    with live(wrap=_Setting) as server:
        (tmp_path / "target.toml").write_text(pointed(sample("alphapoint"), server.url), "utf-8")
        came = command(tmp_path, "target", "check", str(tmp_path / "target.toml"))
    assert came.exit_code == 0, came.output
    said = " ".join(came.output.split())
    assert (
        'set the cookie AWSALB when operator signed in, and the login of that role keeps none; use login = "cookies"'
        in said
    )


def test_role_with_cookies_has_no_websocket_and_says_so() -> None:
    async def over_socket(caller: Caller) -> str:
        sessions, speaker = caller.sessions, caller.speaker
        with pytest.raises(RoleUnavailable) as caught:
            await sessions.send_ws(speaker, speaker.key, lambda number: f'{{"i": {number}}}', "judged")
        return caught.value.reason

    assert used(over_socket, site())[0] == "role 'client' has a login that serves no WebSocket: cookies"
