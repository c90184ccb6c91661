"""A process of the self-test: `python -m conformance.selftest.worker OPERATION…` tries suspects, one a line, as they come.

Standard input has a JSON object for each suspect; each is answered by a line of `trial_to_json`, or by
`{"failed": message, "where", "hint"}`. The end of standard input ends it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path

from conformance.cases.fixtures import load_cases
from conformance.contract.load import load_contract
from conformance.endpoint.reference import warm_reference
from conformance.errors import INTERRUPTED, HarnessError
from conformance.run.loop import run_loop
from conformance.selftest.suspects import suspect_from_json, trial_to_json, try_one


async def work(specs: Path | None, operations: list[str], *, every_case: bool) -> None:
    """Try what standard input names until it ends."""
    contract = load_contract(specs)
    cases = load_cases(contract, operations)
    async with warm_reference() as reference:
        while line := await asyncio.to_thread(sys.stdin.readline):
            suspect = suspect_from_json(line)
            try:
                answer = trial_to_json(await try_one(contract, cases, suspect, reference, every_case=every_case))
            except HarnessError as error:
                answer = json.dumps({"failed": error.message, "where": error.where, "hint": error.hint})
            sys.stdout.write(f"{answer}\n")
            sys.stdout.flush()


def main() -> None:
    """Read the options and work."""
    parser = argparse.ArgumentParser(prog="python -m conformance.selftest.worker")
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
