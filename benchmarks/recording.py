"""What it costs to write a run down: the share of its processor time for evidence, observations and journal.

One whole run of named and generated cases against the bundled reference, as `conformance run` does it; the clock of the
process is read before and after each step that nothing but the record needs.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import ParamSpec, TypeVar
from unittest.mock import patch

from benchmarks.measures import Measured
from conformance.cases.fixtures import load_cases
from conformance.contract.load import load_contract
from conformance.model.verdict import CaseResult
from conformance.report.journal import FILE_NAME, Header, JournalWriter
from conformance.report.run_info import Settings, run_info
from conformance.run import evidence, execute
from conformance.run.loop import run_loop
from conformance.run.recording import FILE_NAME as RECORDING
from conformance.run.recording import Recorder, RecordingWriter
from conformance.run.schedule import Work, carry_out
from conformance.run.selection import Selection, choose_generated
from conformance.run.session import session

GENERATED = 5000
_P = ParamSpec("_P")
_R = TypeVar("_R")


@dataclass(slots=True)
class Spent:
    """Seconds of processor time by step; a step within another counts for itself alone."""

    seconds: dict[str, float] = field(default_factory=dict)
    within: float = 0.0
    """What the steps within the one that is under way have taken."""

    def on(self, step: str, does: Callable[_P, _R]) -> Callable[_P, _R]:
        """The same function, with what it takes added to a step."""

        def timed(*args: _P.args, **kwargs: _P.kwargs) -> _R:
            outer, self.within = self.within, 0.0
            before = time.process_time()
            try:
                return does(*args, **kwargs)
            finally:
                took_s = time.process_time() - before
                self.seconds[step] = self.seconds.get(step, 0.0) + took_s - self.within
                self.within = outer + took_s

        return timed


async def measure(folder: Path, spent: Spent) -> float:
    """Run everything once; the processor time of it all, in seconds."""
    contract, recorder = load_contract(), Recorder()
    cases = load_cases(contract)
    generated = choose_generated(contract, Selection(), GENERATED, 0)
    with ExitStack() as patched:
        patched.enter_context(patch.object(execute, "recorded", spent.on("evidence", evidence.recorded)))
        patched.enter_context(patch.object(Recorder, "turn", spent.on("observations", Recorder.turn)))
        async with session(contract, "reference", contract.operations, recorder=recorder) as run:
            header = Header(run_info(contract, run.chosen, 0), Settings())
            with (
                JournalWriter(folder / FILE_NAME, header) as journal,
                RecordingWriter(folder / RECORDING, recorder) as recording,
            ):
                written = spent.on("observations", recording.write), spent.on("journal", journal.write)
                journal.before = spent.on("observations", recording.flush)

                def on_result(result: CaseResult) -> None:
                    for write in written:
                        write(result)

                run.on_result = on_result
                before = time.process_time()
                await carry_out(run, Work(cases, generated))
                return time.process_time() - before


def cost_of_recording() -> Measured:
    """The share of the processor time of one run, whole and by step."""
    spent = Spent()
    with tempfile.TemporaryDirectory() as folder:
        whole_s = run_loop(measure(Path(folder), spent))
    shares = {name: seconds / whole_s for name, seconds in sorted(spent.seconds.items())}
    absolute = {f"recording_{name}": (100 * share, "%") for name, share in shares.items()}
    return Measured({"recording_share": sum(shares.values())}, {**absolute, "recording_run": (whole_s, "s")})
