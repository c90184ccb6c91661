"""A client that does everything as the documents say, and the driver around it; clients of other kinds override its steps."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import socket
import sys
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape

ALL, ONE, QUOTE = "alphapoint.cancel_all_orders", "alphapoint.cancel_order", "alphapoint.cancel_quote"
LIST, ALONE = "tpp.create_cancellations", "tpp.create_cancellation"
INSTRUCTED = {LIST: "/api/orders/cancellations", ALONE: "/api/orders/cancellation"}
CALLS = {ALL: "CancelAllOrders", ONE: "CancelOrder", QUOTE: "CancelQuote"}
NAMESPACE = "http://schemas.datacontract.org/2004/07/"
NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
ORDER = ("CreatorID", "InternationalOrderUID", "IsInternationalOrder", "OrderID", "PIN")
TROUBLE = (OSError, http.client.HTTPException, ValueError, KeyError, TypeError, AttributeError, ElementTree.ParseError)
Belief = dict[str, Any]
CANCELLED: Belief = {"outcome": "cancelled"}
UNKNOWN: Belief = {"outcome": "unknown"}


def refused(code: Any = None) -> Belief:
    return {"outcome": "refused", "code": code}


class Unclear(ValueError):
    """An answer that says nothing of what became of a call."""


class Client:
    """`cancel` is what it is asked; every step may be another one in another client."""

    offers: tuple[Mapping[str, str], ...] = (
        *({"operation": one, "transport": way} for one in (ALL, ONE, QUOTE) for way in ("http", "ws")),
        *({"operation": LIST, "media_type": one} for one in ("application/json", "text/xml")),
    )

    def __init__(self, start: Mapping[str, Any]) -> None:
        self.start = start
        self.timeout_s = start["timeout_s"]
        self.token = ""
        self.wire: Socket | None = None

    # The session.

    def session(self) -> Mapping[str, str]:
        if not self.token:
            name = f"{self.start['user']}:{self.start['password']}"
            basic = base64.b64encode(name.encode()).decode()
            _, body = self.http("/AP/Authenticate", b"{}", {"Authorization": f"Basic {basic}"})
            self.token = json.loads(body)["SessionToken"]
        return {"aptoken": self.token}

    def socket(self) -> Socket:
        if self.wire is None:
            self.wire = Socket(self.start["websocket_url"], self.timeout_s)
            names = {"UserName": self.start["user"], "Password": self.start["password"]}
            json.loads(self.wire.call("AuthenticateUser", json.dumps(names)))["SessionToken"]
        return self.wire

    # A call.

    def cancel(self, asked: Mapping[str, Any]) -> list[Belief]:
        members, parts = asked["members"], self.parts(asked)
        try:
            if asked["transport"] == "ws":
                self.socket()
            elif asked["operation"] not in INSTRUCTED:
                self.session()
            status, body = self.send(asked, self.members(asked, members))
        except TROUBLE:
            return self.trouble(asked, parts)
        return self.believe(asked, status, body, parts)

    def believe(self, asked: Mapping[str, Any], status: int, body: str, parts: int) -> list[Belief]:
        try:
            return self.read(asked, status, body, parts)
        except TROUBLE:
            return self.unclear(asked, parts)

    def parts(self, asked: Mapping[str, Any]) -> int:
        members = asked["members"]
        return len(members) if isinstance(members, list) else 2 if asked["operation"] == QUOTE else 1

    def trouble(self, asked: Mapping[str, Any], parts: int) -> list[Belief]:
        if asked["transport"] == "ws" and self.wire is not None:
            self.wire.close()
            self.wire = None
        return [UNKNOWN] * parts

    def unclear(self, asked: Mapping[str, Any], parts: int) -> list[Belief]:
        self.token = ""
        return [UNKNOWN] * parts

    def members(self, asked: Mapping[str, Any], members: Any) -> Any:
        return members

    def send(self, asked: Mapping[str, Any], members: Any) -> tuple[int, str]:
        if asked["transport"] == "ws":
            return 0, self.socket().call(self.call(asked), self.text(members))
        if asked["operation"] in INSTRUCTED:
            headers = {"Content-Type": asked["media_type"], "Accept": self.accept(asked)}
            return self.http(INSTRUCTED[asked["operation"]], self.listed(asked, members).encode(), headers)
        headers = {"Content-Type": "application/json", **self.session()}
        return self.http(f"/AP/{self.call(asked)}", self.text(members).encode(), headers)

    def call(self, asked: Mapping[str, Any]) -> str:
        return CALLS[asked["operation"]]

    def accept(self, asked: Mapping[str, Any]) -> str:
        return str(asked["media_type"])

    def text(self, members: Any) -> str:
        return json.dumps(members)

    def listed(self, asked: Mapping[str, Any], members: Any) -> str:
        return self.xml(members) if "xml" in asked["media_type"] else self.text(members)

    def xml(self, members: Any) -> str:
        names = f'xmlns="{NAMESPACE}" xmlns:i="http://www.w3.org/2001/XMLSchema-instance"'
        if not isinstance(members, list):
            return f"<CancellationCreation {names}>{self.xml_members(members)}</CancellationCreation>"
        items = "".join(f"<CancellationCreation>{self.xml_members(one)}</CancellationCreation>" for one in members)
        return f"<ArrayOfCancellationCreation {names}>{items}</ArrayOfCancellationCreation>"

    def xml_members(self, members: Mapping[str, Any]) -> str:
        return "".join(f"<{name}{self.xml_value(members[name], name)}" for name in self.xml_order())

    def xml_order(self) -> tuple[str, ...]:
        return ORDER

    def xml_value(self, value: Any, name: str) -> str:
        text = str(value).lower() if isinstance(value, bool) else str(value)
        return ' i:nil="true"/>' if value is None else f">{escape(text)}</{name}>"

    def http(self, path: str, body: bytes, headers: Mapping[str, str], method: str = "POST") -> tuple[int, str]:
        place = urlsplit(self.start["url"])
        connection = http.client.HTTPConnection(place.netloc, timeout=self.timeout_s)
        try:
            connection.request(method, path, body, dict(headers))
            answer = connection.getresponse()
            text = answer.read()
            coding = "utf-16" if text[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
            return answer.status, text.decode(coding)
        finally:
            connection.close()

    # An answer.

    def read(self, asked: Mapping[str, Any], status: int, body: str, parts: int) -> list[Belief]:
        if asked["operation"] in INSTRUCTED:
            return self.results(asked, status, body)
        value = self.value(body)
        if asked["operation"] == QUOTE and "errorcode" not in value:
            return [self.one(self.leg(value[name])) for name in ("bidresult", "askresult")]
        return [self.one(value)] * parts

    def value(self, body: str) -> Mapping[str, Any]:
        return {name.lower(): content for name, content in json.loads(body).items()}

    def leg(self, value: Any) -> Mapping[str, Any]:
        return self.value(value if isinstance(value, str) else json.dumps(value))

    def one(self, value: Mapping[str, Any]) -> Belief:
        return CANCELLED if value["errorcode"] == 0 and value["result"] is True else refused(value["errorcode"])

    def results(self, asked: Mapping[str, Any], status: int, body: str) -> list[Belief]:
        members = asked["members"] if asked["operation"] == LIST else [asked["members"]]
        told = self.xml_results(body) if body.lstrip().startswith("<") else json.loads(body)
        if asked["operation"] == ALONE and isinstance(told, dict):
            told = [told]
        if isinstance(told, str):
            return [refused()] * len(members)
        found = {self.identity(one): self.result(one) for one in told}
        return [found.get(self.identity(one), UNKNOWN) for one in members]

    def identity(self, one: Mapping[str, Any]) -> str:
        uid, order = one.get("InternationalOrderUID"), one.get("OrderID")
        return str(uid).lower() if uid else str(int(order)) if order is not None else ""

    def result(self, one: Mapping[str, Any]) -> Belief:
        return CANCELLED if one["Success"] is True else refused()

    def xml_results(self, body: str) -> Any:
        root = ElementTree.fromstring(body)
        if root.tag.rpartition("}")[2] == "string":
            return root.text or ""
        if root.tag.rpartition("}")[2] == "Error":
            return "framework"
        if not root.tag.startswith("{" + NAMESPACE):
            raise Unclear(root.tag)
        if root.tag.rpartition("}")[2] == "CancellationCreationResult":
            return self.xml_result(root)
        return [self.xml_result(result) for result in root]

    def xml_result(self, result: Any) -> dict[str, Any]:
        return {one.tag.rpartition("}")[2]: self.xml_content(one) for one in result}

    def xml_content(self, one: Any) -> Any:
        if one.get(NIL) in ("true", "1"):
            return None
        return {"true": True, "1": True, "false": False, "0": False}.get((one.text or "").strip(), one.text)


class Socket:
    """One WebSocket, with one call at a time."""

    def __init__(self, url: str, timeout_s: float) -> None:
        from wsproto import ConnectionType, WSConnection
        from wsproto.events import AcceptConnection, Request

        place = urlsplit(url)
        self._socket = socket.create_connection((place.hostname, place.port), timeout_s)
        self._ws = WSConnection(ConnectionType.CLIENT)
        self._number = 0
        self._sent(Request(host=place.netloc, target=place.path))
        self._events: list[Any] = []
        self._until(lambda event: isinstance(event, AcceptConnection))

    def call(self, name: str, payload: str, number: int | None = None, kind: int = 0) -> str:
        from wsproto.events import TextMessage

        self._number += 2
        asked = self._number if number is None else number
        self._sent(TextMessage(data=json.dumps({"m": kind, "i": asked, "n": name, "o": payload})))
        while True:
            text = ""
            while True:
                event = self._until(lambda event: isinstance(event, TextMessage))
                text += event.data
                if event.message_finished:
                    break
            frame = {key.lower(): value for key, value in json.loads(text).items()}
            if frame["i"] == asked and frame["m"] in (1, 5):
                return str(frame["o"])

    def close(self) -> None:
        self._socket.close()

    def _sent(self, event: Any) -> None:
        self._socket.sendall(self._ws.send(event))

    def _until(self, wanted: Callable[[Any], bool]) -> Any:
        from wsproto.events import CloseConnection, Ping

        while True:
            while self._events:
                event = self._events.pop(0)
                if isinstance(event, Ping):
                    self._sent(event.response())
                elif isinstance(event, CloseConnection):
                    raise ConnectionResetError("closed")
                elif wanted(event):
                    return event
            data = self._socket.recv(65536)
            if not data:
                raise ConnectionResetError("ended")
            self._ws.receive_data(data)
            self._events = list(self._ws.events())


def signature(start: Mapping[str, Any], nonce: str = "1234567") -> Mapping[str, str]:
    """The headers that sign in with a key."""
    signed = f"{nonce}{start['user_id']}{start['api_key']}".encode()
    digest = hmac.new(start["api_secret"].encode(), signed, hashlib.sha256).hexdigest()
    return {"APIKey": start["api_key"], "Signature": digest, "UserId": str(start["user_id"]), "Nonce": nonce}


def say(value: Mapping[str, Any]) -> None:
    """One line of the protocol."""
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def drive(make: Callable[[Mapping[str, Any]], Client]) -> None:
    """Be the driver of a client."""
    client = make(json.loads(sys.stdin.readline()))
    say({"ready": True, "calls": client.offers})
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            told: Mapping[str, Any] = {"believed": client.cancel(asked)}
        except Exception as error:
            told = {"crashed": f"{type(error).__name__}: {error}"}
        say({"id": asked["id"], **told})


if __name__ == "__main__":
    drive(Client)
