"""An answer that is longer than what evidence keeps: reports say so, and a bundle judges it again as far as it was read."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from conformance.cli.main import main
from conformance.run import recording

CASE = "tpp/list/empty@application-json"
TARGET = """name = "long"
[scope]
destructive = true
everything = true
[services.tpp]
http = "{address}"
roles.client.login = "none"
"""
KIB = 1024
SCRIPT = b"<script>alert(1)</script>"


def invoke(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


@contextmanager
def answering(size: int) -> Iterator[str]:
    """A server whose every answer is a result with an error of so many bytes."""
    body = b'[{"OrderID":1,"InternationalOrderUID":null,"Success":false,"Errors":["' + SCRIPT + b"x" * size + b'"]}]'

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # an answer in one packet: two of them wait 40 ms for each other

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            try:
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except OSError:
                self.close_connection = True

        def handle(self) -> None:
            try:
                super().handle()
            except OSError:
                return

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join(10)


def run_against(size: int, home: Path) -> Path:
    with answering(size) as address:
        (home / "target.toml").write_text(TARGET.format(address=address), encoding="ascii")
        words = ("--target", home / "target.toml", "--case", CASE, "--report", home / "report")
        came = invoke("run", "--quiet", *words)
    assert came.exit_code == 1, came.output
    return home / "report"


@pytest.mark.parametrize(("size", "requirement"), [(300 * KIB, "TPP-RESP-ONE-EACH"), (10 * KIB * KIB, "TPP-ANSWERED")])
def test_a_long_answer_is_told_in_part_and_judged_again_as_it_was(size: int, requirement: str, tmp_path: Path) -> None:
    report = run_against(size, tmp_path)
    (cause,) = json.loads((report / "results.json").read_bytes())["causes"]
    assert cause["requirement"] == requirement
    page = (report / "report.html").read_text("utf-8")
    assert "only the beginning of the message is kept here" in page
    assert SCRIPT.decode() not in page
    assert max(path.stat().st_size for path in report.iterdir()) < 200 * KIB
    assert invoke("report", "bundle", report, "--out", tmp_path / "out.zip").exit_code == 0
    came = invoke("verify", tmp_path / "out.zip")
    assert (came.exit_code, "1 case judged again, each with the same result" in came.output) == (1, True), came.output


def test_after_too_many_long_answers_no_bundle_is_made_and_the_case_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "_MOST_LONG_BYTES", 299 * KIB)
    report = run_against(300 * KIB, tmp_path)
    came = invoke("report", "bundle", report, "--out", tmp_path / "out.zip")
    assert (came.exit_code, (tmp_path / "out.zip").exists()) == (2, False)
    told = f"{CASE}: what it rests on was not recorded: a message of 307,"
    assert told in came.output, came.output
