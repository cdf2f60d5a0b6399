"""Where the row lies that stands for a context word."""

from numba import njit

from trainer.kernels.options import KERNEL_OPTIONS
from trainer.kernels.word2vec.replicas import row_address


@njit(**KERNEL_OPTIONS)
def input_row(at, word):
    """The address of a word's input row, which is read, and to which what it learns is added: one row a word."""
    return row_address(at.input_table, at.input_replicas, at.n_replicas, word, at.stride)
