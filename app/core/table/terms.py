"""How a word as somebody writes it is found: the steps, in their order, which queries and evaluations share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

from app.core.errors import NotOneWord
from app.core.table.composing import Composed, Composer
from app.core.table.vocabulary import WordId
from app.core.text import TextReader, without_surrogates

Step = Literal["exact", "normalised", "tokenised"]
"""As written, after normalisation, or as the one token that the version's tokenizer makes of it."""
Find = Callable[[str], int | None]
"""Which word of a vocabulary is spelled so."""


class Found(NamedTuple):
    id: WordId
    step: Step


class Terms:
    """Finds words of a vocabulary.

    Parameters
    ----------
    find : which word is spelled so
    reader : reads text as the corpus was read
    composer : of words that are not there, if anything composes them
    """

    def __init__(self, find: Find, reader: TextReader, composer: Composer | None = None) -> None:
        self._find = find
        self._reader = reader
        self._composer = composer

    def exact(self, text: str) -> Found | None:
        """As it is written; words of imports may have spaces inside."""
        return self._spelled(without_surrogates(text), "exact")

    def find(self, text: str) -> Found | None:
        """The word that is meant; None if the vocabulary does not have it.

        Raises
        ------
        NotOneWord
        """
        if found := self.exact(text) or self._spelled(self._reader.folded(without_surrogates(text)), "normalised"):
            return found
        word = self.one_word(text)
        if found := self._spelled(word, "normalised"):
            return found
        word_id = self._composer.word_id(word) if self._composer else None
        return None if word_id is None else Found(word_id, "tokenised")

    def compose(self, text: str) -> Composed | None:
        """A vector of a word that is not there; None if nothing of it is known.

        Raises
        ------
        NotOneWord
        """
        return self._composer.compose(self.one_word(text)) if self._composer else None

    def one_word(self, text: str) -> str:
        """How a text that is one word is read.

        Raises
        ------
        NotOneWord
        """
        reader = self._reader
        words = reader.folded(without_surrogates(text)).split() if reader.has_tokenizer else reader.words(text)
        if reader.has_tokenizer and len(words) == 1:
            return words[0]
        if not words and reader.words_left_out(text):
            raise NotOneWord(f"{text!r} is a stop word of this version, or too long for one.", query=text, words=[])
        if not words:
            raise NotOneWord(f"There is no word in {text!r} as this version reads text.", query=text, words=[])
        if len(words) != 1:
            raise NotOneWord(
                f"{text!r} is {len(words)} words as this version reads text: {words[:10]}.",
                query=text,
                words=words[:10],
            )
        if words[0] != text and not reader.is_whole(text):
            raise NotOneWord(
                f"{text!r} would be read as {words[0]!r}: this version leaves such marks out of words. "
                "Ask for that, or train with keep_tokens.",
                query=text,
                words=words,
            )
        return words[0]

    def _spelled(self, word: str, step: Step) -> Found | None:
        word_id = self._find(word)
        return None if word_id is None else Found(WordId(word_id), step)
