"""Explains every problem type at its own address."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from app.core.errors import WordkinError
from app.error_handlers import STATUS

router = APIRouter(tags=["operations"])

_BY_SLUG = {error.slug: error for error in WordkinError.__subclasses__()}


class ProblemType(BaseModel):
    """What a problem's `type` means; `status` is none for problems that only a job can have."""

    type: str
    title: str
    status: int | None
    meaning: str


def _describe(error: type[WordkinError]) -> ProblemType:
    status = STATUS.get(error)
    return ProblemType(
        type=f"/problems/{error.slug}",
        title=error.title,
        status=status.value if status else None,
        meaning=(error.__doc__ or "").strip(),
    )


@router.get("/problems", operation_id="list_problem_types")
def list_types() -> list[ProblemType]:
    """List every type of problem that this service reports."""
    return [_describe(error) for error in _BY_SLUG.values()]


@router.get("/problems/{slug}", operation_id="get_problem_type")
def read_type(slug: str) -> ProblemType:
    """Explain one type of problem."""
    if slug not in _BY_SLUG:
        raise HTTPException(404, f"there is no problem type {slug!r}")
    return _describe(_BY_SLUG[slug])
