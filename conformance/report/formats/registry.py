"""Writes the reports of a run into a folder, from results at hand or from a journal."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from conformance.errors import (
    DESCRIPTORS,
    MORE_DESCRIPTORS,
    HarnessError,
    JournalError,
    UsageError,
    out_of_descriptors,
)
from conformance.model.spec import Contract
from conformance.plugins import find_report_format, report_format_names
from conformance.report.journal import Journal
from conformance.report.rows import ReportFormat, RunSummary
from conformance.report.summary import summarise


def summary_of(journal: Journal, contract: Contract) -> RunSummary:
    """The summary of a journal; `JournalError` when it was written under another contract."""
    written_under = journal.header.info.specs_digest
    if written_under != contract.digest:
        raise JournalError(
            f"the journal belongs to contract {written_under[:12]}, this one is {contract.digest[:12]}",
            where=str(contract.root),
            hint="Give the specs folder of that run with --specs DIR, or run again.",
        )
    for name, edition in journal.header.settings.editions.items():
        if name not in contract.operations or edition not in contract.operations[name].editions:
            raise JournalError(f"it pins the edition {edition!r} of {name!r}, which this contract lacks")
    return summarise(contract, journal.header.info, journal.results, journal.options)


def report_format(name: str) -> ReportFormat:
    """The report format of this name; the libraries of the others are not imported. Raises `UsageError`."""
    try:
        found = find_report_format(name)
    except KeyError:
        hint = f"One of {', '.join(report_format_names())}."
        raise UsageError(f"{name!r} is no format of a report", hint=hint) from None
    if not isinstance(found, ReportFormat):
        raise UsageError(f"{name!r} is no format of a report, but {found!r}", hint="It must be a `ReportFormat`.")
    return found


def render(summary: RunSummary, contract: Contract, kind: str) -> bytes:
    """One report as bytes. Raises `UsageError` for a format that nobody offers."""
    text = report_format(kind).write(summary, contract)
    return text if isinstance(text, bytes) else text.encode("utf-8")


OF_A_RUN = ("json", "junit", "html")
"""The formats that a run writes by itself."""


def write_reports(
    folder: Path, summary: RunSummary, contract: Contract, kinds: Sequence[str] = OF_A_RUN
) -> tuple[Path, ...]:
    """Write the reports into `folder` and return their paths; a file is replaced whole or not at all.

    Raises `UsageError` when the folder cannot be written, `HarnessError` when no more files may be opened.
    """
    written = []
    for kind in kinds:
        content = render(summary, contract, kind)
        path = folder / report_format(kind).file
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            part.write_bytes(content)
            part.replace(path)
        except OSError as error:
            if out_of_descriptors(error):
                raise HarnessError(DESCRIPTORS, where=str(path), hint=MORE_DESCRIPTORS) from error
            raise UsageError(
                f"cannot be written: {error.strerror or error}", where=str(path), hint="Give another folder."
            ) from error
        written.append(path)
    return tuple(written)
