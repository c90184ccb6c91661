"""Every command in docs/derive.md is run, on the page that stands there, and prints what stands there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from derive_support import conformance

from conformance.derive.page import MISFITS
from conformance.derive.read.dialects import MAX_PAGE_BYTES

DOCS = (Path(__file__).parents[3] / "docs" / "derive.md").read_text(encoding="utf-8")
PAGE = re.search(r"^~~~markdown\n(.*?)^~~~", DOCS, re.MULTILINE | re.DOTALL)
BLOCKS = re.findall(r"^```(?:console|sh)\n(.*?)^```", DOCS, re.MULTILINE | re.DOTALL)


def test_every_command_prints_what_stands_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert PAGE is not None
    monkeypatch.chdir(tmp_path)
    later = PAGE.group(1).replace("Conditionally optional", "Required").replace("No Such Shelf", "Unknown Shelf")
    Path("lock.md").write_text(PAGE.group(1), encoding="utf-8")
    Path("lock-later.md").write_text(later, encoding="utf-8")
    printed = []
    for block in BLOCKS:
        line, _, _ = block.partition("\n")
        done = conformance(*shlex.split(line.removeprefix("$ "))[1:])
        assert done.exit_code == (1 if "later" in line else 0), done.output
        printed.append(f"{line}\n{done.stdout}")
    assert printed == BLOCKS


def test_every_kind_of_misfit_is_explained() -> None:
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| ([^|]+) \|$", DOCS, re.MULTILINE))
    assert {kind: rows[kind].partition(":")[0] for kind in MISFITS} == dict(MISFITS)


def test_the_limit_is_the_one_that_is_held() -> None:
    assert f"at most {MAX_PAGE_BYTES // 1024 // 1024} MiB" in DOCS
