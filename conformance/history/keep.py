"""Retention: which runs go, by age and by release, and the room that they leave."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from conformance.history.add import take_out
from conformance.history.store import Store
from conformance.history.tables import CHANGE, CONTENT, LINE, RUN

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_AT_ONCE = 50


def outdated(store: Store, now: datetime, *, days: int | None = None, releases: int | None = None) -> tuple[str, ...]:
    """The runs that retention takes out, the oldest first: older than `days`, or of none of the last `releases`.

    A run goes when either bound says so. The latest run of an endpoint always stays.
    """
    with store.reading() as connection:
        rows = connection.execute(
            sa.select(RUN.c.id, RUN.c.endpoint_id, RUN.c.at, RUN.c.release).order_by(RUN.c.at.desc())
        ).all()
    oldest = None if days is None else (now - timedelta(days=days) - _EPOCH) // timedelta(microseconds=1)
    seen: dict[int, dict[str, None]] = {}
    gone = []
    for row in rows:
        known = seen.setdefault(row.endpoint_id, {})
        is_latest = not known
        known.setdefault(row.release)
        too_old = oldest is not None and row.at < oldest
        too_many = releases is not None and list(known).index(row.release) >= releases
        if not is_latest and (too_old or too_many):
            gone.append(row.id)
    return tuple(reversed(gone))


def forget(store: Store, runs: tuple[str, ...]) -> None:
    """Delete runs, some dozens in a transaction, and then what nothing refers to any more."""
    for start in range(0, len(runs), _AT_ONCE):
        with store.writing() as connection:
            for run in runs[start : start + _AT_ONCE]:
                if connection.execute(sa.select(RUN.c.id).where(RUN.c.id == run)).first() is not None:
                    take_out(connection, run)
    with store.writing() as connection:
        connection.execute(sa.delete(LINE).where(~sa.exists().where(CHANGE.c.line_id == LINE.c.id)))
        uses = sa.union_all(
            sa.select(CHANGE.c.value_id).where(CHANGE.c.value_id.is_not(None)),
            sa.select(CHANGE.c.evidence_id).where(CHANGE.c.evidence_id.is_not(None)),
            sa.select(RUN.c.report_id).where(RUN.c.report_id.is_not(None)),
        )
        connection.execute(sa.delete(CONTENT).where(CONTENT.c.id.not_in(uses)))


def forget_reports(store: Store, runs: int) -> None:
    """Keep the HTML reports of the last `runs` runs of each endpoint alone."""
    rank = sa.func.row_number().over(partition_by=RUN.c.endpoint_id, order_by=RUN.c.at.desc()).label("rank")
    ranked = sa.select(RUN.c.id, rank).subquery()
    with store.writing() as connection:
        old = sa.select(ranked.c.id).where(ranked.c.rank > runs)
        connection.execute(sa.update(RUN).where(RUN.c.id.in_(old)).values(report_id=None))
