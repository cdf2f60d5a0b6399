"""The logistic function for many scores at once, written as LLVM vector code like the products of `simd`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from trainer.kernels.llvm import FLOAT, INT32, INT64, LANES, ROW, Value, address_of, fused, no_result, splat

EXP2 = (0.6931469776048254, 0.24022242083661985, 0.055507337286302444, 0.009671512722538193, 0.001326473269043494)
"""2**f = 1 + f * (c0 + f * (c1 + ...)) for |f| <= 1/2: least squares with reweighting, relative error below 1e-7."""


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
