"""The rows of a summary: one for each requirement, error-code cell and reading, and the whole.

Gathers results as they come, in memory that does not grow with the number of generated cases.

Every named case is kept whole. Of generated cases those that passed are counted; of the others the first few hundred by
id are kept, the rest counted. The same results give the same gathering, whatever their order.

Findings by requirement, so that hundreds of them stay readable, each with the command that replays it.
"""

from __future__ import annotations

import shlex
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from conformance.cases.combinations.count import Coverage
from conformance.endpoint.choose import REFERENCE, is_reference
from conformance.errors import Hindrance
from conformance.model.spec import Contract
from conformance.model.verdict import CaseResult, Evidence, Finding, Recorded, RunInfo, Verdict
from conformance.report.causes import Cause, Key, keys_of, replay_name

MOST_KEPT = 500
MOST_EVIDENCE = 4000
"""Characters of a case's messages, each way, that a report shows."""


@dataclass(slots=True)
class Folded:
    """Counts of the generated cases that are not kept."""

    verdicts: Counter[Verdict] = field(default_factory=Counter)
    requirements: Counter[tuple[str, str, Verdict]] = field(default_factory=Counter)
    """(operation, requirement, verdict) to how many."""
    readings: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    hindrances: Counter[str] = field(default_factory=Counter)
    """Reason to how many were not carried out."""
    carried_out: Counter[str] = field(default_factory=Counter)
    """Operation to how many were carried out."""
    wrong: Counter[Key] = field(default_factory=Counter)
    """What was wrong in those that failed, each thing with how many had it."""
    took_s: defaultdict[tuple[str, str], float] = field(default_factory=lambda: defaultdict(float))
    """(operation, requirement) to how long the exchanges of its cases took."""

    def add(self, result: CaseResult) -> None:
        """Count one more result."""
        self.verdicts[result.verdict] += 1
        if reason := hindrance_of(result):
            self.hindrances[reason] += 1
        else:
            self.carried_out[result.operation] += 1
        if result.verdict is Verdict.FAIL:
            self.wrong.update(keys_of(result).keys())
        took_s = result.took_s
        for name in {*result.requirements, *(finding.requirement for finding in result.findings)}:
            self.requirements[result.operation, name, result.verdict] += 1
            self.took_s[result.operation, name] += took_s
        self.readings.update(result.readings)
        self.requests += result.requests

    def take_out(self, result: CaseResult) -> None:
        """Undo the counting of this case's earlier pass."""
        self.verdicts[Verdict.PASS] -= 1
        self.carried_out[result.operation] -= 1
        for name in result.requirements:
            self.requirements[result.operation, name, Verdict.PASS] -= 1
        self.readings.subtract(result.readings)
        self.requests -= result.requests

    def for_requirement(self, name: str) -> int:
        """How many counted cases name a requirement."""
        return sum(count for (_, requirement, _), count in self.requirements.items() if requirement == name)


@dataclass(slots=True)
class Gathering:
    """Results of a run so far; a later result of a named case takes the place of an earlier one."""

    named: dict[str, CaseResult] = field(default_factory=dict)
    generated: dict[str, CaseResult] = field(default_factory=dict)
    folded: Folded = field(default_factory=Folded)
    rows: dict[str, dict[str, str]] = field(default_factory=dict)
    """Operation to the rows that its cases have, each with why none was carried out; "" where one was."""

    def add(self, result: CaseResult) -> None:
        """Take one finished case; of its evidence no more than reports show, for the journal has it all."""
        if result.rows:
            known, why = self.rows.setdefault(result.operation, {}), hindrance_of(result)
            for row in result.rows:
                known[row] = why and known.get(row, why)
        result = _lighter(result)
        if result.tier == "named":
            self.named[result.id] = result
        elif result.verdict is Verdict.PASS:
            self.folded.add(result)
        else:
            if result.revised:
                self.folded.take_out(result)
            self.generated[result.id] = result
            if len(self.generated) > MOST_KEPT:
                self.folded.add(self.generated.pop(max(self.generated)))

    @property
    def results(self) -> tuple[CaseResult, ...]:
        """What is kept, in the order of ids."""
        kept = {**self.named, **self.generated}
        return tuple(kept[name] for name in sorted(kept))


def _lighter(result: CaseResult) -> CaseResult:
    texts = (one.evidence for one in result.exchanges if one.evidence is not None)
    if all(max(len(one.sent), len(one.received)) <= MOST_EVIDENCE for one in texts):
        return result
    return replace(result, exchanges=tuple(_shorter(one) for one in result.exchanges))


def _shorter(one: Recorded) -> Recorded:
    evidence = one.evidence
    if evidence is None or max(len(evidence.sent), len(evidence.received)) <= MOST_EVIDENCE:
        return one
    sent, received = evidence.sent[:MOST_EVIDENCE], evidence.received[:MOST_EVIDENCE]
    return one._replace(evidence=Evidence(sent, received, truncated=True))


def gather(results: Iterable[CaseResult]) -> Gathering:
    """All results gathered, each case counted once by its latest result."""
    gathering = Gathering()
    for result in {result.id: result for result in results}.values():
        gathering.add(result)
    return gathering


_WITHOUT_A_REASON = {
    Verdict.TARGET_ERROR: Hindrance.UNREACHABLE,
    Verdict.HARNESS_ERROR: Hindrance.HARNESS,
    Verdict.NOT_APPLICABLE: Hindrance.NOT_APPLICABLE,
    Verdict.NOT_VERIFIED: Hindrance.OTHER,
}
_WORDS: Mapping[str, str] = {
    Hindrance.SCOPE: "outside the scope",
    Hindrance.CAP: "beyond the cap of messages",
    Hindrance.NO_ROLE: "without their role",
    Hindrance.SIGN_IN: "not signed in",
    Hindrance.NO_STATE: "without their state",
    Hindrance.POOL: "with the pool used up",
    Hindrance.BINDING: "with a binding missing",
    Hindrance.TRANSPORT: "over a transport that is not there",
    Hindrance.CODE: "with a code that nobody says how to provoke",
    Hindrance.UNSEEN: "with an effect that nobody could see",
    Hindrance.LOST: "on a connection that was lost",
    Hindrance.NOT_SENT: "that could not be sent",
    Hindrance.BEYOND: "with an answer beyond what is read",
    Hindrance.INFRASTRUCTURE: "spoilt by the infrastructure",
    Hindrance.UNREACHABLE: "without an answer of the target",
    Hindrance.HOOK: "without an answer of the state hook",
    Hindrance.NOT_BEGUN: "not begun",
    Hindrance.NOT_APPLICABLE: "not applicable",
    Hindrance.HARNESS: "broken off by the harness",
    Hindrance.ACCEPTED: "accepted as lacking",
    Hindrance.OTHER: "for other reasons",
}


def hindrance_words(reason: str) -> str:
    """The word that cases are counted by as it stands in a sentence: `outside the scope`."""
    return _WORDS.get(reason, reason)


def hindrance_of(result: CaseResult) -> str:
    """Why a case was not carried out, in the word that it is counted by; empty when it was."""
    if result.verdict in (Verdict.PASS, Verdict.FAIL, Verdict.WAIVED):
        return ""
    if result.accepted:
        return Hindrance.ACCEPTED.value
    return str(result.hindrance) or _WITHOUT_A_REASON[result.verdict].value


@dataclass(frozen=True, slots=True)
class CarriedOut:
    """How many cases were carried out, and why the others were not."""

    cases: int = 0
    of: int = 0
    hindered: Mapping[str, int] = field(default_factory=dict)
    """Reason to how many, in the order of reasons."""

    @property
    def share(self) -> float:
        """Of all cases; 1 where there are none."""
        return self.cases / self.of if self.of else 1.0

    def reaches(self, least: float) -> bool:
        """Whether it is enough. What the target file says that it lacks does not count against it."""
        wanted = self.of - self.hindered.get(Hindrance.ACCEPTED, 0)
        return self.cases >= least * wanted

    @property
    def words(self) -> str:
        """`736 of 1,477 cases carried out, 741 outside the scope`."""
        reasons = (f"{count:,} {hindrance_words(reason)}" for reason, count in self.hindered.items())
        noun = "case" if self.of == 1 else "cases"
        return ", ".join([f"{self.cases:,} of {self.of:,} {noun} carried out", *reasons])


def carried_out(results: Iterable[CaseResult], folded: Folded, planned: int) -> CarriedOut:
    """Count the cases of a run that meant to execute so many; what it did not come to was not begun."""
    tally, cases = Counter(folded.hindrances), folded.verdicts.total() - folded.hindrances.total()
    for result in results:
        reason = hindrance_of(result)
        if reason:
            tally[reason] += 1
        else:
            cases += 1
    whole = cases + tally.total()
    if planned > whole:
        tally[Hindrance.NOT_BEGUN.value] += planned - whole
    ordered = {reason.value: tally[reason.value] for reason in Hindrance if tally[reason.value]}
    return CarriedOut(cases, max(whole, planned), ordered)


RunVerdict = Literal["pass", "fail", "incomplete", "error"]


@dataclass(frozen=True, slots=True)
class RequirementRow:
    """The verdict on one requirement; `cases` are the named ones of it and all that found against it."""

    id: str
    operation: str
    level: str
    verdict: Verdict
    reason: str
    cases: tuple[str, ...]
    generated: int
    """How many generated cases name it."""
    accepted: bool = False
    """A gap that the configuration accepts; it leaves the run complete."""


@dataclass(frozen=True, slots=True)
class CodeRow:
    """One cell of the matrix: an error code of an operation in one media type over one transport."""

    operation: str
    code: str
    media_type: str
    transport: str
    verdict: Verdict
    reason: str
    case: str | None
    accepted: bool = False


@dataclass(frozen=True, slots=True)
class ReadingRow:
    """How often each alternative of a reading was observed."""

    id: str
    observed: Mapping[str, int]
    pinned: str | None

    @property
    def mixed(self) -> bool:
        """Whether the endpoint showed more than one alternative."""
        return len(self.observed) > 1


@dataclass(frozen=True, slots=True)
class Told:
    """The cases that speak for an edition, and those that speak against it."""

    speaks_for: tuple[str, ...]
    against: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EditionRow:
    """Which edition of an operation's page the endpoint speaks."""

    operation: str
    pinned: str | None
    spoken: tuple[str, ...]
    """The editions for which a case speaks, and against which none does."""
    told: Mapping[str, Told]
    """Every edition, the one that the contract is made from first."""

    @property
    def words(self) -> str:
        """What the endpoint speaks, in words."""
        if self.spoken:
            return " or ".join(self.spoken)
        telling = any(one.speaks_for or one.against for one in self.told.values())
        return "none of them throughout" if telling else "not told by any case"


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What a run came to; `reasons` says in words why the verdict is what it is."""

    info: RunInfo
    duration_s: float
    verdict: RunVerdict
    exit_code: int
    reasons: tuple[str, ...]
    requests_sent: int
    """Judged messages."""
    requirements: tuple[RequirementRow, ...]
    error_codes: tuple[CodeRow, ...]
    readings: tuple[ReadingRow, ...]
    cases: tuple[CaseResult, ...]
    carried_out: CarriedOut = CarriedOut()
    messages_sent: int = 0
    """Messages that passed the gate to the wire, whatever for; 0 when that is not known."""
    waivers: Mapping[str, int] = field(default_factory=dict)
    """How many cases each waiver matched."""
    notices: tuple[str, ...] = ()
    """What is to be known beside the verdict, in words: unchecked TLS, flaky cases, things left on the target."""
    cut_short: str = ""
    """Why the run did not come to its end, in words; empty when it did."""
    left_behind: tuple[str, ...] = ()
    """What the run could not take back, by ids that differ from run to run: printed, and in the journal's footer."""
    causes: tuple[Cause, ...] = ()
    """What is wrong, the heaviest first."""
    folded: Folded = field(default_factory=Folded)
    """Generated cases that are only counted: those that passed, and failures beyond the first few hundred."""
    editions: tuple[EditionRow, ...] = ()
    """Which edition of its page each operation speaks, of those that have several."""
    coverage: tuple[Coverage, ...] = ()
    """How many combinations of levels the cases have covered, of two factors and of three."""
    chosen: str = ""
    """To what the run was limited, in words; empty for a run of everything."""

    @property
    def requirement_counts(self) -> dict[str, int]:
        """How many requirements have each verdict; every verdict is a key."""
        return count_verdicts(row.verdict for row in self.requirements)

    @property
    def case_counts(self) -> dict[str, int]:
        """How many cases have each verdict; every verdict is a key."""
        counts = count_verdicts(result.verdict for result in self.cases)
        return {name: count + self.folded.verdicts[Verdict(name)] for name, count in counts.items()}


SHOWN_ORDER = (
    Verdict.PASS,
    Verdict.FAIL,
    Verdict.WAIVED,
    Verdict.NOT_VERIFIED,
    Verdict.NOT_APPLICABLE,
    Verdict.TARGET_ERROR,
    Verdict.HARNESS_ERROR,
)
"""The order in which counts of verdicts are written."""


def count_verdicts(verdicts: Iterable[Verdict]) -> dict[str, int]:
    """Tally of verdicts in `SHOWN_ORDER`, zeros included."""
    tally = Counter(verdicts)
    return {verdict.value: tally[verdict] for verdict in SHOWN_ORDER}


_UNKNOWN = "not in this contract"


@dataclass(frozen=True, slots=True)
class Instance:
    """One finding with the case that made it."""

    case: CaseResult
    finding: Finding
    replay: str


@dataclass(frozen=True, slots=True)
class FindingGroup:
    """The findings on one requirement; `text` and `place` are the contract's words."""

    requirement: str
    level: str
    document: str
    place: str
    text: str
    shown: tuple[Instance, ...]
    total: int

    @property
    def hidden(self) -> int:
        """How many findings are counted but not shown."""
        return self.total - len(self.shown)


def finding_groups(summary: RunSummary, contract: Contract, most: int) -> tuple[FindingGroup, ...]:
    """The findings that no waiver covers, sorted by requirement and case, at most `most` shown in each group.

    Named cases come first; one finding of each case is shown before a second one of any.
    """
    by_requirement: defaultdict[str, list[tuple[CaseResult, Finding]]] = defaultdict(list)
    for result in summary.cases:
        if result.verdict is not Verdict.WAIVED:
            for finding in result.findings:
                by_requirement[finding.requirement].append((result, finding))
    return tuple(_group(name, by_requirement[name], contract, summary.info, most) for name in sorted(by_requirement))


def waived(summary: RunSummary) -> tuple[CaseResult, ...]:
    """The cases that a waiver covers, sorted by id."""
    return tuple(result for result in summary.cases if result.verdict is Verdict.WAIVED)


def troubled(summary: RunSummary) -> tuple[CaseResult, ...]:
    """The cases that ended in an error of the target or of the harness, sorted by id."""
    errors = (Verdict.TARGET_ERROR, Verdict.HARNESS_ERROR)
    return tuple(result for result in summary.cases if result.verdict in errors)


def replay_command(case_id: str, info: RunInfo) -> str:
    """The command line that sends the case again; names the target's `file` or `url`, or the bundled one if changed."""
    recorded = info.target.get("recording")
    if isinstance(recorded, (list, tuple)):  # nothing was sent, and nothing is sent again
        exchange = [] if not case_id else ["--exchange", case_id.rpartition("/")[0] or case_id]
        return shlex.join(["conformance", "judge", *map(str, recorded), *exchange])
    driver = info.target.get("driver")
    if isinstance(driver, str):
        return shlex.join(["conformance", "client", "--driver", driver, *(["--case", case_id] if case_id else [])])
    words = ["conformance", "replay", case_id]
    named = str(info.target.get("name", ""))
    source = info.target.get("file") or info.target.get("url") or (named if is_reference(named) else "")
    if isinstance(source, str) and source not in ("", REFERENCE):
        words += ["--target", source]
    return shlex.join(words)


def _group(
    name: str, found: list[tuple[CaseResult, Finding]], contract: Contract, info: RunInfo, most: int
) -> FindingGroup:
    shown = tuple(
        Instance(result, finding, replay_command(replay_name(result), info)) for result, finding in _spread(found)
    )[:most]
    requirement = contract.requirements.get(name)
    if requirement is None:
        return FindingGroup(name, "must", "", "", _UNKNOWN, shown, len(found))
    return FindingGroup(
        requirement=name,
        level=requirement.level,
        document=requirement.document,
        place=requirement.place,
        text=requirement.text,
        shown=shown,
        total=len(found),
    )


def _spread(found: list[tuple[CaseResult, Finding]]) -> Iterable[tuple[CaseResult, Finding]]:
    """First findings of all cases, then second ones, and so on; named before generated."""
    seen: defaultdict[str, int] = defaultdict(int)
    ranked = []
    for position, (result, finding) in enumerate(found):
        ranked.append((seen[result.id], result.tier != "named", position, result, finding))
        seen[result.id] += 1
    ranked.sort(key=lambda entry: entry[:3])
    return ((result, finding) for *_, result, finding in ranked)


@dataclass(frozen=True, slots=True)
class ReportFormat:
    """One kind of report: the file in the report folder, and what writes it; text is written as UTF-8.

    `conformance.plugins` names it. The same summary gives the same bytes.
    """

    file: str
    write: Callable[[RunSummary, Contract], str | bytes]
