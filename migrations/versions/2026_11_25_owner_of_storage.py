"""A database has an id, with which the storage that it owns is marked."""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import op

revision = "2026_11_25_owner_of_storage"
down_revision = "2026_11_25_kinds_of_job"
branch_labels = None
depends_on = None


def upgrade() -> None:
    table = op.create_table(
        "installation",
        sa.Column("id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installation")),
    )
    op.bulk_insert(table, [{"id": secrets.token_hex(16)}])


def downgrade() -> None:
    op.drop_table("installation")
