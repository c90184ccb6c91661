"""What a judgement rests on, written down as the run goes: request, answer, and how the watched things stood.

A file of its own beside the journal, since passing cases need their bytes as well: JSON Lines, packed. Every flush is a
gzip member, so that the files of two shards joined are the file of both, and one that was cut off can be read up to there.
Secrets have marks (`endpoint/marks.py`). The lines say:

- `part`: a process began to write; marks and secrets of what follows are its own
- `marks`: what the secrets of the next marks look like
- `secrets`: what must not come back in an answer, by mark, with the name that a finding calls it by
- `seen`: of one case, each message that was judged with all that was seen of it
"""

from __future__ import annotations

import contextlib
import gzip
import zlib
from collections.abc import Callable, Collection, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import orjson

from conformance.checks.answer import Observation
from conformance.checks.kit import Kit, telling
from conformance.endpoint.marks import Marks, shape_of
from conformance.errors import JournalError
from conformance.model.verdict import CaseResult
from conformance.wire.messages import Exchange, Headers, HttpReply, WsReply

FILE_NAME = "observations.jsonl.gz"
_LONG_BYTES = 256 * 1024
_MOST_LONG_BYTES = 2 * 1024 * 1024
"""Of messages longer than `_LONG_BYTES`, so many bytes in all are recorded in a run."""
_LEVEL = 3
_READ_BYTES = 1 << 20


_Hidden = tuple[Sequence[str], str]
"""The secrets to be hidden, and the operation whose answers they are looked for in."""


class _TooLongError(ValueError):
    """A long message, after so many others that it is not recorded."""


@dataclass(slots=True)
class _OfAnswers:
    """The secrets to be hidden in the answers of an operation, which only grow in number."""

    secrets: list[str] = field(default_factory=list)
    looked: set[str] = field(default_factory=set)
    """Those and the others that were looked at, when there were so many."""
    counts: tuple[int, int] = (0, 0)


@dataclass(slots=True)
class Recorder:
    """Turns observations into data without secrets; `known` are all that this run has come to know so far."""

    known: Collection[str] = ()
    marks: Marks = field(default_factory=Marks)
    fresh: list[bytes] = field(default_factory=list)
    """Lines on secrets that must stand before the next one of a case."""
    begun: bool = False
    _long_bytes: int = 0
    """How many bytes of long messages were recorded."""
    _met: set[str] = field(default_factory=set)
    _sets: dict[tuple[tuple[str, ...], Hashable], int] = field(default_factory=dict)
    _told: int = 0
    _hidden: dict[str, _OfAnswers] = field(default_factory=dict)
    """By operation."""

    def turn(self, kit: Kit, observations: Sequence[Observation], who: Hashable) -> bytes:
        """One message of a case, and those beside it, as JSON; `who` sent it decides how its secrets are called.

        What cannot be recorded says why in `left_out`.
        """
        try:
            return orjson.dumps([self._observed(kit, one, who) for one in observations])
        except _TooLongError as error:
            return orjson.dumps([{"left_out": str(error)}])

    def lines(self, result: CaseResult) -> Iterator[bytes]:
        """The lines of a case that was judged; none of any other."""
        if not result.seen:
            return
        if not self.begun:
            self.begun = True
            yield orjson.dumps({"type": "part"})
        secrets = list(self.marks.numbers)
        if len(secrets) > self._told:
            yield orjson.dumps({"type": "marks", "shapes": [shape_of(secret) for secret in secrets[self._told :]]})
            self._told = len(secrets)
        yield from self.fresh
        self.fresh.clear()
        yield b'{"type":"seen","id":%b,"turns":[%b]}' % (orjson.dumps(result.id), b",".join(result.seen))

    def _observed(self, kit: Kit, observation: Observation, who: Hashable) -> dict[str, Any]:
        self._met.update(observation.secrets)
        hidden, secrets = self._to_hide(kit), telling(kit.vocabulary, observation.secrets)
        own = {
            "body": self._written(observation.body, lambda text: self.marks.hidden_in_own(text, secrets)),
            "frame": self._written(observation.frame, lambda text: self.marks.hidden_in_own(text, secrets)),
            "before": dict(observation.before),
            "after": dict(observation.after),
            "shown": dict(observation.shown),
            "secrets": self._secret_set(observation, secrets, who),
        }
        data = {name: value for name, value in own.items() if value not in ("", {}, None)}
        if observation.start_s:
            data["from_s"], data["to_s"] = observation.start_s, observation.end_s  # JSON has null for what never ends
        if observation.earlier:
            data["earlier"] = [self._exchange(one, hidden) for one in observation.earlier]
        data["exchanges"] = [self._exchange(one, hidden) for one in observation.exchanges]
        return data

    def _to_hide(self, kit: Kit) -> _Hidden:
        """Every secret but those that the contract says as well: who reads one of those cannot know it for a secret."""
        hidden = self._hidden.setdefault(kit.operation.id, _OfAnswers())
        counts = len(self.known), len(self._met)
        if hidden.counts != counts:
            hidden.counts = counts
            for secret in {*self.known, *self._met} - hidden.looked:
                hidden.secrets.extend(telling(kit.vocabulary, (secret,)))
                hidden.looked.add(secret)
        return hidden.secrets, kit.operation.id

    def _secret_set(self, observation: Observation, secrets: tuple[str, ...], who: Hashable) -> int | None:
        if not secrets:
            return None
        number = self._sets.get((secrets, who))
        if number is None:
            number = self._sets[secrets, who] = len(self._sets)
            of = [[self.marks.number(secret), observation.name_of(secret)] for secret in secrets]
            self.fresh.append(orjson.dumps({"type": "secrets", "number": number, "of": of}))
        return number

    def _exchange(self, exchange: Exchange, hidden: _Hidden) -> dict[str, Any]:
        data: dict[str, Any] = {}
        reply = exchange.reply
        if isinstance(reply, HttpReply):
            flags = {"trailing_data": reply.trailing_data or None, "unread_bytes": reply.unread_bytes or None}
            data["http"] = {
                "status": reply.status,
                "reason": self._text(reply.reason, hidden),
                "version": reply.http_version,
                "headers": self._headers(reply.headers, hidden),
                "body": self._theirs(reply.body, hidden),
                **{name: value for name, value in flags.items() if value},
            }
        elif isinstance(reply, WsReply):
            data["ws"] = {"text": self._theirs(reply.text, hidden)}
            if reply.binary:
                data["ws"]["binary"] = True
            if reply.unread_bytes:
                data["ws"]["unread_bytes"] = reply.unread_bytes
        if exchange.problem is not None:
            problem = exchange.problem
            data["problem"] = [problem.kind, self._text(problem.message, hidden), problem.phase]
            if problem.kind == "handshake-refused":  # what the refusal says decides whose it is
                data["received"] = self._theirs(exchange.received, hidden)
        for name, texts in (("others", exchange.others), ("again", exchange.again)):
            if texts:
                data[name] = [self._theirs(text, hidden) for text in texts]
        for name in ("silent", "reused_connection"):
            if getattr(exchange, name):
                data[name] = True
        if not exchange.sent:
            data["unsent"] = True
        return data

    def _headers(self, headers: Headers, hidden: _Hidden) -> list[list[str]]:
        """Hidden line by line, since a name says what stands behind it."""
        lines = [self._text(f"{name}: {value}", hidden) for name, value in headers]
        return [[name, line[len(name) + 2 :]] for (name, _), line in zip(headers, lines, strict=True)]

    def _text(self, text: str, hidden: _Hidden) -> str:
        return self.marks.hidden(text.encode("utf-8", "backslashreplace").decode(), *hidden)

    def _theirs(self, data: bytes, hidden: _Hidden) -> Any:
        return self._written(data, lambda text: self.marks.hidden(text, *hidden))

    def _written(self, data: bytes, hide: Callable[[str], str]) -> Any:
        """Bytes as a text that JSON can hold: UTF-8 as it is, else with each byte as the character of its number."""
        if len(data) > _LONG_BYTES:
            if self._long_bytes + len(data) > _MOST_LONG_BYTES:
                recorded = f"only {_MOST_LONG_BYTES:,} bytes of such long ones are recorded"
                raise _TooLongError(f"a message of {len(data):,} bytes, and {recorded}")
            self._long_bytes += len(data)
        try:
            return hide(data.decode())
        except UnicodeDecodeError:
            return {"latin-1": hide(data.decode("latin-1"))}


class RecordingWriter:
    """Appends what was seen to a file; `flush` before the journal's, so that no case there lacks its bytes."""

    def __init__(self, path: Path, recorder: Recorder, *, resume: bool = False) -> None:
        self._path = path
        self._recorder = recorder
        self._resume = resume
        self._file: IO[bytes] | None = None
        self._held: list[bytes] = []

    def __enter__(self) -> RecordingWriter:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            kept = _whole_bytes(self._path) if self._resume and self._path.exists() else 0
            self._file = self._path.open("ab")
            self._file.truncate(kept)
        except OSError as error:
            raise _unwritable(self._path, error) from error
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            with contextlib.suppress(JournalError):  # whoever writes the journal was told
                self.flush()
            self._file.close()
            self._file = None

    def write(self, result: CaseResult) -> None:
        """Take up what was seen of a case."""
        self._held.extend(line + b"\n" for line in self._recorder.lines(result))

    def flush(self) -> None:
        """Hand everything to the operating system. Raises `JournalError`."""
        if self._file is None or not self._held:
            return
        try:
            self._file.write(gzip.compress(b"".join(self._held), _LEVEL, mtime=0))
            self._file.flush()
        except OSError as error:
            raise _unwritable(self._path, error) from error
        self._held.clear()


def _unwritable(path: Path, error: OSError) -> JournalError:
    return JournalError(
        f"cannot be written: {error.strerror or error}", where=str(path), hint="Give another folder with --report DIR."
    )


def _whole_bytes(path: Path) -> int:
    """How many bytes of the file are whole gzip members; what was cut off behind them is of no use."""
    whole, place = 0, 0
    reader = zlib.decompressobj(zlib.MAX_WBITS | 16)
    with path.open("rb") as file:
        while chunk := file.read(_READ_BYTES):
            while chunk:
                try:
                    reader.decompress(chunk)
                except zlib.error:
                    return whole
                place += len(chunk) - len(reader.unused_data)
                chunk = reader.unused_data
                if reader.eof:
                    whole, reader = place, zlib.decompressobj(zlib.MAX_WBITS | 16)
    return whole


def join_recordings(parts: Sequence[Path], out: Path) -> None:
    """One file of what several shards saw; a shard without one leaves its cases without their bytes."""
    with out.open("wb") as file:
        for path in parts:
            if path.exists():
                file.write(path.read_bytes()[: _whole_bytes(path)])
