"""An operation is data alone: the harness's code names no operation, no requirement and no member of a shipped one."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import conformance
from conformance.contract.load import load_contract, specs_root

PACKAGE = Path(conformance.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
SPEAKS_FOR_THE_VENDOR = {
    "dialects/alphapoint/left.py": "says of an order that a run has left under which number of its client it was placed",
    "dialects/alphapoint/states.py": "brings states about with the vendor's own set-up calls, which are no operations",
    "dialects/alphapoint/session.py": "signs in with the vendor's own calls, which are no operations",
    "dialects/logins/signature.py": "signs in with headers of the vendor's, one of which has the name of a member",
}
"""Modules that know one vendor's protocol around the operations, each with what it is for."""


def _properties(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        yield from node.get("properties", {})
        for part in node.values():
            yield from _properties(part)
    elif isinstance(node, list):
        for part in node:
            yield from _properties(part)


@cache
def shipped_names() -> frozenset[str]:
    """Ids of operations and requirements, and names of members and of XML elements.

    Only names of five characters and more that hold a capital: a shorter one, or one in lower case such as `detail`, is
    a word of every language, and what is spelt like that in code is no reference to a document.
    """
    contract = load_contract()
    members: set[str] = set()
    for operation in contract.operations.values():
        members.update(operation.fields)
        for path in operation.folder.glob("*.schema.json"):
            members.update(_properties(json.loads(path.read_text(encoding="utf-8"))))
        for path in operation.folder.glob("*.xsd"):
            members.update(re.findall(r'name="([^"]+)"', path.read_text(encoding="utf-8")))
    long_ones = {name for name in members if len(name) >= 5 and name != name.lower()}
    return frozenset({*long_ones, *contract.operations, *contract.requirements})


def literals(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Every string in the code, docstrings left out, with its line."""
    documentation = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield node.lineno, node.value


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_no_literal_names_what_only_data_may_name(path: Path) -> None:
    if path.relative_to(PACKAGE).as_posix() in SPEAKS_FOR_THE_VENDOR:
        return
    names = shipped_names()
    found = [
        (line, word)
        for line, text in literals(ast.parse(path.read_text(encoding="utf-8")))
        for word in re.findall(r"[A-Za-z][\w.-]*[A-Za-z0-9]", text)
        if word in names
    ]
    assert found == []


def test_every_exempt_module_exists() -> None:
    assert all((PACKAGE / name).is_file() for name in SPEAKS_FOR_THE_VENDOR)


def test_the_names_are_those_of_every_shipped_operation() -> None:
    names = shipped_names()
    assert {"alphapoint.cancel_order", "TPP-REQ-PIN-USE", "InternationalOrderUID", "BidResult", "bidQuoteId"} <= names
    assert len(list(specs_root().glob("*/*/operation.yaml"))) == len([name for name in names if "." in name])
