"""Nearly the cosines of two panels of words: products of integers of 16 bits, of which a processor does twice as many.

A number of a unit vector becomes a whole number of 1 / `ONE`. Products and sums of these are exact, so that a score is
off by no more than `error` whatever the order; the few that matter are scored once more. Processors multiply pairs of
such integers and add both products in one instruction: the numbers of a vector are taken by twos.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from trainer.kernels.llvm import FLOAT, INT32, INT64, LANES, Value, address_of, interleaved, shuffle, splat
from trainer.kernels.memory import write_float32
from trainer.kernels.neighbors.masks import WIDTH
from trainer.kernels.options import KERNEL_OPTIONS

ONE = 32_767
"""1, as an integer. A sum of products of two vectors stays far below 2**31, since they are no longer than 1."""
ROWS, GROUPS = 4, 2
"""Of a tile, whose sums are in registers: rows, and columns by `LANES`. More sums, or fewer, were slower."""
AT_ONCE = 8
"""Numbers of a vector that are packed together."""
AT_A_TIME = 2 * LANES
"""Numbers of a trailing row that are multiplied together."""

_INTEGERS, _PAIRS = ir.VectorType(INT32, LANES), ir.VectorType(ir.IntType(16), 2 * LANES)


class Panel(NamedTuple):
    """Some words as they are multiplied: their leading numbers, their trailing ones, and how long these are.

    Attributes
    ----------
    leading : int32 (n / `LANES`, n_pairs, `LANES`), packed
    trailing : int16 (n, n_trailing), as integers; n_trailing is a multiple of `AT_A_TIME`, or 0
    lengths : float32 (n,), not less than the length of each row of `trailing` as numbers
    """

    leading: npt.NDArray[np.int32]
    trailing: npt.NDArray[np.int16]
    lengths: npt.NDArray[np.float32]


def n_pairs(dim: int) -> int:
    return -(-dim // 2)


def most_rounded_off(dim: int) -> float:
    """The greatest length of what can be rounded off a vector: half a unit of each number, and float32's rounding."""
    return 0.51 / ONE * math.sqrt(dim)


def rounded_off(vectors: npt.NDArray[np.float32]) -> float:
    """The greatest length of what is rounded off these vectors, float32 (n, dim), of length 1."""
    integers = vectors * np.float32(ONE)
    integers -= np.rint(integers)
    longest = float(np.einsum("ij,ij->i", integers, integers).max(initial=0.0))
    return 1.001 * math.sqrt(longest) / ONE + 2.0**-23  # what float32 may be off in the sum, and in the products


def error(rounding: float) -> float:
    """The most that a score may be off for vectors of length 1, off each of which so much is rounded.

    By the product of each one's rounding with the other vector, and with the other's rounding; and by float32's
    rounding of the score.
    """
    return rounding * (2 + rounding) + 4 * 2.0**-24


@njit(**KERNEL_OPTIONS)
def pack(vectors, packed):
    """Write float32 (n, dim) as integers to `packed`, int32 (at least n / `LANES`, n_pairs, `LANES`).

    Each is two int16, the lower one the first: a pair of numbers of a word. There are as many words as `LANES` beside
    each other. What there is no number for is 0.
    """
    n_words, dim = vectors.shape
    at, to = np.int64(vectors.ctypes.data), np.int64(packed.ctypes.data)
    halves = packed.view(np.int16)
    for group in range(packed.shape[0]):
        first = group * LANES
        whole = dim - dim % AT_ONCE if first + LANES <= n_words else 0
        for start in range(0, whole, AT_ONCE):
            pack_whole(at + 4 * (first * dim + start), dim, to + 4 * LANES * (group * packed.shape[1] + start // 2))
        for lane in range(LANES):
            for place in range(whole, 2 * packed.shape[1]):
                known = first + lane < n_words and place < dim
                number = vectors[first + lane, place] if known else np.float32(0)
                halves[group, place // 2, 2 * lane + place % 2] = np.int16(np.rint(number * np.float32(ONE)))


@intrinsic
def pack_whole(typing, vectors, dim, packed):
    """Pack `AT_ONCE` numbers of `LANES` words, as `pack` does, from and to these addresses."""

    def emit(context: Any, builder: Any, signature: Any, values: Sequence[Value]) -> Value:
        vectors, dim, packed = values
        floats, integers = (ir.VectorType(kind, AT_ONCE) for kind in (FLOAT, INT32))
        rint = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(floats, [floats]), f"llvm.rint.v{AT_ONCE}f32"
        )
        one = ir.Constant(floats, [float(ONE)] * AT_ONCE)
        pairs = []
        for lane in range(LANES):
            place = address_of(builder, vectors, builder.mul(dim, INT64(lane)), FLOAT)
            numbers = builder.load(builder.bitcast(place, floats.as_pointer()), align=4)
            whole = builder.fptosi(builder.call(rint, [builder.fmul(numbers, one)]), integers)
            halves = builder.trunc(whole, ir.VectorType(ir.IntType(16), AT_ONCE))
            pairs.append(builder.bitcast(halves, ir.VectorType(INT32, AT_ONCE // 2)))
        found = interleaved(builder, pairs)
        builder.store(found, builder.inttoptr(packed, found.type.as_pointer()), align=4)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), emit


@njit(**KERNEL_OPTIONS)
def multiply(rows, columns, block, scores):
    """Write the scores of `WIDTH` columns with all rows; what fills up the last columns is not a number.

    Parameters
    ----------
    rows, columns : packed, of the same dimensions
    block : how many rows there are, which column is the first, a multiple of `WIDTH`, and how many columns there are
    scores : address of float32 (rows up to the next multiple of `ROWS`, `WIDTH`), overwritten
    """
    n_rows, first, n_columns = block
    pairs = rows.shape[1]
    rows_at, columns_at = np.int64(rows.ctypes.data), np.int64(columns.ctypes.data)
    for row in range(0, n_rows, ROWS):
        for column in range(0, WIDTH, GROUPS * LANES):
            multiply_tile(
                rows_at + 4 * (row // LANES * LANES * pairs + row % LANES),
                columns_at + 4 * (first + column) * pairs,
                pairs,
                scores + 4 * (row * WIDTH + column),
            )
    for column in range(n_columns - first, WIDTH):
        for row in range(n_rows):
            write_float32(scores, row * WIDTH + column, np.float32(np.nan))


@intrinsic
def multiply_tile(typing, rows, columns, n_pairs, scores):
    """Write the scores of a tile, float32, to address `scores`, its rows `WIDTH` apart."""

    def emit(context: Any, builder: Any, signature: Any, values: Sequence[Value]) -> Value:
        rows, columns, n_pairs, scores = values
        zeros = ir.Constant(_INTEGERS, [0] * LANES)
        sums = [cgutils.alloca_once_value(builder, zeros) for _ in range(ROWS * GROUPS)]
        for slot in sums:
            builder.store(zeros, slot)
        size = builder.mul(n_pairs, INT64(LANES))
        with cgutils.for_range(builder, n_pairs) as loop:
            place = builder.mul(loop.index, INT64(LANES))
            some = [_columns(builder, columns, builder.add(place, builder.mul(size, INT64(g)))) for g in range(GROUPS)]
            for i in range(ROWS):
                row = _row(builder, rows, builder.add(place, INT64(i)))
                for slot, group in zip(sums[i * GROUPS :], some, strict=False):
                    builder.store(builder.add(builder.load(slot), _pair_sums(builder, row, group)), slot)
        floats = ir.VectorType(FLOAT, LANES)
        scale = ir.Constant(floats, [1.0 / ONE**2] * LANES)
        for i, slot in enumerate(sums):
            score = builder.fmul(builder.sitofp(builder.load(slot), floats), scale)
            to = address_of(builder, scores, INT64(i // GROUPS * WIDTH + i % GROUPS * LANES), FLOAT)
            builder.store(score, builder.bitcast(to, floats.as_pointer()), align=4)
        return context.get_dummy_value()

    return types.void(*[types.int64] * 4), emit


@intrinsic
def trailing_product(typing, row, other, n):
    """The product of two rows of `n` int16, a multiple of `AT_A_TIME`, at these addresses, as a score: float32."""

    def emit(context: Any, builder: Any, signature: Any, values: Sequence[Value]) -> Value:
        row, other, n = values
        zeros = ir.Constant(_INTEGERS, [0] * LANES)
        sums = cgutils.alloca_once_value(builder, zeros)
        builder.store(zeros, sums)
        with cgutils.for_range(builder, builder.udiv(n, INT64(AT_A_TIME))) as loop:
            place = builder.mul(loop.index, INT64(LANES))
            pairs = _pair_sums(builder, _columns(builder, row, place), _columns(builder, other, place))
            builder.store(builder.add(builder.load(sums), pairs), sums)
        add = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(INT32, [_INTEGERS]), f"llvm.vector.reduce.add.v{LANES}i32"
        )
        total = builder.sitofp(builder.call(add, [builder.load(sums)]), FLOAT)
        return builder.fmul(total, ir.Constant(FLOAT, 1.0 / ONE**2))

    return types.float32(types.int64, types.int64, types.int64), emit


def _columns(builder: Any, base: Value, index: Value) -> Value:
    """A pair of numbers of `LANES` words."""
    return builder.load(builder.bitcast(address_of(builder, base, index, INT32), _PAIRS.as_pointer()), align=4)


def _row(builder: Any, base: Value, index: Value) -> Value:
    """A pair of numbers of one word, `LANES` times."""
    return builder.bitcast(splat(builder, builder.load(address_of(builder, base, index, INT32)), LANES), _PAIRS)


def _pair_sums(builder: Any, a: Value, b: Value) -> Value:
    """For each pair the sum of both products. LLVM has one instruction for this where the processor has it."""
    wide = ir.VectorType(INT32, 2 * LANES)
    products = builder.mul(builder.sext(a, wide), builder.sext(b, wide))
    even, odd = (shuffle(builder, products, products, list(range(i, 2 * LANES, 2))) for i in (0, 1))
    return builder.add(even, odd)
