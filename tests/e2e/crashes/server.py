"""A PostgreSQL server of one's own, which may be killed."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from random import Random
from typing import Any

import psycopg

from tests.e2e.conftest import wait_for


class PostgresServer:
    """The server of the package, killed and started again on the same folder."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self.url: str = server.get_uri()

    def terminate_backends(self, random: Random) -> bool:
        """Break about half of the connections."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            others = "SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND client_port IS NOT NULL"
            chosen = [pid for (pid,) in connection.execute(others).fetchall() if random.random() < 0.5]
            for pid in chosen:
                connection.execute("SELECT pg_terminate_backend(%s)", [pid])
        return bool(chosen)

    def kill(self, random: Random) -> bool:
        """SIGKILL of the whole server; it is away for a moment and then recovers from its log."""
        postmaster = int((self._server.pgdata / "postmaster.pid").read_text().splitlines()[0])
        pids = [postmaster, *_children(postmaster)]
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        wait_for(lambda: not any(map(_is_alive, pids)), 10, "the server's processes to end")
        # None of it lives, but its number may still be in the table of processes, or another's by now
        for lock in ("postmaster.pid", ".s.PGSQL.5432.lock"):
            (self._server.pgdata / lock).unlink(missing_ok=True)
        time.sleep(random.choice([0.0, random.uniform(0.2, 2.0)]))
        self._start()
        return True

    def _start(self) -> None:
        for left in (4, 3, 2, 1, 0):
            try:
                self._server.ensure_postgres_running()
            except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
                if not left:
                    raise
            else:
                return


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
