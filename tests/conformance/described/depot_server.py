"""A small server of made-up depots: three calls with arguments in the path, in JSON and in XML; right, or wrong in one way.

What it does comes from the vendor's pages as a person words them in `requirements.yaml`, and nothing of it from the harness.
"""

from __future__ import annotations

import base64
import itertools
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote
from xml.sax.saxutils import escape

from lxml import etree

SITE = "Nord 5 & Süd"
"""The name of the one depot: a space, an ampersand and a letter beyond ASCII."""
KINDS = {"Box": 0, "Crate": 1, "Pallet": 5}
NAMESPACE = "urn:depot"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
JSON, XML = "application/json", "application/xml"
ROUTE = re.compile(r"/api/depots/([^/]+)/bins/([^/]+)")
INT = re.compile(r"-?\d{1,9}")


class Refused(Exception):
    """The call is refused with this status and text."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


@dataclass
class Depot:
    """The bins by number, and in which ways the server is wrong."""

    wrong: frozenset[str] = frozenset()
    bins: dict[int, str] = field(default_factory=lambda: {1001: "open"})
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(70_001))
    lock: threading.Lock = field(default_factory=threading.Lock)
    seen: list[str] = field(default_factory=list)
    """The paths of the calls that were made."""

    def bin(self, number: int) -> dict[str, Any]:
        """What a look at a bin shows."""
        shown: dict[str, Any] = {
            "BinID": number,
            "Kind": 1,
            "Parts": [{"Part": 3, "Tags": ["wet", None]}, {"Part": 4, "Tags": []}],
            "Since": "2026-03-01T08:30:00Z",
            "Site": SITE,
            "Weight": None if "no-weight" in self.wrong else 12.5,
        }
        if "null-left-out" in self.wrong:
            del shown["Weight"]
        if "kind-name" in self.wrong:
            shown["Kind"] = "Crate"
        if "kind-unlisted" in self.wrong:
            shown["Kind"] = 2
        if "part-without-tags" in self.wrong:
            shown["Parts"] = [{"Part": 3}]
        if "member-more" in self.wrong:
            shown["Colour"] = "red"
        return shown

    def drop(self, number: int) -> None:
        """Remove a bin."""
        if self.bins.get(number) != "open":
            if "again" not in self.wrong:
                raise Refused(404, "there is no such bin")
            return
        if "kept" not in self.wrong:
            self.bins[number] = "cancelled"
        if "all-dropped" in self.wrong:
            self.bins.update(dict.fromkeys(self.bins, "cancelled"))


def preferred(accept: str, *, weighed: bool = True) -> str:
    """The media type that an Accept header prefers; JSON where it names none of the two."""
    best, weight = JSON, 0.0
    for one in accept.split(","):
        name, _, rest = one.strip().lower().partition(";")
        said = re.search(r"q=([0-9.]+)", rest) if weighed else None
        mine = float(said[1]) if said else 1.0
        found = next((spoken for spoken in (JSON, XML) if fnmatchcase(spoken, name.strip())), None)
        if found is not None and mine > weight:
            best, weight = found, mine
    return best


def in_xml(value: dict[str, Any], wrong: frozenset[str]) -> str:
    """A bin as XML, the elements in the order of the alphabet."""
    if "Text" in value:
        return f"<Problem><Text>{escape(value['Text'])}</Text></Problem>"
    if "Shelf" in value:
        return f'<Moved xmlns="{NAMESPACE}"><Shelf>{value["Shelf"]}</Shelf></Moved>'
    names = {number: name for name, number in KINDS.items()}
    shown = dict(sorted(value.items(), reverse="order" in wrong))
    parts: list[str] = []
    for name, one in shown.items():
        if name == "Kind":
            kind = str(one) if "kind-number" in wrong else names.get(one, str(one))
            parts.append(f"<Kind>{'Box' if 'kind-other' in wrong else kind}</Kind>")
        elif name == "Parts":
            inner = (
                f"<BinPart><Part>{part['Part']}</Part><Tags>{''.join(map(_tag, part['Tags']))}</Tags></BinPart>"
                if "Tags" in part
                else f"<BinPart><Part>{part['Part']}</Part></BinPart>"
                for part in one
            )
            parts.append(f"<Parts>{''.join(inner)}</Parts>")
        elif one is None:
            parts.append("<Weight>null</Weight>" if "null-as-text" in wrong else '<Weight i:nil="true" />')
        else:
            parts.append(f"<{name}>{escape(str(one))}</{name}>")
    namespace = "urn:other" if "namespace" in wrong else NAMESPACE
    root = "Box" if "root" in wrong else "Bin"
    comment = "<!-- made by hand -->" if "comment" in wrong else ""
    return f'{comment}<{root} xmlns:i="{XSI}" xmlns="{namespace}">{"".join(parts)}</{root}>'


def _tag(text: str | None) -> str:
    return '<Tag i:nil="true" />' if text is None else f"<Tag>{escape(text)}</Tag>"


def moved(data: bytes, media: str, wrong: frozenset[str]) -> dict[str, Any]:
    """The shelf and the kind that a body names."""
    if media == XML:
        return _moved_in_xml(data)
    try:
        value = json.loads(data.decode("utf-8-sig"), parse_constant=float)
    except (ValueError, RecursionError):
        raise Refused(400, "this is no JSON") from None
    if not isinstance(value, dict):
        raise Refused(400, "this is no object")
    for name in ("Shelf", "Kind"):
        if type(value.get(name)) is not int and f"lenient-{name}" not in wrong:
            raise Refused(400, f"{name} is no integer")
    if value.get("Kind") not in KINDS.values() and "any-kind" not in wrong:
        raise Refused(400, "there is no such kind")
    return value


def _moved_in_xml(data: bytes) -> dict[str, Any]:
    try:
        root = etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True))
    except (etree.XMLSyntaxError, ValueError):
        raise Refused(400, "this is no XML") from None
    names = [child.tag for child in root if isinstance(child.tag, str)]
    if root.tag != f"{{{NAMESPACE}}}Move" or names != [f"{{{NAMESPACE}}}{name}" for name in ("Kind", "Shelf")]:
        raise Refused(400, "this is no move")
    kind, shelf = (("".join(child.itertext())).strip() for child in root)
    if kind not in KINDS or not INT.fullmatch(shelf):
        raise Refused(400, "a member is of another type")
    return {"Kind": KINDS[kind], "Shelf": int(shelf)}


class Handler(BaseHTTPRequestHandler):
    """Serves the depot of its class, and answers the questions of a run for states."""

    protocol_version = "HTTP/1.1"
    depot: Depot
    wbufsize = -1  # an answer in one packet: two of them wait 40 ms for each other

    def _serve(self) -> None:
        data = self._body()
        if self.path in ("/states/state", "/states/observe"):
            return self._states(json.loads(data))
        accept = self.headers.get("Accept") or "*/*"
        media = (
            JSON
            if "always-json" in self.depot.wrong
            else preferred(accept, weighed="weightless" not in self.depot.wrong)
        )
        try:
            status, value = self._answered(data)
        except Refused as error:
            status, value = error.status, {"Text": str(error)}
            if "bare-error" in self.depot.wrong:
                value = {"Words": str(error)}
        text = "" if value is None else in_xml(value, self.depot.wrong) if media == XML else json.dumps(value)
        self._send(status, text, media)
        return None

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _serve

    def _answered(self, data: bytes) -> tuple[int, dict[str, Any] | None]:
        path, _, query = self.path.partition("?")
        self.depot.seen.append(self.path)
        found = ROUTE.fullmatch(path)
        if found is None:
            raise Refused(404, "there is no such place")
        if self.command not in ("GET", "PUT", "DELETE", *(["POST"] if "posts" in self.depot.wrong else [])):
            raise Refused(405, "not by this method")
        pair = self.headers.get("Authorization", "Basic ").removeprefix("Basic ")
        if base64.b64decode(pair).decode().startswith("guest") and "everybody" not in self.depot.wrong:
            raise Refused(403, "guests may not")
        number = self._number(found[1], unquote(found[2]))
        if parse_qs(query).get("Detail", ["true"])[0].lower() not in ("true", "false"):
            raise Refused(400, "Detail is no Boolean")
        return self._done(number, data)

    def _number(self, site: str, number: str) -> int:
        """The number of the bin that a path names."""
        if (site if "raw-path" in self.depot.wrong else unquote(site)) != SITE:
            raise Refused(404, "there is no such depot")
        if not INT.fullmatch(number) and "any-number" not in self.depot.wrong:
            raise Refused(400, "this is no number")
        return int(number) if INT.fullmatch(number) else 1001

    def _done(self, number: int, data: bytes) -> tuple[int, dict[str, Any] | None]:
        if self.command == "GET":
            return 200, self.depot.bin(number)
        if self.command == "PUT" or (self.command == "POST" and "posts" in self.depot.wrong):
            media = (self.headers.get("Content-Type") or "").partition(";")[0].strip().lower()
            if "sniffs" in self.depot.wrong:
                media = XML if data.lstrip().startswith(b"<") else JSON
            if media not in (JSON, XML):
                raise Refused(415, "neither JSON nor XML")
            moved(data, media, self.depot.wrong)
            return 200, {"Shelf": 4}
        with self.depot.lock:
            self.depot.drop(number)
        return 204, None

    def _states(self, asked: dict[str, Any]) -> None:
        with self.depot.lock:
            if "state" in asked:
                made = [next(self.depot.numbers) for _ in range(asked.get("count", 1))]
                self.depot.bins.update(dict.fromkeys(made, "open"))
                found = [{"BinID": one} for one in made]
            else:
                found = [{**one, "state": self.depot.bins.get(one["BinID"], "unknown")} for one in asked["orders"]]
        self._send(200, json.dumps({"orders": found}), JSON)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = b""
        while size := int(self.rfile.readline().strip() or b"0", 16):
            parts += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return parts

    def _send(self, status: int, text: str, media: str) -> None:
        data = text.encode()
        self.send_response(status)
        if data:
            self.send_header("Content-Type", media)
        if status != 204:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def served(*wrong: str) -> Iterator[tuple[str, Depot]]:
    """The address of a depot that is right but for these ways, and the depot."""
    depot = Depot(frozenset(wrong))
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"depot": depot}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", depot
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
