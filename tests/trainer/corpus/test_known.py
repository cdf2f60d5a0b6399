"""A corpus that is read with words that were known before."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.table.vocabulary import Vocabulary
from app.core.text import TextSpec
from trainer.corpus.encode import EncodedCorpus, encode

KNOWN = Vocabulary.from_words(["old", "b", "x y"], [7, 3, 1])


def read(folder: Path, text: str, *, max_words: int | None = None, max_types: int = 100) -> EncodedCorpus:
    path = folder / "text"
    path.write_text(text)
    return encode(path, folder, spec=TextSpec(), min_count=2, max_words=max_words, max_types=max_types, known=KNOWN)


@pytest.mark.parametrize("max_types", [100, 2])
def test_counts_are_added_and_ids_go_by_the_sums(tmp_path: Path, max_types: int) -> None:
    """Known words stay however rare they are here; others need `min_count` occurrences here."""
    corpus = read(tmp_path, "a b b new new new\nb rare\n", max_types=max_types)
    assert corpus.vocabulary.words() == ["old", "b", "new", "x y"]
    assert corpus.vocabulary.counts.tolist() == [7, 6, 3, 1]
    assert corpus.known_ids.tolist() == [0, 1, 3]
    assert corpus.ids.tolist() == [1, 1, 2, 2, 2, -1, 1, -1]
    assert (corpus.n_tokens, corpus.n_corpus_tokens, corpus.n_lines) == (6, 8, 2)


def test_known_words_beyond_max_words_are_left_out(tmp_path: Path) -> None:
    corpus = read(tmp_path, "b new new new\n", max_words=3)
    assert (corpus.vocabulary.words(), corpus.known_ids.tolist()) == (["old", "b", "new"], [0, 1, -1])


def test_a_text_that_adds_no_word_has_the_known_ones(tmp_path: Path) -> None:
    corpus = read(tmp_path, "rare\nonce\n")
    assert corpus.vocabulary.words() == KNOWN.words()
    assert corpus.vocabulary.counts.tolist() == [7, 3, 1]
    assert (corpus.known_ids.tolist(), corpus.ids.tolist(), corpus.n_tokens) == ([0, 1, 2], [], 0)
