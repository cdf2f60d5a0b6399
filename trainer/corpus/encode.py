"""Bytes of text -> vocabulary and a memory-mapped stream of word ids."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt

from app.core.errors import (
    CorpusEmpty,
    CorpusNotText,
    StorageFull,
    VocabularyEmpty,
    VocabularyTooLarge,
    VocabularyTooSmall,
)
from app.core.table.vocabulary import Vocabulary
from app.core.text import Text, TextSpec
from trainer.corpus.blocks import BLOCK_BYTES, MAX_TYPE_BYTES, BlockReader
from trainer.corpus.expand import write_ids
from trainer.corpus.scan import Scanner, Segment
from trainer.corpus.selection import Selection, select
from trainer.corpus.source import first_invalid_byte, open_text
from trainer.corpus.spelling import Spellings, spell_tables
from trainer.steps.progress import Progress, Report, ignore

LINE_END = -1

MAX_TYPES = 3_000_000
"""Distinct types in memory while they are read, some 200 bytes each; the others are on disk but for 12 bytes each."""
MAX_WORDS = 1 << 24
"""Largest vocabulary."""
REPORT_SECONDS = 0.9

_SCAN_SHARE = 0.85  # of the time, for the progress


@dataclass(frozen=True, eq=False)
class EncodedCorpus:
    """A corpus as ids, out-of-vocabulary words left out.

    Parameters
    ----------
    ids : int32 (n_positions,), C-contiguous, read-only, usually memory-mapped; word ids in corpus order, and
        `LINE_END` after each line that has words left
    vocabulary : Vocabulary
    n_tokens : words in `ids`, that is n_positions less the line ends
    n_corpus_tokens : words in the corpus before rare ones were left out
    n_lines : number of `LINE_END` in `ids`
    n_overlong_tokens : words beyond `app.core.text.MAX_WORD_BYTES`, left out and not among `n_corpus_tokens`
    """

    ids: npt.NDArray[np.int32]
    vocabulary: Vocabulary
    n_tokens: int
    n_corpus_tokens: int
    n_lines: int
    n_overlong_tokens: int = 0


def encode(  # noqa: PLR0913 (each is a setting of its own)
    source: Path,
    folder: Path,
    *,
    text: TextSpec,
    min_count: int,
    max_words: int | None = None,
    threads: int = 1,
    max_types: int = MAX_TYPES,
    report: Report = ignore,
) -> EncodedCorpus:
    """Read a corpus file and number its words.

    The same bytes give the same ids for any number of threads: words are numbered by count, ties by their bytes.
    Types (runs of bytes above 32) are counted as they are; each distinct one is normalised and tokenised once.

    Parameters
    ----------
    source : UTF-8 text, plain or packed with gzip or zstd, which its first bytes tell
    folder : an existing folder; receives scratch files, and the ids, which stay mapped from it
    text : how text becomes words
    min_count : rarer words are left out
    max_words : of the rest, only the most frequent stay
    threads : of both passes
    max_types : types, and then words, that may be in memory; more are counted through disk, and none is pruned
    report : called about once a second

    Raises
    ------
    CorpusEmpty, CorpusNotText, BadCompression, BadRecord
        for what the file holds
    VocabularyEmpty, VocabularyTooSmall, VocabularyTooLarge
        if no word, a single one, or more than `MAX_WORDS` would stay
    """
    tick = _Clock(report).tick
    settings = Text(text), threads, max_types
    with TemporaryDirectory(prefix="encode-", dir=folder) as scratch, _storage_full_named():
        segments, spellings = _read(source, Path(scratch), *settings, tick)
        tick(_SCAN_SHARE)
        selection = select([part.words for part in spellings.parts], min_count, max_words, max_types)
        _check(selection, min_count)
        expansions = spellings.expansions(selection.final_ids)
        path = folder / "corpus.ids"
        written = write_ids(
            segments, expansions, path, threads, lambda done: tick(_SCAN_SHARE + (1 - _SCAN_SHARE) * done)
        )
    return EncodedCorpus(
        np.memmap(path, np.int32, mode="r"),
        selection.vocabulary,
        written.n_tokens,
        selection.n_tokens,
        written.n_lines,
        selection.n_overlong_tokens,
    )


def _read(
    source: Path, scratch: Path, text: Text, threads: int, max_types: int, tick: Callable[[float], None]
) -> tuple[list[Segment], Spellings]:
    """First pass, and the words of all types that it found."""
    n_bytes = max(source.stat().st_size, 1)
    try:
        with open_text(source, text.spec) as (stream, file):
            reader = BlockReader(stream, file, BLOCK_BYTES, MAX_TYPE_BYTES)
            scanner = Scanner(reader, scratch, threads, max_types)
            segments = scanner.run(lambda: tick(_SCAN_SHARE * reader.file_position / n_bytes))
        if not segments:
            raise CorpusEmpty
        return segments, spell_tables(*scanner.take_types(), text, scratch)
    except (CorpusNotText, UnicodeDecodeError) as error:
        raise _not_text(source) from error


@contextmanager
def _storage_full_named() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise StorageFull("There is not enough space left to encode the corpus.") from error
        raise


def _not_text(source: Path) -> CorpusNotText:
    position = first_invalid_byte(source)
    if position is None:
        return CorpusNotText()
    return CorpusNotText(f"The corpus is not valid UTF-8: byte {position} is the first wrong one.", byte=position)


def _check(selection: Selection, min_count: int) -> None:
    n_words, n_tokens = len(selection.vocabulary), selection.n_tokens
    figures = {"n_tokens": n_tokens, "n_words": n_words, "min_count": min_count}
    if not n_tokens:
        raise VocabularyEmpty("The corpus has no words, only white space and marks.", **figures)
    if not n_words:
        detail = f"None of the words occurs {min_count} times (min_count) among {n_tokens} tokens; lower min_count."
        raise VocabularyEmpty(detail, **figures)
    if n_words == 1:
        word = selection.vocabulary.word(0)
        detail = f'Only "{word[:100]}" occurs {min_count} times (min_count) or more among {n_tokens} tokens.'
        raise VocabularyTooSmall(detail, **figures)
    if n_words > MAX_WORDS:
        detail = f"{n_words} words remain, the limit is {MAX_WORDS}; raise min_count or set max_words."
        raise VocabularyTooLarge(detail, limit=MAX_WORDS, **figures)


class _Clock:
    """Passes on a report about once a second, the first at once."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._next = time.monotonic()

    def tick(self, fraction: float) -> None:
        if time.monotonic() >= self._next:
            self._report(Progress(min(fraction, 1.0)))
            self._next = time.monotonic() + REPORT_SECONDS
