"""Memory is asked for before the work, wherever its limit is set."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from app.core.errors import MemoryShort
from trainer.steps import memory

GIBIBYTE = 1 << 30


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with 8 GiB to spare, and no limits of its own."""
    (tmp_path / "self").mkdir()
    (tmp_path / "meminfo").write_text(f"MemTotal: 99999999 kB\nMemAvailable:   {8 << 20} kB\n")
    (tmp_path / "self/statm").write_text("1000 10 10\n")
    monkeypatch.setattr(memory, "PROC", tmp_path)
    monkeypatch.setattr(memory, "CGROUP", tmp_path)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    return tmp_path


def test_the_machine_has_so_much() -> None:
    memory.check_memory(8 * GIBIBYTE, "It")
    with pytest.raises(MemoryShort, match=r"It needs about 8,589,934,593 bytes of memory; 8,589,934,592 can be had"):
        memory.check_memory(8 * GIBIBYTE + 1, "It")


def test_a_container_has_less_and_what_it_caches_is_free(machine: Path) -> None:
    (machine / "memory.max").write_text(f"{2 * GIBIBYTE}\n")
    (machine / "memory.current").write_text(f"{GIBIBYTE}\n")
    (machine / "memory.stat").write_text(f"anon 5\ninactive_file {GIBIBYTE // 2}\n")
    memory.check_memory(GIBIBYTE * 3 // 2, "It")
    with pytest.raises(MemoryShort):
        memory.check_memory(GIBIBYTE * 3 // 2 + 1, "It")


def test_a_container_without_a_limit_has_what_the_machine_has(machine: Path) -> None:
    (machine / "memory.max").write_text("max\n")
    (machine / "memory.current").write_text("5\n")
    memory.check_memory(8 * GIBIBYTE, "It")


def test_a_process_may_be_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (GIBIBYTE, GIBIBYTE))
    left = GIBIBYTE - 1000 * resource.getpagesize()
    memory.check_memory(left, "It")
    with pytest.raises(MemoryShort):
        memory.check_memory(left + 1, "It")


def test_what_cannot_be_found_out_refuses_nothing(machine: Path) -> None:
    (machine / "meminfo").unlink()
    memory.check_memory(1 << 60, "It")
