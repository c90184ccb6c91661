"""The recorded mutation run: enough mutants die, every living one has a reason, and no reason is left over."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from mutation_record import (
    HISTORY,
    KILLED,
    LEAST_SCORE,
    REFUSED,
    SURVIVED,
    TIMEOUT,
    UNTESTED,
    Record,
    Survivor,
    explained,
    read_record,
    score,
    table,
    write_record,
)

ROOT = Path(__file__).parent.parent.parent
PACKAGES = {"conformance/checks", "conformance/formats", "conformance/guard"}
NOT_MUTATED = {"conformance/guard/gate.py", "conformance/guard/link.py", "conformance/guard/opening.py"}
"""What counts, paces, connects and sends behind the scope guard: live tests hold it, which are too slow for a mutant each."""


def test_every_package_in_scope_and_the_history_checker_score_enough() -> None:
    held = read_record().held()
    assert set(held) == PACKAGES | {HISTORY}
    assert {name: score(counts) for name, counts in held.items() if score(counts) < LEAST_SCORE} == {}


def test_every_living_mutant_has_a_reason_and_every_reason_a_living_mutant() -> None:
    living = set(read_record().survivors)
    reasons = set(explained())
    assert sorted(living - reasons) == []
    assert sorted(reasons - living) == []


def test_the_record_counts_each_living_mutant() -> None:
    record = read_record()
    for file, counts in record.files.items():
        described = {one for one in record.survivors if one.file == file}
        assert len(described) <= counts.get(SURVIVED, 0) + counts.get(UNTESTED, 0)
        assert bool(described) == bool(counts.get(SURVIVED, 0) + counts.get(UNTESTED, 0))


def test_the_record_covers_every_file_that_has_code_to_mutate() -> None:
    files = {str(path.relative_to(ROOT)) for package in PACKAGES for path in (ROOT / package).rglob("*.py")}
    without = {file for file in files if file.endswith("/__init__.py")}
    assert set(read_record().files) == files - without - NOT_MUTATED


def test_the_page_shows_the_recorded_scores() -> None:
    page = (ROOT / "docs" / "mutation.md").read_text(encoding="utf-8")
    record = read_record()
    packages = record.packages()
    for name, counts in [*packages.items(), ("all", sum(packages.values(), Counter()))]:
        lives = counts[SURVIVED] + counts[UNTESTED]
        cells = (
            name,
            sum(counts.values()),
            counts[REFUSED],
            counts[KILLED] + counts[TIMEOUT],
            lives,
            f"{score(counts):.1%}",
        )
        assert f"| {' | '.join(map(str, cells))} |" in page
    assert f"(`{HISTORY}`) scores {score(record.files[HISTORY]):.1%} by itself" in page


def test_a_mutant_that_hangs_is_dead_and_one_that_the_type_checker_refuses_is_not_counted() -> None:
    assert score({KILLED: 2, TIMEOUT: 1, SURVIVED: 1, REFUSED: 50}) == 0.75
    assert score({KILLED: 1, UNTESTED: 1}) == 0.5
    assert score({REFUSED: 3}) == 1.0


def test_a_record_is_written_sorted_and_read_back(tmp_path: Path) -> None:
    living = (Survivor("b.py", "f", "x = 1", "x = 2"), Survivor("a.py", "C.g", 'y = "é"', "y = None"))
    record = Record(2, {"o/p/b.py": {KILLED: 3, SURVIVED: 1}, "o/p/a.py": {KILLED: 1}}, living)
    write_record(record, tmp_path / "result.json")
    back = read_record(tmp_path / "result.json")
    assert (back.step, back.files, back.survivors) == (2, record.files, tuple(sorted(living)))
    assert list(back.files) == ["o/p/a.py", "o/p/b.py"]
    assert [line.split()[0] for line in table(back)][1:] == ["all", "o/p", "o/p/a.py", "o/p/b.py"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[[group]]\nreason = " "\n[group.mutants]\n"a.py::f" = ["x => y"]', "without a reason"),
        ('[[group]]\nreason = "r"\n[group.mutants]\n"a.py::f" = ["x -> y"]', "is not `was => now`"),
        ('[[group]]\nreason = "r"\n[group.mutants]\n"a.py::f" = ["x => y", "x => y"]', "explained twice"),
    ],
)
def test_an_explanation_that_cannot_be_read_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "survivors.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        explained(path)
