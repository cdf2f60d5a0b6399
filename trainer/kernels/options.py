"""How kernels are compiled."""

from typing import Any

KERNEL_OPTIONS: dict[str, Any] = {"nogil": True, "cache": True, "boundscheck": False, "error_model": "numpy"}

INLINED: dict[str, Any] = KERNEL_OPTIONS | {"forceinline": True}
"""For what a kernel calls all the time: a call of its own would copy dozens of addresses to the stack."""
