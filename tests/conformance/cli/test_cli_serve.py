"""`conformance serve`: the reference implementation on a real socket."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from click.testing import CliRunner

from conformance.cli.main import main

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.timeout(120)
def test_serve_says_where_it_listens_answers_and_ends_on_a_signal() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "conformance", "serve", "--reading", "error-status=4xx"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as server:
        assert server.stdout is not None
        try:
            address = re.fullmatch(r"listening on (http://127\.0\.0\.1:\d+)\n", server.stdout.readline())
            assert address is not None
            with pytest.raises(urllib.error.HTTPError) as caught:
                urllib.request.urlopen(f"{address[1]}/nowhere", timeout=5)
            assert caught.value.code == 404
            caught.value.close()
            server.send_signal(signal.SIGTERM)
            assert server.wait(10) == 0
        finally:
            if server.poll() is None:
                server.kill()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--fault", "no-such-fault"],
        ["--equivalent", "none"],
        ["--reading", "nonsense"],
        ["--world", "no-such-file"],
    ],
)
def test_an_option_that_names_nothing_exits_2_before_listening(arguments: list[str]) -> None:
    done = CliRunner().invoke(main, ["serve", *arguments])
    assert done.exit_code == 2
    assert done.stderr.startswith("error: ")
    assert done.stdout == ""


def test_a_port_out_of_range_is_a_usage_error() -> None:
    assert CliRunner().invoke(main, ["serve", "--port", "70000"]).exit_code == 2
