"""Pairs that are joined in the corpus, and in what is asked."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.core.errors import TokenizerUnusable, VocabularyEmpty
from app.core.hyperparameters import Word2VecHyperparameters
from app.core.text import TextReader, TextSpec
from app.core.text.phrases import PHRASES, Joiner, Phrases, written
from tests.trainer.corpus.test_tokenizers import lines_of
from trainer.corpus import phrases
from trainer.corpus.encode import encode
from trainer.corpus.phrases import Joined, join_phrases

FILLING = [
    "a",
    "the",
    "of",
    "in",
    "old",
    "car",
    "sea",
    "king",
    "runs",
    "sees",
    "goes",
    "has",
    "new",
    "york",
    "times",
    "angeles",
]
PHRASES_OF_TEXT = ["new york", "los angeles", "new york times"]


def made_up() -> list[str]:
    """Words at random, with phrases among them."""
    rng = np.random.default_rng(0)
    lines = []
    for i in range(300):
        words = rng.choice(FILLING, 8).tolist()
        lines.append(" ".join([*words[:4], PHRASES_OF_TEXT[i % 3], *words[4:]]))
    return lines


LINES = made_up()


def join(folder: Path, *, least: int = 1, max_words: int | None = None, **said: Any) -> Joined:
    source = folder / "corpus.txt"
    source.write_text("\n".join(LINES) + "\n")
    corpus = encode(source, folder, spec=TextSpec(), min_count=1)
    chosen = Word2VecHyperparameters(min_count=least, max_words=max_words)
    return join_phrases(corpus, Phrases.model_validate(said), chosen, folder)


def joined_words(line: str) -> list[str]:
    """As the threshold 0.45 joins them."""
    return (
        line.replace("new york", "new_york")
        .replace("los angeles", "los_angeles")
        .replace("new_york times", "new_york_times")
        .split()
    )


def test_what_is_joined_in_the_corpus_is_joined_in_a_text(tmp_path: Path) -> None:
    joined = join(tmp_path, threshold=0.45, min_count=5)
    assert joined.passes == [[("los", "angeles"), ("new", "york")], [("new_york", "times")]]
    reader = TextReader(TextSpec(phrases=Phrases()), {PHRASES: written(joined.passes)})
    assert lines_of(joined.corpus) == [reader.words(line) for line in "\n".join(LINES).split("\n")]
    assert reader.words("New  York!") == ["new_york"]
    assert reader.is_whole("New York!")
    assert list(reader.words_of_each(["new york", "york new"])) == [["new_york"], ["york", "new"]]
    words = [word for line in lines_of(joined.corpus) for word in line]
    vocabulary = joined.corpus.vocabulary
    assert dict(zip(vocabulary.words(), vocabulary.counts.tolist(), strict=True)) == Counter(words)
    assert (joined.corpus.n_tokens, joined.corpus.n_lines) == (len(words), len("\n".join(LINES).split("\n")))
    assert joined.told["phrases"]["n_pairs"] == [len(pairs) for pairs in joined.passes]
    assert joined.told["phrases"]["first"][0] == {"phrase": "los_angeles", "count": 100, "score": 0.7251}


@pytest.mark.parametrize("scoring", ["npmi", "word2phrase"])
def test_scores_are_those_of_the_formulas(scoring: str, tmp_path: Path) -> None:
    lines = [line.split() for line in "\n".join(LINES).split("\n")]
    words = Counter(word for line in lines for word in line)
    pairs = Counter(pair for line in lines for pair in pairwise(line))
    n = words.total()
    expected = {}
    for (first, second), count in pairs.items():
        if min(count, words[first], words[second]) < 5:
            continue
        chance = words[first] * words[second]
        if scoring == "npmi":
            expected[first, second] = math.log(count * n / chance) / -math.log(count / n)
        else:
            expected[first, second] = (count - 5) * n / chance
    joined = join(tmp_path, scoring=scoring, threshold=-10, min_count=5, passes=1)
    assert set(joined.passes[0]) < set(expected)
    assert {("los", "angeles"), ("new", "york")} < set(joined.passes[0])
    for each in joined.told["phrases"]["first"]:
        first, second = each["phrase"].split("_")
        assert (each["count"], each["score"]) == (pairs[first, second], round(expected[first, second], 4))


def test_rare_words_are_left_out_behind_the_joining(tmp_path: Path) -> None:
    joined = join(tmp_path, least=105, max_words=9, threshold=0.45)
    counts = Counter(word for line in LINES for word in joined_words(line))
    frequent = sorted((word for word in counts if counts[word] >= 105), key=lambda word: (-counts[word], word))
    assert joined.corpus.vocabulary.words() == frequent[:9]
    assert joined.corpus.n_corpus_tokens > joined.corpus.n_tokens
    assert all(lines_of(joined.corpus))
    with pytest.raises(VocabularyEmpty):
        join(tmp_path, least=10_000)


def test_more_pairs_than_the_table_holds_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phrases, "FIRST_SLOTS", 4)
    ids = np.random.default_rng(0).integers(-1, 40, 5000).astype(np.int32)
    keys, counts = phrases._counted(ids, np.ones(40, np.bool_))
    expected = Counter(a * 40 + b for a, b in pairwise(ids.tolist()) if min(a, b) >= 0)
    assert dict(zip(keys.tolist(), counts.tolist(), strict=True)) == expected


def test_a_list_that_is_none_is_told() -> None:
    with pytest.raises(TokenizerUnusable):
        Joiner(b'{"passes": [[1]]}')
