"""GloVe beside the C program: counting and shuffling, and an iteration; alone: ``python -m benchmarks.glove_cases``.

Each side is measured from the first byte of its input: the C program reads words, we read ids, as everything of ours
does after encoding; `encode` is a row of its own. Peak memory is that of each side's largest process.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from app.core.hyperparameters import GloVeHyperparameters
from app.core.table.vocabulary import Vocabulary
from benchmarks import machine
from benchmarks.contest import OURS, Case, Measurement, run
from benchmarks.rows import Row, as_table
from benchmarks.setup import Setup, add_arguments, setup_of
from trainer.algorithms.algorithm import Work
from trainer.algorithms.glove import training as glove
from trainer.corpus.encode import EncodedCorpus
from trainer.steps.progress import ignore

CASES = ["glove-count", "glove-iteration"]
DIM, WINDOW, X_MAX = 100, 10, 10.0
PEER = "GloVe (C)"


@dataclass(frozen=True)
class Timing:
    """One training: seconds until cells are ready to train on, seconds an iteration, and what came out."""

    count_seconds: float
    iteration_seconds: float
    peak_bytes: int
    n_cells: int
    words: list[str]
    vectors: npt.NDArray[np.float32]


def glove_cases(setup: Setup, programs: Path | None, names: list[str]) -> Iterator[Case]:
    """The cases of these names; `programs` is the folder of vocab_count, cooccur, shuffle and glove, if any."""
    sides: dict[str, Callable[[int], Timing]] = {OURS: lambda seed: ours(setup, seed)}
    if programs:
        sides[PEER] = lambda seed: theirs(setup, programs, seed)

    def measure(name: str, time_it: Callable[[int], Timing]) -> Callable[[int], Measurement]:
        def measured(seed: int) -> Measurement:
            timing = time_it(seed)
            notes = {"peak_megabytes": timing.peak_bytes / 1e6, "cells": float(timing.n_cells)}
            if name == "glove-count":
                return Measurement(timing.count_seconds, {}, notes)
            return Measurement(timing.iteration_seconds, setup.quality(timing.words, timing.vectors), notes)

        return measured

    for name in names:
        yield Case(name, "seconds", False, {side: measure(name, time_it) for side, time_it in sides.items()})


@lru_cache
def ours(setup: Setup, seed: int) -> Timing:
    """Train in a process of its own, so that its peak memory is GloVe's; once for both cases."""
    chosen = {"dim": DIM, "window": WINDOW, "x_max": X_MAX, "epochs": setup.epochs, "seed": seed}
    corpus, path = setup.corpus, setup.folder / "glove-ids.npy"
    np.save(path, corpus.ids)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        without_ids = replace(corpus, ids=np.zeros(0, np.int32))
        return pool.apply(_train_mapped, (path, without_ids, chosen | {"threads": setup.threads}))


def _train_mapped(ids: Path, corpus: EncodedCorpus, chosen: dict[str, Any]) -> Timing:
    return _train(replace(corpus, ids=np.load(ids, mmap_mode="r")), chosen)


def _train(corpus: EncodedCorpus, chosen: dict[str, Any]) -> Timing:
    _warm_up(chosen)
    parameters = GloVeHyperparameters.model_validate(chosen)
    with tempfile.TemporaryDirectory() as folder:
        trained = glove.train(Work(corpus, Path(folder), 1, ignore, None), parameters)
    facts = trained.facts
    return Timing(
        count_seconds=facts["counting_seconds"],
        iteration_seconds=facts["epoch_seconds"],
        peak_bytes=machine.peak_bytes(),
        n_cells=facts["n_cells"],
        words=corpus.vocabulary.words(),
        vectors=trained.arrays["vectors"],
    )


def _warm_up(chosen: dict[str, Any]) -> None:
    """Load the compiled kernels, or compile them."""
    ids = np.array([0, 1, 0, -1], np.int32)
    corpus = EncodedCorpus(ids, Vocabulary.from_words(["a", "b"], [2, 1]), 3, 3, 1)
    with tempfile.TemporaryDirectory() as folder:
        parameters = GloVeHyperparameters.model_validate(chosen | {"epochs": 1})
        glove.train(Work(corpus, Path(folder), 1, ignore, None), parameters)


@lru_cache
def theirs(setup: Setup, programs: Path, seed: int) -> Timing:
    """Run the four programs as the authors' script does, with their 4 GB for counting and shuffling."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        usages = [_step(programs / "vocab_count", "-min-count 5", folder, setup.text, "vocab.txt")]
        counting = f"-memory 4 -vocab-file vocab.txt -window-size {WINDOW}"
        usages.append(_step(programs / "cooccur", counting, folder, setup.text, "cells"))
        usages.append(_step(programs / "shuffle", f"-memory 4 -seed {seed}", folder, folder / "cells", "shuffled"))
        n_records = (folder / "shuffled").stat().st_size // 16
        training = f"-save-file vectors -input-file shuffled -vocab-file vocab.txt -vector-size {DIM} -x-max {X_MAX:g}"
        training += f" -iter {setup.epochs} -threads {setup.threads} -binary 0 -seed {seed}"
        iteration_seconds, peak_bytes = _iterations(programs / "glove", training, folder)
        words, vectors = _read_vectors(folder / "vectors.txt")
    return Timing(
        count_seconds=usages[1][0] + usages[2][0],
        iteration_seconds=iteration_seconds,
        peak_bytes=max(peak_bytes, *(peak for _, peak in usages)),
        n_cells=n_records,
        words=words,
        vectors=vectors,
    )


def _step(program: Path, options: str, folder: Path, source: Path, target: str) -> tuple[float, int]:
    """Run a filter; its seconds and peak memory."""
    command = [str(program.resolve()), "-verbose", "0", *options.split()]
    with source.open("rb") as stdin, (folder / target).open("wb") as stdout:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=subprocess.DEVNULL, cwd=folder)
        peak_bytes = _wait(process)
    return time.perf_counter() - start, peak_bytes


def _iterations(program: Path, options: str, folder: Path) -> tuple[float, int]:
    """Run `glove`; seconds an iteration, from its report of parameters to that of its last cost, and peak memory."""
    command = [str(program.resolve()), "-verbose", "2", *options.split()]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=folder)
    assert process.stderr is not None
    start, ends = time.perf_counter(), []
    for line in process.stderr:
        if line.startswith(b"alpha:"):
            start = time.perf_counter()
        elif re.search(rb"iter: \d+, cost", line):
            ends.append(time.perf_counter())
    peak_bytes = _wait(process)
    process.stderr.close()
    return (ends[-1] - start) / len(ends), peak_bytes


def _wait(process: subprocess.Popen[bytes]) -> int:
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    return usage.ru_maxrss * 1024


def _read_vectors(path: Path) -> tuple[list[str], npt.NDArray[np.float32]]:
    rows = [line.split(" ") for line in path.read_text(encoding="utf-8").splitlines()]
    return [row[0] for row in rows], np.array([row[1:] for row in rows], np.float32)


def glove_growth(setup: Setup) -> list[Row]:
    """How counting and an iteration grow with words and with tokens."""
    corpus = setup.corpus
    n_words, n_positions = len(corpus.vocabulary), len(corpus.ids)
    points = [
        (f"words-{n}", _cut(corpus, n, n_positions))
        for n in sorted({min(5_000, n_words), min(20_000, n_words), n_words})
    ]
    points += [(f"tokens-1/{part}", _cut(corpus, n_words, n_positions // part)) for part in (8, 4, 2)]
    rows = []
    print("\n                 cells      count  iteration  seconds")
    for label, part in points:
        chosen = {"dim": DIM, "window": WINDOW, "x_max": X_MAX, "epochs": 1, "threads": setup.threads}
        timing = _train(part, chosen)
        print(
            f"{label:>14} {timing.n_cells:11,} {timing.count_seconds:9.2f} {timing.iteration_seconds:9.2f}", flush=True
        )
        for case, value in zip(CASES, (timing.count_seconds, timing.iteration_seconds), strict=True):
            rows.append(Row(f"{case}-{label}", value, "seconds", notes={"cells": timing.n_cells}))
    return rows


def _cut(corpus: EncodedCorpus, n_words: int, n_positions: int) -> EncodedCorpus:
    """The beginning of a corpus, the rarer words left out."""
    ids = np.array(corpus.ids[:n_positions])
    ids = ids[ids < n_words]
    counts = np.bincount(ids[ids >= 0], minlength=n_words)
    vocabulary = Vocabulary.from_words(corpus.vocabulary.words()[:n_words], counts)
    n_tokens = int(counts.sum())
    return EncodedCorpus(ids, vocabulary, n_tokens, n_tokens, len(ids) - n_tokens)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.glove_cases", description=__doc__)
    add_arguments(parser, epochs=3)
    parser.add_argument("--glove-dir", type=Path, metavar="PATH", help="folder of the compiled C programs")
    parser.add_argument("--growth", action="store_true", help="also how cost grows with words and tokens")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wordkin-benchmark-") as scratch:
        setup = setup_of(arguments, arguments.folder or Path(scratch), word2vec_c=None, with_gensim=False)
        print(f"{machine.cpu_name()}, {setup.threads} threads; {machine.versions('numpy', 'numba')}; {setup.text.name}")
        rows = [row for case in glove_cases(setup, arguments.glove_dir, CASES) for row in run(case, arguments.repeats)]
        print(as_table(rows))
        for row in rows:
            print(f"{row.case}: peak {row.notes['peak_megabytes']:,.0f} MB, {row.notes['cells']:,.0f} cells")
        if arguments.growth:
            glove_growth(setup)


if __name__ == "__main__":
    main()
