from __future__ import annotations

from itertools import accumulate

import pytest

from trainer.steps.patience import is_stalled


@pytest.mark.parametrize(
    ("losses", "patience", "expected"),
    [
        ([], 2, False),
        ([3, 2, 1], 1, False),
        ([3, 2, 2], 1, True),
        ([3, 1, 2], 2, False),
        ([3, 1, 2, 1], 2, True),
        ([3, 2, 2.5, 2.6], 2, True),
        ([3, 3, 3], None, False),
    ],
)
def test_it_stalls_after_patience_epochs_without_a_better_one(
    losses: list[float], patience: int | None, expected: bool
) -> None:
    assert is_stalled(losses, patience) is expected


def test_a_training_stops_at_the_first_epoch_that_stalls() -> None:
    runs = list(accumulate(([loss] for loss in (3.0, 2.0, 2.5, 2.6, 1.0)), lambda before, loss: before + loss))
    assert [is_stalled(losses, 2) for losses in runs] == [False, False, False, True, False]
