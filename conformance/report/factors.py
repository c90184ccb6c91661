"""What the cases that fail have in common and those that pass have not: the smallest combination of factors.

A factor is one thing in which cases differ, such as the transport, the role, the states that are set up, or what stands in
a member of the request; a case has one level of most factors, and may have several of one, such as "a number" and
"beyond 2^31". The levels of a case come from its result and, for a named case, from its fixture.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TypeAlias

from conformance.cases.combinations.arrays import counted, row_of
from conformance.cases.combinations.count import Grid
from conformance.cases.fixtures import family_of
from conformance.formats.base import PLACE
from conformance.formats.members import CONTAINER, Found, Literal
from conformance.formats.registry import format_for, known_format
from conformance.model.case import Alternative, Case
from conformance.model.paths import arguments_of
from conformance.model.spec import FieldType, Operation
from conformance.model.verdict import CaseResult

Level: TypeAlias = tuple[str, str]
"""A factor and one of its levels."""


@dataclass(frozen=True, slots=True)
class Common:
    """Levels that the failing cases share, with the numbers on both sides."""

    levels: Mapping[str, str]
    """Factor to level."""
    failing_with: int
    failing: int
    others_with: int
    others: int
    """Cases that were carried out and do not show the cause."""

    @property
    def words(self) -> str:
        """`only with transport ws (12 of 12 compared, others 0 of 420)`; `mostly` where it is not clear-cut."""
        sure = self.failing_with == self.failing and not self.others_with
        said = " and ".join(f"{factor} {level}" for factor, level in self.levels.items())
        numbers = f"{self.failing_with} of {self.failing} compared, others {self.others_with} of {self.others}"
        return f"{'only' if sure else 'mostly'} with {said} ({numbers})"


ANSWERED = "answered"
"""Not what was sent, but what came: of use where the answer is right but for its form."""
_PREFERRED = (
    "transport", "format", "answers in", "formats", "role", "media type", ANSWERED, "method", "path", "session", "call",
    "earlier", "together", "meanwhile", "asked for", "charset", "wanted", "set up", "items",
)  # fmt: skip
"""The factors that come first where several combinations tell failing from passing cases equally well; then come the
members of the request, then the family and the name of a case."""
_LAST = ("family", "message")


def levels_of(result: CaseResult, case: Case | None, operation: Operation) -> set[Level]:
    """The levels of one case. Without its fixture only those that its result tells."""
    levels = {
        ("transport", result.transport),
        ("format", format_for(result.media_type).label),
        ("media type", result.media_type),
        ("role", result.role),
    }
    levels |= {(ANSWERED, said) for said in _answered(result.code_seen)}
    if any(one.first for one in result.exchanges):
        levels.add(("call", "the first of its user"))
    if case is None:
        return levels
    levels |= {("family", family_of(case.id)), ("message", case.id.partition("@")[0])}
    levels |= {("set up", need.state) for need in case.states.values()}
    levels.add(("set up", ", ".join(sorted(need.state for need in case.states.values())) or "nothing"))
    levels |= {("allowed", f"code {code}") for one in case.expect.any_of for code in _codes(one) if code}
    levels.add(("wanted", _wanted(case.expect.any_of)))
    if any(one.untouched for one in case.expect.any_of):
        levels.add(("watched", "what must stay"))
    return levels | set(_around(case)) | set(_of_message(case, operation)) | set(_of_members(case, operation))


def _answered(code: str | None) -> Iterator[str]:
    if code is None or not code.isdecimal():
        yield from () if code in (None, "None") else (str(code),)
        yield from ("a list of results",) if code in ("success", "failure") else ()
        return
    yield f"code {code}"
    if code != "0":
        yield "an error code"


def _around(case: Case) -> Iterator[Level]:
    """What happens beside the message, where anything does."""
    if case.session is not None:
        yield "session", "ended by LogOut" if case.session.ended else "its own"
        if case.session.credentials != "right":
            yield "session", f"{case.session.credentials} credentials"
        if case.session.token != "whole":
            yield "session", f"{case.session.token} token"
    if case.before:
        yield "earlier", "another user sent something" if case.before_role else "the same session sent something"
    if case.together > 1:
        yield "together", "several copies"
    if case.beside:
        yield "meanwhile", "another message"


def _wanted(alternatives: Sequence[Alternative]) -> str:
    """What the case wants, as far as all its alternatives say the same."""
    said = {_said(one) for one in alternatives}
    return said.pop() if len(said) == 1 else "one of several answers"


def _codes(alternative: Alternative) -> Iterator[int]:
    for name in ("code", "bid", "ask"):
        said = alternative.wanted.get(name, [])
        yield from said if isinstance(said, list) else [said]


def _said(alternative: Alternative) -> str:
    wanted = alternative.wanted
    if "results" in wanted:
        flags = wanted["results"]
        if flags == "all" or (isinstance(flags, list) and flags and all(flag is True for flag in flags)):
            return "success"
        if flags in ("none", []) or not any(flag is True or flag == "any" for flag in flags):
            return "no success"
        return "success in part"
    codes = [wanted[name] for name in ("code", "bid", "ask") if name in wanted]
    if not codes:
        return "no success"
    kinds = {all(code == 0 for code in (one if isinstance(one, list) else [one])) for one in codes}
    return "success in part" if len(kinds) > 1 else "success" if kinds.pop() else "no success"


def _of_message(case: Case, operation: Operation) -> Iterator[Level]:
    """What is said around the body otherwise than in a plain call."""
    message = case.message
    if message.frame is not None:
        return
    yield from _formats(case)
    path, _, query = message.path.partition("?")
    if message.method != operation.method:
        yield "method", message.method
    if path not in ("", operation.path) and not (operation.in_path and arguments_of(operation.path, path)):
        yield "path", path
    if query:
        yield "path", "with a query"
    for name, value in message.headers:
        if name.lower() == "accept" and value != case.media_type:
            yield "asked for", value
        elif name.lower() == "content-type" and "charset=" in value.lower():
            yield "charset", value.lower().partition("charset=")[2].strip('" ')
        elif name.lower() not in ("accept", "content-type", "connection"):
            yield "header", name.lower()


def _formats(case: Case) -> Iterator[Level]:
    """The format in which the answer is asked for, as far as the message says one; and both where they differ."""
    asked = [value for name, value in case.message.headers if name.lower() == "accept"] or [case.media_type]
    wanted = known_format(asked[0]) if len(asked) == 1 else None
    if wanted is None:
        return
    yield "answers in", wanted.label
    sent = format_for(case.media_type)
    if wanted is not sent:
        yield "formats", f"{sent.label} in, {wanted.label} out"


_LONGEST = 20_000
_SENTINEL = "7700000000000"
_LIMITS = ((1 << 31, "2^31"), (1 << 32, "2^32"), (1 << 53, "2^53"), (1 << 63, "2^63"))


def _of_members(case: Case, operation: Operation) -> Iterator[Level]:
    """What stands in the members of the request, whatever the format; nothing for a body that cannot be read."""
    places: dict[str, str] = {}

    def sentinel(match: re.Match[str]) -> str:
        number = f"{_SENTINEL}{len(places):04}"
        places[number] = match.group()[2:-1]
        return number

    template = case.message.body.template
    if len(template) > _LONGEST:
        return
    try:
        views = format_for(case.media_type).members(PLACE.sub(sentinel, template)).views
    except ValueError:
        yield "body", "cannot be read"
        return
    found = views[0].found if views else ()
    names = {name.lower(): name for name in operation.fields}
    seen: Counter[str] = Counter()
    for one in found:
        name = names.get(one.name.lower())
        if name is None:
            continue
        seen[name] += 1
        if one.name != name:
            yield name, "in another spelling"
            yield "members", "in another spelling"
        if places.get(str(getattr(one.value, "text", one.value))) != operation.fields[name].binding:
            yield name, "another than the right one"
        yield from ((name, said) for said in _value(one, places, operation.fields[name].type))
    for name in operation.fields:
        if not seen[name]:
            yield from ((name, "left out"), (name, "another than the right one"))
    if operation.shape.listed:
        most = max(seen.values(), default=0) if case.message.body.repeat is None else case.message.body.repeat.count
        yield "items", "none" if not most else "one" if most == 1 else "several" if most < 20 else "20 and more"


def _value(found: Found, places: Mapping[str, str], kind: FieldType | None) -> Iterator[str]:
    """What stands in a member, in words that are the same for all formats."""
    value = found.value
    if value is CONTAINER:
        yield "an object or a list"
    elif value is None:
        yield "null"
    elif isinstance(value, bool) or (kind == "boolean" and value in _BOOLEANS):
        yield "a Boolean"
    elif isinstance(value, Literal):
        yield from _number(value.text, places)
    elif isinstance(value, str) and (value in places or _NUMBER.fullmatch(value)):
        yield from _number(value, places)
    else:
        yield "empty" if value == "" else "another text"


_BOOLEANS = ("true", "false")
"""As XML has them."""
_NUMBER = re.compile(r"[+-]?[0-9]{1,100}")


def _number(text: str, places: Mapping[str, str]) -> Iterator[str]:
    if text in places:
        place = PLACE.fullmatch(f"${{{places[text]}}}")
        assert place is not None
        if place[2]:
            yield "an id that was changed"
        text = place[2][1:] if place[2] and place[2][0] in "+-" else "1"
    if not _NUMBER.fullmatch(text):
        yield "a fraction"
        return
    number = int(text)
    if number <= 0:
        yield "zero" if number == 0 else "negative"
    yield from (f"beyond {name}" for limit, name in _LIMITS if abs(number) >= limit)


def _of_rows(texts: Sequence[str], grid: Grid) -> Iterator[Level]:
    """The levels of the operation's own factors that a case has, whichever of its rows is looked at."""
    rows = [grid.named(row) for row in (row_of(grid, text) for text in texts) if row is not None]
    for factor, level in rows[0].items() if rows else ():
        if factor not in _PREFERRED and all(row[factor] == level for row in rows):
            yield factor, level


@dataclass(frozen=True, slots=True)
class Table:
    """The cases of an operation by their levels: for each level a number whose bits are the cases that have it."""

    places: Mapping[str, int]
    """Case id to its bit."""
    levels: Mapping[Level, int]
    own: frozenset[Level] = frozenset()
    """Those of the operation's own factors: of use where nothing plainer tells failing cases from the others."""

    @property
    def every(self) -> int:
        """The bits of all cases."""
        return (1 << len(self.places)) - 1

    def bits(self, ids: Iterable[str]) -> int:
        """The cases of these ids, as far as it has them."""
        return sum(1 << self.places[name] for name in ids if name in self.places)


def table_of(results: Sequence[CaseResult], cases: Mapping[str, Case], operation: Operation) -> Table:
    """The table of results that passed or failed."""
    found: dict[Level, list[int]] = {}
    own: set[Level] = set()
    counting = counted(operation) if cases else None
    for place, result in enumerate(results):
        case = cases.get(result.id)
        rows = set() if case is None or counting is None else set(_of_rows(case.rows, counting.grid))
        plain = levels_of(result, case, operation)
        own |= rows - plain
        for level in plain | rows:
            found.setdefault(level, []).append(place)
    return Table(
        places={result.id: place for place, result in enumerate(results)},
        levels={level: _bits(places, len(results)) for level, places in found.items()},
        own=frozenset(own),
    )


def _bits(places: Iterable[int], size: int) -> int:
    content = bytearray(size // 8 + 1)
    for place in places:
        content[place // 8] |= 1 << (place % 8)
    return int.from_bytes(content, "little")


_LEAST_SHARE = 0.8
"""Of the failing cases that must have a level."""
_MOST_LEVELS = 24
_LARGEST = 3
_GAIN = 2
"""By how much better a combination with one more level must be to be worth it."""
_MOST_ERROR = 1 / 3
"""The share of failing cases without a combination and that of others with it, added up, which it may have."""


def common(table: Table, ids: Iterable[str], *, answered: bool) -> Common | None:
    """The smallest combination of levels that tells these cases from the others; None where none tells them well.

    A combination is better the fewer of these cases lack it, and the fewer others have it. One with one more level must be
    twice as good. With `answered` the code that came may be one of the levels.
    """
    failing = table.bits(ids)
    others = table.every & ~failing
    if not failing or not others:
        return None
    sides = _Sides(table.levels, failing, others)
    total = failing.bit_count()
    offered = [
        level
        for level, bits in table.levels.items()
        if (answered or level[0] != ANSWERED) and (bits & failing).bit_count() >= _LEAST_SHARE * total
    ]
    best = _smallest(sides, [level for level in offered if level not in table.own])
    if sides.error(best):
        other = _smallest(sides, offered)
        best = best if sides.error(other) else other
    if not best or sides.error(best) > _MOST_ERROR:
        return None
    return Common(dict(best), sides.count(best, failing), total, sides.count(best, others), others.bit_count())


def _smallest(sides: _Sides, offered: list[Level]) -> tuple[Level, ...]:
    """The combination of these levels that tells the cases best, as small as is worth it; empty where none does."""
    offered = sorted(offered, key=lambda level: (sides.error((level,)), _preference(level)))
    best: tuple[Level, ...] = ()
    for size in range(1, min(_LARGEST, sides.failing.bit_count()) + 1):
        chosen = _best(sides, combinations(offered[:_MOST_LEVELS], size))
        if not chosen or sides.error(chosen) * _GAIN > sides.error(best) or not sides.error(best):
            break
        best = chosen
    return best


@dataclass(frozen=True, slots=True)
class _Sides:
    """The cases that show a cause, and the others."""

    levels: Mapping[Level, int]
    failing: int
    others: int

    def count(self, levels: Iterable[Level], bits: int) -> int:
        """How many of these cases have all the levels."""
        for level in levels:
            bits &= self.levels[level]
        return bits.bit_count()

    def error(self, levels: Sequence[Level]) -> float:
        """The share of cases that show the cause without the levels, and that of the others with them, added up."""
        lacking = 1 - self.count(levels, self.failing) / self.failing.bit_count()
        return lacking + self.count(levels, self.others) / self.others.bit_count()


def _best(sides: _Sides, several: Iterable[tuple[Level, ...]]) -> tuple[Level, ...]:
    """The best combination that has each factor once; of those that are nearly as good the plainest."""
    errors = {one: sides.error(one) for one in several if len({factor for factor, _ in one}) == len(one)}
    least = min(errors.values(), default=0.0)
    return min(
        (one for one, error in errors.items() if error <= least * _NEARLY),
        key=lambda one: (*sorted(map(_preference, one), reverse=True), errors[one]),
        default=(),
    )


_NEARLY = 1.1


def _preference(level: Level) -> tuple[int, str, str]:
    factor, name = level
    if factor in _PREFERRED:
        return _PREFERRED.index(factor), factor, name
    return len(_PREFERRED) + (1 + _LAST.index(factor) if factor in _LAST else 0), factor, name
