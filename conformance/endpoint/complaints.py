"""What pydantic says against a target file, in words for its author: the key, what was expected, what was meant.

Where each key of a TOML text stands, by the dotted path that complaints use.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from conformance.formats.text import line_column

_EXPECTED = {
    "bool_type": "true or false",
    "int_type": "an integer",
    "float_type": "a number",
    "string_type": "text in quotes",
    "path_type": "a path in quotes",
    "tuple_type": "a list in [ ]",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "date_type": "a date such as 2999-05-31",
}
_A_SECRET = "secret_in_file"
_SECRET_PLACE = 'the place of a secret, { env = "NAME" } or { file = "PATH" }'
_BARE = frozenset({"bool_type", "int_type", "float_type", "date_type"})


def complaints(error: ValidationError, data: Mapping[str, Any], model: type[BaseModel]) -> list[str]:
    """One line for each key that is wrong, in the order of the model; values are left out, for they may be secrets."""
    groups: dict[tuple[str, ...], list[ErrorDetails]] = {}
    for item in error.errors(include_input=False, include_url=False):
        groups.setdefault(_steps(item, data), []).append(item)
    lines: list[str] = []
    for steps, items in groups.items():
        value = _at(data, steps)
        if isinstance(value, Mapping):
            below = [other for other in groups if len(other) > len(steps) and other[: len(steps)] == steps]
            told = [item for item in items if item["type"] not in _EXPECTED]
            if told or below:  # of the kinds of value that fit here only the table was meant
                items = told
        elif len(items) > 1 and any(item["type"] in _EXPECTED for item in items):
            items = [item for item in items if item["type"] in _EXPECTED or item["type"] == _A_SECRET]
        for item in items:
            if item["type"] == "login_keys":  # a role's keys are checked against its login, all at once
                lines.extend(
                    f"{'.'.join([*steps, key])}: {what}{_near(key, what, model, steps)}"
                    for key, what in item["ctx"]["problems"]
                )
        items = [item for item in items if item["type"] != "login_keys"]
        lines.extend(f"{'.'.join(steps) or '(whole file)'}: {words}" for words in _words(items, steps, value, model))
    return list(dict.fromkeys(lines))


def _near(key: str, what: str, model: type[BaseModel], steps: tuple[str, ...]) -> str:
    return meant(key, _keys_at(model, steps)) if what.endswith("no such key") else ""


def _steps(item: ErrorDetails, data: object) -> tuple[str, ...]:
    """The path of an error as it is in the file; the validator adds the kinds of value that it tried."""
    steps: list[str] = []
    inner: Any = data
    for part in item["loc"]:
        known = (
            isinstance(inner, list) and part < len(inner)
            if isinstance(part, int)
            else isinstance(inner, Mapping) and part in inner
        )
        if known:
            inner = inner[part]
        elif item["type"] != "missing" or part is not item["loc"][-1]:
            continue
        steps.append(str(part))
    return tuple(steps)


def _at(data: object, steps: Iterable[str]) -> object:
    for step in steps:
        if isinstance(data, Mapping) and step in data:
            data = data[step]
        elif isinstance(data, list):
            data = data[int(step)]
        else:
            return None
    return data


def _words(items: list[ErrorDetails], steps: tuple[str, ...], value: object, model: type[BaseModel]) -> Iterable[str]:
    expected = [_EXPECTED[item["type"]] for item in items if item["type"] in _EXPECTED]
    if expected:
        if any(item["type"] == _A_SECRET for item in items):
            expected.append(_SECRET_PLACE)
        bare = isinstance(value, str) and all(item["type"] in _BARE for item in items)
        yield f"must be {' or '.join(dict.fromkeys(expected))}, not {_kind(value)}{'; write it without quotes' if bare else ''}"
        return
    for item in items:
        if item["type"] == "extra_forbidden":
            yield f"no such key{meant(steps[-1], _keys_at(model, steps[:-1]))}"
        else:
            yield item["msg"]


def _kind(value: object) -> str:
    kinds: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (bool, "true or false"), (int, "an integer"), (float, "a decimal number"), (str, "text"),
        ((date, datetime, time), "a date or a time"), (list, "a list"), (dict, "a table"),
    )  # fmt: skip
    return next((name for kind, name in kinds if isinstance(value, kind)), "this")


def meant(name: str, known: Iterable[str]) -> str:
    """`; did you mean …?` with up to three names that are close, or nothing."""
    close = difflib.get_close_matches(name, sorted(known), n=3, cutoff=0.6)
    return f"; did you mean {', '.join(close)}?" if close else ""


def _keys_at(model: type[BaseModel], steps: Iterable[str]) -> set[str]:
    """The keys that the table at this path may have."""
    schema = model.model_json_schema()
    nodes = _forms([schema], schema)
    for step in steps:
        inner = []
        for node in nodes:
            if step in node.get("properties", {}):
                inner.append(node["properties"][step])
            elif isinstance(node.get("additionalProperties"), dict):
                inner.append(node["additionalProperties"])
            elif "patternProperties" in node:
                inner.extend(node["patternProperties"].values())
            elif step.isdecimal() and isinstance(node.get("items"), dict):
                inner.append(node["items"])
        nodes = _forms(inner, schema)
    return {key for node in nodes for key in node.get("properties", {})}


def _forms(nodes: Iterable[Mapping[str, Any]], schema: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The nodes with references followed and alternatives side by side."""
    waiting, found = list(nodes), []
    while waiting:
        node = waiting.pop()
        if "$ref" in node:
            waiting.append(schema["$defs"][node["$ref"].rpartition("/")[2]])
        elif "anyOf" in node:
            waiting.extend(node["anyOf"])
        else:
            found.append(node)
    return found


_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_BETWEEN = re.compile(r"(?:[ \t\r\n,]+|#[^\n]*)*")
_KEY = re.compile(r'[ \t]*("(?:[^"\\]|\\.)*"|\'[^\']*\'|[A-Za-z0-9_-]+)[ \t]*(\.?)')
_SCALAR = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\''
    r"|\d{4}-\d\d-\d\d[ Tt]\d\d:[^\s,\]}#]*|[^\s,\]}#]+",
    re.DOTALL,
)
_EQUALS = re.compile(r"=[ \t]*")


@dataclass(frozen=True, slots=True)
class Places:
    """A text that is TOML, and the index at which each key, table and list item begins; items are numbered from 0."""

    text: str
    index: Mapping[str, int]

    def of(self, key: str) -> tuple[int, int] | None:
        """Line and column, from 1, of a key; of the table that lacks it; None for the whole file."""
        while key and key not in self.index:
            key = key.rpartition(".")[0]
        return line_column(self.text, self.index[key]) if key else None


def places_of(text: str) -> Places:
    """The places in a text that `tomllib` has read without an error."""
    return Places(text, _Scan(text).places())


class _Scan:
    """One pass over the text, with a stack in place of recursion; the text is known to be TOML."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.found: dict[str, int] = {}
        self.counts: dict[str, int] = {}
        """How many tables each list of tables has so far."""

    def places(self) -> Mapping[str, int]:
        text, table = self.text, ""
        at = self.skip(_BLANK, 0)
        while at < len(text):
            if text[at] == "[":
                table, at = self.header(at)
            else:
                path, at = self.key(at, table)
                at = self.value(at, path)
            at = self.skip(_BLANK, at)
        return self.found

    def skip(self, what: re.Pattern[str], at: int) -> int:
        match = what.match(self.text, at)
        return match.end() if match else at

    def note(self, path: str, at: int) -> None:
        self.found.setdefault(path, at)

    def header(self, at: int) -> tuple[str, int]:
        start, several = at, self.text.startswith("[[", at)
        at += 2 if several else 1
        path, more = "", True
        while more:
            if path in self.counts:
                path = f"{path}.{self.counts[path] - 1}"
            step, more, at = self.step(at)
            path = f"{path}.{step}" if path else step
            self.note(path, start)
        if several:
            number = self.counts[path] = self.counts.get(path, 0) + 1
            path = f"{path}.{number - 1}"
            self.note(path, start)
        return path, at + (2 if several else 1)

    def key(self, at: int, table: str) -> tuple[str, int]:
        """The path of a key, and where its value begins."""
        path, more, start = table, True, at
        while more:
            step, more, at = self.step(at)
            path = f"{path}.{step}" if path else step
            self.note(path, start)
        return path, self.skip(_EQUALS, at)

    def step(self, at: int) -> tuple[str, bool, int]:
        match = _KEY.match(self.text, at)
        if match is None:
            raise ValueError(f"no key at {line_column(self.text, at)}")
        name = match.group(1)
        if name[0] in "\"'":
            name = str(tomllib.loads(f"x = {name}")["x"])
        return name, bool(match.group(2)), match.end()

    def value(self, at: int, path: str) -> int:
        """Where the value that begins here has ended."""
        open_ones: list[tuple[str, int | None]] = []  # a list with the number of its next item, or an inline table
        while True:
            if self.text[at] in "[{":
                open_ones.append((path, 0 if self.text[at] == "[" else None))
                at += 1
            else:
                at = self.skip(_SCALAR, at)
            while True:
                if not open_ones:
                    return at
                at = self.skip(_BETWEEN, at)
                if self.text[at] not in "]}":
                    break
                open_ones.pop()
                at += 1
            outer, number = open_ones[-1]
            if number is None:
                path, at = self.key(at, outer)
            else:
                path = f"{outer}.{number}"
                open_ones[-1] = (outer, number + 1)
                self.note(path, at)
