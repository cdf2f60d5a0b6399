"""A trainer says what its machine has, now and then."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from app.core import trainers
from app.core.database import Database
from app.core.settings import Settings
from trainer.steps import memory
from trainer.work import announcing
from trainer.work.announcing import Announcer


def test_a_machine_is_told_and_not_at_every_look(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(scratch_dir=tmp_path / "not" / "yet", trainer_threads=3)
    announcer = Announcer(database, settings)
    announcer.announce_now_and_then()
    with database.reading() as session:
        (told,) = session.query(trainers.Trainer).all()
    assert (told.threads, told.memory_bytes) == (3, memory.total_memory_bytes())
    total = shutil.disk_usage(tmp_path).total
    assert told.disk_bytes is not None
    assert 0 < told.disk_bytes <= total
    monkeypatch.setattr(announcing, "total_memory_bytes", lambda: 5)
    announcer.announce_now_and_then()
    with database.reading() as session:
        assert session.query(trainers.Trainer).one().memory_bytes == told.memory_bytes
    Announcer(database, settings).announce_now_and_then()
    with database.reading() as session:
        assert session.query(trainers.Trainer).one().memory_bytes == 5


def test_all_memory_is_the_least_of_what_limits_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "PROC", tmp_path)
    monkeypatch.setattr(memory, "CGROUP", tmp_path)
    assert memory.total_memory_bytes() is None
    (tmp_path / "meminfo").write_text("MemTotal:        8000 kB\nMemAvailable:    10 kB\n")
    assert memory.total_memory_bytes() == 8000 * 1024
    (tmp_path / "memory.max").write_text("max\n")
    assert memory.total_memory_bytes() == 8000 * 1024
    (tmp_path / "memory.max").write_text("4096000\n")
    assert memory.total_memory_bytes() == 4096000
