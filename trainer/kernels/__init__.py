"""Numba code: arrays in, arrays changed, numbers out."""

from trainer.kernels.cache import use_own_folder

use_own_folder()  # before any kernel is defined
