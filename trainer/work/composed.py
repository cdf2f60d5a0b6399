"""New words of a training that goes on from a version: where its n-grams compose them, not where chance would."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from app.core.table.arrays import FloatArray
from app.core.table.composing import rows_of
from app.core.table.parts import Ngrams, Parts
from app.core.table.vocabulary import Vocabulary
from app.core.text.ngrams import spelled
from trainer.algorithms.algorithm import Start
from trainer.kernels.vectors.subwords import joined, listed_ngrams, mean_rows
from trainer.steps.arrays import Integers

LEAST_CONFIDENCE = 0.5
"""Share of a word's n-grams that the version has, at least; fewer say little of it."""


def with_new_words(start: Start, vocabulary: Vocabulary) -> Start:
    """The start with the words that its n-grams compose. Nothing holds these, and what is beside them begins with zero.

    That is for algorithms with a row a word; those that train n-grams compose all words by themselves.

    Parameters
    ----------
    start : of a version that has n-grams
    vocabulary : the corpus's
    """
    assert start.parts is not None  # noqa: S101 (for the type checker)
    is_new = np.ones(len(vocabulary), np.bool_)
    is_new[start.ids] = False
    ids, words = np.flatnonzero(is_new), vocabulary.words()
    which, vectors = _composed(start.parts, [words[i] for i in ids.tolist()])
    n = len(which)
    others = start.others and {
        name: np.concatenate([rows, np.zeros((n, *rows.shape[1:]), rows.dtype)]) for name, rows in start.others.items()
    }
    return replace(
        start,
        ids=np.concatenate([start.ids, ids[which]]),
        shares=np.concatenate([start.shares, np.zeros(n, np.float32)]),
        vectors=np.concatenate([start.vectors, vectors]),
        others=others,
        is_frozen=np.concatenate([start.is_frozen, np.zeros(n, np.bool_)]),
    )


def _composed(parts: Parts, words: Sequence[str]) -> tuple[Integers, FloatArray]:
    """Which words can be composed, and their vectors, as `app.core.table.composing.NgramComposer` makes them."""
    ngrams = parts.composition
    assert isinstance(ngrams, Ngrams)  # noqa: S101 (for the type checker)
    marked = [spelled(word, ngrams.unit).encode() for word in words]
    offsets, buckets = listed_ngrams(*joined(marked), ngrams.n_buckets, ngrams.sizes)
    rows, lengths = rows_of(parts, buckets.astype(np.int64)), np.diff(offsets)
    words_of, is_there = np.repeat(np.arange(len(words)), lengths), rows >= 0
    is_trained = is_there if parts.trained is None else is_there & (parts.trained[rows] != 0)
    n_trained = np.bincount(words_of[is_trained], minlength=len(words))
    is_composed = (n_trained > 0) & (n_trained >= LEAST_CONFIDENCE * lengths)
    used = is_there & is_composed[words_of]
    which, distinct = np.flatnonzero(is_composed), np.unique(rows[used])
    ends = np.cumsum(np.bincount(words_of[used], minlength=len(words))[which], dtype=np.int64)
    vectors = np.empty((len(which), parts.vectors.shape[1]), np.float32)
    columns = np.searchsorted(distinct, rows[used]).astype(np.int32)
    mean_rows(np.concatenate([np.zeros(1, np.int64), ends]), columns, parts.vectors[distinct], vectors)
    return which, vectors
