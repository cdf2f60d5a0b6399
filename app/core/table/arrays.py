"""The arrays of ``table.safetensors``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.core.table.vocabulary import Vocabulary

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Neighbors:
    """The exact nearest neighbours of the most frequent words.

    Parameters
    ----------
    ids : int32 (n_covered, k), neighbours of word ``i`` in row ``i``, nearest first, ties by id; the word itself is not
        among them
    scores : float32 (n_covered, k), their cosines
    """

    ids: npt.NDArray[np.int32]
    scores: FloatArray


@dataclass(frozen=True, eq=False)
class Contents:
    """The arrays of ``table.safetensors``.

    Parameters
    ----------
    vocabulary : the words
    unit_vectors : float32 (n_words, dim), C-contiguous, each of length 1
    norms : float32 (n_words,), lengths before normalisation
    neighbors : Neighbors
    word_slots : int32, a power of two; see `app.core.table.lookup`
    word_order : int32 (n_words,), ids in the order of the words' bytes
    text_component : float32 (dim,), what text vectors have in common and is taken out of them
    """

    vocabulary: Vocabulary
    unit_vectors: FloatArray
    norms: FloatArray
    neighbors: Neighbors
    word_slots: npt.NDArray[np.int32]
    word_order: npt.NDArray[np.int32]
    text_component: FloatArray
