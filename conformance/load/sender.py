"""The process that sends, for a Locust process, which asks it in JSON Lines: so neither has the other's event loop.

Each line of standard input asks for one case, and is answered by one line. At the end of its input it ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from conformance.contract.load import load_contract
from conformance.errors import ConformanceError, HarnessError, UsageError
from conformance.load.player import LoadOptions, Player, over, player
from conformance.run.loop import run_loop

_LONGEST_LINE = 64


async def serve(options: LoadOptions) -> int:
    """Play a case for each line of standard input, until its end; an answer for each on standard output."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async with player(load_contract(options.specs), options) as one:
        _say({"ready": one.legal, "lacking": one.reason})
        under_way: set[asyncio.Task[None]] = set()
        while line := await reader.readline():
            task = asyncio.create_task(_answer(one, line.strip()[:_LONGEST_LINE].decode("ascii", "replace")))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
        await asyncio.gather(*under_way)
        _say({"results": dict(sorted(one.results.items())), "messages": one.run.messages})
    return 0


async def _answer(player: Player, asked: str) -> None:
    try:
        said = await player.play()
    except ConformanceError as error:
        said = over(error.exit_code, str(error))
    except Exception as error:  # whoever waits for the answer must get one; what the error says may be secret
        said = over(HarnessError.exit_code, f"a defect of the tool: {type(error).__name__}")
    _say({"for": asked, **said})


def _say(line: Mapping[str, Any]) -> None:
    with contextlib.suppress(BrokenPipeError):  # whoever asked is gone, and the end of the input follows
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


def options_from(text: str) -> LoadOptions:
    """The options of a JSON object. Raises `UsageError`."""
    raw: dict[str, Any] = json.loads(text)
    try:
        given: dict[str, Any] = {name: tuple(one) if isinstance(one, list) else one for name, one in raw.items()}
        for name in ("room", "report", "specs"):
            given[name] = Path(given[name]) if given[name] else None
        return LoadOptions(**given)
    except (KeyError, TypeError) as error:
        raise UsageError(f"not the options of a load: {error}") from error


def main(arguments: Sequence[str]) -> int:
    """The exit code; what went wrong is said as a line for whoever asked."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for Locust, which then ends the input
    try:
        return run_loop(serve(options_from(arguments[0])))
    except ConformanceError as error:
        _say(over(error.exit_code, str(error)))
        return error.exit_code
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
