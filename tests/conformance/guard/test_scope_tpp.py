"""Cancellation instructions: every order and every GUID in them must be granted or in scope, in JSON and in XML."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from scope_support import (
    CREATOR,
    FOREIGN_ORDER,
    FOREIGN_UID,
    GRANTED,
    LIMITED,
    NAMESPACE,
    ORDER,
    PIN,
    SCOPED_ORDER,
    TPP,
    UID,
    UNKNOWN,
    UNKNOWN_UID,
    XML,
    instruction,
    judged,
    post,
    tpp,
    tpp_xml,
    with_headers,
)

from conformance.guard.guard import Granted


def test_legal_instructions_pass() -> None:
    assert judged(tpp(instruction(), instruction(SCOPED_ORDER), instruction(None, UID))).allowed
    assert judged(tpp(instruction(UNKNOWN), instruction(None, UNKNOWN_UID), instruction(None, UID.upper()))).allowed
    assert judged(tpp_xml(str(ORDER))).allowed
    assert judged(tpp()).allowed


@pytest.mark.parametrize("position", [0, 1, 2])
@pytest.mark.parametrize("bad", [instruction(FOREIGN_ORDER), instruction(None, FOREIGN_UID)])
def test_one_foreign_instruction_refuses_the_list(bad: object, position: int) -> None:
    items: list[object] = [instruction(), instruction(None, UID)]
    items.insert(position, bad)
    assert not judged(tpp(*items)).allowed


@pytest.mark.parametrize(
    "value",
    [
        "61",
        '"61"',
        '" 61 "',
        "61.0",
        "6.1e1",
        "60.5",
        '"075"',
        '"0x3D"',
        '"0b111101"',
        str(2**32 + 61),
        str(2**64 + 61),
        str(61 - 2**32),
        "true",
        "[61]",
        '{"x":1}',
        '"61abc"',
        '"\uff16\uff11"',
        '"6_1"',
        '"6,1"',
    ],
)
@pytest.mark.parametrize("key", ["OrderID", "orderid", "ORDERID", "\\u004frderID", "order_id"])
def test_every_spelling_of_a_foreign_order_is_refused(key: str, value: str) -> None:
    assert not judged(post(TPP, f'[{{"{key}":{value},"OrderID":{ORDER}}}]')).allowed
    assert not judged(post(TPP, f'[{{"OrderID":{ORDER},"{key}":{value}}}]')).allowed


@pytest.mark.parametrize(
    "uid",
    [
        FOREIGN_UID,
        FOREIGN_UID.upper(),
        FOREIGN_UID.replace("-", ""),
        f"{{{FOREIGN_UID}}}",
        f" ({FOREIGN_UID}) ",
        f"urn:uuid:{FOREIGN_UID}",
        "qqqqqqqru0yN3u7u7u7u7g==",
        f"{UID[:-1]}",
        f"{UID}0",
        FOREIGN_UID.replace("-", ":"),
    ],
)
def test_every_spelling_of_a_foreign_guid_is_refused(uid: str) -> None:
    assert not judged(tpp(instruction(None, uid))).allowed
    assert not judged(tpp_xml("", f"<InternationalOrderUID>{uid}</InternationalOrderUID>")).allowed


@pytest.mark.parametrize(
    "uid", [f"{{{UID}}}", f" {UID} ", UID.replace("-", ""), "00000000-0000-0000-0000-000000000000", ""]
)
def test_odd_spellings_of_the_own_guid_pass(uid: str) -> None:
    assert judged(tpp(instruction(None, uid))).allowed


@pytest.mark.parametrize("value", [None, False, "", 0, "abc"])
def test_no_order_at_all_passes_since_it_names_nothing(value: object) -> None:
    assert judged(tpp(instruction(value))).allowed


def test_the_order_is_found_wherever_it_stands() -> None:
    foreign = {"OrderID": FOREIGN_ORDER}
    for body in (
        foreign, [[foreign]], {"instructions": [foreign]}, [{"x": {"y": [foreign]}}], json.dumps([foreign]),
        [FOREIGN_ORDER], [str(FOREIGN_ORDER)], {str(FOREIGN_ORDER): {"PIN": PIN}}, {"ids": [FOREIGN_ORDER]},
        {"OrderIDs": [FOREIGN_ORDER]}, [instruction(PIN=json.dumps(foreign))], [{**instruction(), "CancelAll": True}],
        [instruction(PIN=f"<OrderID>{FOREIGN_ORDER}</OrderID>")],
    ):  # fmt: skip
        assert not judged(post(TPP, json.dumps(body))).allowed, body
    assert not judged(post(f"{TPP}?OrderID={FOREIGN_ORDER}", "[]")).allowed
    assert not judged(with_headers(tpp(), ("X-OrderID", str(FOREIGN_ORDER)))).allowed


@pytest.mark.parametrize(
    "markup",
    [
        "61",
        " 61\n",
        "+61",
        "061",
        "<![CDATA[61]]>",
        "6<!-- -->1",
        "6<![CDATA[1]]>",
        "&#54;1",
        "&#x36;&#x31;",
        "61<a/>",
        f"<!-- {ORDER} -->61",
        f"{ORDER}</OrderID><OrderID>61",
        f"61</OrderID><OrderID>{ORDER}",
        "true",
        "61.0",
        f"{ORDER}</OrderID><q:OrderID xmlns:q='urn:x'>61</q:OrderID><OrderID>",
        f"{ORDER}<OrderID>61</OrderID>",
        f"{ORDER}</OrderID><orderid>61</orderid><OrderID>{ORDER}",
        f"{ORDER}<!-- <OrderID>61</OrderID> -->",
    ],
)
def test_every_xml_form_of_a_foreign_order_is_refused(markup: str) -> None:
    assert not judged(tpp_xml(markup)).allowed


@pytest.mark.parametrize("markup", [f" {ORDER}\n", f"<![CDATA[{ORDER}]]>", f"<!-- who -->{ORDER}", f"+{ORDER}", ""])
def test_xml_forms_of_the_own_order_pass(markup: str) -> None:
    assert judged(tpp_xml(markup)).allowed


@pytest.mark.parametrize(
    "prolog",
    ["<!DOCTYPE a>", '<!DOCTYPE a [<!ENTITY o "61">]>', "<!-- x --><!doctype a>", '<?xml version="1.0"?><!DOCTYPE a>'],
)
def test_a_doctype_is_refused_outright(prolog: str) -> None:
    assert not judged(tpp_xml(str(ORDER), before=prolog)).allowed


def _broken(order: object) -> list[str | bytes]:
    good = json.dumps([{"OrderID": order, "CreatorID": CREATOR, "PIN": PIN, "InternationalOrderUID": UID}])
    xml = tpp_xml(str(order)).body.decode()
    return [
        good[:-1], good[1:], good.replace('"', "'"), good.replace('"', ""), good + " junk", good + good, "/* now */" + good,
        good.replace(",", " "), good[:-1] + ",]", good.encode("utf-16-le"), good.encode("utf-16-be"), good.encode("utf-16"),
        good.replace('"PIN"', '"Note":NaN,"PIN"'), xml[:-3], xml.replace("</PIN>", "</Pin>"), xml + xml,
        xml.replace("<PIN>", "<q:PIN>&pin;"), xml.encode("utf-16"), b"\xff" + good.encode(), good.encode("utf-32-le"),
    ]  # fmt: skip


def test_a_broken_body_with_nothing_but_own_ids_passes() -> None:
    for body in _broken(ORDER):
        assert judged(post(TPP, body)).allowed, (body, judged(post(TPP, body)).reason)


def test_a_broken_body_with_a_foreign_id_is_refused() -> None:
    for body in _broken(FOREIGN_ORDER):
        assert not judged(post(TPP, body)).allowed, body
        assert not judged(post(TPP, body, XML)).allowed, body


@pytest.mark.parametrize(
    "body",
    [
        f"[{{OrderID:{CREATOR}}}]",
        f'[{{"OrderID" /* CreatorID */ :{CREATOR}}}',
        f"<a><OrderID>{CREATOR}</a>",
        "[{'OrderID':0x3D}]",
        "[{'OrderID':075}]",
        f"[{{'OrderID':'{FOREIGN_UID}'}}]",
        "<a>6<b>1</b>",
        "<a>&#54;1",
        "[{'OrderID':'\\u0036\\u0031'}]",
        "%5B%7B%27OrderID%27%3A61",
        "[{'OrderID':" + "9" * 5000 + "}]",
        '["\\x36\\x31"]',
    ],
)
def test_a_broken_body_cannot_hide_an_id(body: str) -> None:
    assert not judged(post(TPP, body)).allowed


def test_namespaces_are_not_taken_for_ids_but_other_attributes_are() -> None:
    assert judged(post(TPP, f'<a xmlns="{NAMESPACE}"><OrderID>{ORDER}</OrderID>', XML)).allowed
    assert not judged(post(TPP, f'<a b="2004"><OrderID>{ORDER}</OrderID>', XML)).allowed
    assert not judged(post(TPP, f'<a xmlns="{NAMESPACE}" OrderID="{FOREIGN_ORDER}" />', XML)).allowed


def test_a_charset_under_which_other_ids_appear_is_refused() -> None:
    hidden = f'[{{"PIN":"x+ACI-,+ACI-OrderID+ACI-:{FOREIGN_ORDER},+ACI-y+ACI-:+ACI-"}}]'
    assert not judged(post(TPP, hidden, "application/json; charset=utf-7")).allowed


def test_grants_are_needed_for_orders_that_the_scope_does_not_list() -> None:
    assert not judged(tpp(instruction()), LIMITED, Granted()).allowed
    assert judged(tpp(instruction(SCOPED_ORDER)), LIMITED, Granted()).allowed
    assert judged(tpp(instruction()), LIMITED, GRANTED).allowed


@pytest.mark.parametrize("uid", ["a" * 32, "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", "a" * 401])
@pytest.mark.parametrize("body", ['[{"InternationalOrderUID":"%s"}]', '[{"InternationalOrderUID" "%s"} junk'])
def test_a_guid_without_digits_is_a_guid(uid: str, body: str) -> None:
    assert not judged(post(TPP, body % uid)).allowed


def test_octal_digits_before_one_that_is_none_may_be_the_id() -> None:
    """As strtol reads it, which stops there: 16."""
    scope = replace(LIMITED, orders=frozenset({209, 16, 209000}))
    assert not judged(post(TPP, '[{"OrderID":"000209000"}]'), replace(scope, orders=frozenset({209000}))).allowed
    assert judged(post(TPP, '[{"OrderID":"000209000"}]'), scope).allowed


@pytest.mark.parametrize(
    "body",
    [
        f'[{{"OrderID":"{UID}"', f'[{{OrderID:"{UID}"}}]', f"<OrderID x>{UID}</a>", f"<p:OrderID x>{UID}</a>",
        f"<OrderID InternationalOrderUID>{UID}</a>",
    ],
)  # fmt: skip
def test_an_own_guid_where_a_broken_body_has_a_number_is_refused_for_its_digits(body: str) -> None:
    assert not judged(post(TPP, body)).allowed
    assert judged(post(TPP, body.replace("<p:OrderID", "<p:InternationalOrderUID").replace("OrderID", "ID"))).allowed


@pytest.mark.parametrize("cut", ["&", "&foo;", "&#0;", "&#;", "<", "<?", "<!", "</b>", "</b></c>", "&<", "\ufffe"])
def test_a_number_cut_by_markup_that_a_mending_reader_leaves_out_is_refused(cut: str) -> None:
    decision = judged(post(TPP, f"<a><OrderID>{ORDER}{cut}0</OrderID>", XML))
    assert not decision.allowed
    assert "hides its ids" in decision.reason
    assert judged(post(TPP, f"<a><OrderID>{ORDER}</OrderID><PIN>{PIN}</PIN>{cut}", XML)).allowed


def test_a_reason_has_no_character_that_a_terminal_acts_on() -> None:
    decision = judged(post(TPP, json.dumps([{"Order\x9b\u202eID": []}], ensure_ascii=False)))
    assert not decision.allowed
    assert decision.reason.isascii()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("OrderID" + "_" * 60, "OrderID" + "_" * 53),
        ("OrderID" + "\x00" * 60, repr("OrderID" + "\x00" * 53)),
        ("\xd6rderID" + "_" * 60, ascii("\xd6rderID" + "_" * 53)),
        ("Order\xadID", "'Order\\xadID'"),
    ],
)
def test_a_reason_has_the_first_sixty_characters_of_a_name(name: str, shown: str) -> None:
    decision = judged(post(TPP, json.dumps([{name: []}], ensure_ascii=False)))
    assert decision.reason == f"{shown}: a list or an object stands where one order is named"


def test_an_id_in_the_query_counts_where_there_is_no_body() -> None:
    assert judged(post(TPP, "")).allowed
    assert judged(post(f"{TPP}?OrderID={ORDER}", "")).allowed
    assert not judged(post(f"{TPP}?OrderID={ORDER}1", "")).allowed
