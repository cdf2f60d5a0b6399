"""A small training with default settings, whose result nobody gets: it leaves compiled kernels behind."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import structlog

from app.core.hyperparameters import Word2VecHyperparameters
from app.core.table.vocabulary import Vocabulary
from app.core.text import TextSpec
from trainer.algorithms import ALGORITHMS
from trainer.algorithms.algorithm import Work
from trainer.corpus.encode import EncodedCorpus, encode
from trainer.kernels.cache import once
from trainer.kernels.text.encode import LINE_END
from trainer.publishing.candidates import PANEL
from trainer.publishing.neighbors import nearest_neighbors
from trainer.steps.arrays import Ids
from trainer.steps.progress import ignore
from trainer.work.scratch import scratch_folder

N_WORDS, N_LINES, LINE_TOKENS = PANEL + 100, 100, 20
WORDS = [f"낱말{i}" for i in range(N_WORDS)]
RUNS = "A {0}; “{0}” (once-more). {0}, don't, ÉTÉ/{0}\n"
"""What text has between blanks: words as they are, in quotes, two in one, capital letters beyond ASCII."""

logger = structlog.get_logger()


def rehearse(threads: int, scratch: Path) -> None:
    """Compile what a first job needs, unless that was done on this machine or another process does it.

    The last step of a job comes first: a job that comes meanwhile begins at the other end, and what both have compiled
    when they meet is there for both.

    Parameters
    ----------
    threads : of a job
    scratch : the folder of working files
    """
    with once("rehearsal") as is_ours:
        if not is_ours:
            return
        started = time.monotonic()
        logger.info("kernels are compiled before the first job", action="rehearsal_started")
        with scratch_folder(scratch) as folder:
            train_backwards(threads, folder)
        logger.info("kernels compiled", action="rehearsal_ended", seconds=round(time.monotonic() - started, 1))


def train_backwards(threads: int, folder: Path) -> None:
    """The neighbour table of vectors by chance, a training on ids by chance, and the reading of a text."""
    rng, chosen = np.random.default_rng(0), Word2VecHyperparameters(threads=threads, epochs=1)
    vectors = rng.standard_normal((N_WORDS, chosen.dim), np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    nearest_neighbors(vectors, threads=threads, report=ignore)
    ids: Ids = rng.integers(0, N_WORDS, (N_LINES, LINE_TOKENS), np.int32)
    ALGORITHMS["word2vec"](Work(_corpus(ids), folder, threads, ignore, None), chosen)
    text = folder / "text"
    text.write_text("".join(RUNS.format(word) for word in WORDS), encoding="utf-8")
    encode(text, folder, spec=TextSpec(), min_count=1, threads=threads)


def _corpus(ids: Ids) -> EncodedCorpus:
    """A line of ids a row, renamed by falling count."""
    counts = np.bincount(ids.ravel(), minlength=N_WORDS)
    order = np.argsort(-counts, kind="stable")
    renamed = np.argsort(order).astype(np.int32)[ids]
    with_ends = np.column_stack([renamed, np.full(len(ids), LINE_END, np.int32)]).ravel()
    words = Vocabulary.from_words([WORDS[i] for i in order], counts[order])
    return EncodedCorpus(with_ends, words, ids.size, ids.size, len(ids))
