"""The questions, one row each. Routes, documents and commands follow from the rows."""

from __future__ import annotations

from dataclasses import dataclass

from app.core import errors
from app.core.errors import WordkinError
from app.serving import answers
from app.serving.answers import Answer
from app.serving.asking import (
    AnalogyParameters,
    AnalogyQuery,
    NeighborsParameters,
    NeighborsQuery,
    OddOneOutParameters,
    OddOneOutQuery,
    Query,
    SensesParameters,
    SensesQuery,
    SimilarityParameters,
    SimilarityQuery,
    Target,
    TextVectorParameters,
    TextVectorQuery,
    VectorParameters,
    VectorQuery,
    WordsParameters,
    WordsQuery,
)
from app.serving.evidence import answers as evidence
from app.serving.evidence.asking import (
    ContextsParameters,
    ContextsQuery,
    CooccurrenceParameters,
    CooccurrenceQuery,
    ExplainParameters,
    ExplainQuery,
)

OF_A_VERSION = (
    errors.InvalidRequest,
    errors.ModelRequired,
    errors.ModelNotFound,
    errors.VersionNotFound,
    errors.VersionNotLoaded,
    errors.Overloaded,
    errors.DatabaseUnavailable,
)
"""What may be wrong with any question, alone or in a batch."""
OF_WORDS = (errors.WordNotFound, errors.NotOneWord, errors.TextNotRead)


@dataclass(frozen=True)
class Question:
    """A question.

    `answering` has a function of its `name`; its path is the name with hyphens. `parameters` are those of GET, `query`
    is an item of POST. `listed` is the member of the answer that is a list to show, if there is one.
    """

    name: str
    operation: str
    says: str
    says_of_many: str
    parameters: type[Target]
    query: type[Query]
    answer: type[Answer]
    raises: tuple[type[WordkinError], ...]
    listed: str | None = None

    @property
    def path(self) -> str:
        return f"/{self.name.replace('_', '-')}"


QUESTIONS = (
    Question(
        "neighbors",
        "get_neighbors",
        "Find the words nearest to a word or to a text, with filters.",
        "Find neighbours of words, texts, vectors or weighted sums of words, with filters.",
        NeighborsParameters,
        NeighborsQuery,
        answers.Neighbors,
        OF_WORDS,
        "neighbors",
    ),
    Question(
        "analogy",
        "get_analogy",
        "Find the words nearest to a - b + c: king - man + woman.",
        "Answer analogies of three or of any number of words.",
        AnalogyParameters,
        AnalogyQuery,
        answers.Analogy,
        OF_WORDS,
        "answers",
    ),
    Question(
        "similarity",
        "get_similarity",
        "Compare two words.",
        "Compare words or sets of words.",
        SimilarityParameters,
        SimilarityQuery,
        answers.Similarity,
        OF_WORDS,
    ),
    Question(
        "vector",
        "get_vector",
        "Read a word's vector as it was trained.",
        "Read vectors.",
        VectorParameters,
        VectorQuery,
        answers.WordVector,
        OF_WORDS,
    ),
    Question(
        "words",
        "list_words",
        "List words, the most frequent first: all, or those with a prefix. `next` leads to the page behind.",
        "List words by prefixes.",
        WordsParameters,
        WordsQuery,
        answers.FoundWords,
        OF_WORDS,
        "words",
    ),
    Question(
        "odd_one_out",
        "get_odd_one_out",
        "Find the word that fits least among the others.",
        "Find the odd one out of each set.",
        OddOneOutParameters,
        OddOneOutQuery,
        answers.OddOneOut,
        OF_WORDS,
        "words",
    ),
    Question(
        "senses",
        "get_senses",
        "Find the senses of a word: clusters of its neighbours, each with a direction to search by.",
        "Find the senses of each word.",
        SensesParameters,
        SensesQuery,
        answers.Senses,
        OF_WORDS,
        "senses",
    ),
    Question(
        "text_vector",
        "get_text_vector",
        "Make one vector of a whole text.",
        "Make a vector of each text.",
        TextVectorParameters,
        TextVectorQuery,
        answers.TextVector,
        (errors.WordNotFound,),
    ),
    Question(
        "contexts",
        "get_contexts",
        "List the strongest contexts of a word in the corpus, with counts and lines that show them.",
        "List the strongest contexts of words.",
        ContextsParameters,
        ContextsQuery,
        evidence.Contexts,
        (*OF_WORDS, errors.EvidenceNotStored),
        "contexts",
    ),
    Question(
        "explain",
        "get_explain",
        "Show why two words are alike: the contexts that they share in the corpus, what each contributes, and lines.",
        "Show why words are alike, pair by pair.",
        ExplainParameters,
        ExplainQuery,
        evidence.Explanation,
        (*OF_WORDS, errors.EvidenceNotStored),
        "shared",
    ),
    Question(
        "cooccurrence",
        "get_cooccurrence",
        "Tell how often two words stand near each other in the corpus (X_ij), with lines that show it.",
        "Tell how often words stand near each other, pair by pair.",
        CooccurrenceParameters,
        CooccurrenceQuery,
        evidence.Cooccurrence,
        (*OF_WORDS, errors.EvidenceNotStored),
    ),
)
