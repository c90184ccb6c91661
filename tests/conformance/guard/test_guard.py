"""The guard of a run: what the target file lets be touched, and what the run made for itself."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from functools import cache
from typing import Any

import pytest
from scope_support import (
    ACCOUNT,
    ASK,
    BID,
    CREATOR,
    FOREIGN_ORDER,
    OMS,
    ORDER,
    PIN,
    UID,
    cao,
    instruction,
    post,
    quote,
    tpp,
)

from conformance.contract.load import load_contract
from conformance.endpoint.choose import ChosenTarget
from conformance.endpoint.file import check_target
from conformance.endpoint.model import ScopePart
from conformance.errors import OutsideScope
from conformance.guard.gate import Label, Purpose
from conformance.guard.guard import Guard, Scope, guard_for, scope_of
from conformance.model.spec import Contract
from conformance.run.dry import DryRun
from conformance.run.session import session
from conformance.wire.messages import HttpRequest

BASE = {"schema_version": 1, "name": "t"}


@cache
def contract() -> Contract:
    return load_contract(None)


def guard(
    scope: dict[str, Any], services: tuple[str, ...] = ("alphapoint", "tpp"), bindings: dict[str, Any] | None = None
) -> Guard:
    given = {
        "alphapoint": {"http": "http://127.0.0.1:1/AP"},
        "tpp": {"http": "http://127.0.0.1:1", "bindings": bindings or {}},
    }
    data = {**BASE, "scope": scope, "services": {name: given[name] for name in services}}
    return guard_for(check_target(data, contract(), "t.toml"), contract())


def broken(values: dict[str, object]) -> HttpRequest:
    """A list that is cut off, so that nothing but its words can be judged."""
    return post("/api/orders/cancellations", json.dumps([values])[:-2])


def test_the_scope_table_is_taken_over_key_by_key() -> None:
    part = ScopePart(
        destructive=True, accounts=(1,), oms=(2,), instruments=(3,), orders=(4,), uids=(UID.upper(),),
        unknown=(5, "ABC"), max_requests=6,
    )  # fmt: skip
    assert scope_of(part) == Scope(
        accounts=frozenset({1}), oms=frozenset({2}), instruments=frozenset({3}), orders=frozenset({4}), uids=frozenset({UID}),
        unknown=frozenset({5, "abc"}), max_requests=6, destructive=True,
    )  # fmt: skip
    assert scope_of(ScopePart()) == Scope()
    assert scope_of(ScopePart(everything=True, max_requests=7)) == Scope.everything(max_requests=7)


def test_a_message_outside_the_scope_is_refused_with_a_reason() -> None:
    one = guard({"destructive": True, "accounts": [ACCOUNT], "oms": [OMS]})
    assert one(cao(str(ACCOUNT))).allowed
    refused = one(cao("77"))
    assert (refused.allowed, refused.reason) == (False, "AccountId: 77 is outside scope.accounts")


def test_everything_is_allowed_where_the_file_says_so() -> None:
    one = guard({"destructive": True, "everything": True})
    one.grant({"order": ORDER})
    decision = one(cao("77"))
    assert (decision.allowed, decision.reason) == (True, "the target file lets everything be touched")
    assert (one.orders, one.quotes, one.uids) == (set(), set(), set())


def test_an_order_is_in_scope_once_the_run_made_it() -> None:
    one = guard({"destructive": True})
    assert not one(tpp(instruction(ORDER))).allowed
    one.grant({"mine.OrderID": ORDER})
    assert one(tpp(instruction(ORDER))).allowed
    assert not one(tpp(instruction(FOREIGN_ORDER))).allowed
    assert one.orders == {ORDER}


def test_an_id_that_was_made_on_one_service_is_nothing_to_another() -> None:
    """Both services number their orders from one up: the same number is another order there."""
    data = {**BASE, "scope": {"destructive": True, "accounts": [ACCOUNT], "oms": [OMS]},
            "services": {"alphapoint": {"http": "http://127.0.0.1:1"}, "tpp": {"http": "http://127.0.0.1:1"}}}  # fmt: skip
    cancel = post("/AP/CancelOrder", json.dumps({"OMSId": OMS, "OrderId": ORDER}))

    async def look() -> None:
        chosen = ChosenTarget(check_target(data, contract(), "t.toml"), {}, "t.toml")
        async with session(contract(), chosen, contract().operations, dry=DryRun()) as run:
            made, other = run.services["tpp"].link, run.services["alphapoint"].link
            made.guard.grant({"order.OrderID": ORDER})
            assert (await made.send_http(tpp(instruction(ORDER)), Label(Purpose.JUDGED))).sent
            with pytest.raises(OutsideScope):
                await other.send_http(cancel, Label(Purpose.JUDGED))
            other.guard.grant({"order": ORDER})
            assert (await other.send_http(cancel, Label(Purpose.JUDGED))).sent

    asyncio.run(look())


def test_a_guid_is_in_scope_once_the_run_made_it_in_any_case() -> None:
    one = guard({"destructive": True})
    assert not one(tpp(instruction(None, UID))).allowed
    one.grant({"InternationalOrderUID": UID.upper()})
    assert one(tpp(instruction(None, UID))).allowed
    assert (one.uids, one.orders) == ({UID}, set())


def test_the_legs_of_a_quote_are_in_scope_once_the_run_made_it() -> None:
    one = guard({"destructive": True, "accounts": [ACCOUNT], "oms": [OMS], "instruments": [5]})
    assert not one(quote(accountId=None)).allowed
    one.grant({"mine.bid": BID, "mine.ask": ASK})
    assert one(quote(accountId=None)).allowed
    assert (one.quotes, one.orders) == ({BID, ASK}, set())


@pytest.mark.parametrize(("name", "value"), [("mine.PIN", PIN), ("CreatorID", CREATOR)])
def test_a_person_or_a_pin_of_a_state_names_no_order(name: str, value: int | str) -> None:
    one = guard({"destructive": True})
    member = name.rpartition(".")[2]
    assert not one(broken({member: value})).allowed
    one.grant({name: value})
    assert (one.harmless, one.orders, one.uids) == ({str(value)}, set(), set())
    assert one(broken({member: value})).allowed
    assert not one(broken({"OrderID": int(value)})).allowed


def test_calls_of_services_that_the_file_leaves_out_are_unknown() -> None:
    one = guard({"destructive": True, "accounts": [ACCOUNT], "oms": [OMS]}, ("tpp",))
    assert not one(cao(str(ACCOUNT))).allowed
    assert one(tpp()).allowed


def test_the_person_of_the_file_names_no_order() -> None:
    one = guard({"destructive": True}, bindings={"creator": CREATOR, "unknown_order": 5})
    assert one.harmless == {str(CREATOR)}
    assert one(broken({"CreatorID": CREATOR})).allowed
    assert not one(broken({"OrderID": CREATOR})).allowed


def test_a_harmless_name_without_a_field_and_an_operation_without_rules_are_passed_over() -> None:
    known = contract()
    first = known.operations["tpp.create_cancellations"]
    assert first.scope is not None
    scope = dataclasses.replace(first.scope, harmless=("Reason", *first.scope.harmless))
    silent = known.operations["alphapoint.cancel_quote"]
    operations = {
        **known.operations,
        first.id: dataclasses.replace(first, scope=scope),
        silent.id: dataclasses.replace(silent, scope=None),
    }
    data = {
        **BASE,
        "scope": {"destructive": True},
        "services": {"tpp": {"http": "http://127.0.0.1:1"}, "alphapoint": {"http": "http://127.0.0.1:1/AP"}},
    }
    one = guard_for(check_target(data, known, "t.toml"), dataclasses.replace(known, operations=operations))
    assert "Reason" in one.harmless_members
    assert not one(quote()).allowed


def test_a_sign_in_that_a_role_names_may_be_sent_to_that_path_alone() -> None:
    role = {"login": "cookies", "user": "qa", "password": {"env": "SECRET"}, "sign_in_path": "/login"}
    service = {"http": "http://127.0.0.1:1", "roles": {"client": role}}
    data = {**BASE, "scope": {"destructive": True}, "services": {"tpp": service}}
    one = guard_for(check_target(data, contract(), "t.toml"), contract())
    allowed = one(post("/login", "user=qa&password=x", "application/x-www-form-urlencoded"))
    assert (allowed.allowed, allowed.reason) == (True, "")
    for request in (post("/Login", ""), post("/login/", ""), post("/login", "", method="PUT"), post("/login?x=1", "")):
        assert not one(request).allowed
    assert not guard({"destructive": True})(post("/login", "")).allowed


def test_an_id_that_the_file_names_is_none_of_a_new_order() -> None:
    limited = guard({"destructive": True, "orders": [ORDER], "unknown": [FOREIGN_ORDER]})
    assert limited.known_as(ORDER) == "an order that scope.orders names, and so no new one"
    assert limited.known_as(FOREIGN_ORDER) == "an id that nothing has, as scope.unknown says"
    assert limited.known_as(BID) == ""
    assert limited.bounded
    free = guard({"everything": True, "destructive": True})
    assert (free.bounded, free.known_as(ORDER)) == (False, "")


def test_a_guard_afresh_has_nothing_granted_and_shares_nothing() -> None:
    first = guard({"destructive": True})
    known = set(first.harmless)
    first.grant({"maker.bid": BID, "trader.order": ORDER, "trader.order.client": 7, "trader.uid": UID, "pin": "2468"})
    assert (first.quotes, first.orders, first.clients, first.uids) == ({BID}, {ORDER}, {7}, {UID})
    assert first.harmless == known | {"2468"}
    second = first.afresh()
    assert (second.quotes, second.orders, second.clients, second.uids) == (set(), set(), set(), set())
    assert second.harmless == first.harmless
    second.grant({"wrong_pin": "1357"})
    assert first.harmless == known | {"2468"}
