"""A real PostgreSQL for tests: started as an unprivileged user on a free port of loopback, and thrown away."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


def programs() -> Path:
    """The folder of the newest server. Where there is none the tests are skipped; in CI they fail."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: float(path.parts[-3]))
    if found:
        return found[-1].parent
    if os.environ.get("CI"):
        pytest.fail("no server here: apt-get install postgresql")
    pytest.skip("no server here")


class Server:
    """A server of its own in a temporary folder, on a free port of loopback."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = programs()
        self.user: dict[str, Any] = {}
        if os.geteuid() == 0:  # PostgreSQL does not run as root
            nobody = pwd.getpwnam("nobody")
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)
            self.user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        self._call("initdb", "-D", "data", "-U", "tester", "-A", "trust", "-E", "UTF8", "--no-sync")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.process: subprocess.Popen[bytes] | None = None
        self.database = "postgres"
        self.start()

    @property
    def url(self) -> str:
        return f"postgresql://tester@127.0.0.1:{self.port}/{self.database}"

    def start(self) -> None:
        words = [self.bin / "postgres", "-D", "data", "-p", str(self.port), "-c", "listen_addresses=127.0.0.1"]
        words += ["-c", f"unix_socket_directories={self.folder}", "-c", "fsync=off"]
        ready = [str(self.bin / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        until = time.monotonic() + 60
        self.process = None
        while self.process is None or subprocess.run(ready, timeout=30, check=False).returncode:
            assert time.monotonic() < until
            if self.process is None or self.process.poll() is not None:  # what is left of a killed one is in its way
                self.process = subprocess.Popen(
                    words, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **self.user
                )
            time.sleep(0.05)

    def use_new_database(self) -> None:
        """From here on `url` names an empty database."""
        self.database = f"db{time.monotonic_ns()}"
        self._call("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "tester", self.database)

    def kill(self) -> None:
        """As when the machine loses power: no process of it goes on."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(30)

    def _call(self, program: str, *words: str) -> None:
        subprocess.run(
            [self.bin / program, *words], cwd=self.folder, check=True, timeout=100, capture_output=True, **self.user
        )


@contextlib.contextmanager
def running() -> Iterator[Server]:
    """A server that is thrown away afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="pg"))  # pytest's own folders are closed to other users
    try:
        one = Server(folder)
        yield one
        one.kill()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
