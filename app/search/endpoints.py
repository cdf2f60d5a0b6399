"""Questions about words. None of these touches the database, storage or a lock once its version is loaded."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from app.core import errors
from app.search import answer_schemas, batches, embeddings
from app.search.answers import respond
from app.search.direct import DirectRoute
from app.serving import answering as queries
from app.serving import questions as schemas
from app.web.dependencies import RegistryDependency
from app.web.problems import problem_responses

router = APIRouter(tags=["search"], route_class=DirectRoute)

QUERY_ERRORS = (
    errors.InvalidRequest,
    errors.ModelRequired,
    errors.ModelNotFound,
    errors.VersionNotFound,
    errors.VersionNotLoaded,
    errors.DatabaseUnavailable,
)
WORD_ERRORS = (*QUERY_ERRORS, errors.WordNotFound, errors.NotOneWord)


def _described(
    answer: type[answer_schemas.Answer], *raised: type[errors.WordkinError]
) -> dict[int | str, dict[str, Any]]:
    """For the document: what an endpoint answers, which it writes itself."""
    return {
        200: {"model": answer, "description": "The answer"},
        304: {"description": "The client's copy, named by If-None-Match, is still right"},
        **problem_responses(*raised),
    }


@router.get(
    "/neighbors",
    operation_id="get_neighbors",
    response_class=Response,
    responses=_described(answer_schemas.NeighborsAnswer, *WORD_ERRORS, errors.Overloaded),
)
async def get_neighbors(
    request: Request, registry: RegistryDependency, asked: Annotated[schemas.NeighborsParameters, Query()]
) -> Response:
    """Find the words nearest to a word."""
    version = await registry.get(asked.model, asked.version)
    body = queries.stored_neighbors(version, asked.word, asked.k) if asked.metric == "cosine" else None
    if body is None:
        query = schemas.NeighborsQuery(word=asked.word, k=asked.k, metric=asked.metric, exact=asked.exact)
        body = await queries.neighbors(version, query)
    return respond(request, version, asked, body)


@router.get(
    "/analogy",
    operation_id="get_analogy",
    response_class=Response,
    responses=_described(answer_schemas.AnalogyAnswers, *WORD_ERRORS, errors.Overloaded),
)
async def get_analogy(
    request: Request, registry: RegistryDependency, asked: Annotated[schemas.AnalogyParameters, Query()]
) -> Response:
    """Find the words nearest to a - b + c: king - man + woman."""
    version = await registry.get(asked.model, asked.version)
    return respond(request, version, asked, await queries.analogy(version, asked))


@router.get(
    "/similarity",
    operation_id="get_similarity",
    response_class=Response,
    responses=_described(answer_schemas.SimilarityAnswer, *WORD_ERRORS),
)
async def get_similarity(
    request: Request, registry: RegistryDependency, asked: Annotated[schemas.SimilarityParameters, Query()]
) -> Response:
    """Compare two words."""
    version = await registry.get(asked.model, asked.version)
    query = schemas.SimilarityQuery(a=asked.a, b=asked.b)
    return respond(request, version, asked, await queries.similarity(version, query))


@router.get(
    "/vector",
    operation_id="get_vector",
    response_class=Response,
    responses=_described(answer_schemas.VectorAnswer, *WORD_ERRORS),
)
async def get_vector(
    request: Request, registry: RegistryDependency, asked: Annotated[schemas.VectorParameters, Query()]
) -> Response:
    """Read a word's vector as it was trained."""
    version = await registry.get(asked.model, asked.version)
    return respond(request, version, asked, await queries.vector(version, asked))


@router.get(
    "/words",
    operation_id="list_words",
    response_class=Response,
    responses=_described(answer_schemas.WordsAnswer, *QUERY_ERRORS, errors.NotOneWord),
)
async def list_words(
    request: Request, registry: RegistryDependency, asked: Annotated[schemas.WordsParameters, Query()]
) -> Response:
    """List the most frequent words with a prefix; an empty prefix lists the most frequent of all."""
    version = await registry.get(asked.model, asked.version)
    return respond(request, version, asked, await queries.words(version, asked))


@router.get(
    "/odd-one-out",
    operation_id="get_odd_one_out",
    response_class=Response,
    responses=_described(answer_schemas.OddOneOutAnswer, *WORD_ERRORS),
)
async def get_odd_one_out(
    request: Request, registry: RegistryDependency, asked: Annotated[schemas.OddOneOutParameters, Query()]
) -> Response:
    """Find the word that fits least among the others."""
    version = await registry.get(asked.model, asked.version)
    query = schemas.OddOneOutQuery(words=asked.word)
    return respond(request, version, asked, await queries.odd_one_out(version, query))


@router.get(
    "/text-vector",
    operation_id="get_text_vector",
    response_class=Response,
    responses=_described(answer_schemas.TextVectorAnswer, *QUERY_ERRORS, errors.WordNotFound),
)
async def get_text_vector(
    request: Request, registry: RegistryDependency, asked: Annotated[schemas.TextVectorParameters, Query()]
) -> Response:
    """Make one vector of a whole text."""
    version = await registry.get(asked.model, asked.version)
    return respond(request, version, asked, await queries.vector_of_text(version, asked))


routes = [*router.routes, *batches.router.routes, *embeddings.router.routes]
"""To be put into the application's own list: an included router is matched route by route, twice, for every request,
which costs more than the answer."""
