"""A server of the made-up amendments: one order is open, and a change of any other does not come about.

What it does comes from the pages in `pages/amend` as a person reads them, and nothing of it from a draft.
"""

from __future__ import annotations

import json
import re
from contextlib import AbstractContextManager
from fnmatch import fnmatchcase
from http.server import BaseHTTPRequestHandler
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree
from made_up_server import body_of, serving

ORDER = 12345
"""The one order that is open."""
PRICE_TYPES = {"Unknown": 0, "Market": 1, "Limit": 2, "StopLimit": 4}
NAMESPACE = "http://schemas.datacontract.org/2004/07/TPP.Contracts.Services.Order"
ARRAYS, SERIALIZATION = (f"http://schemas.microsoft.com/2003/10/Serialization/{name}" for name in ("Arrays", ""))
XSI = "http://www.w3.org/2001/XMLSchema-instance"
MEMBERS = ("CreatorID", "OrderID", "PIN", "Price", "PriceType", "Quantity")
JSON_TYPES, XML_TYPES = ("application/json", "text/json"), ("application/xml", "text/xml")
LENGTHS = {"/api/orders/amendment": (4, 8), "/api/orders/amendments": (0, 8)}


class RefusedError(Exception):
    """The call is refused with this status and text."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def changed(one: Any, lengths: tuple[int, int], wrong: frozenset[str]) -> dict[str, Any]:
    """The result of one instruction, as JSON has it. Errors: `RefusedError` for what the page does not allow."""
    if not isinstance(one, dict):
        raise RefusedError(400, "this is no amendment")
    for name in ("OrderID", "CreatorID", "Quantity", "PriceType"):
        if type(one.get(name)) is not int and not (name not in one and f"without-{name}" in wrong):
            raise RefusedError(400, f"{name} is no integer")
    if not 1 <= one.get("Quantity", 1) <= 1_000_000 and "any-quantity" not in wrong:
        raise RefusedError(400, "Quantity is out of its range")
    if one.get("PriceType") not in PRICE_TYPES.values() and "any-type" not in wrong:
        raise RefusedError(400, "there is no such PriceType")
    price, pin = one.get("Price"), one.get("PIN")
    if price is not None and (isinstance(price, bool) or not isinstance(price, int | float)):
        raise RefusedError(400, "Price is no number")
    fits = isinstance(pin, str) and (lengths[0] <= len(pin) <= lengths[1] or "long-pin" in wrong)
    if pin is not None and not fits:
        raise RefusedError(400, "PIN is none")
    return result_of(one, wrong)


def result_of(one: dict[str, Any], wrong: frozenset[str]) -> dict[str, Any]:
    """What came of an instruction that is as the page says."""
    done = one.get("OrderID") == ORDER or "always-success" in wrong
    errors = None if done else ["Order is not active."]
    if "errors-on-success" in wrong and done:
        errors = ["Order is not active."]
    if "silent-failure" in wrong and not done:
        errors = None
    if "empty-errors" in wrong and done:
        errors = []
    kind = one.get("PriceType") if one.get("PriceType") in PRICE_TYPES.values() else 2
    result = {"OrderID": one.get("OrderID", ORDER), "PriceType": kind, "Success": done, "Errors": errors}
    if "type-name" in wrong:
        result["PriceType"] = "Limit"
    if "text-id" in wrong:
        result["OrderID"] = str(result["OrderID"])
    if "no-errors" in wrong and errors is None:
        del result["Errors"]
    return dict(reversed(result.items())) if "member-order" in wrong else result


def from_xml(data: bytes, *, listed: bool, wrong: frozenset[str]) -> Any:
    """What an XML body says, as JSON has it."""
    try:
        root = etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True))
    except (etree.XMLSyntaxError, ValueError):
        raise RefusedError(400, "this is no XML") from None
    name = "ArrayOfAmendmentCreation" if listed else "AmendmentCreation"
    if root.tag != f"{{{NAMESPACE}}}{name}":
        raise RefusedError(400, "this is another element")
    found = [_record(one, wrong) for one in (root if listed else [root])]
    return found if listed else found[0]


def _record(node: Any, wrong: frozenset[str]) -> dict[str, Any]:
    names = [etree.QName(child).localname for child in node]
    spaces = {etree.QName(child).namespace for child in node}
    known = [one for one in MEMBERS if one in names]
    if names != known or spaces != {NAMESPACE} or etree.QName(node).localname != "AmendmentCreation":
        raise RefusedError(400, "the members are not those of an amendment")
    found: dict[str, Any] = {}
    for name, child in zip(names, node, strict=True):
        text = child.text or ""
        if child.get(f"{{{XSI}}}nil") == "true":
            found[name] = None
        elif name == "PriceType":
            if text not in PRICE_TYPES and not (text.isdecimal() and "number-in-request" in wrong):
                raise RefusedError(400, "there is no such PriceType")
            found[name] = PRICE_TYPES.get(text, 2)
        elif name == "PIN":
            found[name] = text
        else:
            found[name] = _number(text, whole=name != "Price")
    return found


def _number(text: str, *, whole: bool) -> int | float:
    try:
        found: int | float = int(text) if whole else float(text)
    except ValueError:
        raise RefusedError(400, "this is no number") from None
    if abs(found) > 2**31 - 1:
        raise RefusedError(400, "this number is too large")
    return found


def to_xml(value: Any, wrong: frozenset[str]) -> str:
    """A result, a list of results or the text of an error as XML."""
    head = '<?xml version="1.0" encoding="utf-8"?>' if "declaration" in wrong else ""
    if isinstance(value, str):
        return f'{head}<string xmlns="{SERIALIZATION}">{escape(value)}</string>'
    space = "http://schemas.datacontract.org/2004/07/" if "namespace" in wrong else NAMESPACE
    around = f'xmlns:i="{XSI}" xmlns="{space}"'
    if isinstance(value, dict):
        return f"{head}<AmendmentCreationResult {around}>{_members(value, 2, wrong)}</AmendmentCreationResult>"
    items = "".join(f"<AmendmentCreationResult>{_members(one, 3, wrong)}</AmendmentCreationResult>" for one in value)
    return f"{head}<ArrayOfAmendmentCreationResult {around}>{items}</ArrayOfAmendmentCreationResult>"


def _members(result: dict[str, Any], depth: int, wrong: frozenset[str]) -> str:
    prefix = "q" if "prefix" in wrong else f"d{depth}p1"
    shown = sorted(result.items(), reverse="xml-order" in wrong)
    return "".join(_member(name, value, prefix, wrong) for name, value in shown)


def _member(name: str, value: Any, prefix: str, wrong: frozenset[str]) -> str:
    if name == "Errors":
        if value is None:
            return f'<Errors xmlns:{prefix}="{ARRAYS}" i:nil="true" />'
        texts = "".join(f"<{prefix}:string>{escape(one)}</{prefix}:string>" for one in value)
        return f'<Errors xmlns:{prefix}="{ARRAYS}">{texts}</Errors>'
    if name == "PriceType" and "type-number" not in wrong:
        value = next((word for word, number in PRICE_TYPES.items() if number == value), value)
    if name == "OrderID" and "text-id" in wrong:
        value = f"No {value}"
    return f"<{name}>{str(value).lower() if isinstance(value, bool) else value}</{name}>"


def served(*wrong: str) -> AbstractContextManager[str]:
    """The address of a server that is right but for these ways."""
    return serving(type("Bound", (_Handler,), {"wrong": frozenset(wrong)}))


def preferred(accept: str) -> str:
    """The media type that an Accept header prefers; JSON where it names none that is spoken."""
    best, weight = JSON_TYPES[0], 0.0
    for one in accept.split(","):
        name, _, rest = one.strip().lower().partition(";")
        said = re.search(r"q=([0-9.]+)", rest)
        mine = float(said[1]) if said else 1.0
        found = next((spoken for spoken in (*JSON_TYPES, *XML_TYPES) if fnmatchcase(spoken, name.strip())), None)
        if found is not None and mine > weight:
            best, weight = found, mine
    return best


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wrong: frozenset[str] = frozenset()
    wbufsize = -1  # an answer in one packet: two of them wait 40 ms for each other

    def _serve(self) -> None:
        data = body_of(self)
        media = JSON_TYPES[0] if "always-json" in self.wrong else preferred(self.headers.get("Accept") or "*/*")
        if "deaf-to-zero" in self.wrong and self.headers.get("Accept") == "application/json;q=0, application/xml":
            media = JSON_TYPES[0]
        try:
            status, value = 200, self._answered(data)
        except RefusedError as error:
            status, value = error.status, str(error)
        text = to_xml(value, self.wrong) if media in XML_TYPES else json.dumps(value)
        self.send_response(status)
        self.send_header("Content-Type", media)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text.encode())

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _serve

    def _answered(self, data: bytes) -> Any:
        path = self.path.partition("?")[0]
        if path not in LENGTHS:
            raise RefusedError(404, "there is no such call")
        if self.command != "POST" and "any-method" not in self.wrong:
            raise RefusedError(405, "not by this method")
        lengths, listed = LENGTHS[path], path.endswith("s")
        media = (self.headers.get("Content-Type") or "").partition(";")[0].strip().lower()
        if "sniffs" in self.wrong:
            media = XML_TYPES[0] if data.lstrip().startswith(b"<") else JSON_TYPES[0]
        if media not in (*JSON_TYPES, *XML_TYPES):
            raise RefusedError(415, "neither JSON nor XML")
        value = from_xml(data, listed=listed, wrong=self.wrong) if media in XML_TYPES else self._from_json(data)
        if not listed:
            return changed(value, lengths, self.wrong)
        if not isinstance(value, list):
            raise RefusedError(400, "this is no list")
        return [changed(one, lengths, self.wrong) for one in value]

    def _from_json(self, data: bytes) -> Any:
        try:
            value = json.loads(data.decode("utf-8-sig"), parse_constant=float)
        except (ValueError, RecursionError):
            raise RefusedError(400, "this is no JSON") from None
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict) and "name-in-request" in self.wrong:
                if not isinstance(one.get("PriceType"), str):
                    raise RefusedError(400, "PriceType is no name")
                one["PriceType"] = PRICE_TYPES.get(one["PriceType"], 9)
        return value

    def log_message(self, *_: object) -> None:
        """Say nothing."""
