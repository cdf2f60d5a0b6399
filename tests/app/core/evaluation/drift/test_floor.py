"""Planted changes are found, chance is not, and the statistics are those of scipy."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.stats import false_discovery_control, norm

from app.core.evaluation.drift.floor import Floor, benjamini_hochberg, floor_of, floor_of_replicas, significance
from app.core.evaluation.drift.measures import overlaps, surroundings
from app.core.evaluation.drift.spaces import Pair
from app.core.nearest.scores import DoubleArray
from tests.app.core.evaluation.drift.planted import CHANGED, SWAPPED, cluster_of, learned, space


def judged(pair: Pair, floor: Floor | None = None) -> tuple[list[str], DoubleArray]:
    """All words, the most changed first, and their q values in that order."""
    words = pair.considered(min_count=1, max_words=10_000)
    around, rarity = surroundings(pair, words), pair.rarity(words)
    shift = around.shift(around.ratio)
    floor = floor or floor_of(pair, rarity, shift, overlaps(pair, words))
    found = significance(floor, rarity, shift)
    order = np.argsort(-found.z)
    names = [pair.first.vocabulary.word(i) for i in words.first[order].tolist()]
    return names, benjamini_hochberg(found.p)[order]


def test_words_that_changed_places_are_found() -> None:
    names, q = judged(Pair.of(space(learned(1)), space(learned(2, dim=40, pairs=SWAPPED))))
    assert set(names[: len(CHANGED)]) == CHANGED
    found = {name for name, value in zip(names, q.tolist(), strict=True) if value <= 0.05}
    assert found >= CHANGED
    assert {cluster_of(word) for word in found} == {cluster_of(word) for word in CHANGED}, (
        "or it is among their neighbours"
    )


def test_chance_is_not_found() -> None:
    _, q = judged(Pair.of(space(learned(1)), space(learned(2))))
    assert (q <= 0.05).sum() <= 1


def test_a_floor_of_replicas_is_json_and_finds_the_same() -> None:
    told = json.loads(json.dumps(floor_of_replicas(space(learned(5)), space(learned(6)))))
    floor = Floor.model_validate(told)
    assert (floor.by, floor.k, len(floor.bins), sum(each.n_words for each in floor.bins)) == ("count", 25, 5, 1000)
    edges = [each.edge for each in floor.bins]
    assert edges == sorted(edges, reverse=True)
    assert edges[-1] == 160
    assert all(0.5 < each.overlap_at_10 < 0.95 for each in floor.bins)
    names, _ = judged(Pair.of(space(learned(1)), space(learned(2, pairs=SWAPPED))), floor)
    assert set(names[: len(CHANGED)]) == CHANGED
    _, q = judged(Pair.of(space(learned(1)), space(learned(2))), floor)
    assert (q <= 0.05).sum() <= 1


def test_words_belong_to_the_bin_of_their_frequency() -> None:
    bins = [{"edge": edge, "n_words": 1, "center": 0, "scale": 1, "overlap_at_10": 0} for edge in (500, 100, 20)]
    floor = Floor.model_validate({"by": "count", "k": 25, "bins": bins})
    assert floor.bin_of(-np.array([9000, 500, 499, 100, 99, 20, 1])).tolist() == [0, 0, 1, 1, 2, 2, 2]
    bins = [each | {"edge": edge} for each, edge in zip(bins, (10, 100, 1000), strict=True)]
    floor = Floor.model_validate({"by": "rank", "k": 25, "bins": bins})
    assert floor.bin_of(np.array([1, 10, 11, 100, 101, 5000])).tolist() == [0, 0, 1, 1, 2, 2]


def test_without_counts_the_rank_decides() -> None:
    pair = Pair.of(space(learned(1), counts_known=False), space(learned(2)))
    words = pair.considered(min_count=260, max_words=1000)
    assert len(words.first) == 500, "where they are known, counts count"
    rarity = pair.rarity(words)
    assert rarity.tolist() == list(range(1, 501))
    floor = floor_of(pair, rarity, np.full(500, 0.1), overlaps(pair, words))
    assert (floor.by, [each.edge for each in floor.bins]) == ("rank", [250, 500])


def test_probabilities_are_those_of_the_normal_distribution() -> None:
    bins = [{"edge": 1, "n_words": 9, "center": -3.0, "scale": 0.5, "overlap_at_10": 0}]
    floor = Floor.model_validate({"by": "rank", "k": 25, "bins": bins})
    found = significance(floor, np.arange(4), np.exp([-4.0, -3.0, -2.5, -1.0]))
    assert found.z == pytest.approx([-2, 0, 1, 4])
    assert found.p == pytest.approx(norm.sf([-2, 0, 1, 4]))
    assert significance(floor, np.arange(2), np.array([0.0, 1e-3])).z.tolist() == [2 * (np.log(1e-3) + 3)] * 2
    p = np.random.default_rng(0).random(50) ** 3
    assert benjamini_hochberg(p) == pytest.approx(false_discovery_control(p))


def test_equal_spaces_have_no_change() -> None:
    one = space(learned(1))
    _, q = judged(Pair.of(one, one))
    assert q == pytest.approx(0.5, abs=1e-3)
