"""A matrix without words, whose words are the lines of a vocabulary: row i is line i."""

from __future__ import annotations

from app.core.errors import VectorsUnreadable
from trainer.importing.counts import words_of
from trainer.importing.matrix import Matrix, as_float32
from trainer.importing.rows import Batch, Collected, Collector
from trainer.importing.source import Source, check_shape


def read_listed(matrix: Matrix, source: Source) -> Collected:
    """All rows, with the words and perhaps the counts of the vocabulary.

    Raises
    ------
    VectorsUnreadable
        There is no vocabulary, or it has another number of lines.
    """
    if source.vocabulary is None:
        raise VectorsUnreadable(
            f"The file has {matrix.n_rows} vectors and no words: give a `vocabulary` with one word a line, in their "
            "order."
        )
    check_shape(matrix.n_rows, matrix.dim)
    numbers = matrix.mapped()
    words, counts = words_of(source.vocabulary)
    if len(words) != matrix.n_rows:
        raise VectorsUnreadable(
            f"The vocabulary has {len(words)} lines, the matrix {matrix.n_rows} rows; line i must be row i's word.",
            line=min(len(words), matrix.n_rows) + 1,
        )
    collector = Collector(matrix.n_rows, matrix.dim, source.policies, source.reader, "row")
    for start in range(0, matrix.n_rows, matrix.rows_at_once):
        end = min(start + matrix.rows_at_once, matrix.n_rows)
        vectors = as_float32(numbers[start:end], matrix.dtype)
        some = counts[start:end] if counts else None
        collector.take(Batch(words[start:end], vectors, range(start + 1, end + 1), some))
        source.told(end / matrix.n_rows)
    return collector.finish()
