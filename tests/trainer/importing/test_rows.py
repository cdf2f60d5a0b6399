"""Rows that are not as they should be: by policy, counted, and the first of them named."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.errors import VectorsUnreadable
from app.core.text import TextReader, TextSpec
from tests.trainer.importing.conftest import Read
from trainer.importing import counts, text
from trainer.importing.rows import MAX_NAMED

LOWER = TextSpec(normalization="nfc", case="lower", tokenizer="whitespace")


def test_the_first_of_equal_words_stays(read: Read) -> None:
    content = b"the 1 0\nThe 2 0\nthe 3 0\n"
    assert read(content).words == ["the", "The"]
    folded = read(content, spec=LOWER)
    assert (folded.words, folded.vectors.tolist()) == (["the"], [[1, 0]])
    (found,) = folded.report.found
    assert (found.what, found.became, found.n) == ("a word that came before", "left out", 2)
    assert [(row.word, row.at) for row in found.first] == [("the", 2), ("the", 3)]
    with pytest.raises(VectorsUnreadable, match="Line 3, 'the': a word that came before"):
        read(content, duplicates="error")


def test_words_that_came_in_a_batch_before_are_told(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a batch has besides: what is new in it stays, in its order."""
    monkeypatch.setattr(text, "BLOCK_BYTES", 1)
    found = read(b"".join(b"%b 1 %d\n" % (word, i) for i, word in enumerate([b"a", b"b", b"a", b"c", b"b", b"d"])))
    assert (found.words, found.vectors[:, 1].tolist()) == (["a", "b", "c", "d"], [0, 1, 3, 5])
    assert [(row.word, row.at) for row in found.report.found[0].first] == [("a", 3), ("b", 5)]


@pytest.mark.parametrize("word", ["\t", "\u00a0x", "x\u2003", "a\x1cb", "a\u2028b", "a\u00a0b"])
def test_any_white_space_in_a_word_is_seen(read: Read, word: str) -> None:
    content = b"2 1\n" + word.encode() + b" \0\0\x80\x3f" + b"y \0\0\x80\x3f"
    (found,) = read(content).report.found
    assert (found.what, found.n) == ("white space inside the word", 1)


def test_words_that_become_equal_without_their_spaces_are_told_as_duplicates(read: Read) -> None:
    content = b"ice cream 1 0\nice_cream 2 0\nice\tcream 3 0\n"
    found = read(content, spaces="replace")
    assert (found.words, found.vectors.tolist()) == (["ice_cream"], [[1, 0]])
    told = {each.what: (each.became, [(row.word, row.at) for row in each.first]) for each in found.report.found}
    assert told == {
        "white space inside the word": ("changed", [("ice cream", 1), ("ice\tcream", 3)]),
        "a word that came before": ("left out", [("ice_cream", 2), ("ice_cream", 3)]),
    }
    with pytest.raises(VectorsUnreadable, match="Line 2, 'ice_cream': a word that came before"):
        read(content, spaces="replace", duplicates="error")


def test_counts_of_words_that_become_equal_without_their_spaces_are_added(tmp_path: Path) -> None:
    path = tmp_path / "vocab"
    path.write_text("ice cream 10\nice_cream 3\nmilk 5\n", encoding="utf-8")
    words = ["ice_cream", "milk"]
    assert counts.of_file(path, words, TextReader(LOWER), replaces_spaces=True).tolist() == [13, 5]
    assert counts.of_file(path, words, TextReader(LOWER)).tolist() == [3, 5]


def test_words_are_composed_as_queries_will_be(read: Read) -> None:
    decomposed = "\u1112\u1161\u11ab 1\n"
    assert read(decomposed.encode(), spec=LOWER).words == ["한"]
    assert read(decomposed.encode()).words == ["\u1112\u1161\u11ab"]


def test_vectors_of_zeros_have_no_direction(read: Read) -> None:
    found = read("왕 1 2\n굽히 0 -0.0\n".encode())
    assert (found.words, found.report.found[0].what) == (["왕"], "a vector of zeros")
    with pytest.raises(VectorsUnreadable, match="Line 2, '굽히'"):
        read("왕 1 2\n굽히 0 0\n".encode(), zero_rows="error")


def test_only_the_first_are_named(read: Read) -> None:
    found = read(b"same 1\n" * 100)
    assert (found.report.found[0].n, len(found.report.found[0].first)) == (99, MAX_NAMED)


def test_a_file_without_any_good_row_is_refused(read: Read) -> None:
    with pytest.raises(VectorsUnreadable, match="No row of 2 is left: 2 a vector of zeros"):
        read(b"a 0 0\nb 0 0\n")


def test_counts_come_from_a_vocabulary_or_by_zipfs_law(tmp_path: Path) -> None:
    assert counts.estimated(4).tolist() == [10**9, 5 * 10**8, 333_333_333, 250_000_000]
    path = tmp_path / "vocab"
    path.write_text("the 10\nThe 5\n왕 3\nunused 1\n", encoding="utf-8")
    assert counts.of_file(path, ["왕", "the"], TextReader(LOWER)).tolist() == [3, 15]
    with pytest.raises(VectorsUnreadable, match="no count for 1 of 2 words, such as 'queen'"):
        counts.of_file(path, ["왕", "queen"], TextReader(LOWER))
    path.write_text("the ten\n", encoding="utf-8")
    with pytest.raises(VectorsUnreadable, match="Line 1 of the vocabulary is not a word and its count: 'the ten"):
        counts.of_file(path, ["the"], TextReader(LOWER))
