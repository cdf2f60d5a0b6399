"""What an evaluation has found: kept with its version, and never changed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.core.evaluation.bias.results import BiasReport
from app.core.evaluation.residue import Debiasing
from app.core.evaluation.sets import SetType
from app.core.oov import Oov
from app.core.table.manifest import FileOrigin

Metric = Literal[
    "spearman", "accuracy", "accuracy_3cosmul", "semantic", "syntactic", "opp", "purity", "recall", "share"
]
MAIN_METRIC: dict[SetType, Metric] = {
    "similarity": "spearman",
    "analogy": "accuracy",
    "outlier": "accuracy",
    "categories": "purity",
    "neighbors": "recall",
    "words": "share",
}
"""The one that versions are compared by."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Interval(_Part):
    """Where the value lies with 95 % confidence: percentiles of a bootstrap, which draws `over` items or sections."""

    low: float
    high: float
    over: Literal["items", "sections"]


class Score(_Part):
    value: float
    interval: Interval | None = None


class SectionScore(_Part):
    """The main metric of a section; null where none of its questions is covered."""

    name: str
    n: int
    n_covered: int
    value: float | None


class FoundWords(_Part):
    """How the different words of a set were found, by the steps of a query; the others were not.

    Composed ones are counted even where the set leaves them out.
    """

    n: int
    exact: int = 0
    normalised: int = 0
    tokenised: int = 0
    composed: int = 0


class Before(_Part):
    """The main score of the version that another one is derived from."""

    value: float | None
    n_covered: int


class SetResult(_Part):
    """The scores of one set, over the questions that are covered: whose words all have vectors."""

    file: FileOrigin
    type: SetType
    max_words: int
    k: int
    metric: Annotated[Metric, Field(description="the main one, by which versions are compared")]
    convention: Annotated[str, Field(description="how the scores are made; another one gives other numbers")]
    n: Annotated[int, Field(description="questions")]
    n_covered: int
    coverage: float
    scores: dict[Metric, Score]
    of_all: Annotated[float | None, Field(description="the main score times the coverage")]
    sections: list[SectionScore] = []
    missing: Annotated[list[str], Field(description="the first words that have no vector")] = []
    oov: Oov = "reject"
    found: Annotated[FoundWords | None, Field(description="null where it was not counted yet")] = None
    before: Annotated[
        Before | None, Field(description="of a derived version: what its parent had, if it was evaluated with the set")
    ] = None

    @property
    def value(self) -> float | None:
        """The main score; None if nothing is covered."""
        found = self.scores.get(self.metric)
        return found.value if found else None

    def asks_the_same(self, other: SetResult) -> bool:
        """Whether both answered the same questions in the same way."""
        return all(
            getattr(self, name) == getattr(other, name) for name in ("type", "max_words", "k", "metric", "convention")
        ) and (self.file.sha256 == other.file.sha256)


class Outcomes(_Part):
    """One number a question in the order of the file, None where it is not covered: all that scores are made from.

    Of `similarity` the cosines, with what people said as `gold`; else 1 for right and 0 for wrong. `starts` are the
    first questions of the sections.
    """

    values: list[float | None]
    gold: list[float] = []
    starts: list[int] = []


class Geometry(_Part):
    """How the most frequent vectors lie, without any questions.

    `mean_cosine` of random pairs; `participation_ratio` (sum of the covariance's eigenvalues, squared, by the sum of
    their squares) of `dim`; `isotropy` of Mu and Viswanath (2018); skewness of how often a word is among the ten
    nearest of others, and the share of words that never are; correlation of length and the logarithm of the rank.
    """

    n_words: int
    dim: int
    mean_cosine: float
    participation_ratio: float
    isotropy: float
    hubness_skew: float
    antihubs: float
    norm_rank_correlation: float | None


class EvaluationReport(_Part):
    """One evaluation of one version."""

    sets: list[SetResult]
    geometry: Geometry
    bias: Annotated[list[BiasReport], Field(description="one a collection of word sets")] = []
    seconds: float
    debiasing: Annotated[
        Debiasing | None, Field(description="of a version that steps against a bias have made: what is left of it")
    ] = None
