"""A job keeps the history of its epochs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_25_history_of_jobs"
down_revision = "2026_11_25_steps_of_jobs"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("history", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("jobs") as batch:
        batch.drop_column("history")
