"""Steps that look at mean and covariance, against numpy in float64 and the papers' own words."""

from __future__ import annotations

import numpy as np
import pytest

from app.core.errors import StepImpossible
from tests.trainer.deriving.conftest import Do, working
from trainer.deriving import working as rooms

WEIGHTS = pytest.mark.parametrize("weights", ["frequency", "uniform"])


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "BLOCK", 7)


def shares(weights: str) -> np.ndarray:
    counts = working().counts
    return counts / counts.sum() if weights == "frequency" else np.full(len(counts), 1 / len(counts))


@WEIGHTS
def test_centered_vectors_have_no_mean(do: Do, weights: str) -> None:
    before = working().vectors.astype(np.float64)
    work, facts = do(working(), step="center", weights=weights)
    mean = shares(weights) @ before
    np.testing.assert_allclose(work.vectors, before - mean, atol=1e-6)
    assert facts == {"mean_length": pytest.approx(np.linalg.norm(mean), rel=1e-5)}


@WEIGHTS
def test_removed_components_are_gone_and_the_rest_stays(do: Do, weights: str) -> None:
    before, p = working().vectors.astype(np.float64), shares(weights)
    work, facts = do(working(), step="remove_components", n=3, weights=weights)
    centered = before - p @ before
    _, singular, directions = np.linalg.svd(np.sqrt(p)[:, None] * centered)
    np.testing.assert_allclose(work.vectors, centered - centered @ directions[:3].T @ directions[:3], atol=1e-5)
    assert facts == {"removed_variance": pytest.approx((singular[:3] ** 2).sum() / (singular**2).sum(), rel=1e-4)}


@WEIGHTS
def test_whitened_vectors_have_the_identity_as_covariance(do: Do, weights: str) -> None:
    work, facts = do(working(), step="whiten", weights=weights)
    p, after = shares(weights), work.vectors.astype(np.float64)
    np.testing.assert_allclose(p @ after, np.zeros(8), atol=1e-5)
    np.testing.assert_allclose((p[:, None] * after).T @ after, np.eye(8), atol=1e-4)
    assert facts["dim"] == 8


def test_whitening_drops_directions_that_the_vectors_do_not_have(do: Do) -> None:
    work = working()
    work.vectors[:, 3] = work.vectors[:, 2]
    work, facts = do(work, step="whiten")
    assert (work.vectors.shape, facts["dim"]) == ((60, 7), 7)


def test_any_prefix_of_reduced_vectors_is_the_best_of_its_length(do: Do) -> None:
    before = working().vectors.astype(np.float64)
    work, facts = do(working(), step="reduce", dim=5)
    left, singular, _ = np.linalg.svd(before, full_matrices=False)
    for n in range(1, 6):
        best = (left[:, :n] * singular[:n]) @ (left[:, :n] * singular[:n]).T
        np.testing.assert_allclose(work.vectors[:, :n] @ work.vectors[:, :n].T, best, atol=1e-3)
    assert facts == {"kept_square_sum": pytest.approx((singular[:5] ** 2).sum() / (singular**2).sum(), rel=1e-5)}


def test_a_rotation_to_all_dimensions_changes_no_product(do: Do) -> None:
    before = working().vectors
    work, _ = do(working(), step="reduce", dim=8)
    np.testing.assert_allclose(work.vectors @ work.vectors.T, before @ before.T, atol=1e-4)


def test_what_leaves_nothing_is_refused(do: Do) -> None:
    same = working()
    same.vectors[:] = 1
    with pytest.raises(StepImpossible, match="Nothing is left of any vector"):
        do(same, step="center", weights="uniform")
    with pytest.raises(StepImpossible, match="nothing left without 8 components"):
        do(working(), step="remove_components", n=8)
    with pytest.raises(StepImpossible, match="8 dimensions cannot be reduced to 9"):
        do(working(), step="reduce", dim=9)


def test_a_word_at_the_mean_leaves_and_is_named(do: Do) -> None:
    work = working(3, 2)
    work.vectors[:] = [[1, 0], [3, 0], [2, 0]]
    work, facts = do(work, step="center", weights="uniform")
    assert (work.words, work.vectors.tolist()) == (["w0", "w1"], [[-1, 0], [1, 0]])
    assert facts["left_out_as_zeros"] == {"n": 1, "first": ["w2"]}
