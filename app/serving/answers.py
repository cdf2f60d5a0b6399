"""What is answered, for the document. `app.serving.answering` writes the answers; tests hold them to this."""

from __future__ import annotations

from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, create_model

Score = Annotated[float, Field(ge=-1, le=1, description="cosine, rounded to 6 decimals; higher is closer")]
Rank = Annotated[int, Field(description="1 is the most frequent word")]
Vector = Annotated[
    list[float] | str, Field(description="float32 numbers, or their little-endian bytes as base64, as asked for")
]


Step = Literal["normalised", "tokenised"]
"""By which a word was found that does not stand in the vocabulary as it was asked."""


class Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class OfFound(Answer):
    matched: Annotated[Step | None, Field(description="only of a word that was not found as it was asked")] = None


class OfComposed(Answer):
    """What is said of a word that the vocabulary lacks, and of no other."""

    in_vocabulary: Annotated[Literal[False] | None, Field(description="only of a composed word")] = None
    composed_from: Annotated[
        Literal["pieces", "ngrams"] | None, Field(description="tokens of the version's tokenizer, or n-grams")
    ] = None
    confidence: Annotated[
        float | None, Field(ge=0, le=1, description="share of the word's n-grams or tokens that there are")
    ] = None


class OfWord(OfFound, OfComposed):
    """What is said of a word that does not stand in the vocabulary as it was asked."""


class ComposedWord(OfComposed):
    word: str


class WithComposed(Answer):
    composed: Annotated[
        list[ComposedWord] | None, Field(description="words that the vocabulary lacks, only if there are any")
    ] = None


class OfWords(WithComposed):
    matched: Annotated[
        dict[str, Step] | None, Field(description="how words were found that were not as they were asked, if any")
    ] = None


class ScoredWord(Answer):
    word: str
    score: Score


class Neighbor(ScoredWord):
    agreement: Annotated[int | None, Field(description="trainings that found it, if asked for `stability`")] = None
    csls: Annotated[float | None, Field(description="2 cosine - r(query) - r(word), if metric=csls")] = None


class AnalogyWord(ScoredWord):
    product: Annotated[float | None, Field(description="the 3CosMul value that orders the answers, if method=mul")] = (
        None
    )


class Approximate(Answer):
    """An approximate index answered; `recall_at_10` was measured when the version was published."""

    index: str
    recall_at_10: float


class Neighbors(OfComposed, WithComposed):
    matched: Annotated[
        Step | dict[str, Step] | None,
        Field(description="how a word, or each of several, was found, if not as asked"),
    ] = None
    word: str | None = None
    text: str | None = None
    missing: Annotated[list[str] | None, Field(description="words of the text that have no vector")] = None
    words: dict[str, float] | None = None
    vector: list[float] | None = None
    neighbors: list[Neighbor]
    replicas: Annotated[int | None, Field(description="trainings that `agreement` is of")] = None
    approximate: Approximate | None = None


class Analogy(OfWords):
    a: str | None = None
    b: str | None = None
    c: str | None = None
    positive: list[str] | None = None
    negative: list[str] | None = None
    answers: list[AnalogyWord]
    approximate: Approximate | None = None


class Similarity(OfWords):
    a: str | list[str]
    b: str | list[str]
    score: Score


class WordVector(OfWord):
    """The vector as trained; its direction is what scores compare."""

    word: str
    rank: Annotated[int | None, Field(description="1 is the most frequent word; null of a composed one")]
    vector: Vector


class ListedWord(Answer):
    word: str
    count: Annotated[int | None, Field(description="occurrences in the corpus; null where that is not known")]
    rank: Rank


class FoundWords(Answer):
    prefix: str
    words: Annotated[list[ListedWord], Field(description="most frequent first")]
    next: Annotated[str | None, Field(description="continues the list as ``after=``; null at its end")]


class OddOneOut(OfWords):
    odd: Annotated[str, Field(description="the word least like the mean of all")]
    words: Annotated[list[ScoredWord], Field(description="each word's cosine to the mean of all, as asked")]


class Sense(Answer):
    """Neighbours that are near to each other, and where they lie."""

    share: Annotated[float, Field(ge=0, le=1, description="of the neighbours that were looked at")]
    words: Annotated[list[ScoredWord], Field(description="nearest to the word that was asked first")]
    vector: Annotated[
        list[float],
        Field(
            description='of length 1, the weighted mean of its words: POST /neighbors {"queries": [{"vector": ...}]}'
        ),
    ]


class Senses(OfFound):
    """Clusters of the neighbours' own graph, the largest first; clusters of fewer than three words are left out.

    A word that is used in one way has one. There is none where no other word points the same way.
    """

    word: str
    senses: list[Sense]
    approximate: Approximate | None = None


class TextVector(WithComposed):
    """The mean of the words' vectors, rare words weighing more, less what all texts have in common (SIF).

    Of a token table (Model2Vec): the mean of the tokens' vectors, as its own tokenizer cuts the text.
    """

    vector: Annotated[Vector, Field(description="of length 1; see `encoding`")]
    n_words: Annotated[int, Field(description="words of the text, or tokens of a token table, that have a vector")]
    out_of_vocabulary: Annotated[list[str], Field(description="distinct words that have none")]


A = TypeVar("A", bound=Answer)


class Failed(Answer):
    error: Annotated[dict[str, Any], Field(description="a problem, as the single query would be answered")]


class BatchAnswer(Answer, Generic[A]):
    """In the order of the questions."""

    model: str
    version: int
    results: list[A | Failed]


def named(answer: type[Answer]) -> type[Answer]:
    """The answer to one question alone: model and version stand before it."""
    return create_model(f"{answer.__name__}Answer", __base__=answer, __doc__=answer.__doc__, model=str, version=int)
