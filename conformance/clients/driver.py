"""The client under test: a process that reads requests as JSON lines and says on its standard output what it believes.

Whatever it does - hang, flood, write garbage, die - comes back as a `Failed` in bounded time and memory.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shlex
import signal
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.errors import TargetUnreachable, UsageError
from conformance.formats.json.pointer import load_json
from conformance.model.case import Transport

START_S = 60.0
STOP_S = 2.0
LONGEST_LINE = 1024 * 1024
_MOST_TEXT = 500
_MOST_CALLS = 100
_STDERR_LINES = 20
CANCELLED, REFUSED, UNKNOWN = OUTCOMES = ("cancelled", "refused", "unknown")


@dataclass(frozen=True, slots=True)
class Offer:
    """A call that the client can make, as its driver says."""

    operation: str
    transport: Transport
    media_type: str


@dataclass(frozen=True, slots=True)
class Belief:
    """What the client believes of one order, leg, instruction or account. `code` is None where it does not say."""

    outcome: str
    code: int | str | None = None

    def __str__(self) -> str:
        return self.outcome if self.code is None else f"{self.outcome} with code {self.code}"


@dataclass(frozen=True, slots=True)
class Believed:
    """What the client believes of each part of what it was asked."""

    parts: tuple[Belief, ...]


@dataclass(frozen=True, slots=True)
class Unsupported:
    """The client cannot do what it was asked, and says why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The client crashed, as its driver says, or the driver did what the protocol does not allow."""

    what: str
    over: bool = True
    """Whether the process is of no use any more."""


Reply = Believed | Unsupported | Failed


class Driver:
    """One process of the driver at a time; `start` may be called again after a failure."""

    def __init__(self, command: str) -> None:
        try:
            self._words = shlex.split(command)
        except ValueError as error:
            raise UsageError(f"cannot be read as a command: {error}", where="--driver") from error
        if not self._words:
            raise UsageError("is empty", where="--driver", hint="Give the command that starts the driver.")
        self._process: asyncio.subprocess.Process | None = None
        self._listening: asyncio.Task[None] | None = None
        self._number = 0
        self.said: deque[str] = deque(maxlen=_STDERR_LINES)
        """The last lines of its standard error."""

    @property
    def runs(self) -> bool:
        """Whether there is a process to ask."""
        return self._process is not None

    async def start(self, introduction: Mapping[str, Any], known: Mapping[str, Sequence[str]]) -> tuple[Offer, ...]:
        """Start the process and introduce the server to it; what it can do.

        `known` are the media types of each operation, the usual one first. Raises `UsageError` for a command that cannot be
        started, `TargetUnreachable` for a driver that does not get ready.
        """
        self.said.clear()
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._words, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE, start_new_session=True, limit=LONGEST_LINE,
            )  # fmt: skip
        except (OSError, ValueError) as error:
            raise UsageError(f"cannot be started: {error}", where="--driver", hint="Is the program there?") from error
        self._listening = asyncio.create_task(self._listen(self._process))
        answer = await self._exchange({"do": "start", **introduction}, START_S)
        offers = answer if isinstance(answer, Failed) else _offers(answer, known)
        if isinstance(offers, Failed):
            await self.stop()
            said = f"; it wrote: {' | '.join(self.said)[-_MOST_TEXT:]}" if self.said else ""
            raise TargetUnreachable(
                f"the driver did not get ready: {offers.what}{said}", where="--driver",
                hint="docs/clients.md describes the protocol, with a driver that works.",
            )  # fmt: skip
        return offers

    async def ask(self, request: Mapping[str, Any], parts: int, within_s: float) -> Reply:
        """Ask for one cancellation of so many parts, and wait so long for what the client believes."""
        self._number += 1
        answer = await self._exchange({"id": self._number, **request}, within_s)
        if not isinstance(answer, Failed):
            reply = _reply(answer, self._number, parts)
            if not (isinstance(reply, Failed) and reply.over):
                return reply
            answer = reply
        await self.stop()
        return answer

    async def stop(self) -> None:
        """End the process and what it has started."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        if process.returncode is None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), STOP_S / 4)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), STOP_S)
        if self._listening is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._listening, STOP_S / 4)

    async def _exchange(self, request: Mapping[str, Any], within_s: float) -> Mapping[str, Any] | Failed:
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        line = b""
        try:
            async with asyncio.timeout(within_s):
                with contextlib.suppress(ConnectionError):  # it has ended; its output says so
                    process.stdin.write(json.dumps(request).encode() + b"\n")
                    await process.stdin.drain()
                line = await process.stdout.readline()
        except TimeoutError:
            return Failed(f"no answer within {within_s:g} s")
        except ValueError:
            return Failed(f"a line is longer than {LONGEST_LINE} bytes")
        if not line.endswith(b"\n"):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), STOP_S)
            code = process.returncode
            return Failed("it closed its output" if code is None else f"its process ended with exit code {code}")
        try:
            value = load_json(line)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            return Failed(f"a line is no JSON object: {line[:80].decode('utf-8', 'replace')!r}")
        return value

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr is not None
        while True:
            try:
                line = await process.stderr.readline()
            except ValueError:  # a line without an end: what was read of it is gone
                continue
            if not line:
                return
            self.said.append(line[:_MOST_TEXT].decode("utf-8", "replace").rstrip())


def _offers(answer: Mapping[str, Any], known: Mapping[str, Sequence[str]]) -> tuple[Offer, ...] | Failed:
    calls = answer.get("calls")
    if answer.get("ready") is not True or not isinstance(calls, list) or len(calls) > _MOST_CALLS:
        return Failed('the first answer must be {"ready": true, "calls": [...]}')
    offers: dict[Offer, None] = {}
    for call in calls:
        told = call if isinstance(call, dict) else {}
        operation, transport = told.get("operation"), told.get("transport", "http")
        if not isinstance(operation, str) or operation not in known:
            return Failed(f"there is no operation {str(operation)[:80]!r}; there are {', '.join(known)}")
        media_type = told.get("media_type", known[operation][0])
        if transport not in tuple(Transport) or media_type not in known[operation]:
            return Failed(f"{operation} is not offered over {str(transport)[:80]!r} in {str(media_type)[:80]!r}")
        offers[Offer(operation, Transport(transport), media_type)] = None
    return tuple(offers)


def _reply(answer: Mapping[str, Any], number: int, parts: int) -> Reply:
    if answer.get("id") != number or type(answer.get("id")) is not int:
        return Failed(f"request {number} was answered with id {str(answer.get('id'))[:80]!r}")
    for word in ("crashed", "unsupported"):
        if word in answer:
            text = str(answer[word])[:_MOST_TEXT]
            return Failed(f"the client crashed: {text}", over=False) if word == "crashed" else Unsupported(text)
    believed = answer.get("believed")
    if not isinstance(believed, list):
        return Failed('an answer must have "believed", "crashed" or "unsupported"')
    if len(believed) != parts:
        return Failed(f"{len(believed)} outcomes are told of {parts}", over=False)
    found = []
    for one in believed:
        told = one if isinstance(one, dict) else {}
        outcome, code = told.get("outcome"), told.get("code")
        if outcome not in OUTCOMES or type(code) not in (int, str, type(None)):
            return Failed(
                f"an outcome must be one of {', '.join(OUTCOMES)}, perhaps with a code; it is {str(one)[:80]!r}"
            )
        found.append(Belief(outcome, code[:80] if isinstance(code, str) else code))
    return Believed(tuple(found))
