from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from app.core.errors import TableDamaged
from app.core.table.arrays import ARRAYS, Spec
from app.core.table.digests import digest_of
from app.core.table.manifest import MANIFEST_FILE, TABLE_FILE, Manifest, TrainedOrigin, describe, write_manifest
from app.core.table.reading import open_table
from app.core.table.writing import normalise, write_arrays
from tests.published import ALWAYS_GRAPH, random_vectors, write_version

WORDS = ["the", "of", "Ω", "왕", "queen", 'quo"te', "back\\slash", "naïve"]


UNSAFE = ["../../etc/passwd", "/etc/passwd", "resources/../x", "resources/.x", "resources\\x", "resources/a/b", "more"]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("table")
    write_version(folder, WORDS, random_vectors(8, 6), limits=ALWAYS_GRAPH)
    return folder


def sha256(folder: Path) -> str:
    return hashlib.sha256((folder / MANIFEST_FILE).read_bytes()).hexdigest()


def test_round_trip(published: Path) -> None:
    """What was written is read: words, counts, vectors as trained, neighbours."""
    table = open_table(published, sha256(published))
    vectors = random_vectors(8, 6)
    assert table.vocabulary.words() == WORDS
    assert table.vocabulary.counts.tolist() == [10000, 5000, 3333, 2500, 2000, 1666, 1428, 1250]
    np.testing.assert_allclose([table.vector(i) for i in range(8)], vectors, rtol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(table.unit_vectors[:], axis=1), 1, atol=1e-7)
    assert table.neighbors.ids.shape == (8, 7)
    assert table.manifest.files.keys() == {"table.safetensors", "index.faiss"}
    assert table.n_bytes == sum((published / name).stat().st_size for name in table.manifest.files)


def test_arrays_are_read_only(published: Path) -> None:
    table = open_table(published)
    with pytest.raises(ValueError, match="read-only"):
        table.unit_vectors[:][0, 0] = 1


def test_another_reader_of_the_format_agrees(published: Path) -> None:
    """The file is plain safetensors."""
    table, theirs = open_table(published), load_file(published / TABLE_FILE)
    np.testing.assert_array_equal(theirs["unit_vectors"], table.unit_vectors[:])
    np.testing.assert_array_equal(theirs["neighbor_ids"], table.neighbors.ids)


def test_others_may_read_the_files(published: Path) -> None:
    """The API may run as another user than the trainer."""
    assert (published / TABLE_FILE).stat().st_mode & 0o044 == 0o044


@pytest.mark.parametrize("name", ["table.safetensors", "index.faiss", "manifest.json"])
def test_truncation_anywhere_is_noticed(published: Path, tmp_path: Path, name: str) -> None:
    digest, content = sha256(published), (published / name).read_bytes()
    folder = shutil.copytree(published, tmp_path / "copy")
    for size in [0, 1, 7, 8, 9, 100, len(content) // 2, len(content) - 1]:
        (folder / name).write_bytes(content[:size])
        with pytest.raises(TableDamaged):
            open_table(folder, digest)
    (folder / name).unlink()
    with pytest.raises(TableDamaged):
        open_table(folder, digest)


@pytest.mark.parametrize("name", ["table.safetensors", "index.faiss", "manifest.json"])
def test_one_flipped_bit_anywhere_is_noticed(published: Path, tmp_path: Path, name: str) -> None:
    digest, content = sha256(published), (published / name).read_bytes()
    folder = shutil.copytree(published, tmp_path / "copy")
    chosen = np.random.default_rng(5)
    for _ in range(150):
        flipped = bytearray(content)
        flipped[chosen.integers(len(content))] ^= 1 << int(chosen.integers(8))
        (folder / name).write_bytes(flipped)
        with pytest.raises(TableDamaged):
            open_table(folder, digest)


def test_damage_that_has_a_right_digest_is_noticed(published: Path, tmp_path: Path) -> None:
    """A writer's fault, or a wrong file of a right digest: header and shapes are checked without trusting them."""
    folder = shutil.copytree(published, tmp_path / "copy")
    content = (published / TABLE_FILE).read_bytes()
    chosen = np.random.default_rng(6)
    n_header = 8 + int.from_bytes(content[:8], "little")
    for _ in range(300):
        flipped = bytearray(content)
        flipped[chosen.integers(n_header)] ^= 1 << int(chosen.integers(8))
        (folder / TABLE_FILE).write_bytes(flipped)
        manifest = json.loads((published / MANIFEST_FILE).read_bytes())
        manifest["files"][TABLE_FILE]["sha256"] = hashlib.sha256(flipped).hexdigest()
        (folder / MANIFEST_FILE).write_text(json.dumps(manifest))
        with pytest.raises(TableDamaged):
            open_table(folder)


@pytest.mark.parametrize(
    "change",
    [
        {"n_words": 9},
        {"dim": 5},
        {"format_version": 1},
        {"format_version": 3},
        {"arrays": {}},
        {"files": {}},
        *({"files": {name: {"n_bytes": 1, "sha256": "0" * 64}}} for name in UNSAFE),
        {"unknown": 1},
    ],
)
def test_manifest_that_does_not_fit_is_refused(published: Path, tmp_path: Path, change: dict[str, object]) -> None:
    folder = shutil.copytree(published, tmp_path / "copy")
    manifest = json.loads((published / MANIFEST_FILE).read_bytes()) | change
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest))
    with pytest.raises(TableDamaged):
        open_table(folder)


def test_manifest_says_where_the_vectors_come_from(published: Path) -> None:
    manifest = Manifest.model_validate_json((published / MANIFEST_FILE).read_bytes())
    origin = manifest.origin
    assert isinstance(origin, TrainedOrigin)
    assert (origin.kind, origin.algorithm, origin.corpus.name) == ("trained", "word2vec", "tiny")
    assert (origin.training, manifest.counts_known) == ({"loss": 1.5}, True)
    assert manifest.index.kind == "hnsw"
    assert manifest.metrics["neighbors"]["n_words"] == 8


def test_normalise_keeps_the_lengths() -> None:
    unit, norms = normalise(np.array([[3, 4], [0, -2]], np.float32))
    np.testing.assert_array_equal(norms, np.array([5, 2], np.float32))
    np.testing.assert_array_equal(unit, np.array([[0.6, 0.8], [0, -1]], np.float32))


def test_an_array_that_a_format_adds_is_one_row_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Optional ones may be missing; one that is there is checked, written, listed and opened."""
    monkeypatch.setitem(ARRAYS, "ngram_vectors", Spec(np.float32, ("n_ngrams", "dim"), is_optional=True))
    written = write_version(tmp_path, WORDS, random_vectors(8, 6))
    ngrams = random_vectors(5, 6)
    arrays = {**open_table(tmp_path).arrays, "ngram_vectors": ngrams}
    write_arrays(tmp_path, arrays)
    files = {TABLE_FILE: digest_of(tmp_path / TABLE_FILE)}
    manifest = written.manifest.model_copy(update={"files": files, "arrays": describe(arrays)})
    table = open_table(tmp_path, write_manifest(tmp_path, manifest).sha256)
    np.testing.assert_array_equal(table.arrays["ngram_vectors"], ngrams)
    with pytest.raises(ValueError, match="ngram_vectors has 7 for dim, which is 6"):
        write_arrays(tmp_path, arrays | {"ngram_vectors": random_vectors(5, 7)})


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"norms": np.ones(7, np.float32)}, "norms has 7 for n_words"),
        ({"norms": np.ones(8)}, "norms is float64"),
        ({"word_order": np.arange(1, 9, dtype=np.int32)}, "word_order holds ids outside"),
        ({"word_offsets": np.zeros(9, np.int64)}, "word_offsets do not cut"),
        ({"word_slots": np.full(16, -1, np.int32)}, "word_slots do not hold each word"),
        ({"more": np.ones(1)}, "no array 'more'"),
    ],
)
def test_arrays_that_are_no_table_are_not_written(published: Path, change: dict[str, Any], why: str) -> None:
    arrays = {**open_table(published).arrays} | change
    with pytest.raises(ValueError, match=why):
        write_arrays(published, arrays)
    del arrays[next(iter(change))]
    if next(iter(change)) in ARRAYS:
        with pytest.raises(ValueError, match="is missing"):
            write_arrays(published, arrays)
