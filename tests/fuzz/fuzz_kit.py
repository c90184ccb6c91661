"""What the harnesses share: the clock that each input runs against, and the committed messages as seeds."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
MOST_SECONDS = 2.0
"""Of processor time for one input of at most 64 KiB, instrumented and on a slow machine: all work on it is linear."""
Look = Callable[[bytes], None]
SMALL = {
    "max_body_bytes": 4_096,
    "max_kept_bytes": 4_096,
    "max_header_bytes": 1_024,
    "max_received_evidence_bytes": 512,
    "max_pings": 5,
}
"""Limits of the wire that short inputs reach."""
CHARSETS = (
    None, None, None, "utf-8", "utf-16", "utf-16le", "utf-16be", "utf-32", "us-ascii", "iso-8859-1", "windows-1252", "x",
)  # fmt: skip


def bounded(look: Look) -> Look:
    """The same, in bounded time."""

    def measured(data: bytes) -> None:
        started_s = time.process_time()
        look(data)
        took_s = time.process_time() - started_s
        assert took_s < MOST_SECONDS, f"{len(data)} bytes took {took_s:.1f} s of processor time"

    return measured


def picked(data: bytes, choices: tuple[Any, ...]) -> tuple[Any, bytes]:
    """What the first byte chooses, and the rest."""
    return (choices[data[0] % len(choices)], data[1:]) if data else (choices[0], b"")


def chosen(choice: int, body: bytes) -> bytes:
    return bytes((choice,)) + body


def pieces(data: bytes, step: int) -> Iterator[bytes]:
    """The data in reads of at most so many bytes, or in one."""
    yield from (data[at : at + step] for at in range(0, len(data), step)) if step else (data,)


def shown(error: Exception) -> None:
    """A refusal is short enough for a report."""
    assert len(str(error)) <= 2_000, f"a message of {len(str(error))} characters"


def texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from texts_in(item)


def answers() -> Iterator[tuple[str, bytes]]:
    """Media type and body of every answer that the checks are tested with."""
    for one in json.loads((ROOT / "tests/conformance/checks/answers.json").read_text(encoding="utf-8")):
        given = one["given"]
        if isinstance(given.get("body"), str):
            yield str(given.get("media")), given["body"].encode(errors="surrogatepass")


def requests() -> Iterator[tuple[str, str, bytes]]:
    """Path, media type and body of every short named message, with the ids that the guard's tests have in scope."""
    from conformance.cases.fixtures import load_cases
    from conformance.contract.load import load_contract
    from conformance.model.case import Transport

    seen = set()
    for case in load_cases(load_contract()):
        template = case.message.body.template if case.transport is Transport.HTTP else ""
        key = (case.operation, case.media_type, case.id.split("/")[1], len(template) // 40)
        if template and len(template) < 1_000 and key not in seen:
            seen.add(key)
            yield case.message.path, case.media_type, _filled(template).encode("utf-8", "surrogatepass")


def _filled(template: str) -> str:
    from conformance.formats.base import PLACE

    known = {
        "uid": "6269c403-5b9f-47dd-b8c3-7ecbef8f686d",
        "account": "9",
        "oms": "1",
        "instrument": "5",
        "bid": "40001",
    }
    known |= {"ask": "40002", "creator": "98765", "pin": "1234"}
    return PLACE.sub(
        lambda match: next((text for name, text in known.items() if name in match[1].lower()), "50001"), template
    )
