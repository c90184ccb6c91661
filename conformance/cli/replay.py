"""`conformance replay`: one case again, its exchange, its judgement in full, and the message to paste.

What `replay` does once its options are read: find the case, carry it out alone, and print everything about it.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from conformance.cases.case_data import from_data
from conformance.cases.combinations.arrays import strength_of
from conformance.cases.fixtures import load_cases
from conformance.cases.generated.stream import find_case
from conformance.cli.main import suggestion
from conformance.cli.options import printing, seed_option, specs_option, today_of, today_option
from conformance.contract.load import load_contract
from conformance.contract.problem_text import told_apart
from conformance.endpoint.redact import redact_excerpt
from conformance.errors import SpecError, UsageError
from conformance.formats.json.pointer import load_json
from conformance.model.case import Case
from conformance.model.spec import Contract
from conformance.model.verdict import CaseResult, Finding, Verdict
from conformance.report.curl import Endpoint, by_hand
from conformance.report.safe_text import visible, writable
from conformance.report.wording import expectation_lines
from conformance.run.evidence import FULL_BYTES, evidence_of
from conformance.run.execute import Judged, execute_judged
from conformance.run.loop import run_loop
from conformance.run.session import Session, session
from conformance.wire.messages import Exchange


@click.command("replay")
@click.argument("case", metavar="CASE-ID|FILE")
@click.option(
    "--target", default="reference", show_default=True, metavar="FILE|URL|reference", help="The endpoint to send it to."
)
@click.option(
    "--operation",
    "operations",
    multiple=True,
    metavar="ID",
    help="Look for the case in this operation alone; repeatable.",
)
@seed_option("Seed of the run that the generated case comes from.")
@today_option
@specs_option
@printing
def command(case: str, specs: Path | None, **options: Any) -> int:
    """Send one case again and judge it: a case id, or a JSON FILE that holds a case.

    Sets up its states again. Prints what was sent and received, every finding with its clause, and the message as a
    curl command or a WebSocket frame, with credentials as shell variables such as $SESSION. With -q only the verdict.
    Exit codes: 0 pass, 1 the contract is violated, 3 the target cannot be reached, 4 not verified, 5 the tool failed.
    """

    return replay_command(case, specs, options)


_EXIT = {
    Verdict.PASS: 0, Verdict.WAIVED: 0, Verdict.FAIL: 1, Verdict.TARGET_ERROR: 3, Verdict.NOT_VERIFIED: 4,
    Verdict.NOT_APPLICABLE: 4, Verdict.HARNESS_ERROR: 5,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Replay:
    """What came of it, and what is needed to show it."""

    case: Case
    judged: Judged
    result: CaseResult
    endpoint: Endpoint
    known: tuple[str, ...] = field(repr=False)
    tokens: tuple[str, ...] = field(repr=False)


def replay_command(name: str, specs: Path | None, options: Mapping[str, Any]) -> int:
    """Replay and print; the exit code."""
    contract = load_contract(specs)
    case = find(name, contract, options["operations"], options["seed"])
    replayed = run_loop(_replay(contract, case, options))
    code = _EXIT[replayed.result.verdict]
    encoding = sys.stdout.encoding
    if not options["quiet"]:
        for line in _lines(replayed, contract, encoding):
            click.echo(writable(line, encoding))
    click.echo(writable(_verdict(replayed.result, code), encoding))
    return code


def find(name: str, contract: Contract, operations: tuple[str, ...], seed: int) -> Case:
    """The case of an id, or in a file. Raises `UsageError` or `SpecError`."""
    if is_file(name):
        return from_file(name, contract)
    every = load_cases(contract, operations or None, strength=strength_of(name), every_edition=True)
    cases = {case.id: case for case in every}
    found = cases.get(name) or find_case(contract, name, seed)
    if found is None:
        hint = "`conformance list cases` names them; a file must exist."
        raise UsageError(f"no case is called {name!r}.{suggestion(name, list(cases))}", hint=hint)
    return found


def is_file(name: str) -> bool:
    """Whether a case is named by the file that it stands in."""
    return name.endswith(".json") or Path(name).is_file()


def from_file(name: str, contract: Contract) -> Case:
    """The case in a file. Raises `UsageError` or `SpecError`."""
    case = _read(Path(name))
    if case.operation not in contract.operations:
        raise UsageError(f"{case.id} is of the operation {case.operation!r}, which the contract lacks", where=name)
    return case


def _read(path: Path) -> Case:
    try:
        data = load_json(path.read_bytes())
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror or error}", where=str(path)) from error
    except ValueError as error:
        raise UsageError(
            f"not JSON: {error}", where=str(path), hint="Give one case, as fixture files hold them."
        ) from error
    if not isinstance(data, dict):
        raise UsageError("not one case", where=str(path), hint="Give a JSON object, as one entry of a fixture file.")
    cases = data.get("cases")
    if isinstance(cases, list):
        if len(cases) != 1:
            raise UsageError(f"{len(cases)} cases, not one", where=str(path), hint="Give the id of one of them.")
        data = cases[0]
    try:
        return from_data(data)
    except SpecError as error:
        raise UsageError(error.message, where=str(path), hint="Give one case, as fixture files hold them.") from error


async def _replay(contract: Contract, case: Case, options: Mapping[str, Any]) -> Replay:
    async with session(contract, options["target"], [case.operation], today=today_of(options)) as run:
        name = contract.operations[case.operation].service
        if name not in run.services:
            raise UsageError(f"the target has no service {name!r}", where=options["target"])
        service = run.services[name]
        await run.reach()
        judged = await execute_judged(case, run.kits[case.operation], service, run.desks[name][0], run.judge)
        return Replay(
            case, judged, run.waivers.apply(judged.result), _endpoint(run, name), tuple(run.vault.known),
            service.sessions.every_secret(),
        )  # fmt: skip


def _endpoint(run: Session, service: str) -> Endpoint:
    link = run.services[service].link
    part = link.service
    proxy = "" if link.proxy is None else f"http://{link.proxy.host_and_port}"
    return Endpoint(link.address, str(link.ws_address or ""), part.tls, proxy, run.target.limits.total_timeout_s)


def _lines(replayed: Replay, contract: Contract, encoding: str | None) -> Iterator[str]:
    case, result = replayed.case, replayed.result
    yield f"{case.id}: {case.title}"
    yield f"  {case.operation}, as {result.role} over {case.transport}, {case.media_type}"
    yield ""
    exchanges = replayed.judged.exchanges
    known = (*replayed.judged.secrets, *replayed.known)
    yield from _exchanged(replayed.judged.earlier, known, " before")
    yield from _exchanged(exchanges, known)
    yield "expected"
    yield from (f"  {line}" for line in expectation_lines(case.expect, contract.operations[case.operation]))
    yield ""
    yield from _judgement(result, contract)
    yield from _pasted(replayed, replayed.judged.earlier, encoding, "the message before by hand")
    yield from _pasted(replayed, exchanges, encoding, "the same by hand")


def _exchanged(exchanges: tuple[Exchange, ...], known: tuple[str, ...], when: str = "") -> Iterator[str]:
    for number, exchange in enumerate(exchanges, 1):
        count = f"{when} {number} of {len(exchanges)}" if len(exchanges) > 1 else when
        evidence = evidence_of((exchange,), known, full=True)
        yield from _block(f"sent{count}", evidence.sent)
        came = f"received{count} after {exchange.elapsed_s * 1000:.0f} ms"
        yield from _block(came, evidence.received or _nothing(exchange))
        if evidence.truncated:
            yield f"  (cut after {FULL_BYTES} bytes)"
        if exchange.problem is not None:
            words = visible(redact_excerpt(exchange.problem.message, known))
            yield f"  problem: {exchange.problem.kind} ({exchange.problem.phase}): {words}"


def _nothing(exchange: Exchange) -> str:
    return "(silence)" if exchange.silent else "(nothing)"


def _block(title: str, text: str) -> Iterator[str]:
    yield title
    for line in text.replace("\r\n", "\n").split("\n"):
        yield f"  {visible(line)}".rstrip()
    yield ""


def _judgement(result: CaseResult, contract: Contract) -> Iterator[str]:
    yield f"judgement: {result.verdict.value}" + (f" ({visible(result.reason)})" if result.reason else "")
    for finding in result.findings:
        yield from _finding(finding, contract)
    yield from (f"  {visible(line)}" for line in result.history.splitlines())
    for title, entries in (
        ("could not be checked behind that", result.blocked), ("readings", result.readings),
        ("not verified", result.unverified), ("note", result.notes),
    ):  # fmt: skip
        if entries:
            yield f"  {title}: {', '.join(visible(entry) for entry in entries)}"
    if result.code_seen is not None:
        yield f"  code seen: {visible(result.code_seen)}"
    yield ""


def _finding(finding: Finding, contract: Contract) -> Iterator[str]:
    requirement = contract.requirements.get(finding.requirement)
    level = f" ({requirement.level})" if requirement is not None else ""
    yield f"  {finding.requirement}{level}: {visible(finding.message)}"
    if requirement is not None:
        yield f"    {requirement.document}, {requirement.place}"
        yield from textwrap.wrap(requirement.text, 100, initial_indent="    ", subsequent_indent="    ")
    expected, actual = told_apart(finding.expected, finding.actual)
    for name, value in (("expected", expected), ("actual", actual), ("at", finding.at)):
        if value:
            yield f"    {name}: {visible(value)}"


def _pasted(
    replayed: Replay, exchanges: tuple[Exchange, ...], encoding: str | None, title: str
) -> Iterator[str]:  # fmt: skip
    """Each message once: copies that went out together differ in nothing that can be pasted."""
    shown = exchanges[:: len(exchanges)] if replayed.case.together > 1 and exchanges else exchanges
    told = [
        by_hand(one.sent, replayed.endpoint, replayed.judged.secrets, replayed.known, replayed.tokens, encoding)
        for one in shown
    ]
    for text in dict.fromkeys(told):
        if text:
            yield title
            yield text
            yield ""


def _verdict(result: CaseResult, code: int) -> str:
    reason = f" · {visible(result.reason)}" if result.reason and result.verdict is not Verdict.PASS else ""
    return f"verdict: {result.verdict.value} (exit {code}){reason}"
