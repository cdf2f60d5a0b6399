"""Serving beside its peers: ``python -m benchmarks.serving [--quick] [--json FILE]``, or ``make bench-serving``.

Rows have ours and theirs measured in turn on this machine; a ratio above 1 means ours is better. Requests per CPU
second divide by what the server process itself used, which says the same on a busy machine.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from app.core import exact, scores
from app.core.table import FloatArray, Table, open_table
from benchmarks import chroma, load, postgres, serving_growth, world
from benchmarks.machine import cpu_name, versions
from benchmarks.served import CONNECTIONS, Bench, serving
from benchmarks.servers import write_gensim

PARTS = ("server", "granian", "gensim", "pgvector", "chroma")
PACKAGES = ("numpy", "faiss-cpu", "uvicorn", "granian", "gensim")
N_RECALL = 100
ENOUGH_RECALL = 0.99
EF_SEARCHES = (40, 100, 200, 400, 1000)
"""pgvector's default, and up to its limit; the smallest is taken that finds enough."""


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

    def __init__(self, words: Sequence[str], seed: int = 1) -> None:
        plain = [word for word in words if word.isascii() and word.isalnum() and word.lower() == word]
        draw = random.Random(seed)  # noqa: S311 (words, not secrets)
        self.words = draw.choices(plain, k=20_000)
        self.triples = [draw.sample(plain, 3) for _ in range(5_000)]
        self.neighbors = [load.get("/neighbors", word=word, k=10) for word in self.words]

    @property
    def first(self) -> str:
        return f"/neighbors?word={self.words[0]}"

    def analogies(self, path: str = "/analogy") -> list[bytes]:
        return [load.get(path, a=a, b=b, c=c) for a, b, c in self.triples]


def against_the_server_itself(bench: Bench, folder: Path, questions: Questions) -> list[Row]:
    """Point by point: look-ups against an endpoint that does nothing, batching against none, tails, and a load."""
    with serving("ours", folder, questions.first) as ours:
        neighbors, bare, modelled = bench.compare(
            (ours, questions.neighbors), (ours, [load.get("/bare")]), (ours, [load.get("/modelled", word="w")])
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
        with serving(kind, folder, questions.first) as server:
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


def against_granian(bench: Bench, folder: Path, questions: Questions) -> list[Row]:
    """The same application on another server."""
    if importlib.util.find_spec("granian") is None:
        raise ImportError("granian", name="granian")
    with serving("ours", folder, questions.first) as ours, serving("granian", folder, questions.first) as theirs:
        (n_ours, n_theirs), (a_ours, a_theirs) = (
            bench.compare((ours, asked), (theirs, asked)) for asked in (questions.neighbors, questions.analogies())
        )
    peer = "the same on granian"
    return [
        row("granian-neighbors", n_ours.per_second, peer, n_theirs.per_second, "requests/s"),
        row("granian-neighbors-p99", n_ours.p99, peer, n_theirs.p99, "ms", less=True),
        row("granian-analogies", a_ours.per_second, peer, a_theirs.per_second, "requests/s"),
    ]


def against_pgvector(bench: Bench, folder: Path, table: Table, questions: Questions, size: str) -> list[Row]:
    peer = f"pgvector HNSW, {size}"
    words = [[word] for word in questions.words[:2000]]
    with tempfile.TemporaryDirectory() as data, postgres.served(Path(data), table) as peer_server:

        def enough(statement: str, asked: Sequence[Sequence[str]]) -> tuple[int, str]:
            for ef_search in EF_SEARCHES:
                found = [_recall(table, each, peer_server.ask(statement, each, ef_search)) for each in asked]
                if statistics.mean(found) >= ENOUGH_RECALL:
                    break
            return ef_search, f"recall@10 1.0 against {statistics.mean(found):.3f} (ef_search {ef_search})"

        def theirs(statement: str, asked: Sequence[Sequence[str]], ef_search: int) -> float:
            return peer_server.per_second(statement, asked, threads=8, seconds=3, ef_search=ef_search)

        n_effort, n_quality = enough(postgres.NEIGHBORS, words[:N_RECALL])
        a_effort, a_quality = enough(postgres.ANALOGY, questions.triples[:N_RECALL])
        with serving("ours", folder, questions.first) as ours:
            neighbors = bench.load(ours, questions.neighbors)
            their_neighbors = theirs(postgres.NEIGHBORS, words, n_effort)
            analogies = bench.load(ours, questions.analogies())
            their_analogies = theirs(postgres.ANALOGY, questions.triples, a_effort)
        megabytes = table.n_bytes / 1e6, peer_server.n_bytes / 1e6
    return [
        row("pgvector-neighbors", neighbors.per_second, peer, their_neighbors, "requests/s", quality=n_quality),
        row("pgvector-analogies", analogies.per_second, peer, their_analogies, "requests/s", quality=a_quality),
        row("pgvector-size", megabytes[0], peer, megabytes[1], "MB of table and index", less=True),
    ]


def against_chroma(
    bench: Bench, folder: Path, table: Table, questions: Questions, size: str, program: Path
) -> list[Row]:
    peer = f"Chroma, {size}"
    vector_of = {word: table.unit_vectors[_id(table, word)] for word in questions.words}
    with tempfile.TemporaryDirectory() as data, chroma.served(program, Path(data), table) as theirs:
        asked = [[word] for word in questions.words[:N_RECALL]]
        found = [_recall(table, [word], theirs.ask(vector_of[word])) for (word,) in asked]
        n_quality = f"recall@10 1.0 against {statistics.mean(found):.3f}; theirs is given vectors"
        analogy_vectors = chroma.analogy_vectors(table, questions.triples)
        found = [
            _recall(table, triple, theirs.ask(vector, 13))
            for triple, vector in zip(questions.triples[:N_RECALL], analogy_vectors, strict=False)
        ]
        a_quality = f"recall@10 1.0 against {statistics.mean(found):.3f}; theirs is given vectors"
        their_neighbors = [theirs.query(vector_of[word]) for word in questions.words[:5000]]
        their_analogies = [theirs.query(vector, 13) for vector in analogy_vectors]
        with serving("ours", folder, questions.first) as ours:
            n_ours, n_theirs = bench.compare((ours, questions.neighbors), (theirs.server, their_neighbors))
            a_ours, a_theirs = bench.compare((ours, questions.analogies()), (theirs.server, their_analogies))
            megabytes = ours.resident_megabytes(), theirs.server.resident_megabytes()
            starts = ours.start_seconds, theirs.server.start_seconds
    return [
        row("chroma-neighbors", n_ours.per_second, peer, n_theirs.per_second, "requests/s", quality=n_quality),
        row("chroma-analogies", a_ours.per_second, peer, a_theirs.per_second, "requests/s", quality=a_quality),
        row("chroma-memory", megabytes[0], peer, megabytes[1], "MB resident", less=True),
        row("chroma-start", starts[0], peer, starts[1], "s to first answer", less=True),
    ]


def _id(table: Table, word: str) -> int:
    word_id = table.lookup.find(word)
    assert word_id is not None
    return word_id


def _recall(table: Table, asked: Sequence[str], found: Sequence[str]) -> float:
    """The share of the ten nearest to a word, or to a - b + c, by exact search, that were found."""
    unit_vectors = table.unit_vectors
    ids = [_id(table, word) for word in asked]
    direction = scores.direction(unit_vectors[ids].astype(np.float64), [1.0, -1.0, 1.0][: len(ids)])
    assert direction is not None
    nearest, _ = exact.nearest(unit_vectors, direction[None], 10 + len(ids))
    right = [table.lookup.word(i) for i in nearest[0].tolist() if i not in ids][:10]
    return len(set(right) & ({*found} - {*asked})) / 10


def main() -> None:
    arguments = parsed()
    bench = Bench(0.8 if arguments.quick else 3.0)
    described = f"{cpu_name()}, {os.cpu_count()} cores, {CONNECTIONS} connections; {versions(*PACKAGES)}"
    print(f"{described}; higher ratios are better")
    rows: list[Row] = []
    for words, vectors in tables(arguments):
        rows += measured(arguments, bench, words, vectors, is_first=not rows)
    if arguments.growth:
        rows += [row(*point) for point in serving_growth.growth(bench)]
    bench.close()
    if arguments.json:
        content = {"machine": described, "rows": [asdict(each) for each in rows]}
        arguments.json.write_text(json.dumps(content, indent=1), encoding="utf-8")


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one small table and short loads: about a minute")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there")
    parser.add_argument("--only", nargs="+", choices=PARTS, help="some of the comparisons")
    parser.add_argument("--words", type=int, nargs="+", help="sizes of synthetic tables (default 68000 400000)")
    parser.add_argument("--dim", type=int, default=100)
    parser.add_argument(
        "--table", type=Path, metavar="FILE", help="a real table instead: a word and its numbers a line"
    )
    parser.add_argument("--chroma", type=Path, metavar="PATH", help="the program `chroma`, if it is to take part")
    parser.add_argument("--growth", action="store_true", help="also how speed changes with words, dim, k, connections")
    return parser.parse_args()


def tables(arguments: argparse.Namespace) -> Iterator[tuple[list[str], FloatArray]]:
    if arguments.table:
        yield world.from_file(arguments.table)
        return
    for n_words in arguments.words or ([20_000] if arguments.quick else [68_000, 400_000]):
        yield world.synthetic(n_words, arguments.dim)


def measured(
    arguments: argparse.Namespace, bench: Bench, words: list[str], vectors: FloatArray, *, is_first: bool
) -> list[Row]:
    """All comparisons on one table; the server against itself and granian on the first one only."""
    size = f"{len(words) // 1000}k x {vectors.shape[1]}"
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        started = time.monotonic()
        table_folder = world.make(folder, words, vectors)
        questions, table = Questions(words), open_table(table_folder)
        print(f"\n{size}: published in {time.monotonic() - started:.0f} s; {_index_text(table)}", flush=True)
        parts: dict[str, Callable[[], list[Row]]] = {
            "server": lambda: against_the_server_itself(bench, folder, questions) if is_first else [],
            "granian": lambda: against_granian(bench, folder, questions) if is_first else [],
            "gensim": lambda: against_gensim(bench, folder, table_folder, questions, size),
            "pgvector": lambda: against_pgvector(bench, folder, table, questions, size),
            "chroma": lambda: against_chroma(bench, folder, table, questions, size, arguments.chroma),
        }
        rows: list[Row] = []
        for name in arguments.only or PARTS:
            if name == "chroma" and not arguments.chroma:
                continue
            try:
                rows += parts[name]()
            except ImportError as error:
                print(f"left out, not installed: {error.name}")
    return rows


def _index_text(table: Table) -> str:
    index = table.manifest.index
    return f"{index.kind} {index.parameters}, recall@10 {index.recall_at_10}"


if __name__ == "__main__":
    main()
