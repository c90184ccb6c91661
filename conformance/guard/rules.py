"""The `scope:` key of an operation as rules: which members name what, and which calls are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from conformance.guard.texts import fold
from conformance.guard.values import Kind
from conformance.model.paths import arguments_of
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
    method: str = ""
    """Of an operation: other operations may be at its path by other methods."""
    in_query: bool = False
    """Whether its members stand in the query, and not in a body."""

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds of things that the members name."""
        return tuple(dict.fromkeys(member.kind for member in self.members))


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Every call that the guard knows: rules by lower-case path and call name, patterns of reading calls."""

    by_path: Mapping[str, tuple[Rule, ...]]
    """By the template of the path, where arguments stand in it."""
    by_call: Mapping[str, Rule]
    operations: tuple[Rule, ...]
    """The rules of the contract's own operations, without the set-up calls."""
    read_calls: tuple[str, ...] = ()
    read_paths: tuple[str, ...] = ()
    sign_ins: frozenset[tuple[str, str]] = frozenset()
    """Method and path of requests that sign in, where the target file and not the contract names them."""

    def rules_at(self, path: str, plain: str, method: str) -> tuple[tuple[Rule, Mapping[str, str]], ...]:
        """The rules of the calls that are made at a path, as it was sent and `plain`, each with the arguments in it.

        A method that is that of one call means that call; any other may be taken for each of them.
        """
        found: list[tuple[Rule, Mapping[str, str]]] = [(one, {}) for one in self.by_path.get(plain, ())]
        if not found:
            for template, rules in self.by_path.items():
                for one in rules if "{" in template else ():
                    arguments = arguments_of(one.path, path)
                    found += [] if arguments is None else [(one, arguments)]
        exact = tuple(one for one in found if one[0].method == method)
        return exact or tuple(found)

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
    by_path: dict[str, tuple[Rule, ...]] = {}
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
            by_path[one.path.lower()] = (one,)
            if framed:
                by_call[one.call.lower()] = one
        for pattern in scope.reads:
            read_calls.append(pattern.lower())
            read_paths.append(f"{folder}/{pattern}".lower())
    at: dict[str, list[Rule]] = {}
    for rule, framed in own:  # last, for an operation knows its own call better than one that sets states up with it
        at.setdefault(rule.path.lower(), []).append(rule)
        if framed:
            by_call[rule.call.lower()] = rule
    by_path |= {path: tuple(rules) for path, rules in at.items()}
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
        operation.method if isinstance(told, ScopeRules) else "",
        isinstance(told, ScopeRules) and operation.in_query,
    )
