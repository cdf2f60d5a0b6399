"""A process that is asked to end says so first; a fleet is restarted without a request that fails."""

from __future__ import annotations

import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from app.core.settings import Settings
from app.main import create_app
from app.web.server import TellingServer, server_of
from tests.published import World, random_vectors, wait_until

LEAVE_SECONDS = 600.0
"""Cut short when everybody has seen it."""


class Member:
    """One of a fleet: the real server on a port of its own, in a thread of this process."""

    def __init__(self, settings: Settings) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self._settings = settings.model_copy(update={"port": port, "leave_seconds": LEAVE_SECONDS})
        self.url = f"http://127.0.0.1:{port}"
        self.start()

    def start(self) -> None:
        self.server: TellingServer = server_of(create_app(self._settings), self._settings)
        self._thread = threading.Thread(target=self.server.run)
        self._thread.start()
        wait_until(lambda: self.status() == "ready")

    def status(self) -> str | None:
        """What it says at /readyz; none if it does not answer."""
        with suppress(httpx.TransportError):
            return str(httpx.get(f"{self.url}/readyz", timeout=30).json()["status"])
        return None

    def stop(self, until_seen: Callable[[], None] = lambda: None) -> None:
        self.server.should_exit = True
        wait_until(lambda: self.status() == "leaving")
        until_seen()
        self.server.leaves_at = 0.0
        self._thread.join()


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Sequence[Member]]:
    world = World(tmp_path)
    world.publish("m", ["king", "queen"], random_vectors(2, 8))
    members = [Member(world.settings) for _ in range(2)]
    yield members
    for member in members:
        member.stop()
    world.close()


class Asker(threading.Thread):
    """Asks whoever was ready at its last look, as a proxy does, and asks nothing twice."""

    def __init__(self, fleet: Sequence[Member]) -> None:
        super().__init__()
        self._fleet = fleet
        self.stopping = threading.Event()
        self.answers: Counter[int | str] = Counter()
        self.n_looks = 0

    def run(self) -> None:
        clients = {member.url: httpx.Client(base_url=member.url, timeout=30) for member in self._fleet}
        while not self.stopping.is_set():
            ready = [member.url for member in self._fleet if member.status() == "ready"]
            self.n_looks += 1
            for url in ready:
                for _ in range(5):
                    self.answers[self._ask(clients[url])] += 1

    def look(self) -> None:
        """Wait until it has looked twice: one look may have begun before."""
        before = self.n_looks
        wait_until(lambda: self.n_looks >= before + 2, 60)

    def _ask(self, client: httpx.Client) -> int | str:
        try:
            return client.get("/neighbors?word=king").status_code
        except httpx.TransportError as error:
            return repr(error)


def test_a_fleet_is_restarted_without_a_request_that_fails(fleet: Sequence[Member]) -> None:
    asker = Asker(fleet)
    asker.start()
    try:
        for member in fleet:
            member.stop(asker.look)
            member.start()
            asker.look()
    finally:
        asker.stopping.set()
        asker.join()
    assert asker.answers.keys() == {200}
    assert asker.answers[200] >= 10


def test_a_process_that_leaves_says_so_and_goes_on_answering(fleet: Sequence[Member]) -> None:
    member = fleet[0]
    with httpx.Client(base_url=member.url, timeout=30) as client:
        assert "close" not in client.get("/livez").headers.get("connection", "")
        member.server._app.state.is_leaving = True
        left = client.get("/readyz")
        assert (left.status_code, left.json()["status"], left.headers["connection"]) == (503, "leaving", "close")
        answer = client.get("/neighbors?word=king")
        assert (answer.status_code, answer.headers["connection"]) == (200, "close")
