"""Which check or family of named cases finds a fault that nothing else finds; with the file that records it."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from benchmarks.trust_record import Record
from reference_impl.faults import FAULTS

_HERE = Path(__file__).parent.parent / "tests" / "conformance" / "selftest"
DETECTION, KEPT = _HERE / "detection.toml", _HERE / "detection_kept.toml"
Kind = Literal["checks", "families"]
_RECORDED = 5
_BOOKS = "standing"
"""The check of the books: its finding falls on the case that was under way, of whichever family that is."""


@dataclass(frozen=True, slots=True)
class Alone:
    """A check or a family: how many faults it finds, which ones only it finds, or why it is kept without any."""

    name: str
    finds: int
    faults: tuple[str, ...]
    kept: str


def alone_by(record: Record, kind: Kind) -> Sequence[Alone]:
    """Every check that found something, or every family of each operation, by name."""
    kept = kept_reasons()[kind]
    finds: dict[str, int] = dict.fromkeys(kept, 0)
    alone: dict[str, list[str]] = {}
    for name, found in sorted(record.faults.items()):
        own = found.checks if kind == "checks" else _families(name, found.families)
        for one in own:
            finds[one] = finds.get(one, 0) + 1
        if len(own) == 1 and not (kind == "families" and _BOOKS in found.checks):
            alone.setdefault(own[0], []).append(name)
    return [Alone(name, finds[name], tuple(alone.get(name, ())), kept.get(name, "")) for name in sorted(finds)]


def _families(fault: str, families: Sequence[str]) -> tuple[str, ...]:
    short = fault.partition("-")[0]
    return tuple(f"{short}/{family}" for family in families)


def kept_reasons() -> Mapping[Kind, Mapping[str, str]]:
    """Why a check or a family is kept although no fault needs it, as the file says."""
    raw = tomllib.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}
    return {"checks": raw.get("checks", {}), "families": raw.get("families", {})}


def detection_text(record: Record) -> str:
    """The content of the recorded table: for each check and family, a few of the faults that it alone finds."""
    lines = ["# Written by `python -m benchmarks.trust`: some of the faults that only one check, or one family, finds."]
    for kind in ("checks", "families"):
        lines += ["", f"[{kind}]"]
        rows = alone_by(record, "checks" if kind == "checks" else "families")
        lines += [f"{json.dumps(row.name)} = {json.dumps(list(row.faults[:_RECORDED]))}" for row in rows if row.faults]
    return "\n".join(lines) + "\n"


def unknown(record: Record) -> Sequence[str]:
    """Faults that exist and are not recorded, or the other way round."""
    return sorted(set(FAULTS) ^ set(record.faults))
