"""One result for each instruction, carrying the id that the instruction was for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from checks_support import (
    TPP,
    UID,
    XML,
    abroad,
    broken,
    case,
    failed,
    http,
    instruction,
    judged,
    kit,
    result,
    result_xml,
    results_xml,
)

from conformance.checks.identity import instructions_of, match_results
from conformance.formats.json.format import JSON as JSON_FORMAT
from conformance.formats.xml.format import XML as XML_FORMAT
from conformance.model.case import Alternative

OTHER_UID = "03024a3c-8682-4951-8729-44f2df6f2f8b"


def judgement_on(sent: Any, results: Any, *alternatives: Alternative) -> list[str]:
    """The findings where any outcome of as many results as there are instructions is right."""
    anything = Alternative({"results": ["any"] * len(sent)})
    return broken(judged(case(TPP, *(alternatives or (anything,))), http(results), sent=sent))


def of(uid: str | None, **changes: Any) -> dict[str, Any]:
    return result(None, InternationalOrderUID=uid, **changes)


RIGHT: dict[str, tuple[Any, Any]] = {
    "one": ([instruction(1)], [result(1)]),
    "several": ([instruction(1), abroad()], [result(1), of(UID)]),
    "another-order": ([instruction(1), abroad(), instruction(3)], [of(UID), result(3), result(1)]),
    "uid-in-upper-case": ([abroad()], [of(UID.upper())]),
    "uid-sent-in-upper-case": ([abroad(UID.upper())], [of(UID)]),
    "member-left-out": ([instruction(1)], [result(1, InternationalOrderUID=...)]),
    "spare-id-echoed": ([instruction(1, InternationalOrderUID=UID)], [result(1, InternationalOrderUID=UID)]),
    "spare-id-null": ([instruction(1, InternationalOrderUID=UID)], [result(1)]),
    "nothing-named": ([instruction(None)], [failed(None)]),
    "no-id-of-its-kind": ([instruction("abc")], [failed(None)]),  # type: ignore[arg-type]
    "no-id-in-32-bits": ([instruction(2**40)], [failed(0)]),
    "unusable-between": ([instruction("abc"), instruction(2)], [result(2), failed(None)]),  # type: ignore[arg-type]
    "unusable-first-takes-what-is-left": (
        [instruction("abc"), instruction(2), instruction(3)], [result(3), result(2), failed(None)],  # type: ignore[arg-type]
    ),
    "flag-of-no-boolean-read-as-true": ([instruction(1, IsInternationalOrder=2)], [failed(None)]),
    "flag-of-no-boolean-read-as-false": ([instruction(1, IsInternationalOrder=2)], [failed(1)]),
    "flag-null": ([instruction(1, IsInternationalOrder=None, InternationalOrderUID=UID)], [failed(1)]),
    "one-order-twice": ([instruction(1), instruction(1)], [result(1), failed(1)]),
    "one-order-twice-the-spare-id-last": (
        [instruction(1, InternationalOrderUID=UID), instruction(1)], [failed(1), result(1, InternationalOrderUID=UID)],
    ),
}  # fmt: skip
WRONG: dict[str, tuple[Any, Any, str]] = {
    "another-id": ([instruction(1)], [result(2)], "TPP-RESP-IDENTITY"),
    "null-id": ([instruction(1)], [result(None)], "TPP-RESP-IDENTITY"),
    "null-id-for-an-order-without-a-flag": (
        [instruction(1, IsInternationalOrder=...)],
        [failed(None)],
        "TPP-RESP-IDENTITY",
    ),
    "id-left-out": ([instruction(1)], [result(1, OrderID=...)], "TPP-RESP-IDENTITY"),
    "another-uid": ([abroad()], [of(OTHER_UID)], "TPP-RESP-IDENTITY"),
    "order-for-uid": ([abroad()], [result(1)], "TPP-RESP-IDENTITY"),
    "another-spare-id": (
        [instruction(1, InternationalOrderUID=UID)],
        [result(1, InternationalOrderUID=OTHER_UID)],
        "TPP-RESP-IDENTITY",
    ),
    "another-id-behind-a-flag-of-no-boolean": (
        [instruction(1, IsInternationalOrder=2)],
        [failed(3)],
        "TPP-RESP-IDENTITY",
    ),
    "id-out-of-nothing": ([instruction(None)], [failed(7)], "TPP-RESP-IDENTITY"),
    "one-right-one-wrong": ([instruction(1), instruction(2)], [result(1), result(3)], "TPP-RESP-IDENTITY"),
    "the-same-twice": ([instruction(1), instruction(2)], [result(1), result(1)], "TPP-RESP-IDENTITY"),
    "one-too-few": ([instruction(1), instruction(2)], [result(1)], "TPP-RESP-ONE-EACH"),
    "one-too-many": ([instruction(1)], [result(1), result(1)], "TPP-RESP-ONE-EACH"),
    "none": ([instruction(1)], [], "TPP-RESP-ONE-EACH"),
    "out-of-nothing": ([], [result(1)], "TPP-RESP-ONE-EACH"),
}


@pytest.mark.parametrize("name", RIGHT)
def test_results_that_belong_have_no_finding(name: str) -> None:
    sent, results = RIGHT[name]
    assert judgement_on(sent, results) == []


@pytest.mark.parametrize("name", WRONG)
def test_results_that_do_not_belong_are_found(name: str) -> None:
    sent, results, requirement = WRONG[name]
    assert judgement_on(sent, results) == [requirement]


def test_a_wrong_count_blocks_what_is_behind_it() -> None:
    judgement = judged(case(TPP, Alternative({"results": [True]})), http([]), sent=[instruction()])
    assert judgement.blocked == ("outcome", "effect")


def test_an_empty_list_is_no_wrong_count_where_the_list_may_be_lost() -> None:
    lost = Alternative({"results": []})
    assert judgement_on([instruction("abc")], [], Alternative({"results": [False]}), lost) == []  # type: ignore[arg-type]


def test_results_are_judged_in_the_order_of_their_instructions() -> None:
    expected = Alternative({"results": [True, False]})
    assert judgement_on([instruction(1), instruction(2)], [failed(2), result(1)], expected) == []
    assert judgement_on([instruction(1), instruction(2)], [result(2), failed(1)], expected) == ["CASE"]


@pytest.mark.parametrize(
    ("sent", "results", "reading"),
    [
        ([instruction(1), instruction(2)], [result(1), result(2)], ("result-order=same",)),
        ([instruction(1), instruction(2)], [result(2), result(1)], ("result-order=other",)),
        ([instruction(1)], [result(1)], ()),
    ],
)
def test_the_order_is_seen(sent: Any, results: Any, reading: tuple[str, ...]) -> None:
    assert match_results(kit(TPP), tuple(sent), tuple(results)).readings == reading


def test_the_finding_says_which_id_was_wanted() -> None:
    (finding,) = match_results(kit(TPP), (instruction(1), abroad()), (result(1), of(OTHER_UID))).findings
    assert (finding.expected, finding.actual, finding.at) == (
        f'InternationalOrderUID "{UID}"', f'InternationalOrderUID "{OTHER_UID}"', "/1/InternationalOrderUID",
    )  # fmt: skip


def test_of_two_wrong_ids_the_finding_shows_the_one_that_decides() -> None:
    sent, came = abroad(OrderID=1), of(OTHER_UID, OrderID=2)
    (finding,) = match_results(kit(TPP), (sent,), (came,)).findings
    assert finding.at == "/0/InternationalOrderUID"


NS = "http://schemas.datacontract.org/2004/07/"


def sent_xml(inner: str) -> bytes:
    return f'<ArrayOfCancellationCreation xmlns="{NS}"><CancellationCreation>{inner}</CancellationCreation></ArrayOfCancellationCreation>'.encode()


@pytest.mark.parametrize(
    ("body", "xml", "read"),
    [
        (b"[]", False, True),
        (json.dumps([instruction()]).encode(), False, True),
        (b"{}", False, False),
        (b"[1]", False, False),
        (b"[", False, False),
        (b'[{"OrderID":1,"OrderID":2}]', False, False),
        (b'[{"orderid":1}]', False, False),
        (b'[{"OrderID":1,"Reason":"x"}]', False, False),
        (sent_xml("<OrderID>1</OrderID>"), True, True),
        (sent_xml("<OrderID>abc</OrderID>"), True, True),
        (sent_xml("<PIN>1</PIN><OrderID>1</OrderID>"), True, False),
        (sent_xml("<Reason>1</Reason>"), True, False),
        (b"<a", True, False),
    ],
)
def test_only_what_every_reader_reads_alike_is_matched(body: bytes, xml: bool, read: bool) -> None:
    found = instructions_of(body, kit(TPP).codec(XML_FORMAT if xml else JSON_FORMAT), kit(TPP).operation.fields)
    assert (found is not None) is read


def test_what_only_a_lenient_reader_reads_is_not_matched() -> None:
    assert judgement_on([{"orderid": 1}], [result(1), result(2)], Alternative({"results": ["any", "any"]})) == []


def test_instructions_in_xml_are_matched_with_results_in_xml() -> None:
    one = case(TPP, Alternative({"results": ["any"]}), media_type=XML)
    sent = sent_xml("<OrderID>1001</OrderID>")
    assert broken(judged(one, http(results_xml(result_xml()), media=XML), sent=sent)) == []
    other = results_xml(result_xml(order="<OrderID>1002</OrderID>"))
    assert broken(judged(one, http(other, media=XML), sent=sent)) == ["TPP-RESP-IDENTITY"]


def test_a_list_that_no_alternative_wants_is_a_wrong_outcome_alone() -> None:
    assert judgement_on([instruction(1)], [result(2)], Alternative({"form": "refused"})) == ["CASE"]
