"""POST api/orders/cancellations from outside: DataContract XML in and out."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from reference_support import XMLNS, Server, running

pytestmark = pytest.mark.timeout(120)

RESULTS_NS = "http://schemas.datacontract.org/2004/07/TPP.Contracts.Services.Order"
ARRAYS_NS = "http://schemas.microsoft.com/2003/10/Serialization/Arrays"


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


def test_an_error_in_xml_is_the_documented_string_element(server: Server) -> None:
    reply = server.cancel_xml("<x/>")
    message = "The root element is not ArrayOfCancellationCreation in the documented namespace."
    assert reply.status == 400
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
    assert (reply.status, reply.type) == (200, "application/xml; charset=utf-8")
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
        (result,) = write({"CreatorID": 98765, "InternationalOrderUID": spell(uid), "IsInternationalOrder": True}).json
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
    assert [result["Success"] for result in reply.json] == [False, True]


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
    assert (reply.status, reply.json) == (200, [])


def test_one_refused_list_changes_nothing(server: Server) -> None:
    (order,) = server.state("open-order")
    body = _xml(f"<OrderID>{order['OrderID']}</OrderID>", "<PIN>1</PIN><OrderID>5</OrderID>")
    assert server.cancel_xml(body).status == 400
    assert server.observe(order) == ["open"]
