"""Names of arrays' types; what is in them and their shapes are said where they are used."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from app.core.table.arrays import FloatArray

Bytes = npt.NDArray[np.uint8]
Ids = npt.NDArray[np.int32]
Integers = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]

__all__ = ["Bytes", "Doubles", "FloatArray", "Ids", "Integers"]
