"""Which cases stay of a family that an operation samples: each message in fewer media types, each spelling on one request.

An operation that answers as a larger one beside it need not have every message in every media type a second time. What
stays follows from the id of a case alone, so that one case more changes no other: of the cases with one message, that
whose id has the smallest digest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from conformance.cases.families.spellings import without_scene
from conformance.errors import SpecError
from conformance.formats.registry import format_for
from conformance.model.case import Case
from conformance.model.spec import Operation


def family_of(case_id: str) -> str:
    """The family in a case id: `cao/fields/omsid-null@http` belongs to `fields`."""
    middle = case_id.partition("@")[0].split("/")[1:-1]
    return "-".join(middle) or "cases"


def sampled(operation: Operation, cases: Iterable[Case]) -> Iterator[Case]:
    """The cases of a family that the operation has, as `sampled` of its file says; all of a family that it does not name."""
    groups: dict[tuple[str, ...], list[Case]] = {}
    for case in cases:
        groups.setdefault(_group(operation, case), []).append(case)
    for group in groups.values():
        chosen = min((case.id for case in group), key=lambda name: hashlib.sha256(name.encode()).digest())
        yield from (case for case in group if case.id == chosen)


def check_sampled(operation: Operation, cases: Iterable[Case]) -> None:
    """Raises `SpecError` for a family of `sampled` that has no case."""
    known = {family_of(case.id) for case in cases}
    for family in operation.sampled:
        if family not in known:
            where, hint = str(operation.folder / "operation.yaml"), f"Its families are {', '.join(sorted(known))}."
            raise SpecError(f"sampled: no case is of the family {family!r}", where=where, hint=hint)


def _group(operation: Operation, case: Case) -> tuple[str, ...]:
    """What the cases have in common of which one stays: all of it for a case that is its own group."""
    share = operation.sampled.get(family_of(case.id))
    if share is None or case.code is not None:  # the table of codes has a row for each media type
        return (case.id,)
    message = without_scene(case.id.partition("@")[0])
    return (message, case.transport) if share == "one" else (message, case.transport, format_for(case.media_type).name)
