"""Pieces of LLVM vector code that `simd` is put together from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import llvmlite.binding
from llvmlite import ir
from numba import types
from numba.core import cgutils

LANES = 16 if llvmlite.binding.get_host_cpu_features().get("avx512f") else 8
"""Floats in one vector register of this machine."""

FLOAT = ir.FloatType()
INT32 = ir.IntType(32)
INT64 = ir.IntType(64)
ROW = ir.VectorType(FLOAT, LANES)
ROW_BYTES = 4 * LANES

Value = Any


def address_of(builder: Any, base: Value, index: Value, of: Any) -> Value:
    return builder.gep(builder.inttoptr(base, of.as_pointer()), [index])


def load(builder: Any, base: Value, index: Value, of: Any = ROW) -> Value:
    return builder.load(address_of(builder, base, index, of), align=ROW_BYTES if of is ROW else None)


def store(builder: Any, value: Value, base: Value, index: Value) -> None:
    builder.store(value, address_of(builder, base, index, value.type), align=ROW_BYTES if value.type == ROW else 4)


def load_addresses(builder: Any, base: Value, count: int) -> list[Value]:
    return [load(builder, base, INT64(i), INT64) for i in range(count)]


def prefetch(builder: Any, place: Value) -> None:
    """Ask for the cache line at an address, whether it can be read or not."""
    byte = ir.IntType(8).as_pointer()
    kind = ir.FunctionType(ir.VoidType(), [byte, INT32, INT32, INT32])
    function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
    builder.call(function, [builder.inttoptr(place, byte), INT32(0), INT32(3), INT32(1)])


def fused(builder: Any, a: Value, b: Value, c: Value) -> Value:
    function = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(a.type, [a.type] * 3), f"llvm.fmuladd.v{a.type.count}f32"
    )
    return builder.call(function, [a, b, c])


def splat(builder: Any, scalar: Value, count: int = LANES) -> Value:
    vector = ir.VectorType(scalar.type, count)
    first = builder.insert_element(ir.Constant(vector, ir.Undefined), scalar, INT32(0))
    return shuffle(builder, first, ir.Constant(vector, ir.Undefined), [0] * count)


def shuffle(builder: Any, a: Value, b: Value, picks: list[int]) -> Value:
    return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(INT32, len(picks)), picks))


def interleaved(builder: Any, vectors: list[Value]) -> Value:
    """The first element of each of 2**n vectors, then the second of each, and so on, as one vector."""
    size = 1
    while len(vectors) > 1:
        n = vectors[0].type.count
        picks = [p for start in range(0, n, size) for half in (0, n) for p in range(half + start, half + start + size)]
        vectors = [shuffle(builder, a, b, picks) for a, b in zip(vectors[::2], vectors[1::2], strict=True)]
        size *= 2
    return vectors[0]


def lane_sums(builder: Any, rows: list[Value]) -> Value:
    """The sums over each row's lanes, as one vector as long as `rows`, a power of two of at most `LANES`.

    Adds neighbours pairwise: each round halves the lanes a row still has and doubles the rows a register holds,
    so that eight sums cost seven additions instead of twenty-four.
    """
    lanes = LANES
    while len(rows) > 1:
        half = lanes // 2
        packed = LANES // lanes
        low = [r * lanes + i for r in range(packed) for i in range(half)]
        low, high = ([*part, *(LANES + p for p in part)] for part in (low, [p + half for p in low]))
        rows = [
            builder.fadd(shuffle(builder, a, b, low), shuffle(builder, a, b, high))
            for a, b in zip(rows[::2], rows[1::2], strict=True)
        ]
        lanes = half
    total = rows[0]
    count = LANES // lanes
    while lanes > 1:
        half = lanes // 2
        low = [r * lanes + i for r in range(count) for i in range(half)]
        total = builder.fadd(
            shuffle(builder, total, total, low), shuffle(builder, total, total, [p + half for p in low])
        )
        lanes = half
    return total


def store_sums(builder: Any, rows: list[Value], base: Value, index: Value) -> None:
    """Write the sums over each row's lanes one after the other, from float `index` of `base` on."""
    done = 0
    while done < len(rows):
        size = min(LANES, 1 << ((len(rows) - done).bit_length() - 1))
        sums = lane_sums(builder, rows[done : done + size])
        place = address_of(builder, base, builder.add(index, INT64(done)), FLOAT)
        builder.store(sums, builder.bitcast(place, sums.type.as_pointer()), align=4)
        done += size


def literal(kind: Any) -> int:
    return int(kind.literal_value)


def n_vectors(dim: int) -> int:
    return -(-dim // LANES)


def no_result(emit: Callable[..., None], *arguments: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, values: Sequence[Value]) -> Value:
        emit(builder, values)
        return context.get_dummy_value()

    return types.void(*arguments), codegen
