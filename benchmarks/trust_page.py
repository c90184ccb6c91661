"""Writes docs/trust.md from the record: what was caught, what was not, and what nobody looked at."""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.trust_detection import Alone, alone_by
from benchmarks.trust_record import Group, Record, equivalent_groups, fault_groups
from conformance.contract.load import load_contract

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "trust.md"
UNCOVERED = ROOT / "tests" / "conformance" / "selftest" / "uncovered_requirements.toml"
MUTATION = ROOT / "tests" / "mutation" / "result.json"
LIMITS = Path(__file__).parent / "trust_limits.md"
_NAMED, _SHOWN = 3, 6


def page_of(record: Record) -> str:
    """The page's text."""
    parts = [
        _opening(record),
        _faults(record),
        _equivalents(record),
        _alone("## What each check alone finds", _CHECKS, alone_by(record, "checks")),
        _alone("## What each family of named cases alone finds", _FAMILIES, alone_by(record, "families")),
        _tools(record),
        _requirements(),
        _mutation(),
        LIMITS.read_text(encoding="utf-8").strip(),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


_CHECKS = (
    "A fault stands here when every finding on a requirement that it breaks comes from the one check: without that "
    "check the fault is not caught by any other. What a check blocks, an answer that nobody can read for one, is not "
    "judged again by the checks behind it."
)
_FAMILIES = "The same for the families of named cases, in each operation: the second part of a case's id."


def _opening(record: Record) -> str:
    whole = record.whole
    summary = whole["summary"]
    return f"""# Why its verdict can be trusted, and how far

This page is written by `python -m benchmarks.trust` from what was measured (`benchmarks/trust.json`), and a test holds that it is. The harness is tried on its own reference implementation: with **faults**, each a deliberate violation of requirements that it names, and **equivalents**, each a difference that the documents permit.

- **{summary["caught"]} of {summary["faults"]} faults are caught**: by a finding on a requirement that the fault breaks, while the fault was at work. A finding on another requirement does not count.
- **{summary["false_alarms"]} false alarms on {summary["equivalents"]} equivalents**: every named case of the operation ran, and passed, while the equivalent was at work.
- All of it took {whole["wall_s"]:.0f} s on {whole["cpus"]} processors that other work shared, {whole["cpu_s"]:.0f} s of processor time; one fault takes a second or two.

```sh
conformance selftest
conformance selftest --fault cao-text-104
conformance selftest --every-case --json
```

A fault's run begins with the cases that name a requirement which it breaks, and ends when one finds it; if none does, all named cases run. `--every-case` goes on to the end, which the tables below are made from."""


def _faults(record: Record) -> str:
    rows = [_fault_row(group, record) for group in fault_groups()]
    total = f"| **all** | **{len(record.faults)}** | **{sum(one.caught for one in record.faults.values())}** | |"
    head = "## Faults\n\n| faults | number | caught | by which families of cases, and how many of the faults each finds |\n|---|---|---|---|"
    return "\n".join([head, *rows, total])


def _fault_row(group: Group, record: Record) -> str:
    found = [record.faults[variant.id] for variant in group.variants]
    families = Counter(family for one in found for family in one.families)
    ordered = sorted(families.items(), key=lambda entry: (-entry[1], entry[0]))
    shown = ", ".join(f"{name} {count}" for name, count in ordered[:_SHOWN])
    shown += f", and {len(ordered) - _SHOWN} more families" if len(ordered) > _SHOWN else ""
    return f"| {group.title} | {len(found)} | {sum(one.caught for one in found)} | {shown} |"


def _equivalents(record: Record) -> str:
    rows = []
    for group in equivalent_groups():
        alarms = sum(record.alarms[variant.id] for variant in group.variants)
        rows.append(f"| {group.title} | {len(group.variants)} | {alarms} |")
    total = f"| **all** | **{len(record.alarms)}** | **{sum(record.alarms.values())}** |"
    head = "## Equivalents\n\n| permitted differences | number | false alarms |\n|---|---|---|"
    return "\n".join([head, *rows, total])


def _alone(title: str, text: str, rows: Sequence[Alone]) -> str:
    lines = [
        title,
        "",
        text,
        "",
        "| | faults that it finds | that it alone finds | such as, or why it is kept |",
        "|---|---|---|---|",
    ]
    for row in rows:
        named = ", ".join(f"`{name}`" for name in row.faults[:_NAMED])
        lines.append(f"| {row.name} | {row.finds} | {len(row.faults)} | {named or row.kept} |")
    return "\n".join(lines)


def _tools(record: Record) -> str:
    tools = record.tools
    if not tools:
        return ""
    counts = tools["totals"]
    judged: Sequence[Mapping[str, Any]] = tools["judged"]
    silent = [one for one in judged if one["kind"] == "fault" and "-ws-" in one["id"]]
    kinds = Counter(kind for one in judged for kind in one["theirs_by"])
    by = ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items())) or "none"
    false = ", ".join(f"`{one['id']}`" for one in judged if one["kind"] == "equivalent" and one["theirs"]) or "none"
    return f"""## Beside Schemathesis

Schemathesis {tools["schemathesis"]}, given the OpenAPI document of this project, a session token, all its checks and its deterministic mode, on {counts["faults"]:.0f} faults and {counts["equivalents"]:.0f} equivalents, evenly spaced over all of them, one variant after the other and both tools in turn:

```sh
python -m benchmarks --variants {len(judged)} detection
python -m benchmarks --variants all detection
```

| | conformance | Schemathesis |
|---|---|---|
| faults caught | {counts["conformance_caught"]:.0f} of {counts["faults"]:.0f} | {counts["schemathesis_caught"]:.0f} of {counts["faults"]:.0f} |
| false alarms | {counts["conformance_false_alarms"]:.0f} of {counts["equivalents"]:.0f} | {counts["schemathesis_false_alarms"]:.0f} of {counts["equivalents"]:.0f} |
| seconds for all of them | {counts["conformance_seconds"]:.0f} | {counts["schemathesis_seconds"]:.0f} |

For Schemathesis a fault counts as caught when it reports a kind of failure that it does not report on the correct reference, for which it exits 1 as well: what is new, by kind and operation, was {by}. A false alarm is the same on an equivalent: {false}. By its exit code alone every server would be at fault, the correct one included; on the other hand, a fault that shows as one more failure of a kind which the correct reference has too is not counted for it. {len(silent)} of the faults show over WebSocket alone, which it does not speak; and an OpenAPI document has no means to set up an order that could be cancelled, or to look what became of it. It is a tool for another question, and needs no contract but the document. The seconds of `conformance` are those of `conformance selftest`, which starts a process for each variant and stops when a fault is caught."""


def _requirements() -> str:
    contract = load_contract()
    uncovered: Mapping[str, str] = tomllib.loads(UNCOVERED.read_text(encoding="utf-8"))
    untested = {one.id: one.untested for one in contract.requirements.values() if one.untested}
    return "\n".join(
        [
            "## Requirements that no fault breaks",
            "",
            "Every other requirement that cases test is broken by at least one fault.",
            "",
            *_reasons(uncovered),
            "",
            "## Requirements that no case tests",
            "",
            *_reasons(untested),
        ]
    )


def _reasons(reasons: Mapping[str, str | None]) -> Iterable[str]:
    return (f"- `{name}`: {str(reasons[name]).rstrip('.')}." for name in sorted(reasons))


def _mutation() -> str:
    """The score of the last recorded mutation run, by folder; nothing where there is none."""
    if not MUTATION.exists():
        return ""
    packages: dict[str, Counter[str]] = {}
    raw = json.loads(MUTATION.read_text(encoding="utf-8"))
    for file, counts in raw["files"].items():
        packages.setdefault(str(Path(file).parent), Counter()).update(counts)
    rows = []
    for name, counts in sorted(packages.items()):
        dead, alive = counts["killed"] + counts["timeout"], counts["survived"] + counts["untested"]
        rows.append(f"| `{name}` | {dead + alive} | {dead} | {100 * dead / max(1, dead + alive):.0f} % |")
    tried = "every mutant" if raw["step"] == 1 else f"every {raw['step']}th mutant"
    head = f"## Mutants of the harness itself\n\nSmall changes of its own source, of which the tests must notice each ({tried} was tried; those that live are explained one by one in `tests/mutation/survivors.toml`):\n\n| | mutants | noticed | |\n|---|---|---|---|"
    return "\n".join([head, *rows])
