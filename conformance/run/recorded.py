"""Reads a recording back and judges each case of it again, with no network and no secret.

The marks get stand-ins first. What comes out is held against the result that the journal has; the same functions judge
and join as in a run.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from conformance.checks.answer import Judgement, Observation
from conformance.checks.judge import ANSWERED
from conformance.checks.kit import Kit
from conformance.checks.outcome import STANDING
from conformance.endpoint.marks import marked_texts, stand_ins, unhidden
from conformance.errors import Hindrance, JournalError
from conformance.formats.json.pointer import load_json
from conformance.model.case import Case
from conformance.model.verdict import CaseResult, Verdict
from conformance.run.evidence import redacted_finding
from conformance.run.execute import Judged, disturbance
from conformance.run.judgement import Judge, came_to, cases_of_twin, side_by_side, to_judge, with_twin
from conformance.run.recording import FILE_NAME
from conformance.wire.messages import Exchange, HttpReply, WireProblem, WsReply

_SENT = b"(recorded)"
_FOREVER = float("inf")
_JUDGED = (Verdict.PASS, Verdict.FAIL, Verdict.WAIVED)
_BY_ITS_ANSWER = (Hindrance.BEYOND, Hindrance.UNSEEN)
_COMPARED = ("verdict", "findings", "readings", "code_seen", "blocked", "unverified")


@dataclass(slots=True)
class _Part:
    """What one process wrote: its secrets by mark and by set."""

    shapes: list[str] = field(default_factory=list)
    sets: dict[int, list[tuple[int, str]]] = field(default_factory=dict)
    stand_in: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """What was seen of one case, each of its messages with those beside it."""

    turns: tuple[Any, ...]
    part: _Part

    @property
    def left_out(self) -> str:
        """Why it was not recorded, in words; empty when it was."""
        return next((str(one["left_out"]) for turn in self.turns for one in turn if "left_out" in one), "")

    def observations(self) -> tuple[tuple[Observation, ...], ...]:
        """The same as a judgement needs it. Raises `ValueError`, `KeyError`, `TypeError` or `IndexError` for what is none."""
        return tuple(tuple(self._observation(one) for one in turn) for turn in self.turns)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What stands for the secrets."""
        return self.part.stand_in

    def _observation(self, raw: Mapping[str, Any]) -> Observation:
        named = self.part.sets[raw["secrets"]] if "secrets" in raw else []
        names = {self.part.stand_in[number]: name for number, name in named}
        return Observation(
            tuple(self._exchange(one) for one in raw["exchanges"]),
            self._bytes(raw.get("body", "")),
            self._bytes(raw.get("frame", "")),
            raw.get("before", {}),
            raw.get("after", {}),
            tuple(names),
            lambda secret: names.get(secret, ""),
            raw.get("from_s", 0.0),
            _FOREVER if raw.get("to_s", 0.0) is None else raw.get("to_s", 0.0),
            raw.get("shown", {}),
            tuple(self._exchange(one) for one in raw.get("earlier", ())),
        )

    def _exchange(self, raw: Mapping[str, Any]) -> Exchange:
        reply: HttpReply | WsReply | None = None
        others = tuple(self._bytes(one) for one in raw.get("others", ()))
        if "http" in raw:
            http = raw["http"]
            reply = HttpReply(
                http["status"], self._text(http["reason"]),
                tuple((name, self._text(value)) for name, value in http["headers"]),
                self._bytes(http["body"]), http["version"], http.get("trailing_data", False), http.get("unread_bytes", 0),
            )  # fmt: skip
        elif (ws := raw.get("ws")) is not None:
            reply = WsReply(self._bytes(ws["text"]), others, ws.get("binary", False), ws.get("unread_bytes", 0))
        problem = None
        if "problem" in raw:
            kind, message, phase = raw["problem"]
            problem = WireProblem(kind, self._text(message), phase)
        return Exchange(
            b"" if raw.get("unsent") else _SENT, self._bytes(raw.get("received", "")), reply, problem, 0.0, 0.0,
            others=others, silent=raw.get("silent", False), reused_connection=raw.get("reused_connection", False),
            again=[self._bytes(one) for one in raw.get("again", ())],
        )  # fmt: skip

    def _text(self, text: str) -> str:
        return unhidden(text, self.part.stand_in)

    def _bytes(self, written: Any) -> bytes:
        if isinstance(written, str):
            return self._text(written).encode()
        return self._text(written["latin-1"]).encode("latin-1")


def read_recording(lines: Sequence[bytes]) -> dict[str, Record]:
    """By case: what was seen of it, the later of two where it was tried again. Raises `JournalError`."""
    found: dict[str, Record] = {}
    parts: list[_Part] = []
    for number, line in enumerate(lines, 1):
        try:
            raw = load_json(line)
            if raw["type"] == "part":
                parts.append(_Part())
            elif raw["type"] == "marks":
                parts[-1].shapes.extend(str(shape) for shape in raw["shapes"])
            elif raw["type"] == "secrets":
                parts[-1].sets[raw["number"]] = [(int(mark), str(name)) for mark, name in raw["of"]]
            elif raw["type"] == "seen":
                found[raw["id"]] = Record(tuple(raw["turns"]), parts[-1])
            else:
                raise ValueError(f"no line of this type: {raw['type']!r}")
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise JournalError(
                f"not understood: {type(error).__name__}: {error}", where=f"{FILE_NAME}:{number}"
            ) from error
    texts = marked_texts(lines)
    for part in parts:
        part.stand_in = stand_ins(part.shapes, texts)
    return found


def judge_again(kit: Kit, case: Case, recorded: Record, judge: Judge) -> Judgement:
    """The judgement on what was recorded of a case. Raises `ValueError` for what its messages cannot have come to."""
    try:
        turns = recorded.observations()
        first = _turn(kit, case, turns[0], judge)
        twins = () if case.twin is None else cases_of_twin(case, case.twin)
        if len(turns) not in (1, 1 + len(twins)):
            raise ValueError(f"{len(turns)} messages were recorded, and the case has {1 + len(twins)}")
        if case.twin is None or len(turns) == 1:
            if case.twin is not None and not first.findings:
                raise ValueError("the other way of saying it was not recorded")
            return first
        seconds = [_turn(kit, twin, turn, judge) for twin, turn in zip(twins, turns[1:], strict=True)]
        return with_twin(case.twin, first, seconds)
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise ValueError(f"its recording is not understood: {type(error).__name__}: {error}") from error


def _turn(kit: Kit, case: Case, observations: Sequence[Observation], judge: Judge) -> Judgement:
    pairs = to_judge(case, observations)
    if any(not (one.exchanges or one.raced) for _, one in pairs):
        raise ValueError("no exchange was recorded")
    return side_by_side(case, [judge(kit, one, observation) for one, observation in pairs])


def needs_recording(result: CaseResult) -> bool:
    """Whether the result rests on an answer: only then is there something to be judged again."""
    return result.verdict in _JUDGED or result.hindrance in _BY_ITS_ANSWER


def again(kit: Kit, case: Case, result: CaseResult, recorded: Record, judge: Judge) -> tuple[Judged, str]:
    """The result that the recording gives, as relations between cases take it, and in words what differs from `result`."""
    try:
        judgement = judge_again(kit, case, recorded, judge)
    except ValueError as error:
        return Judged(result), str(error)
    secrets = recorded.secrets
    came = came_to(case, judgement)
    seen = replace(
        result,
        verdict=came.verdict,
        findings=tuple(redacted_finding(finding, secrets) for finding in judgement.findings),
        blocked=judgement.blocked,
        readings=judgement.readings,
        code_seen=judgement.code_seen,
        unverified=judgement.unverified,
        hindrance=came.hindrance,
    )
    judged = Judged(seen, judgement.gist, judgement.summary)
    if result.hindrance == Hindrance.INFRASTRUCTURE:
        disturbed = any(disturbance(one) for turn in recorded.observations() for each in turn for one in each.exchanges)
        only = result.verdict is Verdict.FAIL and [finding.check for finding in result.findings] == [ANSWERED.id]
        return Judged(result), "" if disturbed and only else "nothing disturbed its messages"
    return judged, ""


def differences(was: CaseResult, now: CaseResult) -> str:
    """What of a result another one has otherwise, in words; empty when they agree.

    What changed when the case was over is in no recording of it.
    """
    was = _as_it_ended(was)
    for name in _COMPARED:
        before, after = getattr(was, name), getattr(now, name)
        if name in ("findings", "readings", "blocked", "unverified"):
            before, after = sorted(before, key=str), sorted(after, key=str)
        if before != after:
            return f"{name.replace('_', ' ')}: {_shown(before)} in the journal, {_shown(after)} when judged again"
    return ""


def _as_it_ended(result: CaseResult) -> CaseResult:
    own = tuple(one for one in result.findings if one.check != STANDING.id)
    if len(own) == len(result.findings):
        return result
    return replace(result, findings=own, verdict=result.verdict if own else Verdict.PASS)


def _shown(value: Any) -> str:
    text = json.dumps(value, default=str) if not isinstance(value, str) else value
    return text if len(text) <= 200 else f"{text[:200]}…"


def unpacked(data: bytes, most: int) -> bytes:
    """The whole of a recording, unpacked member by member, at most so many bytes. Raises `JournalError`."""
    pieces: list[bytes] = []
    room = most
    while data:
        reader = zlib.decompressobj(zlib.MAX_WBITS | 16)
        try:
            pieces.append(reader.decompress(data, room))
        except zlib.error as error:
            raise JournalError(f"not packed as it should be: {error}", where=FILE_NAME) from error
        room -= len(pieces[-1])
        if not reader.eof:
            what = f"it unpacks to more than {most:,} bytes" if room <= 0 else "it is cut off"
            raise JournalError(what, where=FILE_NAME)
        data = reader.unused_data
    return b"".join(pieces)


def lines_of(data: bytes) -> Iterator[bytes]:
    """Its lines, without the empty one behind the last line break."""
    return (line for line in data.split(b"\n") if line)
