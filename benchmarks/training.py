"""Training speed and quality beside other programs: ``python -m benchmarks.training --help``."""

from __future__ import annotations

import argparse
import importlib.util
import json
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.contest import Case, as_table, run
from benchmarks.corpora import DATA, enwiki
from benchmarks.encode_cases import encode_case
from benchmarks.end_to_end import end_to_end_case
from benchmarks.glove_cases import CASES as GLOVE
from benchmarks.glove_cases import glove_cases, glove_growth
from benchmarks.growth import growth
from benchmarks.overheads import overheads
from benchmarks.word2vec_cases import Setup, cases, ours

WORD2VEC = ["skip-gram-ns-d100", "cbow-ns-d100", "skip-gram-hs-d100", "cbow-hs-d100"]
CASES = [*WORD2VEC, "skip-gram-ns-d300", "cbow-ns-d300", "encode", "end-to-end-d100", *GLOVE]
QUICK = ["skip-gram-ns-d100", "cbow-ns-d100", "encode"]


def main() -> None:
    arguments = parsed()
    with tempfile.TemporaryDirectory(prefix="wordkin-benchmark-") as scratch:
        folder = arguments.folder or Path(scratch)
        text = enwiki(folder, quick=arguments.quick, source=arguments.corpus)
        setup = Setup(
            text,
            folder,
            DATA,
            arguments.threads,
            arguments.epochs,
            arguments.word2vec_c,
            with_gensim=not arguments.no_gensim and importlib.util.find_spec("gensim") is not None,
        )
        described = describe(setup)
        print(described, flush=True)
        rows: list[dict[str, Any]] = []
        for case in chosen(setup, arguments.glove_dir, named(arguments.only) or (QUICK if arguments.quick else CASES)):
            rows += run(case, arguments.seeds or arguments.repeats)
        print(as_table(rows))
        print(limits(setup, rows))
        if arguments.costs:
            rows += overheads(setup)
        if arguments.growth:
            fast = replace(setup, data=setup.folder)  # without questions: speed is all that is asked here
            rows += growth(lambda changes, dim: ours(fast, "skip-gram-ns", dim)(1, changes))
            rows += glove_growth(setup)
        if arguments.json:
            arguments.json.write_text(json.dumps({"machine": described, "rows": rows}, indent=1), encoding="utf-8")


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the corpus, two models: under a minute")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there")
    parser.add_argument("--only", nargs="+", metavar="CASE", help=f"of {', '.join(CASES)}, with any d")
    parser.add_argument("--epochs", type=int, default=1, help="of each run (default 1; quality needs 5)")
    parser.add_argument("--repeats", type=int, default=1, help="runs of each program, in turns; medians are compared")
    parser.add_argument("--seeds", type=int, metavar="N", help="the same as --repeats: run n has seed n")
    parser.add_argument("--threads", type=int, default=machine.cores())
    parser.add_argument("--costs", action="store_true", help="also what the losses and checkpoints cost")
    parser.add_argument("--growth", action="store_true", help="also how cost grows with dim, words, tokens and threads")
    parser.add_argument("--word2vec-c", type=Path, metavar="PATH", help="the compiled word2vec program")
    parser.add_argument("--glove-dir", type=Path, metavar="PATH", help="the folder of the compiled GloVe programs")
    parser.add_argument("--no-gensim", action="store_true")
    parser.add_argument("--corpus", type=Path, metavar="XZ", help="another corpus than enwiki2015-text8.xz")
    parser.add_argument("--folder", type=Path, help="keeps the unpacked corpus for the next run")
    return parser.parse_args()


def named(only: list[str] | None) -> list[str]:
    """The cases that were asked for; the beginning of names, such as ``glove``, stands for all that begin so."""
    return [case for name in only or [] for case in [known for known in CASES if known.startswith(name)] or [name]]


def chosen(setup: Setup, glove_programs: Path | None, names: list[str]) -> Iterator[Case]:
    """The cases of these names, in order. A new kind of case is added here."""
    for name in names:
        if name == "encode":
            yield encode_case(setup)
        elif name == "end-to-end-d100":
            yield end_to_end_case(setup)
        elif name in GLOVE:
            yield from glove_cases(setup, glove_programs, [name])
        else:
            yield from cases(setup, [name])


def describe(setup: Setup) -> str:
    programs = machine.versions("numpy", "numba", "gensim")
    extra = ", word2vec.c" if setup.word2vec_c else ""
    return f"{machine.cpu_name()}, {setup.threads} threads; {programs}{extra}; {setup.text.name}, {setup.epochs} epochs"


def limits(setup: Setup, rows: list[dict[str, Any]]) -> str:
    """How near skip-gram comes to the machine's matrix products, and CBOW to its random reads."""
    peak, reads = machine.sgemm_flops(), machine.random_row_bytes(setup.threads)
    lines = [f"sgemm {peak / 1e9:.0f} GFLOP/s, random rows of 448 bytes {reads / 1e9:.1f} GB/s"]
    for case, notes in {row["case"]: row["notes"] for row in rows if row["notes"]}.items():
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
