"""The list of what does not fit: departures as proposals or questions, keys left open, and what was not read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from conformance.derive.departures import MISFITS, Departure
from conformance.derive.draft_names import Names
from conformance.derive.draft_requirements import reading_requirement
from conformance.derive.page import Page, Place, Unread, every_field


def questions_of(
    page: Page, names: Names, points: Sequence[Departure], asked: Mapping[str, str], service: str
) -> dict[str, Any]:
    """The content of questions.yaml: `questions`, `readings`, `to_fill`, `to_word`, `not_read`, `read_as`."""
    entries = [_entry(number, point) for number, point in enumerate(points, 1)]
    return {
        "page": page.name,
        "dialect": page.dialect,
        "service": service,
        "questions": entries,
        "readings": _readings(page, names, points),
        "to_fill": [{"key": key, "question": question} for key, question in asked.items()],
        "to_word": [{"line": one.line, "place": one.section} for one in _wordings(page)],
        "not_read": [_unread(one) for one in page.unread],
        "read_as": [_unread(one) for one in page.read_as],
    }


def _entry(number: int, point: Departure) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "id": f"Q{number}",
        "kind": point.kind,
        "means": MISFITS.get(point.kind, "the draft accepts more than the page prints"),
        "at": point.at,
        "says": point.says,
        "against": point.against,
        "line": point.place.line if point.place else None,
        "place": point.place.section if point.place else None,
        "question": point.question,
    }
    return {**entry, "reading": point.reading} if point.reading else entry


def _readings(page: Page, names: Names, points: Sequence[Departure]) -> list[dict[str, Any]]:
    """One proposal for each reading, in the form of readings.yaml; points that belong to one reading are its covers."""
    found: dict[str, dict[str, Any]] = {}
    for point in points:
        if not point.reading:
            continue
        proposal = {
            "id": point.reading,
            "operations": [names.operation],
            "requirement": reading_requirement(point, names),
            "question": point.question,
            "alternatives": dict(point.alternatives),
            "source": f"{page.name}, {point.place.section if point.place else 'page'}",
            "covers": {names.operation: []},
        }
        cover = {"kind": point.kind, "at": point.at, "says": point.says, "against": point.against}
        found.setdefault(point.reading, proposal)["covers"][names.operation].append(cover)
    return list(found.values())


def _wordings(page: Page) -> list[Place]:
    rows = [field.place for _, body in page.bodies() for _, field in every_field(body.fields) if field.text]
    return sorted({*(one.place for one in page.statements), *rows}, key=lambda one: (one.line, one.section))


def _unread(one: Unread) -> dict[str, Any]:
    return {"line": one.line, "begins": one.text, "why": one.why}
