"""The self-test: what counts as caught, what as a false alarm, and three faults and two equivalents for real."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from conformance.cases.fixtures import load_cases
from conformance.cli.main import main
from conformance.contract.load import load_contract
from conformance.selftest.suspects import Attempt, Suspect, summary_of, try_suspects
from reference_impl.faults import FAULTS
from reference_impl.variants import Variant

CAO = "alphapoint.cancel_all_orders"
FOUND = (("cao/roles/case@ws", "outcome", "CAO-A"), ("cao/roles/case@ws", "effect", "CAO-Z"))
FAULT = Attempt(Suspect("f", "fault", CAO, ("CAO-A", "CAO-B")), True, ("case",), ("CAO-A",), ("case",), findings=FOUND)
EQUIVALENT = Attempt(Suspect("e", "equivalent", CAO), True, (), (), ())


def tried(*suspects: Suspect) -> Mapping[str, Attempt]:
    """An attempt of each, on the cases of the answers, the roles and the effects."""
    contract = load_contract()
    kinds = ("response/", "roles/", "effects/", "codes/")
    cases = [case for case in load_cases(contract, [CAO]) if case.id.partition("/")[2].startswith(kinds)]
    attempts = asyncio.run(try_suspects(contract, cases, suspects, 2, lambda _attempt: None))
    assert [attempt.suspect for attempt in attempts] == list(suspects)
    return {attempt.suspect.id: attempt for attempt in attempts}


def suspect(name: str, *requirements: str, kind: Any = "fault") -> Suspect:
    return Suspect(name, kind, CAO, requirements)


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["selftest", *arguments])


@pytest.mark.timeout(120)
def test_faults_are_caught_and_equivalents_are_not() -> None:
    attempts = tried(
        suspect("cao-only-first-order", "CAO-EFFECT-ACCOUNT"),
        suspect("cao-text-104", "CAO-CODE-104"),
        suspect("cao-ws-m-0", "CAO-RESP-RESULT"),
        suspect("cao-members-reversed", kind="equivalent"),
        suspect("cao-chunked-answer", kind="equivalent"),
    )
    assert {"cao/effects/many-orders@http", "cao/effects/many-orders@ws"} <= set(attempts["cao-only-first-order"].by)
    assert attempts["cao-text-104"].findings_on == ("CAO-CODE-104",)
    wrongly_attributed = attempts["cao-ws-m-0"]
    assert (wrongly_attributed.executed, wrongly_attributed.by, wrongly_attributed.findings_on) == (
        True,
        (),
        ("CAO-WS-M",),
    )
    assert [name for name, attempt in attempts.items() if not attempt.good] == ["cao-ws-m-0"]


@pytest.mark.parametrize(
    ("attempt", "good"),
    [
        (FAULT, True),
        (replace(FAULT, executed=False), False),
        (replace(FAULT, by=()), False),
        (replace(FAULT, stopped="the target is gone"), True),
        (EQUIVALENT, True),
        (replace(EQUIVALENT, executed=False), False),
        (replace(EQUIVALENT, alarms=("case",)), False),
        (replace(EQUIVALENT, stopped="the target is gone"), False),
    ],
)
def test_an_attempt_is_good_when_the_harness_judged_right(attempt: Attempt, good: bool) -> None:
    assert attempt.good is good


def test_the_summary_counts_and_lists_by_id() -> None:
    missed = replace(FAULT, suspect=replace(FAULT.suspect, id="a"), by=())
    alarm = replace(EQUIVALENT, alarms=("x", "y"))
    assert summary_of([FAULT, alarm, missed]) == {
        "summary": {"faults": 2, "caught": 1, "equivalents": 1, "false_alarms": 2},
        "faults": [
            {
                "id": name, "operation": CAO, "requirements": ["CAO-A", "CAO-B"], "executed": True,
                "caught": caught, "by": by, "findings_on": ["CAO-A"], "checks": ["outcome"], "families": ["roles"],
            }
            for name, caught, by in (("a", False, []), ("f", True, ["case"]))
        ],
        "equivalents": [{"id": "e", "operation": CAO, "executed": True, "false_alarms": ["x", "y"]}],
    }  # fmt: skip


@pytest.mark.timeout(120)
def test_the_command_prints_the_summary_and_exits_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    fault: Variant = FAULTS["cao-text-104"]
    done = invoke("--fault", fault.id, "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["summary"] == {"faults": 1, "caught": 1, "equivalents": 0, "false_alarms": 0}
    monkeypatch.setattr("reference_impl.faults.FAULTS", {fault.id: replace(fault, requirements=("CAO-SYNC",))})
    missed = invoke("--fault", fault.id, "-q")
    assert missed.exit_code == 1
    assert "findings on CAO-CODE-104 alone" in missed.stdout
    assert missed.stdout.splitlines()[-1] == "0 of 1 faults caught, 0 false alarms on 0 equivalents"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--fault", "cao-text-14"), "Did you mean cao-text-1"),
        (("--operation", "cancel"), "--operation"),
        (("--fault", "cao-text-104", "--operation", "alphapoint.cancel_quote"), "nothing"),
    ],
)
def test_what_does_not_exist_is_a_usage_error(arguments: tuple[str, ...], words: str) -> None:
    done = invoke(*arguments)
    assert done.exit_code == 2
    assert words in done.stderr or "no fault and no equivalent" in done.stderr


def test_a_suspect_of_an_edition_is_tried_with_what_that_has() -> None:
    """Without the edition the server would speak another one, and none of the fault's cases would be sent."""
    variant = FAULTS["cao-later-instrument-needs-account"]
    cases = [case for case in load_cases(load_contract(), [CAO], every_edition=True) if "/edition-" in case.id]
    assert {case.edition for case in cases} == {"3.2", "later"}
    one = Suspect(variant.id, "fault", CAO, variant.requirements, variant.edition)
    found = asyncio.run(try_suspects(load_contract(), cases, (one, replace(one, edition="")), 2, lambda _attempt: None))
    assert [(attempt.caught, attempt.by) for attempt in found] == [
        (True, tuple(f"cao/edition-later/no-account-one-instrument@{way}" for way in ("http", "ws"))),
        (False, ()),
    ]
