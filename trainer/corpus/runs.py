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
from trainer.steps.memory import give_back_freed

_PORTION = 1 << 18
"""Words that are merged before what was read of them leaves memory."""
_NO_WORDS = Types(np.zeros(0, np.uint8), np.zeros(1, np.int64), np.zeros(0, np.int64))


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
        n_kept = len(self) if max_words is None else min(len(self), max_words)
        ranks = np.full(len(self) + 1, -1, np.int32)
        if len(self._bounds) > 2:
            return self._merged(n_kept, ranks), ranks
        ranks[:n_kept] = np.arange(n_kept)
        words = self._only or _NO_WORDS
        return Types(words.arena[: words.offsets[n_kept]], words.offsets[: n_kept + 1], words.counts[:n_kept]), ranks

    def _merged(self, n_kept: int, ranks: Ids) -> Types:
        """The first words; sets their ranks. Of the files so much is in memory as a portion of the words takes."""
        dtypes = {"arena": np.uint8, "offsets": np.int64, "counts": np.int64}
        words = Types(*(np.memmap(self._folder / f"runs.{name}", dtype, mode="r") for name, dtype in dtypes.items()))
        give_back_freed()  # the tables that gave the runs grew in many pieces
        arena, counts = np.empty(self._n_bytes, np.uint8), np.empty(n_kept, np.int64)
        offsets = np.zeros(n_kept + 1, np.int64)
        heads, ends = np.array(self._bounds[:-1]), np.array(self._bounds[1:])
        tree = np.full(len(heads), -1)
        for start in range(0, n_kept, _PORTION):
            end = min(start + _PORTION, n_kept)
            picked = np.empty(end - start, np.int32)
            kernels.merge(words.arena, words.offsets, words.counts, heads, ends, tree, picked)
            ranks[picked] = np.arange(start, end)
            counts[start:end] = words.counts[picked]
            kernels.add_lengths(words.offsets, picked, offsets[start : end + 1])
            kernels.take(words.arena, words.offsets, picked, offsets[start : end + 1], arena)
            words.leave_memory()
        return Types(arena[: offsets[-1]], offsets, counts)

    def _append(self, run: Types) -> None:
        offsets = run.offsets[min(self._n_bytes, 1) :] + self._n_bytes  # the first of all offsets is 0
        for name, array in (("arena", run.arena), ("offsets", offsets), ("counts", run.counts)):
            with (self._folder / f"runs.{name}").open("ab", buffering=0) as file:
                write_all(file, array)
        self._n_bytes += int(run.offsets[-1])


def subset(words: Types, picked: npt.NDArray[np.integer[Any]]) -> Types:
    """The picked words, in this order."""
    offsets = np.zeros(len(picked) + 1, np.int64)
    kernels.add_lengths(words.offsets, picked, offsets)
    arena = np.empty(int(offsets[-1]), np.uint8)
    kernels.take(words.arena, words.offsets, picked, offsets, arena)
    return Types(arena, offsets, words.counts[picked])
