"""A PostgreSQL that stands still: its kernel takes connections and bytes, and nobody ever answers."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from sqlalchemy.engine import make_url

from tests.conftest import missing


@contextmanager
def frozen(url: str) -> Iterator[None]:
    """Stop the processes of the server, and let them go on at the end."""
    pids = _processes(url)
    try:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def _processes(url: str) -> list[int]:
    """The postmaster first, so that it starts no other; of its children those that have a session."""
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address) as connection:
        [(postmaster,)] = connection.execute("SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::int")
        rest = connection.execute("SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()").fetchall()
    command = Path(f"/proc/{postmaster}/cmdline")
    if not (command.exists() and b"postgres" in command.read_bytes()):
        missing("a PostgreSQL on this machine, which can be stopped")
    return [postmaster, *(pid for (pid,) in rest)]
