"""The `scope:` key of an operation as rules: which members name what, and which calls are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from conformance.guard.texts import fold
from conformance.guard.values import Kind
from conformance.model.spec import Operation, ScopeRules, SetUpCall


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
    sign_ins: frozenset[tuple[str, str]] = frozenset()
    """Method and path of requests that sign in, where the target file and not the contract names them."""

    def reads_call(self, call: str) -> bool:
        """Whether a frame's call only reads (or signs in or out)."""
        return call.isalnum() and any(fnmatchcase(call.lower(), pattern) for pattern in self.read_calls)

    def reads_path(self, path: str) -> bool:
        """Whether an HTTP path only reads; `path` is lower-case and has no slash at its end."""
        folder, _, call = path.rpartition("/")
        patterns = (pattern.rpartition("/") for pattern in self.read_paths)
        return call.isalnum() and any(folder == here and fnmatchcase(call, name) for here, _, name in patterns)


def catalogue_of(operations: Mapping[str, Operation]) -> Catalogue:
    """The known calls of these operations."""
    by_path: dict[str, Rule] = {}
    by_call: dict[str, Rule] = {}
    own: list[tuple[Rule, bool]] = []
    read_calls: list[str] = []
    read_paths: list[str] = []
    for operation in operations.values():
        scope = operation.scope
        if scope is None:
            continue  # default deny: without the key nobody knows what the call touches
        folder, framed = operation.path.rpartition("/")[0], any(one.framed for one in operation.transports)
        own.append((_rule(operation.call, operation.path, operation, scope), framed))
        for call, told in scope.calls.items():
            one = _rule(call, told.path or f"{folder}/{call}", operation, told)
            by_path[one.path.lower()] = one
            if framed:
                by_call[one.call.lower()] = one
        for pattern in scope.reads:
            read_calls.append(pattern.lower())
            read_paths.append(f"{folder}/{pattern}".lower())
    for rule, framed in own:  # last, for an operation knows its own call better than one that sets states up with it
        by_path[rule.path.lower()] = rule
        if framed:
            by_call[rule.call.lower()] = rule
    return Catalogue(by_path, by_call, tuple(rule for rule, _ in own), tuple(read_calls), tuple(read_paths))


def _rule(call: str, path: str, operation: Operation, told: ScopeRules | SetUpCall) -> Rule:
    members = tuple(
        Member(name, one.kind, one.absent == "everything", one.unless) for name, one in told.members.items()
    )
    return Rule(
        call,
        path,
        operation.media_types,
        members,
        frozenset(fold(name) for name in told.harmless),
        told.unreadable == "everything",
        {fold(member.name): member for member in members},
    )
