"""What a job may set for fastText: what Word2Vec has, and n-grams."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from app.core.hyperparameters.word2vec import Word2VecHyperparameters
from app.core.text.ngrams import Unit, with_max_n

MAX_BUCKETS = 100_000_000
MAX_CHARACTERS = 64
"""Of an n-gram."""


class FastTextHyperparameters(Word2VecHyperparameters):
    """Word2Vec whose input vectors are means of rows of a word and of its n-grams (Bojanowski et al. 2017).

    Words that the corpus lacks are composed of their n-grams, which fall into `n_buckets` by their hash; only buckets
    that words of the corpus have take memory. A learning rate that is left out is 0.05; for CBOW with negative sampling
    0.15 with the root's gradient and 0.3 with the exact one, with hierarchical softmax 0.09 and 0.075.
    """

    meaning_of_rows: ClassVar[tuple[str, ...]] = ("architecture", "objective", "min_n", "max_n", "n_buckets", "unit")
    # benchmarks/README.md has the figures of CBOW
    rates: ClassVar[dict[str, tuple[float, float]]] = {
        "skip-gram": (0.05, 0.05),
        "root": (0.15, 0.09),
        "exact": (0.3, 0.075),
        "legacy": (0.05, 0.05),
    }

    preset: Annotated[Literal["fast", "quality", "small-corpus"] | None, Field(description="for a purpose")] = None
    output: Literal["input"] = "input"
    min_n: Annotated[int, Field(ge=1, le=MAX_CHARACTERS, description="characters of an n-gram, at least")] = 3
    max_n: Annotated[int, Field(ge=1, le=MAX_CHARACTERS, description="and at most")] = 6
    n_buckets: Annotated[
        int, Field(ge=1, le=MAX_BUCKETS, description="into which n-grams fall; those without any take no memory")
    ] = 2_000_000
    unit: Annotated[
        Unit,
        Field(
            description="what n-grams are of: characters, or the jamo of Hangul (and up to four whole syllables), for "
            "which max_n is 5 unless it is given"
        ),
    ] = "character"

    @model_validator(mode="before")
    @classmethod
    def _fill_size(cls, given: Any) -> Any:
        return with_max_n(given)

    @model_validator(mode="after")
    def _check_sizes(self) -> Self:
        if self.min_n > self.max_n:
            raise ValueError("min_n must not exceed max_n")
        return self
