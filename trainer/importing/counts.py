"""How often words occur: as a vocabulary file says, or estimated by their order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.core.errors import VectorsUnreadable
from app.core.text import TextReader
from trainer.importing.rows import without_spaces

ZIPF_TOTAL = 10**9
"""What the most frequent word is said to occur, where nothing is known; others by Zipf's law."""
_WITH_COUNT = re.compile(rb"(.+)[ \t]([0-9]{1,15})", re.DOTALL)


def estimated(n_words: int) -> npt.NDArray[np.int64]:
    """Counts by Zipf's law, one over the rank, as frequencies without a corpus; int64 (n_words,), non-increasing."""
    counts: npt.NDArray[np.int64] = np.maximum(ZIPF_TOTAL // np.arange(1, n_words + 1), 1)
    return counts


def of_file(
    path: Path, words: Sequence[str], reader: TextReader, *, replaces_spaces: bool = False
) -> npt.NDArray[np.int64]:
    """Counts of a file with a word and its count a line, as word2vec, GloVe and gensim write it; int64 (n_words,).

    Words that folding, or ``_`` in the place of spaces, makes equal are added.

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
            word, count = _word_and_count(line, number)
            folded = reader.folded(word.decode(errors="replace")).strip()
            i = ids.get(without_spaces(folded) if replaces_spaces else folded)
            if i is not None:
                counts[i] += count
    missing = np.flatnonzero(counts == 0)
    if len(missing):
        raise VectorsUnreadable(
            f"The vocabulary has no count for {len(missing)} of {len(words)} words, such as {words[missing[0]]!r}.",
            word=words[missing[0]],
        )
    return counts


def words_of(path: Path) -> tuple[list[bytes], list[int] | None]:
    """The word of each line, and its count if the first line has one; then all lines must.

    Raises
    ------
    VectorsUnreadable
        A line is no word and its count, where the first is.
    """
    with path.open("rb") as file:
        lines = [line.rstrip(b"\r\n") for line in file]
    if not lines or not _WITH_COUNT.fullmatch(lines[0]):
        return lines, None
    both = [_word_and_count(line, number) for number, line in enumerate(lines, 1)]
    return [word for word, _ in both], [count for _, count in both]


def _word_and_count(line: bytes, number: int) -> tuple[bytes, int]:
    found = _WITH_COUNT.fullmatch(line.rstrip())
    if not found:
        shown = line[:80].decode(errors="replace")
        raise VectorsUnreadable(f"Line {number} of the vocabulary is not a word and its count: {shown!r}.", line=number)
    return found[1], int(found[2])
