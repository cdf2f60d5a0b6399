"""A job that storage or database failed is tried again, later each time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_26_retries"
down_revision = "2026_11_26_owners"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("retries", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("jobs", sa.Column("not_before", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("jobs") as batch:
        batch.drop_column("not_before")
        batch.drop_column("retries")
