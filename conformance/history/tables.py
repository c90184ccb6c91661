"""The tables of the store as queries use them; `migrations/` makes them.

A **line** is one requirement, error-code cell, reading, waiver or cause of one endpoint through all its runs. A
**change** is the run at which a line got another value; a run that changed nothing has no rows here. What a line says at
a run is therefore its latest change at or before that run. **Content** is anything larger, once for each digest: the
values of lines (JSON), the evidence of causes (JSON, packed), HTML reports (packed).
"""

from __future__ import annotations

import sqlalchemy as sa

METADATA = sa.MetaData()

ENDPOINT = sa.Table(
    "endpoint",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
)
CONTENT = sa.Table(
    "content",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("digest", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("body", sa.LargeBinary, nullable=False),
)
RUN = sa.Table(
    "run",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("endpoint_id", sa.ForeignKey("endpoint.id"), nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("release", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("started_at", sa.Text, nullable=False),
    sa.Column("duration_s", sa.Float, nullable=False),
    sa.Column("tool_version", sa.Text, nullable=False),
    sa.Column("specs_digest", sa.Text, nullable=False),
    sa.Column("seed", sa.BigInteger, nullable=False),
    sa.Column("verdict", sa.Text, nullable=False),
    sa.Column("exit_code", sa.Integer, nullable=False),
    sa.Column("reasons", sa.Text, nullable=False),
    sa.Column("carried_out", sa.BigInteger, nullable=False),
    sa.Column("cases", sa.BigInteger, nullable=False),
    sa.Column("requirements_pass", sa.Integer, nullable=False),
    sa.Column("requirements_fail", sa.Integer, nullable=False),
    sa.Column("requirements_waived", sa.Integer, nullable=False),
    sa.Column("requirements_not_verified", sa.Integer, nullable=False),
    sa.Column("causes", sa.Integer, nullable=False),
    sa.Column("report_id", sa.ForeignKey("content.id")),
    sa.UniqueConstraint("endpoint_id", "at"),
)
"""`at` is the start in microseconds since 1970, one more where an endpoint has a run there already."""
LINE = sa.Table(
    "line",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("endpoint_id", sa.ForeignKey("endpoint.id"), nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("value_id", sa.ForeignKey("content.id")),
    sa.Column("changed_at", sa.BigInteger),
    sa.UniqueConstraint("endpoint_id", "kind", "name"),
)
"""`value_id` is what it says at the latest run, null where that run does not list it; `changed_at` since when."""
CHANGE = sa.Table(
    "change",
    METADATA,
    sa.Column("line_id", sa.ForeignKey("line.id"), primary_key=True),
    sa.Column("at", sa.BigInteger, primary_key=True),
    sa.Column("value_id", sa.ForeignKey("content.id")),
    sa.Column("evidence_id", sa.ForeignKey("content.id")),
)
