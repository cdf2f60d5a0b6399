"""What the comparison of two versions' words gives."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

FloorKind = Literal["replicas", "estimated"]
Cosine = Annotated[float, Field(ge=-1, le=1)]


class NearWord(BaseModel):
    word: str
    score: Cosine


class DriftedWord(BaseModel):
    """A word that both versions have, and how much it changed."""

    word: str
    z: Annotated[float, Field(description="how far beyond the floor of its frequency, in deviations; higher: changed")]
    p: Annotated[float, Field(description="how probable such a `z` is by chance")]
    q: Annotated[
        float | None,
        Field(description="`p` after Benjamini and Hochberg over all words considered; null if it is none of them"),
    ]
    shift: Annotated[
        float, Field(description="how far its cosines to the 25 nearest words of either version moved; `z` tests this")
    ]
    likeness: Annotated[Cosine, Field(description="cosine of these cosines with those before; 1 is no change")]
    aligned: Annotated[Cosine, Field(description="cosine of its two vectors after a rotation of the whole space")]
    overlap_at_10: Annotated[float, Field(ge=0, le=1, description="share of its ten nearest words that is the same")]
    count_from: Annotated[int | None, Field(description="occurrences; null where that is not known")]
    count_to: int | None
    rank_from: int
    rank_to: int
    neighbors_from: list[NearWord]
    neighbors_to: list[NearWord]
    gained: Annotated[list[str], Field(description="of `neighbors_to`, those that were none before")]
    lost: Annotated[list[str], Field(description="of `neighbors_from`, those that are none any more")]


class DriftReport(BaseModel):
    """The words that changed most between two versions, or one word, against what is noise.

    Words are tested against a floor: how much words of the same frequency change by chance. `replicas` was measured
    when a version was trained several times on one text, so that another text shows, too. `estimated` is what is usual
    between these two versions, so that only words stand out which changed more than most others.
    """

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True)

    model: str
    from_: Annotated[int, Field(alias="from")]
    to: int
    n_shared: Annotated[int, Field(description="words that both versions have")]
    n_added: int
    n_removed: int
    n_considered: Annotated[int, Field(description="words that were tested; see `min_count` and `max_words`")]
    n_changed: Annotated[int, Field(description="words with a `q` of at most 0.05")]
    floor: FloorKind
    overlap_at_10: Annotated[float, Field(description="mean over the words considered")]
    overlap_floor: Annotated[float | None, Field(description="the same between replicas; null if that is not known")]
    words: Annotated[list[DriftedWord], Field(description="the most changed first, or the one that was asked for")]
