"""What a summary must know besides results: what was selected, accepted and pinned, and how the run ended.

What identifies a run in its reports: the tool, the contract, and the target with the gaps that it accepts.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from conformance import tool_version
from conformance.endpoint.choose import ChosenTarget, is_reference
from conformance.endpoint.model import MIN_CARRIED_OUT, TargetFile
from conformance.model.spec import Contract
from conformance.model.verdict import RunInfo
from conformance.run.selection import Selection


@dataclass(frozen=True, slots=True)
class Settings:
    """What is decided before the first case runs, and stands in the journal's header."""

    selection: Selection = field(default_factory=Selection)
    accepted_gaps: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """(operation, error code) to the reason why nobody can provoke it on this target."""
    pinned: Mapping[str, str] = field(default_factory=dict)
    """Reading to the one alternative that the target file allows."""
    shard: str = ""
    """`I/N` for one of several shards, with 1 <= I <= N; empty for a whole run."""
    planned: int = 0
    """How many cases the run meant to execute; 0 when unknown."""
    min_carried_out: float = MIN_CARRIED_OUT
    """The share of them below which the run is incomplete."""
    editions: Mapping[str, str] = field(default_factory=dict)
    """Operation to the edition of its page that the target file pins."""

    @property
    def narrowed(self) -> bool:
        """Whether only a part of the selected operations' cases runs, so that gaps elsewhere mean nothing."""
        chosen = self.selection
        return bool(chosen.requirements or chosen.cases or chosen.media_types or chosen.transports or self.shard)


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended; stands in the journal's footer."""

    duration_s: float = 0.0
    stopped: str = ""
    """Why the run was given up: the target cannot be reached or stopped answering; empty when it was not."""
    interrupted: bool = False
    cut_off: bool = False
    """The journal has no footer: the process was killed."""
    waivers_unmatched: tuple[str, ...] = ()
    """Waivers that no finding matched, each in one line."""
    waivers_expired: tuple[str, ...] = ()
    waivers_matched: Mapping[str, int] = field(default_factory=dict)
    """How many cases each waiver matched."""
    waivers_beyond: tuple[str, ...] = ()
    """Waivers that matched more cases than when they were written, each in one line."""
    left_behind: tuple[str, ...] = ()
    """What the run set up on the target and could not take back, each in words."""
    untrue_lacks: tuple[str, ...] = ()
    """Keys of what the target file says is lacking and was there all the same."""
    throttled: int = 0
    """How many messages the target turned away because it was asked too often; they were sent again."""
    messages: Mapping[str, int] = field(default_factory=dict)
    """How many messages passed the gate to the wire, by purpose; empty when that is not known."""
    unseen: int = 0
    """Of how many things that were set up the target would not show whether they stand open."""
    enough: str = ""
    """Why nothing more was begun although all was well, in words: so many cases had failed; empty when all was begun."""
    broken: str = ""
    """Why the harness gave up, in words: its journal was taken away; empty when it did not."""

    @property
    def cut_short(self) -> str:
        """Why the run did not come to its end, in words; empty when it did."""
        if self.interrupted:
            return "interrupted"
        return self.broken or self.stopped or self.enough or ("the run was killed" if self.cut_off else "")

    @property
    def messages_sent(self) -> int:
        """How many messages passed the gate, whatever for."""
        return sum(self.messages.values())


@dataclass(frozen=True, slots=True)
class SummaryOptions:
    """Everything that `summarise` needs besides contract and results."""

    settings: Settings = field(default_factory=Settings)
    ending: Ending = field(default_factory=Ending)


def run_info(contract: Contract, chosen: ChosenTarget, seed: int) -> RunInfo:
    """A new identity for a run that begins now."""
    return RunInfo(
        id=uuid.uuid4().hex,
        tool_version=tool_version(),
        specs_digest=contract.digest,
        seed=seed,
        started_at=datetime.now(UTC).isoformat(timespec="seconds"),
        target=described(chosen),
    )


def described(chosen: ChosenTarget) -> dict[str, Any]:
    """The target as reports show it; the bundled one has another port each time, which is left out."""
    if is_reference(chosen.name):
        return {"name": chosen.name}
    place = "url" if "://" in chosen.name else "file"
    return {**chosen.file.redacted(), place: chosen.name}


def accepted_gaps(contract: Contract, target: TargetFile) -> dict[tuple[str, str], str]:
    """The error codes that the target file calls impossible to trigger there, with its reasons."""
    gaps: dict[tuple[str, str], str] = {}
    for service_id, service in target.services.items():
        for name in contract.services[service_id].operations:
            for code in contract.operations[name].codes:
                provocation = service.provocation(name, code.code)
                if provocation is not None and provocation.unreachable is not None:
                    gaps[(name, code.code)] = provocation.unreachable
    return gaps
