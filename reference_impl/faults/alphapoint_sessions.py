"""Violations in the life of a session, who is let in, and what becomes of messages that are under way together."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from reference_impl.alphapoint.dispatch import answer
from reference_impl.alphapoint.http import JSON
from reference_impl.alphapoint.values import Answer, Call, Data, Pair
from reference_impl.changes import CAO, CO, CQ, Make, Operation, fault_of, handler, payloads
from reference_impl.parts import Parts, with_alphapoint, with_call
from reference_impl.recorder import Recorder
from reference_impl.variants import Change, Variant
from reference_impl.wire import FrameInfo, HttpRequest, HttpResponse
from reference_impl.world.model import User

_SIGN_IN = ("AuthenticateUser", "WebAuthenticateUser")
_WINDOW_S = 0.008
_LEAST_TOKEN = 12
Answered = Sequence[tuple[FrameInfo, tuple[str, ...]]]
_Refuse = Callable[[HttpRequest], HttpResponse | None]


def _each(name: str, summary: str, breaks: str, make: Make) -> tuple[Variant, ...]:
    return tuple(fault_of(operation, name, summary, breaks, make(operation)) for operation in (CAO, CQ, CO))


def _taken(known: Callable[[Parts, str], User | None]) -> Make:
    """Over HTTP the operation also takes a token that no session has, where somebody is found for it."""

    def make(operation: Operation) -> Change:
        def apply(parts: Parts, recorder: Recorder) -> Parts:
            return replace(parts, refuse=_serving(parts, recorder, operation, known))

        return apply

    return make


def _serving(
    parts: Parts, recorder: Recorder, operation: Operation, known: Callable[[Parts, str], User | None]
) -> _Refuse:
    inner = parts.refuse

    def refuse(request: HttpRequest) -> HttpResponse | None:
        token = request.header("aptoken")
        is_call = request.operation == operation.id and request.method == "POST"
        if is_call and token and parts.alphapoint.sessions.find(token) is None:
            user = known(parts, token)
            if user is not None:
                recorder.hit()
                _, text = answer(parts, Call(operation.call, "http", request.body, request.query, user, token))
                return HttpResponse(200, text.encode(), JSON)
        return inner(request)

    return refuse


def _by_likeness(alike: Callable[[str, str], bool]) -> Make:
    """Finds the session whose token is like the one that came."""

    def known(parts: Parts, given: str) -> User | None:
        sessions = parts.alphapoint.sessions
        found = next((token for token in reversed(sessions.tokens()) if alike(token, given)), None)
        return None if found is None or len(given) < _LEAST_TOKEN else sessions.find(found)

    return _taken(known)


def _ended(parts: Parts, over: tuple[str, ...]) -> tuple[Parts, dict[str, User]]:
    """Parts that remember whose sessions were ended over these transports, by token."""
    users: dict[str, User] = {}
    inner = parts.alphapoint.calls["LogOut"]

    def log_out(p: Parts, call: Call) -> Answer:
        if call.session_token and call.caller and call.transport in over:
            users[call.session_token] = call.caller
        return inner(p, call)

    return with_call(parts, "LogOut", log_out), users


def _token_lives(*over: str) -> Make:
    def make(operation: Operation) -> Change:
        def apply(parts: Parts, recorder: Recorder) -> Parts:
            parts, users = _ended(parts, over)
            return _taken(lambda _parts, token: users.get(token))(operation)(parts, recorder)

        return apply

    return make


def _socket_lives(operation: Operation) -> Change:
    """On a socket, LogOut ends the session for every other call."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        parts, users = _ended(parts, ("ws",))

        def run(told: Recorder, inner: Callable[[Parts, Call], Answer], p: Parts, call: Call) -> Answer:
            user = users.get(call.session_token or "")
            if call.caller is None and user is not None:
                told.hit()
                call = replace(call, caller=user)
            return inner(p, call)

        public = parts.alphapoint.public_calls | {operation.call}
        return handler(operation, run)(with_alphapoint(parts, public_calls=public), recorder)

    return apply


def _lets_in(right: Callable[[str, str], bool]) -> Make:
    """A sign-in whose password passes this comparison of the right and the given one."""

    def make(_operation: Operation) -> Change:
        def apply(parts: Parts, recorder: Recorder) -> Parts:
            inner = parts.alphapoint.login

            def login(p: Parts, credentials: Mapping[str, str]) -> User | None:
                found = inner(p, credentials)
                name, given = _name_and_password(credentials)
                user = p.world.users.get(name)
                if found is None and user is not None and right(user.password, given):
                    recorder.hit()
                    return user
                return found

            return with_alphapoint(parts, login=login)

        return apply

    return make


def _name_and_password(credentials: Mapping[str, str]) -> tuple[str, str]:
    _, _, encoded = credentials.get("authorization", "").partition(" ")
    if encoded:
        try:
            name, _, password = base64.b64decode(encoded).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return "", ""
        return name, password
    return credentials.get("username", ""), credentials.get("password", "")


def _first_stays(_operation: Operation) -> Change:
    """A second user is told that he is signed in, and the socket goes on as the first one's."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        for name in _SIGN_IN:
            parts = with_call(parts, name, _keeping(parts.alphapoint.calls[name], recorder))
        return parts

    return apply


def _keeping(inner: Callable[[Parts, Call], Answer], recorder: Recorder) -> Callable[[Parts, Call], Answer]:
    def authenticate(p: Parts, call: Call) -> Answer:
        result = inner(p, call)
        before = p.alphapoint.sessions.find(call.session_token or "")
        if before is not None and isinstance(result, Data) and result.value.get("Authenticated"):
            recorder.hit()
            return Data({**result.value, "SessionToken": call.session_token})
        return result

    return authenticate


def _under_way(change: Callable[[list[tuple[FrameInfo, tuple[str, ...]]]], Answered]) -> Make:
    """What becomes of frames of the operation that arrive together on a socket."""

    def make(operation: Operation) -> Change:
        def apply(parts: Parts, recorder: Recorder) -> Parts:
            inner = parts.under_way

            def under_way(answered: Answered) -> Answered:
                before = list(inner(answered))
                if any(info.operation != operation.id for info, _ in before):
                    return before
                return recorder.swap(before, list(change(before)))

            return replace(parts, under_way=under_way, window_s=_WINDOW_S)

        return apply

    return make


def _member(text: str, name: str) -> Any:
    return json.loads(text)[name]


def _given(replies: tuple[str, ...], **members: Any) -> tuple[str, ...]:
    return tuple(json.dumps({**json.loads(text), **members}) for text in replies)


def _numbers_crossed(answered: list[tuple[FrameInfo, tuple[str, ...]]]) -> Answered:
    """Each reply has the number of the request behind it."""
    numbers = [_member(info.text, "i") for info, _ in answered]
    turned = (*numbers[1:], numbers[0])
    return [(info, _given(replies, i=number)) for (info, replies), number in zip(answered, turned, strict=True)]


def _first_for_all(answered: list[tuple[FrameInfo, tuple[str, ...]]]) -> Answered:
    """All are told the result of the first."""
    (_, first), *_ = answered
    return [(info, _given(replies, o=_member(first[0], "o"))) for info, replies in answered]


def _shared(operation: Operation) -> Change:
    """Requests of one session that overlap over HTTP are all told what the last of them came to."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        hold, inner = parts.hold, parts.http_filter
        flying: dict[str, int] = {}
        last: dict[str, HttpResponse] = {}

        async def held(request: HttpRequest) -> None:
            token = request.header("aptoken") or ""
            if request.operation == operation.id:
                flying[token] = flying.get(token, 0) + 1
                await asyncio.sleep(_WINDOW_S)
            await hold(request)

        def http_filter(request: HttpRequest, response: HttpResponse) -> HttpResponse:
            response, token = inner(request, response), request.header("aptoken") or ""
            if request.operation != operation.id:
                return response
            flying[token] = max(flying.get(token, 0) - 1, 0)
            told = recorder.swap(response, last.get(token, response))
            if flying[token] > 0:
                last[token] = response
            else:
                last.pop(token, None)
            return told

        return replace(parts, hold=held, http_filter=http_filter)

    return apply


def _not_in_lower_case(member: str) -> Make:
    """Leaves a member unread whose key is in lower case throughout."""

    def make(operation: Operation) -> Change:
        def apply(parts: Parts, recorder: Recorder) -> Parts:
            inner = parts.alphapoint.read_members

            def read_members(p: Parts, call: Call) -> dict[str, Any]:
                members = dict(inner(p, call))
                text = call.payload.decode("utf-8", "replace") if isinstance(call.payload, bytes) else call.payload
                if operation.is_of(call) and f'"{member}"' in text and member in members:
                    recorder.hit()
                    del members[member]
                return members

            return with_alphapoint(parts, read_members=read_members)

        return apply

    return make


def _one_for_both(transport: str) -> Change:
    """What was found by looking at the legs is told in one object over a transport."""

    def change(value: Any, call: Call) -> Any:
        legs = [value.get("BidResult"), value.get("AskResult")] if isinstance(value, dict) else [None]
        told = [leg for leg in legs if isinstance(leg, dict) and leg.get("errorcode") == 104]
        return legs[0] if len(told) == 2 and call.transport == transport else value

    return payloads(CQ, change)


def _mixed_flat(recorder: Recorder, inner: Callable[[Parts, Call], Answer], parts: Parts, call: Call) -> Answer:
    """One right and one wrong leg are refused by one object."""
    book = parts.alphapoint.book
    ids = [call.members.get(name) for name in ("bidquoteid", "askquoteid")]
    before = [book.find(number) if isinstance(number, int) else None for number in ids]
    result = inner(parts, call)
    if isinstance(result, Pair) and result.bid.code and any(before) and not all(before):
        recorder.hit()
        return result.bid
    return result


FAULTS: tuple[Variant, ...] = (
    *_each(
        "token-lives-on", "Takes a token after LogOut over HTTP", "SESSION-ENDED", _token_lives("http")
    ),
    *_each(
        "ws-token-lives-on",
        "Takes a token over HTTP after LogOut over WebSocket",
        "SESSION-ENDED",
        _token_lives("ws"),
    ),
    *_each("ws-socket-lives-on", "Knows the user of a socket after LogOut", "SESSION-ENDED", _socket_lives),
    *_each(
        "token-prefix",
        "Takes the beginning of a token for the token",
        "HTTP-SESSION",
        _by_likeness(lambda token, given: token.startswith(given)),
    ),
    *_each(
        "token-and-more",
        "Takes a token with more behind it",
        "HTTP-SESSION",
        _by_likeness(lambda token, given: given.startswith(token)),
    ),
    *_each(
        "token-first-eight",
        "Compares the first eight characters of a token",
        "HTTP-SESSION",
        _by_likeness(lambda token, given: given[:8] == token[:8]),
    ),
    *_each(
        "password-unchecked", "Lets in whoever gives a user's name", "SIGN-IN", _lets_in(lambda _right, _given: True)
    ),
    *_each(
        "password-beginning",
        "Lets in whoever gives the beginning of a password",
        "SIGN-IN",
        _lets_in(lambda right, given: len(given) >= 4 and right.startswith(given)),
    ),
    *_each(
        "password-length",
        "Lets in whoever gives a password of the right length",
        "SIGN-IN",
        _lets_in(lambda right, given: len(given) == len(right)),
    ),
    *_each("ws-first-user-stays", "Goes on as the first user of a socket", "WS-USER", _first_stays),
    *_each(
        "ws-numbers-crossed", "Crosses the numbers of frames under way together", "WS-I", _under_way(_numbers_crossed)
    ),
    *_each(
        "ws-first-result-for-all",
        "Tells all frames under way together the result of the first",
        "WS-I",
        _under_way(_first_for_all),
    ),
    *_each(
        "ws-busy-silent",
        "Leaves a frame without reply that comes while another is under way",
        "SYNC",
        _under_way(lambda answered: answered[:1]),
    ),
    *_each(
        "ws-last-alone",
        "Answers the last of the frames under way together",
        "SYNC",
        _under_way(lambda answered: answered[-1:]),
    ),
    *_each("result-shared", "Tells requests that overlap in one session one result", "SYNC", _shared),
    *_each(
        "account-key-in-lower-case", "Does not read a key accountid", "KEY-CASE", _not_in_lower_case("accountid")
    ),
    fault_of(
        CQ,
        "instrument-key-in-lower-case",
        "Does not read a key instrumentid",
        "KEY-CASE",
        _not_in_lower_case("instrumentid")(CQ),
    ),
    fault_of(
        CQ, "unknown-legs-flat", "Answers code 104 of both legs with one object over HTTP", "LEGS-TOLD",
        _one_for_both("http"),
    ),
    fault_of(
        CQ, "ws-unknown-legs-flat", "Answers code 104 of both legs with one object over WebSocket", "LEGS-TOLD",
        _one_for_both("ws"),
    ),
    fault_of(
        CQ, "mixed-legs-flat", "Answers one right and one wrong leg with one object", "LEGS-APART LEGS-OF-ONE",
        handler(CQ, _mixed_flat),
    ),
)  # fmt: skip
