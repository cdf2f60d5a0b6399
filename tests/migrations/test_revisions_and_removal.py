"""A corpus of before is its first revision, a version of before has its size; and back."""

from __future__ import annotations

import json

from alembic import command
from sqlalchemy import create_engine, text

from app.command.schema import alembic_config, migrate
from app.core import catalog
from app.core.catalog import corpora
from app.core.catalog.uploads import CorpusContent
from app.core.database import Database
from app.core.settings import Settings

BEFORE = "2026_11_25_owner_of_storage"
AT = "2026-11-20 10:00:00"
MANIFEST = {"files": {"table.safetensors": {"n_bytes": 5, "sha256": "x"}, "index.faiss": {"n_bytes": 7, "sha256": "x"}}}


def test_rows_of_before_are_read_and_go_back(database_url: str) -> None:
    settings = Settings(database_url=database_url)
    command.downgrade(alembic_config(settings), BEFORE)
    engine = create_engine(Database(database_url).url)
    with engine.begin() as connection:
        connection.execute(text(f"INSERT INTO corpora VALUES ('c', 'bible', 'corpora/1', 'one', 9, 9, 9, '{AT}')"))
        connection.execute(text(f"INSERT INTO models (name, n_versions, created_at) VALUES ('m', 1, '{AT}')"))
        connection.execute(
            text(
                "INSERT INTO jobs (id, state, kind, payload, measures, progress, attempts, result, created_at)"
                f" VALUES ('j', 'succeeded', 'train', '{{}}', '{{}}', 1, 1, '{{}}', '{AT}')"
            )
        )
        connection.execute(
            text(f"INSERT INTO versions VALUES ('m', 1, 'j', 'versions/1', 'digest', :manifest, '{AT}')"),
            {"manifest": json.dumps(MANIFEST)},
        )
    migrate(settings)
    database = Database(database_url)
    with database.transaction() as session:
        assert corpora.get(session, "bible", 1).key == "corpora/1"
        assert catalog.sizes(session) == {"m": 12}
        assert catalog.get_model(session, "m").keep_versions is None
        assert corpora.add(session, "bible", CorpusContent("corpora/2", "two", 8, 8, 8))[0].revision == 2
    database.close()
    command.downgrade(alembic_config(settings), BEFORE)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT name, key FROM corpora")).all() == [("bible", "corpora/2")]
    engine.dispose()
    migrate(settings)
