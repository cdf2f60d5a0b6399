"""How often n-grams of characters are in texts: those of each word that differs are looked at once, as numbers."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from trainer.kernels.vectors.sparse import count_parts

MAX_N = 4
CHARACTER_BITS = 16
"""Of an n-gram's number: four characters have 64."""
UNSEEN = (1 << CHARACTER_BITS) - 1
"""A character that a training does not have."""
CHARACTERS_AT_A_TIME = 1 << 20
Keys = npt.NDArray[np.uint64]
Integers = npt.NDArray[np.int64]


class Words(NamedTuple):
    """The words of texts.

    Parameters
    ----------
    offsets : int64 (n_texts + 1,), text ``i`` has the words from ``offsets[i]`` to before ``offsets[i + 1]``
    ids : int32 (n,), which word
    key_offsets, keys : the n-grams of each word that differs, see `Characters.ngrams`
    """

    offsets: Integers
    ids: npt.NDArray[np.int32]
    key_offsets: Integers
    keys: Keys


class Counts(NamedTuple):
    """N-grams of texts: text ``i`` has those from ``offsets[i]`` to before ``offsets[i + 1]``.

    Parameters
    ----------
    offsets : int64 (n_texts + 1,)
    columns : int32 (n,), which n-gram
    counts : int32 (n,), how often it is in the text
    """

    offsets: Integers
    columns: npt.NDArray[np.int32]
    counts: npt.NDArray[np.int32]


class Characters:
    """Characters of a training by their numbers, from 1 on in the order of their code points.

    Parameters
    ----------
    texts : of the training; small and capital letters are one
    """

    def __init__(self, texts: Iterable[str]) -> None:
        found = set[str]().union(*(text.lower() for text in texts)) | {" "}
        self._codes = np.array(sorted(map(ord, found))[: UNSEEN - 1], np.uint32)

    def ngrams(self, words: Sequence[str]) -> tuple[Integers, Keys]:
        """The n-grams of each word, as often as they are in it.

        A word has a blank before and after it; no n-gram is a blank alone.

        Returns
        -------
        offsets : int64 (n_words + 1,)
        keys : uint64 (n,), which go in the order of the n-grams as texts
        """
        lengths = np.array([len(word) + 2 for word in words], np.int64)
        text = "".join([f" {word} " for word in words])
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
        ends = np.repeat(np.cumsum(lengths), lengths)
        numbers = np.concatenate([self._numbers(codes), np.zeros(MAX_N, np.uint64)])
        keys = np.zeros((len(codes), MAX_N), np.uint64)
        is_there = np.empty(keys.shape, bool)
        key = np.zeros(len(codes), np.uint64)
        for n in range(MAX_N):
            key |= numbers[n : n + len(codes)] << np.uint64(64 - CHARACTER_BITS * (n + 1))
            keys[:, n] = key
            is_there[:, n] = np.arange(len(codes)) + n < ends
        is_there[:, 0] = codes != ord(" ")
        n_before = np.concatenate([[0], np.cumsum(is_there.sum(axis=1))])
        return n_before[np.concatenate([[0], np.cumsum(lengths)])], keys[is_there]

    def _numbers(self, codes: npt.NDArray[np.uint32]) -> Keys:
        places = np.minimum(np.searchsorted(self._codes, codes), len(self._codes) - 1)
        return np.where(self._codes[places] == codes, places + 1, UNSEEN).astype(np.uint64)


def parts_of(texts: Iterable[str]) -> Iterator[list[str]]:
    """Texts of about `CHARACTERS_AT_A_TIME` together, so that what is made of them stays small."""
    part, room = list[str](), CHARACTERS_AT_A_TIME
    for text in texts:
        part.append(text)
        room -= len(text)
        if room < 0:
            yield part
            part, room = [], CHARACTERS_AT_A_TIME
    if part:
        yield part


def read(texts: Sequence[str], characters: Characters) -> Words:
    """Cut texts into words; small and capital letters are one."""
    ids: dict[str, int] = {}
    words, ends = array("i"), array("q", [0])
    for text in texts:
        words.extend([ids.setdefault(word, len(ids)) for word in text.lower().split()])
        ends.append(len(words))
    return Words(np.array(ends, np.int64), np.array(words, np.int32), *characters.ngrams(list(ids)))


def count(words: Words, numbers: Integers, n_numbers: int) -> Counts:
    """Count the n-grams of texts.

    Parameters
    ----------
    words : of the texts
    numbers : int64, the column of each of `words.keys`, -1 for an n-gram that does not count
    n_numbers : more than any column
    """
    offsets = np.concatenate([[0], np.cumsum(numbers >= 0)])[words.key_offsets]
    parts = numbers[numbers >= 0].astype(np.int32)
    n_most = int(np.diff(offsets)[words.ids].sum())
    columns, counts = np.empty(n_most, np.int32), np.empty(n_most, np.int32)
    found, places = np.zeros(len(words.offsets), np.int64), np.full(n_numbers, -1, np.int64)
    count_parts(words.offsets, words.ids, offsets, parts, places, found, columns, counts)
    return Counts(found, columns[: found[-1]].copy(), counts[: found[-1]].copy())
