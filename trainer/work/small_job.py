"""A small training with default settings, whose result nobody gets: it leaves compiled kernels behind."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import structlog
from numba.core import config

from app.core.hyperparameters import Word2VecHyperparameters
from app.core.table.vocabulary import Vocabulary
from app.core.table.writing import normalise
from app.core.text import TextSpec
from trainer.algorithms import ALGORITHMS
from trainer.algorithms.algorithm import Work
from trainer.corpus.encode import EncodedCorpus, encode
from trainer.kernels.text.encode import LINE_END
from trainer.publishing.candidates import PANEL
from trainer.publishing.neighbors import nearest_neighbors
from trainer.steps.progress import ignore
from trainer.work.scratch import locked, scratch_folder

N_WORDS, LINE_TOKENS = PANEL + 100, 20
WORDS = sorted(f"낱말{i}" for i in range(N_WORDS))
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
    folder_of_kernels: str = getattr(config, "CACHE_DIR", "")  # numba sets its options by name
    if not folder_of_kernels:
        return
    with once(Path(folder_of_kernels) / "rehearsal") as is_due:
        if not is_due:
            return
        started = time.monotonic()
        logger.info("kernels are compiled before the first job", action="rehearsal_started")
        with scratch_folder(scratch) as folder:
            train_backwards(threads, folder)
        logger.info("kernels compiled", action="rehearsal_ended", seconds=round(time.monotonic() - started, 1))


@contextmanager
def once(file: Path) -> Iterator[bool]:
    """Whether to do what `file` remembers: True unless it was done, or another process does it.

    It counts as done when the block ends without an error. A process that is killed leaves it to the next.
    """
    file.touch()
    with locked(file) as is_ours:
        is_due = is_ours and not file.stat().st_size
        yield is_due
        if is_due:
            file.write_text("done\n", encoding="ascii")


def train_backwards(threads: int, folder: Path) -> None:
    """The neighbour table of vectors by chance, a training on words in any order, and the reading of a text."""
    rng, chosen = np.random.default_rng(0), Word2VecHyperparameters(threads=threads, epochs=1)
    vectors, _ = normalise(rng.standard_normal((N_WORDS, chosen.dim), np.float32))
    nearest_neighbors(vectors, threads=threads, report=ignore)
    ids = rng.permuted(np.repeat(np.arange(N_WORDS, dtype=np.int32), LINE_TOKENS)).reshape(N_WORDS, LINE_TOKENS)
    with_ends = np.column_stack([ids, np.full(len(ids), LINE_END, np.int32)]).ravel()
    words = Vocabulary.from_words(WORDS, np.full(N_WORDS, LINE_TOKENS))
    corpus = EncodedCorpus(with_ends, words, ids.size, ids.size, len(ids))
    ALGORITHMS["word2vec"](Work(corpus, folder, threads, ignore, None), chosen)
    text = folder / "text"
    text.write_text("".join(RUNS.format(word) for word in WORDS), encoding="utf-8")
    encode(text, folder, spec=TextSpec(), min_count=1, threads=threads)
