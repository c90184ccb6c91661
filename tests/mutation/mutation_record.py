"""The recorded result of a mutation run, and the reasons for the mutants that live: reads, writes, compares."""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

HERE = Path(__file__).parent
RESULT, SURVIVORS = HERE / "result.json", HERE / "survivors.toml"
LEAST_SCORE = 0.95
HISTORY = "conformance/checks/history.py"
"""The history checker, which must score enough by itself."""
KILLED, SURVIVED, TIMEOUT, UNTESTED, REFUSED = "killed", "survived", "timeout", "untested", "types"
"""What became of a mutant: `types` is one that mypy refuses, which no test has to see; `untested`, one that no test calls."""


@dataclass(frozen=True, slots=True, order=True)
class Survivor:
    """A mutant that no test noticed, described so that it is found again when lines move."""

    file: str
    function: str
    was: str
    now: str


@dataclass(frozen=True, slots=True)
class Record:
    """How many mutants of each file came to which end, and which of them live. `step`: every how many-th one was tried."""

    step: int
    files: Mapping[str, Mapping[str, int]]
    survivors: Sequence[Survivor]

    def packages(self) -> dict[str, Counter[str]]:
        """The counts of each package, its folders included."""
        found: dict[str, Counter[str]] = {}
        for file, counts in self.files.items():
            found.setdefault(str(Path(*Path(file).parts[:2])), Counter()).update(counts)
        return found

    def held(self) -> dict[str, Mapping[str, int]]:
        """What must score enough: each package, and the history checker if any of it was tried."""
        return {**self.packages(), **{file: counts for file, counts in self.files.items() if file == HISTORY}}


def score(counts: Mapping[str, int]) -> float:
    """Killed mutants by all that the type checker lets pass, from 0 to 1; a mutant that hangs is a killed one."""
    dead = counts.get(KILLED, 0) + counts.get(TIMEOUT, 0)
    alive = counts.get(SURVIVED, 0) + counts.get(UNTESTED, 0)
    return dead / (dead + alive) if dead + alive else 1.0


def write_record(record: Record, path: Path = RESULT) -> None:
    """Write a result, sorted, one survivor a line."""
    comma = ",\n  "
    files = comma.join(
        f"{json.dumps(file)}: {json.dumps(dict(sorted(record.files[file].items())))}" for file in sorted(record.files)
    )
    survivors = comma.join(json.dumps(asdict(one), ensure_ascii=False) for one in sorted(record.survivors))
    text = f'{{"step": {record.step},\n "files": {{\n  {files}\n }},\n "survivors": [\n  {survivors}\n ]}}\n'
    path.write_text(text, encoding="utf-8")


def read_record(path: Path = RESULT) -> Record:
    """Read a result that `write_record` wrote."""
    raw = json.loads(path.read_text(encoding="utf-8"))
    return Record(raw["step"], raw["files"], tuple(Survivor(**one) for one in raw["survivors"]))


def explained(path: Path = SURVIVORS) -> dict[Survivor, str]:
    """Each mutant that may live, with the reason. Raises `ValueError` for one that is explained twice, or without a reason."""
    found: dict[Survivor, str] = {}
    for group in tomllib.loads(path.read_text(encoding="utf-8"))["group"]:
        if not group["reason"].strip():
            raise ValueError(f"{path.name}: a group without a reason")
        for place, changes in group["mutants"].items():
            file, _, function = place.partition("::")
            for change in changes:
                was, arrow, now = change.partition(" => ")
                one = Survivor(file, function, was, now)
                if not arrow or one in found:
                    raise ValueError(f"{path.name}: {place}: {change!r} is explained twice, or is not `was => now`")
                found[one] = group["reason"]
    return found


def table(record: Record) -> Iterable[str]:
    """The counts of each folder and each file as lines of text."""
    yield f"{'':42}{'mutants':>8}{'by types':>9}{'killed':>8}{'hung':>6}{'lives':>7}{'score':>8}"
    rows = [*sorted(record.packages().items()), *sorted(record.files.items())]
    total: Counter[str] = sum(record.packages().values(), Counter())
    for name, counts in [("all", total), *rows]:
        lives = counts.get(SURVIVED, 0) + counts.get(UNTESTED, 0)
        yield (
            f"{name:42}{sum(counts.values()):>8}{counts.get(REFUSED, 0):>9}{counts.get(KILLED, 0):>8}"
            f"{counts.get(TIMEOUT, 0):>6}{lives:>7}{score(counts):>8.1%}"
        )
