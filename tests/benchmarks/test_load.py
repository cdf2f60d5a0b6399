"""What the load generator measures of a server that it has an answer of."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmarks import load


class Slow(BaseHTTPRequestHandler):
    """Answers after a while."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        time.sleep(0.2)
        self.send_response(500 if self.path == "/broken" else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Slow) as server:
        serving = threading.Thread(target=server.serve_forever, daemon=True)
        serving.start()
        yield server.server_address[1]
        server.shutdown()
        serving.join()


@pytest.mark.parametrize("rate", [None, 10.0])
def test_a_load_shorter_than_an_answer_waits_for_one(port: int, rate: float | None) -> None:
    found = load.run(port, [load.get("/")], connections=1, seconds=0.01, rate=rate)
    assert (len(found.latencies), found.n_failed) == (1, 0)
    assert 0 < found.per_second < 1 / 0.1
    assert found.milliseconds(50) >= 200


def test_a_failure_is_no_answer(port: int) -> None:
    found = load.run(port, [load.get("/broken")], connections=1, seconds=0.01)
    assert (found.latencies, found.n_failed) == ([], 1)


def test_who_never_answers_is_given_up(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "LONGEST_SECONDS", 0.05)
    assert load.run(port, [load.get("/")], connections=1, seconds=0.01).latencies == []
