"""Everything breaks, again and again, while clients work; nothing is lost, done twice, answered wrongly or left."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import httpx

from app.command.schema import migrate
from app.core.database import Database
from app.core.settings import Settings
from app.core.storage import Storage
from tests.chaos import databases, remains, stores
from tests.chaos.clients import WORDS, Client, Ledger, corpus, training
from tests.chaos.episodes import Episodes, Fault
from tests.chaos.fleet import Fleet
from tests.e2e.conftest import wait_for

N_CLIENTS = 3
SETTLE_SECONDS = 180.0
USUAL_START_SECONDS = 6.0
MOST_PACE = 2.0
"""On a slow machine faults are as many times further apart, at most: those at once are the better test."""


@dataclass(frozen=True)
class Asked:
    """How long, on what, and which random numbers."""

    seconds: float
    database: str
    storage: str
    seed: int


@dataclass(frozen=True)
class Told:
    """What happened how often, and what must not have."""

    figures: Mapping[str, int]
    violations: list[str]

    @property
    def line(self) -> str:
        """The figures that count."""
        names = ("kills", "restarts", "jobs", "versions", "orphans", "bytes left")
        return ", ".join(f"{name} {self.figures[name]}" for name in names) + f", violations {len(self.violations)}"


def run(asked: Asked, folder: Path) -> Told:
    """Break things for some time, let them settle, and look at what remains; needs an empty folder."""
    ledger, episodes = Ledger(), Episodes()
    figures: Counter[str] = Counter()
    with (
        databases.opened(asked.database, folder, episodes) as (url, database_faults),
        stores.opened(asked.storage, folder, episodes) as store,
        closing(Database(url)) as database,
    ):
        migrate(Settings(database_url=url))
        world = {"WORDKIN_DATABASE_URL": url, "WORDKIN_STORAGE_URL": store.url, **store.environment}
        fleet = Fleet(folder, world)
        try:
            ledger.patience = patience_of(fleet)
            fleet.be_patient(ledger.patience)
            do_one(fleet, ledger, "first")  # which compiles kernels on a machine that has not yet
            work(asked, fleet, episodes, database_faults | store.faults, ledger)
            settle(fleet, ledger)
            ledger.violations += fleet.end()
        except (AssertionError, httpx.HTTPError) as error:
            ledger.violated(f"it does not settle: {error!r}")
        finally:
            episodes.heal(at_once=True)
            fleet.kill_all()
        storage = Storage(store.url, cache=folder / "cache")
        figures["bytes left"] = look(database, storage, fleet, ledger)
        figures.update(remains.states(database))
    figures.update(fleet.done + episodes.done + ledger.counts)
    figures["kills"] = fleet.done["SIGKILL"] + episodes.done["database killed"]
    figures["restarts"] = sum(member.n_starts - 1 for member in fleet.members)
    return Told(figures, ledger.violations)


def patience_of(fleet: Fleet) -> float:
    """How many times longer than usual this machine takes: by the start of the service."""
    started = time.monotonic()
    wait_for(lambda: all(map(is_ready, fleet.urls)), 120, "the service to be ready")
    return max(1.0, (time.monotonic() - started) / USUAL_START_SECONDS)


def look(database: Database, storage: Storage, fleet: Fleet, ledger: Ledger) -> int:
    """Note what is wrong with all that is left; how many bytes are too many."""
    ledger.violations += remains.wrong_rows(database, ledger)
    remains.sweep_all(database, storage)
    wrong, n_bytes = remains.wrong_files(database, storage, fleet.data)
    ledger.violations += wrong
    ledger.violations += remains.wrong_logs(member.log for member in fleet.members)
    return n_bytes


def work(asked: Asked, fleet: Fleet, episodes: Episodes, faults: dict[Fault, int], ledger: Ledger) -> None:
    """Let clients work and break things for some time."""
    is_over = threading.Event()
    clients = [
        threading.Thread(
            target=Client(fleet.urls, ledger, Random(f"{asked.seed} {n}"), f"client-{n}").work, args=[is_over]
        )
        for n in range(N_CLIENTS)
    ]
    for client in clients:
        client.start()
    try:
        break_things(asked, fleet, episodes, faults, ledger)
    finally:
        is_over.set()
        for client in clients:
            client.join()


def break_things(asked: Asked, fleet: Fleet, episodes: Episodes, others: dict[Fault, int], ledger: Ledger) -> None:
    faults: dict[Fault, int] = {
        fleet.kill_api: 3,
        fleet.kill_trainer: 3,
        fleet.hurt_child: 4,
        fleet.stop_api: 1,
        fleet.stop_trainer: 1,
        fleet.end_api: 1,
        fleet.end_trainer: 2,
        **others,
    }
    random = Random(asked.seed)
    end = time.monotonic() + asked.seconds
    next_at = time.monotonic()
    while time.monotonic() < end:
        time.sleep(0.1)
        ledger.violations += fleet.bring_back()
        episodes.heal()
        if time.monotonic() >= next_at:
            next_at = time.monotonic() + random.uniform(0.1, 5.0) * min(ledger.patience, MOST_PACE)
            [fault] = random.choices(list(faults), weights=list(faults.values()))
            fault(random)
    episodes.heal(at_once=True)
    ledger.violations += fleet.bring_back(at_once=True)


def settle(fleet: Fleet, ledger: Ledger) -> None:
    """Wait until every job has ended; one more is done then, as ever."""
    seconds = SETTLE_SECONDS * ledger.patience
    wait_for(lambda: all(map(is_ready, fleet.urls)), seconds, "the service to be ready again")
    wait_for(lambda: not unfinished(fleet), seconds, "all jobs to end")
    do_one(fleet, ledger, "last")
    ask_again(fleet, ledger)
    time.sleep(1.0)
    ledger.violations += fleet.bring_back()


def do_one(fleet: Fleet, ledger: Ledger, name: str) -> None:
    """A job that must succeed, as nothing is ill."""
    with httpx.Client(base_url=fleet.urls[0], timeout=30 * ledger.patience) as http:
        assert http.put(f"/corpora/{name}", content=corpus(name, 1)).status_code == 201
        job = http.post("/jobs", json=training(f"the-{name}", name, 2))
        assert job.status_code == 202, job.text
        ledger.accept(name, job.json()["id"])
        wait_for(lambda: not unfinished(fleet), SETTLE_SECONDS * ledger.patience, f"the {name} job to end")
        ended = http.get(job.headers["Location"]).json()
        assert ended["state"] == "succeeded", ended


def ask_again(fleet: Fleet, ledger: Ledger) -> None:
    """Every question that was ever answered, and one about every version, at every API process."""
    succeeded = every_success(fleet.urls[0])
    questions = {*ledger.answers, *((job["model"], job["version"], WORDS[0]) for job in succeeded)}
    for url in fleet.urls:
        with httpx.Client(base_url=url, timeout=30) as http:
            for model, version, word in sorted(questions):
                response = http.get("/neighbors", params={"model": model, "version": version, "word": word})
                if response.status_code == 200:
                    ledger.compare((model, version, word), response.content)
                else:
                    ledger.violated(f"version {version} of {model} does not answer: {response.text[:300]}")


def every_success(url: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    with httpx.Client(base_url=url, timeout=30) as http:
        asked: dict[str, Any] = {"state": "succeeded", "limit": 1000}
        while page := http.get("/jobs", params=asked).raise_for_status().json()["jobs"]:
            found += page
            asked["before"] = page[-1]["id"]
    return found


def unfinished(fleet: Fleet) -> int:
    jobs = [
        httpx.get(f"{fleet.urls[0]}/jobs", params={"state": state}, timeout=60).raise_for_status().json()["jobs"]
        for state in ("queued", "running")
    ]
    return sum(map(len, jobs))


def is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=30).is_success
    except httpx.TransportError:
        return False
