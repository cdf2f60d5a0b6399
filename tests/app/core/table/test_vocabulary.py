"""A vocabulary gives back its words."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.core.table.vocabulary import Vocabulary


def test_words_ids_and_counts() -> None:
    vocabulary = Vocabulary.from_words(["the", "왕", "é"], [5, 3, 3])
    assert len(vocabulary) == 3
    assert vocabulary.word_bytes.tobytes() == "the왕é".encode()
    assert vocabulary.word_offsets.tolist() == [0, 3, 6, 8]
    assert vocabulary.counts.tolist() == [5, 3, 3]
    assert vocabulary.word(1) == "왕"
    assert vocabulary.words() == ["the", "왕", "é"]
    assert vocabulary.ids() == {"the": 0, "왕": 1, "é": 2}


def test_an_empty_vocabulary_has_no_words() -> None:
    vocabulary = Vocabulary.from_words([], [])
    assert (len(vocabulary), vocabulary.words(), vocabulary.ids()) == (0, [], {})


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), unique=True))
def test_any_words_come_back(words: list[str]) -> None:
    vocabulary = Vocabulary.from_words(words, [1] * len(words))
    assert vocabulary.words() == [vocabulary.word(i) for i in range(len(words))] == words
