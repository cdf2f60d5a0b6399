"""Each thread's own copies of the rows that all threads write all the time, made one with the tables now and then.

Cores that write one row hand its cache lines to each other at every step and wait for them. Both tables have the rows
of frequent words, or of the top of the Huffman tree, first; so the first rows are copied, and what a thread has
changed in its copies is added to the tables after some windows. Rows are visited the less, the further down they are:
row r is merged every (r + 1)-th time or sooner, so that no copy misses many more of the other threads' steps than
another.
"""

from numba import njit

from trainer.kernels.options import KERNEL_OPTIONS


@njit(inline="always", **KERNEL_OPTIONS)
def row_address(table, replicas, n_replicas, row, stride):
    """Where a thread finds a row: among its replicas, or in the table; all addresses and bytes."""
    return (replicas if row < n_replicas else table) + row * stride


@njit(**KERNEL_OPTIONS)
def copy_rows(table, replicas):
    """Take the table's first rows.

    Parameters
    ----------
    table : float32 (n_words, n_columns), read
    replicas : float32 (2, n_replicas, n_columns), overwritten: the rows to work on, and as they were when last merged
    """
    own, merged = replicas[0], replicas[1]
    for row in range(own.shape[0]):
        for column in range(own.shape[1]):
            own[row, column] = merged[row, column] = table[row, column]


@njit(**KERNEL_OPTIONS)
def rows_due(n_merges):
    """How many rows the n-th merge is for, n from 1 on: 2, 4, 2, 8, 2, 4, 2, 16, ..."""
    return 2 * (n_merges & -n_merges)


@njit(**KERNEL_OPTIONS)
def merge_replicas(table, replicas, n_rows):
    """Add what this thread has changed in the first `n_rows` to the table, and take what others have added."""
    own, merged = replicas[0], replicas[1]
    for row in range(min(n_rows, own.shape[0])):
        for column in range(own.shape[1]):
            value = table[row, column] + (own[row, column] - merged[row, column])
            table[row, column] = own[row, column] = merged[row, column] = value
