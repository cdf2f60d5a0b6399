"""Which words stay, and their ids: by count, ties by their bytes."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.core.names import MAX_WORD_BYTES
from app.core.table.vocabulary import Vocabulary
from app.core.text.reader import INNER_BLANK
from trainer.corpus.runs import Runs, subset
from trainer.corpus.spelling import add_types
from trainer.corpus.types import Types, TypeTable
from trainer.kernels.text import expand as kernels
from trainer.kernels.text import order as order_kernels
from trainer.steps.arrays import Ids, Integers

ROUNDS_A_SHARE = 4
"""A round has so small a part of the words that may be in memory: its table is the largest thing in memory."""

Members = tuple[Integers, Integers]
"""Some words of a set, and their ids in the round."""


@dataclass(frozen=True, eq=False)
class Selection:
    """The vocabulary, and what was counted on the way.

    Parameters
    ----------
    vocabulary : the words that stay
    final_ids : for each set of words their ids in the vocabulary, -1 for those left out; those of known words come last
    n_tokens : words of the corpus, the overlong ones not among them
    n_overlong_tokens : words of more than MAX_WORD_BYTES
    """

    vocabulary: Vocabulary
    final_ids: list[Ids]
    n_tokens: int
    n_overlong_tokens: int


def select(  # noqa: PLR0913 (each is a setting of its own)
    word_sets: list[Types],
    min_count: int,
    max_words: int | None,
    max_types: int,
    folder: Path,
    *,
    has_items: bool = False,
    known: Vocabulary | None = None,
) -> Selection:
    """Add up the counts of all sets and number the words that are frequent enough; items get their blanks back.

    The sets are gone through in several rounds, each for a share of all words (by hash), so that far less than
    `max_types` words are in a table before the rare ones are dropped; the others wait in `folder`, an existing one. The
    sets are forgotten: `word_sets` is emptied.
    `known` words stay however often they occur here; their counts are added to those of the sets.
    """
    if known is not None:
        word_sets.append(_types_of(known))
    n_rounds = min(max(-(-sum(map(len, word_sets)) // max(max_types // ROUNDS_A_SHARE, 1)), 1), 1 << 16)
    final_ids = [np.full(len(words), -1, np.int32) for words in word_sets]
    runs = Runs(folder)
    n_tokens = n_overlong = 0
    for words, members in _rounds(word_sets, n_rounds):
        overlong = np.diff(words.offsets) > MAX_WORD_BYTES
        found, stays = words.counts, words.counts >= min_count
        if known is not None:
            picked, ids = members[-1]
            found = found.copy()
            found[ids] -= word_sets[-1].counts[picked]
            stays = found >= min_count
            stays[ids] = True
        n_overlong += int(found[overlong].sum())
        n_tokens += int(found[~overlong].sum())
        run, places = _run(words, np.flatnonzero(stays & ~overlong), hides_blanks=has_items or known is not None)
        numbers = np.full(len(words), -1, np.int32)
        numbers[places] = np.arange(len(runs), len(runs) + len(run))
        for final, (picked, numbered) in zip(final_ids, members, strict=True):
            final[picked] = numbers[numbered]
        runs.add(run)
    word_sets.clear()
    kept, ranks = runs.in_one_order(max_words)
    for final in final_ids:
        final[:] = ranks[final]
    return Selection(Vocabulary(kept.arena, kept.offsets, kept.counts), final_ids, n_tokens, n_overlong)


def resorted(vocabulary: Vocabulary, counts: Integers) -> tuple[Vocabulary, Ids]:
    """The same words by other counts, and the new id of each."""
    words = Types(vocabulary.word_bytes, vocabulary.word_offsets, counts)
    order = _by_count(words)
    ranks = np.empty(len(order), np.int32)
    ranks[order] = np.arange(len(order))
    sorted_words = subset(words, order)
    return Vocabulary(sorted_words.arena, sorted_words.offsets, sorted_words.counts), ranks


def _types_of(known: Vocabulary) -> Types:
    """Words as the sets have them, their blanks hidden."""
    arena = known.word_bytes.copy()
    arena[arena <= ord(" ")] = ord(INNER_BLANK)
    return Types(arena, known.word_offsets, known.counts)


def _rounds(word_sets: Sequence[Types], n_rounds: int) -> Iterator[tuple[Types, list[Members]]]:
    """For each share of the words: the words with their counts added up, and which of each set they are."""
    if len(word_sets) == 1:
        everything = np.arange(len(word_sets[0]))
        yield word_sets[0], [(everything, everything)]
        return
    seed = np.uint64(secrets.randbits(64))
    shares = [np.empty(len(words), np.uint16) for words in word_sets]
    for words, share in zip(word_sets, shares, strict=True):
        kernels.share_of(words.arena, words.offsets, n_rounds, seed, share)
        words.leave_memory()
    for number in range(n_rounds):
        table = TypeTable()
        members = []
        for words, share in zip(word_sets, shares, strict=True):
            picked = np.flatnonzero(share == number)
            members.append((picked, add_types(table, words, picked)))
            words.leave_memory()
        found = table.types()
        del table  # nothing but its words is needed
        counts = np.zeros(len(found), np.int64)
        for words, (picked, ids) in zip(word_sets, members, strict=True):
            counts[ids] += words.counts[picked]  # no id twice within a set
            words.leave_memory()
        yield Types(found.arena, found.offsets, counts), members


def _by_count(words: Types) -> Integers:
    """Order by (-count, bytes)."""
    keys = [np.empty(len(words), np.uint64) for _ in range(2)]
    for i, key in enumerate(keys):
        order_kernels.sort_keys(words.arena, words.offsets, 8 * i, key)
    order = np.lexsort((keys[1], keys[0], -words.counts))
    # Words that are alike in their first 16 bytes are few: they are compared in full.
    columns = [column[order] for column in (words.counts, *keys)]
    alike = np.logical_and.reduce([column[1:] == column[:-1] for column in columns])
    starts = np.flatnonzero(alike & ~np.concatenate(([False], alike[:-1])))
    ends = np.flatnonzero(alike & ~np.concatenate((alike[1:], [False]))) + 2

    def whole(word: int) -> bytes:
        return words.arena[words.offsets[word] : words.offsets[word + 1]].tobytes()

    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        order[start:end] = sorted(order[start:end].tolist(), key=whole)
    return order


def _run(words: Types, picked: Integers, *, hides_blanks: bool) -> tuple[Types, Integers]:
    """The picked words in order, their blanks as they are, and where each was."""
    run = subset(words, picked)
    if hides_blanks:
        run.arena[run.arena == ord(INNER_BLANK)] = ord(" ")
    order = _by_count(run)
    return subset(run, order), picked[order]
