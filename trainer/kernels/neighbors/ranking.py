"""Candidates -> neighbours: their scores, to the last bit as numpy computes and rounds them, and their order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from trainer.kernels.llvm import FLOAT, INT64, Value, address_of, shuffle
from trainer.kernels.memory import ask_for, float32_at
from trainer.kernels.options import KERNEL_OPTIONS

AT_ONCE, LONGEST = 8, 128
"""Of numpy's pairwise summation: sums that run beside each other, and the most numbers that are not halved."""

AHEAD = 6
"""So many candidates ahead, a vector is asked for: they lie far apart."""
LINE = 64


def pieces_of(dim: int) -> npt.NDArray[np.int64]:
    """How numpy adds `dim` numbers: halved until no piece is too long, and the pieces' sums added up the halvings.

    Returns
    -------
    int64 (n_pieces, 2) : where each piece ends, and how many additions of the last two sums follow
    """

    def halved(start: int, end: int) -> list[list[int]]:
        if end - start <= LONGEST:
            return [[end, 0]]
        half = (end - start) // 2
        middle = start + half - half % AT_ONCE
        found = halved(start, middle) + halved(middle, end)
        found[-1][1] += 1
        return found

    return np.array(halved(0, dim), np.int64)


@intrinsic
def sum_by_eights(typing, row, other, n):
    """The float64 sum of the products of two rows of `n` float32 at these addresses, `n` a multiple of `AT_ONCE`.

    Eight sums run beside each other and are added up pairwise.
    """

    def emit(context: Any, builder: Any, signature: Any, values: Sequence[Value]) -> Value:
        floats, doubles = ir.VectorType(FLOAT, AT_ONCE), ir.VectorType(ir.DoubleType(), AT_ONCE)
        row, other, n = values

        def eight(base: Value, index: Value) -> Value:
            place = builder.bitcast(address_of(builder, base, index, FLOAT), floats.as_pointer())
            return builder.fpext(builder.load(place, align=4), doubles)

        sums = cgutils.alloca_once_value(builder, ir.Constant(doubles, [0.0] * AT_ONCE))
        builder.store(ir.Constant(doubles, [0.0] * AT_ONCE), sums)
        with cgutils.for_range(builder, builder.udiv(n, INT64(AT_ONCE))) as loop:
            start = builder.mul(loop.index, INT64(AT_ONCE))
            product = builder.fmul(eight(row, start), eight(other, start))
            builder.store(builder.fadd(builder.load(sums), product), sums)
        total = builder.load(sums)
        while total.type.count > 1:
            size = total.type.count
            even, odd = (shuffle(builder, total, total, list(range(i, size, 2))) for i in (0, 1))
            total = builder.fadd(even, odd)
        return builder.extract_element(total, INT64(0))

    return types.float64(types.int64, types.int64, types.int64), emit


@njit(**KERNEL_OPTIONS)
def rank(own, vectors, candidates, counts, pieces, scale, ids, scores):
    """Write the best candidates of each row by falling score, ties by rising id.

    Parameters
    ----------
    own : address of float32 (m, dim), the vectors of the rows
    vectors : address of float32 (n, dim), those of the candidates
    candidates : int32 (n_pairs, 2), row in `vectors` and id, one row's after the other's
    counts : int32 (m,), how many each row has
    pieces : of dim
    scale : scores are rounded to whole numbers of 1 / scale
    ids, scores : int32 and float64 (m, k), overwritten, as far as there are candidates
    """
    dim = pieces[-1, 0]
    sums = np.empty(len(pieces))
    pair = 0
    for i in range(len(counts)):
        for n_before in range(counts[i]):
            other = vectors + 4 * dim * np.int64(candidates[pair, 0])
            ahead = candidates[min(pair + AHEAD, len(candidates) - 1), 0]
            for line in range(0, 4 * dim, LINE):
                ask_for(vectors + 4 * dim * np.int64(ahead) + line)
            total = product_sum(own + 4 * dim * i, other, pieces, sums)
            score = np.rint(total * scale) / scale + 0.0  # no negative zero
            insert(ids, scores, i, n_before, candidates[pair, 1], score)
            pair += 1


@njit(**KERNEL_OPTIONS, inline="always")
def insert(ids, scores, i, n_before, candidate, score):
    """Put a candidate to its place in row `i`, among `n_before` ordered ones or the first of them there is room for."""
    k = ids.shape[1]
    place = min(n_before, k)
    while place and (score > scores[i, place - 1] or (score == scores[i, place - 1] and candidate < ids[i, place - 1])):
        place -= 1
        if place + 1 < k:
            ids[i, place + 1], scores[i, place + 1] = ids[i, place], scores[i, place]
    if place < k:
        ids[i, place], scores[i, place] = candidate, score


@njit(**KERNEL_OPTIONS, inline="always")
def product_sum(row, other, pieces, sums):
    """The sum of the products of two float32 rows, by address, to the bit of ``(row.astype("f8") * other).sum()``.

    The products are exact; `sums`, float64, one for each piece, is overwritten.
    """
    start, n_sums = 0, 0
    for piece in range(len(pieces)):
        end = pieces[piece, 0]
        sums[n_sums] = piece_sum(row + 4 * start, other + 4 * start, end - start)
        for _ in range(pieces[piece, 1]):
            n_sums -= 1
            sums[n_sums] += sums[n_sums + 1]
        start, n_sums = end, n_sums + 1
    return sums[0]


@njit(**KERNEL_OPTIONS, inline="always")
def piece_sum(row, other, n):
    whole = n - n % AT_ONCE
    total = sum_by_eights(row, other, whole)
    for place in range(whole, n):
        total += np.float64(float32_at(row, place)) * np.float64(float32_at(other, place))
    return total
