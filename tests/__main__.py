"""`python -m tests`: everything that a change must pass in this environment, one step after the other, the quick ones first."""

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


def main() -> int:
    """Run the steps; the exit code of the first that fails."""
    started = time.monotonic()
    for title, command in STEPS:
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
