"""Generated cases: the same for everyone, spread over forms and channels, and true to the form they name."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from conformance.cases.generated.corpus import CorpusValue
from conformance.cases.generated.source import Source, sources
from conformance.cases.generated.stream import find_case, generated_case, numbers, relation_key, value_case
from conformance.cases.make import Channel
from conformance.cases.message import fill_body
from conformance.contract.check.cases import groundless
from conformance.contract.load import load_contract
from conformance.errors import UsageError
from conformance.formats.errors import CodecError
from conformance.formats.json.format import JSON
from conformance.formats.json.read import decode_json
from conformance.formats.xml.format import XML
from conformance.model.case import Case, Transport

CONTRACT = load_contract()
SOURCES = sources(CONTRACT, None, 0)
IDS = {
    "oms": 1, "account": 101, "maker.account": 201, "instrument": 1, "creator": 98765, "pin": "1234",
    "unknown_oms": 987654, "unknown_account": 987654321, "unknown_instrument": 987654, "unknown_order": 1987654321,
    "unknown_order2": 1987654322, "mine": 8,
    "unknown_uid": "00000000-dead-4bad-8bad-000000000000", "quote.bid": 5, "quote.ask": 6, "order.OrderID": 7,
}  # fmt: skip


def first(count: int) -> list[tuple[Source, int, Case]]:
    return [(source, number, generated_case(source, number)) for source, number in numbers(SOURCES, count)]


def test_ids_are_unique_and_lead_back_to_their_case() -> None:
    cases = [case for _, _, case in first(3000)]

    assert len({case.id for case in cases}) == len(cases)
    for case in cases[::400]:
        assert find_case(CONTRACT, case.id, 0) == case


def test_an_id_that_is_no_generated_case_finds_nothing() -> None:
    assert find_case(CONTRACT, "cao/codes/20@http", 0) is None
    assert find_case(CONTRACT, "cao/generated/99999999@http", 0) is None
    assert find_case(CONTRACT, "cao/generated/000001@nowhere", 0) is None


def test_the_first_thousands_cover_every_form_channel_and_kind_of_value() -> None:
    cases = [case for _, _, case in first(5000)]

    named = {form.name for form in (*JSON.forms, *XML.forms)}
    assert {
        case.title.partition(": ")[2].partition(",")[0] for case in cases if not case.title.startswith("live")
    } == named
    assert {(case.operation, case.transport, case.media_type) for case in cases} >= {
        (source.operation.id, channel.transport, channel.media_type)
        for source in SOURCES
        for channel in source.channels
    }
    assert any(case.states for case in cases)
    breaking = Counter("breaks" in case.title for case in cases)
    assert min(breaking[True], breaking[False]) > 1500


def test_more_than_the_corpus_has_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="more than the corpus has"):
        list(numbers(SOURCES, 10**9))


def test_a_part_is_a_prefix_of_the_whole() -> None:
    assert list(numbers(SOURCES, 500)) == list(numbers(SOURCES, 2000))[:500]


def test_legal_json_forms_carry_the_same_value_and_broken_ones_none() -> None:
    for source, _, case in first(4000):
        if case.title.startswith("live") or case.media_type.endswith("xml"):
            continue
        body = fill_body(case.message.body, IDS, JSON)
        if case.title.startswith("legal"):
            decode_json(body)
        elif case.title.startswith("broken") and isinstance(source.values[0].value, dict | list):
            try:
                value = decode_json(body).value
            except CodecError:
                continue
            assert not isinstance(value, dict | list), case


def test_legal_forms_of_one_positive_value_decode_alike() -> None:
    seen: dict[tuple[str, int], object] = {}
    compared = 0
    for source, number, case in first(12_000):
        key = relation_key(source, number, case)
        if (
            key is None
            or not source.values[number % len(source.values)].positive
            or not case.media_type.endswith("json")
        ):
            continue
        value = decode_json(fill_body(case.message.body, IDS, JSON)).value
        compared += key in seen
        assert seen.setdefault(key, value) == value, case
    assert compared > 300


def test_legal_xml_forms_of_a_positive_value_are_valid_and_carry_it() -> None:
    for source, number, case in first(6000):
        value = source.values[number % len(source.values)]
        if (
            not case.media_type.endswith("xml")
            or not case.title.startswith("legal")
            or not value.positive
            or case.states
        ):
            continue
        reading = source.codecs[XML].decode(fill_body(case.message.body, IDS, XML))
        assert reading.problems == (), case
        entries = source.operation.shape.entries
        assert len(entries(reading.value) or ()) == len(entries(value.value) or ())


def test_a_value_that_breaks_the_schema_never_expects_a_success() -> None:
    for source, number, case in first(6000):
        value = source.values[number % len(source.values)]
        if value.positive or case.states or case.operation != "tpp.create_cancellations":
            continue
        for alternative in case.expect.any_of:
            results = alternative.wanted.get("results", "none")
            assert results in ("none", []), case


@pytest.mark.parametrize(
    ("text", "understood"),
    [("0", True), (" 7 ", True), ("\n0", True), ("1\t", True), ("\u0660", True), ("1e0", True), ("0x1", True), ("", True), ("\u2003", True),
     ("abc", False), ("0 or 1=1", False), ("\x00", False), ("null", False)],
)  # fmt: skip
def test_a_text_that_a_reader_may_make_a_number_of_may_be_done(text: str, understood: bool) -> None:
    """A document that asks for a number does not say what becomes of a text that holds one."""
    source = next(one for one in SOURCES if one.operation.id == "alphapoint.cancel_all_orders")
    value = CorpusValue({"OMSId": "${oms}", "AccountId": text}, False, "CAO-REQ-ACCOUNTID-TYPE")
    case = value_case(source, value, Channel(Transport.HTTP, "application/json"), JSON.forms[0], 0)
    assert (0 in case.expect.any_of[0].wanted["code"]) is understood
    assert case.lane == ("desk" if understood else "shared")


def test_live_cases_vary_roles_states_lists_and_sequences_and_are_the_same_for_everyone() -> None:
    live = [(source, number, case) for source, number, case in first(5000) if case.title.startswith("live")]
    assert len(live) > 150
    for source, number, case in live[::20]:
        assert generated_case(source, number) == case
    cases = [case for _, _, case in live]
    assert {case.role for case in cases} >= {"operator", "trading", "marketmaker", "client"}
    assert {need.state for case in cases for need in case.states.values()} >= {
        "open-order",
        "open-quote",
        "pin-order",
        "executed-order",
    }
    assert any(case.before for case in cases)
    assert any(case.together > 1 for case in cases)
    assert any(case.twin for case in cases)
    assert any(len(case.states) > 2 for case in cases)


def test_another_seed_gives_other_live_cases() -> None:
    here = [generated_case(source, number) for source, number in numbers(SOURCES, 400)]
    there = [generated_case(replace(source, seed=1), number) for source, number in numbers(SOURCES, 400)]
    assert [one == other for one, other in zip(here, there, strict=True) if one.title.startswith("live")].count(
        True
    ) < 5


def test_what_may_succeed_on_an_account_has_a_desk_to_itself() -> None:
    """A value without an account empties the caller's own one, and a live case beside it would see that."""
    for source, _, case in first(6000):
        may_act = any(0 in one.wanted.get("code", ()) for one in case.expect.any_of)
        if not source.operation.shape.listed and may_act:
            assert case.lane == "desk", case.id


def test_a_value_that_xml_cannot_say_whole_is_compared_in_json_alone() -> None:
    """A server may refuse members that no document names, and in XML they are not there."""
    compared = Counter[str]()
    for source, number, case in first(6000):
        key = relation_key(source, number, case)
        if key is None or not case.media_type.endswith("xml"):
            continue
        names = source.operation.fields
        items = source.operation.shape.entries(source.values[number % len(source.values)].value) or ()
        assert all(set(item) <= set(names) for item in items), case.id
        compared[case.media_type] += 1
    assert min(compared.values()) > 100


def test_what_some_readers_take_for_no_list_may_be_answered_as_an_empty_one() -> None:
    broken = [case for _, _, case in first(12_000) if case.title.startswith("broken")]
    taken = {case.message.body.text for case in broken if _may_be_empty(case)}

    assert taken
    assert all(text.lstrip().startswith(('""', "null")) or not text.strip() for text in taken)
    assert any(case.message.body.text.startswith("[") for case in broken if not _may_be_empty(case))
    assert not any(case.media_type.endswith("xml") for case in broken if _may_be_empty(case))


def test_every_answer_names_what_allows_it() -> None:
    contract = load_contract()
    known = {one.id: one.requirements | contract.rulings.keys() for one in contract.operations.values()}
    without = [(case.id, one) for _, _, case in first(6000) for one in groundless(case.expect, known[case.operation])]

    assert without == []


def _may_be_empty(case: Case) -> bool:
    return any(one.wanted == {"results": []} for one in case.expect.any_of)
