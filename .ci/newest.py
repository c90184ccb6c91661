"""Print the newest finished Python that this machine has beside the one running this, if any is newer.

Looked at are `python3.N` on PATH and, where pyenv is installed, all its versions. What cannot be started, is not a
final release, or was built without the lock that the dependencies count on, is passed over.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

_ASK = (
    "import sys, sysconfig, venv, ensurepip; i = sys.version_info; "
    "print(i.major, i.minor, i.micro, i.releaselevel, bool(sysconfig.get_config_var('Py_GIL_DISABLED')))"
)
Version = tuple[int, int, int]


def candidates() -> Iterator[Path]:
    """Every program that looks like a Python 3."""
    folders = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    for folder in folders:
        if folder.is_dir():
            yield from (path for path in folder.iterdir() if re.fullmatch(r"python3\.\d+", path.name))
    if pyenv := shutil.which("pyenv"):
        done = subprocess.run([pyenv, "root"], capture_output=True, text=True, timeout=30, check=False)
        if done.returncode == 0:
            yield from Path(done.stdout.strip(), "versions").glob("3.*/bin/python3")


def version_of(program: Path) -> Version | None:
    """The version of a Python that can be used here; None for any other program."""
    try:
        done = subprocess.run([program, "-c", _ASK], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    words = done.stdout.split()
    if done.returncode or len(words) != 5 or words[3:] != ["final", "False"]:
        return None
    return int(words[0]), int(words[1]), int(words[2])


def newest(programs: Iterator[Path], than: tuple[int, int]) -> Path | None:
    """The program with the highest version, if its minor version is above the one given."""
    found = [(version, str(program)) for program in programs if (version := version_of(program)) is not None]
    best = max(found, default=None)
    return Path(best[1]) if best is not None and best[0][:2] > than else None


if __name__ == "__main__":
    program = newest(candidates(), sys.version_info[:2])
    if program is not None:
        sys.stdout.write(f"{program}\n")
