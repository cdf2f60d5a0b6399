"""The same questions, many in one request: each is answered, or refused with its own problem, in its place."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Query, Request, Response

from app.core import errors
from app.core.errors import InvalidRequest, WordkinError
from app.search import answer_schemas
from app.search.answer_schemas import BatchAnswer
from app.search.answers import answer_batch, encoded
from app.serving import answering as queries
from app.serving import questions as schemas
from app.serving.questions import Batch, Target
from app.serving.registry import Registry
from app.serving.version import ServedVersion
from app.web.dependencies import RegistryDependency
from app.web.problems import problem_of, problem_responses

router = APIRouter(tags=["search"])

MAX_ANSWERS = 25_600
AT_A_TIME = 64

AskedTarget = Annotated[Target, Query()]
Q = TypeVar("Q", bound=schemas.Query)
BATCH_ERRORS = problem_responses(
    errors.InvalidRequest,
    errors.ModelRequired,
    errors.ModelNotFound,
    errors.VersionNotFound,
    errors.VersionNotLoaded,
    errors.DatabaseUnavailable,
)


async def _answer(
    request: Request,
    registry: Registry,
    target: Target,
    batch: Sequence[Q],
    ask: Callable[[ServedVersion, Q], Awaitable[dict[str, Any]]],
) -> Response:
    if sum(getattr(query, "k", 0) for query in batch) > MAX_ANSWERS:
        raise InvalidRequest(f"A batch may ask for {MAX_ANSWERS} words in all (the sum of k).")
    version = await registry.get(target.model, target.version)

    async def answered(query: Q) -> bytes:
        try:
            return encoded(await ask(version, query))
        except WordkinError as error:
            return encoded({"error": problem_of(error, request.url.path)[1]})

    items: list[bytes] = []
    for start in range(0, len(batch), AT_A_TIME):
        items += await asyncio.gather(*map(answered, batch[start : start + AT_A_TIME]))
    return answer_batch(version, items)


def _described(answer: Any) -> dict[int | str, dict[str, Any]]:
    return {200: {"model": answer, "description": "One result a question, in order"}, **BATCH_ERRORS}


@router.post(
    "/neighbors",
    operation_id="batch_neighbors",
    response_class=Response,
    responses=_described(BatchAnswer[answer_schemas.Neighbors]),
)
async def batch_neighbors(
    request: Request, registry: RegistryDependency, target: AskedTarget, body: Batch[schemas.NeighborsQuery]
) -> Response:
    """Find neighbours of words, vectors or weighted sums of words, with filters."""
    return await _answer(request, registry, target, body.queries, queries.neighbors)


@router.post(
    "/analogy",
    operation_id="batch_analogy",
    response_class=Response,
    responses=_described(BatchAnswer[answer_schemas.Analogy]),
)
async def batch_analogy(
    request: Request, registry: RegistryDependency, target: AskedTarget, body: Batch[schemas.AnalogyQuery]
) -> Response:
    """Answer analogies of three or of any number of words."""
    return await _answer(request, registry, target, body.queries, queries.analogy)


@router.post(
    "/similarity",
    operation_id="batch_similarity",
    response_class=Response,
    responses=_described(BatchAnswer[answer_schemas.Similarity]),
)
async def batch_similarity(
    request: Request, registry: RegistryDependency, target: AskedTarget, body: Batch[schemas.SimilarityQuery]
) -> Response:
    """Compare words or sets of words."""
    return await _answer(request, registry, target, body.queries, queries.similarity)


@router.post(
    "/vector",
    operation_id="batch_vector",
    response_class=Response,
    responses=_described(BatchAnswer[answer_schemas.WordVector]),
)
async def batch_vector(
    request: Request, registry: RegistryDependency, target: AskedTarget, body: Batch[schemas.VectorQuery]
) -> Response:
    """Read vectors."""
    return await _answer(request, registry, target, body.queries, queries.vector)


@router.post(
    "/words",
    operation_id="batch_words",
    response_class=Response,
    responses=_described(BatchAnswer[answer_schemas.FoundWords]),
)
async def batch_words(
    request: Request, registry: RegistryDependency, target: AskedTarget, body: Batch[schemas.WordsQuery]
) -> Response:
    """List words by prefixes."""
    return await _answer(request, registry, target, body.queries, queries.words)


@router.post(
    "/odd-one-out",
    operation_id="batch_odd_one_out",
    response_class=Response,
    responses=_described(BatchAnswer[answer_schemas.OddOneOut]),
)
async def batch_odd_one_out(
    request: Request, registry: RegistryDependency, target: AskedTarget, body: Batch[schemas.OddOneOutQuery]
) -> Response:
    """Find the odd one out of each set."""
    return await _answer(request, registry, target, body.queries, queries.odd_one_out)


@router.post(
    "/text-vector",
    operation_id="batch_text_vector",
    response_class=Response,
    responses=_described(BatchAnswer[answer_schemas.TextVector]),
)
async def batch_text_vector(
    request: Request, registry: RegistryDependency, target: AskedTarget, body: Batch[schemas.TextVectorQuery]
) -> Response:
    """Make a vector of each text."""
    return await _answer(request, registry, target, body.queries, queries.vector_of_text)
