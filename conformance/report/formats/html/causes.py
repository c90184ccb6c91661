"""The causes as the page shows them: with examples, each with the course of its case and the times.

A page has room for so many characters of evidence. The example of each cause comes first, the heaviest cause before the
others; what finds no room is a row with the command that replays it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from typing import NamedTuple

from markupsafe import escape

from conformance.cases.fixtures import family_of, read_family
from conformance.endpoint.model import Tls
from conformance.guard.gate import OF_A_CASE, Purpose
from conformance.model.case import Case, Transport
from conformance.model.spec import Contract
from conformance.model.verdict import CaseResult, Finding, Recorded, RunInfo
from conformance.report.causes import Cause, heaviest_first, is_meant, replay_name
from conformance.report.curl import Endpoint, by_hand_again
from conformance.report.formats.html.messages import Part, parts_of
from conformance.report.rows import RunSummary, replay_command
from conformance.report.safe_text import beside, visible
from conformance.report.wording import case_facts
from conformance.wire.address import Address, AddressError, parse_address

_MOST_ON_PAGE = 900_000
"""Characters of evidence on a page, as they stand in it."""
_MOST_EXAMPLES = 3
_MOST_TITLES = 6
_MOST_ALIKE, _MOST_OWN = 3, 8
"""Of messages of one kind that follow each other, so many are shown; of those that the case itself sends, more."""
_LONGEST = 4000
_TIMEOUT_S = 10.0


class Step(NamedTuple):
    """One exchange in the course of a case, or several that are alike."""

    purpose: str
    who: str
    at: str
    """The time of day, UTC."""
    after: str
    """Since the first message of the case."""
    took: str
    what: str
    """Request and answer in a line."""
    sent: tuple[Part, ...]
    received: tuple[Part, ...]
    raw_sent: str
    raw_received: str
    note: str
    own: bool
    """A message of the case itself."""
    opened: bool
    """Whether it is shown at once."""
    printed: bool
    """Whether it is printed in full; the others are a line on paper."""
    framed: bool


class Example(NamedTuple):
    """One case that shows a cause."""

    case: CaseResult
    finding: Finding
    expected: str
    actual: str
    title: str
    """What the case does, in the words of its fixture."""
    facts: tuple[tuple[str, str], ...]
    more: tuple[Finding, ...]
    """What else was found in the case, the heaviest first."""
    steps: tuple[Step, ...]
    replay: str
    curl: str


class CauseView(NamedTuple):
    """One cause, its examples and the rest of its cases."""

    number: int
    cause: Cause
    examples: tuple[Example, ...]
    others: tuple[str, ...]
    also: tuple[tuple[str, str], ...]
    """Some of the others, by name and title: what they are about says what is wrong more exactly."""


@dataclass(slots=True)
class _Room:
    """How many characters of evidence still find room."""

    left: int = _MOST_ON_PAGE

    def takes(self, steps: Sequence[Step]) -> bool:
        """Whether the steps find room; then it is taken."""
        size = sum(len(escape(text)) for step in steps for text in _texts(step))
        if size > self.left:
            return False
        self.left -= size
        return True


def _texts(step: Step) -> Iterator[str]:
    yield step.raw_sent
    yield step.raw_received
    for part in (*step.sent, *step.received):
        yield part.start
        for name, value in part.headers:
            yield f"<dt>{name}</dt><dd>{value}</dd>"
        for span in (*part.body, *part.payload):
            yield span.text


@dataclass(frozen=True, slots=True)
class _Known:
    """What every example needs."""

    info: RunInfo
    contract: Contract
    results: Mapping[str, CaseResult]
    room: _Room = field(default_factory=_Room)
    families: dict[tuple[str, str], Mapping[str, Case]] = field(default_factory=dict)

    def case(self, result: CaseResult) -> Case | None:
        """The named case of a result."""
        operation = self.contract.operations.get(result.operation)
        if result.tier != "named" or operation is None:
            return None
        key = result.operation, family_of(result.id)
        if key not in self.families:
            self.families[key] = {case.id: case for case in read_family(operation, key[1])}
        return self.families[key].get(result.id)


def cause_views(summary: RunSummary, contract: Contract) -> tuple[CauseView, ...]:
    """The causes in their order, each with one example and, as far as there is room, others that differ from it."""
    known = _Known(summary.info, contract, {result.id: result for result in summary.cases})
    first = [_example(cause, cause.example, known) for cause in summary.causes]
    views = []
    for number, (cause, example) in enumerate(zip(summary.causes, first, strict=True), 1):
        shown = () if example is None else (example, *_further(cause, example, known))
        ids = {one.case.id for one in shown}
        others = tuple(name for name in cause.shown_by if name not in ids)
        views.append(CauseView(number, cause, shown, others, tuple(_titles(others, shown, known))))
    return tuple(views)


def _titles(others: Sequence[str], shown: Iterable[Example], known: _Known) -> Iterator[tuple[str, str]]:
    """Name and title of named cases that stand apart from the examples, from all over the list."""
    seen = {one.case.id.partition("@")[0] for one in shown}
    named = (known.results[name] for name in others if name in known.results)
    apart = {one.id.partition("@")[0]: one for one in named if one.tier == "named"}
    every = [one for name, one in apart.items() if name not in seen]
    left = [one for one in every if is_meant(one)] or every
    for place in range(min(_MOST_TITLES, len(left))):
        result = left[place * len(left) // min(_MOST_TITLES, len(left))]
        case = known.case(result)
        yield result.id.partition("@")[0], "" if case is None else case.title


def _further(cause: Cause, example: Example, known: _Known) -> Iterator[Example]:
    """Examples over another transport, in another format or as another role."""
    seen = {_ways(example.case)}
    for name in cause.shown_by:
        result = known.results.get(name)
        if len(seen) == _MOST_EXAMPLES:
            return
        if result is not None and _ways(result) not in seen and (other := _example(cause, name, known, brief=True)):
            seen.add(_ways(result))
            yield other


def _ways(result: CaseResult) -> tuple[str, str, str]:
    return result.transport, result.media_type, result.role


def _example(cause: Cause, name: str, known: _Known, *, brief: bool = False) -> Example | None:
    result = known.results.get(name)
    if result is None:
        return None
    finding = cause.finding if name == cause.example else _same(cause, result)
    case = known.case(result)
    steps = tuple(steps_of(result.exchanges, finding))
    if brief:
        steps = tuple(step for step in steps if step.own)
    if not known.room.takes(steps):
        steps = ()
    return Example(
        result,
        finding,
        *beside(finding.expected, finding.actual, _LONGEST),
        "" if case is None else case.title,
        () if case is None else tuple(case_facts(case)),
        tuple(one for one in heaviest_first(result.findings) if one != finding),
        steps,
        replay_command(replay_name(result), known.info),
        _curl(known, result) if steps else "",
    )


def _same(cause: Cause, result: CaseResult) -> Finding:
    """The finding of a case that belongs to the cause, as far as one can tell."""

    def likeness(finding: Finding) -> tuple[bool, ...]:
        model = cause.finding
        return (finding.check == model.check, finding.way == model.way, finding.at == model.at)

    return max(result.findings, key=likeness)


def steps_of(exchanges: Sequence[Recorded], finding: Finding) -> Iterator[Step]:
    """The course of a case. Of messages of one kind in a row the first are shown, and how many there are.

    What is shown at once is what the case itself sent, and for a finding on an effect how things stood afterwards.
    """
    if not exchanges:
        return
    began_s, acted = exchanges[0].started_s, False
    on_paper: dict[str, int] = dict.fromkeys((Purpose.JUDGED, Purpose.TWIN, Purpose.OBSERVATION), 1)
    for _, group in groupby(exchanges, _kind):
        alike = list(group)
        own = alike[0].purpose in OF_A_CASE
        acted = acted or own
        opened = own or (acted and finding.check == "effect" and alike[0].purpose == Purpose.OBSERVATION)
        apart = [one for place, one in enumerate(alike) if not place or _answer(one) != _answer(alike[place - 1])]
        shown = apart[: _MOST_OWN if own else _MOST_ALIKE]
        for place, one in enumerate(shown):
            note = one.problem
            if place == len(shown) - 1 and len(alike) > len(shown):
                rest = len(alike) - len(shown)
                until_s = alike[-1].started_s + alike[-1].took_s - began_s
                same = "the same answer" if len(apart) == len(shown) else "answers like these"
                note = f"{note} and {rest} more until +{until_s:.3f} s, with {same}".strip()
            printed = opened and on_paper.get(one.purpose, 0) > 0
            if printed:
                on_paper[one.purpose] -= 1
            step = _step(one, finding.at if own else "", began_s, note)
            yield step._replace(opened=opened, printed=printed)


def _kind(one: Recorded) -> tuple[str, str, str]:
    sent = "" if one.evidence is None else one.evidence.sent
    return one.purpose, one.role, one.transport if Transport(one.transport).framed else sent.partition("\r\n")[0]


def _answer(one: Recorded) -> str:
    """What came, without headers, which hold the time."""
    text = "" if one.evidence is None else one.evidence.received
    return text.partition("\r\n\r\n")[2] or text


def _step(one: Recorded, at: str, began_s: float, note: str) -> Step:
    sent_text, received_text, cut = "", "", False
    if one.evidence is not None:
        sent_text, received_text, cut = one.evidence.sent, one.evidence.received, one.evidence.truncated
    sent, received = parts_of(sent_text, one.transport), parts_of(received_text, one.transport, at)
    framed = Transport(one.transport).framed
    begun = datetime.fromtimestamp(one.started_s, UTC).strftime("%H:%M:%S.%f")[:-3]
    notes = [note, "only the beginning of the message is kept here" if cut else ""]
    return Step(
        purpose=one.purpose,
        who=f"as {one.role or 'nobody'} over {Transport(one.transport).label}",
        at=begun,
        after=f"+{one.started_s - began_s:.3f} s",
        took=_duration(one.took_s),
        what=f"{_told(sent, framed)} → {_told(received, framed) or one.problem or 'no answer'}",
        sent=sent,
        received=received,
        raw_sent=_raw(sent_text),
        raw_received=_raw(received_text),
        note="; ".join(filter(None, notes)),
        own=one.purpose in OF_A_CASE,
        opened=False,
        printed=False,
        framed=framed,
    )


def _raw(text: str) -> str:
    """The bytes as evidence has them: line ends are written out, and lines still end there."""
    return visible(text).replace("\\r\\n", "\\r\\n\n").replace("\\n", "\\n\n").replace("\\r\\n\n\n", "\\r\\n\n")


def _told(parts: Sequence[Part], framed: bool) -> str:
    """One message in a few words."""
    if not parts:
        return ""
    start = parts[0].start
    if start.startswith("HTTP/"):
        return start.partition(" ")[2]
    if start:
        return start.rpartition(" ")[0]
    if not framed:
        return "bytes that are no HTTP"
    return f"frame {parts[0].call}".strip() + (f" and {len(parts) - 1} more" if len(parts) > 1 else "")


def _duration(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.1f} ms"


def _curl(known: _Known, result: CaseResult) -> str:
    """The judged message as a command to paste, as far as evidence holds it whole."""
    for one in result.exchanges:
        if one.purpose == Purpose.JUDGED and one.evidence is not None and not one.evidence.truncated:
            return by_hand_again(one.evidence.sent, one.transport, _endpoint(known, result, one.evidence.sent))
    return ""


def _endpoint(known: _Known, result: CaseResult, sent: str) -> Endpoint:
    """Where a message went, as the target file says; the bundled server is known by the header Host alone."""
    operation = known.contract.operations.get(result.operation)
    services = known.info.target.get("services")
    service = services.get(operation.service) if isinstance(services, Mapping) and operation else None
    named = service if isinstance(service, Mapping) else {}
    host = _host(sent)
    address = _address(str(named.get("http") or (f"http://{host}" if host else "http://localhost")))
    return Endpoint(address, str(named.get("websocket") or "the server"), Tls(), "", _TIMEOUT_S)


def _host(sent: str) -> str:
    for line in sent.partition("\r\n\r\n")[0].split("\r\n")[1:]:
        name, _, value = line.partition(":")
        if name.lower() == "host":
            return value.strip()
    return ""


def _address(text: str) -> Address | None:
    try:
        return parse_address(text)
    except AddressError:
        return None
