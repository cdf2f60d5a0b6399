"""A corpus has revisions, a version its size, and a model that was deleted goes on counting its versions."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "2026_11_25_revisions_and_removal"
down_revision = "2026_11_25_owner_of_storage"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("corpora") as table:
        table.add_column(sa.Column("revision", sa.Integer(), nullable=False, server_default="1"))
        table.drop_constraint(op.f("uq_corpora_name"), type_="unique")
        table.create_unique_constraint(op.f("uq_corpora_name_revision"), ["name", "revision"])
    with op.batch_alter_table("corpora") as table:
        table.alter_column("revision", existing_type=sa.Integer(), server_default=None)
    with op.batch_alter_table("models") as table:
        table.add_column(sa.Column("keep_versions", sa.Integer(), nullable=True))
        table.add_column(sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("versions", sa.Column("n_bytes", sa.BigInteger(), nullable=True))
    _fill_sizes()
    with op.batch_alter_table("versions") as table:
        table.alter_column("n_bytes", existing_type=sa.BigInteger(), nullable=False)


def downgrade() -> None:
    """Back to one text a name: older revisions, and models that were deleted, have no place there."""
    bind = op.get_bind()
    corpora = sa.Table("corpora", sa.MetaData(), autoload_with=bind)
    newer = corpora.alias()
    older = sa.select(newer.c.id).where(newer.c.name == corpora.c.name, newer.c.revision > corpora.c.revision).exists()
    bind.execute(sa.delete(corpora).where(older))  # what jobs say of theirs is in the jobs
    bind.execute(sa.text("DELETE FROM models WHERE deleted_at IS NOT NULL"))
    with op.batch_alter_table("versions") as table:
        table.drop_column("n_bytes")
    with op.batch_alter_table("models") as table:
        table.drop_column("deleted_at")
        table.drop_column("keep_versions")
    with op.batch_alter_table("corpora") as table:
        table.drop_constraint(op.f("uq_corpora_name_revision"), type_="unique")
        table.create_unique_constraint(op.f("uq_corpora_name"), ["name"])
        table.drop_column("revision")


def _fill_sizes() -> None:
    """From the manifests, one at a time: each may be long."""
    bind = op.get_bind()
    table = sa.Table("versions", sa.MetaData(), autoload_with=bind, resolve_fks=False)
    for model, number in bind.execute(sa.select(table.c.model, table.c.number)).all():
        one = (table.c.model == model) & (table.c.number == number)
        said: Any = bind.execute(sa.select(sa.type_coerce(table.c.manifest, sa.JSON())).where(one)).scalar_one()
        n_bytes = sum(file["n_bytes"] for file in said.get("files", {}).values())
        bind.execute(sa.update(table).where(one).values(n_bytes=n_bytes))
