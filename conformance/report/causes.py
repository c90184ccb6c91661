"""Causes: the findings of a run gathered by what is wrong, the heaviest first, so that one fault is told once.

A cause is one check, requirement, place and way of being wrong, whatever the media type, transport, role or value. What a
request broke is the theme of its case, so findings on the outcome and the effect are one cause if they are wrong in the
same way, whatever requirements their cases are about. Of the findings of one case the heaviest counts; what
follows from it is named beside it.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import pairwise

from conformance.cases.combinations.arrays import FAMILY as COMBINATIONS
from conformance.cases.fixtures import family_of, read_fixtures
from conformance.checks.kit import STATUS_OF_REFUSAL
from conformance.checks.outcome import ACCEPTED, CAME_BACK, CANCELLED, REFUSED, SHAPELESS, TOUCHED, UNDONE
from conformance.model.spec import Contract
from conformance.model.verdict import FROZEN_NOTE, CaseResult, Finding, Verdict
from conformance.report.factors import Common, Table, common, table_of


class Kind(StrEnum):
    """What a cause does to who relies on the endpoint, the worst first."""

    ACTED = "acted"
    LEAKED = "leaked"
    ACCEPTED = "accepted"
    UNDONE = "undone"
    OUTCOME = "outcome"
    SILENT = "silent"
    FORM = "form"
    READING = "reading"

    @property
    def words(self) -> str:
        """As it stands in a report."""
        return _WORDS[self]


_WORDS = {
    Kind.ACTED: "acted on what it must not",
    Kind.LEAKED: "gave a credential away",
    Kind.ACCEPTED: "accepted what it must refuse",
    Kind.UNDONE: "did not do what it must",
    Kind.OUTCOME: "wrong outcome",
    Kind.SILENT: "no answer",
    Kind.FORM: "wrong form",
    Kind.READING: "another reading than pinned",
}
_OF_ANSWERS = (Kind.ACCEPTED, Kind.OUTCOME)
"""Kinds of which the code that came is the symptom, and no circumstance."""
_RANK = {kind: place for place, kind in enumerate(Kind)}
_KINDS = {
    "together": Kind.ACCEPTED,
    "race": Kind.OUTCOME,
    "secrets": Kind.LEAKED,
    "relation": Kind.OUTCOME,
    "identity": Kind.OUTCOME,
    "one-each": Kind.OUTCOME,
    "answered": Kind.SILENT,
    "bad-input": Kind.SILENT,
    "reading": Kind.READING,
    "client-belief": Kind.OUTCOME,
    "client-survives": Kind.SILENT,
    "client-touch": Kind.ACTED,
    "client-names": Kind.ACTED,
    "client-retry": Kind.ACTED,
}
"""The kinds of checks; one that is not listed speaks of the form of an answer."""


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that is wrong, with one example of it and how many cases show it."""

    id: str
    """Requirement, check, and way or place: the same in every run in which it has that requirement."""
    kind: Kind
    operation: str
    requirement: str
    """The one of whose cases the most break it: it says best what is wrong."""
    requirements: tuple[str, ...]
    """Every one that it breaks, in that order."""
    check: str
    message: str
    """What is wrong, in words that are the same for all its cases."""
    document: str
    place: str
    text: str
    """The clause, in the contract's words."""
    cases: int
    """How many cases show it."""
    of: int
    """How many cases of the operation were carried out."""
    example: str
    """The id of the smallest case that shows it."""
    finding: Finding
    """What was found there."""
    replay: str
    """What `conformance replay` takes for it: its id, or a file."""
    shown_by: tuple[str, ...]
    """The ids of all cases that show it, as far as they are kept."""
    follows: tuple[str, ...] = ()
    """The requirements that only cases of this cause break: what follows from it, the heaviest first."""
    common: Common | None = None
    """What the cases that show it have in common and those that pass have not, as far as one can tell."""

    @property
    def only_when(self) -> Mapping[str, str]:
        """Factor to level; empty where the cases have nothing in common."""
        return self.common.levels if self.common else {}


_JUDGED = (Verdict.PASS, Verdict.FAIL)
Key = tuple[str, ...]
"""Operation, check, requirement, place, and what was wanted there; requirement and place are empty where they are the
theme of a case and not what is wrong."""


def causes(
    results: Sequence[CaseResult],
    contract: Contract,
    counted: Mapping[Key, int] | None = None,
    further: Mapping[str, int] | None = None,
) -> tuple[Cause, ...]:
    """The causes of what failed, by weight, then by the number of cases; waived cases have none.

    Of cases that are not kept, `counted` are the keys (see `keys_of`) of failed ones, with how many have them, and
    `further` says how many there are of each operation that were carried out.
    """
    carried_out = Counter(one.operation for one in results if one.verdict in _JUDGED)
    carried_out.update(further or {})
    naming = Counter(name for one in results if one.verdict in _JUDGED for name in one.requirements)
    failed = sorted((one for one in results if one.verdict is Verdict.FAIL and one.findings), key=lambda one: one.id)
    refusals = {name: one.attribution.get("effect", "") for name, one in contract.operations.items()}
    groups = sorted(_merged(_groups(failed), counted or {}), key=_weight)
    tables = _tables(results, contract, {one.operation for one in failed})
    made = [
        _cause(group, contract, carried_out[group.key[0]], tables.get(group.key[0], ()), naming)
        for group in list(_heads(groups, refusals))
    ]
    return tuple(_told_apart(sorted(made, key=lambda one: (_RANK[one.kind], -one.cases, one.id))))


def keys_of(result: CaseResult) -> dict[Key, Finding]:
    """What is wrong in one case, without what follows from it: each key with its first finding."""
    found: dict[Key, Finding] = {}
    for finding in _roots(result.findings):
        found.setdefault(_key(result.operation, finding), finding)
    return found


_BY_CASE = frozenset({"outcome", "effect", "together", "relation", "client-belief"})
"""Checks whose findings are on the requirement that their case is about, which says nothing of what is wrong."""
_AT_A_PLACE = ("schema", "identity")
"""Checks, in this order, whose finding at a place follows from one that another check made there."""
_STRUCTURE = frozenset({"xml-root", "xml-namespace", "xml-item"})
_NO_RESULT = re.compile(r"(?:/\d+)?")
"""Where a list of results, or one of them, stands in an answer."""
_OF_RESULTS = frozenset({"one-each", "identity"})
"""Checks of results, which nobody finds in an answer that is built wrong."""
_ONE_THING = _OF_RESULTS | {"race"}
"""Checks that are wrong in one way: which member, how many results or which order it shows in hangs on the case."""
_STEP = re.compile(r"(?<=/)\d+(?=/|$)|\[\d+\]")
_VALUE = re.compile(r'"(?:[^"\\]|\\.)*"|\d+')


def _roots(findings: Sequence[Finding]) -> Iterator[Finding]:
    """The findings of a case that do not follow from another one."""
    first: dict[str, int] = {}
    for finding in findings:
        first[finding.at] = min(first.get(finding.at, len(_AT_A_PLACE)), _step(finding))
    others = any(not _is_weak(one) for one in findings)
    built_wrong = any(map(_is_built_wrong, findings))
    for finding in findings:
        if (others and _is_weak(finding)) or (built_wrong and finding.check in _OF_RESULTS):
            continue
        if finding.check in _BY_CASE or _step(finding) == first[finding.at]:
            yield finding


def _is_weak(finding: Finding) -> bool:
    """Whether it follows from any other one: what cannot be read tells no outcome, and is answered otherwise elsewhere."""
    return finding.check == "relation" or (finding.check == "outcome" and finding.way == SHAPELESS)


def _is_built_wrong(finding: Finding) -> bool:
    """Whether it says that something else stands where a list of results, or one of them, should."""
    if finding.check == "schema":
        return finding.expected in ("object", "list") and _NO_RESULT.fullmatch(finding.at) is not None
    return finding.check in _STRUCTURE


def _step(finding: Finding) -> int:
    return _AT_A_PLACE.index(finding.check) + 1 if finding.check in _AT_A_PLACE else 0


def _key(operation: str, finding: Finding) -> Key:
    if finding.check == "together":
        return operation, "outcome", "", "", ACCEPTED
    if _is_outcome(finding):
        return operation, "outcome", "", "", _way(finding)
    if finding.check in _BY_CASE:
        return operation, finding.check, "", "", _way(finding)
    if _is_effect(finding):
        return operation, "effect", "", "", _way(finding)
    if _is_unreadable(finding):
        return operation, "readable", "", "", "JSON" if "JSON" in finding.expected else finding.expected
    if finding.check in _ONE_THING:
        return operation, finding.check, finding.requirement, "", ""
    if finding.check == "media-type":  # whatever was asked for: what came in its place tells one way from another
        return operation, finding.check, "", finding.at, finding.actual.partition(";")[0].strip().lower()
    wanted = _VALUE.sub("…", finding.expected or finding.message)
    return operation, finding.check, finding.requirement, _STEP.sub("*", finding.at), wanted


def _is_effect(finding: Finding) -> bool:
    """Whether it is about what became of an order or quote, also where calls overlapped."""
    return finding.check == "effect" or (finding.check == "race" and finding.way in (TOUCHED, UNDONE))


def _is_outcome(finding: Finding) -> bool:
    """Whether it is about what an answer says came of the request, also where calls overlapped."""
    return finding.check == "outcome" or (finding.check == "race" and finding.way == ACCEPTED)


def _is_unreadable(finding: Finding) -> bool:
    """Whether nobody can read the answer: the body, or what stands as a text in a frame."""
    return finding.check == "readable" or (finding.check == "frame" and finding.way == SHAPELESS)


def _way(finding: Finding) -> str:
    """How an outcome or an effect is wrong; a journal of an earlier version does not say it of outcomes."""
    if finding.check == "effect":
        return UNDONE if finding.expected == CANCELLED else TOUCHED
    return finding.way


@dataclass(slots=True)
class _Group:
    """What belongs to one cause: each case that shows it, with the finding."""

    key: Key
    shown: dict[str, tuple[CaseResult, Finding]] = field(default_factory=dict)
    further: int = 0
    own: frozenset[str] = frozenset()
    """The cases of which no heavier group is the cause."""
    behind: dict[str, int] = field(default_factory=dict)
    """The requirements of groups that have no case of their own beside this one, each with the rank of the heaviest."""

    @property
    def kind(self) -> Kind:
        """The kind of the first finding; all have the same."""
        return kind_of(next(iter(self.shown.values()))[1])


def kind_of(finding: Finding) -> Kind:
    """What a finding does to who relies on the endpoint."""
    if _is_effect(finding):
        return Kind.UNDONE if _way(finding) == UNDONE else Kind.ACTED
    if _is_outcome(finding):
        return {ACCEPTED: Kind.ACCEPTED, SHAPELESS: Kind.FORM}.get(finding.way, Kind.OUTCOME)
    return _KINDS.get(finding.check, Kind.FORM)


def heaviest_first(findings: Iterable[Finding]) -> list[Finding]:
    """The findings of a case by what they do to who relies on the endpoint; those of one kind in their order."""
    return sorted(findings, key=lambda one: _RANK[kind_of(one)])


def _weight(group: _Group) -> tuple[int, int, Key]:
    return _RANK[group.kind], -len(group.shown), group.key


def _groups(failed: Iterable[CaseResult]) -> dict[Key, _Group]:
    groups: dict[Key, _Group] = {}
    for result in failed:
        for key, finding in keys_of(result).items():
            groups.setdefault(key, _Group(key)).shown[result.id] = (result, finding)
    return groups


_MANY = 3
"""One way of being wrong at one place on so many requirements is one cause, such as the texts of all codes."""


def _merged(groups: dict[Key, _Group], counted: Mapping[Key, int]) -> list[_Group]:
    """The groups, those together that are one thing; the one with most cases gives its name."""
    into = {key: key for key in groups}

    def end(key: Key) -> Key:
        while into[key] != key:
            key = into[key]
        return key

    for key, other in _belonging(groups):
        into[end(other)] = end(key)
    merged: dict[Key, _Group] = {}
    for key in sorted(groups, key=lambda key: (-len(groups[key].shown), key)):
        group = merged.setdefault(end(key), _Group(key))
        group.further += counted.get(key, 0)
        for name, shown in groups[key].shown.items():
            group.shown.setdefault(name, shown)
    return list(merged.values())


def _belonging(groups: Mapping[Key, _Group]) -> Iterator[tuple[Key, Key]]:
    """Two keys each that are one thing: seen at several places, on many requirements, or as one wrong answer."""
    for alike in _alike((key for key in groups if key[2]), lambda key: key[:3]):
        for key, other in pairwise(alike):
            if not groups[key].shown.keys().isdisjoint(groups[other].shown):
                yield key, other
    for alike in _alike(groups, lambda key: (*key[:2], *key[3:])):
        if len(alike) >= _MANY:
            yield from pairwise(alike)
    for alike in _alike(groups, lambda key: (key[0], _usual_answer(groups[key]) or repr(key))):
        yield from pairwise(alike)


_STATUS = re.compile(r"^HTTP \d+; ")
_FLAGS = re.compile(r"\d+ results \((\w+)(?:, \1)*\)")


def _usual_answer(group: _Group) -> str:
    """What mostly came where the outcome was neither a success nor unreadable; empty for any other group."""
    if group.kind is not Kind.OUTCOME or group.key[1] not in _BY_CASE:
        return ""
    tally = Counter(_FLAGS.sub(r"\1", _STATUS.sub("", finding.actual)) for _, finding in group.shown.values())
    return min(tally, key=lambda actual: (-tally[actual], actual))


def _alike(groups: Iterable[Key], by: Callable[[Key], Key]) -> Iterator[list[Key]]:
    found: defaultdict[Key, list[Key]] = defaultdict(list)
    for key in sorted(groups):
        found[by(key)].append(key)
    yield from (found[shared] for shared in sorted(found))


def _heads(groups: Sequence[_Group], refusals: Mapping[str, str]) -> Iterator[_Group]:
    """The groups that some case has as its heaviest, with what stands behind them.

    What is only found where the answer says something else than it should comes first: it follows from how that was read.
    `refusals` are the requirements on what a refusal must leave alone, by operation.
    """
    claimed: dict[str, _Group] = {}
    for contrary in filter(_is_contrary, groups):
        for group in groups:
            if _is_read_from(group, refusals) and group.shown.keys() <= contrary.shown.keys():
                claimed.update(dict.fromkeys(group.shown, contrary))
    for group in groups:
        group.own = frozenset(name for name in group.shown if claimed.get(name, group) is group)
        claimed.update((name, group) for name in group.own)
        if group.own:
            yield group
            continue
        owners = Counter(id(claimed[name]) for name in group.shown)
        most = max(owners.values())
        owner = next(claimed[name] for name in sorted(group.shown) if owners[id(claimed[name])] == most)
        for _, finding in group.shown.values():
            rank = _RANK[group.kind]
            owner.behind[finding.requirement] = min(rank, owner.behind.get(finding.requirement, rank))


def _is_contrary(group: _Group) -> bool:
    """Whether its answers are built otherwise than they should, or say one thing by the status and another by the body."""
    finding = next(iter(group.shown.values()))[1]
    return _is_built_wrong(finding) or (finding.check == "status" and finding.expected == STATUS_OF_REFUSAL)


def _is_read_from(group: _Group, refusals: Mapping[str, str]) -> bool:
    """Whether it rests on what was read from the answer, as a success or as a refusal."""
    if group.kind is Kind.ACTED:
        refusal = refusals.get(group.key[0])
        return all(finding.requirement == refusal for _, finding in group.shown.values())
    return group.kind in (Kind.UNDONE, Kind.OUTCOME)


def _tables(results: Sequence[CaseResult], contract: Contract, operations: Collection[str]) -> dict[str, list[Table]]:
    """For each of the operations its named cases by what they are, and all cases by the little that results tell."""
    tables = {}
    for operation in (contract.operations[name] for name in sorted(operations) if name in contract.operations):
        cases = {case.id: case for case in read_fixtures(operation) or ()}
        judged = [one for one in results if one.operation == operation.id and one.verdict in _JUDGED]
        named = [one for one in judged if one.id in cases]
        tables[operation.id] = [table_of(named, cases, operation), table_of(judged, {}, operation)]
    return tables


_FEW = 2
"""So many more cases that name a requirement are assumed to pass, so that one that fails does not count as all of them."""


def _cause(group: _Group, contract: Contract, of: int, tables: Sequence[Table], naming: Mapping[str, int]) -> Cause:
    table = next((one for one in tables if one.bits(group.shown)), None)
    mine = [group.shown[name] for name in sorted(group.own)]
    tally = Counter(finding.requirement for _, finding in mine)
    share = {name: count / (max(naming[name], count) + _FEW) for name, count in tally.items()}
    names = tuple(sorted(tally, key=lambda name: (-share[name], -tally[name], name)))
    result, finding = min((one for one in mine if one[1].requirement == names[0]), key=_size)
    clause = contract.requirements.get(names[0])
    return Cause(
        id="/".join(
            (names[0], finding.check, *filter(None, (_way(finding) or _STEP.sub("*", finding.at).strip("/"),)))
        ),
        kind=group.kind,
        operation=result.operation,
        requirement=names[0],
        requirements=names,
        check=finding.check,
        message=_words(finding, [one for _, one in mine if one.check == finding.check]),
        document=clause.document if clause else "",
        place=clause.place if clause else "",
        text=clause.text if clause else "not in this contract",
        cases=len(group.shown) + group.further,
        of=of,
        example=result.id,
        finding=finding,
        replay=replay_name(result),
        shown_by=tuple(sorted(group.shown)),
        follows=tuple(sorted(group.behind.keys() - set(names), key=lambda name: (group.behind[name], name))),
        common=common(table, group.shown, answered=group.kind not in _OF_ANSWERS) if table else None,
    )


def is_meant(result: CaseResult) -> bool:
    """Whether a case was made to show one thing; others are made by chance or to have every combination of factors."""
    return result.tier == "named" and family_of(result.id) != COMBINATIONS


def _size(one: tuple[CaseResult, Finding]) -> tuple[bool, bool, bool, int, int, str]:
    """What makes an example a small one: a case about one thing, without overlapping calls, with few findings."""
    result, finding = one
    made = result.tier != "named", not is_meant(result), finding.check == "race"
    return *made, len(result.findings), len(result.id), result.id


_OUTCOMES = {
    ACCEPTED: "success where none is allowed",
    REFUSED: "no success where there must be one",
    SHAPELESS: "an answer that tells no outcome",
}
_MOST_NAMES = 3


def _words(first: Finding, alike: Sequence[Finding]) -> str:
    """What is wrong by the finding of the example, without what differs from it in the others of its check."""
    way = _way(first)
    places = [name for name, _ in Counter(finding.at for finding in alike).most_common()]
    if first.check == "outcome":
        return _OUTCOMES.get(way, "another answer than is allowed")
    if first.check == "effect":
        said = "not cancelled, against what the answer says" if way == UNDONE else "touched, and nobody asked for it"
        said = "cancelled, and back again later" if any(CAME_BACK in one.message for one in alike) else said
        return f"{said}: {_listed(places)}"
    if first.check == "relation":
        return f"answered otherwise than in another form: {_listed(places)}"
    words = first.message.partition(", found ")[0]
    return words.replace(first.actual, "…") if first.actual else words


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def _told_apart(found: Iterable[Cause]) -> Iterator[Cause]:
    """The causes, a number behind ids that come again."""
    seen: Counter[str] = Counter()
    for cause in found:
        seen[cause.id] += 1
        yield replace(cause, id=f"{cause.id}/{seen[cause.id]}") if seen[cause.id] > 1 else cause


def replay_name(result: CaseResult) -> str:
    """What `conformance replay` takes for a case: its id, or the file into which an exploring run wrote it."""
    frozen = (note.removeprefix(FROZEN_NOTE) for note in result.notes if note.startswith(FROZEN_NOTE))
    return next(frozen, result.id)
