"""What a check is, and all checks that there are: a finding is made by one of them and by nothing else.

A module of this package makes its checks as values at its top, and `bundled` collects those of all modules, so a new
check needs no list to be extended. Its requirement keys become what each operation must name under `attribution`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache

from conformance import checks
from conformance.checks.answer import Seen
from conformance.contract.operation import EVERY_OPERATION, AppliesTo, RequirementKey
from conformance.contract.problem_text import told_apart
from conformance.errors import SpecError
from conformance.model.spec import Operation
from conformance.model.verdict import Finding


class Stage(IntEnum):
    """When a check is made; the judgement takes the stages in this order."""

    EXCHANGE = 1
    """Whether anything came back."""
    READING = 2
    """While the answer is read, by the reader that finds it."""
    ANSWER = 3
    """On the answer as it was read: `look` is called."""
    RESULTS = 4
    """Which result belongs to which instruction."""
    OUTCOME = 5
    """The answer against the alternatives."""
    EFFECT = 6
    """What became of orders and quotes."""
    CASE = 7
    """After all exchanges of a case, or of several cases that belong together."""


BEHIND_READING = ("schema", "outcome", "effect")
"""What cannot be checked on an answer that nobody can read."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that is looked at. `keys` name, in each operation, the requirements that its findings belong to.

    A check without keys speaks for what `speaks_for` says. `blocks` are the checks that cannot be made where a finding of
    this one ends the judgement. `look` makes the findings of a check at the stage `ANSWER`.
    """

    id: str
    looks_at: str
    stage: Stage
    keys: tuple[RequirementKey, ...] = ()
    of: AppliesTo = EVERY_OPERATION
    speaks_for: str = ""
    blocks: tuple[str, ...] = ()
    look: Callable[[Seen], Iterable[Finding]] | None = field(default=None, compare=False)

    def requirements(self, operation: Operation) -> dict[str, str]:
        """For each key that the operation has, the requirement that it names there."""
        named = operation.attribution
        return {key.name: named[key.name] for key in self.keys if key.of.includes(operation) and key.name in named}

    def finding(
        self, operation: Operation, message: str, expected: str, actual: str, at: str = "", *, key: str = ""
    ) -> Finding:
        """A finding on the requirement that the operation names for `key` (default: the first key of the check)."""
        chosen = key or self.keys[0].name
        if all(one.name != chosen for one in self.keys):
            raise LookupError(f"the check {self.id} has no requirement key {chosen!r}")
        return self.finding_on(requirement_of(operation, chosen), message, expected, actual, at)

    def finding_on(
        self, requirement: str, message: str, expected: str, actual: str, at: str = "", *, way: str = ""
    ) -> Finding:
        """A finding on a requirement that something else than a key decides: the case, a schema, the target file."""
        return Finding(requirement, self.id, message, *told_apart(expected, actual), at, way)


def requirement_of(operation: Operation, key: str) -> str:
    """The requirement that the operation names for a key. Raises `SpecError` where it names none."""
    try:
        return operation.attribution[key]
    except KeyError:
        where = str(operation.folder / "operation.yaml")
        raise SpecError(f"attribution: no requirement for {key!r}", where=where) from None


@dataclass(frozen=True, slots=True)
class Registry:
    """Checks by their ids, in the order in which they are made."""

    checks: Mapping[str, Check]

    def __getitem__(self, identifier: str) -> Check:
        try:
            return self.checks[identifier]
        except KeyError:
            raise LookupError(f"{identifier!r} is no registered check") from None

    def __iter__(self) -> Iterator[Check]:
        return iter(self.checks.values())

    @property
    def keys(self) -> tuple[RequirementKey, ...]:
        """The requirement keys of all checks."""
        return tuple(dict.fromkeys(key for check in self for key in check.keys))

    def looking(self, operation: Operation) -> tuple[Callable[[Seen], Iterable[Finding]], ...]:
        """What the checks of the stage `ANSWER` do, those that are for this operation."""
        return tuple(check.look for check in self if check.look is not None and check.of.includes(operation))

    def plus(self, *more: Check) -> Registry:
        """These checks and others."""
        return registry_of((*self, *more))


def registry_of(found: Iterable[Check]) -> Registry:
    """The checks in the order of their stages. Raises `ValueError` for a repeated id, and for a wrong `blocks`."""
    by_id: dict[str, Check] = {}
    for check in sorted(found, key=lambda check: check.stage):
        if by_id.setdefault(check.id, check) is not check:
            raise ValueError(f"two checks have the id {check.id!r}")
        if (check.look is not None) is not (check.stage is Stage.ANSWER):
            raise ValueError(f"{check.id}: a check has a `look` at the stage ANSWER and at no other")
    for check in by_id.values():
        unknown = [name for name in check.blocks if name not in by_id]
        if unknown:
            raise ValueError(f"{check.id} blocks {', '.join(unknown)}, which is no check")
    return Registry(by_id)


@lru_cache(maxsize=1)
def bundled() -> Registry:
    """The checks of every module of this package."""
    names = sorted(one.name for one in pkgutil.iter_modules(checks.__path__, f"{checks.__name__}."))
    modules = [importlib.import_module(name) for name in names]
    return registry_of(value for module in modules for value in vars(module).values() if isinstance(value, Check))
