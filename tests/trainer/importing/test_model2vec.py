"""Folders of Model2Vec and StaticEmbedding: three layouts of vectors, four of tokenizers; only words stay."""

from __future__ import annotations

import io
import json
import tarfile
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

from app.core.errors import VectorsUnreadable
from tests.trainer.importing.conftest import Read

TABLE = np.array([[9, 9], [1, 2], [3, 4], [-5, 6]], np.float32)
PIECES = {
    "added_tokens": [{"id": 0, "content": "[PAD]", "special": True}],
    "model": {
        "type": "WordPiece",
        "continuing_subword_prefix": "##",
        "vocab": {"[PAD]": 0, "king": 1, "##s": 2, "바다": 3},
    },
}


def packed(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def model(tokenizer: Any = PIECES, folder: str = "", **tensors: np.ndarray) -> bytes:
    files = {"model.safetensors": save(tensors), "tokenizer.json": json.dumps(tokenizer).encode()}
    others = {"README.md": b"#" * 600, "config.json": b"{}", "onnx/model.onnx": b"\x80\x04evil"}
    return packed(others | {folder + name: content for name, content in files.items()})


def vocabulary(*tokens: str, **said: Any) -> dict[str, Any]:
    return {"added_tokens": [], "model": {"vocab": {token: i for i, token in enumerate(tokens)}} | said}


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("", "embeddings"),
        ("potion/", "embeddings"),
        ("", "embedding.weight"),
        ("0_StaticEmbedding/", "embedding.weight"),
    ],
)
def test_tokens_that_are_words_stay(read: Read, folder: str, name: str) -> None:
    found = read(model(folder=folder, **{name: TABLE.astype(np.float16)}))
    assert (found.words, found.vectors.tolist(), found.report.n_rows) == (["king", "바다"], [[1, 2], [-5, 6]], 4)
    told = [(each.what, [(row.word, row.at) for row in each.first]) for each in found.report.found]
    assert told == [("a special token", [("[PAD]", 1)]), ("a piece inside words", [("##s", 3)])]


def test_tokens_share_rows_of_a_code_book(read: Read) -> None:
    mapping, weights = np.array([0, 1, 1, 0], np.int64), np.array([1, 2, 3, 0.5], np.float32)
    codes = np.array([[4, -6], [1, 2]], np.int8)
    found = read(model(embeddings=codes, mapping=mapping, weights=weights))
    assert (found.words, found.vectors.tolist()) == (["king", "바다"], [[2, 4], [2, -3]])


def test_weights_may_stand_without_a_mapping(read: Read) -> None:
    found = read(model(embeddings=TABLE, weights=np.array([1, 2, 3, 0.5])))
    assert found.vectors.tolist() == [[2, 4], [-2.5, 3]]


@pytest.mark.parametrize(
    ("tokenizer", "words"),
    [
        (vocabulary("<s>", "▁왕", "s", "▁"), ["왕"]),
        (vocabulary("<0x0A>", "ĠÃ©t", "ing", "Ġking"), ["ét", "king"]),
        (vocabulary("a", "b", "c", "[UNK]", unk_token="[UNK]"), ["a", "b", "c"]),  # noqa: S106 (a token of text)
        ({"model": {"type": "Unigram", "vocab": [["<unk>", 0], ["▁sea", -1.5], ["s", -2], ["▁a", -3]]}}, ["sea", "a"]),
        (
            vocabulary("▁a", "b", "c") | {"added_tokens": [{"id": 3, "content": "New York", "special": False}]},
            ["a", "New York"],
        ),
        (vocabulary("a"), ["a"]),
    ],
)
def test_words_are_told_from_pieces_as_each_tokenizer_marks_them(
    read: Read, tokenizer: dict[str, Any], words: list[str]
) -> None:
    found = read(model(tokenizer, embeddings=TABLE))
    assert (found.words, found.report.n_rows) == (words, 4)


def test_a_row_without_a_token_is_counted(read: Read) -> None:
    (found,) = read(model(vocabulary("a"), embeddings=TABLE)).report.found
    assert (found.what, found.n, found.first[0].at) == ("a row without a token", 3, 2)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (model(vocabulary("a", "b", "c", "d", "e"), embeddings=TABLE), "has the token 4; the model has vectors of 4"),
        (model(embeddings=TABLE, mapping=np.array([0, 1, 2, 4])), "`mapping` is I64 .* should have rows from 0 to 3"),
        (model(embeddings=TABLE, mapping=np.ones(4)), "`mapping` is F64 .* should have one row a token"),
        (model(embeddings=TABLE, weights=np.ones(3)), "`weights` is F64 .* should have 4 tokens"),
        (model(a=TABLE, b=TABLE), "Which tensor is the table"),
        (model([], embeddings=TABLE), "is not of a tokenizer whose vocabulary can be read"),
        (model({"model": {"vocab": {"a": "b"}}}, embeddings=TABLE), "is not of a tokenizer"),
        (model(vocabulary("a", end_of_word_suffix="</w>"), embeddings=TABLE), "marks the ends of words"),
        (packed({"tokenizer.json": b"[" * 100_000, "model.safetensors": save({"e": TABLE})}), "is not of a tokenizer"),
        (packed({"model.safetensors": save({"e": TABLE})}), "The tar has no tokenizer.json"),
        (packed({"a/tokenizer.json": b"{}", "tokenizer.json": b"{}"}), "a second tokenizer.json"),
        (packed({"config.json": b"{}"}), "begins with no file of an exported version"),
        (model(embeddings=TABLE)[:4500], "the tar was cut"),
    ],
)
def test_what_does_not_fit_is_refused(read: Read, content: bytes, told: str) -> None:
    with pytest.raises(VectorsUnreadable, match=told):
        read(content)
