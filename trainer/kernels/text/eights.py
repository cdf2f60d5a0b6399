"""Eight bytes of text at a time, as one number. Little-endian machines only."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

from trainer.kernels import llvm
from trainer.kernels.options import COMPILED

PADDING_BYTES = 8
"""Readable bytes that must follow the text in a block and the types in an arena."""
NEWLINE = np.uint8(10)
LAST_SEPARATOR = np.uint8(32)

_U = np.uint64
_ONES = _U(0x0101010101010101)
_HIGH_BITS = _U(0x8080808080808080)
_BOUND = _U(33 * 0x0101010101010101)


@intrinsic
def load(typing_context: Any, data: Any, index: Any) -> Any:
    """Eight bytes of a contiguous uint8 array from any position."""
    signature = types.uint64(data, types.int64)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        word = context.get_value_type(types.uint64)
        pointer = builder.gep(array.data, [arguments[1]])
        return builder.load(builder.bitcast(pointer, word.as_pointer()), align=1)

    return signature, generate


@intrinsic
def prefetch(typing_context: Any, data: Any, index: Any) -> Any:
    """Ask for the cache line that holds this item of a contiguous array."""
    signature = types.void(data, types.int64)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        llvm.prefetch(builder, builder.ptrtoint(builder.gep(array.data, [arguments[1]]), llvm.INT64))
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def trailing_zeros(typing_context: Any, value: Any) -> Any:
    signature = types.uint64(types.uint64)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], context.get_constant(types.boolean, 0))

    return signature, generate


@njit(inline="always")
def separators(eight):
    """The high bit of each byte that is 32 or less; exact up to and including the first one."""
    return (eight - _BOUND) & ~eight & _HIGH_BITS


@njit(inline="always")
def lowest_bytes(eight, n_bytes):
    """The first 1 to 8 of eight bytes, the rest zero."""
    unused = _U(64 - 8 * n_bytes)
    return (eight << unused) >> unused


@njit(**COMPILED)
def are_equal(left, left_start, right, right_start, length):
    i = 0
    while i + 8 <= length:
        if load(left, left_start + i) != load(right, right_start + i):
            return False
        i += 8
    if i == length:
        return True
    difference = load(left, left_start + i) ^ load(right, right_start + i)
    return lowest_bytes(difference, length - i) == 0


@njit(**COMPILED)
def run_end(block, position, end):
    """Where the run without separators that goes on at `position` ends."""
    while position < end:
        gap = separators(load(block, position))
        if gap:
            return min(position + np.int64(trailing_zeros(gap) >> _U(3)), end)
        position += 8
    return end


@njit(**COMPILED)
def cut_point(block, start, limit):
    """``start + limit``, or up to 3 bytes less if that is inside a UTF-8 character."""
    cut = start + limit
    for back in range(4):
        if block[cut - back] & 0xC0 != 0x80:
            return cut - back
    return cut


@njit(**COMPILED)
def last_separator(block, end):
    """Position of the last byte of ``block[:end]`` that separates types; -1 if there is none."""
    while end > 0:
        end -= 1
        if block[end] <= LAST_SEPARATOR:
            return end
    return -1
