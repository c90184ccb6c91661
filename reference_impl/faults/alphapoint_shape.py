"""Violations in the form of AlphaPoint's answers: members that are missing, of other types, or contradictory."""

from __future__ import annotations

from typing import Any

from reference_impl.alphapoint.values import Call
from reference_impl.changes import (
    CAO,
    CQ,
    Members,
    Operation,
    but,
    fault_of,
    faults_of_both,
    on_error,
    on_success,
    payloads,
    standards,
    without,
)
from reference_impl.variants import Change, Variant


def _success(change: Any) -> Any:
    return lambda operation: standards(operation, on_success(change))


def _error(change: Any, code: int | None = None) -> Any:
    return lambda operation: standards(operation, on_error(change, code))


def _always(change: Any) -> Any:
    return lambda operation: standards(operation, lambda members, _call: change(members))


def _renamed(old: str, new: str) -> Any:
    return lambda members: {new if name == old else name: value for name, value in members.items()}


def _whole(change: Any) -> Any:
    def make(operation: Operation) -> Change:
        return payloads(operation, lambda value, _call: change(value))

    return make


def _leg(name: str, change: Any) -> Change:
    def changed(value: Any, _call: Call) -> Any:
        return {**value, name: change(value[name])} if isinstance(value, dict) and name in value else value

    return payloads(CQ, changed)


def _is_success(value: Members) -> bool:
    return all(part["errorcode"] == 0 for part in ([value] if "errorcode" in value else value.values()))


def _as_sample(leg: Members) -> str:
    words = {True: "true", False: "false", None: "null"}
    shown = {
        name: words.get(value, value) if isinstance(value, bool | None) else f'"{value}"' for name, value in leg.items()
    }
    return "{ " + " ".join(f'"{name}": {value},' for name, value in shown.items()) + " }"


FAULTS: tuple[Variant, ...] = (
    *faults_of_both("result-missing", "Leaves result out on success", "RESP-RESULT", _success(without("result"))),
    *faults_of_both(
        "result-missing-on-error", "Leaves result out of an error", "RESP-RESULT", _error(without("result"))
    ),
    *faults_of_both("result-as-text", 'Writes result as the text "true"', "RESP-RESULT", _success(but(result="true"))),
    *faults_of_both("result-as-number", "Writes result as 0 in an error", "RESP-RESULT", _error(but(result=0))),
    *faults_of_both(
        "errormsg-missing", "Leaves errormsg out on success", "RESP-ERRORMSG", _success(without("errormsg"))
    ),
    *faults_of_both(
        "errormsg-as-list",
        "Writes errormsg as a list of texts",
        "RESP-ERRORMSG",
        _error(lambda m: {**m, "errormsg": [m["errormsg"]]}),
    ),
    *faults_of_both(
        "errormsg-success", "Says Success in errormsg", "RESP-ERRORMSG-SUCCESS", _success(but(errormsg="Success"))
    ),
    *faults_of_both(
        "errorcode-missing", "Leaves errorcode out on success", "RESP-ERRORCODE", _success(without("errorcode"))
    ),
    *faults_of_both(
        "errorcode-as-text",
        "Writes the error code as text",
        "RESP-ERRORCODE",
        _error(lambda m: {**m, "errorcode": str(m["errorcode"])}),
    ),
    *faults_of_both(
        "errorcode-null", "Writes errorcode null on success", "RESP-ERRORCODE", _success(but(errorcode=None))
    ),
    *faults_of_both(
        "errorcode-200",
        "Reports success with errorcode 200",
        "RESP-ERRORCODE-SUCCESS RESP-ERRORCODE-LISTED AGREE",
        _success(but(errorcode=200)),
    ),
    *faults_of_both(
        "errorcode-renamed",
        "Calls the member error_code",
        "RESP-ERRORCODE",
        _always(_renamed("errorcode", "error_code")),
    ),
    *faults_of_both(
        "detail-as-object",
        "Writes detail as an object in an error",
        "RESP-DETAIL",
        _error(lambda m: {**m, "detail": {"message": m["detail"]}}),
    ),
    fault_of(
        CAO,
        "detail-as-number",
        "Writes detail as the number 0 on success",
        "RESP-DETAIL",
        standards(CAO, on_success(but(detail=0))),
    ),
    *faults_of_both(
        "code-107",
        "Answers 101 with the undocumented 107",
        "RESP-ERRORCODE-LISTED CODE-101",
        _error(but(errorcode=107, errormsg="Operation In Process"), 101),
    ),
    *faults_of_both(
        "error-with-true", "Says result true in an error", "AGREE RESP-RESULT-FALSE", _error(but(result=True))
    ),
    *faults_of_both(
        "success-with-false",
        "Says result false beside errorcode 0",
        "AGREE RESP-RESULT-TRUE",
        _success(but(result=False)),
    ),
    *faults_of_both(
        "error-with-code-0", "Keeps errorcode 0 in an error", "AGREE RESP-RESULT-FALSE", _error(but(errorcode=0))
    ),
    *faults_of_both(
        "permission-with-true",
        "Says result true with code 20 alone",
        "AGREE RESP-RESULT-FALSE",
        _error(but(result=True), 20),
    ),
    *faults_of_both(
        "error-without-text",
        "Leaves the text of an error null",
        "CODE-20 CODE-100 CODE-101 CODE-102 CODE-104 CODE-106",
        _error(but(errormsg=None)),
    ),
    *faults_of_both("error-text-empty", "Leaves the text of code 104 empty", "CODE-104", _error(but(errormsg=""), 104)),
    *faults_of_both(
        "member-twice",
        "Writes result twice, in two letter cases",
        "RESP-STANDARD",
        _always(lambda m: {**m, "Result": m["result"]}),
    ),
    *faults_of_both(
        "in-a-list", "Puts the answer into a list", "RESP-STANDARD cq:RESP-PAIR", _whole(lambda value: [value])
    ),
    *faults_of_both(
        "in-an-envelope",
        "Puts the answer into an envelope of its own",
        "RESP-STANDARD cq:RESP-PAIR",
        _whole(lambda value: {"status": "ok", "data": value}),
    ),
    *faults_of_both(
        "success-empty-object",
        "Answers success with an empty object",
        "RESP-STANDARD cq:RESP-PAIR RESP-SAMPLE",
        _whole(lambda value: {} if _is_success(value) else value),
    ),
    fault_of(
        CAO,
        "success-null",
        "Answers success with null",
        "RESP-STANDARD",
        payloads(CAO, lambda value, _call: None if _is_success(value) else value),
    ),
    fault_of(
        CAO,
        "success-bare-true",
        "Answers success with the bare word true",
        "RESP-STANDARD",
        payloads(CAO, lambda value, _call: True if _is_success(value) else value),
    ),
    fault_of(
        CQ,
        "ask-missing",
        "Leaves AskResult out",
        "RESP-ASK",
        payloads(CQ, lambda value, _call: without("AskResult")(value)),
    ),
    fault_of(
        CQ,
        "bid-missing",
        "Leaves BidResult out",
        "RESP-BID",
        payloads(CQ, lambda value, _call: without("BidResult")(value)),
    ),
    fault_of(CQ, "bid-null", "Writes BidResult null", "RESP-BID", _leg("BidResult", lambda _leg: None)),
    fault_of(
        CQ,
        "ask-bare-true",
        "Writes AskResult as the bare word true",
        "RESP-ASK",
        _leg("AskResult", lambda leg: leg["result"]),
    ),
    fault_of(
        CQ, "ask-in-list", "Puts the object of AskResult into a list", "RESP-ASK", _leg("AskResult", lambda leg: [leg])
    ),
    fault_of(
        CQ,
        "success-flat",
        "Answers a success with one flat object",
        "RESP-PAIR",
        payloads(CQ, lambda value, _call: value["BidResult"] if _is_success(value) else value),
    ),
    fault_of(
        CQ,
        "legs-as-list",
        "Answers with a list of the two results",
        "RESP-PAIR RESP-STANDARD",
        payloads(CQ, lambda value, _call: list(value.values())),
    ),
    fault_of(
        CQ,
        "leg-text-no-json",
        "Writes a leg as text with the sample's trailing commas, which is no JSON",
        "RESP-LEG-FORM",
        _leg("BidResult", _as_sample),
    ),
    fault_of(
        CQ,
        "leg-ok",
        "Writes BidResult as the text OK",
        "RESP-LEG-FORM RESP-BID",
        _leg("BidResult", lambda leg: "OK" if leg["result"] else leg),
    ),
)
