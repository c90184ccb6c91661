"""One run of the command line that ends with its parent (a module of its own: it is the program of a process)."""

from __future__ import annotations

import os
import signal
import sys
import threading

_LONGEST_S = 10.0


def _end_with_parent() -> None:
    """Interrupt the run once standard input ends: it cleans up and keeps its journal; if it does not, end it."""
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(_LONGEST_S)
    os._exit(5)


def main() -> None:
    """Run the command that the arguments are."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    from conformance.cli.main import main as command

    command(sys.argv[1:], prog_name="conformance")


if __name__ == "__main__":
    main()
