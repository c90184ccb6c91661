"""The event loop of a run: how it is started, and how SIGTERM and SIGHUP end it."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

from conformance.errors import ConfigurationError

T = TypeVar("T")
_GARBAGE = (20_000, 20, 20)
_FEWEST_FILES, _ENOUGH_FILES = 256, 1024
_ENDING = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


def run_loop(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, on uvloop where there is one."""
    try:
        make_room()
    except ConfigurationError:
        coroutine.close()
        raise
    if gc.get_threshold() == _GARBAGE:  # an earlier run of this process: what is left of it is not to stay
        gc.unfreeze()
        gc.collect()
    # what is loaded by now stays to the end; looking at it again and again would cost a tenth of the time of a run
    gc.freeze()
    gc.set_threshold(*_GARBAGE)
    try:
        import uvloop
    except ImportError:
        new_loop = asyncio.new_event_loop
    else:
        new_loop = uvloop.new_event_loop
    asked: list[str] = []
    before = {number: signal.getsignal(number) for number in _ENDING}
    try:
        results: list[T] = []
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(_ended_alike(coroutine, asked, results))
        return results[0]
    except asyncio.CancelledError:
        if asked:
            raise KeyboardInterrupt from None
        raise
    finally:
        with contextlib.suppress(ValueError):  # not the main thread
            for number, handler in before.items():
                if handler is not None:
                    signal.signal(number, handler)  # the loop has set it to the default, which is sudden death


def make_room() -> None:
    """Let this process open as many files and connections as the machine grants; `ConfigurationError` for too few."""
    try:
        import resource
    except ImportError:  # no such limit here
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= _ENOUGH_FILES:
        return
    wanted = _ENOUGH_FILES if hard == resource.RLIM_INFINITY else min(hard, _ENOUGH_FILES)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    if soft < _FEWEST_FILES:
        what = f"only {soft} file descriptors may be open at a time, and a run needs at least {_FEWEST_FILES}"
        raise ConfigurationError(what, where="ulimit -n", hint=f"Raise the limit to {_ENOUGH_FILES} where you can.")


async def _ended_alike(coroutine: Coroutine[Any, Any, T], asked: list[str], results: list[T]) -> None:
    """Put the coroutine's result into `results`; SIGTERM and SIGHUP end it as Ctrl-C does.

    Orders are taken back then, servers ended, the journal closed.

    A shell that starts a program with `&` has it ignore SIGINT, so nothing may go by way of that. What is ignored, as
    SIGHUP is under nohup, stays ignored.
    """
    task = asyncio.current_task()

    def end() -> None:
        if asked:
            raise KeyboardInterrupt  # the second time: at once
        asked.append("signal")
        if task is not None:
            task.cancel()

    with contextlib.suppress(
        NotImplementedError, ValueError, RuntimeError
    ):  # no such signal here, or not the main thread
        for number in _ENDING:
            if signal.getsignal(number) is not signal.SIG_IGN:
                asyncio.get_running_loop().add_signal_handler(number, end)
    results.append(await coroutine)  # not returned: the runner writes a result out, however long, and forgets it
