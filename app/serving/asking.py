"""What may be asked: the parameters of GET and the items of POST, question by question."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    model_validator,
)

from app.core.names import MAX_WORD_BYTES, composed
from app.core.numbers import NotBoolean
from app.core.oov import Oov
from app.core.shapes import LIST, TEXT, by_shape

MAX_K = 1000
MAX_BATCH = 256
MAX_WORDS = 64
MAX_WORD_LENGTH = MAX_WORD_BYTES
"""In characters: as long as a word of a vocabulary may be."""
MAX_TEXT_LENGTH = 100_000
MAX_QUERY_LENGTH = 2_000
"""Of a text whose neighbours are wanted; its own words are left out, so that each of them is searched for too."""
MAX_DENIED = 256
MAX_ALLOWED = 1024

Word = Annotated[str, Field(min_length=1, max_length=MAX_WORD_LENGTH)]
Words = Annotated[list[Word], Field(min_length=1, max_length=MAX_WORDS)]
WordOrWords = Annotated[Annotated[Word, TEXT] | Annotated[Words, LIST], by_shape("This is a word or a list of words")]
K = Annotated[int, Field(ge=1, le=MAX_K, description="how many answers"), NotBoolean]
Number = Annotated[float, Field(strict=True)]
Exact = Annotated[bool, Field(description="scan everything, even if the version has an approximate index")]
QueryText = Annotated[
    str | None,
    Field(
        min_length=1,
        max_length=MAX_QUERY_LENGTH,
        description="neighbours of its vector; its own words are left out, unknown ones told in `missing`",
        examples=["gaming laptop"],
    ),
]
BY_PLACE = "by place"
"""Marks what a command takes by its place although it may be left out."""
Encoding = Annotated[Literal["json", "base64"], Field(description="base64: of little-endian float32")]

OTHER_NAMES = {
    # gensim
    "topn": "k",
    "restrict_vocab": "max_rank",
    "w1": "a",
    "w2": "b",
    # many others
    "n": "k",
    "limit": "k",
    "top_k": "k",
    "threshold": "min_score",
    "q": "word",
    "query": "word",
    "token": "word",
    "input": "text",
    "inputs": "queries",
    "items": "queries",
}
"""What others call what may be asked."""


class Query(BaseModel):
    """A question; unknown members are refused."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Target(Query):
    """Who is asked."""

    model: Annotated[
        str | None,
        AfterValidator(lambda name: name and composed(name)),
        Field(description="default: the configured model, or the only one", examples=["bible"]),
    ] = None
    version: Annotated[
        str, Field(description="a number or an alias", min_length=1, max_length=200, coerce_numbers_to_str=True)
    ] = "latest"


class OfWords(Query):
    """A question about words."""

    oov: Annotated[
        Oov,
        Field(description="compose: words that the vocabulary lacks are composed, where the version can; reject: 404"),
    ] = "compose"


class Ranked(OfWords):
    """The best answers by score."""

    k: K = 10
    exact: Exact = False
    min_score: Annotated[
        float | None, Field(ge=-1, le=1, description="answers of a smaller score are left out"), NotBoolean
    ] = None


class NeighborsAsked(Ranked):
    """Which words may be neighbours, of what, and in which order."""

    OF: ClassVar[tuple[str, ...]]
    """The members of which exactly one is given."""

    metric: Annotated[
        Literal["cosine", "csls"],
        Field(description="csls orders by cosine less the mean cosine of both sides' own 10 neighbours, against hubs"),
    ] = "cosine"
    stability: Annotated[
        bool, Field(description="say in how many trainings of other seeds each neighbour was found; of one word alone")
    ] = False
    min_agreement: Annotated[
        int | None, Field(ge=1, le=10, description="answers were found in at least so many of them"), NotBoolean
    ] = None
    prefix: Annotated[str, Field(max_length=MAX_WORD_LENGTH, description="answers start with this")] = ""
    min_count: Annotated[
        int, Field(ge=1, le=1 << 62, description="answers occur at least this often in the corpus"), NotBoolean
    ] = 1
    max_rank: Annotated[
        int | None, Field(ge=1, description="answers are among this many most frequent words"), NotBoolean
    ] = None
    # tuples: pydantic copies the default of a list, which takes as long as all else of a question
    allow: Annotated[
        tuple[Word, ...],
        Field(min_length=1, max_length=MAX_ALLOWED, description="only these may be answers; repeated in GET"),
    ] = ()
    deny: Annotated[
        tuple[Word, ...], Field(max_length=MAX_DENIED, description="these are no answers; repeated in GET")
    ] = ()

    @model_validator(mode="after")
    def _one_of(self) -> Self:
        if sum(getattr(self, name) is not None for name in self.OF) != 1:
            raise ValueError(f"give exactly one of {', '.join(self.OF[:-1])} and {self.OF[-1]}")
        return self


class NeighborsQuery(NeighborsAsked):
    """Neighbours of one word, of a text, of a vector, or of a weighted sum of words: exactly one of the four."""

    OF: ClassVar[tuple[str, ...]] = ("word", "text", "vector", "words")

    word: Word | None = None
    text: QueryText = None
    vector: Annotated[list[Number] | None, Field(min_length=1, max_length=4096)] = None
    words: Annotated[
        dict[Word, Number] | None,
        Field(
            min_length=1,
            max_length=MAX_WORDS,
            description="weights, negative ones too",
            examples=[{"king": 1, "man": -1}],
        ),
    ] = None


class AnalogyOfWords(Ranked):
    a: Annotated[Word, Field(examples=["king"])]
    b: Annotated[Word, Field(examples=["man"])]
    c: Annotated[Word, Field(examples=["woman"])]
    method: Annotated[
        Literal["add", "mul"],
        Field(description="add: cosine to a - b + c (3CosAdd); mul: product of similarities (3CosMul), always exact"),
    ] = "add"
    positive: ClassVar[list[str] | None] = None
    negative: ClassVar[list[str]] = []


class AnalogyQuery(Ranked):
    """a - b + c, or any words for and against."""

    a: Word | None = None
    b: Word | None = None
    c: Word | None = None
    positive: Words | None = None
    negative: Annotated[list[Word], Field(max_length=MAX_WORDS)] = []
    method: Literal["add", "mul"] = "add"

    @model_validator(mode="after")
    def _one_of_two(self) -> AnalogyQuery:
        n_given = sum(word is not None for word in (self.a, self.b, self.c))
        if n_given not in {0, 3} or (n_given == 3) == (self.positive is not None) or (n_given and self.negative):
            raise ValueError("give either a, b and c, or positive (and negative)")
        return self


class SimilarityOfWords(OfWords):
    a: Word
    b: Word


class SimilarityQuery(OfWords):
    """Two words, or sets of words: a set is the mean of its words' unit vectors."""

    a: WordOrWords
    b: WordOrWords


class VectorQuery(OfWords):
    word: Word
    encoding: Encoding = "json"


class WordsQuery(Query):
    prefix: Annotated[str, Field(max_length=MAX_WORD_LENGTH), BY_PLACE] = ""
    after: Annotated[
        str | None,
        Field(
            min_length=1, max_length=MAX_WORD_LENGTH, description="go on behind this word: `next` of the page before"
        ),
    ] = None
    k: K = 10


class OddOneOutQuery(OfWords):
    words: Annotated[list[Word], Field(min_length=3, max_length=MAX_WORDS)]


class SensesQuery(Query):
    word: Annotated[Word, Field(examples=["bank"])]
    k: Annotated[
        int, Field(ge=2, le=200, description="how many neighbours are looked at; more show rarer senses"), NotBoolean
    ] = 50
    exact: Exact = False


class TextVectorQuery(OfWords):
    text: Annotated[str, Field(min_length=1, max_length=MAX_TEXT_LENGTH)]
    encoding: Encoding = "json"


class NeighborsParameters(NeighborsAsked, Target):
    OF: ClassVar[tuple[str, ...]] = ("word", "text")

    word: Annotated[str | None, Field(min_length=1, max_length=MAX_WORD_LENGTH), BY_PLACE] = None
    text: QueryText = None
    vector: ClassVar[None] = None
    words: ClassVar[None] = None


class AnalogyParameters(AnalogyOfWords, Target):
    pass


class SimilarityParameters(SimilarityOfWords, Target):
    pass


class VectorParameters(VectorQuery, Target):
    pass


class WordsParameters(WordsQuery, Target):
    pass


class OddOneOutParameters(OfWords, Target):
    word: Annotated[
        list[Word], Field(min_length=3, max_length=MAX_WORDS, description="repeat it: word=a&word=b&word=c")
    ]

    @property
    def words(self) -> list[str]:
        return self.word


class SensesParameters(SensesQuery, Target):
    pass


class TextVectorParameters(TextVectorQuery, Target):
    pass
