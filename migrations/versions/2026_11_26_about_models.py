"""A model says what it is meant for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_26_about_models"
down_revision = "2026_11_25_evaluations"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("models", sa.Column("about", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("models") as batch:
        batch.drop_column("about")
