"""What of a long recording is counted and not kept: its lines of the journal wait in a file until that is written."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import IO

from conformance.errors import JournalError
from conformance.model.verdict import CaseResult
from conformance.report.journal import case_line, encode_line
from conformance.report.rows import Folded

_PIECE_BYTES = 1 << 20


class Overflow:
    """The results that are counted alone."""

    def __init__(self) -> None:
        self.counted = Folded()
        self._file: IO[bytes] | None = None

    @property
    def cases(self) -> int:
        """How many there are."""
        return self.counted.verdicts.total()

    def take(self, result: CaseResult) -> None:
        """Count one more. Raises `JournalError` where there is no room for its line."""
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile()  # noqa: SIM115  it ends with this object
            self._file.write(encode_line(case_line(result)))
        except OSError as error:
            raise JournalError(
                f"results that wait for the journal cannot be written: {error.strerror or error}",
                where=tempfile.gettempdir(), hint="Make room there, or name another folder with TMPDIR.",
            ) from error  # fmt: skip
        self.counted.add(result)

    def lines(self) -> Iterator[bytes]:
        """What the journal says of them, in pieces, once."""
        if self._file is not None:
            with self._file as file:
                file.seek(0)
                while piece := file.read(_PIECE_BYTES):
                    yield piece
