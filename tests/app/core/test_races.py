"""Two requests at the same moment: one of the two orders, never a mixture."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from app.core import jobs
from app.core.catalog import corpora
from app.core.catalog.uploads import CorpusContent
from app.core.database import Database
from app.core.errors import CorpusInUse, CorpusNotFound
from app.core.jobs import JobRequest

ROUNDS = 60


def test_a_corpus_is_deleted_or_read_never_both(database_url: str) -> None:
    """An accepted job has its corpus; a deleted corpus has no job."""
    database, together = Database(database_url), Barrier(2)

    def submit(name: str) -> str:
        together.wait()
        try:
            with database.transaction() as session:
                corpus = corpora.hold(session, name)
                jobs.submit(session, JobRequest("train", "m", {"corpus": name}, corpus.id))
        except CorpusNotFound:
            return "no corpus"
        return "accepted"

    def delete(name: str) -> str:
        together.wait()
        try:
            with database.transaction() as session:
                corpora.delete(session, name)
        except CorpusInUse:
            return "in use"
        return "deleted"

    seen: Counter[tuple[str, str]] = Counter()
    with ThreadPoolExecutor(2) as pool:
        for number in range(ROUNDS):
            name = f"c{number}"
            with database.transaction() as session:
                corpora.add(session, name, CorpusContent(f"corpora/{name}", name, 1, 1, 1))
            submitted, deleted = pool.submit(submit, name), pool.submit(delete, name)
            seen[submitted.result(), deleted.result()] += 1
    database.close()
    assert seen.keys() <= {("accepted", "in use"), ("no corpus", "deleted")}
    assert sum(seen.values()) == ROUNDS
