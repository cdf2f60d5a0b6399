"""Serving beside its peers: ``python -m benchmarks.serving [--quick] [--json FILE]``, or ``make bench-serving``.

Rows have ours and theirs measured in turn on this machine; a ratio above 1 means ours is better. Requests per CPU
second divide by what the server process itself used, which says the same on a busy machine.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from app.core.table.arrays import FloatArray
from app.core.table.reading import Table, open_table
from benchmarks import load, serving_growth, serving_limits, serving_peers, world
from benchmarks.machine import cpu_name, versions
from benchmarks.questions import Questions
from benchmarks.rows import Row, row, write_json
from benchmarks.served import CONNECTIONS, Bench, serving

PARTS = ("server", "rest", "filters", "granian", "gensim", "pgvector", "chroma")
PACKAGES = ("numpy", "faiss-cpu", "uvicorn", "granian", "gensim")


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
    rate, cpu, limit = "requests/s", "requests/CPU s", "5 x the median"
    empty, given, single = "bare FastAPI endpoint", "modelled FastAPI endpoint", "one by one in threads"
    swaps = "versions swapped under load"
    return [
        row("neighbors-http", neighbors.per_second, empty, bare.per_second, rate),
        row("neighbors-http-cpu", neighbors.per_cpu_second, empty, bare.per_cpu_second, cpu),
        row("neighbors-modelled", neighbors.per_second, given, modelled.per_second, rate),
        row("analogy-batched", analogy.per_second, single, alone.per_second, rate, quality=tail),
        row("analogy-batched-cpu", analogy.per_cpu_second, single, alone.per_cpu_second, cpu),
        row("analogy-tail", analogy.p99, limit, 5 * analogy.p50, "ms", less=True, quality="closed loop"),
        row("analogy-tail-open", steady.p99, limit, 5 * steady.p50, "ms", less=True, quality="half the load"),
        row("swap-pause", swapping.worst, "limit", 50.0, "ms, worst", less=True, quality=swaps),
    ]


def main() -> None:
    arguments = parsed()
    bench = Bench(arguments.seconds or (0.8 if arguments.quick else 3.0), arguments.starts)
    described = f"{cpu_name()}, {os.cpu_count()} cores, {CONNECTIONS} connections; {versions(*PACKAGES)}"
    print(f"{described}; higher ratios are better")
    rows: list[Row] = []
    for words, vectors in tables(arguments):
        rows += measured(arguments, bench, words, vectors, is_first=not rows)
    if arguments.growth:
        rows += [row(*point) for point in serving_growth.growth(bench)]
    bench.close()
    if arguments.json:
        write_json(arguments.json, described, rows)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one small table and short loads: about a minute")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there")
    parser.add_argument("--only", nargs="+", choices=PARTS, help="some of the comparisons")
    parser.add_argument("--words", type=int, nargs="+", help="sizes of synthetic tables (default 68000 400000)")
    parser.add_argument("--seconds", type=float, help="of each load (default 3, or 0.8 of --quick)")
    parser.add_argument("--starts", type=int, default=7, help="of each server, for the time that a start takes")
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
    """All comparisons on one table; the server against itself, filters and granian on the first one only."""
    size = f"{len(words) // 1000}k x {vectors.shape[1]}"
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        started = time.monotonic()
        table_folder = world.make(folder, words, vectors)
        questions, table = Questions(words), open_table(table_folder)
        print(f"\n{size}: published in {time.monotonic() - started:.0f} s; {_index_text(table)}", flush=True)
        parts: dict[str, Callable[[], list[Row]]] = {
            "server": lambda: against_the_server_itself(bench, folder, questions) if is_first else [],
            "rest": lambda: serving_limits.at_rest(bench, folder, table, questions, size),
            "filters": lambda: serving_limits.filters(bench, folder, table, questions) if is_first else [],
            "granian": lambda: serving_peers.against_granian(bench, folder, questions) if is_first else [],
            "gensim": lambda: serving_peers.against_gensim(bench, folder, table_folder, questions, size),
            "pgvector": lambda: serving_peers.against_pgvector(bench, folder, table, questions, size),
            "chroma": lambda: serving_peers.against_chroma(bench, folder, table, questions, size, arguments.chroma),
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
