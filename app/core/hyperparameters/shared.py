"""What a job may set for every algorithm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from app.core.numbers import refuse_boolean

Dim = Annotated[int, Field(ge=2, le=1024, description="length of a vector")]
Epochs = Annotated[int, Field(ge=1, le=1000)]
MinCount = Annotated[int, Field(ge=1, description="rarer words are left out")]
MaxWords = Annotated[int | None, Field(ge=2, description="keep only the most frequent")]
Seed = Annotated[int, Field(ge=0, lt=2**63)]
Threads = Annotated[int | None, Field(ge=1, le=256, description="default: all cores of the trainer")]


class Hyperparameters(BaseModel):
    """What every algorithm can be told; each lists these fields where a reader looks for them, among its own."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    meaning_of_rows: ClassVar[tuple[str, ...]]
    """Names of those that decide what the rows of a table mean to a training that goes on from it."""

    if TYPE_CHECKING:  # at run time pydantic would put them before all fields of the algorithm
        dim: Dim
        window: int
        epochs: Epochs
        stop_patience: int | None
        min_count: MinCount
        max_words: MaxWords
        seed: Seed
        threads: Threads

    @classmethod
    def default_learning_rate(cls, given: dict[str, Any]) -> float:
        """What is taken where no learning rate is given."""
        raise NotImplementedError

    @property
    def rows_beside(self) -> dict[str, int]:
        """What a training keeps of each word beside its vector to go on from it: names of arrays, and their widths."""
        raise NotImplementedError

    @field_validator("*", mode="before")
    @classmethod
    def _tell_booleans_from_numbers(cls, given: object, field: ValidationInfo) -> object:
        if cls.model_fields[field.field_name or ""].annotation is not bool:
            return refuse_boolean(given)
        if not isinstance(given, bool):
            raise ValueError("this is true or false")
        return given

    @model_validator(mode="after")
    def _check_patience(self) -> Self:
        if self.stop_patience is not None and self.stop_patience >= self.epochs:
            raise ValueError("stop_patience must be smaller than epochs to have an effect")
        return self
