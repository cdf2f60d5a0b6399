"""Folders that models start from, read back by model2vec, safetensors and tokenizers."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import numpy as np
import pytest
import safetensors.numpy
from model2vec import StaticModel
from tokenizers import Tokenizer

from app.core.table.arrays import FloatArray
from app.core.table.reading import open_table
from app.core.text import TextReader, TextSpec
from app.models.exports.selection import Chosen, Selection
from app.models.exports.static import write_nn_embedding
from app.models.exports.tokenizer import write_tokenizer
from tests.app.models.exports.conftest import WORDS, exported
from tests.app.models.exports.test_folders import unpacked
from tests.published import random_vectors, write_version

TEXTS = [
    "The King said: don't, a''b 'quoted' w5!",
    "naïve nai\u0308ve 왕은 \u110b\u116a\u11bc ㅋㅋㅋ",
    "rock\u2019n\u2019roll re\u00adsume\u200bd x\u3164y",
    "ΟΔΟΣ Σ ΣΑΣ. İstanbul STRASSE straße",
    "3.5 C++ c++ .NET ASP.NET 10\u00a0000 e\u0301 \u0301 _x_ tab\tbed",
    "whole  milk, butter ,rye bread,",
]


def test_model2vec_gives_the_normalised_mean_of_the_words(
    client: httpx.Client, vectors: FloatArray, tmp_path: Path
) -> None:
    assert set(unpacked(exported(client, "model2vec"), tmp_path)) == {
        "README.md",
        "config.json",
        "tokenizer.json",
        "model.safetensors",
    }
    model = StaticModel.from_pretrained(tmp_path)
    texts = ["King and QUEEN", "왕 w7 xyzzy w7", "naïve", "xyzzy", "don't " * 600 + "w1 " * 600]
    mean = [vectors[[WORDS.index(w) for w in text.lower().split() if w in WORDS]].mean(axis=0) for text in texts[:3]]
    unit = np.array([row / np.linalg.norm(row) for row in mean])
    encoded = model.encode(texts)
    np.testing.assert_allclose(encoded[:3], unit, atol=2e-7)
    np.testing.assert_array_equal(encoded[3], np.zeros_like(unit[0]))
    np.testing.assert_allclose(encoded[4], model.encode("don't w1"), atol=1e-4)  # no text is cut


def test_the_bundle_for_pytorch_has_two_rows_of_zeros_first(
    client: httpx.Client, vectors: FloatArray, tmp_path: Path
) -> None:
    unpacked(exported(client, "nn-embedding"), tmp_path)
    weight = safetensors.numpy.load_file(tmp_path / "model.safetensors")["embedding.weight"]
    assert not weight[:2].any()
    assert weight[2:].tobytes() == vectors.tobytes()
    vocabulary = json.loads((tmp_path / "vocab.json").read_text(encoding="utf-8"))
    assert list(vocabulary) == ["<pad>", "<unk>", *WORDS]
    assert list(vocabulary.values()) == list(range(len(WORDS) + 2))
    tokenizer = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    assert tokenizer.encode("The king, 왕").ids == [1, 2, 4]


@pytest.mark.parametrize(
    "chosen",
    [
        {},
        {"case": "keep"},
        {"normalization": "none"},
        {"tokenizer": "whitespace"},
        {"keep_tokens": ("c++", ".net")},
        {"format": {"kind": "tokens", "separator": ","}},
    ],
)
def test_the_tokenizer_cuts_texts_as_the_version_does(chosen: dict[str, object], tmp_path: Path) -> None:
    spec = TextSpec.model_validate(chosen).here()
    reader = TextReader(spec)
    words = sorted({word for text in TEXTS for word in reader.words(text)})
    write_version(tmp_path, words, random_vectors(len(words), 4), text=spec)
    content = b"".join(
        write_tokenizer(Selection(open_table(tmp_path), Chosen()), ["<unk>"], unknown="<unk>", first=True)
    )
    tokenizer = Tokenizer.from_str(content.decode())
    for text in TEXTS:
        assert tokenizer.encode(text).tokens == reader.words(text)


def test_a_word_that_is_spelled_as_a_special_token_keeps_its_row(tmp_path: Path) -> None:
    spec = TextSpec(tokenizer="whitespace", case="keep", normalization="none")
    words = ["the", "<unk>", "[UNK]", "<unk>_"]
    write_version(tmp_path, words, random_vectors(4, 4), text=spec)

    folder = tmp_path / "out"
    unpacked(b"".join(write_nn_embedding(Selection(open_table(tmp_path), Chosen()))), folder)
    vocabulary = json.loads((folder / "vocab.json").read_text())
    assert vocabulary == {"<pad>": 0, "<unk>__": 1, "the": 2, "<unk>": 3, "[UNK]": 4, "<unk>_": 5}
