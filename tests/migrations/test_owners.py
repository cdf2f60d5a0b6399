"""What was made before there were owners is nobody's, of the usual priority; a key of before owns what it makes."""

from __future__ import annotations

from alembic import command
from sqlalchemy import create_engine, text

from app.command.schema import alembic_config, migrate
from app.core import jobs
from app.core.access import keys
from app.core.catalog import corpora
from app.core.database import Database
from app.core.settings import Settings

BEFORE = "2026_11_26_keys"
AT = "2026-11-20 10:00:00"


def test_rows_of_before_are_read_and_go_back(database_url: str) -> None:
    settings = Settings(database_url=database_url)
    command.downgrade(alembic_config(settings), BEFORE)
    engine = create_engine(Database(database_url).url)
    with engine.begin() as connection:
        for statement in (
            f"INSERT INTO corpora VALUES ('c', 'bible', 'corpora/1', 'one', 9, 9, 9, '{AT}', 1)",
            f"INSERT INTO keys (id, name, digest, scope, created_at) VALUES ('k', 'shop', '00', 'train', '{AT}')",
            "INSERT INTO jobs (id, state, kind, payload, measures, progress, attempts, created_at)"
            f" VALUES ('j', 'queued', 'train', '{{}}', '{{}}', 0, 0, '{AT}')",
        ):
            connection.execute(text(statement))
    migrate(settings)
    database = Database(database_url)
    with database.reading() as session:
        assert corpora.get(session, "bible").owner is None
        job = jobs.get(session, "j")
        assert (job.owner, job.priority, job.cost) == (None, 0, None)
        who, _ = keys.valid(session, Settings())[b"k"]
        assert (who.owner, who.quota.max_bytes, who.quota.all_jobs) == ("k", None, 1000)
    taken = jobs.claim(database, "worker", lease_seconds=30, max_attempts=3)
    assert taken is not None
    assert taken.job_id == "j"
    jobs.release(database, taken, counts=False)
    database.close()
    command.downgrade(alembic_config(settings), BEFORE)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT id, state FROM jobs")).all() == [("j", "queued")]
        assert connection.execute(text("SELECT id, name FROM keys")).all() == [("k", "shop")]
    engine.dispose()
    migrate(settings)
