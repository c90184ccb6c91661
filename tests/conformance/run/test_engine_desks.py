"""Desks lay their ids and roles over those of the service, and keep their sessions apart."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.endpoint.model import Desk, Role, ServiceTarget
from conformance.endpoint.seats import seats


def service(**values: Any) -> ServiceTarget:
    return ServiceTarget(http="http://127.0.0.1:1", **values)


ROLES = {"operator": Role(), "trading": Role()}


def test_without_desks_there_is_one_seat() -> None:
    (seat,) = seats(service(bindings={"oms": 1}, roles=ROLES))
    assert (seat.index, dict(seat.bindings), set(seat.roles)) == (0, {"oms": 1}, {"operator", "trading"})


def test_a_desk_replaces_what_it_names_and_keeps_the_rest() -> None:
    two = (Desk(bindings={"account": 7}), Desk(bindings={"account": 8, "oms": 2}))
    first, second = seats(service(bindings={"oms": 1, "account": 6}, roles=ROLES, desks=two))
    assert dict(first.bindings) == {"oms": 1, "account": 7}
    assert dict(second.bindings) == {"oms": 2, "account": 8}


def test_the_default_account_of_a_role_is_bound_unless_the_target_binds_it() -> None:
    roles = {"operator": Role(account=10), "trading": Role()}
    (seat,) = seats(service(roles=roles))
    assert dict(seat.bindings) == {"operator.account": 10}
    desks = (Desk(roles={"trading": Role(account=7)}), Desk(bindings={"operator.account": 11}))
    first, second = seats(service(roles=roles, desks=desks))
    assert dict(first.bindings) == {"operator.account": 10, "trading.account": 7}
    assert dict(second.bindings) == {"operator.account": 11}


def test_a_role_of_the_service_shares_its_session_and_a_role_of_a_desk_does_not() -> None:
    desks = (Desk(roles={"trading": Role()}), Desk(roles={"trading": Role()}))
    first, second = seats(service(roles=ROLES, desks=desks))
    assert first.key("operator") == second.key("operator") == "operator"
    assert first.key("trading") != second.key("trading")


def test_ids_of_states_are_laid_over_the_seat() -> None:
    (seat,) = seats(service(bindings={"oms": 1, "order": 5}))
    assert dict(seat.with_bindings({"order": 9}).bindings) == {"oms": 1, "order": 9}
    assert dict(seat.bindings) == {"oms": 1, "order": 5}


ALL = {name: Role() for name in ("operator", "trading", "bystander", "marketmaker")}


@pytest.mark.parametrize(
    ("place", "quotes", "roles", "owner"),
    [
        ("${account}", False, ALL, "trading"),
        ("${account2}", False, ALL, "trading"),
        ("${foreign}", False, ALL, "bystander"),
        ("${maker.account}", True, ALL, "marketmaker"),
        ("${maker.account}", False, ALL, "operator"),
        ("${none.account}", False, ALL, "operator"),
        ("${somebody}", False, ALL, "operator"),
        ("${foreign}", False, ROLES, "operator"),
        ("${maker.account}", False, {"marketmaker": Role()}, "marketmaker"),
    ],
)
def test_the_owner_of_an_account_sets_its_states_up(
    place: str, quotes: bool, roles: dict[str, Role], owner: str
) -> None:
    (seat,) = seats(service(roles=roles))
    assert seat.owner(place, quotes=quotes) == owner
