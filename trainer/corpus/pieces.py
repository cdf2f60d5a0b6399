"""Learn the pieces of a corpus (Kudo 2018; Sennrich et al. 2016) of its types and their counts, not of a sample."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from app.core.errors import TokenizerNotLearned
from app.core.extras import load_extra
from app.core.table.vocabulary import Vocabulary
from app.core.text import TextReader, TextSpec
from app.core.text.tokenizers.sentencepiece import SentencePiece
from trainer.corpus.blocks import BLOCK_BYTES, MAX_TYPE_BYTES, BlockReader
from trainer.corpus.scan import Scanner
from trainer.corpus.selection import select
from trainer.corpus.source import not_text, open_text
from trainer.steps.progress import Progress, Report, ignore

MAX_TYPES = 1 << 20
"""The most frequent runs are learned of."""
MAX_RUN_BYTES = 1024
"""Longer runs without a blank are left out of the learning, not of the corpus."""
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
    CorpusNotText, BadCompression, BadRecord
    TokenizerNotLearned
        The corpus has too many characters for so few pieces.
    """
    library = load_extra("sentencepiece", "sentencepiece", "The tokenizer sentencepiece")
    reader = TextReader(spec.roughly())
    with TemporaryDirectory(prefix="pieces-", dir=folder) as scratch:
        model = io.BytesIO()
        try:
            types = _types(source, Path(scratch), reader, threads, report)
            report(Progress(_SCAN_SHARE))
            library.SentencePieceTrainer.train(
                sentence_iterator=_lines(types, reader),
                input_format="tsv",
                model_writer=model,
                model_type=options.model_type,
                vocab_size=options.n_pieces,
                character_coverage=options.character_coverage,
                byte_fallback=True,
                normalization_rule_name="identity",
                hard_vocab_limit=False,
                num_threads=1,
                max_sentence_length=MAX_RUN_BYTES + 1,
                minloglevel=2,
            )
        except UnicodeDecodeError as error:
            raise not_text(source) from error
        except RuntimeError as error:
            raise TokenizerNotLearned(_told(str(error), options), n_pieces=options.n_pieces) from error
    return model.getvalue()


def _types(source: Path, scratch: Path, reader: TextReader, threads: int, report: Report) -> Vocabulary:
    """The most frequent runs, in one order for any number of threads."""
    n_bytes = max(source.stat().st_size, 1)
    with open_text(source, reader) as (stream, file, _):
        blocks = BlockReader(stream, file, BLOCK_BYTES, MAX_TYPE_BYTES)
        scanner = Scanner(blocks, scratch, threads, MAX_TYPES_IN_MEMORY)
        scanner.run(lambda: report(Progress(_SCAN_SHARE * blocks.file_position / n_bytes, scanner.tokens_per_second)))
    tables = [types for part in scanner.take_types() for types in part.values()]
    return select(tables, 1, MAX_TYPES, MAX_TYPES_IN_MEMORY).vocabulary if tables else Vocabulary.from_words([], [])


def _lines(types: Vocabulary, reader: TextReader) -> Iterator[str]:
    """Runs as they are normalised, and their counts."""
    runs = reader.rewrite("\n".join(types.words())).split("\n")
    for each, n in zip(runs, types.counts.tolist(), strict=False):
        yield from (f"{run}\t{n}" for run in each.split(" ") if run and len(run.encode()) <= MAX_RUN_BYTES)


def _told(said: str, options: SentencePiece) -> str:
    needed = re.search(r"smaller than required_chars. \d+ vs (\d+)", said)
    if needed:
        return (
            f"The characters of the corpus, bytes and marks are {needed[1]} pieces already, more than n_pieces "
            f"({options.n_pieces}); raise it or lower character_coverage."
        )
    return "The pieces could not be learned of this corpus: it is too small, or has no words."
