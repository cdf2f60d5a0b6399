"""What readers find, on tables where it is known what there is to find."""

from __future__ import annotations

import numpy as np
import pytest

from app.core.evaluation.residue import (
    READERS,
    AssociationChange,
    Cost,
    Debiasing,
    Residual,
    ResidualBias,
    ResidualTest,
)
from trainer.evaluating import residue
from trainer.evaluating.residue import Spaces, cluster_accuracy, residual_bias

N, DIM = 1000, 8
NOTHING = np.empty(0, np.int64)
G = np.eye(DIM)[0]


def unit(rows: np.ndarray) -> np.ndarray:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def biased() -> np.ndarray:
    """The first axis is the bias; how far a word lies from the middle of the second says its size, not its sign."""
    rows = np.random.default_rng(1).standard_normal((N, DIM))
    rows[:, 0] = np.linspace(2, -2, N)[np.random.default_rng(2).permutation(N)]
    return rows


def asked_of(after: np.ndarray, **said: np.ndarray) -> dict[str, Residual]:
    before = biased()
    given = {"left_out": NOTHING, "targets": NOTHING} | said
    found = residual_bias("a - b", Spaces(unit(before), unit(after)), G, given["left_out"], given["targets"])
    return {test.test: test for test in found.tests}


def test_what_is_not_changed_is_found_by_all_readers() -> None:
    found = asked_of(biased())
    assert list(found) == list(READERS)
    assert all(found[test].before == found[test].after for test in found)
    assert (found["clusters"].n, found["linear_probe"].n, found["linear_probe"].n_trained) == (100, 200, 50)
    assert found["clusters"].before == 1
    assert min(found[test].before or 0 for test in ("linear_probe", "rbf_probe", "scaled_rbf_probe")) > 0.95
    assert (found["neighbors"].before, found["neighbors"].note) == (None, "too few words")


def test_what_is_gone_is_found_by_none_and_a_ring_by_the_non_linear_reader_alone() -> None:
    gone = biased()
    gone[:, 0] = 0
    found = asked_of(gone)
    assert all(0.4 < (found[test].after or 0) < 0.6 for test in ("linear_probe", "scaled_rbf_probe", "clusters"))
    ring = gone.copy()
    angles = np.random.default_rng(3).uniform(0, 2 * np.pi, N)
    far = np.where(unit(biased())[:, 0] > 0, 4.0, 0.5)
    ring[:, 1], ring[:, 2] = far * np.cos(angles), far * np.sin(angles)
    found = asked_of(ring)
    assert (found["linear_probe"].after or 1) < 0.62
    assert (found["scaled_rbf_probe"].after or 0) > 0.9


def test_neighbors_are_counted_among_the_words_that_define_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(residue, "MOST_TARGETS", 500)
    monkeypatch.setattr(residue, "TARGETS_AT_ONCE", 200)
    after, left_out, targets = biased(), np.arange(10), np.arange(5, 60)
    found = asked_of(after, left_out=left_out, targets=targets)
    rows, before = unit(after).astype(np.float64), unit(biased())[:, 0].astype(np.float64)
    pool = np.arange(10, N)
    cosines = rows @ rows[pool].T
    for test, asked in (("neighbors", pool[:50]), ("all_neighbors", pool[::2])):
        others = [pool[[j for j in np.argsort(-cosines[i]) if pool[j] != i][:99]] for i in asked]
        often = [np.count_nonzero(before[near] > 0) for near in others]
        assert found[test].n == len(asked)
        assert found[test].before == pytest.approx(np.corrcoef(before[asked], often)[0, 1], abs=1e-3)


def test_two_clusters_are_found_whatever_their_names() -> None:
    rows = np.concatenate([np.zeros((30, 2)), np.full((20, 2), 5.0)]) + np.random.default_rng(0).random((50, 2))
    assert cluster_accuracy(rows, np.arange(50) < 30) == 1
    assert cluster_accuracy(rows, np.arange(50) >= 30) == 1
    assert cluster_accuracy(rows, np.arange(50) % 2 > 0) == pytest.approx(0.5)


def test_a_small_vocabulary_is_told() -> None:
    before = unit(biased()[:300])
    found = residual_bias("a - b", Spaces(before, before), G, NOTHING, NOTHING)
    assert [test.note for test in found.tests] == [*["too few words"] * 5, None]
    told = Debiasing.of([found], [], Cost(steps=[], overlap={}, scores=[])).told
    assert told == "a - b: too few words (300) to tell what a reader still finds."


def said(linear: float, scaled: float, rbf: float = 0.5) -> str:
    values: dict[ResidualTest, float] = {"linear_probe": linear, "rbf_probe": rbf, "scaled_rbf_probe": scaled}
    tests = [
        Residual(test=test, reader="", metric="accuracy", n=4000, before=1.0, after=after)
        for test, after in values.items()
    ]
    flips = [
        AssociationChange(test=name, about="", before=0.97, after=after, p_before=0.02, p_after=0.9)
        for name, after in (("WEAT7", -1.14), ("WEAT6", 0.9))
    ]
    bias = ResidualBias(direction="she - he", n_words=26_142, tests=tests)
    found = Debiasing.of([bias], flips, Cost(steps=[], overlap={}, scores=[]))
    assert found.flipped == ["WEAT7"]
    assert found.told.endswith(" The bias has changed its sign in WEAT7 (0.97, now -1.14).")
    return found.told.removesuffix(" The bias has changed its sign in WEAT7 (0.97, now -1.14).")


def test_the_report_says_first_what_is_still_found() -> None:
    assert said(0.46, 0.83) == (
        "she - he: a linear reader no longer finds it (accuracy 0.46, before 1.00); a non-linear one does, with "
        "accuracy 0.83, before 1.00."
    )
    assert "a linear reader still finds it, with accuracy 0.92, before 1.00; a non-linear one does" in said(0.92, 0.94)
    assert "neither a linear reader (accuracy 0.50, before 1.00) nor a non-linear one finds it" in said(0.5, 0.51)
