"""The steps by which a version is derived from others: what each can be told."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self, get_args

import regex
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from app.core.names import FileReference, composed
from app.core.table.quantised import Encoding
from app.core.text.ngrams import Unit, with_max_n
from app.core.wordlists import Word, WordPairs, Words, files_among

Weights = Annotated[
    Literal["frequency", "uniform"],
    Field(description="of words in means: by their frequency (by rank where counts are not known), or all alike"),
]
VersionReference = Annotated[
    str,
    Field(
        pattern=r"^\w[\w.\-]*(@\w[\w.\-]*)?$",
        max_length=210,
        description="``model@version``, a number or an alias; `latest` if only the model is named",
        examples=["bible@2"],
    ),
    AfterValidator(composed),
]
Dim = Annotated[int, Field(ge=1, le=16_384)]
MaxMissing = Annotated[float, Field(ge=0, lt=1, description="share of a list that the version may lack")]


class _Step(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    def versions(self) -> tuple[str, ...]:
        """The other versions that it reads."""
        return ()

    def files(self) -> tuple[str, ...]:
        """The files that it reads."""
        return ()


class Center(_Step):
    """Subtract the mean of all vectors."""

    step: Literal["center"]
    weights: Weights = "frequency"


class RemoveComponents(_Step):
    """Center, and remove the first principal components (Mu and Viswanath 2018, all-but-the-top)."""

    step: Literal["remove_components"]
    n: Annotated[int, Field(ge=1, le=1000, description="how many")] = 2
    weights: Weights = "frequency"


class Whiten(_Step):
    """Center, and make the covariance the identity; by frequency that is Zipfian whitening (Yokoi et al. 2024)."""

    step: Literal["whiten"]
    weights: Weights = "frequency"


class Reduce(_Step):
    """Rotate so that any first dimensions hold the most, by a singular value decomposition, and keep `dim` of them."""

    step: Literal["reduce"]
    dim: Dim


class Prune(_Step):
    """Keep some words, in their order. What is not said restricts nothing."""

    step: Literal["prune"]
    max_words: Annotated[int | None, Field(ge=1, description="the most frequent")] = None
    min_count: Annotated[int | None, Field(ge=1, description="occurrences that a word has at least")] = None
    words: Annotated[FileReference | None, Field(description="a file with a word to keep a line")] = None
    pattern: Annotated[str | None, Field(max_length=1000, description="a regular expression of whole words")] = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.model_fields_set - {"step"}:
            raise ValueError("prune needs one of max_words, min_count, words, pattern")
        try:
            regex.compile(self.pattern or "")
        except regex.error as error:
            raise ValueError(f"pattern is no regular expression: {error}") from error
        return self

    def files(self) -> tuple[str, ...]:
        return (self.words,) if self.words else ()


class Align(_Step):
    """Rotate onto another version, so that vectors of both can be compared (orthogonal Procrustes)."""

    step: Literal["align"]
    to: VersionReference
    max_words: Annotated[int, Field(ge=1, description="the most frequent words of both that decide the rotation")] = (
        20_000
    )

    def versions(self) -> tuple[str, ...]:
        return (self.to,)


class Retrofit(_Step):
    """Draw words to their neighbours in a lexicon (Faruqui et al. 2015): a word and its neighbours a line."""

    step: Literal["retrofit"]
    lexicon: FileReference
    sweeps: Annotated[int, Field(ge=1, le=1000)] = 10

    def files(self) -> tuple[str, ...]:
        return (self.lexicon,)


class Combine(_Step):
    """Put the unit vectors of several versions beside each other (Yin and Schütze 2016), and perhaps reduce them.

    Versions that compose words of tokens or n-grams do so here, too; only what they cannot compose they lack.
    """

    step: Literal["combine"]
    with_: Annotated[list[VersionReference], Field(alias="with", min_length=1, max_length=8)]
    weights: Annotated[
        list[Annotated[float, Field(gt=0)]] | None, Field(description="of each version, this one's first")
    ] = None
    vocabulary: Annotated[
        Literal["first", "intersection", "union"],
        Field(
            description="`first`: words that another one lacks are zeros there; `union`: the words of all, and what "
            "one lacks of a word is estimated by ridge regression from those that have it"
        ),
    ] = "first"
    dim: Dim | None = None

    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.weights is not None and len(self.weights) != len(self.with_) + 1:
            raise ValueError(f"weights are {len(self.weights)} for {len(self.with_) + 1} versions")
        return self

    def versions(self) -> tuple[str, ...]:
        return tuple(self.with_)


class FitSubwords(_Step):
    """Fit rows of n-grams to the vectors (Zhao et al. 2018), so that words that are not there are composed.

    It is done only if words that are left out of the fit are met with a mean cosine of `min_cosine`, and better than by
    the mean of all words.
    """

    step: Literal["fit_subwords"]
    min_n: Annotated[int, Field(ge=1, le=16, description="the fewest letters of an n-gram")] = 3
    max_n: Annotated[int, Field(ge=1, le=16, description="the most; 5 of jamo, unless it is given")] = 6
    n_buckets: Annotated[int, Field(ge=1, le=1 << 24, description="rows that n-grams share by their hashes")] = 200_000
    unit: Annotated[
        Unit, Field(description="what letters are: characters, or the jamo of Hangul (and up to four whole syllables)")
    ] = "character"
    max_words: Annotated[int, Field(ge=10, description="the most frequent, to which the rows are fitted")] = 200_000
    min_cosine: Annotated[float, Field(ge=-1, le=1, description="of words that were left out")] = 0.3
    ridge: Annotated[float, Field(ge=0, le=1000, description="how much long rows cost")] = 0.01

    @model_validator(mode="before")
    @classmethod
    def _fill_size(cls, given: Any) -> Any:
        return with_max_n(given)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.min_n > self.max_n:
            raise ValueError(f"min_n is {self.min_n}, above max_n, {self.max_n}")
        return self


class Hard(_Step):
    """Take a direction out of neutral words, and let pairs differ by it alone (Bolukbasi et al. 2016).

    Without any list: gender in English, by the lists of the paper.
    """

    step: Literal["hard"]
    pairs: Annotated[WordPairs | None, Field(description="their differences give the direction")] = None
    equalize: Annotated[
        WordPairs | None, Field(description="become alike but for the direction, capitalised and in capitals too")
    ] = None
    specific: Annotated[
        Words | None, Field(description="words that keep the direction; by default all words of the pairs")
    ] = None
    max_missing: MaxMissing = 0.2

    def files(self) -> tuple[str, ...]:
        return files_among(self.pairs, self.equalize, self.specific)


class Leace(_Step):
    """Take out, with the least change, all that a linear reader knows of a concept (LEACE, Belrose et al. 2023).

    The concept is to which of several groups a word belongs, or where it lies along the direction of pairs.
    Without any list: gender in English, by the pairs of Bolukbasi et al. (2016).
    """

    step: Literal["leace"]
    groups: Annotated[
        dict[Word, Words] | None, Field(min_length=2, max_length=50, description="lists of words by name")
    ] = None
    pairs: Annotated[WordPairs | None, Field(description="their differences give the direction")] = None
    specific: Annotated[
        Words | None, Field(description="words that stay as they are; by default all words of the pairs")
    ] = None
    max_missing: MaxMissing = 0.2

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.groups and self.pairs:
            raise ValueError("leace has groups or pairs, not both")
        return self

    def files(self) -> tuple[str, ...]:
        return files_among(self.pairs, self.specific, *(self.groups or {}).values())


class Quantise(_Step):
    """Store the vectors in fewer bytes, with a scale a row that cosines do not need; the last step."""

    step: Literal["quantise"]
    to: Annotated[
        Encoding, Field(description="`int8`: a byte a number, a quarter of what it was; `float16`: two bytes")
    ] = "int8"

    @model_validator(mode="before")
    @classmethod
    def _check(cls, said: Any) -> Any:
        if isinstance(said, dict) and said.get("to") in ("binary", "bit", "int4"):
            raise ValueError(f"{said['to']!r} finds too few of the nearest words; choose int8 or float16")
        return said


Step = Annotated[
    Center
    | RemoveComponents
    | Whiten
    | Reduce
    | Prune
    | Align
    | Retrofit
    | Combine
    | FitSubwords
    | Hard
    | Leace
    | Quantise,
    Field(discriminator="step"),
]
STEPS: dict[str, type[_Step]] = {
    get_args(kind.model_fields["step"].annotation)[0]: kind for kind in get_args(get_args(Step)[0])
}
"""Each by the name that users write."""
