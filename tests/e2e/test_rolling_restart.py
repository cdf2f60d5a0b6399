"""Processes are restarted in turn: each says first that it leaves, and no request fails."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from app.core import jobs
from app.core.claims import Claim
from app.core.jobs import JobProgress, JobRequest
from benchmarks.ports import free_ports
from tests.published import World, random_vectors, wait_until

LEAVE_SECONDS = 600
"""Cut short when everybody has seen it."""
END_SECONDS = 15.0
"""The ten of the promise, and what a busy machine adds."""
LEASE_SECONDS = 600.0
LOOK_SECONDS = 0.05
AS_JSON = {"Content-Type": "application/json"}


class Member:
    """A process of the service."""

    def __init__(self, world: World, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._http = httpx.Client(base_url=self.url, timeout=30)
        said = {"DATA_DIR": world.folder, "PORT": port, "LEAVE_SECONDS": LEAVE_SECONDS}
        self._environment = os.environ | {f"WORDKIN_{name}": str(value) for name, value in said.items()}

    def start(self) -> None:
        self._process = subprocess.Popen([sys.executable, "-P", "-m", "app"], env=self._environment)

    def status(self) -> str | None:
        """What it says at /readyz; none if it does not answer."""
        with suppress(httpx.TransportError):
            return str(self._http.get("/readyz").json()["status"])
        return None

    def wait_until_ready(self) -> None:
        wait_until(lambda: self.status() == "ready", 60)

    def ask_to_end(self) -> None:
        self._process.terminate()

    def has_ended_well(self) -> bool:
        return self._process.wait(END_SECONDS) in {0, -signal.SIGTERM}

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    world.publish("m", ["king", "queen"], random_vectors(2, 8))
    yield world
    world.close()


@pytest.fixture
def fleet(world: World) -> Iterator[Sequence[Member]]:
    members = [Member(world, port) for port in free_ports(2)]
    for member in members:
        member.start()
    try:
        for member in members:
            member.wait_until_ready()
        yield members
    finally:
        for member in members:
            member.kill()


class Asker(threading.Thread):
    """Asks whoever was ready at its last look, as a proxy does, and asks nothing twice."""

    def __init__(self, fleet: Sequence[Member]) -> None:
        super().__init__()
        self._fleet = fleet
        self.stopping = threading.Event()
        self.answers: Counter[tuple[str, int | str]] = Counter()
        self.n_looks = 0

    def run(self) -> None:
        clients = {member.url: httpx.Client(base_url=member.url, timeout=30) for member in self._fleet}
        while not self.stopping.wait(LOOK_SECONDS):
            ready = [member.url for member in self._fleet if member.status() == "ready"]
            self.n_looks += 1
            for url in ready:
                for _ in range(5):
                    self.answers[url, self._ask(clients[url])] += 1

    def look(self) -> None:
        """Wait until it has looked twice: one look may have begun before."""
        before = self.n_looks
        wait_until(lambda: self.n_looks >= before + 2, 60)

    def _ask(self, client: httpx.Client) -> int | str:
        try:
            return client.get("/neighbors?word=king").status_code
        except httpx.TransportError as error:
            return repr(error)


class Stream:
    """Follows a job at one process after the other."""

    def __init__(self, job_id: str) -> None:
        self._path = f"/jobs/{job_id}/events"
        self.ids: list[str] = []
        self.has_begun = threading.Event()

    def follow(self, url: str) -> None:
        """Go on after the last event that came, until the process ends the stream."""
        headers = {"Last-Event-ID": self.ids[-1]} if self.ids else {}
        with httpx.stream("GET", f"{url}{self._path}", headers=headers, timeout=60) as stream:
            for line in stream.iter_lines():
                if line.startswith("id: "):
                    self.ids.append(line.removeprefix("id: "))
                    self.has_begun.set()


def restart(member: Member, asker: Asker, stream: Stream, meanwhile: Callable[[], None]) -> None:
    """Restart a process that a job is followed at and that a request has been sent to by half."""
    is_leaving = threading.Event()

    def halves() -> Iterator[bytes]:
        yield b'{"queries": [{"word": '
        is_leaving.wait(60)
        yield b'"king"}]}'

    with ThreadPoolExecutor(2) as threads:
        stream.has_begun.clear()
        following = threads.submit(stream.follow, member.url)
        slow = threads.submit(httpx.post, f"{member.url}/neighbors", content=halves(), headers=AS_JSON, timeout=60)
        assert stream.has_begun.wait(30)
        member.ask_to_end()
        wait_until(lambda: member.status() == "leaving")
        leaving, answer = (httpx.get(f"{member.url}/{path}") for path in ("readyz", "neighbors?word=king"))
        assert (leaving.status_code, answer.status_code) == (503, 200)
        assert {leaving.headers["connection"], answer.headers["connection"]} == {"close"}
        asker.look()
        assert not following.done()
        member.ask_to_end()
        wait_until(lambda: member.status() is None)
        following.result(5)
        is_leaving.set()
        assert slow.result(30).status_code == 200
        assert member.has_ended_well()
    meanwhile()
    asker.look()
    member.start()
    member.wait_until_ready()
    asker.look()


def test_a_fleet_is_restarted_without_a_request_that_fails(world: World, fleet: Sequence[Member]) -> None:
    with world.database.transaction() as session:
        stream = Stream(jobs.submit(session, JobRequest("train", "m", {})).id)
    claims: list[Claim] = []

    def claim() -> None:
        taken = jobs.claim(world.database, "worker", lease_seconds=LEASE_SECONDS, max_attempts=1)
        assert taken is not None
        claims.append(taken)

    def work() -> None:
        jobs.renew(world.database, claims[0], JobProgress("training", 0.5), lease_seconds=LEASE_SECONDS)

    asker = Asker(fleet)
    asker.start()
    try:
        for member, meanwhile in zip(fleet, (claim, work), strict=True):
            restart(member, asker, stream, meanwhile)
    finally:
        asker.stopping.set()
        asker.join()
    with world.database.transaction() as session:
        jobs.succeed(session, claims[0], {})
    stream.follow(fleet[0].url)
    assert stream.ids == ["1", "2", "3", "4", "end"]
    assert asker.answers.keys() == {(member.url, 200) for member in fleet}
