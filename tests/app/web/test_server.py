"""How a process ends while it still answers."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path

import pytest

from app.main import create_app
from app.web import server
from app.web.server import TellingServer, server_of
from tests.published import World, wait_until


@pytest.fixture
def ending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TellingServer:
    monkeypatch.setattr(server, "DRAIN_SECONDS", 1)
    return server_of(create_app(World(tmp_path).settings), World(tmp_path).settings)


def test_who_still_waits_when_the_process_ends_is_told_so(ending: TellingServer) -> None:
    """An upload that takes longer than a process waits."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = threading.Thread(target=ending.run, kwargs={"sockets": [listener]})
        serving.start()
        try:
            wait_until(lambda: ending.started)
            with socket.create_connection(listener.getsockname(), 10) as connection:
                head = (
                    "PUT /corpora/c HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n"
                )
                connection.sendall(head.encode())
                assert connection.recv(1 << 16).startswith(b"HTTP/1.1 100")  # so it is being received
                ending.should_exit = True
                answer = b"".join(iter(lambda: connection.recv(1 << 16), b""))
        finally:
            ending.should_exit = True
            serving.join()
    told, _, body = answer.partition(b"\r\n\r\n")
    assert told.startswith(b"HTTP/1.1 503")
    assert b"retry-after: 5" in told.lower()
    problem = json.loads(body)
    assert (problem["status"], problem["instance"]) == (503, "/corpora/c")
    assert "The process ended while it worked on this" in problem["detail"]
