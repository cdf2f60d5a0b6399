"""A job has a kind, a payload and a result, which need not be a training's corpus, hyperparameters and version."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from alembic import op
from alembic.operations.base import BatchOperations

revision = "2026_11_25_kinds_of_job"
down_revision = "2026_11_22_initial"
branch_labels = None
depends_on = None

JSON = sa.JSON(none_as_null=True)
MEASURES = {"tokens_per_second": sa.Double(), "loss": sa.Double(), "held_out_loss": sa.Double(), "epoch": sa.Integer()}
RESULT = ("result", "(state = 'succeeded') = (result IS NOT NULL)")
VERSION = ("version", "(state = 'succeeded') = (version IS NOT NULL)")
AT_A_TIME = 1000


def upgrade() -> None:
    for name, kind in (("kind", sa.String()), ("payload", JSON), ("measures", JSON), ("result", JSON)):
        op.add_column("jobs", sa.Column(name, kind, nullable=True))
    _rewrite(_as_kind)
    with _jobs(new=RESULT, old=VERSION) as table:
        table.alter_column("kind", existing_type=sa.String(), nullable=False)
        table.alter_column("payload", existing_type=JSON, nullable=False)
        table.alter_column("measures", existing_type=JSON, nullable=False)
        table.alter_column("model", existing_type=sa.String(), nullable=True)
        for name in ("corpus", "algorithm", "hyperparameters", "text", "version", *MEASURES):
            table.drop_column(name)


def downgrade() -> None:
    """Back to trainings alone; jobs of other kinds have no place there and keep this from happening."""
    old: dict[str, Any] = {"corpus": sa.String(), "algorithm": sa.String(), "hyperparameters": JSON, "text": JSON}
    columns: dict[str, Any] = {**old, **MEASURES, "version": sa.Integer()}
    for name, kind in columns.items():
        op.add_column("jobs", sa.Column(name, kind, nullable=True))
    _rewrite(_as_training)
    with _jobs(new=VERSION, old=RESULT) as table:
        for name, kind in old.items():
            table.alter_column(name, existing_type=kind, nullable=False)
        table.alter_column("model", existing_type=sa.String(), nullable=False)
        for name in ("kind", "payload", "measures", "result"):
            table.drop_column(name)


@contextmanager
def _jobs(*, new: tuple[str, str], old: tuple[str, str]) -> Iterator[BatchOperations]:
    """The table as a batch that also swaps a constraint."""
    with op.batch_alter_table("jobs") as table:
        table.drop_constraint(op.f(f"ck_jobs_{old[0]}"), type_="check")
        yield table
        table.create_check_constraint(op.f(f"ck_jobs_{new[0]}"), new[1])


def _rewrite(change: Callable[[Any, Any], dict[str, Any]]) -> None:
    """Fill the new columns of every row from the old ones."""
    bind = op.get_bind()
    table = sa.Table("jobs", sa.MetaData(), autoload_with=bind, resolve_fks=False)
    for column in table.columns:
        if isinstance(column.type, sa.JSON):
            column.type = JSON
    corpora = {row.id: row for row in bind.execute(sa.text("SELECT id, key, sha256, n_bytes FROM corpora"))}
    last = ""
    while rows := bind.execute(sa.select(table).where(table.c.id > last).order_by(table.c.id).limit(AT_A_TIME)).all():
        for row in rows:
            values = change(row, corpora.get(row.corpus_id))
            bind.execute(sa.update(table).where(table.c.id == row.id).values(**values))
        last = rows[-1].id


def _as_kind(row: Any, corpus: Any) -> dict[str, Any]:
    source = {"name": row.corpus}
    if corpus is not None:
        source |= {"key": corpus.key, "sha256": corpus.sha256, "n_bytes": corpus.n_bytes}
    chosen = {"algorithm": row.algorithm, "hyperparameters": row.hyperparameters, "text": row.text}
    measures = {name: value for name in MEASURES if (value := getattr(row, name)) is not None}
    return {
        "kind": "train",
        "payload": {"corpus": source, **chosen},
        "measures": measures,
        "result": None if row.version is None else {"version": row.version},
    }


def _as_training(row: Any, _corpus: Any) -> dict[str, Any]:
    if row.kind != "train":
        raise RuntimeError(f"the job {row.id} is of the kind {row.kind!r}, which the older schema cannot hold")
    chosen = {name: row.payload[name] for name in ("algorithm", "hyperparameters", "text")}
    measures = {name: row.measures.get(name) for name in MEASURES}
    version = row.result["version"] if row.result else None
    return {"corpus": row.payload["corpus"]["name"], **chosen, **measures, "version": version}
