"""A GloVe step as LLVM vector code, beside the product of the cell that follows.

A cell's product is a long chain of sums that has to end before its step can begin. So the product of the next cell is
taken while this one's step is written, column by column: a row that both have is read where it was just written, and
the result is that of one cell after the other.

The code works on addresses, for float32 and, in tests, float64; rows are a multiple of `LANES` long and had better
start at multiples of 64 bytes. Nothing here checks bounds or keeps memory alive; the caller owns all arrays it passes
addresses of.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from trainer.kernels.llvm import INT32, INT64, LANES, Value, address_of, lane_sums, literal, prefetch, shuffle

LINE_BYTES = 64
FAST = ("reassoc", "contract", "arcp", "afn", "nsz")
"""Sums in any order, 1/sqrt by estimate and a Newton step (float32 precision); NaN and infinity are kept."""
FUSED = ("contract", "nsz")
"""Multiply and add in one, in the order that is written."""


@intrinsic(prefer_literal=True)
def product_of_rows(typing, word, context, zero, dim):
    """The scalar product of the rows at two addresses, summed as `step_rows` does; `zero` has their type."""
    row, vectors = _row_of(zero), literal(dim) // LANES

    def codegen(context: Any, builder: Any, signature: Any, values: Sequence[Value]) -> Value:
        total = ir.Constant(row, [0.0] * LANES)
        for column in range(vectors):
            total = _with_product(builder, row, values[0], values[1], INT64(column), total)
        return _sum(builder, total)

    return zero(types.int64, types.int64, zero, dim), codegen


@intrinsic(prefer_literal=True)
def step_rows(typing, word, context, next_word, next_context, ahead_word, ahead_context, slope, rate, bound, dim):
    """Take a cell's step along its rows, and return the scalar product of the next cell's rows after it.

    ``h = clip(slope * other row)``; ``x -= rate * h / sqrt(G)``; ``G += h * h``, both sides from old values. Meanwhile
    the rows of a later cell are asked for, a cache line or two with each column: all at once would fill the
    processor's list of outstanding misses and hold up the work.

    Parameters
    ----------
    word, context : addresses of (dim,) rows, each with its squared gradients (dim,) behind it; updated
    next_word, next_context : addresses of the next cell's rows, read; may be the same
    ahead_word, ahead_context : addresses of the rows to ask for, with their squared gradients
    slope, rate, bound : of the rows' type; bound limits h
    dim : literal int, a multiple of `LANES`
    """
    size, row = literal(dim), _row_of(slope)
    vectors, row_bytes = size // LANES, size * slope.bitwidth // 8
    lines = -(-2 * row_bytes // LINE_BYTES // vectors)

    def codegen(context: Any, builder: Any, signature: Any, values: Sequence[Value]) -> Value:
        sides, next_rows, ahead = values[0:2], values[2:4], values[4:6]
        slope, rate, bound = (_splat(builder, value, row) for value in values[6:9])
        squares = [builder.add(side, INT64(row_bytes)) for side in sides]
        total = cgutils.alloca_once_value(builder, ir.Constant(row, [0.0] * LANES))
        with cgutils.for_range(builder, INT64(vectors)) as loop:
            column = loop.index
            olds = [_load(builder, side, column, row) for side in sides]
            for side, square, old, other in zip(sides, squares, olds, olds[::-1], strict=True):
                old_square = _load(builder, square, column, row)
                h = _clipped(builder, builder.fmul(slope, other, flags=FAST), bound)
                step = builder.fmul(rate, h, flags=FAST)
                step = builder.fmul(step, _rsqrt(builder, old_square), flags=FAST)
                _store(builder, builder.fsub(old, step, flags=FAST), side, column)
                h_square = builder.fmul(h, h, flags=FAST)
                _store(builder, builder.fadd(old_square, h_square, flags=FAST), square, column)
            added = _with_product(builder, row, next_rows[0], next_rows[1], column, builder.load(total))
            builder.store(added, total)
            for line in range(lines):
                place = builder.mul(builder.add(builder.mul(column, INT64(lines)), INT64(line)), INT64(LINE_BYTES))
                for side in ahead:
                    prefetch(builder, builder.add(side, place))
        return _sum(builder, builder.load(total))

    address = types.int64
    return slope(address, address, address, address, address, address, slope, slope, slope, dim), codegen


def _row_of(kind: Any) -> Any:
    return ir.VectorType(ir.FloatType() if kind == types.float32 else ir.DoubleType(), LANES)


def _load(builder: Any, base: Value, column: Value, row: Any) -> Value:
    return builder.load(address_of(builder, base, column, row), align=4)


def _store(builder: Any, value: Value, base: Value, column: Value) -> None:
    builder.store(value, address_of(builder, base, column, value.type), align=4)


def _splat(builder: Any, scalar: Value, row: Any) -> Value:
    first = builder.insert_element(ir.Constant(row, ir.Undefined), scalar, INT32(0))
    return shuffle(builder, first, ir.Constant(row, ir.Undefined), [0] * LANES)


def _sum(builder: Any, row: Value) -> Value:
    return builder.extract_element(lane_sums(builder, [row]), INT32(0))


def _with_product(builder: Any, row: Any, one: Value, other: Value, column: Value, total: Value) -> Value:
    product = builder.fmul(_load(builder, one, column, row), _load(builder, other, column, row), flags=FUSED)
    return builder.fadd(total, product, flags=FUSED)


def _clipped(builder: Any, value: Value, bound: Value) -> Value:
    """`value` within +-bound; NaN stays NaN."""
    least = builder.fneg(bound)
    value = builder.select(builder.fcmp_ordered(">", least, value), least, value)
    return builder.select(builder.fcmp_ordered("<", bound, value), bound, value)


def _rsqrt(builder: Any, value: Value) -> Value:
    kind = value.type
    name = f"llvm.sqrt.v{LANES}{'f32' if kind.element == ir.FloatType() else 'f64'}"
    function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(kind, [kind]), name)
    root = builder.call(function, [value], fastmath=FAST)
    return builder.fdiv(ir.Constant(kind, [1.0] * LANES), root, flags=FAST)
