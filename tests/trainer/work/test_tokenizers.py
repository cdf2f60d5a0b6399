"""A training with a tokenizer: its files go with the version, and the API answers words that are several tokens."""

from __future__ import annotations

import asyncio
import hashlib
import sys
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.core.catalog import PublishedVersion
from app.core.errors import ExtraMissing, NotOneWord, TextNotRead, WordNotFound
from app.core.evaluation.results import FoundWords, SetResult
from app.core.evaluation.sets import EvaluationSet
from app.core.hyperparameters import FastTextHyperparameters, Word2VecHyperparameters
from app.core.payloads import CorpusSource, TrainPayload
from app.core.storage import Storage
from app.core.table.composing import Composed
from app.core.table.golden import golden_sample, misread
from app.core.table.manifest import FileOrigin
from app.core.table.reading import Table
from app.core.text import TextSpec
from app.core.text.tokenizers.sentencepiece import MODEL
from app.serving.searchers import Searchers
from app.serving.texts import TextVector, read
from app.serving.version import ServedVersion, Term
from tests.trainer.work.conftest import context_in, opened
from tests.trainer.work.test_composition import parent_of
from tests.trainer.work.test_derive import run as derive
from trainer.evaluating.report import Asked, evaluate_table
from trainer.steps.progress import Progress, ignore
from trainer.work.kinds import train
from trainer.work.messages import Publishes

pytest.importorskip("sentencepiece")
pytest.importorskip("mecab")

SWEETS, PLACES = ("초콜릿", "과자", "사탕", "케이크"), ("학교", "도서관", "시장", "병원")
KOREAN = "".join(
    f"달콤한 {a}{i} {b} 먹었다\n{p}{j} 친구와 갔다 {q}\n"
    for a, b in permutations(SWEETS, 2)
    for p, q in permutations(PLACES, 2)
    for i, j in (("은", "는"), ("도", "에"), ("과", "의"))
)
TEXT = "학교에서 바다를 봤다 low lower newest\n학교가 바다에 있다 lower lowest low\n" * 100


def run(
    storage: Storage,
    folder: Path,
    tokenizer: Any,
    text: str = TEXT,
    subwords: dict[str, Any] | None = None,
    told: dict[str, list[Progress]] | None = None,
    **said: Any,
) -> Publishes:
    content = text.encode()
    key = f"corpora/{hashlib.sha256(content).hexdigest()}"
    storage.put_new(content, key)
    chosen = {"dim": 16, "epochs": 1, "min_count": 1, "threads": 1, "subsampling_threshold": 0} | (subwords or {})
    kind = FastTextHyperparameters if subwords else Word2VecHyperparameters
    payload = TrainPayload(
        corpus=CorpusSource(name="c", key=key, sha256=hashlib.sha256(content).hexdigest(), n_bytes=len(content)),
        algorithm="fasttext" if subwords else "word2vec",
        hyperparameters=kind.model_validate(chosen).model_dump(mode="json"),
        text=TextSpec.model_validate({"tokenizer": tokenizer, **said}),
    )
    phases = told if told is not None else {}
    context = replace(context_in(storage, folder, threads=1), report=lambda name: phases.setdefault(name, []).append)
    return train.run(payload, context)


def served(table: Table) -> ServedVersion:
    entry = PublishedVersion(model="m", number=1, prefix="p", manifest_sha256="0")
    version = ServedVersion(entry, table, Searchers(1))
    version.warm()
    return version


def asked(table: Table, folder: Path, content: str, **said: Any) -> SetResult:
    """The answers to a set of questions."""
    (folder / "questions").write_text(content, encoding="utf-8")
    wanted = EvaluationSet.model_validate({"file": "q", **said})
    origin = FileOrigin(name="q", revision=1, sha256="0" * 64, n_bytes=1)
    found = evaluate_table(table, [Asked(wanted, folder / "questions", origin)], [], 1, ignore)
    return SetResult.model_validate(found["report"]["sets"][0])


def composed(version: ServedVersion, text: str) -> Composed:
    (found,) = asyncio.run(version.words([text], "compose"))
    assert isinstance(found, Composed)
    return found


def test_pieces_are_stored_with_the_version_and_compose_words(storage: Storage, tmp_path: Path) -> None:
    told: dict[str, list[Progress]] = {}
    result = run(storage, tmp_path / "s", {"kind": "sentencepiece", "n_pieces": 310, "model_type": "bpe"}, told=told)
    reading = [progress.fraction for progress in told["reading"]]
    assert reading == sorted(reading), "the learning of the pieces is a part of it"
    assert reading[-1] == 1.0
    assert any(progress.tokens_per_second for progress in told["reading"])
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
    pairs = "low lower 5\nLOW newest 4\nlowlow low 3\n어느 low 2\nlower 바다를 1\n"
    rejecting, composing = (asked(table, tmp_path, pairs, oov=oov) for oov in ("reject", "compose"))
    assert rejecting.found == composing.found == FoundWords(n=7, exact=4, normalised=1, composed=1)
    assert (rejecting.n_covered, rejecting.missing) == (3, ["lowlow", "어느"])
    assert (composing.n_covered, composing.missing) == (4, ["어느"])
    assert not composing.asks_the_same(rejecting)
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


@pytest.mark.parametrize("tokenizer", ["mecab-ko", "words"])
def test_particles_and_misspelt_words_find_what_is_meant(storage: Storage, tmp_path: Path, tokenizer: str) -> None:
    """None of the forms that are asked is in the corpus."""
    subwords = {"unit": "jamo", "epochs": 20}
    table = opened(storage, tmp_path / "s", run(storage, tmp_path / "s", tokenizer, KOREAN, subwords))
    version = served(table)

    def nearest(text: str) -> list[str]:
        (found,) = asyncio.run(version.words([text], "compose"))
        scores = table.unit_vectors[:] @ version.direction(found)
        return [table.vocabulary.word(i) for i in np.argsort(-scores)[:8].tolist()]

    for written in ("학교에서", "학교를", "학교가"):
        if tokenizer == "mecab-ko":
            term = version.term(written)
            assert term is not None
            assert (term.word, term.step) == ("학교", "tokenised")
        else:
            assert composed(version, written).composed_from == "ngrams"
            assert nearest(written)[0].startswith("학교")
    for misspelt in ("초콜렛", "쵸콜릿"):
        found = composed(version, misspelt)
        assert (found.composed_from, 0 < (found.confidence or 0) < 1) == ("ngrams", True)
        meant = nearest(misspelt)
        assert meant[0].startswith("초콜릿")
        assert len(set(meant) & set(nearest("초콜릿"))) >= 4


def test_sets_ask_a_version_with_tags_for_plain_words(storage: Storage, tmp_path: Path) -> None:
    table = opened(storage, tmp_path / "s", run(storage, tmp_path / "s", {"kind": "mecab-ko", "tags": True}))
    assert "학교/NNG" in table.vocabulary.words()
    found = asked(table, tmp_path, "학교 학교를 5\n학교에서 low 3\nLow lower 2\n학교/NNG 바다학교 1\n")
    assert found.found == FoundWords(n=8, exact=1, tokenised=6, composed=1)
    assert (found.n_covered, found.missing) == (3, ["바다학교"])


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
