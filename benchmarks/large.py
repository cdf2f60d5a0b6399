"""A large corpus from upload to a served version: ``python -m benchmarks.large --corpus FILE``.

The text is repeated, its lines shuffled, until it has as many tokens as are asked for. Prints, for each phase of the
job, its seconds and the most memory that the job's processes had: their own, and pages of files that were mapped.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from app.command.client import ENDED, Client
from app.command.processes import running
from app.core.settings import Settings
from benchmarks import machine
from benchmarks.corpora import text_of
from benchmarks.end_to_end import answered

EVERY_SECONDS = 0.1


class Phases:
    """Seconds and memory by phase, in the order in which they begin."""

    def __init__(self) -> None:
        self.name = "upload"
        self.found: dict[str, list[float]] = {}

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Look at all processes that this one started until the end."""
        ended = threading.Event()
        watcher = threading.Thread(target=self._watch, args=(ended,))
        watcher.start()
        try:
            yield
        finally:
            ended.set()
            watcher.join()

    def _watch(self, ended: threading.Event) -> None:
        then = time.monotonic()
        while not ended.wait(EVERY_SECONDS):
            now = time.monotonic()
            phase = self.found.setdefault(self.name, [0.0, 0.0, 0.0])
            own, mapped = _memory()
            phase[0], phase[1], phase[2] = phase[0] + now - then, max(phase[1], own), max(phase[2], mapped)
            then = now

    def __str__(self) -> str:
        lines = ["| phase | seconds | own memory, MB | mapped, MB |", "|---|---|---|---|"]
        lines += [
            f"| {name} | {s:,.1f} | {own:,.0f} | {mapped:,.0f} |" for name, (s, own, mapped) in self.found.items()
        ]
        return "\n".join(lines)


def _memory() -> tuple[float, float]:
    """Megabytes of the process, of those started, that has the most: its own, and pages of files."""
    found = [(0.0, 0.0)]
    for process in psutil.Process().children(recursive=True):
        try:
            memory = process.memory_info()
        except psutil.NoSuchProcess:
            continue
        found.append(((memory.rss - memory.shared) / 1e6, memory.shared / 1e6))
    return max(found)


def write_repeated(source: Path, target: Path, n_tokens: int) -> int:
    """Write the lines of `source` again and again in an order by chance; returns how many tokens there are."""
    lines = source.read_bytes().splitlines(keepends=True)
    sizes = np.array([len(line.split()) for line in lines])
    n_lines = round(n_tokens / sizes.mean())
    order = np.random.default_rng(1).permutation(n_lines) % len(lines)
    with target.open("wb") as file:
        for start in range(0, n_lines, 1000):
            file.write(b"".join(lines[i] for i in order[start : start + 1000]))
    return int(sizes[order].sum())


def run(text: Path, hyperparameters: dict[str, Any], folder: Path) -> Phases:
    phases = Phases()

    def look(job: dict[str, Any]) -> None:
        phases.name = "answer" if job["state"] in ENDED else job["phase"] or "queue"

    with running(Settings(data_dir=folder, port=0, log_level="warning")) as service, phases.watched():
        client = Client(service.url)
        answered(client, text, hyperparameters, look)
        time.sleep(2 * EVERY_SECONDS)  # so that the answer is seen as well
        client.close()
    return phases


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.large", description=__doc__)
    parser.add_argument(
        "--corpus", type=Path, metavar="FILE", help="text, plain, .xz, .gz or .zst; default: the demo's"
    )
    parser.add_argument("--tokens", type=float, default=1e9)
    parser.add_argument("--dim", type=int, default=100)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="for the text and the service; twice the text's size and more")
    arguments = parser.parse_args()
    os.environ |= {"WORDKIN_MAX_CORPUS_BYTES": str(1 << 40)}
    with tempfile.TemporaryDirectory(dir=arguments.folder) as made:
        folder = Path(made)
        text = folder / "repeated.txt"
        n_tokens = write_repeated(text_of(folder, source=arguments.corpus), text, int(arguments.tokens))
        print(
            f"{machine.cpu_name()}, {machine.cores()} threads; {n_tokens:,} tokens, {text.stat().st_size / 1e9:.2f} GB"
        )
        hyperparameters = {"dim": arguments.dim, "epochs": arguments.epochs, "seed": 1}
        print(run(text, hyperparameters, folder / "data"))


if __name__ == "__main__":
    main()
