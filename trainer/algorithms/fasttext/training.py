"""FastText: Word2Vec whose input rows are means of a word's row and of those of its n-grams."""

from __future__ import annotations

from dataclasses import replace

from app.core.errors import VocabularyTooSmall
from app.core.hyperparameters import FastTextHyperparameters
from trainer.algorithms.algorithm import Trained, Work
from trainer.algorithms.fasttext.input_rows import RowsOfNgrams
from trainer.algorithms.word2vec.training import N_COPIES, N_COPIES_OF_START, training_of
from trainer.kernels.rows import padded
from trainer.steps.memory import check_memory


def train(work: Work, chosen: FastTextHyperparameters) -> Trained:
    """Train vectors for the corpus's vocabulary, and rows of n-grams for words that it lacks.

    The objective, the draws, the losses and the promises are those of `word2vec.training.train`. As there, and unlike
    fastText, the *context's* vector predicts the center; pairs are the same in both directions. Buckets that no word of
    the vocabulary has are not stored. A training that goes on from a version holds rows, those of n-grams by the share
    of their uses that the version has seen; the n-grams of frozen words stay, so that other words learn by the rest.

    Parameters
    ----------
    work : Work; its scratch folder stays empty
    chosen : FastTextHyperparameters

    Returns
    -------
    Trained, with the array "vectors", the rows of n-grams as parts, and the facts of Word2Vec

    Raises
    ------
    VocabularyTooSmall, CorpusTooSmall, MemoryShort, VectorsNotFinite, TrainingDiverged
        As of Word2Vec.
    """
    n_words = len(work.corpus.vocabulary)
    if n_words < 2:
        raise VocabularyTooSmall("Training needs at least two different words.", n_words=n_words)
    rows = RowsOfNgrams(work.corpus.vocabulary, chosen)
    n_tables = (3, N_COPIES_OF_START) if work.start else (2, N_COPIES - 1)  # rows are copied to be published
    n_bytes = (n_tables[0] * rows.n_rows + n_tables[1] * n_words) * padded(chosen.dim) * 4
    check_memory(n_bytes, f"Training {n_words:,} words and {len(rows.keys):,} n-grams x {chosen.dim}")
    training = training_of(work, chosen, rows)
    return replace(training.run(), parts=rows.composition(training.tables.input_vectors))
