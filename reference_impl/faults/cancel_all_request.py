"""Violations in how CancelAllOrders understands its request: absent, zero and unusable members, and the form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from reference_impl.alphapoint.book import Order
from reference_impl.alphapoint.values import (
    INVALID_REQUEST,
    RESOURCE_NOT_FOUND,
    Answer,
    Call,
    CancelAllRequest,
    Pair,
    Refused,
    Standard,
)
from reference_impl.changes import CAO, CO, CQ, Operation, fault_of, faults_of_both, handler, step
from reference_impl.faults.misreading import (
    instead_of_absent,
    instead_of_huge,
    instead_of_unusable,
    leading_digits,
    misread,
    reads_unreadable,
    unsigned,
    wrapped,
)
from reference_impl.parts import Parts
from reference_impl.recorder import Recorder
from reference_impl.variants import Change, Variant
from reference_impl.world.model import Account

_NOWHERE = object()
_form_taken = reads_unreadable(lambda text: dict(parse_qsl(text)))


def _account_value(call: Call) -> Any:
    return call.members.get("accountid", _NOWHERE)


def _everybody(wanted: Callable[[Any], bool]) -> Change:
    """Means every account of the system, whoever's, when AccountId is like that."""

    def accounts(inner: Any, parts: Parts, call: Call, request: CancelAllRequest) -> tuple[Account, ...]:
        if not wanted(_account_value(call)):
            return tuple(inner(parts, call, request))
        return tuple(
            a for a in parts.world.accounts.values() if a.oms_id == request.oms_id and a.on_cancel == "succeed"
        )

    return step(CAO, "accounts", accounts)


def _nothing_done(wanted: Callable[[Any], bool]) -> Change:
    """Reports success and cancels nothing when AccountId is like that."""

    def select(inner: Any, parts: Parts, call: Call, *rest: Any) -> tuple[Order, ...]:
        return () if wanted(_account_value(call)) else tuple(inner(parts, call, *rest))

    return step(CAO, "select", select)


def _refused_with(code: int, wanted: Callable[[Any], bool]) -> Change:
    def accounts(inner: Any, parts: Parts, call: Call, request: CancelAllRequest) -> Any:
        if wanted(_account_value(call)):
            raise Refused(code, "account", "Account not found")
        return inner(parts, call, request)

    return step(CAO, "accounts", accounts)


def _is_absent(value: Any) -> bool:
    return value is _NOWHERE


def _is_null(value: Any) -> bool:
    return value is None


def _is_zero(value: Any) -> bool:
    return value == 0 and not isinstance(value, bool)


def _unusable(value: Any) -> bool:
    return isinstance(value, list | dict) or (isinstance(value, str) and bool(value) and not value.strip().isdigit())


def _unusable_means_everybody(parts: Parts, recorder: Recorder) -> Parts:
    """Reads an AccountId that is no number as none, and that as everybody's."""
    return _everybody(_unusable)(misread(CAO, "AccountId", instead_of_unusable(None))(parts, recorder), recorder)


def _integers_only_as_text(inner: Any, parts: Parts, call: Call) -> Any:
    for name, value in call.members.items():
        if isinstance(value, int):
            raise Refused(INVALID_REQUEST, "member", f"{name} is not a string")
    return inner(parts, call)


_KNOWN = {CAO: {"omsid", "accountid"}, CQ: {"omsid", "accountid", "instrumentid", "bidquoteid", "askquoteid"}}


def _extra_member_stops(operation: Operation) -> Change:
    """Reports success and does nothing when it meets a member that it does not know."""

    def run(recorder: Recorder, inner: Callable[[Parts, Call], Answer], parts: Parts, call: Call) -> Answer:
        if set(call.members) - _KNOWN[operation]:
            recorder.hit()
            return Standard() if operation is CAO else Pair(Standard(), Standard())
        return inner(parts, call)

    return handler(operation, run)


def _extra_member_fails(operation: Operation) -> Change:
    """Answers 104 when it meets a member that it does not know."""

    def run(recorder: Recorder, inner: Callable[[Parts, Call], Answer], parts: Parts, call: Call) -> Answer:
        if set(call.members) - _KNOWN[operation]:
            recorder.hit()
            raise Refused(RESOURCE_NOT_FOUND, "member", "Unknown member")
        return inner(parts, call)

    return handler(operation, run)


FAULTS: tuple[Variant, ...] = (
    fault_of(
        CAO,
        "omitted-everybody",
        "Means every account of the system when AccountId is left out",
        "SCOPE-TRADING REQ-ACCOUNTID-OPTIONAL",
        _everybody(_is_absent),
    ),
    fault_of(
        CAO,
        "null-everybody",
        "Means every account of the system when AccountId is null",
        "SCOPE-TRADING",
        _everybody(_is_null),
    ),
    fault_of(
        CAO,
        "empty-everybody",
        "Means every account of the system when AccountId is empty text",
        "SCOPE-TRADING",
        _everybody(lambda value: value == ""),
    ),
    fault_of(
        CAO,
        "zero-everybody",
        "Means every account of the system when AccountId is 0",
        "SCOPE-TRADING",
        _everybody(_is_zero),
    ),
    fault_of(
        CAO,
        "unusable-everybody",
        "Means every account of the system when AccountId is no number",
        "REQ-ACCOUNTID-TYPE",
        _unusable_means_everybody,
    ),
    fault_of(
        CAO,
        "omitted-nothing",
        "Reports success and does nothing when AccountId is left out",
        "REQ-ACCOUNTID-OPTIONAL",
        _nothing_done(_is_absent),
    ),
    fault_of(
        CAO,
        "zero-nothing",
        "Reports success and does nothing when AccountId is 0",
        "REQ-ACCOUNTID-ZERO",
        _nothing_done(_is_zero),
    ),
    fault_of(
        CAO,
        "omitted-104",
        "Refuses a request without AccountId with 104",
        "REQ-ACCOUNTID-OPTIONAL",
        _refused_with(104, _is_absent),
    ),
    fault_of(CAO, "zero-101", "Refuses AccountId 0 with 101", "REQ-ACCOUNTID-ZERO", _refused_with(101, _is_zero)),
    *faults_of_both(
        "oms-absent-1",
        "Takes system 1 when OMSId is left out, null or empty",
        "REQ-OMSID-REQUIRED CODE-100",
        lambda o: misread(o, "OMSId", instead_of_absent(1)),
    ),
    *faults_of_both(
        "oms-unusable-1",
        "Takes system 1 when OMSId is no number",
        "REQ-OMSID-TYPE",
        lambda o: misread(o, "OMSId", instead_of_unusable(1)),
    ),
    *faults_of_both(
        "oms-32-bits", "Keeps 32 bits of OMSId", "REQ-OMSID-TYPE", lambda o: misread(o, "OMSId", wrapped(32))
    ),
    *faults_of_both(
        "oms-huge-1",
        "Takes system 1 when OMSId is beyond 64 bits",
        "REQ-OMSID-TYPE",
        lambda o: misread(o, "OMSId", instead_of_huge(1)),
    ),
    *faults_of_both(
        "oms-leading-digits",
        "Takes the digits that the text of OMSId starts with",
        "REQ-OMSID-TYPE",
        lambda o: misread(o, "OMSId", leading_digits),
    ),
    *faults_of_both(
        "account-32-bits",
        "Keeps 32 bits of AccountId",
        "REQ-ACCOUNTID-TYPE",
        lambda o: misread(o, "AccountId", wrapped(32)),
    ),
    *faults_of_both(
        "account-64-bits",
        "Keeps 64 bits of AccountId",
        "REQ-ACCOUNTID-TYPE",
        lambda o: misread(o, "AccountId", wrapped(64)),
    ),
    *faults_of_both(
        "account-unsigned",
        "Drops the sign of AccountId",
        "REQ-ACCOUNTID-TYPE",
        lambda o: misread(o, "AccountId", unsigned),
    ),
    *faults_of_both(
        "account-leading-digits",
        "Takes the digits that the text of AccountId starts with",
        "REQ-ACCOUNTID-TYPE",
        lambda o: misread(o, "AccountId", leading_digits),
    ),
    *faults_of_both("form-taken", "Takes a form for JSON", "REQ-FORM", _form_taken),
    fault_of(CO, "form-taken", "Takes a form for JSON", "REQ-FORM", _form_taken(CO)),
    *faults_of_both(
        "integers-as-text",
        "Takes integers as text alone, which the sample is not",
        "REQ-SAMPLE RESP-RESULT-TRUE",
        lambda o: step(o, "read", _integers_only_as_text),
    ),
    *faults_of_both(
        "extra-nothing",
        "Reports success and does nothing when there is a member that it does not know",
        "EXTRA-MEMBERS",
        _extra_member_stops,
    ),
    *faults_of_both(
        "extra-104", "Refuses a member that it does not know with 104", "EXTRA-MEMBERS", _extra_member_fails
    ),
)
