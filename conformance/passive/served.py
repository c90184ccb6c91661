"""(a module of its own: the mock has it, and nothing else of this package) The verdict on a request that the mock received."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from conformance.endpoint.redact import redact
from conformance.model.case import Transport
from conformance.model.spec import Contract
from conformance.passive.requests import RequestJudge
from conformance.passive.tapped import Framed, Tapped, frames_tapped


class Arrived(Protocol):
    """A call as the mock has noted it; over HTTP the text has each byte of the body as the character of its number."""

    @property
    def operation(self) -> str: ...
    @property
    def transport(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def headers(self) -> tuple[tuple[str, str], ...]: ...


def verdict_on(contract: Callable[[], Contract]) -> Callable[[Arrived], Mapping[str, Any]]:
    """A function that judges one request; the contract is read when it is first asked."""
    judges: dict[str, RequestJudge] = {}

    def verdict(arrived: Arrived) -> Mapping[str, Any]:
        if not judges:
            judges.update({name: RequestJudge(one) for name, one in contract().operations.items()})
        judge = judges.get(arrived.operation)
        if judge is None:
            return {"verdict": "not-verified"}
        request = judge.judge(_tapped(arrived))
        findings = [
            {"requirement": one.requirement, "message": one.message, "expected": one.expected, "actual": one.actual, "at": one.at}
            for one in request.findings
        ]  # fmt: skip
        said = {"verdict": "fail" if findings else "pass", "findings": findings, "notes": list(request.notes)}
        return {**said, "text": redact(arrived.text)}

    return verdict


def _tapped(arrived: Arrived) -> Tapped:
    if Transport(arrived.transport).framed:
        sent = Framed(True, 0.0, arrived.text.encode("utf-8", "surrogatepass"))
        return next(frames_tapped("received", "ws://mock/", (), [sent]))
    url = f"http://mock{arrived.path}"
    return Tapped("received", Transport.HTTP, arrived.method, url, arrived.headers, arrived.text.encode("latin-1"))
