"""POST api/orders/cancellations from outside: instructions, both formats, refusals."""

from __future__ import annotations

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from reference_support import CANCELLATIONS, XMLNS, Server, running

pytestmark = pytest.mark.timeout(60)

RESULTS_NS = "http://schemas.datacontract.org/2004/07/TPP.Contracts.Services.Order"
ARRAYS_NS = "http://schemas.microsoft.com/2003/10/Serialization/Arrays"
OTHER_UID = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"


def _result(order_id: int | None = None, uid: str | None = None, *errors: str) -> dict[str, Any]:
    return {
        "OrderID": order_id,
        "InternationalOrderUID": uid,
        "Success": not errors,
        "Errors": list(errors) or None,
    }


def _xml(*items: str, attributes: str = XMLNS) -> str:
    body = "".join(f"<CancellationCreation>{item}</CancellationCreation>" for item in items)
    return f"<ArrayOfCancellationCreation {attributes}>{body}</ArrayOfCancellationCreation>"


def _is_error_string(reply: Any) -> bool:
    return bool(reply.status == 400 and isinstance(reply.json, str) and reply.json)


def test_an_open_order_is_cancelled_and_no_other(server: Server) -> None:
    order, other = server.state("open-order", 2)
    reply = server.cancel_json({"OrderID": order["OrderID"]})
    assert (200, [_result(order["OrderID"])]) == (reply.status, reply.json)
    assert ["cancelled", "open"] == server.observe(order, other)


def test_an_open_international_order_is_cancelled(server: Server) -> None:
    (order,) = server.state("open-international-order")
    uid = order["InternationalOrderUID"]
    reply = server.cancel_json({**order, "IsInternationalOrder": True})
    assert [_result(None, uid)] == reply.json
    assert ["cancelled"] == server.observe({"InternationalOrderUID": uid.upper()})


@pytest.mark.parametrize("state", ["cancelled-order", "cancelled-international-order", "executed-order"])
def test_an_order_that_is_not_open_is_not_active(server: Server, state: str) -> None:
    (order,) = server.state(state)
    before = server.observe(order)
    instruction = {**order, "IsInternationalOrder": order["OrderID"] is None}
    (result,) = server.cancel_json(instruction).json
    assert _result(order["OrderID"], order["InternationalOrderUID"], "Order is not active.") == result
    assert before == server.observe(order)


@pytest.mark.parametrize("pin", [None, "", "4321", "1234 "])
def test_a_protected_order_asks_for_the_pin(server: Server, pin: str | None) -> None:
    (order,) = server.state("pin-order")
    assert [_result(order["OrderID"], None, "PIN validation failed.")] == server.cancel_json({**order, "PIN": pin}).json
    assert ["open"] == server.observe(order)
    assert server.cancel_json(order).json[0]["Success"]


@pytest.mark.parametrize(
    ("instruction", "error"),
    [
        ({}, "OrderID is required."),
        ({"OrderID": None, "IsInternationalOrder": None}, "OrderID is required."),
        ({"CreatorID": 98765, "IsInternationalOrder": True}, "InternationalOrderUID is required for an international order."),
        ({"InternationalOrderUID": OTHER_UID, "IsInternationalOrder": True}, "CreatorID is required for an international order."),
        ({"InternationalOrderUID": OTHER_UID, "IsInternationalOrder": True, "CreatorID": 98765}, "Order not found."),
        ({"OrderID": 5}, "Order not found."),
        ({"OrderID": -(2**31)}, "Order not found."),
        ({"OrderID": 5, "CreatorID": 1}, "Creator is not known."),
        ({"OrderID": "5"}, "OrderID is not valid."),
        ({"OrderID": 5.5}, "OrderID is not valid."),
        ({"OrderID": True}, "OrderID is not valid."),
        ({"OrderID": 2**31}, "OrderID is not valid."),
        ({"OrderID": 5, "CreatorID": []}, "CreatorID is not valid."),
        ({"OrderID": 5, "PIN": 1234}, "PIN is not valid."),
        ({"OrderID": 5, "IsInternationalOrder": "true"}, "IsInternationalOrder is not valid."),
        ({"OrderID": 5, "InternationalOrderUID": "5"}, "InternationalOrderUID is not valid."),
        ({"OrderID": 5, "InternationalOrderUID": 5}, "InternationalOrderUID is not valid."),
    ],
)  # fmt: skip
def test_an_instruction_that_cannot_be_done_fails_alone(
    server: Server, instruction: dict[str, Any], error: str
) -> None:
    (order,) = server.state("open-order")
    first, second = server.cancel_json(instruction, order).json
    assert (False, [error]) == (first["Success"], first["Errors"])
    assert second["Success"]


def test_the_same_order_twice_in_a_list_succeeds_once(server: Server) -> None:
    (order,) = server.state("open-order")
    results = server.cancel_json(order, order).json
    assert [None, ["Order is not active."]] == [result["Errors"] for result in results]


def test_concurrent_lists_cancel_one_order_once(server: Server) -> None:
    for order in server.state("open-order", 3):
        with ThreadPoolExecutor(8) as pool:
            replies = list(pool.map(lambda _, o=order: server.cancel_json(o), range(8)))
        assert 1 == sum(reply.json[0]["Success"] for reply in replies)


def test_five_thousand_instructions_are_answered_one_by_one(server: Server) -> None:
    orders = server.state("open-order", 5000)
    results = server.cancel_json(*orders).json
    assert [order["OrderID"] for order in orders] == [result["OrderID"] for result in results]
    assert all(result["Success"] for result in results)


def test_member_names_are_taken_in_any_case(server: Server) -> None:
    (order,) = server.state("open-order")
    assert server.cancel_json({"orderid": float(order["OrderID"]), "Unknown": [1]}).json[0]["Success"]


@pytest.mark.parametrize("body", ["", " \n", "[]", "null"])
def test_an_empty_list_has_an_empty_result(server: Server, body: str) -> None:
    reply = server.request("POST", CANCELLATIONS, body, {"Content-Type": "application/json"})
    assert (200, "[]") == (reply.status, reply.text)


def test_an_empty_body_needs_no_content_type(server: Server) -> None:
    reply = server.request("POST", CANCELLATIONS, None, {"Accept": "text/xml"})
    assert (200, f'<ArrayOfCancellationCreationResult xmlns:i="http://www.w3.org/2001/XMLSchema-instance" xmlns="{RESULTS_NS}" />') == (reply.status, reply.text)  # fmt: skip # noqa: E501


@pytest.mark.parametrize(
    "body",
    ["{", "[{},]", "{}", '"x"', "5", "[1]", "[null]", "[[]]", '[{"OrderID":NaN}]', "[" * 99999, b"\xff\xfe\x00", b"[\x80]"],
)
def test_json_that_is_no_list_is_refused_with_a_string(server: Server, body: str | bytes) -> None:
    assert _is_error_string(server.request("POST", CANCELLATIONS, body, {"Content-Type": "text/json"}))


def test_an_error_in_xml_is_the_documented_string_element(server: Server) -> None:
    reply = server.cancel_xml("<x/>")
    message = "The root element is not ArrayOfCancellationCreation in the documented namespace."
    assert 400 == reply.status
    assert f'<string xmlns="http://schemas.microsoft.com/2003/10/Serialization/">{message}</string>' == reply.text


def test_the_documents_own_samples_are_answered_byte_for_byte() -> None:
    request = _xml(
        '<CreatorID>98765</CreatorID><InternationalOrderUID i:nil="true" />'
        "<IsInternationalOrder>false</IsInternationalOrder><OrderID>12345</OrderID><PIN>1234</PIN>",
        "<CreatorID>98765</CreatorID>"
        "<InternationalOrderUID>6269c403-5b9f-47dd-b8c3-7ecbef8f686d</InternationalOrderUID>"
        '<IsInternationalOrder>true</IsInternationalOrder><OrderID i:nil="true" /><PIN>1111</PIN>',
        "<OrderID>2200</OrderID>",
    )
    nil_errors = f'<Errors xmlns:d3p1="{ARRAYS_NS}" i:nil="true" />'
    with running() as server:
        reply = server.cancel_xml(request)
    assert (200, "application/xml; charset=utf-8") == (reply.status, reply.type)
    assert (
        '<ArrayOfCancellationCreationResult xmlns:i="http://www.w3.org/2001/XMLSchema-instance" '
        f'xmlns="{RESULTS_NS}">'
        f'<CancellationCreationResult>{nil_errors}<InternationalOrderUID i:nil="true" />'
        "<OrderID>12345</OrderID><Success>true</Success></CancellationCreationResult>"
        f"<CancellationCreationResult>{nil_errors}"
        "<InternationalOrderUID>6269c403-5b9f-47dd-b8c3-7ecbef8f686d</InternationalOrderUID>"
        '<OrderID i:nil="true" /><Success>true</Success></CancellationCreationResult>'
        f'<CancellationCreationResult><Errors xmlns:d3p1="{ARRAYS_NS}">'
        '<d3p1:string>Order is not active.</d3p1:string></Errors><InternationalOrderUID i:nil="true" />'
        "<OrderID>2200</OrderID><Success>false</Success></CancellationCreationResult>"
        "</ArrayOfCancellationCreationResult>"
    ) == reply.text


@pytest.mark.parametrize(
    "write",
    [
        lambda n: _xml(f"<OrderID>{n}</OrderID>"),
        lambda n: '<?xml version="1.0" encoding="utf-8"?>' + _xml(f"<OrderID> +{n}\n</OrderID>"),
        lambda n: "\ufeff" + _xml(f"<OrderID>00{n}</OrderID>"),
        lambda n: _xml(f"<!-- a --><OrderID><![CDATA[{n}]]></OrderID><!-- b -->"),
        lambda n: _xml(f"<OrderID>{str(n)[:2]}<!-- x -->{str(n)[2:]}</OrderID>"),
        lambda n: _xml(f'<CreatorID i:nil=" 1 ">x</CreatorID><IsInternationalOrder>0</IsInternationalOrder><OrderID>{n}</OrderID>'),
        lambda n: _xml(f"<Colour>red</Colour><OrderID>{n}</OrderID><Zebra/>"),
        lambda n: (
            f'<q:ArrayOfCancellationCreation xmlns:q="http://schemas.datacontract.org/2004/07/">'
            f"<q:CancellationCreation><q:OrderID>{n}</q:OrderID></q:CancellationCreation></q:ArrayOfCancellationCreation>"
        ),
        lambda n: ('<?xml version="1.0" encoding="utf-16"?>' + _xml(f"<OrderID>{n}</OrderID>")).encode("utf-16"),
        lambda n: _xml(f"<OrderID>{n}</OrderID>").encode("utf-16-le"),
        lambda n: _xml(f"<OrderID>{n}</OrderID>").encode("utf-16-be"),
    ],
)  # fmt: skip
def test_xml_spelt_otherwise_means_the_same(server: Server, write: Any) -> None:
    (order,) = server.state("open-order")
    reply = server.cancel_xml(write(order["OrderID"]), Accept="application/json")
    assert [_result(order["OrderID"])] == reply.json


@pytest.mark.parametrize("spell", [str, str.upper, "{{{}}}".format, lambda uid: uid.replace("-", ""), "({})".format])
def test_guids_are_taken_in_every_form_of_the_readers(server: Server, spell: Any) -> None:
    for write in (server.cancel_json, _send_xml(server)):
        (order,) = server.state("open-international-order")
        uid = order["InternationalOrderUID"]
        (result,) = write(
            {"CreatorID": 98765, "InternationalOrderUID": spell(uid), "IsInternationalOrder": True}
        ).json
        assert _result(None, str(uuid.UUID(uid))) == result


def _send_xml(server: Server) -> Any:
    def send(members: dict[str, Any]) -> Any:
        item = "".join(f"<{k}>{str(v).lower() if v is True else v}</{k}>" for k, v in members.items())
        return server.cancel_xml(_xml(item), Accept="application/json")

    return send


@pytest.mark.parametrize(
    "item",
    [
        "<OrderID></OrderID>", "<OrderID>5.0</OrderID>", "<OrderID>5 5</OrderID>", "<OrderID>2147483648</OrderID>",
        "<OrderID>five</OrderID>", "<OrderID><x/></OrderID>", "<OrderID>٥</OrderID>",
        "<IsInternationalOrder>True</IsInternationalOrder><OrderID>5</OrderID>",
        '<IsInternationalOrder i:nil="true" /><OrderID>5</OrderID>',
        "<InternationalOrderUID></InternationalOrderUID><OrderID>5</OrderID>",
        "<CreatorID>x</CreatorID><OrderID>5</OrderID>", "", '<OrderID i:nil="true" />',
    ],
)  # fmt: skip
def test_a_wrong_value_in_xml_fails_its_own_instruction(server: Server, item: str) -> None:
    (order,) = server.state("open-order")
    reply = server.cancel_xml(_xml(item, f"<OrderID>{order['OrderID']}</OrderID>"), Accept="application/json")
    assert [False, True] == [result["Success"] for result in reply.json]


@pytest.mark.parametrize(
    "body",
    [
        "<", " ", "<a/>", "text", b"\x80",
        "<ArrayOfCancellationCreation/>",
        '<ArrayOfCancellationCreation xmlns="http://schemas.datacontract.org/2004/07"/>',
        _xml("<PIN>1</PIN><OrderID>5</OrderID>"),
        _xml("<OrderID>5</OrderID><OrderID>6</OrderID>"),
        _xml("<orderID>5</orderID>"),
        _xml('<OrderID xmlns="urn:other">5</OrderID>'),
        _xml("stray<OrderID>5</OrderID>"),
        _xml("<OrderID>5</OrderID>").replace("<CancellationCreation>", "stray<CancellationCreation>"),
        _xml('<OrderID i:nil="maybe">5</OrderID>'),
        f"<ArrayOfCancellationCreation {XMLNS}><Other/></ArrayOfCancellationCreation>",
        f'<ArrayOfCancellationCreation {XMLNS}><CancellationCreation i:nil="true"/></ArrayOfCancellationCreation>',
        "<!DOCTYPE ArrayOfCancellationCreation>" + _xml("<OrderID>5</OrderID>"),
        '<!DOCTYPE a [<!ENTITY e "5">]>' + _xml("<OrderID>&e;</OrderID>"),
        "<?target data?>" + _xml("<OrderID>5</OrderID>"),
        _xml("<OrderID>5</OrderID>") + "<?target data?>",
        _xml("<OrderID><?target data?>5</OrderID>"),
        '<?xml version="1.1"?>' + _xml("<OrderID>5</OrderID>"),
        '<?xml version="1.0" encoding="utf-16"?>' + _xml("<OrderID>5</OrderID>"),
        '<?xml version="1.0" encoding="latin-1"?>' + _xml("<OrderID>5</OrderID>"),
        _xml("<PIN>&#1;</PIN>"),
        _xml("<x>" * 3000 + "</x>" * 3000),
    ],
)  # fmt: skip
def test_xml_that_the_document_does_not_allow_refuses_the_list(server: Server, body: str | bytes) -> None:
    assert _is_error_string(server.cancel_xml(body, Accept="application/json"))


@pytest.mark.parametrize("body", ["", _xml(), _xml(attributes=XMLNS + ' i:nil="true"')])
def test_an_empty_xml_list_has_an_empty_result(server: Server, body: str) -> None:
    reply = server.cancel_xml(body, Accept="text/json")
    assert (200, []) == (reply.status, reply.json)


def test_one_refused_list_changes_nothing(server: Server) -> None:
    (order,) = server.state("open-order")
    body = _xml(f"<OrderID>{order['OrderID']}</OrderID>", "<PIN>1</PIN><OrderID>5</OrderID>")
    assert 400 == server.cancel_xml(body).status
    assert ["open"] == server.observe(order)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/_world/tpp/state", '{"state":"half-open"}'),
        ("/_world/tpp/state", '{"state":"open-order","count":0}'),
        ("/_world/tpp/observe", "{}"),
        ("/_world/tpp/observe", "[]"),
        ("/_world/tpp/observe", "{"),
    ],
)
def test_a_control_request_that_makes_no_sense_is_400(server: Server, path: str, body: str) -> None:
    reply = server.request("POST", path, body)
    assert 400 == reply.status
    assert reply.json["error"]


def test_control_names_what_there_is(server: Server) -> None:
    reply = server.request("GET", "/_world/nothing")
    assert 404 == reply.status
    assert "/_world/tpp/state" in reply.json["error"]


def test_an_order_nobody_knows_is_observed_as_unknown(server: Server) -> None:
    body = json.dumps({"orders": [{"OrderID": 1}, {"InternationalOrderUID": "x"}]})
    orders = server.request("POST", "/_world/tpp/observe", body).json["orders"]
    assert ["unknown", "unknown"] == [order["state"] for order in orders]
