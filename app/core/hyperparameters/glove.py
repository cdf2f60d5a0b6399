"""What a job may set for GloVe, with bounds and the papers' defaults."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class GloVeHyperparameters(BaseModel):
    """Global vectors (Pennington, Socher and Manning 2014): weighted least squares on log co-occurrence counts.

    `glove_update` says how AdaGrad steps. "standard" is as published: the learning rate is outside the root.
    "reference" is as in the C program: it is inside, so that it cancels out as squared gradients grow; biases step
    without it, and gradients are clipped at 100. It is the default, as it is better: analogies (top 30,000), WS-353 and
    SimLex-999 after 15 epochs on the enwiki benchmark (dim 100, x_max 10, means of two seeds) are 0.317, 0.455 and
    0.211 for "reference" at 0.05, and 0.309, 0.451 and 0.206 for "standard" at 0.1, which learns too slowly at 0.05
    (analogies 0.238, one seed) and diverges at 0.3. The C program gives 0.312, 0.450 and 0.219 (one seed). A learning
    rate that is left out is 0.05, or 0.1 for "standard".
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    dim: Annotated[int, Field(ge=2, le=1024, description="length of a vector")] = 100
    window: Annotated[
        int, Field(ge=1, le=20, description="words on one side; more would not fit exact 64-bit counts")
    ] = 10
    symmetric: Annotated[bool, Field(description="count both sides; else row = left word, column = right")] = True
    x_max: Annotated[
        float | None, Field(gt=0, le=1e12, description="count from which a cell weighs 1; default by corpus size")
    ] = None
    alpha: Annotated[float, Field(ge=0, le=2, description="a cell weighs (count / x_max) ** alpha")] = 0.75
    glove_update: Annotated[
        Literal["standard", "reference"], Field(description="AdaGrad as published, or as the C program does it")
    ] = "reference"
    learning_rate: Annotated[float | None, Field(gt=0, le=10, description="default by glove_update")] = None
    epochs: Annotated[int, Field(ge=1, le=1000)] = 25
    stop_patience: Annotated[
        int | None, Field(ge=1, le=1000, description="stop after so many epochs without a better held-out cost")
    ] = None
    min_count: Annotated[int, Field(ge=1, description="rarer words are left out")] = 5
    max_words: Annotated[int | None, Field(ge=2, description="keep only the most frequent")] = None
    min_cooccurrence: Annotated[
        float, Field(ge=0, le=1e12, description="cells with a smaller count are left out; 0 keeps all")
    ] = 0.0
    output: Annotated[Literal["word+context", "word", "context"], Field(description="what becomes the table")] = (
        "word+context"
    )
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 1
    threads: Annotated[int | None, Field(ge=1, le=256, description="default: all cores of the trainer")] = None
    memory_limit_bytes: Annotated[
        int, Field(ge=2**26, description="working memory; what does not fit goes to the scratch folder")
    ] = 2**30

    @model_validator(mode="before")
    @classmethod
    def _fill_defaults(cls, given: Any) -> Any:
        if not isinstance(given, dict) or given.get("learning_rate") is not None:
            return given
        return given | {"learning_rate": 0.1 if given.get("glove_update") == "standard" else 0.05}

    @model_validator(mode="after")
    def _check_together(self) -> GloVeHyperparameters:
        if self.stop_patience is not None and self.stop_patience >= self.epochs:
            raise ValueError("stop_patience must be smaller than epochs to have an effect")
        return self

    @property
    def initial_learning_rate(self) -> float:
        return self.learning_rate or 0.0
