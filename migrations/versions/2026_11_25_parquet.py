"""Lines and words of a corpus are not known where it is Parquet."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_25_parquet"
down_revision = "2026_11_25_files"
branch_labels = None
depends_on = None

COLUMNS = ("n_lines", "n_words")


def upgrade() -> None:
    with op.batch_alter_table("corpora") as table:
        for column in COLUMNS:
            table.alter_column(column, existing_type=sa.BigInteger(), nullable=True)


def downgrade() -> None:
    for column in COLUMNS:
        op.execute(sa.text(f"UPDATE corpora SET {column} = 0 WHERE {column} IS NULL"))
    with op.batch_alter_table("corpora") as table:
        for column in COLUMNS:
            table.alter_column(column, existing_type=sa.BigInteger(), nullable=False)
