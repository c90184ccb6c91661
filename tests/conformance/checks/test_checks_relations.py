"""Two ways to say the same are answered alike; wording, format and readings of form are left aside."""

from __future__ import annotations

from typing import Any

import pytest
from checks_support import (
    CAO,
    CQ,
    TPP,
    XML,
    case,
    error,
    error_xml,
    failed,
    frame,
    http,
    instruction,
    judged,
    result,
    result_xml,
    results_xml,
    success,
    ws,
)

from conformance.checks.answer import Judgement
from conformance.checks.outcome import compare, forms_differ
from conformance.model.case import Alternative, Body, Message, Transport, Twin

ANY = Alternative({})


def twin(*, order: tuple[int, ...] = ()) -> Twin:
    return Twin("said-otherwise", "TWIN", Transport.HTTP, "application/json", (Message(Body("")),), order=order)


def on(operation: str, body: Any, status: int = 200, media: str = "application/json", sent: Any = None) -> Judgement:
    return judged(case(operation, ANY), http(body, status, media), sent=sent)


def holds(first: Judgement, *seconds: Judgement, order: tuple[int, ...] = ()) -> bool:
    return compare(twin(order=order), first, seconds) == ()


def test_the_same_outcome_in_other_words_holds() -> None:
    assert holds(on(CAO, error(100, detail="a")), on(CAO, error(100, detail="b"), 400))
    assert holds(on(TPP, [result()]), on(TPP, results_xml(result_xml()), media=XML))
    assert holds(on(TPP, '"no"', 400), on(TPP, error_xml("cannot"), 422, XML))
    assert holds(on(TPP, '{"Message":"a"}', 415), on(TPP, "", 415))


@pytest.mark.parametrize(
    ("operation", "first", "second"),
    [
        (CAO, success(), error(20)),
        (CAO, error(20), error(104)),
        (CQ, {"BidResult": error(104), "AskResult": success()}, {"BidResult": success(), "AskResult": error(104)}),
        (CQ, {"BidResult": error(20), "AskResult": error(20)}, error(20)),
        (TPP, [result()], [failed()]),
        (TPP, [result(), failed()], [failed(), result()]),
    ],
)
def test_another_outcome_is_found(operation: str, first: Any, second: Any) -> None:
    assert not holds(on(operation, first), on(operation, second))


def test_a_list_and_a_refusal_differ() -> None:
    assert not holds(on(TPP, [failed()]), on(TPP, '"no"', 400))


def test_the_finding_shows_both_sides() -> None:
    (finding,) = compare(twin(), on(CAO, success()), [on(CAO, error(20))])
    assert (finding.requirement, finding.expected, finding.actual) == (
        "TWIN", "HTTP 200; code 0, result true", "HTTP 200; code 20, result false",
    )  # fmt: skip


def test_http_and_websocket_are_compared_by_their_objects() -> None:
    over_ws = judged(case(CAO, ANY, transport=Transport.WS), ws(frame(error(20))), sent=frame({}))
    assert holds(on(CAO, error(20), 403), over_ws)
    assert not holds(on(CAO, success()), over_ws)


def test_several_lists_stand_for_one_in_their_order() -> None:
    whole = on(TPP, [result(1), failed(2)], sent=[instruction(1), instruction(2)])
    assert holds(whole, on(TPP, [result(1)]), on(TPP, [failed(2)]))
    assert not holds(whole, on(TPP, [failed(1)]), on(TPP, [result(2)]))


def test_a_permuted_list_is_put_back_in_order() -> None:
    whole = on(TPP, [result(1), failed(2), failed(3)])
    backwards = on(TPP, [failed(3), failed(2), result(1)])
    assert holds(whole, backwards, order=(2, 1, 0))
    assert not holds(whole, backwards)
    assert not holds(whole, on(TPP, [failed(3)]), order=(2, 1, 0))


def test_what_could_not_be_read_is_not_compared() -> None:
    assert holds(Judgement(), on(CAO, success()))
    assert holds(on(CAO, success()), Judgement())


def test_two_forms_of_one_value_answered_differently_are_named() -> None:
    finding = forms_differ("TWIN", "tpp/a@http", "code 0", "code 20")
    assert (finding.requirement, finding.expected, finding.actual) == ("TWIN", "code 0", "code 20")
    assert finding.message.endswith("tpp/a@http")
