"""The generated cases of a measurement, and the target that they go to."""

from __future__ import annotations

from conformance.cases.generated.source import Source, sources
from conformance.cases.generated.stream import Dealt, generated_case, numbers
from conformance.endpoint.file import check_target
from conformance.endpoint.model import TargetFile
from conformance.endpoint.reference import reference_target
from conformance.model.spec import Contract

Numbered = tuple[Source, int]
FORMATS = ("json", "xml", "http", "all")


def workload(contract: Contract, count: int, formats: str) -> Dealt | tuple[Numbered, ...]:
    """`count` numbered cases: all, or those over HTTP that need no state, or of these JSON or XML alone."""
    found = sources(contract, None if formats != "xml" else ["tpp.create_cancellations"], 0)
    if formats == "all":
        return Dealt(found, count)
    endings: tuple[str, ...] = ("json", "xml") if formats == "http" else (formats,)
    chosen: list[Numbered] = []
    for one in numbers(found, sum(source.size for source in found)):
        case = generated_case(*one)
        if case.transport == "http" and not case.states and case.media_type.endswith(endings):
            chosen.append(one)
            if len(chosen) == count:
                break
    return tuple(chosen)


def target(contract: Contract, address: str) -> TargetFile:
    """The reference implementation at an address."""
    return check_target(reference_target(address), contract, address)
