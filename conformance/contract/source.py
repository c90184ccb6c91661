"""A YAML file as nodes that know their lines: what is wrong at which, and what is named where.

Whatever does not fit is kept as a `SpecError` with file and line, so that one reading names every fault of a file.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from conformance.errors import SpecError

_TAG = "tag:yaml.org,2002:"
STR, INT, BOOL, NULL, _MERGE = (f"{_TAG}{name}" for name in ("str", "int", "bool", "null", "merge"))
_FOUND = {STR: "the text", INT: "the number", BOOL: "the flag", f"{_TAG}float": "the number"}
_LABELS = ("id", "name", "code")
A_TEXT = "a text"
HINT = "docs/authoring.md lists the keys."

At: TypeAlias = "tuple[At, object] | None"
"""A place in a file: the place around it, and the last step, which is a key or the node of an entry in a list."""
Steps: TypeAlias = Sequence[str | int]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Mention:
    """A text that names something of a kind, and where it stands."""

    kind: str
    name: str
    node: Node
    at: At


@dataclass(slots=True, eq=False, repr=False)
class Source:
    """One file that is being read: its nodes, what was wrong so far, and what it names.

    `given` are the attributes that no file has. With `partial` the outermost mapping may lack keys.
    """

    path: Path
    root: Node
    loader: Any
    given: Mapping[str, Any] = field(default_factory=dict)
    partial: bool = False
    faults: list[SpecError] = field(default_factory=list)
    mentions: list[Mention] = field(default_factory=list)

    def fault(self, node: Node, message: str, hint: str = "") -> None:
        """Note what is wrong at a node."""
        self.faults.append(SpecError(message, where=f"{self.path}:{node.start_mark.line + 1}", hint=hint))

    def fault_at(self, steps: Steps, message: str, hint: str = "") -> None:
        """Note what is wrong at a place; the nearest place around it where there is none."""
        self.fault(_node_at(self.root, steps), message, hint)

    def resolve(self, known: Mapping[str, Collection[str]], entry: int | None = None) -> None:
        """Note every name that nothing of its kind has, of one `entry` of the file's list or of all.

        Kinds that are not `known` are passed over.
        """
        for mention in self.mentions:
            names = known.get(mention.kind)
            if names is None or mention.name in names or (entry is not None and _entry(mention.at) != entry):
                continue
            what = f"{place_text(mention.at)}there is no {mention.kind} {mention.name!r}"
            self.fault(mention.node, what, suggestion(mention.name, names))

    def json(self, node: Node) -> Any:
        """The plain value of a node."""
        try:
            return self.loader.construct_object(node, deep=True)
        except (yaml.YAMLError, ValueError) as error:
            self.fault(node, f"cannot be read: {getattr(error, 'problem', error)}")
            return None


def open_source(path: Path, given: Mapping[str, Any] | None = None, *, partial: bool = False) -> Source:
    """The file's nodes. Errors: `SpecError` with file and line for what is missing, no text or no YAML."""
    loader_class = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        loader = loader_class(path.read_text(encoding="utf-8"))
        root = loader.get_single_node()
    except FileNotFoundError as error:
        raise SpecError("file is missing", where=str(path)) from error
    except UnicodeDecodeError as error:
        raise SpecError("not UTF-8 text", where=str(path), hint=f"Byte {error.start} is the first bad one.") from error
    except OSError as error:
        raise SpecError(f"the file cannot be read: {error.strerror}", where=str(path)) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path}:{mark.line + 1}" if mark else str(path)
        raise SpecError(f"not YAML: {getattr(error, 'problem', error)}", where=place) from error
    if root is None:
        raise SpecError("the file is empty", where=str(path), hint=HINT)
    return Source(path, root, loader, given or {}, partial)


def raise_faults(faults: Sequence[SpecError]) -> None:
    """Raise all faults as one error, those of a file in the order of their lines; nothing where there are none."""
    if faults:
        first, *others = _in_order(faults)
        raise SpecError(first.message, where=first.where, hint=first.hint, others=tuple(others))


def _in_order(faults: Sequence[SpecError]) -> list[SpecError]:
    """By file in the order of reading, then by line; each once."""
    files = list(dict.fromkeys(one.where.rpartition(":")[0] or one.where for one in faults))
    told = {(one.where, one.message): one for one in faults}

    def place(one: SpecError) -> tuple[int, int]:
        file, _, line = one.where.rpartition(":")
        return files.index(file or one.where), int(line) if line.isdecimal() else 0

    return sorted(told.values(), key=place)


def suggestion(word: str, known: Collection[str]) -> str:
    """The name that was probably meant, or those that there are."""
    close = difflib.get_close_matches(word, known, n=1)
    if close:
        return f"Did you mean {close[0]!r}?"
    names = ", ".join(sorted(map(str, known)))
    return f"Known: {names or 'none'}." if len(names) < 300 else HINT


def entries(node: MappingNode, at: At, source: Source) -> Iterator[tuple[ScalarNode, Node]]:
    """The entries of a mapping whose keys are texts, each once."""
    merged = any(key.tag == _MERGE for key, _ in node.value)
    if merged:
        source.loader.flatten_mapping(node)
    seen: set[str] = set()
    for key, value in node.value:
        if key.tag != STR:
            shown = f" {key.value!r}" if isinstance(key, ScalarNode) else ""
            source.fault(key, f"{place_text(at)}a key must be a text, not {_found(key)}{shown}", "Put it in quotes.")
            continue
        if key.value in seen and not merged:
            source.fault(key, f"{place_text(at)}key {key.value!r} stands there twice", "Take one of them out.")
            continue
        seen.add(key.value)
        yield key, value


def unknown_key(node: ScalarNode, at: At, known: Collection[str], source: Source) -> None:
    """Note a key that nobody reads."""
    name = ".".join((*_steps(at), node.value))
    source.fault(node, f"unknown key {name!r}", suggestion(node.value, known))


def refuse(expected: str, node: Node, at: At, source: Source) -> None:
    """Note that something else was expected at a node."""
    shown = f" {node.value!r}" if isinstance(node, ScalarNode) and node.tag in _FOUND else ""
    hint = "Put it in quotes." if expected == A_TEXT and node.tag in _FOUND else HINT
    source.fault(node, f"{place_text(at)}expected {expected}, found {_found(node)}{shown}", hint)


def _entry(at: At) -> int | None:
    """The number of the entry of the outermost list that a place is in."""
    step: object = None
    while at is not None:
        at, step = at
    return step[0] if isinstance(step, tuple) else None


def _found(node: Node) -> str:
    if isinstance(node, MappingNode):
        return "a mapping"
    if isinstance(node, SequenceNode):
        return "a list"
    return "nothing" if node.tag == NULL else _FOUND.get(node.tag, "a value of another type")


def place_text(at: At) -> str:
    """A place in words, with a colon behind it; nothing for the whole file."""
    steps = ".".join(_steps(at))
    return f"{steps}: " if steps else ""


def _steps(at: At) -> list[str]:
    """The steps to a place; an entry of a list by its id, its name or its code, else by its number."""
    steps: list[str] = []
    while at is not None:
        at, step = at
        steps.append(_label(*step) if isinstance(step, tuple) else str(step))
    return steps[::-1]


def _label(place: int, node: Node) -> str:
    if isinstance(node, MappingNode):
        told = {key.value: one.value for key, one in node.value if isinstance(one, ScalarNode)}
        return str(next((told[key] for key in _LABELS if key in told), place))
    return str(place)


def _node_at(node: Node, steps: Steps) -> Node:
    for step in steps:
        if isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
        elif isinstance(node, MappingNode):
            found = next((value for key, value in node.value if key.value == step), None)
            if found is None:
                return node
            node = found
    return node
