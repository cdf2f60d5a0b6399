"""A load generator that costs little: raw HTTP/1.1 on kept-alive connections, run in a process of its own.

Closed loop (`rate=None`): every connection sends its next request when its answer has come; measures throughput. Open
loop: requests fall due at a fixed rate, and each one's latency counts from when it was due, so that a server that
stalls is charged for everybody who had to wait.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import quote

import uvloop

TICK_SECONDS = 0.001
"""Between two looks at what has fallen due. A shorter sleep is none, and then this process takes a core."""
LONGEST_SECONDS = 60.0
"""How long the first answer may take."""


@dataclass
class Result:
    """What came back. Latencies in seconds."""

    seconds: float
    n_failed: int
    latencies: list[float] = field(repr=False)

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds

    def milliseconds(self, percentile: float) -> float:
        ranked = sorted(self.latencies)
        return ranked[min(len(ranked) - 1, int(len(ranked) * percentile / 100))] * 1e3 if ranked else float("nan")


def get(path: str, **parameters: object) -> bytes:
    """A GET request as bytes."""
    query = "&".join(f"{name}={quote(str(value))}" for name, value in parameters.items())
    return f"GET {path}{'?' if query else ''}{query} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def post(path: str, body: bytes) -> bytes:
    """A POST of JSON as bytes."""
    kind = f"Content-Type: application/json\r\nContent-Length: {len(body)}"
    return f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{kind}\r\n\r\n".encode() + body


class _Connection(asyncio.Protocol):
    def __init__(self, load: _Load) -> None:
        self._load = load
        self._received = b""
        self._due = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own class is not a subclass
        self._load.is_free(self)

    def send(self, request: bytes, due: float) -> None:
        self._due = due
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._received = self._received + data if self._received else data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        start = head.lower().find(b"content-length:")
        length = int(head[start + 15 :].split(b"\r", 1)[0]) if start >= 0 else 0
        if len(body) >= length:
            self._received = b""
            self._load.answered(self._due, ok=head.startswith(b"HTTP/1.1 200"))
            self._load.is_free(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio's signature)
        self._load.lost()


class _Load:
    def __init__(self, requests: Iterator[bytes], rate: float | None) -> None:
        self._requests = requests
        self._rate = rate
        self._free: deque[_Connection] = deque()
        self._due: deque[float] = deque()
        self.is_over = False
        self.latencies: list[float] = []
        self.n_failed = 0

    def is_free(self, connection: _Connection) -> None:
        if self.is_over:
            return
        if self._rate is None:
            connection.send(next(self._requests), time.perf_counter())
        elif self._due:
            connection.send(next(self._requests), self._due.popleft())
        else:
            self._free.append(connection)

    def answered(self, due: float, *, ok: bool) -> None:
        if ok:
            self.latencies.append(time.perf_counter() - due)
        else:
            self.n_failed += 1

    def lost(self) -> None:
        self.n_failed += not self.is_over

    def forget(self) -> None:
        """Leave the warm-up out."""
        self.latencies.clear()
        self.n_failed = 0

    async def make_due(self) -> None:
        """Let requests fall due at the rate, until cancelled."""
        assert self._rate is not None
        next_due = time.perf_counter()
        while True:
            now = time.perf_counter()
            while next_due <= now:
                if self._free:
                    self._free.popleft().send(next(self._requests), next_due)
                else:
                    self._due.append(next_due)
                next_due += 1 / self._rate
            await asyncio.sleep(TICK_SECONDS)


async def _run(port: int, requests: Sequence[bytes], connections: int, seconds: float, rate: float | None) -> Result:
    loop = asyncio.get_running_loop()
    load = _Load(itertools.cycle(requests), rate)
    opened = [await loop.create_connection(lambda: _Connection(load), "127.0.0.1", port) for _ in range(connections)]
    ticking = asyncio.create_task(load.make_due()) if rate else None
    await asyncio.sleep(min(0.5, seconds / 4))
    load.forget()
    started = time.perf_counter()
    await asyncio.sleep(seconds)
    while not load.latencies and not load.n_failed and time.perf_counter() < started + seconds + LONGEST_SECONDS:
        await asyncio.sleep(TICK_SECONDS)  # a load may be shorter than one answer takes on a busy machine
    taken = time.perf_counter() - started
    result = Result(taken, load.n_failed, list(load.latencies))
    load.is_over = True
    if ticking:
        ticking.cancel()
    for transport, _ in opened:
        transport.close()
    return result


def run(
    port: int,
    requests: Sequence[bytes],
    *,
    connections: int,
    seconds: float,
    rate: float | None = None,
    core: int | None = None,
) -> Result:
    """Load a local server; `core` pins this process."""
    if core is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})
    return uvloop.run(_run(port, requests, connections, seconds, rate))
