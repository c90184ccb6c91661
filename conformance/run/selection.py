"""Which cases a run takes: by operation, requirement, id, media type, transport and shard."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from conformance.cases.combinations.arrays import STRENGTH, strength_of
from conformance.cases.fixtures import load_cases
from conformance.cases.generated.source import Source, sources
from conformance.cases.generated.stream import Dealt, check_room, generated_case
from conformance.endpoint.model import TargetFile
from conformance.errors import UsageError
from conformance.model.case import Case
from conformance.model.spec import Contract

Numbered = tuple[Source, int]
ManyNumbered = Dealt | tuple[Numbered, ...]


@dataclass(frozen=True, slots=True)
class Selection:
    """The filters of a run; an empty one leaves its side open. A case may be a pattern with `*`.

    `strength` is of how many factors the named cases cover the combinations.
    """

    operations: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    media_types: tuple[str, ...] = ()
    transports: tuple[str, ...] = ()
    strength: int = STRENGTH

    @property
    def words(self) -> str:
        """`operation tpp.create_cancellations; case tpp/response/*`; empty where it leaves every side open."""
        sides = {
            "operation": self.operations,
            "requirement": self.requirements,
            "case": self.cases,
            "media type": self.media_types,
            "transport": self.transports,
        }
        return "; ".join(f"{side} {', '.join(names)}" for side, names in sides.items() if names)


Shard = tuple[int, int]
"""The I-th of N parts of the cases, as (I, N)."""
WHOLE: Shard = (1, 1)


def choose_named(contract: Contract, selection: Selection, shard: Shard = WHOLE) -> tuple[Case, ...]:
    """The chosen named cases of every edition; `of_editions` leaves those that a target speaks. Raises as `choose` does."""
    wanted = selection.operations or None
    return choose(
        contract, load_cases(contract, wanted, strength=selection.strength, every_edition=True), selection, shard
    )


def choose(contract: Contract, cases: Sequence[Case], selection: Selection, shard: Shard = WHOLE) -> tuple[Case, ...]:
    """The chosen cases in the order of their ids. Raises `UsageError` for a name that nothing has."""
    _known("operation", selection.operations, contract.operations)
    _known("requirement", selection.requirements, contract.requirements)
    _known("media type", selection.media_types, {one.media_type for one in cases})
    _known("transport", selection.transports, {one.transport for one in cases})
    ids = [one.id for one in cases]
    for pattern in selection.cases:
        if not any(fnmatchcase(identifier, pattern) for identifier in ids):
            stronger = strength_of(pattern)
            hint = f"`--strength {stronger}` brings it." if stronger > selection.strength else _close(pattern, ids)
            raise UsageError(f"no case is called {pattern!r}", hint=hint or "`conformance list cases` names them.")
    index, count = shard
    chosen = [one for one in sorted(cases, key=lambda one: one.id) if _wanted(one, selection)]
    return tuple(chosen[index - 1 :: count])


def offered(contract: Contract, selection: Selection, target: TargetFile) -> Selection:
    """The filters with the operations of services that the target file leaves out taken away.

    Raises `UsageError` for an operation that was asked for and that the target does not have.
    """
    have = tuple(name for name, one in contract.operations.items() if one.service in target.services)
    for name in selection.operations:
        if name not in have:
            service = contract.operations[name].service
            raise UsageError(
                f"the target names no service {service!r}, which {name} is of",
                where="--operation",
                hint=f"Add [services.{service}] to the target file.",
            )
    if selection.operations or len(have) == len(contract.operations):
        return selection
    return replace(selection, operations=have)


def of_editions(contract: Contract, cases: Iterable[Case]) -> tuple[Case, ...]:
    """The cases without those of an edition that is not pinned in this contract.

    Raises `UsageError` where none is left of some.
    """
    every = tuple(cases)
    kept = tuple(one for one in every if contract.operations[one.operation].has_edition(one.edition))
    if every and not kept:
        what = f"{every[0].id} is of the edition {every[0].edition}, which the target does not pin"
        service = contract.operations[every[0].operation].service
        hint = f'Give edition = "{every[0].edition}" in [services.{service}] of the target file.'
        raise UsageError(what, where="--case", hint=hint)
    return kept


DEFAULT_GENERATED = 5000


def choose_generated(
    contract: Contract, selection: Selection, count: int | None, seed: int, shard: Shard = WHOLE
) -> ManyNumbered:
    """The numbered cases of a run: `count` of them, or the default number where no case or requirement was asked for.

    The filters take cases away; they do not bring others in. Raises `UsageError` beyond the corpus.
    """
    if count is None:
        count = 0 if selection.cases or selection.requirements else DEFAULT_GENERATED
    if count == 0:
        return ()
    found = sources(contract, selection.operations, seed)
    check_room(found, count)
    if not (selection.cases or selection.requirements or selection.media_types or selection.transports):
        return Dealt(found, count, shard)
    index, shards = shard
    return tuple(one for one in Dealt(found, count) if _wanted(generated_case(*one), selection))[index - 1 :: shards]


def none_generated(selection: Selection, asked: int | None, generated: ManyNumbered) -> str:
    """What to say where generated cases were asked for by number, and the filters leave none; "" where some run."""
    if not asked or generated:
        return ""
    return f"No generated case runs: of the first {asked:,} none is of {selection.words}."


def _wanted(case: Case, selection: Selection) -> bool:
    return (
        (not selection.operations or case.operation in selection.operations)
        and (not selection.requirements or bool(set(selection.requirements).intersection(case.requirements)))
        and (not selection.cases or any(fnmatchcase(case.id, pattern) for pattern in selection.cases))
        and (not selection.media_types or case.media_type in selection.media_types)
        and (not selection.transports or case.transport in selection.transports)
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


def parse_shard(text: str | None) -> Shard:
    """`I/N` with 1 <= I <= N; (1, 1) for none. Raises `UsageError`."""
    if text is None:
        return (1, 1)
    index, slash, count = text.partition("/")
    if not slash or not index.isdigit() or not count.isdigit() or not 1 <= int(index) <= int(count):
        raise UsageError(f"--shard {text!r} is not I/N with 1 <= I <= N", hint="For example --shard 2/4.")
    return (int(index), int(count))
