"""What a job may set for GloVe, with bounds and the papers' defaults."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from app.core.hyperparameters.shared import Dim, Epochs, Hyperparameters, MaxWords, MinCount, Seed, Threads

# Analogies (top 30,000), WS-353 and SimLex-999 after 15 epochs on the enwiki benchmark (dim 100, x_max 10, means of two
# seeds): 0.317, 0.455, 0.211 for "reference" at 0.05; 0.309, 0.451, 0.206 for "standard" at 0.1. "standard" learns too
# slowly at 0.05 (analogies 0.238, one seed) and diverges at 0.3. The C program has 0.312, 0.450, 0.219 (one seed).
LEARNING_RATES = {"reference": 0.05, "standard": 0.1}
"""What is taken where no learning rate is given, by `glove_update`."""

DistanceWeighting = Literal["harmonic", "equal"]
MOST_HARMONIC = 20
"""The largest window of which lcm(1..window) leaves room for sums in 64 bits."""


class GloVeHyperparameters(Hyperparameters):
    """Global vectors (Pennington, Socher and Manning 2014): weighted least squares on log co-occurrence counts.

    `glove_update` says how AdaGrad steps. "standard" is as published: the learning rate is outside the root.
    "reference" is as in the C program: it is inside, so that it cancels out as squared gradients grow; biases step
    without it, and gradients are clipped at 100. "reference" gives better vectors, so it is the default. A learning
    rate that is left out is 0.05, or 0.1 for "standard".
    """

    meaning_of_rows: ClassVar[tuple[str, ...]] = ("symmetric", "output")

    dim: Dim = 100
    window: Annotated[
        int, Field(ge=1, le=100, description="words on one side; of `harmonic` at most 20, for exact 64-bit counts")
    ] = 10
    distance_weighting: Annotated[
        DistanceWeighting,
        Field(description="a pair counts 1 / distance, or 1: for baskets and walks, with the whole line as window"),
    ] = "harmonic"
    symmetric: Annotated[bool, Field(description="count both sides; else row = left word, column = right")] = True
    x_max: Annotated[
        float | None, Field(gt=0, le=1e12, description="count from which a cell weighs 1; default by corpus size")
    ] = None
    alpha: Annotated[float, Field(ge=0, le=2, description="a cell weighs (count / x_max) ** alpha")] = 0.75
    glove_update: Annotated[
        Literal["standard", "reference"], Field(description="AdaGrad as published, or as the C program does it")
    ] = "reference"
    learning_rate: Annotated[float | None, Field(gt=0, le=10, description="default by glove_update")] = None
    epochs: Epochs = 25
    stop_patience: Annotated[
        int | None, Field(ge=1, le=1000, description="stop after so many epochs without a better held-out cost")
    ] = None
    min_count: MinCount = 5
    max_words: MaxWords = None
    min_cooccurrence: Annotated[
        float, Field(ge=0, le=1e12, description="cells with a smaller count are left out; 0 keeps all")
    ] = 0.0
    output: Annotated[Literal["word+context", "word", "context"], Field(description="what becomes the table")] = (
        "word+context"
    )
    seed: Seed = 1
    threads: Threads = None
    memory_limit_bytes: Annotated[
        int, Field(ge=2**26, description="working memory; what does not fit goes to the scratch folder")
    ] = 2**30

    @model_validator(mode="after")
    def _check_window(self) -> Self:
        if self.distance_weighting == "harmonic" and self.window > MOST_HARMONIC:
            raise ValueError(
                f"window {self.window} needs distance_weighting 'equal'; 'harmonic' is exact up to {MOST_HARMONIC}"
            )
        return self

    @model_validator(mode="before")
    @classmethod
    def _fill_defaults(cls, given: Any) -> Any:
        if not isinstance(given, dict) or given.get("learning_rate") is not None:
            return given
        return given | {"learning_rate": cls.default_learning_rate(given)}

    @classmethod
    def default_learning_rate(cls, given: dict[str, Any]) -> float:
        return LEARNING_RATES["standard" if given.get("glove_update") == "standard" else "reference"]

    @property
    def rows_beside(self) -> dict[str, int]:
        return {"word_vectors" if self.output == "context" else "context_vectors": self.dim, "biases": 4}

    @property
    def counted(self) -> tuple[int, bool, DistanceWeighting]:
        """What a co-occurrence table was counted with: window, sides and weighting."""
        return self.window, self.symmetric, self.distance_weighting

    @property
    def initial_learning_rate(self) -> float:
        return self.learning_rate or 0.0
