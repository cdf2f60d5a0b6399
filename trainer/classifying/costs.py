"""How long the training of a classifier will take, before its speed is measured."""

from __future__ import annotations

READING, FITTING, BASELINES = "reading", "fitting", "baselines"
"""The phases of the job, on one core each."""
CHARACTER_SECONDS, TEXT_SECONDS = 2.5e-7, 2.5e-5
"""Of reading."""
NUMBER_SECONDS = 1.2e-6
"""Of all fits, for each feature of a text and each score."""
NGRAM_SECONDS = 7e-7
"""Of counting n-grams, for each character."""
ENTRY_SECONDS = 2e-6
"""Of the fits of the baseline, for each n-gram that a text has, and each score."""
ENTRIES_A_CHARACTER, ENTRIES_A_TEXT = 4, 1600
"""A short text has four n-grams a character, a long one has most of them again."""
# 20,000 reviews of 21 characters, 100 features, 2 labels: 0.6 s, 2.4 s, 4.3 s; 2,378 chapters of 3,500: 2.1, 1.0, 13.4.


def expected_seconds(n_texts: int, n_characters: int, n_features: int, n_classes: int) -> dict[str, float]:
    """Seconds of each phase.

    Parameters
    ----------
    n_texts, n_characters : of the file, all texts together
    n_features : of a text
    n_classes : labels
    """
    n_scores = 1 if n_classes == 2 else n_classes
    n_entries = min(ENTRIES_A_CHARACTER * n_characters, ENTRIES_A_TEXT * n_texts)
    return {
        READING: n_characters * CHARACTER_SECONDS + n_texts * TEXT_SECONDS,
        FITTING: n_texts * n_features * n_scores * NUMBER_SECONDS,
        BASELINES: n_characters * NGRAM_SECONDS + n_entries * n_scores * ENTRY_SECONDS,
    }
