"""Which numbers of the vectors are multiplied first: few that say most of a score, where there are such.

Vectors that were trained point in some directions more than in others. Turned so that these come first, which changes
no cosine, a third of the numbers often tells of all but one pair in a hundred that it cannot be among the nearest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.core.costs.publishing import LEADING_BYTES, integer_bytes
from app.core.nearest.scores import DoubleArray
from app.core.table.arrays import FloatArray
from app.core.table.quantised import UnitVectors
from trainer.kernels.llvm import LANES
from trainer.kernels.neighbors.products import AT_A_TIME, ONE, Panel, n_pairs, pack, rounded_off
from trainer.publishing.candidates import PANEL, Integers, Packed
from trainer.steps.crew import Crew

FEWEST_WORDS, MOST_DIMENSIONS = 16 * PANEL, 1024
"""Of fewer words, bars are low for most of the time; to turn longer vectors takes as long as to multiply them."""
SAMPLE, ASKED = 4096, 128
"""So many words, one of every so many, say which directions lead; for some of them it is tried what that is worth."""
EARLY = 3
"""A bar is raised as words are seen: on average it is reached by so many times more of all words than at the end."""
SETTLED, SETTLED_MORE, PASSED, TURNED = 20 * LANES, 2 * LANES, 0.6 * LANES, 8.0
"""In pairs of numbers of a score, what it takes to complete a score, for each `AT_A_TIME` numbers more, to look whether
it must be, and, by the dimensions' square for each word, to turn."""
WORTH_IT = 0.85
"""Of the time that to multiply all takes, no more may be expected: a part is tried, and the costs are guessed."""
# Fitted to trained tables of 67,889 words x 100 and x 300 with AVX-512.
LONGER = 1 + 2.0**-12
"""By how much lengths are rounded up, far more than float32 may be off in them."""
FURTHER_OFF = 12 * 2.0**-24
"""What a turned number's rounding to float32, and sums of two parts of a score, add to its error."""


@dataclass(frozen=True, eq=False)
class Leading:
    """How vectors are turned, float64 (dim, dim), and how many numbers of a turned one lead."""

    rotation: DoubleArray
    n_leading: int


def leading_of(unit_vectors: UnitVectors, k: int) -> Leading | None:
    """What leads, if to multiply it first takes less time.

    Parameters
    ----------
    unit_vectors : float32 (n_words, dim), or quantised
    k : how many neighbours are wanted of each
    """
    n_words, dim = unit_vectors.shape
    is_small = n_words < FEWEST_WORDS or dim <= AT_A_TIME
    if is_small or dim > MOST_DIMENSIONS or integer_bytes(n_words, dim) > LEADING_BYTES:
        return None
    some = unit_vectors[:: -(-n_words // SAMPLE)].astype(np.float64)
    rotation = np.ascontiguousarray(np.linalg.eigh(some.T @ some)[1][:, ::-1])
    shares = _shares((some @ rotation).astype(np.float32), max(1, round(EARLY * k * len(some) / n_words)))
    costs = {n: _pairs_of_numbers(n, share, n_words, dim) for n, share in shares.items()}
    best = min(costs, key=lambda n: costs[n])
    return Leading(rotation, best) if costs[best] < WORTH_IT * dim / 2 else None


def _shares(turned: FloatArray, k: int) -> dict[int, float]:
    """Which share of all scores must be completed if so many lead, where bars are what `k` words reach."""
    asked = turned[:: -(-len(turned) // ASKED)]
    scores, place = asked @ turned.T, len(turned) - k
    bars = np.partition(scores, place, axis=1)[:, place, None]
    shares = {}
    for n_leading in range(turned.shape[1] - AT_A_TIME, 0, -AT_A_TIME):
        first, last = slice(n_leading), slice(n_leading, None)
        most = asked[:, first] @ turned[:, first].T
        most += np.outer(_lengths(asked[:, last]), _lengths(turned[:, last]))
        shares[n_leading] = min(1.0, 2 * float((most >= bars).mean()))  # of the two words of a pair
    return shares


def _pairs_of_numbers(n_leading: int, share: float, n_words: int, dim: int) -> float:
    """What a score takes on average, counted in pairs of numbers that are multiplied."""
    settled = SETTLED + SETTLED_MORE * (dim - n_leading) / AT_A_TIME
    return n_leading / 2 + share * settled + PASSED + TURNED * dim**2 / n_words


def _lengths(rows: FloatArray) -> FloatArray:
    lengths: FloatArray = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    return lengths


class Led(Packed):
    """The panels of a table, turned; all are packed at once, by all threads, and kept.

    Parameters
    ----------
    unit_vectors : as of `Packed`
    leading : how they are turned
    crew : packs them
    """

    def __init__(self, unit_vectors: UnitVectors, leading: Leading, crew: Crew) -> None:
        self._panels: list[Panel] = []
        rounding = 0.0
        panels = (unit_vectors[first : first + PANEL] for first in range(0, len(unit_vectors), PANEL))
        for panel, most in crew.in_order(lambda own: _turned(own, leading), panels):
            self._panels.append(panel)
            rounding = max(rounding, most)
        super().__init__(unit_vectors, rounding)
        self.error += FURTHER_OFF

    def of(self, panel: int, scratch: Integers) -> Panel:  # noqa: ARG002 (as of `Packed`)
        """Those of a panel."""
        return self._panels[panel]

    def whole(self, panel: int, found: Panel, scratch: Integers) -> Integers:  # noqa: ARG002 (as of `Packed`)
        """All numbers of a panel, as they are: their products differ from those of turned ones by the error."""
        pack(self.unit_vectors[panel * PANEL : (panel + 1) * PANEL], scratch)
        return scratch


def _turned(own: FloatArray, leading: Leading) -> tuple[Panel, float]:
    """Vectors of a panel as they are multiplied, and the most that is rounded off one of them, turned or not."""
    turned = (own.astype(np.float64) @ leading.rotation).astype(np.float32)
    n_leading = leading.n_leading
    packed = np.empty((PANEL // LANES, n_pairs(n_leading), LANES), np.int32)
    pack(np.ascontiguousarray(turned[:, :n_leading]), packed)
    trailing = np.zeros((PANEL, -(-(turned.shape[1] - n_leading) // AT_A_TIME) * AT_A_TIME), np.int16)
    integers = np.rint(turned[:, n_leading:] * np.float32(ONE))
    trailing[: len(own), : integers.shape[1]] = integers
    lengths = np.zeros(PANEL, np.float32)
    lengths[: len(own)] = _lengths(integers) * np.float32(LONGER / ONE)
    return Panel(packed, trailing, lengths), max(rounded_off(turned), rounded_off(own))
