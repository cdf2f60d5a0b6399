"""Every format whose rows can be imported, by name; a bundle is no file of rows, but a version."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from app.core.vector_files import HEAD_BYTES, VectorFormat, recognise
from trainer.importing.binary import read_binary
from trainer.importing.fasttext import read_fasttext
from trainer.importing.finalfusion import read_finalfusion
from trainer.importing.model2vec import read_model2vec
from trainer.importing.npy import read_npy
from trainer.importing.rows import Collected
from trainer.importing.safetensors import read_safetensors
from trainer.importing.source import Source
from trainer.importing.text import read_text

Reader = Callable[[Source], Collected]
READERS: dict[VectorFormat, Reader] = {
    "word2vec-text": read_text,
    "word2vec-binary": read_binary,
    "glove": read_text,
    "safetensors": read_safetensors,
    "npy": read_npy,
    "finalfusion": read_finalfusion,
    "fasttext-binary": read_fasttext,
    "model2vec": read_model2vec,
}


def format_of(path: Path) -> VectorFormat:
    """The format by the first bytes, or raise `VectorsUnreadable`."""
    with path.open("rb") as file:
        return recognise(file.read(HEAD_BYTES))
