"""How what is stored will be read: the beginning of a corpus or of a set of questions, and what text is read with."""

from __future__ import annotations

import io
from collections.abc import Mapping

from app.core.errors import InvalidRequest
from app.core.evaluation.bias.words import MAX_FILE_BYTES, read_word_sets
from app.core.evaluation.sets import EvaluationSet, read_questions
from app.core.magic import PARQUET
from app.core.records import Corpus, File
from app.core.storage import Storage
from app.core.text import Parquet, TextSpec
from app.core.text.labelled import LabelledFields, LabelledRows
from app.core.text.sample import SAMPLE_BYTES, Sample, read_parquet_sample, read_sample
from app.core.text.tokenizers import MAX_RESOURCE_BYTES


def read_beginning(storage: Storage, corpus: Corpus, spec: TextSpec, *, n_lines: int = 1) -> Sample | None:
    """The first lines and rows, split at blanks where the spec has a tokenizer; None if the object is not in storage.

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


def read_resources(files: Mapping[str, File], storage: Storage, place: str) -> dict[str, bytes]:
    """The files that text is read with, by the names that they get as resources; without those not in storage.

    Raises
    ------
    InvalidRequest
        One is too large; `place` is where it was named.
    """
    found = {}
    for resource, file in files.items():
        if file.n_bytes > MAX_RESOURCE_BYTES:
            raise InvalidRequest(f"{place}: the file {file.name!r} has more than {MAX_RESOURCE_BYTES} bytes.")
        content = storage.beginning(file.key, file.n_bytes)
        if content is not None:
            found[resource] = content
    return found


def check_questions(storage: Storage, file: File, asked: EvaluationSet) -> None:
    """Raise `EvaluationSetUnreadable` if the beginning of a file cannot be read as the set that it is asked as."""
    n_bytes = min(file.n_bytes, SAMPLE_BYTES)
    if content := storage.beginning(file.key, n_bytes):
        read_questions(content, asked.type, asked.file, is_whole=n_bytes == file.n_bytes)


def check_word_sets(storage: Storage, file: File, name: str) -> None:
    """Raise `EvaluationSetUnreadable` if a file has no word sets."""
    if content := storage.beginning(file.key, min(file.n_bytes, MAX_FILE_BYTES + 1)):
        read_word_sets(content, name)


def check_labelled(storage: Storage, file: File, fields: LabelledFields) -> None:
    """Raise `BadRecord` if no row of the beginning of a file has a text and a label."""
    n_bytes = min(file.n_bytes, SAMPLE_BYTES)
    content = storage.beginning(file.key, n_bytes)
    if not content:
        return
    if n_bytes < file.n_bytes:
        content = content[: content.rfind(b"\n") + 1] or content
    rows = LabelledRows(fields, io.BytesIO(content).readline)
    for _ in rows.labelled():
        pass
    rows.check_names()
