"""`python -m tests.mutation`: mutates the checks, the codecs and the scope guard, and shows which changes no test notices.

    python -m tests.mutation [--every N] [--children N] [--again] [--record] [PATTERN]...

mutmut makes the mutants; the rules of the choice stand in `mutants.py`, and `session.py` runs the unit tests against each.
PATTERN (of a mutant's name, as in `conformance.formats.text*`) narrows the run, `--every N` takes each N-th mutant of each file.
A mutant that was killed before and reads the same is not tried again, unless `--again` says so. `--record` writes
`result.json`, which `test_mutation_record.py` holds against `survivors.toml`. Ends with 1 when a mutant lives that is
not explained there, or when a package or the history checker scores less than 95%.
"""

from __future__ import annotations

import argparse
import fnmatch
import hashlib
import os
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from tests.mutation import mutation_record as records
from tests.mutation.mutants import COPY, Mutant, change_of, generate, leave_wording_alone, refused_by_types
from tests.mutation.session import every, run

_MEMORY = records.HERE.parent.parent / COPY / "killed.txt"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, report, and judge; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutation", description="Mutates checks, codecs and scope guard."
    )
    parser.add_argument("patterns", nargs="*", metavar="PATTERN", help="only mutants whose name fits one of these")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="each N-th mutant of each file (all)")
    parser.add_argument(
        "--children", type=int, default=os.cpu_count() or 1, metavar="N", help="mutants at a time (one a core)"
    )
    parser.add_argument("--again", action="store_true", help="try again what was killed before")
    parser.add_argument("--record", action="store_true", help="write result.json")
    options = parser.parse_args(arguments)
    os.chdir(records.HERE.parent.parent)
    leave_wording_alone()
    made = generate(options.children)
    refused = refused_by_types(made)
    chosen = every((one for one in made if _wanted(one, options.patterns)), options.every)
    if options.again:
        _MEMORY.unlink(missing_ok=True)
    lines = _MEMORY.read_text(encoding="utf-8").splitlines() if _MEMORY.exists() else ()
    known = {digest: ended for digest, _, ended in (line.partition(" ") for line in lines)}
    status = {one.name: records.REFUSED for one in chosen if one.name in refused}
    status |= {one.name: known[_digest(one)] for one in chosen if one.name not in status and _digest(one) in known}
    waiting = [one for one in chosen if one.name not in status]
    _say(f"{len(made)} mutants, {len(chosen)} chosen, {len(waiting)} to try")
    progress = _Progress(status, len(waiting))
    if waiting:
        run(waiting, progress.take, progress.recall, options.children)
    return _report(chosen, status, options.every, options.record)


class _Progress:
    def __init__(self, status: dict[str, str], total: int) -> None:
        self.status, self.total, self.count, self.started = status, total, 0, time.monotonic()

    def recall(self, mutant: Mutant, status: str) -> None:
        self.status[mutant.name] = status
        self.count += 1

    def take(self, mutant: Mutant, status: str) -> None:
        self.status[mutant.name] = status
        self.count += 1
        if status in (records.SURVIVED, records.UNTESTED):
            _say(f"{status}: {mutant.name}")
        else:
            with _MEMORY.open("a", encoding="utf-8") as memory:
                memory.write(f"{_digest(mutant)} {status}\n")
        if self.count % 100 == 0 or self.count == self.total:
            _say(f"{self.count} of {self.total}, {time.monotonic() - self.started:.0f} s")


def _wanted(mutant: Mutant, patterns: Sequence[str]) -> bool:
    return not patterns or any(fnmatch.fnmatch(mutant.name, pattern) for pattern in patterns)


def _digest(mutant: Mutant) -> str:
    return hashlib.sha256(f"{mutant.path}\n{mutant.text}".encode()).hexdigest()[:16]


def _report(chosen: Sequence[Mutant], status: dict[str, str], step: int, write: bool) -> int:
    files: dict[str, Counter[str]] = defaultdict(Counter)
    living: set[records.Survivor] = set()
    reasons = records.explained()
    for one in chosen:
        files[str(one.path)][status[one.name]] += 1
        if status[one.name] in (records.SURVIVED, records.UNTESTED):
            survivor = records.Survivor(str(one.path), one.function, *change_of(one))
            living.add(survivor)
            known = "explained" if survivor in reasons else status[one.name]
            _say(f"{known}: {survivor.file}::{survivor.function}: {survivor.was} => {survivor.now}")
    record = records.Record(step, files, sorted(living))
    _say("\n".join(records.table(record)))
    if write:
        records.write_record(record)
    unexplained = len(living - reasons.keys())
    low = [name for name, counts in record.held().items() if records.score(counts) < records.LEAST_SCORE]
    if unexplained or low:
        _say(
            f"{unexplained} living mutants are not explained in {records.SURVIVORS.name}; below the mark: {', '.join(low) or 'none'}"
        )
    return int(bool(unexplained or low))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    Path(COPY).mkdir(exist_ok=True)
    sys.exit(main())
