"""Plain text, whose words are found byte by byte, without a reader of text (see `TextReader.bytes_of_plain`).

A run of bytes is plain if it is ASCII without apostrophes, and Hangul.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from trainer.kernels.options import COMPILED
from trainer.kernels.text.eights import LAST_SEPARATOR, load

_APOSTROPHE = np.uint8(39)
_U = np.uint64
_HIGH_BITS = _U(0x8080808080808080)
_ONES = _U(0x0101010101010101)


@njit(inline="always")
def _is_hangul(first, second, third):
    """Whether three bytes are a syllable, or a single letter that is not the filler, which is a blank."""
    if first & 0xF0 != 0xE0 or second & 0xC0 != 0x80 or third & 0xC0 != 0x80:
        return False
    point = (np.int64(first & 0x0F) << 12) | (np.int64(second & 0x3F) << 6) | np.int64(third & 0x3F)
    return 0xAC00 <= point <= 0xD7A3 or (0x3131 <= point <= 0x318E and point != 0x3164)


@njit(inline="always")
def _are_within(low, first, last):
    """The high bit of each of eight bytes below 128 that is one of these."""
    return (low + _ONES * _U(0x80 - first)) & ~(low + _ONES * _U(0x7F - last))


@njit(inline="always")
def _all_stay(eight):
    """Whether none of eight bytes is ASCII but for separators, digits and small letters, which stay as they are."""
    low = eight & ~_HIGH_BITS
    stay = _are_within(low, 0, 32) | _are_within(low, 48, 57) | _are_within(low, 97, 122)
    return (eight | stay) & _HIGH_BITS == _HIGH_BITS


@njit(**COMPILED)
def _read_run(text, position, end, becomes):
    """Where the run that begins here ends, whether it is plain, and whether it also stays as it is."""
    plain = same = True
    while position < end and text[position] > LAST_SEPARATOR:
        byte = text[position]
        if byte < 0x80:
            plain &= byte != _APOSTROPHE
            same &= becomes[byte] == byte
            position += 1
        elif position + 3 <= end and _is_hangul(byte, text[position + 1], text[position + 2]):
            position += 3
        else:
            plain = False
            position += 1
    return position, plain, plain and same


@njit(**COMPILED)
def mark_words(arena, offsets, becomes, is_word):
    """Find the types that are plain, and stay as they are.

    Parameters
    ----------
    arena, offsets : of the types, see `trainer.kernels.text.encode`
    becomes : uint8 (256,), what each byte of a plain type becomes
    is_word : bool (n_types,), changed
    """
    for i in range(is_word.size):
        _, _, is_word[i] = _read_run(arena, offsets[i], offsets[i + 1], becomes)


@njit(**COMPILED)
def write_plain(block, end, becomes, max_type_bytes):
    """Write the plain runs of ``block[:end]`` as their words, in place.

    Parameters
    ----------
    block : uint8 (>= end + PADDING_BYTES,), changed
    end : bytes of text in it
    becomes : uint8 (256,), what each byte of a plain run becomes; digits and small letters stay
    max_type_bytes : longer runs, which will be cut, stay as they are
    """
    position = 0
    while position < end:
        if _all_stay(load(block, position)):
            position += 8
            continue
        while position > 0 and block[position - 1] > LAST_SEPARATOR:
            position -= 1
        start = position
        position, plain, same = _read_run(block, start, end, becomes)
        if plain and not same and position - start <= max_type_bytes:
            for k in range(start, position):
                block[k] = becomes[block[k]]
        position += 1
