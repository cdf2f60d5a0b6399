"""What trainers have, and what a job is expected to need."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_26_trainers"
down_revision = "2026_11_26_uploads"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "trainers",
        sa.Column("machine", sa.String(), nullable=False),
        sa.Column("threads", sa.Integer(), nullable=False),
        sa.Column("memory_bytes", sa.BigInteger(), nullable=True),
        sa.Column("disk_bytes", sa.BigInteger(), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("machine", name=op.f("pk_trainers")),
    )
    op.add_column("jobs", sa.Column("estimate", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("jobs") as batch:
        batch.drop_column("estimate")
    op.drop_table("trainers")
