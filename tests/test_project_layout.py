"""How the package is cut: no import circle, no folder too full, and no module that is short and alone without a reason."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = "conformance"
MOST_IN_A_FOLDER = 22
"""More modules than this beside each other cannot be looked over; a folder that has more wants folders of its own."""
MEAN_LINES = (130, 220)
SHORT_LINES = 60
REASON = "(a module of its own: "
"""How the first line of a short module with one importer begins to say why it is not a part of that one."""


@cache
def modules() -> Mapping[str, Path]:
    """Every module of the package by its dotted name; a package is its `__init__`."""
    found = {}
    for path in sorted((ROOT / PACKAGE).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports_of(tree: ast.AST, known: Mapping[str, object]) -> Iterator[str]:
    """The modules that are imported anywhere in a module: at its top, in a function, or for type checkers alone."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield from (name for name in (whole if whole in known else node.module,) if name in known)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)


@cache
def graph() -> Mapping[str, frozenset[str]]:
    """Module to the modules that it imports."""
    return {
        name: frozenset(imports_of(ast.parse(path.read_text(encoding="utf-8")), modules())) - {name}
        for name, path in modules().items()
    }


def circles(edges: Mapping[str, frozenset[str]]) -> list[list[str]]:
    """What is left when every module that imports nothing of the rest, or is imported by nothing of it, is taken away."""
    rest = {name: set(to) for name, to in edges.items()}
    while True:
        imported = {one for to in rest.values() for one in to}
        loose = [name for name, to in rest.items() if not to or name not in imported]
        if not loose:
            return [sorted(rest)] if rest else []
        for name in loose:
            del rest[name]
        for to in rest.values():
            to.difference_update(loose)


def first_line(name: str) -> str:
    return (ast.get_docstring(ast.parse(modules()[name].read_text(encoding="utf-8"))) or "").partition("\n")[0]


def lines_of(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def test_a_circle_is_found() -> None:
    edges = {"a": frozenset({"b"}), "b": frozenset({"c"}), "c": frozenset({"b", "d"}), "d": frozenset[str]()}
    assert circles(edges) == [["b", "c"]]


def test_imports_are_found_wherever_they_stand() -> None:
    text = "import a\nif TYPE_CHECKING:\n    from b import c\ndef f():\n    from b.d import e\n    from x import y\n"
    assert sorted(imports_of(ast.parse(text), dict.fromkeys(("a", "b", "b.d", "b.c")))) == ["a", "b.c", "b.d"]


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert len(graph()) > 100
    assert circles(graph()) == []


def test_no_folder_has_more_modules_than_one_can_look_over() -> None:
    folders = Counter(path.parent for path in modules().values())
    assert {str(folder.relative_to(ROOT)): n for folder, n in folders.items() if n > MOST_IN_A_FOLDER} == {}


def test_modules_are_neither_crumbs_nor_heaps_on_average() -> None:
    mean = sum(lines_of(path) for path in modules().values()) / len(modules())
    assert MEAN_LINES[0] <= mean <= MEAN_LINES[1]


def test_a_short_module_that_one_other_imports_says_why_it_stands_alone() -> None:
    importers = {name: [other for other, to in graph().items() if name in to] for name in modules()}
    unexplained = [
        f"{name} ({lines_of(path)} lines, for {importers[name][0]})"
        for name, path in modules().items()
        if path.name != "__init__.py" and len(importers[name]) == 1 and lines_of(path) < SHORT_LINES
        if REASON not in first_line(name)
    ]
    assert unexplained == []


def test_every_module_says_in_its_first_line_what_it_is() -> None:
    assert [name for name in modules() if not first_line(name)] == []


NETWORK = ("socket", "http.client", "urllib.request", "socketserver", "ftplib", "smtplib", "telnetlib", "xmlrpc")
NAMES_FROM_THERE = {"url2pathname", "Request"}
"""What is imported from `urllib.request` and opens nothing: a path of a file URL, and the request of a cookie jar."""
SENDERS = {
    "conformance.fleet.hooks": "tells events to the receivers that a fleet file names; they are no targets",
    "conformance.guard.link": "every message to the target, behind the gate",
    "conformance.guard.opening": "makes the transports of a link, and sends nothing",
    "conformance.run.session": "hands the state hook its transport; the hook is not the target",
    "conformance.run.states": "asks the state hook",
    "conformance.selftest.suspects": "asks the bundled reference how often a fault was executed",
}
"""The modules outside `conformance.wire` that may use a transport, each with what it sends."""


def names_from(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Module and name of each import; the name is empty where a whole module is imported."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)


def test_only_the_wire_opens_sockets_and_few_use_it() -> None:
    opening, sending = {}, set()
    for name, path in modules().items():
        if name.startswith("conformance.wire"):
            continue
        found = set(names_from(ast.parse(path.read_text(encoding="utf-8"))))
        network = {one for one in found if one[0] in NETWORK and one[1] not in NAMES_FROM_THERE}
        if network:
            opening[name] = sorted(network)
        if any(one[1] in ("HttpTransport", "WsTransport") for one in found):
            sending.add(name)
    assert opening == {}
    assert sending == set(SENDERS)
