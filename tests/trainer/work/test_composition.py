"""What words are composed of goes with a version: through imports, derivations and bundles."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.core.errors import VectorsUnreadable
from app.core.storage import Storage
from app.core.table.composing import PieceComposer
from app.core.table.manifest import DerivedOrigin
from app.core.table.parts import TOKENIZER, Ngrams, Pieces
from app.core.table.reading import Table
from app.models.schemas import VersionDescription
from tests.trainer.deriving.test_subwords import WORDS, made_of_ngrams
from tests.trainer.importing.test_fasttext import DIM, N_BUCKETS, written
from tests.trainer.importing.test_model2vec import model
from tests.trainer.work.conftest import opened, version_row
from tests.trainer.work.test_derive import run as derive
from tests.trainer.work.test_imported import run, source
from tests.trainer.work.test_restore import changed, packed
from trainer.work.messages import Publishes

ROWS = np.array([[0, 0], [5, 5], [1, 2], [3, 4], [-5, 6], [0, 1]], np.float32)
TOKENS = {"[PAD]": 0, "[UNK]": 1, "king": 2, "##s": 3, "바다": 4, "sea": 5}
SPECIAL = {"special": True, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
TOKENIZER_JSON = {
    "version": "1.0",
    "added_tokens": [{"id": 0, "content": "[PAD]"} | SPECIAL],
    "pre_tokenizer": {"type": "Whitespace"},
    "model": {
        "type": "WordPiece",
        "unk_token": "[UNK]",
        "continuing_subword_prefix": "##",
        "max_input_chars_per_word": 100,
        "vocab": TOKENS,
    },
}


def parent_of(folder: Path, result: Publishes) -> dict[str, Any]:
    prefix = f"versions/job-{folder.name}"
    return {"model": "m", "version": 1, "prefix": prefix, "manifest_sha256": result.manifest_sha256}


def composed(table: Table, text: str) -> list[list[float]]:
    parts = table.parts
    assert parts is not None
    vectors: list[list[float]] = PieceComposer(table, parts).cut(text).vectors.round(5).tolist()
    return vectors


def test_a_token_table_keeps_its_tokenizer_and_words_that_are_pruned_become_pieces(
    storage: Storage, tmp_path: Path
) -> None:
    file = source(storage, "v", model(TOKENIZER_JSON, embeddings=ROWS))
    counts = source(storage, "counts", "sea 9\n바다 8\nking 2\n".encode())
    result = run(storage, tmp_path / "s", file, vocabulary=counts)
    assert (result.told["composes_from"], result.manifest["composition"]) == ("pieces", {"kind": "pieces"})
    table = opened(storage, tmp_path / "s", result)
    assert table.vocabulary.words() == ["sea", "바다", "king"]
    assert json.loads((table.folder / TOKENIZER).read_bytes()) == TOKENIZER_JSON
    assert composed(table, "kings sea 바다 zzz") == [[1, 2], [3, 4], [0, 1], [-5, 6]]
    parent = parent_of(tmp_path / "s", result)
    steps: list[dict[str, Any]] = [{"step": "prune", "max_words": 2}, {"step": "center", "weights": "uniform"}]
    child = opened(storage, tmp_path / "child", derive(storage, tmp_path / "child", parent, steps))
    assert (child.manifest.composition, child.vocabulary.words()) == (Pieces(), ["sea", "바다"])
    assert composed(child, "kings sea") == [[3.5, -1.5], [5.5, 0.5], [2.5, -2.5]]


def test_a_tokenizer_that_cannot_be_used_is_told_and_its_words_are_taken(storage: Storage, tmp_path: Path) -> None:
    said = TOKENIZER_JSON | {"pre_tokenizer": {"type": "Unheard"}}
    result = run(storage, tmp_path / "s", source(storage, "v", model(said, embeddings=ROWS)))
    assert result.told["composes_from"] is None
    assert result.told["not_composed"].startswith("tokenizers does not read the tokenizer.json: ")
    assert opened(storage, tmp_path / "s", result).manifest.composition is None


def test_fitted_n_grams_are_published_with_what_was_measured(storage: Storage, tmp_path: Path) -> None:
    vectors = made_of_ngrams(WORDS).vectors
    rows = "".join(f"{word} {' '.join(map(str, row))}\n" for word, row in zip(WORDS, vectors.tolist(), strict=True))
    result = run(storage, tmp_path / "s", source(storage, "v", rows.encode()))
    step = {"step": "fit_subwords", "min_n": 2, "max_n": 3, "n_buckets": 5000, "min_cosine": 0.4}
    child = derive(storage, tmp_path / "child", parent_of(tmp_path / "s", result), [step])
    table = opened(storage, tmp_path / "child", child)
    assert table.manifest.composition == Ngrams(min_n=2, max_n=3, n_buckets=5000)
    assert VersionDescription.of(version_row(child)).composition == table.manifest.composition
    assert isinstance(table.manifest.origin, DerivedOrigin)
    found = table.manifest.origin.steps[0].found
    assert found["min_cosine"] == 0.4 < found["mean_cosine"]
    np.testing.assert_allclose(
        table.unit_vectors[:], opened(storage, tmp_path / "s", result).unit_vectors[:], atol=1e-6
    )


def test_a_bundle_brings_them_along_and_a_false_tokenizer_is_refused(storage: Storage, tmp_path: Path) -> None:
    result = run(storage, tmp_path / "s", source(storage, "v", model(TOKENIZER_JSON, embeddings=ROWS)))
    folder = opened(storage, tmp_path / "s", result).folder
    restored = run(storage, tmp_path / "again", source(storage, "bundle", packed(folder)))
    assert restored.told["identical"] is True
    assert composed(opened(storage, tmp_path / "again", restored), "kings") == [[1, 2], [3, 4]]
    (folder / TOKENIZER).write_bytes(b'{"model": 1}')
    changed(folder, lambda _: None)
    with pytest.raises(VectorsUnreadable, match=r"tokenizers does not read the tokenizer\.json"):
        run(storage, tmp_path / "false", source(storage, "false", packed(folder)))


def test_an_import_tells_the_bytes_of_n_grams_that_it_leaves_out(storage: Storage, tmp_path: Path) -> None:
    file = source(storage, "v", written(sizes=(3, 3)))
    found = {
        policy: run(storage, tmp_path / policy, file, rows={"ngrams": policy}).told
        for policy in ("keep", "trained", "drop")
    }
    rows = [told["ngrams"]["n_rows"] for told in found.values()]
    assert (rows[0], rows[2], 0 < rows[1] < N_BUCKETS) == (N_BUCKETS, 0, True)
    for told in found.values():
        n_rows = told["ngrams"]["n_rows"]
        left_out = 4 * DIM * (N_BUCKETS - n_rows)
        assert told["ngrams"] == {"n_rows": n_rows, "n_bytes": 4 * DIM * n_rows, "n_bytes_left_out": left_out}
    assert [told["composes_from"] for told in found.values()] == ["ngrams", "ngrams", None]
