"""Text and binary files of vectors -> float32, at the speed of memory."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from trainer.kernels.options import KERNEL_OPTIONS

READ, TOO_FEW, TOO_MANY, NO_NUMBER, NOT_FINITE, TO_BE_READ_SLOWLY = range(6)
"""What became of a row. The last has a number so near the middle of two float32 that more digits must decide."""

NOT_FINITE_BITS = 0x7F800000
_MOST_DIGITS = 19
"""Decimal digits that a 64-bit number holds; later ones are below its precision."""
_LOWEST, _HIGHEST = -340, 309
_POWERS = np.array([float(f"1e{exponent}") for exponent in range(_LOWEST, _HIGHEST)])
_SLACK = 2.0**-50
"""More than the error of a product of two rounded doubles, relative."""
_ZERO, _NINE, _POINT, _PLUS, _MINUS = 48, 57, 46, 43, 45
_SPACE, _TAB, _RETURN = 32, 9, 13


@njit(**KERNEL_OPTIONS)
def _number(block: Any, start: int, end: int) -> tuple[float, int]:
    """The number that bytes write, rounded to float32 as by way of the nearest double, and READ or what is wrong."""
    i = start
    is_negative = block[i] == _MINUS
    if is_negative or block[i] == _PLUS:
        i += 1
    digits, n_digits, exponent, n_seen = np.uint64(0), 0, 0, 0
    after_point = False
    while i < end:
        byte = block[i]
        if _ZERO <= byte <= _NINE:
            n_seen += 1
            if n_digits < _MOST_DIGITS:
                digits = digits * np.uint64(10) + np.uint64(byte - _ZERO)
                n_digits += digits != 0
                exponent -= after_point
            else:
                exponent += not after_point
        elif byte == _POINT and not after_point:
            after_point = True
        else:
            break
        i += 1
    if n_seen == 0:
        return 0.0, _named(block, i, end)
    if i < end:
        if block[i] != 69 and block[i] != 101:  # E, e
            return 0.0, NO_NUMBER
        i += 1
        is_small = i < end and block[i] == _MINUS
        if i < end and (is_small or block[i] == _PLUS):
            i += 1
        if i == end:
            return 0.0, NO_NUMBER
        power = 0
        while i < end:
            if not _ZERO <= block[i] <= _NINE:
                return 0.0, NO_NUMBER
            power = min(power * 10 + block[i] - _ZERO, 100_000)
            i += 1
        exponent += -power if is_small else power
    return _rounded(digits, exponent, is_negative)


@njit(**KERNEL_OPTIONS)
def _rounded(digits: Any, exponent: int, is_negative: bool) -> tuple[float, int]:
    """digits * 10**exponent; told to be read slowly where rounding to float32 hangs on the error of this product."""
    if digits == 0 or exponent < _LOWEST:
        return -0.0 if is_negative else 0.0, READ
    if exponent >= _HIGHEST:
        return 0.0, NOT_FINITE
    near = np.float64(digits) * _POWERS[exponent - _LOWEST]
    low, high = np.float32(near * (1 - _SLACK)), np.float32(near * (1 + _SLACK))
    if not np.isfinite(high):
        return 0.0, NOT_FINITE if not np.isfinite(low) else TO_BE_READ_SLOWLY
    return np.float64(-low if is_negative else low), READ if low == high else TO_BE_READ_SLOWLY


@njit(**KERNEL_OPTIONS)
def _named(block: Any, start: int, end: int) -> int:
    """Whether letters that are no digits say nan or inf, or nothing that is a number."""
    if end - start < 3:
        return NO_NUMBER
    first, second, third = block[start] | 32, block[start + 1] | 32, block[start + 2] | 32
    is_nan = first == 110 and second == 97 and third == 110
    is_infinite = first == 105 and second == 110 and third == 102
    return NOT_FINITE if is_nan or is_infinite else NO_NUMBER


@njit(**KERNEL_OPTIONS)
def parse_rows(
    block: Any, line_starts: Any, line_ends: Any, vectors: Any, word_ends: Any, states: Any, places: Any
) -> None:
    """Read lines that are a word, and as many numbers as a row has, with a space or tab between any two.

    The numbers are the last fields of a line; the word is what comes before them, and may have spaces inside.

    Parameters
    ----------
    block : uint8 (n,), read
    line_starts, line_ends : int64 (n_rows,), where each line lies in the block, without its line end, read
    vectors : float32 (n_rows, dim), written
    word_ends : int64 (n_rows,), where each word ends, written
    states : int8 (n_rows,), one of the values above, written
    places : int64 (n_rows,), where the field begins that a state other than READ is about, written
    """
    dim = vectors.shape[1]
    for row in range(len(line_starts)):
        start, end = line_starts[row], line_ends[row]
        while end > start and (block[end - 1] == _SPACE or block[end - 1] == _TAB or block[end - 1] == _RETURN):
            end -= 1
        states[row], places[row], word_ends[row] = READ, start, start
        field_end = end
        for column in range(dim - 1, -1, -1):
            field = field_end
            while field > start and block[field - 1] != _SPACE and block[field - 1] != _TAB:
                field -= 1
            if field == start:  # nothing is left for the word
                states[row] = TOO_FEW
                break
            value, state = _number(block, field, field_end) if field < field_end else (0.0, NO_NUMBER)
            vectors[row, column] = value
            if state != READ and states[row] != NO_NUMBER and (states[row] != NOT_FINITE or state == NO_NUMBER):
                states[row], places[row] = state, field
            field_end = field - 1
        word_ends[row] = field_end
        if states[row] == READ and _ends_with_number(block, start, field_end):
            states[row] = TOO_MANY


@njit(**KERNEL_OPTIONS)
def _ends_with_number(block: Any, start: int, end: int) -> bool:
    """Whether the word has several parts, and the last is a number: then the row has one number too many."""
    field = end
    while field > start and block[field - 1] != _SPACE and block[field - 1] != _TAB:
        field -= 1
    return field > start and field < end and _number(block, field, end)[1] != NO_NUMBER


@njit(**KERNEL_OPTIONS)
def cut_records(block: Any, n_bytes: int, rows: Any, starts: Any, spelled: Any) -> tuple[int, int, int]:
    """Cut binary records: a word, a space, and the bytes of a vector; line ends before the word are passed over.

    Parameters
    ----------
    block : uint8 (n,), read
    n_bytes : how many of them count
    rows : uint8 (n_rows, row bytes), the vectors' bytes, written
    starts : int64 (n_rows,), where each word begins in the block, written
    spelled : uint8 (n,), the words with a space behind each, written

    Returns
    -------
    int, int, int
        how many whole records were cut, where the first that is not whole begins, and the bytes of `spelled`
    """
    n_rows, row_bytes = rows.shape
    position, row, n_spelled = 0, 0, 0
    while row < n_rows:
        start = position
        while start < n_bytes and block[start] == 10:
            start += 1
        end = start
        while end < n_bytes and block[end] != _SPACE:
            spelled[n_spelled + end - start] = block[end]
            end += 1
        if end + 1 + row_bytes > n_bytes:
            break
        n_spelled += end - start
        spelled[n_spelled] = _SPACE
        n_spelled += 1
        starts[row] = start
        vector, record = rows[row], block[end + 1 : end + 1 + row_bytes]
        for i in range(row_bytes):
            vector[i] = record[i]
        position = end + 1 + row_bytes
        row += 1
    return row, position, n_spelled


@njit(**KERNEL_OPTIONS)
def largest_bits(bits: Any, largest: Any) -> None:
    """The largest magnitude of each row, which says whether all numbers are finite, and whether all are zero.

    Of float32 without their sign, the order of the bits is that of the numbers; from `NOT_FINITE_BITS` on they are
    infinite or none.

    Parameters
    ----------
    bits : uint32 (n, dim), the bits of float32, read
    largest : uint32 (n,), written
    """
    for row in range(len(bits)):
        most = np.uint32(0)
        for i in range(bits.shape[1]):
            most = max(most, bits[row, i] & np.uint32(0x7FFFFFFF))
        largest[row] = most
