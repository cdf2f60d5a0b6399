"""A model may be a classifier, whose versions stand on versions of vectors."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_26_classifiers"
down_revision = "2026_11_26_about_models"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("models", sa.Column("kind", sa.String(), nullable=False, server_default="vectors"))
    op.create_table(
        "classifier_bases",
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("base_model", sa.String(), nullable=False),
        sa.Column("base_version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["model", "version"],
            ["versions.model", "versions.number"],
            name=op.f("fk_classifier_bases_model_version"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["base_model", "base_version"],
            ["versions.model", "versions.number"],
            name=op.f("fk_classifier_bases_base_model_base_version"),
        ),
        sa.PrimaryKeyConstraint("model", "version", name=op.f("pk_classifier_bases")),
    )
    op.create_index(
        op.f("ix_classifier_bases_base_model_base_version"), "classifier_bases", ["base_model", "base_version"]
    )


def downgrade() -> None:
    """Back to vectors alone; classifiers have no place there and keep this from happening."""
    if name := op.get_bind().scalar(sa.text("SELECT name FROM models WHERE kind = 'classifier' LIMIT 1")):
        raise RuntimeError(f"{name!r} is a classifier, which the older schema cannot hold; delete it first")
    op.drop_index(op.f("ix_classifier_bases_base_model_base_version"), table_name="classifier_bases")
    op.drop_table("classifier_bases")
    with op.batch_alter_table("models") as table:
        table.drop_column("kind")
