"""What nothing names can be deleted; what something names is refused, and the something named."""

from __future__ import annotations

from typing import Any

import pytest

from app.core import catalog, jobs
from app.core.catalog import Revision, removal
from app.core.database import Database
from app.core.errors import (
    JobInUse,
    JobNotFound,
    ModelInUse,
    ModelNotFound,
    PreconditionFailed,
    VersionInUse,
    VersionNotFound,
)
from app.core.jobs import JobRequest
from app.core.records import Job, Model

MANIFEST = {"files": {"table.safetensors": {"n_bytes": 7, "sha256": "x"}, "index.faiss": {"n_bytes": 5, "sha256": "x"}}}


def publish(database: Database, payload: dict[str, Any] | None = None) -> int:
    with database.transaction() as session:
        jobs.submit(session, JobRequest("train", "m", payload or {}))
    claim = jobs.claim(database, "worker", lease_seconds=30, max_attempts=3)
    assert claim is not None
    with database.transaction() as session:
        version = catalog.publish(session, claim, f"versions/{claim.token}", catalog.Made("digest", MANIFEST)).version
        jobs.succeed(session, claim, {"version": version.number})
        return version.number


def numbers(database: Database) -> list[int]:
    with database.reading() as session:
        return [version.number for version in catalog.list_versions(session, "m")]


def aliases(database: Database) -> dict[str, int]:
    with database.reading() as session:
        return {alias.alias: alias.version for alias in catalog.list_aliases(session, "m")}


def test_a_version_goes_unless_an_alias_names_it_and_its_number_is_gone_for_ever(database: Database) -> None:
    assert [publish(database), publish(database)] == [1, 2]
    with pytest.raises(VersionInUse, match="m@2 is named by 'latest'") as caught, database.transaction() as session:
        removal.delete_version(session, "m", 2)
    assert caught.value.members == {"aliases": ["latest"]}
    with database.transaction() as session:
        assert removal.delete_version(session, "m", 1).startswith("versions/")
    with pytest.raises(VersionNotFound), database.transaction() as session:
        removal.delete_version(session, "m", 1)
    with database.reading() as session:
        assert catalog.existing(session, {("m", 1), ("m", 2), ("n", 2)}) == {("m", 2)}
        assert catalog.sizes(session) == {"m": 12}
    with database.transaction() as session:
        removal.delete_alias(session, "m", "latest", expected=None)
        removal.delete_version(session, "m", 2)
    assert publish(database) == 3


def test_an_alias_goes_at_its_revision_and_counts_on(database: Database) -> None:
    publish(database)
    with pytest.raises(PreconditionFailed, match="at revision 1, not 7"), database.transaction() as session:
        removal.delete_alias(session, "m", "latest", expected=7)
    with database.transaction() as session:
        removal.delete_alias(session, "m", "latest", expected=1)
    assert aliases(database) == {}
    with pytest.raises(VersionNotFound), database.transaction() as session:
        removal.delete_alias(session, "m", "latest", expected=Revision.ANY)
    publish(database)
    with database.reading() as session:
        assert catalog.get_alias(session, "m", "latest").revision == 2


def test_a_model_goes_with_all_it_has_unless_a_job_will_publish_into_it(database: Database) -> None:
    publish(database)
    with database.transaction() as session:
        waiting = jobs.submit(session, JobRequest("train", "m", {})).id
    with pytest.raises(ModelInUse, match=waiting), database.transaction() as session:
        removal.delete_model(session, "m")
    with database.transaction() as session:
        jobs.cancel(session, waiting)
        assert len(removal.delete_model(session, "m")) == 1
    with pytest.raises(ModelNotFound), database.transaction() as session:
        removal.delete_model(session, "m")
    with database.reading() as session:
        assert catalog.list_models(session) == []
        assert catalog.serving_state(session) == []
    assert publish(database) == 2, "no number ever means two versions"
    assert aliases(database) == {"latest": 2}


def test_so_many_versions_are_kept_besides_those_that_aliases_name(database: Database) -> None:
    for _ in range(5):
        publish(database)
    with database.transaction() as session:
        catalog.move_alias(session, "m", "production", 2, expected=None)
        assert removal.delete_superfluous(session, "m") == [], "without a wish all stay"
        session.get_one(Model, "m").keep_versions = 2
    with database.transaction() as session:
        assert len(removal.delete_superfluous(session, "m")) == 2
    assert numbers(database) == [5, 4, 2]


def test_a_job_goes_when_it_has_ended_and_left_no_version(database: Database) -> None:
    publish(database)
    with database.transaction() as session:
        waiting = jobs.submit(session, JobRequest("train", "m", {})).id
        published = session.query(Job).filter(Job.state == "succeeded").one().id
    for job_id, why in ((waiting, "queued; cancel it first"), (published, "has published m@1")):
        with pytest.raises(JobInUse, match=why), database.transaction() as session:
            removal.delete_job(session, job_id)
    with database.transaction() as session:
        jobs.cancel(session, waiting)
        removal.delete_job(session, waiting)
    with pytest.raises(JobNotFound), database.reading() as session:
        jobs.get(session, waiting)


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ({}, {"latest": 1}),
        ({"publish": {"alias": "staging"}}, {"staging": 1}),
        ({"publish": {"alias": None}}, {}),
    ],
)
def test_a_publication_moves_the_alias_that_its_job_names(
    database: Database, payload: dict[str, Any], expected: dict[str, int]
) -> None:
    publish(database, payload)
    assert aliases(database) == expected


def test_what_an_unfinished_job_reads_stays(database: Database) -> None:
    for _ in range(3):
        publish(database)
    with database.transaction() as session:
        parent = catalog.version_of(session, "m", "1", hold=True)
        assert (parent.number, catalog.version_of(session, "m", "latest").number) == (1, 3)
        assert catalog.version_of(session, "m", "v2").number == 2
        job = jobs.submit(session, JobRequest("derive", "other", {}, versions=["m@1"]))
        session.add(Model(name="other", created_at=job.created_at))
    for delete, error in (
        (lambda session: removal.delete_version(session, "m", 1), VersionInUse),
        (lambda session: removal.delete_model(session, "m"), ModelInUse),
    ):
        with pytest.raises(error, match=f"The job {job.id} still reads") as caught, database.transaction() as session:
            delete(session)
        assert caught.value.members["job"] == job.id
    with database.transaction() as session:
        catalog.get_model(session, "m").keep_versions = 1
    with database.transaction() as session:
        assert len(removal.delete_superfluous(session, "m")) == 1
    assert numbers(database) == [3, 1]
    with database.transaction() as session:
        jobs.cancel(session, job.id)
        removal.delete_version(session, "m", 1)
    assert numbers(database) == [3]
