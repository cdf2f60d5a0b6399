"""Products of a few table rows with a few others, written as LLVM vector code.

Plain numba loops cannot hold a block of accumulators in registers, so these six building blocks emit their
instructions themselves. They work on addresses, not arrays: a row is named by where it starts, whether it lies in a
table or in a thread's scratch. Rows start at multiples of 64 bytes and are `LANES` x n floats long, the tail being
zero. Nothing here checks bounds, takes a lock or keeps memory alive; the caller owns all arrays it passes addresses of.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from trainer.kernels.llvm import (
    FLOAT,
    INT32,
    INT64,
    LANES,
    ROW,
    ROW_BYTES,
    Value,
    address_of,
    fused,
    literal,
    load,
    load_addresses,
    n_vectors,
    no_result,
    prefetch,
    splat,
    store,
    store_sums,
)

EXP2 = (0.6931469776048254, 0.24022242083661985, 0.055507337286302444, 0.009671512722538193, 0.001326473269043494)
"""2**f = 1 + f * (c0 + f * (c1 + ...)) for |f| <= 1/2: least squares with reweighting, relative error below 1e-7."""


@intrinsic(prefer_literal=True)
def score_rows(typing, contexts, n_contexts, output_rows, copies, scores, n_outputs, dim):
    """Write all scalar products of context rows with output rows, and copies of the context rows.

    Parameters
    ----------
    contexts : address of int64 (n_contexts,), the addresses of float32 (dim,) rows, read
    n_contexts : int64
    output_rows : address of int64 (n_outputs,), likewise
    copies : address of float32 (n_contexts, padded dim), 64-byte aligned, overwritten
    scores : address of float32 (n_contexts, n_outputs), overwritten
    n_outputs, dim : literal int, at most 6 output rows, so that two context rows' accumulators fit 16 registers
    """
    size, vectors = literal(n_outputs), n_vectors(literal(dim))

    def products(builder: Any, values: Sequence[Value], first: Value, n_rows: int) -> None:
        contexts, _, listed, copies, scores = values[:5]
        output_rows = load_addresses(builder, listed, size)
        context_rows = [load(builder, contexts, builder.add(first, INT64(j)), INT64) for j in range(n_rows)]
        sums = [cgutils.alloca_once_value(builder, ir.Constant(ROW, [0.0] * LANES)) for _ in range(n_rows * size)]
        for slot in sums:
            builder.store(ir.Constant(ROW, [0.0] * LANES), slot)
        copy = builder.mul(first, INT64(vectors))
        with cgutils.for_range(builder, INT64(vectors)) as loop:
            rows = [load(builder, row, loop.index) for row in context_rows]
            for j, row in enumerate(rows):
                store(builder, row, copies, builder.add(builder.add(copy, INT64(j * vectors)), loop.index))
            for k, output_row in enumerate(output_rows):
                output = load(builder, output_row, loop.index)
                for j, row in enumerate(rows):
                    slot = sums[j * size + k]
                    builder.store(fused(builder, row, output, builder.load(slot)), slot)
        store_sums(builder, [builder.load(slot) for slot in sums], scores, builder.mul(first, INT64(size)))

    def emit(builder: Any, values: Sequence[Value]) -> None:
        n_contexts = values[1]
        pairs = builder.lshr(n_contexts, INT64(1))
        with cgutils.for_range(builder, pairs) as loop:
            products(builder, values, builder.shl(loop.index, INT64(1)), 2)
        is_odd = builder.trunc(n_contexts, ir.IntType(1))
        with builder.if_then(is_odd):
            products(builder, values, builder.sub(n_contexts, INT64(1)), 1)

    return no_result(emit, types.int64, types.int64, types.int64, types.int64, types.int64, n_outputs, dim)


@intrinsic
def logistic_gradients(typing, scores, labels, n_scores, learning_rate):
    """Replace each score ``x`` by ``learning_rate * (label - 1 / (1 + exp(-x)))``.

    The logistic function is computed for every score, to float32's precision; beyond +-30, where it is 0 or 1 to that
    precision, the score is clamped. word2vec.c and gensim look it up in a table up to +-6 and let go there.
    A score of 0 with a label of 0.5 gives exactly 0: such pairs fill up a block.

    Parameters
    ----------
    scores : address of float32, overwritten, up to the next multiple of `LANES`
    labels : address of float32, read, as long
    n_scores : int64
    learning_rate : float32
    """

    def emit(builder: Any, values: Sequence[Value]) -> None:
        scores, labels, n_scores, learning_rate = values
        integers = ir.VectorType(INT32, LANES)

        def constant(value: float) -> Value:
            return ir.Constant(ROW, [value] * LANES)

        def call(name: str, *operands: Value) -> Value:
            kind = ir.FunctionType(ROW, [ROW] * len(operands))
            function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.{name}.v{LANES}f32")
            return builder.call(function, operands)

        rate = splat(builder, learning_rate)
        steps = builder.sdiv(builder.add(n_scores, INT64(LANES - 1)), INT64(LANES))
        with cgutils.for_range(builder, steps) as loop:
            place = builder.bitcast(
                address_of(builder, scores, builder.mul(loop.index, INT64(LANES)), FLOAT), ROW.as_pointer()
            )
            x = builder.load(place, align=4)
            x = call("maxnum", call("minnum", x, constant(30.0)), constant(-30.0))
            power = builder.fmul(x, constant(-1.4426950408889634))
            whole = call("rint", power)
            part = builder.fsub(power, whole)
            polynomial = constant(EXP2[-1])
            for coefficient in EXP2[-2::-1]:
                polynomial = fused(builder, polynomial, part, constant(coefficient))
            polynomial = fused(builder, polynomial, part, constant(1.0))
            exponent = builder.shl(builder.fptosi(whole, integers), ir.Constant(integers, [23] * LANES))
            exponential = builder.bitcast(builder.add(builder.bitcast(polynomial, integers), exponent), ROW)
            probability = builder.fdiv(constant(1.0), builder.fadd(constant(1.0), exponential))
            label_place = address_of(builder, labels, builder.mul(loop.index, INT64(LANES)), FLOAT)
            label = builder.load(builder.bitcast(label_place, ROW.as_pointer()), align=4)
            builder.store(builder.fmul(rate, builder.fsub(label, probability)), place, align=4)

    return no_result(emit, types.int64, types.int64, types.int64, types.float32)


@intrinsic(prefer_literal=True)
def update_rows(typing, contexts, n_contexts, output_rows, copies, gradients, ahead, n_outputs, dim):
    """Add to each context row its gradients' sum of output rows, and to each output row its sum of context copies.

    Meanwhile the rows of a later product are asked for, a few cache lines with each column: all at once would fill the
    processor's list of outstanding misses and hold up the work.

    Both sums are of old rows: of the copies, and of the output rows before the first is written. A row that is named
    twice gets both additions.

    Parameters
    ----------
    contexts, n_contexts, output_rows : as for `score_rows`; the rows are updated
    copies : as `score_rows` wrote them, read
    gradients : address of float32 (n_contexts, n_outputs), read
    ahead : address of int64 (at least n_outputs + 1,), addresses of rows to fetch; they need not be readable
    n_outputs, dim : literal int, as for `score_rows`
    """
    size, vectors = literal(n_outputs), n_vectors(literal(dim))
    columns_per_line = max(64 // ROW_BYTES, 1)
    rows_at_a_time = -(-size // columns_per_line)

    def emit(builder: Any, values: Sequence[Value]) -> None:
        contexts, n_contexts, listed, copies, gradients, ahead = values[:6]
        output_rows = load_addresses(builder, listed, size)
        steps = [cgutils.alloca_once_value(builder, ir.Constant(ROW, [0.0] * LANES)) for _ in range(size)]
        with cgutils.for_range(builder, INT64(vectors)) as outer:
            column = outer.index
            first = builder.mul(builder.urem(column, INT64(columns_per_line)), INT64(rows_at_a_time))
            line = builder.mul(builder.udiv(column, INT64(columns_per_line)), INT64(64))
            for k in range(rows_at_a_time):
                prefetch(builder, builder.add(load(builder, ahead, builder.add(first, INT64(k)), INT64), line))
            rows = [load(builder, row, column) for row in output_rows]
            for step in steps:
                builder.store(ir.Constant(ROW, [0.0] * LANES), step)
            with cgutils.for_range(builder, n_contexts) as inner:
                row = load(builder, contexts, inner.index, INT64)
                copy = load(builder, copies, builder.add(builder.mul(inner.index, INT64(vectors)), column))
                total = load(builder, row, column)
                for k in range(size):
                    place = builder.add(builder.mul(inner.index, INT64(size)), INT64(k))
                    gradient = splat(builder, load(builder, gradients, place, FLOAT))
                    total = fused(builder, gradient, rows[k], total)
                    builder.store(fused(builder, gradient, copy, builder.load(steps[k])), steps[k])
                store(builder, total, row, column)
            for output_row, step in zip(output_rows, steps, strict=True):
                store(builder, builder.fadd(load(builder, output_row, column), builder.load(step)), output_row, column)

    return no_result(emit, types.int64, types.int64, types.int64, types.int64, types.int64, types.int64, n_outputs, dim)


@intrinsic(prefer_literal=True)
def sum_rows(typing, rows, n_rows, scale, total, dim):
    """Write `scale` times the sum of the rows at the int64 addresses `rows` to the row at `total`."""
    vectors = n_vectors(literal(dim))

    def emit(builder: Any, values: Sequence[Value]) -> None:
        rows, n_rows, scale, total = values[:4]
        factor = splat(builder, scale)
        for first in range(0, vectors, 12):
            columns = range(first, min(first + 12, vectors))
            sums = [cgutils.alloca_once_value(builder, ir.Constant(ROW, [0.0] * LANES)) for _ in columns]
            for slot in sums:
                builder.store(ir.Constant(ROW, [0.0] * LANES), slot)
            with cgutils.for_range(builder, n_rows) as loop:
                row = load(builder, rows, loop.index, INT64)
                for column, slot in zip(columns, sums, strict=True):
                    builder.store(builder.fadd(builder.load(slot), load(builder, row, INT64(column))), slot)
            for column, slot in zip(columns, sums, strict=True):
                store(builder, builder.fmul(builder.load(slot), factor), total, INT64(column))

    return no_result(emit, types.int64, types.int64, types.float32, types.int64, dim)


@intrinsic(prefer_literal=True)
def add_to_rows(typing, rows, n_rows, scale, step, dim):
    """Add `scale` times the row at `step` to each of the rows at the int64 addresses `rows`; clear `step`."""
    vectors = n_vectors(literal(dim))

    def emit(builder: Any, values: Sequence[Value]) -> None:
        rows, n_rows, scale, step = values[:4]
        factor = splat(builder, scale)
        for first in range(0, vectors, 12):
            columns = range(first, min(first + 14, vectors))
            steps = [builder.fmul(factor, load(builder, step, INT64(column))) for column in columns]
            with cgutils.for_range(builder, n_rows) as loop:
                row = load(builder, rows, loop.index, INT64)
                for column, value in zip(columns, steps, strict=True):
                    store(builder, builder.fadd(value, load(builder, row, INT64(column))), row, INT64(column))
            for column in columns:
                store(builder, ir.Constant(ROW, [0.0] * LANES), step, INT64(column))

    return no_result(emit, types.int64, types.int64, types.float32, types.int64, dim)


@intrinsic(prefer_literal=True)
def prefetch_row(typing, row, dim):
    """Ask for the cache lines of the row at address `row`."""
    lines = -(-literal(dim) * 4 // 64)

    def emit(builder: Any, values: Sequence[Value]) -> None:
        for line in range(lines):
            prefetch(builder, builder.add(values[0], INT64(64 * line)))

    return no_result(emit, types.int64, dim)
