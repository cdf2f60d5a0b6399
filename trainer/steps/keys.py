"""What random numbers are drawn for. A random key is named by the seed, a purpose, and where it is used.

Two purposes of one algorithm have different numbers, so that no two uses share their bits. The numbers decide which
vectors a seed gives: they never change.
"""

from __future__ import annotations

from enum import IntEnum, unique

SAMPLE_EPOCH = 2**32
"""The epoch as which Word2Vec's held-out sample draws: none that is trained has this number."""


@unique
class Word2VecKey(IntEnum):
    """Purposes of Word2Vec: the tokens and the noise of an epoch, and the first input vectors."""

    TOKENS = 0
    NOISE = 1
    INITIAL = 2


@unique
class GloVeKey(IntEnum):
    """Purposes of GloVe: the cells that are held out, the first parameters of a role, and the order of an epoch."""

    HELD_OUT = 1
    INITIAL = 2
    ORDER = 3
