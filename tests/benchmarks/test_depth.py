"""How deep a fault lies follows from what found it, and the sample takes each depth in turn."""

from __future__ import annotations

import pytest

from benchmarks.depth import DEPTHS, EFFECTS, HISTORIES, SEVERAL, SINGLE, depth_of, in_turn, over_http
from benchmarks.detection import sample_by_depth
from benchmarks.trust_record import Finders, read_record
from conformance.cases.fixtures import load_cases
from conformance.checks.registry import bundled
from conformance.contract.load import load_contract
from conformance.model.case import Case
from conformance.selftest.suspects import family_of
from reference_impl.equivalents import EQUIVALENTS
from reference_impl.faults import FAULTS

CASES = load_cases(load_contract(), every_edition=True)
FINDERS = read_record().faults


def alone(case: Case) -> bool:
    return not (case.before or case.beside or case.race or case.twin or case.session or case.together > 1 or case.later)


@pytest.mark.parametrize(
    ("families", "checks", "depth"),
    [
        (("fields", "forms", "response"), ("schema",), "simple"),
        (("fields", "forms", "races", "response"), ("outcome", "schema"), "simple"),
        (("fields", "forms", "response"), ("effect", "schema"), "medium"),
        (("fields", "forms"), ("schema",), "medium"),
        (("effects", "frames", "roles", "spelled"), ("outcome",), "medium"),
        (("effects",), ("effect", "standing"), "medium"),
        (("effects", "fields"), ("standing",), "complex"),
        (("combinations", "races"), ("outcome",), "complex"),
        (("session",), ("outcome",), "complex"),
    ],
)
def test_depth_is_told_by_families_and_checks(families: tuple[str, ...], checks: tuple[str, ...], depth: str) -> None:
    assert depth_of(Finders(True, families, checks)) == depth


def test_the_named_families_and_checks_exist_and_each_is_of_one_kind() -> None:
    assert {family_of(case.id) for case in CASES} >= SINGLE | SEVERAL
    assert SINGLE.isdisjoint(SEVERAL)
    assert {check.id for check in bundled()} >= EFFECTS >= HISTORIES


def test_cases_of_single_families_send_nothing_but_their_call() -> None:
    assert [case.id for case in CASES if family_of(case.id) in SINGLE and not alone(case)] == []


@pytest.mark.parametrize("family", sorted(SEVERAL))
def test_families_of_several_circumstances_have_cases_with_more_than_one_call(family: str) -> None:
    assert any(family_of(case.id) == family and not alone(case) for case in CASES)


def test_each_depth_has_faults_over_http() -> None:
    depths = [depth_of(found) for name, found in FINDERS.items() if name in FAULTS and over_http(FAULTS[name])]
    assert all(depths.count(depth) > len(depths) // 20 for depth in DEPTHS)


def test_faults_of_frames_and_of_other_editions_are_not_shown_to_a_tool_that_cannot_see_them() -> None:
    assert not over_http(FAULTS["cao-ws-answers-twice"])
    assert not over_http(FAULTS["co-spelled-frame-call"])
    assert not over_http(FAULTS["cao-later-account-required"])
    assert over_http(FAULTS["cao-account-32-bits"])


def test_every_beginning_of_the_sample_has_each_depth_as_often() -> None:
    chosen = sample_by_depth(40)
    kinds = [depth_of(FINDERS[one.id]) if one.kind == "fault" else one.kind for one in chosen]
    assert kinds == [*DEPTHS, "equivalent"] * 10
    assert sample_by_depth(12) == chosen[:12]
    everything = sample_by_depth(None)
    assert sorted(one.id for one in everything) == sorted(
        one.id for one in (*FAULTS.values(), *EQUIVALENTS.values()) if over_http(one)
    )


def test_a_new_variant_leaves_the_order_of_the_others_as_it_is() -> None:
    variants = [*FAULTS.values(), *EQUIVALENTS.values()]
    simple = [one.id for one in in_turn(variants, FINDERS) if one.kind == "equivalent"]
    fewer = [one.id for one in in_turn(variants[:-5], FINDERS) if one.kind == "equivalent"]
    assert [name for name in simple if name in fewer] == fewer
