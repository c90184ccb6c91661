"""Makes the mutants: mutmut's generator over the modules in scope, less human wording and what the type checker refuses."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import libcst as cst
from mutmut.__main__ import create_mutants
from mutmut.mutation import file_mutation, mutators
from mutmut.mutation.data import MutantLineSpans, SourceFileMutationData
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.utils.file_utils import copy_also_copy_files, copy_src_dir, setup_source_paths, walk_mutatable_files
from mutmut.utils.format_utils import mangled_name_from_mutant_name, orig_function_and_class_names_from_key

COPY = Path("mutants")
"""Where mutmut writes the mutated copy of the tree; every path here is relative to the root of the checkout."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One mutant: its generated name, its file, and the text of the mutated function, by which a result is remembered."""

    name: str
    path: Path
    text: str

    @property
    def tests(self) -> str:
        """The folder of the tests that judge it: those of its own package, which is where a reader looks for them."""
        return f"tests/{Path(*self.path.parts[:2])}"

    @property
    def traced(self) -> str:
        """The name under which a call of the function is counted."""
        return mangled_name_from_mutant_name(self.name)

    @property
    def function(self) -> str:
        """The function in words: `name`, or `Class.name`."""
        name, owner = orig_function_and_class_names_from_key(self.name)
        return f"{owner}.{name}" if owner else name


def leave_wording_alone() -> None:
    """Take sentences for people out of mutmut's reach: string literals, plain or formatted, with a blank inside.

    Neither such a literal, nor what it formats, nor its absence as an argument or as an assigned value is a mutant.
    One rule for the whole tree instead of marks in the code; words without a blank (keys, kinds, names) stay in.
    """
    visitor = file_mutation.MutationVisitor
    theirs = visitor._skip_node_and_children
    visitor._skip_node_and_children = lambda self, node: _wording(node) or theirs(self, node)  # type: ignore[method-assign]
    operators = mutators.mutation_operators
    assert isinstance(operators, list)
    operators[:] = [(kind, _sparing(operator)) for kind, operator in operators]


def _sparing(operator: Callable[[Any], Iterable[cst.CSTNode]]) -> Callable[[Any], Iterable[cst.CSTNode]]:
    def spared(node: Any) -> Iterator[cst.CSTNode]:
        if isinstance(node, cst.Assign | cst.AnnAssign) and _wording(node.value):
            return
        for mutated in operator(node):
            if not (isinstance(node, cst.Call) and isinstance(mutated, cst.Call) and _drops_wording(node, mutated)):
                yield mutated

    return spared


def _drops_wording(call: cst.Call, mutated: cst.Call) -> bool:
    kept = {id(argument) for argument in mutated.args}
    return any(_wording(argument.value) for argument in call.args if id(argument) not in kept)


def _wording(node: cst.CSTNode | None) -> bool:
    if isinstance(node, cst.SimpleString):
        return " " in node.raw_value.strip()
    if isinstance(node, cst.ConcatenatedString):
        return _wording(node.left) or _wording(node.right)
    if isinstance(node, cst.FormattedString):
        return any(isinstance(part, cst.FormattedStringText) and " " in part.value for part in node.parts)
    return False


def generate(children: int) -> list[Mutant]:
    """Write the mutated copy of the tree, and put it first on the import path; every mutant, in the order of the files."""
    for folder in COPY.glob("[a-z]*/"):  # mutmut goes by times, which a checkout or a copy may set back
        shutil.rmtree(folder)
    COPY.mkdir(exist_ok=True)
    with redirect_stdout(StringIO()):  # a line for each file
        copy_src_dir()
        copy_also_copy_files()
        create_mutants(children)
    setup_source_paths()
    return [mutant for path in sorted(walk_mutatable_files()) for mutant in _mutants_of(path)]


def _mutants_of(path: Path) -> Iterator[Mutant]:
    data = SourceFileMutationData(path=path)
    data.load()
    spans = MutantLineSpans.load(path)
    assert spans is not None, path
    lines = (COPY / path).read_text(encoding="utf-8").splitlines()
    for name in data.exit_code_by_key:
        span = spans.span_by_function_name[name.rpartition(".")[2]]
        yield Mutant(name, path, "\n".join(lines[span.start - 1 : span.end]))


def refused_by_types(mutants: Sequence[Mutant]) -> frozenset[str]:
    """The names of the mutants that `mypy` refuses. Raises `RuntimeError` for an error that stands in no mutant."""
    paths = sorted({mutant.path for mutant in mutants})
    command = [sys.executable, "-m", "mypy", "--output", "json", "--disable-error-code", "unused-ignore"]
    done = subprocess.run([*command, *map(str, paths)], cwd=COPY, capture_output=True, text=True, check=False)
    errors: dict[Path, list[int]] = {}
    for line in done.stdout.splitlines():
        if line.startswith("{") and (entry := json.loads(line))["severity"] == "error":
            errors.setdefault(Path(entry["file"]), []).append(entry["line"])
    if done.returncode > 1:
        raise RuntimeError(f"mypy over {COPY}/ ended with {done.returncode}: {done.stderr[-500:]}")
    found: set[str] = set()
    for path, lines in errors.items():
        found.update(_names_at(path, lines))
    return frozenset(found)


def _names_at(path: Path, lines: Iterable[int]) -> Iterator[str]:
    index = MutantLineSpans.load(path)
    assert index is not None, path
    module = ".".join(path.with_suffix("").parts)
    for line in lines:
        names = [name for name, span in index.span_by_function_name.items() if span.start <= line <= span.end]
        if not names:
            raise RuntimeError(
                f"{COPY / path}:{line}: a type error outside of every mutant; run mypy on the tree itself first"
            )
        yield f"{module}.{names[0]}"


def change_of(mutant: Mutant) -> tuple[str, str]:
    """The lines that the mutant takes out, and those that it puts in."""
    diff = get_diff_for_mutant(mutant.name, path=mutant.path).split("\n")[3:]
    was = " / ".join(line[1:].strip() for line in diff if line.startswith("-"))
    now = " / ".join(line[1:].strip() for line in diff if line.startswith("+"))
    return was, now
