"""Canaries: an address and a file of the run, each under a name that nobody can guess, which no server may open.

They are states of a case like its orders: "unopened" before the message, and "opened" where somebody has asked the run's
listener for the address, or an answer holds the word that the file holds. Only a service on loopback is told of them, or
one whose target file names in `canary` an address of this machine that it may be pointed at; of a file it is told on
loopback alone. The scope guard refuses any other place in a document type.
"""

from __future__ import annotations

import asyncio
import secrets
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from conformance.cases.families.list.forms import CANARY_FILE, HOLDS
from conformance.cases.message import fill
from conformance.dialects.base import Handle
from conformance.dialects.set_ups import Fate, Found, SetUp
from conformance.endpoint.desks import Desk
from conformance.errors import StateUnavailable
from conformance.model.case import StateNeed
from conformance.wire.listener import Listener
from conformance.wire.messages import Exchange

UNOPENED, OPENED = "unopened", "opened"
_NAME_BYTES = 12
_PATIENCE_S = 0.5
_LOOPBACK = "127.0.0.1"
_DRY, _DRY_FILE = "http://127.0.0.1:9", "file:///dry/canary"


@dataclass(frozen=True, slots=True)
class Canary:
    """What a case has of it: the path that nobody may ask for, and the word that must not come back."""

    path: str = ""
    word: str = ""


@dataclass(slots=True)
class CanaryStates:
    """The provider of both states. Nothing listens, and no file is there, before the first case asks."""

    loopback: bool
    """Whether the service is on loopback."""
    allowed: str = ""
    """`canary` of the target file, such as http://10.0.0.5:8765."""
    dry: bool = False
    """Whether nothing is sent, so that made-up names will do."""
    listener: Listener | None = None
    folder: Path | None = None
    opening: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def prepare(self, name: str, need: StateNeed, desk: Desk) -> Handle:
        """A canary of the case's own. Raises `StateUnavailable` where the service may not be told of one."""
        key, own = secrets.token_hex(_NAME_BYTES), f"canary{secrets.token_hex(_NAME_BYTES)}"
        before = {name: UNOPENED}
        if need.state == CANARY_FILE:
            if not self.loopback:
                raise StateUnavailable("only a service on loopback is pointed at a file of this machine")
            if self.dry:  # what it is to hold is not known yet
                return Handle(name, {name: _DRY_FILE}, before, Canary(word=own))
            held = fill(str(need.params[HOLDS]), desk.bindings) if HOLDS in need.params else ""
            return Handle(name, {name: self._file(key, held or own).as_uri()}, before, Canary(word="" if held else own))
        if not (self.loopback or self.allowed):
            reason = "only a service on loopback is pointed at a listener; `canary` of the target file may allow one"
            raise StateUnavailable(reason)
        path = f"/{key}"
        return Handle(name, {name: f"{await self._address()}{path}"}, before, Canary(path))

    async def _address(self) -> str:
        """Where the run listens."""
        if self.dry:
            return _DRY
        asked = urlsplit(self.allowed or f"http://{_LOOPBACK}:0")
        async with self.opening:
            if self.listener is None:
                listener = Listener()
                try:
                    await listener.open(asked.hostname or _LOOPBACK, asked.port or 0)
                except OSError as error:
                    what = f"cannot listen on {asked.hostname} port {asked.port}: {error.strerror}"
                    raise StateUnavailable(what) from error
                self.listener = listener
        return f"http://{asked.netloc.rpartition(':')[0]}:{self.listener.port}"

    def _file(self, key: str, word: str) -> Path:
        """A file that anybody on this machine may read, with this content."""
        if self.folder is None:
            self.folder = Path(tempfile.mkdtemp(prefix="conformance-canary-")).resolve()
            self.folder.chmod(0o755)
        file = self.folder / key
        file.write_text(word, encoding="utf-8")
        file.chmod(0o644)
        return file

    async def observe(self, handles: tuple[Handle, ...], desk: Desk) -> Mapping[str, str]:
        """Whether the addresses were asked for; a file does not tell who opens it."""
        seen = {}
        for handle in handles:
            path = handle.memory.path
            heard = bool(path) and self.listener is not None and await self.listener.heard(path, _PATIENCE_S)
            seen[handle.name] = OPENED if heard else UNOPENED
        return seen

    async def clean(self, handles: tuple[Handle, ...], after: Mapping[str, str], desk: Desk) -> tuple[str, ...]:
        """Take the files away; an address is nothing that stays."""
        for handle in handles:
            place = next(iter(handle.bindings.values()))
            if self.folder is not None and isinstance(place, str) and place.startswith("file:"):
                (self.folder / Path(urlsplit(place).path).name).unlink(missing_ok=True)
        return ()

    async def reclaim(self, set_ups: Sequence[SetUp], desks: Sequence[Desk]) -> tuple[Found, ...]:
        """Nothing of a run that has ended is left open."""
        return tuple(Found(one.key, Fate.CLOSED, f"{one.state}: gone with its run") for one in set_ups)

    async def aclose(self) -> None:
        """Stop listening, and take the folder away."""
        if self.listener is not None:
            await self.listener.aclose()
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)


def quoted(handles: Iterable[Handle], exchanges: Iterable[Exchange]) -> dict[str, str]:
    """The canaries whose word stands in an answer: somebody has read the file."""
    words = {handle.name: handle.memory.word for handle in handles if isinstance(handle.memory, Canary)}
    if not any(words.values()):
        return {}
    parts = (part for one in exchanges for part in (one.received, getattr(one.reply, "body", b"")))
    bodies = [part.replace(b"\0", b"") for part in parts]
    return {name: OPENED for name, word in words.items() if word and any(word.encode() in body for body in bodies)}
