"""What identifies a run in its reports: the tool, the contract, and the target with the gaps that it accepts."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from conformance.model.spec import Contract
from conformance.model.verdict import RunInfo
from conformance.report.version import tool_version
from conformance.target.choose import REFERENCE, ChosenTarget
from conformance.target.model import TargetFile


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
    if chosen.name == REFERENCE:
        return {"name": REFERENCE}
    place = "url" if "://" in chosen.name else "file"
    return {**chosen.file.redacted(), place: chosen.name}


def accepted_gaps(contract: Contract, target: TargetFile) -> dict[tuple[str, str], str]:
    """The error codes that the target file says nobody can bring about there, with its reasons."""
    gaps: dict[tuple[str, str], str] = {}
    for service_id, service in target.services.items():
        for name in contract.services[service_id].operations:
            for code in contract.operations[name].codes:
                provocation = service.errors.get(name, {}).get(code.code) or service.errors.get("any", {}).get(code.code)
                if provocation is not None and provocation.unreachable is not None:
                    gaps[(name, code.code)] = provocation.unreachable
    return gaps
