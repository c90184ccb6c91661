"""OAuth 2.0 client credentials on real sockets: the token endpoint is one server, the service another."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import parse_qs

import pytest
from live_support import ENVIRONMENT, command, live, pointed, run, sample
from login_support import JSON, Answer, Asked, Caller, HandClock, calling, load_contract, serving

from conformance.endpoint.file import check_target
from conformance.errors import ConfigurationError, NotCarriedOut, OutsideScope, RoleUnavailable
from conformance.guard.gate import Label, Purpose
from conformance.wire.messages import HttpRequest

ROLE = {"login": "oauth2", "client_id": "harness 1", "client_secret": {"env": "SECRET"}}
Use = Callable[[Caller], Coroutine[Any, Any, Any]]


def numbered(**members: object) -> Callable[[Asked], Answer]:
    """Gives out token-1, token-2, ..."""
    numbers = itertools.count(1)
    return lambda _asked: (
        200, JSON, json.dumps({"access_token": f"token-{next(numbers)}", "token_type": "bearer", **members}),
    )  # fmt: skip


def service(*taken: str) -> Callable[[Asked], Answer]:
    """Answers 200 to one of these tokens, 401 to any other."""
    return lambda asked: (
        200 if asked.headers.get("authorization") in [f"Bearer {one}" for one in taken] else 401,
        [],
        "",
    )


def used(use: Use, tokens: Callable[[Asked], Answer], answers: Callable[[Asked], Answer], **role: Any) -> Any:
    """What a function makes of a caller; then what the token endpoint and the service were asked."""
    clock = role.pop("clock", None)
    with serving(tokens) as endpoint, serving(answers) as box:

        async def go() -> Any:
            async with calling(
                {**ROLE, "token_url": f"{endpoint.url}/oauth/token", **role}, box.url, clock=clock
            ) as one:
                return await use(one)

        return asyncio.run(go()), endpoint.asked, box.asked


def test_token_is_got_once_by_basic_and_sent_as_bearer() -> None:
    async def twice(caller: Caller) -> list[int]:
        return [(await caller.get()).status, (await caller.get()).status]

    statuses, asked, served = used(twice, numbered(expires_in=3600), service("token-1"))
    assert statuses == [200, 200]
    (one,) = asked
    assert (one.method, one.path) == ("POST", "/oauth/token")
    pair = base64.b64decode(one.headers["authorization"].removeprefix("Basic ")).decode()
    assert pair == "harness+1:s3cret-Zq8%2B%2Fx"  # each form-encoded first, RFC 6749, 2.3.1
    assert parse_qs(one.body) == {"grant_type": ["client_credentials"]}
    assert len(served) == 2


def test_client_may_stand_in_the_body_with_scope_and_audience() -> None:
    _, (one,), _ = used(
        Caller.get, numbered(), service("token-1"), client_auth="body", scope="orders cancel", audience="https://api"
    )
    assert "authorization" not in one.headers
    assert {name: value for name, (value,) in parse_qs(one.body).items()} == {
        "grant_type": "client_credentials",
        "scope": "orders cancel",
        "audience": "https://api",
        "client_id": "harness 1",
        "client_secret": "s3cret-Zq8+/x",
    }


def test_token_is_renewed_before_it_ends() -> None:
    clock = HandClock()

    async def over_time(caller: Caller) -> list[int]:
        statuses = []
        for seconds in (0, 80, 11, 79):
            clock.seconds += seconds
            statuses.append((await caller.get()).status)
        return statuses

    statuses, asked, _ = used(over_time, numbered(expires_in=100), service("token-1", "token-2"), clock=clock)
    assert statuses == [200, 200, 200, 200]
    assert len(asked) == 2  # the second at 91 s of 100: a tenth of the life is kept in hand


def test_401_is_answered_with_a_new_token_and_the_message_sent_once_more() -> None:
    reply, asked, served = used(Caller.get, numbered(), service("token-2"))
    assert reply.status == 200
    assert len(asked) == 2
    assert [one.headers["authorization"] for one in served] == ["Bearer token-1", "Bearer token-2"]


def test_401_to_every_token_is_the_answer_and_soon_nothing_is_renewed() -> None:
    async def many(caller: Caller) -> list[int]:
        return [(await caller.get()).status for _ in range(6)]

    statuses, asked, served = used(many, numbered(), service())
    assert statuses == [401] * 6
    assert len(asked) == 4  # the first, and three that changed nothing
    assert len(served) == 6 + 3


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (401, {"error": "invalid_client"}, "invalid_client: it does not know the client"),
        (400, {"error": "invalid_scope", "error_description": "orders?"}, "check scope (orders?)"),
        (400, {"error": "unauthorized_client"}, "have the grant allowed"),
        (400, {"error": "unsupported_grant_type"}, "check token_url"),
        (400, {"error": "brand_new"}, "error 'brand_new'"),
        (404, None, "status 404"),
        (200, {"token_type": "bearer"}, "without an access_token"),
        (200, {"access_token": "a\r\nX: y", "token_type": "bearer"}, "without an access_token that can be sent"),
        (200, {"access_token": "abc", "token_type": "mac"}, "type 'mac'"),
    ],
)
def test_refusal_is_told_in_words_and_asked_for_once(status: int, body: object, words: str) -> None:
    async def twice(caller: Caller) -> str:
        with pytest.raises(RoleUnavailable):
            await caller.get()
        with pytest.raises(RoleUnavailable) as caught:
            await caller.get()
        return caught.value.reason

    reason, asked, served = used(twice, lambda _asked: (status, JSON, json.dumps(body)), service())
    assert words in reason
    assert "role 'client' could not sign in: the token endpoint http://127.0.0.1:" in reason
    assert len(asked) == 1
    assert served == []


def test_endpoint_that_fails_once_is_asked_again() -> None:
    answers = iter([(503, [], ""), (200, JSON, '{"access_token": "token-1", "token_type": "Bearer"}')])

    reply, asked, _ = used(Caller.get, lambda _asked: next(answers), service("token-1"))
    assert (reply.status, len(asked)) == (200, 2)


def test_token_endpoint_that_asks_for_patience_is_waited_for() -> None:
    answers = iter(
        [(429, [("Retry-After", "0")], ""), (200, JSON, '{"access_token": "token-1", "token_type": "Bearer"}')]
    )
    reply, asked, _ = used(Caller.get, lambda _asked: next(answers), service("token-1"))
    assert (reply.status, len(asked)) == (200, 2)


def test_endpoint_that_is_not_there_is_no_lost_target() -> None:
    async def go(url: str) -> str:
        async with calling({**ROLE, "token_url": "http://127.0.0.1:9/t"}, url) as caller:
            with pytest.raises(NotCarriedOut) as caught:
                await caller.get()
            assert not caller.sessions.link.gone
            return caught.value.reason

    with serving(service()) as box:
        assert "token endpoint http://127.0.0.1:9/t gave no answer: " in asyncio.run(go(box.url))


def test_nothing_but_a_sign_in_goes_to_the_configured_address() -> None:
    async def stray(caller: Caller) -> int:
        link, request = caller.sessions.link, HttpRequest("POST", "")
        (address,) = link.addresses
        for place, one, label in (
            ("http://127.0.0.1:1/other", request, Label(Purpose.SIGN_IN, "client")),
            (address, request, Label(Purpose.JUDGED, "client")),
            (address, HttpRequest("POST", "/api/orders/cancellations"), Label(Purpose.SIGN_IN, "client")),
        ):
            with pytest.raises(OutsideScope):
                await link.send_elsewhere(place, one, label)
        return link.gate.requests

    requests, asked, served = used(stray, numbered(), service())
    assert (requests, asked, served) == (0, [], [])


@pytest.mark.parametrize(
    ("role", "words"),
    [
        ({"token_url": "http://id.example.com/token"}, "client.token_url: a secret goes there; use https://"),
        ({"token_url": "id.example.com"}, "client.token_url: "),
        ({"token_url": "https://h/t", "client_auth": "jwt"}, "client.client_auth: "),
        ({"token_url": "https://h/t", "client_secret": "s3cret-Zq8"}, "client.client_secret: a secret does not stand"),
        ({"token_url": "https://h/t", "scopes": "x"}, "client.scopes: login 'oauth2' has no such key"),
        ({}, "client.token_url: login 'oauth2' needs token_url, client_id and client_secret"),
    ],
)
def test_wrong_key_is_refused_when_the_file_is_read(role: dict[str, Any], words: str) -> None:
    data = {"name": "x", "services": {"tpp": {"http": "http://127.0.0.1:9", "roles": {"client": {**ROLE, **role}}}}}
    with pytest.raises(ConfigurationError) as caught:
        check_target(data, load_contract(), "target.toml")
    assert f"services.tpp.roles.{words}" in caught.value.message
    assert caught.value.where == "target.toml"
    assert "s3cret" not in str(caught.value)


class _Bearer:
    """Lets through to the order resource only requests with this token."""

    def __init__(self, app: Any, token: bytes) -> None:
        self.app, self.token = app, token
        self.refused = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        guarded = scope["type"] == "http" and scope["path"].startswith("/api/")
        if guarded and dict(scope["headers"]).get(b"authorization") != b"Bearer " + self.token:
            self.refused += 1
            await send({"type": "http.response.start", "status": 401, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        await self.app(scope, receive, send)


def _file(url: str, endpoint: str) -> str:
    role = f'login = "oauth2"\ntoken_url = "{endpoint}/t"\nclient_id = "c"\nclient_secret = {{ env = "CLIENT_SECRET" }}'
    return pointed(sample("tpp"), url).replace('\nlogin = "none"', "\n" + role)


def test_a_run_with_a_token_passes_and_shows_neither_secret(tmp_path: Any) -> None:
    answer = {"access_token": "t0ken-Zq8-abcdefgh", "token_type": "Bearer", "expires_in": 600}
    env = {**ENVIRONMENT, "CLIENT_SECRET": "cl1ent-Zq8-secret"}
    with (
        serving(lambda _asked: (200, JSON, json.dumps(answer))) as endpoint,
        live(wrap=lambda app: _Bearer(app, b"t0ken-Zq8-abcdefgh")) as server,
    ):
        text = _file(server.url, endpoint.url)
        came = run(tmp_path, text, "--generated", "0", "--case", "tpp/effects/*@application-json", env=env)
        checked = command(tmp_path, "target", "check", str(tmp_path / "target.toml"), "-v", env=env)
        assert server.app.refused == 0
    assert set(came.verdicts().values()) == {"pass"}
    assert len(endpoint.asked) == 2  # one for the run, one for the check
    assert "client signs in over HTTP" in checked.output
    shown = came.output + checked.output + came.files
    assert "t0ken-Zq8" not in shown
    assert "cl1ent-Zq8" not in shown


def test_a_refused_client_is_told_by_target_check(tmp_path: Any) -> None:
    env = {**ENVIRONMENT, "CLIENT_SECRET": "cl1ent-Zq8-secret"}
    body = '{"error": "invalid_client", "error_description": "no cl1ent-Zq8-secret"}'
    with serving(lambda _asked: (401, JSON, body)) as endpoint, live() as server:
        (tmp_path / "target.toml").write_text(_file(server.url, endpoint.url), "utf-8")
        came = command(tmp_path, "target", "check", str(tmp_path / "target.toml"), env=env)
    assert came.exit_code == 4
    assert "it does not know the client" in came.output
    assert "cl1ent-Zq8" not in came.output
