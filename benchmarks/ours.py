"""Measures judged generated cases a second of the harness. Arguments: `ADDRESS COUNT FORMATS CONCURRENCY`."""

from __future__ import annotations

import json
import resource
import sys
import time
from itertools import islice

from benchmarks.workload import target, workload
from conformance.contract.load import load_contract
from conformance.endpoint.choose import ChosenTarget
from conformance.endpoint.reference import reference_environment
from conformance.model.verdict import CaseResult, Verdict
from conformance.run.loop import run_loop
from conformance.run.schedule import run_generated
from conformance.run.session import session


async def measure(address: str, count: int, formats: str, concurrency: int) -> dict[str, float]:
    """Run `count` cases and judge each; the figures of the run."""
    contract = load_contract()
    chosen = workload(contract, count, formats)
    there = target(contract, address)
    judged = failed = 0

    def on_result(result: CaseResult) -> None:
        nonlocal judged, failed
        judged += 1
        failed += result.verdict is not Verdict.PASS

    chosen_target = ChosenTarget(there, reference_environment(), address)
    async with session(contract, chosen_target, contract.operations) as run:
        run.on_result = on_result
        await run.reach()
        await run_generated(run, islice(chosen, 200), concurrency)  # sessions, connections and caches are warm then
        judged = failed = 0
        cpu_s, started = time.process_time(), time.perf_counter()
        await run_generated(run, iter(chosen), concurrency)
        seconds, cpu_s = time.perf_counter() - started, time.process_time() - cpu_s
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"cases": judged, "failed": failed, "seconds": seconds, "cpu_s": cpu_s, "peak_mb": peak_mb}


def main() -> None:
    """Measure, and print the figures as one line of JSON."""
    address, count, formats, concurrency = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    found = run_loop(measure(address, count, formats, concurrency))
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
