"""Arguments in a path: each must name one thing in scope for every reader, and a path may be that of several calls."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from scope_support import (
    ACCOUNT,
    FOREIGN_ACCOUNT,
    FOREIGN_ORDER,
    FOREIGN_UID,
    GRANTED,
    JSON,
    LIMITED,
    ORDER,
    SCOPED_ORDER,
    UID,
    post,
    with_headers,
)

from conformance.contract.load import load_contract
from conformance.guard.guard import Catalogue, Scope, catalogue_of, decide_by
from conformance.guard.rules import Member, Rule
from conformance.guard.values import Bounds
from conformance.wire.messages import HttpRequest

DEPOTS = Path(__file__).parent.parent / "described" / "specs"


@cache
def depots() -> Catalogue:
    """Calls that show, move and remove a bin, whose site and number stand in the path."""
    return catalogue_of(load_contract(DEPOTS).operations)


def reason(sent: HttpRequest, catalogue: Catalogue | None = None, scope: Scope = LIMITED) -> str:
    return decide_by(catalogue or depots(), scope, sent, GRANTED).reason


def asked(method: str, path: str) -> HttpRequest:
    return HttpRequest(method, path, (), b"")


def bins(site: object, number: object) -> str:
    return f"/api/depots/{site}/bins/{number}"


@pytest.mark.parametrize("method", ["GET", "DELETE", "POST"])
@pytest.mark.parametrize("path", [bins("Nord", SCOPED_ORDER), bins("Nord%205", ORDER), bins("S%C3%BCd", "%350002")])
def test_thing_in_scope_may_be_named_in_a_path(method: str, path: str) -> None:
    assert reason(asked(method, path)) == ""


def test_body_is_judged_beside_the_path() -> None:
    path = bins("Nord", SCOPED_ORDER)
    assert reason(post(path, '{"Shelf": 4, "Kind": 5}', method="PUT")) == ""
    assert reason(post(path, f'{{"Shelf": 4, "Kind": 5, "BinID": {FOREIGN_ORDER}}}', method="PUT")) != ""
    assert reason(asked("GET", f"{path}?BinID={FOREIGN_ORDER}")) != ""


@pytest.mark.parametrize(
    ("number", "shown"),
    [(FOREIGN_ORDER, f"'{FOREIGN_ORDER}'"), ("abc", "'abc'")],
)
def test_argument_that_may_name_something_else_is_refused(number: object, shown: str) -> None:
    expected = f"BinID: {shown}, in the path, may be outside scope.orders, or another call"
    assert reason(asked("GET", bins("Nord", number))) == expected
    assert reason(asked("GET", bins("Nord", number)), scope=replace(LIMITED, orders=None)) == ""


@pytest.mark.parametrize("site", ["a%2Fb", "a%5Cb", "a%253Fb", "a%3Bb"])
def test_argument_with_which_the_path_may_be_another_is_refused(site: str) -> None:
    assert reason(asked("GET", bins(site, SCOPED_ORDER))).endswith("may be read in more than one way")


def test_odd_path_without_arguments_is_refused_even_where_it_signs_in() -> None:
    known = replace(depots(), sign_ins=frozenset({("POST", "/login"), ("POST", "/login;a")}))
    assert reason(asked("POST", "/login"), known) == ""
    assert reason(asked("POST", "/login;a"), known).endswith("may be read in more than one way")


def catalogue_for(*rules: Rule) -> Catalogue:
    return Catalogue({rules[0].path.lower(): rules}, {}, rules)


def rule(path: str, *members: Member, method: str = "GET", in_query: bool = False) -> Rule:
    by_fold = {one.name.lower(): one for one in members}
    return Rule("call", path, (JSON,), members, by_fold=by_fold, method=method, in_query=in_query)


EVERY_ACCOUNT = Member("Account", "account", everything=True)


def test_members_of_a_reading_call_stand_in_its_query() -> None:
    lists = rule("/lists", EVERY_ACCOUNT, in_query=True)
    assert reason(asked("GET", f"/lists?Account={ACCOUNT}"), catalogue_for(lists)) == ""
    for query in ("", f"?Account={FOREIGN_ACCOUNT}", "?Other=1"):
        assert reason(asked("GET", f"/lists{query}"), catalogue_for(lists)) != ""


def test_argument_counts_as_a_member_beside_those_of_the_query() -> None:
    lists = rule("/of/{Account}", EVERY_ACCOUNT, in_query=True)
    assert reason(asked("GET", f"/of/{ACCOUNT}?page=2"), catalogue_for(lists)) == ""
    assert reason(asked("GET", f"/of/{FOREIGN_ACCOUNT}?Account={ACCOUNT}"), catalogue_for(lists)) != ""


def test_method_of_one_call_means_it_unless_a_header_names_another() -> None:
    shows = rule("/lists", EVERY_ACCOUNT, in_query=True)
    removes = rule("/lists", EVERY_ACCOUNT, method="DELETE")
    both = catalogue_for(shows, removes)
    sent = asked("GET", f"/lists?Account={ACCOUNT}")
    assert reason(sent, both) == ""
    assert reason(with_headers(sent, ("X-HTTP-Method-Override", "DELETE")), both) != ""


def test_guid_of_the_run_may_be_named_in_a_path() -> None:
    keyed = catalogue_for(rule("/by/{Key}", Member("Key", "uid")))
    assert reason(asked("GET", f"/by/{UID}"), keyed) == ""
    assert reason(asked("GET", f"/by/{FOREIGN_UID}"), keyed).endswith("may be outside scope.uids, or another call")


def test_argument_without_a_rule_and_a_user_are_refused_in_words() -> None:
    said = reason(asked("GET", "/at/5"), catalogue_for(rule("/at/{Place}")))
    assert said == "Place, in the path, is no member that the scope guard knows"
    said = reason(asked("GET", "/for/5"), catalogue_for(rule("/for/{User}", Member("User", "user"))))
    assert "may be a user, whose accounts nobody knows: that takes every account in scope" in said


def test_calls_at_a_path_are_those_of_its_method_or_all() -> None:
    def calls(method: str) -> list[tuple[str, dict[str, str]]]:
        path = bins("Nord", 5)
        return [(one.method, dict(arguments)) for one, arguments in depots().rules_at(path, path.lower(), method)]

    arguments = {"Site": "Nord", "BinID": "5"}
    assert calls("GET") == [("GET", arguments)]
    assert calls("PUT") == [("PUT", arguments)]
    assert calls("POST") == [("GET", arguments), ("DELETE", arguments), ("PUT", arguments)]


def test_rule_of_an_operation_has_its_method_and_that_of_a_call_for_states_none() -> None:
    assert {one.method: one.in_query for one in depots().operations} == {
        "GET": True, "DELETE": True, "PUT": False, "POST": False
    }  # fmt: skip
    known = catalogue_of(load_contract().operations)
    own = {one.path.lower() for one in known.operations}
    others = [one for path, rules in known.by_path.items() if path not in own for one in rules]
    assert {one.method for one in known.operations} == {"POST"}
    assert {(one.method, one.in_query) for one in others} == {("", False)}


def test_clients_are_as_limited_as_orders_and_users_as_accounts() -> None:
    def unlimited(scope: Scope) -> list[bool]:
        return [Bounds(scope, GRANTED).unlimited(kind) for kind in ("client", "user")]

    assert unlimited(LIMITED) == [False, False]
    assert unlimited(replace(LIMITED, orders=None)) == [True, False]
    assert unlimited(replace(LIMITED, accounts=None)) == [False, True]
