"""``POST /weat``: how much nearer words are to some words than to others, tested, at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Self

from fastapi import APIRouter, Body, Response
from pydantic import Field, model_validator

from app.core import errors
from app.core.errors import InvalidRequest
from app.core.evaluation.bias.found import FoundSet, find_set, finder, refuse_unusable
from app.core.evaluation.bias.measuring import association
from app.core.evaluation.bias.results import Association, BiasOptions
from app.core.evaluation.bias.words import Item, Targets, shipped_tests
from app.core.names import reference
from app.search.responses import as_json
from app.serving.asking import Target
from app.serving.questions import OF_A_VERSION
from app.serving.version import ServedVersion
from app.web.dependencies import RegistryDependency
from app.web.problems import problem_responses
from app.web.scopes import READ

MAX_NUMBERS = 20_000_000
"""Permutations times targets: what one request may keep a thread busy with, about a second."""
EXAMPLES: Any = {
    "shipped": {"summary": "A shipped test", "value": {"model": "news", "test": "WEAT7"}},
    "own": {
        "summary": "Words of one's own",
        "value": {
            "model": "bible",
            "targets": [
                ["king", "lord", "master", "captain", "judge", "prophet"],
                ["mother", "daughter", "wife", "sister", "widow", "maid"],
            ],
            "attributes": [["sword", "war", "throne"], ["house", "bread", "child"]],
        },
    },
}

router = APIRouter(tags=["search"])


class WeatRequest(Target, BiasOptions):
    """A shipped test by its name, or two sets of targets and two of attributes."""

    test: Annotated[str | None, Field(max_length=100, description="WEAT1 to WEAT10, WEAT1-ko", examples=["WEAT7"])] = (
        None
    )
    targets: tuple[Targets, Targets] | None = None
    attributes: tuple[Targets, Targets] | None = None

    @model_validator(mode="after")
    def _check_one(self) -> Self:
        given = (self.targets is not None, self.attributes is not None)
        if given != ((True, True) if self.test is None else (False, False)):
            raise ValueError("give either `test`, or both `targets` and `attributes`")
        if self.targets and sum(map(len, self.targets)) * self.n_permutations > MAX_NUMBERS:
            raise ValueError(f"n_permutations times the targets is more than {MAX_NUMBERS:,}")
        return self


class WeatAnswer(Association):
    """The association of four sets of words in a version."""

    model: str
    version: int
    test: Annotated[str | None, Field(description="the shipped test")]
    word_sets: Annotated[str | None, Field(description="the file that has it, with its version: weat@1")]


@router.post(
    "/weat",
    operation_id="test_association",
    openapi_extra=READ,
    response_class=Response,
    responses={
        200: {"model": WeatAnswer, "description": "The effect, and how often chance makes one as large"},
        **problem_responses(*OF_A_VERSION, errors.TextNotRead, errors.WordSetUnusable),
    },
)
async def measure_association(
    registry: RegistryDependency, asked: Annotated[WeatRequest, Body(openapi_examples=EXAMPLES)]
) -> Response:
    """Test whether targets 1 are nearer than targets 2 to attributes 1 rather than to attributes 2 (WEAT)."""
    word_sets, named = _sets(asked)
    version = await registry.get(asked.model, asked.version)
    found = await version.pool.run(lambda: _measured(version, named, asked))
    head = {"model": version.model, "version": version.number, "test": asked.test, "word_sets": word_sets}
    return Response(as_json(head | found), media_type="application/json")


Named = Sequence[tuple[str, Sequence[Item]]]


def _sets(asked: WeatRequest) -> tuple[str | None, Named]:
    """The file of a shipped test, and the four sets, targets first, with their names."""
    if asked.targets and asked.attributes:
        names = ("targets 1", "targets 2", "attributes 1", "attributes 2")
        return None, list(zip(names, (*asked.targets, *asked.attributes), strict=True))
    known = shipped_tests()
    if asked.test not in known:
        raise InvalidRequest(f"There is no test {asked.test!r}. There are: {', '.join(known)}.")
    word_sets, test = known[asked.test]
    names = (*test.targets, *test.attributes)
    return reference(word_sets.name, word_sets.version), [(name, word_sets.sets[name]) for name in names]


def _measured(version: ServedVersion, named: Named, options: BiasOptions) -> dict[str, Any]:
    find = finder(version.lookup.find, version.text)
    sets: list[FoundSet] = [find_set(name, items, find) for name, items in named]
    refuse_unusable(sets[:2], sets[2:], options.max_missing)
    rows = [version.table.unit_vectors[each.ids] for each in sets]
    return association(rows, sets[:2], sets[2:], options)
