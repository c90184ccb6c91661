"""The world of TPP on the serializers of .NET: how it is built and started, its modes, and what is not caught."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from world_support import World

FOLDER = Path(__file__).parent
PROGRAMS = ("mono", "mcs")
LETTERED_PIN = "Qz73xK"

FEW = ("--media-type", "application/json", "--media-type", "text/xml")
"""Options that choose a part of the cases which finds most."""
NOT_CAUGHT: Mapping[str, str] = {
    "extra-member": "the page lists four members of a result, and does not say that there are no others",
    "xml-extra-element": "the same in XML",
    "format-guessed": "a body without Content-Type may be taken for what it looks like (RFC 9110, 8.3)",
}
"""Faults that no case finds, each with the reason."""
TOGETHER: Sequence[Sequence[str]] = (
    ("status-201", "chunked", "nulls-left-out", "results-reversed", "uid-upper-case", "pin-always", "null-item-fails",
     "prefix-a", "charset-of-request", "no-list-is-empty"),
    ("status-207", "close-each", "empty-errors", "failures-first", "echo-both-ids", "pin-never", "wrong-item-fails",
     "indented", "utf8-only"),
    ("refused-422", "gzip", "first-error-only", "existence-hidden", "any-creator", "null-item-dropped", "ids-64-bit",
     "xml-declaration", "charset-quoted"),
    ("json-escapes", "members-shuffled", "broken-refuses-list", "empty-list-refused", "framework-errors-as-string",
     "not-acceptable", "strict-json", "exact-path"),
)  # fmt: skip
"""Permitted modes that change different things, and so can be had of one server."""
LACKS: Mapping[str, str] = {
    "pin-always": '[services.tpp.lacks]\nstate.no-pin-order = "every instruction needs a PIN"',
    "pin-never": '[services.tpp.lacks]\nstate."pin-*" = "this service asks no PIN"',
}
"""By permitted mode, what the target file says that such a service lacks."""


def built(folder: Path) -> World:
    """Build the server into a folder."""
    subprocess.run(["sh", str(FOLDER / "build.sh"), str(folder)], check=True, timeout=60)
    program = str(folder / "tpp_mono.exe")

    def start(modes: Sequence[str]) -> list[str]:
        pin = ["--pin", LETTERED_PIN] if "pin-case-ignored" in modes else []
        return ["mono", program, *pin, *(part for mode in modes for part in ("--mode", mode))]

    return World(
        FOLDER, ("tpp.create_cancellation", "tpp.create_cancellations"), start, ("HTTP", "HOOK"),
        {"TPP_MONO_PIN": "739218", "TPP_MONO_WRONG_PIN": "not the PIN"}, LACKS,
    )  # fmt: skip


def modes(kind: str) -> list[str]:
    """The modes of a kind, permitted or fault, as the table in README.md has them."""
    rows = (line.split("|") for line in (FOLDER / "README.md").read_text(encoding="utf-8").splitlines())
    return [row[1].strip().strip("`") for row in rows if len(row) > 3 and row[2].strip() == kind]
