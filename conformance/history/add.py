"""Adds runs to the store, and takes them out again; each whole or not at all, whatever their order.

A run is told by its id. Adding it again changes nothing. The same id with another content is the run continued by
`--resume`: the record with more cases carried out is kept.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal

import sqlalchemy as sa

from conformance.errors import JournalError
from conformance.history.record import Line, Record
from conformance.history.store import Store
from conformance.history.tables import CHANGE, CONTENT, ENDPOINT, LINE, RUN
from conformance.report.safe_text import shortened, visible

Became = Literal["added", "unchanged", "replaced", "labelled"]
_SOME = 500
"""How many values one statement names, below the bounds of both databases."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

State = dict[int, int | None]
"""Line to the content that it says, None where a run does not list it."""


def add(store: Store, record: Record, *, endpoint: str = "", release: str = "") -> Became:
    """Add one run, under another name of the endpoint or with its release; what became of it.

    Raises `JournalError` for a run that is there under another endpoint or with more cases carried out.
    """
    name = shortened(visible(endpoint), 300) or record.endpoint
    label = shortened(visible(release), 300)
    with store.writing() as connection:
        before = connection.execute(sa.select(RUN, ENDPOINT.c.name).join(ENDPOINT).where(RUN.c.id == record.id)).first()
        if before is None:
            _insert(connection, record, name, label or record.run["started_at"])
            return "added"
        if endpoint and before.name != name:
            raise JournalError(f"the run is in the store already, of the endpoint {before.name}", where=record.source)
        if before.digest == record.digest:
            if not label or label == before.release:
                return "unchanged"
            connection.execute(sa.update(RUN).where(RUN.c.id == record.id).values(release=label))
            return "labelled"
        if before.carried_out > record.run["carried_out"]:
            raise JournalError(
                "the store has a fuller record of the same run, which is kept", where=record.source,
                hint=f"There {before.carried_out:,} cases were carried out, here {record.run['carried_out']:,}.",
            )  # fmt: skip
        take_out(connection, record.id)
        _insert(connection, record, before.name, label or before.release)
        return "replaced"


def _insert(connection: sa.Connection, record: Record, endpoint: str, release: str) -> None:
    endpoint_id = _endpoint(connection, endpoint)
    at = _free(connection, endpoint_id, _micros(record.started_at))
    wanted = {*record.lines.values(), *record.evidence.values(), *([record.report] if record.report else [])}
    found = _contents(connection, wanted)
    now = _line_ids(connection, endpoint_id, record.lines)
    evidence = {now[line]: found[packed] for line, packed in record.evidence.items()}
    state: State = {now[line]: found[value] for line, value in record.lines.items()}
    connection.execute(
        sa.insert(RUN).values(
            id=record.id, endpoint_id=endpoint_id, at=at, release=release, digest=record.digest,
            report_id=found[record.report] if record.report else None, **record.run,
        )
    )  # fmt: skip
    following = _next(connection, endpoint_id, at)
    before = _latest(connection, endpoint_id) if following is None else state_at(connection, endpoint_id, at - 1)
    changed = _differing(before, state)
    if following is not None:
        _keep_following(connection, endpoint_id, following, before, state)
    if changed:
        connection.execute(
            sa.insert(CHANGE),
            [
                {"line_id": line, "at": at, "value_id": state.get(line), "evidence_id": evidence.get(line)}
                for line in changed
            ],
        )
    if following is None:
        _say(connection, [{"line": line, "now": state.get(line), "since": at} for line in changed])
    else:
        _renew(connection, endpoint_id)


def take_out(connection: sa.Connection, run_id: str) -> None:
    """Delete one run; what the others say stays as it is."""
    row = connection.execute(sa.select(RUN.c.endpoint_id, RUN.c.at).where(RUN.c.id == run_id)).one()
    endpoint_id, at = row
    before, here = state_at(connection, endpoint_id, at - 1), state_at(connection, endpoint_id, at)
    following = _next(connection, endpoint_id, at)
    mine = sa.select(LINE.c.id).where(LINE.c.endpoint_id == endpoint_id)
    kept = {
        row.line_id: row.evidence_id
        for row in connection.execute(
            sa.select(CHANGE.c.line_id, CHANGE.c.evidence_id).where(CHANGE.c.at == at, CHANGE.c.line_id.in_(mine))
        )
    }
    there = state_at(connection, endpoint_id, following) if following is not None else {}
    connection.execute(sa.delete(CHANGE).where(CHANGE.c.at == at, CHANGE.c.line_id.in_(mine)))
    if following is not None:
        _rebase(connection, following, before, there, here, kept)
    connection.execute(sa.delete(RUN).where(RUN.c.id == run_id))
    _renew(connection, endpoint_id)


def _keep_following(connection: sa.Connection, endpoint_id: int, following: int, before: State, state: State) -> None:
    """A run was put in before another: what that one says is now a change from the new one, or no change any more."""
    there = state_at(connection, endpoint_id, following)
    _rebase(connection, following, state, there, before, {})


def _rebase(
    connection: sa.Connection, at: int, before: State, there: State, was: State,
    evidence: Mapping[int, int | None],
) -> None:  # fmt: skip
    """Let the changes at a run be those from `before` to what it says (`there`); until now they were those from `was`."""
    needed, present = set(_differing(before, there)), set(_differing(was, there))
    if gone := present - needed:
        connection.execute(sa.delete(CHANGE).where(CHANGE.c.at == at, CHANGE.c.line_id.in_(sorted(gone))))
    if more := sorted(needed - present):
        connection.execute(
            sa.insert(CHANGE),
            [
                {"line_id": line, "at": at, "value_id": there.get(line), "evidence_id": evidence.get(line)}
                for line in more
            ],
        )


def _differing(before: State, after: State) -> list[int]:
    return sorted(line for line in before.keys() | after.keys() if before.get(line) != after.get(line))


def state_at(connection: sa.Connection, endpoint_id: int, at: int) -> State:
    """What each line of an endpoint says at a moment."""
    last = (
        sa.select(sa.func.max(CHANGE.c.at))
        .where(CHANGE.c.line_id == LINE.c.id, CHANGE.c.at <= at)
        .correlate(LINE)
        .scalar_subquery()
    )
    statement = (
        sa.select(LINE.c.id, CHANGE.c.value_id)
        .join(CHANGE, sa.and_(CHANGE.c.line_id == LINE.c.id, CHANGE.c.at == last))
        .where(LINE.c.endpoint_id == endpoint_id)
    )
    return {line: value for line, value in connection.execute(statement) if value is not None}


def _latest(connection: sa.Connection, endpoint_id: int) -> State:
    statement = sa.select(LINE.c.id, LINE.c.value_id).where(
        LINE.c.endpoint_id == endpoint_id, LINE.c.value_id.is_not(None)
    )
    return {row.id: row.value_id for row in connection.execute(statement)}


def _renew(connection: sa.Connection, endpoint_id: int) -> None:
    """Let every line say what its latest change says."""
    last = sa.select(sa.func.max(CHANGE.c.at)).where(CHANGE.c.line_id == LINE.c.id).correlate(LINE).scalar_subquery()
    statement = (
        sa.select(LINE.c.id, LINE.c.value_id, LINE.c.changed_at, CHANGE.c.value_id, CHANGE.c.at)
        .outerjoin(CHANGE, sa.and_(CHANGE.c.line_id == LINE.c.id, CHANGE.c.at == last))
        .where(LINE.c.endpoint_id == endpoint_id)
    )
    stale = [
        {"line": line, "now": value, "since": at}
        for line, said, since, value, at in connection.execute(statement)
        if (said, since) != (value, at)
    ]
    _say(connection, stale)


def _say(connection: sa.Connection, rows: list[dict[str, int | None]]) -> None:
    if rows:
        values: dict[str, Any] = {"value_id": sa.bindparam("now"), "changed_at": sa.bindparam("since")}
        connection.execute(sa.update(LINE).where(LINE.c.id == sa.bindparam("line")).values(**values), rows)


def _endpoint(connection: sa.Connection, name: str) -> int:
    query = sa.select(ENDPOINT.c.id).where(ENDPOINT.c.name == name)
    found = connection.execute(query).scalar()
    if found is None:
        connection.execute(sa.insert(ENDPOINT).values(name=name))
        found = connection.execute(query).scalar_one()
    return int(found)


def _line_ids(connection: sa.Connection, endpoint_id: int, wanted: Iterable[Line]) -> dict[Line, int]:
    query = sa.select(LINE.c.kind, LINE.c.name, LINE.c.id).where(LINE.c.endpoint_id == endpoint_id)
    found = {(kind, name): number for kind, name, number in connection.execute(query)}
    if missing := sorted(set(wanted) - found.keys()):
        connection.execute(
            sa.insert(LINE),
            [{"endpoint_id": endpoint_id, "kind": kind, "name": name} for kind, name in missing],
        )
        found = {(kind, name): number for kind, name, number in connection.execute(query)}
    return found


def _contents(connection: sa.Connection, bodies: Iterable[bytes]) -> dict[bytes, int]:
    """Body to its number; those that are not there yet are put in."""
    by_digest = {hashlib.sha256(body).digest(): body for body in bodies}
    found = _numbers(connection, sorted(by_digest))
    if missing := sorted(by_digest.keys() - found.keys()):
        connection.execute(sa.insert(CONTENT), [{"digest": one, "body": by_digest[one]} for one in missing])
        found |= _numbers(connection, missing)
    return {body: found[digest] for digest, body in by_digest.items()}


def _numbers(connection: sa.Connection, digests: list[bytes]) -> dict[bytes, int]:
    found: dict[bytes, int] = {}
    for start in range(0, len(digests), _SOME):
        query = sa.select(CONTENT.c.digest, CONTENT.c.id).where(CONTENT.c.digest.in_(digests[start : start + _SOME]))
        found.update((bytes(digest), number) for digest, number in connection.execute(query))
    return found


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // (datetime.resolution)


def _free(connection: sa.Connection, endpoint_id: int, at: int) -> int:
    query = sa.select(RUN.c.at).where(RUN.c.endpoint_id == endpoint_id, RUN.c.at >= at).order_by(RUN.c.at)
    for taken in connection.execute(query).scalars():
        if taken > at:
            break
        at += 1
    return at


def _next(connection: sa.Connection, endpoint_id: int, at: int) -> int | None:
    query = sa.select(sa.func.min(RUN.c.at)).where(RUN.c.endpoint_id == endpoint_id, RUN.c.at > at)
    return connection.execute(query).scalar()


def unpacked(body: bytes) -> bytes:
    """Content that was packed."""
    return zlib.decompress(bytes(body))
