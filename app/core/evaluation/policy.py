"""What a version must show before an alias of its model may name it."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from app.core.evaluation.residue import ResidualTest
from app.core.evaluation.sets import EvaluationSet
from app.core.names import FileReference
from app.core.numbers import NotBoolean
from app.core.payloads import BiasSource, EvaluationSource, FileSource, SetSource


class PolicySet(EvaluationSet):
    """A set that versions are evaluated with, and what they must reach. Without a rule the score is only kept."""

    floor: Annotated[
        Annotated[float, Field(ge=-1, le=1)] | None, NotBoolean, Field(description="the least value of the main metric")
    ] = None
    max_drop: Annotated[
        Annotated[float, Field(ge=0, le=2)] | None,
        NotBoolean,
        Field(
            description="how much worse than the version that the alias names; refused only if the drop is beyond it "
            "with 95 % confidence"
        ),
    ] = None
    min_coverage: Annotated[
        Annotated[float, Field(ge=0, le=1)] | None,
        NotBoolean,
        Field(description="the least share of questions that are covered"),
    ] = None


class PolicyBias(BaseModel):
    """A test of bias, and how large its effect may be, either way."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    test: Annotated[str, Field(max_length=100, examples=["WEAT7"])]
    word_sets: Annotated[FileReference, Field(description="`weat`, `weat-ko`, or an uploaded file")] = "weat"
    max_effect_size: Annotated[Annotated[float, Field(ge=0, le=2)], NotBoolean]


class PolicyResidue(BaseModel):
    """A reader, and how much it may still find of a bias after steps against it, in all directions that they had."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    test: ResidualTest
    max_found: Annotated[
        Annotated[float, Field(ge=0, le=1)],
        NotBoolean,
        Field(description="accuracy, where a coin has 0.5, or the size of a correlation"),
    ]


class Policy(BaseModel):
    """The rules of a model; every move of an alias obeys them, also that of `latest` to what a job publishes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sets: Annotated[tuple[PolicySet, ...], Field(max_length=20, description="each published version is evaluated with")]
    bias: Annotated[
        tuple[PolicyBias, ...], Field(max_length=20, description="each published version is measured with")
    ] = ()
    residue: Annotated[
        tuple[PolicyResidue, ...],
        Field(max_length=20, description="passed only by versions that steps against a bias have made (hard, leace)"),
    ] = ()
    max_hubness_ratio: Annotated[
        Annotated[float, Field(gt=0, le=100)] | None,
        NotBoolean,
        Field(description="skewness of neighbourship, by that of the version that the alias names"),
    ] = None


class StoredPolicy(BaseModel):
    """A policy with the files that it names, as they were when it was set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    policy: Policy
    files: dict[str, FileSource]

    def sets(self) -> tuple[EvaluationSource, ...]:
        own = set(EvaluationSet.model_fields)
        sets = [
            SetSource(asked=EvaluationSet(**each.model_dump(include=own)), file=self.files[each.file])
            for each in self.policy.sets
        ]
        word_sets = dict.fromkeys(each.word_sets for each in self.policy.bias)
        return (*sets, *(BiasSource(word_sets=name, file=self.files.get(name)) for name in word_sets))
