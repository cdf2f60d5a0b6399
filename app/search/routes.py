"""The routes of all questions, made from their rows; none touches database, storage or a lock for a loaded version."""

# Annotations are values here, made from the rows: no `from __future__ import annotations`

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from app.core.errors import InvalidRequest, WordkinError
from app.search import embeddings
from app.search.direct import DirectRoute
from app.search.responses import answer_batch, as_json, respond
from app.serving import answering
from app.serving.answers import BatchAnswer, named
from app.serving.asking import Target
from app.serving.batches import Batch, Refused
from app.serving.questions import OF_A_VERSION, QUESTIONS, Question
from app.serving.suggestions import Allowance, allowance
from app.serving.version import ServedVersion
from app.web.dependencies import RegistryDependency
from app.web.problems import problem_of, problem_responses
from app.web.scopes import READ
from app.web.validation import invalid_request, refuse_repeated

MAX_ANSWERS = 25_600
MAX_ISSUES_OF_ITEM = 10
MAX_SCANNED = 512
"""Words of a batch for each of which the whole vocabulary is scanned."""
AT_A_TIME = 64

Batched: Any = BatchAnswer
Ask = Callable[[ServedVersion, Any], Awaitable[dict[str, Any]]]

router = APIRouter(tags=["search"], dependencies=[Depends(refuse_repeated)])


def n_scanned(query: Any) -> int:
    """For how many words the vocabulary is scanned: of 3CosMul each, of other questions none or all at once."""
    if getattr(query, "method", None) != "mul":
        return 0
    return 3 if query.positive is None else len(query.positive) + len(query.negative)


def one_target(in_address: Target, in_body: Target) -> Target:
    """Who is asked, by the address or by the body of a batch."""
    first, second = (
        target.model_dump(include=set(Target.model_fields), exclude_unset=True, exclude_none=True)
        for target in (in_address, in_body)
    )
    for name in sorted(first.keys() & second.keys()):
        if first[name] != second[name]:
            raise InvalidRequest(f"{name} is {first[name]!r} in the address and {second[name]!r} in the body.")
    return Target(**(first | second))


def _single(question: Question, ask: Ask) -> DirectRoute:
    async def answer(
        request: Request,
        registry: RegistryDependency,
        asked: Annotated[question.parameters, Query()],  # type: ignore[name-defined] # a value
    ) -> Response:
        version = await registry.get(asked.model, asked.version)
        return respond(request, version, asked, await ask(version, asked))

    return DirectRoute(
        question.path,
        answer,
        asked=question.parameters,
        tags=["search"],
        methods=["GET"],
        name=question.operation,
        operation_id=question.operation,
        openapi_extra=READ,
        description=question.says,
        response_class=Response,
        responses={
            200: {"model": named(question.answer), "description": "The answer"},
            304: {"description": "The client's copy, named by If-None-Match, is still right"},
            **problem_responses(*OF_A_VERSION, *question.raises),
        },
    )


def _add_batch(question: Question, ask: Ask) -> None:
    @router.post(
        question.path,
        name=f"batch_{question.name}",
        operation_id=f"batch_{question.name}",
        openapi_extra=READ,
        description=question.says_of_many,
        response_class=Response,
        responses={
            200: {"model": Batched[question.answer], "description": "One result a question, in order"},
            **problem_responses(*OF_A_VERSION),
        },
    )
    async def answer(
        request: Request,
        registry: RegistryDependency,
        target: Annotated[Target, Query()],
        body: Batch[question.query],  # type: ignore[name-defined] # a value
    ) -> Response:
        """Each is answered, or refused with its own problem, in its place."""
        asked = one_target(target, body)
        if sum(getattr(query, "k", 0) for query in body.queries) > MAX_ANSWERS:
            raise InvalidRequest(f"A batch may ask for {MAX_ANSWERS} words in all (the sum of k).")
        if sum(map(n_scanned, body.queries)) > MAX_SCANNED:
            raise InvalidRequest(f"A batch may name {MAX_SCANNED} words in all that each take a scan (method mul).")
        version = await registry.get(asked.model, asked.version)
        allowance.set(Allowance())

        async def answered(place: int, query: Any) -> bytes:
            try:
                if isinstance(query, Refused):
                    raise await invalid_request(
                        request, query.found_at(place), await request.json(), MAX_ISSUES_OF_ITEM
                    )
                return as_json(await ask(version, query))
            except WordkinError as error:
                return as_json({"error": problem_of(error, request.url.path)[1]})

        items: list[bytes] = []
        for start in range(0, len(body.queries), AT_A_TIME):
            places = range(start, min(start + AT_A_TIME, len(body.queries)))
            items += await asyncio.gather(*(answered(place, body.queries[place]) for place in places))
        return answer_batch(version, items)


for _question in QUESTIONS:
    _ask: Ask = getattr(answering, _question.name)
    router.routes.append(_single(_question, _ask))
    _add_batch(_question, _ask)

routes = [*router.routes, *embeddings.router.routes]
"""To be put into the application's own list: an included router is matched route by route, twice, for every request,
which costs more than the answer."""
