"""Aliases move by compare-and-swap, and their history is kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.core import catalog, jobs
from app.core.catalog import PublishedVersion, Revision, corpora
from app.core.catalog.uploads import CorpusContent
from app.core.database import Database
from app.core.errors import (
    AliasReserved,
    ModelNotFound,
    PreconditionFailed,
    PreconditionRequired,
    VersionNotFound,
)
from app.core.jobs import JobRequest


def content(key: str, sha256: str = "digest") -> CorpusContent:
    return CorpusContent(key, sha256, 10, 1, 2)


@pytest.fixture
def two_versions(database: Database) -> Database:
    with database.transaction() as session:
        corpus, _ = corpora.add(session, "corpus", content("corpora/1"))
        for _ in range(2):
            jobs.submit(session, JobRequest("train", "m", {}, corpus.id))
    for number in (1, 2):
        claim = jobs.claim(database, "worker", lease_seconds=30, max_attempts=3)
        assert claim is not None
        with database.transaction() as session:
            version = catalog.publish(
                session, claim, f"versions/{number}", catalog.Made(f"digest {number}", {})
            ).version
            jobs.succeed(session, claim, {"version": version.number})
    return database


def move(database: Database, alias: str, version: int, expected: int | Revision | None) -> int:
    with database.transaction() as session:
        return catalog.move_alias(session, "m", alias, version, expected=expected).revision


def test_latest_follows_publication_and_can_be_rolled_back(two_versions: Database) -> None:
    assert move(two_versions, "latest", 1, 2) == 3
    with two_versions.reading() as session:
        assert catalog.serving_state(session) == [("latest", PublishedVersion("m", 1, "versions/1", "digest 1"))]
        history = [(row.revision, row.version) for row in catalog.alias_history(session, "m", "latest", limit=10)]
    assert history == [(3, 1), (2, 2), (1, 1)]


def test_a_new_alias_needs_no_revision_an_old_one_its_own(two_versions: Database) -> None:
    assert move(two_versions, "production", 1, None) == 1
    with pytest.raises(PreconditionRequired):
        move(two_versions, "production", 2, None)
    with pytest.raises(PreconditionFailed) as caught:
        move(two_versions, "production", 2, 7)
    assert caught.value.members == {"alias": "production", "revision": 1}
    assert move(two_versions, "production", 2, 1) == 2


def test_an_alias_that_is_not_there_has_no_revision_to_expect(two_versions: Database) -> None:
    for expected in (1, Revision.ANY):
        with pytest.raises(PreconditionFailed):
            move(two_versions, "production", 1, expected)


def test_an_alias_may_be_moved_from_wherever_it_is(two_versions: Database) -> None:
    assert move(two_versions, "latest", 1, Revision.ANY) == 3


@pytest.mark.parametrize("alias", ["1", "v1", "v007"])
def test_an_alias_must_not_read_as_a_number(two_versions: Database, alias: str) -> None:
    with pytest.raises(AliasReserved):
        move(two_versions, alias, 1, None)


def test_an_alias_points_at_a_version_that_exists(two_versions: Database) -> None:
    with pytest.raises(VersionNotFound):
        move(two_versions, "production", 3, None)
    with pytest.raises(ModelNotFound), two_versions.transaction() as session:
        catalog.move_alias(session, "other", "production", 1, expected=None)


def test_all_of_it_by_the_databases_own_clock(database_url: str) -> None:
    """The other tests move a clock of theirs; this one asks the database, as a service does."""
    database = Database(database_url)
    before = datetime.now(UTC) - timedelta(seconds=5)
    with database.transaction() as session:
        corpus, _ = corpora.add(session, "corpus", content("corpora/1"))
        job = jobs.submit(session, JobRequest("train", "m", {}, corpus.id))
    claim = jobs.claim(database, "worker", lease_seconds=30, max_attempts=3)
    assert claim is not None
    assert jobs.renew(database, claim, None, lease_seconds=30) is False
    with database.transaction() as session:
        version = catalog.publish(session, claim, "versions/1", catalog.Made("digest", {})).version
        jobs.succeed(session, claim, {"version": version.number})
    assert move(database, "production", 1, None) == 1
    with database.reading() as session:
        job = jobs.get(session, job.id)
        moments = [job.created_at, job.started_at, job.finished_at, version.created_at, corpus.created_at]
        moments.append(catalog.get_alias(session, "m", "production").moved_at)
    assert all(moment is not None and before < moment < datetime.now(UTC) + timedelta(seconds=5) for moment in moments)
    database.close()
