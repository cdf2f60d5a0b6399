"""Training speed and quality beside other programs: ``python -m benchmarks.training --help``."""

from __future__ import annotations

import argparse
import importlib.util
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks import machine
from benchmarks.contest import Case, run
from benchmarks.encode_cases import distinct_case, encode_case
from benchmarks.end_to_end import end_to_end_case
from benchmarks.fasttext_cases import CASES as FASTTEXT
from benchmarks.fasttext_cases import fasttext_cases
from benchmarks.glove_cases import CASES as GLOVE
from benchmarks.glove_cases import glove_cases, glove_growth
from benchmarks.growth import growth
from benchmarks.overheads import overheads
from benchmarks.publishing import WORDS, graph_case, table_case, whole_case
from benchmarks.rows import Row, as_table, write_json
from benchmarks.setup import Setup, add_arguments, setup_of
from benchmarks.word2vec_cases import cases, ours

WORD2VEC = ["skip-gram-ns-d100", "cbow-ns-d100", "skip-gram-hs-d100", "cbow-hs-d100"]
OTHERS = ["encode", "encode-distinct", "neighbors-d100", "publish-d100", "end-to-end-d100"]
CASES = [*WORD2VEC, "skip-gram-ns-d300", "cbow-ns-d300", *OTHERS, *GLOVE, *FASTTEXT]
QUICK = ["skip-gram-ns-d100", "cbow-ns-d100", "encode"]


def main() -> None:
    arguments = parsed()
    with tempfile.TemporaryDirectory(prefix="wordkin-benchmark-") as scratch:
        gensim = not arguments.no_gensim and importlib.util.find_spec("gensim") is not None
        setup = setup_of(
            arguments, arguments.folder or Path(scratch), word2vec_c=arguments.word2vec_c, with_gensim=gensim
        )
        described = describe(setup)
        print(described, flush=True)
        rows: list[Row] = []
        for name in named(arguments.only) or (QUICK if arguments.quick else CASES):
            for case in cases_of(name, setup, arguments.glove_dir):
                rows += run(case, arguments.seeds or arguments.repeats)
        print(as_table(rows))
        print(limits(rows, arguments.threads))
        if arguments.costs:
            rows += overheads(setup)
        if arguments.growth:
            fast = replace(setup, evaluation=setup.folder)  # without questions: speed is all that is asked here
            rows += growth(lambda changes, dim: ours(fast, "skip-gram-ns", dim)(1, changes))
            rows += glove_growth(setup)
        if arguments.json:
            write_json(arguments.json, described, rows)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training", description=__doc__)
    add_arguments(parser, epochs=1)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there")
    parser.add_argument("--only", nargs="+", metavar="CASE", help=f"of {', '.join(CASES)}, with any d")
    parser.add_argument("--seeds", type=int, metavar="N", help="the same as --repeats: run n has seed n")
    parser.add_argument("--costs", action="store_true", help="also what the losses and checkpoints cost")
    parser.add_argument("--growth", action="store_true", help="also how cost grows with dim, words, tokens and threads")
    parser.add_argument("--word2vec-c", type=Path, metavar="PATH", help="the compiled word2vec program")
    parser.add_argument("--glove-dir", type=Path, metavar="PATH", help="the folder of the compiled GloVe programs")
    parser.add_argument("--no-gensim", action="store_true")
    return parser.parse_args()


def named(only: list[str] | None) -> list[str]:
    """The cases that were asked for; the beginning of names, such as ``glove``, stands for all that begin so."""
    begun = {name: [case for case in CASES if case.startswith(name)] for name in only or [] if name not in CASES}
    return [case for name in only or [] for case in begun.get(name) or [name]]


def cases_of(name: str, setup: Setup, glove_programs: Path | None) -> Iterator[Case]:
    """The case of this name; those that are none of the others are Word2Vec's, of any d."""
    others: dict[str, Callable[[], Iterable[Case]]] = {
        "encode": lambda: [encode_case(setup)],
        "encode-distinct": lambda: [distinct_case(setup)],
        "neighbors-d100": lambda: [table_case((WORDS, 100), setup.threads)],
        "graph-d100": lambda: [graph_case((WORDS, 100), setup.threads)],
        "publish-d100": lambda: [whole_case((WORDS, 100), setup.threads)],
        "end-to-end-d100": lambda: [end_to_end_case(setup)],
        **{case: lambda: fasttext_cases(setup, [name]) for case in FASTTEXT},
        **{case: lambda: glove_cases(setup, glove_programs, [name]) for case in GLOVE},
    }
    yield from others.get(name, lambda: cases(setup, [name]))()


def describe(setup: Setup) -> str:
    programs = machine.versions("numpy", "numba", "gensim")
    extra = ", word2vec.c" if setup.word2vec_c else ""
    return f"{machine.cpu_name()}, {setup.threads} threads; {programs}{extra}; {setup.text.name}, {setup.epochs} epochs"


def limits(rows: list[Row], threads: int) -> str:
    """How near skip-gram comes to the machine's matrix products, and CBOW to its random reads."""
    peak, reads = machine.sgemm_flops(), machine.random_row_bytes(threads)
    lines = [f"sgemm {peak / 1e9:.0f} GFLOP/s, random rows of 448 bytes {reads / 1e9:.1f} GB/s"]
    for case, notes in {row.case: row.notes for row in rows}.items():
        if "windows_per_second" not in notes:
            continue
        dim = int(case.rpartition("-d")[2])
        if case.startswith("skip-gram-ns"):
            flops = notes["predictions_per_second"] * 6 * dim * 2 * 3
            lines.append(f"{case}: {flops / 1e9:.0f} GFLOP/s, {flops / peak:.0%} of sgemm")
        elif case.startswith("cbow-ns"):
            moved = notes["windows_per_second"] * 12 * 4 * dim
            lines.append(f"{case}: reads {moved / 1e9:.1f} GB/s of rows, {moved / reads:.0%}, and writes as much")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
