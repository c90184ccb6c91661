"""What a run that was killed may have left open: read from its journal, and taken back through a session like a run's.

Only what the journal says was set up is looked for, only what stands open as the run asked for it is taken back, and the
scope guard of the target file is asked before every message. What is settled is written into the journal, so that it is
not looked for again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from conformance.dialects.set_ups import OVER, Fate, Found, LeftOpen, SetUp
from conformance.endpoint.choose import ChosenTarget, chosen_target, is_reference
from conformance.endpoint.redact import redact_excerpt
from conformance.errors import JournalError, TargetUnreachable, Unreached, UsageError
from conformance.formats.json.pointer import load_json
from conformance.model.spec import Contract
from conformance.report.journal import Header, drop_cut_line, encode_line, hold, read_lines
from conformance.report.run_info import described
from conformance.report.safe_text import many
from conformance.run.session import Session, session

PASS, UNREACHABLE, INCOMPLETE = 0, 3, 4
_MARK = b'"type":"set-up"'
_NAME_IT = "Give the target file of that run with --target FILE."


@dataclass(frozen=True, slots=True)
class Remains:
    """What a journal says of its run, and of what that run may have left open."""

    file: Path
    header: Header
    set_ups: tuple[SetUp, ...]
    broken: int
    """How many lines cannot be understood: they may name more."""
    ended: bool = False
    """Whether the run came to its end, and said what it left behind."""

    @property
    def target(self) -> str:
        """What `--target` of the run named: the file where it is from here, or from a folder that the journal is in.

        Raises `UsageError` where these are two files: only one of them is the run's.
        """
        told = self.header.info.target
        file = told.get("file")
        if not isinstance(file, str) or Path(file).is_absolute():
            return str(file or told.get("url") or told.get("name") or "")
        above = (folder / file for folder in self.file.resolve().parents)
        found = [
            one for one in (Path(file), next((one for one in above if one.is_file()), None)) if one and one.is_file()
        ]
        if len(found) > 1 and not found[0].samefile(found[1]):
            raise UsageError(
                f"{found[0]} and {found[1]} may each be the target file of that run",
                where=str(self.file),
                hint=_NAME_IT,
            )
        return str(found[0]) if found else file


def read_remains(path: Path) -> Remains:
    """Read a journal, or the one in a folder, whole or cut off; only a header that cannot be read is a `JournalError`."""
    file, header, lines = read_lines(path)
    left, ended = LeftOpen(), False
    for line in lines[:-1]:
        try:
            raw = load_json(line)
        except ValueError:
            left.broken += 1
            continue
        left.take(raw)
        kind = raw.get("type") if isinstance(raw, dict) else None
        ended = kind == "footer" or (ended and kind == OVER)
    return Remains(file, header, tuple(left.set_ups.values()), left.broken, ended)


def spare(journal: Path, *, resume: bool) -> str:
    """Before a run writes its journal over that of a killed one: what may still be open there, in words, or "".

    The old one is put aside then, for it alone knows; a run that goes on with it keeps it. Raises `JournalError` for one
    that another run is writing.
    """
    try:
        if not journal.exists() or _MARK not in journal.read_bytes():
            return ""
        held = hold(journal)
    except OSError:
        return ""
    with held:
        try:
            remains = read_remains(journal)
        except JournalError:
            return ""
        if remains.ended or not remains.set_ups:
            return ""
        old = journal
        if not resume:
            old = journal.with_name(f"journal-of-{remains.header.info.id[:8]}.jsonl")
            journal.replace(old)
    return (
        f"the run before was killed, and {many(len(remains.set_ups), 'thing')} that it set up may still be open; "
        f"conformance target clean --report {old} takes them back"
    )


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What was found, and what came of it."""

    found: tuple[Found, ...] = ()
    unreachable: str = ""
    broken: int = 0

    @property
    def exit_code(self) -> int:
        """0 when nothing is left open, 3 when the target cannot be reached, 4 for all else."""
        if self.unreachable:
            return UNREACHABLE
        return PASS if not self.broken and all(one.fate.good for one in self.found) else INCOMPLETE

    def count(self, *fates: Fate) -> int:
        """How many things came to one of these ends."""
        return sum(one.fate in fates for one in self.found)

    def as_json(self) -> dict[str, Any]:
        """For scripts."""
        return {
            "exit_code": self.exit_code,
            "unreachable": self.unreachable or None,
            "broken_lines": self.broken,
            "summary": {fate.value: self.count(fate) for fate in Fate},
            "found": [{"key": one.key, "fate": one.fate.value, "what": one.words} for one in self.found],
        }


async def take_back(contract: Contract, journal: Path, target: str | None) -> TakenBack:
    """Take back what is open. `target` is where the run's target file is now; None for where it was.

    Raises `JournalError` for a journal that cannot be read or that a run is writing, `UsageError` for another target than
    the run's, and `ConfigurationError` for a target, secret or certificate that cannot be used.
    """
    with _held(read_remains(journal).file) as note:
        remains = read_remains(journal)
        if not remains.set_ups:
            return TakenBack(broken=remains.broken)
        name = target or remains.target
        if is_reference(name):
            words = (
                "the bundled reference implementation ends with its run, which writes down nothing of what it sets up"
            )
            unknown = (Found(one.key, Fate.UNKNOWN, f"{one.key}: {words}") for one in remains.set_ups)
            return TakenBack(tuple(unknown), broken=remains.broken)
        async with chosen_target(name, contract) as chosen:
            _check_same(remains, chosen, {one.service for one in remains.set_ups})
            return await _through_session(contract, remains, chosen, note)


@dataclass(frozen=True, slots=True)
class _Note:
    """Writes into a journal what is over; without a file it is only read."""

    file: IO[bytes] | None = None

    def over(self, keys: Sequence[str]) -> None:
        if self.file is not None and keys:
            self.file.write(encode_line({"type": OVER, "keys": list(keys)}))
            self.file.flush()


@contextlib.contextmanager
def _held(file: Path) -> Iterator[_Note]:
    """The journal while no run writes it."""
    try:
        opened = hold(file)
    except PermissionError:
        yield _Note()
        return
    except JournalError as error:
        hint = "A run that is ended by Ctrl-C, SIGTERM or SIGHUP takes back by itself what it made."
        raise JournalError("a run is writing it", where=str(file), hint=hint) from error
    with opened:
        drop_cut_line(file)
        yield _Note(opened)


def _check_same(remains: Remains, chosen: ChosenTarget, services: set[str]) -> None:
    """Ids mean something at the addresses of the run alone. Raises `UsageError`."""
    was, now = remains.header.info.target.get("services"), described(chosen).get("services")
    for name in sorted(services):
        before, after = (side.get(name) if isinstance(side, Mapping) else None for side in (was, now))
        if before is None and after is None:
            continue  # said for each thing
        places = [
            {key: side.get(key) for key in ("http", "websocket")} if isinstance(side, Mapping) else None
            for side in (before, after)
        ]
        if places[0] != places[1]:
            raise UsageError(
                f"services.{name} has other addresses than in the run: {_shown(places[1])}, then {_shown(places[0])}",
                where=chosen.name,
                hint=_NAME_IT,
            )


def _shown(addresses: Mapping[str, Any] | None) -> str:
    return ", ".join(str(one) for one in (addresses or {}).values() if one) or "none"


async def _through_session(contract: Contract, remains: Remains, chosen: ChosenTarget, note: _Note) -> TakenBack:
    operations = [name for service in chosen.file.services for name in contract.services[service].operations]
    found: list[Found] = []
    async with session(contract, chosen, operations) as run:
        unreachable = ""
        for name in sorted({one.service for one in remains.set_ups}):
            its = [one for one in remains.set_ups if one.service == name]
            try:
                several = await _of_service(run, name, its)
            except (Unreached, TargetUnreachable) as error:
                unreachable = unreachable or redact_excerpt(f"services.{name}: {error}", run.vault.known)
                continue
            found.extend(replace(one, words=redact_excerpt(one.words, run.vault.known)) for one in several)
            note.over([one.key for one in several if one.fate.good])
    return TakenBack(tuple(found), unreachable, remains.broken)


async def _of_service(run: Session, name: str, set_ups: Sequence[SetUp]) -> tuple[Found, ...]:
    service = run.services.get(name)
    if service is None:
        return tuple(Found(one.key, Fate.UNKNOWN, f"the target file has no service {name!r}") for one in set_ups)
    problem = await service.link.reach()
    if problem is not None:
        raise TargetUnreachable(problem.message)
    return await service.states.reclaim(set_ups, run.desks[name])
