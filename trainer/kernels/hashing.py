"""Random bits as a function of where they are used: no state, so any block can be drawn again by anybody."""

import numpy as np
from numba import njit

from trainer.kernels.options import COMPILED

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_SHIFT_30, _SHIFT_27, _SHIFT_31, _SHIFT_32 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)


@njit(**COMPILED, inline="always")
def mixed(key, counter):
    """64 random bits for a counter under a key: splitmix64 (Steele et al. 2014) at position `counter`; both uint64."""
    bits = key + GOLDEN * counter
    bits = (bits ^ (bits >> _SHIFT_30)) * _FIRST
    bits = (bits ^ (bits >> _SHIFT_27)) * _SECOND
    return bits ^ (bits >> _SHIFT_31)


@njit(**COMPILED, inline="always")
def below(bits, bound):
    """A number in [0, bound) from the upper half of 64 random bits; its bias is at most bound / 2**32."""
    return np.int64(((bits >> _SHIFT_32) * np.uint64(bound)) >> _SHIFT_32)


@njit(**COMPILED, inline="always")
def lower_half(bits):
    return np.uint32(bits & _LOW)


@njit(**COMPILED)
def fill_uniform(rows, n_columns, key, half_width):
    """Draw ``rows[:, :n_columns]`` (float32, 2-d) uniformly from [-half_width, half_width), each cell by its place."""
    for i in range(rows.shape[0]):
        for j in range(n_columns):
            bits = mixed(key, np.uint64(i * n_columns + j))
            rows[i, j] = np.float32((np.float64(bits >> np.uint64(40)) / 8388608.0 - 1.0) * half_width)


def key_of(*parts: int) -> np.uint64:
    """The key of a random stream: a hash of the numbers that name it, such as seed, purpose, epoch."""
    key = 0
    for part in parts:
        key = _mixed_int(key, part)
    return np.uint64(key)


def _mixed_int(key: int, counter: int) -> int:
    mask = 2**64 - 1
    bits = (key + int(GOLDEN) * (counter + 1)) & mask
    bits = ((bits ^ (bits >> 30)) * int(_FIRST)) & mask
    bits = ((bits ^ (bits >> 27)) * int(_SECOND)) & mask
    return bits ^ (bits >> 31)
