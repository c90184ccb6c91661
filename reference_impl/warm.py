"""`python -m reference_impl.warm`: serves one set of variants after another, each in a fork of a process that is warm.

On standard input each line is either a JSON list of the arguments of `python -m reference_impl`, which begins to
serve with them, or empty, which ends what is being served. Each list is answered by one line: the greeting of the
server, or what is wrong. The end of standard input ends everything. Needs `os.fork`.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
from collections.abc import Iterable, Sequence
from types import FrameType

from reference_impl.__main__ import parse_arguments
from reference_impl.errors import ReferenceImplError
from reference_impl.serve import serve


def tend(lines: Iterable[str]) -> None:
    """Serve what the lines ask for, one thing at a time, until there are no more."""
    child = 0
    try:
        for line in lines:
            child = _ended(child)
            if line.strip():
                child = _begun(json.loads(line))
    finally:
        _ended(child)


def _begun(arguments: Sequence[str]) -> int:
    """The id of a new process that serves with these arguments."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.close(0)
        serve(parse_arguments(arguments))
        code = 0
    except ReferenceImplError as error:
        sys.stdout.write(f"cannot serve: {' '.join(str(error).split())}\n")
        sys.stdout.flush()
    finally:
        os._exit(code)  # the fork must not run what its parent has left to do


def _ended(child: int) -> int:
    """Ends a process at once, there being nothing to save; 0 in its place."""
    if child:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return 0


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def main() -> None:
    """Tend what standard input asks for."""
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.freeze()
    tend(sys.stdin)


if __name__ == "__main__":
    main()
