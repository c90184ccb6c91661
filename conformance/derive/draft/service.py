"""A whole documentation to the files of one service: a draft of each call, what they share, and a report.

Each call is drafted beside those before it, so that shared bindings, roles and messages are taken over and asked about once.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.contract.load import read_operation, read_requirements
from conformance.derive.documentation import Call, Documentation
from conformance.derive.draft.files import Draft, draft_of, write_draft, yaml_text
from conformance.derive.draft.operation import RULING
from conformance.derive.draft.schemas import words_of
from conformance.derive.siblings import Sibling
from conformance.errors import SpecError

REPORT = "report.yaml"


@dataclass(frozen=True, slots=True)
class Drafted:
    """One call of the service; `lacks` is empty if it can be run once its scope is there, and says else what is missing."""

    call: Call
    folder: str
    draft: Draft
    lacks: str

    @property
    def asked(self) -> tuple[str, ...]:
        """The keys that the author must fill in."""
        return tuple(self.draft.to_fill)


@dataclass(frozen=True, slots=True)
class ServiceDraft:
    """The files of a service by their path inside its folder, and its calls in the order of the documentation."""

    service: str
    files: Mapping[str, str]
    calls: tuple[Drafted, ...]

    @property
    def running(self) -> int:
        """How many of the calls can be run when their scope is there: what they may touch no page says."""
        return sum(not one.lacks for one in self.calls)


def service_of(documentation: Documentation, service: str) -> ServiceDraft:
    """The draft of a service of this name; nothing is written but to a temporary folder."""
    files: dict[str, str] = {}
    drafted: list[Drafted] = []
    siblings: list[Sibling] = []
    paths: dict[str, Any] = {}
    taken: set[str] = set()
    with tempfile.TemporaryDirectory(prefix="derive-") as above:
        for call in documentation.calls:
            folder = _folder(call.page.name, taken)
            others = [one for one in siblings if one.document != call.page.name]
            draft = draft_of(call.page, folder, others, service, "the same documentation", listed=True)
            place = Path(above) / service / folder
            write_draft(draft.files, place)
            operation = read_operation(place, partial=True)
            siblings.append(Sibling(operation, read_requirements(place, operation.id)))
            drafted.append(Drafted(call, folder, draft, _lacks(place)))
            files |= {f"{folder}/{name}": text for name, text in draft.files.items()}
            for path, described in draft.described.items():
                paths.setdefault(path, {}).update(described)
    files["service.yaml"] = yaml_text(_service(service, drafted))
    info = {"title": service, "version": "draft"}
    files["openapi.yaml"] = yaml_text({"openapi": "3.1.0", "info": info, "paths": paths})
    made = ServiceDraft(service, files, tuple(drafted))
    return ServiceDraft(service, {**files, REPORT: yaml_text(report_of(documentation, made))}, made.calls)


def _folder(name: str, taken: set[str]) -> str:
    """A name for the folder of a call: its words in lower case, and a number where two calls have the same."""
    words = "_".join(word.lower() for word in words_of(re.sub(r"[^\w]+", " ", name))) or "call"
    found = next(
        one for one in (words, *(f"{words}_{number}" for number in range(2, len(taken) + 3))) if one not in taken
    )
    taken.add(found)
    return found


def _lacks(folder: Path) -> str:
    """What an operation lacks beside its scope: the first complaint of the loader."""
    try:
        read_operation(folder)
    except SpecError as error:
        return error.message.replace(f"{folder}/", "").splitlines()[0]
    return ""


def _service(service: str, drafted: list[Drafted]) -> dict[str, Any]:
    documents = {one.call.page.name: f"the vendor's page on the call {one.call.page.name}" for one in drafted}
    documents[RULING] = "decisions of this project where no page speaks"
    operations = [one.draft.operation for one in drafted]
    return {"service": service, "title": service, "documents": documents, "operations": operations}


def report_of(documentation: Documentation, made: ServiceDraft) -> dict[str, Any]:
    """What became of each page, what was refused, and what stands in no call, as data."""
    calls = [
        {
            "operation": one.draft.operation,
            "page": one.call.page.name,
            "where": one.call.where,
            "questions": len(one.draft.points),
            "to_fill": list(one.asked),
            "not_read": len(one.call.page.unread),
            "runs": not one.lacks,
            **({"lacks": one.lacks} if one.lacks else {}),
        }
        for one in made.calls
    ]
    return {
        "service": made.service,
        "derived": len(calls),
        "running": made.running,
        "shared": list(documentation.shared.places),
        "calls": calls,
        "refused": [{"where": one.where, "message": one.message} for one in documentation.refused],
        "not_read": [
            {"where": f"{where}:{one.line}", "begins": one.text, "why": one.why} for where, one in documentation.unread
        ],
    }
