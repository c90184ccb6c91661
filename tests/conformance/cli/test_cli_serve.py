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
from conformance.endpoint.reference import write_target

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.timeout(120)
def test_serve_says_where_it_listens_answers_and_ends_on_a_signal(tmp_path: Path) -> None:
    target = tmp_path / "served.toml"
    options = ["--reading", "error-status=4xx", "--write-target", str(target)]
    with subprocess.Popen(
        [sys.executable, "-m", "conformance", "serve", *options],
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
            words = ["--case", "cao/effects/again@*", "--case", "tpp/response/domestic@*", "--generated", "0"]
            came = CliRunner().invoke(
                main, ["run", "-q", "--target", str(target), "--report", str(tmp_path / "report"), *words]
            )
            assert came.exit_code == 0, came.output
            server.send_signal(signal.SIGTERM)
            assert server.wait(10) == 0
        finally:
            if server.poll() is None:
                server.kill()


def test_the_target_file_that_serve_writes_has_no_secret_in_it(tmp_path: Path) -> None:
    target = tmp_path / "served.toml"
    write_target(target, "http://127.0.0.1:9")
    text = target.read_text("utf-8")
    assert "-password" not in text
    assert "1234" not in text
    kept = {
        path.name: (path.read_text("utf-8"), path.stat().st_mode & 0o777)
        for path in Path(f"{target}.secrets").iterdir()
    }
    assert kept["pin"] == ("1234", 0o600)
    assert kept["REFERENCE_OPERATOR_PASSWORD"] == ("operator-password", 0o600)
    for other in (["--no-control"], ["--world", "world.toml"]):
        came = CliRunner().invoke(main, ["serve", "--write-target", str(tmp_path / "x.toml"), *other])
        assert (came.exit_code, "cannot be combined" in came.output) == (2, True)


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
