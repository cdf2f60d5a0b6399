"""What is left of a bias after a step against it, and what the step has cost: side by side, kept with the version."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

ResidualTest = Literal["clusters", "linear_probe", "rbf_probe", "scaled_rbf_probe", "neighbors", "all_neighbors"]
READERS: dict[ResidualTest, str] = {
    "clusters": "k-means of two clusters of the words that were most biased either way, the best of 10 starts",
    "linear_probe": "support vector machine, linear kernel, C = 1; mean of 3 draws",
    "rbf_probe": "support vector machine, RBF kernel, gamma 1 / dim, C = 1; mean of 3 draws",
    "scaled_rbf_probe": "support vector machine, RBF kernel, gamma 1 / (dim * variance), C = 1; mean of 3 draws",
    "neighbors": "Pearson's correlation of the bias that professions had with how many of their nearest words were "
    "biased the same way",
    "all_neighbors": "the same correlation of all words, or of every nth of them",
}
"""The tests of Gonen and Goldberg, "Lipstick on a Pig" (2019), and a stricter probe."""
LEAST_FOUND = 0.55
"""An accuracy up to this is no finding, where a coin has 0.5."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Residual(_Part):
    """What one reader finds, of vectors as the parent has them and as this version has them."""

    test: ResidualTest
    reader: str
    metric: Literal["accuracy", "pearson"]
    n: Annotated[int, Field(description="words that it is asked about")]
    n_trained: Annotated[int, Field(description="words that it has learned from")] = 0
    before: float | None = None
    after: float | None = None
    note: Annotated[str | None, Field(description="such as that there are too few words")] = None


class ResidualBias(_Part):
    """The tests for one direction of the parent, among words that do not define it."""

    direction: Annotated[str, Field(examples=["she - he"])]
    n_words: Annotated[int, Field(description="the most frequent words that are no words of the step's lists")]
    tests: list[Residual]

    def greatest(self, *names: ResidualTest) -> Residual | None:
        """The test of these that finds most afterwards."""
        found = [each for each in self.tests if each.test in names and each.after is not None]
        return max(found, key=lambda each: each.after or 0.0, default=None)


class AssociationChange(_Part):
    """The effect size of a WEAT and its p, before and after."""

    test: str
    about: str
    before: float
    after: float
    p_before: float
    p_after: float

    @property
    def is_flipped(self) -> bool:
        return self.before * self.after < 0


class ScoreChange(_Part):
    """The main score of a set of questions, before and after."""

    file: str
    metric: str
    before: float | None
    after: float | None


class Cost(_Part):
    """What else has changed: cosines of vectors before and after a step, the ten nearest words, scores of sets."""

    steps: Annotated[list[dict[str, Any]], Field(description="each step with its cosines")]
    overlap: Annotated[dict[str, Any], Field(description="of the ten nearest words with the parent's")]
    scores: Annotated[list[ScoreChange], Field(description="of the sets of the model's policy")]


class Debiasing(_Part):
    """A version after steps against a bias; `told` says first what is still found."""

    told: str
    flipped: Annotated[list[str], Field(description="WEATs whose effect has changed its sign")]
    residue: list[ResidualBias]
    associations: list[AssociationChange]
    cost: Cost

    @classmethod
    def of(cls, residue: list[ResidualBias], associations: list[AssociationChange], cost: Cost) -> Debiasing:
        flipped = [each for each in associations if each.is_flipped]
        told = [_still_found(each) for each in residue]
        if flipped:
            changes = ", ".join(f"{each.test} ({each.before:.2f}, now {each.after:.2f})" for each in flipped)
            told.append(f"The bias has changed its sign in {changes}.")
        return cls(
            told=" ".join(told),
            flipped=[each.test for each in flipped],
            residue=residue,
            associations=associations,
            cost=cost,
        )


def _still_found(bias: ResidualBias) -> str:
    linear = bias.greatest("linear_probe")
    other = bias.greatest("rbf_probe", "scaled_rbf_probe", "clusters")
    if other is None:
        return f"{bias.direction}: too few words ({bias.n_words}) to tell what a reader still finds."
    told = f"with accuracy {_accuracy(other)}"
    if linear is None:
        return f"{bias.direction}: clusters show it {told}; there are too few words ({bias.n_words}) for a probe."
    if _is_found(linear):
        still = f"a linear reader still finds it, with accuracy {_accuracy(linear)}"
        return f"{bias.direction}: {still}; a non-linear one does, {told}."
    if _is_found(other):
        no_longer = f"a linear reader no longer finds it (accuracy {_accuracy(linear)})"
        return f"{bias.direction}: {no_longer}; a non-linear one does, {told}."
    neither = f"neither a linear reader (accuracy {_accuracy(linear)}) nor a non-linear one finds it"
    return f"{bias.direction}: {neither}, {told}."


def _accuracy(test: Residual) -> str:
    return f"{test.after:.2f}, before {test.before:.2f}"


def _is_found(test: Residual) -> bool:
    """More than chance is: two standard deviations of a coin's accuracy, and at least `LEAST_FOUND`."""
    return (test.after or 0.0) > max(LEAST_FOUND, 0.5 + 1 / math.sqrt(max(test.n, 1)))
