"""One planted fault is told as one cause, or as two: a sample of the faults of the bundled reference, on some of the cases.

`python -m benchmarks causes` does it with more faults, each on all cases of its operation.
"""

from __future__ import annotations

import asyncio
import json
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from click.testing import CliRunner

from conformance.cases.fixtures import load_cases
from conformance.cli.main import main
from conformance.contract.load import load_contract
from conformance.endpoint.reference import warm_reference
from conformance.report.causes import Cause, Kind, causes
from conformance.selftest.suspects import Suspect, results_of
from reference_impl.faults import FAULTS

PATTERNS = (
    "cao/account/*",
    "cao/codes/*",
    "cao/roles/*",
    "cao/response/*",
    "co/effects/lasting@*",
    "tpp/response/*",
    "tpp/batch/*",
    "tpp/pin/*",
)
SAMPLE = {
    "cao-detail-as-number": ((Kind.FORM, {"answered": "code 0"}),),
    "cao-null-everybody": ((Kind.ACTED, None),),
    "cao-no-effect-http": ((Kind.UNDONE, {"transport": "http"}),),
    "co-opens-again": ((Kind.UNDONE, None),),
    "tpp-xml-null-as-empty": ((Kind.FORM, {"format": "XML"}),),
}
"""For each fault the causes that it has, and of each what its cases have in common, where one thing tells it."""


@pytest.fixture(scope="module")
def found() -> dict[str, tuple[Cause, ...]]:
    """The causes of each fault."""
    contract = load_contract()
    cases = [case for case in load_cases(contract) if any(fnmatchcase(case.id, one) for one in PATTERNS)]

    async def run() -> dict[str, tuple[Cause, ...]]:
        told = {}
        async with warm_reference() as reference:
            for name in SAMPLE:
                fault = FAULTS[name]
                suspect = Suspect(fault.id, "fault", fault.operation, fault.requirements)
                told[name] = causes(await results_of(contract, cases, suspect, reference), contract)
        return told

    return asyncio.run(run())


@pytest.mark.parametrize("fault", SAMPLE)
def test_a_fault_is_one_cause_on_one_of_its_requirements(fault: str, found: dict[str, tuple[Cause, ...]]) -> None:
    told = found[fault]
    assert [one.kind for one in told] == [kind for kind, _ in SAMPLE[fault]]
    assert set(FAULTS[fault].requirements) & {name for one in told for name in (*one.requirements, *one.follows)}
    for one, (_, levels) in zip(told, SAMPLE[fault], strict=True):
        if levels is not None:
            assert one.only_when.items() >= levels.items()


def test_what_comes_back_after_it_was_cancelled_is_told_so(found: dict[str, tuple[Cause, ...]]) -> None:
    (cause,) = found["co-opens-again"]
    assert cause.message == "cancelled, and back again later: mine"


@pytest.mark.parametrize(
    ("faults", "patterns", "kinds"),
    [
        (("cao-null-everybody", "cao-detail-as-number"), ("cao/account/*",), ["acted", "form"]),
        (("tpp-query-cancels", "tpp-json-list-in-list"), ("tpp/negotiation/path-*", "tpp/pin/*"), ["acted", "form"]),
        (("co-no-effect-ws", "co-echoes-token"), ("co/effects/sell-order@*",), ["leaked", "undone"]),
    ],
)
def test_two_faults_at_once_are_told_apart(
    faults: tuple[str, ...], patterns: tuple[str, ...], kinds: list[str], tmp_path: Path
) -> None:
    words = ["run", "--report", str(tmp_path), "-q", "--generated", "0", "--no-html"]
    words += ["--operation", FAULTS[faults[0]].operation, *(word for one in faults for word in ("--fault", one))]
    done = CliRunner().invoke(main, [*words, *(word for one in patterns for word in ("--case", one))])
    assert done.exit_code == 1, done.output
    told = json.loads((tmp_path / "results.json").read_text())["causes"]
    assert [one["kind"] for one in told] == kinds
