"""Violations of who may do what: permissions by role, own and foreign accounts, sessions, secrets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

from reference_impl.alphapoint.dispatch import answer
from reference_impl.alphapoint.http import JSON
from reference_impl.alphapoint.values import Answer, Call, Data, Refused
from reference_impl.changes import (
    CAO,
    CQ,
    Make,
    Operation,
    fault_of,
    faults_of_both,
    handler,
    may_call,
    standards,
    step,
)
from reference_impl.parts import Parts, with_alphapoint, with_call, with_policy
from reference_impl.recorder import Recorder
from reference_impl.variants import Change, Variant
from reference_impl.wire import HttpRequest, HttpResponse, text_response
from reference_impl.world.model import Permission, User


def _refused(permission: Permission) -> Make:
    return lambda operation: may_call(operation, lambda user: False if permission in user.permissions else None)


def _allowed(condition: Callable[[User], bool]) -> Make:
    return lambda operation: may_call(operation, lambda user: True if condition(user) else None)


def _only(permission: Permission) -> Callable[[User], bool]:
    return lambda user: user.permissions == {permission}


def _unchecked_on(transport: Literal["http", "ws"]) -> Make:
    def permit(inner: Any, parts: Parts, call: Call) -> None:
        if call.transport != transport:
            inner(parts, call)

    return lambda operation: step(operation, "permit", permit)


def _touches(condition: Callable[[User, int], bool | None]) -> Make:
    """Whether a user may address an account, for this operation alone."""

    def make(operation: Operation) -> Change:
        def run(recorder: Recorder, inner: Callable[[Parts, Call], Answer], parts: Parts, call: Call) -> Answer:
            before = parts.alphapoint.policy.may_touch

            def may_touch(user: User, account_id: int) -> bool:
                allowed, changed = before(user, account_id), condition(user, account_id)
                return allowed if changed is None else recorder.swap(allowed, changed)

            return inner(with_policy(parts, may_touch=may_touch), call)

        return handler(operation, run)

    return make


def _served_without_session(answered: Callable[[Parts, Call, Recorder], HttpResponse]) -> Make:
    def make(operation: Operation) -> Change:
        def apply(parts: Parts, recorder: Recorder) -> Parts:
            inner = parts.alphapoint.http_no_session

            def http_no_session(p: Parts, call: Call) -> HttpResponse:
                return answered(p, call, recorder) if operation.is_of(call) else inner(p, call)

            return with_alphapoint(parts, http_no_session=http_no_session)

        return apply

    return make


def _as_operator(parts: Parts, call: Call, recorder: Recorder) -> HttpResponse:
    recorder.hit()
    _, text = answer(parts, replace(call, caller=parts.world.users["operator"]))
    return HttpResponse(200, text.encode(), JSON)


def _says(response: HttpResponse) -> Callable[[Parts, Call, Recorder], HttpResponse]:
    def answered(_parts: Parts, _call: Call, recorder: Recorder) -> HttpResponse:
        recorder.hit()
        return response

    return answered


def _unknown_token(operation: Operation) -> Change:
    """Takes any token that it does not know for the operator's."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        inner = parts.refuse

        def refuse(request: HttpRequest) -> HttpResponse | None:
            token = request.header("aptoken")
            if (
                request.operation == operation.id
                and request.method == "POST"
                and token
                and parts.alphapoint.sessions.find(token) is None
            ):
                return _as_operator(parts, Call(operation.call, "http", request.body, request.query), recorder)
            return inner(request)

        return replace(parts, refuse=refuse)

    return apply


def _ws_without_session(operation: Operation) -> Change:
    """Serves a socket that has not signed in as the operator."""

    def run(recorder: Recorder, inner: Callable[[Parts, Call], Answer], parts: Parts, call: Call) -> Answer:
        if call.caller is None and call.transport == "ws":
            recorder.hit()
            call = replace(call, caller=parts.world.users["operator"])
        return inner(parts, call)

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        public = parts.alphapoint.public_calls | {operation.call}
        return handler(operation, run)(with_alphapoint(parts, public_calls=public), recorder)

    return apply


def _ws_session_code(code: int) -> Make:
    """Another code on a socket that has not signed in."""

    def make(operation: Operation) -> Change:
        def apply(parts: Parts, recorder: Recorder) -> Parts:
            inner = parts.alphapoint.standard

            def standard(call: Call, refusal: Any) -> Any:
                value = inner(call, refusal)
                if operation.is_of(call) and refusal.about == "session":
                    return recorder.swap(value, replace(value, code=code))
                return value

            return with_alphapoint(parts, standard=standard)

        return apply

    return make


def _echoes_token(operation: Operation) -> Change:
    return standards(
        operation,
        lambda members, call: {**members, "detail": f"session {call.session_token}"} if call.session_token else members,
    )


def _by_the_same_user(parts: Parts, recorder: Recorder) -> Parts:
    """Knows who placed an order, and cancels only what the caller placed himself."""
    placed_by: dict[int, str] = {}
    send_order = parts.alphapoint.calls["SendOrder"]

    def placing(p: Parts, call: Call) -> Answer:
        result = send_order(p, call)
        if isinstance(result, Data):
            placed_by[result.value["OrderId"]] = call.user.name
        return result

    def select(inner: Any, p: Parts, call: Call, *rest: Any) -> Any:
        return tuple(
            o
            for o in inner(p, call, *rest)
            if placed_by.get(o.order_id) == call.user.name or "Operator" in call.user.permissions
        )

    return step(CAO, "select", select)(with_call(parts, "SendOrder", placing), recorder)


def _acts_though_refused(operation: Operation) -> Change:
    """Refuses who lacks the permission, after the cancellation."""

    def run(recorder: Recorder, inner: Callable[[Parts, Call], Answer], parts: Parts, call: Call) -> Answer:
        try:
            return inner(parts, call)
        except Refused as refused:
            if refused.refusal.about == "permission":
                recorder.hit()
                inner(parts, replace(call, caller=parts.world.users["operator"]))
            raise

    return handler(operation, run)


def _foreign_hits_own(recorder: Recorder, inner: Callable[[Parts, Call], Answer], parts: Parts, call: Call) -> Answer:
    """Refuses a stranger's account, and cancels the caller's own orders instead."""
    try:
        return inner(parts, call)
    except Refused as refused:
        if refused.refusal.about == "foreign-account":
            own = parts.alphapoint.book.open_orders(call.user.oms_id, call.user.default_account)
            if parts.alphapoint.book.cancel(order.order_id for order in own):
                recorder.hit()
        raise


def _strangers_quote(inner: Any, parts: Parts, call: Call, request: Any, account: Any) -> Any:
    """Finds a quote by its ids alone, whoever's it is."""
    leg = parts.alphapoint.book.find(request.bid_quote_id)
    owner = parts.world.accounts.get(leg.account_id, account) if leg else account
    return inner(parts, call, request, owner)


def _makers_alone(user: User, account_id: int) -> bool | None:
    return False if "Operator" in user.permissions and 200 < account_id < 300 else None


def _own_accounts_alone(user: User, account_id: int) -> bool | None:
    return account_id in user.accounts


def _not_the_second(user: User, account_id: int) -> bool | None:
    return False if account_id in user.accounts and account_id != user.default_account else None


_EMPTY = HttpResponse(200, b"", JSON)
_SUCCESS = HttpResponse(200, b'{"result":true,"errormsg":null,"errorcode":0,"detail":null}', JSON)
_PAIR = HttpResponse(200, b'{"BidResult":%b,"AskResult":%b}' % (_SUCCESS.body, _SUCCESS.body), JSON)

FAULTS: tuple[Variant, ...] = (
    *faults_of_both("operator-refused", "Refuses operators", "PERM-OPERATOR SCOPE-OPERATOR", _refused("Operator")),
    fault_of(CAO, "trading-refused", "Refuses users with Trading permission", "PERM-TRADING", _refused("Trading")(CAO)),
    fault_of(CQ, "marketmaker-refused", "Refuses market makers", "PERM-MARKETMAKER", _refused("MarketMaker")(CQ)),
    fault_of(CAO, "marketmaker-allowed", "Serves market makers", "PERM-OTHERS", _allowed(_only("MarketMaker"))(CAO)),
    fault_of(
        CQ,
        "trading-allowed",
        "Serves users with Trading permission alone",
        "PERM-OTHERS",
        _allowed(_only("Trading"))(CQ),
    ),
    *faults_of_both(
        "nobody-allowed",
        "Serves users who have no permission",
        "PERM-OTHERS CODE-20",
        _allowed(lambda user: not user.permissions),
    ),
    *faults_of_both(
        "unchecked-ws", "Checks permissions over HTTP alone", "PERM-OTHERS SAME-TRANSPORT", _unchecked_on("ws")
    ),
    *faults_of_both(
        "unchecked-http", "Checks permissions over WebSocket alone", "PERM-OTHERS SAME-TRANSPORT", _unchecked_on("http")
    ),
    fault_of(
        CAO, "foreign-allowed", "Lets a trader address any account", "SCOPE-TRADING", _touches(lambda _u, _a: True)(CAO)
    ),
    fault_of(
        CQ,
        "foreign-allowed",
        "Lets a market maker address any account",
        "SCOPE-MARKETMAKER",
        _touches(lambda _u, _a: True)(CQ),
    ),
    *faults_of_both(
        "operator-own-only",
        "Lets an operator address his own account alone",
        "SCOPE-OPERATOR",
        _touches(_own_accounts_alone),
    ),
    fault_of(
        CAO,
        "operator-not-makers",
        "Keeps an operator from the accounts of market makers",
        "SCOPE-OPERATOR",
        _touches(_makers_alone)(CAO),
    ),
    *faults_of_both(
        "second-account-refused",
        "Knows the default account of a user alone",
        "cao:EFFECT-ACCOUNT RESP-RESULT-TRUE cao:SCOPE-TRADING REQ-ACCOUNTID-TYPE cq:REQ-ACCOUNTID-IDENTIFIES",
        _touches(_not_the_second),
    ),
    fault_of(
        CQ,
        "strangers-quote",
        "Finds a quote by its ids alone, whoever's it is",
        "SCOPE-MARKETMAKER",
        step(CQ, "judge", _strangers_quote),
    ),
    fault_of(
        CAO,
        "shared-own-orders-only",
        "Cancels only what the caller placed himself",
        "SHARED-ACCOUNT EFFECT-ACCOUNT",
        _by_the_same_user,
    ),
    fault_of(
        CAO,
        "foreign-hits-own",
        "Refuses a stranger's account and cancels the caller's own orders",
        "SCOPE-TRADING REFUSED-NO-EFFECT",
        handler(CAO, _foreign_hits_own),
    ),
    *faults_of_both(
        "acts-though-refused",
        "Refuses a missing permission after the cancellation",
        "REFUSED-NO-EFFECT",
        _acts_though_refused,
    ),
    *faults_of_both(
        "no-session-served",
        "Serves a request without a session as the operator",
        "HTTP-SESSION REFUSED-NO-EFFECT",
        _served_without_session(_as_operator),
    ),
    fault_of(
        CAO,
        "no-session-success",
        "Says success, without effect, to who has no session",
        "HTTP-SESSION",
        _served_without_session(_says(_SUCCESS))(CAO),
    ),
    fault_of(
        CQ,
        "no-session-success",
        "Says success, without effect, to who has no session",
        "HTTP-SESSION",
        _served_without_session(_says(_PAIR))(CQ),
    ),
    *faults_of_both(
        "no-session-empty",
        "Answers who has no session with an empty 200",
        "HTTP-SESSION RESP-STANDARD cq:RESP-PAIR",
        _served_without_session(_says(_EMPTY)),
    ),
    *faults_of_both(
        "no-session-500",
        "Answers who has no session with a 500",
        "MALFORMED",
        _served_without_session(_says(text_response(500, "INTERNAL SERVER ERROR"))),
    ),
    *faults_of_both(
        "unknown-token-served", "Takes an unknown token for the operator's", "HTTP-SESSION", _unknown_token
    ),
    *faults_of_both(
        "ws-no-session-served", "Serves a socket that has not signed in", "WS-SESSION", _ws_without_session
    ),
    *faults_of_both(
        "ws-no-session-104", "Answers 104 on a socket that has not signed in", "WS-SESSION", _ws_session_code(104)
    ),
    *faults_of_both("echoes-token", "Repeats the session token in detail", "SECRETS", _echoes_token),
)
