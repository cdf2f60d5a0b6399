"""A job says which step of its phase runs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_25_steps_of_jobs"
down_revision = "2026_11_25_revisions_and_removal"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("step", sa.String(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("jobs") as batch:
        batch.drop_column("step")
