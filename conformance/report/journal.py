"""The journal: JSON Lines written as the run goes (header, one line a case, footer), and read back.

A file without a footer is known to be cut off; a last line cut in the middle is the one flaw that is
forgiven.

The lines of a journal as JSON objects, and back.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any, TypeVar

from conformance.dialects.set_ups import KINDS, OVER, LeftOpen, lines_of
from conformance.endpoint.model import MIN_CARRIED_OUT
from conformance.errors import JournalError
from conformance.formats.json.pointer import load_json
from conformance.model.verdict import CaseResult, Evidence, Finding, Recorded, RunInfo, Verdict
from conformance.report.run_info import Ending, Settings, SummaryOptions
from conformance.report.safe_text import json_safe
from conformance.run.selection import Selection

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class Header:
    """The first line: which run this is, and what was decided before it began."""

    info: RunInfo
    settings: Settings = field(default_factory=Settings)


def header_line(header: Header) -> dict[str, Any]:
    """The header; accepted gaps become a list, since their keys are pairs."""
    settings = header.settings
    return {
        "type": "header",
        "schema_version": SCHEMA_VERSION,
        "run": {
            "id": header.info.id,
            "tool_version": header.info.tool_version,
            "specs_digest": header.info.specs_digest,
            "seed": header.info.seed,
            "started_at": header.info.started_at,
            "target": _plain_lines(header.info.target),
            **({} if header.info.explore_seed is None else {"explore_seed": header.info.explore_seed}),
        },
        "selection": asdict(settings.selection),
        "accepted_gaps": [
            {"operation": operation, "code": code, "reason": reason}
            for (operation, code), reason in sorted(settings.accepted_gaps.items())
        ],
        "pinned": dict(sorted(settings.pinned.items())),
        "shard": settings.shard,
        "planned": settings.planned,
        "min_carried_out": settings.min_carried_out,
        **({"editions": dict(sorted(settings.editions.items()))} if settings.editions else {}),
    }


def header_from(raw: Mapping[str, Any]) -> Header:
    """The header of a line; `ValueError` for a schema version that this tool does not know."""
    if raw["schema_version"] != SCHEMA_VERSION:
        raise ValueError(f"schema_version {raw['schema_version']!r}, this tool reads {SCHEMA_VERSION}")
    run = raw["run"]
    selection: dict[str, Any] = {
        name: tuple(one) if isinstance(one, list) else one for name, one in raw["selection"].items()
    }
    gaps = {(gap["operation"], gap["code"]): gap["reason"] for gap in raw["accepted_gaps"]}
    return Header(
        RunInfo(
            run["id"],
            run["tool_version"],
            run["specs_digest"],
            run["seed"],
            run["started_at"],
            run["target"],
            run.get("explore_seed"),
        ),
        Settings(
            Selection(**selection),
            gaps,
            raw["pinned"],
            raw["shard"],
            raw["planned"],
            raw.get("min_carried_out", MIN_CARRIED_OUT),
            raw.get("editions", {}),
        ),
    )


def case_line(result: CaseResult) -> dict[str, Any]:
    """A result with everything that is known of it; empty members are left out."""
    line: dict[str, Any] = {
        "type": "case",
        "id": result.id,
        "operation": result.operation,
        "requirements": result.requirements,
        "tier": result.tier,
        "transport": result.transport,
        "media_type": result.media_type,
        "role": result.role,
        "verdict": result.verdict.value,
        "findings": [asdict(finding) for finding in result.findings],
        "reason": result.reason,
        "blocked": result.blocked,
        "readings": result.readings,
        "code": result.code,
        "code_seen": result.code_seen,
        "requests": result.requests,
        "exchanges": [_exchange(one, result) for one in result.exchanges],
        "history": result.history or None,
        "notes": result.notes,
        "unverified": result.unverified,
        "hindrance": str(result.hindrance) or None,
        "accepted": result.accepted or None,
        "rows": result.rows,
    }
    return {name: value for name, value in line.items() if value not in (None, (), [])}


def result_from(raw: Mapping[str, Any]) -> CaseResult:
    """The result of a line; `KeyError`, `TypeError` or `ValueError` when it is none."""
    return CaseResult(
        id=raw["id"],
        operation=raw["operation"],
        requirements=tuple(raw.get("requirements", ())),
        tier=raw["tier"],
        transport=raw["transport"],
        media_type=raw["media_type"],
        role=raw["role"],
        verdict=Verdict(raw["verdict"]),
        findings=tuple(Finding(**finding) for finding in raw.get("findings", ())),
        reason=raw.get("reason", ""),
        blocked=tuple(raw.get("blocked", ())),
        readings=tuple(raw.get("readings", ())),
        code=raw.get("code"),
        code_seen=raw.get("code_seen"),
        requests=raw.get("requests", 0),
        exchanges=tuple(_exchange_from(one, raw) for one in raw.get("exchanges", ())),
        history=raw.get("history", ""),
        notes=tuple(raw.get("notes", ())),
        unverified=tuple(raw.get("unverified", ())),
        hindrance=raw.get("hindrance", ""),
        accepted=raw.get("accepted", ""),
        rows=tuple(raw.get("rows", ())),
    )


def _exchange(one: Recorded, case: CaseResult) -> dict[str, Any]:
    """An exchange; role and transport stand there where they are not those of the case."""
    line: dict[str, Any] = {"purpose": one.purpose, "started_s": one.started_s, "took_s": one.took_s}
    if one.role != case.role:
        line["role"] = one.role
    if one.transport != case.transport:
        line["transport"] = one.transport
    if one.problem:
        line["problem"] = one.problem
    if one.first:
        line["first"] = True
    if one.evidence is not None:
        line["evidence"] = asdict(one.evidence)
    return line


def _exchange_from(raw: Mapping[str, Any], case: Mapping[str, Any]) -> Recorded:
    evidence, role, transport = (
        raw.get("evidence"),
        raw.get("role", case["role"]),
        raw.get("transport", case["transport"]),
    )
    return Recorded(
        raw["purpose"], role, transport, raw["started_s"], raw["took_s"], raw.get("problem", ""),
        None if evidence is None else Evidence(**evidence), raw.get("first", False),
    )  # fmt: skip


def footer_line(ending: Ending) -> dict[str, Any]:
    """The footer: how the run ended."""
    return {
        "type": "footer",
        "duration_s": ending.duration_s,
        "stopped": ending.stopped,
        "interrupted": ending.interrupted,
        "enough": ending.enough,
        "waivers_unmatched": ending.waivers_unmatched,
        "waivers_expired": ending.waivers_expired,
        "waivers_matched": dict(sorted(ending.waivers_matched.items())),
        "waivers_beyond": ending.waivers_beyond,
        "left_behind": ending.left_behind,
        "unseen": ending.unseen,
        "untrue_lacks": ending.untrue_lacks,
        "throttled": ending.throttled,
        "messages": dict(sorted(ending.messages.items())),
    }


def ending_from(raw: Mapping[str, Any]) -> Ending:
    """The ending that a footer tells of."""
    return Ending(
        duration_s=raw["duration_s"],
        stopped=raw["stopped"],
        interrupted=raw["interrupted"],
        enough=raw.get("enough", ""),
        waivers_unmatched=tuple(raw["waivers_unmatched"]),
        waivers_expired=tuple(raw["waivers_expired"]),
        waivers_matched=raw.get("waivers_matched", {}),
        waivers_beyond=tuple(raw.get("waivers_beyond", ())),
        left_behind=tuple(raw.get("left_behind", ())),
        unseen=raw.get("unseen", 0),
        untrue_lacks=tuple(raw.get("untrue_lacks", ())),
        throttled=raw.get("throttled", 0),
        messages=raw.get("messages", {}),
    )


def _plain_lines(value: Any) -> Any:
    """Mappings and tuples as the dicts and lists that JSON has."""
    if isinstance(value, Mapping):
        return {str(key): _plain_lines(member) for key, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain_lines(item) for item in value]
    return value


FILE_NAME = "journal.jsonl"
_MOST_LINES = 50
_LONGEST_S = 0.2
_Built = TypeVar("_Built")


@dataclass(frozen=True, slots=True)
class Journal:
    """What a journal holds; of two lines for one case the later stands. No `footer`: it was cut off."""

    header: Header
    results: tuple[CaseResult, ...]
    footer: Ending | None
    taken: frozenset[str] = frozenset()
    """Keys of ids out of the target file's pools that are used up."""
    set_ups: tuple[Mapping[str, Any], ...] = ()
    """Lines of what was set up on the target and is not known to be over, as they stood there."""

    @property
    def options(self) -> SummaryOptions:
        """What `summarise` needs besides the results."""
        return SummaryOptions(self.header.settings, self.footer or Ending(cut_off=True))


class JournalWriter:
    """Appends results to a journal; use it as a context manager, and `finish` it when the run has ended.

    At most 50 lines, or those of the last 0.2 s before the latest write, are held back; leaving the
    context, also by an exception, writes them. With `resume` the lines of an earlier run are kept, after a
    check that it was the same run: contract, seed, target, selection and shard. `before` is called before each
    writing, for what must be on the disk by then. Raises `JournalError` for that and for a full disk.
    """

    def __init__(
        self, path: Path, header: Header, *, resume: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._path = path
        self._header = header
        self._resume = resume
        self._clock = clock
        self._file: IO[bytes] | None = None
        self._held: list[bytes] = []
        self._flushed_at = 0.0
        self._lost = False
        self.before: Callable[[], None] | None = None

    def __enter__(self) -> JournalWriter:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            if self._resume and self._path.exists():
                _check_same_run(self._path, read_journal(self._path).header, self._header)
                drop_cut_line(self._path)
                self._file = hold(self._path)
            else:
                self._file = hold(self._path)
                if self._file.tell():
                    self._file.truncate(0)
                self._held.append(encode_line(header_line(self._header)))
        except OSError as error:
            raise _unwritable(self._path, error) from error
        self.flush()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            try:
                if not self._lost:
                    self.flush()
            finally:
                with contextlib.suppress(OSError):  # what could not be written is told already
                    self._file.close()
                self._file = None

    def write(self, result: CaseResult) -> None:
        """Append the result of one finished case."""
        self._held.append(encode_line(case_line(result)))
        if len(self._held) >= _MOST_LINES or self._clock() - self._flushed_at >= _LONGEST_S:
            self.flush()

    def copy(self, lines: bytes) -> None:
        """Append lines as they are, or a part of them."""
        self._held.append(lines)
        self.flush()

    def take(self, key: str) -> None:
        """Note at once that ids of a pool are used up: a run that continues this one must not use them again."""
        self._held.append(encode_line({"type": "taken", "key": key}))
        self.flush()

    def note(self, lines: Iterable[Mapping[str, Any]], now: bool) -> None:
        """Note what was set up, or is over; with `now` it is out of this process when this returns."""
        self._held.extend(encode_line(line) for line in lines)
        if now:
            self.flush()

    def finish(self, ending: Ending) -> None:
        """Append the footer: the run has ended, well or not."""
        self._held.append(encode_line(footer_line(ending)))
        self.flush()

    def flush(self) -> None:
        """Hand every line that was held back to the operating system."""
        if self._file is None:
            raise JournalError("the journal is not open", where=str(self._path), hint="Use it in a with statement.")
        if self.before is not None:
            self.before()
        try:
            self._file.write(b"".join(self._held))
            self._file.flush()
        except OSError as error:
            self._lost = True
            raise _unwritable(self._path, error) from error
        if not _is_at(self._path, self._file):
            self._lost = True
            raise JournalError(
                "the journal was removed, or another file put in its place, while the run went on",
                where=str(self._path),
                hint="Give a folder with --report DIR that nobody clears meanwhile.",
            )
        self._held.clear()
        self._flushed_at = self._clock()


def _is_at(path: Path, file: IO[bytes]) -> bool:
    """Whether an open file is still the one of this name."""
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except OSError:
        return False


def hold(path: Path) -> IO[bytes]:
    """The file, opened to append, and held as long as it is open; `JournalError` when another run holds it."""
    file = path.open("ab")
    try:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except ImportError:  # a system without it has no way to tell
        return file
    except BlockingIOError:
        file.close()
        raise JournalError(
            "another run is writing it", where=str(path), hint="Give each run a folder of its own with --report DIR."
        ) from None
    return file


def write_journal(path: Path, journal: Journal, more: Iterable[bytes] = ()) -> None:
    """Write a whole journal at once, and `more` lines of cases; `JournalError` when the file cannot be written."""
    with JournalWriter(path, journal.header) as writer:
        writer.note(journal.set_ups, now=False)
        for result in journal.results:
            writer.write(result)
        for lines in more:
            writer.copy(lines)
        if journal.footer is not None:
            writer.finish(journal.footer)


def read_journal(path: Path) -> Journal:
    """The journal at `path`, or in it when it is a folder.

    Raises `JournalError` for a file that is missing, has no header, or has a broken line before the last.
    """
    file, header, lines = read_lines(path)
    is_cut = bool(lines.pop())
    results: dict[str, CaseResult] = {}
    footer: Ending | None = None
    taken: set[str] = set()
    left = LeftOpen()
    for number, line in enumerate(lines, 2):
        raw = _object(file, number, line)
        if raw.get("type") in KINDS:
            left.take(raw)
            footer = footer if raw["type"] == OVER else None
            continue
        if raw.get("type") == "footer":
            footer = _taken(file, number, raw, "footer", ending_from)
            continue
        if raw.get("type") == "taken":
            taken.add(str(raw.get("key")))
            footer = None
            continue
        result = _taken(file, number, raw, "case", result_from)
        results.pop(result.id, None)
        results[result.id] = result
        footer = None
    kept = tuple(line for one in left.set_ups.values() for line in lines_of(one))
    return Journal(header, tuple(results.values()), None if is_cut else footer, frozenset(taken), kept)


def read_lines(path: Path) -> tuple[Path, Header, list[bytes]]:
    """File, header, and the lines after it; the last is what is behind the last line break. Raises `JournalError`."""
    file = path / FILE_NAME if path.is_dir() else path
    try:
        lines = file.read_bytes().split(b"\n")
    except OSError as error:
        raise JournalError(
            f"cannot be read: {error.strerror or error}",
            where=str(file),
            hint="Give a journal, or its folder.",
        ) from error
    if len(lines) < 2:
        raise JournalError("has no header", where=str(file), hint="The run ended before it began; run it again.")
    return file, _taken(file, 1, _object(file, 1, lines[0]), "header", header_from), lines[1:]


def _taken(
    file: Path, number: int, raw: Mapping[str, Any], kind: str, build: Callable[[Mapping[str, Any]], _Built]
) -> _Built:
    if raw.get("type") != kind:
        raise JournalError(
            f"expected a {kind} line, found {raw.get('type')!r}",
            where=f"{file}:{number}",
            hint="This is no journal of a conformance run, or lines were moved.",
        )
    try:
        return build(raw)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise JournalError(
            f"not understood: {type(error).__name__}: {error}",
            where=f"{file}:{number}",
            hint="It may come from another version of this tool; run again.",
        ) from error


def _object(file: Path, number: int, line: bytes) -> Mapping[str, Any]:
    try:
        raw = load_json(line)
    except ValueError as error:
        raise JournalError(
            f"not JSON: {error}",
            where=f"{file}:{number}",
            hint="Only the last line may be cut off; run again.",
        ) from error
    if not isinstance(raw, dict):
        raise JournalError("expected a JSON object", where=f"{file}:{number}")
    return raw


def encode_line(line: Mapping[str, Any]) -> bytes:
    """A line of a journal."""
    return json_safe(json.dumps(line, separators=(",", ":"))).encode("ascii") + b"\n"


def _check_same_run(path: Path, old: Header, new: Header) -> None:
    sides = {
        "contract": (old.info.specs_digest, new.info.specs_digest),
        "seed": (old.info.seed, new.info.seed),
        "target": (_plain(old.info.target), _plain(new.info.target)),
        "selection": (old.settings.selection, new.settings.selection),
        "shard": (old.settings.shard, new.settings.shard),
        "the share of cases to be carried out": (old.settings.min_carried_out, new.settings.min_carried_out),
    }
    differing = [name for name, (was, now) in sides.items() if was != now]
    if differing:
        raise JournalError(
            f"belongs to another run: {', '.join(differing)} differ",
            where=str(path),
            hint="Run without --resume.",
        )


def _plain(value: object) -> object:
    """The value as it reads back from JSON."""
    plain: object = json.loads(json.dumps(value, default=dict))
    return plain


def drop_cut_line(path: Path) -> None:
    """Take away what is behind the last line break of a file."""
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        with path.open("r+b") as file:
            file.truncate(whole)


def _unwritable(path: Path, error: OSError) -> JournalError:
    return JournalError(
        f"cannot be written: {error.strerror or error}",
        where=str(path),
        hint="Give another folder with --report DIR.",
    )
