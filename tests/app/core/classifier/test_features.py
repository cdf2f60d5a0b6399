"""Features by hand, and that no text's depend on another's."""

from __future__ import annotations

import numpy as np
import pytest

from app.core.classifier import features as module
from app.core.classifier.features import FeatureKind, KnownWords, document_counts, features, weights_of_words

VECTORS = np.array([[1, 0], [0, 1], [-1, 0]], np.float32)
COUNTS = np.array([90, 9, 1])


def known(*texts: list[int]) -> KnownWords:
    offsets = np.cumsum([0, *map(len, texts)])
    return KnownWords(np.array([i for text in texts for i in text], np.int64), offsets)


TEXTS = known([0, 1, 1], [2], [0, 2])


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("mean", [[1 / 3, 2 / 3], [-1, 0], [0, 0]]),
        ("mean-max-min", [[1 / 3, 2 / 3, 1, 1, 0, 0], [-1, 0, -1, 0, -1, 0], [0, 0, 1, 0, -1, 0]]),
    ],
)
def test_means_and_extremes(kind: FeatureKind, expected: list[list[float]]) -> None:
    np.testing.assert_allclose(features(kind, VECTORS, None, TEXTS), expected)


def test_rare_words_weigh_more() -> None:
    sif = weights_of_words("sif", COUNTS, TEXTS)
    assert sif is not None
    np.testing.assert_allclose(sif, [1e-3 / (1e-3 + p) for p in (0.9, 0.09, 0.01)], rtol=1e-6)
    a, b = sif[0], sif[1]
    np.testing.assert_allclose(features("sif", VECTORS, sif, TEXTS)[0], [a / (a + 2 * b), 2 * b / (a + 2 * b)])
    assert document_counts(TEXTS, 3).tolist() == [2, 1, 2]
    tfidf = weights_of_words("tfidf", COUNTS, TEXTS)
    assert tfidf is not None
    np.testing.assert_allclose(tfidf, [np.log(4 / 3) + 1, np.log(4 / 2) + 1, np.log(4 / 3) + 1], rtol=1e-6)
    assert weights_of_words("mean", COUNTS, TEXTS) is None


@pytest.fixture
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WORDS_AT_A_TIME", 7)


@pytest.mark.usefixtures("_small_blocks")
@pytest.mark.parametrize("kind", ["mean", "sif", "tfidf", "mean-max-min"])
def test_a_text_has_the_same_bytes_alone_as_among_others(kind: FeatureKind) -> None:
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((50, 9)).astype(np.float32)
    texts = [rng.integers(0, 50, n).tolist() for n in (1, 30, 2, 5, 8, 3)]
    weights = weights_of_words(kind, np.arange(50, 0, -1), known(*texts))
    together = features(kind, vectors, weights, known(*texts))
    for text, row in zip(texts, together, strict=True):
        assert features(kind, vectors, weights, known(text))[0].tobytes() == row.tobytes()
