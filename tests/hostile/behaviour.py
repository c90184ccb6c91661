"""What a hostile behaviour is: where it strikes, what it does there, and what the run must come to."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal

JSON, XML = "tpp/effects/unknown-order@application-json", "tpp/effects/unknown-order@application-xml"
STANDARD, FRAME = "cao/effects/nothing-open@http", "cao/effects/nothing-open@ws"
OTHER_HTTP = ("cq/response/sample@http", "co/response/sample@http")
OTHER_FRAMES = ("cq/response/sample@ws", "co/response/sample@ws")
ANONYMOUS = "co/roles/anonymous@http"
OTHERS = (
    "tpp/response/domestic@text-json", "tpp/response/domestic@text-xml", *OTHER_HTTP, *OTHER_FRAMES,
    ANONYMOUS,
)  # fmt: skip
CASES = (JSON, XML, STANDARD, FRAME, *OTHERS)

Place = Literal["json", "xml", "standard", "frame", "sign-in", "handshake", "frame-sign-in"]
STRUCK: dict[Place, tuple[str, ...]] = {
    "json": (JSON,),
    "xml": (XML,),
    "standard": (STANDARD,),
    "frame": (FRAME,),
    "sign-in": (STANDARD, *OTHER_HTTP, *OTHER_FRAMES, ANONYMOUS),
    "handshake": (FRAME, *OTHER_FRAMES),
    "frame-sign-in": (FRAME, *OTHER_FRAMES),
}
"""By the place where a behaviour strikes: the cases that it spoils. What cases need is set up over HTTP, signed in."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A message that is to be answered: its sequence number, if it is a frame, and the connection."""

    number: int
    accept: bytes
    """What the handshake has to be answered with."""
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


Act = Callable[[Hit], Awaitable[None]]
Data = bytes | Callable[[Hit], bytes]


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One behaviour. The connection is closed when its acts are done.

    `timeouts` says how often the run waits for a whole time-out, be it for a connection or for an answer. `checks` are the requirements and checks
    of the findings; empty where there are none.
    """

    name: str
    place: Place
    acts: Sequence[Act]
    exit_code: int
    verdict: str
    why: str
    checks: frozenset[tuple[str, str]] = frozenset()
    timeouts: int = 0

    @property
    def stops_run(self) -> bool:
        """Whether the target counts as gone, so that later cases are not carried out."""
        return self.exit_code == 3


def _bytes(data: Data, hit: Hit) -> bytes:
    return data if isinstance(data, bytes) else data(hit)


def send(*parts: Data) -> Act:
    """Write these bytes."""

    async def act(hit: Hit) -> None:
        hit.writer.write(b"".join(_bytes(part, hit) for part in parts))
        await hit.writer.drain()

    return act


def drip(data: Data, every_s: float = 0.15) -> Act:
    """Write byte by byte, slower than anybody can wait for."""

    async def act(hit: Hit) -> None:
        for byte in _bytes(data, hit):
            hit.writer.write(bytes((byte,)))
            await hit.writer.drain()
            await asyncio.sleep(every_s)

    return act


def flood(data: Data) -> Act:
    """Write the same again and again until the other side is gone."""

    async def act(hit: Hit) -> None:
        block = _bytes(data, hit)
        block *= max(1, 65_536 // len(block))
        while True:
            hit.writer.write(block)
            await hit.writer.drain()
            await asyncio.sleep(0)  # others are to be served, too

    return act


def pause(seconds: float) -> Act:
    """Wait, so that what was written is read before what comes next."""

    async def act(hit: Hit) -> None:
        await asyncio.sleep(seconds)

    return act


async def hold(hit: Hit) -> None:
    """Say nothing more, and keep the connection until the other side has had enough."""
    await hit.reader.read()


async def keep(hit: Hit) -> None:
    """Say nothing more to this message, and serve what else comes on the connection. The last act, where it is one."""


async def half_close(hit: Hit) -> None:
    """Say that nothing more will be written, and keep on reading."""
    hit.writer.write_eof()
    await hit.reader.read()


async def reset(hit: Hit) -> None:
    """Break the connection off."""
    linger = struct.pack("ii", 1, 0)
    hit.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    hit.writer.transport.abort()
