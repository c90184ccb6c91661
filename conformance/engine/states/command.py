"""A command that brings states about: started for each question, JSON on its stdin, JSON on its stdout, no shell."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from conformance.engine.problems import StateUnavailable

_SIDE_BY_SIDE = 8
_MOST_BYTES = 8 * 1024 * 1024
_CHUNK_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Command:
    """Whom `AskedStates` asks by starting a program; the question carries `action` beside its own members."""

    arguments: tuple[str, ...]
    timeout_s: float
    what: str = "the state command"
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_SIDE_BY_SIDE))

    async def ask(self, action: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """The command's answer. Raises `StateUnavailable` for anything but exit 0 and one JSON object in time."""
        async with self.slots:
            output, code = await self._output(json.dumps({"action": action, **body}).encode() + b"\n")
        if code != 0:
            raise StateUnavailable(f"{self.what} refused {action!r} with exit code {code}")
        try:
            answer = json.loads(output)
        except (ValueError, RecursionError) as error:
            raise StateUnavailable(f"{self.what} did not answer {action!r} in JSON") from error
        if not isinstance(answer, dict):
            raise StateUnavailable(f"{self.what} did not answer {action!r} with a JSON object")
        return answer

    async def _output(self, question: bytes) -> tuple[bytes, int | None]:
        try:
            process = await asyncio.create_subprocess_exec(
                *self.arguments, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
            )
        except OSError as error:
            raise StateUnavailable(f"{self.what} cannot be started: {error.strerror or error}") from error
        try:
            output = await asyncio.wait_for(_talk(process, question), self.timeout_s)
        except TimeoutError as error:
            raise StateUnavailable(f"{self.what} gave no answer within {self.timeout_s:g} s") from error
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        return output, process.returncode

    async def aclose(self) -> None:
        """Nothing stays open between two questions."""


async def _talk(process: asyncio.subprocess.Process, question: bytes) -> bytes:
    """Write the question, read all of the answer, wait for the end; a command may well end without having read."""
    assert process.stdin is not None
    assert process.stdout is not None
    with contextlib.suppress(OSError, RuntimeError):  # uvloop's pipes raise the latter when the reader is gone
        process.stdin.write(question)
        process.stdin.close()
    output = bytearray()
    while len(output) < _MOST_BYTES and (data := await process.stdout.read(_CHUNK_BYTES)):
        output += data
    await process.wait()
    return bytes(output)
