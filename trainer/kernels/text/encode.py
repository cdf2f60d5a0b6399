"""Bytes -> ids at the speed of memory: an exact hash table of byte strings.

A *type* is a distinct run of bytes above 32. All bytes from 0 to 32 separate types, and byte 10 also ends a line; no
byte of a multi-byte UTF-8 character is that small, so text is cut correctly before it is decoded.

A table of types is
  slots    uint64 (2 * n_slots,), n_slots a power of two: key and payload beside each other. Key 0 is a free slot;
           at least a third is free.
           A type of up to 8 bytes is its own key; a longer one has a 56-bit hash with the top byte 1, which no short
           type has, and its bytes are compared. Payload: count in the high half, id in the low half.
           A type's first slot is the top bits of its hash, so that tables of one seed are in one order, whatever
           their sizes: one is moved, or added to another, from its first slot to its last, and no step is far.
  arena    uint8, the bytes of all types in order of id, at least 8 readable bytes after them
  offsets  int64 (capacity + 1,), type i is ``arena[offsets[i]:offsets[i + 1]]``
  cursor   int64 (5,), see the constants below
"""

from __future__ import annotations

import numpy as np
from numba import njit

from trainer.kernels.options import COMPILED
from trainer.kernels.text.eights import (
    NEWLINE,
    PADDING_BYTES,
    are_equal,
    cut_point,
    load,
    lowest_bytes,
    prefetch,
    run_end,
    separators,
    trailing_zeros,
)

LINE_END = -1  # among ids, of types and of words
POSITION, N_OUT, N_TYPES, LINE_OPEN, N_TOKENS = range(5)

_U = np.uint64
_MULTIPLIER = _U(0x9E3779B97F4A7C15)
_LOW_56 = _U(2**56 - 1)
_LONG = _U(2**56)
_LOW_32 = _U(2**32 - 1)
_ONE_OCCURRENCE = _U(2**32)
_AHEAD = 32
"""Runs that are cut before the first of them is looked up: the places of their types arrive together meanwhile."""
_START, _LENGTH, _KEY, _PLACE = range(4)  # of such a run; its place is the first slot for its key


@njit(inline="always")
def hashed(value):
    value = value * _MULTIPLIER
    return value ^ (value >> _U(32))


@njit(inline="always")
def _slot_of(key, seed, shift):
    return hashed(hashed(key ^ seed)) >> shift


@njit(**COMPILED)
def _shift_of(slots):
    """How far a hash is shifted to be a slot."""
    return _U(65) - trailing_zeros(_U(slots.size))


@njit(**COMPILED)
def _long_key(data, start, length, seed):
    """The key of a type of more than 8 bytes."""
    value = seed
    i = 0
    while i + 8 <= length:
        value = hashed(value ^ load(data, start + i))
        i += 8
    if i < length:
        value = hashed(value ^ lowest_bytes(load(data, start + i), length - i))
    return (hashed(value) & _LOW_56) | _LONG


@njit(**COMPILED)
def _cut(block, position, end, slots, runs, seed, max_type_bytes):
    """Cut the next runs, and line ends (length 0), and ask for their slots; returns how many, and where they end."""
    shift = _shift_of(slots)
    n = 0
    while n < _AHEAD and position < end:
        eight = load(block, position)
        gap = separators(eight)
        if gap & _U(0x80):
            if block[position] == NEWLINE:
                runs[n, _START], runs[n, _LENGTH] = position, 0
                n += 1
            position += 1
            continue
        length = np.int64(trailing_zeros(gap) >> _U(3)) if gap else run_end(block, position + 8, end) - position
        length = min(length, end - position)
        if length <= 8:
            key = lowest_bytes(eight, length)
        else:
            if length > max_type_bytes:
                length = cut_point(block, position, max_type_bytes) - position
            key = _long_key(block, position, length, seed)
        slot = _slot_of(key, seed, shift)
        prefetch(slots, np.int64(_U(2) * slot))
        runs[n, _START], runs[n, _LENGTH], runs[n, _KEY], runs[n, _PLACE] = position, length, key, slot
        position += length
        n += 1
    return n, position


@njit(**COMPILED)
def _ask_for_bytes(slots, arena, offsets, runs, n):
    """Ask for the bytes of the long types that the first `n` runs are most likely of."""
    for i in range(n):
        slot = _U(2) * runs[i, _PLACE]
        if slots[slot] == runs[i, _KEY]:
            prefetch(offsets, np.int64(slots[slot + _U(1)] & _LOW_32))
    for i in range(n):
        slot = _U(2) * runs[i, _PLACE]
        if slots[slot] == runs[i, _KEY]:
            prefetch(arena, offsets[np.int64(slots[slot + _U(1)] & _LOW_32)])


@njit(**COMPILED)
def _look_up(slots, arena, offsets, block, start, length, key, slot):
    """The slot of a type, or the free one where it is to be, and its id, -1 if it is not there."""
    mask = _U(slots.size // 2 - 1)
    while slots[_U(2) * slot]:
        if slots[_U(2) * slot] == key:
            type_id = np.int64(slots[_U(2) * slot + _U(1)] & _LOW_32)
            first = offsets[type_id]
            if length <= 8 or (
                offsets[type_id + 1] - first == length and are_equal(arena, first, block, start, length)
            ):
                return slot, type_id
        slot = (slot + _U(1)) & mask
    return slot, np.int64(-1)


@njit(**COMPILED)
def _has_room(slots, arena, offsets, n_types, length):
    max_types = min(offsets.size - 1, slots.size // 3)
    return n_types < max_types and offsets[n_types] + length <= arena.size - PADDING_BYTES


@njit(**COMPILED)
def _append(slots, arena, offsets, type_id, block, start, length, key, slot):
    """Put one more type into a free slot."""
    first = offsets[type_id]
    for k in range(length):
        arena[first + k] = block[start + k]
    offsets[type_id + 1] = first + length
    slots[_U(2) * slot] = key
    slots[_U(2) * slot + _U(1)] = _U(type_id)


@njit(**COMPILED)
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
    runs = np.zeros((_AHEAD, 4), np.uint64)
    position, n_out, n_types = cursor[POSITION], cursor[N_OUT], cursor[N_TYPES]
    n_tokens, line_open = cursor[N_TOKENS], cursor[LINE_OPEN]
    done = True
    while done and position < end:
        n, position = _cut(block, position, end, slots, runs, seed, max_type_bytes)
        _ask_for_bytes(slots, arena, offsets, runs, n)
        for i in range(n):
            start, length, key = np.int64(runs[i, _START]), np.int64(runs[i, _LENGTH]), runs[i, _KEY]
            if length == 0:
                if line_open or every_line:
                    out[n_out] = LINE_END
                    n_out += 1
                line_open = 0
                continue
            slot, type_id = _look_up(slots, arena, offsets, block, start, length, key, runs[i, _PLACE])
            if type_id < 0:
                if not _has_room(slots, arena, offsets, n_types, length):
                    position, done = start, False
                    break
                type_id = n_types
                _append(slots, arena, offsets, type_id, block, start, length, key, slot)
                n_types += 1
            slots[_U(2) * slot + _U(1)] += _ONE_OCCURRENCE
            out[n_out] = type_id
            n_out += 1
            n_tokens += 1
            line_open = 1
    cursor[POSITION], cursor[N_OUT], cursor[N_TYPES] = position, n_out, n_types
    cursor[LINE_OPEN], cursor[N_TOKENS] = line_open, n_tokens
    return done


@njit(**COMPILED)
def move_slots(old, new, seed):
    """Fill the empty, larger `new` slots (changed) with what is in `old`."""
    mask, shift = _U(new.size // 2 - 1), _shift_of(new)
    for i in range(0, old.size, 2):
        key = old[i]
        if key:
            slot = _slot_of(key, seed, shift)
            while new[_U(2) * slot]:
                slot = (slot + _U(1)) & mask
            new[_U(2) * slot] = key
            new[_U(2) * slot + _U(1)] = old[i + 1]


@njit(**COMPILED)
def _take(other_slots, other_arena, other_offsets, i, slots, runs, payloads, seed):
    """Take the next types of a table, from its slot `i` on, as runs of its arena; how many, and where to go on."""
    n = 0
    while n < _AHEAD and i < other_slots.size:
        if other_slots[i]:
            runs[n, _KEY], payloads[n] = other_slots[i], other_slots[i + 1]
            prefetch(other_offsets, np.int64(payloads[n] & _LOW_32))
            n += 1
        i += 2
    shift = _shift_of(slots)
    for k in range(n):
        other_id = np.int64(payloads[k] & _LOW_32)
        start = other_offsets[other_id]
        prefetch(other_arena, start)
        slot = _slot_of(runs[k, _KEY], seed, shift)
        prefetch(slots, np.int64(_U(2) * slot))
        runs[k, _START], runs[k, _LENGTH], runs[k, _PLACE] = start, other_offsets[other_id + 1] - start, slot
    return n, i


@njit(**COMPILED)
def add_table(other_slots, other_arena, other_offsets, slots, arena, offsets, n_types, counts, seed, new_ids):
    """Add the types of another table of the same seed.

    Parameters
    ----------
    other_slots, other_arena, other_offsets : the other one
    slots, arena, offsets : a table with room for all of them, changed; it does not count them
    n_types : types in it
    counts : int64, the occurrences of all its types, zeros after them, changed
    seed : of both
    new_ids : int32 (types of the other,), changed: their ids here

    Returns
    -------
    int, how many types there are now
    """
    runs, payloads = np.zeros((_AHEAD, 4), np.uint64), np.zeros(_AHEAD, np.uint64)
    i = 0
    while i < other_slots.size:
        n, i = _take(other_slots, other_arena, other_offsets, i, slots, runs, payloads, seed)
        _ask_for_bytes(slots, arena, offsets, runs, n)
        for k in range(n):
            start, length, key = np.int64(runs[k, _START]), np.int64(runs[k, _LENGTH]), runs[k, _KEY]
            slot, type_id = _look_up(slots, arena, offsets, other_arena, start, length, key, runs[k, _PLACE])
            if type_id < 0:
                type_id = n_types
                _append(slots, arena, offsets, n_types, other_arena, start, length, key, slot)
                n_types += 1
            counts[type_id] += np.int64(payloads[k] >> _U(32))
            new_ids[np.int64(payloads[k] & _LOW_32)] = type_id
    return n_types


@njit(**COMPILED)
def read_counts(slots, counts):
    """Set ``counts`` int64 (n_types,) to the occurrences of each type."""
    for i in range(0, slots.size, 2):
        if slots[i]:
            payload = slots[i + 1]
            counts[np.int64(payload & _LOW_32)] = np.int64(payload >> _U(32))
