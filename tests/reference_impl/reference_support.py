"""Running a server in a thread, and small clients over real sockets, for the tests of the reference implementation."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import http.client
import json
import socket
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, Ping, Request, TextMessage

from reference_impl.serve import ServeOptions, listen, make_app, make_server

TIMEOUT_S = 10
XMLNS = 'xmlns:i="http://www.w3.org/2001/XMLSchema-instance" xmlns="http://schemas.datacontract.org/2004/07/"'
CANCELLATIONS = "/api/orders/cancellations"


@dataclass(frozen=True)
class Reply:
    """An HTTP response; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def type(self) -> str:
        return self.headers.get("content-type", "")


class Server:
    """A running server, by its port; every user signs in once."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self._tokens: dict[str, str] = {}

    def request(
        self,
        method: str,
        path: str,
        body: bytes | str | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """One request on a connection of its own; a body that is not one piece is sent piece by piece."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_S)
        try:
            data = body.encode() if isinstance(body, str) else body
            connection.request(method, path, data, dict(headers or {}))
            response = connection.getresponse()
            found = {key.lower(): value for key, value in response.getheaders()}
            return Reply(response.status, found, response.read())
        finally:
            connection.close()

    def token(self, user: str) -> str:
        if user not in self._tokens:
            basic = base64.b64encode(f"{user}:{user}-password".encode()).decode()
            reply = self.request("GET", "/AP/Authenticate", headers={"Authorization": f"Basic {basic}"})
            self._tokens[user] = reply.json["SessionToken"]
        return self._tokens[user]

    def forget_sessions(self) -> None:
        """Every user signs in anew."""
        self._tokens.clear()

    def send(self, user: str, call: str, body: str | bytes) -> Reply:
        """A call with a body of any text."""
        return self.request("POST", f"/AP/{call}", body, {"aptoken": self.token(user)})

    def call(self, user: str, name: str, **members: Any) -> Any:
        """A call; returns the payload."""
        return self.send(user, name, json.dumps(members)).json

    def order(self, user: str, account: int | None = None, **members: Any) -> int:
        """A new open order; returns its id."""
        given = {"OMSId": 1, "InstrumentId": 1, "Side": 0, "Quantity": 1, "LimitPrice": 5, **members}
        answer = self.call(user, "SendOrder", **given, **({"AccountId": account} if account else {}))
        assert answer["status"] == "Accepted", answer
        return int(answer["OrderId"])

    def quote(self, user: str, account: int | None = None, **members: Any) -> tuple[int, int]:
        """A new open quote; returns the ids of bid and ask."""
        given = {"OMSId": 1, "InstrumentId": 1, "Bid": 1, "BidQty": 1, "Ask": 2, "AskQty": 1, **members}
        answer = self.call(user, "CreateQuote", **given, **({"AccountId": account} if account else {}))
        return int(answer["BidQuoteId"]), int(answer["AskQuoteId"])

    def open_ids(self, user: str, account: int, oms: int = 1) -> set[int]:
        """The ids of the open orders and legs of an account."""
        return {order["OrderId"] for order in self.call(user, "GetOpenOrders", OMSId=oms, AccountId=account)}

    def state(self, name: str, count: int = 1) -> list[dict[str, Any]]:
        """Fresh TPP orders in a state."""
        body = json.dumps({"state": name, "count": count})
        return list(self.request("POST", "/_world/tpp/state", body).json["orders"])

    def observe(self, *orders: Mapping[str, Any]) -> list[str]:
        """The states of TPP orders."""
        reply = self.request("POST", "/_world/tpp/observe", json.dumps({"orders": orders}))
        return [order["state"] for order in reply.json["orders"]]

    def cancel_json(self, *instructions: Any, **headers: str) -> Reply:
        """A list of instructions as JSON."""
        given = {"Content-Type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}}
        return self.request("POST", CANCELLATIONS, json.dumps(instructions), given)

    def cancel_xml(self, body: str | bytes, **headers: str) -> Reply:
        """A body of XML."""
        given = {"Content-Type": "application/xml", **{k.replace("_", "-"): v for k, v in headers.items()}}
        return self.request("POST", CANCELLATIONS, body, given)

    def executed(self) -> dict[str, int]:
        return dict(self.request("GET", "/_world/executed").json)


@contextlib.contextmanager
def running(options: ServeOptions | None = None, **fields: Any) -> Iterator[Server]:
    """A server in a thread of its own, which is told to stop at the end and not waited for."""
    options = options or ServeOptions(**fields)
    app = make_app(options)
    listener = listen(options.host, options.port)
    server = make_server(app)

    def run() -> None:
        with listener, asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
            runner.run(server.serve([listener]))

    threading.Thread(target=run).start()
    try:
        yield Server(listener.getsockname()[1])
    finally:
        server.should_exit = True


class Socket:
    """A small WebSocket client."""

    def __init__(self, server: Server, path: str = "/WSGateway/") -> None:
        self._socket = socket.create_connection(("127.0.0.1", server.port), timeout=TIMEOUT_S)
        self._wire = WSConnection(ConnectionType.CLIENT)
        self._socket.sendall(self._wire.send(Request(host="127.0.0.1", target=path)))
        self.accepted = isinstance(self._next(), AcceptConnection)

    def __enter__(self) -> Socket:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, text: str | bytes) -> None:
        event = TextMessage(data=text) if isinstance(text, str) else BytesMessage(data=text)
        self._socket.sendall(self._wire.send(event))

    def receive(self) -> str:
        """The next text message, pieces joined."""
        text = ""
        while True:
            event = self._next()
            assert isinstance(event, TextMessage), event
            text += event.data
            if event.message_finished:
                return text

    def closed_with(self) -> int:
        """The code of the closing that is the next thing to come."""
        event = self._next()
        assert isinstance(event, CloseConnection), event
        return event.code

    def frame(self, name: str, payload: Any = None, i: Any = 2, m: int = 0) -> dict[str, Any]:
        """Sends a frame and returns the reply's; `payload` that is not text becomes JSON."""
        o = payload if isinstance(payload, str) else json.dumps(payload or {})
        self.send(json.dumps({"m": m, "i": i, "n": name, "o": o}))
        return dict(json.loads(self.receive()))

    def call(self, name: str, **members: Any) -> Any:
        return json.loads(self.frame(name, members)["o"])

    def sign_in(self, user: str) -> Any:
        return self.call("WebAuthenticateUser", UserName=user, Password=f"{user}-password")

    def quiet_until_ping(self) -> bool:
        """Whether nothing came before the answer to a Ping call that is sent now."""
        return bool(self.frame("Ping", i=77)["i"] == 77)

    def _next(self) -> object:
        while True:
            for event in self._wire.events():
                if not isinstance(event, Ping):
                    return event
            data = self._socket.recv(65536)
            self._wire.receive_data(data or None)


def standard(code: int, text: str | None, detail: str | None = None) -> dict[str, Any]:
    """A standard response object as the default server writes it."""
    return {"result": code == 0, "errormsg": text, "errorcode": code, "detail": detail}


def fails(payload: Mapping[str, Any], code: int, text: str) -> bool:
    """Whether a payload is a standard response with that error, whatever its detail."""
    return dict(payload) == {**standard(code, text), "detail": payload["detail"]}
