"""Desks lay their ids and roles over those of the service, and keep their sessions apart."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.endpoint.desks import desks_of
from conformance.endpoint.model import DeskPart, Role, ServiceTarget


def service(**values: Any) -> ServiceTarget:
    return ServiceTarget(http="http://127.0.0.1:1", **values)


ROLES = {"operator": Role(), "trading": Role()}


def test_without_desks_there_is_one_desk() -> None:
    (desk,) = desks_of(service(bindings={"oms": 1}, roles=ROLES))
    assert (desk.index, dict(desk.bindings), set(desk.roles)) == (0, {"oms": 1}, {"operator", "trading"})


def test_a_desk_replaces_what_it_names_and_keeps_the_rest() -> None:
    two = (DeskPart(bindings={"account": 7}), DeskPart(bindings={"account": 8, "oms": 2}))
    first, second = desks_of(service(bindings={"oms": 1, "account": 6}, roles=ROLES, desks=two))
    assert dict(first.bindings) == {"oms": 1, "account": 7}
    assert dict(second.bindings) == {"oms": 2, "account": 8}


def test_the_default_account_of_a_role_is_bound_unless_the_target_binds_it() -> None:
    roles = {"operator": Role(account=10), "trading": Role()}
    (desk,) = desks_of(service(roles=roles))
    assert dict(desk.bindings) == {"operator.account": 10}
    desks = (DeskPart(roles={"trading": Role(account=7)}), DeskPart(bindings={"operator.account": 11}))
    first, second = desks_of(service(roles=roles, desks=desks))
    assert dict(first.bindings) == {"operator.account": 10, "trading.account": 7}
    assert dict(second.bindings) == {"operator.account": 11}


def test_a_role_of_the_service_shares_its_session_and_a_role_of_a_desk_does_not() -> None:
    desks = (DeskPart(roles={"trading": Role()}), DeskPart(roles={"trading": Role()}))
    first, second = desks_of(service(roles=ROLES, desks=desks))
    assert first.key("operator") == second.key("operator") == "operator"
    assert first.key("trading") != second.key("trading")


def test_ids_of_states_are_laid_over_the_desk() -> None:
    (desk,) = desks_of(service(bindings={"oms": 1, "order": 5}))
    assert dict(desk.with_bindings({"order": 9}).bindings) == {"oms": 1, "order": 9}
    assert dict(desk.bindings) == {"oms": 1, "order": 5}


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
    (desk,) = desks_of(service(roles=roles))
    assert desk.owner(place, quotes=quotes) == owner
