"""A tour of the resource for one order: what a server answers and does at each stop, with ids replaced by names."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from places import named_places
from reference_support import XMLNS
from tpp_stops import JSON, SHIFTED, TOGETHER, XML, Tour, abroad, as_xml, domestic

CANCELLATION = "/api/orders/cancellation"
MEDIA = (JSON, "text/json", XML, "text/xml")
_LIST = "ArrayOfCancellationCreation"


def xml_of_one(item: Mapping[str, Any]) -> str:
    """The instruction as the root, without the list around it."""
    return as_xml(item).replace(f"<{_LIST} {XMLNS}><CancellationCreation>", f"<CancellationCreation {XMLNS}>").replace(
        f"</{_LIST}>", ""
    )  # fmt: skip


def _text(item: Mapping[str, Any], media: str) -> str:
    return xml_of_one(item) if media.endswith("xml") else json.dumps(item, separators=(",", ":"), ensure_ascii=False)


def _ask(tour: Tour, orders: list[dict[str, Any]], body: str, media: str = JSON, **how: str) -> Any:
    return tour.send(orders, body, **{"path": CANCELLATION, "Content_Type": media, "Accept": media, **how})


def _cancel(tour: Tour, orders: list[dict[str, Any]], item: Mapping[str, Any], media: str = JSON, **how: str) -> Any:
    return _ask(tour, orders, _text(item, media), media, **how)


def of_one_each_state(tour: Tour) -> Any:
    """Open, international, gone and executed orders, in each media type, with an order beside each."""
    told = []
    for media in MEDIA:
        for state in ("open-order", "open-international-order", "cancelled-order", "executed-order"):
            beside, order, behind = orders = tour.orders("open-order", state, "open-order")
            del beside, behind
            make = abroad if "international" in state else domestic
            told.append(_cancel(tour, orders, make(order), media))
    return told


def of_one_again(tour: Tour) -> Any:
    """The same call twice, at once, and a while later; and one that lacks what the one before had."""
    (order,) = orders = tour.orders("open-order")
    told = [_cancel(tour, orders, domestic(order)) for _ in range(2)]
    (late,) = orders = tour.orders("open-order")
    told.append(_cancel(tour, orders, domestic(late)))
    time.sleep(0.3)
    told.append(tour.server.observe(late))
    people = tour.orders("open-international-order", "open-international-order")
    told += [_cancel(tour, people, abroad(people[0])), _cancel(tour, people, abroad(people[1], CreatorID=None))]
    (many,) = tour.orders("open-order")
    text, headers = _text(domestic(many), JSON), {"Content-Type": JSON, "Accept": JSON}
    with ThreadPoolExecutor(TOGETHER) as pool:
        replies = list(pool.map(lambda _: tour.server.request("POST", CANCELLATION, text, headers), range(TOGETHER)))
    return [*told, sum(reply.text.count('"Success":true') for reply in replies)]


def of_one_lacking(tour: Tour) -> Any:
    """What an instruction may lack, and what not; and both ids."""
    told = []
    for media in (JSON, XML):
        number, other = orders = tour.orders("open-order", "open-international-order")
        for item in (
            domestic(number, OrderID=None),
            abroad(other, CreatorID=None),
            abroad(other, InternationalOrderUID=None),
            abroad(other, OrderID=number["OrderID"]),
            domestic(number, InternationalOrderUID=other["InternationalOrderUID"]),
        ):
            told.append(_cancel(tour, orders, item, media))
        (number,), (other,) = tour.orders("open-order"), tour.orders("open-international-order")
        both = domestic(number, InternationalOrderUID=other["InternationalOrderUID"])
        told.append(_cancel(tour, [number, other], both, media))
        told.append(_cancel(tour, [other], abroad(other, IsInternationalOrder=False), media))
        (number,) = tour.orders("open-order")
        told.append(_cancel(tour, [number], domestic(number, CreatorID=None), media))
    return told


def of_one_pins(tour: Tour) -> Any:
    told = []
    for media in (JSON, XML):
        for pin in ("1234", "9999", None):
            (order,) = orders = tour.orders("pin-order")
            told.append(_cancel(tour, orders, domestic(order, PIN=pin), media))
    return told


def of_one_odd_values(tour: Tour) -> Any:
    told = []
    (order,) = orders = tour.orders("open-order")
    for value in (order["OrderID"] + 2**32, 2**40, str(order["OrderID"]) + "x"):
        told.append(_cancel(tour, orders, domestic(order, OrderID=value)))
    (other,) = orders = tour.orders("open-international-order")
    uid = other["InternationalOrderUID"]
    near = uid[:-1] + uid[-1].translate(SHIFTED)
    told.append(_cancel(tour, orders, abroad(other, InternationalOrderUID=near))[1])
    told.append(_cancel(tour, orders, abroad(other, InternationalOrderUID=uid.upper())))
    told.append(_cancel(tour, [], domestic({"OrderID": 1987654321, "PIN": ""})))
    return told


def of_one_other_bodies(tour: Tour) -> Any:
    """Lists, nothing, another root, another namespace, and what nobody can read."""
    told = []
    for change in (
        lambda good: f"[{good}]",
        lambda good: f'{{"instruction":{good}}}',
        lambda good: good[:-1],
        lambda _: "",
        lambda _: "null",
        lambda _: "[" * 2000,
        lambda good: good.replace('"OrderID"', '"\\u004frderID"'),
    ):
        (order,) = orders = tour.orders("open-order")
        told.append(_ask(tour, orders, change(_text(domestic(order), JSON))))
    for change in (
        lambda good: good.replace("CancellationCreation", _LIST, 1)[: -len("</CancellationCreation>")] + f"</{_LIST}>",
        lambda good: as_xml_list(good),
        lambda good: good.replace("http://schemas.datacontract.org/2004/07/", "urn:other"),
        lambda good: good.replace('i:nil="true"', 'i:nil="1"'),
        lambda _: f'<CancellationCreation {XMLNS} i:nil="true" />',
        lambda good: good[:-3],
        lambda _: "<a>" * 2000 + "</a>" * 2000,
        lambda good: good.replace("<PIN>", "<!-- x --><PIN>"),
        lambda good: good.replace('"', "'"),
    ):
        (order,) = orders = tour.orders("open-order")
        told.append(_ask(tour, orders, change(_text(domestic(order), XML)), XML))
    return told


def as_xml_list(good: str) -> str:
    """The instruction inside the list of the other call."""
    inner = good.replace(f" {XMLNS}", "")
    return f"<{_LIST} {XMLNS}>{inner}</{_LIST}>"


def of_one_negotiated(tour: Tour) -> Any:
    told = []
    for accept in (
        XML,
        "application/json;q=0.5, application/xml",
        "image/png",
        "text/json",
        f", {JSON} , ,text/csv;q=0.1",
    ):
        (order,) = orders = tour.orders("open-order")
        told.append(_cancel(tour, orders, domestic(order), Accept=accept))
    for media in ("text/plain", "text/xml"):
        (order,) = orders = tour.orders("open-order")
        told.append(_ask(tour, orders, _text(domestic(order), media), media))
    for path in (f"{CANCELLATION}?dryRun=true", f"{CANCELLATION}/all"):
        (order,) = orders = tour.orders("open-order")
        told.append(_cancel(tour, orders, domestic(order), path=path))
    for method in ("GET", "PUT", "DELETE"):
        (order,) = orders = tour.orders("open-order")
        told.append(_cancel(tour, orders, domestic(order), method=method))
    return told


def of_one_in_one_go(tour: Tour) -> Any:
    """A call that is done and one that fails, written before either is answered."""
    orders = tour.orders("open-order", "cancelled-order")
    return tour.in_one_go(orders, CANCELLATION, *(_text(domestic(order), JSON) for order in orders))


def of_one_places(tour: Tour) -> Any:
    """A call that names an address or a file, in each way."""
    orders = tour.orders("open-order", "open-order")
    item = domestic(orders[0])
    return named_places(
        "CancellationCreation", xml_of_one(item), item["OrderID"], lambda text: _ask(tour, orders, text, XML)
    )


STOPS_OF_ONE: Mapping[str, Callable[[Tour], Any]] = {
    stop.__name__.replace("_", "-"): stop
    for stop in (
        of_one_each_state, of_one_lacking, of_one_pins, of_one_odd_values, of_one_other_bodies, of_one_negotiated,
        of_one_again, of_one_in_one_go, of_one_places,
    )
}  # fmt: skip
