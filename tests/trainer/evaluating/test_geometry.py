"""Figures of a space that is made to have them."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.quality import unit_rows
from trainer.evaluating.geometry import geometry


def test_directions_that_are_all_alike() -> None:
    vectors = np.random.default_rng(0).standard_normal((5000, 16)).astype(np.float32)
    unit = unit_rows(vectors)
    found = geometry(unit, np.linalg.norm(vectors, axis=1))
    assert found.mean_cosine == pytest.approx(0, abs=0.01)
    assert found.participation_ratio == pytest.approx(16, rel=0.02)
    assert found.isotropy > 0.95
    assert abs(found.norm_rank_correlation or 1) < 0.05
    assert (found.n_words, found.dim) == (5000, 16)


def test_a_common_direction_and_a_hub() -> None:
    generator = np.random.default_rng(0)
    vectors = generator.standard_normal((500, 16)).astype(np.float32)
    vectors[:, 0] += 5
    vectors[7] = np.eye(16)[0]  # the middle of all
    found = geometry(unit_rows(vectors), np.arange(500, 0, -1).astype(np.float32))
    assert found.mean_cosine > 0.5
    assert found.isotropy < 0.5
    assert found.hubness_skew > 2
    assert (found.norm_rank_correlation or 0) < -0.7


def test_how_often_words_are_near_is_counted_by_a_whole_scan() -> None:
    unit = unit_rows(np.random.default_rng(2).standard_normal((80, 6)).astype(np.float32))
    scores = unit @ unit.T
    np.fill_diagonal(scores, -2)
    often = np.bincount(np.argsort(-scores, axis=1)[:, :10].ravel(), minlength=80)
    skew = (((often - often.mean()) / often.std()) ** 3).mean()
    found = geometry(unit, np.ones(80, np.float32))
    assert found.hubness_skew == pytest.approx(skew)
    assert found.antihubs == pytest.approx((often == 0).mean())
    assert found.norm_rank_correlation is None


def test_two_words_are_enough() -> None:
    assert geometry(np.eye(2, 3, dtype=np.float32), np.ones(2, np.float32)).n_words == 2
