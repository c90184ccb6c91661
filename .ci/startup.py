"""Exit 1 unless `conformance --help` takes at most a third of the processor time of `schemathesis --version`.

The arguments are the two programs, each perhaps in its own environment. They run in turn, and the quickest of seven runs
counts. Processor time, and not what a clock shows, since other programs may share the machine.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROUNDS = 7
SHARE = 1 / 3


def seconds(program: Path, option: str) -> float:
    """The processor time that one run of the program takes, with that of its children."""
    before = os.times()
    subprocess.run([program, option], check=True, stdout=subprocess.DEVNULL, timeout=60)
    after = os.times()
    return (after.children_user + after.children_system) - (before.children_user + before.children_system)


def main(conformance: Path, schemathesis: Path) -> int:
    """Measure both, say what came out, and judge."""
    pairs = [(seconds(conformance, "--help"), seconds(schemathesis, "--version")) for _ in range(ROUNDS)]
    ours, theirs = (min(column) for column in zip(*pairs, strict=True))
    sys.stdout.write(
        f"conformance --help {ours * 1000:.0f} ms, schemathesis --version {theirs * 1000:.0f} ms: {ours / theirs:.2f}\n"
    )
    return 0 if ours <= theirs * SHARE else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
