"""The self-test in several processes, its early end, and what one fault costs."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from conformance.cases.fixtures import load_cases
from conformance.contract.load import load_contract
from conformance.errors import HarnessError
from conformance.selftest.suspects import (
    Attempt,
    Suspect,
    attempt_from_json,
    attempt_to_json,
    suspect_from_json,
    suspect_to_json,
    try_suspects,
)
from conformance.selftest.workers import try_in_processes
from reference_impl.faults import FAULTS

CAO = "alphapoint.cancel_all_orders"
TEXT = Suspect("cao-text-104", "fault", CAO, ("CAO-CODE-104",))
PLAIN = Suspect("cao-members-reversed", "equivalent", CAO)
ATTEMPT = Attempt(
    TEXT, True, ("a/b/c",), ("CAO-CODE-104",), ("a/b/c",), "enough was seen", (("a/b/c", "schema", "CAO-CODE-104"),)
)
ONE_S = 3.0
pytestmark = pytest.mark.timeout(120)


def in_process(suspect: Suspect, *, every_case: bool) -> Attempt:
    contract = load_contract()
    cases = load_cases(contract, [suspect.operation])
    (attempt,) = asyncio.run(try_suspects(contract, cases, [suspect], 1, lambda _attempt: None, every_case=every_case))
    return attempt


def test_attempts_and_suspects_are_the_same_behind_a_pipe() -> None:
    assert suspect_from_json(suspect_to_json(TEXT)) == TEXT
    assert attempt_from_json(attempt_to_json(ATTEMPT)) == ATTEMPT
    assert "\n" not in attempt_to_json(replace(ATTEMPT, stopped="a\nb"))


def test_processes_give_the_attempts_in_the_order_of_the_suspects() -> None:
    seen: list[str] = []
    attempts = asyncio.run(
        try_in_processes(
            [TEXT, PLAIN], 2, lambda attempt: seen.append(attempt.suspect.id), specs=None, every_case=False
        )
    )
    assert [attempt.suspect for attempt in attempts] == [TEXT, PLAIN]
    assert [attempt.good for attempt in attempts] == [True, True]
    assert sorted(seen) == ["cao-members-reversed", "cao-text-104"]


def test_a_variant_that_does_not_exist_is_an_error_of_the_harness_and_ends_all_processes() -> None:
    nobody = replace(TEXT, id="cao-nothing")
    with pytest.raises(HarnessError, match="cao-nothing"):
        asyncio.run(try_in_processes([nobody, PLAIN], 2, lambda _attempt: None, specs=None, every_case=False))


def test_a_caught_fault_ends_its_run_and_every_case_goes_on() -> None:
    short, whole = in_process(TEXT, every_case=False), in_process(TEXT, every_case=True)
    assert (short.caught, whole.caught) == (True, True)
    assert short.stopped == "enough was seen"
    assert whole.stopped == ""
    assert set(short.by) <= set(whole.by)
    assert {requirement for _, _, requirement in whole.findings} == {"CAO-CODE-104"}


def test_a_fault_that_no_case_of_its_requirement_finds_is_tried_on_all_cases() -> None:
    elsewhere = replace(TEXT, requirements=("CAO-SECRETS",))
    attempt = in_process(elsewhere, every_case=False)
    assert (attempt.caught, attempt.findings_on) == (False, ("CAO-CODE-104",))
    assert attempt.executed


@pytest.mark.parametrize("fault", ["cao-text-104", "cq-ws-silent-refusals", "tpp-xml-nil-not-read"])
def test_one_fault_takes_less_than_three_seconds(fault: str) -> None:
    """In processor time, which other work on the machine does not add to, and without waiting for anything long."""
    assert fault in FAULTS
    command = [str(Path(sys.executable).with_name("conformance")), "selftest", "--json", "--fault", fault]
    before, started = os.times(), time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    after, wall_s = os.times(), time.perf_counter() - started
    cpu_s = after.children_user + after.children_system - before.children_user - before.children_system
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["summary"]["caught"] == 1
    assert cpu_s < ONE_S
    assert wall_s < 5 * ONE_S
