from __future__ import annotations

from trainer.steps.keys import SAMPLE_EPOCH, GloVeKey, Word2VecKey


def test_the_numbers_stay_as_they_are() -> None:
    """Another number gives other vectors for the same seed."""
    assert {key.name: key.value for key in Word2VecKey} == {"TOKENS": 0, "NOISE": 1, "INITIAL": 2}
    assert {key.name: key.value for key in GloVeKey} == {"HELD_OUT": 1, "INITIAL": 2, "ORDER": 3}
    assert SAMPLE_EPOCH == 2**32
