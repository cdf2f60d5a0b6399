"""One published version, open and ready to answer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np

from app.core.catalog import PublishedVersion
from app.core.errors import Overloaded, WordNotFound
from app.core.nearest.scores import DoubleArray
from app.core.oov import Oov
from app.core.table.composing import FEW_CHARACTERS, Composed
from app.core.table.reading import Table
from app.core.table.terms import Step, Terms
from app.core.table.tokenised import word_composer
from app.core.table.vocabulary import WordId
from app.core.text import without_surrogates
from app.serving.batching import Batcher
from app.serving.index import open_index
from app.serving.reading import ExactWords, reader_of
from app.serving.searchers import Searchers
from app.serving.suggestions import Allowance, Suggestions, allowance

WARM_QUERIES = 3


class Term(NamedTuple):
    """A word of a question, read once: the word, its id, and how it was found."""

    word: str
    id: WordId
    step: Step


class ServedVersion:
    """A table with its index and the reading of queries; immutable but for caches."""

    def __init__(self, published: PublishedVersion, table: Table, pool: Searchers) -> None:
        self.model = published.model
        self.number = published.number
        self.prefix = published.prefix
        self.published = published
        self.table = table
        self.lookup = table.lookup
        self.pool = pool
        self.text = reader_of(table)
        self.index = open_index(table)
        self.batcher = Batcher(self.index, pool)
        self.suggestions = Suggestions(table)
        self.composer = word_composer(table, self.text)
        self._terms = Terms(table.lookup.find, self.text, self.composer)

    def warm(self) -> None:
        """Answer a few queries, so that the first client waits for no disk."""
        n_words = len(self.table.unit_vectors)
        for word_id in np.linspace(0, n_words - 1, min(WARM_QUERIES, n_words)).astype(int).tolist():
            direction = self.table.unit_vectors[word_id].astype(np.float64)
            self.index.nearest(direction[None], 10, self.index.for_words)
            self.table.neighbors.ids[: word_id + 1][-1:].sum()
        if self.composer:
            self.composer.compose(self.lookup.word(0))

    @property
    def exact_only(self) -> str | None:
        """Why this process finds nothing but words as they are stored; None if it reads text."""
        return self.text.why if isinstance(self.text, ExactWords) else None

    def direction(self, term: Term | Composed) -> DoubleArray:
        """The unit vector of a term, float64 (dim,)."""
        if isinstance(term, Composed):
            return term.direction
        direction: DoubleArray = self.table.unit_vectors[term.id].astype(np.float64)
        return direction

    @cached_property
    def n_tokens(self) -> int:
        """Occurrences of all words in the corpus."""
        return int(self.table.vocabulary.counts.sum())

    @cached_property
    def neighborhood_means(self) -> DoubleArray:
        """Mean score of each covered word's ten nearest, float64 (n_covered,)."""
        means: DoubleArray = self.table.neighbors.scores[:, :10].astype(np.float64).mean(axis=1)
        return means

    def as_prefix(self, text: str) -> str:
        """The beginning of a word as a user writes it; empty for nothing.

        Raises
        ------
        NotOneWord
        """
        if self.exact_only or not text.strip():
            return text.strip()
        return self._terms.one_word(text)

    def term(self, text: str) -> Term | None:
        """A word as a user writes it; None if the vocabulary does not have it.

        Raises
        ------
        NotOneWord
        """
        found = self._terms.exact(text) if self.exact_only else self._terms.find(text)
        return None if found is None else Term(self.lookup.word(found.id), *found)

    async def terms(self, texts: Sequence[str]) -> list[Term]:
        """Words of the vocabulary as users write them.

        Raises
        ------
        NotOneWord
        WordNotFound
            With all that are missing and near spellings of each.
        """
        return [term for term in await self.words(texts, "reject") if isinstance(term, Term)]

    async def words(self, texts: Sequence[str], oov: Oov) -> list[Term | Composed]:
        """Words as users write them; those that the vocabulary lacks are composed, if that is wanted and can be.

        Raises
        ------
        NotOneWord
        WordNotFound
            As above.
        """
        terms = [self.term(text) for text in texts]
        lacking = [text for text, term in zip(texts, terms, strict=True) if term is None]
        if not lacking:
            return [term for term in terms if term is not None]
        composed: dict[str, Composed] = {}
        if oov == "compose" and self.composer:
            are_few = sum(map(len, lacking)) <= FEW_CHARACTERS
            composed = self._composed(lacking) if are_few else await self.pool.beside(lambda: self._composed(lacking))
        if missing := [text for text in lacking if text not in composed]:
            raise await self.word_not_found(missing)
        return [term or composed[text] for text, term in zip(texts, terms, strict=True)]

    def _composed(self, texts: Sequence[str]) -> dict[str, Composed]:
        """Those of the words that can be composed, by how they were written."""
        found = {text: self._terms.compose(text) for text in dict.fromkeys(texts)}
        return {text: word for text, word in found.items() if word}

    async def word_not_found(self, texts: Sequence[str]) -> WordNotFound:
        missing = list(dict.fromkeys(map(self._missing, texts)))
        granted = allowance.get(None) or Allowance()
        near = [await self._near(word) if granted.take() else [] for word in missing]
        told = self.lacks(missing)
        if self.text.has_tokenizer and (dropped := [word for word in missing if not self.text.words(word)]):
            told += f" Its tokenizer leaves out {', '.join(map(repr, dropped))}, as it does particles and marks."
        return WordNotFound(told, missing=missing, suggestions=dict(zip(missing, near, strict=True)))

    async def _near(self, word: str) -> list[str]:
        """Near spellings; none while too much waits."""
        try:
            return await self.pool.beside(lambda: self.suggestions.near(word))
        except Overloaded:
            return []

    def _missing(self, text: str) -> str:
        """How a word that was not found is called."""
        if self.exact_only:
            return without_surrogates(text)
        return self._terms.one_word(text) if self.text.has_tokenizer else self.text.words(text)[0]

    def lacks(self, words: Sequence[str]) -> str:
        """Say that the vocabulary does not have these words."""
        quoted = ", ".join(map(repr, words))
        why = f" This process finds only words as they are stored: {self.exact_only}" if self.exact_only else ""
        return f"The vocabulary of {self.model!r} version {self.number} does not have {quoted}.{why}"
