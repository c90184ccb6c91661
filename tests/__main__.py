"""`python -m tests`: what a change must pass in this environment, one step after the other, the quick ones first.

The tests that take very long (`tests/long.txt`) run with `--all` alone, as `.ci/run` has it.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
PROGRAMS = Path(sys.executable).parent

STEPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Style", ("ruff", "check", ".")),
    ("Layout of the code", ("ruff", "format", "--check", ".")),
    (
        "Unsafe habits",
        ("bandit", "--quiet", "--recursive", "--configfile", "pyproject.toml", "conformance", "reference_impl"),
    ),
    ("The direction of imports", ("lint-imports", "--no-cache")),
    ("Static types", ("mypy",)),
    ("The contract agrees with itself", ("conformance", "specs", "check")),
    ("The fixtures are what the contract gives", ("conformance", "fixtures", "check")),
    ("The harness's own tests", ("pytest", "-n", "auto", "--dist", "worksteal")),
)
QUICK = ("-m", "not very_long")


def main() -> int:
    """Run the steps; the exit code of the first that fails."""
    if sys.argv[1:] not in ([], ["--all"]):
        sys.stderr.write("usage: python -m tests [--all]\n")
        return 2
    started = time.monotonic()
    for title, given in STEPS:
        command = given if sys.argv[1:] or given[0] != "pytest" else (*given, *QUICK)
        sys.stdout.write(f"\n== {title} ({time.monotonic() - started:.0f} s so far)\n$ {' '.join(command)}\n")
        sys.stdout.flush()
        program, *arguments = command
        done = subprocess.run([str(PROGRAMS / program), *arguments], cwd=ROOT, check=False)
        if done.returncode:
            sys.stdout.write(f"\nfailed: {' '.join(command)} ended with {done.returncode}\n")
            return done.returncode
    sys.stdout.write(f"\nall steps passed in {time.monotonic() - started:.0f} s\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
