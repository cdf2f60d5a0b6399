"""Vectors of words that the vocabulary lacks, composed of what the version has of them: tokens or n-grams."""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from app.core.errors import InvalidRequest, TableDamaged, reason
from app.core.nearest import scores
from app.core.nearest.scores import DoubleArray
from app.core.table.parts import MAX_TOKENIZER_BYTES, TOKENIZER, Ngrams, Parts
from app.core.table.reading import Table
from app.core.table.vocabulary import WordId
from app.core.text import without_surrogates
from app.core.text.ngrams import ngram_hashes

if TYPE_CHECKING:
    import tokenizers

MAX_COMPOSED = 100
"""Characters; what is longer is no word."""
FEW_CHARACTERS = 200
"""More are composed beside the event loop."""
# N-grams of 3 to 6 of 200 characters take 0.4 ms.


class Composed(NamedTuple):
    """A word that the vocabulary lacks, with its vector and direction, float64 (dim,).

    `confidence` is the share of its n-grams that words of the vocabulary have; None of pieces.
    """

    word: str
    vector: DoubleArray
    direction: DoubleArray
    composed_from: Literal["pieces", "ngrams"]
    confidence: float | None = None


class Composer(Protocol):
    """Reads words by their parts."""

    def word_id(self, word: str) -> WordId | None:
        """The word of the vocabulary that this one is read as."""

    def compose(self, word: str) -> Composed | None:
        """A vector of a word that is none of the vocabulary; None if nothing of it is known."""


def composer_of(table: Table) -> Composer | None:
    """What composes words of this table; None if it has no parts. Raises `TableDamaged`."""
    parts = table.parts
    if parts is None:
        return None
    if isinstance(parts.composition, Ngrams):
        return NgramComposer(parts, parts.composition)
    return PieceComposer(table, parts)


class NgramComposer:
    """The mean of the rows of a word's n-grams, as far as there are rows."""

    def __init__(self, parts: Parts, ngrams: Ngrams) -> None:
        self._parts = parts
        self._ngrams = ngrams

    def word_id(self, _: str) -> WordId | None:
        return None

    def compose(self, word: str) -> Composed | None:
        if len(word) > MAX_COMPOSED:
            return None
        hashes = np.array(ngram_hashes(word, self._ngrams.min_n, self._ngrams.max_n, self._ngrams.unit), np.int64)
        rows = rows_of(self._parts, hashes % self._ngrams.n_buckets)
        rows = rows[rows >= 0]
        trained = self._parts.trained
        n_trained = len(rows) if trained is None else int(np.count_nonzero(trained[rows]))
        if not n_trained:
            return None
        mean = self._parts.vectors[rows].mean(axis=0, dtype=np.float64)
        return _composed(word, mean, "ngrams", round(n_trained / len(hashes), 4))


class Cut(NamedTuple):
    """A text as tokens: their vectors, float64 (n, dim), which of them are words, and what no vector is known of."""

    vectors: DoubleArray
    ids: frozenset[WordId]
    unknown: list[str]
    n_tokens: int


class PieceComposer:
    """Means of the rows of tokens, as Model2Vec takes them; the tokenizer is made of its file when it is first used."""

    def __init__(self, table: Table, parts: Parts) -> None:
        self._table = table
        self._parts = parts
        self._token_words = table.arrays["token_words"]
        self._content = _verified(table)

    def word_id(self, word: str) -> WordId | None:
        if len(word) > MAX_COMPOSED:
            return None
        tokens = self._encoded(word).ids
        word_id = int(self._token_words[tokens[0]]) if len(tokens) == 1 else -1
        return WordId(word_id) if word_id >= 0 else None

    def compose(self, word: str) -> Composed | None:
        if len(word) > MAX_COMPOSED:
            return None
        vectors = self.cut(word).vectors
        return _composed(word, vectors.mean(axis=0), "pieces") if len(vectors) else None

    def cut(self, text: str) -> Cut:
        """Read any text."""
        text = without_surrogates(text)
        encoding = self._encoded(text)
        tokens = np.array(encoding.ids, np.int64)
        words, rows = self._token_words[tokens], rows_of(self._parts, tokens)
        is_word, is_part = words >= 0, rows >= 0
        vectors = np.empty((len(tokens), self._table.manifest.dim))
        lengths = self._table.norms[words[is_word]].astype(np.float64)
        vectors[is_word] = self._table.unit_vectors[words[is_word]] * lengths[:, None]
        vectors[is_part] = self._parts.vectors[rows[is_part]]
        is_known = is_word | is_part
        places = [encoding.offsets[i] for i in np.flatnonzero(~is_known).tolist()]
        unknown = list(dict.fromkeys(text[start:end] for start, end in places))
        return Cut(vectors[is_known], frozenset(map(WordId, words[is_word].tolist())), unknown, len(tokens))

    def _encoded(self, text: str) -> tokenizers.Encoding:
        try:
            return self._tokenizer.encode(text, add_special_tokens=False)
        except Exception as error:  # the library raises nothing more exact
            raise InvalidRequest(f"The tokenizer of this version cannot read it: {error}.", text=text[:200]) from error

    @cached_property
    def _tokenizer(self) -> tokenizers.Tokenizer:
        from tokenizers import Tokenizer  # noqa: PLC0415 (a large library that few versions need)

        try:
            tokenizer = Tokenizer.from_str(self._content.decode())
        except Exception as error:  # the library raises nothing more exact
            raise TableDamaged(f"{TOKENIZER} cannot be read: {reason(error)}.") from error
        tokenizer.no_padding()
        tokenizer.no_truncation()
        return tokenizer


def _verified(table: Table) -> bytes:
    """The tokenizer's file, read now: it may leave this machine before it is needed."""
    digest = table.manifest.files[TOKENIZER]
    if digest.n_bytes > MAX_TOKENIZER_BYTES:
        raise TableDamaged(f"{TOKENIZER} has {digest.n_bytes} bytes; {MAX_TOKENIZER_BYTES} are read.")
    try:
        content = (table.folder / TOKENIZER).read_bytes()
    except OSError as error:
        raise TableDamaged(f"{TOKENIZER} cannot be read: {reason(error)}.") from error
    if hashlib.sha256(content).hexdigest() != digest.sha256:
        raise TableDamaged(f"{TOKENIZER} does not have the digest its manifest states.")
    return content


def rows_of(parts: Parts, keys: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Where the parts of these keys are; int64 (n,), -1 for those that are not there."""
    if not len(parts.keys):
        return np.full(len(keys), -1)
    places = np.minimum(np.searchsorted(parts.keys, keys), len(parts.keys) - 1)
    return np.where(parts.keys[places] == keys, places, -1)


def _composed(
    word: str, vector: DoubleArray, composed_from: Literal["pieces", "ngrams"], confidence: float | None = None
) -> Composed | None:
    direction = scores.direction(vector[None], [1.0])
    return None if direction is None else Composed(word, vector, direction, composed_from, confidence)
