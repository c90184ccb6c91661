"""Which result belongs to which instruction: one each, carrying the id that the instruction was for."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.checks.kit import INSTRUCTED, LISTS, Kit
from conformance.checks.registry import Check, Stage
from conformance.contract.operation import RequirementKey
from conformance.contract.problem_text import shown
from conformance.formats.base import Codec
from conformance.formats.errors import CodecError
from conformance.model.spec import Shape
from conformance.model.verdict import Finding

_BEHIND_MATCHING = ("outcome", "effect")
ONE_EACH = Check(
    "one-each",
    "each instruction of a list has one result",
    Stage.RESULTS,
    (RequirementKey("one-each", LISTS),),
    of=LISTS,
    blocks=_BEHIND_MATCHING,
)
IDENTITY = Check(
    "identity",
    "a result names the order that its instruction was for",
    Stage.RESULTS,
    (RequirementKey("identity", INSTRUCTED),),
    of=INSTRUCTED,
    blocks=_BEHIND_MATCHING,
)
UNUSABLE = object()
_GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True, slots=True)
class Matching:
    """Results in the order of their instructions, and what is wrong with the way they came."""

    ordered: tuple[dict[str, Any], ...]
    findings: tuple[Finding, ...] = ()
    readings: tuple[str, ...] = ()


def instructions_of(
    body: bytes, codec: Codec, members: Collection[str], shape: Shape = Shape.RESULTS
) -> tuple[dict[str, Any], ...] | None:
    """The instructions that were sent; None when the body is one that only a lenient reader can read."""
    try:
        document = codec.decode(body)
    except CodecError:
        return None
    entries = shape.entries(document.value)
    if (
        not document.plainly
        or entries is None
        or not all(isinstance(entry, dict) and entry.keys() <= set(members) for entry in entries)
    ):
        return None
    return tuple(entries)


def match_results(
    kit: Kit, instructions: tuple[dict[str, Any], ...] | None, results: tuple[dict[str, Any], ...]
) -> Matching:
    """Pair each result with its instruction: by place, else by their ids; results that fit anything come last."""
    if instructions is None:
        return Matching(results)
    if len(results) != len(instructions):
        message = "there is not exactly one result for each instruction"
        expected, actual = _count(instructions), _count(results)
        return Matching(results, (ONE_EACH.finding(kit.operation, message, expected, actual),))
    names = kit.operation.identity
    wanted = [_identity(entry, names, kit) for entry in instructions]
    given = [tuple(_comparable(entry.get(name)) for name in names) for entry in results]
    if all(_fits(want, got) for want, got in zip(wanted, given, strict=True)):
        return Matching(results, (), ("result-order=same",) if len(results) > 1 else ())
    ordered = _by_identity(wanted, given, results)
    if ordered is not None:
        return Matching(ordered, (), ("result-order=other",))
    index = next(i for i, (want, got) in enumerate(zip(wanted, given, strict=True)) if not _fits(want, got))
    name = names[_at_odds(wanted[index], given[index])]
    finding = IDENTITY.finding(
        kit.operation,
        "a result names another order than its instruction",
        _member(instructions[index], name),
        _member(results[index], name),
        kit.place_of(index, name),
    )
    return Matching(results, (finding,))


def _count(results: Sequence[object]) -> str:
    return "1 result" if len(results) == 1 else f"{len(results)} results"


def _member(entry: dict[str, Any], name: str) -> str:
    return f"{name} {shown(entry[name])}" if name in entry else f"no {name}"


Identity = tuple[tuple[bool, Any], ...]
"""For each identity member: whether it decides, and the value in comparable form."""


def _at_odds(identity: Identity, got: tuple[Any, ...]) -> int:
    """The place of the member that does not fit, the deciding one first: a finding shows no value that is right."""
    wrong = [i for i, (want, found) in enumerate(zip(identity, got, strict=True)) if not _fits((want,), (found,))]
    return next((i for i in wrong if identity[i][0]), wrong[0])


def _identity(instruction: dict[str, Any], names: tuple[str, ...], kit: Kit) -> Identity:
    condition = kit.operation.condition
    if condition is None:  # what is given decides
        needs = tuple(name for name in names if instruction.get(name) is not None)
    else:
        flag = instruction.get(condition.flag, False)
        # a lenient reader may make either of what is no Boolean
        needs = condition.half(flag).needs if isinstance(flag, bool) else ()
    return tuple((name in needs, _wanted(instruction.get(name), kit.operation.fields[name].type)) for name in names)


def _wanted(value: Any, kind: str | None) -> Any:
    """The id that a result must carry; `UNUSABLE` for a value that is no id of its kind, which no reader can echo."""
    if value is None:
        return None
    if kind == "integer":
        usable = isinstance(value, int) and not isinstance(value, bool) and -(2**31) <= value < 2**31
    elif kind == "string":
        usable = isinstance(value, str)
    else:
        usable = isinstance(value, str) and _GUID.fullmatch(value) is not None
    return _comparable(value) if usable else UNUSABLE


def _comparable(value: Any) -> Any:
    """GUIDs compare without regard to letter case, numbers by value, a missing member like null."""
    return value.lower() if isinstance(value, str) else value


def _fits(want: Identity, got: tuple[Any, ...]) -> bool:
    """The deciding member must be echoed; another may be echoed or null. What cannot be an id cannot be demanded."""
    for (decides, wanted), found in zip(want, got, strict=True):
        if found == wanted or wanted is UNUSABLE or (found is None and not decides):
            continue
        return False
    return True


def _by_identity(
    wanted: list[Identity], given: list[tuple[Any, ...]], results: tuple[dict[str, Any], ...]
) -> tuple[dict[str, Any], ...] | None:
    free = dict(enumerate(given))
    ordered: dict[int, dict[str, Any]] = {}
    for place in sorted(range(len(wanted)), key=lambda place: any(value is UNUSABLE for _, value in wanted[place])):
        fitting = [i for i, got in free.items() if _fits(wanted[place], got)]
        if not fitting:
            return None
        # a result that repeats every member first: one that leaves some out fits other instructions as well
        exact = tuple(value for _, value in wanted[place])
        index = next((i for i in fitting if free[i] == exact), fitting[0])
        del free[index]
        ordered[place] = results[index]
    return tuple(ordered[place] for place in range(len(wanted)))
