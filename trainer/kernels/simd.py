"""Products of a few table rows with a few others, written as LLVM vector code.

Plain numba loops cannot hold a block of accumulators in registers, so these building blocks emit their
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
    INT64,
    LANES,
    ROW,
    ROW_BYTES,
    Value,
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


@intrinsic(prefer_literal=True)
def update_rows(typing, contexts, n_contexts, output_rows, copies, gradients, ahead, n_outputs, dim):
    """Add to each context row its gradients' sum of output rows, and to each output row its sum of context copies.

    Context rows are changed two at a time, with their gradients in registers, then output rows two columns at a time.
    One column of all of them at a time, as before, waited for chains of six additions: that took 1.4 times as long.
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

    def emit(builder: Any, values: Sequence[Value]) -> None:
        contexts, n_contexts, listed, copies, gradients, ahead = values[:6]
        output_rows = load_addresses(builder, listed, size)
        _add_outputs(builder, (contexts, n_contexts), output_rows, gradients, vectors)

        def change(columns: list[Value]) -> None:
            for column in columns:
                _ask_for_lines(builder, ahead, size, column)
            _add_contexts(builder, (copies, n_contexts), output_rows, gradients, columns, vectors)

        with cgutils.for_range(builder, INT64(vectors // 2)) as loop:
            first = builder.shl(loop.index, INT64(1))
            change([first, builder.add(first, INT64(1))])
        if vectors % 2:
            change([INT64(vectors - 1)])

    return no_result(emit, types.int64, types.int64, types.int64, types.int64, types.int64, types.int64, n_outputs, dim)


def _add_outputs(
    builder: Any, contexts: tuple[Value, Value], output_rows: list[Value], gradients: Value, vectors: int
) -> None:
    """Add to each of the rows whose addresses and number are `contexts` its gradients' sum of output rows.

    A row that is named twice running is changed twice.
    """
    listed, n_contexts = contexts
    size = len(output_rows)

    def add(first: Value, n_rows: int) -> None:
        rows = [load(builder, listed, builder.add(first, INT64(j)), INT64) for j in range(n_rows)]
        start = builder.mul(first, INT64(size))
        factors = [
            splat(builder, load(builder, gradients, builder.add(start, INT64(i)), FLOAT)) for i in range(n_rows * size)
        ]
        with cgutils.for_range(builder, INT64(vectors)) as loop:
            totals = [load(builder, row, loop.index) for row in rows]
            for k, output_row in enumerate(output_rows):
                output = load(builder, output_row, loop.index)
                totals = [fused(builder, factors[j * size + k], output, total) for j, total in enumerate(totals)]
            for row, total in zip(rows, totals, strict=True):
                store(builder, total, row, loop.index)

    next_row = cgutils.alloca_once(builder, INT64)
    builder.store(INT64(0), next_row)
    with cgutils.for_range(builder, n_contexts) as loop:
        first = builder.load(next_row)
        after = builder.add(first, INT64(1))
        with builder.if_then(builder.icmp_signed(">=", first, n_contexts)):
            loop.do_break()
        second = builder.select(builder.icmp_signed("<", after, n_contexts), after, first)
        pair = [load(builder, listed, row, INT64) for row in (first, second)]
        are_two = builder.icmp_unsigned("!=", *pair)
        with builder.if_else(are_two) as (two, one):
            with two:
                add(first, 2)
            with one:
                add(first, 1)
        builder.store(builder.add(after, builder.zext(are_two, INT64)), next_row)


def _ask_for_lines(builder: Any, ahead: Value, n_rows: int, column: Value) -> None:
    """Ask for some cache lines of the rows whose addresses lie at `ahead`: with all columns, for all lines."""
    columns_per_line = max(64 // ROW_BYTES, 1)
    rows_at_a_time = -(-n_rows // columns_per_line)
    first = builder.mul(builder.urem(column, INT64(columns_per_line)), INT64(rows_at_a_time))
    line = builder.mul(builder.udiv(column, INT64(columns_per_line)), INT64(64))
    for k in range(rows_at_a_time):
        prefetch(builder, builder.add(load(builder, ahead, builder.add(first, INT64(k)), INT64), line))


def _add_contexts(
    builder: Any,
    contexts: tuple[Value, Value],
    output_rows: list[Value],
    gradients: Value,
    columns: list[Value],
    vectors: int,
) -> None:
    """Add to some columns of each output row its gradients' sum of the rows that lie, so many, at `contexts`."""
    copies, n_contexts = contexts
    size = len(output_rows)
    zero = ir.Constant(ROW, [0.0] * LANES)
    sums = [[cgutils.alloca_once_value(builder, zero) for _ in columns] for _ in range(size)]
    for slots in sums:
        for slot in slots:
            builder.store(zero, slot)
    with cgutils.for_range(builder, n_contexts) as loop:
        start = builder.mul(loop.index, INT64(vectors))
        parts = [load(builder, copies, builder.add(start, column)) for column in columns]
        for k, slots in enumerate(sums):
            place = builder.add(builder.mul(loop.index, INT64(size)), INT64(k))
            gradient = splat(builder, load(builder, gradients, place, FLOAT))
            for part, slot in zip(parts, slots, strict=True):
                builder.store(fused(builder, gradient, part, builder.load(slot)), slot)
    for output_row, slots in zip(output_rows, sums, strict=True):
        for column, slot in zip(columns, slots, strict=True):
            store(builder, builder.fadd(load(builder, output_row, column), builder.load(slot)), output_row, column)


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
        for first in range(0, vectors, 14):
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
