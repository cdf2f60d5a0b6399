"""Lines with words swapped: against a slow reading of words, and Korean particles against how they are spelled."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from app.core.text import TextReader, TextSpec
from trainer.corpus.encode import EncodedCorpus, encode
from trainer.corpus.particles import declined
from trainer.corpus.swapping import swap

TEXT = (
    "He saw the queen and her king\nbread and wine\n\nthe King saw him him\nshe slept\nthe he rare\nwine king\nonly\n"
)
PAIRS = (("he", "she"), ("king", "queen"), ("aunt", "uncle"), ("rare", "bread"))


def encoded(folder: Path, text: str, min_count: int = 1) -> EncodedCorpus:
    (folder / "text").write_text(text)
    return encode(folder / "text", folder, spec=TextSpec(), min_count=min_count)


def lines_of(corpus: EncodedCorpus) -> list[list[str]]:
    words, lines = corpus.vocabulary.words(), [[]]  # type: list[str], list[list[str]]
    for i in corpus.ids.tolist():
        if i < 0:
            lines.append([])
        else:
            lines[-1].append(words[i])
    assert lines.pop() == []
    return lines


@pytest.mark.parametrize("min_count", [1, 2])
def test_lines_are_written_again_with_their_words_swapped(tmp_path: Path, min_count: int) -> None:
    corpus = encoded(tmp_path, TEXT, min_count)
    known = set(corpus.vocabulary.words())
    partner = {a: b for pair in PAIRS for a, b in (pair, pair[::-1]) if {a, b} <= known}
    expected = []
    for line in lines_of(corpus):
        expected.append(line)
        if any(word in partner for word in line):
            expected.append([partner.get(word, word) for word in line])
    found, told = swap(corpus, PAIRS, TextReader(TextSpec()), tmp_path)
    assert lines_of(found) == expected
    counts = Counter(word for line in expected for word in line)
    assert found.vocabulary.words() == sorted(counts, key=lambda word: (-counts[word], word.encode()))
    assert found.vocabulary.counts.tolist() == sorted(counts.values(), reverse=True)
    assert (found.n_lines, found.n_tokens) == (len(expected), sum(map(len, expected)))
    assert told["n_lines_again"] == len(expected) - corpus.n_lines
    assert told["n_swapped"] == sum(word in partner for line in lines_of(corpus) for word in line)
    assert (told["n_words"], told["n_tokens"]) == (len(partner), found.n_tokens)
    assert told["missing"] == [" ".join(pair) for pair in PAIRS if not set(pair) <= known]
    # words whose partner is rarer stay: with min_count 2 neither "rare" nor "queen" are there
    assert ("queen" in known, "bread" in known) == (min_count == 1, min_count == 1)


def test_nothing_to_swap_changes_nothing(tmp_path: Path) -> None:
    corpus = encoded(tmp_path, TEXT)
    found, told = swap(corpus, [("sun", "moon")], TextReader(TextSpec()), tmp_path)
    np.testing.assert_array_equal(found.ids, corpus.ids)
    assert found.vocabulary.words() == corpus.vocabulary.words()
    assert (told["n_lines_again"], told["missing"]) == (0, ["sun moon"])


def test_korean_particles_agree_after_a_swap(tmp_path: Path) -> None:
    text = (
        "형은 딸과 산다\n누나는 아들과 산다\n누나를 형이 본다\n형을 누나가 본다\n형에게는 간다\n누나에게는 온다\n"
        "딸로 형으로\n아들로 누나로\n딸의\n아들의\n그이 형는 누나은\n그녀가\n그가\n"
    )
    corpus = encoded(tmp_path, text)
    pairs = (("누나", "형"), ("딸", "아들"), ("그", "그녀"))
    found, told = swap(corpus, pairs, TextReader(TextSpec()), tmp_path)
    lines = [" ".join(line) for line in lines_of(found)]
    assert lines[1::2][:10] == [
        "누나는 아들과 산다",
        "형은 딸과 산다",
        "형을 누나가 본다",
        "누나를 형이 본다",
        "누나에게는 간다",
        "형에게는 온다",
        "아들로 누나로",
        "딸로 형으로",
        "아들의",
        "딸의",
    ]
    # "그이" is another word, the others are spelled wrong: nothing is swapped in this line
    assert lines[20:] == ["그이 형는 누나은", "그녀가", "그가", "그가", "그녀가"]
    assert "missing" not in told


def test_particles_are_spelled_by_the_final_consonant() -> None:
    found = dict(declined("그", "딸"))
    spelled = ["그는", "그가", "그를", "그와", "그로", "그로서", "그였다", "그에게서", "그와는"]
    expected = ["딸은", "딸이", "딸을", "딸과", "딸로", "딸로서", "딸이었다", "딸에게서", "딸과는"]
    assert [found[word] for word in spelled] == expected
    assert dict(declined("형", "언니"))["형으로"] == "언니로"
    assert list(declined("he", "형")) == []
