"""The world of an AlphaPoint gateway on Node: how it is installed and started, its modes, and what is not caught."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from world_support import World

FOLDER = Path(__file__).parent
PROGRAMS = ("node", "npm")
SOURCES = ("*.js", "*.mjs", "package.json", ".npmrc")
CANCEL_ALL, CANCEL_QUOTE, CANCEL_ORDER = (
    "alphapoint.cancel_all_orders",
    "alphapoint.cancel_quote",
    "alphapoint.cancel_order",
)
_BY_CALL = {"CancelAllOrders": CANCEL_ALL, "CancelQuote": CANCEL_QUOTE, "CancelOrder": CANCEL_ORDER}
_ROW = re.compile(r"\| `([\w-]+)` \| ([^|]*) \|")

FEW: tuple[str, ...] = ()
"""Recording tries all named cases at once: they take a few seconds."""
NOT_CAUGHT: Mapping[str, str] = {
    "session-fixed-life": "no case waits for a session to end: it may be lost at any time, and the harness signs in again",
}
"""Faults that no case finds, each with the reason."""
TOGETHER: Sequence[Sequence[str]] = (
    ("errormsg-empty", "detail-text", "keys-camel", "status-400", "foreign-104", "account-required",
     "ws-error-frames", "chunked", "oms-zero", "cookie-token"),
    ("detail-empty", "keys-pascal", "status-404", "unknown-account-20", "account-zero-unknown",
     "ws-frame-order", "connection-close", "quotes-in-open-orders", "wide-order-ids"),
    ("detail-omitted", "keys-lower", "status-by-code", "unknown-oms-100", "account-omitted-all", "cao-takes-quotes",
     "ws-events", "unparsable-error-frame", "no-content-type", "recycled-sockets"),
    ("legs-as-strings", "spaced-json", "no-session-standard", "wrong-method-405", "int32-ids", "mixed-legs-alone",
     "cao-instrument-honoured", "ws-payload-objects", "unparsable-standard", "balancer-503", "one-quote-per-instrument"),
    ("text-100-response", "early-error-flat", "quote-gone-success", "working-local-first", "sessions-dropped"),
)  # fmt: skip
"""Permitted modes that change different things, and so can be had of one server."""
NO_FAULT: Mapping[str, str] = {
    "cao-empty-refused": "what an account with nothing open is answered is left open (CAO-AGAIN): 0, 101 or 104",
    "ws-unparsable-closes": "an endpoint may close on data that it cannot take (RFC 6455, 7.4.1: 1003, 1007, 1008), and"
    " no document of the vendor says that the socket stays open; what live gateways do is no rule",
}
"""What its author took for a fault, and the contract leaves free."""


def built(folder: Path) -> World:
    """Install the server and its one dependency into a folder, unless that was done."""
    ready = folder / "ready"
    if not ready.exists():
        folder.mkdir(parents=True)
        for path in (path for pattern in SOURCES for path in FOLDER.glob(pattern)):
            shutil.copy(path, folder)
        command = ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"]
        subprocess.run(command, cwd=folder, check=True, timeout=120)
        ready.touch()
    server = str(folder / "server.js")

    def start(modes: Sequence[str]) -> list[str]:
        return ["node", server, *(part for mode in modes for part in ("--mode", mode))]

    told = subprocess.run(["node", server, "--print-env"], check=True, timeout=100, capture_output=True, text=True)
    secrets = dict(re.findall(r"export (\w+)='([^']*)'", told.stdout))
    return World(FOLDER, tuple(_BY_CALL.values()), start, ("HTTP", "WEBSOCKET"), secrets)


def modes(kind: str) -> list[str]:
    """The modes of a kind, permitted or fault, as the tables in README.md have them."""
    return [name for name, _ in _rows(kind) if name not in NO_FAULT]


def operations_of(mode: str) -> tuple[str, ...]:
    """The operations that a mode has to do with, by the text of its row; all of them where it names none or several."""
    text = next(text for kind in ("permitted", "fault") for name, text in _rows(kind) if name == mode)
    named = [operation for call, operation in _BY_CALL.items() if re.search(rf"\b{call}\b", text)]
    return (named[0],) if len(named) == 1 else tuple(_BY_CALL.values())


def _rows(kind: str) -> list[tuple[str, str]]:
    """Each mode with the second column of its row: the difference, or the operation of a fault."""
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    table = text.split(f"| {kind} mode |")[1].split("\n\n")[0]
    return _ROW.findall(table)
