"""A training with a tokenizer: its files go with the version, and the API answers words that are several tokens."""

from __future__ import annotations

import asyncio
import hashlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.core.catalog import PublishedVersion
from app.core.errors import ExtraMissing, NotOneWord, TextNotRead, WordNotFound
from app.core.hyperparameters import Word2VecHyperparameters
from app.core.payloads import CorpusSource, TrainPayload
from app.core.storage import Storage
from app.core.table.composing import Composed
from app.core.table.golden import golden_sample, misread
from app.core.table.reading import Table
from app.core.text import TextSpec
from app.core.text.tokenizers.sentencepiece import MODEL
from app.serving.searchers import Searchers
from app.serving.texts import TextVector, read
from app.serving.version import ServedVersion, Term
from tests.trainer.work.conftest import context_in, opened
from tests.trainer.work.test_composition import parent_of
from tests.trainer.work.test_derive import run as derive
from trainer.work.kinds import train
from trainer.work.messages import Publishes

pytest.importorskip("sentencepiece")
pytest.importorskip("mecab")

TEXT = "학교에서 바다를 봤다 low lower newest\n학교가 바다에 있다 lower lowest low\n" * 100


def run(storage: Storage, folder: Path, tokenizer: Any, **said: Any) -> Publishes:
    content = TEXT.encode()
    storage.put_new(content, "corpora/c")
    hyperparameters = Word2VecHyperparameters(dim=8, epochs=1, min_count=1, threads=1, subsampling_threshold=0)
    payload = TrainPayload(
        corpus=CorpusSource(
            name="c", key="corpora/c", sha256=hashlib.sha256(content).hexdigest(), n_bytes=len(content)
        ),
        algorithm="word2vec",
        hyperparameters=hyperparameters.model_dump(mode="json"),
        text=TextSpec.model_validate({"tokenizer": tokenizer, **said}),
    )
    return train.run(payload, context_in(storage, folder, threads=1))


def served(table: Table) -> ServedVersion:
    entry = PublishedVersion(model="m", number=1, prefix="p", manifest_sha256="0")
    version = ServedVersion(entry, table, Searchers(1))
    version.warm()
    return version


def composed(version: ServedVersion, text: str) -> Composed:
    (found,) = asyncio.run(version.words([text], "compose"))
    assert isinstance(found, Composed)
    return found


def test_pieces_are_stored_with_the_version_and_compose_words(storage: Storage, tmp_path: Path) -> None:
    result = run(storage, tmp_path / "s", {"kind": "sentencepiece", "n_pieces": 310, "model_type": "bpe"})
    table = opened(storage, tmp_path / "s", result)
    assert table.manifest.text.resources == {MODEL: table.manifest.files[MODEL].sha256}
    version = served(table)
    low = version.term("Low")
    assert low is not None
    assert (low.word, low.step) == ("low", "normalised")
    found = composed(version, "lowlow")
    assert version.text.words("lowlow") == ["low", "##low"]
    assert (found.composed_from, found.confidence) == ("pieces", 0.5)
    np.testing.assert_allclose(found.vector, table.vector(table.vocabulary.words().index("low")), rtol=1e-6)
    with pytest.raises(WordNotFound):
        asyncio.run(version.words(["lowlow"], "reject"))
    with pytest.raises(NotOneWord):
        version.term("low lower")
    text = read(version, "lower lowlow", "compose")
    assert isinstance(text, TextVector)
    assert text.n_tokens == 3
    child = derive(storage, tmp_path / "child", parent_of(tmp_path / "s", result), [{"step": "prune", "max_words": 8}])
    derived = opened(storage, tmp_path / "child", child)
    assert derived.reader.words("lowlow") == ["low", "##low"]
    for each in (table, derived):
        sample = golden_sample(each)
        assert sample is not None
        assert len(sample.lines) == 50
        words = {word: i for i, word in enumerate(each.vocabulary.words())}
        assert sample.ids[1] == [words.get(word, -1) for word in each.reader.words(TEXT.split("\n")[1])]
        assert misread(each, each.reader) is None


def test_particles_are_read_away_and_without_the_library_exact_words_are_answered(
    storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = run(storage, tmp_path / "s", "mecab-ko")
    assert result.told["tokenizer"]["kind"] == "mecab-ko"
    assert result.told["tokenizer"]["tokens_per_second"] > 0
    table = opened(storage, tmp_path / "s", result)
    version = served(table)
    for written in ("학교에서", "학교를", "학교가"):
        term = version.term(written)
        assert isinstance(term, Term)
        assert (term.word, term.step) == ("학교", "tokenised")
    assert composed(version, "바다학교에서").composed_from == "pieces"
    with pytest.raises(WordNotFound):
        asyncio.run(version.words(["에서"], "compose"))
    monkeypatch.setitem(sys.modules, "mecab", None)
    exact = served(opened(storage, tmp_path / "s", result))
    term = exact.term("학교")
    assert term is not None
    why = "The tokenizer mecab-ko needs an extra: pip install 'wordkin[mecab-ko]'."
    assert (term.step, exact.exact_only) == ("exact", why)
    with pytest.raises(WordNotFound, match=r"finds only words as they are stored: .*wordkin\[mecab-ko\]"):
        asyncio.run(exact.words(["학교에서"], "compose"))
    with pytest.raises(TextNotRead, match="answers only words as they are stored"):
        read(exact, "학교에서 바다를", "compose")
    with pytest.raises(ExtraMissing):
        run(storage, tmp_path / "again", "mecab-ko")


def test_phrases_are_stored_told_and_found_by_their_words(storage: Storage, tmp_path: Path) -> None:
    result = run(storage, tmp_path / "s", "words", phrases={"threshold": 0.3, "passes": 1}, stop_words=["lower"])
    table = opened(storage, tmp_path / "s", result)
    told = result.told["phrases"]
    assert told == result.manifest["origin"]["training"]["phrases"]
    phrase = told["first"][0]["phrase"]
    version = served(table)
    term = version.term(phrase.replace("_", " ").upper())
    assert term is not None
    assert (term.word, term.step) == (phrase, "normalised")
    assert version.exact_only is None
    with pytest.raises(NotOneWord, match="'Lower' is a stop word of this version"):
        version.term("Lower")
