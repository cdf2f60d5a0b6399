"""Words and vectors to derive from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from app.core.steps import Step
from app.core.table.reading import Table, open_table
from app.core.text import TextReader, TextSpec
from tests.published import random_vectors, vocabulary_of, write_version
from trainer.deriving.apply import apply
from trainer.deriving.working import Facts, Sources, Working
from trainer.steps.progress import ignore

WORDS = [f"w{i}" for i in range(60)]
Done = tuple[Working, Facts]
Do = Callable[..., Done]

_step: TypeAdapter[Step] = TypeAdapter(Step)


def working(n_words: int = 60, dim: int = 8) -> Working:
    vectors = random_vectors(n_words, dim) + np.float32(0.7)
    return Working(WORDS[:n_words], vocabulary_of(WORDS[:n_words]).counts, vectors)


@pytest.fixture
def table(tmp_path: Path) -> Callable[..., Table]:
    """A published table of these words and vectors."""

    def publish(words: list[str], vectors: Any) -> Table:
        folder = tmp_path / f"t{len(list(tmp_path.iterdir()))}"
        write_version(folder, words, np.asarray(vectors, np.float32))
        return open_table(folder)

    return publish


@pytest.fixture
def do() -> Do:
    """Do one step, given by its members; `tables` and `files` are what it names."""

    def do(work: Working, tables: Any = None, files: Any = None, **said: Any) -> Done:
        sources = Sources(tables or {}, files or {}, TextReader(TextSpec()))
        return work, apply(work, [_step.validate_python(said)], sources, ignore)[0]

    return do
