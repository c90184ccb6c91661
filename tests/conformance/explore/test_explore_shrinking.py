"""Shrinking: the smallest trial that still breaks, and what only some ids show."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable

import pytest

from conformance.cases.generated.account_model import OrderOrQuote, Request
from conformance.cases.generated.accounts import AccountTrial, CancelOne, PlannedState
from conformance.cases.generated.lists import Instruction, ListTrial, ManyTrial, SetUpOrder, tidy
from conformance.cases.generated.rules import SearchSpace, Trial, Wire, search_space
from conformance.cases.generated.source import sources
from conformance.contract.load import load_contract
from conformance.explore.findings import Budget, shrink
from conformance.explore.search import CorpusTrial
from conformance.formats.xml.format import XML

CONTRACT = load_contract()
UID = "a7000000-0000-0000-0000-000000000001"


def space(name: str) -> SearchSpace:
    """The space of one operation."""
    found = search_space(sources(CONTRACT, [name], 0)[0], (), ())
    assert found is not None
    return found


LIST = space("tpp.create_cancellations")
ALL = space("alphapoint.cancel_all_orders")
ONE = space("alphapoint.cancel_order")


def shrunk(trial: Trial, breaks: Callable[[Trial], bool], tries: int = 500) -> tuple[Trial, bool]:
    """What becomes of a trial; nothing is sent."""

    async def asked(candidate: Trial) -> bool:
        return candidate.case() is not None and breaks(candidate)

    return asyncio.run(shrink(trial, asked, Budget(tries, 1.0, lambda: 0.0)))


def unknown(uid: str, **more: object) -> Instruction:
    """An international instruction for an order that does not exist."""
    members = {
        "OrderID": None,
        "CreatorID": "${creator}",
        "PIN": "0000",
        "IsInternationalOrder": True,
        "InternationalOrderUID": uid,
    }
    return Instruction({**members, **more})


def open_order(name: str) -> Instruction:
    """A domestic instruction for an order that is set up."""
    return Instruction(
        {"OrderID": f"${{{name}.OrderID}}", "CreatorID": None, "PIN": "${pin}", "IsInternationalOrder": False}, name
    )


def has_uid(trial: Trial) -> bool:
    """Breaks for one UID, in XML."""
    assert isinstance(trial, ListTrial)
    xml = trial.wire.channel.format is XML
    return xml and any(one.members.get("InternationalOrderUID") == UID for listed in trial.lists for one in listed)


def xml_wire(form: int = 0) -> Wire:
    """The first XML channel."""
    return Wire(next(one for one in LIST.channels if one.format is XML), form, 2)


def test_other_instructions_lists_orders_forms_and_members_fall_away() -> None:
    first = (open_order("o0"), unknown("b" + UID[1:]))
    last = (open_order("o1"), unknown(UID), unknown("c" + UID[1:]))
    trial = ListTrial(
        LIST, xml_wire(3), (first, last), {"o0": SetUpOrder("open-order"), "o1": SetUpOrder("open-order", 1)}
    )
    smallest, again = shrunk(trial, has_uid)
    assert again
    assert isinstance(smallest, ListTrial)
    assert smallest == ListTrial(LIST, Wire(xml_wire().channel), ((unknown(UID, PIN="${order.PIN|pin}"),),))


def test_copies_and_twins_fall_away() -> None:
    trial = ListTrial(LIST, xml_wire(), ((unknown(UID),),), twin=Wire(LIST.channels[0]))
    smallest, _ = shrunk(trial, has_uid)
    assert isinstance(smallest, ListTrial)
    assert smallest.twin is None


def test_copies_of_a_list_that_may_be_refused_as_a_whole_may_be_refused() -> None:
    incomplete = unknown(UID, CreatorID=None)
    once, twice = (ListTrial(LIST, xml_wire(), ((incomplete,),), copies=copies).case() for copies in (1, 2))
    assert once is not None
    assert twice is not None
    refused = [one for one in once.expect.any_of if "form" in one.wanted]
    assert refused
    assert [one for one in twice.expect.any_of if "form" in one.wanted] == refused
    assert twice.expect.any_of[0].wanted == {"results": ["any"]}


def test_a_budget_ends_it_with_what_it_has() -> None:
    trial = ListTrial(LIST, xml_wire(), ((unknown(UID), unknown(UID), unknown(UID)),))
    smallest, again = shrunk(trial, has_uid, tries=2)
    assert again
    assert isinstance(smallest, ListTrial)
    assert len(smallest.lists[0]) == 2


def test_what_does_not_happen_again_is_kept_as_it_was() -> None:
    trial = ListTrial(LIST, xml_wire(), ((unknown(UID),),))
    assert shrunk(trial, lambda _: False) == (trial, False)


def test_what_only_some_given_ids_show_is_looked_for_among_more_orders() -> None:
    trial = ListTrial(LIST, xml_wire(), ((open_order("o0"),),), {"o0": SetUpOrder("open-order")})
    smallest, again = shrunk(trial, lambda one: isinstance(one, ManyTrial) and one.count >= 256)
    assert again
    assert isinstance(smallest, ManyTrial)
    assert smallest.count == 256


def test_very_many_orders_shrink_only_as_far_as_they_break_each_time() -> None:
    turns = itertools.count()

    def breaks(one: Trial) -> bool:
        assert isinstance(one, ManyTrial)
        return one.count >= 32 or (one.count >= 8 and next(turns) % 2 == 0)

    smallest, again = shrunk(ManyTrial(LIST, Wire(LIST.channels[0]), "open-order", 64), breaks)
    assert again
    assert isinstance(smallest, ManyTrial)
    assert smallest.count == 32


def test_calls_and_things_of_a_book_fall_away() -> None:
    order = [
        PlannedState(OrderOrQuote(f"o{number}", quote=False, account="account", instrument="instrument"), after=number)
        for number in range(3)
    ]
    steps = (Request("trading", account="account"), CancelOne("o1"), Request("trading", account="account"))
    trial = AccountTrial(ALL, Wire(ALL.channels[0], 2), "trading", steps, tuple(order), keys="pascal")
    smallest, _ = shrunk(
        trial, lambda one: isinstance(one, AccountTrial) and any(placed.thing.name == "o2" for placed in one.placed)
    )
    assert isinstance(smallest, AccountTrial)
    assert [placed.thing.name for placed in smallest.placed] == ["o2"]
    assert len(smallest.steps) == 1
    assert (smallest.keys, smallest.wire) == ("documented", Wire(ALL.channels[0]))


def test_very_many_orders_of_a_book_shrink_as_far_as_they_break() -> None:
    many = PlannedState(OrderOrQuote("many", quote=False, account="account", instrument="instrument"), count=51)
    trial = AccountTrial(ALL, Wire(ALL.channels[0]), "trading", (Request("trading", account="account"),), (many,))
    smallest, _ = shrunk(
        trial, lambda one: isinstance(one, AccountTrial) and any(each.count > 20 for each in one.placed)
    )
    assert isinstance(smallest, AccountTrial)
    assert smallest.placed[0].count == 26


def test_of_two_numbers_in_a_request_one_falls_away() -> None:
    order = PlannedState(OrderOrQuote("o0", quote=False, account="account", instrument="instrument", client=True))
    request = Request("trading", account="account", order="unknown_order", client="o0.client")
    trial = AccountTrial(ONE, Wire(ONE.channels[0]), "trading", (request,), (order,))
    smallest, _ = shrunk(trial, lambda one: isinstance(one, AccountTrial) and "o0.client" in str(one.steps))
    assert isinstance(smallest, AccountTrial)
    assert smallest.steps == (Request("trading", account="account", client="o0.client"),)
    assert smallest.placed == (order,)


def test_an_order_that_only_an_id_beside_another_names_is_kept() -> None:
    one = open_order("o0")
    beside = Instruction({**one.members, "InternationalOrderUID": "${b1.InternationalOrderUID}"}, "o0")
    things = {
        "o0": SetUpOrder("open-order"),
        "b1": SetUpOrder("open-international-order"),
        "o2": SetUpOrder("open-order"),
    }
    assert set(tidy(ListTrial(LIST, xml_wire(), ((beside,),), things)).things) == {"o0", "b1"}


def test_parts_of_a_corpus_value_fall_away_as_long_as_it_proves_the_same() -> None:
    from conformance.explore.search import judged_value

    value = judged_value(LIST, [{"OrderID": "${unknown_order}"}, {"OrderID": "abc", "CreatorID": 1, "PIN": "1"}])
    assert value is not None
    smallest, _ = shrunk(CorpusTrial(LIST, value, LIST.channels[0], 2), lambda one: True)
    assert isinstance(smallest, CorpusTrial)
    assert smallest.value.value == [{"OrderID": "abc"}]
    assert smallest.value.breaks == "TPP-REQ-ORDERID-TYPE"
    assert smallest.form == 0


@pytest.mark.parametrize("name", sorted(CONTRACT.operations))
def test_every_smaller_trial_can_be_made_a_case_or_is_left_out(name: str) -> None:
    from conformance.explore.search import makers_of, trial_of

    makers = makers_of(space(name))
    for number in range(60):
        _, trial = trial_of(makers, 3, "test", number)
        for smaller in itertools.islice(trial.simpler(), 12):
            smaller.case()
