"""Token tables answer texts as model2vec does, and words that are no tokens from their pieces."""

from __future__ import annotations

import asyncio
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from model2vec import StaticModel
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers

from app.core.catalog import PublishedVersion
from app.core.errors import WordNotFound
from app.core.table.composing import Composed
from app.core.table.reading import open_table
from app.core.text import TextSpec
from app.serving.searchers import Searchers
from app.serving.texts import NoVector, TextVector, read
from app.serving.version import ServedVersion, Term
from tests.published import random_vectors, write_version
from tests.trainer.importing.conftest import AS_IT_IS, Read

UNKNOWN = "[UNK]"
TEXTS = [
    "King of the sea",
    "kings and queens kingsea",
    "바다의 왕 [PAD] 바다바다",
    "zzz king zzz",
    "seas, kings; THE",
    "king " * 700,
]


def wordpiece() -> Tokenizer:
    tokens = ["[PAD]", "[UNK]", "king", "##s", "queen", "sea", "##sea", "the", "of", "바", "##다", ",", "and"]
    tokenizer = Tokenizer(models.WordPiece({token: i for i, token in enumerate(tokens)}, unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens(["[PAD]"])
    return tokenizer


def unigram() -> Tokenizer:
    tokens = ["<unk>", "▁king", "s", "▁queen", "▁sea", "sea", "▁the", "▁", "▁바", "다", "왕", "의", "k", "i", "n", "g"]
    tokenizer = Tokenizer(models.Unigram([(token, -1.0 - i / 9) for i, token in enumerate(tokens)], unk_id=0))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    return tokenizer


Import = Callable[[Tokenizer, Path], tuple[StaticModel, ServedVersion]]


@pytest.fixture
def imported(read: Read) -> Import:
    """A model as model2vec saves it, and the version that its import makes."""

    def imported(tokenizer: Tokenizer, folder: Path) -> tuple[StaticModel, ServedVersion]:
        vectors = random_vectors(tokenizer.get_vocab_size(), 6)
        weights = np.linspace(0.5, 2, len(vectors)).astype(np.float32)
        model = StaticModel(vectors, tokenizer, weights=weights, normalize=True)
        model.save_pretrained(folder / "model")
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w") as tar:
            for name in ("model.safetensors", "tokenizer.json"):
                tar.add(folder / "model" / name, name)
        found = read(stream.getvalue())
        assert found.parts
        (content,) = found.resources.values()
        table = folder / "table"
        write_version(table, found.words, found.vectors, text=AS_IT_IS, parts=found.parts, tokenizer=content)
        entry = PublishedVersion("m", 1, "p", "0")
        return model, ServedVersion(entry, open_table(table), Searchers(1))

    return imported


@pytest.mark.parametrize("make", [wordpiece, unigram])
def test_texts_are_as_model2vec_encodes_them(imported: Import, make: Callable[[], Tokenizer], tmp_path: Path) -> None:
    model, version = imported(make(), tmp_path)
    found = [read(version, text, "compose") for text in TEXTS]
    expected = model.encode(TEXTS, max_length=None)
    np.testing.assert_allclose([text.vector for text in found if isinstance(text, TextVector)], expected, atol=1e-5)
    assert len(version.table.vocabulary) < len(model.tokens)


def test_words_are_found_as_tokens_or_composed_of_them(imported: Import, tmp_path: Path) -> None:
    model, version = imported(wordpiece(), tmp_path)
    ids = version.table.vocabulary.ids()
    assert version.term("king") == Term("king", ids["king"], "exact")
    assert version.term("QUEEN") == Term("queen", ids["queen"], "tokenised")
    assert version.term("kings") is None
    (composed,) = asyncio.run(version.words(["kings"], "compose"))
    assert isinstance(composed, Composed)
    np.testing.assert_allclose(composed.direction, model.encode("kings"), atol=1e-6)
    assert (composed.word, composed.composed_from, composed.confidence) == ("kings", "pieces", None)
    for unknown in ("zzz", "k" * 101):
        with pytest.raises(WordNotFound):
            asyncio.run(version.words([unknown], "compose"))
    many = ["kings", "QUEEN", *["seasea" * 5] * 8]
    found = asyncio.run(version.words(many, "compose"))  # on another thread
    assert [word.word for word in found] == ["kings", "queen", *many[2:]]


def test_texts_tell_what_they_lack_and_which_words_they_have(imported: Import, tmp_path: Path) -> None:
    _, version = imported(wordpiece(), tmp_path)
    found = read(version, "zzz Kings zzz sea", "compose")
    assert isinstance(found, TextVector)
    assert (found.n_words, found.n_tokens, found.out_of_vocabulary) == (3, 5, ["zzz"])
    assert sorted(map(version.lookup.word, found.ids)) == ["king", "sea"]
    nothing = read(version, "zzz yyy", "compose")
    assert isinstance(nothing, NoVector)
    assert nothing.out_of_vocabulary == ["zzz", "yyy"]
    assert isinstance(read(version, "  ", "compose"), NoVector)
    of_words = read(version, "kings sea", "reject")
    assert isinstance(of_words, TextVector)
    assert of_words.out_of_vocabulary == ["kings"]


def test_words_that_folding_makes_equal_lose_no_vector(read: Read, tmp_path: Path) -> None:
    """Of King and king, the first is the word `king`; each token keeps its own row all the same."""
    tokenizer = Tokenizer(models.WordLevel({"King": 0, "king": 1, "[UNK]": 2}, unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    StaticModel(random_vectors(3, 4), tokenizer, normalize=True).save_pretrained(tmp_path)
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name in ("model.safetensors", "tokenizer.json"):
            tar.add(tmp_path / name, name)
    found = read(stream.getvalue(), TextSpec(tokenizer="whitespace"))
    assert found.parts
    assert found.parts.token_words is not None
    assert (found.words, found.parts.token_words.tolist()) == (["king"], [0, -1, -1])
    assert found.parts.keys.tolist() == [1]
    np.testing.assert_allclose(found.parts.vectors, random_vectors(3, 4)[1:2])
