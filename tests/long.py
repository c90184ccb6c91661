"""The tests that take their time: `python -m tests.long JUNIT` names them anew, by the times in a JUnit file of a whole run."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

FILE = Path(__file__).parent / "long.txt"
_LONG_S = 6.0
"""A function whose tests take so long together is long."""


def slow(junit: Path) -> Iterator[str]:
    """The functions that took long, in the order of their names."""
    took_s: Counter[str] = Counter()
    for case in ElementTree.parse(junit).iter("testcase"):
        path = case.attrib["classname"].replace(".", "/")
        took_s[f"{path}.py::{case.attrib['name'].partition('[')[0]}"] += float(case.attrib["time"])
    yield from sorted(name for name, seconds in took_s.items() if seconds >= _LONG_S)


if __name__ == "__main__":
    FILE.write_text("".join(f"{name}\n" for name in slow(Path(sys.argv[1]))), encoding="utf-8")
