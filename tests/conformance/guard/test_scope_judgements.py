"""Why a message is refused, in exact words, and what each kind of limit leaves free."""

from __future__ import annotations

from typing import Any

import pytest
from scope_support import FOREIGN_UID, ORDER, UID, instruction, judged, post, text_frame, tpp

from conformance.formats.members import CONTAINER, NO_CONTENT, Content, Found, Literal, View
from conformance.guard.guard import Granted, Scope
from conformance.guard.ids import ids_of, numbers_in, uids_in
from conformance.guard.judge import judge
from conformance.guard.rules import Member, Rule
from conformance.guard.texts import texts_of, tokens_in
from conformance.guard.values import Bounds

OMS = Member("OMSId", "oms", True, ("Bid",))
ACCOUNT = Member("AccountId", "account", True)
BID = Member("Bid", "order", False)
ORDER_ID = Member("OrderID", "order", False)
GUID = Member("Guid", "uid", True)


def rule(*members: Member, harmless: tuple[str, ...] = (), everything: bool = True) -> Rule:
    by_fold = {member.name.lower(): member for member in members}
    return Rule("Call", "/call", ("application/json",), members, frozenset(harmless), everything, by_fold)


def why(one: Rule, *found: tuple[str, Any], granted: Granted = Granted(), **scope: Any) -> str:  # noqa: B008 - a value
    seen = tuple(Found(name, value) for name, value in found)
    limits = {"accounts": frozenset({9}), "oms": frozenset({1}), "orders": frozenset({5}), "uids": frozenset({UID})}
    return judge(Bounds(Scope(**{**limits, **scope}), granted), one, Content((View(seen, seen),)))


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        ([("AccountId", Literal("9"))], ""),
        ([("AccountId", "9")], ""),
        ([("AccountId", Literal("7"))], "AccountId: 7 is outside scope.accounts"),
        ([("AccountId", "7")], "AccountId: '7' is outside scope.accounts"),
        ([("AccountId", "7x")], "AccountId: '7x' may be read as 7, which is outside scope.accounts"),
        ([("AccountId", CONTAINER)], "AccountId: a list or an object stands where one account is named"),
        ([("AccountId", None)], "AccountId: None may be read as no account, which may mean every account"),
        ([("AccountId", "9.0")], "AccountId: '9.0' may be read as 90, which is outside scope.accounts"),
        ([("AccountId", "z" * 70)], f"AccountId: '{'z' * 60}' may be read as any account"),
        ([("AccountId", Literal("1" * 70))], None),
        ([], "AccountId may be read as absent, which may mean every account"),
        ([("accountid", Literal("9"))], "AccountId may be read as absent, which may mean every account"),
        (
            [("AccountId", Literal("9")), ("Everything", "x")],
            "the member 'Everything' is not known, and may widen the call",
        ),
        ([("AccountId", Literal("9")), ("x_ids", None)], "the member 'x_ids' is not known, and may widen the call"),
        ([("AccountId", Literal("9")), ("Note", "x")], ""),
        (
            [("AccountId", Literal("9")), ("Note", '{"AccountId":7}')],
            "text that cannot be read may be taken for a call without AccountId",
        ),
        ([("AccountId", Literal("9")), ("Note", CONTAINER)], ""),
        ([("AccountId", Literal("9")), ("", Literal("7"))], ""),
        (
            [("AccountId", Literal("9")), ("", "AccountId 7")],
            "text that cannot be read may be taken for a call without AccountId",
        ),
    ],
)
def test_an_account_must_be_named_plainly_and_in_scope(found: list[tuple[str, Any]], reason: str | None) -> None:
    told = why(rule(ACCOUNT), *found)
    if reason is None:
        assert told.startswith(f"AccountId: {'1' * 60} may be read as ")
    else:
        assert told == reason


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        ([("OMSId", Literal("1"))], ""),
        ([("OMSId", Literal("3"))], "OMSId: 3 is outside scope.oms"),
        ([], "OMSId may be read as absent, which may mean every Order Management System"),
        ([("OMSId", CONTAINER)], "OMSId: a list or an object stands where one Order Management System is named"),
        ([("Bid", Literal("5"))], ""),
        (
            [("Bid", Literal("5")), ("Bid", Literal("5"))],
            "OMSId may be read as absent, which may mean every Order Management System",
        ),
        ([("Bid", Literal("5")), ("OMSId", None)], ""),
        ([("Bid", "x")], "OMSId may be read as absent, which may mean every Order Management System"),
    ],
)
def test_a_system_may_be_left_out_where_an_own_order_says_which(found: list[tuple[str, Any]], reason: str) -> None:
    assert why(rule(OMS, BID), *found) == reason


def test_an_excuse_is_one_plain_member_of_the_call_itself() -> None:
    bounds = Bounds(Scope(oms=frozenset({1}), orders=frozenset({5})), Granted())
    beside = View((), (Found("Bid", Literal("5")),))
    assert judge(bounds, rule(OMS, BID), Content((beside,))).startswith("OMSId may be read as absent")
    boxed = View((Found("Bid", CONTAINER),), (Found("Bid", CONTAINER),))
    assert (
        judge(bounds, rule(OMS, BID), Content((boxed,))) == "Bid: a list or an object stands where one order is named"
    )


@pytest.mark.parametrize(
    ("found", "scope", "reason"),
    [
        ([("Guid", UID)], {}, ""),
        ([("Guid", FOREIGN_UID)], {}, f"Guid: '{FOREIGN_UID}' is outside scope.uids"),
        ([("Guid", f"{{{FOREIGN_UID}}}")], {}, f"Guid: '{{{FOREIGN_UID}}}' is outside scope.uids"),
        ([("Guid", None)], {}, "Guid: None may be read as no order by GUID, which may mean every order by GUID"),
        ([], {}, "Guid may be read as absent, which may mean every order by GUID"),
        ([("Guid", UID), ("OrderID", Literal("6"))], {}, "OrderID: 6 is outside scope.orders"),
        ([("Guid", Literal("6"))], {}, "Guid: 6 is outside scope.orders"),
        (
            [("Guid", UID), ("OrderID", FOREIGN_UID)],
            {"orders": None},
            f"'{FOREIGN_UID}', in text that cannot be read, may be an id outside the scope",
        ),
        ([("Guid", UID), ("OrderID", UID)], {"orders": None}, ""),
        ([("Guid", UID), ("OrderID", None)], {"orders": None}, ""),
        ([("Guid", Literal("6"))], {"uids": None}, "'6', in text that cannot be read, may be an id outside the scope"),
        ([("Guid", Literal("5"))], {"uids": None}, ""),
        ([("Guid", FOREIGN_UID), ("OrderID", Literal("6"))], {"uids": None, "orders": None}, ""),
        ([("Everything", "x")], {"uids": None, "orders": None}, ""),
    ],
)
def test_orders_by_number_and_by_guid_are_limited_apart(
    found: list[tuple[str, Any]], scope: dict[str, Any], reason: str
) -> None:
    assert why(rule(GUID, ORDER_ID), *found, **scope) == reason


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        ([("x_id", None)], ""),
        ([("x_id", Literal("5"))], "the member 'x_id' is not known, and may widen the call"),
        ([("", Literal("5"))], ""),
        ([("", Literal("6"))], "'6', in text that cannot be read, may be an id outside the scope"),
        ([("", "see 6")], "'6', in text that cannot be read, may be an id outside the scope"),
        ([("Pin", Literal("6"))], ""),
        ([("Pin", "OrderID 6")], "'6', in text that cannot be read, may be an id outside the scope"),
        ([("Note", "OrderID 6")], "'6', in text that cannot be read, may be an id outside the scope"),
        ([("Note", "OrderID 5")], ""),
        ([("Note", "6")], ""),
    ],
)
def test_where_unreadable_text_is_judged_by_its_tokens_only_foreign_ids_are_refused(
    found: list[tuple[str, Any]], reason: str
) -> None:
    assert why(rule(ORDER_ID, harmless=("pin",), everything=False), *found) == reason


@pytest.mark.parametrize(
    ("text", "everything", "reason"),
    [
        ("<!DOCTYPE a>", False, "the body has a DOCTYPE, whose entities may stand for any id"),
        ("<!doctype a>", False, "the body has a DOCTYPE, whose entities may stand for any id"),
        ("nothing", False, ""),
        ("OrderID 6", False, "'6', in text that cannot be read, may be an id outside the scope"),
        ("5<b>6", False, "a text in the body is written in a way that hides its ids"),
        ("1" * 401, False, f"'{'1' * 60}', in text that cannot be read, may be an id outside the scope"),
        ("nothing", True, ""),
    ],
)
def test_text_that_cannot_be_read_is_judged_by_its_tokens(text: str, everything: bool, reason: str) -> None:
    one = rule(ORDER_ID, everything=everything)
    bounds = Bounds(Scope(orders=frozenset({5})), Granted())
    assert judge(bounds, one, Content(unreadable=(text,))) == reason
    assert judge(Bounds(Scope(orders=None), Granted()), one, Content(unreadable=(text,))) == ""


def test_a_refused_body_is_refused_unless_everything_may_be_touched() -> None:
    content = Content(refusal="too large")
    assert judge(Bounds(Scope(), Granted()), rule(ORDER_ID), content) == "too large"
    assert judge(Bounds(Scope(orders=None), Granted()), rule(ORDER_ID), content) == ""
    assert judge(Bounds(Scope(orders=None), Granted()), rule(ACCOUNT), NO_CONTENT) != ""
    assert judge(Bounds(Scope(accounts=None), Granted()), rule(ACCOUNT, OMS, BID), NO_CONTENT).startswith(
        "OMSId may be read as absent"
    )


def test_a_name_with_a_digit_may_be_an_id() -> None:
    bounds = Bounds(Scope(orders=frozenset({5})), Granted())
    assert judge(bounds, rule(ORDER_ID, everything=False), Content(names=("item", "o6"))).startswith("'o6', in text")
    assert judge(bounds, rule(ORDER_ID, everything=False), Content(names=("o5",))) == ""
    assert judge(bounds, rule(ORDER_ID, everything=True), Content(names=("o6",))) == ""


def test_a_harmless_value_counts_as_one_only_behind_its_member() -> None:
    one, granted = rule(ORDER_ID, harmless=("pin",), everything=False), Granted(harmless_values=frozenset({"6"}))
    bounds = Bounds(Scope(orders=frozenset({5})), granted)
    assert judge(bounds, one, Content(unreadable=("Pin 6",))) == ""
    assert judge(bounds, one, Content(unreadable=("OrderID 6",))) != ""
    assert judge(bounds, one, Content(unreadable=("Pin true",))) == ""
    assert judge(bounds, one, Content(unreadable=("OrderID true",))) != ""


def test_a_value_that_is_vouched_unknown_passes_in_any_case() -> None:
    assert why(rule(Member("Guid", "uid")), ("Guid", FOREIGN_UID.upper()), unknown=frozenset({FOREIGN_UID})) == ""
    assert (
        why(rule(ORDER_ID), ("OrderID", " NOPE-NOPE-NOPE-NOPE-NOPE "), unknown=frozenset({"Nope-nope-nope-nope-nope"}))
        == ""
    )


def test_an_exponent_too_long_to_write_out_stands_for_the_clamped_values() -> None:
    assert ids_of(Literal("7e99999")).numbers == {
        -9223372036854775808,
        -2147483648,
        -1,
        1,
        7,
        2147483647,
        2147483648,
        4294967295,
        9223372036854775807,
        9223372036854775808,
        18446744071562067968,
        18446744073709551615,
    }
    assert ids_of(Literal("7e9999")).numbers == {7, 2147483647, 9223372036854775807}


def test_several_numbers_of_one_text_are_all_seen() -> None:
    assert {3, 4} <= numbers_in("2.5 3.5")
    assert {31, 47} <= numbers_in("0x1f 0x2f")
    assert len(uids_in("c" * 33 + "z" + "d" * 32)) == 2


@pytest.mark.parametrize("query", ["", "?OMSId=1&AccountId=9", "?OMSId=1&AccountId=9&AccountId=9"])
def test_who_passes_a_body_over_may_pass_the_query_over_too(query: str) -> None:
    good = '{"OMSId":1,"AccountId":9}'
    assert judged(post(f"/AP/CancelAllOrders{query}", good, "application/json")).allowed
    assert not judged(post(f"/AP/CancelAllOrders{query}", good, "text/plain")).allowed


def test_a_charset_that_the_header_names_shows_other_ids() -> None:
    assert judged(tpp(instruction(ORDER))).allowed
    hidden = f'[{{"OrderID":{ORDER},"Note":"+AGEAYg-61"}}]'
    assert judged(post("/api/orders/cancellations", hidden, "application/json")).allowed
    foreign = "[{+ACIATwByAGQAZQByAEkARAAi-:61}]"
    assert not judged(post("/api/orders/cancellations", foreign, "application/json; charset=utf-7")).allowed


def test_a_frame_whose_payload_is_not_json_is_no_call_that_passes() -> None:
    payload = '{"m":0,"i":2,"n":"CancelAllOrders","o":["{\\"OMSId\\":1"]}'
    assert not judged(text_frame(payload)).allowed


def test_wide_text_is_read_narrow_where_a_third_of_it_is_zeros() -> None:
    assert [token.text for token in tokens_in("6\x001") or ()] == ["61"]
    assert {token.text for token in tokens_in("61\x001x") or ()} == {"61", "1x", "611x"}
    assert "61" in texts_of("61".encode("utf-32-le")).texts
    assert "61" in texts_of("61".encode("utf-32-be")).texts
    declared = '<?xml version="1.0" encoding="utf-7"?>'.encode("utf-16-le") + b"+ADE-"
    assert any("1" in text[-8:] for text in texts_of(declared).texts)
