"""A tour of the cancellations resource: what a server answers and does at each stop, with ids replaced by names."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from places import named_places
from reference_support import CANCELLATIONS, XMLNS, Reply, Server

JSON, XML = "application/json", "application/xml"
TOGETHER = 8
SHIFTED = str.maketrans("0123456789abcdef", "123456789abcdef0")
DOCTYPE = "<!DOCTYPE ArrayOfCancellationCreation>"
PARAMETER = "<!DOCTYPE a [<!ENTITY % p \"<!ENTITY o '5'>\">%p;]>"


def domestic(order: Mapping[str, Any], **members: Any) -> dict[str, Any]:
    given = {"OrderID": order["OrderID"], "CreatorID": 98765, "PIN": order["PIN"] or "1234"}
    return {**given, "IsInternationalOrder": False, "InternationalOrderUID": None, **members}


def abroad(order: Mapping[str, Any], **members: Any) -> dict[str, Any]:
    uid = order["InternationalOrderUID"]
    given = {"OrderID": None, "CreatorID": 98765, "PIN": "1234"}
    return {**given, "IsInternationalOrder": True, "InternationalOrderUID": uid, **members}


def as_xml(*items: Mapping[str, Any]) -> str:
    members = []
    for item in items:
        parts = [
            f'<{name} i:nil="true" />' if value is None else f"<{name}>{_lexical(value)}</{name}>"
            for name, value in sorted(item.items())
        ]
        members.append(f"<CancellationCreation>{''.join(parts)}</CancellationCreation>")
    return f"<ArrayOfCancellationCreation {XMLNS}>{''.join(members)}</ArrayOfCancellationCreation>"


def _lexical(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


class Tour:
    """Sends requests to one server, and tells what came back and what became of the orders."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def orders(self, *states: str) -> list[dict[str, Any]]:
        return [self.server.state(state)[0] for state in states]

    def send(self, orders: list[dict[str, Any]], body: str | bytes, **how: str) -> Any:
        """Status, headers and body of the answer, and the states of the orders behind it."""
        method, path = how.pop("method", "POST"), how.pop("path", CANCELLATIONS)
        headers = {"Content-Type": JSON, "Accept": JSON, **{k.replace("_", "-"): v for k, v in how.items()}}
        try:
            reply = self.server.request(method, path, body, headers)
        except http.client.HTTPException as error:
            return type(error).__name__, self.server.observe(*orders)
        return self.told(reply, orders), self.server.observe(*orders)

    def told(self, reply: Reply, orders: list[dict[str, Any]]) -> Any:
        text = self._named(reply.body.decode("utf-8", "backslashreplace"), orders)
        headers = {key: value for key, value in reply.headers.items() if key not in ("date", "content-length")}
        return reply.status, headers, text

    @staticmethod
    def _named(text: str, orders: list[dict[str, Any]]) -> str:
        """The text with names in the place of ids."""
        for number, order in enumerate(orders):
            for name in ("OrderID", "InternationalOrderUID"):
                if order.get(name) is not None:
                    text = text.replace(str(order[name]), f"<{name} {number}>")
        return text

    def in_one_go(self, orders: list[dict[str, Any]], path: str, *bodies: str) -> Any:
        """What comes back on one connection of several requests that are written before any is answered."""
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {JSON}\r\nAccept: {JSON}\r\n"
        texts = [f"{head}Content-Length: {len(body)}\r\n\r\n{body}" for body in bodies]
        texts[-1] = texts[-1].replace("Host: x", "Host: x\r\nConnection: close")
        received = []
        with socket.create_connection(("127.0.0.1", self.server.port), TOGETHER) as peer:
            peer.sendall("".join(texts).encode())
            with contextlib.suppress(ConnectionError):
                while piece := peer.recv(65536):
                    received.append(piece)
        text = re.sub(r"date: [^\r]*", "date", b"".join(received).decode())
        return self._named(text, orders), self.server.observe(*orders)

    def json(self, orders: list[dict[str, Any]], *items: Any, **how: str) -> Any:
        return self.send(orders, json.dumps(items, separators=(",", ":"), ensure_ascii=False).encode(), **how)

    def xml(self, orders: list[dict[str, Any]], *items: Any, **how: str) -> Any:
        return self.send(orders, as_xml(*items), **{"Content_Type": XML, "Accept": XML, **how})


def three_in_json(tour: Tour) -> Any:
    orders = tour.orders("open-order", "open-international-order", "cancelled-order")
    return tour.json(orders, domestic(orders[0]), abroad(orders[1]), domestic(orders[2]))


def three_in_xml(tour: Tour) -> Any:
    orders = tour.orders("open-order", "open-international-order", "cancelled-order")
    return tour.xml(orders, domestic(orders[0]), abroad(orders[1]), domestic(orders[2]))


def failure_first(tour: Tour) -> Any:
    orders = tour.orders("cancelled-order", "open-order", "cancelled-international-order", "open-international-order")
    return tour.json(orders, domestic(orders[0]), domestic(orders[1]), abroad(orders[2]), abroad(orders[3]))


def one_each(tour: Tour) -> Any:
    """Lists of one, in each media type."""
    told = []
    for name in (JSON, "text/json", XML, "text/xml"):
        (order,) = orders = tour.orders("open-order")
        send = tour.xml if name.endswith("xml") else tour.json
        told.append(send(orders, domestic(order), Content_Type=name, Accept=name))
    return told


def not_to_be_cancelled(tour: Tour) -> Any:
    orders = tour.orders("executed-order", "cancelled-order", "cancelled-international-order")
    unknown = {**orders[0], "OrderID": 1987654321, "InternationalOrderUID": "00000000-dead-4bad-8bad-000000000000"}
    return tour.json(
        orders, domestic(orders[0]), domestic(orders[1]), abroad(orders[2]), domestic(unknown), abroad(unknown)
    )


def twice(tour: Tour) -> Any:
    (order,) = orders = tour.orders("open-order")
    item = domestic(order)
    told = [tour.json(orders, item, item), tour.json(orders, item), tour.json(orders, item)]
    (other,) = orders = tour.orders("pin-order")
    return [*told, tour.json(orders, domestic(other, PIN=None)), tour.json(orders, domestic(other))]


def together(tour: Tour) -> Any:
    """How many of several simultaneous calls succeed."""
    (order,) = tour.orders("open-order")
    with ThreadPoolExecutor(TOGETHER) as pool:
        replies = list(pool.map(lambda _: tour.server.cancel_json(domestic(order)), range(TOGETHER)))
    return sum(reply.text.count('"Success":true') for reply in replies)


def conditions(tour: Tour) -> Any:
    """What an instruction may lack, and what not, in both formats."""
    told = []
    for send in (tour.json, tour.xml):
        for order in tour.orders(*["open-order"] * 4):
            lacks = (
                {"CreatorID": None},
                {"OrderID": None},
                {"InternationalOrderUID": None},
                {"IsInternationalOrder": None},
            )
            item = domestic(order, **lacks[len(told) % 4])
            told.append(send([order], {k: v for k, v in item.items() if v is not None}))
        (number,), orders = tour.orders("open-order"), tour.orders(*["open-international-order"] * 4)
        for order, change in zip(
            orders,
            ({"CreatorID": None}, {"InternationalOrderUID": None, **_id(number)}, _id(number), {"CreatorID": 1}),
            strict=True,
        ):
            told.append(send([order, number], abroad(order, **change)))
        (number,), (other,) = tour.orders("open-order"), tour.orders("open-international-order")
        told.append(send([number, other], domestic(number, InternationalOrderUID=other["InternationalOrderUID"])))
        (other,) = tour.orders("open-international-order")
        told.append(send([other], abroad(other, IsInternationalOrder=False)))
        (number,) = tour.orders("open-order")
        told.append(send([number], domestic(number), domestic(number, OrderID=None)))
    return told


def _id(order: Mapping[str, Any]) -> dict[str, Any]:
    return {"OrderID": order["OrderID"]}


def pins(tour: Tour) -> Any:
    told = []
    for pin in ("1234", "9999", None, "", "01234", "1234x"):
        for send in (tour.json, tour.xml):
            (order,) = orders = tour.orders("pin-order")
            told.append(send(orders, domestic(order, PIN=pin)))
    (other,) = orders = tour.orders("pin-international-order")
    told.append(tour.json(orders, abroad(other, PIN="9999")))
    two = tour.orders("pin-order", "pin-order")
    told.append(tour.json(two, domestic(two[0]), domestic(two[1], PIN=None)))
    (order,) = orders = tour.orders("open-order")
    return [*told, tour.json(orders, domestic(order, PIN=None)), tour.json(orders, domestic(order, PIN="пин"))]


def meetings(tour: Tour) -> Any:
    """What is served right unless two or three circumstances meet."""
    told = []
    lacking = {"OrderID": None, "PIN": "1234"}

    def listed(send: Any, states: tuple[str, ...], *makers: Callable[..., Any], **how: str) -> None:
        orders = tour.orders(*states)
        told.append(send(orders, *(make(orders) for make in makers), **how))

    def first(**members: Any) -> Callable[..., Any]:
        return lambda orders: domestic(orders[0], **members)

    def second(**members: Any) -> Callable[..., Any]:
        return lambda orders: domestic(orders[1], **members)

    broken = first(**lacking)
    listed(tour.json, ("pin-order",), first(PIN="9999"), Accept="*/*")
    listed(tour.json, ("pin-order",), broken, first(PIN=""))
    listed(tour.json, ("cancelled-order", "pin-order"), first(), second(PIN=None))
    listed(tour.xml, ("open-order", "open-order"), first(), second(), Content_Type="text/xml", Accept="text/json")
    listed(tour.json, ("open-international-order", "executed-order"), lambda o: abroad(o[0]), second(), Accept="")
    stranger = {"InternationalOrderUID": "00000000-dead-4bad-8bad-000000000000"}
    listed(tour.json, ("open-order",), first(), lambda o: abroad({**o[0], **stranger}), Accept="")
    listed(tour.json, ("open-order",), first(), first(), broken)
    both = ("open-order", "open-international-order")
    spare = lambda o: domestic(o[0], InternationalOrderUID=o[1]["InternationalOrderUID"])  # noqa: E731
    listed(tour.xml, both, broken, spare, Accept="text/xml")
    listed(tour.xml, ("open-order",), first(CreatorID=None), Accept=JSON)
    listed(tour.json, ("open-order",), first(PIN=""), Accept="")
    listed(tour.json, ("cancelled-international-order",), broken, lambda o: abroad(o[0]))
    return told


def bystanders(tour: Tour) -> Any:
    """Orders that nobody names."""
    before, after = tour.orders("open-order", "open-international-order"), []
    (order,) = tour.orders("open-order")
    after = tour.orders("open-order", "open-international-order")
    return tour.json([*before, order, *after], domestic(order))


def odd_values(tour: Tour) -> Any:
    told = []
    for change in (2**32, 2**64):
        (order,) = orders = tour.orders("open-order")
        told.append(tour.json(orders, domestic(order, OrderID=order["OrderID"] + change)))
    (order,) = orders = tour.orders("open-order")
    told.append(tour.json(orders, domestic(order, OrderID=order["OrderID"] + 0.5)))
    told.append(tour.json(orders, domestic(order, OrderID=str(order["OrderID"]))))
    told.append(tour.json(orders, domestic(order, OrderID="abc")))
    (other,) = orders = tour.orders("open-international-order")
    told.append(tour.json(orders, abroad(other, InternationalOrderUID="{" + other["InternationalOrderUID"] + "}")))
    (other,) = orders = tour.orders("open-international-order")
    told.append(tour.json(orders, abroad(other, InternationalOrderUID=other["InternationalOrderUID"].upper())))
    for end in (1, 24):
        (other,) = orders = tour.orders("open-international-order")
        uid = other["InternationalOrderUID"]
        told.append(
            tour.json(orders, abroad(other, InternationalOrderUID=uid[:-end] + uid[-end:].translate(SHIFTED)))[1]
        )
    (order,) = orders = tour.orders("open-order")
    told.append(tour.json(orders, domestic(order, CreatorID=0)))
    (order,) = orders = tour.orders("open-order")
    return [*told, tour.json(orders, {**domestic(order), "Reason": "x"})]


def broken_json(tour: Tour) -> Any:
    (order,) = orders = tour.orders("open-order")
    good = json.dumps([domestic(order)], separators=(",", ":"))
    wrapped = f'{{"instructions":{good}}}'
    bodies = (good[:-1], good[1:-1], "[" * 2000, b"[\xff]", "[]", "[null,7]", wrapped)
    return [tour.send(orders, body) for body in bodies]


def broken_xml(tour: Tour) -> Any:
    (order,) = orders = tour.orders("open-order")
    good = as_xml(domestic(order))
    markup = re.sub(r"<OrderID>\d+", "<OrderID>&lt;b&gt;&amp;&lt;/b&gt;", good)
    bodies = (
        good[:-3],
        DOCTYPE + good,
        PARAMETER + good,
        "<a>" * 2000 + "</a>" * 2000,
        good.replace("1234", "&#1;"),
        markup,
    )
    return [tour.send(orders, body, Content_Type=XML, Accept=XML) for body in bodies]


def ways_to_write_xml(tour: Tour) -> Any:
    """Well-formed bodies that a reader may stumble over."""
    changes: tuple[Callable[[str], str], ...] = (
        lambda text: text.replace("xmlns=", "xmlns:q=").replace("</", "</q:").replace("<C", "<q:C").replace("<A", "<q:A")
        .replace("<O", "<q:O").replace("<P", "<q:P").replace("<I", "<q:I"),
        lambda text: text.replace("<PIN>", "<!-- x --><PIN>"),
        lambda text: text.replace("1234<", "<![CDATA[1234]]><"),
        lambda text: text.replace("false", "&#102;alse"),
        lambda text: text.replace("><", ">\n<"),
        lambda text: text.replace('nil="true"', 'nil="1"'),
        lambda text: text.replace(' i:nil="true" />', ' i:nil="true"></InternationalOrderUID>'),
        lambda text: text.replace("i:", "n:").replace(":i=", ":n="),
        lambda text: text.replace('<InternationalOrderUID i:nil="true" />', ""),
        lambda text: text.replace("ArrayOfCancellationCreation", "Cancellations"),
        lambda text: text.replace("http://schemas.datacontract.org/2004/07/", "urn:other"),
        lambda text: text.replace("<CancellationCreation>", "<Cancellation>").replace("</CancellationCreation>", "</Cancellation>"),
        lambda text: text.replace("<CreatorID>98765</CreatorID>", "").replace("</PIN>", "</PIN><CreatorID>98765</CreatorID>"),
        lambda text: text.replace("PIN>", "q:PIN>"),
    )  # fmt: skip
    told = []
    for change in changes:
        (order,) = orders = tour.orders("open-order")
        told.append(tour.send(orders, change(as_xml(domestic(order))), Content_Type=XML, Accept=XML))
    return told


def negotiated(tour: Tour) -> Any:
    told = []
    for accept in (XML, "application/json;q=0.5, application/xml", "APPLICATION/XML", "image/png", "text/json"):
        (order,) = orders = tour.orders("open-order")
        told.append(tour.json(orders, domestic(order), Accept=accept))
    return told


def bodies_by_type(tour: Tour) -> Any:
    types = (
        "application/json; charset=utf-8", 'application/json; charset="utf-8"', "text/plain",
        "application/x-www-form-urlencoded", "application/soap+xml", "APPLICATION/JSON", "application/octet-stream", "application/vnd.example.v1+json",
        "multipart/form-data; boundary=x",
    )  # fmt: skip
    told = []
    for name in types:
        (order,) = orders = tour.orders("open-order")
        told.append(tour.json(orders, domestic(order), Content_Type=name))
    return told


def methods(tour: Tour) -> Any:
    told = []
    for method in ("GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"):
        (order,) = orders = tour.orders("open-order")
        told.append(tour.json(orders, domestic(order), method=method))
    return told


def paths(tour: Tour) -> Any:
    told = []
    for path in (CANCELLATIONS + "?dryRun=true", CANCELLATIONS + "/all"):
        (order,) = orders = tour.orders("open-order")
        told.append(tour.json(orders, domestic(order), path=path))
    return told


def refused_for_nothing_known(tour: Tour) -> Any:
    return tour.send([], "[", Accept="image/png", Content_Type="text/plain")


def long_list(tour: Tour) -> Any:
    orders = tour.server.state("open-order", 320)
    return tour.json(orders, *map(domestic, orders))


def long_list_abroad(tour: Tour) -> Any:
    orders = tour.server.state("open-international-order", 60)
    return tour.json(orders, *map(abroad, orders))


def wide_number(tour: Tour) -> Any:
    (order,) = orders = tour.orders("open-order")
    return tour.json(orders, domestic(order, OrderID=2**40))


def stretched(tour: Tour) -> Any:
    """What a lenient reader makes something of."""
    (order,) = orders = tour.orders("open-order")
    told = [tour.json(orders, domestic(order, OrderID=None), item) for item in (None, 7)]
    told.append(tour.json(orders, domestic(order, IsInternationalOrder=2)))
    told.append(tour.send(orders, '""'))
    told.append(tour.send(orders, as_xml(domestic(order, PIN="&#1;")), Content_Type=XML, Accept=XML))
    return told


def near_pins(tour: Tour) -> Any:
    """PINs that are nearly right, and a wrong one for the fourth time."""
    told = []
    changes: tuple[Callable[[str], str], ...] = (
        lambda pin: f" {pin} ",
        lambda pin: pin[:-1] + "0",
        lambda pin: "0" + pin[1:],
        str.swapcase if (pin := tour.orders("pin-order")[0]["PIN"]) != pin.swapcase() else lambda _: "0000",
    )
    for change in changes:
        (order,) = orders = tour.orders("pin-order")
        told.append(tour.json(orders, domestic(order, PIN=change(order["PIN"]))))
    (order,) = orders = tour.orders("pin-order")
    return [*told, *(tour.json(orders, domestic(order, PIN="0")) for _ in range(4))]


def one_behind_another(tour: Tour) -> Any:
    """What the second instruction of a list lacks."""
    pins = tour.orders("pin-order", "pin-order")
    people = tour.orders("open-international-order", "open-international-order")
    (named,) = tour.orders("open-international-order")
    mixed = tour.orders("open-international-order", "open-order", "open-international-order")
    crossed = tour.orders("open-order", "open-international-order")
    return [
        tour.json(crossed, domestic(crossed[0]), abroad(crossed[1], CreatorID=None)),
        tour.json(pins, domestic(pins[0]), domestic(pins[1], PIN=None)),
        tour.json(people, abroad(people[0]), abroad(people[1], CreatorID=None)),
        tour.json([named], abroad(named), abroad(named, InternationalOrderUID=None)),
        tour.json(
            mixed,
            abroad(mixed[0]),
            domestic(mixed[1], InternationalOrderUID=mixed[2]["InternationalOrderUID"]),
        ),
    ]


def a_while_later(tour: Tour) -> Any:
    (order,) = orders = tour.orders("open-order")
    told = [tour.json(orders, domestic(order))]
    time.sleep(0.3)
    return [*told, tour.json(orders, domestic(order))]


def beside_the_body(tour: Tour) -> Any:
    """A sign, a query, chunks, and headers that a careless service goes by."""
    (order,) = orders = tour.orders("open-order")
    told = [tour.json(orders, domestic(order, OrderID=-order["OrderID"]))]
    order, other = orders = tour.orders("open-order", "open-order")
    told.append(tour.json(orders, domestic(order), path=f"{CANCELLATIONS}?OrderID={other['OrderID']}"))
    told.append(tour.send([], "[]", Accept_Charset="utf-16"))
    told.append(tour.send([], b"2\r\n[]\r\n0\r\n\r\n", Transfer_Encoding="chunked"))
    told.append(tour.send([], f'["{"x" * 8192}"]'))
    for method, override in (("GET", "POST"), ("POST", "GET")):
        (order,) = orders = tour.orders("open-order")
        told.append(tour.json(orders, domestic(order), method=method, X_HTTP_Method_Override=override))
    return told


def _values(change: Callable[[str], str]) -> Callable[[str], str]:
    """The text of each element that has one."""
    return lambda text: re.sub(r"<(\w+)>([^<]+)</", lambda found: f"<{found[1]}>{change(found[2])}</", text)


def _on_lines(value: str) -> str:
    return f"\n{value}\n" if value in ("true", "false") else value


def _typed(text: str) -> str:
    return text.replace("<OrderID>", '<OrderID i:type="s:int" xmlns:s="http://www.w3.org/2001/XMLSchema">')


def _root_with_prefix(text: str) -> str:
    root = f'q:ArrayOfCancellationCreation xmlns:q="{_NAMESPACE}"'
    return text.replace("ArrayOfCancellationCreation", root, 1).replace("/ArrayOf", "/q:ArrayOf")


def _items_with_prefix(text: str, prefix: str) -> str:
    start = f'<{prefix}:CancellationCreation xmlns:{prefix}="{_NAMESPACE}" xmlns:b="{_NAMESPACE}">'
    return text.replace("<CancellationCreation>", start).replace("/Canc", f"/{prefix}:Canc")


_NAMESPACE = re.findall(r'xmlns="([^"]*)"', XMLNS)[0]
_ROOT = f"<ArrayOfCancellationCreation {XMLNS}"
SPELLED_XML: tuple[Callable[[str], str], ...] = (
    lambda text: '<?xml version="1.0" standalone="yes"?>' + text,
    lambda text: "<?xml version='1.0'?>" + text,
    lambda text: '<?xml version = "1.0" ?>' + text,
    lambda text: "\ufeff" + text,
    lambda text: "<!-- x -->" + text,
    lambda text: text + "<!-- x -->",
    _values(lambda value: value[:2] + "<!-- x -->" + value[2:]),
    lambda text: text.replace("><", "><!-- <OrderID>1</OrderID> --><"),
    lambda text: text.replace("><", ">&#x20;<"),
    _values(lambda value: f"<![CDATA[{value[:2]}]]>{value[2:]}"),
    _values(lambda value: f"<![CDATA[{value[:2]}]]><![CDATA[{value[2:]}]]>"),
    _values(lambda value: "".join(f"&#x{ord(one):x};" for one in value)),
    _values(lambda value: "".join(f"&#0{ord(one)};" for one in value)),
    lambda text: text.replace('"', "'"),
    lambda text: text.replace('="', ' = "'),
    lambda text: text.replace(_ROOT, _ROOT.replace(XMLNS, " ".join(reversed(XMLNS.split())))),
    lambda text: text.replace("</OrderID>", "</OrderID >"),
    lambda text: text.replace("<CancellationCreation>", "<CancellationCreation >"),
    lambda text: text.replace("><", ">\t<"),
    _root_with_prefix,
    lambda text: _items_with_prefix(text, "a.b"),
    lambda text: re.sub(r"(</?)OrderID>", r"\1b:OrderID>", _items_with_prefix(text, "a")),
    lambda text: text.replace("<OrderID>", f'<OrderID xmlns="{_NAMESPACE}">'),
    lambda text: text.replace(_ROOT, f'{_ROOT} xmlns:unused="urn:unused"'),
    lambda text: text.replace('xmlns="http:/', 'xmlns="http:&#x2F;'),
    lambda text: text.replace("<OrderID>", '<OrderID xmlns:i="urn:other">'),
    lambda text: text.replace('i:nil="true"', 'i:nil=" true&#x9;"'),
    lambda text: text.replace('i:nil="true"', 'xmlns:n="http://www.w3.org/2001/XMLSchema-instance" n:nil="true"'),
    lambda text: text.replace("<OrderID>", '<OrderID i:nil="false">'),
    lambda text: re.sub(r'<(\w+) i:nil="true" />', r'<\1 i:nil="true"><!-- x --></\1>', text),
    lambda text: text.replace(_ROOT, f'{_ROOT} i:schemaLocation="{_NAMESPACE} x.xsd"'),
    _typed,
    lambda text: text.replace("<OrderID>", "<OrderID>+"),
    lambda text: text.replace("<OrderID>", "<OrderID>00"),
    lambda text: text.replace(">true<", ">1<"),
    _values(_on_lines),
)  # fmt: skip


def spelled_xml(tour: Tour) -> Any:
    """One document in many spellings that mean the same."""
    told = []
    for change in SPELLED_XML:
        orders = tour.orders("open-order", "open-international-order")
        plain = as_xml(domestic(orders[0]), abroad(orders[1]))
        told.append(tour.send(orders, change(plain), Content_Type=XML, Accept=XML))
    return told


def spelled_json(tour: Tour) -> Any:
    """One list in other spellings, and a PIN with an escape."""
    told = []
    for change in (
        lambda text: text.replace(",", ",\r"),
        lambda text: text.replace('"OrderID"', '"\\u004frderID"'),
        lambda text: re.sub(r'"PIN":"(.)', lambda found: f'"PIN":"\\u{ord(found[1]):04x}', text),
    ):
        (order,) = orders = tour.orders("pin-order")
        told.append(tour.send(orders, change(json.dumps([domestic(order)], separators=(",", ":")))))
    return told


def spelled_headers(tour: Tour) -> Any:
    """Headers in other spellings, and a body that comes in pieces."""
    told = []
    for headers in (
        {"Accept": f", {JSON} , ,text/csv;q=0.1"},
        {"Accept": f"{JSON};Q=1.0"},
        {"Content_Type": f'{JSON}; profile="a;b"'},
        {"Content_Type": f"{JSON}; CHARSET=utf-8"},
    ):
        (order,) = orders = tour.orders("open-order")
        told.append(tour.json(orders, domestic(order), **headers))
    (order,) = orders = tour.orders("open-order")
    body = json.dumps([domestic(order)]).encode()
    headers = {"Content-Type": JSON, "Accept": JSON, "Content-Length": str(len(body))}
    reply = tour.server.request("POST", CANCELLATIONS, _slowly(body), headers)
    return [*told, (tour.told(reply, orders), tour.server.observe(*orders))]


def places(tour: Tour) -> Any:
    """A list that names an address or a file, in each way."""
    orders = tour.orders("open-order", "open-order")
    item = domestic(orders[0])

    def send(text: str) -> Any:
        return tour.send(orders, text, Content_Type=XML, Accept=XML)

    return named_places("ArrayOfCancellationCreation", as_xml(item), item["OrderID"], send)


def in_one_go(tour: Tour) -> Any:
    """A list that is done and one that fails, written before either is answered."""
    orders = tour.orders("open-order", "cancelled-order")
    return tour.in_one_go(orders, CANCELLATIONS, *(json.dumps([domestic(order)]) for order in orders))


def _slowly(body: bytes) -> Iterator[bytes]:
    yield body[:9]
    time.sleep(0.1)
    yield body[9:]


STOPS: Mapping[str, Callable[[Tour], Any]] = {
    stop.__name__.replace("_", "-"): stop
    for stop in (
        three_in_json, three_in_xml, failure_first, one_each, not_to_be_cancelled, twice, together, conditions, pins,
        bystanders, odd_values, broken_json, broken_xml, ways_to_write_xml, negotiated, bodies_by_type, methods, paths,
        refused_for_nothing_known, wide_number, stretched, near_pins, meetings, one_behind_another, a_while_later, beside_the_body,
        spelled_xml, spelled_json, spelled_headers, in_one_go, places, long_list, long_list_abroad,
    )
}  # fmt: skip
