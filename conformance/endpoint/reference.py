"""The bundled reference implementation as a target: its bundled world, and a process of its own on loopback.

The bundled reference implementation again and again: a process that stays warm, and a fork of it for each address.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import sys
import tomllib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from conformance.errors import HarnessError

START_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 5.0
DESKS = 12
GREETING = "listening on "


def reference_environment() -> Mapping[str, str]:
    """The passwords of the bundled world, which everyone knows, under the names that the target asks for."""
    services = reference_target("http://127.0.0.1")["services"].values()
    tables = [part.get("roles", {}) for service in services for part in (service, *service.get("desks", ()))]
    users = [role for table in tables for role in table.values() if "password" in role]
    return {role["password"]["env"]: f"{role['user']}-password" for role in users}


def reference_target(address: str) -> dict[str, Any]:
    """The target file's content for a reference implementation with the bundled world at this address."""
    return tomllib.loads(_reference_text(address))


def write_target(path: Path, address: str, control: str | None = None) -> None:
    """Write the same as a target file, its secrets as files in a folder beside it, `NAME.secrets`. Raises `OSError`.

    `control` is where /_world/ is, if not at the same address.
    """
    folder = path.absolute().with_name(f"{path.name}.secrets")
    secrets = dict(reference_environment())
    text = _SECRET.sub(lambda match: _in_file(folder / match[1]), _reference_text(address, control))
    for name, value in _PIN.findall(text):
        secrets[name] = value
    text = _PIN.sub(lambda match: f"{match[1]} = {_in_file(folder / match[1])}", text)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, value in secrets.items():
        with open(folder / name, "w", encoding="utf-8", opener=_for_the_owner) as file:
            file.write(value)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


_SECRET = re.compile(r'\{ env = "(\w+)" \}')
_PIN = re.compile(r'(?m)^(\w*pin) = "(\d+)"')


def _in_file(path: Path) -> str:
    return f"{{ file = {json.dumps(str(path))} }}"


def _for_the_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _reference_text(address: str, control: str | None = None) -> str:
    text = resources.files("conformance.endpoint").joinpath("samples", "reference.toml").read_text("utf-8")
    text = text.replace("ADDRESS/_world", f"{control or address}/_world")
    text = text.replace("ADDRESS", address).replace("SOCKET", address.replace("http", "ws", 1))
    head, mark, desk = text.partition("# each desk\n")
    desks = (desk.replace("NN", f"{number:02}") for number in range(1, DESKS + 1))
    return head + mark + "\n".join(desks)


_START = (
    "import runpy, sys; root, name = sys.argv[1:3]; del sys.argv[1:3]; root in sys.path or sys.path.append(root); "
    "runpy.run_module(name, run_name='__main__', alter_sys=True)"
)


def program(module: str, *arguments: str) -> tuple[str, ...]:
    """The command that runs a module of this installation, whatever stands in the working folder.

    With `python -m` the working folder would come first on the path, and a `token.py` there before the library's.
    """
    root = Path(__file__).resolve().parents[2]  # both packages lie side by side, in a checkout as in an installation
    return sys.executable, "-P", "-c", _START, str(root), module, *arguments


async def greeted(process: asyncio.subprocess.Process, arguments: Sequence[str]) -> str:
    """The address that a process prints when it serves. Raises `HarnessError` with what it prints instead."""
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), START_TIMEOUT_S)
    except TimeoutError:
        line = b""
    text = line.decode("utf-8", "replace").strip()
    if not text.startswith(GREETING):
        raise HarnessError(
            f"the reference implementation did not start{': ' if text else ''}{text}",
            where=" ".join(arguments),
            hint="`conformance serve` with the same options shows why.",
        )
    return text.removeprefix(GREETING)


@contextlib.asynccontextmanager
async def serve_reference(arguments: Sequence[str] = ()) -> AsyncIterator[str]:
    """A reference implementation in a process of its own; gives its address, and ends it afterwards.

    Its standard input is ours, so that it ends as well when this process is killed.

    Raises `HarnessError` when it does not start in time.
    """
    process = await asyncio.create_subprocess_exec(
        *program("reference_impl", "--port", "0", "--until-eof", *arguments),
        stdout=asyncio.subprocess.PIPE, stdin=asyncio.subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    try:
        yield await greeted(process, arguments)
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGTERM)
            try:
                await asyncio.wait_for(process.wait(), STOP_TIMEOUT_S)
            except TimeoutError:
                process.kill()
                await process.wait()


@dataclass(frozen=True, slots=True)
class WarmReference:
    """Serves one set of arguments at a time; without a process to fork, each in a new process."""

    process: asyncio.subprocess.Process | None

    @contextlib.asynccontextmanager
    async def serving(self, arguments: Sequence[str]) -> AsyncIterator[str]:
        """The address of a reference implementation with a new world. Raises `HarnessError` if it does not start."""
        if self.process is None:
            async with serve_reference(arguments) as address:
                yield address
            return
        assert self.process.stdin is not None
        self.process.stdin.write(f"{json.dumps(['--port', '0', *arguments])}\n".encode())
        yield await greeted(self.process, arguments)
        self.process.stdin.write(b"\n")


@contextlib.asynccontextmanager
async def warm_reference() -> AsyncIterator[WarmReference]:
    """A process that is ready to serve; it ends, with what it serves, when this is left."""
    if not hasattr(os, "fork"):
        yield WarmReference(None)
        return
    process = await asyncio.create_subprocess_exec(
        *program("reference_impl.warm"),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    try:
        yield WarmReference(process)
    finally:
        if process.stdin is not None:
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), STOP_TIMEOUT_S)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
