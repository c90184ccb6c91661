"""Writes docs/trust.md from the record: what was caught, what was not, and what was not measured."""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from benchmarks.trust_detection import Alone, alone_by
from benchmarks.trust_record import Group, Record, equivalent_groups, fault_groups
from benchmarks.trust_tools import tools_text
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
        tools_text(record),
        _requirements(),
        _mutation(),
        LIMITS.read_text(encoding="utf-8").strip(),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


_CHECKS = (
    "A fault counts for a check alone if every finding on a requirement that it breaks comes from that check: without "
    "the check, nothing catches the fault. If a check blocks an answer, for example because it cannot be read, the "
    "checks behind it do not judge that answer."
)
_FAMILIES = "This table shows the same for the families of named cases. The family is the second part of a case's id."


def _opening(record: Record) -> str:
    caught, alarms = sum(one.caught for one in record.faults.values()), sum(record.alarms.values())
    return f"""# Why its verdict can be trusted, and how far

This page shows which violations the harness finds, and what it cannot find. `python -m benchmarks.trust` writes the page from recorded measurements (`benchmarks/trust.json`), and a test compares the two. The harness is tried on its own reference implementation, with two kinds of variants: a **fault** is a deliberate violation of requirements that it names, and an **equivalent** is a difference that the documents permit.

- **{caught} of {len(record.faults)} faults are caught.** A fault is caught if there is a finding on a requirement that the fault breaks, and the fault was active. A finding on another requirement does not count.
- **{alarms} false alarms on {len(record.alarms)} equivalents.** Every named case of the operation ran and passed, and the equivalent was active.
- {_time(record)}

```sh
conformance selftest
conformance selftest --fault cao-text-104
conformance selftest --every-case --json
```

For each fault, the cases that name a broken requirement run first. The run ends when one of them finds the fault; if none does, all named cases run. With `--every-case` all named cases always run. The tables below come from such runs. {_present(record)}"""


def _time(record: Record) -> str:
    """How long a run of everything takes, or one of every so manieth variant."""
    whole = record.whole
    took = f"took {whole['wall_s']:.0f} s on {whole['cpus']} shared processors, and {whole['cpu_s']:.0f} s of processor time"
    if whole["step"] == 1:
        return f"`conformance selftest` {took}."
    summary = whole["summary"]
    return (
        f"A self-test of every {whole['step']}th variant ({summary['faults']} faults, {summary['equivalents']} equivalents) "
        f"{took}; `conformance selftest` tries all of them."
    )


def _present(record: Record) -> str:
    """Of how many faults it is known what every family of cases finds."""
    untried = [one for one in record.faults.values() if one.untried]
    if not untried:
        return "Each fault was tried with every family of cases that there is."
    names = sorted({family for one in untried for family in one.untried})
    return (
        f"{len(record.faults) - len(untried)} of the faults were tried with every family of cases that there is; the others "
        f"not with all of those that came later ({', '.join(names)}), which may find them as well. "
        "`python -m benchmarks.trust --record families` tries the rest."
    )


def _faults(record: Record) -> str:
    rows = [_fault_row(group, record) for group in fault_groups()]
    total = f"| **all** | **{len(record.faults)}** | **{sum(one.caught for one in record.faults.values())}** | |"
    head = (
        "## Faults\n\n"
        "| faults | number | caught | families of cases that find them, with the number of faults each finds |\n"
        "|---|---|---|---|"
    )
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
        "| | faults that it finds | faults that it alone finds | examples, or why it is kept |",
        "|---|---|---|---|",
    ]
    for row in rows:
        named = ", ".join(f"`{name}`" for name in row.faults[:_NAMED])
        lines.append(f"| {row.name} | {row.finds} | {len(row.faults)} | {named or row.kept} |")
    return "\n".join(lines)


def _requirements() -> str:
    contract = load_contract()
    uncovered: Mapping[str, str] = tomllib.loads(UNCOVERED.read_text(encoding="utf-8"))
    untested = {one.id: one.untested for one in contract.requirements.values() if one.untested}
    return "\n".join(
        [
            "## Requirements that no fault breaks",
            "",
            "At least one fault breaks every other requirement that a case tests.",
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
    tried = "Every mutant" if raw["step"] == 1 else f"Every {raw['step']}th mutant"
    head = (
        "## Mutants of the harness itself\n\n"
        "A mutant is a small change of the harness's own source. The tests must notice each one. "
        f"{tried} was tried, in the recorded run or, with the same code, before it. `tests/mutation/survivors.toml` explains each mutant that no test "
        "noticed:\n\n"
        "| | mutants | noticed | |\n|---|---|---|---|"
    )
    return "\n".join([head, *rows])
