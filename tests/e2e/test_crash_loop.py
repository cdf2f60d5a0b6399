"""Everything is killed, again and again, while clients work; nothing is lost, done twice, answered wrongly or left."""

from __future__ import annotations

import json
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random

import httpx
import pytest

from app.command.schema import migrate
from app.core.database import Database
from app.core.settings import Settings
from app.core.storage import Storage
from tests.conftest import embedded_server
from tests.e2e.conftest import wait_for
from tests.e2e.crashes import remains
from tests.e2e.crashes.clients import WORDS, Client, Ledger, corpus, training
from tests.e2e.crashes.fleet import Fleet
from tests.e2e.crashes.server import PostgresServer

SECONDS = float(os.environ.get("WORDKIN_CRASH_SECONDS", "8"))
SEED = int(os.environ.get("WORDKIN_CRASH_SEED", "1"))
N_CLIENTS = 3
SETTLE_SECONDS = 180.0

Fault = Callable[[Random], bool]


@pytest.fixture(params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest) -> Iterator[PostgresServer | None]:
    """A server of this test's own, as it is killed; None for SQLite."""
    if request.param == "sqlite":
        yield None
        return
    with embedded_server() as embedded:
        yield PostgresServer(embedded)


@contextmanager
def fleet_on(folder: Path, database_url: str) -> Iterator[Fleet]:
    migrate(Settings(database_url=database_url))
    fleet = Fleet(folder, database_url)
    try:
        yield fleet
    finally:
        fleet.kill_all()


@pytest.mark.timeout(SECONDS + 2 * SETTLE_SECONDS)
def test_nothing_is_lost_whatever_is_killed(server: PostgresServer | None, tmp_path: Path) -> None:
    url = server.url if server else f"sqlite:///{tmp_path / 'wordkin.sqlite'}"
    ledger = Ledger()
    with fleet_on(tmp_path, url) as fleet, closing(Database(url)) as database:
        wait_for(lambda: all(map(is_ready, fleet.urls)), 60, "the service to be ready")
        done = run(fleet, server, ledger)
        settle(fleet, ledger)
        ledger.violations += fleet.end()
        ledger.violations += remains.wrong_rows(database, ledger.accepted.values())
        remains.sweep_all(database, Storage((fleet.data / "storage").as_uri(), cache=fleet.data / "cache"))
        ledger.violations += remains.wrong_files(database, fleet.data)
        ledger.violations += remains.wrong_logs(member.log for member in fleet.members)
        figures = done | remains.states(database) | ledger.counts | {"violations": len(ledger.violations)}
    print(json.dumps({"seed": SEED, "seconds": SECONDS} | figures, indent=1))  # noqa: T201 (shown with -s)
    assert ledger.violations == []
    assert figures["versions"] >= 1
    assert figures["answers compared"] >= 1


def run(fleet: Fleet, server: PostgresServer | None, ledger: Ledger) -> Counter[str]:
    """Let clients work and break things for some time; how often what was broken."""
    random = Random(SEED)
    is_over = threading.Event()
    clients = [
        threading.Thread(target=Client(fleet.urls, ledger, Random(f"{SEED} {n}"), f"client-{n}").work, args=[is_over])
        for n in range(N_CLIENTS)
    ]
    for client in clients:
        client.start()
    try:
        done = break_things(fleet, server, ledger, random)
    finally:
        is_over.set()
    for client in clients:
        client.join()
    done["starts"] = sum(member.n_starts for member in fleet.members)
    return done


def break_things(fleet: Fleet, server: PostgresServer | None, ledger: Ledger, random: Random) -> Counter[str]:
    faults: dict[Fault, int] = {fleet.kill_api: 3, fleet.kill_trainer: 2, fleet.kill_child: 2, fleet.stop_trainer: 1}
    if server:
        faults |= {server.terminate_backends: 4, server.kill: 1}
    done: Counter[str] = Counter()
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        time.sleep(random.uniform(0.1, 3.0))
        ledger.violations += fleet.bring_back()
        [fault] = random.choices(list(faults), weights=list(faults.values()))
        done[fault.__qualname__] += fault(random)
    ledger.violations += fleet.bring_back(at_once=True)
    return done


def settle(fleet: Fleet, ledger: Ledger) -> None:
    """Wait until every job has ended; one more is done then, as ever."""
    wait_for(lambda: all(map(is_ready, fleet.urls)), 60, "the service to be ready again")
    wait_for(lambda: not unfinished(fleet), SETTLE_SECONDS, "all jobs to end")
    with httpx.Client(base_url=fleet.urls[0], timeout=30) as http:
        assert http.put("/corpora/last", content=corpus("last", 1)).status_code == 201
        job = http.post("/jobs", json=training("last", "last", 2))
        assert job.status_code == 202, job.text
        ledger.accept("last", job.json()["id"])
        wait_for(lambda: not unfinished(fleet), SETTLE_SECONDS, "the last job to end")
        assert http.get(job.headers["Location"]).json()["state"] == "succeeded"
    ask_again(fleet, ledger)
    ledger.violations += fleet.bring_back()


def ask_again(fleet: Fleet, ledger: Ledger) -> None:
    """Every question that was ever answered, and one about every version, at every API process."""
    succeeded = httpx.get(f"{fleet.urls[0]}/jobs", params={"state": "succeeded", "limit": 1000}).json()["jobs"]
    questions = {*ledger.answers, *((job["model"], job["version"], WORDS[0]) for job in succeeded)}
    for url in fleet.urls:
        with httpx.Client(base_url=url, timeout=30) as http:
            for model, version, word in sorted(questions):
                response = http.get("/neighbors", params={"model": model, "version": version, "word": word})
                assert response.status_code == 200, response.text
                ledger.compare((model, version, word), response.content)


def unfinished(fleet: Fleet) -> int:
    jobs = [
        httpx.get(f"{fleet.urls[0]}/jobs", params={"state": state}).json()["jobs"] for state in ("queued", "running")
    ]
    return sum(map(len, jobs))


def is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz").is_success
    except httpx.TransportError:
        return False
