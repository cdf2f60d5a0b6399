"""Words and vectors that steps change, and what the steps read besides."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from app.core.steps import Weights
from app.core.table.arrays import FloatArray
from app.core.table.parts import Parts
from app.core.table.quantised import Encoding
from app.core.table.reading import Table
from app.core.text import TextReader

BLOCK = 1 << 14
"""Rows that are worked on at a time, in float64."""
DoubleArray = npt.NDArray[np.float64]
Facts = dict[str, Any]


@dataclass
class Working:
    """Words by frequency and their vectors.

    Parameters
    ----------
    words : n_words of them
    counts : int64 (n_words,), non-increasing
    vectors : float32 (n_words, dim), of the work alone, changed by steps
    encoding : how the vectors will be stored, None for float32
    parts : what words are composed of that are none of these; steps that are not linear lose it
    counts_known : whether the counts are occurrences in one text, or only keep an order
    """

    words: list[str]
    counts: npt.NDArray[np.int64]
    vectors: FloatArray
    encoding: Encoding | None = None
    parts: Parts | None = None
    counts_known: bool = True

    def frequencies(self, weights: Weights) -> DoubleArray:
        """What each word counts in a mean; float64 (n_words,), with the sum 1."""
        if weights == "uniform":
            return np.full(len(self.words), 1 / len(self.words))
        shares: DoubleArray = self.counts / self.counts.sum()
        return shares

    def blocks(self) -> Iterator[tuple[slice, DoubleArray]]:
        """Some rows at a time, as float64."""
        for start in range(0, len(self.vectors), BLOCK):
            rows = slice(start, start + BLOCK)
            yield rows, self.vectors[rows].astype(np.float64)

    def keep(self, ids: npt.NDArray[np.int64]) -> None:
        """Keep the words of these ids, in rising order."""
        self.parts = self.parts and self.parts.renumbered(ids, self.vectors)
        self.words = [self.words[i] for i in ids.tolist()]
        self.counts, self.vectors = self.counts[ids], self.vectors[ids]

    def move_parts(self, moved: Callable[[DoubleArray], DoubleArray]) -> None:
        """Do with the parts what was done with the words; a mean of parts moves with them where that is linear."""
        if self.parts is None:
            return
        rows = self.parts.vectors
        blocks = [moved(rows[i : i + BLOCK].astype(np.float64)) for i in range(0, max(len(rows), 1), BLOCK)]
        self.parts = replace(self.parts, vectors=np.concatenate(blocks).astype(np.float32))


@dataclass(frozen=True)
class Sources:
    """What steps name: versions by ``model@version`` as it was written, local files by name, and how words are read."""

    tables: Mapping[str, Table]
    files: Mapping[str, Path]
    reader: TextReader


def working_of(table: Table) -> Working:
    """A table's words and vectors as they were before they became unit vectors."""
    vectors = table.unit_vectors[:] * table.norms[:, None]
    words, counts = table.vocabulary.words(), table.vocabulary.counts.copy()
    return Working(words, counts, vectors, parts=table.parts, counts_known=table.manifest.counts_known)


def unit(block: DoubleArray) -> DoubleArray:
    """Rows of length 1; zeros stay."""
    lengths = np.sqrt((block * block).sum(axis=1, keepdims=True))
    return block / np.where(lengths == 0, 1, lengths)
