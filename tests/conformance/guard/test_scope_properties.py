"""Whatever the guard lets through, no careless server acts outside the scope; plain legal messages always pass."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from scope_readers import (
    EVERY,
    INTS,
    JSON_READERS,
    XML_READERS,
    accounts_cancelled,
    orders_cancelled,
    xml_orders_cancelled,
)
from scope_support import (
    ACCOUNT,
    CAO,
    CREATOR,
    FOREIGN_ACCOUNT,
    FOREIGN_ORDER,
    FOREIGN_UID,
    GRANTED,
    LIMITED,
    NAMESPACE,
    OMS,
    ORDER,
    OTHER_ACCOUNT,
    PIN,
    SCOPED_ORDER,
    TPP,
    UID,
    UNKNOWN,
    UNKNOWN_UID,
    XML,
    XSI,
    frame,
    instruction,
    judged,
    post,
    tpp,
    tpp_xml,
)

from conformance.guard.guard import Granted, Scope

RUN = settings(
    max_examples=250, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)
ACCOUNTS = {ACCOUNT, OTHER_ACCOUNT, UNKNOWN}
ORDERS = {ORDER, SCOPED_ORDER, UNKNOWN, UID, UNKNOWN_UID}


def spellings(number: int) -> list[str]:
    """JSON texts, or what lenient readers take for JSON, that may stand for the number."""
    return [
        str(number), f'"{number}"', f'" {number}\\t"', f"{number}.0", f"{number}e0", f"{number}.5", f'"{number}.0"', str(2**32 + number),
        str(2**64 + number), str(number - 2**32), f'"{2**64 + number}"', f"0{number:o}", f'"0{number:o}"', f'"0x{number:x}"', f"0x{number:X}",
        f'"{number}abc"', f"+{number}", f"[{number}]", f'{{"x":{number}}}', f'"{number:_}"', f"/*x*/{number}", f"'{number}'",
        '"' + "".join(chr(0xFF10 + int(digit)) for digit in str(number)) + '"',
    ]  # fmt: skip


def key_spellings(name: str) -> list[str]:
    """JSON keys that some reader takes for the name."""
    escaped = f'"\\u{ord(name[0]):04x}{name[1:]}"'
    return [
        f'"{name}"',
        f'"{name}"',
        f'"{name.lower()}"',
        f'"{name.upper()}"',
        escaped,
        f'" {name}"',
        f"'{name}'",
        name,
    ]


def members(name: str, own: list[int], foreign: int) -> st.SearchStrategy[str]:
    values = [text for number in own for text in spellings(number)] + spellings(foreign)
    odd = ["null", "0", '""', "false", "true", '"abc"', "{}", "[]", "NaN", "1e400", '" "', "-0"]
    plain = st.sampled_from([str(number) for number in [*own, foreign]])
    value = st.one_of(plain, plain, st.sampled_from(values), st.sampled_from(odd))
    return st.builds("{}:{}".format, st.sampled_from(key_spellings(name)), value)


HARMLESS = st.sampled_from(
    [f'"OMSId":{OMS}', '"Note":"x"', '"Note":"a\\u0000b"', f'"CreatorID":{CREATOR}', f'"PIN":"{PIN}"', '"x":[1]']
)


@st.composite
def objects(draw: st.DrawFn, name: str, own: tuple[int, ...], foreign: int) -> str:
    parts = draw(st.lists(st.one_of(members(name, list(own), foreign), HARMLESS), max_size=3))
    parts += draw(st.sampled_from([[], [f'"{name}":{own[0]}']]))
    text = "{" + draw(st.sampled_from([",", ", ", ",\n"])).join(parts) + "}"
    for wrap in draw(
        st.lists(st.sampled_from(["[%s]", '{"x":%s}', '{"OrderID":%s}', "string"]), max_size=1)
        if draw(st.booleans())
        else st.just([])
    ):
        text = json.dumps(text) if wrap == "string" else wrap.replace("%s", text)
    return text


@st.composite
def bodies(draw: st.DrawFn, text: st.SearchStrategy[str], listed: bool) -> bytes:
    whole = draw(text)
    if listed:
        whole = f"[{','.join([whole, *draw(st.lists(text, max_size=1))])}]"
    damage = draw(
        st.sampled_from(
            ["none"] * 6 + ["cut", "quotes", "comment", "junk", "twice", "comma", "unquoted", "line", "cdata"]
        )
    )
    whole = {
        "cut": whole[: draw(st.integers(0, len(whole)))], "quotes": whole.replace('"', "'"), "comment": "/* x */" + whole,
        "junk": whole + " junk", "twice": whole + whole, "comma": whole[:-1] + "," + whole[-1:], "unquoted": whole.replace('"', ""),
        "line": whole.replace(",", "// x\n,"), "cdata": whole.replace(":", ":<![CDATA["),
    }.get(damage, whole)  # fmt: skip
    return whole.encode(draw(st.sampled_from(["utf-8"] * 6 + ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])))


MEDIA = st.sampled_from(
    ["application/json"] * 4 + ["application/json; charset=utf-8", "application/json; charset=utf-16", "text/json"]
)


@RUN
@given(bodies(objects("AccountId", (ACCOUNT, OTHER_ACCOUNT), FOREIGN_ACCOUNT), False), MEDIA)
@example(f'{{"AccountId":{ACCOUNT},"accountid":{FOREIGN_ACCOUNT}}}'.encode(), "application/json")
def test_no_reader_of_an_allowed_cancel_all_leaves_the_accounts_in_scope(body: bytes, media_type: str) -> None:
    allowed = judged(post(CAO, body, media_type)).allowed
    if allowed:
        for read in JSON_READERS:
            for to_int in INTS[1:]:  # text for an integer is documented of real readers, so it counts as an id
                assert accounts_cancelled(body, read, to_int) <= ACCOUNTS, (read, to_int)
    if body.isascii() and judged(frame("CancelAllOrders", body.decode())).allowed:
        for read in JSON_READERS:
            for to_int in INTS[1:]:
                assert accounts_cancelled(body, read, to_int) <= ACCOUNTS, (read, to_int)


@RUN
@given(bodies(objects("OrderID", (ORDER, SCOPED_ORDER), FOREIGN_ORDER), True), MEDIA)
def test_no_reader_of_allowed_json_instructions_cancels_a_foreign_order(body: bytes, media_type: str) -> None:
    if judged(post(TPP, body, media_type)).allowed:
        for read in JSON_READERS:
            for to_int in INTS:
                assert orders_cancelled(body, read, to_int) <= ORDERS, (read, to_int)


UIDS = [
    text
    for uid in (UID, FOREIGN_UID)
    for text in (uid, uid.upper(), f"{{{uid}}}", uid.replace("-", ""), f" {uid}", f"urn:uuid:{uid}")
]


@RUN
@given(
    st.lists(
        st.tuples(st.sampled_from(["InternationalOrderUID", "internationalorderuid"]), st.sampled_from(UIDS)),
        max_size=3,
    )
)
def test_no_reader_of_allowed_json_instructions_cancels_a_foreign_guid(pairs: list[tuple[str, str]]) -> None:
    body = f"[{{{','.join(f'{json.dumps(key)}:{json.dumps(value)}' for key, value in pairs)}}}]".encode()
    foreign = any(FOREIGN_UID in value.lower() or FOREIGN_UID.replace("-", "") in value.lower() for _, value in pairs)
    assert judged(post(TPP, body)).allowed is not foreign
    assert foreign or all(orders_cancelled(body, read, INTS[0]) <= ORDERS for read in JSON_READERS)


def xml_contents(number: int) -> list[str]:
    digits = str(number)
    return [
        digits, f" {digits}\n", f"<![CDATA[{digits}]]>", f"{digits[0]}<!-- x -->{digits[1:]}", f"{digits[0]}<![CDATA[{digits[1:]}]]>",
        "".join(f"&#{ord(one)};" for one in digits), f"+{digits}", f"00{digits}", f"{digits}<b/>", f"<b>{digits}</b>", str(2**32 + number),
        f"<!-- <OrderID>{digits}</OrderID> -->", f"{digits}.0", f"{digits[0]}<b>{digits[1:]}</b>", str(2**64 + number), f"<?x {digits}?>",
    ]  # fmt: skip


@st.composite
def documents(draw: st.DrawFn) -> bytes:
    names = st.sampled_from(
        ["OrderID", "OrderID", "p:OrderID", "orderid", "CreatorID", "PIN", "Note", "InternationalOrderUID"]
    )
    contents = st.sampled_from(
        [text for number in (ORDER, SCOPED_ORDER, FOREIGN_ORDER) for text in xml_contents(number)]
        + [str(CREATOR), PIN, "", UID, FOREIGN_UID, "abc"]
    )
    items = draw(st.lists(st.tuples(names, st.one_of(st.just(str(ORDER)), contents)), max_size=4))
    inner = "".join(f"<{name}>{content}</{name}>" for name, content in items)
    prolog = draw(
        st.sampled_from(
            [""] * 5 + ['<?xml version="1.0"?>', '<!DOCTYPE a [<!ENTITY o "61">]>', "<!-- 5 -->", "<?x y?>"]
        )
    )
    text = f'{prolog}<a xmlns="{NAMESPACE}" xmlns:p="urn:x" xmlns:i="{XSI}"><b>{inner}</b></a>'
    cut = draw(st.one_of(st.just(len(text)), st.just(len(text)), st.integers(0, len(text))))
    return text[:cut].encode(draw(st.sampled_from(["utf-8"] * 4 + ["utf-16", "utf-16-le", "utf-16-be"])))


@RUN
@given(documents())
@example(tpp_xml(f"{ORDER}</OrderID><OrderID>&o;", before='<!DOCTYPE a [<!ENTITY o "61">]>').body)
def test_no_reader_of_allowed_xml_instructions_cancels_a_foreign_order(body: bytes) -> None:
    if judged(post(TPP, body, XML)).allowed:
        for read in XML_READERS:
            for to_int in INTS[1:]:
                assert xml_orders_cancelled(body, read, to_int) <= ORDERS, (read, to_int)


@pytest.mark.parametrize("read", JSON_READERS)
@pytest.mark.parametrize("to_int", INTS)
def test_the_careless_readers_do_act_on_plain_foreign_ids(read: Any, to_int: Any) -> None:
    assert accounts_cancelled(f'{{"AccountId":{FOREIGN_ACCOUNT}}}'.encode(), read, to_int) == {FOREIGN_ACCOUNT}
    assert accounts_cancelled(b"{}", read, to_int) == {EVERY}
    assert FOREIGN_ORDER in orders_cancelled(json.dumps([instruction(FOREIGN_ORDER)]).encode(), read, to_int)


@pytest.mark.parametrize("read", XML_READERS)
def test_the_careless_xml_readers_do_act_on_plain_foreign_ids(read: Any) -> None:
    assert FOREIGN_ORDER in xml_orders_cancelled(tpp_xml(str(FOREIGN_ORDER)).body, read, INTS[1])


@RUN
@given(st.integers(1, 2**62), st.integers(1, 2**31 - 1), st.uuids(), st.randoms(use_true_random=False))
def test_plain_legal_messages_with_ids_in_scope_always_pass(
    order: int, account: int, uid: Any, chance: random.Random
) -> None:
    scope = Scope(frozenset({account}), frozenset({OMS}), frozenset(), frozenset({order}), destructive=True)
    granted = Granted(uids=frozenset({str(uid)}), harmless_values=GRANTED.harmless_values)
    call = [("OMSId", OMS), ("AccountId", account)]
    chance.shuffle(call)
    assert judged(post(CAO, json.dumps(dict(call), indent=chance.choice([None, 2]))), scope, granted).allowed
    assert judged(frame("CancelAllOrders", json.dumps(dict(call))), scope, granted).allowed
    items = [instruction(order), instruction(None, str(uid)), instruction(None, str(uid).upper())]
    chance.shuffle(items)
    assert judged(tpp(*items), scope, granted).allowed
    assert judged(tpp_xml(str(order), f"<InternationalOrderUID>{uid}</InternationalOrderUID>"), scope, granted).allowed


def test_the_limited_scope_of_these_tests_is_limited() -> None:
    assert not LIMITED.unlimited
    assert Scope.everything().unlimited
