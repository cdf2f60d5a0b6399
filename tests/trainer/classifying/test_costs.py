"""What a training of a classifier is expected to take, beside trainings whose time was measured."""

from __future__ import annotations

import pytest

from trainer.classifying.costs import expected_seconds


@pytest.mark.parametrize(
    ("sizes", "measured"),
    [((20_000, 426_203, 100, 2), (0.57, 2.38, 4.29)), ((2_378, 8_329_657, 100, 2), (2.13, 1.04, 13.41))],
)
def test_measured_trainings_are_met_within_a_factor_of_four(
    sizes: tuple[int, int, int, int], measured: tuple[float, ...]
) -> None:
    """Each phase; all together within a quarter."""
    expected = expected_seconds(*sizes)
    assert list(expected) == ["reading", "fitting", "baselines"]
    for seconds, there in zip(expected.values(), measured, strict=True):
        assert there / 4 < seconds < 4 * there
    assert sum(expected.values()) == pytest.approx(sum(measured), rel=0.25)


def test_two_labels_have_one_score_and_more_have_one_each() -> None:
    two, three = (expected_seconds(1000, 20_000, 50, n) for n in (2, 3))
    assert (three["fitting"], three["reading"]) == (3 * two["fitting"], two["reading"])
