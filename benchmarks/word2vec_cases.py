"""Word2Vec beside gensim and word2vec.c: the same text, parameters and threads; tokens of the corpus per second."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from app.core.hyperparameters import Word2VecHyperparameters
from benchmarks.contest import OURS, Case, Measurement
from benchmarks.setup import Setup
from trainer.algorithms.algorithm import Work
from trainer.algorithms.word2vec.training import train
from trainer.steps.progress import ignore

UNIT = "thousand tokens/s"
SAMPLING = {"objective": "negative-sampling"}
SOFTMAX = {"objective": "hierarchical-softmax"}
MODELS = {
    "skip-gram-ns": {"architecture": "skip-gram", **SAMPLING},
    "cbow-ns": {"architecture": "cbow", **SAMPLING},
    "skip-gram-hs": {"architecture": "skip-gram", **SOFTMAX},
    "cbow-hs": {"architecture": "cbow", **SOFTMAX},
    "cbow-exact-ns": {"architecture": "cbow", "cbow_gradient": "exact", **SAMPLING},
    "cbow-exact-hs": {"architecture": "cbow", "cbow_gradient": "exact", **SOFTMAX},
    "cbow-legacy-ns": {"architecture": "cbow", "cbow_gradient": "legacy", **SAMPLING},
    "cbow-legacy-hs": {"architecture": "cbow", "cbow_gradient": "legacy", **SOFTMAX},
}
"""Our hyperparameters; the legacy gradient is the peers' only one."""


def cases(setup: Setup, names: list[str]) -> Iterator[Case]:
    """The cases of these names, such as ``skip-gram-ns-d100``."""
    for name in names:
        model, _, dim = name.rpartition("-d")
        contestants: dict[str, Callable[[int], Measurement]] = {OURS: ours(setup, model, int(dim))}
        if setup.with_gensim:
            contestants["gensim"] = gensim(setup, model, int(dim))
        if setup.word2vec_c:
            contestants["word2vec.c"] = word2vec_c(setup, model, int(dim))
        yield Case(name, UNIT, True, contestants)


def ours(setup: Setup, model: str, dim: int) -> Callable[..., Measurement]:

    def measure(seed: int, changes: dict[str, Any] | None = None) -> Measurement:
        parameters = Word2VecHyperparameters.model_validate(
            {
                **MODELS[model],
                "dim": dim,
                "epochs": setup.epochs,
                "seed": seed,
                "threads": setup.threads,
                **(changes or {}),
            }
        )
        corpus = setup.corpus
        trained = train(Work(corpus, setup.folder, setup.threads, ignore, None), parameters)
        epochs = trained.facts["epochs"]
        seconds = corpus.n_tokens * len(epochs) / trained.facts["tokens_per_second"]
        n_predictions = sum(epoch["n_predictions"] for epoch in epochs)
        notes = {
            "seconds": seconds,
            "predictions_per_second": n_predictions / seconds,
            "windows_per_second": sum(epoch["n_windows"] for epoch in epochs) / seconds,
            "held_out_loss": epochs[-1]["held_out_loss"],
        }
        found = setup.quality(corpus.vocabulary.words(), trained.arrays["vectors"])
        return Measurement(corpus.n_corpus_tokens * len(epochs) / seconds / 1e3, found, notes)

    return measure


def _kind(model: str) -> tuple[bool, bool]:
    """Whether it is CBOW, and whether it samples."""
    return MODELS[model]["architecture"] == "cbow", MODELS[model]["objective"] == "negative-sampling"


def gensim(setup: Setup, model: str, dim: int) -> Callable[[int], Measurement]:
    """Its fastest mode, `corpus_file`; the building of its vocabulary is not timed here."""

    def measure(seed: int) -> Measurement:
        peer = gensim_model(setup, model, dim, seed)
        peer.build_vocab(corpus_file=str(setup.text))
        seconds = gensim_seconds(setup, peer)
        found = setup.quality(list(peer.wv.index_to_key), np.asarray(peer.wv.vectors, np.float32))
        return Measurement(peer.corpus_total_words * setup.epochs / seconds / 1e3, found)

    return measure


def gensim_seconds(setup: Setup, peer: Any) -> float:
    """What a model of gensim that has its vocabulary takes for all epochs."""
    start = time.perf_counter()
    peer.train(
        corpus_file=str(setup.text),
        total_words=peer.corpus_total_words,
        total_examples=peer.corpus_count,
        epochs=setup.epochs,
    )
    return time.perf_counter() - start


def gensim_model(setup: Setup, model: str, dim: int, seed: int) -> Any:
    """gensim's `Word2Vec` with the parameters that all contestants have, not yet trained."""
    from gensim.models import Word2Vec  # noqa: PLC0415 (an optional peer)

    is_cbow, is_sampling = _kind(model)
    rate = 0.05 if is_cbow else 0.025
    return Word2Vec(
        vector_size=dim,
        window=5,
        sample=1e-3,
        sg=int(not is_cbow),
        hs=int(not is_sampling),
        negative=5 if is_sampling else 0,
        workers=setup.threads,
        min_count=5,
        seed=seed,
        alpha=rate,
        min_alpha=rate * 1e-4,
    )


def word2vec_c(setup: Setup, model: str, dim: int) -> Callable[[int], Measurement]:
    """Timed from its first line of progress to its last, so that vocabulary, tables and saving do not count.

    It has no seed but the thread's number, so that its runs differ by races alone.
    """

    def measure(seed: int) -> Measurement:
        del seed
        with tempfile.TemporaryDirectory() as folder:
            output = Path(folder) / "vectors.bin"
            share_per_second = _progress_speed(word2vec_c_command(setup, model, dim, output))
            words, vectors = read_word2vec(output)
        tokens = setup.corpus.n_corpus_tokens * setup.epochs
        return Measurement(share_per_second * tokens / 1e3, setup.quality(words, vectors))

    return measure


def word2vec_c_command(setup: Setup, model: str, dim: int, output: Path) -> list[str]:
    """word2vec.c with the parameters that all contestants have."""
    is_cbow, is_sampling = _kind(model)
    options = {
        "train": setup.text,
        "output": output,
        "size": dim,
        "window": 5,
        "sample": "1e-3",
        "cbow": int(is_cbow),
        "hs": int(not is_sampling),
        "negative": 5 if is_sampling else 0,
        "threads": setup.threads,
        "binary": 1,
        "iter": setup.epochs,
        "min-count": 5,
    }
    return [str(setup.word2vec_c), *(part for name, value in options.items() for part in (f"-{name}", str(value)))]


def _progress_speed(command: list[str]) -> float:
    """Run word2vec.c; its share of the whole training per second, from the progress it prints."""
    marks: list[tuple[float, float]] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        tail = b""
        while piece := os.read(process.stdout.fileno(), 4096):
            tail = (tail + piece)[-200:]
            found = re.findall(rb"Progress: ([0-9.]+)%", tail)
            if found:
                marks.append((time.perf_counter(), float(found[-1]) / 100))
    if process.returncode or len(marks) < 2:
        raise RuntimeError(f"{command[0]} failed with {process.returncode}")
    (start, first), (end, last) = marks[0], marks[-1]
    return (last - first) / (end - start)


def read_word2vec(path: Path) -> tuple[list[str], Any]:
    """Words and vectors of word2vec.c's binary format."""
    blob = path.read_bytes()
    start = blob.index(b"\n") + 1
    n_words, dim = (int(part) for part in blob[:start].split())
    words, vectors = [], np.empty((n_words, dim), np.float32)
    for i in range(n_words):
        end = blob.index(b" ", start)
        words.append(blob[start:end].strip().decode("utf-8", "replace"))
        vectors[i] = np.frombuffer(blob, np.float32, dim, end + 1)
        start = end + 1 + 4 * dim
    return words, vectors
