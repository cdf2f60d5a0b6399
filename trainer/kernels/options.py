"""How kernels are compiled."""

from typing import Any

KERNEL_OPTIONS: dict[str, Any] = {"nogil": True, "cache": True, "boundscheck": False, "error_model": "numpy"}
