"""Bytes of text -> vocabulary and a memory-mapped stream of word ids."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any

import numpy as np

from app.core.errors import (
    CorpusEmpty,
    CorpusNotText,
    VocabularyEmpty,
    VocabularyTooLarge,
    VocabularyTooSmall,
)
from app.core.table.vocabulary import Vocabulary
from app.core.text import TextReader, TextSpec
from app.core.text.tokenizers import Resources
from trainer.corpus.blocks import BLOCK_BYTES, MAX_TYPE_BYTES, BlockReader
from trainer.corpus.expand import write_ids
from trainer.corpus.scan import Scanner, Segment
from trainer.corpus.selection import Selection, select
from trainer.corpus.source import not_text, open_text
from trainer.corpus.spelling import Spelled, Spellings, spell, spell_tables
from trainer.corpus.types import TypeTable
from trainer.steps.arrays import Ids
from trainer.steps.disk import full_disk_named
from trainer.steps.progress import Progress, Report, ignore

MAX_TYPES = 3_000_000
"""Distinct types in memory while they are read, some 200 bytes each; the others are on disk but for 12 bytes each."""
MAX_WORDS = 1 << 24
"""Largest vocabulary."""

Tick = Callable[[float, float | None], None]
"""Told how much is done, and how fast, if that is measured."""

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
    n_overlong_tokens : words beyond `app.core.names.MAX_WORD_BYTES`, left out and not among `n_corpus_tokens`
    rows : how many rows there were and which had no text; empty for a format without rows
    known_ids : int32 (n_known,), the ids here of words that were known before, -1 for those left out
    """

    ids: Ids
    vocabulary: Vocabulary
    n_tokens: int
    n_corpus_tokens: int
    n_lines: int
    n_overlong_tokens: int = 0
    rows: dict[str, Any] = field(default_factory=dict)
    known_ids: Ids = field(default_factory=lambda: np.zeros(0, np.int32))


def encode(  # noqa: PLR0913 (each is a setting of its own)
    source: Path,
    folder: Path,
    *,
    spec: TextSpec,
    min_count: int,
    max_words: int | None = None,
    threads: int = 1,
    max_types: int = MAX_TYPES,
    report: Report = ignore,
    known: Vocabulary | None = None,
    resources: Resources = MappingProxyType({}),
) -> EncodedCorpus:
    """Read a corpus file and number its words.

    The same bytes give the same ids for any number of threads: words are numbered by count, ties by their bytes.
    Plain text becomes words byte by byte. Other types (runs of bytes above 32) are counted as they are; each distinct
    one is normalised and tokenised once.

    Parameters
    ----------
    source : UTF-8 text, plain or packed with gzip or zstd, which its first bytes tell
    folder : an existing folder; receives scratch files, and the ids, which stay mapped from it
    spec : how text becomes words
    min_count : rarer words are left out
    max_words : of the rest, only the most frequent stay
    threads : of both passes
    max_types : types, and then words, that may be in memory; more are counted through disk, and none is pruned
    report : called about twice a second; its tokens are words where text is plain, and runs between blanks elsewhere
    known : words that stay however often they occur here; their counts are added. A corpus may then have no word
    resources : what the tokenizer is made of

    Raises
    ------
    CorpusEmpty, CorpusNotText, BadCompression, BadRecord, ExtraMissing, TokenizerUnusable
        for what the file holds
    VocabularyEmpty, VocabularyTooSmall, VocabularyTooLarge
        if no word, a single one, or more than `MAX_WORDS` would stay
    """

    def tick(fraction: float, tokens_per_second: float | None = None) -> None:
        report(Progress(min(fraction, 1.0), tokens_per_second))

    tick(0.0)
    reader = TextReader(spec, resources, threads)
    scratch_folder = TemporaryDirectory(prefix="encode-", dir=folder)
    with full_disk_named("There is not enough space left to encode the corpus"), scratch_folder as scratch:
        segments, spellings, rows = _read(source, Path(scratch), reader, threads, max_types, tick)
        tick(_SCAN_SHARE)
        has_items = spec.tokenizer == "items"
        selection = select(
            spellings.words, min_count, max_words, max_types, Path(scratch), has_items=has_items, known=known
        )
        _check(selection, min_count)
        expansions = spellings.expansions(selection.final_ids[: len(spellings.parts)])
        path = folder / "corpus.ids"
        written = write_ids(
            segments, expansions, path, threads, lambda done: tick(_SCAN_SHARE + (1 - _SCAN_SHARE) * done)
        )
    return EncodedCorpus(
        np.memmap(path, np.int32, mode="r") if written.n_lines else np.zeros(0, np.int32),
        selection.vocabulary,
        written.n_tokens,
        selection.n_tokens,
        written.n_lines,
        selection.n_overlong_tokens,
        rows,
        selection.final_ids[-1] if known is not None else np.zeros(0, np.int32),
    )


def _read(
    source: Path, scratch: Path, reader: TextReader, threads: int, max_types: int, tick: Tick
) -> tuple[list[Segment], Spellings, dict[str, Any]]:
    """First pass, the words of all types that it found, and what is said of the rows."""

    def put_aside(table: TypeTable, number: int) -> Spelled:
        return spell(table, table.types(), reader).on_disk(scratch, f"table-{number}")

    n_bytes = max(source.stat().st_size, 1)
    try:
        with open_text(source, reader, threads) as opened:
            blocks = BlockReader(opened.stream, opened.file, BLOCK_BYTES, MAX_TYPE_BYTES)
            scanner = Scanner(blocks, scratch, threads, max_types, put_aside, reader.bytes_of_plain)
            speed = opened.tokenised or scanner
            segments = scanner.run(lambda: tick(_SCAN_SHARE * blocks.file_position / n_bytes, speed.tokens_per_second))
        if not segments:
            raise CorpusEmpty
        tick(_SCAN_SHARE, speed.tokens_per_second)
        return (
            segments,
            spell_tables(*scanner.take_tables(), reader, scratch),
            opened.rows.told() if opened.rows else {},
        )
    except (CorpusNotText, UnicodeDecodeError) as error:
        raise not_text(source) from error


def _check(selection: Selection, min_count: int) -> None:
    n_words, n_tokens = len(selection.vocabulary), selection.n_tokens
    figures = {"n_tokens": n_tokens, "n_words": n_words, "min_count": min_count}
    if not n_tokens and not n_words:
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
