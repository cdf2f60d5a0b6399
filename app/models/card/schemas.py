"""What a card says."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from app.core.evaluation.bias.results import BiasReport
from app.core.evaluation.residue import Debiasing
from app.core.evaluation.results import Geometry, SetResult
from app.models.schemas import About, VersionDescription


class Ancestor(BaseModel):
    """A version that this one was made from, or was turned towards, or that one of those was.

    `state` is `changed` if the number now names something else, which only a restored database can bring about.
    """

    model: str
    version: int
    manifest_sha256: str
    relation: Literal["derived from", "started from", "aligned to"]
    of: Annotated[str, Field(description="the version that says so", examples=["bible@3"])]
    state: Literal["there", "deleted", "changed"]
    made_of: Annotated[str | None, Field(description="corpus, file or model; null if the version is deleted")]


class ModelCard(BaseModel):
    """A version with all that is known of it: where it comes from, what it was measured by, what it is meant for."""

    about: Annotated[About, Field(description="what those say who keep the model; see `PATCH /models/{model}`")]
    version: VersionDescription
    aliases: Annotated[list[str], Field(description="that name it now")]
    lineage: Annotated[list[Ancestor], Field(description="nearest first")]
    evaluations: Annotated[list[SetResult], Field(description="the newest result of each set")]
    bias: Annotated[list[BiasReport], Field(description="the newest report of each collection of word sets")]
    debiasing: Annotated[Debiasing | None, Field(description="what steps against a bias have left; null without any")]
    geometry: Geometry | None
