"""fastText beside its C++ core (through its wheel) and gensim: tokens of the corpus per second, quality, peak memory.

All have 100 dimensions, n-grams of 3 to 6 characters in 2 million buckets, window 5, 5 negatives and a subsampling
threshold of 1e-3. Learning rates are each one's default; gensim has fastText's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from app.core.hyperparameters import FastTextHyperparameters
from benchmarks.contest import OURS, Case, Measurement, alone
from benchmarks.setup import Setup
from benchmarks.word2vec_cases import gensim_seconds
from trainer.algorithms.algorithm import Work
from trainer.algorithms.fasttext.training import train
from trainer.steps.progress import ignore

CASES = ["fasttext-skip-gram", "fasttext-cbow"]
UNIT = "thousand tokens/s"
DIM, MIN_N, MAX_N, N_BUCKETS, THRESHOLD, RATE = 100, 3, 6, 2_000_000, 1e-3, 0.05


def fasttext_cases(setup: Setup, names: list[str]) -> Iterator[Case]:
    """The cases of these names; each contestant runs in a process of its own, so that its peak memory is known."""
    sides = {OURS: ours, "fastText (C++)": fasttext} | ({"gensim": gensim} if setup.with_gensim else {})
    for name in names:
        architecture = name.removeprefix("fasttext-")
        contestants = {side: _apart(measure, replace(setup), architecture) for side, measure in sides.items()}
        yield Case(name, UNIT, True, contestants)


Side = Callable[[Setup, str, int], Measurement]


def _apart(side: Side, setup: Setup, architecture: str) -> Callable[[int], Measurement]:
    def measure(seed: int) -> Measurement:
        found = alone(side, setup, architecture, seed)
        print(f"  {architecture} {side.__name__}: peak memory {found.notes['peak_megabytes']:,.0f} MB", flush=True)
        return found

    return measure


def ours(setup: Setup, architecture: str, seed: int) -> Measurement:
    said: dict[str, Any] = {"architecture": architecture, "dim": DIM, "min_n": MIN_N, "max_n": MAX_N}
    said |= {"n_buckets": N_BUCKETS, "subsampling_threshold": THRESHOLD, "epochs": setup.epochs, "seed": seed}
    chosen = FastTextHyperparameters.model_validate(said | {"threads": setup.threads})
    corpus = setup.corpus
    trained = train(Work(corpus, setup.folder, setup.threads, ignore, None), chosen)
    epochs = trained.facts["epochs"]
    seconds = corpus.n_tokens * len(epochs) / trained.facts["tokens_per_second"]
    return _of(setup, corpus.n_corpus_tokens, seconds, corpus.vocabulary.words(), trained.arrays["vectors"])


def fasttext(setup: Setup, architecture: str, seed: int) -> Measurement:
    """Its vocabulary and first rows are not timed: what it takes for no epoch is subtracted. It takes no seed."""
    import fasttext as peer  # noqa: PLC0415 (an optional peer)

    del seed

    def run(epochs: int) -> tuple[float, Any]:
        start = time.perf_counter()
        model = peer.train_unsupervised(
            str(setup.text),
            model="cbow" if architecture == "cbow" else "skipgram",
            dim=DIM,
            minn=MIN_N,
            maxn=MAX_N,
            bucket=N_BUCKETS,
            t=THRESHOLD,
            lr=RATE,
            epoch=epochs,
            thread=setup.threads,
            verbose=0,
        )
        return time.perf_counter() - start, model

    before = run(0)[0]
    seconds, model = run(setup.epochs)
    words = model.words
    vectors = np.array([model.get_word_vector(word) for word in words], np.float32)
    return _of(setup, setup.corpus.n_corpus_tokens, seconds - before, words, vectors)


def gensim(setup: Setup, architecture: str, seed: int) -> Measurement:
    """Its fastest mode, `corpus_file`; the building of its vocabulary is not timed."""
    from gensim.models import FastText  # noqa: PLC0415 (an optional peer)

    said: dict[str, Any] = {"vector_size": DIM, "min_n": MIN_N, "max_n": MAX_N, "bucket": N_BUCKETS, "window": 5}
    said |= {"sample": THRESHOLD, "sg": int(architecture != "cbow"), "negative": 5, "min_count": 5, "seed": seed}
    peer = FastText(workers=setup.threads, alpha=RATE, min_alpha=RATE * 1e-4, **said)
    peer.build_vocab(corpus_file=str(setup.text))
    seconds = gensim_seconds(setup, peer)
    words, vectors = list(peer.wv.index_to_key), np.asarray(peer.wv.vectors, np.float32)
    return _of(setup, peer.corpus_total_words, seconds, words, vectors)


def _of(setup: Setup, n_tokens: int, seconds: float, words: list[str], vectors: Any) -> Measurement:
    return Measurement(n_tokens * setup.epochs / seconds / 1e3, setup.quality(words, vectors), {"seconds": seconds})
