"""Every format is read back by somebody else's program."""

from __future__ import annotations

import io
import itertools
import json
from pathlib import Path

import fasttext
import httpx
import numpy as np
import pytest
import safetensors.numpy
from gensim.models import KeyedVectors

from app.core.table.arrays import FloatArray
from tests.app.models.exports.conftest import DIM, WORDS, exported
from tests.oracles.finalfusion import read_finalfusion
from tests.published import vocabulary_of

COUNTS = vocabulary_of(WORDS).counts.tolist()


@pytest.mark.parametrize(
    ("format_", "is_binary", "no_header"),
    [
        ("word2vec-text", False, False),
        ("word2vec-binary", True, False),
        ("glove", False, True),
        ("fasttext-vec", False, False),
    ],
)
def test_gensim_reads_the_same_float32(
    client: httpx.Client, vectors: FloatArray, tmp_path: Path, format_: str, is_binary: bool, no_header: bool
) -> None:
    path = tmp_path / "file"
    path.write_bytes(exported(client, format_))
    read = KeyedVectors.load_word2vec_format(path, binary=is_binary, no_header=no_header)
    assert read.index_to_key == WORDS
    assert read.vectors.tobytes() == vectors.tobytes()


def test_text_has_the_fewest_digits_that_read_back(client: httpx.Client, vectors: FloatArray) -> None:
    lines = exported(client, "glove").decode().splitlines()
    for line, row in zip(lines, vectors, strict=True):
        for written, value in zip(line.split(" ")[1:], row, strict=True):
            assert float(written) == float(str(value))
            assert len(written) <= len(str(value))


def test_fasttext_starts_from_the_vec_file(client: httpx.Client, vectors: FloatArray, tmp_path: Path) -> None:
    (tmp_path / "m.vec").write_bytes(exported(client, "fasttext-vec"))
    (tmp_path / "text").write_text("__label__a king queen\n__label__b 왕 naïve\n")
    chosen = {"dim": DIM, "lr": 0.0, "epoch": 1, "thread": 1, "verbose": 0}
    model = fasttext.train_supervised(str(tmp_path / "text"), pretrainedVectors=str(tmp_path / "m.vec"), **chosen)
    for word in ("king", "queen", "왕", "naïve"):
        row = model.get_input_matrix()[model.get_word_id(word)]
        np.testing.assert_array_equal(row, vectors[WORDS.index(word)])


def test_numpy_reads_the_npz(client: httpx.Client, vectors: FloatArray) -> None:
    with np.load(io.BytesIO(exported(client, "npz")), allow_pickle=False) as file:
        assert set(file.files) == {"vectors", "counts", "words.json"}
        assert file["vectors"].tobytes() == vectors.tobytes()
        assert file["counts"].tolist() == COUNTS
        assert json.loads(file["words.json"]) == WORDS


def test_json_lines_hold_word_count_and_vector(client: httpx.Client, vectors: FloatArray) -> None:
    rows = [json.loads(line) for line in exported(client, "jsonl").split(b"\n")[:-1]]
    assert [(row["word"], row["count"]) for row in rows] == list(zip(WORDS, COUNTS, strict=True))
    assert np.array([row["vector"] for row in rows], np.float32).tobytes() == vectors.tobytes()
    assert list(rows[0]) == ["word", "count", "vector"]


def test_safetensors_reads_vectors_counts_and_words(client: httpx.Client, vectors: FloatArray) -> None:
    read = safetensors.numpy.load(exported(client, "safetensors"))
    assert read["vectors"].tobytes() == vectors.tobytes()
    assert read["counts"].tolist() == COUNTS
    offsets, content = read["word_offsets"].tolist(), read["word_bytes"].tobytes()
    words = [content[start:end].decode() for start, end in itertools.pairwise(offsets)]
    assert words == WORDS


def test_finalfusion_holds_unit_vectors_and_norms(client: httpx.Client, vectors: FloatArray) -> None:
    read = read_finalfusion(exported(client, "finalfusion"))
    assert read.words == WORDS
    assert (read.matrix * read.norms[:, None]).tobytes() == vectors.tobytes()
    np.testing.assert_allclose(np.linalg.norm(read.matrix, axis=1), 1, atol=1e-6)


@pytest.mark.parametrize(
    "format_", ["word2vec-text", "word2vec-binary", "glove", "npz", "jsonl", "safetensors", "finalfusion"]
)
def test_the_most_frequent_words_alone(client: httpx.Client, format_: str) -> None:
    """A file of fewer words is that of all in small, from memory and from disk."""
    few = exported(client, format_, words="top:3")
    assert len(few) < len(exported(client, format_)) / 20
    assert b"w5" not in few
    assert b"queen" in few
