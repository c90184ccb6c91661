"""A contract of two operations made by hand, and results for it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from conformance.model.case import Transport
from conformance.model.spec import Contract, ErrorCode, Operation, Reading, Requirement, Service, Shape
from conformance.model.verdict import CaseResult, Evidence, Finding, Recorded, RunInfo, Verdict

GATEWAY, LISTS = "acme.gateway", "acme.lists"
INFO = RunInfo(
    id="run-1",
    tool_version="1.0",
    specs_digest="d" * 64,
    seed=7,
    started_at="2026-01-02T03:04:05Z",
    target={"url": "http://127.0.0.1:1", "file": "staging.toml"},
)


def requirement(name: str, operation: str = GATEWAY, **more: Any) -> Requirement:
    """A mandatory requirement, unless `level` or `untested` says otherwise."""
    values = {
        "level": "must",
        "verify": "untested" if more.get("untested") else "cases",
        "document": "Acme",
        "place": f"table of {name}",
        "text": f"What {name} asks.",
    }
    return Requirement(id=name, operation=operation, **{**values, **more})


def operation(
    name: str, transports: tuple[Transport, ...], media: tuple[str, ...], codes: Mapping[str, str]
) -> Operation:
    """An operation with codes, each with its requirement."""
    return Operation(
        id=name,
        short=name[5:7],
        service="acme",
        folder=Path("nowhere"),
        call="Do",
        document="Acme",
        role="client",
        states={},
        fields={},
        shape=Shape.STANDARD,
        method="POST",
        path="/do",
        transports=transports,
        media_types=media,
        valid={},
        roles_allowed=("client",),
        roles_refused=(),
        codes=tuple(ErrorCode(code, needed) for code, needed in codes.items()),
        attribution={},
    )


def contract() -> Contract:
    """`acme.gateway` over HTTP and WebSocket in JSON; `acme.lists` over HTTP in JSON and XML."""
    operations = {
        GATEWAY: operation(GATEWAY, tuple(Transport), ("application/json",), {"0": "G-OK", "104": "G-104"}),
        LISTS: operation(LISTS, (Transport.HTTP,), ("application/json", "application/xml"), {"done": "L-DONE"}),
    }
    requirements = [
        requirement("G-OK"),
        requirement("G-104"),
        requirement("G-SHAPE", level="should"),
        requirement("G-GROUP", verify="untested", untested="only a heading"),
        requirement("L-DONE", LISTS),
    ]
    reading = Reading("empty", "acme", (GATEWAY,), "G-SHAPE", "Null or empty?", {"null": "null", "text": "text"})
    return Contract(
        root=Path("nowhere"),
        digest=INFO.specs_digest,
        services={"acme": Service("acme", "Acme", {"Acme": "The document"}, (GATEWAY, LISTS), (reading,))},
        operations=operations,
        requirements={one.id: one for one in requirements},
        readings={reading.id: reading},
    )


def result(name: str, *requirements: str, verdict: Verdict = Verdict.PASS, **more: Any) -> CaseResult:
    """The result of `g/family/NAME@http`, a passing named case unless said otherwise."""
    values: dict[str, Any] = {
        "operation": GATEWAY,
        "tier": "named",
        "transport": "http",
        "media_type": "application/json",
        "role": "client",
        "requests": 1,
    }
    case_id = name if "/" in name else f"g/family/{name}@http"
    return CaseResult(id=case_id, requirements=requirements, verdict=verdict, **{**values, **more})


def finding(name: str, message: str = "wrong", **more: str) -> Finding:
    """A finding on a requirement."""
    return Finding(**{"requirement": name, "check": "schema", "message": message, **more})


def failed(name: str, *requirements: str, on: str = "", **more: Any) -> CaseResult:
    """A failing case with one finding on its first requirement, or on the one given."""
    found = (finding(on or requirements[0], expected="code 0", actual="code 20", at="/errorcode"),)
    return result(name, *requirements, verdict=Verdict.FAIL, findings=found, **more)


def everything_passes() -> list[CaseResult]:
    """Results under which the whole contract is conformant."""
    cells = [("http", "application/json"), ("ws", "application/json")]
    passing = [
        result(
            f"g/codes/{code}@{transport}",
            needed,
            transport=transport,
            media_type=media,
            code=code,
            code_seen=code,
            readings=("empty=null",),
        )
        for code, needed in (("0", "G-OK"), ("104", "G-104"))
        for transport, media in cells
    ]
    passing.append(result("shape", "G-SHAPE"))
    passing.extend(
        result(
            f"l/codes/done@{media[12:]}",
            "L-DONE",
            operation=LISTS,
            media_type=media,
            code="done",
            code_seen="done",
        )
        for media in ("application/json", "application/xml")
    )
    return passing


def full_result() -> CaseResult:
    """A result in which no member is empty, with characters that are hard to write."""
    return CaseResult(
        id="g/family/full@http",
        operation=GATEWAY,
        requirements=("G-OK", "G-SHAPE"),
        tier="generated",
        transport="http",
        media_type="application/json",
        role="operator",
        verdict=Verdict.FAIL,
        findings=(finding("G-OK", "né\x00\ud800", expected="a", actual="<b>\x1b[31m", at="/x"),),
        reason="because",
        blocked=("schema",),
        readings=("empty=null",),
        code="104",
        code_seen="20",
        requests=3,
        exchanges=(
            Recorded("set-up", "trading", "ws", 1790000000.25, 0.5, "no reply within 1 s"),
            Recorded(
                "judged",
                "operator",
                "http",
                1790000001.0,
                0.25,
                evidence=Evidence("POST /\r\n", "HTTP/1.1 200 OK\n\n\u2028", True),
            ),
        ),
        notes=("slow",),
    )
