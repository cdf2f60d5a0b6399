"""Names of arrays' types; what is in them and their shapes are said where they are used."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from app.core.table.arrays import FloatArray

Bytes = npt.NDArray[np.uint8]
Ids = npt.NDArray[np.int32]
Integers = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]

__all__ = ["Bytes", "Doubles", "FloatArray", "Ids", "Integers", "read_only"]


def read_only(ids: Ids) -> Ids:
    """The same memory under one type, so that kernels are compiled once, whether it is mapped or not."""
    view = np.asarray(ids).view()
    view.flags.writeable = False
    return view
