"""Clients that differ from the right one in one small thing: wrong ones, and others that are right all the same.

`python other_clients.py NAME` is the driver of one. Each entry: the operations it makes, what is changed, and for a wrong
one the checks of which one at least must find it.
"""

from __future__ import annotations

import http.client
import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))  # it is a program, and a module of tests that read its tables
from right_client import (
    ALL,
    ALONE,
    CANCELLED,
    INSTRUCTED,
    LIST,
    NAMESPACE,
    ONE,
    ORDER,
    QUOTE,
    TROUBLE,
    UNKNOWN,
    Belief,
    Client,
    Socket,
    drive,
    refused,
    signature,
)

BELIEF, TOUCH, RETRY, SURVIVES, NAMES = (
    "client-belief",
    "client-touch",
    "client-retry",
    "client-survives",
    "client-names",
)
HTTP, WS, JSON, XML = "http", "ws", "application/json", "text/xml"


@dataclass(frozen=True)
class Other:
    """A client that is made of the right one. `tried`: patterns of the trials that are enough to see it."""

    operation: str
    where: str
    steps: Mapping[str, Callable[..., Any]]
    found_by: tuple[str, ...] = ()
    tried: tuple[str, ...] = ()


def of(operation: str, where: str, *found_by: str, tried: str = "", **steps: Callable[..., Any]) -> Other:
    return Other(operation, where, steps, found_by, tuple(tried.split()))


def with_member(name: str, change: Callable[[Any], Any]) -> Callable[..., Any]:
    """Change one member of an object, or of each instruction."""

    def members(self: Client, asked: Any, members: Any) -> Any:
        items = members if isinstance(members, list) else [members]
        changed = [{**one, name: change(one[name])} if name in one else one for one in items]
        return changed if isinstance(members, list) else changed[0]

    return members


def without(*names: str) -> Callable[..., Any]:
    def members(self: Client, asked: Any, members: Any) -> Any:
        items = members if isinstance(members, list) else [members]
        kept = [{name: value for name, value in one.items() if name not in names} for one in items]
        return kept if isinstance(members, list) else kept[0]

    return members


def renamed(old: str, new: str) -> Callable[..., Any]:
    def members(self: Client, asked: Any, members: Any) -> Any:
        items = members if isinstance(members, list) else [members]
        changed = [{new if name == old else name: value for name, value in one.items()} for one in items]
        return changed if isinstance(members, list) else changed[0]

    return members


def retrying(times: int = 1, *, when: tuple[type[Exception], ...] = TROUBLE) -> Callable[..., Any]:
    def send(self: Client, asked: Any, members: Any) -> Any:
        for left in range(times, -1, -1):
            try:
                return Client.send(self, asked, members)
            except when:
                if not left:
                    raise
                Client.trouble(self, asked, 1)
        return None

    return send


def believing(belief: Belief) -> Callable[..., Any]:
    return lambda self, asked, parts: [belief] * parts


def always(belief: Belief) -> Callable[..., Any]:
    return lambda self, asked, status, body, parts: [belief] * parts


# Steps of wrong clients.


def by_status(self: Client, asked: Any, status: int, body: str, parts: int) -> list[Belief]:
    return [CANCELLED if status < 300 else refused()] * parts


def only_known(*codes: int) -> Callable[..., Any]:
    def one(self: Client, value: Any) -> Belief:
        if value["errorcode"] and value["errorcode"] not in codes:
            raise RuntimeError(f"no such code: {value['errorcode']}")
        return Client.one(self, value)

    return one


def code_for(wrong: int, told: int) -> Callable[..., Any]:
    def one(self: Client, value: Any) -> Belief:
        return refused(told) if value["errorcode"] == wrong else Client.one(self, value)

    return one


def done_if(*codes: int) -> Callable[..., Any]:
    return lambda self, value: CANCELLED if value["errorcode"] in (0, *codes) else refused(value["errorcode"])


def first_leg(self: Client, asked: Any, status: int, body: str, parts: int) -> list[Belief]:
    value = self.value(body)
    return [self.one(self.leg(value.get("bidresult", value)))] * 2


def legs_crossed(self: Client, asked: Any, status: int, body: str, parts: int) -> list[Belief]:
    return Client.read(self, asked, status, body, parts)[::-1]


def any_leg(self: Client, asked: Any, status: int, body: str, parts: int) -> list[Belief]:
    told = Client.read(self, asked, status, body, parts)
    return [CANCELLED] * 2 if CANCELLED in told else told


def by_position(self: Client, asked: Any, status: int, body: str) -> list[Belief]:
    told = self.xml_results(body) if body.lstrip().startswith("<") else json.loads(body)
    return [refused()] * len(asked["members"]) if isinstance(told, str) else [self.result(one) for one in told]


def all_or_none(self: Client, asked: Any, status: int, body: str) -> list[Belief]:
    told = Client.results(self, asked, status, body)
    return [CANCELLED if all(one == CANCELLED for one in told) else refused()] * len(told)


def first_result(self: Client, asked: Any, status: int, body: str) -> list[Belief]:
    told = Client.results(self, asked, status, body)
    return [told[0]] * len(told)


def listed_is_done(self: Client, asked: Any, status: int, body: str) -> list[Belief]:
    return [CANCELLED if status < 300 else refused()] * len(asked["members"])


def die_when(wrong: Callable[[Mapping[str, Any]], bool]) -> Callable[..., Any]:
    def one(self: Client, value: Any) -> Belief:
        if wrong(value):
            sys.exit(3)
        return Client.one(self, value)

    return one


def hang_when(wrong: Callable[[Mapping[str, Any]], bool]) -> Callable[..., Any]:
    def one(self: Client, value: Any) -> Belief:
        if wrong(value):
            time.sleep(600)
        return Client.one(self, value)

    return one


def twice(self: Client, asked: Any, members: Any) -> Any:
    Client.send(self, asked, members)
    return Client.send(self, asked, members)


def order_and_next(self: Client, asked: Any, members: Any) -> Any:
    answer = Client.send(self, asked, members)
    Client.send(self, asked, {**members, "OrderId": members["OrderId"] + 1})
    return answer


def everything_instead(self: Client, asked: Any, members: Any) -> Any:
    headers = {"Content-Type": "application/json", **self.session()}
    self.http(
        "/AP/CancelAllOrders", json.dumps({name: members[name] for name in ("OMSId", "AccountId")}).encode(), headers
    )
    return Client.send(self, asked, members)


def sends_nothing(self: Client, asked: Any, members: Any) -> Any:
    return 200, '{"result":true,"errormsg":null,"errorcode":0,"detail":null}'


def as_get(self: Client, path: str, body: bytes, headers: Mapping[str, str], method: str = "POST") -> Any:
    return Client.http(self, path, body, headers, "GET" if "Cancel" in path else method)


def as_form(self: Client, asked: Any, members: Any) -> Any:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return self.http("/api/orders/cancellations", json.dumps(members).encode(), headers)


def framed(kind: int = 0, number: int | None = None, name: str = "") -> Callable[..., Any]:
    def send(self: Client, asked: Any, members: Any) -> Any:
        return 0, self.socket().call(name or self.call(asked), self.text(members), number, kind)

    return send


def one_instruction_each_lost(self: Client, asked: Any, members: Any) -> Any:
    """It splits the list, and keeps the last answer alone."""
    for one in members:
        answer = Client.send(self, asked, [one])
    return answer


WRONG: Mapping[str, Other] = {
    # It believes what it was not told.
    "status-alone": of(ONE, HTTP, BELIEF, tried="*/client/code/104@* */scene/order@*", read=by_status),
    "status-alone-all": of(ALL, HTTP, BELIEF, tried="*/client/code/20@*", read=by_status),
    "status-alone-list": of(LIST, JSON, BELIEF, tried="*/scene/middle-gone@*", results=listed_is_done),
    "always-cancelled": of(ONE, WS, BELIEF, tried="*/client/code/102@*", read=always(CANCELLED)),
    "always-refused": of(ALL, HTTP, BELIEF, tried="*/scene/*", read=always(refused(104))),
    "always-unknown": of(ONE, HTTP, BELIEF, tried="*/scene/order@*", read=always(UNKNOWN)),
    "gone-is-cancelled": of(ONE, HTTP, BELIEF, tried="*/scene/gone@*", one=done_if(104)),
    "failed-is-cancelled": of(ALL, WS, BELIEF, tried="*/client/code/101@*", one=done_if(101)),
    "unsupported-is-cancelled": of(QUOTE, HTTP, BELIEF, tried="*/client/code/106@*", one=done_if(106)),
    "code-102-is-20": of(ONE, HTTP, BELIEF, tried="*/client/code/102@*", one=code_for(102, 20)),
    "code-106-is-104": of(QUOTE, WS, BELIEF, tried="*/client/code/106@*", one=code_for(106, 104)),
    "result-member-missing-is-error": of(ONE, HTTP, BELIEF, tried="*/reading/response-key-case*/done@*",
        value=lambda self, body: json.loads(body)),
    "message-must-be-null": of(ONE, HTTP, BELIEF, tried="*/reading/errormsg-on-success=empty/done@*",
        one=lambda self, value: CANCELLED if value["errormsg"] is None else refused(value["errorcode"])),
    "detail-must-be-there": of(ALL, HTTP, BELIEF, tried="*/reading/detail-on-success=*/done@*",
        one=lambda self, value: CANCELLED if value["detail"] is None and not value["errorcode"] else refused(value["errorcode"])),
    "http-error-is-unknown": of(ONE, HTTP, BELIEF, tried="*/reading/error-status=4xx/code/104@*",
        read=lambda self, asked, status, body, parts: [UNKNOWN] if status >= 400 else Client.read(self, asked, status, body, parts)),
    "texts-alone": of(ALL, HTTP, BELIEF, tried="*/client/code/102@*",
        one=lambda self, value: CANCELLED if value["errormsg"] != "Resource Not Found" else refused(104)),
    "text-of-100": of(ALL, HTTP, BELIEF, SURVIVES, tried="*/reading/code-100-text=*/code/100@*",
        one=lambda self, value: refused(100) if value["errormsg"] == "Invalid Request" else CANCELLED),
    # It dies of an answer.
    "dies-of-106": of(ONE, HTTP, SURVIVES, tried="*/client/code/10*@*", one=only_known(20, 100, 101, 102, 104)),
    "dies-of-102": of(QUOTE, HTTP, SURVIVES, tried="*/client/code/102@*", one=only_known(20, 100, 101, 104, 106)),
    "process-ends-at-20": of(ALL, HTTP, SURVIVES, tried="*/client/code/20@* */client/code/104@*",
        one=die_when(lambda value: value["errorcode"] == 20)),
    "hangs-at-104": of(ONE, HTTP, SURVIVES, tried="*/client/code/104@*", one=hang_when(lambda value: value["errorcode"] == 104)),
    "dies-of-html": of(ONE, HTTP, SURVIVES, tried="*/fails/status-502@*",
        believe=lambda self, asked, status, body, parts: self.read(asked, status, body, parts)),
    "dies-of-a-reset": of(ONE, HTTP, SURVIVES, tried="*/fails/reset@*",
        cancel=lambda self, asked: self.believe(asked, *self.send(asked, asked["members"]), 1)),
    "waits-for-ever": of(ONE, HTTP, SURVIVES, tried="*/fails/silent@*",
        http=lambda self, path, body, headers, method="POST": (setattr(self, "timeout_s", None), Client.http(self, path, body, headers, method))[1]),
    # It takes a failure for an outcome.
    "lost-is-cancelled": of(ONE, HTTP, BELIEF, tried="*/fails/reset@*", trouble=believing(CANCELLED)),
    "lost-is-refused": of(ONE, HTTP, BELIEF, tried="*/fails/reset-after@*", trouble=believing(refused())),
    "lost-is-refused-list": of(LIST, JSON, BELIEF, tried="*/fails/cut@*", trouble=believing(refused())),
    "html-is-refused": of(ALL, HTTP, BELIEF, tried="*/fails/status-504-after@*", unclear=believing(refused())),
    "page-is-cancelled": of(ONE, HTTP, BELIEF, tried="*/fails/page-200@*", unclear=believing(CANCELLED)),
    "silence-is-cancelled": of(QUOTE, WS, BELIEF, tried="*/fails/silent@*", trouble=believing(CANCELLED)),
    # It asks again.
    "retries-a-reset": of(ONE, HTTP, RETRY, tried="*/fails/reset-after@*", send=retrying()),
    "retries-a-timeout": of(ALL, HTTP, RETRY, tried="*/fails/silent-after@*", send=retrying(when=(TimeoutError,))),
    "retries-a-list": of(LIST, XML, RETRY, tried="*/fails/cut@*", send=retrying()),
    "retries-on-a-new-socket": of(ONE, WS, RETRY, tried="*/fails/reset-after@*", send=retrying()),
    "sends-twice": of(ONE, HTTP, RETRY, BELIEF, tried="*/scene/order@*", send=twice),
    # It touches something else.
    "next-order-too": of(ONE, HTTP, TOUCH, NAMES, tried="*/scene/order@*", send=order_and_next),
    "everything-instead": of(ONE, HTTP, TOUCH, tried="*/scene/order@*", send=everything_instead),
    "default-account": of(ALL, HTTP, TOUCH, tried="*/scene/second-account@*", members=without("AccountId")),
    "no-account": of(ALL, WS, TOUCH, tried="*/reading/account-omitted=all-accessible/done@*", members=without("AccountId")),
    "account-zero": of(ALL, HTTP, TOUCH, tried="*/scene/second-account@*", members=with_member("AccountId", lambda _: 0)),
    "first-account": of(ALL, HTTP, NAMES, tried="*/scene/second-account@*", members=with_member("AccountId", lambda _: 7001)),
    "off-by-one": of(ONE, WS, NAMES, tried="*/client/code/104@*", members=with_member("OrderId", lambda one: one + 1)),
    "id-of-32-bits": of(ONE, HTTP, NAMES, tried="*/scene/order@*", members=with_member("OrderId", lambda one: one & 0x7FFFFFFF)),
    "number-as-id": of(ONE, HTTP, TOUCH, BELIEF, tried="*/scene/order@*", members=renamed("OrderId", "ClientOrderId")),
    "legs-swapped": of(QUOTE, HTTP, NAMES, tried="*/scene/quote@*",
        members=lambda self, asked, one: {**one, "bidQuoteId": one["askQuoteId"], "askQuoteId": one["bidQuoteId"]}),
    "one-leg-twice": of(QUOTE, WS, NAMES, tried="*/scene/quote@*", members=lambda self, asked, one: {**one, "askQuoteId": one["bidQuoteId"]}),
    "pin-for-all": of(LIST, JSON, NAMES, tried="*/scene/pin@*", members=with_member("PIN", lambda one: "0000")),
    "only-the-first": of(LIST, JSON, BELIEF, tried="*/scene/middle-gone@*", members=lambda self, asked, items: items[:1]),
    "sends-nothing": of(ONE, HTTP, BELIEF, tried="*/scene/order@*", send=sends_nothing),
    # Its requests are not legal.
    "misspelt-member": of(ONE, HTTP, "request-names", "request-values", tried="*/scene/order@*", members=renamed("OMSId", "OSMId")),
    "id-as-text": of(ONE, HTTP, "request-values", tried="*/scene/order@*", members=with_member("OrderId", str)),
    "oms-missing": of(QUOTE, HTTP, "request-values", tried="*/scene/quote@*", members=without("omsId")),
    "ask-missing": of(QUOTE, WS, "request-values", tried="*/scene/quote@*", members=without("askQuoteId")),
    "by-get": of(ONE, HTTP, "request-way", tried="*/scene/order@*", http=as_get),
    "in-no-format": of(LIST, JSON, "request-media-type", tried="*/scene/one@*", send=as_form),
    "list-for-one": of(ALONE, JSON, "request-form", "request-values", tried="*/scene/order@*", members=lambda self, asked, one: [one]),
    "answer-is-success": of(ALONE, XML, BELIEF, tried="*/scene/gone@*", results=lambda self, asked, status, body: [CANCELLED]),
    "list-not-wrapped": of(LIST, JSON, "request-form", "request-values", tried="*/scene/one@*", members=lambda self, asked, items: items[0]),
    "xml-unordered": of(LIST, XML, "request-form", tried="*/scene/one@*", xml_order=lambda self: ORDER[::-1]),
    "xml-without-namespace": of(LIST, XML, "request-form", tried="*/scene/one@*",
        xml=lambda self, items: Client.xml(self, items).replace(f'xmlns="{NAMESPACE}" ', "")),
    "uid-missing": of(LIST, JSON, "request-values", tried="*/scene/mixed@*", members=with_member("InternationalOrderUID", lambda _: None)),
    "frame-of-kind-2": of(ALL, WS, "request-frame", tried="*/scene/orders@*", send=framed(kind=2)),
    "call-in-lower-case": of(ONE, HTTP, "request-way", tried="*/scene/order@*", call=lambda self, asked: "cancelorder"),
    "json-with-quotes": of(ONE, HTTP, "request-form", tried="*/scene/order@*", text=lambda self, members: json.dumps(members).replace('"', "'")),
    # It mixes the parts of an answer up.
    "first-leg-alone": of(QUOTE, HTTP, BELIEF, tried="*/reading/mixed-legs=each-alone/parts@*", read=first_leg),
    "legs-crossed": of(QUOTE, WS, BELIEF, tried="*/reading/mixed-legs=each-alone/parts@*", read=legs_crossed),
    "any-leg-is-both": of(QUOTE, HTTP, BELIEF, tried="*/reading/mixed-legs=each-alone/parts@*", read=any_leg),
    "legs-as-objects-alone": of(QUOTE, HTTP, BELIEF, SURVIVES, tried="*/reading/leg-form=string/done@*",
        leg=lambda self, value: {name.lower(): one for name, one in value.items()}),
    "flat-error-is-unknown": of(QUOTE, HTTP, BELIEF, SURVIVES, tried="*/reading/early-error=flat/code/*@*",
        read=lambda self, asked, status, body, parts: [self.one(self.leg(self.value(body)[name])) for name in ("bidresult", "askresult")]),
    "results-by-position": of(LIST, JSON, BELIEF, tried="*/reading/result-order=other/parts@* */scene/mixed@*", results=by_position),
    "all-or-none": of(LIST, XML, BELIEF, tried="*/scene/ends-gone@*", results=all_or_none),
    "first-result-alone": of(LIST, JSON, BELIEF, tried="*/scene/ends-gone@*", results=first_result),
    "too-few-outcomes": of(LIST, JSON, SURVIVES, tried="*/scene/middle-gone@*",
        results=lambda self, asked, status, body: Client.results(self, asked, status, body)[:-1]),
    "split-and-forgotten": of(LIST, JSON, BELIEF, tried="*/scene/ends-gone@*", send=one_instruction_each_lost),
    "null-errors-are-errors": of(LIST, JSON, SURVIVES, BELIEF, tried="*/reading/errors-on-success=*/done@*",
        result=lambda self, one: CANCELLED if one["Errors"] is None else refused()),
}  # fmt: skip


# Steps of right clients that few would write so.


def looks_first(self: Client, asked: Any, parts: int) -> list[Belief]:
    """After a failure it looks how the order stands, and says what it saw."""
    members = asked["members"]
    try:
        headers = {"Content-Type": "application/json", **self.session()}
        where = {name: members[name] for name in ("OMSId", "AccountId")}
        _, body = self.http("/AP/GetOpenOrders", json.dumps(where).encode(), headers)
        open_ids = {one["OrderId"] for one in json.loads(body)}
    except TROUBLE:
        return [UNKNOWN]
    return [refused() if members["OrderId"] in open_ids else CANCELLED]


def looks_and_retries(self: Client, asked: Any, parts: int) -> list[Belief]:
    """It looks, and asks again for what it has seen open."""
    if looks_first(self, asked, parts) != [refused()]:
        return [UNKNOWN]
    try:
        return Client.read(self, asked, *Client.send(self, asked, asked["members"]), 1)
    except TROUBLE:
        return [UNKNOWN]


def waits_when_turned_away(self: Client, asked: Any, members: Any) -> Any:
    status, body = Client.send(self, asked, members)
    return Client.send(self, asked, members) if status in (429, 503) else (status, body)


def signs_in_again(self: Client, asked: Any, members: Any) -> Any:
    status, body = Client.send(self, asked, members)
    if status == 404 and body == "NOT FOUND":
        self.token = ""
        return Client.send(self, asked, members)
    return status, body


def keeps_alive(self: Client, path: str, body: bytes, headers: Mapping[str, str], method: str = "POST") -> Any:
    """One connection for all calls; a failed one is not used again."""
    kept = getattr(self, "kept", None)
    if kept is None:
        kept = http.client.HTTPConnection(self.start["url"].removeprefix("http://"), timeout=self.timeout_s)
    self.kept = None  # type: ignore[attr-defined]
    kept.request(method, path, body, dict(headers))
    answer = kept.getresponse()
    text = answer.read().decode("utf-8-sig")
    self.kept = kept  # type: ignore[attr-defined]
    return answer.status, text


def one_by_one(self: Client, asked: Any) -> list[Belief]:
    """Each instruction in a list of its own."""
    told: list[Belief] = []
    for one in asked["members"]:
        told += Client.cancel(self, {**asked, "members": [one]})
    return told


def reversed_list(self: Client, asked: Any, members: Any) -> Any:
    return list(reversed(members))


def signed(self: Client) -> Mapping[str, str]:
    return signature(self.start, str(time.monotonic_ns()))


def without_codes(self: Client, value: Any) -> Belief:
    told = Client.one(self, value)
    return {"outcome": told["outcome"]}


def fresh_socket(self: Client) -> Socket:
    if self.wire is not None:
        self.wire.close()
        self.wire = None
    return Client.socket(self)


RIGHT: Mapping[str, Other] = {
    "plain-order": of(ONE, HTTP),
    "plain-order-socket": of(ONE, WS),
    "plain-all": of(ALL, HTTP),
    "plain-quote": of(QUOTE, HTTP),
    "plain-quote-socket": of(QUOTE, WS),
    "plain-list": of(LIST, JSON),
    "plain-list-xml": of(LIST, XML),
    "plain-one-order": of(ALONE, JSON),
    "plain-one-order-xml": of(ALONE, XML),
    "looks-after-failures": of(ONE, HTTP, trouble=looks_first, unclear=looks_first),
    "looks-and-retries": of(ONE, HTTP, trouble=looks_and_retries),
    "waits-when-turned-away": of(ALL, HTTP, send=waits_when_turned_away),
    "signs-in-again": of(ONE, HTTP, send=signs_in_again),
    "keeps-alive": of(ALL, HTTP, http=keeps_alive),
    "one-by-one": of(LIST, JSON, cancel=one_by_one),
    "list-reversed": of(LIST, XML, members=reversed_list),
    "signs-each-request": of(ONE, HTTP, session=signed),
    "tells-no-codes": of(QUOTE, HTTP, one=without_codes),
    "socket-for-each-call": of(ALL, WS, socket=fresh_socket),
    "members-in-lower-case": of(ONE, HTTP, members=lambda self, asked, one: {name.lower(): value for name, value in one.items()}),
    "members-reversed": of(QUOTE, WS, members=lambda self, asked, one: dict(reversed(one.items()))),
    "pretty-json": of(ONE, WS, text=lambda self, members: json.dumps(members, indent=3)),
    "escaped-json": of(LIST, JSON, text=lambda self, members: json.dumps(members).replace("OrderID", "\\u004frderID")),
    "takes-any-json": of(LIST, JSON, accept=lambda self, asked: "application/json, text/json;q=0.5, */*;q=0.1"),
    "nulls-left-out": of(LIST, JSON, members=lambda self, asked, items: [{name: value for name, value in one.items() if value is not None} for one in items]),
    "optional-account-left-out": of(ONE, HTTP,
        members=lambda self, asked, one: {name: value for name, value in one.items() if name != "AccountId" or value != 7001}),
    "odd-numbers": of(ONE, WS,
        send=lambda self, asked, members: (0, self.socket().call(self.call(asked), self.text(members), 2**40 + time.monotonic_ns() % 10**9))),
}  # fmt: skip


def make(other: Other) -> Callable[[Mapping[str, Any]], Client]:
    """The client of an entry."""
    key = "media_type" if other.operation in INSTRUCTED else "transport"
    steps = {**other.steps, "offers": ({"operation": other.operation, key: other.where},)}
    return type("Other", (Client,), steps)


if __name__ == "__main__":
    drive(make({**WRONG, **RIGHT}[sys.argv[1]]))
