"""What the metrics say of jobs, trainers, versions and space, and that they wait for nobody."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from prometheus_client import REGISTRY

from app.core import jobs
from app.core.database import Database
from app.core.errors import DatabaseUnavailable
from app.core.jobs import JobProgress, JobRequest
from app.core.settings import Settings
from app.core.storage import Storage
from app.web import gauges, health
from tests.published import World, random_vectors, wait_until

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


def figure(text: str, name: str) -> float | None:
    found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.M)
    return float(found[1]) if found else None


def test_jobs_are_counted_by_state_and_kind_and_the_oldest_waits(
    database_url: str, storage: Storage, tmp_path: Path
) -> None:
    moment = BEGINNING
    database = Database(database_url, clock=lambda: moment)
    asker = gauges.Asker(database, storage)
    nothing = asker.ask()
    assert set(nothing.oldest_queued_seconds.values()) == {0.0}
    assert (sum(nothing.jobs.values()), nothing.n_trainers_working, nothing.tokens_per_second) == (0, 0, 0.0)
    for kind in ("train", "train", "train", "import", "train"):
        with database.transaction() as session:
            last = jobs.submit(session, JobRequest(kind, "m", {})).id
        moment += timedelta(seconds=10)
    with database.transaction() as session:
        jobs.cancel(session, last)
    for speed in (1000.0, 500.0):  # of one trainer, as after its restart under the same name
        claim = jobs.claim(database, "trainer", lease_seconds=30, max_attempts=3)
        assert claim
        told = JobProgress("training", 0.5, None, {"tokens_per_second": speed})
        jobs.renew(database, claim, told, lease_seconds=30)
    figures = asker.ask()
    assert {place: n for place, n in figures.jobs.items() if n} == {
        ("queued", "train"): 1,
        ("queued", "import"): 1,
        ("running", "train"): 2,
        ("cancelled", "train"): 1,
    }
    assert {kind: wait for kind, wait in figures.oldest_queued_seconds.items() if wait} == {
        "train": 30.0,
        "import": 20.0,
    }
    assert (figures.n_trainers_working, figures.tokens_per_second) == (1, 1500.0)
    moment += timedelta(seconds=31)
    assert (asker.ask().n_trainers_working, asker.ask().tokens_per_second) == (0, 0.0)
    database.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.close()


def test_metrics_tell_the_size_of_each_model(world: World) -> None:
    vectors = random_vectors(4, 8)
    for model in ("a", "a", "b"):
        world.publish(model, ["king", "queen", "man", "woman"], vectors)
    size = sum(path.stat().st_size for path in (world.folder / "storage").rglob("*") if path.suffix == ".safetensors")
    asker = gauges.Asker(world.database, world.storage)
    told = asker.ask().version_bytes
    assert told == {"a": size * 2 // 3, "b": size // 3}
    assert asker.ask().version_bytes == told
    text = gauges.as_text(asker.ask()).decode()
    assert figure(text, 'wordkin_version_bytes{model="b"}') == size / 3
    free = figure(text, "wordkin_storage_free_bytes")
    assert free is not None
    assert free > 1 << 20
    assert figure(text, "wordkin_database_up") == 1


def test_metrics_name_the_build_and_the_queue(client: TestClient) -> None:
    client.put("/corpora/c", content=b"a b c\n")
    client.post("/jobs", json={"model": "m", "corpus": "c", "algorithm": "glove"})
    text = client.get("/metrics").text
    assert re.search(r'^wordkin_build_info\{python="3\.\d+\.\d+",version="\d+\.\d+\.\d+"\} 1\.0$', text, re.M)
    assert figure(text, 'wordkin_jobs{kind="train",state="queued"}') == 1
    waits = figure(text, 'wordkin_oldest_queued_job_seconds{kind="train"}')
    assert waits is not None
    assert 0 <= waits < 60


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_silent_database_holds_no_metrics_up(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, released = [], threading.Event()

    def silent(*_: object) -> gauges.Figures:
        asked.append(1)
        released.wait(30)
        raise DatabaseUnavailable

    probes: Any = client.app.state.probes  # type: ignore[attr-defined] # TestClient's app is a bare callable
    monkeypatch.setattr(probes.figures, "_ask", silent)
    try:
        for _ in range(3):
            text = client.get("/metrics").text
            assert figure(text, "wordkin_database_up") == 0
            assert "wordkin_jobs{" not in text
            assert "wordkin_requests_total" in text
        assert len(asked) == 1
    finally:
        released.set()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_figures_are_asked_for_once_in_some_seconds(client: TestClient) -> None:
    asked: list[int] = []

    def count() -> int:
        asked.append(1)
        return len(asked)

    probe = health.Probe("test", count, fresh_seconds=60.0)
    portal: Any = client.portal
    assert [portal.call(probe.answer) for _ in range(2)] == [1, 1]
    probe._asked_at -= 60.0
    assert [portal.call(probe.answer) for _ in range(2)] == [2, 2]


def ready(client: Any) -> dict[str, Any]:
    response = client.get("/readyz")
    assert response.status_code == 200
    told: dict[str, Any] = response.json()
    return told


def test_a_service_that_can_serve_nothing_is_degraded(world: World) -> None:
    with world.served() as client:
        assert (ready(client)["status"], ready(client)["storage"]) == ("ready", "up")
    world.publish("m", ["king", "queen"], random_vectors(2, 8))
    for path in (world.folder / "storage").rglob("*.safetensors"):
        path.write_bytes(b"damaged")
    with world.served() as client:
        assert ready(client)["status"] == "degraded"
        assert list(ready(client)["degraded"]) == ["m@latest"]
        world.publish("other", ["king", "queen"], random_vectors(2, 8))
        assert client.get("/neighbors?model=other&word=king").status_code == 200
        assert ready(client)["status"] == "ready"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_storage_that_is_away_is_told(client: TestClient, settings: Settings) -> None:
    (settings.data_dir / "storage").rename(settings.data_dir / "away")
    assert (ready(client)["status"], ready(client)["storage"]) == ("ready", "down")


def test_swaps_and_what_is_loaded_are_counted(world: World) -> None:
    def told(name: str, **labels: str) -> float:
        return REGISTRY.get_sample_value(name, labels) or 0.0

    for seed in (0, 1):
        world.publish("m", ["king", "queen"], random_vectors(2, 8, seed))
    with world.served() as client:
        before, loads = told("wordkin_alias_swaps_total"), told("wordkin_version_load_seconds_count")
        assert told("wordkin_versions_loaded", index="flat") >= 1, "other services of this process may tell theirs"
        assert told("wordkin_loaded_bytes") > 2 * 8 * 4
        world.move("m", "latest", 1)
        wait_until(lambda: client.get("/similarity?a=king&b=queen").json()["version"] == 1)
        assert (told("wordkin_alias_swaps_total"), told("wordkin_version_load_seconds_count")) == (
            before + 1,
            loads + 1,
        )
