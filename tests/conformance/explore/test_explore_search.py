"""Searches against servers: nothing is found where nothing is wrong, and what is wrong deep inside is found and replayed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from explore_support import conformance, search, serving, target_file

from conformance.cases.case_data import from_data
from conformance.model.verdict import Verdict

TPP = "tpp.create_cancellations"
CAO = "alphapoint.cancel_all_orders"
CO = "alphapoint.cancel_order"


@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_is_found_in_a_server_that_keeps_the_contract(seed: int, tmp_path: Path) -> None:
    with serving("none") as address:
        found = search(address, tmp_path / "found", seconds=3, seed=seed)
    assert [(result.id, result.findings) for result in found.results] == []
    assert all(tally.done > 0 for tally in found.search.tallies.values())
    assert len(found.search.tallies) == 12
    assert not (tmp_path / "found").exists()


def test_a_fault_of_unknown_uids_in_xml_is_found_shrunk_and_replayed(tmp_path: Path) -> None:
    with serving("unknown-succeeds") as address:
        target = target_file(tmp_path, address)
        run = conformance(
            tmp_path, "run", "--target", str(target), "--operation", TPP, "--case", "tpp/response/domestic@text-xml",
            "--explore", "3", "--seed", "75",
        )  # fmt: skip
        assert run.returncode == 1, run.stdout + run.stderr
        assert "exploring with seed 75" in run.stderr
        path = tmp_path / "conformance-report" / "found" / "found-tpp-tpp-resp-success-1.json"
        replay = conformance(tmp_path, "replay", str(path), "--target", str(target))
        assert replay.returncode == 1
        assert "TPP-RESP-SUCCESS" in replay.stdout
    case = from_data(json.loads(path.read_text(encoding="utf-8"))["cases"][0])
    assert case.media_type.endswith("xml")
    assert case.message.body.text.count("<CancellationCreation>") == 1
    assert ">a7" in case.message.body.text.lower()
    results = json.loads((tmp_path / "conformance-report" / "results.json").read_text(encoding="utf-8"))
    assert results["run"]["explore_seed"] == 75
    [found] = [one for one in results["cases"] if one["id"] == case.id]
    assert found["verdict"] == "fail"
    assert found["tier"] == "generated"
    assert f"conformance replay conformance-report/found/{path.name} " in run.stdout
    with serving("none") as address:
        target = target_file(tmp_path, address)
        assert conformance(tmp_path, "replay", str(path), "--target", str(target)).returncode == 0


def test_a_fault_that_only_some_given_ids_show_is_frozen_with_enough_orders(tmp_path: Path) -> None:
    with serving("live-is-kept") as address:
        found = search(address, tmp_path, seconds=10, seed=6, operations=(TPP,))
    kept = [one for one in found.results if "TPP-EFFECT" in {finding.requirement for finding in one.findings}]
    assert kept
    again = [one for one in kept if "it happened again from a clean state" in one.notes]
    assert any(one.media_type.endswith("xml") for one in again)


def test_a_fault_that_only_a_sequence_of_calls_shows_is_found(tmp_path: Path) -> None:
    with serving("third-call-sleeps") as address:
        found = search(address, tmp_path, seconds=6, seed=3, operations=(CAO,))
    assert found.results
    assert {finding.requirement for result in found.results for finding in result.findings} == {"CAO-EFFECT-ACCOUNT"}
    assert all(result.verdict is Verdict.FAIL for result in found.results)


@pytest.mark.parametrize(
    ("fault", "requirement"),
    [
        ("co-next-for-gone", "CO-REFUSED-NO-EFFECT"),
        ("co-by-number-alone", "CO-SCOPE-TRADING"),
        ("co-no-effect-ws", "CO-EFFECT"),
    ],
)
def test_faults_of_a_call_for_one_order_are_found(fault: str, requirement: str, tmp_path: Path) -> None:
    with serving(fault) as address:
        found = search(address, tmp_path, seconds=6, seed=2, operations=(CO,))
    assert requirement in {finding.requirement for result in found.results for finding in result.findings}


def test_a_request_cap_ends_the_search(tmp_path: Path) -> None:
    with serving("none") as address:
        target = target_file(tmp_path, address)
        text = target.read_text(encoding="utf-8").replace("everything = true", "everything = true\nmax_requests = 40")
        target.write_text(text, encoding="utf-8")
        run = conformance(
            tmp_path, "run", "--target", str(target), "--operation", TPP, "--case", "tpp/response/domestic@text-xml",
            "--explore", "30", timeout_s=20,
        )  # fmt: skip
    assert run.returncode in (0, 4), run.stdout + run.stderr


def test_what_a_target_does_not_let_happen_is_left_soon_and_said(tmp_path: Path) -> None:
    with serving("none") as address:
        target = target_file(tmp_path, address)
        text = target.read_text(encoding="utf-8").split("[services.tpp.states]")[0]
        target.write_text(text, encoding="utf-8")
        run = conformance(
            tmp_path, "run", "--target", str(target), "--operation", TPP, "--case", "tpp/list/empty@text-xml",
            "--explore", "2",
        )  # fmt: skip
    assert re.search(
        r"tpp live: left after \d+ tries, none could be carried out: the target file does not say", run.stderr
    )
    assert "tpp unknown" not in run.stderr


def test_a_fresh_seed_is_taken_and_printed_unless_one_is_given(tmp_path: Path) -> None:
    with serving("none") as address:
        target = target_file(tmp_path, address)
        arguments = ("run", "--target", str(target), "--operation", TPP, "--case", "tpp/response/domestic@text-xml")
        seeds = set()
        for _ in range(2):
            run = conformance(tmp_path, *arguments, "--explore", "0.2", "--json")
            seeds.add(json.loads(run.stdout)["run"]["explore_seed"])
            assert f"exploring with seed {json.loads(run.stdout)['run']['explore_seed']}" in run.stderr
    assert len(seeds) == 2
