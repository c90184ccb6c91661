"""The bundled reference implementation again and again: a process that stays warm, and a fork of it for each address."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from conformance.target.reference import STOP_TIMEOUT_S, greeted, serve_reference


@dataclass(frozen=True, slots=True)
class WarmReference:
    """Serves one set of arguments at a time; without a process to fork, each in a new process."""

    process: asyncio.subprocess.Process | None

    @contextlib.asynccontextmanager
    async def serving(self, arguments: Sequence[str]) -> AsyncIterator[str]:
        """The address of a reference implementation with a fresh world. Raises `HarnessError` when it does not start."""
        if self.process is None:
            async with serve_reference(arguments) as address:
                yield address
            return
        assert self.process.stdin is not None
        self.process.stdin.write(f"{json.dumps(['--port', '0', *arguments])}\n".encode())
        yield await greeted(self.process, arguments)
        self.process.stdin.write(b"\n")


@contextlib.asynccontextmanager
async def warm_reference() -> AsyncIterator[WarmReference]:
    """A process that is ready to serve; it ends, with what it serves, when this is left."""
    if not hasattr(os, "fork"):
        yield WarmReference(None)
        return
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "reference_impl.warm",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    try:
        yield WarmReference(process)
    finally:
        if process.stdin is not None:
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), STOP_TIMEOUT_S)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
