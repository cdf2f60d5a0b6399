"""Words that are several tokens to the version's tokenizer, such as a noun with its particles, or a rare name."""

from __future__ import annotations

import numpy as np

from app.core.nearest import scores
from app.core.table.composing import MAX_COMPOSED, Composed, Composer, composer_of
from app.core.table.reading import Table
from app.core.table.vocabulary import WordId
from app.core.text import TextReader


def word_composer(table: Table, reader: TextReader) -> Composer | None:
    """What composes the words that this table lacks, as the reader reads them; None if nothing does."""
    below = composer_of(table)
    return TokenComposer(table, reader, below) if reader.has_tokenizer else below


class TokenComposer:
    """The mean of a word's tokens; where the table lacks one, `below` composes the word, or else half are enough.

    A misspelt word falls into tokens that nobody has, but most of its n-grams are those of the word that is meant. The
    confidence of a mean is the share of the tokens that the table has.

    Parameters
    ----------
    table : has the tokens
    reader : makes them
    below : of the table's own parts, if it has any
    """

    def __init__(self, table: Table, reader: TextReader, below: Composer | None) -> None:
        self._table = table
        self._reader = reader
        self._below = below

    def word_id(self, word: str) -> WordId | None:
        if len(word) > MAX_COMPOSED:
            return None
        tokens = self._reader.words(word)
        return self._table.lookup.find(tokens[0]) if len(tokens) == 1 else None

    def compose(self, word: str) -> Composed | None:
        if len(word) > MAX_COMPOSED:
            return None
        tokens = self._reader.words(word)
        ids = [self._table.lookup.find(token) for token in tokens]
        known = [word_id for word_id in ids if word_id is not None]
        if len(known) < len(tokens) and (found := self.compose_token(tokens[0] if len(tokens) == 1 else word)):
            return found
        if len(tokens) == 1 or not known or 2 * len(known) < len(tokens):
            return None
        vectors = self._table.unit_vectors[known] * self._table.norms[known, None]
        mean = vectors.mean(axis=0, dtype=np.float64)
        direction = scores.direction(mean[None], [1.0])
        confidence = round(len(known) / len(tokens), 4)
        return None if direction is None else Composed(word, mean, direction, "pieces", confidence)

    def compose_token(self, token: str) -> Composed | None:
        """A token that the table lacks, or a word as one; of nothing but what is below."""
        return self._below.compose(token) if self._below else None
