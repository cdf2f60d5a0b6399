from __future__ import annotations

from typing import Any

import numba

from trainer.kernels.compiling import compilations_told


def test_compiling_is_told_once_and_running_is_not() -> None:
    @numba.njit
    def double(number: Any) -> Any:
        return 2 * number

    told: list[bool] = []
    with compilations_told(told.append):
        assert double(2) == 4
        assert told == [True, False]
        assert double(3) == 6
    assert told == [True, False]
    assert double(1.5) == 3.0
    assert told == [True, False]
