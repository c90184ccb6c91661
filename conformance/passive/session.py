"""Judges recordings as one run: its results, its journal, and what of the files could not be judged."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from conformance import tool_version
from conformance.checks.judge import Pins
from conformance.endpoint.file import editions_of, load_target
from conformance.endpoint.model import TargetFile
from conformance.endpoint.redact import redact
from conformance.errors import UsageError
from conformance.guard.guard import guard_for
from conformance.model.spec import Contract
from conformance.model.verdict import CaseResult, RunInfo
from conformance.passive.har import Lost
from conformance.passive.judging import MOST_LISTED, Judging, Options
from conformance.passive.overflow import Overflow
from conformance.passive.sources import exchanges_of
from conformance.passive.tapped import Tapped
from conformance.report.journal import Header, Journal
from conformance.report.run_info import Ending, Settings
from conformance.run.selection import Selection
from conformance.wire.messages import HttpRequest, ReplyMatch, WsRequest

_NARROWED = Selection(cases=("*",))
"""Of the requirements, only those that the traffic has touched are listed."""
_MOST_GAPS = 1000


@dataclass(frozen=True, slots=True)
class Recording:
    """What recordings came to. `gaps` are what could not be judged, a line each."""

    journal: Journal
    gaps: tuple[str, ...]
    judged: int
    """How many calls of the contract there were."""
    others: int
    """How many exchanges were no call of it."""
    overflow: Overflow = field(default_factory=Overflow)
    """Results beside those of the journal, which are counted alone."""


def judge_files(
    contract: Contract,
    files: Sequence[Path],
    *,
    target: str | None = None,
    only: str | None = None,
    alone: bool = False,
    exchange: str | None = None,
) -> Recording:
    """Judge the files, one after the other, as traffic of one time. Raises `UsageError` and `ConfigurationError`."""
    began_s, started_at = time.monotonic(), datetime.now(UTC)
    file = None if target is None else load_target(Path(target), contract)
    contract = contract if file is None else contract.in_editions(editions_of(contract, file))
    options, scope = options_for(contract, file)
    options = Options(
        options.pins, options.settle_s, alone, requests=only != "answers", answers=only != "requests", exchange=exchange
    )
    judging, gaps, judged = Judging(contract, options, scope), [], 0
    names: dict[str, int] = {}
    for path in files:
        earlier = names.setdefault(path.name, 0)
        names[path.name] += 1
        for one in exchanges_of(path):
            tapped = _renamed(one, path.name, earlier)
            if isinstance(tapped, Lost):
                gaps.append(redact(f"{tapped.source}: {tapped.why}"))
            else:
                judged += bool(judging.take(tapped))
            del gaps[_MOST_GAPS:]
    results = judging.finish()
    if exchange is not None and not results:
        raise UsageError(f"no call of the contract is called {exchange!r}", where="--exchange")
    named = {"recording": [str(one) for one in files], **({"file": target} if target else {})}
    return recording_of(contract, judging, results, named, gaps, judged, started_at, time.monotonic() - began_s)


def recording_of(
    contract: Contract, judging: Judging, results: Sequence[CaseResult], target: Mapping[str, object], gaps: Sequence[str],
    judged: int, started_at: datetime, duration_s: float,
) -> Recording:  # fmt: skip
    """What was judged, as a run with a journal."""
    gaps = [*gaps, *judging.eras.told]
    if judging.overfull:
        gaps = [*gaps, "there is more traffic than is followed; later calls are judged by themselves"]
    more = judging.overflow.cases
    if more:
        gaps = [*gaps, f"{more:,} results beyond the first {MOST_LISTED:,} are counted, and stand in the journal alone"]
    header = header_of(contract, judging.options, target, started_at, len(results) + more)
    ordered: tuple[CaseResult, ...] = tuple(sorted(results, key=lambda one: one.id))
    return Recording(
        Journal(header, ordered, Ending(duration_s=duration_s)), tuple(gaps), judged, judging.others, judging.overflow
    )


def header_of(
    contract: Contract, options: Options, target: Mapping[str, object], started_at: datetime, planned: int = 0
) -> Header:
    """The header of a journal of recorded traffic."""
    return Header(
        RunInfo(uuid.uuid4().hex, tool_version(), contract.digest, 0, started_at.isoformat(timespec="seconds"), target),
        Settings(
            _NARROWED,
            pinned=dict(options.pins.alternatives),
            planned=planned,
            editions=contract.pinned_editions,
        ),
    )


def _renamed(one: Tapped | Lost, name: str, earlier: int) -> Tapped | Lost:
    """Of two files of one name, the later has a number."""
    if not earlier or not one.source.startswith(name):
        return one
    source = f"{name}({earlier + 1}){one.source[len(name) :]}"
    if isinstance(one, Lost):
        return Lost(source, one.why)
    return replace(one, source=source)


def options_for(contract: Contract, target: TargetFile | None) -> tuple[Options, Callable[[Tapped], str] | None]:
    """What a target file says of judging: the pinned readings, the time of an effect, and the scope of requests."""
    if target is None:
        return Options(), None
    requirements = {
        (operation, name): requirement
        for name in target.readings
        for operation, requirement in contract.readings[name].requirements.items()
    }
    settle_s = target.limits.settle_s
    return Options(Pins(target.readings, requirements), settle_s), scope_of(contract, target)


def scope_of(contract: Contract, target: TargetFile) -> Callable[[Tapped], str]:
    """A function that says why the scope of a target file does not allow a request; "" where it does."""
    guard = guard_for(target, contract)

    def outside(tapped: Tapped) -> str:
        sent: HttpRequest | WsRequest
        if tapped.transport.framed:
            sent = WsRequest(tapped.frame, ReplyMatch(None))
        else:
            path = tapped.url[tapped.url.index(tapped.origin) + len(tapped.origin) :] if tapped.origin else tapped.url
            sent = HttpRequest(tapped.method, path, tapped.headers, tapped.body)
        return guard(sent).reason

    return outside
