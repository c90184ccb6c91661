"""The books of a run: what is left standing as bait, what of it may change, and on which message a change is found."""

from __future__ import annotations

import asyncio
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from live_support import judge_all, live, pointed, sample

from conformance.cases.fixtures import load_cases
from conformance.checks.outcome import STANDING
from conformance.contract.load import load_contract
from conformance.dialects.base import CANCELLED, EXECUTED, OPEN, Handle
from conformance.endpoint.desks import Desk
from conformance.endpoint.model import MAX_BAIT
from conformance.endpoint.reference import warm_reference
from conformance.model.case import Case
from conformance.model.spec import Contract
from conformance.model.verdict import CaseResult, Verdict
from conformance.run.books import ENOUGH, Books, expected_of, may_change
from conformance.selftest.suspects import Suspect, results_of
from reference_impl.alphapoint.book import Book
from reference_impl.defaults import default_parts
from reference_impl.faults import FAULTS
from reference_impl.parts import with_alphapoint

pytestmark = pytest.mark.timeout(240)

CAO, CO, CQ = "alphapoint.cancel_all_orders", "alphapoint.cancel_order", "alphapoint.cancel_quote"
TPP = "tpp.create_cancellations"
DESK = Desk(0, {"account": 101, "account2": 301, "foreign": 501, "maker.account": 201, "instrument": 1, "pool": 7}, {})
OTHER = Desk(1, {"account": 102, "account2": 302, "foreign": 502, "maker.account": 202, "instrument": 1, "pool": 7}, {})


@pytest.fixture(scope="module")
def contract() -> Contract:
    return load_contract(None)


@pytest.fixture(scope="module")
def cases(contract: Contract) -> Mapping[str, Case]:
    return {case.id: case for case in load_cases(contract)}


def handles(case: Case) -> tuple[Handle, ...]:
    return tuple(Handle(name, {name: 1}, {name: OPEN}) for name in case.states)


def kept(
    books: Books, contract: Contract, case: Case, after: Mapping[str, str], desk: Desk = DESK, now_s: float = 0.0
) -> tuple[str, ...]:
    """What stands at the desk when a case is over, by its kind and place."""
    books.keep(case, contract.operations[case.operation], desk, handles(case), after, now_s)
    return tuple(entry.words for entry in books.page(desk).standing)


def opened() -> Books:
    books = Books()
    books.begin((DESK, OTHER))
    return books


def test_closed_books_keep_nothing(contract: Contract, cases: Mapping[str, Case]) -> None:
    case = cases["co/codes/104@http"]
    every = handles(case)
    assert Books().keep(case, contract.operations[CO], DESK, every, dict.fromkeys(case.states, OPEN), 0.0) == every


def test_what_a_refused_call_left_alone_stands_on(contract: Contract, cases: Mapping[str, Case]) -> None:
    case = cases["co/codes/104@http"]
    books = opened()
    assert kept(books, contract, case, dict.fromkeys(case.states, OPEN)) == ("open-order in account",)


def test_what_was_cancelled_is_remembered_and_need_not_be_taken_back(
    contract: Contract, cases: Mapping[str, Case]
) -> None:
    case = cases["co/effects/lasting@http"]
    name, *_ = case.expect.any_of[0].cancelled
    books = opened()
    kept(books, contract, case, {**dict.fromkeys(case.states, OPEN), name: CANCELLED})
    (entry,) = (one for one in books.page(DESK).known if one.handle.name.endswith(f":{name}"))
    assert set(entry.expected.values()) == {CANCELLED}
    assert not entry.stands


def test_thing_that_two_answers_have_otherwise_is_not_kept(cases: Mapping[str, Case]) -> None:
    case = cases["co/codes/104@http"]
    (name, *_) = case.states
    either = replace(case.expect.any_of[0], cancelled=(name,), untouched=())
    both = replace(case, expect=replace(case.expect, any_of=(*case.expect.any_of, either)))
    handle = Handle(name, {}, {name: OPEN})
    assert expected_of(case, handle, {name: OPEN}) == {name: OPEN}
    assert expected_of(both, handle, {name: OPEN}) == {}
    assert expected_of(case, handle, {}) == {}
    assert expected_of(case, handle, {name: EXECUTED}) == {}


def test_account_that_two_desks_have_is_nobodys_bait(contract: Contract, cases: Mapping[str, Case]) -> None:
    case = cases["co/codes/104@http"]
    states = {name: replace(need, params={**need.params, "account": "${pool}"}) for name, need in case.states.items()}
    assert kept(opened(), contract, replace(case, states=states), dict.fromkeys(states, OPEN)) == ()


@pytest.mark.parametrize(
    ("role", "in_the_way"),
    [("trading", True), ("operator", True), ("bystander", False), ("anonymous", False)],
)
def test_call_that_empties_accounts_gets_out_of_its_way_what_it_may_take(
    role: str, in_the_way: bool, contract: Contract, cases: Mapping[str, Case]
) -> None:
    books, refused = opened(), cases["co/codes/104@http"]
    kept(books, contract, refused, dict.fromkeys(refused.states, OPEN))
    emptying = replace(next(one for one in cases.values() if one.operation == CAO and one.lane == "desk"), role=role)
    emptying = replace(emptying, twin=None, provoke=None, race=(), states={})
    found = books.in_the_way(emptying, contract.operations[CAO], DESK)
    assert bool(found) is in_the_way
    assert len(books.page(DESK).standing) == (not in_the_way)
    assert books.in_the_way(emptying, contract.operations[CAO], OTHER) == []


def test_quote_makes_room_for_another_one_in_its_place(contract: Contract, cases: Mapping[str, Case]) -> None:
    case = cases["cq/roles/anonymous@http"]
    (name,) = (one for one, need in case.states.items() if need.state == "open-quote")
    both = {f"{name}.bid": OPEN, f"{name}.ask": OPEN}
    books = opened()
    books.keep(case, contract.operations[CQ], DESK, [Handle(name, {}, both)], both, 0.0)
    assert [entry.words for entry in books.page(DESK).standing] == ["open-quote in maker.account"]
    (entry,) = books.page(DESK).standing
    assert may_change(case, contract.operations[CQ], DESK, entry), "so nobody repeats it to find out who took the quote"
    assert not may_change(case, contract.operations[CQ], OTHER, entry)
    assert len(books.in_the_way(case, contract.operations[CQ], DESK)) == 1


def test_quote_that_the_quote_of_a_twin_may_have_replaced_does_not_stay(
    contract: Contract, cases: Mapping[str, Case]
) -> None:
    twin = next(
        case
        for case in cases.values()
        if case.operation == CQ and case.twin is not None and not case.cancels and case.lane == "desk"
    )
    (name,) = (one for one, need in twin.states.items() if need.state == "open-quote")
    both = {f"{name}.bid": OPEN, f"{name}.ask": OPEN}
    for case, stands in ((replace(twin, twin=None), 1), (twin, 0)):
        books = opened()
        back = books.keep(case, contract.operations[CQ], DESK, [Handle(name, {}, both)], both, 0.0)
        assert (len(books.page(DESK).standing), len(back)) == (stands, 1 - stands)


def test_look_is_due_when_enough_has_stood_long_enough(contract: Contract, cases: Mapping[str, Case]) -> None:
    books, case = opened(), cases["co/codes/104@http"]
    for _ in range(ENOUGH):
        assert not books.is_due(DESK, 10.0, 1.0)
        kept(books, contract, case, dict.fromkeys(case.states, OPEN), now_s=5.0)
    assert not books.is_due(DESK, 5.5, 1.0)
    assert books.is_due(DESK, 6.0, 1.0)
    for _ in range(MAX_BAIT - ENOUGH):
        kept(books, contract, case, dict.fromkeys(case.states, OPEN), now_s=5.0)
    assert books.is_due(DESK, 5.5, 1.0)


@pytest.mark.parametrize("most", [0, 1, 2, 3, 5, MAX_BAIT])
@pytest.mark.parametrize("holds_all", [False, True])
def test_no_more_orders_stand_as_bait_than_the_target_file_allows(
    most: int, holds_all: bool, contract: Contract, cases: Mapping[str, Case]
) -> None:
    books = Books(most=most)
    books.begin((DESK, OTHER))
    books.holds_all = holds_all and most > 0
    order, quote = cases["co/codes/104@http"], cases["cq/roles/anonymous@http"]
    (name,) = (one for one, need in quote.states.items() if need.state == "open-quote")
    sides = {f"{name}.bid": OPEN, f"{name}.ask": OPEN}
    stood = 0
    for turn in range(2 * MAX_BAIT):
        case, handle = (quote, Handle(name, {}, sides)) if turn % 3 == 2 else (order, *handles(order)[:1])
        back = books.keep(case, contract.operations[case.operation], DESK, [handle], handle.before, 0.0)
        standing = books.page(DESK).standing
        assert (handle in back) is (len(standing) == stood), "what does not stand is taken back"
        stood = len(standing)
        assert sum(len(one.expected) for one in standing) <= most
    assert stood >= most // 2
    assert books.open is (most > 0)
    assert books.overflowed is books.holds_all


def test_run_keeps_to_the_bait_that_the_target_file_allows(
    contract: Contract, cases: Mapping[str, Case], book: Book
) -> None:
    some = [case for name, case in cases.items() if name.startswith("co/fields/") and name.endswith("@http")]
    most_open = {most: at_most_open(contract, some, book, most) for most in (0, 3, MAX_BAIT)}
    assert most_open[0] < most_open[3] <= most_open[0] + 3 < most_open[MAX_BAIT], most_open


def at_most_open(contract: Contract, some: Sequence[Case], book: Book, most: int) -> int:
    """How many orders were open at the same moment at the most, with cases one after the other at one desk."""
    counts = [0]

    class Counting:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await self.app(scope, receive, send)
            counts.append(len(book.every_open()))

    with live(wrap=Counting) as server:
        text = pointed(sample("alphapoint"), server.url)
        target = tomllib.loads(text)
        target["limits"] |= {"max_bait": most, "concurrency": 1, "settle_s": 0.1}
        target["services"]["alphapoint"]["desks"] = target["services"]["alphapoint"]["desks"][:1]
        results = judge_all(contract, some, target)
    assert {one.verdict for one in results.values()} <= {Verdict.PASS, Verdict.NOT_VERIFIED}
    assert book.every_open() == []
    return max(counts)


@pytest.mark.parametrize(
    ("seen", "suspicions"), [(OPEN, []), (CANCELLED, [CANCELLED]), (EXECUTED, []), ("unknown", []), (None, [])]
)
def test_only_what_is_shown_as_cancelled_is_suspicious(
    seen: str | None, suspicions: Sequence[str], contract: Contract, cases: Mapping[str, Case]
) -> None:
    books, case = opened(), cases["co/codes/104@http"]
    kept(books, contract, case, dict.fromkeys(case.states, OPEN))
    (entry,) = books.page(DESK).standing
    shown = {} if seen is None else dict.fromkeys(entry.expected, seen)
    right = books.compare([entry], shown, 3.0)
    assert [one.seen for one in books.suspicions] == suspicions
    assert [one.looked_s for one in right] == ([] if suspicions else [3.0 if seen is not None else 0.0])


def faulty(contract: Contract, cases: Mapping[str, Case], fault: str, prefixes: Sequence[str]) -> list[CaseResult]:
    """The results of some cases on a fault of the reference, those that were revised last."""
    variant = FAULTS[fault]
    suspect = Suspect(variant.id, "fault", variant.operation, variant.requirements)
    some = [case for name, case in cases.items() if name.startswith(tuple(prefixes))]

    async def tried() -> list[CaseResult]:
        async with warm_reference() as reference:
            return list(await results_of(contract, some, suspect, reference))

    return asyncio.run(tried())


@pytest.mark.parametrize(
    ("fault", "prefixes"),
    [
        ("co-open-again-later", ("co/effects", "co/fields", "co/ways")),
        ("co-refused-done-later", ("co/fields", "co/codes")),
        ("co-every-6th-quote", ("co/combinations/0", "co/combinations/1")),
        ("co-undone-at-logout", ("co/effects", "co/session", "co/ways")),
    ],
)
def test_change_behind_the_look_of_its_case_is_found_on_the_message_that_did_it(
    fault: str, prefixes: Sequence[str], contract: Contract, cases: Mapping[str, Case]
) -> None:
    found = [one for one in faulty(contract, cases, fault, prefixes) if one.revised and one.findings]
    assert found
    for result in found:
        assert result.verdict is Verdict.FAIL
        assert [one.check for one in result.findings] == [STANDING.id]
        assert {one.requirement for one in result.findings} <= set(FAULTS[fault].requirements)
        assert any(one.purpose == "judged" for one in result.exchanges)


class Once:
    """The reference, and somebody who cancels an order that stands, once: whoever it is, no message of the run."""

    def __init__(self, app: Any, book: Book) -> None:
        self.app, self.book, self.calls = app, book, 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope.get("path", "").lower().endswith("/cancelorder"):
            self.calls += 1
            if self.calls == 30:
                self.book.cancel([one.order_id for one in self.book.every_open()][:1])
        await self.app(scope, receive, send)


@pytest.fixture
def book(monkeypatch: pytest.MonkeyPatch) -> Book:
    """The book of the next server."""
    kept = Book()

    def with_book(world: Any, **options: Any) -> Any:
        return with_alphapoint(default_parts(world, **options), book=kept)

    monkeypatch.setattr("reference_impl.serve.default_parts", with_book)
    return kept


def test_change_that_repeating_does_not_show_is_blamed_on_nobody(
    contract: Contract, cases: Mapping[str, Case], book: Book
) -> None:
    some = [case for name, case in cases.items() if name.startswith("co/fields/") and name.endswith("@http")]
    with live(wrap=lambda app: Once(app, book)) as server:
        text = pointed(sample("alphapoint"), server.url).replace("settle_s = 2", "settle_s = 0.2")
        results = judge_all(contract, some, text)
    assert {one.verdict for one in results.values()} <= {Verdict.PASS, Verdict.NOT_VERIFIED}
    (told,) = (one for one in results.values() if one.verdict is Verdict.NOT_VERIFIED)
    assert "repeating them did not show why" in told.reason


def test_run_leaves_nothing_standing(contract: Contract, cases: Mapping[str, Case], book: Book) -> None:
    some = [case for name, case in cases.items() if name.startswith(("co/fields/a", "cq/fields/a", "cao/effects"))]
    with live() as server:
        text = pointed(sample("alphapoint"), server.url).replace("settle_s = 2", "settle_s = 0.2")
        results = judge_all(contract, some, text)
    assert {one.verdict for one in results.values()} <= {Verdict.PASS, Verdict.NOT_APPLICABLE, Verdict.NOT_VERIFIED}
    assert [one for one in results.values() if one.verdict is Verdict.NOT_VERIFIED and "standing" in one.reason] == []
    assert book.every_open() == []
