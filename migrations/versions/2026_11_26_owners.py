"""Whose a job, a corpus and a file are, and how much a key may take."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_26_owners"
down_revision = "2026_11_26_keys"
branch_labels = None
depends_on = None

OWNED = ("corpora", "files", "jobs")
LIMITS = {"max_bytes": sa.BigInteger(), "max_jobs": sa.Integer(), "max_cost": sa.BigInteger()}


def upgrade() -> None:
    for table in OWNED:
        op.add_column(table, sa.Column("owner", sa.String(), nullable=True))
    op.add_column("jobs", sa.Column("priority", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("jobs", sa.Column("cost", sa.BigInteger(), nullable=True))
    for name, kind in LIMITS.items():
        op.add_column("keys", sa.Column(name, kind, nullable=True))
    op.add_column("keys", sa.Column("owner", sa.String(), nullable=True))
    op.execute("UPDATE keys SET owner = id")
    with op.batch_alter_table("keys") as batch:
        batch.alter_column("owner", existing_type=sa.String(), nullable=False)


def downgrade() -> None:
    with op.batch_alter_table("keys") as batch:
        for name in ("owner", *LIMITS):
            batch.drop_column(name)
    with op.batch_alter_table("jobs") as batch:
        batch.drop_column("cost")
        batch.drop_column("priority")
    for table in OWNED:
        with op.batch_alter_table(table) as batch:
            batch.drop_column("owner")
