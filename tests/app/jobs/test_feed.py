"""Streams of a job: nothing is lost and nothing comes twice, whoever is asked, and they end when they should."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from app.core import jobs
from app.core.access import Caller, Scope, acting_as
from app.core.claims import Claim
from app.core.database import Database
from app.core.errors import DatabaseUnavailable
from app.core.jobs import JobProgress, JobRequest
from app.jobs import feed, streams
from app.jobs.feed import Feed
from tests.published import World

TRAIN = {"model": "m", "corpus": "c", "algorithm": "glove"}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "POLL_SECONDS", 0.01)


@pytest.fixture
def world(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.close()


def submitted(http: httpx.Client) -> str:
    http.put("/corpora/c", content=b"a b c\n")
    job_id: str = http.post("/jobs", json=TRAIN).json()["id"]
    return job_id


def claimed(database: Database) -> Claim:
    taken = jobs.claim(database, "worker", lease_seconds=30, max_attempts=3)
    assert taken is not None
    return taken


def events(lines: Iterator[str]) -> Iterator[tuple[str | None, str, float]]:
    """The id, the name and the progress of each."""
    fields: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif "data" in fields:
            yield fields.get("id"), fields["event"], json.loads(fields["data"])["progress"]
            fields = {}


def test_a_stream_that_is_cut_goes_on_in_another_process(world: World) -> None:
    """A trainer works while a reader is cut after every third event and asks two processes in turn."""

    def work() -> None:
        taken = claimed(world.database)
        for i in range(20):
            jobs.renew(world.database, taken, JobProgress("training", i / 20), lease_seconds=30)
        with world.database.transaction() as session:
            jobs.succeed(session, taken, {})

    with ExitStack() as stack, ThreadPoolExecutor(1) as threads:
        services = [stack.enter_context(world.served()) for _ in range(2)]
        path = f"/jobs/{submitted(services[0])}/events"
        working = threads.submit(work)
        last, told = "0", []
        while last != "end":
            services.reverse()
            with services[0].stream("GET", path, headers={"Last-Event-ID": last}) as stream:
                numbered = (event for event in events(stream.iter_lines()) if event[0])
                for _, (event_id, name, progress) in zip(range(3), numbered, strict=False):
                    last = event_id or last
                    told.append((last, name, progress))
        working.result()
        assert services[0].get(path, headers={"Last-Event-ID": "end"}).status_code == 204
    n_events = 2 + 20 + 1
    assert [event_id for event_id, _, _ in told] == [*map(str, range(1, n_events + 1)), "end"]
    assert [name for _, name, _ in told] == ["queued", *["running"] * 21, "succeeded", "end"]
    assert [progress for _, _, progress in told] == sorted(progress for _, _, progress in told)


def test_how_far_a_job_is_between_two_events_is_told_without_an_id(world: World) -> None:
    with world.served() as http:
        path = f"/jobs/{submitted(http)}/events"
        taken = claimed(world.database)
        jobs.renew(world.database, taken, JobProgress("training", 0.5), lease_seconds=30)
        with http.stream("GET", path) as stream:
            told = events(stream.iter_lines())
            assert next(told) == ("3", "running", 0.5)
            jobs.renew(world.database, taken, JobProgress("training", 0.51), lease_seconds=30)
            assert next(told) == (None, "running", 0.51)
            jobs.fail(world.database, taken, {"type": "x", "title": "x", "detail": "x"})
            assert list(told) == [("4", "failed", 0.51), ("end", "end", 0.51)]


def test_a_job_that_goes_on_is_told_whatever_the_browser_has(world: World) -> None:
    """`end` is the end of another job's stream then, and a large number one of another database."""
    with world.served() as http:
        job_id = submitted(http)
        for last in ("end", "99", "٣", "9" * 30, "-1"):
            headers = {b"Last-Event-ID": last.encode()}
            with http.stream("GET", f"/jobs/{job_id}/events", headers=headers) as stream:
                assert next(events(stream.iter_lines())) == ("1", "queued", 0.0)


def test_streams_go_on_after_an_outage(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two looks fail, as when the database is away, and one as nobody expects; the fourth finds the end."""
    look, looks = Feed._look, []

    def away(self: Feed, known: dict[str, int]) -> object:
        looks.append(known)
        if len(looks) < 3:
            raise DatabaseUnavailable
        if len(looks) == 3:
            raise ValueError
        with world.database.transaction() as session:
            jobs.cancel(session, job_id)
        return look(self, known)

    monkeypatch.setattr(Feed, "_look", away)
    with world.served() as http:
        job_id = submitted(http)
        with http.stream("GET", f"/jobs/{job_id}/events") as stream:
            told = [name for _, name, _ in events(stream.iter_lines())]
    assert told == ["queued", "cancelled", "end"]
    assert looks[3] == {job_id: 1}


async def follow(feed: Feed, database: Database, job_id: str) -> list[str]:
    with feed.listening(job_id) as listener:
        begun, now = streams._until_now(database, job_id, None)
        feed.go_on(job_id, listener, now)
        return [told.state for told in [*begun, *[each async for each in listener.told()]]]


@pytest.mark.parametrize("how", ["the process ends", "the job is deleted", "the key is revoked"])
def test_what_ends_all_streams_at_once(world: World, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    monkeypatch.setattr(feed, "CALLER_SECONDS", 0.01)
    with world.database.transaction() as session:
        job_id = jobs.submit(session, JobRequest("train", "m", {"hyperparameters": {}})).id
    looks: list[object] = []
    look, caller = Feed._look, Caller(Scope.READ, key_id="key")

    def counted(self: Feed, known: dict[str, int]) -> object:
        looks.append(known)
        return look(self, known)

    monkeypatch.setattr(Feed, "_look", counted)

    async def run() -> list[list[str]]:
        ours = Feed(world.database)
        with acting_as(caller):
            following = [asyncio.create_task(follow(ours, world.database, job_id)) for _ in range(30)]
        while len(looks) < 3:
            await asyncio.sleep(0.01)
        if how == "the process ends":
            ours.end()
            following.append(asyncio.create_task(follow(ours, world.database, job_id)))  # who comes too late
        elif how == "the key is revoked":
            caller.revoke()
        else:
            with world.database.transaction() as session:
                session.delete(jobs.get(session, job_id))
        return await asyncio.wait_for(asyncio.gather(*following), 20)

    told = asyncio.run(run())
    assert {tuple(each) for each in told} == {("queued",)}
    assert looks[0] == {job_id: 1}, "one look is for all of them"
