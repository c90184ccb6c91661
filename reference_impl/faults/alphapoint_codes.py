"""Violations in AlphaPoint's error codes: another text, another code, or a success where an error belongs."""

from __future__ import annotations

from reference_impl.alphapoint.values import (
    INVALID_REQUEST,
    NOT_AUTHORIZED,
    OPERATION_FAILED,
    OPERATION_NOT_SUPPORTED,
    RESOURCE_NOT_FOUND,
    SERVER_ERROR,
    About,
    Standard,
)
from reference_impl.changes import CAO, CQ, Make, Operation, code_texts, fault_of, faults_of_both, refusals
from reference_impl.variants import Change, Variant


def _text(code: int, text: str) -> Make:
    return lambda operation: code_texts(operation, code, text)


def _code(about: About, code: int, other: int) -> Make:
    """Answers one kind of refusal with another code."""

    def make(operation: Operation) -> Change:
        return refusals(
            operation,
            lambda refusal, _call: (
                Standard(other, refusal.detail) if (refusal.about, refusal.code) == (about, code) else None
            ),
        )

    return make


FAULTS: tuple[Variant, ...] = (
    *faults_of_both("text-20", "Writes Unauthorized with code 20", "CODE-20", _text(NOT_AUTHORIZED, "Unauthorized")),
    *faults_of_both(
        "text-20-lower", "Writes the text of code 20 in lower case", "CODE-20", _text(NOT_AUTHORIZED, "not authorized")
    ),
    *faults_of_both("text-100", "Writes Bad Request with code 100", "CODE-100", _text(INVALID_REQUEST, "Bad Request")),
    fault_of(
        CQ,
        "text-100-of-cancel-all",
        "Writes Invalid Response with code 100, which is another page's",
        "CODE-100",
        code_texts(CQ, INVALID_REQUEST, "Invalid Response"),
    ),
    *faults_of_both(
        "text-101",
        "Ends the text of code 101 with a full stop",
        "CODE-101",
        _text(OPERATION_FAILED, "Operation Failed."),
    ),
    *faults_of_both(
        "text-102",
        "Writes Internal Server Error with code 102",
        "CODE-102",
        _text(SERVER_ERROR, "Internal Server Error"),
    ),
    *faults_of_both("text-104", "Writes Not Found with code 104", "CODE-104", _text(RESOURCE_NOT_FOUND, "Not Found")),
    *faults_of_both(
        "text-106", "Writes Not Supported with code 106", "CODE-106", _text(OPERATION_NOT_SUPPORTED, "Not Supported")
    ),
    *faults_of_both(
        "text-with-number",
        "Puts the number behind the text of code 104",
        "CODE-104",
        _text(RESOURCE_NOT_FOUND, "Resource Not Found (errorcode 104)"),
    ),
    *faults_of_both(
        "permission-104",
        "Refuses a missing permission with 104",
        "CODE-20 PERM-OTHERS",
        _code("permission", NOT_AUTHORIZED, RESOURCE_NOT_FOUND),
    ),
    *faults_of_both(
        "permission-100",
        "Refuses a missing permission with 100",
        "CODE-20 PERM-OTHERS",
        _code("permission", NOT_AUTHORIZED, INVALID_REQUEST),
    ),
    *faults_of_both(
        "member-101",
        "Refuses a malformed request with 101",
        "CODE-100 REQ-OMSID-REQUIRED REQ-FORM",
        _code("member", INVALID_REQUEST, OPERATION_FAILED),
    ),
    *faults_of_both(
        "member-104",
        "Refuses a missing member with 104",
        "CODE-100 REQ-OMSID-REQUIRED",
        _code("member", INVALID_REQUEST, RESOURCE_NOT_FOUND),
    ),
    *faults_of_both(
        "member-102",
        "Refuses a malformed request with 102",
        "CODE-100 REQ-FORM MALFORMED",
        _code("member", INVALID_REQUEST, SERVER_ERROR),
    ),
    *faults_of_both(
        "unknown-oms-106",
        "Refuses an unknown system with 106",
        "CODE-104",
        _code("oms", RESOURCE_NOT_FOUND, OPERATION_NOT_SUPPORTED),
    ),
    *faults_of_both(
        "condition-101-102",
        "Answers 102 where 101 belongs",
        "CODE-101",
        _code("condition", OPERATION_FAILED, SERVER_ERROR),
    ),
    *faults_of_both(
        "condition-102-101",
        "Answers 101 where 102 belongs",
        "CODE-102",
        _code("condition", SERVER_ERROR, OPERATION_FAILED),
    ),
    *faults_of_both(
        "unsupported-100",
        "Answers 100 where 106 belongs",
        "CODE-106",
        _code("support", OPERATION_NOT_SUPPORTED, INVALID_REQUEST),
    ),
    *faults_of_both(
        "unsupported-success",
        "Reports success where 106 belongs",
        "CODE-106",
        _code("support", OPERATION_NOT_SUPPORTED, 0),
    ),
    *faults_of_both(
        "failed-success", "Reports success where 101 belongs", "CODE-101", _code("condition", OPERATION_FAILED, 0)
    ),
    *faults_of_both(
        "unknown-oms-success", "Reports success for an unknown system", "CODE-104", _code("oms", RESOURCE_NOT_FOUND, 0)
    ),
    *faults_of_both(
        "permission-success",
        "Reports success, without effect, to who lacks the permission",
        "PERM-OTHERS CODE-20",
        _code("permission", NOT_AUTHORIZED, 0),
    ),
    *faults_of_both(
        "malformed-success",
        "Reports success, without effect, for what it cannot read",
        "CODE-100 REQ-FORM REQ-OMSID-REQUIRED",
        _code("member", INVALID_REQUEST, 0),
    ),
    fault_of(
        CAO,
        "unknown-account-101",
        "Refuses an unknown account with 101 in place of 104",
        "CODE-104",
        _code("account", RESOURCE_NOT_FOUND, OPERATION_FAILED)(CAO),
    ),
    fault_of(
        CAO,
        "unknown-account-success",
        "Reports success for an unknown account",
        "CODE-104",
        _code("account", RESOURCE_NOT_FOUND, 0)(CAO),
    ),
    fault_of(
        CAO,
        "foreign-account-100",
        "Refuses a stranger's account with 100",
        "SCOPE-TRADING",
        _code("foreign-account", NOT_AUTHORIZED, INVALID_REQUEST)(CAO),
    ),
    fault_of(
        CAO,
        "foreign-account-success",
        "Reports success, without effect, on a stranger's account",
        "SCOPE-TRADING",
        _code("foreign-account", NOT_AUTHORIZED, 0)(CAO),
    ),
    fault_of(
        CQ,
        "foreign-account-106",
        "Refuses a stranger's account with 106",
        "SCOPE-MARKETMAKER",
        _code("foreign-account", NOT_AUTHORIZED, OPERATION_NOT_SUPPORTED)(CQ),
    ),
    fault_of(
        CQ,
        "foreign-account-success",
        "Reports success, without effect, on a stranger's account",
        "SCOPE-MARKETMAKER",
        _code("foreign-account", NOT_AUTHORIZED, 0)(CQ),
    ),
    fault_of(
        CQ,
        "gone-20",
        "Answers 20 for a quote that is unknown or cancelled",
        "GONE",
        _code("quote", RESOURCE_NOT_FOUND, NOT_AUTHORIZED)(CQ),
    ),
    fault_of(
        CQ,
        "gone-101",
        "Answers 101 for a quote that is unknown or cancelled",
        "GONE",
        _code("quote", RESOURCE_NOT_FOUND, OPERATION_FAILED)(CQ),
    ),
    fault_of(
        CQ,
        "pair-101",
        "Answers 101 for ids that are not of one quote",
        "LEGS-APART REQ-BOTH",
        _code("pair", RESOURCE_NOT_FOUND, OPERATION_FAILED)(CQ),
    ),
)
