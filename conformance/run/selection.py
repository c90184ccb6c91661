"""Which cases a run takes: by operation, requirement, id, media type, transport and shard."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from conformance.cases.generated.source import Source, sources
from conformance.cases.generated.stream import Dealt, check_room, generated_case
from conformance.errors import UsageError
from conformance.model.case import Case
from conformance.model.spec import Contract

Numbered = tuple[Source, int]
ManyNumbered = Dealt | tuple[Numbered, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """The filters of a command line; an empty one leaves its side open. A case may be a pattern with `*`."""

    operations: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    media_types: tuple[str, ...] = ()
    transports: tuple[str, ...] = ()
    shard: tuple[int, int] = (1, 1)


def choose(contract: Contract, cases: Sequence[Case], choice: Choice) -> tuple[Case, ...]:
    """The chosen cases in the order of their ids. Raises `UsageError` for a name that nothing has."""
    _known("operation", choice.operations, contract.operations)
    _known("requirement", choice.requirements, contract.requirements)
    _known("media type", choice.media_types, {one.media_type for one in cases})
    _known("transport", choice.transports, {one.transport for one in cases})
    ids = [one.id for one in cases]
    for pattern in choice.cases:
        if not any(fnmatchcase(identifier, pattern) for identifier in ids):
            raise UsageError(
                f"no case is called {pattern!r}", hint=_close(pattern, ids) or "`conformance list cases` names them."
            )
    index, count = choice.shard
    chosen = [one for one in sorted(cases, key=lambda one: one.id) if _wanted(one, choice)]
    return tuple(chosen[index - 1 :: count])


DEFAULT_GENERATED = 5000


def choose_generated(contract: Contract, choice: Choice, count: int | None, seed: int) -> ManyNumbered:
    """The numbered cases of a run: `count` of them, or the default number where no case or requirement was asked for.

    The filters of the choice take cases away; they do not bring others in. Raises `UsageError` beyond the corpus.
    """
    if count is None:
        count = 0 if choice.cases or choice.requirements else DEFAULT_GENERATED
    if count == 0:
        return ()
    found = sources(contract, choice.operations, seed)
    check_room(found, count)
    if not (choice.cases or choice.requirements or choice.media_types or choice.transports):
        return Dealt(found, count, choice.shard)
    index, shards = choice.shard
    return tuple(one for one in Dealt(found, count) if _wanted(generated_case(*one), choice))[index - 1 :: shards]


def _wanted(case: Case, choice: Choice) -> bool:
    return (
        (not choice.operations or case.operation in choice.operations)
        and (not choice.requirements or bool(set(choice.requirements).intersection(case.requirements)))
        and (not choice.cases or any(fnmatchcase(case.id, pattern) for pattern in choice.cases))
        and (not choice.media_types or case.media_type in choice.media_types)
        and (not choice.transports or case.transport in choice.transports)
    )


def _known(what: str, names: Iterable[str], known: Iterable[str]) -> None:
    every = sorted(known)
    for name in names:
        if name not in every:
            raise UsageError(
                f"no {what} is called {name!r}", hint=_close(name, every) or f"Known: {', '.join(every[:12])}."
            )


def _close(name: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    return f"Did you mean {', '.join(close)}?" if close else ""


def parse_shard(text: str | None) -> tuple[int, int]:
    """`I/N` with 1 <= I <= N; (1, 1) for none. Raises `UsageError`."""
    if text is None:
        return (1, 1)
    index, slash, count = text.partition("/")
    if not slash or not index.isdigit() or not count.isdigit() or not 1 <= int(index) <= int(count):
        raise UsageError(f"--shard {text!r} is not I/N with 1 <= I <= N", hint="For example --shard 2/4.")
    return (int(index), int(count))
