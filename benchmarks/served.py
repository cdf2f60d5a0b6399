"""Server processes under measured load."""

from __future__ import annotations

import itertools
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path

import httpx

from benchmarks import load
from benchmarks.ports import free_ports

CONNECTIONS = 32
ROUNDS = 3


@dataclass(frozen=True)
class Server:
    """A server process."""

    port: int
    pid: int
    start_seconds: float

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_megabytes(self) -> float:
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


@contextmanager
def serving(kind: str, folder: Path, first: bytes) -> Iterator[Server]:
    """Start a server and wait for its answer to `first`.

    Its `kind` is one of `benchmarks.servers`, "bare", or "shipped": the process that users and images run.
    """
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "benchmarks.servers", kind, str(folder), str(port)]
    environment = {}
    if kind == "bare":
        command = [sys.executable, "-m", "benchmarks.bare", str(port)]
    elif kind == "shipped":
        command = [sys.executable, "-P", "-m", "app"]
        environment = {"WORDKIN_DATA_DIR": str(folder), "WORDKIN_PORT": str(port), "WORDKIN_LOG_LEVEL": "warning"}
    with running(command, port, lambda: answers(port, first), environment) as server:
        yield server


def start_seconds(n: int, *starts: Callable[[], AbstractContextManager[Server]]) -> list[float]:
    """From the command to the first answer, in turns; medians of `n`."""
    found: list[list[float]] = [[] for _ in starts]
    for _ in range(n):
        for seconds, start in zip(found, starts, strict=True):
            with start() as server:
                seconds.append(server.start_seconds)
    return [statistics.median(seconds) for seconds in found]


@contextmanager
def running(
    command: Sequence[str],
    port: int,
    is_up: Callable[[], bool],
    environment: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """Start a server; `start_seconds` is from the command until `is_up`, which is asked every 2 ms."""
    # one BLAS thread for everybody: many request threads, each with its own BLAS threads, only get in each other's way
    variables = os.environ | {"OPENBLAS_NUM_THREADS": "1"} | dict(environment or {})
    variables.pop("PYTHONDONTWRITEBYTECODE", None)  # everybody's modules are compiled, as when they are installed
    started = time.monotonic()
    process = subprocess.Popen(command, env=variables, stdout=subprocess.DEVNULL)
    try:
        while not is_up():
            if process.poll() is not None or time.monotonic() - started > 120:
                raise RuntimeError(f"it did not start: {' '.join(command)}")
            time.sleep(0.002)
        yield Server(port, process.pid, time.monotonic() - started)
    finally:
        process.terminate()
        process.wait()


def answers(port: int, request: bytes) -> bool:
    """Whether the answer has status 200."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
            connection.sendall(request)
            return connection.recv(1024).startswith(b"HTTP/1.1 200 ")
    except OSError:
        return False


@dataclass(frozen=True)
class Measured:
    per_second: float
    per_cpu_second: float
    p50: float
    p99: float
    worst: float


class Bench:
    """Runs loads in a process of their own, in turns, and keeps medians; starts are measured `starts` times."""

    def __init__(self, seconds: float, starts: int) -> None:
        self._seconds = seconds
        self.starts = starts
        self._pool = ProcessPoolExecutor(1, get_context("spawn"))

    def close(self) -> None:
        self._pool.shutdown()

    def load(
        self, server: Server, requests: Sequence[bytes], rate: float | None = None, connections: int = CONNECTIONS
    ) -> Measured:
        before, started = server.cpu_seconds(), time.monotonic()
        run = self._pool.submit(
            load.run, server.port, requests, connections=connections, seconds=self._seconds, rate=rate
        )
        result = run.result()
        used = (server.cpu_seconds() - before) / (time.monotonic() - started) * result.seconds
        if result.n_failed:
            raise RuntimeError(f"{result.n_failed} requests failed")
        if not result.latencies:
            raise RuntimeError(f"not one request was answered in {result.seconds:.0f} s")
        per_cpu_second = len(result.latencies) / max(used, 1e-3)
        return Measured(result.per_second, per_cpu_second, *map(result.milliseconds, (50, 99, 100)))

    def while_swapping(self, server: Server, requests: Sequence[bytes]) -> Measured:
        """A light open load while the alias moves to and fro, so that versions are loaded all the time."""
        stopping = threading.Event()

        def swap() -> None:
            with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=60) as client:
                for version in itertools.cycle((1, 2)):
                    if stopping.wait(0.1):
                        break
                    client.put("/models/m/aliases/latest", json={"version": version}, headers={"If-Match": "*"})

        swapping = threading.Thread(target=swap)
        swapping.start()
        try:
            return self.load(server, requests, rate=200)
        finally:
            stopping.set()
            swapping.join()

    def compare(self, *loads: tuple[Server, Sequence[bytes]], connections: int = CONNECTIONS) -> list[Measured]:
        """Each in turn, `ROUNDS` times; medians."""
        rounds = [
            [self.load(server, requests, connections=connections) for server, requests in loads] for _ in range(ROUNDS)
        ]
        return [_median([measured[i] for measured in rounds]) for i in range(len(loads))]


def _median(measured: list[Measured]) -> Measured:
    return Measured(*(statistics.median(asdict(m)[name] for m in measured) for name in Measured.__dataclass_fields__))
