"""What is made up: the same for the same seed, cases that keep to what they may name, files that fixtures keep."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from conformance.cases.case_data import from_data, to_data
from conformance.cases.fixtures import fixture_folder, read_fixtures, write_fixtures
from conformance.cases.generated.list_grammar import random_list_trial
from conformance.cases.generated.rules import SearchSpace, Trial, search_space
from conformance.cases.generated.source import sources
from conformance.cases.message import places
from conformance.contract.load import load_contract, specs_root
from conformance.explore.findings import MOST_GROUPS, Findings, frozen_case, normalised, write_found
from conformance.explore.search import streams_of, trial_of
from conformance.model.case import Case
from conformance.model.verdict import CaseResult, Finding, Verdict

CONTRACT = load_contract()
GROUNDS = [found for source in sources(CONTRACT, None, 0) if (found := search_space(source, (), ())) is not None]
STREAMS = streams_of(GROUNDS)


def cases(stream: str, count: int, seed: int = 1) -> list[tuple[Trial, Case]]:
    """The first trials of a stream that become cases."""
    made = (trial_of(STREAMS[stream], seed, stream, number)[1] for number in range(count))
    return [(trial, case) for trial in made if (case := trial.case()) is not None]


@pytest.mark.parametrize("stream", sorted(STREAMS))
def test_a_seed_gives_the_same_cases_and_another_seed_others(stream: str) -> None:
    first = [to_data(case) for _, case in cases(stream, 60)]
    assert first == [to_data(case) for _, case in cases(stream, 60)]
    assert first != [to_data(case) for _, case in cases(stream, 60, seed=2)]


@pytest.mark.parametrize("stream", sorted(STREAMS))
def test_every_case_survives_its_file(stream: str) -> None:
    for _, case in cases(stream, 150):
        assert from_data(json.loads(json.dumps(to_data(case)))) == case


def test_calls_on_accounts_keep_to_the_desk_and_are_never_an_operators_call_without_an_account() -> None:
    for trial, case in cases("desk", 400):
        assert case.lane == "desk"
        if trial.space.operation.short == "cao" and case.role == "operator":
            bodies = [message.body.text.lower() for message in (*case.before, case.message)]
            assert all("accountid" in body for body in bodies)


def test_numbers_of_orders_are_those_of_states_or_vouched_unknown_ones() -> None:
    for _, case in cases("free", 300):
        if case.media_type == "application/json" and case.title.startswith("found exploring: 1 in the list"):
            names = places(case.message.body.text)
            assert {name.partition(".")[0] for name in names} <= {
                *case.states,
                "creator",
                "pin",
                "wrong_pin",
                "unknown_order",
            }


def test_only_an_order_that_needs_no_secret_is_named_without_it() -> None:
    """Where every order asks for its PIN, an instruction for an open one without it would rightly fail."""
    space = next(one for one in GROUNDS if one.operation.id == "tpp.create_cancellations")
    bare = set()
    for number in range(3000):
        trial = random_list_trial(space, Random(number), live=True)
        for listed in getattr(trial, "lists", ()):
            for one in listed:
                if one.thing and not one.wrong and one.members.get("PIN") is None:
                    bare.add(trial.things[one.thing].state)
    assert bare == {"no-pin-order"}


def test_unknown_uids_begin_with_every_pair_of_digits_soon() -> None:
    seen = set()
    for number in range(2500):
        _, trial = trial_of(STREAMS["free"], 1, "free", number)
        for listed in getattr(trial, "lists", ()):
            seen.update(str(one.members.get("InternationalOrderUID"))[:2].lower() for one in listed if not one.thing)
    assert len({pair for pair in seen if all(digit in "0123456789abcdef" for digit in pair)}) == 256


def test_a_run_that_is_limited_to_a_media_type_keeps_to_it() -> None:
    source = sources(CONTRACT, ["tpp.create_cancellations"], 0)[0]
    space = search_space(source, (), ("text/xml",))
    assert space is not None
    makers = streams_of([space])["free"]
    made = [trial_of(makers, 1, "free", number)[1].case() for number in range(80)]
    assert {case.media_type for case in made if case is not None} == {"text/xml"}
    assert search_space(source, ("ws",), ()) is None


def result_of(case: Case, message: str, requirement: str = "TPP-RESP-SUCCESS") -> CaseResult:
    """A failed result of a case."""
    return CaseResult(
        case.id, case.operation, case.requirements, case.tier, case.transport, case.media_type, case.role, Verdict.FAIL,
        (Finding(requirement, "outcome", message),),
    )  # fmt: skip


def test_the_same_thing_is_one_group_with_a_count() -> None:
    trial, case = cases("free", 1)[0]
    findings = Findings()
    new = [
        group
        for number in range(500)
        for group in findings.take(trial, result_of(case, f"o{number} should have been cancelled"))
    ]
    assert len(new) == 1
    assert new[0].count == 500


def test_another_requirement_or_format_is_another_group() -> None:
    trial, case = cases("free", 1)[0]
    findings = Findings()
    for media_type in ("application/json", "application/xml"):
        for requirement in ("TPP-EFFECT", "TPP-TWICE"):
            list(findings.take(trial, replace(result_of(case, "x", requirement), media_type=media_type)))
    assert len(findings.groups) == 4


def test_what_did_not_happen_again_gets_a_few_more_chances() -> None:
    trial, case = cases("free", 1)[0]
    findings = Findings()
    given = 0
    for _ in range(10):
        for group in findings.take(trial, result_of(case, "x")):
            given += 1
            group.again = False
    assert given == 4


def test_beyond_a_number_of_groups_findings_are_counted_only() -> None:
    trial, case = cases("free", 1)[0]
    findings = Findings()
    for number in range(MOST_GROUPS + 5):
        list(findings.take(trial, result_of(case, "x" * (number + 1))))
    assert (len(findings.groups), findings.beyond) == (MOST_GROUPS, 5)


def test_ids_and_quotations_are_no_part_of_a_message() -> None:
    assert normalised("o12 should be 'x'") == normalised("o7 should be 'y'")
    assert normalised("/3/OrderID: 17") == normalised("/1/OrderID: 4")
    assert normalised("many should have been cancelled") == normalised("o3 should have been cancelled")


def a_catch(space: SearchSpace, number: int) -> tuple[str, Case]:
    """A frozen case of an operation."""
    stream = "free" if space.operation.shape.listed else "desk"
    trial = next(trial for trial, _ in cases(stream, 200, seed=number) if trial.space.operation is space.operation)
    case = trial.case()
    assert case is not None
    requirement = space.operation.codes[0].requirement
    group = next(iter(Findings().take(trial, result_of(case, "x", requirement))))
    frozen = frozen_case(group)
    assert frozen is not None
    return requirement, frozen


def test_a_frozen_case_is_a_named_one_with_an_id_that_can_be_typed() -> None:
    requirement, frozen = a_catch(GROUNDS[0], 4)
    assert frozen.tier == "named"
    assert frozen.id.startswith(f"{GROUNDS[0].operation.short}/found/{requirement.lower()}-")
    assert set(frozen.id) <= set("abcdefghijklmnopqrstuvwxyz0123456789./@-")
    assert requirement in frozen.requirements


def test_the_files_of_an_earlier_run_stay(tmp_path: Path) -> None:
    requirement, one = a_catch(GROUNDS[0], 4)
    _, other = a_catch(GROUNDS[0], 5)
    first = write_found(tmp_path, CONTRACT.operations, {f"{requirement} {one.id}": one})
    assert write_found(tmp_path, CONTRACT.operations, {f"{requirement} {one.id}": one}) == first
    second = write_found(tmp_path, CONTRACT.operations, {f"{requirement} {other.id}": other})
    assert {path.name for path in (*first.values(), *second.values())} == {
        f"found-{one.id.partition('/')[0]}-{requirement.lower()}-{number}.json" for number in (1, 2)
    }


def test_fixtures_keep_a_frozen_file_that_is_put_among_them(tmp_path: Path) -> None:
    shutil.copytree(specs_root(), tmp_path / "specs", ignore=shutil.ignore_patterns("corpus"))
    contract = load_contract(tmp_path / "specs")
    requirement, frozen = a_catch(GROUNDS[-1], 6)
    operation = contract.operations[frozen.operation]
    [path] = write_found(
        fixture_folder(operation), contract.operations, {f"{requirement} {frozen.id}": frozen}
    ).values()
    written = write_fixtures(contract)
    assert path.exists()
    assert path not in written.removed
    assert frozen in (read_fixtures(operation) or ())
