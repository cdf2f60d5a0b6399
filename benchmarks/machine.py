"""What the machine and its programs are, and how fast the machine could possibly be."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import resource
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np


def cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        name = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
        flags = next(line for line in lines if line.startswith("flags"))
        return f"{name} ({'AVX-512' if 'avx512f' in flags else 'AVX2' if 'avx2' in flags else 'no AVX2'})"
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def versions(*packages: str) -> str:
    found = [f"Python {platform.python_version()}"]
    for package in packages:
        try:
            found.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            found.append(f"{package} missing")
    return ", ".join(found)


def sgemm_flops() -> float:
    """The best of five float32 products of 1536 x 1536, in floating-point operations per second, all cores."""
    a = np.ones((1536, 1536), np.float32)
    best = 0.0
    for _ in range(5):
        start = time.perf_counter()
        a @ a
        best = max(best, 2 * 1536**3 / (time.perf_counter() - start))
    return best


def random_row_bytes(threads: int, n_rows: int = 140_000, n_columns: int = 112) -> float:
    """Bytes per second of reading random rows of 448 bytes from 60 MB, by all threads; the best of five."""
    table = np.ones((n_rows, n_columns), np.float32)
    rows = [np.random.default_rng(seed).integers(0, n_rows, 200_000) for seed in range(threads)]
    best = 0.0
    with ThreadPoolExecutor(threads) as pool:
        sums = [np.empty((200_000, n_columns), np.float32) for _ in rows]
        for _ in range(5):
            start = time.perf_counter()
            list(pool.map(lambda i: np.take(table, rows[i], axis=0, out=sums[i], mode="clip"), range(threads)))
            best = max(best, threads * 200_000 * n_columns * 4 / (time.perf_counter() - start))
    return best


def peak_bytes() -> int:
    """The most memory that this process has had, pages of mapped files among it.

    Linux hands the peak that `getrusage` tells on to a program that a process starts, so that it may be the starter's.
    """
    with suppress(OSError):
        status = Path("/proc/self/status").read_text()
        if told := re.search(r"VmHWM:\s+(\d+) kB", status):
            return int(told[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def cores() -> int:
    return len(os.sched_getaffinity(0))
