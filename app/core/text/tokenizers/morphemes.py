"""What tokenizers of Korean morphemes share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from app.core.text.tokenizers.seam import TokenizerOptions

MAX_LINE = 1000
"""Characters that are read as one context; longer lines are cut at a blank."""
Tag = Annotated[str, Field(pattern=r"^[A-Z][A-Z_]{0,9}$", examples=["JKS"])]
DROPPED = ("J", "E", "VCP", "SF", "SP", "SS", "SE", "SO", "SW", "SC", "SY")
"""Particles, endings, the copula, marks."""


class Morpheme(NamedTuple):
    form: str
    tag: str


class MorphemeOptions(TokenizerOptions):
    """Which morphemes become words, and how they are spelled."""

    form: Annotated[
        Literal["surface", "stem"], Field(description="as they stand in the text, or taken apart to stems and endings")
    ] = "stem"
    tags: Annotated[bool, Field(strict=True, description="write the tag behind: 학교/NNG")] = False
    drop: Annotated[
        tuple[Tag, ...],
        Field(max_length=60, description="tags of the Sejong set, or their beginnings, whose morphemes are left out"),
    ] = DROPPED

    def words(self, morphemes: Iterable[Morpheme]) -> list[str]:
        kept = (each for each in morphemes if not each.tag.startswith(self.drop))
        spelled = (f"{each.form}/{each.tag}" if self.tags else each.form for each in kept)
        return [word for word in ("_".join(each.split()) for each in spelled) if word]
