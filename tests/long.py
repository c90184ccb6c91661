"""The tests that take their time: `python -m tests.long JUNIT` names them anew, by the times in a JUnit file of a whole run.

A line of `long.txt` is a function, as pytest names it without parameters, and the seconds of its tests together.
"""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

FILE = Path(__file__).parent / "long.txt"
_LONG_S = 2
"""A function whose tests take so long together is named."""


def slow(junit: Path) -> Iterator[tuple[str, int]]:
    """The functions that took long and their seconds, in the order of their names."""
    took_s: Counter[str] = Counter()
    for case in ElementTree.parse(junit).iter("testcase"):
        path = case.attrib["classname"].replace(".", "/")
        took_s[f"{path}.py::{case.attrib['name'].partition('[')[0]}"] += float(case.attrib["time"])
    yield from sorted((name, int(seconds)) for name, seconds in took_s.items() if seconds >= _LONG_S)


if __name__ == "__main__":
    FILE.write_text("".join(f"{name} {seconds}\n" for name, seconds in slow(Path(sys.argv[1]))), encoding="utf-8")
