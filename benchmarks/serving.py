"""Serving beside its peers: ``python -m benchmarks.serving [--quick] [--json FILE]``, or ``make bench-serving``.

Rows have ours and theirs measured in turn on this machine; a ratio above 1 means ours is better. Requests per CPU
second divide by what the server process itself used, which says the same on a busy machine.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from app.core.table import Table, open_table
from benchmarks import load, postgres, world
from benchmarks.served import CONNECTIONS, Bench, serving
from benchmarks.servers import write_gensim

N_RECALL = 100
EF_SEARCH = 100


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    case: str
    ours: float
    peer: str
    theirs: float
    unit: str
    ratio: float
    quality: str = ""


def row(case: str, ours: float, peer: str, theirs: float, unit: str, *, less: bool = False, quality: str = "") -> Row:  # noqa: PLR0913
    better, worse = (theirs, ours) if less else (ours, theirs)
    ratio = better / max(worse, 0.01)  # nothing at all came back: JSON has no infinity
    made = Row(case, round(ours, 2), peer, round(theirs, 2), unit, round(ratio, 2), quality)
    print(f"{case:28} {made.ours:>10} {unit:16} {peer:28} {made.theirs:>10} {made.ratio:>7} x  {quality}", flush=True)
    return made


class Questions:
    """The same random words for everybody."""

    def __init__(self, n_words: int, seed: int = 1) -> None:
        chosen = random.Random(seed)  # noqa: S311 (words, not secrets)
        self.words = [f"w{chosen.randrange(n_words)}" for _ in range(20_000)]
        self.triples = [tuple(f"w{i}" for i in chosen.sample(range(n_words), 3)) for _ in range(5_000)]
        self.neighbors = [load.get("/neighbors", word=word, k=10) for word in self.words]

    def analogies(self, path: str = "/analogy") -> list[bytes]:
        return [load.get(path, a=a, b=b, c=c) for a, b, c in self.triples]


def against_the_server_itself(bench: Bench, folder: Path, questions: Questions) -> list[Row]:
    """Point by point: look-ups against an endpoint that does nothing, batching against none, tails, and a load."""
    with serving("ours", folder, "/neighbors?word=w1") as ours:
        neighbors, bare, modelled = bench.compare(
            (ours, questions.neighbors), (ours, [load.get("/bare")]), (ours, [load.get("/modelled", word="w1")])
        )
        analogy, alone = bench.compare((ours, questions.analogies()), (ours, questions.analogies("/one-by-one")))
        steady = bench.load(ours, questions.analogies(), rate=analogy.per_second / 2)
        swapping = bench.while_swapping(ours, questions.neighbors)
    tail = f"p50 {analogy.p50:.1f} ms, p99 {analogy.p99:.1f} ms"
    return [
        row("neighbors-http", neighbors.per_second, "bare FastAPI endpoint", bare.per_second, "requests/s"),
        row(
            "neighbors-http-cpu",
            neighbors.per_cpu_second,
            "bare FastAPI endpoint",
            bare.per_cpu_second,
            "requests/CPU s",
        ),
        row("neighbors-modelled", neighbors.per_second, "modelled FastAPI endpoint", modelled.per_second, "requests/s"),
        row(
            "analogy-batched", analogy.per_second, "one by one in threads", alone.per_second, "requests/s", quality=tail
        ),
        row(
            "analogy-batched-cpu",
            analogy.per_cpu_second,
            "one by one in threads",
            alone.per_cpu_second,
            "requests/CPU s",
        ),
        row("analogy-tail", analogy.p99, "5 x the median", 5 * analogy.p50, "ms", less=True, quality="closed loop"),
        row(
            "analogy-tail-open", steady.p99, "5 x the median", 5 * steady.p50, "ms", less=True, quality="half the load"
        ),
        row(
            "swap-pause",
            swapping.worst,
            "limit",
            50.0,
            "ms, worst",
            less=True,
            quality="versions swapped under load",
        ),
    ]


def against_gensim(bench: Bench, folder: Path, table_folder: Path, questions: Questions, size: str) -> list[Row]:
    peer = f"gensim + FastAPI, {size}"
    write_gensim(folder, table_folder)
    measured = []
    for kind in ("ours", "gensim"):  # one after the other: a backlog of one must not slow the other
        with serving(kind, folder, "/neighbors?word=w1") as server:
            neighbors, analogies = bench.compare((server, questions.neighbors), (server, questions.analogies()))
            measured.append(
                (server.start_seconds, neighbors.per_second, analogies.per_second, server.resident_megabytes())
            )
    (our_start, *ours), (their_start, *theirs) = measured
    return [
        row("gensim-neighbors", ours[0], peer, theirs[0], "requests/s", quality="both exact"),
        row("gensim-analogies", ours[1], peer, theirs[1], "requests/s", quality="both exact"),
        row("gensim-memory", ours[2], peer, theirs[2], "MB resident", less=True),
        row("gensim-start", our_start, peer, their_start, "s to first answer", less=True),
    ]


def against_pgvector(bench: Bench, folder: Path, table: Table, questions: Questions, size: str) -> list[Row]:
    peer = f"pgvector HNSW, {size}"
    words = [[word] for word in questions.words[:2000]]
    with (
        tempfile.TemporaryDirectory() as data,
        serving("ours", folder, "/neighbors?word=w1") as ours,
        postgres.served(Path(data), table) as peer_server,
    ):
        found = [_recall(table, peer_server, word, EF_SEARCH) for (word,) in words[:N_RECALL]]
        quality = f"recall@10 1.0 against {statistics.mean(found):.3f} (ef_search {EF_SEARCH})"

        def theirs(statement: str, parameters: Sequence[Sequence[str]]) -> float:
            return peer_server.per_second(statement, parameters, threads=8, seconds=3, ef_search=EF_SEARCH)

        neighbors, analogies = bench.load(ours, questions.neighbors), bench.load(ours, questions.analogies())
        their_neighbors = theirs(postgres.NEIGHBORS, words)
        their_analogies = theirs(postgres.ANALOGY, questions.triples)
        megabytes = table.n_bytes / 1e6, peer_server.n_bytes / 1e6
    return [
        row("pgvector-neighbors", neighbors.per_second, peer, their_neighbors, "requests/s", quality=quality),
        row("pgvector-analogies", analogies.per_second, peer, their_analogies, "requests/s", quality=quality),
        row("pgvector-size", megabytes[0], peer, megabytes[1], "MB of table and index", less=True),
    ]


def _recall(table: Table, server: postgres.Served, word: str, ef_search: int) -> float:
    word_id = table.lookup.find(word)
    assert word_id is not None
    exact = {table.lookup.word(i) for i in table.neighbors.ids[word_id, :10].tolist()}
    found = [w for w in server.ask(postgres.NEIGHBORS, [word], ef_search) if w != word][:10]
    return len(exact & set(found)) / 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a small table and short loads: about a minute")
    parser.add_argument("--json", type=Path, help="write the rows there")
    parser.add_argument("--words", type=int, help="words of the table (default 68000; quick 20000)")
    parser.add_argument("--dim", type=int, default=100)
    arguments = parser.parse_args()
    n_words = arguments.words or (20_000 if arguments.quick else 68_000)
    size = f"{n_words // 1000}k x {arguments.dim}"
    bench = Bench(0.8 if arguments.quick else 3.0)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        table_folder = world.make(folder, n_words, arguments.dim)
        questions, table = Questions(n_words), open_table(table_folder)
        print(f"{size}, {CONNECTIONS} connections, {os.cpu_count()} cores; higher ratios are better\n")
        parts: list[Callable[[], list[Row]]] = [
            lambda: against_the_server_itself(bench, folder, questions),
            lambda: against_gensim(bench, folder, table_folder, questions, size),
            lambda: against_pgvector(bench, folder, table, questions, size),
        ]
        for part in parts:
            try:
                rows += part()
            except ImportError as error:
                print(f"left out, not installed: {error.name}")
    bench.close()
    if arguments.json:
        content: dict[str, Any] = {"rows": [asdict(each) for each in rows]}
        arguments.json.write_text(json.dumps(content, indent=1))


if __name__ == "__main__":
    main()
