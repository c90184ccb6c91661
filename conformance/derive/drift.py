"""A page against an operation's folder: every departure, and whether something named accounts for it.

What accounts for a departure: a reading's `covers`, a ruling settled in page.yaml, or a question still open.

A departure in lines that a person can read: where, what the page says, what stands against it.

The samples of a page against the schemas and XSDs of a folder.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Literal

from conformance.contract.forms import read
from conformance.contract.load import read_operation, read_page_record, read_readings
from conformance.contract.schemas import load_validator
from conformance.contract.source import open_source, raise_faults
from conformance.derive.facts import Fact, Facts, Key, facts_of_folder, facts_of_page
from conformance.derive.misfits.rules import misfits
from conformance.derive.page import MISFITS, Departure, Page, Sample
from conformance.derive.samples import read_sample
from conformance.derive.siblings import Sibling, elsewhere, siblings_in
from conformance.errors import SpecError
from conformance.formats.errors import CodecError, XsdError
from conformance.formats.json.pointer import load_json
from conformance.formats.xml.contract import XmlContract
from conformance.model import REST
from conformance.model.spec import Operation

QUESTIONS = "questions.yaml"


@dataclass(frozen=True, slots=True)
class Cover:
    """One departure that somebody has accounted for; `at` may hold wildcards, the other sides are exact."""

    source: Literal["reading", "settled", "question"]
    name: str
    kind: str
    at: str
    says: str
    against: str

    def fits(self, departure: Departure) -> bool:
        """Whether this is the departure that is accounted for."""
        same = (self.kind, self.says, self.against) == (departure.kind, departure.says, departure.against)
        return same and (departure.at == self.at or fnmatchcase(departure.at, self.at))

    @property
    def words(self) -> str:
        """By what a departure is accounted for, in words."""
        return {
            "reading": f"reading {self.name}",
            "settled": "page.yaml, settled",
            "question": f"question {self.name}",
        }[self.source]


def covers_of(folder: Path) -> tuple[Cover, ...]:
    """All covers of an operation: of the readings beside its folder, of its page.yaml, of its questions.

    Errors: `SpecError` for an entry without one of its four sides.
    """
    operation = read_operation(folder, partial=True)
    return (
        *_of_readings(folder.parent / "readings.yaml", operation),
        *_settled(folder),
        *_of_questions(folder / QUESTIONS),
    )


def _of_readings(path: Path, operation: Operation) -> Iterator[Cover]:
    for reading in read_readings(path, operation.service):
        for one in reading.covers.get(operation.id, ()):
            yield Cover("reading", reading.id, one.kind, one.at, one.says, one.against)


def _settled(folder: Path) -> Iterator[Cover]:
    record = read_page_record(folder)
    for one in record.settled if record is not None else ():
        if not one.because.strip():
            where, hint = str(folder / "page.yaml"), "Say why the question is settled."
            raise SpecError(f"settled, {one.at}: `because` is empty", where=where, hint=hint)
        yield Cover("settled", "", one.kind, one.at, one.says, one.against)


@dataclass(frozen=True, slots=True)
class _Question:
    """A question that is still open, as far as a page is compared with it."""

    kind: str
    at: str
    says: str
    against: str
    id: str = ""
    rest: Annotated[Mapping[str, Any], REST] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Questions:
    """The file of open questions; its other lists are for people."""

    questions: tuple[_Question, ...] = ()
    rest: Annotated[Mapping[str, Any], REST] = field(default_factory=dict)


def _of_questions(path: Path) -> Iterator[Cover]:
    if path.exists():
        source = open_source(path)
        found: _Questions | None = read(_Questions, source)
        raise_faults(source.faults)
        for one in found.questions if found is not None else ():
            yield Cover("question", one.id, one.kind, one.at, one.says, one.against)


_WIDE = 80


def departure_lines(one: Departure, by: str, *, verbose: bool) -> Iterator[str]:
    """One line for a short departure, a diff for a long one; `by` says what accounts for it, or is empty for drift."""
    word = "covered" if by else "drift  "
    place = f", {one.place}" if one.place else ""
    head = f"{word}  {one.at}: {one.kind}{place}"
    if by:
        yield f"{head}: {_cut(one.says)} against {_cut(one.against)}, {by}"
        return
    if one.kind == "ground-gone":
        yield f"{head}: {one.question} is about something that the page no longer shows ({one.against})"
        return
    if one.kind in MISFITS or one.kind in ("added", "removed"):
        asked = f" ({one.question})" if one.question and verbose else ""
        yield f"{head}: {_cut(one.says)} against {_cut(one.against)}{asked}"
        return
    yield head
    if max(len(one.says), len(one.against)) <= _WIDE:
        yield f"  - {one.against}"
        yield f"  + {one.says}"
        return
    lines = difflib.unified_diff(_lines(one.against), _lines(one.says), n=1, lineterm="")
    yield from (f"  {line}" for line in list(lines)[2:] if not line.startswith("@@"))


def _lines(text: str) -> list[str]:
    """A long value in lines: JSON and XML by their parts, anything else by words."""
    try:
        return json.dumps(load_json(text), indent=1, ensure_ascii=False).splitlines()
    except ValueError:
        return (text.replace("><", ">\n<") if text.startswith("<") else text.replace(" ", "\n")).splitlines()


def _cut(text: str) -> str:
    return (text if len(text) <= _WIDE else f"{text[:_WIDE]}…") or "nothing"


_MOST = 3
_TABLE = "sample-against-table"


def samples_against_folder(
    page: Page, folder: Path, known: Sequence[Departure], edition: str = ""
) -> Iterator[Departure]:
    """Each sample that the folder's schema or XSD refuses, but for what is among the departures `known` already.

    Errors: `SpecError` for a schema that does not compile.
    """
    operation = replace(read_operation(folder, partial=True), edition=edition)
    xsd = operation.xsd
    for part, body in page.bodies():
        schema = operation.request_schema if part == "request" else folder / f"{part}.schema.json"
        in_uri = {one.name for one in body.fields if one.in_uri}
        for sample in body.samples:
            found = read_sample(sample.text)
            at = f"samples/{part}-{sample.number}"
            if sample.form == "json" and not found.fault and schema.exists():
                for problem in load_validator(schema).problems(found.value)[:_MOST]:
                    words = f"{problem.pointer} {problem.expected}"
                    if _known(words, part, known) or in_uri & set(re.findall(r"\w+", words)):
                        continue
                    where = problem.pointer or "the sample"
                    yield Departure(
                        "sample-against-schema", at, f"{where}: {problem.actual}", problem.expected, sample.place
                    )
            elif sample.form == "xml" and found.tree is not None and part in xsd:
                yield from _xml(sample, at, folder / xsd[part], known)


def _xml(sample: Sample, at: str, path: Path, known: Sequence[Departure]) -> Iterator[Departure]:
    try:
        for problem in XmlContract.load(path).validate(sample.text.strip().encode())[:_MOST]:
            if not _known(problem.message, sample.part, known):
                yield Departure("sample-against-xsd", at, problem.message, "the XSD", sample.place)
    except CodecError as error:
        yield Departure("sample-against-xsd", at, str(error), "the XSD", sample.place)
    except XsdError as error:
        raise SpecError(str(error), where=str(path), hint="The XSD does not compile.") from None


def _known(text: str, part: str, known: Sequence[Departure]) -> bool:
    """Whether a problem names a member on which the sample and its own table differ already."""
    words = set(re.findall(r"\w+", text))
    return any(
        one.kind == _TABLE and one.at.startswith(f"{part}/") and one.at.rpartition("/")[2] in words for one in known
    )


_UNSAID = frozenset({"method", "path", "permissions", "record"})
_RECORDED = frozenset({"call-type", "category"})
_WIDTHS = ("int32", "int64")


@dataclass(frozen=True, slots=True)
class Comparison:
    """The result: departures that are not covered, departures that are, and what was not compared."""

    operation: str
    compared: int
    drift: tuple[Departure, ...]
    covered: tuple[tuple[Departure, Cover], ...]
    not_compared: tuple[str, ...]


def check_page(
    page: Page,
    folder: Path,
    service: Path | None = None,
    siblings: Sequence[Sibling] | None = None,
    edition: str = "",
) -> Comparison:
    """Hold a page against the operation in `folder`; `service` is the folder of its service, by default the one above.

    `siblings` are the other operations of the service, if they are known already. `edition` is one of the operation's;
    nothing of its page is recorded, so that its request alone is compared otherwise.

    Errors: `SpecError` for a folder that cannot be used.
    """
    theirs, ours = facts_of_page(page), facts_of_folder(folder, edition)
    recorded = not edition and read_page_record(folder) is not None
    sampled = any(key.kind == "sample" for key in ours)
    theirs = {key: fact for key, fact in theirs.items() if _comparable(key, recorded=recorded, sampled=sampled)}
    if siblings is None:
        siblings = siblings_in(service or folder.parent, besides=page.name)
    of_page = list(_of_page(page, siblings))
    found = [*fact_departures(theirs, ours), *samples_against_folder(page, folder, of_page, edition), *of_page]
    drift, covered = _judge(list(dict.fromkeys(_sides(one) for one in found)), found, covers_of(folder))
    why = f"no page of the edition {edition} is recorded" if edition else "the folder has no page.yaml"
    left_out = [] if recorded else [f"wording, category and call type ({why})"]
    left_out += [] if sampled else [f"samples as they are printed ({why if edition else 'the folder has no samples/'})"]
    return Comparison(
        read_operation(folder, partial=True).id, len({*theirs, *ours}), tuple(drift), tuple(covered), tuple(left_out)
    )


def open_points(page: Page, siblings: Sequence[Sibling]) -> tuple[Departure, ...]:
    """What does not fit on a page and between it and the other operations of its service."""
    return tuple({_sides(one): one for one in _of_page(page, siblings)}.values())


def fact_departures(page: Facts, folder: Facts) -> Iterator[Departure]:
    """Each fact that only one side has, or that differs, in the order of the page."""
    stated = {key.kind for key in page}
    for key, fact in page.items():
        other = folder.get(key)
        if other is None:
            if not _part_of(key, page, folder):
                yield _new(key, fact)
        elif other.value != fact.value:
            wide = key.kind == "type" and fact.value == "integer" and other.value in _WIDTHS
            yield Departure("width-unsaid" if wide else key.kind, key.at, fact.value, other.value, fact.place)
    for key, fact in folder.items():
        if key.kind == "limits":
            continue  # a contract may say more than its page; when a page no longer states one, its wording tells
        if key not in page and (key.kind not in _UNSAID or key.kind in stated) and not _part_of(key, folder, page):
            yield _gone(key, fact)


def _part_of(key: Key, one: Facts, other: Facts) -> bool:
    """Whether a fact is a side of a field or a body that is reported as a whole."""
    whole = Key(key.at, "type")
    if key.kind in ("need", "null", "values", "limits") and whole in one and whole not in other:
        return True
    part = Key(key.at.partition("/")[0], "shape")
    return key != part and not key.at.startswith("wording/") and part in one and part not in other


def _of_page(page: Page, siblings: Sequence[Sibling]) -> Iterator[Departure]:
    yield from misfits(page)
    yield from elsewhere(page, siblings)


def _comparable(key: Key, *, recorded: bool, sampled: bool) -> bool:
    if key.at.startswith("wording/") or key.kind in _RECORDED:
        return recorded
    return sampled or key.kind != "sample"


def _new(key: Key, fact: Fact) -> Departure:
    if key.at.startswith("wording/"):
        return Departure("added", key.at, "new or reworded", "not recorded", fact.place)
    return Departure(
        "added",
        f"{key.at} {key.kind}" if key.kind in _DETAILS else key.at,
        fact.value or "a code",
        "nothing",
        fact.place,
    )


def _gone(key: Key, fact: Fact) -> Departure:
    if key.at.startswith("wording/"):
        return Departure("removed", key.at, "gone or reworded", "recorded", None)
    return Departure(
        "removed", f"{key.at} {key.kind}" if key.kind in _DETAILS else key.at, "nothing", fact.value or "a code", None
    )


_DETAILS = frozenset(
    {
        "need",
        "null",
        "values",
        "limits",
        "record",
        "root",
        "item",
        "members",
        "media-types",
        "method",
        "path",
        "permissions",
        "call-type",
        "category",
    }
)


def _sides(one: Departure) -> tuple[str, str, str, str]:
    return one.kind, one.at, one.says, one.against


def _judge(
    order: list[tuple[str, str, str, str]], found: list[Departure], covers: Sequence[Cover]
) -> tuple[list[Departure], list[tuple[Departure, Cover]]]:
    """Each departure once, as drift or with its cover; a cover that matches nothing is drift too."""
    by_sides = {_sides(one): one for one in reversed(found)}
    drift: list[Departure] = []
    covered: list[tuple[Departure, Cover]] = []
    used: set[Cover] = set()
    for sides in order:
        departure = by_sides[sides]
        fitting = [cover for cover in covers if cover.fits(departure)]
        used.update(fitting)
        if fitting:
            covered.append((departure, fitting[0]))
        else:
            drift.append(departure)
    for cover in covers:
        if cover not in used:
            drift.append(
                Departure(
                    "ground-gone",
                    cover.at,
                    "no longer on the page",
                    f"{cover.kind}: {cover.says} against {cover.against}",
                    None,
                    cover.words,
                )
            )
    return drift, covered
