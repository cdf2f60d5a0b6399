"""What is exported: the words of a version, all or the most frequent, and their vectors, some rows at a time."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from app.core.errors import WordNotWritable
from app.core.table.arrays import PART_KEYS, PART_VECTORS, FloatArray, Neighbors
from app.core.table.manifest import Manifest
from app.core.table.vocabulary import Vocabulary

BLOCK_NUMBERS = 1 << 16
"""Numbers of a block: some milliseconds of work, between which other threads get their turn."""
BLOCK_WORDS = 1 << 15
"""Words that are read at a time where their vectors are not."""
BLOCK_NEIGHBORS = 1 << 10
"""Words whose neighbours are read at a time."""

WHITE_SPACE = re.compile(r"\s")
ANY_WORD = "jsonl, npz or safetensors"
"""Formats that can hold any word."""
ZERO_BYTE = re.compile(r"\x00")
LINE_ENDS_AND_TABS = re.compile(r"[\t\n\v\f\r\x1c-\x1f\x85\u2028\u2029]")


class Rows(Protocol):
    """A table, in memory or on disk."""

    @property
    def manifest(self) -> Manifest: ...

    def rows(self, name: str, first: int, last: int, /) -> npt.NDArray[Any]: ...

    def unit_rows(self, first: int, last: int, /) -> FloatArray: ...

    def shape(self, name: str, /) -> tuple[int, ...]: ...


class Block(NamedTuple):
    """Some words, their float32 unit vectors (n, dim), lengths (n,), and int64 counts (n,) where they are known."""

    words: list[str]
    unit_vectors: FloatArray
    norms: FloatArray
    counts: npt.NDArray[np.int64] | None

    @property
    def vectors(self) -> FloatArray:
        """The vectors as trained or imported, float32 (n, dim)."""
        vectors: FloatArray = self.unit_vectors * self.norms[:, None]
        return vectors


@dataclass(frozen=True)
class Chosen:
    """What the request says beside the format.

    Parameters
    ----------
    top : so many of the most frequent words; None for all
    replaces_spaces : whether white space that the format cannot hold becomes ``_``
    k : of synonyms, how many a word gets at most
    min_score : of synonyms, the lowest cosine
    """

    top: int | None = None
    replaces_spaces: bool = False
    k: int = 10
    min_score: float = 0.6


class Selection:
    """The first words of a table.

    Parameters
    ----------
    table : what is exported
    chosen : how much of it, and how
    cannot_hold : matches the characters that words must not have in this format
    """

    def __init__(self, table: Rows, chosen: Chosen, cannot_hold: re.Pattern[str] | None = None) -> None:
        self.manifest = table.manifest
        self.chosen = chosen
        self.n_words = min(chosen.top or table.manifest.n_words, table.manifest.n_words)
        self.dim = table.manifest.dim
        self.counts_known = table.manifest.counts_known
        self._table = table
        self._cannot_hold = cannot_hold

    def check(self) -> None:
        """Raise `WordNotWritable` if a word has what the format cannot hold, or two become equal without it."""
        changed: dict[str, str] = {}
        for word in self._unwritable():
            if not self.chosen.replaces_spaces:
                raise WordNotWritable(
                    f"This format cannot hold the white space in the word {word[:100]!r}; "
                    f"say spaces=replace to write _ in its place, or choose {ANY_WORD}.",
                    word=word[:100],
                )
            spelled = self.spelled(word)
            if spelled in changed:
                raise _become_equal(changed[spelled], word)
            changed[spelled] = word
        if changed:
            for word in itertools.chain.from_iterable(self._words(*step) for step in self._steps(BLOCK_WORDS)):
                if word in changed:
                    raise _become_equal(changed[word], word)

    def blocks(self, n_numbers: int = BLOCK_NUMBERS) -> Iterator[Block]:
        """All rows, so many numbers at a time."""
        for first, last in self._steps(max(1, n_numbers // self.dim)):
            norms, counts = (self._table.rows(name, first, last) for name in ("norms", "counts"))
            unit_vectors = self._table.unit_rows(first, last)
            yield Block(self.words(first, last), unit_vectors, norms, counts if self.counts_known else None)

    def words(self, first: int, last: int) -> list[str]:
        """Words as they are written."""
        return [self.spelled(word) for word in self._words(first, last)]

    def spelled(self, word: str) -> str:
        """A word as it is written."""
        return self._cannot_hold.sub("_", word) if self._cannot_hold and self.chosen.replaces_spaces else word

    def blocks_of_words(self) -> Iterator[list[str]]:
        """All words."""
        for first, last in self._steps(BLOCK_WORDS):
            yield self.words(first, last)

    def rows(self, name: str) -> Iterator[npt.NDArray[Any]]:
        """An array of the table that has a row a word."""
        for first, last in self._steps(BLOCK_WORDS):
            yield self._table.rows(name, first, last)

    def vocabulary(self) -> Vocabulary:
        """All words in memory, as UTF-8 with offsets."""
        offsets = self._table.rows("word_offsets", 0, self.n_words + 1)
        content = self._table.rows("word_bytes", 0, int(offsets[-1]))
        return Vocabulary(content, offsets, self._table.rows("counts", 0, self.n_words))

    def parts(self, keys: npt.NDArray[np.int64]) -> FloatArray:
        """Rows of tokens or n-grams by their keys, which rise; zeros for those that are not there."""
        found = np.zeros((len(keys), self.dim), np.float32)
        places = np.minimum(np.searchsorted(self._part_keys, keys), max(len(self._part_keys) - 1, 0))
        is_known = self._part_keys[places] == keys if len(self._part_keys) else np.zeros(len(keys), np.bool_)
        wanted, known = places[is_known], np.flatnonzero(is_known)
        runs = np.flatnonzero(np.diff(wanted, prepend=-2) != 1)
        for first, last in itertools.pairwise([*runs.tolist(), len(wanted)]):
            found[known[first:last]] = self._table.rows(PART_VECTORS, int(wanted[first]), int(wanted[last - 1]) + 1)
        return found

    @cached_property
    def _part_keys(self) -> npt.NDArray[np.int32]:
        return self._table.rows(PART_KEYS, 0, self._table.shape(PART_KEYS)[0])

    def neighbors(self) -> Iterator[Neighbors]:
        """The stored neighbours of the first words, which are all or the most frequent."""
        n_covered = min(self._table.shape("neighbor_ids")[0], self.n_words)
        for first in range(0, n_covered, BLOCK_NEIGHBORS):
            last = min(first + BLOCK_NEIGHBORS, n_covered)
            yield Neighbors(*(self._table.rows(f"neighbor_{name}", first, last) for name in ("ids", "scores")))

    def _unwritable(self) -> Iterator[str]:
        """The words that have what the format cannot hold."""
        for first, last in self._steps(BLOCK_WORDS) if self._cannot_hold else ():
            words = self._words(first, last)
            if self._cannot_hold and self._cannot_hold.search("".join(words)):
                yield from filter(self._cannot_hold.search, words)

    def _words(self, first: int, last: int) -> list[str]:
        offsets = self._table.rows("word_offsets", first, last + 1)
        content = self._table.rows("word_bytes", int(offsets[0]), int(offsets[-1])).tobytes()
        places = (offsets - offsets[0]).tolist()
        return [content[start:end].decode() for start, end in itertools.pairwise(places)]

    def _steps(self, n_rows: int) -> Iterator[tuple[int, int]]:
        for first in range(0, self.n_words, n_rows):
            yield first, min(first + n_rows, self.n_words)


def _become_equal(word: str, other: str) -> WordNotWritable:
    return WordNotWritable(
        f"With _ in the place of white space the words {word[:100]!r} and {other[:100]!r} become equal; "
        f"choose {ANY_WORD}.",
        word=word[:100],
    )
