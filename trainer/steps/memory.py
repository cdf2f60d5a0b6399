"""The memory that this process can have: asked for before the work, so that a job does not die late; and given back."""

from __future__ import annotations

import ctypes
import mmap
import re
import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy.typing as npt

from app.core.errors import MemoryShort

CGROUP = Path("/sys/fs/cgroup")
PROC = Path("/proc")


def check_memory(needed_bytes: int, what: str) -> None:
    """Refuse early what memory cannot hold; raises `MemoryShort`. What cannot be found out refuses nothing."""
    free_bytes = min(_limits(), default=None)
    if free_bytes is not None and needed_bytes > free_bytes:
        raise MemoryShort(
            f"{what} needs about {needed_bytes:,} bytes of memory; {free_bytes:,} can be had. "
            "Raise min_count, lower max_words or dim, or give the trainer more memory.",
            needed_bytes=needed_bytes,
            free_bytes=free_bytes,
        )


def total_memory_bytes() -> int | None:
    """What there is for everything that runs here; None if that cannot be found out."""
    total, limit = _number(PROC / "meminfo", r"MemTotal:\s+(\d+) kB"), _number(CGROUP / "memory.max", r"(\d+)")
    most, _ = resource.getrlimit(resource.RLIMIT_AS)
    known = [total and total * 1024, limit, None if most == resource.RLIM_INFINITY else most]
    return min(filter(None, known), default=None)


def leave_memory(*arrays: npt.NDArray[Any]) -> None:
    """Give back the pages of those that are mapped; they are read again when they are needed."""
    for array in arrays:
        if isinstance(array.base, mmap.mmap):
            array.base.madvise(mmap.MADV_DONTNEED)


def give_back_freed() -> None:
    """Give back what the allocator keeps of what was freed; it is glibc that keeps much, and that can be told."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _limits() -> Iterator[int]:
    """What each limit leaves: of the machine, of the container, of the process."""
    if available := _number(PROC / "meminfo", r"MemAvailable:\s+(\d+) kB"):
        yield available * 1024
    limit, used = _number(CGROUP / "memory.max", r"(\d+)"), _number(CGROUP / "memory.current", r"(\d+)")
    if limit and used is not None:
        yield limit - used + (_number(CGROUP / "memory.stat", r"inactive_file (\d+)") or 0)
    most, _ = resource.getrlimit(resource.RLIMIT_AS)
    if most != resource.RLIM_INFINITY and (pages := _number(PROC / "self/statm", r"(\d+)")) is not None:
        yield most - pages * resource.getpagesize()


def _number(path: Path, pattern: str) -> int | None:
    try:
        found = re.search(pattern, path.read_text())
    except OSError:
        return None
    return int(found[1]) if found else None
