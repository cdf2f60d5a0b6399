"""Counterfactual data augmentation (Lu et al. 2018): lines are trained on with words swapped, too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from app.core.text import TextReader
from trainer.corpus.encode import EncodedCorpus
from trainer.corpus.particles import declined
from trainer.corpus.selection import resorted
from trainer.kernels.text.swap import count_swapped, write_swapped
from trainer.steps.arrays import Ids, Integers
from trainer.steps.disk import full_disk_named, reserved_file

Pair = tuple[str, str]
N_MISSING_TOLD = 20


def swap(
    corpus: EncodedCorpus, pairs: Sequence[Pair], reader: TextReader, folder: Path
) -> tuple[EncodedCorpus, dict[str, Any]]:
    """Write each line with a word of a pair once more, all its words of pairs swapped, directly after it.

    The vocabulary has the words that it had: rarer words were left out by their counts in the text as it is. A word
    whose partner is not among them stays as it is. Counts are those of all lines that are trained on, and of what was
    read before; they decide the order.

    Parameters
    ----------
    corpus : EncodedCorpus
    pairs : words as users write them; no word in two of them
    reader : how the text was read; words that are not items are found with Korean particles, too
    folder : receives the new ids

    Returns
    -------
    the corpus to train on, and what is told of it
    """
    ids = np.asarray(corpus.ids)
    partners, missing = _partners(corpus, pairs, reader)
    counts, sizes = _counted_before(corpus, ids), np.zeros(3, np.int64)
    count_swapped(ids, partners, counts, sizes)
    n_positions, n_again, n_swapped = sizes.tolist()
    swapped = corpus
    if n_again:
        vocabulary, ranks = resorted(corpus.vocabulary, counts)
        known_ids = np.where(corpus.known_ids < 0, corpus.known_ids, ranks[corpus.known_ids])
        with full_disk_named("There is not enough space left for the swapped lines"):
            path = reserved_file(folder / "swapped.ids", n_positions * ids.itemsize)
        out = np.memmap(path, np.int32, mode="r+")
        write_swapped(ids, partners, ranks, out)
        out.flush()
        n_lines = corpus.n_lines + n_again
        swapped = replace(
            corpus,
            ids=np.memmap(path, np.int32, mode="r"),
            vocabulary=vocabulary,
            n_tokens=n_positions - n_lines,
            n_lines=n_lines,
            known_ids=known_ids,
        )
    told = {"pairs": [list(pair) for pair in pairs], "n_lines_again": n_again, "n_swapped": n_swapped}
    told |= {"n_words": int((partners != np.arange(len(partners))).sum()), "n_tokens": swapped.n_tokens}
    return swapped, told | ({"missing": missing[:N_MISSING_TOLD]} if missing else {})


def _counted_before(corpus: EncodedCorpus, ids: Ids) -> Integers:
    """How often each word occurred in what was read before this corpus: zeros, unless words were known."""
    here, nothing = np.zeros(len(corpus.vocabulary), np.int64), np.zeros(3, np.int64)
    if not len(corpus.known_ids):
        return here
    count_swapped(ids, np.arange(len(here), dtype=np.int32), here, nothing)
    return np.asarray(corpus.vocabulary.counts - here)


def _partners(corpus: EncodedCorpus, pairs: Sequence[Pair], reader: TextReader) -> tuple[Ids, list[str]]:
    """What each word becomes, and the pairs that are never swapped; what was said goes before what has particles."""
    known = corpus.vocabulary.ids()
    partners = np.arange(len(known), dtype=np.int32)
    folded = [(reader.folded(first), reader.folded(second)) for first, second in pairs]
    n_found = np.array([_pair_up(partners, known, *pair) for pair in folded])
    if reader.spec.tokenizer != "items":
        for number in sorted(range(len(folded)), key=lambda i: -max(map(len, folded[i]))):
            n_found[number] += sum(_pair_up(partners, known, *both) for both in declined(*folded[number]))
    return partners, [" ".join(pairs[i]) for i in np.flatnonzero(n_found == 0).tolist()]


def _pair_up(partners: Ids, known: dict[str, Any], first: str, second: str) -> bool:
    """Let two words become each other, if there are both and neither becomes another one."""
    a, b = known.get(first), known.get(second)
    if a is None or b is None or a == b or partners[a] != a or partners[b] != b:
        return False
    partners[a], partners[b] = b, a
    return True
