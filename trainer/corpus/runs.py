"""Words in runs, each of which is in the order of a vocabulary, and then all of them in one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from trainer.corpus.types import Types
from trainer.kernels.text import order as kernels
from trainer.steps.arrays import Ids
from trainer.steps.disk import write_all


class Runs:
    """Runs of words; all but a single one lie in files.

    Parameters
    ----------
    folder : an existing folder
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._bounds = [0]
        self._n_bytes = 0
        self._only: Types | None = None

    def __len__(self) -> int:
        """How many words there are."""
        return self._bounds[-1]

    def add(self, run: Types) -> None:
        """Take one more, whose words no other one has."""
        if not len(run):
            return
        if len(self._bounds) == 1:
            self._only = run
        elif self._only is not None:
            self._append(self._only)
            self._only = None
        if self._only is None:
            self._append(run)
        self._bounds.append(len(self) + len(run))

    def in_one_order(self, max_words: int | None) -> tuple[Types, Ids]:
        """The first words of all runs, and for each word its place among them: -1 for the others, and at the end."""
        words = self._only or self._joined()
        order = self._order(words)[:max_words]
        ranks = np.full(len(words) + 1, -1, np.int32)
        ranks[order] = np.arange(len(order))
        return (words if len(order) == len(words) and self._only else subset(words, order)), ranks

    def _append(self, run: Types) -> None:
        offsets = run.offsets[min(self._n_bytes, 1) :] + self._n_bytes  # the first of all offsets is 0
        for name, array in (("arena", run.arena), ("offsets", offsets), ("counts", run.counts)):
            with (self._folder / f"runs.{name}").open("ab", buffering=0) as file:
                write_all(file, array)
        self._n_bytes += int(run.offsets[-1])

    def _joined(self) -> Types:
        """All words, mapped; files that would be empty cannot be."""
        if not len(self):
            return Types(np.zeros(0, np.uint8), np.zeros(1, np.int64), np.zeros(0, np.int64))
        dtypes = {"arena": np.uint8, "offsets": np.int64, "counts": np.int64}
        return Types(*(np.memmap(self._folder / f"runs.{name}", dtype, mode="r") for name, dtype in dtypes.items()))

    def _order(self, words: Types) -> Ids:
        order, bounds = np.arange(len(words), dtype=np.int32), self._bounds
        merged = np.empty_like(order)
        while len(bounds) > 2:
            ends = [*bounds, bounds[-1]]
            for three in zip(ends[::2], ends[1::2], ends[2::2], strict=False):
                kernels.merge(words.arena, words.offsets, words.counts, order, three, merged)
            order, merged = merged, order
            bounds = [*bounds[:-1:2], bounds[-1]]
        return order


def subset(words: Types, picked: npt.NDArray[np.integer[Any]]) -> Types:
    """The picked words, in this order."""
    offsets = np.zeros(len(picked) + 1, np.int64)
    kernels.add_lengths(words.offsets, picked, offsets)
    arena = np.empty(int(offsets[-1]), np.uint8)
    kernels.take(words.arena, words.offsets, picked, offsets, arena)
    return Types(arena, offsets, words.counts[picked])
