"""Evaluations of versions, the policy of a model, and moves of aliases that overrode it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_25_evaluations"
down_revision = "2026_11_25_parquet"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "evaluations",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.String(), nullable=True),
        sa.Column("report", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("outcomes", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["model", "version"],
            ["versions.model", "versions.number"],
            name=op.f("fk_evaluations_model_version"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_evaluations_job_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evaluations")),
    )
    op.create_index(op.f("ix_evaluations_model_version"), "evaluations", ["model", "version"])
    op.add_column("models", sa.Column("policy", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("alias_moves", sa.Column("override", sa.String(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("alias_moves") as table:
        table.drop_column("override")
    with op.batch_alter_table("models") as table:
        table.drop_column("policy")
    op.drop_index(op.f("ix_evaluations_model_version"), table_name="evaluations")
    op.drop_table("evaluations")
