"""Nobody takes more than they may, however many ask at the same moment; on both databases."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from app.core import access, jobs
from app.core.access import Caller, Scope, keys
from app.core.access.quota import Quota
from app.core.catalog import corpora, files, partial
from app.core.catalog.uploads import CorpusContent, FileContent
from app.core.database import Database
from app.core.errors import JobTooCostly, QueueFull, QuotaExceeded, WordkinError
from app.core.jobs import JobRequest
from app.core.settings import Settings
from app.core.upload_records import PartialUpload

N_TOGETHER = 8


def caller(**limits: int | str) -> Caller:
    return Caller(Scope.TRAIN, key_id="k", quota=Quota(**limits))  # type: ignore[arg-type] # as named


def together(database: Database, who: Caller, take: Callable[[Database, int], None]) -> int:
    """How many of those who ask at the same moment get what they want."""
    barrier = Barrier(N_TOGETHER)

    def asked(number: int) -> bool:
        with access.acting_as(who):
            barrier.wait()
            try:
                take(database, number)
            except (QueueFull, QuotaExceeded):
                return False
            return True

    with ThreadPoolExecutor(N_TOGETHER) as pool:
        return sum(pool.map(asked, range(N_TOGETHER)))


def submit(database: Database, _number: int = 0, cost: int | None = None) -> None:
    with database.transaction() as session:
        jobs.submit(session, JobRequest("train", "m", {}, cost=cost))


def upload(database: Database, number: int, n_bytes: int = 10) -> None:
    with database.transaction() as session:
        if number % 2:
            corpora.add(session, f"c{number}", CorpusContent(f"corpora/{number}", f"{number}", n_bytes, 1, 1))
        else:
            files.add(session, f"f{number}", FileContent(f"files/{number}", f"{number}", n_bytes))


@pytest.mark.parametrize("limits", [{"max_jobs": 3}, {"all_jobs": 3}])
def test_the_last_place_of_the_queue_is_taken_once(database_url: str, limits: dict[str, int]) -> None:
    database = Database(database_url)
    assert together(database, caller(owner="a", **limits), submit) == 3
    with access.acting_as(caller(owner="b", **limits)):
        if "max_jobs" in limits:
            submit(database)
        else:
            with pytest.raises(QueueFull):
                submit(database)
    database.close()


@pytest.mark.parametrize("limits", [{"max_bytes": 35}, {"all_bytes": 35}])
def test_the_last_bytes_are_taken_once(database_url: str, limits: dict[str, int]) -> None:
    database = Database(database_url)
    assert together(database, caller(owner="a", **limits), upload) == 3
    with access.acting_as(caller(owner="b", **limits)):
        if "max_bytes" in limits:
            upload(database, 100)
        else:
            with pytest.raises(QuotaExceeded):
                upload(database, 100)
    database.close()


def test_revisions_count_until_they_are_deleted_and_the_same_again_costs_nothing(database: Database) -> None:
    def send(sha256: str) -> bool:
        with database.transaction() as session:
            return corpora.add(session, "c", CorpusContent(f"corpora/{sha256}", sha256, 40, 1, 1))[1]

    with access.acting_as(caller(owner="a", max_bytes=100)):
        assert [send("one"), send("two"), send("two")] == [True, True, False]
        with pytest.raises(QuotaExceeded) as refused:
            send("three")
        assert refused.value.members == {"n_bytes": 120, "limit_bytes": 100}
        with database.transaction() as session:
            corpora.delete(session, "c", 1)
        assert send("three")


def test_what_comes_in_parts_counts_while_it_comes(database: Database) -> None:
    keep = timedelta(hours=1)

    def add(coming: PartialUpload, first: int, n_bytes: int = 40) -> None:
        with database.transaction() as session:
            partial.append(session, coming, f"parts/{coming.id}/{first}", n_bytes, first=first, keep=keep)

    with access.acting_as(caller(owner="a", max_bytes=100)):
        with database.transaction() as session:
            one, other = (partial.create(session, "corpus", "c", {}, length=None, keep=keep) for _ in range(2))
        add(one, 0)
        add(other, 0)
        with pytest.raises(QuotaExceeded):
            add(other, 40)
        with database.transaction() as session:
            corpora.add(session, "c", CorpusContent("corpora/1", "1", 40, 1, 1))
            partial.seal(session, one, "1")
        with pytest.raises(QuotaExceeded):
            add(other, 40)
        add(other, 40, 20)


def test_a_job_may_cost_so_much(database: Database) -> None:
    with access.acting_as(caller(max_cost=1000)):
        submit(database, cost=1000)
        submit(database, cost=None)
        with pytest.raises(JobTooCostly) as refused:
            submit(database, cost=1001)
    assert refused.value.members == {"cost": 1001, "limit_cost": 1000}


def test_a_key_says_more_than_the_settings_and_its_successor_goes_on_with_its_quota(database_url: str) -> None:
    database = Database(database_url)
    settings = Settings(max_uploaded_bytes_per_key=50, max_queued_jobs_per_key=1, max_job_cost=7, max_queued_jobs=9)
    with database.transaction() as session:
        usual, _ = keys.create(session, b"", keys.Wish("usual", "train"))
        own, _ = keys.create(session, b"", keys.Wish("own", "train", max_bytes=5, max_jobs=2, max_cost=99))
        newer, _ = keys.rotate(session, b"", own.id, overlap_hours=1)
        callers = {key_id.decode(): who for key_id, (who, _) in keys.valid(session, settings).items()}
    assert callers[usual.id].quota == Quota(usual.id, max_bytes=50, max_jobs=1, all_jobs=9, max_cost=7)
    assert callers[own.id].quota == Quota(own.id, max_bytes=5, max_jobs=2, all_jobs=9, max_cost=99)
    assert callers[newer.id].quota == callers[own.id].quota

    def refusal(who: str) -> type[WordkinError] | None:
        with access.acting_as(callers[who]):
            try:
                submit(database)
            except WordkinError as error:
                return type(error)
        return None

    assert [refusal(own.id), refusal(newer.id), refusal(own.id), refusal(newer.id)] == [
        None,
        None,
        QueueFull,
        QueueFull,
    ]
    assert [refusal(usual.id), refusal(usual.id)] == [None, QueueFull]
    database.close()
