"""Vectors of words that are made of parts: the mean of a word's own row and the rows of its n-grams (fastText)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from trainer.kernels.options import KERNEL_OPTIONS
from trainer.kernels.simd import prefetch_row

UInt8s = npt.NDArray[np.uint8]
Int64s = npt.NDArray[np.int64]
AHEAD, ROW_NUMBERS = 8, 128
"""So many n-grams ahead, the beginning of a row is asked for: rows lie far apart."""
# With rows of 100 numbers it takes two thirds of the time.
JAMO, SYLLABLE_BYTES = 3, 9
CONSONANTS, VOWELS, FILLER = (0x3131, 0x314E), (0x314F, 0x3163), 0xE000
"""Of `app.core.text.ngrams`; the first and the last."""
_BASIS, _PRIME = np.uint32(2166136261), np.uint32(16777619)


@njit(**KERNEL_OPTIONS)
def compose_words(rows: Any, first_id: int, n_words: int, offsets: Any, buckets: Any, out: Any) -> None:
    """Write the vector of each word: the mean of its row and of the rows of its n-grams, summed in float64.

    Parameters
    ----------
    rows : uint8 (n_words + n_buckets, 4 * dim), the bytes of float32 numbers, which may lie at any address
    first_id : the row of the first word; those that follow have the next
    n_words : rows of words, before those of n-grams
    offsets, buckets : of the words' n-grams, as `bucket_ngrams` lists them
    out : float32 (n, dim), written
    """
    dim = out.shape[1]
    one_row = np.empty(4 * dim, np.uint8)
    numbers = one_row.view(np.float32)
    total = np.empty(dim, np.float64)
    for word in range(len(out)):
        one_row[:] = rows[first_id + word]
        total[:] = numbers
        for place in range(offsets[word], offsets[word + 1]):
            one_row[:] = rows[n_words + np.int64(buckets[place])]
            total += numbers
        out[word] = total / (1 + offsets[word + 1] - offsets[word])


def joined(spelled: Sequence[bytes]) -> tuple[UInt8s, Int64s, Int64s]:
    """Words one after the other, and where each begins and ends."""
    ends = np.cumsum([len(word) for word in spelled], dtype=np.int64)
    starts = ends - np.array([len(word) for word in spelled], np.int64)
    return np.frombuffer(b"".join(spelled) or b"\0", np.uint8), starts, ends


def listed_ngrams(
    spelled: UInt8s, starts: Int64s, ends: Int64s, n_buckets: int, sizes: tuple[int, int, int]
) -> tuple[Int64s, npt.NDArray[np.int32]]:
    """What `bucket_ngrams` writes, of its own length: offsets and buckets."""
    offsets = np.empty(len(starts) + 1, np.int64)
    bucket_ngrams(spelled, starts, ends, n_buckets, sizes, offsets, np.empty(0, np.int32))
    buckets = np.empty(offsets[-1], np.int32)
    bucket_ngrams(spelled, starts, ends, n_buckets, sizes, offsets, buckets)
    return offsets, buckets


@njit(**KERNEL_OPTIONS)
def bucket_ngrams(
    spelled: Any, starts: Any, ends: Any, n_buckets: int, sizes: tuple[int, int, int], offsets: Any, buckets: Any
) -> None:
    """List the buckets of the n-grams of each word.

    As fastText (Bojanowski et al. 2017) has them: n-grams are of characters of UTF-8, of the word between ``<`` and
    ``>``; single marks ``<`` and ``>`` are none; each stands in the row of its hash, FNV-1a of 32 bits over bytes that
    are taken as signed. N-grams of whole syllables are listed where words are spelled in jamo (`app.core.text.ngrams`).

    Parameters
    ----------
    spelled : uint8, words as ``<word>``, one after the other
    starts, ends : int64 (n,), where each is; one that is empty has no n-grams
    n_buckets : above 0
    sizes : the least and the most characters of an n-gram, and the most syllables
    offsets : int64 (n + 1,), written: those of word i stand from offsets[i] to offsets[i + 1]
    buckets : int32, written as far as it goes; its length is known when it was called with an empty one
    """
    place = 0
    offsets[0] = 0
    for word in range(len(starts)):
        start, end = starts[word], ends[word]
        for i in range(start, end):
            if _continues(spelled[i]):
                continue
            code, j, n = _BASIS, i, 0
            while j < end and n < sizes[1]:
                code = _hashed(code, spelled[j])
                j += 1
                while j < end and _continues(spelled[j]):
                    code = _hashed(code, spelled[j])
                    j += 1
                n += 1
                if n >= sizes[0] and not (n == 1 and (i == start or j == end)):
                    if place < len(buckets):
                        buckets[place] = np.int64(code) % n_buckets
                    place += 1
            code, j, n = _BASIS, i, 0
            while n < JAMO * sizes[2] and j + SYLLABLE_BYTES <= end and _is_syllable(spelled, j):
                for k in range(j, j + SYLLABLE_BYTES):
                    code = _hashed(code, spelled[k])
                j += SYLLABLE_BYTES
                n += JAMO
                if n < sizes[0] or n > sizes[1]:
                    if place < len(buckets):
                        buckets[place] = np.int64(code) % n_buckets
                    place += 1
        offsets[word + 1] = place


@njit(**KERNEL_OPTIONS)
def mean_rows(offsets: Any, columns: Any, rows: Any, out: Any) -> None:
    """A x for the matrix A that takes the mean of each word's rows: out[i] = mean of rows[columns of i].

    Parameters
    ----------
    offsets : int64 (n + 1,)
    columns : int32, the rows of word i from offsets[i] to offsets[i + 1], at least one
    rows : float32 (n_rows, dim)
    out : float32 (n, dim), written
    """
    for word in range(len(out)):
        first, last = offsets[word], offsets[word + 1]
        share = np.float32(1) / np.float32(last - first)
        out[word] = 0
        for place in range(first, last):
            _ask_for(rows, columns, place + AHEAD)
            row = columns[place]
            for d in range(out.shape[1]):
                out[word, d] += rows[row, d]
        for d in range(out.shape[1]):
            out[word, d] *= share


@njit(**KERNEL_OPTIONS)
def spread_rows(offsets: Any, columns: Any, vectors: Any, out: Any) -> None:
    """Its transpose, A^T y: each row of a word gets its share of the word's vector, summed in the order of the words.

    Parameters
    ----------
    offsets, columns : as of `mean_rows`
    vectors : float32 (n, dim)
    out : float32 (n_rows, dim), written
    """
    out[:] = 0
    for word in range(len(vectors)):
        first, last = offsets[word], offsets[word + 1]
        share = np.float32(1) / np.float32(last - first)
        for place in range(first, last):
            _ask_for(out, columns, place + AHEAD)
            row = columns[place]
            for d in range(out.shape[1]):
                out[row, d] += share * vectors[word, d]


@njit(**KERNEL_OPTIONS)
def _ask_for(rows, columns, place):
    """Have the row of a place, if there is one, brought into the cache."""
    if place < len(columns):
        prefetch_row(rows.ctypes.data + rows.strides[0] * np.int64(columns[place]), ROW_NUMBERS)


@njit(**KERNEL_OPTIONS)
def _is_syllable(spelled: Any, place: int) -> bool:
    """Whether an initial, a vowel, and a final or the filler stand there, each of three bytes."""
    initial, vowel, final = _letter(spelled, place), _letter(spelled, place + 3), _letter(spelled, place + 6)
    is_final = CONSONANTS[0] <= final <= CONSONANTS[1] or final == FILLER
    return CONSONANTS[0] <= initial <= CONSONANTS[1] and VOWELS[0] <= vowel <= VOWELS[1] and is_final


@njit(**KERNEL_OPTIONS)
def _letter(spelled: Any, place: int) -> int:
    """The code point of three bytes; what is not of three bytes becomes one that no letter has."""
    if spelled[place] >> 4 != 0xE:
        return 0
    return ((spelled[place] & 0xF) << 12) | ((spelled[place + 1] & 0x3F) << 6) | (spelled[place + 2] & 0x3F)


@njit(**KERNEL_OPTIONS)
def _continues(byte: Any) -> bool:
    """Whether the byte goes on a character of UTF-8."""
    return (byte & 0xC0) == 0x80


@njit(**KERNEL_OPTIONS)
def _hashed(code: Any, byte: Any) -> Any:
    """The hash with one more byte, whose sign goes into the upper bits."""
    return np.uint32((code ^ np.uint32(np.int32(np.int8(byte)))) * _PRIME)
