"""The words of a set, found by the same steps as those of a query."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.core.errors import InvalidRequest, NotOneWord
from app.core.evaluation.results import FoundWords
from app.core.evaluation.sets import EvaluationSet, Questions, SetType
from app.core.nearest.scores import DoubleArray
from app.core.table.arrays import FloatArray
from app.core.table.composing import Composer
from app.core.table.terms import Terms
from app.core.text import TextReader

N_MISSING_TOLD = 20
_TO_FIND: dict[SetType, int] = {"analogy": 3, "neighbors": 1}
"""The places of words that are looked for among those of the vocabulary."""
Ids = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Vectors:
    """What is evaluated.

    Parameters
    ----------
    find : words' ids by how they are spelled
    unit : unit vectors, float32 (n_words, dim), the most frequent first
    reader : reads text as the corpus was read
    threads : how many may be used
    composer : of words that are not there, if anything composes them
    composed : directions that were composed, float32 (n, dim); their ids follow those of the words
    """

    find: Callable[[str], int | None]
    unit: FloatArray
    reader: TextReader
    threads: int
    composer: Composer | None = None
    composed: FloatArray | None = None

    def rows(self, ids: Ids) -> FloatArray:
        """Unit vectors of words and of what was composed, float32 (..., dim)."""
        n_words = len(self.unit)
        is_composed = ids >= n_words
        if self.composed is None or not is_composed.any():
            return self.unit[ids]
        found: FloatArray = self.unit[np.where(is_composed, 0, ids)]
        found[is_composed] = self.composed[ids[is_composed] - n_words]
        return found


@dataclass(frozen=True, eq=False)
class SetWords:
    """The words of a set.

    Parameters
    ----------
    ids : of all words, composed ones behind the others, int64 (n_items, longest item), -1 where there is none; shorter
        items repeat their last word, and the name of a category counts as known
    composed : directions of composed words
    missing : the first words without a vector
    found : how many words were found by which step
    """

    ids: Ids
    composed: FloatArray
    missing: list[str]
    found: FoundWords


def words_of(vectors: Vectors, questions: Questions, asked: EvaluationSet) -> SetWords:
    """Find the words of a set; composed ones are told, and have ids where the set asks for them."""
    finding = _Finding(vectors, is_composing=asked.oov == "compose")
    n_words = len(vectors.unit)
    n_known = asked.max_words if questions.type == "analogy" else n_words
    missing: dict[str, None] = {}
    width = max(map(len, questions.items))
    ids = np.empty((len(questions.items), width), np.int64)
    for row, item in enumerate(questions.items):
        for place in range(width):
            if questions.type == "categories" and place:
                ids[row, place] = 0
                continue
            word = item[min(place, len(item) - 1)]
            found = finding.id_of(word)
            if n_known <= found < n_words or (found >= n_words and _TO_FIND.get(questions.type) == place):
                found = -1
            if found < 0:
                missing[word] = None
            ids[row, place] = found
    composed = np.array(finding.composed, np.float32).reshape(-1, vectors.unit.shape[1])
    found_words = FoundWords.model_validate({"n": len(finding.ids), **finding.found_by})
    return SetWords(ids, composed, list(missing)[:N_MISSING_TOLD], found_words)


class _Finding:
    """The distinct words so far."""

    def __init__(self, vectors: Vectors, *, is_composing: bool) -> None:
        self.ids: dict[str, int] = {}
        self.composed: list[DoubleArray] = []
        self.found_by: Counter[str] = Counter()
        self._terms = Terms(vectors.find, vectors.reader, vectors.composer)
        self._first_composed = len(vectors.unit)
        self._is_composing = is_composing

    def id_of(self, word: str) -> int:
        """-1 where there is none."""
        if word not in self.ids:
            self.ids[word] = self._find(word)
        return self.ids[word]

    def _find(self, word: str) -> int:
        try:
            if found := self._terms.find(word):
                self.found_by[found.step] += 1
                return found.id
            composed = self._terms.compose(word)
        except (NotOneWord, InvalidRequest):  # the latter of what a tokenizer cannot read
            return -1
        if composed is None:
            return -1
        self.found_by["composed"] += 1
        if not self._is_composing:
            return -1
        self.composed.append(composed.direction)
        return self._first_composed + len(self.composed) - 1
