"""What tokenizers of Korean morphemes share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, ClassVar, Literal, NamedTuple

from pydantic import Field

from app.core.errors import TokenizerUnusable
from app.core.names import FileReference
from app.core.text.tokenizers.seam import RESOURCES, Resources, TokenizerOptions

MAX_LINE = 1000
"""Characters that are read as one context; longer lines are cut at a blank."""
Tag = Annotated[str, Field(pattern=r"^[A-Z][A-Z_]{0,9}$", examples=["JKS"])]
DROPPED = ("J", "E", "VCP", "SF", "SP", "SS", "SE", "SO", "SW", "SC", "SY")
"""Particles, endings, the copula, marks."""
DICTIONARY = f"{RESOURCES}/user_dictionary.tsv"


class Morpheme(NamedTuple):
    form: str
    tag: str


class MorphemeOptions(TokenizerOptions):
    """Which morphemes become words, and how they are spelled."""

    bytes_per_second: ClassVar[float]
    """Of Korean text in UTF-8, on one core (benchmarks/README.md)."""
    form: Annotated[
        Literal["surface", "stem"], Field(description="as they stand in the text, or taken apart to stems and endings")
    ] = "stem"
    tags: Annotated[bool, Field(strict=True, description="write the tag behind: 학교/NNG")] = False
    drop: Annotated[
        tuple[Tag, ...],
        Field(max_length=60, description="tags of the Sejong set, or their beginnings, whose morphemes are left out"),
    ] = DROPPED
    user_dictionary: Annotated[
        FileReference | None,
        Field(
            description="an uploaded file; a line: word, tab, tag, for kiwi perhaps tab and score",
            exclude_if=lambda name: name is None,  # as specifications of before are written
        ),
    ] = None

    def files(self) -> dict[str, str]:
        return {DICTIONARY: self.user_dictionary} if self.user_dictionary else {}

    def expected_seconds(self, n_bytes: int, threads: int, /) -> float:
        return n_bytes / self.bytes_per_second / threads

    def check_resources(self, resources: Resources) -> None:
        for _ in entries(resources[DICTIONARY]):
            pass

    def words(self, morphemes: Iterable[Morpheme]) -> list[str]:
        kept = (each for each in morphemes if not each.tag.startswith(self.drop))
        spelled = (f"{each.form}/{each.tag}" if self.tags else each.form for each in kept)
        return [word for word in ("_".join(each.split()) for each in spelled) if word]


class Entry(NamedTuple):
    word: str
    tag: str
    score: float | None


def entries(dictionary: bytes) -> Iterator[Entry]:
    """The lines of a user dictionary but empty ones and comments; raises `TokenizerUnusable`."""
    try:
        lines = dictionary.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise TokenizerUnusable("The user dictionary is not UTF-8.") from error
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = line.split("\t")
        try:
            word, tag, score = fields[0].strip(), fields[1].strip(), float(fields[2]) if len(fields) > 2 else None
        except (IndexError, ValueError) as error:
            raise TokenizerUnusable(f"Line {number} of the user dictionary is not: word, tab, tag.") from error
        yield Entry(word, tag, score)
