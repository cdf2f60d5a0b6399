from __future__ import annotations

import numpy as np

from app.core.steps import Hard, Leace
from app.core.text import TextReader, TextSpec
from tests.published import vocabulary_of
from trainer.deriving.concepts import Concept, concept_of
from trainer.deriving.working import Sources, Working

WORDS = ["a", "b", "c", "d", "e"]
VECTORS = np.array([[1, 0], [0, 2], [-3, 0], [0, -1], [3, 4]], np.float32)


def concept(step: Hard | Leace) -> Concept:
    work = Working(list(WORDS), vocabulary_of(WORDS).counts, VECTORS.copy())
    return concept_of(work, step, Sources({}, {}, TextReader(TextSpec())))


def test_a_reader_looks_along_the_first_pair_that_there_is() -> None:
    found = concept(Hard(step="hard", pairs=(("x", "a"), ("a", "b"), ("c", "d")), specific=("e", "z"), max_missing=0.5))
    assert list(found.directions) == ["a - b"]
    np.testing.assert_allclose(found.directions["a - b"], [1, -1])
    assert found.left_out.tolist() == [0, 1, 2, 3, 4]
    assert concept(Hard(step="hard", pairs=(("a", "b"),), equalize=(("c", "d"),))).left_out.tolist() == [0, 1, 2, 3]


def test_of_two_groups_from_one_to_the_other_and_of_more_from_all_others() -> None:
    two = concept(Leace(step="leace", groups={"one": ("a", "e"), "two": ("b",)}, specific=("d",)))
    np.testing.assert_allclose(two.directions["one - two"], [0.8, 0.4 - 1], atol=1e-7)
    assert two.left_out.tolist() == [3]
    three = concept(Leace(step="leace", groups={"one": ("a",), "two": ("b",), "three": ("c",)}))
    assert list(three.directions) == ["one - others", "two - others", "three - others"]
    np.testing.assert_allclose(three.directions["one - others"], [1.5, -0.5])
