"""Families that an operation samples: which of their cases stay, and that nothing is lost that has no other case."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from conformance.cases.build import build_cases
from conformance.cases.fixtures import family_of
from conformance.cases.sample import sampled
from conformance.contract.load import load_contract
from conformance.errors import SpecError
from conformance.model.case import Case

CONTRACT = load_contract()
ONE = CONTRACT.operations["tpp.create_cancellation"]
WHOLE = build_cases(replace(ONE, sampled={}))
KEPT = build_cases(ONE)


def messages(cases: tuple[Case, ...]) -> Counter[tuple[str, str]]:
    return Counter((one.id.partition("@")[0], one.media_type.rpartition("/")[2]) for one in cases)


def test_what_stays_is_what_would_be_there_in_one_media_type_of_each_format() -> None:
    assert {one.id for one in KEPT} < {one.id for one in WHOLE}
    for family, share in ONE.sampled.items():
        kept = tuple(one for one in KEPT if family_of(one.id) == family and one.code is None)
        whole = tuple(one for one in WHOLE if family_of(one.id) == family and one.code is None)
        if family == "spelled":
            continue
        assert {name for name, _ in messages(kept)} == {name for name, _ in messages(whole)}
        if share == "format":
            assert set(messages(kept)) == set(messages(whole))
            assert set(messages(kept).values()) == {1}
        else:
            assert set(Counter(name for name, _ in messages(kept).elements()).values()) == {1}


def test_each_spelling_stays_with_one_request_in_each_format() -> None:
    kept = [one.title for one in KEPT if family_of(one.id) == "spelled"]
    assert set(kept) == {one.title for one in WHOLE if family_of(one.id) == "spelled"}
    assert set(Counter(kept).values()) <= {1, 2}
    names = [one.id.partition("@")[0] for one in KEPT if family_of(one.id) == "spelled"]
    assert {end for end in ("-refused", "-with-secret") if any(name.endswith(end) for name in names)} == {
        "-refused", "-with-secret",
    }  # fmt: skip


def test_each_media_type_has_its_share_and_each_cell_of_the_table_of_codes_its_case() -> None:
    for family in ("conditions", "fields", "forms"):
        shares = Counter(one.media_type for one in KEPT if family_of(one.id) == family)
        assert set(shares) == set(ONE.media_types)
        assert min(shares.values()) * 3 > max(shares.values())
    assert {(one.code, one.media_type) for one in KEPT if one.code} == {
        (one.code, one.media_type) for one in WHOLE if one.code
    }


def test_a_requirement_keeps_cases() -> None:
    assert {name for one in KEPT for name in one.requirements} == {name for one in WHOLE for name in one.requirements}


def test_what_stays_does_not_hang_on_other_cases() -> None:
    fewer = tuple(one for one in WHOLE if "/forms/cut-off" not in one.id)
    assert {one.id for one in sampled(ONE, fewer)} == {one.id for one in KEPT if "/forms/cut-off" not in one.id}


def test_a_family_without_cases_is_an_error() -> None:
    with pytest.raises(SpecError, match="sampled: no case is of the family 'condition'"):
        build_cases(replace(ONE, sampled={"condition": "one"}))


def test_where_one_result_answers_a_refusal_may_be_a_dropped_instruction() -> None:
    (case,) = [one for one in KEPT if one.id.startswith("tpp1/fields/orderid-word@") and "json" in one.media_type]
    assert [(dict(one.wanted), one.readings) for one in case.expect.any_of] == [
        ({"results": [False]}, ("unusable-value=own-result",)),
        ({"form": "refused"}, ("unusable-value=list-refused|dropped",)),
    ]
