"""How serving grows: one thing varied at a time, on synthetic tables; a plot (Mermaid) of each."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks import load, world
from benchmarks.plots import plot
from benchmarks.served import CONNECTIONS, Bench, serving

BASE = (68_000, 100)
WORDS = (20_000, 68_000, 200_000)
DIMS = (50, 100, 300)
KS = (1, 10, 50, 100)
CONNECTION_COUNTS = (1, 8, 32, 128)

Point = tuple[str, float, str, float, str]


def growth(bench: Bench) -> list[Point]:
    """Requests per second of stored neighbours and of analogies; each point beside the first of its series."""
    points: list[Point] = []
    for name, sizes in (
        ("words", [(n_words, BASE[1]) for n_words in WORDS]),
        ("dim", [(BASE[0], dim) for dim in DIMS]),
    ):
        found = []
        for size in sizes:
            with tempfile.TemporaryDirectory() as folder:
                world.make(Path(folder), *world.synthetic(*size))
                with serving("ours", Path(folder), load.get("/neighbors", word="w1")) as server:
                    label = f"{size[0]:,}" if name == "words" else str(size[1])
                    neighbors = bench.load(server, _neighbors(10)).per_second
                    found.append((label, neighbors, bench.load(server, _analogies(10)).per_second))
        points += _shown(name, found)
    with tempfile.TemporaryDirectory() as folder:
        world.make(Path(folder), *world.synthetic(*BASE))
        with serving("ours", Path(folder), load.get("/neighbors", word="w1")) as server:

            def speeds(label: int, k: int, connections: int = CONNECTIONS) -> tuple[str, float, float]:
                found = [bench.load(server, ask(k), connections=connections) for ask in (_neighbors, _analogies)]
                return str(label), found[0].per_second, found[1].per_second

            by_k = [speeds(k, k) for k in KS]
            by_connections = [speeds(n, 10, n) for n in CONNECTION_COUNTS]
    return points + _shown("k", by_k) + _shown("connections", by_connections)


def _neighbors(k: int) -> list[bytes]:
    return [load.get("/neighbors", word=f"w{i * 7919 % WORDS[0]}", k=k) for i in range(5_000)]


def _analogies(k: int) -> list[bytes]:
    words = [f"w{i * 7919 % WORDS[0]}" for i in range(5_002)]
    return [load.get("/analogy", a=a, b=b, c=c, k=k) for a, b, c in zip(words, words[1:], words[2:], strict=False)]


def _shown(name: str, found: list[tuple[str, float, float]]) -> list[Point]:
    lines = {"neighbours (upper line)": [each[1] for each in found], "analogies": [each[2] for each in found]}
    plot(name, [label for label, _, _ in found], "requests/s", lines)
    first, first_neighbors, first_analogies = found[0]
    points: list[Point] = []
    for label, of_neighbors, of_analogies in found[1:]:
        at = f"growth-{name}-{label}"
        points.append((f"{at}-neighbors", of_neighbors, f"{name} {first}", first_neighbors, "requests/s"))
        points.append((f"{at}-analogies", of_analogies, f"{name} {first}", first_analogies, "requests/s"))
    return points
