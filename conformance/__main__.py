"""`python -m conformance`: the command line."""

from __future__ import annotations

from conformance.cli.main import main

if __name__ == "__main__":
    main(prog_name="conformance")
