"""Sessions that a case has to itself: what is sent for them, what is not, and when a target cannot have one."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from login_support import JSON, Answer, Asked, Caller, calling, serving

from conformance.dialects.base import altered
from conformance.dialects.own import UNTRIED, close_own, open_own, send_own_http
from conformance.dialects.sessions import BARREN
from conformance.errors import Hindrance, NotCarriedOut, RoleUnavailable
from conformance.guard.gate import Purpose
from conformance.model.case import OwnSession, Transport
from conformance.wire.messages import Headers, HttpRequest

BASIC = {"user": "ann", "password": {"env": "SECRET"}}
SIGNED = {"login": "signature", "user_id": "7", "api_key": {"env": "KEY"}, "api_secret": {"env": "SECRET"}}
SECRETS = {"SECRET": "s3cret-Zq8+/x", "KEY": "key-Zq8"}
BALANCED = {"result": True, "errormsg": None, "errorcode": 0, "detail": None}


@dataclass
class Gateway:
    """Gives a token to the right password, and remembers what came; `log_out` is what LogOut is answered with."""

    log_out: Answer = (200, JSON, json.dumps(BALANCED))
    right: Callable[[Asked], bool] = lambda asked: asked.headers["authorization"] == _basic("ann", SECRETS["SECRET"])
    given: int = 0
    calls: list[tuple[str, str | None]] = field(default_factory=list)
    """Each call with its token."""

    def __call__(self, asked: Asked) -> Answer:
        call = asked.path.partition("?")[0].removeprefix("/AP/")
        self.calls.append((call, asked.headers.get("aptoken")))
        if call == "Authenticate":
            if not self.right(asked):
                return 200, JSON, json.dumps({"Authenticated": False, "errormsg": "Invalid username or password"})
            self.given += 1
            return 200, JSON, json.dumps({"Authenticated": True, "SessionToken": f"token-number-{self.given}-abcdefgh"})
        if call == "LogOut":
            return self.log_out
        return 404, [], "NOT FOUND"


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _sent(
    gateway: Gateway,
    *needs: OwnSession,
    role: Any = None,
    wrong: bool = True,
    before: bool = False,
    **more: Any,
) -> list[str | None]:
    """Send one call in each of these sessions; the token that each had."""

    async def each(caller: Caller) -> None:
        caller.sessions.tries_wrong = wrong
        if before:
            await caller.sessions.session(caller.speaker)
        for need in needs:
            own = await open_own(caller.sessions, need, Transport.HTTP, caller.speaker, None)

            def request(headers: Headers) -> HttpRequest:
                return HttpRequest("POST", "/AP/CancelOrder", (("Content-Type", "application/json"), *headers), b"{}")

            await send_own_http(caller.sessions, own, caller.speaker, request, Purpose.JUDGED)
            await close_own(caller.sessions, own)

    async def all_of_it() -> None:
        with serving(gateway) as server:
            async with calling(role or BASIC, server.url, service="alphapoint", environment=SECRETS, **more) as caller:
                await each(caller)

    asyncio.run(all_of_it())
    return [token for call, token in gateway.calls if call == "CancelOrder"]


def _names(gateway: Gateway) -> list[str]:
    return [call for call, _ in gateway.calls]


@pytest.mark.parametrize(
    ("token", "sent"),
    [
        ("shorter", "token-number-1-abcd"),
        ("longer", "token-number-1-abcdefgh0000"),
        ("changed", "token-numbes-1-abcdefgh"),
    ],
)
def test_a_token_that_nobody_gave_out_is_made_of_the_runs_own(token: Any, sent: str) -> None:
    gateway = Gateway()
    assert _sent(gateway, OwnSession(token=token), before=True) == [sent]
    assert _names(gateway) == ["Authenticate", "CancelOrder"], "nobody signs in again for it"


def test_a_changed_text_differs_in_its_middle_and_keeps_its_length() -> None:
    for text in ("abcd", "9999", "z", "Zz9Z", "==a==", "a+b"):
        other = altered(text)
        assert len(other) == len(text)
        assert [index for index, pair in enumerate(zip(text, other, strict=True)) if len(set(pair)) == 2] == [
            len(text) // 2
        ]


def test_padding_of_base64_is_not_what_makes_another_token() -> None:
    """A lenient decoder reads the same bytes without the padding, and none behind it."""
    token = base64.b64encode(b"sixteen bytes 16").decode()
    assert token.endswith("==")

    def gateway(asked: Asked) -> Answer:
        tokens.append(asked.headers.get("aptoken"))
        return 200, JSON, json.dumps({"Authenticated": True, "SessionToken": token})

    tokens: list[str | None] = []

    async def both() -> None:
        with serving(gateway) as server:
            async with calling(BASIC, server.url, service="alphapoint", environment=SECRETS) as caller:
                for need in (OwnSession(token="shorter"), OwnSession(token="longer")):
                    own = await open_own(caller.sessions, need, Transport.HTTP, caller.speaker, None)
                    tokens.append(own.headers[0][1])

    asyncio.run(both())
    for other in tokens[1:]:
        assert other is not None
        assert base64.b64decode(other + "==", validate=False) != base64.b64decode(token)


def test_the_session_that_ends_is_not_that_of_the_run() -> None:
    gateway = Gateway()
    tokens = _sent(gateway, OwnSession(ended=True), before=True)
    assert gateway.calls == [
        ("Authenticate", None),
        ("Authenticate", None),
        ("LogOut", "token-number-2-abcdefgh"),
        ("CancelOrder", "token-number-2-abcdefgh"),
    ]
    assert tokens == ["token-number-2-abcdefgh"]


@pytest.mark.parametrize(
    "answer",
    [
        (404, [], "NOT FOUND"),
        (200, JSON, json.dumps({**BALANCED, "result": False, "errorcode": 106})),
        (200, JSON, "null"),
        (405, JSON, json.dumps(BALANCED)),
    ],
)
def test_a_service_that_ends_no_session_is_not_asked_for_what_comes_after(answer: Answer) -> None:
    gateway = Gateway(log_out=answer)
    with pytest.raises(NotCarriedOut, match="does not say that LogOut has ended the session") as told:
        _sent(gateway, OwnSession(ended=True))
    assert told.value.hindrance is Hindrance.NOT_APPLICABLE
    assert "CancelOrder" not in _names(gateway)


@pytest.mark.parametrize("credentials", ["changed", "shorter"])
def test_wrong_credentials_are_tried_once_however_many_cases_there_are(credentials: Any) -> None:
    gateway = Gateway()
    need = OwnSession(credentials=credentials)
    assert _sent(gateway, need, need, need) == [None, None, None], "what was refused has no token"
    assert _names(gateway).count("Authenticate") == 1


def test_a_service_that_lets_in_anybody_is_called_with_what_it_gave() -> None:
    assert _sent(Gateway(right=lambda _: True), OwnSession(credentials="changed")) == ["token-number-1-abcdefgh"]


def test_a_wrong_signature_is_one_by_another_secret_of_the_same_key() -> None:
    seen: list[Asked] = []

    def refused(asked: Asked) -> bool:
        seen.append(asked)
        return False

    assert _sent(Gateway(right=refused), OwnSession(credentials="changed"), role=SIGNED) == [None]
    assert [(asked.headers["apikey"], asked.headers["userid"]) for asked in seen] == [("key-Zq8", "7")]


def test_wrong_credentials_are_not_tried_where_nobody_has_allowed_it() -> None:
    gateway = Gateway()
    with pytest.raises(NotCarriedOut) as told:
        _sent(gateway, OwnSession(credentials="changed"), wrong=False)
    assert (told.value.hindrance, told.value.accepted) == (Hindrance.ACCEPTED, UNTRIED)
    assert gateway.calls == []


def test_a_role_that_is_refused_rightly_is_no_finding_and_no_session() -> None:
    gateway = Gateway(right=lambda _: False)
    with pytest.raises(RoleUnavailable):
        _sent(gateway, OwnSession(ended=True))
    assert _names(gateway) == ["Authenticate"]


@pytest.mark.parametrize(
    ("role", "why"),
    [
        ({"login": "none"}, "does not sign in with a call of the service"),
        ({"login": "each-message", **BASIC}, "does not sign in with a call of the service"),
        ({**BASIC, "login": "two-factor", "totp_seed": {"env": "KEY"}}, "is not spent on one case"),
    ],
)
def test_a_login_that_has_no_session_to_spare(role: Any, why: str) -> None:
    with pytest.raises(NotCarriedOut, match=why) as told:
        _sent(Gateway(), OwnSession(ended=True), role=role)
    assert told.value.hindrance is Hindrance.NOT_APPLICABLE


def test_what_is_sent_for_such_a_session_stays_secret() -> None:
    async def known() -> set[str]:
        with serving(Gateway()) as server:
            async with calling(BASIC, server.url, service="alphapoint", environment=SECRETS) as caller:
                caller.sessions.tries_wrong = True
                for need in (OwnSession(token="shorter"), OwnSession(ended=True), OwnSession(credentials="shorter")):
                    await open_own(caller.sessions, need, Transport.HTTP, caller.speaker, None)
                return set(caller.sessions.vault.known)

    assert {"token-number-1-abcd", "token-number-2-abcdefgh", SECRETS["SECRET"][:-1]} <= asyncio.run(known())


def test_the_run_goes_on_in_its_own_session() -> None:
    async def tokens() -> list[str | None]:
        gateway = Gateway()
        with serving(gateway) as server:
            async with calling(BASIC, server.url, service="alphapoint", environment=SECRETS) as caller:
                first = await caller.sessions.session(caller.speaker)
                await open_own(caller.sessions, OwnSession(ended=True), Transport.HTTP, caller.speaker, None)
                await open_own(
                    caller.sessions, OwnSession(ended=True), Transport.HTTP, replace(caller.speaker, case="x"), None
                )
                return [first.secrets[0], (await caller.sessions.session(caller.speaker)).secrets[0]]

    assert asyncio.run(tokens()) == ["token-number-1-abcdefgh"] * 2


@dataclass
class Forgetful(Gateway):
    """Forgets a session as soon as it is to be used, so many times; `probing` says whether the probe needs one at all."""

    forgets: int = 0
    probing: bool = True
    known: set[str] = field(default_factory=set)
    served: Answer = (200, JSON, json.dumps(BALANCED))

    def __call__(self, asked: Asked) -> Answer:
        answer = Gateway.__call__(self, asked)
        call, token = self.calls[-1]
        if call == "Authenticate":
            self.known.add(f"token-number-{self.given}-abcdefgh")
        if call == "CancelOrder":
            if self.forgets:
                self.forgets -= 1
                self.known.discard(str(token))
            return self.served if token in self.known else (404, [], "NOT FOUND")
        if call == "GetUserAccounts":
            return (200, JSON, "[]") if self.probing and token in self.known else (404, [], "NOT FOUND")
        return answer


PROBED = {"oms": 7}
"""With this binding there is a probe."""


def test_message_refused_for_an_ended_session_goes_out_once_more_in_a_new_one() -> None:
    gateway = Forgetful(forgets=1)
    assert _sent(gateway, OwnSession(), bindings=PROBED) == ["token-number-1-abcdefgh", "token-number-2-abcdefgh"]
    once = ["Authenticate", "CancelOrder", "GetUserAccounts"]
    assert _names(gateway) == [*once, "Authenticate", "GetUserAccounts", "CancelOrder"], "the new one is probed before"


def test_second_loss_of_a_session_is_no_answer_of_the_service() -> None:
    with pytest.raises(RoleUnavailable, match="ended the session that the case has to itself"):
        _sent(Forgetful(forgets=2), OwnSession(), bindings=PROBED)


def test_refusal_in_a_session_that_stands_is_the_answer() -> None:
    gateway = Forgetful(served=(404, [], "NOT FOUND"))
    assert _sent(gateway, OwnSession(), bindings=PROBED) == ["token-number-1-abcdefgh"]
    assert _names(gateway)[-1] == "GetUserAccounts"


def test_probe_that_is_refused_to_fresh_sessions_as_well_tells_nothing() -> None:
    gateway = Forgetful(probing=False, served=(404, [], "NOT FOUND"))
    assert _sent(gateway, OwnSession(), OwnSession(), bindings=PROBED) == [
        "token-number-1-abcdefgh",
        "token-number-5-abcdefgh",
    ]
    assert _names(gateway).count("Authenticate") == 1 + BARREN + 1, "and is not asked again"


@pytest.mark.parametrize(
    "need", [OwnSession(ended=True), OwnSession(token="shorter"), OwnSession(credentials="changed")]
)
def test_session_that_is_meant_to_be_over_is_not_opened_again(need: OwnSession) -> None:
    gateway = Forgetful(forgets=1)
    assert len(_sent(gateway, need, bindings=PROBED)) == 1
    assert "GetUserAccounts" not in _names(gateway)
