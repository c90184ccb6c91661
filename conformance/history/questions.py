"""Questions to the store: runs, one run, a trend, when something broke, and what is due.

Each answer is plain data, as `--json` prints it; the web page shows the same.
"""

from __future__ import annotations

import heapq
import json
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby, islice, pairwise
from operator import itemgetter
from typing import Any

import sqlalchemy as sa

from conformance.errors import UsageError
from conformance.history.add import unpacked
from conformance.history.record import CAUSE, CODE, KINDS, READING, REQUIREMENT, WAIVER, Line
from conformance.history.tables import CHANGE, CONTENT, ENDPOINT, LINE, RUN
from conformance.report.several import Change, compare
from conformance.report.summary import SCHEMA_VERSION

VERIFIED = ("pass", "fail", "waived")
"""The verdicts on a requirement that say that it was looked at."""
_PART = 500
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_COLUMNS = (
    "id", "release", "started_at", "duration_s", "verdict", "exit_code", "carried_out", "cases", "requirements_pass",
    "requirements_fail", "requirements_waived", "requirements_not_verified", "causes", "tool_version", "specs_digest", "seed",
)  # fmt: skip


def runs(
    connection: sa.Connection, *, endpoints: Sequence[str] = (), last: int | None = None, search: str = ""
) -> list[dict[str, Any]]:
    """The runs by endpoint, the newest first; of each endpoint the `last` ones."""
    query = of_latest([RUN.c[name] for name in (*_COLUMNS, "report_id")], last, search)
    if endpoints:
        query = query.where(ENDPOINT.c.name.in_(endpoints))
    rows = connection.execute(query).all()
    names = ("endpoint", *_COLUMNS)
    return [
        dict(zip(names, row[: len(names)], strict=True)) | {"has_report": row.report_id is not None} for row in rows
    ]


_EARLIEST = -(2**63)


def of_latest(columns: Sequence[sa.ColumnElement[Any]], last: int | None, search: str = "") -> sa.Select[Any]:
    """A query for the last runs of each endpoint: its name as `endpoint` and these columns, by name, the newest first.

    Where the last ones begin is looked up in the index of each endpoint's runs, so that older runs cost nothing.
    """
    query = sa.select(ENDPOINT.c.name.label("endpoint"), *columns).join(RUN, RUN.c.endpoint_id == ENDPOINT.c.id)
    if last is not None:
        mine = RUN.alias("mine")
        first = (
            sa.select(mine.c.at)
            .where(mine.c.endpoint_id == ENDPOINT.c.id)
            .order_by(mine.c.at.desc())
            .limit(1)
            .offset(last - 1)
            .correlate(ENDPOINT)
            .scalar_subquery()
        )
        since = sa.select(ENDPOINT.c.id, sa.func.coalesce(first, _EARLIEST).label("at")).cte("since")
        since = since.prefix_with("MATERIALIZED", dialect="postgresql")  # else it is looked up again for each run
        query = query.join(since, since.c.id == ENDPOINT.c.id).where(RUN.c.at >= since.c.at)
    if search:
        query = query.where(ENDPOINT.c.name.icontains(search, autoescape=True))
    return query.order_by(ENDPOINT.c.name, RUN.c.at.desc())


@dataclass(frozen=True, slots=True)
class Place:
    """One run of the store: its row, its endpoint's name, and the run before it."""

    row: Mapping[str, Any]
    endpoint: str
    before: str | None
    """The id of the run before."""


def find_run(connection: sa.Connection, wanted: str) -> Place:
    """The run of an id or of its beginning, the latest of `ENDPOINT`, or that of `ENDPOINT@RELEASE`. Raises `UsageError`."""
    name, _, release = wanted.rpartition("@")
    base = sa.select(RUN, ENDPOINT.c.name).join(ENDPOINT).order_by(RUN.c.at.desc())
    tries = [
        base.where(RUN.c.id == wanted),
        base.where(ENDPOINT.c.name == wanted).limit(1),
        base.where(ENDPOINT.c.name == name, RUN.c.release == release).limit(1),
        base.where(RUN.c.id.startswith(wanted, autoescape=True)).limit(2),
    ]
    for query in tries:
        found = connection.execute(query).mappings().all()
        if len(found) > 1:
            raise UsageError(f"{wanted!r} is the beginning of several runs", hint="Give more of it.")
        if found:
            return _placed(connection, {str(key): value for key, value in found[0].items()})
    hint = "`conformance history list` shows runs; name one by id, ENDPOINT, or ENDPOINT@RELEASE."
    raise UsageError(f"the store has no run {wanted!r}", hint=hint)


def _placed(connection: sa.Connection, row: Mapping[str, Any]) -> Place:
    before = connection.execute(
        sa.select(RUN.c.id)
        .where(RUN.c.endpoint_id == row["endpoint_id"], RUN.c.at < row["at"])
        .order_by(RUN.c.at.desc())
        .limit(1)
    ).scalar()
    return Place(row, str(row["name"]), before)


def lines_at(connection: sa.Connection, place: Place) -> dict[Line, dict[str, Any]]:
    """What a run says of each line."""
    at, endpoint_id = place.row["at"], place.row["endpoint_id"]
    last = (
        sa.select(sa.func.max(CHANGE.c.at))
        .where(CHANGE.c.line_id == LINE.c.id, CHANGE.c.at <= at)
        .correlate(LINE)
        .scalar_subquery()
    )
    query = (
        sa.select(LINE.c.kind, LINE.c.name, CONTENT.c.body)
        .join(CHANGE, sa.and_(CHANGE.c.line_id == LINE.c.id, CHANGE.c.at == last))
        .join(CONTENT, CONTENT.c.id == CHANGE.c.value_id)
        .where(LINE.c.endpoint_id == endpoint_id)
        .order_by(LINE.c.kind, LINE.c.name)
    )
    return {(kind, name): json.loads(bytes(body)) for kind, name, body in connection.execute(query)}


def document_at(connection: sa.Connection, place: Place) -> dict[str, Any]:
    """A run as a results document without its cases, as far as the store has it."""
    rows: dict[str, list[dict[str, Any]]] = {kind: [] for kind in KINDS}
    for (kind, name), value in lines_at(connection, place).items():
        rows[kind].append({"id": name, **value})
    row = place.row
    return {
        "schema_version": SCHEMA_VERSION,
        "run": {
            "id": row["id"], "endpoint": place.endpoint, "release": row["release"],
            **{key: row[key] for key in ("tool_version", "specs_digest", "seed", "started_at", "duration_s")},
        },
        "summary": {
            "verdict": row["verdict"], "exit_code": row["exit_code"], "reasons": json.loads(row["reasons"]),
            "carried_out": {"cases": row["carried_out"], "of": row["cases"], "share": _share(row), "not": {}},
        },
        "requirements": rows[REQUIREMENT],
        "error_codes": rows[CODE],
        "readings": [{**one, "observed": dict.fromkeys(one["observed"], 1)} for one in rows[READING]],
        "waivers": [{"waiver": one.pop("id"), **one} for one in rows[WAIVER]],
        "causes": rows[CAUSE],
        "cases": [],
    }  # fmt: skip


def _share(row: Mapping[str, Any]) -> float:
    return round(row["carried_out"] / row["cases"], 4) if row["cases"] else 1.0


def differences(connection: sa.Connection, old: Place, new: Place) -> tuple[Change, ...]:
    """What changed from one run to another, as `conformance report compare` tells it, without the cases."""
    return compare(document_at(connection, old), document_at(connection, new))


def evidence_of(connection: sa.Connection, place: Place, cause: str) -> dict[str, Any] | None:
    """Finding and messages of a cause as they were when it last changed, at or before a run."""
    query = (
        sa.select(CONTENT.c.body)
        .join(CHANGE, CHANGE.c.evidence_id == CONTENT.c.id)
        .join(LINE, LINE.c.id == CHANGE.c.line_id)
        .where(
            LINE.c.endpoint_id == place.row["endpoint_id"], LINE.c.kind == CAUSE, LINE.c.name == cause,
            CHANGE.c.at <= place.row["at"],
        )
        .order_by(CHANGE.c.at.desc())
        .limit(1)
    )  # fmt: skip
    body = connection.execute(query).scalar()
    return None if body is None else json.loads(unpacked(body))


def trend(connection: sa.Connection, endpoint: str, last: int) -> list[dict[str, Any]]:
    """The last runs of an endpoint, the oldest first. Raises `UsageError` for an endpoint that has none."""
    found = runs(connection, endpoints=[endpoint], last=last)
    if not found:
        raise UsageError(f"the store has no endpoint {endpoint!r}", hint="`conformance history list` shows them.")
    return found[::-1]


Span = tuple[int, dict[str, Any] | None]
"""From when on a line says something; None where it is not listed."""


def histories(
    connection: sa.Connection, *, kind: str, endpoint: str = "", name: str = "", since: int | None = None
) -> dict[tuple[str, str], list[Span]]:
    """(Endpoint, name) of each line to what it said from when on, the earliest first; `since`: of those that changed then."""
    query = (
        sa.select(ENDPOINT.c.name, LINE.c.name, CHANGE.c.at, CHANGE.c.value_id)
        .join(LINE, LINE.c.endpoint_id == ENDPOINT.c.id)
        .join(CHANGE, CHANGE.c.line_id == LINE.c.id)
        .where(LINE.c.kind == kind)
        .order_by(ENDPOINT.c.name, LINE.c.name, CHANGE.c.at)
    )
    if endpoint:
        query = query.where(ENDPOINT.c.name == endpoint)
    if name:
        query = query.where(LINE.c.name == name)
    if since is not None:
        query = query.where(LINE.c.changed_at >= since)
    rows = connection.execute(query).all()
    values = values_of(connection, {row[3] for row in rows if row[3] is not None})
    found: dict[tuple[str, str], list[Span]] = {}
    for of, line, at, value in rows:
        found.setdefault((of, line), []).append((at, None if value is None else values[value]))
    return found


def values_of(connection: sa.Connection, numbers: Iterable[int]) -> dict[int, dict[str, Any]]:
    """Contents by their numbers."""
    wanted = sorted(numbers)
    found: dict[int, dict[str, Any]] = {}
    for start in range(0, len(wanted), 500):
        query = sa.select(CONTENT.c.id, CONTENT.c.body).where(CONTENT.c.id.in_(wanted[start : start + 500]))
        found.update((number, json.loads(bytes(body))) for number, body in connection.execute(query))
    return found


def blame(connection: sa.Connection, name: str = "", endpoint: str = "") -> list[dict[str, Any]]:
    """When things broke: each requirement that fails or failed, and each cause, with first and last run that show it.

    Without `name`, what is wrong at the latest run of each endpoint. Raises `UsageError` where nothing has that name.
    """
    answers = []
    runs_of = _Runs(connection)
    runs_of.read_all(endpoint)
    known = False
    for kind in (REQUIREMENT, CAUSE):
        for (of, line), spans in histories(connection, kind=kind, endpoint=endpoint, name=name).items():
            known = True
            stand = [(at, _stand(kind, value), value) for at, value in spans]
            for start, end, message in _bad(stand):
                if not name and end is not None:
                    continue
                good = runs_of.last_good(of, start, [(at, one) for at, one, _ in stand], unlisted=kind == CAUSE)
                seen = runs_of.seen(of, start, end)
                answers.append(
                    {"endpoint": of, "kind": kind, "id": line, "last_good": good, **seen, "message": message}
                )
    if name and not known:
        raise UsageError(f"no run in the store names {name!r}", hint="Give the id of a requirement or of a cause.")
    return answers


def _stand(kind: str, value: Mapping[str, Any] | None) -> bool | None:
    """Whether a line is good, wrong (a waiver mends nothing), or says nothing (None)."""
    if kind == CAUSE:
        return value is None
    verdict = None if value is None else value["verdict"]
    return {"pass": True, "fail": False, "waived": False}.get(str(verdict))


def _bad(stand: Sequence[tuple[int, bool | None, Any]]) -> Iterator[tuple[int, int | None, str]]:
    """From when to when a line was wrong, and what was said of it then; the end is None while nothing has shown it good."""
    start: int | None = None
    message = ""
    for at, good, value in stand:
        if good is False:
            start = at if start is None else start
            message = str(value.get("message") or value.get("reason") or "")
        elif good and start is not None:
            yield start, at, message
            start = None
    if start is not None:
        yield start, None, message


_NAMED_BY = (ENDPOINT.c.name, RUN.c.at, RUN.c.id, RUN.c.release, RUN.c.started_at)


class _Runs:
    """The runs of endpoints in their order, each endpoint's read when it is first asked for."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._read: dict[str, Sequence[Any]] = {}

    def read_all(self, endpoint: str = "") -> None:
        """Read those of all endpoints at once, or of one."""
        query = sa.select(*_NAMED_BY).join(RUN).order_by(RUN.c.endpoint_id, RUN.c.at)
        rows = self._connection.execute(query.where(ENDPOINT.c.name == endpoint) if endpoint else query).all()
        self._read = {name: tuple(mine) for name, mine in groupby(rows, itemgetter(0))}

    def _of(self, endpoint: str) -> Sequence[Any]:
        if endpoint not in self._read:
            query = sa.select(*_NAMED_BY).join(RUN).where(ENDPOINT.c.name == endpoint).order_by(RUN.c.at)
            self._read[endpoint] = self._connection.execute(query).all()
        return self._read[endpoint]

    def seen(self, endpoint: str, start: int, end: int | None) -> dict[str, Any]:
        """The run that showed it first, the last one before it was mended, and the one that mended it."""
        mine = self._of(endpoint)
        bad = [row for row in mine if row.at >= start and (end is None or row.at < end)]
        mended = None if end is None else next(row for row in mine if row.at >= end)
        return {
            "broke_in": _named(bad[0]),
            "last_seen": _named(bad[-1]),
            "mended_in": None if mended is None else _named(mended),
            "runs": len(bad),
        }

    def last_good(
        self, endpoint: str, start: int, stand: Sequence[tuple[int, bool | None]], *, unlisted: bool
    ) -> dict[str, str] | None:
        """The last run before `start` that showed it good; `unlisted` says whether a run that never named it is good."""
        for row in reversed(self._of(endpoint)):
            if row.at >= start:
                continue
            said = [good for at, good in stand if at <= row.at]
            if said[-1] if said else unlisted:
                return _named(row)
        return None

    def latest(self) -> dict[str, Any]:
        """Endpoint to its latest run."""
        last = sa.select(RUN.c.endpoint_id, sa.func.max(RUN.c.at).label("at")).group_by(RUN.c.endpoint_id).subquery()
        of_both = sa.and_(RUN.c.endpoint_id == last.c.endpoint_id, RUN.c.at == last.c.at)
        query = sa.select(*_NAMED_BY).join(RUN).join(last, of_both)
        return {row.name: row for row in self._connection.execute(query)}

    def last_before(self, endpoint: str, at: int) -> Any:
        """The run before a moment; None when there is none."""
        mine = self._of(endpoint)
        place = bisect_left(mine, at, key=lambda row: row.at)
        return mine[place - 1] if place else None

    def at(self, endpoint: str, at: int) -> Any:
        """The run at a moment."""
        return next(row for row in self._of(endpoint) if row.at == at)


def _named(row: Any) -> dict[str, str]:
    return {"run": row.id, "release": row.release, "started_at": row.started_at}


def due(
    connection: sa.Connection, now: datetime, days: int, most: int | None = None
) -> dict[str, list[dict[str, Any]]]:
    """What needs somebody: what was not verified for `days`, and waivers that end and readings that flipped within them.

    With `most`, no more than so many requirements are looked for.
    """
    bound = (now - timedelta(days=days) - _EPOCH) // timedelta(microseconds=1)
    runs_of = _Runs(connection)
    latest = runs_of.latest()
    return {
        "endpoints": [
            {"endpoint": name, "last": _named(row)} for name, row in sorted(latest.items()) if row.at < bound
        ],
        "requirements": list(islice(_unverified(connection, bound, runs_of), most)),
        "waivers": _ending(connection, now.date(), days),
        "readings": list(_flipped(connection, bound, runs_of)),
    }


def _now(
    connection: sa.Connection, kind: str, wanted: Callable[[Mapping[str, Any]], bool]
) -> Iterator[tuple[str, str, int, dict[str, Any]]]:
    """Endpoint, name, line and value of each line of a kind whose value at the latest run is wanted, in their order."""
    said = connection.execute(sa.select(LINE.c.value_id).where(LINE.c.kind == kind).distinct()).scalars()
    found = values_of(connection, {number for number in said if number is not None})
    values = {number: value for number, value in found.items() if wanted(value)}
    numbers = sorted(values)
    parts = [_lines_with(connection, kind, numbers[start : start + _PART]) for start in range(0, len(numbers), _PART)]
    for endpoint, name, line, value in heapq.merge(*parts):
        yield endpoint, name, line, values[value]


def _lines_with(connection: sa.Connection, kind: str, values: Sequence[int]) -> Iterator[tuple[str, str, int, int]]:
    """Endpoint, name, line and value of the lines with these values, read a part at a time, for whoever needs only the first."""
    query = (
        sa.select(ENDPOINT.c.name, LINE.c.name, LINE.c.id, LINE.c.value_id)
        .join(LINE, LINE.c.endpoint_id == ENDPOINT.c.id)
        .where(LINE.c.kind == kind, LINE.c.value_id.in_(values))
    )
    endpoints = connection.execute(query.with_only_columns(ENDPOINT.c.name).distinct()).scalars().all()
    for endpoint in sorted(endpoints):
        rows = connection.execute(query.where(ENDPOINT.c.name == endpoint)).all()
        yield from sorted((row[0], row[1], row[2], row[3]) for row in rows)


def _unverified(connection: sa.Connection, bound: int, runs_of: _Runs) -> Iterator[dict[str, Any]]:
    """Requirements whose last run that looked at them is older than the bound, or that none has looked at."""
    looked_at = (*VERIFIED, "not-applicable")
    open_ = _now(connection, REQUIREMENT, lambda value: value["verdict"] not in looked_at)
    verified: dict[int, bool] = {}
    while part := list(islice(open_, _PART)):
        changes: dict[int, list[tuple[int, int | None]]] = {}
        query = sa.select(CHANGE.c.line_id, CHANGE.c.at, CHANGE.c.value_id).order_by(CHANGE.c.at)
        for line, at, value in connection.execute(query.where(CHANGE.c.line_id.in_([line for _, _, line, _ in part]))):
            changes.setdefault(line, []).append((at, value))
        new = {value for mine in changes.values() for _, value in mine if value is not None} - verified.keys()
        verified |= {number: value["verdict"] in VERIFIED for number, value in values_of(connection, new).items()}
        for endpoint, name, line, value_now in part:
            end = _left_off([(at, value is not None and verified[value]) for at, value in changes.get(line, [])])
            last = None if end is None else runs_of.last_before(endpoint, end)
            if last is None or last.at < bound:
                yield {
                    "endpoint": endpoint, "id": name, "verdict": value_now["verdict"], "reason": value_now["reason"],
                    "last_verified": None if last is None else _named(last),
                }  # fmt: skip


def _left_off(stand: Sequence[tuple[int, bool]]) -> int | None:
    """When a line that was verified was so no more, the last time; None if it never was."""
    end = None
    for (_, before), (at, now) in pairwise(stand):
        if before and not now:
            end = at
    return end


def _ending(connection: sa.Connection, today: date, days: int) -> list[dict[str, Any]]:
    until = (today + timedelta(days=days)).isoformat()
    found = [
        {"endpoint": endpoint, "waiver": name, **{key: value[key] for key in ("expires", "owner", "reason", "cases")}}
        for endpoint, name, _, value in _now(connection, WAIVER, lambda value: value["expires"] <= until)
    ]
    return sorted(found, key=lambda one: (one["expires"], one["endpoint"], one["waiver"]))


def _flipped(connection: sa.Connection, bound: int, runs_of: _Runs) -> Iterator[dict[str, Any]]:
    """Readings of which an endpoint observed another alternative than at the run before."""
    for (endpoint, name), spans in histories(connection, kind=READING, since=bound).items():
        seen: list[str] = []
        for at, value in spans:
            observed = [] if value is None else value["observed"]
            if observed and seen and observed != seen and at >= bound:
                yield {
                    "endpoint": endpoint, "id": name, "before": seen, "after": observed,
                    "in": _named(runs_of.at(endpoint, at)),
                }  # fmt: skip
            seen = observed or seen
