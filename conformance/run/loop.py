"""The event loop of a run: how it is started, and how SIGTERM ends it."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
_GARBAGE_EVERY = 20_000


def run_loop(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, on uvloop where there is one."""
    # what is loaded by now stays to the end; looking at it again and again would cost a tenth of the time of a run
    gc.freeze()
    gc.set_threshold(_GARBAGE_EVERY, 20, 20)
    try:
        import uvloop
    except ImportError:
        return asyncio.run(_ended_alike(coroutine))
    return uvloop.run(_ended_alike(coroutine))


async def _ended_alike(coroutine: Coroutine[Any, Any, T]) -> T:
    """The coroutine, ended by SIGTERM as by Ctrl-C: orders are taken back, servers ended, the journal closed."""
    with contextlib.suppress(
        NotImplementedError, ValueError, RuntimeError
    ):  # no such signal here, or not the main thread
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, signal.raise_signal, signal.SIGINT)
    return await coroutine
