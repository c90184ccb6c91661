"""Permitted differences in the life of a session and in messages that are under way together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from reference_impl.alphapoint.members import optional_integer
from reference_impl.alphapoint.orders import order_object
from reference_impl.alphapoint.scope import call_account
from reference_impl.alphapoint.values import OPERATION_NOT_SUPPORTED, Answer, Call, Data, Refused
from reference_impl.changes import CQ, Operation, equivalent_of, equivalents_of_each
from reference_impl.parts import Handler, Parts, with_alphapoint, with_call
from reference_impl.recorder import Recorder
from reference_impl.variants import Change, Variant
from reference_impl.wire import FrameInfo

_SIGN_IN = ("AuthenticateUser", "WebAuthenticateUser")
_WINDOW_S = 0.008
Answered = Sequence[tuple[FrameInfo, tuple[str, ...]]]


def _call(names: Sequence[str], change: Callable[[Recorder, Handler, Parts, Call], Answer]) -> Change:
    """Calls around the operations, each with the handler that it stands in for."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        for name in names:
            parts = with_call(parts, name, _changed(parts.alphapoint.calls[name], recorder))
        return parts

    def _changed(inner: Handler, recorder: Recorder) -> Handler:
        return lambda parts, call: change(recorder, inner, parts, call)

    return apply


def _ends_all(recorder: Recorder, inner: Handler, parts: Parts, call: Call) -> Answer:
    result = inner(parts, call)
    if call.caller is not None:
        recorder.hit()
        parts.alphapoint.sessions.expire(call.caller.name)
    return result


def _unsupported(recorder: Recorder, _inner: Handler, _parts: Parts, _call: Call) -> Answer:
    recorder.hit()
    raise Refused(OPERATION_NOT_SUPPORTED, "support", "Sessions end by themselves")


def _one_user(recorder: Recorder, inner: Handler, parts: Parts, call: Call) -> Answer:
    """The user who is signed in on a socket may sign in again, and nobody else."""
    sessions = parts.alphapoint.sessions
    before, result = sessions.find(call.session_token or ""), inner(parts, call)
    if before is None or not isinstance(result, Data) or not result.value.get("Authenticated"):
        return result
    token = result.value["SessionToken"]
    after = sessions.find(token)
    if after is None or after.name == before.name:
        return result
    recorder.hit()
    sessions.close(token)
    return Data({"Authenticated": False, "errormsg": "Log out first"})


def _hangs_up(parts: Parts, recorder: Recorder) -> Parts:
    def hangs_up(info: FrameInfo) -> bool:
        leaves = '"LogOut"' in info.text
        if leaves:
            recorder.hit()
        return leaves

    return replace(parts, hangs_up=hangs_up)


def _hangs_up_on_strangers(parts: Parts, recorder: Recorder) -> Parts:
    """Closes a socket on which a sign-in was refused."""
    refused: set[str] = set()
    inner = parts.frame_filter

    def frame_filter(info: FrameInfo, replies: tuple[str, ...]) -> tuple[str, ...]:
        if any('\\"Authenticated\\":false' in text for text in replies):
            refused.add(info.text)
        return inner(info, replies)

    def hangs_up(info: FrameInfo) -> bool:
        if info.text not in refused:
            return False
        recorder.hit()
        refused.discard(info.text)
        return True

    return replace(parts, frame_filter=frame_filter, hangs_up=hangs_up)


def _keeps_token(parts: Parts, recorder: Recorder) -> Parts:
    """A sign-in over WebSocket shows no token: the socket is the session."""
    inner = parts.alphapoint.finish

    def finish(call: Call, value: Any) -> Any:
        value = inner(call, value)
        if call.transport == "ws" and call.name in _SIGN_IN and isinstance(value, dict) and "SessionToken" in value:
            recorder.hit()
            return {key: member for key, member in value.items() if key != "SessionToken"}
        return value

    return with_alphapoint(parts, finish=finish)


def _last_first(operation: Operation) -> Change:
    """Frames under way together are answered in the opposite order; their numbers tell whose each reply is."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        inner = parts.under_way

        def under_way(answered: Answered) -> Answered:
            before = list(inner(answered))
            return recorder.swap(before, before[::-1]) if answered[0][0].operation == operation.id else before

        return replace(parts, under_way=under_way, window_s=_WINDOW_S)

    return apply


def _replaces(recorder: Recorder, inner: Handler, parts: Parts, call: Call) -> Answer:
    """Takes the account's quote on an instrument off the book when a new one is made there."""
    place = [call.members.get(name) for name in ("omsid", "accountid", "instrumentid")]
    before = [
        one.order_id
        for one in parts.alphapoint.book.every_open()
        if one.is_quote and [one.oms_id, one.account_id, one.instrument_id] == place
    ]
    answer = inner(parts, call)
    if parts.alphapoint.book.cancel(before):
        recorder.hit()
    return answer


def _oldest(recorder: Recorder, _inner: Handler, parts: Parts, call: Call) -> Answer:
    """GetOpenQuotes shows the oldest bid and ask that stand there: no page says which of several."""
    account, instrument = call_account(parts, call), optional_integer(call, "InstrumentId")
    quotes = [one for one in parts.alphapoint.book.open_orders(account.oms_id, account.account_id) if one.is_quote]
    there = [one for one in quotes if instrument in (None, 0, one.instrument_id)]
    sides = [[one for one in there if one.side == side] for side in ("Buy", "Sell")]
    if any(len(side) > 1 for side in sides):
        recorder.hit()
    bid, ask = (order_object(side[0]) if side else None for side in sides)
    return Data({"Bid": bid, "Ask": ask})


EQUIVALENTS: tuple[Variant, ...] = (
    equivalent_of(
        CQ, "oldest-quote-shown", "GetOpenQuotes shows the oldest of several", _call(("GetOpenQuotes",), _oldest)
    ),
    equivalent_of(
        CQ, "one-quote-there", "A new quote takes the place of the one before", _call(("CreateQuote",), _replaces)
    ),
    *equivalents_of_each(
        "logout-ends-all", "Ends every session of a user at LogOut", lambda _o: _call(("LogOut",), _ends_all)
    ),
    *equivalents_of_each("logout-hangs-up", "Closes the socket at LogOut", lambda _o: _hangs_up),
    *equivalents_of_each("logout-unsupported", "Does not offer LogOut", lambda _o: _call(("LogOut",), _unsupported)),
    *equivalents_of_each(
        "one-user-a-socket", "Refuses a second user on a socket", lambda _o: _call(_SIGN_IN, _one_user)
    ),
    *equivalents_of_each(
        "refusal-hangs-up", "Closes the socket when a sign-in is refused", lambda _o: _hangs_up_on_strangers
    ),
    *equivalents_of_each("ws-token-unsaid", "Gives no token over WebSocket", lambda _o: _keeps_token),
    *equivalents_of_each("ws-last-first", "Answers frames under way together the last first", _last_first),
)
