"""Revisions of corpora: numbered, expected, deleted."""

from __future__ import annotations

import pytest

from app.core import jobs
from app.core.catalog import corpora
from app.core.catalog.uploads import CorpusContent, Expected
from app.core.database import Database
from app.core.errors import CorpusInUse, CorpusNotFound, NewestRevision, PreconditionFailed
from app.core.jobs import JobRequest


def content(key: str, sha256: str = "digest") -> CorpusContent:
    return CorpusContent(key, sha256, 10, 1, 2)


def test_same_content_is_the_same_revision_other_content_the_next(database: Database) -> None:
    with database.transaction() as session:
        first, is_new = corpora.add(session, "corpus", content("corpora/1"))
        assert is_new
    with database.transaction() as session:
        again, is_new = corpora.add(session, "corpus", content("corpora/2"))
        assert (again.id, again.key, is_new) == (first.id, "corpora/1", False)
    with database.transaction() as session:
        other, is_new = corpora.add(session, "corpus", content("corpora/3", "another digest"))
        assert (first.revision, other.revision, is_new) == (1, 2, True)
    with database.transaction() as session:
        back, is_new = corpora.add(session, "corpus", content("corpora/4"))
        assert (back.revision, is_new) == (3, True)
    with database.reading() as session:
        assert corpora.get(session, "corpus").key == "corpora/4"
        assert corpora.get(session, "corpus", 1).key == "corpora/1"
        assert [(each.key, n_bytes) for each, n_bytes in corpora.page(session, limit=10)] == [("corpora/4", 30)]
        with pytest.raises(CorpusNotFound, match="no revision 4; the newest is 3"):
            corpora.get(session, "corpus", 4)


def test_expectations_of_a_corpus(database: Database) -> None:
    with pytest.raises(PreconditionFailed, match="does not exist"), database.transaction() as session:
        corpora.add(session, "corpus", content("corpora/1"), expected=Expected.ANY)
    with database.transaction() as session:
        first, _ = corpora.add(session, "corpus", content("corpora/1", "one"), expected=Expected.NONE)
    with pytest.raises(PreconditionFailed, match="exists"), database.transaction() as session:
        corpora.add(session, "corpus", content("corpora/2", "two"), expected=Expected.NONE)
    with database.transaction() as session:
        second, _ = corpora.add(session, "corpus", content("corpora/2", "two"), expected={first.id})
    with pytest.raises(PreconditionFailed, match="at revision 2"), database.transaction() as session:
        corpora.add(session, "corpus", content("corpora/3", "three"), expected={first.id})
    assert second.revision == 2


def test_older_revisions_are_deleted_alone_and_the_newest_with_the_corpus(database: Database) -> None:
    with database.transaction() as session:
        for number in (1, 2, 3):
            corpora.add(session, "corpus", content(f"corpora/{number}", f"{number}"))
        held = corpora.hold(session, "corpus", 2)
        job = jobs.submit(session, JobRequest("train", "m", {}, held.id))
    for revision, error in ((3, NewestRevision), (2, CorpusInUse), (7, CorpusNotFound), (None, CorpusInUse)):
        with pytest.raises(error), database.transaction() as session:
            corpora.delete(session, "corpus", revision)
    with database.transaction() as session:
        assert corpora.delete(session, "corpus", 1) == ["corpora/1"]
        jobs.cancel(session, job.id)
    with database.transaction() as session:
        assert corpora.delete(session, "corpus") == ["corpora/3", "corpora/2"]
        assert corpora.find(session, "corpus") is None
