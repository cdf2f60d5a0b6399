"""The cells of a co-occurrence table as a grid of blocks, and an order in which threads may take them.

Stripes of words cross to blocks. The two blocks between a pair of stripes belong together; a round is a set of such
pairs no two of which share a stripe, an anti-diagonal of the grid: stripes a and b with a + b = s modulo their number.
What runs side by side in a round touches different rows, and rounds follow one another, so the result is the same for
any number of threads.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from trainer.algorithms.glove.cooccurrence import CooccurrenceTable
from trainer.kernels.glove.cells import CELL
from trainer.kernels.glove.cooccurrence import Cells
from trainer.kernels.glove.grid import HELD_OUT_CELL, Sample, Weighting, count_stripe, fill_stripe
from trainer.kernels.hashing import key_of
from trainer.steps.arrays import Integers
from trainer.steps.crew import Crew
from trainer.steps.disk import reserved_file
from trainer.steps.keys import GloVeKey

STRIPE_ROWS = 512
"""Words of a stripe, at most, while there are fewer than `MOST_STRIPES`: 0.9 MB of parameters at 100 dimensions.

Cells of a word that come one after the other pull it back and forth. Analogies on the enwiki benchmark after 15 epochs,
two seeds: 0.306 and 0.302 with 2,048 words a stripe, 0.314 and 0.306 with 512, and 0.313 and 0.322 once mirror images
come at a time of their own (see `Grid.rounds`). The C program, which shuffles all records, has 0.312.
"""
MANY_STRIPES, MOST_STRIPES, FEWEST_ROWS = 128, 512, 8
"""For the same reason small vocabularies get `MANY_STRIPES`, as long as stripes have `FEWEST_ROWS`."""
HELD_OUT_SHARE = 0.001
FEWEST_CELLS_TO_HOLD_OUT = 10_000
"""Smaller tables are trained whole: a thousandth of them would say nothing, and rare words may have one cell only."""

GROUP_CELLS = 5000
"""Cells that are worth handing to a thread."""


@dataclass(frozen=True, eq=False)
class Grid:
    """Cells to train, by block, and cells held out.

    Parameters
    ----------
    cells : CELL (n_cells,), block after block; in memory or mapped from a file
    block_starts : int64 (n_stripes, n_stripes + 1), where the blocks of each grid row begin
    held_out : HELD_OUT_CELL (n_held_out,), chosen by a hash of seed, row and column
    n_words : words of the table
    n_diagonal : cells to train whose row is their column
    """

    cells: npt.NDArray[np.void]
    block_starts: Integers
    held_out: npt.NDArray[np.void]
    n_words: int
    n_diagonal: int

    @property
    def n_stripes(self) -> int:
        return len(self.block_starts)

    @property
    def stripe_rows(self) -> int:
        """Rows of a stripe; the last ones may have none."""
        return -(-self.n_words // self.n_stripes)

    def n_records(self, mirrored: bool) -> int:
        """Steps of one pass: cells and, if `mirrored`, the mirror images of those off the diagonal."""
        return len(self.cells) if not mirrored else 2 * len(self.cells) - self.n_diagonal

    def places(self) -> Integers:
        """Each word's row in parameters that are ordered by stripe."""
        words = np.arange(self.n_words)
        return words % self.n_stripes * self.stripe_rows + words // self.n_stripes

    def rounds(self, random: np.random.Generator, mirrored: bool) -> Iterator[list[Integers]]:
        """All blocks once, and once more for their mirror images if `mirrored`, in rounds of groups.

        Stripes get fresh names and rounds a fresh order. When a pair of stripes is met, chance decides whether its
        cells come first or their mirror images: were they to come together, word and context vectors would go astray
        together, and their sum would be no better than either.
        A group (int64 (n_blocks, 3)) is one thread's work for about a millisecond, the largest first; groups of a round
        share no stripe.
        """
        n_stripes, passes = self.n_stripes, 2 if mirrored else 1
        names = random.permutation(n_stripes)
        sizes = np.diff(self.block_starts, axis=1)
        mirror_first = random.integers(0, passes, (n_stripes, n_stripes))
        a = np.arange(n_stripes)
        for number in random.permutation(passes * n_stripes):
            total, is_second = number // passes, number % passes
            b = (total - a) % n_stripes
            pairs = np.stack([names[a[a <= b]], names[b[a <= b]]], axis=1)
            work = sizes[pairs[:, 0], pairs[:, 1]] + sizes[pairs[:, 1], pairs[:, 0]]
            pairs = pairs[np.argsort(-work, kind="stable")]
            n_groups = min(len(pairs), int(work.sum()) // GROUP_CELLS + 1)
            cuts = np.arange(1, n_groups) * len(pairs) // n_groups
            yield _groups(pairs, mirror_first ^ is_second, cuts)


def _groups(pairs: Integers, mirror: Integers, cuts: Integers) -> list[Integers]:
    """The blocks of pairs of stripes: (a, b) and (b, a), or the one if a is b; each with its entry in `mirror`.

    Pairs are cut into groups before those whose places are `cuts`.
    """
    both = np.stack([pairs, pairs[:, ::-1]], axis=1)
    blocks = np.concatenate([both, mirror[both[:, :, 0], both[:, :, 1], np.newaxis]], axis=2)
    is_meant = np.ones((len(pairs), 2), np.bool_)
    is_meant[:, 1] = pairs[:, 0] != pairs[:, 1]
    before = np.concatenate([[0], np.cumsum(is_meant.sum(axis=1))])
    return np.split(blocks[is_meant], before[cuts])


def stripes_for(n_words: int) -> int:
    """How many stripes: a function of the vocabulary alone, so that results do not depend on the machine."""
    many = min(MANY_STRIPES, -(-n_words // FEWEST_ROWS))
    return min(max(many, -(-n_words // STRIPE_ROWS)), MOST_STRIPES)


def build_grid(
    table: CooccurrenceTable, weighting: tuple[float, float], seed: int, threads: int, spill: Path | None
) -> Grid:
    """Sort the table's cells into blocks, with log x and f(x) computed once.

    Parameters
    ----------
    table : CooccurrenceTable, read
    weighting : (x_max, alpha)
    seed : decides which cells are held out
    threads : the grid is the same for any number
    spill : a folder for the cells, whose space is reserved first; None keeps them in memory
    """
    n_stripes = stripes_for(table.n_words)
    arrays = Cells(table.row_starts, table.columns, table.counts)
    share = HELD_OUT_SHARE if table.n_cells >= FEWEST_CELLS_TO_HOLD_OUT else 0.0
    sample = Sample(key_of(seed, GloVeKey.HELD_OUT), np.uint64(share * 2**32))
    weights = Weighting(float(table.unit), *map(float, weighting))

    sizes = np.zeros((n_stripes, n_stripes), np.int64)
    with Crew(threads) as crew:
        counted = crew.in_order(lambda stripe: count_stripe(arrays, stripe, sample, sizes[stripe]), range(n_stripes))
        held_out_sizes = list(counted)
    ends = np.cumsum(sizes).reshape(sizes.shape)
    firsts = ends[:, :1] - sizes[:, :1]
    block_starts = np.concatenate([firsts, ends], axis=1)
    held_out_ends = np.cumsum(held_out_sizes)
    cells = _new_cells(int(sizes.sum()), spill)
    held_out = np.zeros(int(held_out_ends[-1]), HELD_OUT_CELL)

    def fill(stripe: int) -> int:
        mine = held_out[held_out_ends[stripe] - held_out_sizes[stripe] : held_out_ends[stripe]]
        return int(fill_stripe(arrays, stripe, sample, weights, block_starts[stripe, :-1].copy(), cells, mine))

    with Crew(threads) as crew:
        n_diagonal = sum(crew.in_order(fill, range(n_stripes)))
    return Grid(cells, block_starts, held_out, table.n_words, n_diagonal)


def _new_cells(n_cells: int, spill: Path | None) -> npt.NDArray[np.void]:
    if spill is None or n_cells == 0:
        return np.empty(n_cells, CELL)
    path = reserved_file(spill / "grid.cells", n_cells * CELL.itemsize)
    return np.memmap(path, CELL, "r+", shape=(n_cells,))
