from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.hyperparameters import Word2VecHyperparameters
from trainer.algorithms.word2vec.schedule import block_learning_rates, block_order, chunks, context_shares


def test_learning_rate_falls_in_one_line_over_all_epochs() -> None:
    """No saw-tooth between epochs, no dependence on threads: gensim's corpus_file mode fails both."""
    rates = np.concatenate([block_learning_rates(0.025, 0.0001, epoch, 3, 50) for epoch in range(3)])
    assert rates[0] == np.float32(0.025)
    assert np.diff(rates.astype(np.float64)) == pytest.approx(np.full(149, (0.0001 - 0.025) / 150), abs=1e-8)
    assert 0.0001 < rates[-1] < 0.0001 + 0.025 / 149


def test_every_epoch_of_cbow_reads_all_blocks_in_an_order_of_its_own() -> None:
    def order(seed: int, epoch: int, architecture: str = "cbow") -> list[int]:
        chosen = Word2VecHyperparameters.model_validate({"architecture": architecture, "seed": seed})
        found: list[int] = block_order(chosen, epoch, 99).tolist()
        return found

    orders = [order(1, 0), order(1, 1), order(2, 0), order(1, 0)]
    assert all(sorted(each) == list(range(99)) for each in orders)
    assert orders[0] == orders[3]
    assert len({tuple(each) for each in orders}) == 3
    assert order(1, 0, "skip-gram") == list(range(99))


def test_context_rows_share_the_gradient_of_their_mean() -> None:
    n_rows = np.arange(1, 11)
    exact, root, legacy = (context_shares(gradient, 5)[1:] for gradient in ("exact", "root", "legacy"))
    assert (exact == np.float32(1) / n_rows.astype(np.float32)).all(), "to the last bit what older releases divided by"
    assert n_rows * root**2 == pytest.approx(np.ones(10))
    assert (legacy == 1).all()


@given(st.integers(0, 400), st.integers(0, 400), st.integers(1, 9), st.integers(1, 99))
def test_chunks_cover_the_blocks_in_order(first: int, n_blocks: int, threads: int, largest: int) -> None:
    cut = list(chunks(first, n_blocks, threads, largest))
    assert [block for low, high in cut for block in range(low, high)] == list(range(first, n_blocks))
    assert all(high - low <= largest for low, high in cut)
