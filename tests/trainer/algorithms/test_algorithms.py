from __future__ import annotations

from app.core import hyperparameters
from trainer import algorithms


def test_every_algorithm_that_a_job_may_name_can_be_trained() -> None:
    assert list(algorithms.ALGORITHMS) == list(hyperparameters.ALGORITHMS)
