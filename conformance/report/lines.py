"""The lines of a journal as JSON objects, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from conformance.model.verdict import CaseResult, Evidence, Finding, RunInfo, Verdict
from conformance.report.settings import Ending, Selection, Settings

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class Header:
    """The first line: which run this is, and what was decided before it began."""

    info: RunInfo
    settings: Settings = field(default_factory=Settings)


def header_line(header: Header) -> dict[str, Any]:
    """The header; accepted gaps become a list, since their keys are pairs."""
    settings = header.settings
    return {
        "type": "header",
        "schema_version": SCHEMA_VERSION,
        "run": {
            "id": header.info.id,
            "tool_version": header.info.tool_version,
            "specs_digest": header.info.specs_digest,
            "seed": header.info.seed,
            "started_at": header.info.started_at,
            "target": _plain(header.info.target),
            **({} if header.info.explore_seed is None else {"explore_seed": header.info.explore_seed}),
        },
        "selection": asdict(settings.selection),
        "accepted_gaps": [
            {"operation": operation, "code": code, "reason": reason}
            for (operation, code), reason in sorted(settings.accepted_gaps.items())
        ],
        "pinned": dict(sorted(settings.pinned.items())),
        "shard": settings.shard,
        "planned": settings.planned,
    }


def header_from(raw: Mapping[str, Any]) -> Header:
    """The header of a line; `ValueError` for a schema version that this tool does not know."""
    if raw["schema_version"] != SCHEMA_VERSION:
        raise ValueError(f"schema_version {raw['schema_version']!r}, this tool reads {SCHEMA_VERSION}")
    run = raw["run"]
    selection = {name: tuple(chosen) for name, chosen in raw["selection"].items()}
    gaps = {(gap["operation"], gap["code"]): gap["reason"] for gap in raw["accepted_gaps"]}
    return Header(
        RunInfo(
            run["id"], run["tool_version"], run["specs_digest"], run["seed"], run["started_at"], run["target"],
            run.get("explore_seed"),
        ),
        Settings(Selection(**selection), gaps, raw["pinned"], raw["shard"], raw["planned"]),
    )


def case_line(result: CaseResult) -> dict[str, Any]:
    """A result with everything that is known of it; empty members are left out."""
    line: dict[str, Any] = {
        "type": "case",
        "id": result.id,
        "operation": result.operation,
        "requirements": result.requirements,
        "tier": result.tier,
        "transport": result.transport,
        "media_type": result.media_type,
        "role": result.role,
        "verdict": result.verdict.value,
        "findings": [asdict(finding) for finding in result.findings],
        "reason": result.reason,
        "blocked": result.blocked,
        "readings": result.readings,
        "code": result.code,
        "code_seen": result.code_seen,
        "requests": result.requests,
        "evidence": None if result.evidence is None else asdict(result.evidence),
        "notes": result.notes,
        "unverified": result.unverified,
    }
    return {name: value for name, value in line.items() if value not in (None, (), [])}


def result_from(raw: Mapping[str, Any]) -> CaseResult:
    """The result of a line; `KeyError`, `TypeError` or `ValueError` when it is none."""
    evidence = raw.get("evidence")
    return CaseResult(
        id=raw["id"],
        operation=raw["operation"],
        requirements=tuple(raw.get("requirements", ())),
        tier=raw["tier"],
        transport=raw["transport"],
        media_type=raw["media_type"],
        role=raw["role"],
        verdict=Verdict(raw["verdict"]),
        findings=tuple(Finding(**finding) for finding in raw.get("findings", ())),
        reason=raw.get("reason", ""),
        blocked=tuple(raw.get("blocked", ())),
        readings=tuple(raw.get("readings", ())),
        code=raw.get("code"),
        code_seen=raw.get("code_seen"),
        requests=raw.get("requests", 0),
        evidence=None if evidence is None else Evidence(**evidence),
        notes=tuple(raw.get("notes", ())),
        unverified=tuple(raw.get("unverified", ())),
    )


def footer_line(ending: Ending) -> dict[str, Any]:
    """The footer: how the run ended."""
    return {
        "type": "footer",
        "duration_s": ending.duration_s,
        "stopped": ending.stopped,
        "interrupted": ending.interrupted,
        "waivers_unmatched": ending.waivers_unmatched,
        "waivers_expired": ending.waivers_expired,
        "left_behind": ending.left_behind,
        "throttled": ending.throttled,
    }


def ending_from(raw: Mapping[str, Any]) -> Ending:
    """The ending that a footer tells of."""
    return Ending(
        duration_s=raw["duration_s"],
        stopped=raw["stopped"],
        interrupted=raw["interrupted"],
        waivers_unmatched=tuple(raw["waivers_unmatched"]),
        waivers_expired=tuple(raw["waivers_expired"]),
        left_behind=tuple(raw.get("left_behind", ())),
        throttled=raw.get("throttled", 0),
    )


def _plain(value: Any) -> Any:
    """Mappings and tuples as the dicts and lists that JSON has."""
    if isinstance(value, Mapping):
        return {str(key): _plain(member) for key, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
