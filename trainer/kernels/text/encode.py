"""Bytes -> ids at the speed of memory: an exact hash table of byte strings, and what is done with its ids.

A *type* is a distinct run of bytes above 32. All bytes from 0 to 32 separate types, and byte 10 also ends a line; no
byte of a multi-byte UTF-8 character is that small, so text is cut correctly before it is decoded.

A table of types is
  slots    uint64 (2 * n_slots,), n_slots a power of two: key and payload beside each other. Key 0 is a free slot.
           A type of up to 8 bytes is its own key; a longer one has a 56-bit hash with the top byte 1, which no short
           type has, and its bytes are compared. Payload: count in the high half, id in the low half.
  arena    uint8, the bytes of all types in order of id, at least 8 readable bytes after them
  offsets  int64 (capacity + 1,), type i is ``arena[offsets[i]:offsets[i + 1]]``
  cursor   int64 (5,), see the constants below
Eight bytes are looked at together. Little-endian machines only.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

LINE_END = -1  # among ids, of types and of words
POSITION, N_OUT, N_TYPES, LINE_OPEN, N_TOKENS = range(5)
PADDING_BYTES = 8
"""Readable bytes that must follow the text in a block and the types in an arena."""

_U = np.uint64
_ONES = _U(0x0101010101010101)
_HIGH_BITS = _U(0x8080808080808080)
_BOUND = _U(33 * 0x0101010101010101)
_MULTIPLIER = _U(0x9E3779B97F4A7C15)
_LOW_56 = _U(2**56 - 1)
_LONG = _U(2**56)
_LOW_32 = _U(2**32 - 1)
_ONE_OCCURRENCE = _U(2**32)
NEWLINE = np.uint8(10)
_LAST_SEPARATOR = np.uint8(32)


@intrinsic
def _load(typing_context: Any, data: Any, index: Any) -> Any:
    """Eight bytes of a contiguous uint8 array from any position, as one number."""
    signature = types.uint64(data, types.int64)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        word = context.get_value_type(types.uint64)
        pointer = builder.gep(array.data, [arguments[1]])
        return builder.load(builder.bitcast(pointer, word.as_pointer()), align=1)

    return signature, generate


@intrinsic
def _trailing_zeros(typing_context: Any, value: Any) -> Any:
    signature = types.uint64(types.uint64)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], context.get_constant(types.boolean, 0))

    return signature, generate


@njit(inline="always")
def _separators(eight):
    """The high bit of each byte that is 32 or less; exact up to and including the first one."""
    return (eight - _BOUND) & ~eight & _HIGH_BITS


@njit(inline="always")
def _lowest_bytes(eight, n_bytes):
    """The first 1 to 8 of eight bytes, the rest zero."""
    unused = _U(64 - 8 * n_bytes)
    return (eight << unused) >> unused


@njit(inline="always")
def hashed(value):
    value = value * _MULTIPLIER
    return value ^ (value >> _U(32))


@njit(inline="always")
def _slot_of(key, seed):
    return hashed(hashed(key ^ seed))


@njit(nogil=True, cache=True)
def _long_key(data, start, length, seed):
    """The key of a type of more than 8 bytes."""
    value = seed
    i = 0
    while i + 8 <= length:
        value = hashed(value ^ _load(data, start + i))
        i += 8
    if i < length:
        value = hashed(value ^ _lowest_bytes(_load(data, start + i), length - i))
    return (hashed(value) & _LOW_56) | _LONG


@njit(nogil=True, cache=True)
def _equal(left, left_start, right, right_start, length):
    i = 0
    while i + 8 <= length:
        if _load(left, left_start + i) != _load(right, right_start + i):
            return False
        i += 8
    if i == length:
        return True
    difference = _load(left, left_start + i) ^ _load(right, right_start + i)
    return _lowest_bytes(difference, length - i) == 0


@njit(nogil=True, cache=True)
def _type_end(block, position, end):
    """Where the type that goes on at `position` ends."""
    while position < end:
        gap = _separators(_load(block, position))
        if gap:
            return min(position + np.int64(_trailing_zeros(gap) >> _U(3)), end)
        position += 8
    return end


@njit(nogil=True, cache=True)
def cut_point(block, start, limit):
    """``start + limit``, or up to 3 bytes less if that is inside a UTF-8 character."""
    cut = start + limit
    for back in range(4):
        if block[cut - back] & 0xC0 != 0x80:
            return cut - back
    return cut


@njit(nogil=True, cache=True)
def last_separator(block, end):
    """Position of the last byte of ``block[:end]`` that separates types; -1 if there is none."""
    while end > 0:
        end -= 1
        if block[end] <= _LAST_SEPARATOR:
            return end
    return -1


@njit(nogil=True, cache=True)
def scan(block, end, slots, arena, offsets, out, cursor, seed, max_type_bytes, every_line):
    """Count the types of ``block[:end]`` and write their ids, from ``cursor[POSITION]`` on.

    Parameters
    ----------
    block : uint8 (>= end + PADDING_BYTES,); its start and its end are taken for ends of types
    end : bytes of text in it
    slots, arena, offsets : a table of types (see above), changed
    out : int32 (>= end + 1,), receives ids, and LINE_END for a byte 10
    cursor : int64 (5,), changed. The caller sets POSITION, N_OUT and LINE_OPEN
    seed : uint64, of the hash; decides nothing but speed
    max_type_bytes : a longer run of bytes is cut into types of this length, between characters
    every_line : write LINE_END for every byte 10, or only for those with LINE_OPEN set before them (a type sets it)

    Returns
    -------
    bool, whether the end was reached; if not, the table is full and must grow before the next call.
    """
    position, n_out, n_types = cursor[POSITION], cursor[N_OUT], cursor[N_TYPES]
    line_open = cursor[LINE_OPEN]
    mask = _U(slots.size // 2 - 1)
    max_types = min(offsets.size - 1, slots.size // 4)
    max_bytes = arena.size - PADDING_BYTES
    n_lines = np.int64(0)
    done = True
    first_out = n_out
    while position < end:
        eight = _load(block, position)
        gap = _separators(eight)
        if gap & _U(0x80):
            if block[position] == NEWLINE:
                if line_open or every_line:
                    out[n_out] = LINE_END
                    n_out += 1
                    n_lines += 1
                line_open = 0
            position += 1
            continue
        length = np.int64(_trailing_zeros(gap) >> _U(3)) if gap else _type_end(block, position + 8, end) - position
        length = min(length, end - position)
        if length <= 8:
            key = _lowest_bytes(eight, length)
        else:
            if length > max_type_bytes:
                length = cut_point(block, position, max_type_bytes) - position
            key = _long_key(block, position, length, seed)
        slot = _slot_of(key, seed) & mask
        type_id = np.int64(-1)
        while True:
            found = slots[2 * slot]
            if found == key:
                candidate = np.int64(slots[2 * slot + _U(1)] & _LOW_32)
                if length <= 8 or (
                    offsets[candidate + 1] - offsets[candidate] == length
                    and _equal(arena, offsets[candidate], block, position, length)
                ):
                    type_id = candidate
                    slots[2 * slot + _U(1)] += _ONE_OCCURRENCE
                    break
            elif found == _U(0):
                break
            slot = (slot + _U(1)) & mask
        if type_id < 0:
            start = offsets[n_types]
            if n_types >= max_types or start + length > max_bytes:
                done = False
                break
            type_id = n_types
            arena[start : start + length] = block[position : position + length]
            n_types += 1
            offsets[n_types] = start + length
            slots[2 * slot] = key
            slots[2 * slot + _U(1)] = _ONE_OCCURRENCE | _U(type_id)
        out[n_out] = type_id
        n_out += 1
        line_open = 1
        position += length
    cursor[POSITION], cursor[N_OUT], cursor[N_TYPES] = position, n_out, n_types
    cursor[LINE_OPEN] = line_open
    cursor[N_TOKENS] += n_out - first_out - n_lines
    return done


@njit(nogil=True, cache=True)
def move_slots(old, new, seed):
    """Fill the empty, larger `new` slots (changed) with what is in `old`."""
    mask = _U(new.size // 2 - 1)
    for i in range(0, old.size, 2):
        key = old[i]
        if key:
            slot = _slot_of(key, seed) & mask
            while new[2 * slot]:
                slot = (slot + _U(1)) & mask
            new[2 * slot] = key
            new[2 * slot + _U(1)] = old[i + 1]


@njit(nogil=True, cache=True)
def read_counts(slots, counts):
    """Set ``counts`` int64 (n_types,) to the occurrences of each type."""
    for i in range(0, slots.size, 2):
        if slots[i]:
            payload = slots[i + 1]
            counts[np.int64(payload & _LOW_32)] = np.int64(payload >> _U(32))
