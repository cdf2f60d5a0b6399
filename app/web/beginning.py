"""How the beginning of a stored corpus will be read."""

from __future__ import annotations

from app.core.magic import PARQUET
from app.core.records import Corpus
from app.core.storage import Storage
from app.core.text import Parquet, TextSpec
from app.core.text.sample import SAMPLE_BYTES, Sample, read_parquet_sample, read_sample


def read_beginning(storage: Storage, corpus: Corpus, spec: TextSpec, *, n_lines: int = 1) -> Sample | None:
    """The first lines and rows; None if the object is not in storage.

    Raises
    ------
    BadRecord, ExtraMissing
    """
    n_bytes = min(corpus.n_bytes, SAMPLE_BYTES)
    content = storage.beginning(corpus.key, n_bytes)
    if content is None:
        return None
    if isinstance(spec.format, Parquet) and content.startswith(PARQUET):
        opened = storage.open(corpus.key)
        if opened is None:
            return None
        with opened:
            return read_parquet_sample(opened, spec, n_lines=n_lines)
    return read_sample(content, spec, is_whole=n_bytes == corpus.n_bytes, n_lines=n_lines)
