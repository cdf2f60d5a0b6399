"""``POST /v1/embeddings``: vectors of words and texts in the shape that OpenAI's clients expect."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Response
from pydantic import Field, field_validator

from app.core import errors
from app.core.catalog import LATEST
from app.core.errors import InvalidRequest
from app.core.names import reference, split_reference
from app.core.oov import Oov
from app.core.shapes import LIST, TEXT, by_shape
from app.search.responses import as_json
from app.serving import answers, asking
from app.serving.answering import numbers
from app.serving.texts import NoVector, TextVector, read, refusal, short_text
from app.serving.version import ServedVersion
from app.web.dependencies import RegistryDependency
from app.web.problems import problem_responses
from app.web.scopes import READ

MAX_INPUTS = 2048
"""As many as OpenAI takes."""
FEW_INPUTS = 16
TOKENS_GIVEN = (
    "must be text; token ids are not understood, since each model of this service has words of its own "
    "(LangChain: OpenAIEmbeddings(check_embedding_ctx_length=False))"
)

router = APIRouter(tags=["search"])

Input = Annotated[str, Field(max_length=asking.MAX_TEXT_LENGTH)]


class EmbeddingsRequest(asking.Query):
    """As OpenAI's, for text; `user` is accepted and not used."""

    input: Annotated[
        Annotated[Input, TEXT] | Annotated[list[Input], Field(min_length=1, max_length=MAX_INPUTS), LIST],
        by_shape("This is a text or a list of texts"),
    ]
    model: Annotated[str, Field(description="name, name@3 or name@alias", min_length=1, max_length=400)]
    encoding_format: Literal["float", "base64"] | None = "float"
    dimensions: Annotated[int | None, Field(description="must be the model's own")] = None
    user: str | None = None
    oov: Annotated[Oov, Field(description="reject: words that the vocabulary lacks are left out")] = "compose"
    on_unknown: Annotated[
        Literal["zero", "error"],
        Field(description="of a text that has no vector: zeros in its place, and why in `unknown`; or no answer"),
    ] = "zero"

    @field_validator("input", mode="before")
    @classmethod
    def _no_tokens(cls, given: Any) -> Any:
        if isinstance(given, list) and given and isinstance(given[0], int | list):
            raise ValueError(TOKENS_GIVEN)
        return given


class Embedding(answers.Answer):
    object: Literal["embedding"]
    index: int
    embedding: answers.Vector


class Usage(answers.Answer):
    prompt_tokens: Annotated[int, Field(description="words")]
    total_tokens: int


class Unknown(answers.Answer):
    index: int
    reason: str


class EmbeddingsAnswer(answers.Answer):
    """Vectors of length 1: a word's own direction, or the SIF mean of a text; zeros for texts that have none."""

    object: Literal["list"]
    data: list[Embedding]
    model: Annotated[str, Field(description="with the version's number: name@3")]
    usage: Usage
    out_of_vocabulary: Annotated[list[list[str]], Field(description="for each input, the words that were left out")]
    composed: Annotated[
        list[list[str]] | None, Field(description="for each input, the words that were composed; only if there are any")
    ] = None
    unknown: Annotated[list[Unknown], Field(description="inputs whose vector is zero, with the reason")]


@router.post(
    "/v1/embeddings",
    operation_id="create_embeddings",
    openapi_extra=READ,
    response_class=Response,
    responses={
        200: {"model": EmbeddingsAnswer, "description": "One vector an input"},
        **problem_responses(
            errors.InvalidRequest,
            errors.ModelNotFound,
            errors.VersionNotFound,
            errors.WordNotFound,
            errors.TextNotRead,
            errors.VersionNotLoaded,
            errors.Overloaded,
            errors.DatabaseUnavailable,
        ),
    },
)
async def create_embeddings(registry: RegistryDependency, asked: EmbeddingsRequest) -> Response:
    """Make vectors of words or texts, for clients of OpenAI's API."""
    model, label = split_reference(asked.model)
    version = await registry.get(model, label or LATEST)
    dim = version.table.manifest.dim
    if asked.dimensions not in {None, dim}:
        raise InvalidRequest(f"This model has {dim} dimensions, not {asked.dimensions}.")
    texts = [asked.input] if isinstance(asked.input, str) else asked.input
    is_short = len(texts) <= FEW_INPUTS and sum(map(len, texts)) <= short_text(version)
    read_all = partial(_read_all, version, texts, asked.oov)
    found = read_all() if is_short else await version.pool.beside(read_all)
    if asked.on_unknown == "error":
        await _refuse_unknown(version, texts, found)
    encoding = "base64" if asked.encoding_format == "base64" else "json"
    answer = partial(_answer, version, found, encoding)
    content = answer() if is_short else await version.pool.beside(answer)
    return Response(content, media_type="application/json")


def _read_all(version: ServedVersion, texts: Sequence[str], oov: Oov) -> list[TextVector | NoVector]:
    return [read(version, text, oov) for text in texts]


async def _refuse_unknown(version: ServedVersion, texts: Sequence[str], found: Sequence[TextVector | NoVector]) -> None:
    """Raise the problem of the first text that has no vector."""
    for index, vector in enumerate(found):
        if isinstance(vector, NoVector):
            error = await refusal(version, texts[index], vector)
            raise type(error)(f"input.{index}: {error.detail}", index=index, **error.members)


def _answer(version: ServedVersion, found: Sequence[TextVector | NoVector], encoding: str) -> bytes:
    """The answer's bytes, each vector encoded alone, so that no single step of this is long."""
    zero = np.zeros(version.table.manifest.dim, np.float32)
    data = [
        as_json(
            {
                "object": "embedding",
                "index": index,
                "embedding": numbers(zero if isinstance(vector, NoVector) else vector.vector, encoding),
            }
        )
        for index, vector in enumerate(found)
    ]
    n_tokens = sum(vector.n_tokens for vector in found)
    rest: dict[str, Any] = {
        "model": reference(version.model, version.number),
        "usage": {"prompt_tokens": n_tokens, "total_tokens": n_tokens},
        "out_of_vocabulary": [vector.out_of_vocabulary for vector in found],
        "unknown": [
            {"index": index, "reason": vector.reason}
            for index, vector in enumerate(found)
            if isinstance(vector, NoVector)
        ],
    }
    composed = [[] if isinstance(vector, NoVector) else [word.word for word in vector.composed] for vector in found]
    if any(composed):
        rest["composed"] = composed
    return b'{"object":"list","data":[' + b",".join(data) + b"]," + as_json(rest)[1:]
