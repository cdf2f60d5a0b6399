"""An import: a file becomes a version like any other, and says what became of its rows."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

from app.core.errors import FileDamaged, FileMissing
from app.core.payloads import FileSource, ImportPayload
from app.core.storage import Storage
from app.core.table.manifest import ImportedOrigin
from app.core.text import TextSpec
from app.models.schemas import VersionSummary
from tests.trainer.work.conftest import context_in, opened, version_row
from trainer.work.kinds import imported
from trainer.work.messages import Publishes

VECTORS = b"3 2\nthe 3 4\nking -1 0.5\nqueen 0 2\n"


def source(storage: Storage, name: str, content: bytes) -> FileSource:
    key = f"files/{name}"
    storage.put_new(content, key)
    return FileSource(name=name, revision=1, key=key, sha256=hashlib.sha256(content).hexdigest(), n_bytes=len(content))


def run(storage: Storage, folder: Path, file: FileSource, **said: Any) -> Publishes:
    spec = TextSpec(normalization="none", case="keep", tokenizer="whitespace")
    payload = ImportPayload.model_validate({"file": file, "format": "auto", "text": spec} | said)
    return imported.run(payload, context_in(storage, folder))


def test_a_file_becomes_a_version(storage: Storage, tmp_path: Path) -> None:
    result = run(storage, tmp_path / "s", source(storage, "v", VECTORS), licence="PDDL", source="nlp.stanford.edu")
    rows = result.told["rows"]
    assert (result.told["format"], rows["n_words"], rows["found"]) == ("word2vec-text", 3, [])
    table = opened(storage, tmp_path / "s", result)
    assert table.vocabulary.words() == ["the", "king", "queen"]
    vectors = np.array([table.vector(i) for i in range(3)])
    np.testing.assert_allclose(vectors, np.array([[3, 4], [-1, 0.5], [0, 2]]), rtol=1e-6)
    assert table.neighbors.ids.tolist() == [[2, 1], [2, 0], [0, 1]]
    assert table.manifest.counts_known is False
    assert table.vocabulary.counts.tolist() == [10**9, 5 * 10**8, 333_333_333]
    origin = table.manifest.origin
    assert isinstance(origin, ImportedOrigin)
    assert (origin.file.name, origin.file.sha256) == ("v", hashlib.sha256(VECTORS).hexdigest())
    assert (origin.licence, origin.source, origin.vocabulary) == ("PDDL", "nlp.stanford.edu", None)
    listed = VersionSummary.of(version_row(result))
    assert (listed.origin, listed.algorithm, listed.n_words, listed.dim) == ("imported", None, 3, 2)


def test_counts_order_the_words(storage: Storage, tmp_path: Path) -> None:
    vocabulary = source(storage, "counts", b"queen 7\nthe 5\nking 9\n")
    result = run(storage, tmp_path / "s", source(storage, "v", VECTORS), vocabulary=vocabulary)
    table = opened(storage, tmp_path / "s", result)
    assert table.vocabulary.words() == ["king", "queen", "the"]
    assert (table.vocabulary.counts.tolist(), table.manifest.counts_known) == ([9, 7, 5], True)
    np.testing.assert_allclose(table.vector(0), [-1, 0.5])
    assert isinstance(table.manifest.origin, ImportedOrigin)
    assert table.manifest.origin.vocabulary
    assert table.manifest.origin.vocabulary.name == "counts"


def test_a_table_of_one_word_is_one(storage: Storage, tmp_path: Path) -> None:
    table = opened(storage, tmp_path / "s", run(storage, tmp_path / "s", source(storage, "v", b"king 1 2\n")))
    assert (table.vocabulary.words(), table.neighbors.ids.shape) == (["king"], (1, 0))


def test_a_file_that_is_not_what_was_uploaded_is_refused(storage: Storage, tmp_path: Path) -> None:
    file = source(storage, "v", VECTORS)
    with pytest.raises(FileDamaged):
        run(storage, tmp_path / "s", file.model_copy(update={"sha256": "0" * 64}))
    counts = source(storage, "counts", b"queen 7\nthe 5\nking 9\n").model_copy(update={"sha256": "0" * 64})
    with pytest.raises(FileDamaged):  # the vocabulary stands in the lineage, too
        run(storage, tmp_path / "u", file, vocabulary=counts)
    with pytest.raises(FileMissing):
        run(storage, tmp_path / "t", file.model_copy(update={"key": "files/gone"}))


def test_a_matrix_takes_words_and_counts_of_the_vocabulary(storage: Storage, tmp_path: Path) -> None:
    matrix = source(storage, "m", save({"vectors": np.array([[3, 4], [-1, 0.5]], np.float32)}))
    counted = source(storage, "counted", b"New York 5\nking 9\n")
    table = opened(storage, tmp_path / "s", run(storage, tmp_path / "s", matrix, vocabulary=counted))
    assert (table.vocabulary.words(), table.vocabulary.counts.tolist()) == (["king", "New York"], [9, 5])
    assert (table.manifest.counts_known, table.manifest.origin.made_of) == (True, "m")
    alone = source(storage, "alone", b"New York\nking\n")
    table = opened(storage, tmp_path / "t", run(storage, tmp_path / "t", matrix, vocabulary=alone))
    assert (table.vocabulary.words(), table.manifest.counts_known) == (["New York", "king"], False)
    np.testing.assert_allclose(table.vector(0), [3, 4], rtol=1e-6)
