"""What evidence costs a training of one epoch: ``python -m benchmarks.evidence --corpus FILE --repeats 5``.

Each repeat does the steps of a job in turn, so that a busy machine is busy for all; shares are medians of repeats.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.core.hyperparameters import Word2VecHyperparameters
from app.core.table.manifest import CorpusOrigin, TrainedOrigin
from app.core.text import TextSpec
from benchmarks import machine
from benchmarks.setup import Setup, add_arguments, setup_of
from trainer.algorithms.algorithm import Work
from trainer.algorithms.word2vec.training import train
from trainer.corpus.encode import EncodedCorpus, encode
from trainer.publishing import evidence
from trainer.publishing.publish import Provenance, publish
from trainer.steps.progress import ignore

Seconds = dict[str, tuple[float, float]]
"""Of each step, by the clock and of processors."""
STEPS = ("reading", "training", "evidence", "publishing")


def job(text: Path, setup: Setup, chosen: Word2VecHyperparameters) -> tuple[Seconds, int, int]:
    """The steps of one job; also the bytes of the evidence and of all files."""
    told: Seconds = {}

    def timed(step: str, work: Callable[[], Any]) -> Any:
        start = time.perf_counter(), time.process_time()
        result = work()
        told[step] = time.perf_counter() - start[0], time.process_time() - start[1]
        return result

    with tempfile.TemporaryDirectory() as name:
        folder, threads = Path(name), setup.threads
        (version := folder / "version").mkdir()
        spec = TextSpec(tokenizer="whitespace")
        corpus: EncodedCorpus = timed("reading", lambda: encode(text, folder, spec=spec, min_count=5, threads=threads))
        trained = timed("training", lambda: train(Work(corpus, folder, threads, ignore, None), chosen))
        arrays, described = timed("evidence", lambda: evidence.find(corpus, chosen.window, threads, ignore))
        said = CorpusOrigin(name="text", sha256="", n_bytes=0, n_tokens=corpus.n_tokens, n_lines=corpus.n_lines)
        origin = TrainedOrigin(algorithm="word2vec", hyperparameters={}, corpus=said, training={}, evidence=described)
        written = timed(
            "publishing",
            lambda: publish(
                version,
                corpus.vocabulary,
                {**trained.arrays, **arrays},
                provenance=Provenance(origin, spec),
                threads=threads,
                report=ignore,
            ),
        )
    return told, described.n_bytes, written.manifest.n_bytes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(parser, epochs=1)
    arguments = parser.parse_args()
    chosen = Word2VecHyperparameters(epochs=arguments.epochs, dim=100, threads=arguments.threads)
    with tempfile.TemporaryDirectory() as temporary:
        setup = setup_of(arguments, arguments.folder or Path(temporary), word2vec_c=None, with_gensim=False)
        print(f"{machine.cpu_name()}, {machine.versions('numpy', 'numba')}")
        small = Path(temporary) / "small.txt"
        small.write_text("one two three four five six\n" * 1000)
        job(small, setup, chosen)  # compile
        found = [job(setup.text, setup, chosen) for _ in range(arguments.repeats)]
    print("| step | seconds | of processors | evidence is, of it |\n|---|---|---|---|")
    for steps in [*((step,) for step in STEPS), ("reading", "training", "publishing")]:
        _print_row(
            " + ".join(steps),
            [[sum(told[step][i] for step in steps) for i in (0, 1)] for told, _, _ in found],
            [told["evidence"] for told, _, _ in found],
        )
    _, n_bytes, n_bytes_all = found[0]
    print(f"evidence takes {n_bytes / 1e6:.1f} MB of the version's {n_bytes_all / 1e6:.1f}")


def _print_row(name: str, seconds: list[list[float]], cost: list[tuple[float, float]]) -> None:
    clock, processors = (statistics.median(each[i] for each in seconds) for i in (0, 1))
    shares = [statistics.median(ours[i] / each[i] for ours, each in zip(cost, seconds, strict=True)) for i in (0, 1)]
    print(f"| {name} | {clock:.2f} | {processors:.2f} | {shares[0]:.1%} ({shares[1]:.1%} of processors) |", flush=True)


if __name__ == "__main__":
    main()
