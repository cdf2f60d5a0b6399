"""A file of vectors, read as a job would."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.core.payloads import RowPolicies
from app.core.text import TextReader, TextSpec
from trainer.importing.read import READERS, format_of
from trainer.importing.rows import Collected
from trainer.importing.source import Source

AS_IT_IS = TextSpec(normalization="none", case="keep", tokenizer="whitespace")
Read = Callable[..., Collected]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Read bytes as vectors: policies by name, `spec` for the words, `vocabulary` of a matrix."""

    def read(
        content: bytes, spec: TextSpec = AS_IT_IS, threads: int = 2, vocabulary: bytes | None = None, **policies: Any
    ) -> Collected:
        path = tmp_path / "vectors"
        path.write_bytes(content)
        rows = RowPolicies.model_validate(policies)
        words = None if vocabulary is None else tmp_path / "words"
        if words:
            words.write_bytes(vocabulary or b"")
        source = Source(path, len(content), rows, TextReader(spec), threads, lambda _: None, words)
        return READERS[format_of(path)](source)

    return read
