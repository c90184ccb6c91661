"""A page against an operation's folder: every departure, and whether something named accounts for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from conformance.derive.covers import Cover, covers_of
from conformance.derive.departures import Departure
from conformance.derive.facts import Fact, Facts, Key, facts_of_page
from conformance.derive.folder_facts import facts_of_folder, operation_of, page_record
from conformance.derive.misfits import misfits
from conformance.derive.page import Page
from conformance.derive.sample_checks import samples_against_folder
from conformance.derive.siblings import Sibling, elsewhere, siblings_in

_UNSAID = frozenset({"method", "path", "permissions", "record"})
_RECORDED = frozenset({"call-type", "category"})
_WIDTHS = ("int32", "int64")


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came of it: the departures that nothing accounts for, those that something does, and what was not compared."""

    operation: str
    compared: int
    drift: tuple[Departure, ...]
    covered: tuple[tuple[Departure, Cover], ...]
    not_compared: tuple[str, ...]


def check_page(page: Page, folder: Path, service: Path | None = None) -> Comparison:
    """Hold a page against the operation in `folder`; `service` is the folder of its service, by default the one above.

    Errors: `SpecError` for a folder that cannot be used.
    """
    theirs, ours = facts_of_page(page), facts_of_folder(folder)
    recorded = page_record(folder) is not None
    sampled = any(key.kind == "sample" for key in ours)
    theirs = {key: fact for key, fact in theirs.items() if _comparable(key, recorded=recorded, sampled=sampled)}
    siblings = siblings_in(service or folder.parent, besides=page.name)
    of_page = list(_of_page(page, siblings))
    found = [*fact_departures(theirs, ours), *samples_against_folder(page, folder, of_page), *of_page]
    drift, covered = _judge(list(dict.fromkeys(_sides(one) for one in found)), found, covers_of(folder))
    left_out = [] if recorded else ["wording, category and call type (the folder has no page.yaml)"]
    left_out += [] if sampled else ["samples as they are printed (the folder has no samples/)"]
    return Comparison(
        str(operation_of(folder).get("id")), len({*theirs, *ours}), tuple(drift), tuple(covered), tuple(left_out)
    )


def open_points(page: Page, siblings: Sequence[Sibling]) -> tuple[Departure, ...]:
    """What does not fit on a page and between it and the other operations of its service."""
    return tuple({_sides(one): one for one in _of_page(page, siblings)}.values())


def fact_departures(page: Facts, folder: Facts) -> Iterator[Departure]:
    """Each fact that only one side has, or that differs, in the order of the page."""
    stated = {key.kind for key in page}
    for key, fact in page.items():
        other = folder.get(key)
        if other is None:
            if not _part_of(key, page, folder):
                yield _new(key, fact)
        elif other.value != fact.value:
            wide = key.kind == "type" and fact.value == "integer" and other.value in _WIDTHS
            yield Departure("width-unsaid" if wide else key.kind, key.at, fact.value, other.value, fact.place)
    for key, fact in folder.items():
        if key not in page and (key.kind not in _UNSAID or key.kind in stated) and not _part_of(key, folder, page):
            yield _gone(key, fact)


def _part_of(key: Key, one: Facts, other: Facts) -> bool:
    """Whether a fact is a side of a field or a body that is reported as a whole."""
    whole = Key(key.at, "type")
    if key.kind in ("need", "null") and whole in one and whole not in other:
        return True
    part = Key(key.at.partition("/")[0], "shape")
    return key != part and not key.at.startswith("wording/") and part in one and part not in other


def _of_page(page: Page, siblings: Sequence[Sibling]) -> Iterator[Departure]:
    yield from misfits(page)
    yield from elsewhere(page, siblings)


def _comparable(key: Key, *, recorded: bool, sampled: bool) -> bool:
    if key.at.startswith("wording/") or key.kind in _RECORDED:
        return recorded
    return sampled or key.kind != "sample"


def _new(key: Key, fact: Fact) -> Departure:
    if key.at.startswith("wording/"):
        return Departure("added", key.at, "new or reworded", "not recorded", fact.place)
    return Departure(
        "added",
        f"{key.at} {key.kind}" if key.kind in _DETAILS else key.at,
        fact.value or "a code",
        "nothing",
        fact.place,
    )


def _gone(key: Key, fact: Fact) -> Departure:
    if key.at.startswith("wording/"):
        return Departure("removed", key.at, "gone or reworded", "recorded", None)
    return Departure(
        "removed", f"{key.at} {key.kind}" if key.kind in _DETAILS else key.at, "nothing", fact.value or "a code", None
    )


_DETAILS = frozenset(
    {
        "need",
        "null",
        "record",
        "root",
        "item",
        "members",
        "media-types",
        "method",
        "path",
        "permissions",
        "call-type",
        "category",
    }
)


def _sides(one: Departure) -> tuple[str, str, str, str]:
    return one.kind, one.at, one.says, one.against


def _judge(
    order: list[tuple[str, str, str, str]], found: list[Departure], covers: Sequence[Cover]
) -> tuple[list[Departure], list[tuple[Departure, Cover]]]:
    """Each departure once, as drift or with its cover; and a cover that fits none, whose ground is gone from the page."""
    by_sides = {_sides(one): one for one in reversed(found)}
    drift: list[Departure] = []
    covered: list[tuple[Departure, Cover]] = []
    used: set[Cover] = set()
    for sides in order:
        departure = by_sides[sides]
        fitting = [cover for cover in covers if cover.fits(departure)]
        used.update(fitting)
        if fitting:
            covered.append((departure, fitting[0]))
        else:
            drift.append(departure)
    for cover in covers:
        if cover not in used:
            drift.append(
                Departure(
                    "ground-gone",
                    cover.at,
                    "no longer on the page",
                    f"{cover.kind}: {cover.says} against {cover.against}",
                    None,
                    cover.words,
                )
            )
    return drift, covered
