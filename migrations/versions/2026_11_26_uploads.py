"""Uploads that come in parts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_26_uploads"
down_revision = "2026_11_26_webhooks"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "partial_uploads",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("noun", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("how", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("length", sa.BigInteger(), nullable=True),
        sa.Column("n_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sealed_as", sa.String(), nullable=True),
        sa.Column("owner", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("noun IN ('corpus', 'file')", name=op.f("ck_partial_uploads_noun")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partial_uploads")),
    )
    op.create_index("ix_partial_uploads_expires_at", "partial_uploads", ["expires_at"])
    op.create_table(
        "upload_parts",
        sa.Column("upload_id", sa.String(), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["upload_id"],
            ["partial_uploads.id"],
            name=op.f("fk_upload_parts_upload_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("upload_id", "first", name=op.f("pk_upload_parts")),
    )


def downgrade() -> None:
    """Back to uploads in one piece; what has come of others is sent again, and their objects are swept."""
    op.drop_table("upload_parts")
    op.drop_index("ix_partial_uploads_expires_at", table_name="partial_uploads")
    op.drop_table("partial_uploads")
