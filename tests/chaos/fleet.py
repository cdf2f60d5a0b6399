"""API processes and trainers that are killed, stopped and started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random

from benchmarks.ports import free_ports
from tests.chaos import writes
from tests.e2e.conftest import wait_for

ROOT = Path(__file__).resolve().parents[2]
LEASE_SECONDS = 2.0
END_SECONDS = 30.0
"""Within which a process that is asked to end has done so, whatever does not answer it."""
ORPHAN_SECONDS = 15.0
"""Within which the process of a job has ended after its trainer was killed."""
SETTINGS = {
    "WORDKIN_LEASE_SECONDS": f"{LEASE_SECONDS:g}",
    "WORDKIN_HEARTBEAT_SECONDS": "0.4",
    "WORDKIN_STOP_GRACE_SECONDS": "1",
    "WORDKIN_CHECKPOINT_SECONDS": "0.2",
    "WORDKIN_WORKER_POLL_SECONDS": "0.2",
    "WORDKIN_REGISTRY_POLL_SECONDS": "0.2",
    "WORDKIN_DATABASE_TIMEOUT_SECONDS": "2",
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
        self._ends_by: float | None = None
        self.patience = 1.0
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
        return self._back_at is None and self._ends_by is None and self.process.poll() is None

    def kill(self, seconds: float) -> None:
        """SIGKILL; it is started again after so long."""
        self.process.kill()
        self.process.wait()
        self._is_stopped = False
        self._ends_by = None
        self._back_at = time.monotonic() + seconds

    def stop(self, seconds: float) -> None:
        """SIGSTOP; it goes on after so long."""
        self.process.send_signal(signal.SIGSTOP)
        self._is_stopped = True
        self._back_at = time.monotonic() + seconds

    def ask_to_end(self) -> None:
        """SIGTERM; it is started again once it has ended."""
        self.process.send_signal(signal.SIGTERM)
        self._ends_by = time.monotonic() + END_SECONDS * self.patience

    def bring_back(self, *, at_once: bool = False) -> str | None:
        """Start it or let it go on once its time has come; what is wrong if it ended, or did not, as it should not."""
        if self._ends_by is not None:
            return self._ended(at_once=at_once)
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

    def _ended(self, *, at_once: bool) -> str | None:
        assert self._ends_by is not None
        try:
            code = self.process.wait(max(0.0, self._ends_by - time.monotonic()) if at_once else 0.0)
        except subprocess.TimeoutExpired:
            if time.monotonic() < self._ends_by:
                return None
            self.kill(0.0)
            return f"{self.name} has not ended {END_SECONDS * self.patience:g} s after SIGTERM"
        self._ends_by = None
        self.start()
        return None if _is_clean(code) else f"{self.name} ended with exit code {code} after SIGTERM"

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(END_SECONDS * self.patience)


class Fleet:
    """Two API processes and two trainers on one database and one storage."""

    def __init__(self, folder: Path, world: Mapping[str, str]) -> None:
        self.data = folder / "data"
        self.done: Counter[str] = Counter()
        self.writes = folder / "writes.json"
        self._mark = f"WORDKIN_DATA_DIR={self.data}".encode()
        self._doomed: dict[int, float] = {}
        self._stopped: dict[int, float] = {}
        self._patience = 1.0
        environment = {**os.environ, **SETTINGS, **world, "WORDKIN_DATA_DIR": str(self.data)}
        environment["PYTHONPATH"] = f"{ROOT / 'tests' / 'chaos' / 'site'}:{ROOT}"
        environment[writes.CONTROL] = str(self.writes)
        ports = free_ports(2)
        self.urls = [f"http://127.0.0.1:{port}" for port in ports]
        self.apis = [Member(f"api-{port}", "app", folder, environment | {"WORDKIN_PORT": str(port)}) for port in ports]
        self.trainers = [Member(f"trainer-{number}", "trainer", folder, environment) for number in (1, 2)]
        self.members = [*self.apis, *self.trainers]

    def be_patient(self, patience: float) -> None:
        """All that must happen within some time may take so many times longer."""
        self._patience = patience
        for member in self.members:
            member.patience = patience

    def bring_back(self, *, at_once: bool = False) -> list[str]:
        """Start, and let go on, what it is time for; what is wrong."""
        now = time.monotonic()
        for pid in [pid for pid, moment in self._stopped.items() if at_once or moment <= now]:
            del self._stopped[pid]
            _signal(pid, signal.SIGCONT)
        wrong = [told for member in self.members if (told := member.bring_back(at_once=at_once))]
        for pid in [pid for pid, moment in self._doomed.items() if moment <= now]:
            del self._doomed[pid]
            if pid in self.pids():
                seconds = ORPHAN_SECONDS * self._patience
                wrong.append(f"the process {pid} outlives its trainer by {seconds:g} s: {_command(pid)!r}")
                self.done["orphans"] += 1
        return wrong

    def kill_api(self, random: Random) -> None:
        self._kill(self.apis, random)

    def kill_trainer(self, random: Random) -> None:
        self._kill(self.trainers, random)

    def end_api(self, random: Random) -> None:
        self._on_one_up(self.apis, random, "SIGTERM", lambda member: member.ask_to_end())

    def end_trainer(self, random: Random) -> None:
        self._on_one_up(self.trainers, random, "SIGTERM", lambda member: member.ask_to_end())

    def stop_api(self, random: Random) -> None:
        self._on_one_up(self.apis, random, "SIGSTOP", lambda member: member.stop(random.uniform(0.5, 4.0)))

    def stop_trainer(self, random: Random) -> None:
        seconds = LEASE_SECONDS * random.uniform(1.2, 2.0)
        self._on_one_up(self.trainers, random, "SIGSTOP", lambda member: member.stop(seconds))

    def hurt_child(self, random: Random) -> None:
        """The process of a job, or the one that forks them: killed, as the kernel does for memory, ended or stopped."""
        forking = [
            pid for each in self.trainers for pid in _children(each.process.pid) if b"forkserver" in _command(pid)
        ]
        working = [pid for forked_by in forking for pid in _children(forked_by)]
        if not forking:
            return
        pid = random.choice(working if working and random.random() < 0.9 else forking)
        number = random.choice([signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP])
        if _signal(pid, number):
            self.done[number.name] += 1
        if number == signal.SIGSTOP:
            self._stopped[pid] = time.monotonic() + random.uniform(0.5, 4.0)

    def _kill(self, members: list[Member], random: Random) -> None:
        """A member that is up, or stopped by us: also that one may be killed."""
        alive = [member for member in members if member.process.poll() is None]
        if not alive:
            return
        member = random.choice(alive)
        now = time.monotonic()
        self._doomed |= dict.fromkeys(_descendants(member.process.pid), now + ORPHAN_SECONDS * self._patience)
        member.kill(random.choice([0.0, random.uniform(0.2, 1.5)]))
        self.done["SIGKILL"] += 1

    def _on_one_up(self, members: list[Member], random: Random, what: str, act: Callable[[Member], None]) -> None:
        if up := [member for member in members if member.is_up]:
            act(random.choice(up))
            self.done[what] += 1

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
        bad = {name: code for name, code in codes.items() if not _is_clean(code)}
        wrong = [f"{name} ended with exit code {code} after SIGTERM" for name, code in bad.items()]
        try:
            wait_for(lambda: not self.pids(), 10 * self._patience, "orphans to end")
        except AssertionError:
            left = self.pids()
            self.done["orphans"] += len(left)
            wrong.append(f"{len(left)} processes are left: {[_command(pid) for pid in left]}")
        return wrong

    def kill_all(self) -> None:
        for member in self.members:
            member.process.kill()
            member.process.wait()
        for pid in self.pids():
            _signal(pid, signal.SIGKILL)


def _is_clean(code: int) -> bool:
    return code in {0, -signal.SIGTERM}  # uvicorn ends in order and then by the signal that it got


def _signal(pid: int, number: signal.Signals) -> bool:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _descendants(pid: int) -> list[int]:
    return [each for child in _children(pid) for each in (child, *_descendants(child))]
