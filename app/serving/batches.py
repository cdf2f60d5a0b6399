"""Several questions in one request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

from pydantic import Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator
from pydantic_core import ErrorDetails

from app.serving.asking import MAX_BATCH, Query, Target

Q = TypeVar("Q", bound=Query)


@dataclass(frozen=True)
class Refused:
    """An item of a batch that is no question, and what is wrong with it."""

    errors: list[ErrorDetails]

    def found_at(self, place: int) -> list[dict[str, Any]]:
        """The same as issues of the whole body."""
        return [{**error, "loc": ("body", "queries", place, *error["loc"])} for error in self.errors]


def _or_refused(given: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    try:
        return validate(given)
    except ValidationError as error:
        return Refused(error.errors(include_url=False))


class Batch(Target, Generic[Q]):
    """Several questions; each is answered or refused on its own. Who is asked may stand here or in the address."""

    queries: Annotated[list[Annotated[Q, WrapValidator(_or_refused)]], Field(min_length=1, max_length=MAX_BATCH)]
