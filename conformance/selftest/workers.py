"""Tries suspects in several processes at once, each with its own contract, cases and servers.

`python -m conformance.selftest.workers OPERATION…` is one such process. Standard input has a JSON object for each suspect;
each is answered by a line of `attempt_to_json`, or by `{"failed": message, "where", "hint"}`. The end of standard input
ends it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

from conformance.cases.fixtures import load_cases
from conformance.contract.load import load_contract
from conformance.endpoint.reference import program, warm_reference
from conformance.errors import INTERRUPTED, HarnessError
from conformance.run.loop import run_loop
from conformance.run.schedule import side_by_side
from conformance.selftest.suspects import (
    Attempt,
    Suspect,
    attempt_from_json,
    attempt_to_json,
    suspect_from_json,
    suspect_to_json,
    try_one,
)

_LINE_LIMIT_BYTES = 64 * 1024 * 1024
"""An attempt that was asked for every finding is a long line."""
_TRIAL_TIMEOUT_S = 600.0
_STOP_TIMEOUT_S = 10.0


async def try_in_processes(
    suspects: Sequence[Suspect],
    jobs: int,
    on_attempt: Callable[[Attempt], None],
    *,
    specs: Path | None,
    every_case: bool,
) -> tuple[Attempt, ...]:
    """Every attempt, in the order of the suspects, at most `jobs` at a time. Raises `HarnessError`.

    Those that take longest, the equivalents, are begun first, so that all processes end at about the same time.
    """
    ordered = sorted(enumerate(suspects), key=lambda entry: entry[1].kind == "equivalent")
    attempts: dict[int, Attempt] = {}
    operations = sorted({suspect.operation for suspect in suspects})
    arguments = [*(["--specs", str(specs)] if specs else []), *(["--every-case"] if every_case else []), *operations]

    async def lane() -> None:
        async with _worker(arguments) as process:
            while ordered:
                number, suspect = ordered.pop()
                attempts[number] = await _asked(process, suspect)
                on_attempt(attempts[number])

    await side_by_side([lane() for _ in range(min(jobs, len(suspects)))])
    return tuple(attempts[number] for number in sorted(attempts))


async def _asked(process: asyncio.subprocess.Process, suspect: Suspect) -> Attempt:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{suspect_to_json(suspect)}\n".encode())
    try:
        line = await asyncio.wait_for(process.stdout.readline(), _TRIAL_TIMEOUT_S)
    except TimeoutError:
        raise HarnessError(
            f"{suspect.id} was not tried in {_TRIAL_TIMEOUT_S:g} s",
            where="selftest",
            hint=f"Try it alone: conformance selftest --{suspect.kind} {suspect.id}",
        ) from None
    answer = (
        json.loads(line) if line else {"failed": "the process that tried it ended", "where": suspect.id, "hint": ""}
    )
    if "failed" in answer:
        raise HarnessError(answer["failed"], where=answer["where"], hint=answer["hint"])
    return attempt_from_json(line.decode())


@contextlib.asynccontextmanager
async def _worker(arguments: Sequence[str]) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *program("conformance.selftest.workers", *arguments),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=_LINE_LIMIT_BYTES, start_new_session=True,
    )  # fmt: skip
    try:
        yield process
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        raise
    finally:
        if process.stdin is not None:
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), _STOP_TIMEOUT_S)
        except TimeoutError:
            process.kill()
            await process.wait()


async def work(specs: Path | None, operations: list[str], *, every_case: bool) -> None:
    """Try what standard input names until it ends."""
    contract = load_contract(specs)
    cases = load_cases(contract, operations, every_edition=True)
    async with warm_reference() as reference:
        while line := await asyncio.to_thread(sys.stdin.readline):
            suspect = suspect_from_json(line)
            try:
                answer = attempt_to_json(await try_one(contract, cases, suspect, reference, every_case=every_case))
            except HarnessError as error:
                answer = json.dumps({"failed": error.message, "where": error.where, "hint": error.hint})
            sys.stdout.write(f"{answer}\n")
            sys.stdout.flush()


def main() -> None:
    """Read the options and work."""
    parser = argparse.ArgumentParser(prog="python -m conformance.selftest.workers")
    parser.add_argument("operations", nargs="+")
    parser.add_argument("--specs", type=Path)
    parser.add_argument("--every-case", action="store_true")
    options = parser.parse_args()
    try:
        run_loop(work(options.specs, options.operations, every_case=options.every_case))
    except (KeyboardInterrupt, BrokenPipeError):
        raise SystemExit(INTERRUPTED) from None


if __name__ == "__main__":
    main()
