"""What the store keeps of a run, read from its report folder, its `results.json`, its journal, or its bundle.

Nothing of a file is believed: sizes, types and texts are checked here, and what is wrong is told with the file's name.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from conformance.errors import JournalError
from conformance.report.journal import FILE_NAME as JOURNAL
from conformance.report.journal import read_journal
from conformance.report.safe_text import shortened, visible
from conformance.report.several import read_results
from conformance.report.summary import SCHEMA_VERSION, to_json

RESULTS, REPORT = "results.json", "report.html"
REQUIREMENT, CODE, READING, WAIVER, CAUSE = KINDS = ("requirement", "code", "reading", "waiver", "cause")
_MOST_BYTES = 64 * 1024 * 1024
_MOST_REPORT = 16 * 1024 * 1024
_MOST_LINES = 20_000
_LONGEST_NAME, _LONGEST_TEXT = 300, 2_000
_LARGEST = 2**53
_HEADER_BYTES = 1 << 20

Line = tuple[str, str]
"""Kind and name."""


@dataclass(frozen=True, slots=True)
class Record:
    """One run as the store keeps it; `digest` is the same for the same content."""

    id: str
    endpoint: str
    started_at: datetime
    run: Mapping[str, Any]
    """The columns of its row that come from the run itself."""
    lines: Mapping[Line, bytes]
    """What each line says, as JSON text with sorted keys."""
    evidence: Mapping[Line, bytes] = field(default_factory=dict)
    """Packed JSON with the finding of each cause, and the messages of its example where a journal has them."""
    report: bytes | None = None
    """The HTML report, packed."""
    source: str = ""

    @property
    def digest(self) -> str:
        """SHA-256 of what the run came to, without evidence and report."""
        text = json.dumps({"id": self.id, **self.run}, sort_keys=True)
        parts = [f"{kind}\0{name}\0".encode() + value for (kind, name), value in sorted(self.lines.items())]
        return hashlib.sha256(b"\n".join([text.encode(), *parts])).hexdigest()


def read_record(path: Path, specs: Path | None = None, *, report: bool = True) -> Record:
    """The record of a run: a report folder, a results.json, a journal.jsonl, or a bundle.

    A folder without `results.json` is read from its journal; a bundle is verified first, every exchange judged again. Both
    need the contract of that run (`specs`). Raises `ConformanceError`.
    """
    folder = path if path.is_dir() else path.parent
    if path.suffix == ".zip":
        return record_of(_verified(path, specs), str(path))
    if (path.is_dir() and (path / RESULTS).exists()) or path.suffix == ".json":
        file = path / RESULTS if path.is_dir() else path
        document, journal = _results(file), folder / JOURNAL
        _refuse_shard(journal)
    else:
        journal = path / JOURNAL if path.is_dir() else path
        document = _rendered(journal, specs)
    return record_of(document, str(path), journal, folder / REPORT if report else None)


def _results(file: Path) -> Mapping[str, Any]:
    try:
        size = file.stat().st_size
        if size > _MOST_BYTES:
            raise JournalError(f"is too large: {size:,} bytes of at most {_MOST_BYTES:,}", where=str(file))
        document = orjson.loads(file.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        document = read_results(file)  # says what is wrong with it, or reads what orjson does not
    if not isinstance(document, dict) or document.get("schema_version") != SCHEMA_VERSION:
        version = document.get("schema_version") if isinstance(document, dict) else None
        if isinstance(version, int) and version > SCHEMA_VERSION:
            raise JournalError(
                f"is of schema_version {version}; this tool reads {SCHEMA_VERSION}", where=str(file),
                hint="A newer version of the tool wrote it; use that one.",
            )  # fmt: skip
        raise JournalError(f"is no results.json of schema_version {SCHEMA_VERSION}", where=str(file))
    return document


def _rendered(journal: Path, specs: Path | None) -> Mapping[str, Any]:
    """The document that the journal gives."""
    from conformance.contract.load import load_contract
    from conformance.report.formats.registry import summary_of

    read = read_journal(journal)
    if read.header.settings.shard:
        raise _a_shard(journal, read.header.settings.shard)
    document: Mapping[str, Any] = orjson.loads(to_json(summary_of(read, load_contract(specs))))
    return document


def _verified(path: Path, specs: Path | None) -> Mapping[str, Any]:
    from conformance.contract.load import load_contract
    from conformance.report.bundle.verify import verify_bundle

    found = verify_bundle(path, load_contract(specs), None)
    if found.problems:
        raise JournalError(f"is not kept, for it is not verified: {visible(found.problems[0])}", where=str(path))
    document: Mapping[str, Any] = orjson.loads(to_json(found.summary))
    return document


def _refuse_shard(journal: Path) -> None:
    """A journal beside the results tells whether they are a part of a run; one that cannot be read tells nothing."""
    try:
        with journal.open("rb") as file:
            shard = orjson.loads(file.readline(_HEADER_BYTES)).get("shard")
    except (OSError, ValueError, AttributeError):
        return
    if shard:
        raise _a_shard(journal, str(shard))


def _a_shard(journal: Path, shard: str) -> JournalError:
    return JournalError(
        f"is only shard {visible(shard)[:20]} of a run", where=str(journal),
        hint="Join the shards with `conformance report merge`, and add what it writes.",
    )  # fmt: skip


def record_of(
    document: Mapping[str, Any], source: str, journal: Path | None = None, report: Path | None = None
) -> Record:
    """The record of a results document. Raises `JournalError` for one that lacks a member or holds what cannot be."""
    try:
        run, summary = document["run"], document["summary"]
        started_at = datetime.fromisoformat(run["started_at"])
        started_at = started_at if started_at.tzinfo else started_at.replace(tzinfo=UTC)
        lines = {line: _packed(value) for line, value in _lines(document)}
        if len(lines) > _MOST_LINES:
            raise ValueError(f"{len(lines):,} lines, of which no run has so many")
        counts = summary["requirements"]
        columns = {
            "started_at": started_at.astimezone(UTC).isoformat(timespec="seconds"),
            "duration_s": float(run["duration_s"]),
            "tool_version": _text(run["tool_version"], 100),
            "specs_digest": _text(run["specs_digest"], 100),
            "seed": _number(run["seed"]),
            "verdict": _word(summary["verdict"]),
            "exit_code": _number(summary["exit_code"]),
            "reasons": json.dumps([_text(reason) for reason in _list(summary.get("reasons", []))]),
            "carried_out": _number(summary["carried_out"]["cases"]),
            "cases": _number(summary["carried_out"]["of"]),
            "requirements_pass": _number(counts["pass"]),
            "requirements_fail": _number(counts["fail"]),
            "requirements_waived": _number(counts["waived"]),
            "requirements_not_verified": _number(counts["not-verified"]),
            "causes": len(_list(document["causes"])),
        }
        name = _endpoint(run["target"])
        evidence = _evidence(_list(document["causes"]), journal)
        run_id = _text(run["id"], 100)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        said = shortened(visible(f"{type(error).__name__}: {error}"), 200)
        raise JournalError(f"is no results.json that can be kept: {said}", where=source) from error
    if not run_id:
        raise JournalError("the run has no id", where=source)
    return Record(run_id, name, started_at, columns, lines, evidence, _report(report), source)


def _endpoint(target: Mapping[str, Any]) -> str:
    return _text(target.get("name") or target.get("url") or target.get("file") or "unnamed", _LONGEST_NAME)


def _lines(document: Mapping[str, Any]) -> Iterator[tuple[Line, dict[str, Any]]]:
    for row in _list(document["requirements"]):
        yield (
            (REQUIREMENT, _text(row["id"], _LONGEST_NAME)),
            {
                "verdict": _word(row["verdict"]),
                "reason": _text(row["reason"]),
                "operation": _text(row["operation"], _LONGEST_NAME),
                "level": _text(row["level"], 20),
            },
        )
    for row in _list(document["error_codes"]):
        parts = {key: _text(row[key], 100) for key in ("operation", "code", "transport", "media_type")}
        name = " ".join(parts.values())
        yield (CODE, name), {**parts, "verdict": _word(row["verdict"]), "reason": _text(row["reason"])}
    for row in _list(document["readings"]):
        observed = sorted(_text(one, 100) for one in row["observed"])
        pinned = None if row["pinned"] is None else _text(row["pinned"], 100)
        yield (READING, _text(row["id"], _LONGEST_NAME)), {"observed": observed, "pinned": pinned}
    yield from _waivers(document)
    for row in _list(document["causes"]):
        yield _cause(row)


def _cause(row: Mapping[str, Any]) -> tuple[Line, dict[str, Any]]:
    texts = ("kind", "operation", "requirement", "check", "message", "document", "place", "text", "example")
    value: dict[str, Any] = {key: _text(row[key]) for key in texts}
    value["requirements"] = [_text(one, _LONGEST_NAME) for one in _list(row["requirements"])]
    value["only_when"] = {_text(key, 100): _text(level, 200) for key, level in row["only_when"].items()}
    value["cases"], value["of"] = _number(row["cases"]), _number(row["of"])
    return (CAUSE, _text(row["id"], _LONGEST_NAME)), value


def _waivers(document: Mapping[str, Any]) -> Iterator[tuple[Line, dict[str, Any]]]:
    """The waivers of the target file, each with how many cases it matched."""
    matched = {str(row["waiver"]): _number(row["cases"]) for row in _list(document.get("waivers", []))}
    for one in _list(document["run"]["target"].get("waivers", [])):
        seen = f", seen {one['seen']!r}" if one.get("seen") else ""
        label = f"{one.get('case', '*')} {one['requirement']}{seen}"
        yield (
            (WAIVER, _text(label, _LONGEST_NAME)),
            {
                "cases": matched.get(label, 0),
                **{key: _text(one[key]) for key in ("reason", "owner", "expires", "requirement")},
            },
        )


def _evidence(causes: Sequence[Mapping[str, Any]], journal: Path | None) -> dict[Line, bytes]:
    """For each cause its finding and, where a journal has them, the judged messages of its example."""
    messages = _messages(journal, {row["example"] for row in causes}) if causes and journal is not None else {}
    found = {}
    for row in causes:
        finding = {key: _text(row["finding"][key]) for key in ("requirement", "message", "expected", "actual", "at")}
        content = {"finding": finding, "example": _text(row["example"]), "messages": messages.get(row["example"], [])}
        found[CAUSE, _text(row["id"], _LONGEST_NAME)] = zlib.compress(_packed(content), 6)
    return found


_MOST_EVIDENCE = 20_000


def _messages(journal: Path, examples: set[str]) -> dict[str, list[dict[str, str]]]:
    """Case to what was sent and what came, already without secrets; nothing from a journal that cannot be read."""
    wanted = [example.encode() for example in examples if isinstance(example, str)]
    found: dict[str, list[dict[str, str]]] = {}
    try:
        with journal.open("rb") as file:
            for line in file:
                if not any(name in line for name in wanted):
                    continue
                case = orjson.loads(line)
                if case.get("id") in examples:
                    found[case["id"]] = [
                        {side: _text(one["evidence"][side], _MOST_EVIDENCE) for side in ("sent", "received")}
                        for one in case.get("exchanges", ())
                        if one["purpose"] == "judged" and one.get("evidence")
                    ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return found
    return found


def _report(path: Path | None) -> bytes | None:
    try:
        if path is None or not path.is_file() or path.stat().st_size > _MOST_REPORT:
            return None
        return zlib.compress(path.read_bytes(), 6)
    except OSError:
        return None


def _packed(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _text(value: Any, most: int = _LONGEST_TEXT) -> str:
    """The text on one line and bounded, so that nothing in it moves a terminal or fails a database."""
    if not isinstance(value, str):
        raise TypeError(f"{shortened(repr(value), 40)} is no text")
    return shortened(visible(value), most)


def _word(value: Any) -> str:
    word = _text(value, 40)
    if not word.replace("-", "").isalpha() or not word.isascii():
        raise ValueError(f"{word!r} is no verdict")
    return word


def _number(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > _LARGEST:
        raise TypeError(f"{shortened(repr(value), 40)} is no number that a run has")
    return value


def _list(value: Any) -> Sequence[Any]:
    if not isinstance(value, list):
        raise TypeError(f"{shortened(repr(value), 40)} is no list")
    return value
