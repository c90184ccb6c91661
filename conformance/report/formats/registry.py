"""Writes the reports of a run into a folder, from results at hand or from a journal."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from conformance.errors import JournalError, UsageError
from conformance.model.spec import Contract
from conformance.report.journal import Journal
from conformance.report.rows import RunSummary
from conformance.report.summary import summarise, to_json

FILES = {"json": "results.json", "junit": "junit.xml", "md": "report.md", "html": "report.html"}
"""Format to file name."""


def summary_of(journal: Journal, contract: Contract) -> RunSummary:
    """The summary of a journal; `JournalError` when it was written under another contract."""
    written_under = journal.header.info.specs_digest
    if written_under != contract.digest:
        raise JournalError(
            f"the journal belongs to contract {written_under[:12]}, this one is {contract.digest[:12]}",
            where=str(contract.root),
            hint="Give the specs folder of that run with --specs DIR, or run again.",
        )
    return summarise(contract, journal.header.info, journal.results, journal.options)


def render(summary: RunSummary, contract: Contract, kind: str) -> bytes:
    """One report as bytes; `kind` is a key of `FILES`. The libraries of the other kinds are not imported."""
    if kind == "json":
        return to_json(summary).encode("ascii")
    if kind == "junit":
        from conformance.report.formats.junit import to_junit

        return to_junit(summary, contract)
    if kind == "md":
        from conformance.report.formats.markdown import to_markdown

        return to_markdown(summary, contract).encode("utf-8")
    if kind == "html":
        from conformance.report.formats.html import to_html

        return to_html(summary, contract).encode("utf-8")
    raise UsageError(f"{kind!r} is no format of a report", hint=f"One of {', '.join(FILES)}.")


def write_reports(
    folder: Path, summary: RunSummary, contract: Contract, kinds: Sequence[str] = ("json", "junit")
) -> tuple[Path, ...]:
    """Write the reports into `folder` and return their paths; a file is replaced whole or not at all.

    Raises `UsageError` when the folder cannot be written.
    """
    written = []
    for kind in kinds:
        content = render(summary, contract, kind)
        path = folder / FILES[kind]
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            part.write_bytes(content)
            part.replace(path)
        except OSError as error:
            raise UsageError(
                f"cannot be written: {error.strerror or error}", where=str(path), hint="Give another folder."
            ) from error
        written.append(path)
    return tuple(written)
