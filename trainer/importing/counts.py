"""How often words occur: as a vocabulary file says, or estimated by their order."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.core.errors import VectorsUnreadable
from app.core.text import TextReader

ZIPF_TOTAL = 10**9
"""What the most frequent word is said to occur, where nothing is known; others by Zipf's law."""


def estimated(n_words: int) -> npt.NDArray[np.int64]:
    """Counts by Zipf's law, one over the rank, as frequencies without a corpus; int64 (n_words,), non-increasing."""
    counts: npt.NDArray[np.int64] = np.maximum(ZIPF_TOTAL // np.arange(1, n_words + 1), 1)
    return counts


def of_file(path: Path, words: Sequence[str], reader: TextReader) -> npt.NDArray[np.int64]:
    """Counts of a file with a word and its count a line, as word2vec, GloVe and gensim write it; int64 (n_words,).

    Words that folding makes equal are added.

    Raises
    ------
    VectorsUnreadable
        A line is something else, or a word is missing.
    """
    ids = {word: i for i, word in enumerate(words)}
    counts = np.zeros(len(words), np.int64)
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            word, _, count = line.decode(errors="replace").rstrip().rpartition(" ")
            if not word or not count.isascii() or not count.isdecimal() or len(count) > 15:
                shown = line[:80].decode(errors="replace")
                raise VectorsUnreadable(
                    f"Line {number} of the vocabulary is not a word and its count: {shown!r}.", line=number
                )
            i = ids.get(reader.folded(word).strip())
            if i is not None:
                counts[i] += int(count)
    missing = np.flatnonzero(counts == 0)
    if len(missing):
        raise VectorsUnreadable(
            f"The vocabulary has no count for {len(missing)} of {len(words)} words, such as {words[missing[0]]!r}.",
            word=words[missing[0]],
        )
    return counts
