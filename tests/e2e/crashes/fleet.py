"""API processes and trainers that are killed, stopped and started again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from random import Random

from tests.e2e.conftest import wait_for

LEASE_SECONDS = 2.0
SETTINGS = {
    "WORDKIN_LEASE_SECONDS": f"{LEASE_SECONDS:g}",
    "WORDKIN_HEARTBEAT_SECONDS": "0.4",
    "WORDKIN_STOP_GRACE_SECONDS": "1",
    "WORDKIN_CHECKPOINT_SECONDS": "0.2",
    "WORDKIN_WORKER_POLL_SECONDS": "0.2",
    "WORDKIN_REGISTRY_POLL_SECONDS": "0.2",
    "WORDKIN_MAX_ATTEMPTS": "6",
    "WORDKIN_TRAINER_THREADS": "1",
    "WORDKIN_LOG_JSON": "true",
}


class Member:
    """One process that is to be there, except while it is down or stopped on purpose."""

    def __init__(self, name: str, module: str, folder: Path, environment: dict[str, str]) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self.n_starts = 0
        self._module = module
        self._environment = environment
        self._back_at: float | None = None
        self._is_stopped = False
        self.start()

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", self._module],
                env=self._environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.n_starts += 1

    @property
    def is_up(self) -> bool:
        return self._back_at is None

    def kill(self, seconds: float) -> None:
        """SIGKILL; it is started again after so long."""
        self.process.kill()
        self.process.wait()
        self._is_stopped = False
        self._back_at = time.monotonic() + seconds

    def stop(self, seconds: float) -> None:
        """SIGSTOP; it goes on after so long."""
        self.process.send_signal(signal.SIGSTOP)
        self._is_stopped = True
        self._back_at = time.monotonic() + seconds

    def bring_back(self, *, at_once: bool = False) -> str | None:
        """Start it or let it go on once its time has come; what is wrong if it ended without having been killed."""
        if self._back_at is None:
            if (code := self.process.poll()) is None:
                return None
            self.start()
            return f"{self.name} ended by itself with exit code {code}"
        if at_once or time.monotonic() >= self._back_at:
            self._back_at = None
            if self._is_stopped:
                self.process.send_signal(signal.SIGCONT)
                self._is_stopped = False
            else:
                self.start()
        return None

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


class Fleet:
    """Two API processes and two trainers on one database and one folder."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.data = folder / "data"
        self._mark = f"WORDKIN_DATA_DIR={self.data}".encode()
        environment = (
            os.environ
            | SETTINGS
            | {
                "WORDKIN_DATA_DIR": str(self.data),
                "WORDKIN_DATABASE_URL": database_url,
            }
        )
        ports = _free_ports(2)
        self.urls = [f"http://127.0.0.1:{port}" for port in ports]
        self.apis = [Member(f"api-{port}", "app", folder, environment | {"WORDKIN_PORT": str(port)}) for port in ports]
        self.trainers = [Member(f"trainer-{number}", "trainer", folder, environment) for number in (1, 2)]
        self.members = [*self.apis, *self.trainers]

    def bring_back(self, *, at_once: bool = False) -> list[str]:
        return [wrong for member in self.members if (wrong := member.bring_back(at_once=at_once))]

    def kill_api(self, random: Random) -> bool:
        return _kill(self.apis, random)

    def kill_trainer(self, random: Random) -> bool:
        return _kill(self.trainers, random)

    def stop_trainer(self, random: Random) -> bool:
        up = [trainer for trainer in self.trainers if trainer.is_up]
        if up:
            random.choice(up).stop(LEASE_SECONDS * random.uniform(1.2, 2.0))
        return bool(up)

    def kill_child(self, random: Random) -> bool:
        """The process of a job, as the kernel does when memory runs out."""
        children = [pid for pid in self.pids() if _is_child_of_trainer(pid)]
        if children:
            try:
                os.kill(random.choice(children), signal.SIGKILL)
            except ProcessLookupError:
                return False
        return bool(children)

    def pids(self) -> list[int]:
        """Every process that was started with this fleet's folder, whoever is its parent now."""
        found = []
        for path in Path("/proc").glob("[0-9]*/environ"):
            try:
                if self._mark in path.read_bytes().split(b"\0"):
                    found.append(int(path.parent.name))
            except OSError:
                continue
        return found

    def end(self) -> list[str]:
        """End all processes as an operator would; what is wrong with how they ended."""
        codes = {member.name: member.end() for member in self.members}
        clean = {0, -signal.SIGTERM}  # uvicorn ends in order and then by the signal that it got
        wrong = [
            f"{name} ended with exit code {code} after SIGTERM" for name, code in codes.items() if code not in clean
        ]
        try:
            wait_for(lambda: not self.pids(), 10, "orphans to end")
        except AssertionError:
            wrong.append(f"{len(self.pids())} processes are left: {[_command(pid) for pid in self.pids()]}")
        return wrong

    def kill_all(self) -> None:
        for member in self.members:
            member.process.kill()
            member.process.wait()
        for pid in self.pids():
            os.kill(pid, signal.SIGKILL)


def _kill(members: list[Member], random: Random) -> bool:
    """A member that is up, or stopped by us: also that one may be killed."""
    alive = [member for member in members if member.process.poll() is None]
    if alive:
        random.choice(alive).kill(random.choice([0.0, random.uniform(0.2, 1.5)]))
    return bool(alive)


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _is_child_of_trainer(pid: int) -> bool:
    return b"spawn_main" in _command(pid)


def _free_ports(n: int) -> list[int]:
    probes = [socket.socket() for _ in range(n)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports
