from __future__ import annotations

import numpy as np
import pytest

from app.core.evaluation.bias.words import shipped
from app.core.text import TextReader, TextSpec
from tests.published import random_vectors
from trainer.evaluating.associations import association_changes
from trainer.evaluating.words import Vectors

TEST = shipped("weat").tests["WEAT7"]
SETS = [[item.word for item in shipped("weat").sets[name]] for name in (*TEST.targets, *TEST.attributes)]
WORDS = list(dict.fromkeys(word for words in SETS for word in words))


def table(words: list[str], vectors: np.ndarray) -> Vectors:
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    ids = {word: i for i, word in enumerate(words)}
    return Vectors(ids.get, unit.astype(np.float32), TextReader(TextSpec(case="keep")), 1)


def effect(words: list[str], vectors: np.ndarray) -> float:
    rows = {word: vector / np.linalg.norm(vector) for word, vector in zip(words, vectors, strict=True)}
    near = [[np.mean([rows[w] @ rows[a] for a in SETS[2]]) - np.mean([rows[w] @ rows[b] for b in SETS[3]])
             for w in words if w in rows] for words in SETS[:2]]  # fmt: skip
    return float((np.mean(near[0]) - np.mean(near[1])) / np.std([*near[0], *near[1]], ddof=1))


def test_an_effect_is_told_before_and_after() -> None:
    vectors = random_vectors(len(WORDS), 6)
    turned = vectors.copy()
    turned[[WORDS.index(word) for word in SETS[2] + SETS[3]]] *= -1
    (found,) = (
        each for each in association_changes(table(WORDS, vectors), table(WORDS, turned)) if each.test == "WEAT7"
    )
    expected = effect(WORDS, vectors)
    assert found.before == pytest.approx(expected, abs=1e-4)
    assert found.after == pytest.approx(-expected, abs=1e-4)
    assert found.is_flipped
    assert found.p_before + found.p_after == pytest.approx(1, abs=1e-3)  # one-sided, of two signs


def test_both_are_asked_about_the_words_that_both_have() -> None:
    vectors, fewer = random_vectors(len(WORDS), 6), [word for word in WORDS if word != SETS[0][0]]
    before, after = table(WORDS, vectors), table(fewer, random_vectors(len(fewer), 6))
    own = table(fewer, vectors[[WORDS.index(word) for word in fewer]])
    assert [each.before for each in association_changes(before, after)] == [
        each.before for each in association_changes(own, after)
    ]
    strange = table(["x", "y"], np.eye(2))
    assert association_changes(strange, strange) == []
