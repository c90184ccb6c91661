"""The `scope:` key of an operation as rules: which members name what, and which calls are known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from conformance.errors import SpecError
from conformance.guard.texts import fold
from conformance.guard.values import KINDS, Kind
from conformance.model.spec import Operation

_KEYS = {"members", "harmless", "unreadable", "reads", "calls"}
_CALL_KEYS = {"members", "harmless", "unreadable", "path"}
_MEMBER_KEYS = {"kind", "absent", "unless"}


@dataclass(frozen=True, slots=True)
class Member:
    """A member that names a thing.

    `everything`: left out, null, zero or unusable, it may stand for every thing of its kind, unless all
    members of `unless` name things of the harness's own.
    """

    name: str
    kind: Kind
    everything: bool = False
    unless: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """How one call is judged; member names are also kept folded, for careless readers."""

    call: str
    path: str
    media_types: tuple[str, ...]
    members: tuple[Member, ...]
    harmless: frozenset[str] = frozenset()
    unreadable_is_everything: bool = True
    by_fold: Mapping[str, Member] = field(default_factory=dict)

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds of things that the members name."""
        return tuple(dict.fromkeys(member.kind for member in self.members))


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Every call that the guard knows: rules by lower-case path and call name, patterns of reading calls."""

    by_path: Mapping[str, Rule]
    by_call: Mapping[str, Rule]
    operations: tuple[Rule, ...]
    """The rules of the contract's own operations, without the set-up calls."""
    read_calls: tuple[str, ...] = ()
    read_paths: tuple[str, ...] = ()

    def reads_call(self, call: str) -> bool:
        """Whether a frame's call only reads (or signs in or out)."""
        return call.isalnum() and any(fnmatchcase(call.lower(), pattern) for pattern in self.read_calls)

    def reads_path(self, path: str) -> bool:
        """Whether an HTTP path only reads; `path` is lower-case and has no slash at its end."""
        folder, _, call = path.rpartition("/")
        patterns = (pattern.rpartition("/") for pattern in self.read_paths)
        return call.isalnum() and any(folder == here and fnmatchcase(call, name) for here, _, name in patterns)


def catalogue_of(operations: Mapping[str, Operation]) -> Catalogue:
    """The known calls of these operations. Errors: `SpecError` for a `scope:` key that makes no sense."""
    by_path: dict[str, Rule] = {}
    by_call: dict[str, Rule] = {}
    own: list[tuple[Rule, bool]] = []
    read_calls: list[str] = []
    read_paths: list[str] = []
    for operation in operations.values():
        raw = operation.raw.get("scope")
        if raw is None:
            continue  # default deny: without the key nobody knows what the call touches
        where = f"{operation.folder / 'operation.yaml'}: scope"
        _known(raw, _KEYS, where)
        folder = operation.path.rpartition("/")[0]
        own.append((_rule(operation.call, operation.path, operation, raw, where), "ws" in operation.transports))
        rules = []
        for call, details in raw.get("calls", {}).items():
            _known(details, _CALL_KEYS, f"{where}.calls.{call}")
            path = str(details.get("path", f"{folder}/{call}"))
            rules.append(_rule(str(call), path, operation, details, f"{where}.calls.{call}"))
        for one in rules:
            by_path[one.path.lower()] = one
            if "ws" in operation.transports:
                by_call[one.call.lower()] = one
        for pattern in raw.get("reads", ()):
            read_calls.append(str(pattern).lower())
            read_paths.append(f"{folder}/{pattern}".lower())
    for rule, framed in own:  # last, for an operation knows its own call better than one that sets states up with it
        by_path[rule.path.lower()] = rule
        if framed:
            by_call[rule.call.lower()] = rule
    return Catalogue(by_path, by_call, tuple(rule for rule, _ in own), tuple(read_calls), tuple(read_paths))


def _rule(call: str, path: str, operation: Operation, raw: Mapping[str, Any], where: str) -> Rule:
    members = tuple(_members(raw, where))
    by_fold = {fold(member.name): member for member in members}
    unreadable = raw.get("unreadable", "everything")
    if unreadable not in ("everything", "tokens"):
        raise SpecError(f"unreadable: {unreadable!r} is neither 'everything' nor 'tokens'", where=where)
    for member in members:
        for name in member.unless:
            if fold(name) not in by_fold:
                raise SpecError(f"{member.name}.unless: {name!r} is not one of the members", where=where)
    harmless = frozenset(fold(str(name)) for name in raw.get("harmless", ()))
    return Rule(call, path, operation.media_types, members, harmless, unreadable == "everything", by_fold)


def _members(raw: Mapping[str, Any], where: str) -> Iterator[Member]:
    for name, details in raw.get("members", {}).items():
        _known(details, _MEMBER_KEYS, f"{where}.members.{name}")
        kind, absent = details.get("kind"), details.get("absent")
        if kind not in KINDS:
            raise SpecError(f"{name}: kind {kind!r} is none of {', '.join(KINDS)}", where=where)
        if absent not in ("everything", "nothing"):
            raise SpecError(f"{name}: absent must be 'everything' or 'nothing', not {absent!r}", where=where)
        yield Member(str(name), kind, absent == "everything", tuple(details.get("unless", ())))


def _known(raw: Any, keys: set[str], where: str) -> None:
    if not isinstance(raw, Mapping):
        raise SpecError(f"expected a mapping, found {type(raw).__name__}", where=where)
    for key in raw:
        if key not in keys:
            raise SpecError(f"unknown key {key!r}", where=where, hint=f"Known are {', '.join(sorted(keys))}.")
