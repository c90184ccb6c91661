"""Exit 1 unless `conformance --help` takes at most a third of the time of `schemathesis --version`.

The arguments are the two programs, each perhaps in its own environment. They run in turn, and the quickest of seven runs
counts.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

ROUNDS = 7
SHARE = 1 / 3


def seconds(program: Path, option: str) -> float:
    """How long one run of the program takes."""
    started = time.perf_counter()
    subprocess.run([program, option], check=True, stdout=subprocess.DEVNULL, timeout=60)
    return time.perf_counter() - started


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
