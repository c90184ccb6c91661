"""Each alternative of each reading is seen from outside."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from reference_support import CANCELLATIONS, XMLNS, Server, Socket, fails, running, standard

from reference_impl.defaults import default_parts
from reference_impl.errors import OptionError
from reference_impl.readings import READINGS, choose
from reference_impl.world.load import load_world

pytestmark = pytest.mark.timeout(120)

GONE = {"OMSId": 1, "BidQuoteId": 1, "AskQuoteId": 2}
JSON = {"Content-Type": "application/json"}


def _success(server: Server) -> Any:
    return server.call("trader01", "CancelAllOrders", OMSId=1)


def _pair(server: Server, **members: Any) -> Any:
    return server.call("maker01", "CancelQuote", **{**GONE, **members})


def _mixed(server: Server) -> tuple[Any, int]:
    bid, ask = server.quote("maker02")
    answer = server.call("maker02", "CancelQuote", OMSId=1, BidQuoteId=bid, AskQuoteId=1)
    return (answer["BidResult"]["errorcode"], answer["AskResult"]["errorcode"]), len(
        {bid, ask} & server.open_ids("maker02", 202)
    )


def _left_open(server: Server, **members: Any) -> list[bool]:
    orders = [
        (101, server.order("trader01")),
        (301, server.order("trader01", 301)),
        (101, server.order("trader01", InstrumentId=2)),
    ]
    server.call("trader01", "CancelAllOrders", **{"OMSId": 1, **members})
    return [order in server.open_ids("trader01", account) for account, order in orders]


def _quote_left(server: Server) -> bool:
    legs = server.quote("bystander01")
    server.call("bystander01", "CancelAllOrders", OMSId=1)
    return set(legs) <= server.open_ids("bystander01", 501)


def _bad_frame(server: Server) -> Any:
    with Socket(server) as socket:
        socket.send("{")
        socket.send('{"m":0,"i":5,"n":"Ping","o":""}')
        return json.loads(socket.receive())


def _refused_in_a_frame(server: Server) -> Any:
    """The kind of the frame that refuses a call without a session."""
    with Socket(server) as socket:
        socket.send('{"m":0,"i":5,"n":"CancelAllOrders","o":"{}"}')
        return json.loads(socket.receive())["m"]


def _media_type(server: Server) -> str | None:
    return server.send("trader01", "CancelAllOrders", '{"OMSId":1}').headers.get("content-type")


def _statuses(server: Server) -> list[int]:
    return [
        server.send("trader01", "CancelAllOrders", '{"OMSId":1}').status,
        server.send("trader01", "CancelAllOrders", "{}").status,
        server.send("maker01", "CancelAllOrders", '{"OMSId":1}').status,
        server.send("operator", "CancelAllOrders", '{"OMSId":1,"AccountId":902}').status,
        server.send("operator", "CancelQuote", json.dumps({**GONE, "OMSId": 3, "AccountId": 703})).status,
        server.send("maker01", "CancelQuote", json.dumps(GONE)).status,
        server.request("GET", "/AP/Ping").status,
    ]


def _tpp(server: Server, *instructions: Any) -> Any:
    return server.cancel_json(*instructions).json


def _international(server: Server) -> str:
    (order,) = server.state("open-international-order")
    (result,) = _tpp(server, {**order, "IsInternationalOrder": True})
    return str(result["InternationalOrderUID"])


def _first_ids(server: Server) -> list[Any]:
    return [result["OrderID"] for result in _tpp(server, {"OrderID": 1}, {"OrderID": 2})]


def _errors_of_success(server: Server) -> Any:
    (order,) = server.state("open-order")
    (result,) = _tpp(server, order)
    assert result["Success"]
    return result["Errors"]


def _without_nulls(server: Server) -> tuple[Any, str]:
    order, other = server.state("open-order", 2)
    xml = f"<OrderID>{other['OrderID']}</OrderID>"
    body = f"<ArrayOfCancellationCreation {XMLNS}><CancellationCreation>{xml}</CancellationCreation></ArrayOfCancellationCreation>"
    return list(_tpp(server, order)[0]), server.cancel_xml(body).text.partition("Result>")[2].partition("<Orde")[0]


def _posted(server: Server, body: str) -> Any:
    return server.request("POST", CANCELLATIONS, body, JSON).json


def _items_read(server: Server) -> list[Any]:
    """How many results a list with a null, and one with a number, has; `str` where it is refused."""
    answers = [_tpp(server, {"OrderID": 1}, item) for item in (None, 7)]
    return [str if isinstance(answer, str) else len(answer) for answer in answers]


def _reference_read(server: Server) -> type:
    item = "<CancellationCreation><OrderID>1</OrderID><PIN>&#1;</PIN></CancellationCreation>"
    body = f"<ArrayOfCancellationCreation {XMLNS}>{item}</ArrayOfCancellationCreation>"
    return list if server.cancel_xml(body).status == 200 else str


def _status(server: Server, body: str = "[]") -> int:
    return server.request("POST", CANCELLATIONS, body, JSON).status


Look = Callable[[Server], Any]
CASES: list[tuple[str, str, Look, Any]] = [
    ("errormsg-on-success", "null", lambda s: _success(s)["errormsg"], None),
    ("errormsg-on-success", "empty", lambda s: _success(s)["errormsg"], ""),
    ("detail-on-success", "null", lambda s: _success(s)["detail"], None),
    ("detail-on-success", "empty", lambda s: _success(s)["detail"], ""),
    ("detail-on-success", "omitted", lambda s: "detail" in _success(s), False),
    ("code-100-text", "invalid-request", lambda s: s.call("trader01", "CancelAllOrders")["errormsg"], "Invalid Request"),
    ("code-100-text", "invalid-response", lambda s: s.call("trader01", "CancelAllOrders")["errormsg"], "Invalid Response"),
    ("error-status", "200", _statuses, [200] * 7),
    ("error-status", "4xx", _statuses, [200, 400, 403, 500, 409, 404, 200]),
    ("session-missing", "404-text", lambda s: s.request("POST", "/AP/CancelAllOrders", "{}").text, "NOT FOUND"),
    ("session-missing", "standard-20", lambda s: s.request("POST", "/AP/CancelAllOrders", "{}").json["errorcode"], 20),
    ("foreign-account", "20", lambda s: s.call("trader01", "CancelAllOrders", OMSId=1, AccountId=102)["errorcode"], 20),
    ("foreign-account", "104", lambda s: s.call("trader01", "CancelAllOrders", OMSId=1, AccountId=102)["errorcode"], 104),
    ("unknown-id", "104", lambda s: _pair(s)["BidResult"]["errorcode"], 104),
    ("unknown-id", "100", lambda s: _pair(s)["BidResult"], standard(100, "Invalid Request", "Bid quote not found")),
    ("unknown-id", "100", lambda s: _pair(s, OMSId=9)["BidResult"]["errorcode"], 104),
    ("response-key-case", "documented", lambda s: list(_success(s)), ["result", "errormsg", "errorcode", "detail"]),
    ("response-key-case", "camel", lambda s: list(_success(s)), ["result", "errorMsg", "errorCode", "detail"]),
    ("response-key-case", "pascal", lambda s: list(_pair(s)["AskResult"]), ["Result", "ErrorMsg", "ErrorCode", "Detail"]),
    ("response-key-case", "lower", lambda s: list(_pair(s)), ["bidresult", "askresult"]),
    ("extra-members", "ignored", lambda s: _left_open(s, IntrumentId="2"), [False, True, False]),
    ("extra-members", "honoured", lambda s: _left_open(s, IntrumentId="2"), [True, True, False]),
    ("error-frame", "reply", _refused_in_a_frame, 1),
    ("error-frame", "error", _refused_in_a_frame, 5),
    ("answer-media-type", "declared", lambda s: _media_type(s) is None, False),
    ("answer-media-type", "absent", _media_type, None),
    ("unparsable-frame", "silence", lambda s: _bad_frame(s)["i"], 5),
    ("unparsable-frame", "error-frame", lambda s: _bad_frame(s)["m"], 5),
    ("unparsable-frame", "standard-100", lambda s: fails(json.loads(_bad_frame(s)["o"]), 100, "Invalid Request"), True),
    ("account-omitted", "own", _left_open, [False, True, False]),
    ("account-omitted", "all-accessible", _left_open, [False, False, False]),
    ("account-omitted", "by-user", _left_open, [True, True, True]),
    ("account-omitted", "by-user", lambda s: _left_open(s, UserId=101), [False, False, False]),
    ("account-omitted", "by-user", lambda s: _left_open(s, UserId=101, AccountId=301), [True, False, True]),
    ("account-omitted", "by-user", lambda s: _left_open(s, UserId=101, AccountId=102), [True, True, True]),
    ("account-omitted", "by-user", lambda s: _left_open(s, UserId=102), [True, True, True]),
    ("account-omitted", "refused", _left_open, [True, True, True]),
    ("account-zero", "as-omitted", lambda s: _left_open(s, AccountId=0), [False, True, False]),
    ("account-zero", "unknown", lambda s: s.call("trader01", "CancelAllOrders", OMSId=1, AccountId=0)["errorcode"], 104),
    ("account-zero", "unknown", _left_open, [False, True, False]),
    ("cancel-all-takes-quotes", "no", _quote_left, True),
    ("cancel-all-takes-quotes", "yes", _quote_left, False),
    ("leg-form", "object", lambda s: _pair(s)["BidResult"]["errorcode"], 104),
    ("leg-form", "string", lambda s: json.loads(_pair(s)["BidResult"])["errorcode"], 104),
    ("mixed-legs", "both-refused", _mixed, ((104, 104), 2)),
    ("mixed-legs", "each-alone", _mixed, ((0, 104), 1)),
    ("early-error", "pair", lambda s: list(_pair(s, OMSId=None)), ["BidResult", "AskResult"]),
    ("early-error", "flat", lambda s: fails(_pair(s, OMSId=None), 100, "Invalid Request"), True),
    ("quote-gone", "104", lambda s: _pair(s)["AskResult"]["errorcode"], 104),
    ("quote-gone", "success", lambda s: _pair(s)["AskResult"]["errorcode"], 0),
    ("quote-gone", "success", _mixed, ((104, 104), 2)),
    ("null-members", "present", lambda s: len(_without_nulls(s)[0]), 4),
    ("null-members", "omitted", _without_nulls, (["OrderID", "Success"], "")),
    ("processed-status", "200", _status, 200),
    ("processed-status", "201", _status, 201),
    ("processed-status", "202", _status, 202),
    ("processed-status", "207", _status, 207),
    ("empty-list", "empty-result", lambda s: _tpp(s), []),
    ("empty-list", "refused", lambda s: _tpp(s), "The list has no cancellation instruction."),
    ("result-order", "same", _first_ids, [1, 2]),
    ("result-order", "other", _first_ids, [2, 1]),
    ("broken-instruction", "only-itself", lambda s: len(_tpp(s, {"OrderID": 1}, {})), 2),
    ("broken-instruction", "whole-list", lambda s: _tpp(s, {"OrderID": 1}, {}), "OrderID is required."),
    ("no-list", "empty-result", lambda s: [_posted(s, body) for body in ("", "null")], [[], []]),
    ("no-list", "refused", lambda s: [_posted(s, body) for body in ("", "null", "[]")], ["There is no list."] * 2 + [[]]),
    ("unusable-value", "own-result", lambda s: len(_tpp(s, {"OrderID": "x"}, {"OrderID": 1}, {})), 3),
    ("unusable-value", "list-refused", lambda s: _tpp(s, {"OrderID": "x"}, {"OrderID": 1}, {}), "OrderID is not valid."),
    ("unusable-value", "dropped", lambda s: len(_tpp(s, {"OrderID": "x"}, {"OrderID": 1}, {})), 2),
    ("null-item", "list-refused", _items_read, [str, str]),
    ("null-item", "own-result", _items_read, [2, str]),
    ("null-item", "dropped", _items_read, [1, str]),
    ("unusable-item", "list-refused", _items_read, [str, str]),
    ("unusable-item", "own-result", _items_read, [str, 2]),
    ("unusable-item", "dropped", _items_read, [str, 1]),
    ("forbidden-reference", "list-refused", _reference_read, str),
    ("forbidden-reference", "read", _reference_read, list),
    ("guid-case", "lower", lambda s: _international(s).islower(), True),
    ("guid-case", "upper", lambda s: _international(s).isupper(), True),
    ("framework-error-form", "framework", lambda s: list(s.request("GET", CANCELLATIONS).json), ["Message"]),
    ("framework-error-form", "string", lambda s: type(s.request("GET", CANCELLATIONS).json), str),
    ("id-width", "int32", lambda s: _tpp(s, {"OrderID": 2**31})[0]["Errors"], ["OrderID is not valid."]),
    ("id-width", "int64", lambda s: _tpp(s, {"OrderID": 2**31})[0]["Errors"], ["Order not found."]),
    ("errors-on-success", "null", _errors_of_success, None),
    ("errors-on-success", "empty", _errors_of_success, []),
    ("refused-status", "400", lambda s: _status(s, "{"), 400),
    ("refused-status", "422", lambda s: _status(s, "{"), 422),
]  # fmt: skip


@pytest.fixture(scope="module")
def defaults() -> Iterator[Server]:
    """A server for which the first alternative of every reading is chosen by name."""
    readings = [f"{reading.id}={next(iter(reading.alternatives))}" for reading in READINGS.values()]
    with running(readings=tuple(readings)) as started:
        yield started


@pytest.mark.parametrize(
    ("reading", "alternative", "look", "seen"), CASES, ids=[f"{case[0]}={case[1]}-{n}" for n, case in enumerate(CASES)]
)
def test_an_alternative_shows(defaults: Server, reading: str, alternative: str, look: Look, seen: object) -> None:
    if alternative == next(iter(READINGS[reading].alternatives)):
        assert seen == look(defaults)
    else:
        with running(readings=(f"{reading}={alternative}",)) as server:
            assert seen == look(server)


def test_every_alternative_is_looked_at() -> None:
    looked_at = {(reading, alternative) for reading, alternative, _, _ in CASES}
    assert looked_at == {(r.id, name) for r in READINGS.values() for name in r.alternatives}


def test_readings_hold_together() -> None:
    readings = ("leg-form=string", "response-key-case=pascal", "error-status=4xx", "early-error=flat")
    with running(readings=readings) as server:
        reply = server.send("maker01", "CancelQuote", json.dumps(GONE))
        assert (reply.status, json.loads(reply.json["BidResult"])["ErrorCode"]) == (404, 104)


@pytest.mark.parametrize(
    ("choice", "says"),
    [
        ("colour=red", "unknown reading 'colour'"),
        ("leg-form=red", "no alternative 'red'"),
        ("leg-form", "no alternative ''"),
    ],
)
def test_a_choice_that_does_not_exist_is_an_error(choice: str, says: str) -> None:
    with pytest.raises(OptionError, match=says):
        choose(default_parts(load_world()), [choice])
