"""Frequent pairs of words become one word each, in several passes (Mikolov et al. 2013, section 4; Bouma 2009)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from app.core.errors import VocabularyEmpty
from app.core.hyperparameters import Hyperparameters
from app.core.table.vocabulary import Vocabulary
from app.core.text.phrases import JOINT, Pairs, Phrases
from trainer.corpus.encode import EncodedCorpus
from trainer.kernels.text import phrases as kernels
from trainer.steps.arrays import Ids, Integers
from trainer.steps.disk import full_disk_named, reserved_file

FIRST_SLOTS = 1 << 16
N_TOLD = 50
MAX_PAIRS = 1_000_000
"""Of one pass; the best ones."""


class Joined(NamedTuple):
    """The corpus with its phrases, the pairs of each pass, the best first, and what is told of them."""

    corpus: EncodedCorpus
    passes: list[Pairs]
    told: dict[str, Any]


def join_phrases(corpus: EncodedCorpus, options: Phrases, chosen: Hyperparameters, folder: Path) -> Joined:
    """Join pairs, and then leave out the words that are rare.

    Parameters
    ----------
    corpus : with all its words, whatever their counts
    options : which pairs are joined
    chosen : says which words stay (`min_count`, `max_words`)
    folder : receives the new ids

    Raises
    ------
    VocabularyEmpty
        No word is frequent enough.
    """
    words = corpus.vocabulary.words()
    numbers = {word: i for i, word in enumerate(words)}
    with full_disk_named("There is not enough space left for the phrases"):
        path = reserved_file(folder / "phrases.ids", max(corpus.ids.nbytes, 4))
    out = np.memmap(path, np.int32, mode="r+")
    ids: Ids = np.asarray(corpus.ids)
    passes: list[Pairs] = []
    first: list[dict[str, Any]] = []
    for _ in range(options.passes):
        keys, counts, scores = _pairs(ids, len(words), options)
        if not len(keys):
            break
        pairs = [(words[key // len(words)], words[key % len(words)]) for key in keys.tolist()]
        n_words, joined = len(words), np.empty(len(pairs), np.int32)
        for i, (left, right) in enumerate(pairs):
            spelled = left + JOINT + right
            joined[i] = numbers.setdefault(spelled, len(words))
            if joined[i] == len(words):
                words.append(spelled)
        order = np.argsort(keys)
        ids = out[: kernels.join_pairs(ids, n_words, keys[order], joined[order], out)]
        # A pair whose words are always taken by pairs before it is none in the corpus, and must be none in a query.
        happens = np.bincount(ids[ids >= 0], minlength=len(words))[joined] > 0
        pairs = [pairs[i] for i in np.flatnonzero(happens).tolist()]
        passes.append(pairs)
        told = zip(pairs[:N_TOLD], counts[happens].tolist(), scores[happens].tolist(), strict=False)
        first += [{"phrase": JOINT.join(pair), "count": n, "score": round(score, 4)} for pair, n, score in told]
    kept = _frequent(replace(corpus, ids=ids), words, chosen, out)
    facts = {"n_pairs": [len(pairs) for pairs in passes], "n_tokens_before": corpus.n_tokens, "first": first[:N_TOLD]}
    return Joined(kept, passes, {"phrases": facts})


def _pairs(ids: Ids, n_words: int, options: Phrases) -> tuple[Integers, Integers, npt.NDArray[np.float64]]:
    """The pairs to join, the best first: keys, counts and scores."""
    counts_of_words = np.bincount(ids[ids >= 0], minlength=n_words)
    keys, counts = _counted(ids, counts_of_words >= options.min_count)
    enough = counts >= options.min_count
    keys, counts = keys[enough], counts[enough]
    first, second = counts_of_words[keys // n_words], counts_of_words[keys % n_words]
    scores = options.scores(counts, first, second, int(counts_of_words.sum()))
    chosen = np.flatnonzero(scores > options.least)
    order = chosen[np.lexsort((keys[chosen], -scores[chosen]))][:MAX_PAIRS]
    return keys[order], counts[order], scores[order]


def _counted(ids: Ids, is_frequent: npt.NDArray[np.bool_]) -> tuple[Integers, Integers]:
    """All pairs of frequent words, and how often each occurs."""
    keys, counts = _table(FIRST_SLOTS)
    place = 0
    while place < len(ids) - 1:
        found, numbers = _table(keys.size)
        place, _ = kernels.count_pairs(ids, place, is_frequent, found, numbers)
        if 4 * (np.count_nonzero(keys >= 0) + np.count_nonzero(found >= 0)) > keys.size:
            larger = _table(4 * keys.size)
            kernels.add_pairs(keys, counts, *larger)
            keys, counts = larger
        kernels.add_pairs(found, numbers, keys, counts)
    taken = keys >= 0
    return keys[taken], counts[taken]


def _table(n_slots: int) -> tuple[Integers, Integers]:
    return np.full(n_slots, kernels.FREE), np.zeros(n_slots, np.int64)


def _frequent(corpus: EncodedCorpus, words: list[str], chosen: Hyperparameters, out: Ids) -> EncodedCorpus:
    """The corpus without the words that are too rare, numbered by count, ties by their bytes."""
    counts = np.bincount(corpus.ids[corpus.ids >= 0], minlength=len(words))
    stay = np.flatnonzero(counts >= max(chosen.min_count, 1)).tolist()
    stay = sorted(stay, key=lambda i: (-counts[i], words[i].encode()))[: chosen.max_words]
    if len(stay) < 2:
        raise VocabularyEmpty(f"With its phrases, the corpus has {len(stay)} words of min_count {chosen.min_count}.")
    ranks = np.full(len(words), -1, np.int32)
    ranks[stay] = np.arange(len(stay), dtype=np.int32)
    n, n_lines = kernels.keep_words(corpus.ids, ranks, out)
    return replace(
        corpus,
        ids=out[:n],
        vocabulary=Vocabulary.from_words([words[i] for i in stay], counts[stay]),
        n_tokens=n - n_lines,
        n_corpus_tokens=int(counts.sum()),
        n_lines=n_lines,
    )
