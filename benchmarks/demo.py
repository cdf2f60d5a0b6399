"""Which settings of the demo answer king - man + woman with queen, whatever the seed: ``python -m benchmarks.demo``.

Prints a row for each setting: on how many of the seeds queen comes first, its worst margin to the next word, and the
seconds of a training.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from app.command.demo import SUBMISSION, build_corpus
from app.core.hyperparameters import Word2VecHyperparameters
from app.core.table.writing import normalise
from app.core.text import TextSpec
from trainer.algorithms.algorithm import Work
from trainer.algorithms.word2vec.training import train
from trainer.corpus.encode import EncodedCorpus, encode
from trainer.steps.progress import ignore

SEEDS = range(1, 11)
CHANGES: list[dict[str, Any]] = [
    {},
    {"epochs": 7},
    {"dim": 50},
    {"dim": 50, "min_count": 40},
    {"dim": 100},
    {"window": 5},
    {"subsampling_threshold": 1e-3},
    {"architecture": "cbow"},
]


def margin(corpus: EncodedCorpus, chosen: Word2VecHyperparameters, folder: Path) -> float:
    """Score of queen less that of the best other answer."""
    vectors, _ = normalise(train(Work(corpus, folder, 2, ignore, None), chosen).arrays["vectors"])
    ids = {word: i for i, word in enumerate(corpus.vocabulary.words())}
    king, man, woman, queen = (ids[word] for word in ("king", "man", "woman", "queen"))
    direction = vectors[king] - vectors[man] + vectors[woman]
    scores = vectors @ (direction / np.linalg.norm(direction))
    others = np.delete(scores, [king, man, woman, queen])
    return float(scores[queen] - others.max())


def main() -> None:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        build_corpus(folder / "bible.txt")
        base = SUBMISSION["hyperparameters"]
        for change in CHANGES:
            min_count = change.get("min_count", base["min_count"])
            corpus = encode(folder / "bible.txt", folder, spec=TextSpec(), min_count=min_count, threads=2)
            margins, seconds = [], []
            for seed in SEEDS:
                chosen = Word2VecHyperparameters.model_validate({**base, **change, "seed": seed})
                started = time.monotonic()
                margins.append(margin(corpus, chosen, folder))
                seconds.append(time.monotonic() - started)
            n_first = sum(value > 0 for value in margins)
            took = statistics.median(seconds)
            print(f"{n_first:2d} of {len(margins)}  worst {min(margins):+.3f}  {took:5.1f} s  {change}", flush=True)


if __name__ == "__main__":
    main()
