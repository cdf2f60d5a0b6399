"""Databases of one's own, which may be killed, frozen or locked."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from typing import Any

import psycopg

from tests.chaos.episodes import Episodes, Fault
from tests.conftest import embedded_server
from tests.e2e.conftest import wait_for

LONGEST_SECONDS = 6.0
"""Of a database that does not answer."""


@contextmanager
def opened(kind: str, folder: Path, episodes: Episodes) -> Iterator[tuple[str, dict[Fault, int]]]:
    """URL of an empty database and its faults with their weights."""
    if kind == "sqlite":
        file = SqliteFile(folder / "wordkin.sqlite", episodes)
        yield file.url, {file.lock: 4}
        return
    with embedded_server() as embedded:
        server = PostgresServer(embedded, episodes)
        try:
            yield server.url, {server.terminate_backends: 3, server.kill: 1, server.freeze: 2}
        finally:
            server.thaw()


class SqliteFile:
    """A file whose only lock somebody may hold."""

    def __init__(self, path: Path, episodes: Episodes) -> None:
        self.url = f"sqlite:///{path}"
        self._path = path
        self._episodes = episodes

    def lock(self, random: Random) -> None:
        """Another program holds the lock for writing."""
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=1.0)
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:  # somebody was faster
            connection.close()
        else:
            self._episodes.begin("database locked", random.uniform(0.5, LONGEST_SECONDS), connection.close)


class PostgresServer:
    """The server of the package, killed and started again on the same folder."""

    def __init__(self, server: Any, episodes: Episodes) -> None:
        self._server = server
        self._episodes = episodes
        self._stopped: list[int] = []
        self.url: str = server.get_uri()

    def terminate_backends(self, random: Random) -> None:
        """Break about half of the connections."""
        if self._stopped:
            return
        with psycopg.connect(self.url, autocommit=True) as connection:
            others = "SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND client_port IS NOT NULL"
            chosen = [pid for (pid,) in connection.execute(others).fetchall() if random.random() < 0.5]
            for pid in chosen:
                connection.execute("SELECT pg_terminate_backend(%s)", [pid])
        self._episodes.done["connections ended"] += len(chosen)

    def freeze(self, random: Random) -> None:
        """SIGSTOP of the whole server: it takes connections, and says nothing."""
        if not self._stopped:
            self._stopped = self._pids()
            for pid in self._stopped:
                _signal(pid, signal.SIGSTOP)
            self._episodes.begin("database frozen", random.uniform(0.5, LONGEST_SECONDS), self.thaw)

    def thaw(self) -> None:
        for pid in self._stopped:
            _signal(pid, signal.SIGCONT)
        self._stopped = []

    def kill(self, random: Random) -> None:
        """SIGKILL of the whole server; it is away for a moment and then recovers from its log."""
        pids = self._pids()
        for pid in pids:
            _signal(pid, signal.SIGKILL)
        self._stopped = []
        wait_for(lambda: not any(map(_is_alive, pids)), 10, "the server's processes to end")
        # None of it lives, but its number may still be in the table of processes, or another's by now
        for lock in ("postmaster.pid", ".s.PGSQL.5432.lock"):
            (self._server.pgdata / lock).unlink(missing_ok=True)
        time.sleep(random.choice([0.0, random.uniform(0.2, 2.0)]))
        self._start()
        self._episodes.done["database killed"] += 1

    def _pids(self) -> list[int]:
        postmaster = int((self._server.pgdata / "postmaster.pid").read_text().splitlines()[0])
        return [postmaster, *_children(postmaster)]

    def _start(self) -> None:
        for left in (4, 3, 2, 1, 0):
            try:
                self._server.ensure_postgres_running()
            except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
                if not left:
                    raise
            else:
                return


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in text.split()]


def _is_alive(pid: int) -> bool:
    """Also a process that ended, but that its parent has not asked for yet, is not alive."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
