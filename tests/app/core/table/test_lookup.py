from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.core.table.lookup import EMPTY, WordLookup, word_order, word_slots
from app.core.table.vocabulary import Vocabulary

words = st.lists(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6), min_size=1, max_size=60, unique=True
)


def lookup_of(given_words: list[str]) -> WordLookup:
    vocabulary = Vocabulary.from_words(given_words, np.ones(len(given_words)))
    return WordLookup(vocabulary, word_slots(vocabulary), word_order(vocabulary))


@given(words, st.text(st.characters(exclude_categories=["Cs"]), max_size=6))
def test_finds_what_a_dictionary_finds(given_words: list[str], other: str) -> None:
    lookup, by_word = lookup_of(given_words), {word: i for i, word in enumerate(given_words)}
    assert [lookup.find(word) for word in given_words] == list(range(len(given_words)))
    assert lookup.find(other) == by_word.get(other)
    assert [lookup.word(i) for i in range(len(given_words))] == given_words


@given(words, st.text(st.characters(exclude_categories=["Cs"]), max_size=2))
def test_prefixes_are_those_that_startswith_finds(given_words: list[str], prefix: str) -> None:
    found = lookup_of(given_words).starting_with(prefix)
    assert [given_words[i] for i in found] == sorted(word for word in given_words if word.startswith(prefix))


def test_slots_are_sparse_enough_to_end_every_search() -> None:
    slots = word_slots(Vocabulary.from_words([f"w{i}" for i in range(1000)], np.ones(1000)))
    assert len(slots) == 2048
    assert sorted(slots[slots != EMPTY].tolist()) == list(range(1000))
