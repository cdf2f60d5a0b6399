"""Reading and writing numbers at addresses.

Inside the loops of a kernel an array costs: handing it to another function counts a reference up and down, atomically.
An address is a number. It does not keep its array alive, so kernels take addresses only of arrays they were given.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from trainer.kernels.llvm import prefetch


def _place(context: Any, builder: Any, kind: Any, address: Any, index: Any) -> Any:
    pointer = builder.inttoptr(address, context.get_value_type(kind).as_pointer())
    return cgutils.gep_inbounds(builder, pointer, index)


def _reader(kind: Any) -> Callable[..., Any]:
    @intrinsic
    def read(typing, address, index):
        def codegen(context: Any, builder: Any, _: Any, values: Sequence[Any]) -> Any:
            return builder.load(_place(context, builder, kind, *values))

        return kind(types.int64, types.int64), codegen

    return read


def _writer(kind: Any) -> Callable[..., Any]:
    @intrinsic
    def write(typing, address, index, value):
        def codegen(context: Any, builder: Any, _: Any, values: Sequence[Any]) -> Any:
            builder.store(values[2], _place(context, builder, kind, *values[:2]))
            return context.get_dummy_value()

        return types.void(types.int64, types.int64, kind), codegen

    return write


int32_at, int64_at, uint64_at, float32_at = (
    _reader(kind) for kind in (types.int32, types.int64, types.uint64, types.float32)
)
"""``int32_at(address, i)``: the i-th number from `address` on."""

write_int32, write_int64, write_float32 = (_writer(kind) for kind in (types.int32, types.int64, types.float32))
"""``write_int64(address, i, value)``"""


@intrinsic
def ask_for(typing, address):
    """Ask for the cache line at an address, before it is needed."""

    def codegen(context: Any, builder: Any, _: Any, values: Sequence[Any]) -> Any:
        prefetch(builder, values[0])
        return context.get_dummy_value()

    return types.void(types.int64), codegen
