"""What a caller must know and a page may leave unsaid: statuses, and how a list is treated as a whole."""

from __future__ import annotations

import re
from collections.abc import Iterator

from conformance.derive.departures import Departure
from conformance.derive.page import Page, Place, every_field

_STATUS = re.compile(r"\b(status code|http status|http \d{3}|status \d{3})\b")
_SAID = {
    "order": re.compile(r"\b(in the same order|in any order|order of the (instructions|request|items))\b"),
    "empty-list": re.compile(r"\bempty (list|array|collection)\b"),
    "broken-item": re.compile(r"\b(the whole list|entire list|the other (instructions|items)|each .* on its own)\b"),
}


def silences(page: Page) -> Iterator[Departure]:
    """The questions that the page does not answer; each is a reading until somebody does."""
    prose = " ".join(_prose(page)).casefold()
    if not _STATUS.search(prose):
        alternatives = {"200": "always 200", "4xx": "a 4xx that fits the error"}
        yield _silence(
            "error/status" if page.error else "response/error-status",
            "Which HTTP status has an error?",
            page.response.place,
            alternatives,
            "error-status",
        )
        if page.error is not None:
            yield _silence(
                "response/status",
                "Which HTTP status has a success?",
                page.response.place,
                {"200": "200", "201": "201"},
                "processed-status",
            )
    if page.request.shape == "list" and page.response.shape == "list":
        yield from _of_lists(page, prose)
    shown = [path for path, field in every_field(page.response.fields) if field.null and page.dialect == "help-page"]
    if shown and "left out" not in prose and "omitted" not in prose:
        alternatives = {"present": "written out, as null or as a nil element", "omitted": "left out"}
        yield _silence(
            "response/null-members",
            f"Are null members ({', '.join(shown)}) written or left out?",
            page.response.place,
            alternatives,
            "null-members",
        )


def _of_lists(page: Page, prose: str) -> Iterator[Departure]:
    if not _SAID["order"].search(prose):
        alternatives = {"same": "in the order of the request", "other": "in another order, each with its id"}
        yield _silence(
            "response/order", "In which order do the results come?", page.response.place, alternatives, "result-order"
        )
    if not _SAID["empty-list"].search(prose):
        alternatives = {"empty-result": "an empty list", "refused": "an error"}
        yield _silence(
            "request/empty-list", "What does an empty list get?", page.request.place, alternatives, "empty-list"
        )
    if not _SAID["broken-item"].search(prose):
        alternatives = {"only-itself": "it fails alone", "whole-list": "the whole list is refused"}
        yield _silence(
            "request/broken-item",
            "What does one broken item do to its list?",
            page.request.place,
            alternatives,
            "broken-instruction",
        )


def _prose(page: Page) -> Iterator[str]:
    for statement in page.statements:
        yield statement.text
    for _, body in page.bodies():
        for _, field in every_field(body.fields):
            yield field.text


def _silence(at: str, question: str, place: Place, alternatives: dict[str, str], reading: str) -> Departure:
    return Departure("silence", at, "nothing", "an answer", place, question, alternatives, reading)
