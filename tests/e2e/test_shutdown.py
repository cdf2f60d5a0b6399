"""A stop waits for nothing that may not come."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from app.command.processes import Service
from tests.frozen import frozen
from tests.published import wait_until

LONGEST_SECONDS = 25.0
"""Less than the 30 s that orchestrators commonly wait before they kill."""


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_both_processes_end_while_the_database_stands_still(service: Service, database_url: str) -> None:
    def ask(path: str) -> None:
        with suppress(httpx.HTTPError):
            httpx.get(f"{service.url}{path}", timeout=60)

    with ThreadPoolExecutor(12) as threads, frozen(database_url):
        asked = [threads.submit(ask, path) for path in ("/jobs", "/models", "/neighbors?word=a&model=new") * 4]
        wait(asked, timeout=1.0)
        started = time.monotonic()
        service.api.terminate()
        service.trainer.terminate()
        assert service.trainer.wait(LONGEST_SECONDS) == 0
        service.api.wait(LONGEST_SECONDS - (time.monotonic() - started))


def living() -> dict[int, int]:
    """Of every process that is no zombie, its parent."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, parent, *_ = path.read_text().rpartition(")")[2].split()
            if state != "Z":
                found[int(path.parent.name)] = int(parent)
    return found


def children_of(pid: int) -> set[int]:
    return {child for child, parent in living().items() if parent == pid}


@pytest.mark.parametrize("how", [signal.SIGHUP, signal.SIGTERM, signal.SIGKILL])
def test_nothing_outlives_the_command(tmp_path: Path, how: signal.Signals) -> None:
    """A terminal that is closed sends SIGHUP."""
    environment = os.environ | {"WORDKIN_DATA_DIR": str(tmp_path), "WORDKIN_PORT": "0"}
    command = subprocess.Popen(
        [sys.executable, "-c", "from app.command.cli import main; main()", "up"], env=environment
    )
    try:
        wait_until(lambda: len(children_of(command.pid)) == 2, seconds=60)
        children = children_of(command.pid)
        command.send_signal(how)
        command.wait(LONGEST_SECONDS)
        wait_until(lambda: not children & living().keys())
    finally:
        command.kill()
