"""The part of docs/trust.md beside Schemathesis: what each way to run it found, simple, medium and complex faults apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any

from benchmarks.depth import DEPTHS, EFFECTS, ENOUGH, HISTORIES, SEVERAL, SINGLE, Depth, depth_of, over_http
from benchmarks.detection import OURS
from benchmarks.schemathesis_tool import BEST
from benchmarks.trust_record import Record
from reference_impl.equivalents import EQUIVALENTS
from reference_impl.faults import FAULTS

_TITLES = {OURS: "conformance", **{way.name: way.title for way in BEST}}
_Row = Mapping[str, Any]
_ENOUGH = 10
"""Of each depth, before a share of all faults is told."""


def tools_text(record: Record) -> str:
    """The section; empty where nothing was measured."""
    judged: Sequence[_Row] = record.tools.get("judged", [])
    if not judged:
        return ""
    faults = {depth: [one for one in judged if _depth(record, one) == depth] for depth in DEPTHS}
    equivalents = [one for one in judged if one["kind"] == "equivalent"]
    head = f"| | in the reference | tried | {' | '.join(_TITLES.values())} |\n|{'---|' * (3 + len(_TITLES))}"
    rows = [
        *(_caught(record, depth, some) for depth, some in faults.items()),
        _estimated(record, faults),
        _alarms(equivalents),
        _seconds(judged),
        _cases(judged),
    ]
    return "\n\n".join(
        [
            "## Beside Schemathesis",
            _how(record.tools),
            _depths(),
            _sample(judged, small=any(len(some) < _ENOUGH for some in faults.values())),
            "\n".join([head, *rows]),
            _notes(judged, equivalents),
        ]
    )


def _depth(record: Record, one: _Row) -> str:
    return depth_of(record.faults[one["id"]]) if one["kind"] == "fault" else ""


def _how(tools: Mapping[str, Any]) -> str:
    budgets = ", ".join(f"`{name}` {seconds} s" for name, seconds in sorted(tools["budgets_s"].items()))
    return f"""Schemathesis {tools["schemathesis"]} ran at its best, as its own pages advise for most findings and for a comparison: \
all its checks, all its phases, a time budget that it fills, no end at the first failure, no shrinking, no health checks. \
It had the OpenAPI document of this project with its examples and links, the ids of the examples as dictionaries, formats to \
validate, and two users, one of them for its check that objects of other users stay closed. Hooks wrote and read the XML by the \
XSD; in the last column they were [those of this project](schemathesis.md), which judge as well. The failures that it reports \
of the correct reference are its baseline file, so only what is new counts: on a fault as caught, on an equivalent as a false \
alarm. Its budget is at least as many seconds as the harness \
takes for all named cases of the operation (at the least {budgets}), and three times that. Neither time includes the start of \
the program. On a busy machine both take longer, and Schemathesis generates less in its time."""


def _depths() -> str:
    return f"""How deep a fault lies is computed from what found it, so it can be checked in `benchmarks/trust.json` \
(`depth_of` in `benchmarks/depth.py`):

- **Simple**: {ENOUGH} or more of the families whose cases send one call as a user who may \
({_listed(SINGLE)}) find it, and no check that needs an order that was set up or another answer to compare with \
({_listed(EFFECTS)}) does. Almost any call shows it.
- **Complex**: only families whose cases need two circumstances or more find it, such as calls together, one after another \
or in another session ({_listed(SEVERAL)}); or only checks that look at more than a call and its effect ({_listed(HISTORIES)}).
- **Medium**: the rest. One thing that is set up, one value, role, spelling or address shows it."""


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))


def _sample(judged: Sequence[_Row], *, small: bool) -> str:
    note = (
        f"**It is small so far**, measured on a busy machine; a share of all faults is told from {_ENOUGH} of each depth on. "
        if small
        else ""
    )
    http = sum(over_http(variant) for variant in FAULTS.values())
    return f"""{http} of the {len(FAULTS)} faults can show over HTTP in the edition that the document describes; the others \
are beyond Schemathesis and left out here. The sample takes one variant of each depth and one equivalent in turn, in an order \
that a seed gives. {note}It can grow: these commands go on where the last one ended, and the second one measures without a record.

```sh
python -m benchmarks.trust --tools {len(judged) + 20} --minutes 45
python -m benchmarks --variants 20 --at-best detection
```"""


def _caught(record: Record, depth: str, some: Sequence[_Row]) -> str:
    return f"| {depth} faults caught | {_there(record, depth)} | {len(some)} | {_cells(_with(some, name) for name in _TITLES)} |"


def _there(record: Record, depth: str) -> int:
    return sum(over_http(FAULTS[name]) and depth_of(found) == depth for name, found in record.faults.items())


def _with(some: Sequence[_Row], name: str) -> int:
    return sum(bool(one["found"][name]["by"]) for one in some)


def _estimated(record: Record, faults: Mapping[Depth, Sequence[_Row]]) -> str:
    """The share of all faults, each depth by its number in the reference; left open while few were tried."""
    there = {depth: _there(record, depth) for depth in faults}
    tried = sum(len(some) for some in faults.values())
    shares = (
        sum(there[depth] * _with(some, name) / max(1, len(some)) for depth, some in faults.items())
        / sum(there.values())
        for name in _TITLES
    )
    enough = all(len(some) >= _ENOUGH for some in faults.values())
    cells = _cells(f"{100 * share:.0f} %" if enough else "" for share in shares)
    return f"| **all, each depth by its number** | **{sum(there.values())}** | **{tried}** | {cells} |"


def _alarms(equivalents: Sequence[_Row]) -> str:
    cells = _cells(_with(equivalents, name) for name in _TITLES)
    there = sum(map(over_http, EQUIVALENTS.values()))
    return f"| equivalents with a false alarm | {there} | {len(equivalents)} | {cells} |"


def _seconds(judged: Sequence[_Row]) -> str:
    cells = _cells(f"{median(one['found'][name]['wall_s'] for one in judged):.0f} s" for name in _TITLES)
    return f"| seconds for a variant, median | | | {cells} |"


def _cases(judged: Sequence[_Row]) -> str:
    cells = _cells(
        "" if name == OURS else f"{median(one['found'][name]['cases'] for one in judged):.0f}" for name in _TITLES
    )
    return f"| test cases that it generated, median | | | {cells} |"


def _cells(values: Iterable[object]) -> str:
    return " | ".join(map(str, values))


def _notes(judged: Sequence[_Row], equivalents: Sequence[_Row]) -> str:
    lines = []
    for way in BEST:
        kinds = Counter(kind for one in judged if one["kind"] == "fault" for kind in one["found"][way.name]["by"])
        told = ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items())) or "none"
        false = ", ".join(f"`{one['id']}`" for one in equivalents if one["found"][way.name]["by"]) or "none"
        lines.append(
            f"- {way.title[:1].upper()}{way.title[1:]}: new kinds of failure on faults: {told}. False alarms: {false}."
        )
    missed = ", ".join(f"`{one['id']}`" for one in judged if one["kind"] == "fault" and not one["found"][OURS]["by"])
    lines.append(f"- Faults of the sample that the harness missed: {missed or 'none'}.")
    lines.append(
        "- Without a baseline file it exits with 1 on the correct reference: an error inside a 200 looks to it like a request that "
        "was wrongly accepted. With our hooks it exits with 0 there. A fault that only adds to what the baseline holds is not seen."
    )
    lines.append(
        "- It places an order or a quote by the links of the document and cancels it, but looks at nothing afterwards. Whether the "
        "right code came, and whether that order was cancelled and no other, it cannot ask. It needs no contract except the document."
    )
    return "\n".join(lines)
