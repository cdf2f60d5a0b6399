"""``POST /classify``: what texts are told to be. It asks no database for a classifier that is loaded."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter, Response
from pydantic_core import to_json

from app.classifiers.schemas import MAX_PROBABILITIES, ClassifyAnswer, ClassifyRequest
from app.core import errors
from app.core.errors import InvalidRequest
from app.serving.classifying import ServedClassifier
from app.serving.texts import LONG_TEXT
from app.web.dependencies import RegistryDependency
from app.web.problems import problem_responses
from app.web.scopes import READ

FEW_TEXTS = 16

router = APIRouter(tags=["classifiers"])


@router.post(
    "/classify",
    operation_id="classify",
    openapi_extra=READ,
    response_class=Response,
    responses={
        200: {"model": ClassifyAnswer, "description": "One result a text"},
        **problem_responses(
            errors.InvalidRequest,
            errors.TextNotRead,
            errors.ClassifierNotFound,
            errors.VersionNotFound,
            errors.VersionNotLoaded,
            errors.Overloaded,
            errors.DatabaseUnavailable,
        ),
    },
)
async def classify(registry: RegistryDependency, asked: ClassifyRequest) -> Response:
    """Classify texts, with probabilities, by a classifier that was trained by a job of the kind `classifier`."""
    classifier = await registry.get_classifier(asked.classifier, asked.version)
    if len(asked.texts) * len(classifier.labels) > MAX_PROBABILITIES:
        raise InvalidRequest(
            f"A request may ask for {MAX_PROBABILITIES:,} probabilities; with {len(classifier.labels)} labels these "
            f"are {MAX_PROBABILITIES // len(classifier.labels):,} texts."
        )
    is_short = len(asked.texts) <= FEW_TEXTS and sum(map(len, asked.texts)) <= LONG_TEXT
    answer = partial(_answer, classifier, asked)
    content = answer() if is_short else await classifier.version.pool.beside(answer)
    return Response(content, media_type="application/json")


def _answer(classifier: ServedClassifier, asked: ClassifyRequest) -> bytes:
    model, number = classifier.below
    return to_json(
        {
            "classifier": classifier.name,
            "version": classifier.number,
            "model": model,
            "model_version": number,
            "results": classifier.classify(asked.texts, explain=asked.explain),
        }
    )
