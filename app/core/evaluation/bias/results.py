"""What a measurement of bias was asked with, and what it has found."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from app.core.evaluation.bias.permutation import N_DRAWN, Alternative
from app.core.evaluation.bias.weat import Deviation
from app.core.numbers import NotBoolean
from app.core.table.manifest import FileOrigin

MAX_DRAWN = 200_000


class BiasOptions(BaseModel):
    """How associations are tested."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    alternative: Annotated[
        Alternative, Field(description="`greater`: targets 1 are nearer to attributes 1; `two-sided`: either way")
    ] = "greater"
    deviation: Annotated[
        Deviation, Field(description="of the effect size: `n-1` gives the numbers of the paper, `n` those of WEFE")
    ] = "n-1"
    n_permutations: Annotated[
        int,
        Field(ge=1000, le=MAX_DRAWN, description="drawn where there are more than 3 million to count"),
        NotBoolean,
    ] = N_DRAWN
    seed: Annotated[int, Field(ge=0, lt=1 << 32, description="of what is drawn"), NotBoolean] = 0
    max_missing: Annotated[
        Annotated[float, Field(ge=0, le=1)],
        NotBoolean,
        Field(description="the largest share of a set's words that may have no vector"),
    ] = 0.2


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class UsedSet(_Part):
    name: str
    n: Annotated[int, Field(description="words of the set")]
    n_used: Annotated[int, Field(description="of them, those that have a vector of their own")]


class SingleWord(_Part):
    """A target word alone: its effect size over all attributes (SC-WEAT)."""

    word: str
    effect_size: float


class Association(_Part):
    """WEAT: how much nearer targets 1 than targets 2 are to attributes 1 than to attributes 2.

    `statistic` is Caliskan's sum; `mean_difference` is what is tested, so that sets may have different sizes.
    `p_value` is `n_as_extreme` of `n_partitions`: of all there are if `is_exact`, else of those that were drawn and the
    observed one.
    """

    effect_size: float
    deviation: Deviation
    interval: Annotated[tuple[float, float], Field(description="of the effect size, 95 %, by a bootstrap over words")]
    statistic: float
    mean_difference: float
    p_value: float
    alternative: Alternative
    n_as_extreme: int
    n_partitions: int
    is_exact: bool
    seed: int
    targets: list[UsedSet]
    attributes: list[UsedSet]
    missing: Annotated[list[str], Field(description="words that have no vector of their own, of all four sets")]
    words: Annotated[list[SingleWord], Field(description="the targets, those nearest to attributes 1 first")]


class SeedSpread(_Part):
    """The effect size in trainings that differ in their seeds alone, the published one among them."""

    n_trainings: int
    least: float
    greatest: float
    standard_deviation: Annotated[float, Field(description="with n-1")]


class TestResult(Association):
    """A test of a suite; `p_adjusted` is Holm's over all tests of the suite that could be done.

    The names of `measures` say how they are made: of rows as they are (`raw`) or of length 1 (`unit`), by which solver,
    and with which attributes.
    """

    __test__ = False  # for pytest, which takes it for a class of tests

    test: str
    about: str
    p_adjusted: float
    measures: dict[str, float]
    seeds: Annotated[SeedSpread | None, Field(description="null unless the version was trained with replicas")] = None


class SkippedTest(_Part):
    """A test or a direction that could not be measured."""

    test: str
    reason: str
    missing: list[str]


class DirectionWords(_Part):
    """Words along a direction: the mean of absolute cosines, and RIPA with the pairs that define it."""

    name: str
    n: int
    n_used: int
    direct_bias_unit: Annotated[float, Field(description="with c = 1")]
    ripa_raw: float
    missing: list[str]


class IndirectBias(_Part):
    a: str
    b: str
    value: Annotated[float, Field(description="the share of the cosine that comes from the direction")]


class DirectionResult(_Part):
    """A direction by pairs of words, from the second of each pair to the first."""

    direction: str
    about: str
    n_pairs: int
    explained: Annotated[list[float], Field(description="shares of the variance within pairs, the direction's first")]
    words: list[DirectionWords]
    indirect: list[IndirectBias]
    missing: list[str]


class BiasReport(_Part):
    """All tests of one collection of word sets."""

    name: str
    version: int
    sha256: str
    file: Annotated[FileOrigin | None, Field(description="the uploaded file; null: shipped")] = None
    language: str | None
    experimental: bool
    source: str | None
    licence: str | None
    options: BiasOptions
    tests: list[TestResult]
    skipped: list[SkippedTest]
    directions: list[DirectionResult]
    caveats: list[str]
