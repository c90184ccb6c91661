"""A small server of the invented label service: correct, or with one fault planted; real sockets, loopback alone."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree

PATH = "/api/labels/voids"
REQUEST, RESPONSE, FAULT = "urn:labels:void", "urn:labels:voided", "urn:labels:fault"
JSON, XML = "application/json", "application/xml"
Results = list[dict[str, Any]]
Labels = list[int]


class Unreadable(Exception):
    """A body that is no list of labels."""


@dataclass(slots=True)
class Behaviour:
    """The three places at which a fault is planted."""

    effect: Callable[[int], bool] = lambda _label: True
    """Whether a label that is reported voided really is."""
    results: Callable[[Results], Results] = lambda results: results
    xml: Callable[[str], str] = lambda text: text


@dataclass(slots=True)
class Store:
    """Labels by number: whether each is still open."""

    behaviour: Behaviour
    open: dict[int, bool] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    numbers: count[int] = field(default_factory=lambda: count(7_001))

    def void(self, label: int) -> dict[str, Any]:
        with self.lock:
            if not self.open.get(label):
                why = "The label is void." if label in self.open else "There is no such label."
                return {"Label": label, "Voided": False, "Problems": [why]}
            if self.behaviour.effect(label):
                self.open[label] = False
        return {"Label": label, "Voided": True, "Problems": []}

    def state(self, action: str, asked: dict[str, Any]) -> dict[str, Any]:
        """What the state hook answers."""
        with self.lock:
            if action == "state":
                made = [next(self.numbers) for _ in range(asked["count"])]
                self.open.update(dict.fromkeys(made, asked["state"] == "open-label"))
                return {"orders": [{"Label": label} for label in made]}
            words = {True: "open", False: "cancelled", None: "unknown"}
            return {"orders": [{**one, "state": words[self.open.get(one["Label"])]} for one in asked["orders"]]}


def read_json(body: bytes) -> Labels:
    try:
        entries = json.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise Unreadable("The body is no JSON.") from None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise Unreadable("The body is no list of labels.")
    return [_label(entry.get("Label")) for entry in entries if isinstance(entry.get("Reason", ""), str) or _refuse()]


def read_xml(body: bytes) -> Labels:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=False)
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise Unreadable("The body is no XML.") from None
    if root.getroottree().docinfo.doctype or root.tag != f"{{{REQUEST}}}Labels":
        raise Unreadable("The body is no list of labels.")
    return [_label_of(item) for item in root]


def _label_of(item: Any) -> int:
    if item.tag != f"{{{REQUEST}}}Void":
        raise Unreadable("An entry is no label to void.")
    names = [child.tag for child in item]
    if names not in ([f"{{{REQUEST}}}Label"], [f"{{{REQUEST}}}Label", f"{{{REQUEST}}}Reason"]) or any(map(len, item)):
        raise Unreadable("An entry has other elements than it should.")
    text = (item[0].text or "").strip(" \t\r\n")
    if not re.fullmatch(r"[+-]?[0-9]+", text):
        raise Unreadable("A label is no number.")
    return _label(int(text) if len(text) < 20 else 2**64)


def _label(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not -(2**31) <= value < 2**31:
        raise Unreadable("A label is no number of 32 bits.")
    return value


def _refuse() -> bool:
    raise Unreadable("A reason is no text.")


def results_xml(results: Results) -> str:
    texts = ("".join(f"<Text>{escape(text)}</Text>" for text in one["Problems"]) for one in results)
    items = (
        f"<Result><Label>{one['Label']}</Label><Voided>{str(one['Voided']).lower()}</Voided><Problems>{text}</Problems></Result>"
        for one, text in zip(results, texts, strict=True)
    )
    return f'<Results xmlns="{RESPONSE}">{"".join(items)}</Results>'


def wanted(accept: str | None, content_type: str) -> str:
    """The format of the answer: the best that Accept takes, else that of the request, else JSON."""
    best, found = 0.0, XML if content_type == XML else JSON
    for part in (accept or "").lower().split(","):
        name, *parameters = (word.strip() for word in part.split(";"))
        quality = next((float(word[2:]) for word in parameters if word.startswith("q=")), 1.0)
        for served in (JSON, XML):
            if name in (served, "application/*", "*/*") and quality > best:
                best, found = quality, served
    return found


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer in one packet: two of them wait 40 ms for each other
    store: Store

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing is printed."""

    def do_POST(self) -> None:
        if self.headers.get("Transfer-Encoding") is not None:
            self.close_connection = True  # what has not been read is no request
            self._fault(411, wanted(self.headers.get("Accept"), ""), "The length of the body must be told.")
            return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.startswith("/states/"):
            self._send(200, JSON, json.dumps(self.store.state(self.path.rpartition("/")[2], json.loads(body))))
            return
        content_type = (self.headers.get("Content-Type") or "").partition(";")[0].strip().lower()
        form = wanted(self.headers.get("Accept"), content_type)
        if self.path.partition("?")[0] != PATH:
            self._fault(404, form, "There is no such resource.")
        elif content_type not in (JSON, XML):
            self._fault(415, form, "The body is neither JSON nor XML.")
        else:
            self._void(body, content_type, form)

    def _void(self, body: bytes, content_type: str, form: str) -> None:
        try:
            labels = read_xml(body) if content_type == XML else read_json(body)
        except Unreadable as error:
            self._fault(400, form, str(error))
            return
        results = self.store.behaviour.results([self.store.void(label) for label in labels])
        text = self.store.behaviour.xml(results_xml(results)) if form == XML else json.dumps(results)
        self._send(200, form, text)

    def _fault(self, status: int, form: str, why: str) -> None:
        self._send(status, form, json.dumps(why) if form == JSON else f'<Fault xmlns="{FAULT}">{escape(why)}</Fault>')

    def _other(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._fault(405, wanted(self.headers.get("Accept"), ""), "The method is not POST.")

    do_GET = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_OPTIONS = _other

    def _send(self, status: int, form: str, text: str) -> None:
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{form}; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


@contextmanager
def serving(behaviour: Behaviour | None = None) -> Iterator[str]:
    """The address of a server in a thread of its own, ended afterwards."""
    store = Store(behaviour or Behaviour())
    server = Server(("127.0.0.1", 0), type("Bound", (Handler,), {"store": store}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
