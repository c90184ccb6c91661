"""A small server of a made-up call: one instruction in, one result out, in JSON and in XML; right, or wrong in one way.

What it does comes from the call's page (`recall.txt`), and nothing of it from the harness.
"""

from __future__ import annotations

import itertools
import json
import re
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from lxml import etree

from reference_impl.tpp.negotiation import negotiate
from reference_impl.wire import HttpRequest

PATH = "/api/parcels/recall"
ASKED, ANSWERS, LISTS, PLAIN = (f"urn:parcels:{name}" for name in ("recall", "answers", "lists", "plain"))
MEMBERS = ("AgentID", "TrackingUID", "Abroad", "ParcelID", "Words")
"""In the order of the XML sample."""
XSI = "http://www.w3.org/2001/XMLSchema-instance"
TYPES = {"ParcelID": int, "AgentID": int, "Words": str, "Abroad": bool, "TrackingUID": str}
GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
Instruction = dict[str, Any]
Wrong = frozenset[str]


class Refused(Exception):
    """The call is refused with this text."""


@dataclass
class Office:
    """The parcels by number and by GUID, and in which ways the server is wrong."""

    wrong: Wrong = frozenset()
    parcels: dict[int | str, str] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(70_001))
    before: Instruction = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def made(self, state: str) -> dict[str, int | str]:
        """A new parcel in this state."""
        abroad = state.endswith("abroad")
        key: int | str = str(uuid.uuid4()) if abroad else next(self.numbers)
        self.parcels[key] = "cancelled" if state.startswith("recalled") else "open"
        return {"TrackingUID" if abroad else "ParcelID": key}

    def seen(self, entry: dict[str, Any]) -> dict[str, Any]:
        """The entry with how its parcel stands."""
        key = entry.get("ParcelID") or entry.get("TrackingUID")
        return {**entry, "state": self.parcels.get(key, "unknown") if key else "unknown"}

    def recall(self, asked: Instruction) -> dict[str, Any]:
        """The result of an instruction."""
        if "agent-kept" in self.wrong and asked.get("AgentID") is None:
            asked = {**asked, "AgentID": self.before.get("AgentID")}
        self.before = asked
        abroad = asked.get("Abroad", False)
        key = asked.get("TrackingUID" if abroad else "ParcelID")
        key = key.lower() if isinstance(key, str) else key
        reason = ""
        if key is None or (abroad and asked.get("AgentID") is None):
            reason = "a member is missing"
        elif self.parcels.get(key) != "open" and "recalled-again" not in self.wrong:
            reason = "no parcel on its way"
        elif "nothing-done" not in self.wrong and key in self.parcels:
            self.parcels[key] = "cancelled"
        named = {"ParcelID": asked.get("ParcelID"), "TrackingUID": asked.get("TrackingUID")}
        if "nobody-named" in self.wrong:
            named = dict.fromkeys(named)
        return {**named, "Recalled": not reason, "Reasons": [reason] if reason else None}


def from_json(text: str, wrong: Wrong) -> Instruction:
    """The instruction in a JSON text."""
    try:
        value = json.loads(text, parse_constant=float)
    except (ValueError, RecursionError):
        raise Refused("this is no JSON") from None
    if "list-taken" in wrong and isinstance(value, list) and value:
        value = value[0]
    if not isinstance(value, dict):
        raise Refused("this is no instruction")
    for name, kind in TYPES.items():
        one = value.get(name)
        if name == "Abroad" and name in value and one is None:
            raise Refused("Abroad is null")
        if one is not None and (not isinstance(one, kind) or (kind is int and isinstance(one, bool))):
            raise Refused(f"{name} is of another type")
        if name == "TrackingUID" and one is not None and not GUID.fullmatch(one):
            raise Refused("TrackingUID is no GUID")
    return {name: value[name] for name in TYPES if name in value}


def from_xml(data: bytes, wrong: Wrong) -> Instruction:
    """The instruction in an XML document."""
    try:
        root = etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True))
    except (etree.XMLSyntaxError, ValueError):
        raise Refused("this is no XML") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise Refused("a document type is not allowed")
    if "any-root" in wrong and len(root) == 1:
        root = root[0]
    if root.tag != f"{{{ASKED}}}Recall" or _is_nil(root):
        raise Refused("this is no instruction")
    found: Instruction = {}
    for child in root.iterchildren(etree.Element):
        name = etree.QName(child).localname
        if name not in MEMBERS or etree.QName(child).namespace != ASKED:
            continue
        if name in found or any(MEMBERS.index(other) > MEMBERS.index(name) for other in found):
            raise Refused(f"{name} stands twice, or too late")
        found[name] = None if _is_nil(child) else _value(name, child)
    if found.get("Abroad", False) is None:
        raise Refused("Abroad is nil")
    return found


def _value(name: str, element: etree._Element) -> Any:
    if next(element.iterchildren(etree.Element), None) is not None:
        raise Refused(f"{name} holds elements")
    text = "".join(element.xpath("text()"))
    kind = TYPES[name]
    bare = text.strip(" \t\r\n")
    if kind is int and re.fullmatch(r"[+-]?[0-9]{1,18}", bare):
        return int(bare)
    if kind is bool and bare in ("true", "false", "1", "0"):
        return bare in ("true", "1")
    if name == "Words" or (name == "TrackingUID" and GUID.fullmatch(text)):
        return text
    raise Refused(f"{name} is of another type")


def _is_nil(element: etree._Element) -> bool:
    return (element.get(f"{{{XSI}}}nil") or "").strip() in ("true", "1")


def to_json(result: dict[str, Any], wrong: Wrong) -> str:
    """The result as JSON."""
    return json.dumps([result] if "list-answered" in wrong else result)


def to_xml(result: dict[str, Any], wrong: Wrong) -> str:
    """The result as XML."""
    namespace = ASKED if "namespace-of-request" in wrong else ANSWERS
    root = etree.Element(f"{{{namespace}}}RecallResult", nsmap={None: namespace, "i": XSI})
    for name in ("Reasons", "TrackingUID", "ParcelID", "Recalled"):
        value = result[name]
        child = etree.SubElement(root, f"{{{namespace}}}{name}")
        if value is None:
            child.set(f"{{{XSI}}}nil", "true")
        elif isinstance(value, list):
            for one in value:
                etree.SubElement(child, f"{{{LISTS}}}line").text = one
        else:
            child.text = str(value).lower() if isinstance(value, bool) else str(value)
    text = etree.tostring(root, encoding="unicode")
    return f"<Results>{text}</Results>" if "list-answered" in wrong else text


def _trouble(text: str) -> str:
    return f'<trouble xmlns="{PLAIN}">{text}</trouble>'


def handler_of(office: Office) -> type[BaseHTTPRequestHandler]:
    """The handler of an office, and of the questions of a run for states."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            data = self._body()
            path = self.path.partition("?")[0]
            if path in ("/states/state", "/states/observe"):
                return self._states(json.loads(data), made=path.endswith("/state"))
            headers = tuple((key.lower(), value) for key, value in self.headers.items())
            media = negotiate(HttpRequest(self.command, path, "", headers, data))
            kind = (self.headers.get("Content-Type") or "").partition(";")[0].strip().lower()
            status = 404 if path != PATH else 405 if self.command != "POST" else 200
            if status == 200 and kind not in ("application/json", "application/xml"):
                status = 415
            text = ""
            if status == 200:
                status, text = _answered(office, data, kind, in_json=media.format == "json")
            self._send(status, text, media.media_type)
            return None

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _serve

        def _states(self, question: dict[str, Any], *, made: bool) -> None:
            with office.lock:
                found = (
                    [office.made(question["state"]) for _ in range(question.get("count", 1))]
                    if made
                    else [office.seen(one) for one in question["orders"]]
                )
            self._send(200, json.dumps({"orders": found}), "application/json")

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))
            parts = b""
            while size := int(self.rfile.readline().strip() or b"0", 16):
                parts += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return parts

        def _send(self, status: int, text: str, media_type: str) -> None:
            data = text.encode()
            head = f"HTTP/1.1 {status} -\r\nContent-Type: {media_type}\r\nContent-Length: {len(data)}\r\n\r\n".encode()
            self.wfile.write(head + (b"" if self.command == "HEAD" else data))

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


def _answered(office: Office, data: bytes, kind: str, *, in_json: bool) -> tuple[int, str]:
    """The status and the text of the answer to a body."""
    write, trouble = (to_json, json.dumps) if in_json else (to_xml, _trouble)
    try:
        asked = _read(data, kind, office.wrong)
    except Refused as error:
        return 400, trouble(str(error))
    with office.lock:
        return 200, write(office.recall(asked), office.wrong)


def _read(data: bytes, kind: str, wrong: Wrong) -> Instruction:
    if kind == "application/xml":
        return from_xml(data, wrong)
    try:
        return from_json(data.decode("utf-8-sig"), wrong)
    except UnicodeDecodeError:
        raise Refused("this is no UTF-8") from None


@contextmanager
def served(*wrong: str) -> Iterator[str]:
    """The address of an office that is right but for these ways."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(Office(frozenset(wrong))))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
