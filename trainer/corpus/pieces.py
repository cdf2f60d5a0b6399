"""Learn the pieces of a corpus of its types and their counts, not of a sample."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from app.core.table.vocabulary import Vocabulary
from app.core.text import TextReader, TextSpec
from app.core.text.pieces import MAX_TYPES, learned
from app.core.text.tokenizers.sentencepiece import SentencePiece
from trainer.corpus.blocks import BLOCK_BYTES, MAX_TYPE_BYTES, BlockReader
from trainer.corpus.scan import Scanner
from trainer.corpus.selection import select
from trainer.corpus.source import not_text, open_text
from trainer.corpus.types import Types, TypeTable
from trainer.steps.progress import Progress, Report, ignore

MAX_TYPES_IN_MEMORY = 3_000_000

_SCAN_SHARE = 0.5  # of the time, for the progress


def learn_pieces(
    source: Path, folder: Path, spec: TextSpec, options: SentencePiece, threads: int, report: Report = ignore
) -> bytes:
    """A model of the library, learned of all runs between blanks, as they are normalised.

    Parameters
    ----------
    source : the corpus
    folder : an existing folder, for scratch files
    spec : how its text is read
    options : what is learned
    threads : of the scan; the learning has one, so that the same corpus gives the same model
    report : called about twice a second while the corpus is read, and not while the library learns

    Raises
    ------
    CorpusNotText, BadCompression, BadRecord, ExtraMissing, TokenizerNotLearned
    """
    reader = TextReader(spec.roughly())
    try:
        with TemporaryDirectory(prefix="pieces-", dir=folder) as scratch:
            types = _types(source, Path(scratch), reader, threads, report)
        report(Progress(_SCAN_SHARE))
        return learned(types.words(), types.counts.tolist(), reader, options)
    except UnicodeDecodeError as error:
        raise not_text(source) from error


def _types(source: Path, scratch: Path, reader: TextReader, threads: int, report: Report) -> Vocabulary:
    """The most frequent runs, in one order for any number of threads."""
    n_bytes = max(source.stat().st_size, 1)
    with open_text(source, reader) as opened:
        blocks = BlockReader(opened.stream, opened.file, BLOCK_BYTES, MAX_TYPE_BYTES)

        def put_aside(table: TypeTable, number: int) -> Types:
            return table.types().on_disk(scratch, f"table-{number}")

        scanner = Scanner(blocks, scratch, threads, MAX_TYPES_IN_MEMORY, put_aside)
        scanner.run(lambda: report(Progress(_SCAN_SHARE * blocks.file_position / n_bytes, scanner.tokens_per_second)))
    on_disk, in_memory = scanner.take_tables()
    tables = [*on_disk.values(), *(table.types() for table in in_memory.values())]
    if not tables:
        return Vocabulary.from_words([], [])
    return select(tables, 1, MAX_TYPES, MAX_TYPES_IN_MEMORY, scratch).vocabulary
