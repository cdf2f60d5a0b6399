"""Every format that a version can be exported in, by name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from app.core.vector_files import ExportFormat
from app.models.exports import columns
from app.models.exports.fasttext_binary import write_fasttext_binary
from app.models.exports.finalfusion import write_finalfusion
from app.models.exports.npz import write_npz
from app.models.exports.projector import write_projector
from app.models.exports.selection import LINE_ENDS_AND_TABS, WHITE_SPACE, ZERO_BYTE, Selection
from app.models.exports.static import write_model2vec, write_nn_embedding
from app.models.exports.synonyms import write_synonyms
from app.models.exports.tensors import write_safetensors
from app.models.exports.text import write_glove, write_json_lines, write_word2vec_text
from app.models.exports.word2vec_binary import write_word2vec_binary

BINARY = "application/octet-stream"
TAR = "application/x-tar"
PARQUET = "application/vnd.apache.parquet"
ARROW = "application/vnd.apache.arrow.file"
TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class Format:
    """A format.

    Parameters
    ----------
    media_type : of the whole
    extension : of the file's name
    write : makes the bytes; None for the version's own files
    cannot_hold : matches the characters that words must not have
    top : how many words there are if the request does not say it; None for all
    release : the release of an extra that decides the bytes; raises `ExtraMissing`
    """

    media_type: str
    extension: str
    write: Callable[[Selection], Iterator[bytes]] | None
    cannot_hold: re.Pattern[str] | None = None
    top: int | None = None
    release: Callable[[], str] = lambda: ""


FORMATS: dict[ExportFormat, Format] = {
    "word2vec-text": Format(TEXT, "word2vec.txt", write_word2vec_text, WHITE_SPACE),
    "word2vec-binary": Format(BINARY, "word2vec.bin", write_word2vec_binary, WHITE_SPACE),
    "glove": Format(TEXT, "glove.txt", write_glove, WHITE_SPACE),
    "fasttext-vec": Format(TEXT, "vec", write_word2vec_text, WHITE_SPACE),
    "fasttext-binary": Format(BINARY, "fasttext.bin", write_fasttext_binary, ZERO_BYTE),
    "npz": Format("application/zip", "npz", write_npz),
    "jsonl": Format("application/jsonl", "jsonl", write_json_lines),
    "safetensors": Format(BINARY, "safetensors", write_safetensors),
    "parquet": Format(PARQUET, "parquet", columns.write_parquet, release=columns.release),
    "arrow": Format(ARROW, "arrow", columns.write_arrow, release=columns.release),
    "finalfusion": Format(BINARY, "fifu", write_finalfusion),
    "projector": Format(TAR, "projector.tar", write_projector, LINE_ENDS_AND_TABS, top=10_000),
    "synonyms": Format(TEXT, "synonyms.txt", write_synonyms, LINE_ENDS_AND_TABS),
    "model2vec": Format(TAR, "model2vec.tar", write_model2vec),
    "nn-embedding": Format(TAR, "nn-embedding.tar", write_nn_embedding),
    "native": Format(TAR, "wordkin.tar", None),
}
