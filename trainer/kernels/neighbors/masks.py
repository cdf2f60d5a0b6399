"""Which of 64 scores reach a bar: one bit each, so that the many that do not are passed over together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from trainer.kernels.llvm import FLOAT, INT64, Value, address_of, fused, shuffle, splat

WIDTH = 64
"""Scores of a mask; as many as an integer has bits."""
_SCORES = ir.VectorType(FLOAT, WIDTH)


def _scores(builder: Any, base: Value, index: Value) -> Value:
    return builder.load(builder.bitcast(address_of(builder, base, index, FLOAT), _SCORES.as_pointer()), align=4)


def _mask(builder: Any, scores: Value, bars: Value) -> Value:
    """Not a number reaches nothing."""
    return builder.bitcast(builder.fcmp_ordered(">=", scores, bars), INT64)


@intrinsic
def reaching(typing, scores, start, bar):
    """Which of the `WIDTH` float32 from number `start` of address `scores` on are at least `bar`."""

    def emit(context: Any, builder: Any, signature: Any, values: Sequence[Value]) -> Value:
        base, index, bar = values
        return _mask(builder, _scores(builder, base, index), splat(builder, bar, WIDTH))

    return types.int64(types.int64, types.int64, types.float32), emit


@intrinsic
def reaching_each(typing, scores, start, bars, first):
    """Which of the `WIDTH` float32 from number `start` of address `scores` on reach those from `first` of `bars` on."""

    def emit(context: Any, builder: Any, signature: Any, values: Sequence[Value]) -> Value:
        base, index, bars, first = values
        return _mask(builder, _scores(builder, base, index), _scores(builder, bars, first))

    return types.int64(types.int64, types.int64, types.int64, types.int64), emit


@intrinsic
def may_reach(typing, scores, start, bar, length, lengths):
    """As `reaching`, of scores to which `length` times each of `WIDTH` float32 at address `lengths` may be added."""

    def emit(context: Any, builder: Any, signature: Any, values: Sequence[Value]) -> Value:
        base, index, bar, length, lengths = values
        return _mask(builder, _most(builder, base, index, length, lengths), splat(builder, bar, WIDTH))

    return types.int64(types.int64, types.int64, types.float32, types.float32, types.int64), emit


@intrinsic
def may_reach_each(typing, scores, start, bars, first, length, lengths):
    """As `reaching_each`, of such scores."""

    def emit(context: Any, builder: Any, signature: Any, values: Sequence[Value]) -> Value:
        base, index, bars, first, length, lengths = values
        return _mask(builder, _most(builder, base, index, length, lengths), _scores(builder, bars, first))

    return types.int64(types.int64, types.int64, types.int64, types.int64, types.float32, types.int64), emit


def _most(builder: Any, base: Value, index: Value, length: Value, lengths: Value) -> Value:
    each = _scores(builder, lengths, INT64(0))
    return fused(builder, splat(builder, length, WIDTH), each, _scores(builder, base, index))


@intrinsic
def every_other_reaching(typing, scores, start, bar):
    """As `reaching`, of every other one of 2 x `WIDTH` float32: the first one, the third one, ..."""

    def emit(context: Any, builder: Any, signature: Any, values: Sequence[Value]) -> Value:
        base, index, bar = values
        low, high = (_scores(builder, base, builder.add(index, INT64(offset))) for offset in (0, WIDTH))
        scores = shuffle(builder, low, high, list(range(0, 2 * WIDTH, 2)))
        return _mask(builder, scores, splat(builder, bar, WIDTH))

    return types.int64(types.int64, types.int64, types.float32), emit


@intrinsic
def lowest_bit(typing, mask):
    """The place of the lowest bit of `mask`, int64 and not 0, that is set."""

    def emit(context: Any, builder: Any, signature: Any, values: Sequence[Value]) -> Value:
        return builder.cttz(values[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.int64), emit


@intrinsic
def n_bits(typing, mask):
    """How many bits of `mask`, int64, are set."""

    def emit(context: Any, builder: Any, signature: Any, values: Sequence[Value]) -> Value:
        return builder.ctpop(values[0])

    return types.int64(types.int64), emit
