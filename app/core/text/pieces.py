"""Learn the pieces of words (Kudo 2018; Sennrich et al. 2016) of distinct runs and how often each occurs."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence

from app.core.errors import TokenizerNotLearned
from app.core.extras import load_extra
from app.core.text.reader import TextReader
from app.core.text.tokenizers.sentencepiece import SentencePiece

MAX_TYPES = 1 << 20
"""The most frequent runs are learned of."""
MAX_RUN_BYTES = 1024
"""Longer runs without a blank are left out of the learning, not of the corpus."""


def learned(types: Sequence[str], counts: Sequence[int], reader: TextReader, options: SentencePiece) -> bytes:
    """A model of the library; the same runs in the same order give the same model.

    Parameters
    ----------
    types : runs between blanks, by count, ties by their bytes
    counts : how often each occurs
    reader : normalises them
    options : what is learned

    Raises
    ------
    ExtraMissing
    TokenizerNotLearned
        There are too many characters for so few pieces.
    """
    library = load_extra("sentencepiece", "sentencepiece", "The tokenizer sentencepiece")
    model = io.BytesIO()
    try:
        library.SentencePieceTrainer.train(
            sentence_iterator=_lines(types, counts, reader),
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
    except RuntimeError as error:
        raise TokenizerNotLearned(_told(str(error), options), n_pieces=options.n_pieces) from error
    return model.getvalue()


def _lines(types: Sequence[str], counts: Sequence[int], reader: TextReader) -> Iterator[str]:
    """Runs as they are normalised, and their counts."""
    runs = reader.rewrite("\n".join(types)).split("\n")
    for each, n in zip(runs, counts, strict=False):
        yield from (f"{run}\t{n}" for run in each.split(" ") if run and len(run.encode()) <= MAX_RUN_BYTES)


def _told(said: str, options: SentencePiece) -> str:
    needed = re.search(r"smaller than required_chars. \d+ vs (\d+)", said)
    if needed:
        return (
            f"The characters of the corpus, bytes and marks are {needed[1]} pieces already, more than n_pieces "
            f"({options.n_pieces}); raise it or lower character_coverage."
        )
    return "The pieces could not be learned of this corpus: it is too small, or has no words."
