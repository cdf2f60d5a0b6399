"""The neighbour table beside its matrix products, and publication: ``python -m benchmarks.publishing --help``."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from app.core.nearest import exact
from app.core.table.arrays import FloatArray, Neighbors
from app.core.table.limits import IndexLimits, n_covered
from app.core.table.writing import normalise
from benchmarks import machine
from benchmarks.contest import OURS, Case, Measurement, alone, run
from benchmarks.plots import plot
from benchmarks.quality import Score
from benchmarks.rows import as_table
from benchmarks.world import clustered, from_file, published
from trainer.publishing import graph, index
from trainer.publishing.neighbors import nearest_neighbors
from trainer.steps.crew import Crew
from trainer.steps.progress import ignore

PANEL = 512
"""Of 64 x 1024 to 2048 x 2048, products of this size were the fastest on one thread."""
N_COMPARED = 1000
WORDS = 67_889
"""Of the enwiki file's vocabulary."""
BASE = (30_000, 100)
"""Words and dim of a growth where they are not what is varied."""
EFFORTS = (64, 256, 1024)
LINES = {"all": "publication with a graph", "graph": "the graph", "table": "the neighbour table"}


Source = tuple[int, int] | Path
"""Words and dim of made-up vectors, or a file of vectors: text, or numpy's."""


def vectors_of(source: Source) -> FloatArray:
    """With the kernels compiled: publications are timed without that."""
    small = normalise(clustered(2000, 8))[0]
    nearest_neighbors(small, threads=1, report=ignore)
    graph.build(small, ignore, threads=1)
    if isinstance(source, Path):
        return np.load(source) if source.suffix == ".npy" else from_file(source)[1]
    return clustered(*source)


def name_of(source: Source) -> str:
    return source.stem if isinstance(source, Path) else "{}-d{}".format(*source)


def table_case(source: Source, threads: int) -> Case:
    """Processor seconds, since the clock's depend on what else runs; those of the clock are in the notes."""
    unit_vectors, _ = normalise(vectors_of(source))

    def ours(_: int) -> Measurement:
        found: list[Neighbors] = []
        seconds = _timed(lambda: found.append(nearest_neighbors(unit_vectors, threads=threads, report=ignore)))
        return Measurement(seconds[0], {"as scanned": _as_scanned(unit_vectors, found[0])}, {"seconds": seconds[1]})

    def products(_: int) -> Measurement:
        processor, clock = _timed(lambda: half_of_all_products(unit_vectors, threads))
        return Measurement(processor, notes={"seconds": clock})

    return Case(f"neighbors-{name_of(source)}", "cpu seconds", False, {OURS: ours, "sgemm of half": products})


def whole_case(source: Source, threads: int) -> Case:
    """Seconds of the clock from vectors to all files, with a graph where the table is large, and the peak memory."""

    def ours(_: int) -> Measurement:
        return alone(_published, source, threads)

    return Case(f"publish-{name_of(source)}", "seconds", False, {OURS: ours})


def _published(source: Source, threads: int) -> Measurement:
    seconds = steps_of(source, threads, IndexLimits())
    return Measurement(seconds.pop("all"), notes={f"{step} seconds": each for step, each in seconds.items()})


def steps_of(source: Source, threads: int, limits: IndexLimits) -> dict[str, float]:
    """Seconds of a publication, of all of it and of the table and the graph in it."""
    trained = {"vectors": vectors_of(source)}
    named = [f"w{i}" for i in range(len(trained["vectors"]))]
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        manifest = published(Path(folder), named, trained, threads, limits).manifest
        seconds = time.perf_counter() - started
    return {"all": seconds, "table": manifest.metrics["neighbors"]["seconds"], "graph": manifest.index.build_seconds}


def graph_case(source: Source, threads: int) -> Case:
    """Seconds of the clock to build a graph, and what is found in it, beside FAISS's own way with as many links."""
    unit_vectors, _ = normalise(vectors_of(source))
    samples = {"words": index.word_sample(unit_vectors), "sums": index.sum_sample(unit_vectors)}

    def built(parameters: graph.Parameters) -> Measurement:
        started = time.perf_counter()
        made = graph.build(unit_vectors, ignore, threads=threads, parameters=parameters)
        seconds, found = time.perf_counter() - started, {}
        for effort in EFFORTS:
            made.hnsw.efSearch = effort
            for of, sample in samples.items():
                share = index.recall(made, unit_vectors, sample)
                found[f"{of} at {effort}"] = Score(share, len(sample.nearest), len(sample.nearest))
        return Measurement(seconds, found)

    ways = {OURS: lambda _: built(graph.LINKED), "FAISS, word by word": lambda _: built(graph.INSERTED)}
    return Case(f"graph-{name_of(source)}", "seconds", False, ways)


def half_of_all_products(unit_vectors: FloatArray, threads: int) -> None:
    """Every covered word with every other word, once: nothing is kept."""
    covered, n_words = n_covered(*unit_vectors.shape), len(unit_vectors)
    starts = list(range(0, covered, PANEL))

    def multiply(start: int) -> None:
        scores = np.empty((PANEL, PANEL), np.float32)
        rows = unit_vectors[start : start + PANEL]
        for other in range(start, n_words, PANEL):
            columns = unit_vectors[other : other + PANEL]
            np.matmul(rows, columns.T, out=scores[: len(rows), : len(columns)])

    with exact.one_thread_a_scan(), Crew(threads) as crew:
        crew.on_each(multiply, starts)


def growth(threads: int, base: tuple[int, int] = BASE) -> None:
    """Plot the seconds of a publication with its graph, of the graph and of the table: one thing varied at a time."""
    words, dim = base
    series: dict[str, dict[str, tuple[Source, int]]] = {
        "words": {f"{n:,}": ((n, dim), threads) for n in (words // 3, words, 2 * words, 3 * words)},
        "dim": {str(n): ((words, n), threads) for n in (dim // 2, dim, 2 * dim, 3 * dim)},
        "threads": {str(n): (base, n) for n in range(1, threads + 1)},
    }
    for name, points in series.items():
        found = [steps_of(source, n, IndexLimits("graph")) for source, n in points.values()]
        lines = {said: [each[step] for each in found] for step, said in LINES.items()}
        plot(name, list(points), "seconds", lines)


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds of processors and of the clock."""
    processor, clock = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - processor, time.perf_counter() - clock


def _as_scanned(unit_vectors: FloatArray, found: Neighbors) -> Score:
    """Words whose ids and scores are those of a scan of the whole table, to the last bit."""
    rows = np.linspace(0, len(found.ids) - 1, min(N_COMPARED, len(found.ids))).astype(np.int64)
    ids, scores = exact.nearest_others(unit_vectors, rows, found.ids.shape[1])
    equal = (found.ids[rows] == ids).all(axis=1) & (found.scores[rows] == scores.astype(np.float32)).all(axis=1)
    return Score(float(equal.mean()), len(rows), len(found.ids))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.publishing", description=__doc__)
    parser.add_argument("--words", type=int, nargs="+", default=[WORDS])
    parser.add_argument("--dim", type=int, nargs="+", default=[100])
    parser.add_argument("--threads", type=int, default=machine.cores())
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--whole", action="store_true", help="publication as a whole instead of the neighbour table")
    parser.add_argument("--graph", action="store_true", help="a graph beside FAISS's own way to build it instead")
    parser.add_argument("--vectors", type=Path, help="a file of vectors, text or .npy; else they are made up")
    parser.add_argument(
        "--growth", action="store_true", help="only how publication grows: plots by words, dim, threads"
    )
    arguments = parser.parse_args()
    print(machine.cpu_name(), machine.versions("numpy", "numba"), f"{arguments.threads} threads", flush=True)
    if arguments.growth:
        growth(arguments.threads)
        return
    made: list[Source] = [(words, dim) for words in arguments.words for dim in arguments.dim]
    sources = [arguments.vectors] if arguments.vectors else made
    case = whole_case if arguments.whole else graph_case if arguments.graph else table_case
    rows = [row for source in sources for row in run(case(source, arguments.threads), arguments.repeats)]
    print(as_table(rows))
    for row in rows:
        print(row.case, *(f"{name} {value:,.2f}" for name, value in row.notes.items()))


if __name__ == "__main__":
    main()
