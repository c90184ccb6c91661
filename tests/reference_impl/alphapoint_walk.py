"""One walk through everything that AlphaPoint's variants change, in process: what it tells is compared between servers."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import urlencode

from starlette.websockets import WebSocketDisconnect

from reference_impl.alphapoint.frames import Connection
from reference_impl.app import respond
from reference_impl.defaults import default_parts
from reference_impl.variants import Variant, apply_variants
from reference_impl.wire import OPERATIONS, FrameInfo, HttpRequest, HttpResponse
from reference_impl.world.load import load_world

WORLD = load_world(None)
ACCOUNTS = (10, 101, 201, 301, 401, 501, 601, 901, 902, 904, 905)
ANONYMOUS, INVENTED = "", "?"
_TOKEN, _SOCKET = "a token", "a socket"
MANY = 220
_A_WHILE_S = 0.1
"""After this, what opens again is open."""


class Walk:
    """A server of the bundled world with some variants, and who has signed in to it."""

    def __init__(self, *variants: Variant) -> None:
        numbers = itertools.count(1)
        plain = default_parts(WORLD, new_token=lambda: f"{next(numbers):08}-token-of-the-walk")
        self.parts, self.recorders = apply_variants(plain, variants)
        self._tokens = {INVENTED: "token-invented"}
        self._sockets: dict[str, Connection] = {}
        self._ids: dict[str, int] = {}
        self._untouched: Any = None

    def http(
        self,
        user: str,
        call: str,
        body: str,
        headers: Sequence[tuple[str, str]] = (),
        method: str = "POST",
        query: str = "",
        sent_path: str = "",
        first_bytes: int = 0,
    ) -> Any:
        """One request, and all of its response that a client sees."""
        path, operation = f"/ap/{call.lower()}", OPERATIONS.get(call.lower(), "")
        own = (("aptoken", self._token(user)),) if user else ()
        sent = sent_path or f"/AP/{call}"
        request = HttpRequest(method, path, query, (*own, *headers), body.encode(), operation, sent, first_bytes)
        response = respond(self.parts, None, request)
        return response.status, response.content_type, response.headers, response.chunked, response.body

    def _token(self, user: str) -> str:
        if user not in self._tokens:
            self._tokens[user] = self.parts.alphapoint.sessions.open(WORLD.users[user])
        return self._tokens[user]

    def frame(self, user: str, text: str) -> Any:
        """The texts that answer one on a user's socket."""
        if user not in self._sockets:
            self._sockets[user] = Connection()
            if user:
                self.ws(user, "WebAuthenticateUser", json.dumps({"UserName": user, "Password": f"{user}-password"}), 0)
        try:
            replies, operation = self._sockets[user].receive(self.parts, text)
        except WebSocketDisconnect as error:
            return error.code
        return replies, self.parts.delay_s(operation)

    def ws(self, user: str, call: str, body: str, number: Any = 70_004) -> Any:
        """A call in a frame."""
        return self.frame(user, json.dumps({"m": 0, "i": number, "n": call, "o": body}))

    def with_token(self, token: str, call: str, body: str) -> Any:
        """One request in whatever session the token stands for."""
        self._tokens[_TOKEN] = token
        return self.http(_TOKEN, call, body)

    def knock(self, user: str, password: str, over: str) -> tuple[str, Any]:
        """Sign in; the token, "" for none, and all that came. Over WebSocket the socket is then that of `user` on it."""
        if over == "http":
            pair = base64.b64encode(f"{user}:{password}".encode()).decode()
            told = self.http("", "Authenticate", "", (("authorization", f"Basic {pair}"),))
            payload = json.loads(told[-1])
        else:
            self._sockets.setdefault(_SOCKET, Connection())
            credentials = {"UserName": user, "Password": password}
            told = self.left(_SOCKET, "WebAuthenticateUser", json.dumps(credentials))
            payload = json.loads(json.loads(told[0][0][0])["o"])
        return payload.get("SessionToken", ""), told

    def left(self, user: str, call: str, body: str) -> Any:
        """A call in a frame, and whether the socket is closed after it."""
        text = json.dumps({"m": 0, "i": 6, "n": call, "o": body})
        return self.frame(user, text), self.parts.hangs_up(FrameInfo(text))

    def forget(self, user: str) -> None:
        """Sign the user in again at the next need."""
        self._tokens.pop(user, None)
        self._sockets.pop(user, None)

    def new_socket(self) -> None:
        """Forget the socket on which `knock` has signed in."""
        self._sockets.pop(_SOCKET, None)

    def under_way(self, user: str, call: str, *bodies: str) -> Any:
        """Calls in frames that have arrived together."""
        self.frame(user, "")
        texts = [json.dumps({"m": 0, "i": 20 + place, "n": call, "o": body}) for place, body in enumerate(bodies)]
        answered = []
        for text in texts:
            replies, operation = self._sockets[user].receive(self.parts, text)
            answered.append((FrameInfo(text, operation), replies))
        return list(self.parts.under_way(answered))

    def overlapping(self, user: str, call: str, *bodies: str) -> Any:
        """Requests that are all there before the first of them is served."""

        async def one(body: str) -> Any:
            headers = (("aptoken", self._token(user)),)
            operation = OPERATIONS.get(call.lower(), "")
            await self.parts.hold(HttpRequest("POST", f"/ap/{call.lower()}", "", headers, body.encode(), operation))
            return self.http(user, call, body)

        async def together() -> Any:
            return await asyncio.gather(*(one(body) for body in bodies))

        return asyncio.run(together())

    def in_one_go(self, user: str, call: str, *bodies: str) -> Any:
        """Requests that come on one connection before the first is answered."""
        headers = (("aptoken", self._token(user)),)
        operation = OPERATIONS.get(call.lower(), "")
        requests = [
            HttpRequest("POST", f"/ap/{call.lower()}", "", headers, body.encode(), operation) for body in bodies
        ]

        def answer(request: HttpRequest) -> HttpResponse:
            return respond(self.parts, None, request)

        if self.parts.pipelined is None:
            return [answer(one) for one in requests]
        return list(self.parts.pipelined(requests, answer))

    def call(self, user: str, name: str, **members: Any) -> Any:
        """A call around the two operations; its payload."""
        return json.loads(self.http(user, name, json.dumps({"OMSId": 1, **members}))[-1])

    def open_ids(self) -> Any:
        """What is open in the book, by account."""
        return [
            [order.order_id for order in self.parts.alphapoint.book.open_orders(1, account)] for account in ACCOUNTS
        ]

    def scene(self) -> dict[str, int]:
        """Open orders and quotes of several users, and nothing else; fresh ones when some are gone. Ids by name."""
        if self._untouched == self.open_ids():
            return self._ids
        book = self.parts.alphapoint.book
        book.cancel(order.order_id for account in ACCOUNTS for order in book.open_orders(1, account))
        order = {"Quantity": 1, "LimitPrice": 5}
        for number in range(13):
            high = {"LimitPrice": 1_000_000} if number % 3 == 1 else {}
            twin = {"ClientOrderId": 77} if number == 12 else {}
            self.call(
                "trader01",
                "SendOrder",
                AccountId=101,
                InstrumentId=1 + number % 2,
                Side=number % 2,
                **{**order, **high, **twin},
            )
        self.call("operator", "SendOrder", AccountId=101, InstrumentId=1, Side=0, **order)
        ids: dict[str, int] = {}
        for name, account, client in (
            ("mine", 101, None),
            ("client101", 101, 77),
            ("client101b", 101, 78),
            ("client501", 501, 79),
        ):
            more = {} if client is None else {"ClientOrderId": client}
            ids[name] = self.call("operator", "SendOrder", AccountId=account, InstrumentId=1, Side=0, **order, **more)[
                "OrderId"
            ]
        for user, accounts in (("trader01", (301,)), ("operator", (10, 201, 501, 601, 901, 902, 904, 905))):
            for account in accounts:
                twin = {"ClientOrderId": 77} if account == 301 else {}
                ids[f"order{account}"] = self.call(
                    user, "SendOrder", AccountId=account, InstrumentId=1, Side=0, **order, **twin
                )["OrderId"]
        for account, instrument in ((201, 2), (201, 1), (401, 1), (501, 1), (901, 1), (902, 1)):
            quote = self.call(
                "operator", "CreateQuote", AccountId=account, InstrumentId=instrument, Bid=1, BidQty=1, Ask=9, AskQty=1
            )
            ids[f"bid{account}.{instrument}"], ids[f"ask{account}.{instrument}"] = (
                quote["BidQuoteId"],
                quote["AskQuoteId"],
            )
        self._ids, self._untouched = ids, self.open_ids()
        return ids


def walk(walker: Walk, operation: str) -> Iterator[Any]:
    """What the server tells of one operation, step by step."""
    return _WALKS[operation](walker)


def _cancel_all(walker: Walk) -> Iterator[Any]:
    name = "CancelAllOrders"
    own = {"OMSId": 1, "AccountId": 101}
    requests: list[tuple[str, Any]] = [
        ("trader01", own),
        ("trader01", {**own, "AccountId": 301}),
        ("trader01", {**own, "AccountId": 501}),
        ("operator", own),
        ("operator", {**own, "AccountId": 201}),
        ("maker01", {**own, "AccountId": 201}),
        ("nobody", {**own, "AccountId": 601}),
        ("operator", {**own, "AccountId": 777_777}),
        ("operator", {"OMSId": "1", "AccountId": 777_777}),
        ("operator", {**own, "OMSId": 99}),
        ("trader01", {**own, "OMSId": 2}),
        ("operator", {"OMSId": 3, "AccountId": 703}),
        ("trader01", {**own, "IntrumentId": "1"}),
        *(("operator", {"OMSId": 1, "AccountId": account}) for account in (901, 902)),
        ("trader01", {}),
        *(("trader01", {**own, "OMSId": value}) for value in _odd_values(1)),
        *(("trader01", {**own, "AccountId": value}) for value in (0, *_odd_values(101))),
        ("trader01", {"OMSId": 1}),
        ("trader01", {"AccountId": 101}),
        ("trader01", {"omsid": 1, "accountid": 101}),
        ("trader01", {"omsid": 2, "accountid": 101}),
        ("operator", {"oMSId": 1, "accountId": 101}),
        ("trader01", "OMSId=1&AccountId=101"),
        ("trader01", "{'OMSId':1,'AccountId':101}"),
        ("trader01", '{"OMSId":1,"AccountId":101} {"x":1}'),
        ("trader01", "nothing"),
        (ANONYMOUS, own),
        (INVENTED, own),
    ]
    yield from _both(walker, name, [(user, _text(value), None) for user, value in requests])
    yield from _wire(walker, name, "trader01", lambda _ids: json.dumps(own))
    yield from _sessions(walker, name, "trader01", lambda _ids: json.dumps(own))
    for user, change in (("trader01", str), ("operator", str.lower)):
        walker.scene()
        for _ in range(8):
            walker.call("trader01", "SendOrder", AccountId=101, InstrumentId=1, Side=0, Quantity=1, LimitPrice=5)
        yield walker.http(user, name, change(json.dumps(own))), walker.open_ids()


def _cancel_order(walker: Walk) -> Iterator[Any]:
    def named(**changes: Any) -> Any:
        def value(ids: dict[str, int]) -> Any:
            members = {"OMSId": 1, "AccountId": 101, "OrderId": ids["mine"]}
            for key, change in changes.items():
                members[key] = (
                    change(ids) if callable(change) else ids.get(change, change) if isinstance(change, str) else change
                )
            return json.dumps({key: member for key, member in members.items() if member is not ...})

        return value

    def other(user: str, account: int, **changes: Any) -> Any:
        return user, named(AccountId=account, OrderId=f"order{account}", **changes)

    odd = range(len(_odd_values(1)))
    requests: list[tuple[str, Any]] = [
        ("trader01", named()),
        ("trader01", named(OrderId=..., ClientOrderId=77)),
        ("operator", named()),
        other("trader01", 301),
        other("trader01", 501),
        ("trader01", named(OrderId="order501")),
        ("trader01", named(OrderId="order501", AccountId=...)),
        ("trader01", named(OrderId="order301")),
        ("trader01", named(OrderId=..., ClientOrderId=79)),
        ("trader01", named(OrderId=..., ClientOrderId="mine")),
        ("trader01", named(OrderId=77)),
        other("operator", 201),
        other("maker01", 201),
        ("maker01", named()),
        ("maker01", named(OrderId=1)),
        other("nobody", 601),
        other("operator", 904),
        other("operator", 905),
        ("trader01", named(AccountId=..., OrderId="order301")),
        ("operator", named(OMSId="1", AccountId=777_777)),
        ("operator", named(OMSId=99)),
        ("operator", named(OMSId=3, AccountId=703)),
        ("trader01", named(OMSId=2)),
        ("trader01", named(OMSId=0)),
        ("trader01", named(OMSId=...)),
        ("trader01", named(OrderId=1)),
        ("trader01", named(OrderId=..., ClientOrderId=1)),
        ("trader01", named(OrderId=...)),
        ("trader01", named(AccountId=...)),
        ("trader01", named(AccountId=0)),
        ("trader01", named(OrderId="client101", ClientOrderId=77)),
        ("trader01", named(ClientOrderId=77)),
        ("trader01", named(IntrumentId="2")),
        ("trader01", named(Note=1)),
        ("trader01", lambda i: named()(i).lower()),
        ("trader01", lambda i: named(AccountId=301)(i).lower()),
        ("trader01", named(AccountId=301, OrderId=..., ClientOrderId=79)),
        ("trader01", named(OMSId=..., AccountId=..., OrderId=..., ClientOrderId=77)),
        ("operator", lambda i: named()(i).replace("OMSId", "oMSId")),
        ("maker01", lambda i: named(AccountId=401, OrderId="order201")(i).replace("OMSId", "oMSId")),
        *(("trader01", named(OMSId=value)) for value in _odd_values(1)),
        *(("trader01", named(AccountId=value)) for value in _odd_values(101)),
        *(("trader01", named(OrderId=_odd("mine", place))) for place in odd),
        *(("trader01", named(OrderId=..., ClientOrderId=value)) for value in _odd_values(77)),
        ("trader01", lambda i: f"OMSId=1&AccountId=101&OrderId={i['mine']}"),
        ("trader01", lambda i: named()(i).replace('"', "'")),
        ("trader01", lambda i: named()(i) + " 1"),
        ("trader01", lambda _i: "nothing"),
        (ANONYMOUS, named()),
        (INVENTED, named()),
    ]
    yield from _both(walker, "CancelOrder", [(user, None, make) for user, make in requests])
    yield from _wire(walker, "CancelOrder", "trader01", named())
    yield from _sessions(walker, "CancelOrder", "trader01", named())


def _cancel_quote(walker: Walk) -> Iterator[Any]:
    def named(account: int, instrument: int, **changes: Any) -> Any:
        def value(ids: dict[str, int]) -> Any:
            members = {
                "omsId": 1,
                "accountId": account,
                "instrumentId": instrument,
                "bidQuoteId": ids[f"bid{account}.{instrument}"],
                "askQuoteId": ids[f"ask{account}.{instrument}"],
            }
            for key, change in changes.items():
                members[key] = change(ids) if callable(change) else change
            return json.dumps({key: member for key, member in members.items() if member is not ...})

        return value

    def own(**changes: Any) -> Any:
        return named(201, 1, **changes)

    def form(ids: dict[str, int]) -> str:
        return f"omsId=1&accountId=201&bidQuoteId={ids['bid201.1']}&askQuoteId={ids['ask201.1']}"

    requests: list[tuple[str, Any]] = [
        ("maker01", own()),
        ("maker01", named(201, 2)),
        ("maker01", named(401, 1)),
        ("maker01", named(501, 1)),
        ("operator", own()),
        ("operator", named(901, 1)),
        ("operator", named(902, 1)),
        ("trader01", own()),
        ("nobody", own()),
        ("operator", own(accountId=777_777)),
        ("operator", own(omsId="1", accountId=777_777)),
        ("operator", own(omsId=99)),
        ("operator", own(omsId=3, accountId=703)),
        ("maker01", own(bidQuoteId=1)),
        ("maker01", own(askQuoteId=1)),
        ("maker01", own(bidQuoteId=1, askQuoteId=2)),
        ("maker01", own(bidQuoteId=lambda i: i["ask201.1"], askQuoteId=lambda i: i["bid201.1"])),
        ("maker01", own(askQuoteId=lambda i: i["ask201.2"])),
        ("maker01", own(instrumentId=..., askQuoteId=lambda i: i["ask201.2"])),
        ("maker01", own(accountId=401)),
        ("maker01", own(bidQuoteId=lambda i: i["order201"])),
        ("maker01", own(bidQuoteId=lambda i: i["bid501.1"], askQuoteId=lambda i: i["ask501.1"])),
        ("maker01", own(accountId=..., bidQuoteId=lambda i: i["bid501.1"], askQuoteId=lambda i: i["ask501.1"])),
        ("maker01", own(accountId=..., bidQuoteId=lambda i: i["bid401.1"], askQuoteId=lambda i: i["ask401.1"])),
        ("maker01", own(accountId=...)),
        ("maker01", own(instrumentId=...)),
        ("maker01", named(201, 2, instrumentId=...)),
        ("maker01", own(instrumentId=..., askQuoteId=lambda i: i["bid201.1"])),
        ("maker01", named(401, 1, bidQuoteId=1)),
        ("maker01", own(omsId=...)),
        ("maker01", own(bidQuoteId=...)),
        ("maker01", own(askQuoteId=...)),
        ("maker01", own(Symbol="BTC")),
        ("maker01", own(OMSID=1, omsId=...)),
        *(("maker01", own(omsId=value)) for value in _odd_values(1)),
        *(("maker01", own(accountId=value)) for value in _odd_values(201)),
        ("maker01", own(instrumentId="abc")),
        ("maker01", own(instrumentId=[1])),
        *(("maker01", own(bidQuoteId=_odd("bid201.1", place))) for place in range(len(_odd_values(1)))),
        *(("maker01", own(askQuoteId=_odd("ask201.1", place))) for place in range(len(_odd_values(1)))),
        ("maker01", form),
        ("maker01", lambda i: own()(i).replace('"', "'")),
        ("maker01", lambda i: own()(i) + " 1"),
        ("maker01", lambda _i: "nothing"),
        (ANONYMOUS, own()),
        (INVENTED, own()),
    ]
    yield from _both(walker, "CancelQuote", [(user, None, make) for user, make in requests])
    yield from _wire(walker, "CancelQuote", "maker01", own())
    yield from _sessions(walker, "CancelQuote", "maker01", own())
    yield walker.http("operator", "CancelQuote", own(accountId=...)(walker.scene())), walker.open_ids()
    older = own()(walker.scene())
    walker.call("operator", "CreateQuote", AccountId=201, InstrumentId=1, Bid=1, BidQty=1, Ask=9, AskQty=1)
    yield walker.http("maker01", "CancelQuote", older), walker.open_ids()


def _odd_values(number: int) -> tuple[Any, ...]:
    """Odd values where a number belongs."""
    return (
        None,
        "",
        "abc",
        [1],
        [number],
        True,
        str(number),
        f"{number}abc",
        -number,
        number + 0.5,
        number + 2**32,
        number + 2**64,
        10**30,
    )


def _odd(name: str, place: int) -> Any:
    return lambda ids: _odd_values(ids[name])[place]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _both(walker: Walk, name: str, requests: list[tuple[str, Any, Any]]) -> Iterator[Any]:
    """Each request over both transports, each in a fresh scene, and once more where nothing is left."""
    for user, text, make in requests:
        for send in (walker.http, walker.ws):
            if send == walker.ws and user == INVENTED:
                continue
            body = text if make is None else make(walker.scene())
            if make is None:
                walker.scene()
            yield (
                send(user, name, body),
                walker.open_ids(),
                walker.call("operator", "GetOpenQuotes", AccountId=201, InstrumentId=1),
            )
    yield (
        walker.http(user := requests[0][0], name, body := requests[0][1] or requests[0][2](walker.scene())),
        user,
        walker.open_ids(),
    )
    yield walker.http(user, name, body), walker.open_ids()


def _wire(walker: Walk, name: str, user: str, make: Callable[[dict[str, int]], str]) -> Iterator[Any]:
    """Headers, methods, other ways, frames, and the same request again and again."""
    yield walker.http(user, name, f"[{make(walker.scene())}]"), walker.open_ids()
    yield walker.http(user, name, f'{{"OMSId":99,{make(walker.scene())[1:]}'), walker.open_ids()
    yield from _ways(walker, name, user, make)
    yield from _spelled(walker, name, user, make)
    for headers in (
        (("content-type", "application/json; charset=utf-8"),),
        (("transfer-encoding", "chunked"),),
        (("accept-language", "de"),),
    ):
        yield walker.http(user, name, make(walker.scene()), headers)
    for method in ("PUT", "GET", "HEAD", "OPTIONS"):
        yield walker.http(user, name, make(walker.scene()), method=method), walker.open_ids()
    yield walker.http(user, f"{name}Nothing", make(walker.scene())), walker.open_ids()
    for number in (0, 2, 2**31 - 1000, 2**32 + 2):
        yield walker.ws(user, name, make(walker.scene()), number)
    yield walker.frame(user, json.dumps({"m": 2, "i": 4, "n": name, "o": make(walker.scene())})), walker.open_ids()
    yield walker.http(user, name, make(walker.scene())), walker.open_ids()
    time.sleep(_A_WHILE_S)
    for call in ("GetOpenOrders", "GetOpenQuotes"):
        walker.call("operator", call, AccountId=201, InstrumentId=1)
    yield walker.open_ids()
    yield walker.frame(user, "nothing"), walker.frame(user, "[]"), walker.frame(user, "{}")
    body = make(walker.scene())
    yield [walker.http(user, name, body) for _ in range(MANY)]


def _spelled(walker: Walk, name: str, user: str, make: Callable[[dict[str, int]], str]) -> Iterator[Any]:
    """The same request in other spellings of JSON, of a header and of a frame."""

    def turned(text: str) -> str:
        *others, last = json.loads(text).items()
        return json.dumps(dict((last, *others)))

    def escaped(text: str, digits: str) -> str:
        names = json.loads(text)
        for key in names:
            text = text.replace(f'"{key}"', '"' + "".join(f"\\u{format(ord(one), digits)}" for one in key) + '"')
        return text

    changes: tuple[Callable[[str], str], ...] = (
        lambda text: text.replace(",", ",\t"),
        lambda text: text.replace(",", "\r,"),
        lambda text: f"\n{text}",
        lambda text: f"{text}\n",
        lambda text: text.replace(",", "," + " " * 9000),
        lambda text: text.replace('":', '" :'),
        lambda text: escaped(text, "04x"),
        lambda text: escaped(text, "04X"),
        turned,
    )
    for change in changes:
        yield walker.http(user, name, change(make(walker.scene()))), walker.open_ids()
    for headers in (
        (("content-type", "APPLICATION/JSON"),),
        (("content-type", "application/json ; charset=utf-8"),),
        (("content-type", 'application/json; profile="a;b"'),),
        (("x-text", "\xe4"),),
        tuple((f"x-header-{number}", "v") for number in range(40)),
    ):
        yield walker.http(user, name, make(walker.scene()), headers)
    yield walker.http(user, name, make(walker.scene()), first_bytes=5)
    call, payload = f'"{name}"', json.dumps
    for text in (
        '\t{"m":0,"i":4,"n":CALL,"o":PAYLOAD}',
        '{"\\u006d":0,"\\u0069":4,"\\u006e":CALL,"\\u006f":PAYLOAD}',
        f'{{"m":0,"i":4,"n":"\\u{ord(name[0]):04x}{name[1:]}","o":PAYLOAD}}',
    ):
        yield walker.frame(user, text.replace("CALL", call).replace("PAYLOAD", payload(make(walker.scene()))))
    escapes = "".join(f"\\u{ord(one):04x}" for one in make(walker.scene()))
    yield walker.frame(user, f'{{"m":0,"i":4,"n":"{name}","o":"{escapes}"}}')


def _ways(walker: Walk, name: str, user: str, make: Callable[[dict[str, int]], str]) -> Iterator[Any]:
    """Other ways to the call, by its user, by nobody, by one without permission and to a stranger's account."""
    form = (("content-type", "application/x-www-form-urlencoded"),)
    for caller, account in ((user, None), (ANONYMOUS, None), ("nobody", 601), (user, 501)):
        members = json.loads(make(walker.scene()))
        if account:
            members = {key: account if key.lower() == "accountid" else value for key, value in members.items()}
        body, pairs = json.dumps(members), urlencode(members)
        yield walker.http(caller, name, "", method="GET", query=pairs), walker.open_ids()
        yield walker.http(caller, name, "", method="HEAD", query=pairs), walker.open_ids()
        yield walker.http(caller, name, "", query=pairs), walker.open_ids()
        yield walker.http(caller, name, pairs, form), walker.open_ids()
        yield walker.http(caller, name, body, sent_path=f"/AP/{name.lower()}"), walker.open_ids()
        yield walker.http(caller, name, body, sent_path=f"/AP/{name}/"), walker.open_ids()
        yield walker.http(caller, name, body, (("x-http-method-override", "POST"),), "GET"), walker.open_ids()
    yield walker.frame(user, json.dumps({"m": 0, "i": 4, "n": name.lower(), "o": make(walker.scene())}))
    yield walker.frame(user, json.dumps([{"m": 0, "i": 4, "n": name, "o": make(walker.scene())}]))


def _sessions(walker: Walk, name: str, user: str, make: Callable[[dict[str, int]], str]) -> Iterator[Any]:
    """Sessions that end, tokens and passwords that are wrong, two users on a socket, and messages under way together."""
    password, token = f"{user}-password", walker.knock(user, f"{user}-password", "http")[0]
    for over in ("http", "ws"):
        walker.new_socket()
        ended, told = walker.knock(user, password, over)
        yield told
        yield walker.with_token(ended, "LogOut", "{}") if over == "http" else walker.left(_SOCKET, "LogOut", "{}")
        walker.forget(user)
        yield walker.with_token(ended, name, make(walker.scene())), walker.open_ids()
        if over == "ws":
            yield walker.ws(_SOCKET, name, make(walker.scene())), walker.open_ids()
    for wrong in (token[:-4], f"{token}0000", f"{token[:13]}x{token[14:]}", token):
        yield walker.with_token(wrong, name, make(walker.scene())), walker.open_ids()
    for over, wrong in itertools.product(("http", "ws"), (password[:-1], f"{password[:-1]}x")):
        walker.new_socket()
        given, told = walker.knock(user, wrong, over)
        yield told, walker.with_token(given, name, make(walker.scene())), walker.open_ids()
    walker.new_socket()
    yield walker.knock("operator", "operator-password", "ws"), walker.knock("nobody", "nobody-password", "ws")
    yield walker.ws(_SOCKET, name, make(walker.scene())), walker.open_ids()
    yield walker.under_way(user, name, make(walker.scene()), "{}"), walker.open_ids()
    yield walker.overlapping(user, name, make(walker.scene()), "{}"), walker.open_ids()
    partly = walker.scene()
    for place in ("mine", "order301"):
        walker.parts.alphapoint.book.fill_part(partly[place], 0.5)
    for account in (101, 301):
        yield walker.call("operator", "GetOpenOrders", AccountId=account)
    yield walker.http(user, name, make(partly)), walker.open_ids()
    yield walker.in_one_go(user, name, make(walker.scene()), "{}"), walker.open_ids()
    for member in ("accountid", "instrumentid"):
        lower = {key.lower(): value for key, value in json.loads(make(walker.scene())).items()}
        yield walker.http(user, name, json.dumps({**lower, member: 777_777})), walker.open_ids()


_WALKS = {
    "alphapoint.cancel_all_orders": _cancel_all,
    "alphapoint.cancel_order": _cancel_order,
    "alphapoint.cancel_quote": _cancel_quote,
}
