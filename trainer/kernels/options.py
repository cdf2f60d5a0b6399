"""How kernels are compiled."""

from typing import Any

COMPILED: dict[str, Any] = {"nogil": True, "cache": True, "no_cfunc_wrapper": True}
"""No kernel's address is given to C: the entry that numba would add for it takes a ninth of the compile time."""

KERNEL_OPTIONS: dict[str, Any] = COMPILED | {"boundscheck": False, "error_model": "numpy"}

INLINED: dict[str, Any] = KERNEL_OPTIONS | {"forceinline": True}
"""For what a kernel calls all the time: a call of its own would copy dozens of addresses to the stack."""
