"""Files that are no corpus, and the jobs that read them or versions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_25_files"
down_revision = "2026_11_25_history_of_jobs"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "files",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("n_bytes", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_files")),
        sa.UniqueConstraint("name", "revision", name=op.f("uq_files_name_revision")),
        sa.UniqueConstraint("key", name=op.f("uq_files_key")),
    )
    op.add_column("jobs", sa.Column("file_ids", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("jobs", sa.Column("versions", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("jobs") as batch:
        batch.drop_column("versions")
        batch.drop_column("file_ids")
    op.drop_table("files")
