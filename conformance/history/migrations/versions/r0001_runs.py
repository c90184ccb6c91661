"""Endpoints, runs, and the lines of their requirements, codes, readings, waivers and causes, by their changes."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "endpoint",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
    )
    op.create_table(
        "content",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("digest", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "run",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("endpoint_id", sa.Integer, sa.ForeignKey("endpoint.id"), nullable=False),
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
        sa.Column("report_id", sa.Integer, sa.ForeignKey("content.id")),
        sa.UniqueConstraint("endpoint_id", "at"),
    )
    op.create_table(
        "line",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("endpoint_id", sa.Integer, sa.ForeignKey("endpoint.id"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("value_id", sa.Integer, sa.ForeignKey("content.id")),
        sa.Column("changed_at", sa.BigInteger),
        sa.UniqueConstraint("endpoint_id", "kind", "name"),
    )
    op.create_index("line_by_name", "line", ["kind", "name"])
    op.create_table(
        "change",
        sa.Column("line_id", sa.Integer, sa.ForeignKey("line.id"), primary_key=True),
        sa.Column("at", sa.BigInteger, primary_key=True),
        sa.Column("value_id", sa.Integer, sa.ForeignKey("content.id")),
        sa.Column("evidence_id", sa.Integer, sa.ForeignKey("content.id")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Drop the tables, and with them every run."""
    for name in ("change", "line", "run", "content", "endpoint"):
        op.drop_table(name)
