"""Each cell is in one block or held out; each pair of stripes is in one round, where nobody else has either."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from trainer.algorithms.glove.cooccurrence import CooccurrenceTable
from trainer.algorithms.glove.grid import Grid, build_grid, stripes_for
from trainer.kernels.glove.cells import CELL
from trainer.kernels.glove.grid import HELD_OUT_CELL


def random_table(n_words: int, n_cells: int, *, symmetric: bool = True) -> CooccurrenceTable:
    random = np.random.default_rng(7)
    keys = np.unique(random.integers(0, n_words**2, n_cells))
    rows, columns = keys // n_words, keys % n_words
    if symmetric:
        rows, columns = rows[rows <= columns], columns[rows <= columns]
    counts = random.integers(1, 2520 * 30, len(rows)).astype(np.uint64)
    row_starts = np.searchsorted(rows, np.arange(n_words + 1)).astype(np.int64)
    return CooccurrenceTable(row_starts, columns.astype(np.int32), counts, 10, symmetric)


def contents(grid: Grid) -> list[tuple[int, int, float, float]]:
    """All cells by word ids."""
    found = [(int(c["row"]), int(c["column"]), float(c["log_count"]), float(c["weight"])) for c in grid.held_out]
    for a in range(grid.n_stripes):
        for b in range(grid.n_stripes):
            block = grid.cells[grid.block_starts[a, b] : grid.block_starts[a, b + 1]]
            assert (np.diff(block["row"].astype(int)) >= 0).all()
            words = (block["row"].astype(int) * grid.n_stripes + a, block["column"].astype(int) * grid.n_stripes + b)
            found += zip(*(w.tolist() for w in (*words, block["log_count"], block["weight"])), strict=True)
    return sorted(found)


@pytest.mark.parametrize(("n_words", "symmetric"), [(3, True), (500, True), (500, False)])
def test_every_cell_is_there_once_with_its_log_and_weight(n_words: int, symmetric: bool, tmp_path: Path) -> None:
    table = random_table(n_words, 40_000, symmetric=symmetric)
    grid = build_grid(table, (10.0, 0.75), 1, 3, None)
    rows = np.repeat(np.arange(n_words), np.diff(table.row_starts))
    counts = table.counts / 2520
    expected = sorted(
        zip(rows.tolist(), table.columns.tolist(), np.log(counts), np.minimum(1, counts / 10) ** 0.75, strict=True)
    )
    np.testing.assert_allclose(contents(grid), expected, rtol=1e-6, atol=1e-7)
    is_diagonal = rows == table.columns
    held_out_diagonal = int((grid.held_out["row"] == grid.held_out["column"]).sum())
    assert grid.n_diagonal == int(is_diagonal.sum()) - held_out_diagonal
    assert grid.n_records(True) == 2 * len(grid.cells) - grid.n_diagonal
    spilled = build_grid(table, (10.0, 0.75), 1, 1, tmp_path)
    assert np.array_equal(spilled.cells, grid.cells)
    assert isinstance(spilled.cells, np.memmap)


def test_a_thousandth_is_held_out_by_seed_but_nothing_of_a_small_table() -> None:
    table = random_table(2000, 400_000)
    first, same, other = (build_grid(table, (10.0, 0.75), seed, 2, None) for seed in (1, 1, 2))
    assert 0.0007 < len(first.held_out) / table.n_cells < 0.0013
    assert np.array_equal(first.held_out, same.held_out)
    assert not np.array_equal(first.held_out[["row", "column"]], other.held_out[["row", "column"]])
    assert len(build_grid(random_table(100, 5000), (10.0, 0.75), 1, 2, None).held_out) == 0


@pytest.mark.parametrize("is_large", [True, False])
@pytest.mark.parametrize("n_stripes", [1, 2, 16, 17])
@pytest.mark.parametrize("mirrored", [True, False])
def test_rounds_hold_every_block_once_a_side_and_their_groups_share_no_stripe(
    n_stripes: int, is_large: bool, mirrored: bool
) -> None:
    starts = np.zeros((n_stripes, n_stripes + 1), np.int64)
    if is_large:
        starts[:] = np.arange(n_stripes + 1) * 3000
    grid = Grid(np.empty(0, CELL), starts, np.empty(0, HELD_OUT_CELL), 100, 0)
    orders = []
    for seed in (0, 1):
        rounds = list(grid.rounds(np.random.default_rng(seed), mirrored))
        for groups in rounds:
            stripes = [stripe for group in groups for stripe in set(group[:, :2].ravel().tolist())]
            assert len(stripes) == len(set(stripes)) == n_stripes
        blocks = [tuple(block) for groups in rounds for group in groups for block in group.tolist()]
        names, sides = range(n_stripes), (0, 1) if mirrored else (0,)
        assert sorted(blocks) == [(a, b, side) for a in names for b in names for side in sides]
        orders.append(blocks)
        assert max(map(len, rounds)) == ((n_stripes // 2 + 1) if is_large else 1)
    assert orders[0] != orders[1] or n_stripes < 3


def test_places_are_rows_of_stripes() -> None:
    grid = build_grid(random_table(50, 900), (10.0, 0.75), 1, 1, None)
    places = grid.places()
    assert len(set(places.tolist())) == 50
    assert (places // grid.stripe_rows == np.arange(50) % grid.n_stripes).all()
    assert (places % grid.stripe_rows == np.arange(50) // grid.n_stripes).all()


def test_stripes_fit_16_bit_rows_up_to_the_largest_vocabulary() -> None:
    assert stripes_for(2) == 1
    assert stripes_for(800) == 100
    assert stripes_for(20_000) == 128
    assert stripes_for(67_889) == 133
    assert -(-30_000_000 // stripes_for(30_000_000)) <= 65_536
